// The figures through the depth of networks, from records of a few layers.
#include "tests/records/made_figures.h"

namespace convscope {
namespace {

const std::string header =
    "model,input,layer,kind,out_shape,kernel,stride,dilation,params,macs,activations,rf,rf_stride,"
    "depth\n";

struct Layer {
  std::string kind = "convolution", out_shape = "8x8x8", kernel = "3x3", stride = "1x1",
              dilation = "1x1", params = "10", macs = "100", rf = "3x3", rf_stride = "1x1",
              depth = "1", input = "3x8x8";
};

std::string row(const std::string& model, const Layer& l) {
  return quoted(model) + "," + l.input + ",layer," + l.kind + "," + l.out_shape + "," + l.kernel +
         "," + l.stride + "," + l.dilation + "," + l.params + "," + l.macs + ",7," + l.rf + "," +
         l.rf_stride + "," + l.depth + "\n";
}

struct DepthFigures : MadeFigures {
  void layers(const std::vector<std::pair<std::string, Layer>>& all) {
    std::string text = header;
    for (const auto& [model, layer] : all) text += row(model, layer);
    record("layers.csv", text);
  }

  /// Whether the convolution, on an image of 8 pixels, counts as one that sees nothing more.
  bool unproductive(const Layer& layer) {
    // One that surely does, so that there is a figure.
    Layer sure;
    sure.rf = "99x99";
    sure.kernel = "1x1";
    layers({{"a", sure}, {"b", layer}});
    const auto bars = only<StackedBars>("unproductive_layers");
    return bars.rows.size() == 2;
  }
};

Layer convolution(const std::string& rf, const std::string& kernel) {
  Layer layer;
  layer.rf = rf;
  layer.kernel = kernel;
  return layer;
}

TEST_F(DepthFigures, ConvolutionIsUnproductiveWhereItsInputSeesTheImage) {
  EXPECT_TRUE(unproductive(convolution("10x10", "3x3"))) << "10 - 2 is the image's 8";
  EXPECT_FALSE(unproductive(convolution("9x9", "3x3"))) << "9 - 2 is less";
  EXPECT_FALSE(unproductive(convolution("8x8", "3x3"))) << "its own kernel saw the last pixels";
  EXPECT_TRUE(unproductive(convolution("8x8", "1x1"))) << "adds nothing";
  EXPECT_TRUE(unproductive(convolution("8", "1"))) << "8 is written for 8x8";
}

TEST_F(DepthFigures, DilationAndTheStepsBeforeWidenWhatAKernelAdds) {
  Layer layer = convolution("16x16", "3x3");
  layer.rf_stride = "4x4";  // adds 2 * 4
  EXPECT_TRUE(unproductive(layer));
  layer.dilation = "2x2";  // adds 16
  EXPECT_FALSE(unproductive(layer));
  layer.rf = "24x24";
  EXPECT_TRUE(unproductive(layer));
  // A stride of its own makes its steps longer, but not what it adds: 4 / 2 before it, so 2 * 2
  // * 2.
  layer.stride = "2x2";
  layer.rf = "16x16";
  EXPECT_TRUE(unproductive(layer));
  layer.rf = "15x15";
  EXPECT_FALSE(unproductive(layer));
}

TEST_F(DepthFigures, BothSidesMustSeeTheImage) {
  EXPECT_TRUE(unproductive(convolution("10x8", "3x1"))) << "10 - 2 and 8 - 0";
  EXPECT_FALSE(unproductive(convolution("8x10", "3x1"))) << "8 - 2 is less";
  EXPECT_FALSE(unproductive(convolution("10x7", "3x1")));
  Layer wide = convolution("8x12", "1x1");
  wide.input = "3x8x12";
  EXPECT_TRUE(unproductive(wide));
  wide.rf = "12x8";
  EXPECT_FALSE(unproductive(wide)) << "the image is 12 wide";
}

TEST_F(DepthFigures, StrideOfZeroIsNoProofOfAnything) {
  Layer layer = convolution("99x99", "1x1");
  layer.stride = "0x0";
  EXPECT_FALSE(unproductive(layer));
}

TEST_F(DepthFigures, UnproductiveSharesAreOfAllMacsAndParameters) {
  Layer sees = convolution("99x99", "1x1"), sees_not = convolution("3x3", "3x3"), linear = sees,
        unknown = sees;
  linear.kind = "linear";
  linear.params = "70";
  unknown.params = unknown.macs = "";
  layers({{"net", sees_not},
          {"net", sees},
          {"net", linear},
          {"net", sees_not},
          {"net", unknown},
          {"other", sees_not}});
  const auto bars = only<StackedBars>("unproductive_layers");
  ASSERT_EQ(bars.rows.size(), 1u);
  EXPECT_EQ(bars.rows[0].values, (std::vector<std::vector<double>>{{0.25}, {0.1}}));
  EXPECT_NE(figures("unproductive_layers")[0].caption.find("In 1 other network no convolution"),
            std::string::npos);
}

TEST_F(DepthFigures, WithoutAnUnproductiveConvolutionItIsSaid) {
  layers({{"net", Layer()}});
  expect_none("unproductive_layers", "no convolution's input sees the whole image");
}

TEST_F(DepthFigures, FieldsAreTheLargestOfEachDepth) {
  Layer first, beside, second, none;
  beside.rf = "5x3";
  second.depth = "2";
  second.rf = "9x9";
  none.rf = "";
  none.depth = "3";
  layers({{"net", first},
          {"net", beside},
          {"net", second},
          {"net", none},
          {"twin", beside},
          {"twin", second}});
  const auto lines = only<Lines>("receptive_field");
  ASSERT_EQ(lines.series.size(), 1u) << "a curve that is there already is not drawn again";
  ASSERT_EQ(lines.series[0].points.size(), 2u);
  EXPECT_EQ(lines.series[0].points[0].x, 1);
  EXPECT_EQ(lines.series[0].points[0].y, 5.0 / 8);
  EXPECT_EQ(lines.series[0].points[1].y, 9.0 / 8);
  EXPECT_EQ(lines.reference->y, 1);
}

TEST_F(DepthFigures, FieldsAreOfEachNetworksOwnImage) {
  Layer small, large;
  small.input = "3x8x8";
  large.input = "3x16x10";
  small.rf = large.rf = "12x4";
  layers({{"a", small}, {"b", large}});
  const auto lines = only<Lines>("receptive_field");
  EXPECT_EQ(lines.series.at(0).points.at(0).y, 12.0 / 8);
  EXPECT_EQ(lines.series.at(1).points.at(0).y, 12.0 / 16);
}

TEST_F(DepthFigures, ImageOrFieldOfNothingIsNotDrawn) {
  Layer nothing;
  nothing.input = "3x0x0";
  layers({{"net", nothing}});
  expect_none("receptive_field", "no receptive field");
  nothing.input = "3x8x8";
  nothing.rf = "0x0";
  layers({{"net", nothing}});
  expect_none("receptive_field", "no receptive field");
}

TEST_F(DepthFigures, FunnelHasTheMostChannelsOfEachHeight) {
  Layer wide, narrow, low, vector;
  wide.out_shape = "64x8x8";
  narrow.out_shape = "16x8x8";
  low.out_shape = "128x4x4";
  vector.out_shape = "1000";
  layers({{"net", wide}, {"net", narrow}, {"net", low}, {"net", vector}});
  const auto points = only<Lines>("feature_maps").series.at(0).points;
  ASSERT_EQ(points.size(), 2u);
  EXPECT_EQ(points[0].x, 64);
  EXPECT_EQ(points[0].y, 8);
  EXPECT_EQ(points[1].x, 128);
  EXPECT_EQ(points[1].y, 4);
}

TEST_F(DepthFigures, EachNetworkHasAFigureOfItsLayers) {
  Layer pool, linear;
  pool.kind = "pooling";
  pool.macs = "0";
  linear.kind = "linear";
  linear.macs = "3";
  layers({{"net", Layer()}, {"net", pool}, {"net", linear}, {"other", Layer()}});
  const auto all = figures("layer_costs");
  ASSERT_EQ(all.size(), 2u);
  EXPECT_EQ(all[0].name, "layer_costs_net");
  const auto& columns = std::get<Columns>(all[0].content).columns;
  ASSERT_EQ(columns.size(), 2u);
  EXPECT_EQ(columns[0].values, (std::vector<double>{10, 100, 7}));
  EXPECT_EQ(columns[1].kind, "linear");
  for (const Figure& figure : all) canvas::draw(figure);
}

TEST_F(DepthFigures, FirstOfEachFamilyComesBeforeOthersWhereThereAreTooMany) {
  std::vector<std::pair<std::string, Layer>> all;
  for (int depth = 1; depth <= 5; ++depth) all.push_back({"net" + std::to_string(depth), Layer()});
  all.push_back({"other_v1", Layer()});
  layers(all);
  ASSERT_EQ(figures("layer_costs").size(), 4u);
  EXPECT_EQ(err.str(),
            "layer_costs: shows net1, net2, net3, other_v1 of 6 networks; --depth-model chooses "
            "others\n");
  depth_models = {"net4", "net5"};
  EXPECT_EQ(figures("layer_costs").at(1).name, "layer_costs_net5");
  EXPECT_EQ(err.str(), "");
}

TEST_F(DepthFigures, OfTooManyFamiliesTheDearestAreShown) {
  std::vector<std::pair<std::string, Layer>> all;
  for (const char* name : {"a", "b", "c", "d", "e"}) {
    Layer layer;
    layer.macs = std::string(name) == "b" ? "" : std::string(name) == "e" ? "500" : "100";
    all.push_back({name, layer});
  }
  layers(all);
  const auto drawn = figures("layer_costs");
  ASSERT_EQ(drawn.size(), 4u);
  EXPECT_EQ(drawn[0].name, "layer_costs_a");
  EXPECT_EQ(drawn[1].name, "layer_costs_c") << "b has no MACs";
  EXPECT_EQ(drawn[3].name, "layer_costs_e") << "in the order of the record";
}

TEST_F(DepthFigures, OfANetworkAtSeveralInputsOrWidthsTheFirstIsShown) {
  Layer large;
  large.input = "3x16x16";
  layers({{"net", Layer()}, {"net", large}});
  EXPECT_EQ(std::get<Columns>(figures("layer_costs").at(0).content).columns.size(), 1u);
  std::string text = header;
  text.insert(text.size() - 1, ",variant");
  for (const char* variant : {"paper", "half"}) {
    std::string one = row("net", Layer());
    one.insert(one.size() - 1, std::string(",") + variant);
    text += one;
  }
  record("layers.csv", text);
  EXPECT_EQ(std::get<Columns>(figures("layer_costs").at(0).content).columns.size(), 1u);
}

TEST_F(DepthFigures, NamesThatFilesCannotTellApartGetFiguresOfTheirOwn) {
  layers({{"网络", Layer()}, {"模型", Layer()}});
  const Records records{folder.path, err};
  std::set<std::string> names;
  for (const Figure& figure : made(chosen_figures({"layer_costs"}, folder.path), records, true))
    names.insert(figure.name);
  EXPECT_EQ(names, (std::set<std::string>{"layer_costs_______", "layer_costs________2"}));
}

TEST_F(DepthFigures, RecordsWithoutRowsAreNoFigureAndSaySo) {
  record("layers.csv", header);
  expect_none("receptive_field", "no receptive field");
  expect_none("feature_maps", "no feature map");
  expect_none("layer_costs", "no layer that multiplies");
  expect_none("unproductive_layers", "no convolution");
}

TEST_F(DepthFigures, MissingColumnsAreNamedWithTheirFile) {
  record("layers.csv", "model,input\nnet,3x8x8\n");
  expect_error("receptive_field", {"layers.csv", "'rf'"});
  expect_error("feature_maps", {"layers.csv", "'out_shape'"});
  expect_error("layer_costs", {"layers.csv", "'layer'"});
  expect_error("unproductive_layers", {"layers.csv", "'rf'"});
}

TEST_F(DepthFigures, SizesThatAreNoneAreNamedWithTheirLine) {
  for (const char* size : {"3x", "x3", "3,3", "three", "-3x3", "nan", "inf", "1e300", "3x3 "}) {
    Layer layer;
    layer.rf = quoted(size);
    layers({{"net", layer}});
    expect_error("receptive_field", {"layers.csv line 2", "'rf'", "expected sizes such as 3x3"});
  }
}

TEST_F(DepthFigures, AnyValueGivesAFigureOrOneClearReason) {
  for (const char* value : {"", "nan", "inf", "0", "-1", "1e308", "0x0", "1x1x1", "1e-320"}) {
    for (std::string Layer::*field :
         {&Layer::out_shape, &Layer::kernel, &Layer::stride, &Layer::dilation, &Layer::params,
          &Layer::macs, &Layer::rf, &Layer::rf_stride, &Layer::depth, &Layer::input,
          &Layer::kind}) {
      Layer layer;
      layer.*field = value;
      layers({{"net", layer}});
      for (const RecordFigure& figure : depth_figures()) expect_sound(figure.name);
    }
  }
}

TEST_F(DepthFigures, NamesOfAnyCharactersAreDrawn) {
  std::string text = header;
  Layer layer;
  layer.rf = "99x99";
  for (const std::string& name : hostile_names()) text += row(name, layer);
  record("layers.csv", text);
  for (const RecordFigure& figure : depth_figures()) {
    const auto all = figures(figure.name);
    EXPECT_FALSE(all.empty()) << figure.name;
    for (const Figure& one : all) canvas::draw(one);
  }
}

TEST_F(DepthFigures, AThousandNetworksAreDrawn) {
  std::vector<std::pair<std::string, Layer>> all;
  for (int i = 0; i < 1000; ++i) {
    Layer layer;
    layer.rf = std::to_string(10 + i) + "x" + std::to_string(10 + i);
    all.push_back({"net" + std::to_string(i), layer});
  }
  layers(all);
  EXPECT_EQ(only<StackedBars>("unproductive_layers").rows.size(), 200u);
  EXPECT_EQ(only<Lines>("feature_maps").series.size(), 12u);
  EXPECT_EQ(figures("layer_costs").size(), 4u);
  EXPECT_EQ(only<Lines>("receptive_field").series.size(), 16u);
}

}  // namespace
}  // namespace convscope
