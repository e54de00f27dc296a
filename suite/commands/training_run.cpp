#include "suite/commands/training_run.h"

#include <algorithm>
#include <cmath>
#include <map>
#include <ostream>
#include <set>

#include "suite/commands/output.h"
#include "suite/commands/progress.h"
#include "suite/commands/training_options.h"
#include "suite/report/text.h"
#include "suite/timing/bench_process.h"
#include "suite/timing/clock.h"
#include "suite/timing/environment.h"
#include "suite/timing/process_memory.h"
#include "suite/version.h"
#include "suite/weights/cache_folder.h"
#include "suite/weights/sha256.h"

namespace convscope {
namespace {

namespace fs = std::filesystem;

struct EpochRow {
  TrainedRun run;
  EpochResult result;
  int64_t peak_bytes;
};

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
       [](const R& r) {
         return r.result.validation.images > 0 ? Cell(r.result.validation.loss) : Cell();
       }},
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

/// One image of the judged ones.
struct PredictionRow {
  std::string run, image, label, guess;
  double probability;
};

std::vector<Column<PredictionRow>> prediction_columns() {
  using R = PredictionRow;
  return {
      {"run", "", Human::none, [](const R& r) { return Cell(r.run); }},
      {"image", "", Human::none, [](const R& r) { return Cell(r.image); }},
      {"class", "", Human::none, [](const R& r) { return Cell(r.label); }},
      {"predicted", "", Human::none, [](const R& r) { return Cell(r.guess); }},
      {"probability", "", Human::none, [](const R& r) { return Cell(r.probability); }},
      {"right", "", Human::none, [](const R& r) { return Cell(int64_t{r.label == r.guess}); }},
  };
}

/// How many images of one class were taken for another, or for what they are.
struct ConfusionRow {
  std::string run, label, guess;
  int64_t images;
};

std::vector<Column<ConfusionRow>> confusion_columns() {
  using R = ConfusionRow;
  return {
      {"run", "", Human::none, [](const R& r) { return Cell(r.run); }},
      {"class", "", Human::none, [](const R& r) { return Cell(r.label); }},
      {"predicted", "", Human::none, [](const R& r) { return Cell(r.guess); }},
      {"images", "", Human::none, [](const R& r) { return Cell(r.images); }},
  };
}

std::string processor_and_commit() {
  std::string text = commit;
  for (const auto& [key, value] : environment()) {
    if (key == "cpu") text += " " + value;
  }
  return text;
}

/// What runs.csv has of the runs that are finished.
std::vector<TrainedRun> finished_runs(const fs::path& path) {
  const CsvFile file = read_csv(path);
  const auto names = texts(file, "run"), models = texts(file, "model"),
             datasets = texts(file, "dataset"), protocols = texts(file, "protocol"),
             splits = texts(file, "split"), statuses = texts(file, "status"),
             kept = texts(file, "kept"), settings = texts(file, "settings");
  const auto seeds = integers(file, "seed"), images = integers(file, "images"),
             epochs = integers(file, "epochs");
  const auto top1 = numbers(file, "top1"), top5 = numbers(file, "top5"),
             loss = numbers(file, "loss"), best = numbers(file, "best_epoch"),
             best_top1 = numbers(file, "best_val_top1"), seconds = numbers(file, "seconds");
  std::vector<TrainedRun> runs;
  for (size_t i = 0; i < names.size(); ++i) {
    if (statuses[i] != "ok") continue;
    TrainedRun run;
    run.name = names[i];
    run.model = models[i];
    run.dataset = datasets[i];
    run.protocol = protocols[i];
    run.seed = static_cast<uint64_t>(seeds[i]);
    run.split = splits[i];
    const auto hits = [&](double share) {
      return std::isnan(share) ? 0 : std::llround(share / 100 * static_cast<double>(images[i]));
    };
    run.result.images = images[i];
    run.result.top1 = hits(top1[i]);
    run.result.top5 = hits(top5[i]);
    run.result.loss = loss[i];
    run.epochs = epochs[i];
    if (!std::isnan(best[i])) run.best = {std::llround(best[i]), best_top1[i] / 100, 0};
    run.kept = kept[i];
    run.settings = settings[i];
    run.seconds = seconds[i];
    runs.push_back(run);
  }
  return runs;
}

}  // namespace

