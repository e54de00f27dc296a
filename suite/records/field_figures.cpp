// How far the units of networks look.
#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <map>
#include <ostream>
#include <string>
#include <vector>

#include "suite/records/figures.h"

namespace convscope {
namespace {

/// erf.csv of one network at one size, shown noise or photographs.
struct FieldCurves {
  std::string model, input, shown;
  std::map<std::string, std::vector<size_t>> rows;  ///< by weights
};

std::vector<FieldCurves> curves_of(const CsvFile& csv) {
  const auto models = texts(csv, "model"), inputs = texts(csv, "input"),
             weights = texts(csv, "weights"), shown = texts(csv, "shown");
  std::vector<FieldCurves> all;
  for (size_t row = 0; row < models.size(); ++row) {
    auto found = std::find_if(all.begin(), all.end(), [&](const FieldCurves& curves) {
      return curves.model == models[row] && curves.input == inputs[row] &&
             curves.shown == shown[row];
    });
    if (found == all.end())
      found = all.insert(all.end(), {models[row], inputs[row], shown[row], {}});
    found->rows[weights[row]].push_back(row);
  }
  return all;
}

/// The larger side of "427" or "3x1"; 0 for what is neither.
double longer_side(const std::string& text) {
  double longest = 0;
  for (size_t at = 0; at < text.size();) {
    const size_t end = std::min(text.find('x', at), text.size());
    longest = std::max(longest, std::atof(text.substr(at, end - at).c_str()));
    at = end + 1;
  }
  return longest;
}

std::vector<Figure> effective_fields(const Records& records) {
  const CsvFile csv = records.read_models("erf.csv");
  const auto fields = texts(csv, "rf");
  const auto depths = numbers(csv, "depth"), sides = numbers(csv, "erf_side"),
             lows = numbers(csv, "erf_side_low"), highs = numbers(csv, "erf_side_high");
  std::vector<Figure> figures;
  for (const FieldCurves& curves : curves_of(csv)) {
    Lines lines;
    lines.x = {"Depth (convolutions on the longest path)", Scale::log};
    lines.y = {"Pixels", Scale::log};
    std::map<double, double> bound;  // by depth, of all weights
    for (const auto& [weights, rows] : curves.rows) {
      // Where several layers are equally deep, the one that may look furthest.
      std::map<double, size_t> furthest;
      for (const size_t row : rows) {
        if (!(sides[row] > 0) || !(depths[row] > 0)) continue;
        const auto [there, is_new] = furthest.emplace(depths[row], row);
        if (!is_new && longer_side(fields[row]) > longer_side(fields[there->second])) {
          there->second = row;
        }
      }
      if (furthest.size() < 2) continue;
      const size_t trained = curves.rows.size() - curves.rows.count("untrained");
      const std::string name = weights == "untrained" || trained > 1 ? weights : "trained";
      Lines::Series series{name, name, {}};
      bool intervals = true;
      for (const auto& [depth, row] : furthest) {
        series.points.push_back({depth, sides[row]});
        series.spread.push_back({lows[row], highs[row]});
        intervals = intervals && std::isfinite(lows[row]) && std::isfinite(highs[row]);
        bound[depth] = std::max(bound[depth], longer_side(fields[row]));
      }
      if (!intervals) series.spread.clear();
      lines.series.push_back(std::move(series));
    }
    if (lines.series.empty()) continue;
    Lines::Series limit{"receptive field", "receptive field", {}};
    for (const auto& [depth, side] : bound) limit.points.push_back({depth, side});
    lines.series.insert(lines.series.begin(), std::move(limit));
    lines.reference = {longer_side(curves.input.substr(curves.input.find('x') + 1)), "image"};
    figures.push_back(
        {file_name("effective_fields_" + curves.model + "_" + curves.input +
                   (curves.shown == "photographs" ? "_photographs" : "")),
         "How far the units of " + curves.model + " look", lines,
         "The side of the receptive field, and of the square in its middle that holds 95 % of the "
         "gradient of a unit: the median over the images (" +
             curves.shown +
             ") and its 95 % interval. On these axes a "
             "side that grows with the square root of the depth is a line of slope 1/2."});
  }
  if (figures.empty()) {
    records.err << "effective_fields: erf.csv has no network with two layers of different depth\n";
  }
  return figures;
}

}  // namespace

std::vector<RecordFigure> field_figures() {
  return {{"effective_fields", {"erf.csv"}, effective_fields}};
}

}  // namespace convscope
