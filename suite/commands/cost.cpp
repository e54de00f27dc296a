// convscope cost: parameters, operations, memory and receptive field of networks.
#include "suite/analysis/cost.h"

#include <functional>
#include <set>

#include "suite/analysis/explain.h"
#include "suite/analysis/fold.h"
#include "suite/analysis/network_trace.h"
#include "suite/analysis/receptive_field.h"
#include "suite/analysis/variants.h"
#include "suite/commands/command.h"
#include "suite/commands/cost_conventions.h"
#include "suite/commands/network_options.h"
#include "suite/commands/output.h"
#include "suite/report/table.h"
#include "suite/report/text.h"
#include "suite/weights/published.h"

namespace convscope {
namespace {

struct CostRow {
  std::string model, variant, input;
  Cost cost;
  std::string status, reason;
  int64_t year;
  PublishedAccuracy accuracy;

  bool failed() const { return status == "failed"; }
};

struct LayerRow {
  std::string model, input, variant;
  LayerCost layer;
};

struct FieldRow {
  std::string model, input;
  std::vector<Field> computed, measured;
};

Cell sides(const std::vector<Field>& field, int64_t Field::*part) {
  const std::string text = to_string(field, part);
  if (text.empty()) return {};
  if (text.find('x') != std::string::npos) return text;
  return field[0].*part;
}

/// A value of a row that was computed; empty for one that failed.
template <class Value>
std::function<Cell(const CostRow&)> total(Value value) {
  return
      [value](const CostRow& row) -> Cell { return row.failed() ? Cell() : Cell(value(row.cost)); };
}

/// What a reader of the numbers should know.
std::string notes(const Cost& cost) {
  std::string text;
  const auto add = [&](const std::string& note) { text += (text.empty() ? "" : "; ") + note; };
  const auto list = [](const std::vector<std::string>& layers) {
    std::string names;
    for (const std::string& layer : layers) names += " " + layer;
    return names;
  };
  if (!cost.gates.empty()) {
    add("rf leaves out what sees the whole image at:" + list(cost.gates));
  }
  if (!cost.beyond.empty()) add("rf ends before:" + list(cost.beyond));
  if (cost.unused_params > 0) {
    add(grouped_digits(cost.unused_params) + " parameters are not used in evaluation mode");
  }
  return text;
}

Human if_any(bool any) { return any ? Human::plain : Human::none; }

/// The columns of cost.csv. People are told status and variant only where there is something to
/// tell.
std::vector<Column<CostRow>> cost_columns(bool show_status = false, bool show_variant = false) {
  using R = CostRow;
  using C = Cost;
  return {
      {"model", "Network", Human::plain, [](const R& r) { return Cell(r.model); }},
      {"variant", "Variant", if_any(show_variant), [](const R& r) { return Cell(r.variant); }},
      {"input", "Input", Human::plain, [](const R& r) { return Cell(r.input); }},
      {"params", "Params", Human::count, total([](const C& c) { return c.params; })},
      {"conv_params", "", Human::none, total([](const C& c) { return c.conv_params; })},
      {"linear_params", "", Human::none, total([](const C& c) { return c.linear_params; })},
      {"norm_params", "", Human::none, total([](const C& c) { return c.norm_params; })},
      {"buffers", "", Human::none, total([](const C& c) { return c.buffers; })},
      {"macs", "MACs", Human::count, total([](const C& c) { return c.macs; })},
      {"flops", "FLOPs", Human::count, total([](const C& c) { return c.flops; })},
      {"activations", "Activations", Human::count, total([](const C& c) { return c.activations; })},
      {"weight_bytes", "", Human::none, total([](const C& c) { return c.weight_bytes; })},
      {"peak_activation_bytes", "Peak", Human::bytes,
       total([](const C& c) { return c.peak_activation_bytes; })},
      {"rf", "RF", Human::plain, total([](const C& c) { return sides(c.field, &Field::size); })},
      {"rf_stride", "Stride", Human::plain,
       total([](const C& c) { return sides(c.field, &Field::stride); })},
      {"rf_padding", "", Human::none,
       total([](const C& c) { return sides(c.field, &Field::padding); })},
      {"rf_aligned", "", Human::none, total([](const C& c) { return c.aligned; })},
      {"conv_layers", "", Human::none, total([](const C& c) { return c.conv_layers; })},
      {"linear_layers", "", Human::none, total([](const C& c) { return c.linear_layers; })},
      {"norm_layers", "", Human::none, total([](const C& c) { return c.norm_layers; })},
      {"depth", "Depth", Human::plain, total([](const C& c) { return int64_t{c.depth}; })},
      {"output", "", Human::none, total([](const C& c) { return to_string(c.output); })},
      {"status", "Status", if_any(show_status), [](const R& r) { return Cell(r.status); }},
      {"reason", "", Human::none, [](const R& r) { return Cell(r.reason); }},
      {"notes", "", Human::none, total(notes)},
      {"year", "Year", Human::plain, [](const R& r) { return r.year > 0 ? Cell(r.year) : Cell(); }},
      {"top1_published", "Top-1 (%)", Human::plain,
       [](const R& r) { return r.accuracy.top1 > 0 ? Cell(r.accuracy.top1) : Cell(); }},
      {"top1_data", "of", Human::plain, [](const R& r) { return Cell(r.accuracy.dataset); }},
      {"top1_source", "", Human::none, [](const R& r) { return Cell(r.accuracy.source); }},
  };
}

Shape window_part(const LayerCost& layer, int64_t SlidingWindow::*part) {
  Shape numbers;
  for (const SlidingWindow& window : layer.windows) numbers.push_back(window.*part);
  return numbers;
}

Cell window_text(const LayerRow& row, int64_t SlidingWindow::*part) {
  if (row.layer.windows.empty()) return {};
  return to_string(window_part(row.layer, part));
}

/// Nothing, and not zero, for an operator without a row.
Cell if_known(const LayerRow& row, int64_t number) {
  return row.layer.kind.empty() ? Cell() : Cell(number);
}

/// The columns of layers.csv.
std::vector<Column<LayerRow>> layer_columns(bool show_model) {
  using R = LayerRow;
  using W = SlidingWindow;
  return {
      {"model", "Network", if_any(show_model), [](const R& r) { return Cell(r.model); }},
      {"input", "Input", if_any(show_model), [](const R& r) { return Cell(r.input); }},
      {"index", "", Human::plain, [](const R& r) { return Cell(r.layer.index); }},
      {"layer", "Layer", Human::plain, [](const R& r) { return Cell(r.layer.layer); }},
      {"op", "Operator", Human::plain, [](const R& r) { return Cell(r.layer.op); }},
      {"in_shape", "In", Human::plain,
       [](const R& r) { return Cell(to_string(r.layer.in_shape)); }},
      {"out_shape", "Out", Human::plain,
       [](const R& r) { return Cell(to_string(r.layer.out_shape)); }},
      {"kernel", "Kernel", Human::plain, [](const R& r) { return window_text(r, &W::kernel); }},
      {"stride", "Stride", Human::plain, [](const R& r) { return window_text(r, &W::stride); }},
      {"padding", "Padding", Human::plain, [](const R& r) { return window_text(r, &W::padding); }},
      {"dilation", "", Human::none, [](const R& r) { return window_text(r, &W::dilation); }},
      {"groups", "Groups", Human::plain,
       [](const R& r) { return r.layer.groups ? Cell(r.layer.groups) : Cell(); }},
      {"params", "Params", Human::count, [](const R& r) { return Cell(r.layer.params); }},
      {"macs", "MACs", Human::count, [](const R& r) { return if_known(r, r.layer.macs); }},
      {"flops", "FLOPs", Human::count, [](const R& r) { return if_known(r, r.layer.flops); }},
      {"activations", "", Human::none, [](const R& r) { return Cell(r.layer.activations); }},
      {"rf", "RF", Human::plain, [](const R& r) { return sides(r.layer.field, &Field::size); }},
      {"rf_stride", "", Human::none,
       [](const R& r) { return sides(r.layer.field, &Field::stride); }},
      {"rf_padding", "", Human::none,
       [](const R& r) { return sides(r.layer.field, &Field::padding); }},
      {"depth", "", Human::none, [](const R& r) { return Cell(int64_t{r.layer.depth}); }},
      {"kind", "", Human::none, [](const R& r) { return Cell(r.layer.kind); }},
      {"variant", "", Human::none, [](const R& r) { return Cell(r.variant); }},
  };
}

std::string variant_of(const NetworkCase& a_case, bool folded) {
  std::string variant = a_case.architecture.variant;
  if (a_case.settings.width > 0) {
    variant += ", width " + human_text(Cell(a_case.settings.width), Human::plain);
  }
  if (a_case.settings.classes != a_case.architecture.settings.classes) {
    variant += ", " + std::to_string(a_case.settings.classes) + " classes";
  }
  if (a_case.settings.auxiliary) variant += ", auxiliary heads if any";
  if (folded) variant += ", batch norm folded";
  return variant;
}

CostRow cost_row(const NetworkCase& a_case, bool folded) {
  CostRow row{a_case.architecture.name,
              variant_of(a_case, folded),
              to_string(a_case.settings.image),
              {},
              "ok",
              "",
              a_case.architecture.year,
              published_accuracy(a_case.architecture, a_case.settings)};
  try {
    if (!a_case.refusal.empty()) throw UsageError(a_case.refusal);
    Graph graph = trace_network(a_case.architecture, a_case.settings);
    row.cost = cost(folded ? fold_batch_norm(graph) : graph);
    if (!row.cost.complete()) {
      row.status = "incomplete";
      row.reason = row.model + " is counted incompletely: no row in suite/analysis/ops.cpp for " +
                   unknown_operators(row.cost);
    }
  } catch (const std::exception& error) {
    row.status = "failed";
    row.reason = first_line(error.what());
  }
  return row;
}

/// cost.csv and layers.csv. With `resume`, what an earlier run finished stays, and the rest of what
/// it wrote goes: failed networks, and layers of one that it was killed in.
class Records {
 public:
  Records(const std::filesystem::path& folder, bool resume, std::ostream& err) {
    const auto open = [&] {
      costs_ = open_record(folder, "cost.csv", column_names(cost_columns_), resume, err);
      layers_ = open_record(folder, "layers.csv", column_names(layer_columns_), resume, err);
    };
    open();
    if (!resume) return;
    const auto key = [](const CsvFile& file, const CsvRow& row) {
      return row.fields[column_index(file, "model")] + " " +
             row.fields[column_index(file, "input")] + " " +
             row.fields[column_index(file, "variant")];
    };
    std::set<std::string> with_layers;
    const CsvFile layers = read_csv(folder / "layers.csv");
    for (const CsvRow& row : layers.rows) with_layers.insert(key(layers, row));
    prune(folder / "cost.csv", [&](const CsvFile& file, const CsvRow& row) {
      const bool finished =
          row.fields[column_index(file, "status")] == "ok" && with_layers.count(key(file, row)) > 0;
      if (finished) finished_.insert(key(file, row));
      return finished;
    });
    prune(folder / "layers.csv", [&](const CsvFile& file, const CsvRow& row) {
      return finished_.count(key(file, row)) > 0;
    });
    open();  // the pruned files
  }