std::vector<Column<TrainedRun>> run_columns() {
  using R = TrainedRun;
  const auto top1 = [](const R& r) { return share(r.result.top1, r.result.images); };
  const auto judged = [](const R& r) { return r.best.epoch > 0; };
  return {
      {"run", "Run", Human::plain, [](const R& r) { return Cell(r.name); }},
      {"model", "", Human::none, [](const R& r) { return Cell(r.model); }},
      {"dataset", "", Human::none, [](const R& r) { return Cell(r.dataset); }},
      {"protocol", "", Human::none, [](const R& r) { return Cell(r.protocol); }},
      {"seed", "", Human::none, [](const R& r) { return Cell(static_cast<int64_t>(r.seed)); }},
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
       [=](const R& r) { return judged(r) ? Cell(r.best.epoch) : Cell(); }},
      {"best_val_top1", "its val %", Human::plain,
       [=](const R& r) { return judged(r) ? percent(r.best.top1) : Cell(); }},
      {"kept", "Kept", Human::plain, [](const R& r) { return Cell(r.kept); }},
      {"seconds", "Seconds", Human::plain, [](const R& r) { return Cell(r.seconds); }},
      {"status", "", Human::none,
       [](const R& r) { return Cell(std::string(r.reason.empty() ? "ok" : "failed")); }},
      {"reason", "", Human::none, [](const R& r) { return Cell(r.reason); }},
      {"settings", "", Human::none, [](const R& r) { return Cell(r.settings); }},
  };
}

TrainingRuns::TrainingRuns(const Invocation& invocation, const WeightedNetwork& network,
                           const Speed& speed, const Augmentation& augmentation,
                           const std::vector<TrainingJob>& jobs)
    : invocation_(invocation),
      network_(network),
      speed_(speed),
      augmentation_(augmentation),
      jobs_(jobs),
      results_(invocation.text("results")),
      save_every_(seconds_between_checkpoints(invocation)) {
  keep_large_blocks();
  if (const int64_t bytes = feature_cache_bytes(invocation); bytes > 0) {
    // Another program or processor may compute other values.
    cache_ =
        std::make_unique<FeatureCache>(cache_folder("features"), bytes, processor_and_commit());
  }
  std::set<std::string> names;
  for (const TrainingJob& job : jobs) {
    if (names.insert(job.name).second) continue;
    throw UsageError(job.name + " would run twice: a seed, split or cut is named twice");
  }
  if (results_.empty()) return;
  const auto open = [&](const std::string& file, const std::vector<std::string>& columns) {
    return open_record(results_, file, columns, /*resume=*/true, invocation.err);
  };
  runs_ = open("runs.csv", column_names(run_columns()));
  epochs_ = open("epochs.csv", column_names(epoch_columns()));
  predictions_ = open("predictions.csv", column_names(prediction_columns()));
  confusion_ = open("confusion.csv", column_names(confusion_columns()));
  fs::create_directories(results_ / "checkpoints");
  finished_ = finished_runs(results_ / "runs.csv");
  if (invocation.flag("resume")) {
    // What is not finished, or failed, is judged again.
    const auto keep = [&](const CsvFile& csv, const CsvRow& row) {
      const std::string& name = row.fields.at(column_index(csv, "run"));
      return !names.count(name) || finished(name);
    };
    const auto without = [&](const std::string& file, const std::vector<std::string>& columns) {
      return open_pruned_record(results_, file, columns, invocation.err, keep);
    };
    runs_ = without("runs.csv", column_names(run_columns()));
    predictions_ = without("predictions.csv", column_names(prediction_columns()));
    confusion_ = without("confusion.csv", column_names(confusion_columns()));
    return;
  }
  auto there = texts(read_csv(results_ / "epochs.csv"), "run");
  for (const std::string& name : texts(read_csv(results_ / "runs.csv"), "run")) {
    there.push_back(name);  // one that failed in its first epoch
  }
  for (const TrainingJob& job : jobs) {
    if (!std::count(there.begin(), there.end(), job.name)) continue;
    throw UsageError(results_.string() + " has " + job.name +
                     " already: --resume goes on with it, another --results begins anew");
  }
}

