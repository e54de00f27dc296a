// convscope list: the networks of the catalogue, and the table of operators.
#include "architectures/catalogue.h"
#include "suite/analysis/ops.h"
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
  output.print(networks(match_architectures(patterns)));
  return done;
}

}  // namespace

Command list_command() {
  Command command{
      "list", "the networks it knows", "convscope list 'resnet*' --format csv", {}, {"model"}, run};
  command.options.add_options()  //
      ("model,m", list_value(), "networks, by name or wildcard (default: all)")(
          "operators", po::bool_switch(), "the operators it knows, and what each counts");
  add_output_options(command.options);
  return command;
}

}  // namespace convscope
