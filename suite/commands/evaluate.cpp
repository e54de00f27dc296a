// convscope evaluate: how often a network with weights is right about labelled images.
#include <algorithm>
#include <cmath>
#include <ostream>
#include <utility>

#include "suite/commands/command.h"
#include "suite/commands/inference_options.h"
#include "suite/commands/network_options.h"
#include "suite/commands/output.h"
#include "suite/commands/progress.h"
#include "suite/inference/evaluation.h"
#include "suite/report/table.h"
#include "suite/weights/sha256.h"

namespace convscope {
namespace {

namespace fs = std::filesystem;

struct EvaluationRow {
  std::string model, weights, data, input;
  Evaluation result;
  int64_t skipped;
  Speed speed;
};

struct ClassRow {
  std::string model, weights, data;
  int64_t index;
  std::string name;
  int64_t images, right;
};

/// The columns of evaluation.csv; shares are in percent, with Wilson's 95 % interval.
std::vector<Column<EvaluationRow>> evaluation_columns() {
  using R = EvaluationRow;
  const auto top1 = [](const R& r) { return share(r.result.top1, r.result.images); };
  return {
      {"model", "Network", Human::plain, [](const R& r) { return Cell(r.model); }},
      {"weights", "", Human::none, [](const R& r) { return Cell(r.weights); }},
      {"data", "", Human::none, [](const R& r) { return Cell(r.data); }},
      {"input", "Input", Human::plain, [](const R& r) { return Cell(r.input); }},
      {"images", "Images", Human::plain, [](const R& r) { return Cell(r.result.images); }},
      {"skipped", "Skipped", Human::plain, [](const R& r) { return Cell(r.skipped); }},
      {"top1", "Top-1 %", Human::plain, [=](const R& r) { return percent(top1(r).value); }},
      {"top1_low", "from", Human::plain, [=](const R& r) { return percent(top1(r).low); }},
      {"top1_high", "to", Human::plain, [=](const R& r) { return percent(top1(r).high); }},
      {"top5", "Top-5 %", Human::plain,
       [](const R& r) { return percent(share(r.result.top5, r.result.images).value); }},
      {"loss", "Loss", Human::plain, [](const R& r) { return Cell(r.result.loss); }},
      {"images_per_s", "Images/s", Human::plain,
       [](const R& r) { return Cell(static_cast<double>(r.result.images) / r.result.seconds); }},
      {"data_wait_s", "", Human::none, [](const R& r) { return Cell(r.result.waited_seconds); }},
      {"threads", "", Human::none, [](const R& r) { return Cell(int64_t{r.speed.threads}); }},
      {"workers", "", Human::none, [](const R& r) { return Cell(r.speed.workers); }},
      {"batch", "", Human::none, [](const R& r) { return Cell(r.speed.batch); }},
      {"engine", "", Human::none,
       [](const R& r) { return Cell(std::string(r.result.frozen ? "frozen" : "eager")); }},
  };
}

std::vector<Column<ClassRow>> class_columns() {
  using R = ClassRow;
  return {
      {"model", "", Human::none, [](const R& r) { return Cell(r.model); }},
      {"weights", "", Human::none, [](const R& r) { return Cell(r.weights); }},
      {"data", "", Human::none, [](const R& r) { return Cell(r.data); }},
      {"index", "Index", Human::plain, [](const R& r) { return Cell(r.index); }},
      {"class", "Class", Human::plain, [](const R& r) { return Cell(r.name); }},
      {"images", "Images", Human::plain, [](const R& r) { return Cell(r.images); }},
      {"right", "Right", Human::plain, [](const R& r) { return Cell(r.right); }},
      {"top1", "Top-1 %", Human::plain,
       [](const R& r) { return percent(share(r.right, r.images).value); }},
  };
}

std::vector<ClassRow> class_rows(const EvaluationRow& of, const std::vector<std::string>& names) {
  std::vector<ClassRow> rows;
  for (size_t i = 0; i < names.size(); ++i) {
    rows.push_back({of.model, of.weights, of.data, static_cast<int64_t>(i), names[i],
                    of.result.images_of[i], of.result.right_of[i]});
  }
  return rows;
}

/// A row for each actual class and a column for each predicted one, in the order of the indices.
/// These are part of the names, for ImageNet has two kinds of crane.
Table confusion_table(const std::vector<std::string>& names, const Evaluation& result) {
  const auto name = [&](size_t i) { return std::to_string(i) + " " + names[i]; };
  Table table;
  table.columns.push_back({"actual", "Actual \\ predicted"});
  for (size_t i = 0; i < names.size(); ++i) {
    table.columns.push_back({name(i), name(i)});
    std::vector<Cell> row(names.size() + 1, Cell(int64_t{0}));
    row[0] = name(i);
    table.rows.push_back(std::move(row));
  }
  for (const auto& [pair, images] : result.confusion) {
    const auto column = static_cast<size_t>(pair.second) + 1;
    table.rows[static_cast<size_t>(pair.first)][column] = images;
  }
  return table;
}

/// A record of --results, opened before the work, so that a folder which cannot be written is known
/// then. Rows of other evaluations, told apart by the columns before `same`, stay.
class Record {
 public:
  Record(fs::path folder, std::string file, std::vector<std::string> columns, size_t same,
         std::ostream& err)
      : folder_(std::move(folder)),
        file_(std::move(file)),
        columns_(std::move(columns)),
        same_(same),
        err_(err) {
    open_record(folder_, file_, columns_, /*resume=*/true, err);
  }

