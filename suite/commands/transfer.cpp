// convscope transfer: how well each depth of a network transfers, by the experiment of Yosinski et
// al. (2014, "How transferable are features in deep neural networks?").
#include <algorithm>
#include <cmath>
#include <functional>
#include <map>
#include <ostream>

#include "architectures/nearest.h"
#include "suite/analysis/stages.h"
#include "suite/commands/command.h"
#include "suite/commands/inference_options.h"
#include "suite/commands/network_options.h"
#include "suite/commands/output.h"
#include "suite/commands/training_data.h"
#include "suite/commands/training_options.h"
#include "suite/commands/training_run.h"
#include "suite/data/random.h"
#include "suite/report/table.h"
#include "suite/report/text.h"
#include "suite/timing/bench_process.h"
#include "suite/timing/statistics.h"

namespace convscope {
namespace {

/// Where the lower stages of a network come from.
enum class Source { base_a, base_b, random };

/// A network of the experiment: the stages below `cut` from a source, the others new, trained on B.
struct Treatment {
  Source source;
  int64_t cut;  ///< from 1
  bool tuned;   ///< the stages below it are trained on, too

  /// "A3B", "B3B+"; "R3B" has random stages.
  std::string name() const {
    return std::string(1, "ABR"[static_cast<size_t>(source)]) + std::to_string(cut) + "B" +
           (tuned ? "+" : "");
  }
};

/// The classes of the two halves.
struct Division {
  std::vector<int64_t> a, b;
};

Division random_halves(size_t classes, int64_t split) {
  std::vector<int64_t> order(classes);
  for (size_t i = 0; i < classes; ++i) order[i] = static_cast<int64_t>(i);
  Random random(static_cast<uint64_t>(split));
  shuffle(order, random);
  const auto middle = order.begin() + static_cast<long>(classes / 2);
  Division division{{order.begin(), middle}, {middle, order.end()}};
  std::sort(division.a.begin(), division.a.end());
  std::sort(division.b.begin(), division.b.end());
  return division;
}

/// A is what --half-a names.
Division chosen_halves(const Invocation& invocation, const std::vector<std::string>& classes) {
  Division division;
  division.a = classes_named(invocation, "half-a", classes);
  for (size_t i = 0; i < classes.size(); ++i) {
    const auto label = static_cast<int64_t>(i);
    if (!std::count(division.a.begin(), division.a.end(), label)) division.b.push_back(label);
  }
  return division;
}

/// One division of the classes, trained with one seed.
struct Trial {
  std::string name;  ///< of the experiment
  int64_t split, seed;
  TrainingData a, b;

  std::string job(const std::string& network) const {
    return name + "-s" + std::to_string(split) + "-" + network + "-" + std::to_string(seed);
  }
};

/// A finished network of the experiment.
struct TransferRow {
  const Trial* trial;
  std::string model, stage;
  Treatment treatment;
  double top1, base_top1;  ///< in percent, of the same test images
  int64_t images;

  double difference() const { return top1 - base_top1; }
};

std::vector<Column<TransferRow>> transfer_columns() {
  using R = TransferRow;
  return {
      {"name", "", Human::none, [](const R& r) { return Cell(r.trial->name); }},
      {"model", "", Human::none, [](const R& r) { return Cell(r.model); }},
      {"dataset", "", Human::none, [](const R& r) { return Cell(r.trial->b.name); }},
      {"split", "", Human::none, [](const R& r) { return Cell(r.trial->split); }},
      {"seed", "", Human::none, [](const R& r) { return Cell(r.trial->seed); }},
      {"network", "", Human::none, [](const R& r) { return Cell(r.treatment.name()); }},
      {"source", "", Human::none,
       [](const R& r) {
         static const char* const names[] = {"A", "B", "random"};
         return Cell(std::string(names[static_cast<size_t>(r.treatment.source)]));
       }},
      {"tuned", "", Human::none, [](const R& r) { return Cell(int64_t{r.treatment.tuned}); }},
      {"cut", "", Human::none, [](const R& r) { return Cell(r.treatment.cut); }},
      {"stage", "", Human::none, [](const R& r) { return Cell(r.stage); }},
      {"images", "", Human::none, [](const R& r) { return Cell(r.images); }},
      {"top1", "", Human::none, [](const R& r) { return Cell(r.top1); }},
      {"base_top1", "", Human::none, [](const R& r) { return Cell(r.base_top1); }},
  };
}

/// Differences of top-1 in points over the trials, as people read them.
struct Spread {
  std::vector<double> values;