TrainingRuns::~TrainingRuns() = default;

fs::path TrainingRuns::checkpoint_of(const std::string& job) const {
  return results_ / "checkpoints" / (job + ".safetensors");
}

const TrainedRun* TrainingRuns::finished(const std::string& name) const {
  for (const TrainedRun& run : finished_) {
    if (run.name == name) return &run;
  }
  return nullptr;
}

TrainedRun TrainingRuns::failed(const TrainingJob& job, const std::string& reason) const {
  invocation_.err << "convscope: " << job.name << ": " << reason << "\n";
  TrainedRun run = blank(job);
  run.reason = reason;
  return run;
}

/// What tells whether an earlier command's result is this job's.
std::string TrainingRuns::identity_of(const TrainingJob& job, const TrainingStart& start) const {
  return sha256_of_text(run_identity(start, job.recipe, images_of(job))).substr(0, 16);
}

int TrainingRuns::exit_code(const std::vector<TrainedRun>& runs) const {
  if (interrupted_) {
    invocation_.err << "convscope: interrupted" << (results_.empty() ? "" : "; --resume goes on")
                    << "\n";
    return interrupted;
  }
  const bool failed = std::any_of(runs.begin(), runs.end(),
                                  [](const TrainedRun& run) { return !run.reason.empty(); });
  return failed ? some_failed : done;
}

TrainingImages TrainingRuns::images_of(const TrainingJob& job) const {
  TrainingImages images;
  images.train = job.data->train.get();
  images.validation = job.data->validation.get();
  images.preprocessing = network_.preprocessing;
  images.augmentation = augmentation_;
  images.workers = speed_.workers;
  images.skip_broken = invocation_.flag("skip-broken");
  if (!job.data->fingerprint.empty()) images.cache = cache_.get();
  images.fingerprint = job.data->fingerprint;
  return images;
}

TrainedRun TrainingRuns::blank(const TrainingJob& job) const {
  TrainedRun run;
  run.name = job.name;
  run.model = network_.architecture.name;
  run.dataset = job.data->name;
  run.protocol = job.protocol;
  run.seed = job.seed;
  run.split = job.data->judged_split();
  run.kept = kept_names()[static_cast<size_t>(job.recipe.kept)];
  return run;
}

std::vector<TrainedRun> TrainingRuns::run() {
  std::vector<TrainedRun> all;
  for (const TrainingJob& job : jobs_) {
    if (const TrainedRun* before = finished(job.name)) {
      if (before->settings != identity_of(job, job.start())) {
        throw UsageError(job.name +
                         " was finished with other settings or images: another --name or "
                         "--results begins anew");
      }
      invocation_.err << job.name << " is finished already\n";
      all.push_back(*before);
      continue;
    }
    try {
      all.push_back(train(job));
    } catch (const Interrupted&) {
      interrupted_ = true;
      break;
    } catch (const TrainingDiverged& error) {
      all.push_back(failed(job, error.what()));
    } catch (const BrokenImage& error) {
      all.push_back(failed(job, error.what()));
    }
    if (!runs_) continue;
    runs_->write(cells(run_columns(), all.back()));
    // The row is what says that it is finished. One that diverged leaves its last checkpoint.
    if (all.back().reason.empty()) fs::remove(checkpoint_of(job.name));
  }
  return all;
}

