// convscope maps: what a layer computes on a photograph, and what a hand-written kernel does, step
// by step, both as sheets.
#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <filesystem>
#include <numeric>
#include <ostream>

#include "suite/analysis/graph_layers.h"
#include "suite/commands/command.h"
#include "suite/commands/network_options.h"
#include "suite/commands/output.h"
#include "suite/commands/picture_output.h"
#include "suite/commands/subject.h"
#include "suite/inference/activations.h"
#include "suite/pictures/filtering.h"
#include "suite/records/figures.h"
#include "suite/report/table.h"
#include "suite/report/text.h"

namespace convscope {
namespace {

namespace fs = std::filesystem;

int64_t most_of(const Invocation& invocation) {
  const int64_t number = positive_integer(invocation, "most");
  if (number > 1000) throw UsageError("--most: expected from 1 to 1000");
  return number;
}

/// The maps of a layer, those with the largest sum of magnitudes first.
std::vector<size_t> strongest_maps(const Activations& maps) {
  const auto channels = static_cast<size_t>(maps.shape[1]);
  const size_t size = maps.values.size() / channels;
  std::vector<double> sums(channels);
  for (size_t c = 0; c < channels; ++c) {
    for (size_t i = 0; i < size; ++i) sums[c] += std::abs(maps.values[c * size + i]);
  }
  std::vector<size_t> order(channels);
  std::iota(order.begin(), order.end(), size_t{0});
  std::stable_sort(order.begin(), order.end(),
                   [&](size_t a, size_t b) { return sums[a] > sums[b]; });
  return order;
}

Figure sheet_of(const Subject& network, const std::string& layer, const Activations& maps,
                const std::string& photo, const Image& seen, int64_t most) {
  if (maps.shape.size() != 4) {
    throw UsageError("--at: '" + layer + "' computes no maps but " +
                     std::to_string(maps.values.size()) + " numbers; an earlier layer does");
  }
  std::vector<size_t> order = strongest_maps(maps);
  const size_t all = order.size();
  order.resize(std::min(all, static_cast<size_t>(most)));
  const int height = static_cast<int>(maps.shape[2]), width = static_cast<int>(maps.shape[3]);
  const size_t size = maps.values.size() / all;
  double largest = 0;
  for (const float value : maps.values) largest = std::max<double>(largest, std::abs(value));
  const bool negative =
      std::any_of(maps.values.begin(), maps.values.end(), [](float value) { return value < 0; });
  Sheet sheet;
  sheet.tiles.push_back(tile("input", pixels_of(seen)));
  for (const size_t c : order) {
    sheet.tiles.push_back(tile(std::to_string(c), painted(maps.values.data() + c * size, height,
                                                          width, largest, negative)));
  }
  sheet.key = negative ? fmt::format("Blue is above 0, red below, up to {:.3g}.", largest)
                       : fmt::format("White is 0, the darkest {:.3g}.", largest);
  const std::string count = order.size() < all
                                ? fmt::format("The {} strongest of {} maps", order.size(), all)
                                : fmt::format("All {} maps", all);
  return {file_name("maps_" + network.name() + "_" + layer + "_" + photo + network.name_end()),
          fmt::format("{} of {} of {}{}", count, layer, network.name(), network.title_end()), sheet,
          fmt::format("Feature maps of {} x {}, those with the largest sum of magnitudes first, "
                      "with their channels' numbers; one scale for all.",
                      height, width)};
}

int run_network(const Invocation& invocation, const fs::path& path) {
  const std::string started = utc_now();
  const std::string& layer = invocation.text("at");
  const int64_t most = most_of(invocation);
  const Subject network = subject(invocation, Needed::layers);
  const Graph& graph = network.network.graph;
  if (layer.empty()) {
    throw UsageError("maps: name a layer with --at; there are " + joined(layer_names(graph)));
  }
  const size_t call = call_asked_for(invocation, graph);
  check_picture_options(invocation);
  const Photograph photo = photograph(path, network.weighted);
  const Activations maps = activations(network.network, photo.values, 1, call);
  draw_pictures(invocation,
                {sheet_of(network, layer, maps, path.stem().string(), photo.seen, most)});
  record_run(results_folder(invocation), invocation, started,
             network.network.architecture.name + " " + layer, facts_of(network));
  return done;
}

/// An image's grey levels, or a file of numbers as it is.
Grid grid_of(const fs::path& path) {
  const std::string bytes = bytes_of_image(path);
  try {
    const Image image =
        decode_image(reinterpret_cast<const std::byte*>(bytes.data()), bytes.size(), 1);
    return {static_cast<int>(image.part.height),
            static_cast<int>(image.part.width),
            {image.pixels.begin(), image.pixels.end()}};
  } catch (const BrokenImage& broken) {
    const std::string ending = path.extension().string();
    if (ending != ".csv" && ending != ".txt") {
      throw UsageError(path.string() + ": " + broken.what() +
                       "; numbers in rows are read from .txt and .csv");
    }
    return parse_grid(bytes, path.string());
  }
}

/// A step with its numbers, which are printed where they fit a screen.
void print(const Invocation& invocation, const std::string& name, const Grid& grid) {
  constexpr int most = 16;
  invocation.out << name << ", " << grid.height << "x" << grid.width << "\n";
  if (grid.height > most || grid.width > most) return;
  Table table;
  for (int c = 0; c < grid.width; ++c) {
    table.columns.push_back({std::to_string(c), std::to_string(c)});
  }
  for (int r = 0; r < grid.height; ++r) {
    auto& row = table.rows.emplace_back();
    for (int c = 0; c < grid.width; ++c) row.emplace_back(grid.at(r, c));
  }
  write(table, Format::table, invocation.out);
}

/// As a photograph is: black is 0.
Pixels grey_picture(const Grid& grid) {
  double white = 255;
  for (const double value : grid.values) white = std::max(white, value);
  Pixels pixels{grid.width, grid.height, {}};
  for (const double value : grid.values) {
    const auto level = static_cast<uint8_t>(std::lround(255 * std::max(value, 0.0) / white));
    pixels.add({level, level, level});
  }
  return pixels;
}

Pixels step_picture(const Grid& grid) {
  const std::vector<float> values(grid.values.begin(), grid.values.end());
  const bool negative = std::any_of(values.begin(), values.end(), [](float v) { return v < 0; });
  return painted(values.data(), grid.height, grid.width, 0, negative);
}

int run_filter(const Invocation& invocation, const fs::path& path) {
  const std::string& filter = invocation.text("filter");
  const Grid kernel = fs::is_regular_file(filter) ? parse_grid(bytes_of_image(filter), filter)
                                                  : known_filter(filter);
  const Grid image = grid_of(path);
  const Grid found = convolved(image, kernel);
  const Grid positive_part = rectified(found);
  std::vector<std::pair<std::string, Grid>> steps = {
      {"input", image}, {"convolution", found}, {"ReLU", positive_part}};
  if (positive_part.height >= 2 && positive_part.width >= 2) {
    steps.emplace_back("2x2 max pooling", max_pooled(positive_part));
  }
  check_picture_options(invocation);
  Sheet sheet;
  sheet.columns = 2;
  sheet.key = "After the image, white is 0; where there is a minus, blue is above 0 and red below.";
  for (const auto& [name, grid] : steps) {
    print(invocation, name, grid);
    const Pixels picture = sheet.tiles.empty() ? grey_picture(grid) : step_picture(grid);
    sheet.tiles.push_back(tile(fmt::format("{}, {}x{}", name, grid.height, grid.width), picture));
  }
  const std::string name = fs::path(filter).stem().string();
  draw_pictures(invocation,
                {{file_name("filtered_" + name + "_" + path.stem().string()),
                  fmt::format("{} on {}, step by step", name, path.filename().string()), sheet,
                  "The image in grey, the convolution without padding, ReLU, and 2x2 max pooling, "
                  "each by its own largest value."}});
  return done;
}

int run(const Invocation& invocation) {
  if (!invocation.text("filter").empty()) {
    // Without a network the only word is the image.
    const auto words = invocation.list("model");
    if (!invocation.text("image").empty() && !words.empty()) {
      throw UsageError("maps: --filter takes an image and no network");
    }
    const std::string image =
        invocation.text("image").empty() && words.size() == 1 ? words[0] : invocation.text("image");
    if (image.empty()) throw UsageError("maps: name an image, as in 'maps --filter sobel-x a.png'");
    return run_filter(invocation, image);
  }
  if (invocation.text("image").empty()) {
    throw UsageError("maps: name an image, as in '" + invocation.command.example + "'");
  }
  return run_network(invocation, invocation.text("image"));
}

}  // namespace

Command maps_command() {
  Command command{"maps",
                  "what a layer computes on a photograph, or a hand-written kernel does to it",
                  "convscope maps resnet18 photo.jpg --at layer1.0",
                  {},
                  {"model", "image"},
                  run};
  add_subject_options(command.options);
  add_threads_option(command.options);
  command.options.add_options()  //
      ("image", text_value(), "FILE: the photograph")(
          "at", text_value(), "LAYER: as 'cost --layers' names it, or what it is in: layer1.0")(
          "most", text_value("63"), "so many maps, the strongest")(
          "filter", text_value(),
          "without a network: sobel-x, sobel-y, prewitt, laplace, gauss, or a FILE of numbers in "
          "rows; the image may be such a file, too");
  add_picture_options(command.options);
  return command;
}

}  // namespace convscope
