// convscope plot: figures from the records of a results folder.
#include <filesystem>
#include <ostream>

#include "suite/commands/command.h"
#include "suite/commands/figure_options.h"
#include "suite/commands/output.h"

namespace convscope {
namespace {

int run(const Invocation& invocation) {
  const std::string& folder = invocation.text("results");
  if (folder.empty()) throw UsageError("plot: say which folder to read, as in 'plot results/mine'");
  const std::string started = utc_now();
  if (nothing_to_read_yet(invocation, {folder})) return done;
  const Records records = records_of(invocation, folder);
  auto wanted = wanted_figures(invocation, records);
  if (wanted.empty()) wanted = record_figures();  // so that the error says what is missing
  const auto formats = image_formats(invocation);
  if (invocation.flag("dry-run")) {
    for (const RecordFigure& figure : wanted) invocation.out << "plot " << figure.name << "\n";
    return done;
  }
  try {
    for (const auto& paths :
         render_all(made(wanted, records, invocation.values.count("figure") > 0),
                    records.folder / "figures", formats)) {
      for (const auto& path : paths) invocation.err << "wrote " << path.string() << "\n";
    }
  } catch (const std::runtime_error& error) {
    throw UsageError(error.what());
  }
  record_run(folder, invocation, started);
  return done;
}

}  // namespace

Command plot_command() {
  Command command{"plot",
                  "figures from the records of a results folder",
                  "convscope plot results/lineage --figure cost_bubbles",
                  {},
                  {"results"},
                  run};
  command.options.add_options()("results", text_value(),
                                "DIR: its records are read, figures go to DIR/figures");
  add_figure_options(command.options);
  command.options.add_options()("dry-run", po::bool_switch(), "list what would be drawn");
  return command;
}

}  // namespace convscope