/// Once for the runs of a protocol.
void TrainingRuns::print_plan(const TrainingJob& job, const Trainer& trainer) {
  if (std::count(planned_.begin(), planned_.end(), job.protocol)) return;
  planned_.push_back(job.protocol);
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
  std::ostream& err = invocation_.err;
  const TrainingData& data = *job.data;
  err << job.protocol << ": " << trained << " parameters trained, " << frozen << " frozen\n"
      << "rates: " << joined(rates) << "\n";
  if (!below.empty()) {
    err << "frozen: " << joined(below)
        << "; batch normalisation there: " << to_string(job.recipe.norms) << "\n";
  }
  const auto count = [](const std::shared_ptr<const Dataset>& images) {
    return images ? std::to_string(images->size()) : "none";
  };
  err << "images: " << data.train->size() << " to train on, " << to_string(augmentation_) << "; "
      << count(data.validation) << " to validate; " << count(data.test) << " to test\n";
}

/// The trainer's whole state, under the job's name.
void TrainingRuns::save(const TrainingJob& job, const Trainer& trainer) {
  if (!results_.empty()) trainer.save(checkpoint_of(job.name));
}

EpochResult TrainingRuns::run_epoch(const TrainingJob& job, Trainer& trainer) {
  const std::string label = job.name + " epoch " + std::to_string(trainer.epochs() + 1) + "/" +
                            std::to_string(job.recipe.epochs());
  restart_peak_memory();
  EpochResult result;
  {
    Progress progress(invocation_.err, label, static_cast<int64_t>(job.data->train->size()),
                      "images");
    Progress features(invocation_.err, job.name + " features", 0, "images");
    Clock::time_point saved = Clock::now();
    TrainingEvents events;
    events.step = [&](int64_t done, double loss, double top1) {
      progress.remark("loss " + human_text(Cell(loss), Human::plain) + ", top-1 " +
                      human_text(percent(top1), Human::plain) + " %");
      progress.update(done);
      try {
        InterruptGuard::check();
      } catch (const Interrupted&) {
        save(job, trainer);
        throw;
      }
      if (std::chrono::duration<double>(Clock::now() - saved).count() < save_every_) return;
      save(job, trainer);
      saved = Clock::now();
    };
    events.features = [&](int64_t done, int64_t of) {
      InterruptGuard::check();
      features.update(done, of);
    };
    result = trainer.run_epoch(events);
  }
  const auto number = [](double value) { return human_text(Cell(value), Human::plain); };
  const auto share_text = [](double value) { return human_text(percent(value), Human::plain); };
  invocation_.err << label << ": loss " << number(result.train_loss) << ", top-1 "
                  << share_text(result.train_top1) << " %";
  if (job.data->validation) {
    invocation_.err << "; val loss " << number(result.validation.loss) << ", top-1 "
                    << share_text(share(result.validation.top1, result.validation.images).value)
                    << " %";
  }
  invocation_.err << "; " << number(static_cast<double>(result.images) / result.seconds)
                  << " images/s\n";
  return result;
}

