#include "suite/commands/bench_ranking.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <map>
#include <ostream>
#include <sstream>

#include "architectures/catalogue.h"
#include "suite/analysis/cost.h"
#include "suite/analysis/network_trace.h"
#include "suite/commands/network_options.h"
#include "suite/commands/output.h"
#include "suite/report/csv_file.h"
#include "suite/report/table.h"
#include "suite/timing/ranking.h"

namespace convscope {
namespace {

namespace fs = std::filesystem;

/// What rows must have in common to be ranked with each other.
const std::vector<std::string> same = {"env",    "device", "threads", "batch",   "precision",
                                       "layout", "engine", "mode",    "scenario"};

/// Rows that were measured in the same way.
struct Group {
  std::vector<std::string> how;  ///< values of `same`
  std::vector<RankedNetwork> networks;
  Ranking ranking{};

  std::string name() const {
    std::string text;  // without the environment, which nobody reads
    for (size_t i = 1; i < how.size(); ++i) text += (i > 1 ? ", " : "") + spelled(i);
    return text;
  }

 private:
  std::string spelled(size_t i) const {
    const bool number = same[i] == "threads" || same[i] == "batch";
    return number ? same[i] + " " + how[i] : how[i];
  }
};

struct PairRow {
  const Group* group;
  MisrankedPair pair;

