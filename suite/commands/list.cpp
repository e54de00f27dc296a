// convscope list: the networks of the catalogue, and the table of operators.
#include "architectures/catalogue.h"
#include "suite/analysis/ops.h"
#include "suite/analysis/stages.h"
#include "suite/commands/command.h"
#include "suite/commands/network_options.h"
#include "suite/commands/output.h"

namespace convscope {
namespace {

Table networks(const std::vector<Architecture>& picked) {
  using R = Architecture;
  return make_table<R>(
      {{"model", "Network", Human::plain, [](const R& r) { return Cell(r.name); }},
       {"year", "Year", Human::plain, [](const R& r) { return Cell(int64_t{r.year}); }},
       {"paper", "Paper", Human::plain, [](const R& r) { return Cell(r.paper); }},
       {"variant", "Variant", Human::plain, [](const R& r) { return Cell(r.variant); }},
       {"input", "Input", Human::plain,
        [](const R& r) { return Cell(to_string(r.settings.image)); }},
       {"classes", "Classes", Human::plain, [](const R& r) { return Cell(r.settings.classes); }},
       {"width", "Width", Human::plain,
        [](const R& r) { return r.settings.width > 0 ? Cell(r.settings.width) : Cell(); }}},
      picked);
}

struct StageRow {
  std::string model;
  int64_t index;
  NetworkStage stage;
};

Table stage_table(const std::vector<Architecture>& picked) {
  using R = StageRow;
  std::vector<R> rows;
  for (const Architecture& network : picked) {
    for (NetworkStage& stage : stages_of(network, network.settings)) {
      const auto index =
          rows.empty() || rows.back().model != network.name ? 0 : rows.back().index + 1;
      rows.push_back({network.name, index, std::move(stage)});
    }
  }
  return make_table<R>(
      {{"model", "Network", Human::plain, [](const R& r) { return Cell(r.model); }},
       {"index", "", Human::plain, [](const R& r) { return Cell(r.index); }},
       {"stage", "Stage", Human::plain, [](const R& r) { return Cell(r.stage.name); }},
       {"output", "Output", Human::plain,
        [](const R& r) { return Cell(to_string(r.stage.output)); }},
       {"params", "Params", Human::count, [](const R& r) { return Cell(r.stage.params); }},
       {"macs", "MACs", Human::count, [](const R& r) { return Cell(r.stage.macs); }}},
      rows);
}

Table operator_table() {
  using R = Op;
  return make_table<R>(
      {{"op", "Operator", Human::plain, [](const R& r) { return Cell(std::string(r.name)); }},
       {"kind", "Kind", Human::plain, [](const R& r) { return Cell(to_string(r.kind)); }},
       {"macs", "MACs", Human::plain,
        [](const R& r) { return Cell(std::string(r.macs ? "yes" : "0")); }},
       {"flops", "FLOPs", Human::plain, [](const R& r) { return Cell(r.flops.text); }}},
      operators());
}

int run(const Invocation& invocation) {
  Output output(invocation);
  if (invocation.flag("operators")) {
    output.print(operator_table());
    return done;
  }
  auto patterns = invocation.list("model");
  if (patterns.empty()) patterns = {"*"};
  const auto picked = match_architectures(patterns);
  output.print(invocation.flag("stages") ? stage_table(picked) : networks(picked));
  return done;
}

}  // namespace

Command list_command() {
  Command command{
      "list", "the networks it knows", "convscope list 'resnet*' --format csv", {}, {"model"}, run};
  command.options.add_options()  //
      ("model,m", list_value(), "networks, by name or wildcard (default: all)")(
          "stages", po::bool_switch(), "where each network can be cut, and what each part costs")(
          "operators", po::bool_switch(), "the operators it knows, and what each counts");
  add_output_options(command.options);
  return command;
}

}  // namespace convscope