TrainedRun TrainingRuns::train(const TrainingJob& job) {
  const TrainingStart start = job.start();
  Trainer trainer(start, job.recipe, images_of(job));
  TrainedRun run = blank(job);
  run.settings = identity_of(job, start);
  const fs::path checkpoint = checkpoint_of(job.name);
  if (!results_.empty() && invocation_.flag("resume")) {
    if (fs::exists(checkpoint)) trainer.restore(checkpoint);
    // Rows of what the checkpoint does not have come again.
    const auto keep = [&](const CsvFile& csv, const CsvRow& row) {
      return row.fields.at(column_index(csv, "run")) != job.name ||
             std::stoll(row.fields.at(column_index(csv, "epoch"))) <= trainer.epochs();
    };
    epochs_ = open_pruned_record(results_, "epochs.csv", column_names(epoch_columns()),
                                 invocation_.err, keep);
    const CsvFile file = read_csv(results_ / "epochs.csv");
    const auto names = texts(file, "run");
    const auto seconds = numbers(file, "seconds");
    for (size_t i = 0; i < names.size(); ++i) run.seconds += names[i] == job.name ? seconds[i] : 0;
    if (trainer.epochs() > 0 || trainer.images_of_epoch() > 0) {
      invocation_.err << job.name << ": goes on after epoch " << trainer.epochs();
      if (trainer.images_of_epoch() > 0) {
        invocation_.err << " and " << trainer.images_of_epoch() << " images";
      }
      invocation_.err << "\n";
    }
  }
  print_plan(job, trainer);
  while (!trainer.finished()) {
    const EpochResult result = run_epoch(job, trainer);
    // In this order: a row without its checkpoint is dropped on --resume, and written again.
    if (epochs_) {
      epochs_->write(cells(epoch_columns(), EpochRow{run, result, peak_private_memory()}));
    }
    save(job, trainer);
    InterruptGuard::check();
    run.seconds += result.seconds;
  }
  run.epochs = trainer.epochs();
  run.best = trainer.best();
  if (run.epochs < job.recipe.epochs()) {
    invocation_.err << job.name << ": stopped, " << job.recipe.patience
                    << " epochs without a better one than epoch " << run.best.epoch << "\n";
  }
  trainer.keep_the_best();
  if (const auto moved = trainer.moved_frozen_tensors(); !moved.empty()) {
    throw std::runtime_error("frozen weights have changed: " + joined(moved));
  }
  if (const Dataset* judged = job.data->judged()) {
    std::vector<JudgedImage> images_judged;
    run.result = trainer.evaluate(*judged, &images_judged);
    record_judgement(job, images_judged);
  }
  if (!results_.empty() && job.is_kept) {
    trainer.write_weights(results_ / (job.name + ".safetensors"));
    trainer.write_weights(results_ / (job.name + ".pth"));
  }
  return run;
}

void TrainingRuns::record_judgement(const TrainingJob& job,
                                    const std::vector<JudgedImage>& judged) {
  if (!predictions_) return;
  const Dataset& dataset = *job.data->judged();
  const std::vector<std::string>& classes = dataset.classes();
  const auto class_of = [&](int64_t index) { return classes.at(static_cast<size_t>(index)); };
  std::map<std::pair<int64_t, int64_t>, int64_t> counts;
  for (const JudgedImage& one : judged) {
    ++counts[{one.label, one.guess}];
    if (!job.is_kept) continue;
    predictions_->write(cells(prediction_columns(),
                              PredictionRow{job.name, dataset.name(one.place), class_of(one.label),
                                            class_of(one.guess), one.probability}));
  }
  for (const auto& [pair, images] : counts) {
    confusion_->write(cells(confusion_columns(), ConfusionRow{job.name, class_of(pair.first),
                                                              class_of(pair.second), images}));
  }
}

void list_jobs(const std::vector<TrainingJob>& jobs, std::ostream& out) {
  for (const TrainingJob& job : jobs) {
    out << job.name << ": " << job.recipe.epochs() << " epochs on " << job.data->train->size()
        << " images\n";
  }
}

double blind_guess(const Dataset& train, const Dataset& judged) {
  std::vector<int64_t> counts(train.classes().size());
  for (size_t i = 0; i < train.size(); ++i) ++counts[static_cast<size_t>(train.label(i))];
  const auto likeliest_class = std::max_element(counts.begin(), counts.end()) - counts.begin();
  int64_t right = 0;
  for (size_t i = 0; i < judged.size(); ++i) right += judged.label(i) == likeliest_class;
  return static_cast<double>(right) / static_cast<double>(judged.size());
}

}  // namespace convscope
