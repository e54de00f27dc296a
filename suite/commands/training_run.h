// Runs of training and their records: what train and transfer share.
#pragma once

#include <filesystem>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "suite/commands/command.h"
#include "suite/commands/inference_options.h"
#include "suite/report/csv_file.h"
#include "suite/training/trainer.h"

namespace convscope {

/// The images of a run, split by what they are for.
struct TrainingData {
  std::string name;
  std::shared_ptr<const Dataset> train, validation, test;  ///< the last two may be null
  std::string fingerprint;  ///< of the training and validation images; "" if not known

  /// What the result is of: the test images, or else the validation images, or null.
  const Dataset* judged() const { return test ? test.get() : validation.get(); }
  std::string judged_split() const { return test ? "test" : validation ? "val" : "none"; }
};

/// One network to be trained once.
struct TrainingJob {
  std::string name;  ///< of its files and rows
  std::string protocol;
  Recipe recipe;
  const TrainingData* data;
  /// What it begins with; called when its turn comes, since that may be another job's result.
  std::function<TrainingStart()> start;
  uint64_t seed;  ///< that the user gave, from which the recipe's own may be derived
  /// Its weights and predictions, in --results. One that is only compared with others leaves no
  /// more than its rows.
  bool is_kept = true;
};

/// How a job ended.
struct TrainedRun {
  std::string name, model, dataset, protocol;
  uint64_t seed = 0;
  std::string split;
  Evaluation result;  ///< no more than the counts and the loss, where an earlier command ran it
  int64_t epochs = 0;
  BestEpoch best;
  std::string kept;  ///< "last" or "best": which epoch's weights
  double seconds = 0;
  std::string reason;    ///< why it failed; "" if it did not
  std::string settings;  ///< a hash of everything that the result depends on
};
std::vector<Column<TrainedRun>> run_columns();

/// Trains jobs one after the other and records them in --results, where that is given.
class TrainingRuns {
 public:
  /// Throws UsageError if a job has rows already and --resume is not given.
  TrainingRuns(const Invocation& invocation, const WeightedNetwork& network, const Speed& speed,
               const Augmentation& augmentation, const std::vector<TrainingJob>& jobs);
  ~TrainingRuns();

  /// The jobs that are there, run or found finished. A job that diverges is recorded as failed.
  /// After Ctrl-C those that follow are not begun.
  std::vector<TrainedRun> run();

  /// Of the command, after run() gave these. Says on the log where it was interrupted.
  int exit_code(const std::vector<TrainedRun>& runs) const;

 private:
  TrainedRun train(const TrainingJob& job);
  void print_plan(const TrainingJob& job, const Trainer& trainer);
  EpochResult run_epoch(const TrainingJob& job, Trainer& trainer);
  void save(const TrainingJob& job, const Trainer& trainer);
  std::filesystem::path checkpoint_of(const std::string& job) const;
  void record_judgement(const TrainingJob& job, const std::vector<JudgedImage>& judged);
  TrainedRun blank(const TrainingJob& job) const;
  TrainedRun failed(const TrainingJob& job, const std::string& reason) const;
  TrainingImages images_of(const TrainingJob& job) const;
  std::string identity_of(const TrainingJob& job, const TrainingStart& start) const;
  const TrainedRun* finished(const std::string& name) const;

  const Invocation& invocation_;
  const WeightedNetwork& network_;
  Speed speed_;
  Augmentation augmentation_;
  const std::vector<TrainingJob>& jobs_;
  std::filesystem::path results_;
  std::unique_ptr<FeatureCache> cache_;
  std::unique_ptr<CsvWriter> epochs_, runs_, predictions_, confusion_;
  std::vector<TrainedRun> finished_;  ///< by earlier commands
  std::vector<std::string> planned_;  ///< the protocols whose plan was printed
  double save_every_;
  bool interrupted_ = false;
};

/// What --dry-run prints.
void list_jobs(const std::vector<TrainingJob>& jobs, std::ostream& out);

/// The share of an image set that is right without looking: always the class that most training
/// images have.
double blind_guess(const Dataset& train, const Dataset& judged);

}  // namespace convscope
