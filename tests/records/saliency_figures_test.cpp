// How faithful maps are, from records of a few rows.
#include <gtest/gtest.h>

#include "tests/records/made_figures.h"

namespace convscope {
namespace {

struct SaliencyFigures : MadeFigures {
  static std::string area(const std::string& method, const std::string& area,
                          const std::string& weights = "w.pth", const std::string& image = "a") {
    return "net," + weights + ",3x8x8," + image + ",1,cat,0.9," + method + "," + area + ",\n";
  }
  static std::string point(const std::string& method, const std::string& share,
                           const std::string& probability, const std::string& image = "a.jpg") {
    return "net,w.pth,3x8x8," + image + ",1," + method + "," + share + "," + probability + "\n";
  }
  const std::string areas =
      "model,weights,input,image,class,class_name,probability,method,deletion,gap\n";
  const std::string points = "model,weights,input,image,class,method,deleted,probability\n";
};

TEST_F(SaliencyFigures, MethodsStandInTheOrderOfTheirAreasBesideRandomOrder) {
  record("saliency.csv", areas + area("gradient", "0.5") + area("gradient", "0.7", "w.pth", "b") +
                             area("grad-cam", "0.1") + area("grad-cam", "0.3", "w.pth", "b") +
                             area("random", "0.4") + area("random", "0.4", "w.pth", "b"));
  const Dots dots = only<Dots>("deletion");
  ASSERT_EQ(dots.rows.size(), 3u);
  EXPECT_EQ(dots.rows[0].label, "grad-cam");
  EXPECT_DOUBLE_EQ(dots.rows[0].dots[0].x, 0.2);
  EXPECT_EQ(dots.rows[0].dots[0].raw.size(), 2u);
  EXPECT_FALSE(dots.rows[0].dots[0].spread.has_value()) << "two images have no interval";
  EXPECT_EQ(dots.rows[2].label, "gradient");
  EXPECT_EQ(dots.reference->x, 0.4);
}

TEST_F(SaliencyFigures, TrainedAndUntrainedAreFiguresOfTheirOwn) {
  record("saliency.csv", areas + area("gradient", "0.5") + area("gradient", "0.7", "untrained"));
  const auto both = figures("deletion");
  ASSERT_EQ(both.size(), 2u);
  EXPECT_EQ(both[0].name, "deletion_net");
  EXPECT_EQ(both[1].name, "deletion_net_untrained");
}

TEST_F(SaliencyFigures, CurvesAreMediansAndEndWhereATenthIsLeft) {
  std::string rows;
  for (const char* image : {"a", "b", "c"}) {
    const std::string first = image == std::string("c") ? "0.2" : "0.8";
    rows += point("gradient", "0", first, image) + point("gradient", "0.5", "0.05", image) +
            point("gradient", "1", "0.04", image);
  }
  record("deletion.csv", points + rows);
  const Lines lines = only<Lines>("deletion_curves");
  ASSERT_EQ(lines.series.size(), 1u);
  ASSERT_EQ(lines.series[0].points.size(), 2u);
  EXPECT_EQ(lines.series[0].points[0].y, 0.8);
  EXPECT_EQ(lines.y.label, "Probability of the class, median of 3 images");
}

TEST_F(SaliencyFigures, TheClassesOfAnImageAreOneSample) {
  record("saliency.csv", areas + area("gradient", "0.25") + area("gradient", "0.75") +
                             area("gradient", "0.125", "w.pth", "b"));
  const Dots dots = only<Dots>("deletion");
  EXPECT_EQ(dots.rows[0].dots[0].raw, (std::vector<double>{0.5, 0.125}));
}

TEST_F(SaliencyFigures, EmptyRecordsSaySo) {
  record("saliency.csv", areas);
  record("deletion.csv", points + point("gradient", "nan", "0.5"));
  EXPECT_TRUE(figures("deletion").empty());
  EXPECT_TRUE(figures("deletion_curves").empty());
}

}  // namespace
}  // namespace convscope
