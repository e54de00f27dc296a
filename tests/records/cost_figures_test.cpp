// The figures of what networks cost, from records of a few rows.
#include "tests/records/made_figures.h"

namespace convscope {
namespace {

const std::string header =
    "model,variant,input,params,conv_params,linear_params,norm_params,macs,activations,status\n";
const std::string layers_header = "model,input,kind,macs,variant\n";
const std::string evaluations_header = "model,data,weights,top1,top1_low,top1_high\n";

struct CostFigures : MadeFigures {};

TEST_F(CostFigures, BarsPartTheParametersAndTheMacsByKind) {
  record("cost.csv", header + "net,paper,3x8x8,100,60,30,10,1000,5,ok\n");
  record("layers.csv", layers_header +
                           "net,3x8x8,convolution,300,paper\n"
                           "net,3x8x8,linear,300,paper\n"
                           "net,3x8x8,convolution,400,paper\n");
  const auto bars = only<StackedBars>("cost_bars");
  EXPECT_EQ(bars.kinds, (std::vector<std::string>{"convolution", "linear", "normalisation"}));
  ASSERT_EQ(bars.rows.size(), 1u);
  EXPECT_EQ(bars.rows[0].values, (std::vector<std::vector<double>>{{60, 30, 10}, {700, 300, 0}}));
}

TEST_F(CostFigures, ParametersOfNoKindAreAFourthColorWhereTheyCanBeSeen) {
  record("layers.csv", layers_header);
  record("cost.csv", header + "net,p,3x8x8,1000,600,300,98,10,5,ok\n");
  EXPECT_EQ(only<StackedBars>("cost_bars").kinds.size(), 3u) << "2 of 1000 is a five-hundredth";
  record("cost.csv", header + "net,p,3x8x8,1000,600,300,97,10,5,ok\n");
  const auto bars = only<StackedBars>("cost_bars");
  ASSERT_EQ(bars.kinds.size(), 4u);
  EXPECT_EQ(bars.rows[0].values[0][3], 3);
}

TEST_F(CostFigures, NetworkAtTwoInputsHasTheMacsOfEach) {
  record("cost.csv", header + "net,p,3x8x8,10,10,0,0,100,5,ok\nnet,p,3x9x9,10,10,0,0,200,5,ok\n");
  record("layers.csv", layers_header + "net,3x8x8,convolution,90,p\nnet,3x9x9,convolution,150,p\n");
  const auto bars = only<StackedBars>("cost_bars");
  ASSERT_EQ(bars.rows.size(), 2u);
  EXPECT_EQ(bars.rows[0].label, "net 3x8x8");
  EXPECT_EQ(bars.rows[0].values[1][1], 10);
  EXPECT_EQ(bars.rows[1].values[1][0], 150);
}

TEST_F(CostFigures, TwoVariantsOfANetworkDoNotShareTheirMacs) {
  record("cost.csv", header +
                         "net,p,3x8x8,10,10,0,0,100,5,ok\n"
                         "net,\"p, width 0.5\",3x8x8,5,5,0,0,30,5,ok\n");
  record("layers.csv", layers_header +
                           "net,3x8x8,convolution,90,p\n"
                           "net,3x8x8,convolution,25,\"p, width 0.5\"\n");
  const auto bars = only<StackedBars>("cost_bars");
  ASSERT_EQ(bars.rows.size(), 2u);
  EXPECT_EQ(bars.rows[0].values[1], (std::vector<double>{90, 10, 0}));
  EXPECT_EQ(bars.rows[1].label, "net 3x8x8 (p, width 0.5)");
  EXPECT_EQ(bars.rows[1].values[1], (std::vector<double>{25, 5, 0}));
}

TEST_F(CostFigures, FailedNetworksAreInNoFigure) {
  record("cost.csv", header + "bad,p,3x8x8,,,,,,,failed\nnet,p,3x8x8,10,10,0,0,100,5,ok\n");
  const auto bubbles = only<Bubbles>("cost_bubbles").bubbles;
  ASSERT_EQ(bubbles.size(), 1u);
  EXPECT_EQ(bubbles[0].label, "net");
  EXPECT_EQ(bubbles[0].x, 100);
  EXPECT_EQ(bubbles[0].y, 10);
  EXPECT_EQ(bubbles[0].size, 5);
}

TEST_F(CostFigures, NetworksOfOneCostShareABubble) {
  record("cost.csv", header +
                         "neta,p,3x8x8,10,10,0,0,100,5,ok\nnetb,p,3x8x8,10,10,0,0,100,5,ok\n"
                         "netc,p,3x8x8,10,10,0,0,100,6,ok\n");
  const auto bubbles = only<Bubbles>("cost_bubbles").bubbles;
  ASSERT_EQ(bubbles.size(), 2u);
  EXPECT_EQ(bubbles[0].label, "neta, netb");
}

TEST_F(CostFigures, WhatNoLogarithmCanShowIsLeftOutAndSaid) {
  record("cost.csv", header +
                         "zero,p,3x8x8,10,10,0,0,0,5,ok\nnan,p,3x8x8,nan,1,0,0,7,5,ok\n"
                         "inf,p,3x8x8,10,1,0,0,inf,5,ok\nminus,p,3x8x8,-1,1,0,0,7,5,ok\n"
                         "empty,p,3x8x8,10,1,0,0,7,,ok\nnet,p,3x8x8,10,10,0,0,100,5,ok\n");
  EXPECT_EQ(only<Bubbles>("cost_bubbles").bubbles.size(), 1u);
  EXPECT_EQ(err.str(),
            "cost_bubbles: 5 networks without MACs, parameters or activations left out\n");
}

TEST_F(CostFigures, ParetoFrontIsWhatNoOtherNetworkBeats) {
  std::string costs = header, evaluations = evaluations_header;
  const auto add = [&](const std::string& name, int macs, double top1) {
    costs += name + ",p,3x8x8,10,10,0,0," + std::to_string(macs) + ",5,ok\n";
    std::ostringstream row;
    row << name << ",digits,w," << top1 << "," << top1 - 1 << "," << top1 + 1 << "\n";
    evaluations += row.str();
  };
  add("dear", 400, 80);     // 0: the most accurate
  add("cheap", 100, 60);    // 1: the cheapest
  add("beaten", 200, 55);   // 2: cheap is better for less
  add("middle", 200, 70);   // 3
  add("tied", 300, 70);     // 4: as accurate as middle, and dearer
  add("dearest", 500, 80);  // 5: as accurate as dear, and dearer
  record("cost.csv", costs);
  record("evaluation.csv", evaluations);
  const auto bubbles = only<Bubbles>("accuracy_measured");
  EXPECT_EQ(bubbles.front, (std::vector<size_t>{1, 3, 0}));
  EXPECT_EQ(bubbles.y.label, "Top-1 on digits (%)");
  EXPECT_EQ(bubbles.bubbles[3].spread->low, 69);
  EXPECT_EQ(bubbles.bubbles[3].size, 10) << "the area is the parameters";
}

TEST_F(CostFigures, MeasuredAccuracyIsOfOneDatasetAndOfNetworksWithACost) {
  record("cost.csv", header + "net,p,3x8x8,10,10,0,0,100,5,ok\n");
  record("evaluation.csv", evaluations_header +
                               "net,digits,first,60,59,61\n"
                               "net,digits,second,65,,\n"
                               "net,letters,first,10,9,11\n"
                               "unknown,digits,first,60,59,61\n"
                               "net,digits,third,,,\n");
  const auto bubbles = only<Bubbles>("accuracy_measured");
  ASSERT_EQ(bubbles.bubbles.size(), 2u);
  EXPECT_EQ(bubbles.bubbles[0].label, "net first");
  EXPECT_FALSE(bubbles.bubbles[1].spread) << "no interval is no bar";
  EXPECT_NE(err.str().find("3 evaluations of other data"), std::string::npos) << err.str();
}

TEST_F(CostFigures, PublishedAccuracyOnImageNetIsShownWhereTheRecordHasIt) {
  const std::string costs = "model,input,params,macs,activations,status,top1_published,top1_data\n";
  record("cost.csv", costs +
                         "resnet18,3x224x224,9,8,7,ok,69.758,ImageNet-1K\n"
                         "resnet18,3x192x192,9,6,5,ok,,\n"
                         "resnet20,3x32x32,1,1,1,ok,91.73,CIFAR-10\n"
                         "mobilenet_v1,3x224x224,4,2,1,ok,70.6,ImageNet-1K\n");
  const auto bubbles = only<Bubbles>("accuracy_published").bubbles;
  ASSERT_EQ(bubbles.size(), 2u);
  EXPECT_EQ(bubbles[0].label, "resnet18");
  EXPECT_EQ(bubbles[0].y, 69.758);
  EXPECT_EQ(bubbles[1].y, 70.6);
}

TEST_F(CostFigures, WithoutAPublishedNetworkItIsSaid) {
  record("cost.csv", header + "mine,p,3x224x224,10,10,0,0,100,5,ok\n");
  expect_none("accuracy_published", "no network with a published accuracy on ImageNet");
}

TEST_F(CostFigures, WhereFamiliesOutnumberColoursTheSmallestShareOne) {
  std::string costs = header;
  int macs = 100;
  const auto add = [&](const std::string& model) {
    costs += model + ",p,3x8x8,10,10,0,0," + std::to_string(++macs) + ",5,ok\n";
  };
  for (char letter = 'a'; letter < 'a' + 13; ++letter) {
    for (const char* variant : {"1", "2"}) add(std::string(1, letter) + variant);
  }
  add("y1");
  record("cost.csv", costs);
  EXPECT_EQ(only<Bubbles>("cost_bubbles").bubbles.back().group, "y");
  add("z1");
  record("cost.csv", costs);
  const Bubbles shared = only<Bubbles>("cost_bubbles");
  EXPECT_EQ(shared.bubbles.front().group, "a");
  EXPECT_EQ(shared.bubbles.back().group, "others");
  EXPECT_EQ(shared.groups.size(), 14u);
}

TEST_F(CostFigures, OnlyTheModelsAskedForAreShown) {
  record("cost.csv", header + "a,p,3x8x8,10,10,0,0,100,5,ok\nb,p,3x8x8,11,10,0,0,100,5,ok\n");
  models = {"b"};
  EXPECT_EQ(only<Bubbles>("cost_bubbles").bubbles.size(), 1u);
  models = {"c"};
  expect_none("cost_bubbles", "no finished network");
}

TEST_F(CostFigures, RecordsWithoutRowsAreNoFigureAndSaySo) {
  record("cost.csv", header);
  record("layers.csv", layers_header);
  record("evaluation.csv", evaluations_header);
  expect_none("cost_bars", "no finished network");
  expect_none("cost_bubbles", "no finished network");
  expect_none("accuracy_published", "cost.csv has no network");
  expect_none("accuracy_measured", "no evaluation");
}

TEST_F(CostFigures, MissingColumnsAreNamedWithTheirFile) {
  record("cost.csv", "model,input,params,activations,status\nnet,3x8x8,1,1,ok\n");
  record("layers.csv", "model,input,macs\nnet,3x8x8,1\n");
  expect_error("cost_bubbles", {"cost.csv", "'macs'"});
  expect_error("accuracy_published", {"cost.csv", "'macs'"});
  expect_error("cost_bars", {"cost.csv", "'conv_params'"});
  record("cost.csv", header + "net,p,3x8x8,10,10,0,0,100,5,ok\n");
  expect_error("cost_bars", {"layers.csv", "'kind'"});
  expect_error("accuracy_measured", {"evaluation.csv"});
}

TEST_F(CostFigures, TextWhereANumberBelongsIsNamedWithItsLine) {
  record("cost.csv", header + "net,p,3x8x8,10,10,0,0,many,5,ok\n");
  expect_error("cost_bubbles", {"cost.csv", "2", "'macs'", "many"});
}

TEST_F(CostFigures, RecordsWithoutAVariantAreDrawn) {
  record("cost.csv", "model,input,params,macs,activations,status\nresnet18,3x224x224,9,8,7,ok\n");
  EXPECT_EQ(only<Bubbles>("cost_bubbles").bubbles.size(), 1u);
}

TEST_F(CostFigures, NamesOfAnyCharactersAreDrawn) {
  std::string costs = header, evaluations = evaluations_header, layers = layers_header;
  int macs = 100;
  for (const std::string& name : hostile_names()) {
    costs += quoted(name) + "," + quoted(name) + ",3x8x8,10,10,0,0," + std::to_string(++macs) +
             ",5,ok\n";
    evaluations +=
        quoted(name) + "," + quoted(hostile_names()[0]) + "," + quoted(name) + ",60,59,61\n";
    layers += quoted(name) + ",3x8x8,convolution,1," + quoted(name) + "\n";
  }
  record("cost.csv", costs);
  record("evaluation.csv", evaluations);
  record("layers.csv", layers);
  EXPECT_EQ(only<Bubbles>("cost_bubbles").bubbles.size(), hostile_names().size());
  EXPECT_EQ(only<Bubbles>("accuracy_measured").bubbles.size(), hostile_names().size());
  EXPECT_EQ(only<StackedBars>("cost_bars").rows.size(), hostile_names().size());
}

TEST_F(CostFigures, OfAThousandNetworksBarsShowWhatAPageHolds) {
  std::string costs = header;
  for (int i = 0; i < 1000; ++i) {
    costs +=
        "net" + std::to_string(i) + ",p,3x8x8,10,10,0,0," + std::to_string(100 + i) + ",5,ok\n";
  }
  record("cost.csv", costs);
  record("layers.csv", layers_header);
  EXPECT_EQ(only<StackedBars>("cost_bars").rows.size(), 200u);
  EXPECT_EQ(err.str(), "cost_bars: shows the first 200 of 1000 rows; --model chooses others\n");
  EXPECT_EQ(only<Bubbles>("cost_bubbles").bubbles.size(), 1000u);
}

TEST_F(CostFigures, AnyValueGivesAFigureOrOneClearReason) {
  record("layers.csv", layers_header + "net,3x8x8,convolution,90,p\n");
  for (const char* value : {"", "nan", "inf", "-inf", "0", "-1", "1e308", "1e-320", "1e999"}) {
    const std::string v(value);
    record("cost.csv", header + "net,p,3x8x8," + v + "," + v + ",1,1," + v + "," + v + ",ok\n");
    record("evaluation.csv", evaluations_header + "net,d,w," + v + "," + v + "," + v + "\n");
    for (const RecordFigure& figure : cost_figures()) expect_sound(figure.name);
  }
}

}  // namespace
}  // namespace convscope
