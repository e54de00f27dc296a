// convscope train: a network from scratch, or one with weights on images of one's own.
#include <algorithm>
#include <cmath>
#include <filesystem>
#include <ostream>

#include "architectures/nearest.h"
#include "suite/commands/command.h"
#include "suite/commands/inference_options.h"
#include "suite/commands/network_options.h"
#include "suite/commands/output.h"
#include "suite/commands/progress.h"
#include "suite/commands/training_options.h"
#include "suite/report/csv_file.h"
#include "suite/report/table.h"
#include "suite/report/text.h"
#include "suite/timing/bench_process.h"
#include "suite/timing/process_memory.h"
#include "suite/timing/statistics.h"
#include "suite/training/trainer.h"
#include "suite/weights/sha256.h"

namespace convscope {
namespace {

namespace fs = std::filesystem;

/// One network trained once.
struct Run {
  std::string name, model, dataset, protocol;
  uint64_t seed;
};

struct EpochRow {
  Run run;
  EpochResult result;
  int64_t peak_bytes;
};

Cell if_judged(const EpochRow& row, double value) {
  return row.result.validation.images > 0 ? Cell(value) : Cell();
}

std::vector<Column<EpochRow>> epoch_columns() {
  using R = EpochRow;
  const auto share_of = [](const R& r, int64_t hits) {
    return percent(share(hits, r.result.validation.images).value);
  };
  return {
      {"run", "", Human::none, [](const R& r) { return Cell(r.run.name); }},
      {"model", "", Human::none, [](const R& r) { return Cell(r.run.model); }},
      {"dataset", "", Human::none, [](const R& r) { return Cell(r.run.dataset); }},
      {"protocol", "", Human::none, [](const R& r) { return Cell(r.run.protocol); }},
      {"seed", "", Human::none, [](const R& r) { return Cell(static_cast<int64_t>(r.run.seed)); }},
      {"epoch", "", Human::none, [](const R& r) { return Cell(r.result.epoch); }},
      {"train_loss", "", Human::none, [](const R& r) { return Cell(r.result.train_loss); }},
      {"train_top1", "", Human::none, [](const R& r) { return percent(r.result.train_top1); }},
      {"val_loss", "", Human::none,
       [](const R& r) { return if_judged(r, r.result.validation.loss); }},
      {"val_top1", "", Human::none,
       [=](const R& r) { return share_of(r, r.result.validation.top1); }},
      {"val_top5", "", Human::none,
       [=](const R& r) { return share_of(r, r.result.validation.top5); }},
      {"lr", "", Human::none, [](const R& r) { return Cell(r.result.rate); }},
      {"images_per_s", "", Human::none,
       [](const R& r) { return Cell(static_cast<double>(r.result.images) / r.result.seconds); }},
      {"data_wait_s", "", Human::none, [](const R& r) { return Cell(r.result.waited_seconds); }},
      {"seconds", "", Human::none, [](const R& r) { return Cell(r.result.seconds); }},
      {"peak_bytes", "", Human::none,
       [](const R& r) { return r.peak_bytes < 0 ? Cell() : Cell(r.peak_bytes); }},
      {"status", "", Human::none, [](const R&) { return Cell(std::string("ok")); }},
  };
}

/// How a run ended.
struct RunRow {
  Run run;
  std::string split;
  Evaluation result;
  int64_t epochs = 0, best_epoch = 0;
  double best_top1 = 0;  ///< of validation
  double seconds = 0;
  std::string reason;  ///< why it failed; "" if it did not
};

std::vector<Column<RunRow>> run_columns() {
  using R = RunRow;
  const auto top1 = [](const R& r) { return share(r.result.top1, r.result.images); };
  return {
      {"run", "Run", Human::plain, [](const R& r) { return Cell(r.run.name); }},
      {"model", "", Human::none, [](const R& r) { return Cell(r.run.model); }},
      {"dataset", "", Human::none, [](const R& r) { return Cell(r.run.dataset); }},
      {"protocol", "", Human::none, [](const R& r) { return Cell(r.run.protocol); }},
      {"seed", "", Human::none, [](const R& r) { return Cell(static_cast<int64_t>(r.run.seed)); }},
      {"split", "Judged on", Human::plain, [](const R& r) { return Cell(r.split); }},
      {"images", "Images", Human::plain, [](const R& r) { return Cell(r.result.images); }},
      {"top1", "Top-1 %", Human::plain, [=](const R& r) { return percent(top1(r).value); }},
      {"top1_low", "from", Human::plain, [=](const R& r) { return percent(top1(r).low); }},
      {"top1_high", "to", Human::plain, [=](const R& r) { return percent(top1(r).high); }},
      {"top5", "Top-5 %", Human::none,
       [](const R& r) { return percent(share(r.result.top5, r.result.images).value); }},
      {"loss", "Loss", Human::plain, [](const R& r) { return Cell(r.result.loss); }},
      {"epochs", "Epochs", Human::plain, [](const R& r) { return Cell(r.epochs); }},
      {"best_epoch", "Best epoch", Human::plain,
       [](const R& r) { return r.best_epoch > 0 ? Cell(r.best_epoch) : Cell(); }},
      {"best_val_top1", "its val %", Human::plain,
       [](const R& r) { return r.best_epoch > 0 ? percent(r.best_top1) : Cell(); }},
      {"seconds", "Seconds", Human::plain, [](const R& r) { return Cell(r.seconds); }},
      {"status", "", Human::none,
       [](const R& r) { return Cell(std::string(r.reason.empty() ? "ok" : "failed")); }},
      {"reason", "", Human::none, [](const R& r) { return Cell(r.reason); }},
  };
}

/// Everything that all runs of a command share.
struct Training {
  WeightedNetwork network;
  bool weighted;
  std::unique_ptr<Dataset> train, validation, test;
  Augmentation augmentation;
  Speed speed;
  fs::path results;
  std::string dataset_name;

