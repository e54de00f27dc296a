#include "suite/commands/cost_conventions.h"

#include <algorithm>
#include <optional>

#include "suite/analysis/conventions.h"
#include "suite/analysis/explain.h"
#include "suite/analysis/fold.h"
#include "suite/analysis/network_trace.h"
#include "suite/commands/network_options.h"
#include "suite/commands/output.h"
#include "suite/report/table.h"
#include "suite/report/text.h"

namespace convscope {
namespace {

constexpr size_t named_layers = 3;

struct Counted {
  std::string model, input;
  const Convention* convention = nullptr;
  int64_t count = 0, params = 0;
  std::string status = "ok", reason = {};

  bool failed() const { return status == "failed"; }
};

struct ExplainedRow {
  std::string of, cause;
  int64_t first, second;
  std::optional<Difference> difference = {};
};

/// A network as its graph: what all conventions are counted on.
struct Traced {
  Graph graph;
  Cost cost;
};

Traced traced(const NetworkCase& a_case, bool folded) {
  if (!a_case.refusal.empty()) throw UsageError(a_case.refusal);
  Graph graph = trace_network(a_case.architecture, a_case.settings);
  if (folded) graph = fold_batch_norm(graph);
  Cost total = cost(graph);
  return {std::move(graph), std::move(total)};
}

/// Auxiliary heads have no part in what is counted in evaluation, and the smallest image that they
/// take may be larger.
int64_t params_with_heads(NetworkCase a_case, bool folded) {
  a_case.settings.image.height = a_case.architecture.settings.image.height;
  a_case.settings.image.width = a_case.architecture.settings.image.width;
  a_case.settings.auxiliary = true;
  return traced(a_case, folded).cost.params;
}

int64_t params_of(const Convention& convention, const NetworkCase& a_case, const Traced& network,
                  bool folded) {
  const auto& with_heads = convention.with_heads;
  const bool more = std::count(with_heads.begin(), with_heads.end(), a_case.architecture.name) > 0;
  return more ? params_with_heads(a_case, folded) : network.cost.params;
}

std::string incompleteness(const NetworkCase& a_case, const Traced& network) {
  if (network.cost.complete()) return "";
  return a_case.architecture.name +
         " is counted incompletely: no row in suite/analysis/ops.cpp for " +
         unknown_operators(network.cost);
}

std::vector<const Convention*> conventions_asked_for(const Invocation& invocation) {
  std::vector<const Convention*> asked;
  for (const std::string& name : invocation.list("convention")) {
    asked.push_back(&find_convention(name));
  }
  return asked;
}

void add_rows(const NetworkCase& a_case, const std::vector<const Convention*>& asked, bool folded,
              std::vector<Counted>& rows) {
  Counted row{a_case.architecture.name, to_string(a_case.settings.image)};
  try {
    const Traced network = traced(a_case, folded);
    for (const Convention* convention : asked) {
      row.convention = convention;
      row.count = count(*convention, network.graph, network.cost);
      row.params = params_of(*convention, a_case, network, folded);
      const std::string doubt = doubts(*convention, network.graph, network.cost);
      row.reason = incompleteness(a_case, network);
      row.status = !row.reason.empty() ? "incomplete" : doubt.empty() ? "ok" : "uncertain";
      if (row.reason.empty()) row.reason = doubt;
      rows.push_back(row);
    }
  } catch (const std::exception& error) {
    row.status = "failed";
    row.reason = first_line(error.what());
    for (const Convention* convention : asked) {
      row.convention = convention;
      rows.push_back(row);
    }
  }
}

int print_counts(const Invocation& invocation, const std::vector<NetworkCase>& cases,
                 const std::vector<const Convention*>& asked) {
  Output output(invocation);
  std::vector<Counted> rows;
  size_t failed = 0, incomplete = 0;
  bool doubtful = false;
  for (const NetworkCase& a_case : cases) {
    add_rows(a_case, asked, invocation.flag("fold-bn"), rows);
    const Counted& last = rows.back();
    failed += last.failed();
    incomplete += last.status == "incomplete";
    if (last.failed() || last.status == "incomplete") {
      invocation.err << "convscope: " << last.reason << "\n";
    }
  }
  if (failed == cases.size()) return usage;
  for (const Counted& row : rows) doubtful = doubtful || row.status != "ok";
  using R = Counted;
  const auto if_counted = [](auto value) {
    return [value](const R& r) -> Cell { return r.failed() ? Cell() : Cell(value(r)); };
  };
  const Human status = doubtful ? Human::plain : Human::none;
  const std::vector<Column<R>> columns = {
      {"model", "Network", Human::plain, [](const R& r) { return Cell(r.model); }},
      {"input", "Input", Human::plain, [](const R& r) { return Cell(r.input); }},
      {"convention", "Convention", Human::plain,
       [](const R& r) { return Cell(std::string(r.convention->name)); }},
      {"tool", "", Human::none, [](const R& r) { return Cell(std::string(r.convention->tool)); }},
      {"count", "Count", Human::plain, if_counted([](const R& r) { return r.count; })},
      {"quantity", "Called", Human::plain,
       [](const R& r) { return Cell(std::string(r.convention->quantity)); }},
      {"printed", "As printed", Human::plain,
       if_counted([](const R& r) { return r.convention->printed(r.count); }), Align::right},
      {"params", "Params", Human::plain, if_counted([](const R& r) { return r.params; })},
      {"status", "Status", status, [](const R& r) { return Cell(r.status); }},
      {"reason", "Why", status, [](const R& r) { return Cell(r.reason); }},
  };
  output.print(make_table(columns, rows));
  return failed + incomplete > 0 ? some_failed : done;
}

/// "conv1 802,816, fc 1,000 and 51 more".
std::string largest_layers(const Difference& difference) {
  std::string text;
  const size_t named = std::min(named_layers, difference.layers.size());
  for (size_t i = 0; i < named; ++i) {
    const auto& [layer, amount] = difference.layers[i];
    text += (i == 0 ? "" : "; ") + layer + " " + grouped_digits(amount);
  }
  const size_t others = difference.layers.size() - named;
  return others == 0 ? text : text + "; " + std::to_string(others) + " more";
}

/// "2 per element; none": how the first and how the second counts, where they count differently.
std::string rules(const Difference& difference) {
  const std::string first = difference.first_rule ? difference.first_rule : "none";
  const std::string second = difference.second_rule ? difference.second_rule : "none";
  return first == second ? first : first + " / " + second;
}

std::vector<ExplainedRow> explained(const Convention& first, const Convention& second,
                                    const NetworkCase& a_case, const Traced& network, bool folded) {
  const auto& [graph, total] = network;
  std::vector<ExplainedRow> rows;
  for (Difference& found : differences(first, second, graph, total)) {
    const int64_t of_first = found.first, of_second = found.second;
    rows.push_back({"operations", to_string(found.cause), of_first, of_second, std::move(found)});
  }
  rows.push_back({"operations", "all", count(first, graph, total), count(second, graph, total)});
  const int64_t first_params = params_of(first, a_case, network, folded);
  const int64_t second_params = params_of(second, a_case, network, folded);
  if (first_params != second_params) {
    rows.push_back({"parameters", "auxiliary heads", first_params, second_params});
  }
  return rows;
}

Table explanation(const Convention& first, const Convention& second,
                  const std::vector<ExplainedRow>& rows, bool for_people) {
  using R = ExplainedRow;
  const auto number = [for_people](auto value) {
    return [for_people, value](const R& r) {
      return for_people ? Cell(grouped_digits(value(r))) : Cell(value(r));
    };
  };
  const auto if_cause = [](auto value) {
    return [value](const R& r) { return r.difference ? Cell(value(*r.difference)) : Cell(); };
  };
  const bool also_params = rows.back().of == "parameters";
  return make_table<R>({{"of", "Of", also_params ? Human::plain : Human::none,
                         [](const R& r) { return Cell(r.of); }},
                        {"cause", "Cause", Human::plain, [](const R& r) { return Cell(r.cause); }},
                        {"first", first.name, Human::plain,
                         number([](const R& r) { return r.first; }), Align::right},
                        {"second", second.name, Human::plain,
                         number([](const R& r) { return r.second; }), Align::right},
                        {"difference", "Difference", Human::plain,
                         number([](const R& r) { return r.second - r.first; }), Align::right},
                        {"calls", "Calls", Human::plain,
                         if_cause([](const Difference& d) { return d.calls; }), Align::right},
                        {"counted", "Counted", Human::plain, if_cause(rules)},
                        {"largest", "Largest", Human::plain, if_cause(largest_layers)}},
                       rows);
}

int print_differences(const Invocation& invocation, const std::vector<const Convention*>& asked) {
  const std::string& network_name = invocation.text("explain");
  const std::vector<std::string> other_names = invocation.list("model");
  if (asked.size() != 2) {
    throw UsageError("--explain compares two conventions, not " + std::to_string(asked.size()) +
                     ": write --convention fvcore,ptflops");
  }
  const Convention &first = *asked[0], &second = *asked[1];
  if (!other_names.empty()) {
    throw UsageError(
        "with --convention it is --explain that names the network: write cost "
        "--explain " +
        other_names[0] + " --convention " + first.name + "," + second.name);
  }
  const std::vector<NetworkCase> cases = network_cases(invocation, network_name);
  if (cases.size() != 1) throw UsageError("--explain takes one network at one size");
  const bool folded = invocation.flag("fold-bn");
  Output output(invocation);
  const Traced network = traced(cases[0], folded);
  output.print(explanation(first, second, explained(first, second, cases[0], network, folded),
                           output.for_people()));
  for (const Convention* convention : asked) {
    const std::string doubt = doubts(*convention, network.graph, network.cost);
    if (!doubt.empty()) {
      invocation.err << "convscope: " << convention->name << " is uncertain: " << doubt << "\n";
    }
  }
  const std::string incomplete = incompleteness(cases[0], network);
  if (incomplete.empty()) return done;
  invocation.err << "convscope: " << incomplete << "\n";
  return some_failed;
}

}  // namespace

void add_convention_option(po::options_description& options) {
  std::string names;
  for (const Convention& convention : conventions()) {
    names += (names.empty() ? "" : ", ") + std::string(convention.name);
  }
  const std::string help = "what another tool counts: " + names;
  options.add_options()("convention", list_value(), help.c_str());
}

int print_conventions(const Invocation& invocation) {
  const auto asked = conventions_asked_for(invocation);
  for (const char* other : {"results", "layers", "verify-rf", "variants", "resume", "dry-run"}) {
    const auto& value = invocation.values[other].value();
    const bool given =
        value.type() == typeid(bool) ? invocation.flag(other) : !invocation.text(other).empty();
    if (!given) continue;
    throw UsageError(std::string("--convention prints what other tools count, and nothing else: "
                                 "leave out --convention or --") +
                     other);
  }
  if (!invocation.text("explain").empty()) return print_differences(invocation, asked);
  return print_counts(invocation, network_cases(invocation), asked);
}

}  // namespace convscope
