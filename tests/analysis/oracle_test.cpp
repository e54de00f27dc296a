// Every number against values that were found without this code: published ones (tests/expected),
// and, where the folder of reference values is beside the checkout, those of other tools.
#include <gtest/gtest.h>

#include <filesystem>
#include <map>

#include "architectures/catalogue.h"
#include "suite/analysis/conventions.h"
#include "suite/analysis/cost.h"
#include "suite/analysis/network_trace.h"
#include "suite/analysis/receptive_field.h"
#include "suite/report/csv_file.h"
#include "tests/analysis/hand_made.h"

namespace convscope {
namespace {

namespace fs = std::filesystem;

const fs::path published = fs::path(CONVSCOPE_SOURCE) / "tests/expected/published.csv";
const fs::path conventions_expected = fs::path(CONVSCOPE_SOURCE) / "tests/expected/conventions.csv";
const fs::path oracle = fs::path(CONVSCOPE_SHARED) / "oracle";

#define NEEDS_ORACLE() \
  if (!fs::exists(oracle)) GTEST_SKIP() << "no folder of reference values at " << oracle

/// A CSV file whose rows are asked by column.
struct Rows {
  explicit Rows(const fs::path& path) : file(read_csv(path)) {}
  size_t size() const { return file.rows.size(); }
  const std::string& operator()(size_t row, const std::string& column) const {
    return file.rows[row].fields[column_index(file, column)];
  }
  int64_t number(size_t row, const std::string& column) const {
    return std::stoll((*this)(row, column));
  }
  CsvFile file;
};

bool in_catalogue(const std::string& name) {
  for (const Architecture& architecture : catalogue()) {
    if (architecture.name == name) return true;
  }
  return false;
}

Shape shape_of(const std::string& text) {
  Shape shape;
  for (size_t begin = 0; begin <= text.size(); begin = text.find('x', begin) + 1) {
    shape.push_back(std::stoll(text.substr(begin)));
    if (text.find('x', begin) == std::string::npos) break;
  }
  return shape;
}

Cost cost_of(const std::string& name, const Shape& image = {}) {
  const Architecture& architecture = find_architecture(name);
  Settings settings = architecture.settings;
  if (!image.empty()) settings.image = {image[0], image[1], image[2]};
  return cost(trace_network(architecture, settings));
}

TEST(Oracle, PublishedNumbersAreMet) {
  const Rows rows(published);
  ASSERT_GT(rows.size(), 60u);
  for (size_t i = 0; i < rows.size(); ++i) {
    const Cost result = cost_of(rows(i, "model"), shape_of(rows(i, "input")));
    const std::map<std::string, int64_t> found = {
        {"params", result.params},           {"macs", result.macs},
        {"activations", result.activations}, {"depth", result.depth},
        {"rf", result.field.at(0).size},     {"rf_padding", result.field.at(0).padding}};
    EXPECT_EQ(found.at(rows(i, "quantity")), rows.number(i, "value"))
        << rows(i, "model") << " " << rows(i, "quantity") << ", " << rows(i, "source");
  }
}

TEST(Oracle, TotalsOfTorchvisionsNetworksAreMet) {
  NEEDS_ORACLE();
  const Rows rows(oracle / "models.csv");
  int compared = 0, left_out = 0;
  for (size_t i = 0; i < rows.size(); ++i) {
    const std::string& name = rows(i, "model");
    if (!in_catalogue(name)) {
      std::cout << name << ": not in the catalogue\n";
      ++left_out;
      continue;
    }
    ++compared;
    SCOPED_TRACE(name);
    const Cost c = cost_of(name, {3, 224, 224});
    EXPECT_EQ(c.params, rows.number(i, "params_total"));
    EXPECT_EQ(c.conv_params, rows.number(i, "params_conv"));
    EXPECT_EQ(c.linear_params, rows.number(i, "params_linear"));
    EXPECT_EQ(c.norm_params, rows.number(i, "params_batchnorm"));
    EXPECT_EQ(c.buffers, rows.number(i, "buffer_elements"));
    EXPECT_EQ(c.weight_bytes, rows.number(i, "state_dict_bytes"));
    EXPECT_EQ(c.macs, rows.number(i, "r224_macs_aten"));
    EXPECT_EQ(c.activations, rows.number(i, "r224_fvcore_activations"));
    EXPECT_EQ(c.conv_layers, rows.number(i, "n_conv2d"));
    EXPECT_EQ(c.linear_layers, rows.number(i, "n_linear"));
    EXPECT_EQ(c.norm_layers, rows.number(i, "n_batchnorm2d"));
    EXPECT_EQ("1x" + to_string(c.output), rows(i, "r224_output_shape"));
  }
  std::cout << compared << " networks compared, " << left_out << " not in the catalogue\n";
  EXPECT_GE(compared, 9);
}

/// What a tool counts of a network of the catalogue.
struct CountedNetwork {
  Graph graph;
  Cost total;
  CountedNetwork(const std::string& name, const Shape& image) {
    const Architecture& architecture = find_architecture(name);
    Settings settings = architecture.settings;
    if (!image.empty()) settings.image = {image[0], image[1], image[2]};
    graph = trace_network(architecture, settings);
    total = cost(graph);
  }
  int64_t operator()(const std::string& convention) const {
    return count(find_convention(convention), graph, total);
  }
};

TEST(Oracle, OtherToolsNumbersAreMet) {
  const Rows rows(conventions_expected);
  ASSERT_GT(rows.size(), 20u);
  for (size_t i = 0; i < rows.size(); ++i) {
    const CountedNetwork counted(rows(i, "model"), shape_of(rows(i, "input")));
    EXPECT_EQ(counted(rows(i, "convention")), rows.number(i, "value"))
        << rows(i, "model") << " " << rows(i, "convention") << ", " << rows(i, "source");
  }
}

TEST(Oracle, OtherToolsTotalsOfTorchvisionsNetworksAreMet) {
  NEEDS_ORACLE();
  const std::map<std::string, std::string> columns = {
      {"macs", "macs_aten"},
      {"fvcore", "fvcore_flops"},
      {"ptflops", "ptflops_macs"},
      {"ptflops-modules", "ptflops_macs_nofunctional"},
      {"ptflops-aten", "ptflops_aten_macs"},
      {"torchinfo", "torchinfo_mult_adds"}};
  const Rows rows(oracle / "models.csv");
  int compared = 0, left_out = 0, uncertain = 0;
  for (size_t i = 0; i < rows.size(); ++i) {
    const std::string& name = rows(i, "model");
    if (!in_catalogue(name)) {
      std::cout << name << ": not in the catalogue\n";
      ++left_out;
      continue;
    }
    ++compared;
    for (const bool native : {true, false}) {
      const int64_t side = native ? rows.number(i, "native_res") : 224;
      const CountedNetwork counted(name, {3, side, side});
      for (const auto& [convention, column] : columns) {
        SCOPED_TRACE(name + " " + convention + " " + std::to_string(side));
        if (!doubts(find_convention(convention), counted.graph, counted.total).empty()) {
          ++uncertain;
          continue;
        }
        EXPECT_EQ(counted(convention), rows.number(i, (native ? "native_" : "r224_") + column));
      }
      if (native && side == rows.number(i, "tv_crop")) {
        const Convention& torchvision = find_convention("torchvision");
        EXPECT_EQ(torchvision.printed(counted("torchvision")), rows(i, "tv_ops_g")) << name;
      }
    }
  }
  std::cout << compared << " networks compared, " << left_out << " not in the catalogue, "
            << uncertain << " numbers said to be uncertain\n";
  EXPECT_GE(compared, 10);
}

TEST(Oracle, CausesAddUpToEveryDifferenceInTheCatalogue) {
  for (const Architecture& architecture : catalogue()) {
    const CountedNetwork counted(architecture.name, {});
    EXPECT_EQ(counted("macs"), counted.total.macs) << architecture.name;
    EXPECT_EQ(counted("flops"), counted.total.flops) << architecture.name;
    for (const Convention& first : conventions()) {
      for (const Convention& second : conventions()) {
        if (&second <= &first) continue;
        int64_t sum = 0, of_layers = 0;
        for (const Difference& found : differences(first, second, counted.graph, counted.total)) {
          sum += found.second - found.first;
          for (const auto& [layer, amount] : found.layers) of_layers += amount;
        }
        const int64_t difference = counted(second.name) - counted(first.name);
        EXPECT_EQ(sum, difference) << architecture.name << " " << first.name << second.name;
        EXPECT_EQ(of_layers, difference) << architecture.name << " " << first.name << second.name;
      }
    }
  }
}

/// The oracle's files and the networks and inputs that they hold.
const std::map<std::string, std::pair<std::string, Shape>> layer_files = {
    {"alexnet", {"alexnet", {3, 224, 224}}},
    {"googlenet", {"googlenet", {3, 224, 224}}},
    {"lenet5_1x28x28_nopad_maxpool", {"lenet5", {1, 28, 28}}},
    {"lenet5_1x28x28_pad2_avgpool", {"lenet5_mnist", {1, 28, 28}}},
    {"lenet5_1x32x32_avgpool", {"lenet5_avgpool", {1, 32, 32}}},
    {"lenet5_3x32x32_maxpool", {"lenet5", {3, 32, 32}}},
    {"mobilenet_v2", {"mobilenet_v2", {3, 224, 224}}},
    {"resnet50", {"resnet50", {3, 224, 224}}},
    {"vgg16", {"vgg16", {3, 224, 224}}}};

const std::map<std::string, std::string> oracle_types = {
    {"conv2d", "Conv2d"},
    {"addmm", "Linear"},
    {"linear", "Linear"},
    {"batch_norm", "BatchNorm2d"},
    {"max_pool2d", "MaxPool2d"},
    {"avg_pool2d", "AvgPool2d"},
    {"adaptive_avg_pool2d", "AdaptiveAvgPool2d"}};

std::string window(const LayerCost& layer, int64_t SlidingWindow::*part) {
  return std::to_string(layer.windows.at(0).*part) + "x" +
         std::to_string(layer.windows.at(1).*part);
}

TEST(Oracle, EveryLayerIsMet) {
  NEEDS_ORACLE();
  int files = 0;
  for (const auto& entry : fs::directory_iterator(oracle / "layers")) {
    const auto known = layer_files.find(entry.path().stem().string());
    if (known == layer_files.end()) {
      std::cout << entry.path().stem() << ": not in the catalogue\n";
      continue;
    }
    ++files;
    const Rows rows(entry.path());
    const Cost total = cost_of(known->second.first, known->second.second);
    size_t row = 0;
    for (const LayerCost& layer : total.layers) {
      const auto type = oracle_types.find(layer.op);
      if (type == oracle_types.end()) continue;
      ASSERT_LT(row, rows.size());
      SCOPED_TRACE(known->first + " " + rows(row, "name") + " against " + layer.layer);
      const bool functional = rows(row, "type").rfind("F.", 0) == 0;  // it has no name of its own
      if (!functional) {
        EXPECT_EQ(type->second, rows(row, "type"));
      }
      if (!functional && !layer.layer.empty()) {
        EXPECT_EQ(layer.layer, rows(row, "name"));
      }
      EXPECT_EQ("1x" + to_string(layer.in_shape), rows(row, "in_shape"));
      EXPECT_EQ("1x" + to_string(layer.out_shape), rows(row, "out_shape"));
      EXPECT_EQ(layer.params, rows.number(row, "params"));
      EXPECT_EQ(layer.macs, rows.number(row, "macs"));
      if (!layer.windows.empty()) {
        EXPECT_EQ(window(layer, &SlidingWindow::kernel), rows(row, "kernel"));
        EXPECT_EQ(window(layer, &SlidingWindow::stride), rows(row, "stride"));
        EXPECT_EQ(window(layer, &SlidingWindow::padding), rows(row, "padding"));
      }
      if (rows(row, "rf_h").empty()) {
        EXPECT_TRUE(layer.field.empty());
      } else {
        ASSERT_EQ(layer.field.size(), 2u);
        EXPECT_EQ(layer.field[0].size, rows.number(row, "rf_h"));
        EXPECT_EQ(layer.field[1].size, rows.number(row, "rf_w"));
        EXPECT_EQ(layer.field[0].stride, rows.number(row, "jump_h"));
        EXPECT_EQ(layer.field[0].padding, rows.number(row, "eff_pad_h"));
        EXPECT_EQ(double(layer.field[0].doubled_centre()) / 2, std::stod(rows(row, "center0_h")));
      }
      ++row;
    }
    EXPECT_EQ(row, rows.size()) << known->first;
  }
  EXPECT_EQ(files, int(layer_files.size()));
}

/// The last layer of a module that still is a feature map.
const LayerCost* end_point(const Cost& total, std::string name) {
  // The oracle's names for MobileNet V1; here they are those of its published weights.
  if (name == "conv0") name = "stage1.0";
  if (name.rfind("pw", 0) == 0) {
    const int block = std::stoi(name.substr(2));
    name = block < 6    ? "stage1." + std::to_string(block)
           : block < 12 ? "stage2." + std::to_string(block - 6)
                        : "stage3." + std::to_string(block - 12);
  }
  const LayerCost* last = nullptr;
  for (const LayerCost& layer : total.layers) {
    const bool inside = layer.layer == name || layer.layer.rfind(name + ".", 0) == 0;
    if (inside && !layer.field.empty()) last = &layer;
  }
  return last;
}

TEST(Oracle, ReceptiveFieldsOfEveryStageAreMet) {
  NEEDS_ORACLE();
  const Rows rows(oracle / "receptive_fields.csv");
  std::map<std::string, Cost> costs;
  int compared = 0;
  for (size_t i = 0; i < rows.size(); ++i) {
    const std::string& model = rows(i, "model");
    if (rows(i, "source").rfind("computed here", 0) != 0 || !in_catalogue(model)) continue;
    if (!costs.count(model)) costs.emplace(model, cost_of(model));
    SCOPED_TRACE(model + " " + rows(i, "endpoint"));
    const LayerCost* layer = end_point(costs.at(model), rows(i, "endpoint"));
    ASSERT_NE(layer, nullptr);
    EXPECT_EQ(layer->field[0].size, rows.number(i, "rf_h"));
    EXPECT_EQ(layer->field[1].size, rows.number(i, "rf_w"));
    EXPECT_EQ(layer->field[0].stride, rows.number(i, "stride_h"));
    EXPECT_EQ(layer->field[0].padding, rows.number(i, "eff_pad_h"));
    ++compared;
  }
  std::cout << compared << " end points compared\n";
  EXPECT_GT(compared, 100);
}

TEST(Oracle, OutputSizesAreTorchsForEveryKernelStrideAndPadding) {
  NEEDS_ORACLE();
  const Rows rows(oracle / "shapes.csv");
  const std::map<std::string, std::string> operators = {
      {"Conv2d", "aten::conv2d"},
      {"MaxPool2d", "aten::max_pool2d"},
      {"AvgPool2d", "aten::avg_pool2d"},
      {"ConvTranspose2d", "aten::conv_transpose2d"}};
  for (size_t i = 0; i < rows.size(); ++i) {
    const std::string& op = rows(i, "op");
    const std::string& extra = rows(i, "extra");
    const bool same = rows(i, "padding") == "same";
    const int64_t n = rows.number(i, "n"), kernel = rows.number(i, "kernel");
    const auto list = [&](const std::string& column) {
      return std::vector<int64_t>{rows.number(i, column)};
    };
    std::vector<std::pair<std::string, Attribute>> attributes = {{"stride", list("stride")},
                                                                 {"dilation", list("dilation")}};
    attributes.emplace_back("padding", same ? Attribute(std::string("same")) : list("padding"));
    attributes.emplace_back("kernel_size", list("kernel"));
    attributes.emplace_back("ceil_mode", extra == "ceil_mode=1");
    if (extra.rfind("output_padding=", 0) == 0) {
      attributes.emplace_back("output_padding", std::vector<int64_t>{std::stoll(extra.substr(15))});
    }
    HandMade net({1, n, n});
    std::vector<int> inputs = {net.image()};
    if (op.find("Conv") == 0) {
      inputs.push_back(net.weight("w", {1, 1, kernel, kernel}));
      inputs.push_back(-1);
    }
    std::string found;
    try {
      found = std::to_string(net.shape(net.call(operators.at(op), inputs, attributes))[2]);
    } catch (const ShapeError&) {
    }
    EXPECT_EQ(found, rows(i, "out"))
        << "line " << rows.file.rows[i].line << ": " << csv_line(rows.file.rows[i].fields);
  }
}

}  // namespace
}  // namespace convscope