  bool has(const std::string& model, const std::string& input, const std::string& variant) const {
    return finished_.count(model + " " + input + " " + variant) > 0;
  }

  /// The layers go first: a row in cost.csv says that all of a network is there.
  void write(const CostRow& row) {
    for (const LayerCost& layer : row.cost.layers) {
      layers_->write(cells(layer_columns_, LayerRow{row.model, row.input, row.variant, layer}));
    }
    costs_->write(cells(cost_columns_, row));
  }

 private:
  const std::vector<Column<CostRow>> cost_columns_ = cost_columns();
  const std::vector<Column<LayerRow>> layer_columns_ = layer_columns(false);
  std::unique_ptr<CsvWriter> costs_, layers_;
  std::set<std::string> finished_;
};

/// What went wrong goes to stderr, a line each. Exit code 2 where nothing went right, since then it
/// is the request that was wrong.
int exit_code(const std::vector<CostRow>& rows, std::ostream& err) {
  size_t failed = 0, incomplete = 0;
  for (const CostRow& row : rows) {
    failed += row.failed();
    incomplete += row.status == "incomplete";
    if (row.status != "ok") err << "convscope: " << row.reason << "\n";
  }
  if (failed > 0 && failed == rows.size()) return usage;
  return failed + incomplete > 0 ? some_failed : done;
}

int print_costs(const Invocation& invocation, const std::vector<NetworkCase>& cases) {
  const std::string started = utc_now();
  const std::string folder = invocation.text("results");
  const bool folded = invocation.flag("fold-bn");
  if (invocation.flag("resume") && folder.empty()) {
    throw UsageError("--resume needs --results: the folder to go on with");
  }
  Output output(invocation);
  std::unique_ptr<Records> records;
  const auto open_records = [&] {
    records = std::make_unique<Records>(folder, invocation.flag("resume"), invocation.err);
  };
  if (invocation.flag("resume")) open_records();
  std::vector<CostRow> rows;
  size_t written = 0;
  for (const NetworkCase& a_case : cases) {
    if (records && records->has(a_case.architecture.name, to_string(a_case.settings.image),
                                variant_of(a_case, folded))) {
      continue;
    }
    rows.push_back(cost_row(a_case, folded));
    // A request of which nothing comes must not replace what the folder holds.
    if (!folder.empty() && !records && !rows.back().failed()) open_records();
    for (; records && written < rows.size(); ++written) records->write(rows[written]);
  }
  if (records) record_run(folder, invocation, started);
  const int code = exit_code(rows, invocation.err);
  if (code == usage) return code;
  if (invocation.flag("layers")) {
    std::vector<LayerRow> layers;
    for (const CostRow& row : rows) {
      for (const LayerCost& layer : row.cost.layers) {
        layers.push_back({row.model, row.input, row.variant, layer});
      }
    }
    output.print(make_table(layer_columns(rows.size() > 1), layers));
  } else {
    const bool own_variant = folded || invocation.flag("auxiliary") ||
                             !invocation.text("width").empty() ||
                             !invocation.text("classes").empty();
    output.print(make_table(cost_columns(code != done, own_variant), rows));
  }
  return code;
}

int print_explanation(const Invocation& invocation, const std::vector<NetworkCase>& cases) {
  if (cases.size() != 1) throw UsageError("--explain takes one network at one size");
  if (!cases[0].refusal.empty()) throw UsageError(cases[0].refusal);
  Output output(invocation);
  output.print(
      explain(trace_network(cases[0].architecture, cases[0].settings), invocation.text("explain")));
  return done;
}

int print_verification(const Invocation& invocation, const std::vector<NetworkCase>& cases) {
  using R = FieldRow;
  const std::vector<Column<R>> columns = {
      {"model", "Network", Human::plain, [](const R& r) { return Cell(r.model); }},
      {"input", "Input", Human::plain, [](const R& r) { return Cell(r.input); }},
      {"rf", "RF", Human::plain, [](const R& r) { return sides(r.computed, &Field::size); }},
      {"rf_stride", "Stride", Human::plain,
       [](const R& r) { return sides(r.computed, &Field::stride); }},
      {"rf_padding", "Padding", Human::plain,
       [](const R& r) { return sides(r.computed, &Field::padding); }},
      {"measured_rf", "Measured RF", Human::plain,
       [](const R& r) { return sides(r.measured, &Field::size); }},
      {"measured_stride", "Stride", Human::plain,
       [](const R& r) { return sides(r.measured, &Field::stride); }},
      {"measured_padding", "Padding", Human::plain,
       [](const R& r) { return sides(r.measured, &Field::padding); }},
      {"agree", "Agree", Human::plain, [](const R& r) { return Cell(r.computed == r.measured); }},
  };
  Output output(invocation);
  std::vector<FieldRow> rows;
  bool all_agree = true;
  size_t failed = 0;
  for (const NetworkCase& a_case : cases) {
    const std::string& name = a_case.architecture.name;
    invocation.err << "measuring " << name << "\n";
    try {
      if (!a_case.refusal.empty()) throw UsageError(a_case.refusal);
      const Graph graph = trace_network(a_case.architecture, a_case.settings);
      rows.push_back({name, to_string(a_case.settings.image), cost(graph).field,
                      measure_field(a_case.architecture, a_case.settings)});
      all_agree = all_agree && rows.back().computed == rows.back().measured;
    } catch (const std::invalid_argument& error) {
      if (cases.size() == 1) throw;
      invocation.err << "convscope: " << error.what() << "\n";
      ++failed;
    }
  }
  if (failed == cases.size()) return usage;
  output.print(make_table(columns, rows));
  return all_agree && failed == 0 ? done : some_failed;
}

int print_variants(const Invocation& invocation) {
  struct VariantRow {
    std::string name;
    Cost cost;
  };
  std::vector<VariantRow> variants;
  for (const Architecture& variant : variants_asked_for(invocation)) {
    variants.push_back({variant.name, variant_cost(variant)});
  }
  const Cost& standard = variants[0].cost;
  using R = VariantRow;
  const auto ratio = [](int64_t part, int64_t whole) {
    return Cell(static_cast<double>(part) / static_cast<double>(whole));
  };
  const std::vector<Column<R>> columns = {
      {"layer", "Layer", Human::plain, [](const R& r) { return Cell(r.name); }},
      {"params", "Params", Human::plain, [](const R& r) { return Cell(r.cost.params); }},
      {"macs", "MACs", Human::plain, [](const R& r) { return Cell(r.cost.macs); }},
      {"rf", "RF", Human::plain, [](const R& r) { return sides(r.cost.field, &Field::size); }},
      {"params_ratio", "Params/standard", Human::plain,
       [&](const R& r) { return ratio(r.cost.params, standard.params); }},
      {"macs_ratio", "MACs/standard", Human::plain,
       [&](const R& r) { return ratio(r.cost.macs, standard.macs); }},
  };
  Output output(invocation);
  output.print(make_table(columns, variants));
  return done;
}

int dry_run(const Invocation& invocation, const std::vector<NetworkCase>& cases) {
  for (const NetworkCase& a_case : cases) {
    invocation.out << "cost " << a_case.architecture.name << " " << to_string(a_case.settings.image)
                   << "\n";
  }
  return done;
}

int run(const Invocation& invocation) {
  if (!invocation.list("convention").empty()) return print_conventions(invocation);
  if (invocation.flag("variants")) return print_variants(invocation);
  const std::vector<NetworkCase> cases = network_cases(invocation);
  if (invocation.flag("dry-run")) return dry_run(invocation, cases);
  if (!invocation.text("explain").empty()) return print_explanation(invocation, cases);
  if (invocation.flag("verify-rf")) return print_verification(invocation, cases);
  return print_costs(invocation, cases);
}

}  // namespace

Command cost_command() {
  Command command{"cost",
                  "parameters, MACs, FLOPs, memory and receptive field",
                  "convscope cost resnet50 'mobilenet*' --input 160-320+32",
                  {},
                  {"model"},
                  run};
  add_network_options(command.options);
  add_module_option(command.options);
  command.options.add_options()  //
      ("layers", po::bool_switch(), "one row for each operation instead of each network")(
          "fold-bn", po::bool_switch(),
          "as deployed: batch normalisation folded into convolutions")(
          "explain", text_value(),
          "LAYER: its arithmetic, written out; with two conventions, NETWORK: where they differ")(
          "verify-rf", po::bool_switch(),
          "find the receptive field again from the support of the gradient")(
          "variants", po::bool_switch(),
          "the textbook table: one layer's worth of work done in different ways")(
          "results", text_value(), "DIR: also write cost.csv, layers.csv and manifest.json there")(
          "resume", po::bool_switch(), "keep what is in --results and add what is missing")(
          "dry-run", po::bool_switch(), "list what would be computed");
  add_convention_option(command.options);
  add_variant_options(command.options, "--variants");
  add_output_options(command.options);
  return command;
}

}  // namespace convscope