  void write(const Table& table) const {
    const CsvFile before = read_csv(folder_ / file_);
    const auto key = [&](const auto& texts) {
      return std::vector<std::string>(texts.begin(), texts.begin() + static_cast<long>(same_));
    };
    std::vector<std::string> own;
    for (size_t i = 0; i < same_; ++i) own.push_back(raw_text(table.rows.at(0).at(i)));
    const bool again = std::any_of(before.rows.begin(), before.rows.end(),
                                   [&](const CsvRow& row) { return key(row.fields) == own; });
    const auto record = open_record(folder_, file_, columns_, /*resume=*/!again, err_);
    for (const CsvRow& row : before.rows) {
      if (again && key(row.fields) != own) record->write({row.fields.begin(), row.fields.end()});
    }
    for (const auto& row : table.rows) record->write(row);
  }

 private:
  fs::path folder_;
  std::string file_;
  std::vector<std::string> columns_;
  size_t same_;
  std::ostream& err_;
};

int run(const Invocation& invocation) {
  const std::string started = utc_now();
  if (invocation.flag("confusion") && invocation.flag("per-class")) {
    throw UsageError("evaluate prints --per-class or --confusion; --results writes both");
  }
  Output output(invocation);
  const WeightedNetwork network = weighted_network(invocation, Needed::answers);
  const auto dataset = open_data(invocation, network);
  const Speed chosen = speed(invocation, network);
  if (invocation.flag("dry-run")) {
    invocation.out << "evaluate " << network.architecture.name << " on " << dataset->size()
                   << " images of " << invocation.text("data") << "\n";
    return done;
  }
  const std::vector<std::string>& names = dataset->classes();
  const std::string& folder = invocation.text("results");
  std::vector<Record> records;
  if (!folder.empty()) {
    records.emplace_back(folder, "evaluation.csv", column_names(evaluation_columns()), 4,
                         invocation.err);
    records.emplace_back(folder, "classes.csv", column_names(class_columns()), 3, invocation.err);
  }
  Classifier classifier(network.architecture, network.fit, network.file, chosen.threads);
  if (dataset->size() >= worth_freezing) classifier.freeze_batches_of(chosen.batch);
  Loader loader(*dataset, loader_options(invocation, network, chosen));
  Evaluation result;
  {
    Progress progress(invocation.err, network.architecture.name,
                      static_cast<int64_t>(dataset->size()), "images");
    result = evaluate(classifier, loader, [&](int64_t images) { progress.update(images); });
  }
  if (!result.frozen && !classifier.not_frozen().empty()) {
    invocation.err << "note: the network ran as it is: " << classifier.not_frozen() << "\n";
  }
  const int64_t skipped = report_images(invocation, network, *dataset, loader);
  if (result.images == 0) throw UsageError(invocation.text("data") + ": no image could be read");

  const std::vector<EvaluationRow> rows = {
      {network.architecture.name, network.file.path.filename().string(), invocation.text("data"),
       to_string(network.fit.settings.image), result, skipped, chosen}};
  const Table summary = make_table(evaluation_columns(), rows);
  const Table classes = make_table(class_columns(), class_rows(rows[0], names));
  output.print(invocation.flag("confusion")   ? confusion_table(names, result)
               : invocation.flag("per-class") ? classes
                                              : summary);
  if (!folder.empty()) {
    records[0].write(summary);
    records[1].write(classes);
    const Table confusion = confusion_table(names, result);
    const auto record = open_record(folder, "confusion-" + network.architecture.name + ".csv",
                                    column_names(confusion), /*resume=*/false, invocation.err);
    for (const auto& row : confusion.rows) record->write(row);
    record_run(folder, invocation, started, network.architecture.name,
               {{"weights_sha256", sha256_of(network.file.path)}});
  }
  if (result.not_finite > 0) {
    invocation.err << "convscope: the network computes no finite number for " << result.not_finite
                   << " of the images; they count as wrong\n";
    return some_failed;
  }
  return done;
}

}  // namespace

Command evaluate_command() {
  Command command{"evaluate",
                  "accuracy of a network with weights on labelled images",
                  "convscope evaluate mobilenet_v2 --weights mobilenet_v2.pth --data photos/val",
                  {},
                  {"model"},
                  run};
  add_weights_options(command.options);
  add_data_options(command.options);
  add_speed_options(command.options);
  command.options.add_options()  //
      ("per-class", po::bool_switch(), "one row for each class instead of one in all")(
          "confusion", po::bool_switch(), "the confusion matrix instead")(
          "results", text_value(),
          "DIR: also write evaluation.csv, classes.csv, confusion-MODEL.csv and manifest.json "
          "there; other "
          "evaluations in it stay")("dry-run", po::bool_switch(), "list what would be evaluated");
  add_output_options(command.options);
  return command;
}

}  // namespace convscope
