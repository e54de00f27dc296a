#include "suite/commands/saliency_rows.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <map>
#include <numeric>

#include "suite/commands/network_options.h"
#include "suite/commands/output.h"
#include "suite/commands/picture_output.h"

namespace convscope {
namespace {

/// Of one method the mean of each image's classes.
struct MethodSummary {
  const SaliencyMethod* method;
  std::vector<double> areas, gaps;
  int64_t beats_random = 0;
};

const std::vector<Column<SaliencyRow>>& saliency_columns() {
  using R = SaliencyRow;
  const auto if_there = [](auto value) {
    return [value](const R& r) { return r.method ? Cell(value(r)) : Cell(); };
  };
  static const std::vector<Column<SaliencyRow>> all = {
      {"image", "Image", Human::plain, [](const R& r) { return Cell(r.image); }},
      {"class", "Class", Human::plain, if_there([](const R& r) { return r.class_index; })},
      {"class_name", "Name", Human::plain, if_there([](const R& r) { return r.class_name; })},
      {"probability", "Probability", Human::plain,
       if_there([](const R& r) { return r.probability; })},
      {"method", "Method", Human::plain, if_there([](const R& r) { return r.method->name; })},
      {"deletion", "Deletion", Human::plain,
       if_there([](const R& r) { return area_under(r.deletion); })},
      {"gap", "Gap", Human::plain,
       [](const R& r) { return r.method && !std::isnan(r.gap) ? Cell(r.gap) : Cell(); }},
      {"status", "Status", Human::plain,
       [](const R& r) { return Cell(std::string(r.method ? "ok" : "failed")); }},
      {"reason", "Reason", Human::plain,
       [](const R& r) { return r.method ? Cell() : Cell(r.reason); }}};
  return all;
}

std::vector<MethodSummary> summaries_of(const std::vector<SaliencyRow>& rows,
                                        const std::vector<const SaliencyMethod*>& methods) {
  std::vector<MethodSummary> summaries;
  for (const SaliencyMethod* method : methods) {
    MethodSummary summary{method, {}, {}};
    std::map<std::string, std::vector<double>> by_image;
    for (const SaliencyRow& row : rows) {
      if (row.method != method) continue;
      by_image[row.image].push_back(area_under(row.deletion));
      if (!std::isnan(row.gap)) summary.gaps.push_back(row.gap);
    }
    for (const auto& [image, areas] : by_image) {
      summary.areas.push_back(std::accumulate(areas.begin(), areas.end(), 0.0) /
                              static_cast<double>(areas.size()));
    }
    summaries.push_back(std::move(summary));
  }
  const auto random = std::find_if(summaries.begin(), summaries.end(), [](const MethodSummary& s) {
    return s.method->name == "random";
  });
  for (MethodSummary& summary : summaries) {
    for (size_t i = 0; random != summaries.end() && i < summary.areas.size(); ++i) {
      summary.beats_random += summary.areas[i] < random->areas[i];
    }
  }
  return summaries;
}

}  // namespace

SaliencyRecords::SaliencyRecords(const Invocation& invocation, const Subject& subject,
                                 const std::vector<std::filesystem::path>& images)
    : network_{subject.name(), subject.weights, to_string(subject.network.settings.image)} {
  std::vector<std::vector<std::string>> replaced;
  for (const auto& image : images) {
    replaced.push_back(network_);
    replaced.back().push_back(image.string());
  }
  const auto open = [&](const std::string& file, std::vector<std::string> columns) {
    columns.insert(columns.begin(), {"model", "weights", "input"});
    return open_record_without(results_folder(invocation), file, columns, invocation.err, replaced);
  };
  maps_ = open("saliency.csv", column_names(saliency_columns()));
  curves_ = open("deletion.csv", {"image", "class", "method", "deleted", "probability"});
}

void SaliencyRecords::add(const SaliencyRow& row) {
  write(*maps_, cells(saliency_columns(), row));
  for (size_t i = 0; i < row.deletion.size(); ++i) {
    write(*curves_,
          {row.image, row.class_index, row.method->name,
           static_cast<double>(i) / static_cast<double>(row.deletion.size() - 1), row.deletion[i]});
  }
}

void SaliencyRecords::write(CsvWriter& writer, std::vector<Cell> row) const {
  row.insert(row.begin(), network_.begin(), network_.end());
  writer.write(row);
}

Table saliency_summary(const std::vector<SaliencyRow>& rows,
                       const std::vector<const SaliencyMethod*>& methods) {
  const std::vector<MethodSummary> summaries = summaries_of(rows, methods);
  using R = MethodSummary;
  const bool any_random = std::any_of(summaries.begin(), summaries.end(),
                                      [](const R& r) { return r.method->name == "random"; });
  const Human if_many = summaries[0].areas.size() > 1 ? Human::plain : Human::none;
  return make_table<R>(
      {{"method", "Method", Human::plain, [](const R& r) { return Cell(r.method->name); }},
       {"deletion", "Deletion", Human::plain, [](const R& r) { return median_of(r.areas); }},
       {"deletion_low", "from", if_many,
        [](const R& r) { return median_end(r.areas, &Interval::low); }},
       {"deletion_high", "to", if_many,
        [](const R& r) { return median_end(r.areas, &Interval::high); }},
       {"beats_random", "Beats random", Human::plain,
        [=](const R& r) {
          if (!any_random || r.method->name == "random") return Cell();
          return Cell(fmt::format("{} of {}", r.beats_random, r.areas.size()));
        }},
       {"gap", "Gap", Human::plain,
        [](const R& r) {
          return r.gaps.empty() ? Cell() : Cell(*std::max_element(r.gaps.begin(), r.gaps.end()));
        }},
       {"images", "Images", Human::plain,
        [](const R& r) { return Cell(static_cast<int64_t>(r.areas.size())); }}},
      summaries);
}

}  // namespace convscope