  const RankedNetwork& faster() const { return group->networks[pair.faster]; }
  const RankedNetwork& slower() const { return group->networks[pair.slower]; }
};

/// The cost of "mobilenet_v2:width=0.5:classes=10" at "3x224x224".
Cost cost_of(const std::string& model, const std::string& input) {
  std::istringstream parts(model);
  std::string part;
  std::getline(parts, part, ':');
  const Architecture& architecture = find_architecture(part);
  Settings settings = architecture.settings;
  settings.image = parse_shape(input);
  while (std::getline(parts, part, ':')) {
    if (part.rfind("width=", 0) == 0) {
      settings.width = std::stod(part.substr(6));
    } else if (part.rfind("classes=", 0) == 0) {
      settings.classes = std::stoll(part.substr(8));
    } else if (part == "auxiliary") {
      settings.auxiliary = true;
    } else {
      throw UsageError("'" + model + "' is no network: '" + part +
                       "' is neither width nor classes nor auxiliary");
    }
  }
  return cost(trace_network(architecture, settings));
}

/// The networks of the rows, with what is not as in their papers: that is in the case's name alone.
std::vector<std::string> models_of(const CsvFile& file) {
  std::vector<std::string> models = texts(file, "model");
  if (!std::count(file.columns.begin(), file.columns.end(), "case")) return models;
  const auto cases = texts(file, "case");
  for (size_t row = 0; row < models.size(); ++row) {
    const std::string name = cases[row].substr(0, cases[row].find('/'));
    if (name.rfind(models[row] + ":", 0) == 0) models[row] = name;
  }
  return models;
}

/// The rows that have a time, by how they were measured, in the file's order.
std::vector<Group> read_groups(const fs::path& path, std::ostream& err) {
  const CsvFile file = read_csv(path);
  if (file.dropped_bytes > 0) err << path.string() << ": left out a torn last row\n";
  std::vector<std::vector<std::string>> how;
  for (const std::string& column : same) how.push_back(texts(file, column));
  const auto models = models_of(file), inputs = texts(file, "input"),
             status = texts(file, "status");
  const auto medians = numbers(file, "median_ms"), low = numbers(file, "ci_low_ms"),
             high = numbers(file, "ci_high_ms");
  std::vector<Group> groups;
  std::map<std::vector<std::string>, size_t> group_of;
  for (size_t row = 0; row < file.rows.size(); ++row) {
    if (std::isnan(medians[row])) {
      err << fmt::format("{}: line {}: {} has no time ({}), so it is not ranked\n", path.string(),
                         file.rows[row].line, models[row], status[row]);
      continue;
    }
    std::vector<std::string> key;
    for (const auto& column : how) key.push_back(column[row]);
    const auto [place, is_new] = group_of.emplace(key, groups.size());
    if (is_new) groups.push_back({key, {}});
    const Cost counted = cost_of(models[row], inputs[row]);
    RankedNetwork network{models[row] + " " + inputs[row],
                          counted.macs,
                          counted.params,
                          counted.activations,
                          medians[row],
                          std::nullopt};
    if (!std::isnan(low[row]) && !std::isnan(high[row])) network.interval = {low[row], high[row]};
    groups[place->second].networks.push_back(std::move(network));
  }
  return groups;
}

/// How people read a record of one input: without it.
void drop_common_input(std::vector<Group>& groups) {
  const auto input = [](const RankedNetwork& network) {
    return network.model.substr(network.model.find(' '));
  };
  for (const Group& group : groups) {
    for (const RankedNetwork& network : group.networks) {
      if (input(network) != input(groups[0].networks[0])) return;
    }
  }
  for (Group& group : groups) {
    for (RankedNetwork& network : group.networks) {
      network.model.resize(network.model.find(' '));
    }
  }
}

std::string percent(int64_t part, int64_t whole) {
  return whole == 0 ? "none"
                    : fmt::format("{:.1f} %",
                                  100.0 * static_cast<double>(part) / static_cast<double>(whole));
}

std::string summary(const Group& group) {
  const Ranking& r = group.ranking;
  const auto wrong = static_cast<int64_t>(r.misranked.size());
  return fmt::format(
      "{} ({} networks): Spearman's rank correlation of latency with MACs {:.3f}, params {:.3f}, "
      "activations {:.3f}\n"
      "  MACs order {} of {} pairs wrongly, with intervals that do not overlap ({}); "
      "{} of {} pairs whose MACs differ by less than 2x ({})\n",
      group.name(), group.networks.size(), r.by_macs, r.by_params, r.by_activations, wrong, r.pairs,
      percent(wrong, r.pairs), r.close_misranked, r.close_pairs,
      percent(r.close_misranked, r.close_pairs));
}

std::vector<Column<PairRow>> pair_columns(bool several) {
  using R = PairRow;
  std::vector<Column<R>> columns = {
      {"slower", "Fewer MACs, slower", Human::plain,
       [](const R& r) { return Cell(r.slower().model); }},
      {"faster", "More MACs, faster", Human::plain,
       [](const R& r) { return Cell(r.faster().model); }},
      {"slower_ms", "ms", Human::plain, [](const R& r) { return Cell(r.slower().ms); }},
      {"faster_ms", "ms", Human::plain, [](const R& r) { return Cell(r.faster().ms); }},
      {"slower_macs", "MACs", Human::count, [](const R& r) { return Cell(r.slower().macs); }},
      {"faster_macs", "MACs", Human::count, [](const R& r) { return Cell(r.faster().macs); }},
      {"times_slower", "Times slower", Human::plain,
       [](const R& r) { return Cell(r.pair.times_slower); }},
      {"times_fewer_macs", "Times fewer MACs", Human::plain,
       [](const R& r) { return Cell(r.pair.times_fewer); }},
  };
  for (size_t i = 0; i < same.size(); ++i) {
    const Human human = several && i > 0 ? Human::plain : Human::none;
    columns.push_back({same[i], same[i], human, [i](const R& r) { return Cell(r.group->how[i]); }});
  }
  return columns;
}

}  // namespace

int print_ranking(const Invocation& invocation, const fs::path& path) {
  Output output(invocation);
  const fs::path file = fs::is_directory(path) ? path / "bench.csv" : path;
  std::vector<Group> groups;
  try {
    groups = read_groups(file, invocation.err);
  } catch (const std::runtime_error& damaged) {
    throw UsageError(damaged.what());
  }
  std::vector<Group> ranked;
  for (Group& group : groups) {
    if (group.networks.size() < 2) {
      invocation.err << file.string() << ": only " << group.networks[0].model << " was measured as "
                     << group.name() << ", so it is not ranked\n";
      continue;
    }
    group.ranking = rank(group.networks);
    ranked.push_back(std::move(group));
  }
  if (ranked.empty()) {
    throw UsageError(file.string() + ": no two networks were measured in the same way");
  }
  drop_common_input(ranked);
  std::vector<PairRow> pairs;
  std::string summaries;
  for (const Group& group : ranked) {
    for (const MisrankedPair& pair : group.ranking.misranked) pairs.push_back({&group, pair});
    summaries += summary(group);
  }
  const Table table = make_table(pair_columns(ranked.size() > 1), pairs);
  if (output.format() == Format::table) {
    std::ostringstream text;
    if (!pairs.empty()) {
      write(table, Format::table, text);
      text << "\n";
    }
    output.print(text.str() + summaries);
  } else {
    output.print(table);
    invocation.err << summaries;
  }
  return done;
}

}  // namespace convscope
