// The map of a dataset's features, from records of a few rows.
#include "suite/report/chart.h"
#include "tests/records/made_figures.h"

namespace convscope {
namespace {

struct NeighbourFigures : MadeFigures {
  void components(const std::string& weights = "w.pth") {
    std::string rows = "model,weights,input,layer,data,component,variance_percent\n";
    for (const auto& [component, percent] : {std::pair(1, "34.123"), {2, "7.5"}, {3, "1"}})
      rows += "lenet5," + weights + ",3x8x8,the input of fc3,data/photos/," +
              std::to_string(component) + "," + percent + "\n";
    record("features_components.csv", rows);
  }
  const std::string header = "model,weights,input,index,image,class,pc1,pc2\n";

  void images(size_t count, const std::vector<std::string>& classes,
              const std::string& weights = "w.pth") {
    std::string rows = header;
    for (size_t i = 0; i < count; ++i)
      rows += "lenet5," + weights + ",3x8x8," + std::to_string(i) + ",image " + std::to_string(i) +
              "," + quoted(classes[i % classes.size()]) + "," + std::to_string(i) + ",1\n";
    record("features_map.csv", rows);
  }
};

TEST_F(NeighbourFigures, TheAxesSayHowMuchOfTheVarianceTheyShow) {
  components();
  images(6, {"bee", "ant"});
  const Figure figure = figures("features_map").at(0);
  EXPECT_EQ(figure.title, "photos in the features of lenet5");
  EXPECT_NE(figure.caption.find("at the input of fc3"), std::string::npos) << figure.caption;
  const Scatter scatter = only<Scatter>("features_map");
  EXPECT_EQ(scatter.x.label, "First component (34 % of the variance)");
  EXPECT_EQ(scatter.y.label, "Second component (7.5 % of the variance)");
  EXPECT_EQ(scatter.groups, (std::vector<std::string>{"ant", "bee"}));
  ASSERT_EQ(scatter.points.size(), 6u);
  EXPECT_EQ(scatter.points[3].label, "image 3");
  EXPECT_EQ(scatter.points[3].group, "ant");
  EXPECT_EQ(scatter.points[3].x, 3);
  EXPECT_EQ(scatter.points[3].y, 1);
}

TEST_F(NeighbourFigures, UntrainedFeaturesAreCalledSo) {
  components("untrained");
  images(3, {"bee"}, "untrained");
  EXPECT_EQ(figures("features_map").at(0).title, "photos in the features of lenet5, untrained");
}

TEST_F(NeighbourFigures, OfVeryManyImagesEachClassKeepsItsShare) {
  components();
  images(9000, {"bee", "bee", "ant"});
  const Scatter scatter = only<Scatter>("features_map");
  EXPECT_EQ(scatter.points.size(), 3000u) << "every third";
  const auto bees = std::count_if(scatter.points.begin(), scatter.points.end(),
                                  [](const auto& point) { return point.group == "bee"; });
  EXPECT_EQ(bees, 2000);
  EXPECT_NE(figures("features_map").at(0).caption.find("one of 3 images"), std::string::npos);
}

TEST_F(NeighbourFigures, ImagesWithoutClassesAreDrawnWithoutNames) {
  components();
  images(5, {""});
  EXPECT_EQ(only<Scatter>("features_map").points.size(), 5u);
}

TEST_F(NeighbourFigures, EmptyAndHostileRecordsAreSaid) {
  components();
  record("features_map.csv", header);
  expect_none("features_map", "no images");
  record("features_map.csv", header + "lenet5,w.pth,3x8x8,0,a,b,x,1\n");
  expect_error("features_map", {"features_map.csv", "pc1", "'x'"});
  images(24, hostile_names());
  expect_sound("features_map");
}

}  // namespace
}  // namespace convscope
