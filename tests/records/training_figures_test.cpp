// The figures of training records, from records of a few rows whose medians are known by hand.
#include <gtest/gtest.h>

#include <sstream>

#include "suite/records/figures.h"
#include "suite/report/chart.h"
#include "tests/report/temporary_folder.h"

namespace convscope {
namespace {

const char* const epoch_header =
    "run,model,dataset,protocol,seed,epoch,train_loss,train_top1,val_loss,val_top1,val_top5,lr,"
    "images_per_s,data_wait_s,seconds,peak_bytes,status\n";

struct TrainingFigures : testing::Test {
  TemporaryFolder folder;
  std::ostringstream err;

  void record(const std::string& file, const std::string& text) { put(folder.path / file, text); }

  std::vector<Figure> figures(const std::string& name) {
    const Records records{folder.path, err};
    for (const RecordFigure& figure : training_figures())
      if (figure.name == name) return figure.make(records);
    return {};
  }

  Lines lines(const std::string& name) {
    const auto all = figures(name);
    EXPECT_EQ(all.size(), 1u) << err.str();
    canvas::draw(all.at(0));
    return std::get<Lines>(all.at(0).content);
  }
};

std::string epoch(const std::string& run, const std::string& protocol, int seed, int epoch,
                  double training, const std::string& validation) {
  std::ostringstream row;
  row << run << ",lenet5,digits," << protocol << "," << seed << "," << epoch << ",1," << training
      << ",," << validation << ",,0.1,1,0,1,1,ok\n";
  return row.str();
}

TEST_F(TrainingFigures, SeedsAreOneCurveWithTheirRange) {
  record("epochs.csv", epoch_header + epoch("net-scratch-1", "scratch", 1, 1, 5, "10") +
                           epoch("net-scratch-1", "scratch", 1, 2, 5, "20") +
                           epoch("net-scratch-2", "scratch", 2, 1, 5, "40") +
                           epoch("net-scratch-3", "scratch", 3, 1, 5, "15") +
                           epoch("net-probe-1", "probe", 1, 1, 5, "70"));
  const Lines drawn = lines("training_curves");
  ASSERT_EQ(drawn.series.size(), 2u);
  EXPECT_EQ(drawn.series[0].label, "net-scratch");
  ASSERT_EQ(drawn.series[0].points.size(), 1u) << "one of three seeds is no middle";
  EXPECT_EQ(drawn.series[0].points[0].y, 15);
  EXPECT_EQ(drawn.series[0].spread[0].low, 10);
  EXPECT_EQ(drawn.series[0].spread[0].high, 40);
  EXPECT_EQ(drawn.series[1].label, "net-probe");
  EXPECT_TRUE(drawn.series[1].spread.empty());
  EXPECT_EQ(drawn.y.label, "Validation top-1 (%), median and range of the seeds");
}

TEST_F(TrainingFigures, WithoutValidationTheTrainingImagesAreSaidToBeShown) {
  record("epochs.csv", epoch_header + epoch("net-scratch-1", "scratch", 1, 1, 5, ""));
  EXPECT_EQ(lines("training_curves").y.label, "Training top-1 (%)");
  record("epochs.csv", epoch_header + epoch("net-scratch-1", "scratch", 1, 1, 5, "") +
                           epoch("net-probe-1", "probe", 1, 1, 6, "7"));
  const Lines drawn = lines("training_curves");
  EXPECT_EQ(drawn.y.label, "Top-1 (%)");
  EXPECT_EQ(drawn.series[0].label, "net-scratch (training)");
  EXPECT_EQ(drawn.series[1].points[0].y, 7);
}

TEST_F(TrainingFigures, CurvesOfTransferAreLeftOut) {
  std::string rows = epoch_header;
  for (const char* network : {"baseA", "baseB", "A1B", "B12B+", "R3B"})
    rows += epoch(std::string("net-s1-") + network + "-1", network, 1, 1, 5, "10");
  record("epochs.csv", rows);
  EXPECT_TRUE(figures("training_curves").empty());
  EXPECT_NE(err.str().find("no epoch but those of transfer"), std::string::npos);
}

TEST_F(TrainingFigures, SuggestedRatesLieOnTheCurve) {
  record("lr_range.csv",
         "lr,loss,smoothed_loss\n0.001,2,2\n0.01,1.5,1\n0.1,0.5,0.8\n1,2.6,2.1\n10,90,40\n");
  record("lr_suggestions.csv", "rule,lr\nvalley,0.0031622776601683794\n");
  const Lines drawn = lines("learning_rate");
  ASSERT_EQ(drawn.marks.size(), 1u);
  EXPECT_NEAR(drawn.marks[0].y, 1.5, 1e-9) << "half-way between two rates on a logarithmic axis";
  EXPECT_EQ(drawn.marks[0].label, "valley: 0.0032");
  // 1.25 times the highest loss before the lowest is 2.5, and the curve leaves the figure there.
  EXPECT_EQ(drawn.series[0].points.back().y, 2.5);
  EXPECT_GT(drawn.series[0].points.back().x, 1);
  EXPECT_LT(drawn.series[0].points.back().x, 10);
  EXPECT_EQ(drawn.series[0].dots.size(), 3u);
  EXPECT_NE(err.str().find("2 batches with a loss above the figure left out"), std::string::npos);
}

const char* const transfer_header =
    "name,model,dataset,split,seed,network,source,tuned,cut,stage,images,top1,base_top1\n";

TEST_F(TrainingFigures, TransferShowsEachKindOverItsTrials) {
  record("transfer.csv",
         transfer_header + std::string("net,lenet5,d,1,1,A1B,A,0,1,conv1,9,50,60\n"
                                       "net,lenet5,d,1,1,A1B+,A,1,1,conv1,9,61,60\n"
                                       "net,lenet5,d,1,1,A2B,A,0,2,conv2,9,40,60\n"
                                       "net,lenet5,d,2,1,A1B,A,0,1,conv1,9,54,64\n"
                                       "net,lenet5,d,1,1,R1B,random,0,1,conv1,9,30,60\n"));
  const Lines drawn = lines("transfer");
  ASSERT_EQ(drawn.series.size(), 3u);
  EXPECT_EQ(drawn.series[0].label, "AnB");
  EXPECT_EQ(drawn.series[0].points[0].y, 52);
  EXPECT_EQ(drawn.series[0].spread[0].high, 54);
  EXPECT_EQ(drawn.series[0].points[1].x, 2);
  EXPECT_EQ(drawn.series[1].label, "AnB+");
  EXPECT_EQ(drawn.series[1].group, drawn.series[0].group) << "one colour, other dashes";
  EXPECT_EQ(drawn.series[2].label, "random");
  EXPECT_EQ(drawn.reference->label, "baseB: 62.0 %");
  EXPECT_EQ(drawn.reference->spread->low, 60);
  EXPECT_EQ(drawn.x.names.at(2), "conv2");
}

TEST_F(TrainingFigures, EveryExperimentOfTransferHasItsFigure) {
  record("transfer.csv",
         transfer_header + std::string("net,lenet5,d,1,1,A1B,A,0,1,conv1,9,50,60\n"
                                       "net v1.1,lenet5,d,1,1,A1B,A,0,1,conv1,9,50,60\n"));
  const auto drawn = figures("transfer");
  ASSERT_EQ(drawn.size(), 2u);
  EXPECT_EQ(drawn[0].name, "transfer_net");
  EXPECT_EQ(drawn[1].name, "transfer_net_v1_1") << "a name that a figure may have";
}

TEST_F(TrainingFigures, ConfusionIsOfTheFirstRunAndInShares) {
  record(
      "confusion.csv",
      "run,class,predicted,images\na-1,cat,cat,3\na-1,cat,dog,1\na-1,dog,dog,5\nb-1,cat,cow,9\n");
  const auto drawn = figures("confusion");
  ASSERT_EQ(drawn.size(), 1u);
  EXPECT_NE(drawn[0].title.find("a-1"), std::string::npos);
  const auto& map = std::get<HeatMap>(drawn[0].content);
  EXPECT_EQ(map.labels, (std::vector<std::string>{"cat", "dog"}));
  EXPECT_EQ(map.shares, (std::vector<std::vector<double>>{{0.75, 0.25}, {0, 1}}));
}

TEST_F(TrainingFigures, ConfusionOfManyClassesIsNotDrawn) {
  std::string rows = "run,class,predicted,images\n";
  for (int i = 0; i < 31; ++i) rows += "a-1,c" + std::to_string(i) + ",c0,1\n";
  record("confusion.csv", rows);
  EXPECT_TRUE(figures("confusion").empty());
  EXPECT_NE(err.str().find("31 classes"), std::string::npos);
}

TEST_F(TrainingFigures, OfManyRunsProtocolsShowWhatAPageHolds) {
  std::string rows = "run,model,dataset,protocol,seed,top1,top1_low,top1_high\n";
  for (int i = 0; i < 201; ++i) {
    rows += "n" + std::to_string(i) + "-p-1,net,d,p,1,50,40,60\n";
  }
  record("runs.csv", rows);
  const auto drawn = figures("protocols");
  ASSERT_EQ(drawn.size(), 1u);
  canvas::draw(drawn[0]);
  EXPECT_EQ(std::get<Dots>(drawn[0].content).rows.size(), 200u);
  EXPECT_NE(err.str().find("the first 200 of 201 rows"), std::string::npos) << err.str();
}

TEST_F(TrainingFigures, RecordsWithoutRowsAreNoFigure) {
  record("epochs.csv", epoch_header);
  record("transfer.csv", transfer_header);
  record("lr_range.csv", "lr,loss,smoothed_loss\n");
  record("lr_suggestions.csv", "rule,lr\n");
  record("confusion.csv", "run,class,predicted,images\n");
  record("runs.csv", "run,model,dataset,protocol,seed,top1,top1_low,top1_high\n");
  for (const RecordFigure& figure : training_figures())
    EXPECT_TRUE(figures(figure.name).empty()) << figure.name;
}

}  // namespace
}  // namespace convscope
