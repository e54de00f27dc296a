// convscope env: the software and the machine, as every manifest records them.
#include "suite/commands/command.h"
#include "suite/commands/output.h"
#include "suite/timing/environment.h"

namespace convscope {
namespace {

int run(const Invocation& invocation) {
  Environment rows = environment();
  rows.insert(rows.begin(), {"env", environment_id(rows)});
  using R = Environment::value_type;
  Output output(invocation);
  output.print(make_table<R>(
      {{"name", "Name", Human::plain, [](const R& r) { return Cell(r.first); }},
       {"value", "Value", Human::plain, [](const R& r) { return Cell(r.second); }, Align::left}},
      rows));
  return done;
}

}  // namespace

Command env_command() {
  Command command{"env",
                  "the machine and the software, as results record them",
                  "convscope env --format json",
                  {},
                  {},
                  run};
  add_output_options(command.options);
  return command;
}

}  // namespace convscope
