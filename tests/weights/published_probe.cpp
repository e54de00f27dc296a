// Prints the table of published weights as JSON, for published_test.py.
#include <iostream>
#include <nlohmann/json.hpp>

#include "suite/weights/published.h"

int main() {
  nlohmann::json rows = nlohmann::json::array();
  for (const convscope::PublishedWeights& row : convscope::published_weights()) {
    const convscope::Preprocessing& images = row.preprocessing;
    rows.push_back({{"name", row.name},
                    {"architecture", row.architecture},
                    {"source", row.source},
                    {"file", row.file},
                    {"url", row.url},
                    {"sha256_prefix", row.sha256_prefix},
                    {"top1", row.top1},
                    {"top5", row.top5},
                    {"resize", images.resize},
                    {"crop", images.crop},
                    {"bilinear", images.interpolation == convscope::Interpolation::bilinear},
                    {"mean", images.mean},
                    {"deviation", images.deviation},
                    {"range", images.range},
                    {"bgr", images.bgr}});
  }
  std::cout << rows.dump(1) << "\n";
}