  const Dataset* judged() const { return test ? test.get() : validation.get(); }
  std::string judged_split() const { return test ? "test" : validation ? "val" : "none"; }
};

Training training_of(const Invocation& invocation, Protocol protocol) {
  Training training;
  training.weighted = protocol != Protocol::scratch || !invocation.text("weights").empty();
  training.network = training.weighted ? weighted_network(invocation, /*head_needed=*/false)
                                       : untrained_network(invocation);
  const auto splits = splits_of_data(invocation, training.network);
  const auto open = [&](const std::string& split) -> std::unique_ptr<Dataset> {
    if (!std::count(splits.begin(), splits.end(), split)) return nullptr;
    return open_split(invocation, training.network, split, /*same_classes=*/false);
  };
  training.train = open("train");
  if (!training.train) throw UsageError(invocation.text("data") + " has no training images");
  training.validation = open("val");
  training.test = open("test");
  training.dataset_name = fs::path(invocation.text("data")).filename().string();
  if (training.dataset_name.empty()) training.dataset_name = invocation.text("data");
  Settings& settings = training.network.fit.settings;
  settings.classes = static_cast<int64_t>(training.train->classes().size());
  if (training.weighted) {
    training.network.fit =
        fit(training.network.architecture, settings, training.network.file, /*keep_classes=*/true);
  }
  training.augmentation = augmentation_of(invocation, training.network.preprocessing);
  training.speed = speed(invocation, training.network);
  if (invocation.text("batch").empty()) training.speed.batch = 32;
  training.results = invocation.text("results");
  return training;
}

/// What will be trained, and how: before the first step.
void print_plan(const Training& training, const Trainer& trainer, const Recipe& recipe,
                std::ostream& err) {
  int64_t trained = 0, frozen = 0;
  std::vector<std::string> rates, below;
  for (const StageTraining& stage : trainer.stages()) {
    (stage.trained ? trained : frozen) += stage.params;
    if (stage.trained) {
      rates.push_back(stage.name + " " + human_text(Cell(stage.rate), Human::plain));
    } else {
      below.push_back(stage.name);
    }
  }
  err << "train: " << to_string(recipe.protocol) << ", " << trained << " parameters trained, "
      << frozen << " frozen\n"
      << "rates: " << joined(rates) << "\n";
  if (!below.empty()) {
    err << "frozen: " << joined(below) << "; batch normalisation there: " << to_string(recipe.norms)
        << "\n";
  }
  err << "images: " << training.train->size() << " to train on, "
      << to_string(training.augmentation) << "; "
      << (training.validation ? std::to_string(training.validation->size()) : "none")
      << " to validate; " << (training.test ? std::to_string(training.test->size()) : "none")
      << " to test\n";
}

/// epochs.csv in a folder; nothing without one.
class EpochRecord {
 public:
  EpochRecord(fs::path folder, std::ostream& err) : folder_(std::move(folder)), err_(err) {
    open();
  }
  void write(const std::vector<Cell>& row) {
    if (writer_) writer_->write(row);
  }
  /// Also after somebody else has changed the file.
  void open() {
    writer_.reset();
    if (folder_.empty()) return;
    writer_ =
        open_record(folder_, "epochs.csv", column_names(epoch_columns()), /*resume=*/true, err_);
  }