  bool empty() const { return values.empty(); }
  double middle() const { return median(values); }
  double low() const { return *std::min_element(values.begin(), values.end()); }
  double high() const { return *std::max_element(values.begin(), values.end()); }
  std::string text() const {
    if (empty()) return "-";
    const auto points = [](double value) {
      return (value > 0 ? "+" : "") + human_text(Cell(std::round(value * 10) / 10), Human::plain);
    };
    return points(middle()) + " (" + points(low()) + " to " + points(high()) + ")";
  }
};

Spread spread_of(const std::vector<TransferRow>& rows, Source source, bool tuned, int64_t cut) {
  Spread spread;
  for (const TransferRow& row : rows) {
    if (row.treatment.source == source && row.treatment.tuned == tuned &&
        row.treatment.cut == cut) {
      spread.values.push_back(row.difference());
    }
  }
  return spread;
}

/// A row for each cut: how far each kind of network is from the base, over the trials.
struct CutRow {
  int64_t cut;
  std::string below;
  Spread bnb, bnb_tuned, anb, anb_tuned, random;
};

std::vector<Column<CutRow>> cut_columns() {
  using R = CutRow;
  return {
      {"cut", "Cut", Human::plain, [](const R& r) { return Cell(r.cut); }},
      {"stages", "Taken", Human::plain, [](const R& r) { return Cell(r.below); }},
      {"bnb", "BnB", Human::plain, [](const R& r) { return Cell(r.bnb.text()); }},
      {"bnb_tuned", "BnB+", Human::plain, [](const R& r) { return Cell(r.bnb_tuned.text()); }},
      {"anb", "AnB", Human::plain, [](const R& r) { return Cell(r.anb.text()); }},
      {"anb_tuned", "AnB+", Human::plain, [](const R& r) { return Cell(r.anb_tuned.text()); }},
      {"random", "Random", Human::plain, [](const R& r) { return Cell(r.random.text()); }},
  };
}

/// A part of what the paper found, and whether it is here.
struct Finding {
  std::string name, claim;
  Spread points;   ///< of the difference that the claim is about
  int64_t agrees;  ///< trials in which it has the claimed sign
};

std::vector<Column<Finding>> finding_columns() {
  using R = Finding;
  return {
      {"name", "", Human::none, [](const R& r) { return Cell(r.name); }},
      {"claim", "Published finding", Human::plain, [](const R& r) { return Cell(r.claim); }},
      {"points", "Median difference, in points", Human::none,
       [](const R& r) { return r.points.empty() ? Cell() : Cell(r.points.middle()); }},
      {"low", "", Human::none,
       [](const R& r) { return r.points.empty() ? Cell() : Cell(r.points.low()); }},
      {"high", "", Human::none,
       [](const R& r) { return r.points.empty() ? Cell() : Cell(r.points.high()); }},
      {"agrees", "", Human::none, [](const R& r) { return Cell(r.agrees); }},
      {"trials", "", Human::none,
       [](const R& r) { return Cell(static_cast<int64_t>(r.points.values.size())); }},
  };
}

/// The published signature, looked for in pairs of networks of one trial.
std::vector<Finding> findings(const std::vector<TransferRow>& rows, int64_t cuts) {
  using Points = std::map<const Trial*, double>;
  const auto of = [&](Source source, bool tuned, int64_t cut) {
    Points points;
    for (const TransferRow& row : rows) {
      const Treatment& t = row.treatment;
      if (t.source == source && t.tuned == tuned && t.cut == cut) {
        points[row.trial] = row.difference();
      }
    }
    return points;
  };
  const auto add = [&](std::vector<Finding>& all, const std::string& claim, const Points& one,
                       const Points& other, int sign) {
    Finding finding{rows.front().trial->name, claim, {}, 0};
    for (const auto& [trial, points] : one) {
      const auto found = other.find(trial);
      if (found == other.end()) continue;
      const double difference = points - found->second;
      finding.points.values.push_back(difference);
      finding.agrees += sign * difference > 0;
    }
    all.push_back(finding);
  };
  std::vector<Finding> all;
  const std::string last = std::to_string(cuts);
  const auto deep = of(Source::base_a, false, cuts), shallow = of(Source::base_a, false, 1);
  add(all, "features of A lose with depth: A" + last + "B below A1B", deep, shallow, -1);
  add(all, "they are less than the base's own there: A" + last + "B below B" + last + "B", deep,
      of(Source::base_b, false, cuts), -1);
  add(all, "trained on, they do not lose: A" + last + "B+ above A" + last + "B",
      of(Source::base_a, true, cuts), deep, 1);
  Points base;
  for (const TransferRow& row : rows) base[row.trial] = 0;
  add(all, "and are no worse than new ones: A" + last + "B+ above baseB",
      of(Source::base_a, true, cuts), base, 1);
  const int64_t middle = (cuts + 1) / 2;
  add(all,
      "splitting layers that fit each other costs: B" + std::to_string(middle) + "B below baseB",
      of(Source::base_b, false, middle), base, -1);
  add(all, "random features are worse than A's: R" + last + "B below A" + last + "B",
      of(Source::random, false, cuts), deep, -1);
  return all;
}

/// The lower stages of a finished base, for a network on the classes of B.
TrainingStart start_from(const Architecture& architecture, const Settings& settings,
                         const std::filesystem::path& base, int64_t cut) {
  if (!std::filesystem::exists(base)) {
    throw TrainingDiverged("its base " + base.stem().string() + " is not there");
  }
  TrainingStart start{
      architecture, settings, std::make_shared<WeightsFile>(read_weights(base)), {}};
  Fit whole = fit(architecture, settings, *start.weights, /*keep_classes=*/true);
  const std::vector<NetworkStage> stages = stages_of(architecture, settings);
  const auto is_taken = [&](const Match::Pair& pair) {
    const std::string& name = whole.tensors[pair.network].name;
    return std::any_of(stages.begin(), stages.begin() + cut, [&](const NetworkStage& stage) {
      return std::count(stage.tensors.begin(), stage.tensors.end(), name) > 0;
    });
  };
  for (const Match::Pair& pair : whole.match.pairs) {
    if (is_taken(pair)) {
      start.match.pairs.push_back(pair);
    } else {
      start.match.missing.push_back(pair.network);
    }
  }
  // The head, where the halves differ in size.
  for (const Match::Pair& pair : whole.match.misshapen) {
    start.match.missing.push_back(pair.network);
  }
  return start;
}

/// Everything that is to be trained, bases first.
std::vector<TrainingJob> jobs_of(const Invocation& invocation, const WeightedNetwork& network,
                                 const Speed& speed, const Augmentation& augmentation,
                                 const std::vector<Trial>& trials,
                                 const std::vector<Treatment>& treatments, int64_t stage_count) {
  Recipe base = recipe_of(invocation, Protocol::scratch, speed.threads);
  base.batch = speed.batch;
  // Frozen stages, too, see each image augmented anew in each epoch.
  base.copies = augmentation.changes() ? base.epochs() : 1;
  const std::filesystem::path results = invocation.text("results");
  std::vector<TrainingJob> jobs;
  for (const Trial& trial : trials) {
    // Networks of one cut get the same images in the same order, and their new stages the same
    // values.
    const auto seeded = [&](Recipe recipe, int64_t cut) {
      recipe.seed = Random(static_cast<uint64_t>(trial.seed), static_cast<uint64_t>(trial.split),
                           static_cast<uint64_t>(cut))
                        .next() >>
                    32;
      return recipe;
    };
    const auto settings_for = [&](const TrainingData& data) {
      Settings settings = network.fit.settings;
      settings.classes = static_cast<int64_t>(data.train->classes().size());
      return settings;
    };
    const auto add = [&](const std::string& name, const Recipe& recipe, const TrainingData& data,
                         std::function<TrainingStart()> start) {
      jobs.push_back({trial.job(name), name, recipe, &data, std::move(start),
                      static_cast<uint64_t>(trial.seed)});
    };
    for (const auto& [name, data] : {std::pair("baseA", &trial.a), std::pair("baseB", &trial.b)}) {
      const Settings settings = settings_for(*data);
      add(name, seeded(base, 0), *data, [&network, settings] {
        return TrainingStart{network.architecture, settings, nullptr, {}};
      });
    }
    const Settings settings = settings_for(trial.b);
    for (const Treatment& treatment : treatments) {
      Recipe recipe = base;
      recipe.protocol = treatment.tuned ? Protocol::finetune : Protocol::partial;
      recipe.top_stages = stage_count - treatment.cut;
      const auto file =
          results /
          (trial.job(treatment.source == Source::base_a ? "baseA" : "baseB") + ".safetensors");
      add(treatment.name(), seeded(recipe, treatment.cut), trial.b,
          [&network, settings, file, treatment] {
            if (treatment.source != Source::random) {
              return start_from(network.architecture, settings, file, treatment.cut);
            }
            return TrainingStart{network.architecture, settings, nullptr, {}};
          });
      jobs.back().is_kept = false;
    }
  }
  return jobs;
}

std::vector<Trial> trials_of(const Invocation& invocation, const std::string& name,
                             const TrainingData& whole) {
  const std::vector<std::string>& classes = whole.train->classes();
  std::vector<int64_t> splits = positive_integers(invocation, "splits"),
                       seeds = positive_integers(invocation, "seeds");
  const bool chosen = !invocation.list("half-a").empty();
  if (chosen && !splits.empty()) {
    throw UsageError("--splits are random halves, and --half-a names one: --seeds repeats it");
  }
  if (splits.empty()) splits = {1};
  if (seeds.empty()) seeds = {1};
  std::vector<Trial> trials;
  for (const int64_t split : splits) {
    const Division division =
        chosen ? chosen_halves(invocation, classes) : random_halves(classes.size(), split);
    if (division.a.size() < 2 || division.b.size() < 2) {
      throw UsageError("each half needs two classes, and the data have " +
                       std::to_string(classes.size()) + ": " + std::to_string(division.a.size()) +
                       " and " + std::to_string(division.b.size()));
    }
    const auto half = [&](const std::vector<int64_t>& labels) {
      return part_of(whole, labels, per_class(invocation),
                     static_cast<uint64_t>(integer_from_0(invocation, "seed")));
    };
    for (const int64_t seed : seeds) {
      trials.push_back({name, split, seed, half(division.a), half(division.b)});
    }
  }
  return trials;
}

std::vector<Treatment> treatments_of(const Invocation& invocation, int64_t stage_count) {
  std::vector<int64_t> cuts = positive_integers(invocation, "cuts");
  for (const int64_t cut : cuts) {
    if (cut < stage_count) continue;
    throw UsageError("--cuts " + std::to_string(cut) + ": the network has " +
                     std::to_string(stage_count) + " stages, so the last cut is " +
                     std::to_string(stage_count - 1));
  }
  for (int64_t cut = 1; invocation.list("cuts").empty() && cut < stage_count; ++cut) {
    cuts.push_back(cut);
  }
  std::vector<Treatment> all;
  for (const int64_t cut : cuts) {
    all.push_back({Source::base_b, cut, false});
    all.push_back({Source::base_b, cut, true});
    all.push_back({Source::base_a, cut, false});
    all.push_back({Source::base_a, cut, true});
    all.push_back({Source::random, cut, false});
  }
  return all;
}

/// Those treatments whose network and base are there.
std::vector<TransferRow> rows_of(const std::vector<TrainedRun>& runs,
                                 const std::vector<Trial>& trials,
                                 const std::vector<Treatment>& treatments,
                                 const std::vector<NetworkStage>& stages) {
  std::map<std::string, const TrainedRun*> named;
  for (const TrainedRun& run : runs) {
    if (run.reason.empty()) named[run.name] = &run;
  }
  const auto top1 = [](const TrainedRun& run) {
    return 100 * share(run.result.top1, run.result.images).value;
  };
  std::vector<TransferRow> rows;
  for (const Trial& trial : trials) {
    const auto base = named.find(trial.job("baseB"));
    if (base == named.end()) continue;
    for (const Treatment& treatment : treatments) {
      const auto run = named.find(trial.job(treatment.name()));
      if (run == named.end()) continue;
      rows.push_back({&trial, run->second->model,
                      stages[static_cast<size_t>(treatment.cut) - 1].name, treatment,
                      top1(*run->second), top1(*base->second), run->second->result.images});
    }
  }
  return rows;
}

/// A record in which rows stay but for those that are about to be written anew.
template <class Row>
std::unique_ptr<CsvWriter> record_without(
    const Invocation& invocation, const std::string& file, const std::vector<Column<Row>>& columns,
    const std::function<bool(const std::function<std::string(const char*)>&)>& replaced) {
  return open_pruned_record(invocation.text("results"), file, column_names(columns), invocation.err,
                            [&](const CsvFile& csv, const CsvRow& row) {
                              return !replaced([&](const char* column) {
                                return row.fields.at(column_index(csv, column));
                              });
                            });
}

void report(const Invocation& invocation, Output& output, const std::vector<TransferRow>& rows,
            const std::vector<NetworkStage>& stages) {
  if (rows.empty()) return;
  const std::string& name = rows.front().trial->name;
  const auto record =
      record_without(invocation, "transfer.csv", transfer_columns(), [&](const auto& field) {
        return std::any_of(rows.begin(), rows.end(), [&](const TransferRow& row) {
          return field("name") == name && field("split") == std::to_string(row.trial->split) &&
                 field("seed") == std::to_string(row.trial->seed) &&
                 field("network") == row.treatment.name();
        });
      });
  for (const TransferRow& row : rows) record->write(cells(transfer_columns(), row));
  std::vector<CutRow> cuts;
  std::string below;
  for (size_t i = 0; i + 1 < stages.size(); ++i) {
    below += (i == 0 ? "" : ", ") + stages[i].name;
    const auto cut = static_cast<int64_t>(i) + 1;
    const auto of = [&](Source source, bool tuned) { return spread_of(rows, source, tuned, cut); };
    if (of(Source::base_a, false).empty()) continue;
    cuts.push_back({cut, below, of(Source::base_b, false), of(Source::base_b, true),
                    of(Source::base_a, false), of(Source::base_a, true),
                    of(Source::random, false)});
  }
  output.print(make_table(cut_columns(), cuts));
  std::vector<double> bases;
  for (const TransferRow& row : rows) bases.push_back(row.base_top1);
  invocation.err
      << "points of top-1 above or below baseB of the same trial, median (least to most); "
         "baseB is right about "
      << human_text(Cell(std::round(median(bases) * 10) / 10), Human::plain) << " %\n";
  const int64_t deepest = cuts.empty() ? 0 : cuts.back().cut;
  const auto found = findings(rows, deepest);
  const auto signature = record_without(invocation, "transfer_findings.csv", finding_columns(),
                                        [&](const auto& field) { return field("name") == name; });
  for (const Finding& finding : found) {
    signature->write(cells(finding_columns(), finding));
    if (finding.points.empty()) continue;
    invocation.err << (finding.agrees == static_cast<int64_t>(finding.points.values.size())
                           ? "yes: "
                       : finding.agrees == 0 ? "no:  "
                                             : "part: ")
                   << finding.claim << " in " << finding.agrees << " of "
                   << finding.points.values.size() << " trials, " << finding.points.text() << "\n";
  }
}

int run(const Invocation& invocation) {
  const std::string started = utc_now();
  if (invocation.text("results").empty()) {
    throw UsageError("transfer needs --results: the folder in which bases are kept and shared");
  }
  for (const char* option : {"weights", "classes", "class-names", "split"}) {
    if (invocation.text(option).empty()) continue;
    throw UsageError("--" + std::string(option) +
                     " does nothing here: bases are trained on halves of the data's classes");
  }
  const InterruptGuard interruptible;
  const WeightedNetwork network = untrained_network(invocation, Needed::slopes);
  const TrainingData whole = training_data(invocation, network);
  if (!whole.judged()) {
    throw UsageError(invocation.text("data") + " has no test and no validation images to judge by");
  }
  Settings settings = network.fit.settings;
  settings.classes = 2;
  const std::vector<NetworkStage> stages = stages_of(network.architecture, settings);
  const auto stage_count = static_cast<int64_t>(stages.size());
  const std::string name = name_of_runs(invocation, network.architecture.name);
  const std::vector<Trial> trials = trials_of(invocation, name, whole);
  const std::vector<Treatment> treatments = treatments_of(invocation, stage_count);
  const Speed speed = training_speed(invocation, network);
  const Augmentation augmentation = augmentation_of(invocation, network.preprocessing);
  const std::vector<TrainingJob> jobs =
      jobs_of(invocation, network, speed, augmentation, trials, treatments, stage_count);
  if (invocation.flag("dry-run")) {
    list_jobs(jobs, invocation.out);
    return done;
  }
  Output output(invocation);
  TrainingRuns runs(invocation, network, speed, augmentation, jobs);
  const std::vector<TrainedRun> finished = runs.run();
  report(invocation, output, rows_of(finished, trials, treatments, stages), stages);
  record_run(invocation.text("results"), invocation, started, name);
  return runs.exit_code(finished);
}

}  // namespace

Command transfer_command() {
  Command command{
      "transfer",
      "how well each depth transfers",
      "convscope transfer resnet20 --data procedural --splits 1-4 --results results/mine",
      {},
      {"model"},
      run};
  command.options.add_options()  //
      ("splits", list_value(),
       "random halves A and B of the classes, a number each: 1-4 (default: 1)")(
          "half-a", list_value(), "the classes of A instead, by name or number; B has the others")(
          "seeds", list_value(), "each split is trained with each: 1,2 (default: 1)")(
          "cuts", list_value(), "after which stages: 1,3 (default: all)")(
          "name", text_value(), "of the experiment and its runs (default: the network's)");
  add_weights_options(command.options);
  add_data_options(command.options);
  command.options.add_options()  //
      ("per-class", text_value(), "no more than so many training images of each class, by --seed");
  add_speed_options(command.options, "32");
  add_recipe_options(command.options);
  add_record_options(command.options, "none");
  add_output_options(command.options);
  return command;
}

}  // namespace convscope
