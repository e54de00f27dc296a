// convscope train: a network from scratch, or one with weights on images of one's own.
#include <algorithm>
#include <filesystem>
#include <ostream>

#include "architectures/nearest.h"
#include "suite/commands/command.h"
#include "suite/commands/inference_options.h"
#include "suite/commands/network_options.h"
#include "suite/commands/output.h"
#include "suite/commands/progress.h"
#include "suite/commands/training_data.h"
#include "suite/commands/training_options.h"
#include "suite/commands/training_run.h"
#include "suite/report/table.h"
#include "suite/report/text.h"
#include "suite/timing/bench_process.h"
#include "suite/timing/statistics.h"
#include "suite/training/trainer.h"
#include "suite/weights/sha256.h"

namespace convscope {
namespace {

/// Everything that all runs of a command share.
struct Training {
  WeightedNetwork network;
  bool weighted;
  TrainingData data;
  Augmentation augmentation;
  Speed speed;
};

Training training_of(const Invocation& invocation, Protocol protocol) {
  Training training;
  training.weighted = protocol != Protocol::scratch || !invocation.text("weights").empty();
  training.network = training.weighted ? weighted_network(invocation, Needed::slopes)
                                       : untrained_network(invocation, Needed::slopes);
  training.data = training_data(invocation, training.network);
  const std::vector<std::string>& classes = training.data.train->classes();
  if (!invocation.list("only-classes").empty() || !invocation.text("per-class").empty()) {
    training.data =
        part_of(training.data, classes_named(invocation, "only-classes", classes),
                per_class(invocation), static_cast<uint64_t>(integer_from_0(invocation, "seed")));
  }
  const auto found = static_cast<int64_t>(training.data.train->classes().size());
  if (!invocation.text("classes").empty() && positive_integer(invocation, "classes") != found) {
    throw UsageError("--classes " + invocation.text("classes") + ", and the images have " +
                     std::to_string(found) + ": leave it out");
  }
  Settings& settings = training.network.fit.settings;
  settings.classes = found;
  if (training.weighted) {
    training.network.fit =
        fit(training.network.architecture, settings, training.network.file, /*keep_classes=*/true);
  }
  training.augmentation = augmentation_of(invocation, training.network.preprocessing);
  training.speed = training_speed(invocation, training.network);
  return training;
}

void print_summary(const std::vector<TrainedRun>& rows, std::ostream& err) {
  std::vector<std::string> protocols;
  for (const TrainedRun& row : rows) {
    if (!std::count(protocols.begin(), protocols.end(), row.protocol)) {
      protocols.push_back(row.protocol);
    }
  }
  for (const std::string& protocol : protocols) {
    std::vector<double> shares;
    for (const TrainedRun& row : rows) {
      if (row.protocol != protocol || !row.reason.empty() || row.result.images == 0) continue;
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

TrainingStart start_of(const Training& training, bool weighted) {
  TrainingStart start{training.network.architecture, training.network.fit.settings, nullptr, {}};
  if (weighted) {
    start.weights = std::make_shared<WeightsFile>(training.network.file);
    start.match = training.network.fit.match;
  }
  return start;
}

/// A trainer that learns at growing rates, and what its losses suggest.
int find_rate(const Invocation& invocation, const Training& training, const Recipe& recipe) {
  const std::string started = utc_now();
  Output output(invocation);
  TrainingImages images;
  images.train = training.data.train.get();
  images.preprocessing = training.network.preprocessing;
  images.augmentation = training.augmentation;
  images.workers = training.speed.workers;
  images.skip_broken = invocation.flag("skip-broken");
  Trainer trainer(start_of(training, training.weighted), recipe, images);
  const RangeTest range;
  std::vector<RatePoint> points;
  {
    Progress progress(invocation.err, "learning rates", range.steps, "steps");
    TrainingEvents events;
    events.step = [&](int64_t done, double, double) {
      InterruptGuard::check();
      progress.update(done);
    };
    points = trainer.range_test(range, events);
  }
  const std::vector<Column<RatePoint>> point_columns = {
      {"lr", "", Human::none, [](const RatePoint& p) { return Cell(p.rate); }},
      {"loss", "", Human::none, [](const RatePoint& p) { return Cell(p.loss); }},
      {"smoothed_loss", "", Human::none, [](const RatePoint& p) { return Cell(p.smoothed); }},
  };
  const std::vector<Column<RateSuggestion>> suggestion_columns = {
      {"rule", "Rule", Human::plain, [](const RateSuggestion& s) { return Cell(s.rule); }},
      {"lr", "Learning rate", Human::plain, [](const RateSuggestion& s) { return Cell(s.rate); }},
  };
  const std::vector<RateSuggestion> suggested = suggestions(points);
  if (suggested.empty()) {
    invocation.err << "convscope: the loss exploded after " << points.size()
                   << " steps: nothing to suggest\n";
    return some_failed;
  }
  output.print(make_table(suggestion_columns, suggested));
  if (const std::string& folder = invocation.text("results"); !folder.empty()) {
    const auto record = open_record(folder, "lr_range.csv", column_names(point_columns),
                                    /*resume=*/false, invocation.err);
    for (const RatePoint& point : points) record->write(cells(point_columns, point));
    const auto rates = open_record(folder, "lr_suggestions.csv", column_names(suggestion_columns),
                                   /*resume=*/false, invocation.err);
    for (const RateSuggestion& one : suggested) rates->write(cells(suggestion_columns, one));
    record_run(folder, invocation, started, "find-lr");
  }
  return done;
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
  if (invocation.flag("controls") && protocol == Protocol::scratch) {
    throw UsageError("--controls are what a transfer is compared with; --protocol scratch is one");
  }
  const InterruptGuard interruptible;
  const Training training = training_of(invocation, protocol);
  const auto usual = [&](Protocol of) {
    Recipe recipe = recipe_of(invocation, of, training.speed.threads);
    recipe.batch = training.speed.batch;
    if (!training.augmentation.changes()) recipe.copies = 1;
    return recipe;
  };
  Recipe recipe = usual(protocol);
  recipe.top_stages = positive_integer(invocation, "top");
  recipe.probe_epochs = positive_integer(invocation, "probe-epochs");
  if (invocation.flag("find-lr")) {
    if (invocation.flag("dry-run")) {
      invocation.out << "learning rates, " << RangeTest().steps << " steps\n";
      return done;
    }
    recipe.kept = Kept::last;  // there is nothing to choose
    recipe.patience = 0;
    return find_rate(invocation, training, recipe);
  }

  std::vector<int64_t> seeds = positive_integers(invocation, "seeds");
  if (seeds.empty()) seeds = {1};
  const std::string& model = training.network.architecture.name;
  const std::string name = name_of_runs(invocation, model);
  std::vector<TrainingJob> jobs;
  const auto add = [&](const std::string& label, const Recipe& how, bool weighted) {
    for (const int64_t seed : seeds) {
      jobs.push_back({name + "-" + label + "-" + std::to_string(seed), label, how, &training.data,
                      [&training, weighted] { return start_of(training, weighted); },
                      static_cast<uint64_t>(seed)});
      jobs.back().recipe.seed = static_cast<uint64_t>(seed);
    }
  };
  add(said, recipe, training.weighted);
  if (invocation.flag("controls")) {
    for (const auto& [label, of] :
         {std::pair("random-features", Protocol::probe), std::pair("scratch", Protocol::scratch)}) {
      Recipe control = usual(of);
      control.fixed_statistics = false;  // there are none to keep
      add(label, control, /*weighted=*/false);
    }
  }
  if (invocation.flag("dry-run")) {
    list_jobs(jobs, invocation.out);
    return done;
  }
  Output output(invocation);
  TrainingRuns runs(invocation, training.network, training.speed, training.augmentation, jobs);
  const std::vector<TrainedRun> rows = runs.run();
  if (!rows.empty()) output.print(make_table(run_columns(), rows));
  print_summary(rows, invocation.err);
  if (const Dataset* judged = training.data.judged()) {
    invocation.err << "a blind guess is right about "
                   << human_text(percent(blind_guess(*training.data.train, *judged)), Human::plain)
                   << " %\n";
  }
  if (const std::string& folder = invocation.text("results"); !folder.empty()) {
    std::vector<std::pair<std::string, std::string>> facts;
    if (training.weighted) {
      facts.emplace_back("weights_sha256", sha256_of(training.network.file.path));
    }
    record_run(folder, invocation, started, name + " " + said, facts);
  }
  return runs.exit_code(rows);
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
          "also train the head on random frozen features, and everything from scratch")(
          "auxiliary", po::bool_switch(),
          "with the heads that only training uses, if there are any")(
          "find-lr", po::bool_switch(),
          "learn at growing rates instead, and suggest one; --results keeps the curve");
  add_weights_options(command.options);
  add_data_options(command.options);
  add_training_data_options(command.options);
  add_speed_options(command.options, "32");
  add_recipe_options(command.options);
  add_record_options(command.options, "2GiB");
  add_output_options(command.options);
  return command;
}

}  // namespace convscope