 private:
  fs::path folder_;
  std::ostream& err_;
  std::unique_ptr<CsvWriter> writer_;
};

/// Drops the rows of a run that its checkpoint does not have, and reads from the others what the
/// run's own row needs.
void recall(const fs::path& path, int64_t epochs, RunRow& row) {
  prune(path, [&](const CsvFile& file, const CsvRow& line) {
    const auto field = [&](const char* column) {
      return line.fields.at(column_index(file, column));
    };
    return field("run") != row.run.name || std::stoll(field("epoch")) <= epochs;
  });
  const CsvFile file = read_csv(path);
  const auto runs = texts(file, "run"), tops = texts(file, "val_top1");
  const auto numbers_of_epochs = integers(file, "epoch");
  const auto seconds = numbers(file, "seconds");
  for (size_t i = 0; i < runs.size(); ++i) {
    if (runs[i] != row.run.name) continue;
    row.seconds += seconds[i];
    const double top1 = tops[i].empty() ? 0 : std::stod(tops[i]) / 100;
    if (tops[i].empty() || (row.best_epoch > 0 && top1 <= row.best_top1)) continue;
    row.best_epoch = numbers_of_epochs[i];
    row.best_top1 = top1;
  }
}

/// Whether an earlier command finished the run.
bool is_finished(const fs::path& path, const std::string& run) {
  const CsvFile file = read_csv(path);
  const auto runs = texts(file, "run"), statuses = texts(file, "status");
  for (size_t i = 0; i < runs.size(); ++i) {
    if (runs[i] == run && statuses[i] == "ok") return true;
  }
  return false;
}

/// Trains once. Rows of epochs go to `record` as they are finished, the last whole state to
/// `checkpoint`, where there are results.
RunRow train_once(const Invocation& invocation, const Training& training, const Run& run,
                  const Recipe& recipe, bool weighted, EpochRecord& record,
                  const fs::path& checkpoint) {
  TrainingStart start{training.network.architecture, training.network.fit.settings, nullptr, {}};
  if (weighted) {
    start.weights = &training.network.file;
    start.match = training.network.fit.match;
  }
  TrainingImages images;
  images.train = training.train.get();
  images.validation = training.validation.get();
  images.preprocessing = training.network.preprocessing;
  images.augmentation = training.augmentation;
  images.workers = training.speed.workers;
  Trainer trainer(start, recipe, images);
  RunRow row{run, training.judged_split(), {}, 0, 0, 0, 0, ""};
  if (!checkpoint.empty() && invocation.flag("resume")) {
    if (fs::exists(checkpoint)) trainer.restore(checkpoint);
    recall(training.results / "epochs.csv", trainer.epochs(), row);
    record.open();
    invocation.err << run.name << ": goes on after epoch " << trainer.epochs() << "\n";
  }
  print_plan(training, trainer, recipe, invocation.err);
  const auto total = static_cast<int64_t>(training.train->size());
  while (trainer.epochs() < recipe.epochs()) {
    restart_peak_memory();
    const std::string label = run.name + " epoch " + std::to_string(trainer.epochs() + 1) + "/" +
                              std::to_string(recipe.epochs());
    EpochResult result;
    {
      Progress progress(invocation.err, label, total, "images");
      Progress features(invocation.err, run.name + " features", 0, "images");
      TrainingEvents events;
      events.batch = [&](int64_t done, double, double) {
        InterruptGuard::check();
        progress.update(done);
      };
      events.features = [&](int64_t done, int64_t of) {
        InterruptGuard::check();
        features.update(done, of);
      };
      result = trainer.run_epoch(events);
    }
    const double top1 = share(result.validation.top1, result.validation.images).value;
    invocation.err << label << ": loss " << human_text(Cell(result.train_loss), Human::plain)
                   << ", top-1 " << human_text(percent(result.train_top1), Human::plain) << " %";
    if (training.validation) {
      invocation.err << "; val loss " << human_text(Cell(result.validation.loss), Human::plain)
                     << ", top-1 " << human_text(percent(top1), Human::plain) << " %";
    }
    invocation.err << "; "
                   << human_text(Cell(static_cast<double>(result.images) / result.seconds),
                                 Human::plain)
                   << " images/s\n";
    // In this order: a row without its checkpoint is dropped on --resume, and written again.
    record.write(cells(epoch_columns(), EpochRow{run, result, peak_private_memory()}));
    if (!checkpoint.empty()) trainer.save(checkpoint);
    row.seconds += result.seconds;
    if (training.validation && (row.best_epoch == 0 || top1 > row.best_top1)) {
      row.best_epoch = result.epoch;
      row.best_top1 = top1;
    }
  }
  row.epochs = trainer.epochs();
  if (const auto moved = trainer.moved_frozen_tensors(); !moved.empty()) {
    throw std::runtime_error("frozen weights have changed: " + joined(moved));
  }
  if (const Dataset* judged = training.judged()) row.result = trainer.evaluate(*judged);
  if (!checkpoint.empty()) {
    trainer.write_weights(training.results / (run.name + ".safetensors"));
    trainer.write_weights(training.results / (run.name + ".pth"));
  }
  return row;
}

/// The share that is right without looking: always the class that most training images have.
double blind_guess(const Dataset& train, const Dataset& judged) {
  std::vector<int64_t> counts(train.classes().size());
  for (size_t i = 0; i < train.size(); ++i) ++counts[static_cast<size_t>(train.label(i))];
  const auto likeliest = std::max_element(counts.begin(), counts.end()) - counts.begin();
  int64_t right = 0;
  for (size_t i = 0; i < judged.size(); ++i) right += judged.label(i) == likeliest;
  return static_cast<double>(right) / static_cast<double>(judged.size());
}

void print_summary(const std::vector<RunRow>& rows, std::ostream& err) {
  std::vector<std::string> protocols;
  for (const RunRow& row : rows) {
    if (!std::count(protocols.begin(), protocols.end(), row.run.protocol)) {
      protocols.push_back(row.run.protocol);
    }
  }
  for (const std::string& protocol : protocols) {
    std::vector<double> shares;
    for (const RunRow& row : rows) {
      if (row.run.protocol != protocol || !row.reason.empty() || row.result.images == 0) continue;
      shares.push_back(share(row.result.top1, row.result.images).value);
    }
    if (shares.size() < 2) continue;
    std::sort(shares.begin(), shares.end());
    const auto text = [](double value) { return human_text(percent(value), Human::plain); };
    err << protocol << ", " << shares.size() << " seeds: " << text(shares.front()) << " <- "
        << text(median(shares)) << " -> " << text(shares.back()) << " %";
    if (const auto interval = median_interval(shares)) {
      err << "; the median is within " << text(interval->low) << " to " << text(interval->high)
          << " %";
    }
    err << "\n";
  }
}

int run(const Invocation& invocation) {
  const std::string started = utc_now();
  const std::string& said = invocation.text("protocol");
  if (!std::count(protocol_names().begin(), protocol_names().end(), said)) {
    throw UsageError("--protocol '" + said + "' is none of: " + joined(protocol_names()) +
                     did_you_mean(said, protocol_names()));
  }
  const Protocol protocol = parse_protocol(said);
  if (invocation.flag("resume") && invocation.text("results").empty()) {
    throw UsageError("--resume needs --results: the folder to go on with");
  }
  if (!invocation.text("split").empty()) {
    throw UsageError(
        "--split does nothing here: train images are learnt, val judged, test reported");
  }
  const InterruptGuard interruptible;
  Output output(invocation);
  const Training training = training_of(invocation, protocol);
  Recipe recipe = recipe_of(invocation, protocol, training.speed.threads);
  recipe.batch = training.speed.batch;
  recipe.top_stages = positive_integer(invocation, "top");
  recipe.probe_epochs = positive_integer(invocation, "probe-epochs");
  if (training.augmentation.cropping == Cropping::centre && training.augmentation.mirrored == 0) {
    recipe.copies = 1;
  }
  std::vector<int64_t> seeds = positive_integers(invocation, "seeds");
  if (seeds.empty()) seeds = {1};

  struct Job {
    Run run;
    Recipe recipe;
    bool weighted;
  };
  std::vector<Job> jobs;
  const std::string& model = training.network.architecture.name;
  const std::string name = invocation.text("name").empty() ? model : invocation.text("name");
  if (name.find('/') != std::string::npos) throw UsageError("--name '" + name + "' names a folder");
  const auto add = [&](const std::string& label, const Recipe& how, bool weighted) {
    for (const int64_t seed : seeds) {
      Job job{{name + "-" + label + "-" + std::to_string(seed), model, training.dataset_name, label,
               static_cast<uint64_t>(seed)},
              how,
              weighted};
      job.recipe.seed = static_cast<uint64_t>(seed);
      jobs.push_back(job);
    }
  };
  add(said, recipe, training.weighted);
  if (invocation.flag("controls")) {
    if (protocol == Protocol::scratch) {
      throw UsageError(
          "--controls are what a transfer is compared with; --protocol scratch is one");
    }
    Recipe random = recipe_of(invocation, Protocol::probe, training.speed.threads);
    random.batch = recipe.batch;
    random.copies = recipe.copies;
    add("random-features", random, /*weighted=*/false);
    Recipe scratch = recipe_of(invocation, Protocol::scratch, training.speed.threads);
    scratch.batch = recipe.batch;
    add("scratch", scratch, /*weighted=*/false);
  }
  if (invocation.flag("dry-run")) {
    for (const Job& job : jobs) {
      invocation.out << job.run.name << ": " << job.recipe.epochs() << " epochs on "
                     << training.train->size() << " images\n";
    }
    return done;
  }

  const bool resume = invocation.flag("resume");
  EpochRecord epochs(training.results, invocation.err);
  std::unique_ptr<CsvWriter> runs;
  if (!training.results.empty()) {
    runs = open_record(training.results, "runs.csv", column_names(run_columns()),
                       /*resume=*/true, invocation.err);
    fs::create_directories(training.results / "checkpoints");
    const auto there = texts(read_csv(training.results / "epochs.csv"), "run");
    for (const Job& job : jobs) {
      if (resume || !std::count(there.begin(), there.end(), job.run.name)) continue;
      throw UsageError(training.results.string() + " has " + job.run.name +
                       " already: --resume goes on with it, another --results begins anew");
    }
  }
  std::vector<RunRow> rows;
  bool failed = false, stopped = false;
  for (const Job& job : jobs) {
    const fs::path checkpoint = training.results.empty() ? fs::path()
                                                         : training.results / "checkpoints" /
                                                               (job.run.name + ".safetensors");
    if (resume && is_finished(training.results / "runs.csv", job.run.name)) {
      invocation.err << job.run.name << " is finished already\n";
      continue;
    }
    try {
      rows.push_back(
          train_once(invocation, training, job.run, job.recipe, job.weighted, epochs, checkpoint));
    } catch (const Interrupted&) {
      stopped = true;
      break;
    } catch (const TrainingDiverged& error) {
      failed = true;
      invocation.err << "convscope: " << job.run.name << ": " << error.what() << "\n";
      RunRow row{job.run, training.judged_split(), {}, 0, 0, 0, 0, error.what()};
      rows.push_back(row);
    }
    if (runs) runs->write(cells(run_columns(), rows.back()));
  }
  if (!rows.empty()) output.print(make_table(run_columns(), rows));
  print_summary(rows, invocation.err);
  if (const Dataset* judged = training.judged()) {
    invocation.err << "a blind guess is right about "
                   << human_text(percent(blind_guess(*training.train, *judged)), Human::plain)
                   << " %\n";
  }
  if (!training.results.empty()) {
    std::vector<std::pair<std::string, std::string>> facts;
    if (training.weighted) {
      facts.emplace_back("weights_sha256", sha256_of(training.network.file.path));
    }
    record_run(training.results, invocation, started, name + " " + said, facts);
  }
  if (stopped) {
    invocation.err << "convscope: interrupted"
                   << (training.results.empty() ? "" : "; --resume goes on") << "\n";
    return interrupted;
  }
  return failed ? some_failed : done;
}

}  // namespace

Command train_command() {
  Command command{
      "train",
      "from scratch, linear probe, fine-tune",
      "convscope train mobilenet_v2 --protocol probe --data photos --results results/mine",
      {},
      {"model"},
      run};
  command.options.add_options()  //
      ("protocol,p", text_value("scratch"),
       "scratch, probe (a new head on frozen features), finetune (everything, lower stages more "
       "slowly), partial (the --top stages), gradual (one more stage in each epoch) or "
       "probe-then-finetune")("top", text_value("2"), "stages that partial trains, with the head")(
          "probe-epochs", text_value("3"), "of probe-then-finetune: epochs of the head alone")(
          "seeds", list_value(), "a run for each: 1,2,3 or 1-5 (default: 1)")(
          "name", text_value(), "of the runs, before protocol and seed (default: the network's)")(
          "controls", po::bool_switch(),
          "also train the head on random frozen features, and everything from scratch");
  add_weights_options(command.options);
  add_data_options(command.options);
  add_speed_options(command.options);
  add_recipe_options(command.options);
  command.options.add_options()  //
      ("results", text_value(),
       "DIR: also write epochs.csv, runs.csv, checkpoints, the weights and manifest.json there")(
          "resume", po::bool_switch(), "go on from the checkpoints in --results")(
          "dry-run", po::bool_switch(), "list the runs");
  add_output_options(command.options);
  return command;
}

}  // namespace convscope
