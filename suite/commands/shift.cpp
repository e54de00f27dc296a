// convscope shift: how far feature maps and answers move when the image does, and what another way
// of making maps smaller would change.
#include "suite/interpretation/shift.h"

#include <algorithm>
#include <cmath>
#include <filesystem>
#include <optional>
#include <ostream>
#include <set>

#include "architectures/nearest.h"
#include "suite/commands/command.h"
#include "suite/commands/network_options.h"
#include "suite/commands/output.h"
#include "suite/commands/picture_output.h"
#include "suite/commands/progress.h"
#include "suite/commands/subject.h"
#include "suite/inference/evaluation.h"
#include "suite/records/figures.h"
#include "suite/report/text.h"
#include "suite/timing/running_mean.h"
#include "suite/weights/sha256.h"

namespace convscope {
namespace {

namespace fs = std::filesystem;

constexpr const char* answer = "answer";  // in the place of a layer's name

/// Over the images, at one shift.
struct MapMeans {
  RunningMean all, inner;
};
struct AnswerMeans {
  RunningMean distance, probability_change;
  int64_t same = 0, as_built = 0;
};

/// Over the images, of the mean over the shifts.
struct OverShifts {
  RunningMean distance, probability_change, same, as_built;
};

/// What was found of one way of downsampling.
struct Found {
  Downsampling downsampling;
  std::vector<std::vector<MapMeans>> maps;  ///< [layer][shift]
  std::vector<AnswerMeans> answers;         ///< [shift]
  OverShifts over_shifts;
  int64_t not_finite = 0;  ///< images
};

struct Case {
  std::string model, weights, input;
  std::vector<MapLayer> layers;
  std::vector<int64_t> shifts;
  bool as_built;  ///< is among what is compared
};

std::vector<int64_t> shifts_asked_for(const Invocation& invocation, int64_t width) {
  std::vector<int64_t> shifts;
  if (invocation.list("shifts").empty()) {
    for (int64_t shift = 0; shift <= std::min<int64_t>(32, width / 4); ++shift) {
      shifts.push_back(shift);
    }
    return shifts;
  }
  shifts = integers_from_0(invocation, "shifts");
  std::sort(shifts.begin(), shifts.end());
  shifts.erase(std::unique(shifts.begin(), shifts.end()), shifts.end());
  if (shifts.back() >= width) {
    throw UsageError("--shifts " + std::to_string(shifts.back()) + ": the network sees " +
                     std::to_string(width) +
                     " pixels, of which none would stay; expected at most " +
                     std::to_string(width - 1));
  }
  return shifts;
}

std::vector<Downsampling> downsamplings_asked_for(const Invocation& invocation,
                                                  const LoadedNetwork& network) {
  const std::vector<Downsampling> offered = downsamplings(network.graph);
  const std::vector<std::string> asked = invocation.list("downsampling");
  if (asked.empty()) return offered;
  std::vector<std::string> names;
  for (const Downsampling one : offered) names.push_back(to_string(one));
  std::set<std::string> known;
  for (const Downsampling one : all_downsamplings()) known.insert(to_string(one));
  for (const std::string& name : asked) {
    if (std::count(names.begin(), names.end(), name)) continue;
    throw UsageError("--downsampling: " +
                     (known.count(name)
                          ? network.architecture.name + " is the same with '" + name + "'"
                          : "there is no '" + name + "'" + did_you_mean(name, names)) +
                     "; expected of " + joined(names));
  }
  std::vector<Downsampling> chosen;
  for (const Downsampling one : offered) {
    if (std::count(asked.begin(), asked.end(), to_string(one))) chosen.push_back(one);
  }
  return chosen;
}

std::vector<MapLayer> layers_asked_for(const Invocation& invocation, const LoadedNetwork& network) {
  if (invocation.list("at").empty()) return map_layers(network.graph);
  std::vector<MapLayer> layers;
  for (const std::string& name : invocation.list("at")) {
    try {
      layers.push_back(map_layer(network.graph, name));
    } catch (const std::invalid_argument& error) {
      throw UsageError(std::string("--at: ") + error.what());
    }
  }
  return layers;
}

bool is_finite(const ShiftResponse& response) {
  for (const auto& layer : response.maps) {
    for (const MapDistance& distance : layer) {
      if (distance.all && !std::isfinite(*distance.all)) return false;
    }
  }
  return std::all_of(response.answers.begin(), response.answers.end(),
                     [](const AnswerChange& change) {
                       return std::isfinite(change.distance + change.probability_change);
                     });
}

/// `as_built`: what the network itself answers; null where nobody asked.
void add(const ShiftResponse& response, const ShiftResponse* as_built,
         const std::vector<int64_t>& shifts, Found& found) {
  for (size_t layer = 0; layer < response.maps.size(); ++layer) {
    for (size_t i = 0; i < shifts.size(); ++i) {
      const MapDistance& distance = response.maps[layer][i];
      MapMeans& means = found.maps[layer][i];
      if (distance.all) means.all.add(*distance.all);
      if (distance.inner) means.inner.add(*distance.inner);
    }
  }
  double distance = 0, change = 0, same = 0, agree = 0, moved = 0;
  for (size_t i = 0; i < shifts.size(); ++i) {
    const AnswerChange& answered = response.answers[i];
    const bool agrees = as_built && answered.top == as_built->answers[i].top;
    AnswerMeans& means = found.answers[i];
    means.distance.add(answered.distance);
    means.probability_change.add(answered.probability_change);
    means.same += answered.same;
    means.as_built += agrees;
    if (shifts[i] == 0) continue;
    distance += answered.distance;
    change += answered.probability_change;
    same += answered.same;
    agree += agrees;
    ++moved;
  }
  if (moved == 0) return;
  found.over_shifts.distance.add(distance / moved);
  found.over_shifts.probability_change.add(change / moved);
  found.over_shifts.same.add(same / moved);
  found.over_shifts.as_built.add(agree / moved);
}

Cell mean_of(const RunningMean& mean) { return mean.count() > 0 ? Cell(mean.mean()) : Cell(); }

/// An end of the interval, which values from 0 to `most` cannot leave.
Cell low_of(const RunningMean& mean) {
  const auto interval = mean.interval();
  return interval ? Cell(std::max(interval->low, 0.0)) : Cell();
}
Cell high_of(const RunningMean& mean, double most) {
  const auto interval = mean.interval();
  return interval ? Cell(std::min(interval->high, most)) : Cell();
}

constexpr double most_distance = 2, most_share = 1;

struct ShiftRow {
  const Case* of;
  const Found* found;
  std::optional<size_t> layer;  ///< none: the answer
  size_t shift;                 ///< in the case's shifts

  const RunningMean& distance() const {
    return layer ? found->maps[*layer][shift].all : found->answers[shift].distance;
  }
  const AnswerMeans& answers() const { return found->answers[shift]; }
};

/// The columns of shift.csv; shares are in percent, with Wilson's 95 % interval.
std::vector<Column<ShiftRow>> shift_columns() {
  using R = ShiftRow;
  const Human plain = Human::plain;
  const auto of_map = [](auto get) {
    return [get](const R& r) { return r.layer ? get(r.found->maps[*r.layer][r.shift]) : Cell(); };
  };
  const auto of_answer = [](auto get) {
    return [get](const R& r) { return r.layer ? Cell() : get(r); };
  };
  const auto same = [](const R& r) { return share(r.answers().same, r.distance().count()); };
  // The same image shown to the same network gives the same answer, and one image no interval.
  const auto known = [](const R& r) { return r.distance().count() > 1; };
  return {
      {"model", "Network", plain, [](const R& r) { return Cell(r.of->model); }},
      {"weights", "", plain, [](const R& r) { return Cell(r.of->weights); }},
      {"input", "", plain, [](const R& r) { return Cell(r.of->input); }},
      {"downsampling", "", plain,
       [](const R& r) { return Cell(to_string(r.found->downsampling)); }},
      {"layer", "", plain,
       [](const R& r) { return Cell(r.layer ? r.of->layers[*r.layer].name : answer); }},
      {"stride", "", plain,
       [](const R& r) { return r.layer ? Cell(r.of->layers[*r.layer].field.stride) : Cell(); }},
      {"shift", "", plain, [](const R& r) { return Cell(r.of->shifts[r.shift]); }},
      {"images", "", plain, [](const R& r) { return Cell(r.distance().count()); }},
      {"distance", "", plain, [](const R& r) { return mean_of(r.distance()); }},
      {"distance_low", "", plain, [](const R& r) { return low_of(r.distance()); }},
      {"distance_high", "", plain, [](const R& r) { return high_of(r.distance(), most_distance); }},
      {"top1_same", "", plain, of_answer([=](const R& r) { return percent(same(r).value); })},
      {"top1_low", "", plain,
       of_answer([=](const R& r) { return known(r) ? percent(same(r).low) : Cell(); })},
      {"top1_high", "", plain,
       of_answer([=](const R& r) { return known(r) ? percent(same(r).high) : Cell(); })},
      {"probability_change", "", plain,
       of_answer([](const R& r) { return mean_of(r.answers().probability_change); })},
      {"status", "", plain,
       [](const R& r) { return Cell(std::string(r.found->not_finite > 0 ? "failed" : "ok")); }},
      {"inner_distance", "", plain, of_map([](const MapMeans& m) { return mean_of(m.inner); })},
      {"inner_low", "", plain, of_map([](const MapMeans& m) { return low_of(m.inner); })},
      {"inner_high", "", plain,
       of_map([](const MapMeans& m) { return high_of(m.inner, most_distance); })},
      {"same_as_built", "", plain, of_answer([](const R& r) {
         if (!r.of->as_built) return Cell();
         return percent(share(r.answers().as_built, r.distance().count()).value);
       })},
  };
}

std::vector<ShiftRow> shift_rows(const Case& of, const std::vector<Found>& found) {
  std::vector<ShiftRow> rows;
  for (const Found& one : found) {
    for (size_t layer = 0; layer <= of.layers.size(); ++layer) {
      const bool is_answer = layer == of.layers.size();
      for (size_t i = 0; i < of.shifts.size(); ++i) {
        rows.push_back({&of, &one, is_answer ? std::nullopt : std::optional(layer), i});
      }
    }
  }
  return rows;
}

/// What people are shown: a row for each way of downsampling, over all shifts but 0.
Table summary(const Case& of, const std::vector<Found>& found) {
  using R = Found;
  const Human plain = Human::plain;
  const Human if_compared = of.as_built && found.size() > 1 ? plain : Human::none;
  const auto in_percent = [](const Cell& cell) {
    const auto* value = std::get_if<double>(&cell);
    return value ? percent(*value) : Cell();
  };
  const auto mean = [](auto part) {
    return [part](const R& r) { return mean_of(r.over_shifts.*part); };
  };
  return make_table<R>(
      {{"model", "Network", plain, [&](const R&) { return Cell(of.model); }},
       {"weights", "", Human::none, [&](const R&) { return Cell(of.weights); }},
       {"downsampling", "Downsampling", plain,
        [](const R& r) { return Cell(to_string(r.downsampling)); }},
       {"images", "Images", plain,
        [](const R& r) { return Cell(r.answers.at(0).distance.count()); }},
       {"shifts", "Shifts", plain,
        [&](const R&) {
          return Cell(static_cast<int64_t>(of.shifts.size()) - (of.shifts[0] == 0 ? 1 : 0));
        }},
       {"top1_same", "Same class %", plain,
        [=](const R& r) { return in_percent(mean_of(r.over_shifts.same)); }},
       {"top1_low", "from", plain,
        [=](const R& r) { return in_percent(low_of(r.over_shifts.same)); }},
       {"top1_high", "to", plain,
        [=](const R& r) { return in_percent(high_of(r.over_shifts.same, most_share)); }},
       {"same_as_built", "As built %", if_compared,
        [=](const R& r) { return in_percent(mean_of(r.over_shifts.as_built)); }},
       {"probability_change", "Probability moves by", plain, mean(&OverShifts::probability_change)},
       {"distance", "Distance of logits", plain, mean(&OverShifts::distance)},
       {"distance_low", "from", plain, [](const R& r) { return low_of(r.over_shifts.distance); }},
       {"distance_high", "to", plain,
        [](const R& r) { return high_of(r.over_shifts.distance, most_distance); }}},
      found);
}

void write_record(const Invocation& invocation, const Case& of, const std::vector<Found>& found) {
  const std::vector<std::string> own = {of.model, of.weights, of.input};
  const auto record =
      open_pruned_record(results_folder(invocation), "shift.csv", column_names(shift_columns()),
                         invocation.err, [&](const CsvFile&, const CsvRow& row) {
                           return !std::equal(own.begin(), own.end(), row.fields.begin());
                         });
  for (const ShiftRow& row : shift_rows(of, found)) record->write(cells(shift_columns(), row));
}

void draw(const Invocation& invocation, const std::string& model) {
  const Records records{results_folder(invocation), invocation.err, {model}};
  std::vector<RecordFigure> figures;
  for (const RecordFigure& figure : record_figures()) {
    if (figure.records == std::vector<std::string>{"shift.csv"}) figures.push_back(figure);
  }
  draw_pictures(invocation, made(figures, records, /*asked=*/true));
}

/// Goes through the images, one in memory at a time, and returns how many could not be read.
int64_t measure(const Invocation& invocation, const Subject& seen, const Case& of,
                const std::vector<fs::path>& images, std::vector<Found>& found) {
  const int64_t wider = of.shifts.back();
  int64_t failed = 0, ends = 0, done_with = 0;
  std::string first_failure;
  {
    Progress progress(invocation.err, of.model, static_cast<int64_t>(images.size()), "images");
    for (const fs::path& path : images) {
      try {
        const Photograph photo = photograph(path, seen.weighted, 0, 0, wider);
        const WideImage image{photo.values, seen.network.settings.image.width + wider};
        ends += photo.ends;
        std::optional<ShiftResponse> as_built;
        for (Found& one : found) {
          const ShiftResponse response =
              shift_response(seen.network, of.layers, one.downsampling, image, of.shifts);
          if (!is_finite(response)) {
            ++one.not_finite;
            continue;
          }
          if (one.downsampling == Downsampling::as_built) as_built = response;
          add(response, as_built ? &*as_built : nullptr, of.shifts, one);
        }
      } catch (const UsageError& error) {
        if (failed++ == 0) first_failure = error.what();
      }
      progress.update(++done_with);
    }
  }
  const auto all = static_cast<int64_t>(images.size());
  if (failed == all) throw UsageError(first_failure);
  if (failed > 0) {
    invocation.err << "warning: " << failed << " of " << all
                   << " images left out: " << first_failure << "\n";
  }
  if (ends > 0) {
    invocation.err << "note: " << ends << " of " << all - failed << " images end less than "
                   << wider << " pixels beside what the network sees; what lies beyond is black\n";
  }
  return failed;
}

int run(const Invocation& invocation) {
  const std::string started = utc_now();
  Output output(invocation);
  const std::vector<fs::path> images = images_of(invocation);
  const Subject seen = subject(invocation, /*head_needed=*/true);
  const LoadedNetwork& network = seen.network;
  const std::vector<Downsampling> compared = downsamplings_asked_for(invocation, network);
  const Case of{network.architecture.name,
                seen.weights,
                to_string(network.settings.image),
                layers_asked_for(invocation, network),
                shifts_asked_for(invocation, network.settings.image.width),
                compared[0] == Downsampling::as_built};
  check_picture_options(invocation);
  open_record(results_folder(invocation), "shift.csv", column_names(shift_columns()),
              /*resume=*/true, invocation.err);
  std::vector<Found> found;
  for (const Downsampling one : compared) {
    found.push_back({one, {of.layers.size(), std::vector<MapMeans>(of.shifts.size())}, {}, {}});
    found.back().answers.resize(of.shifts.size());
  }
  const int64_t failed = measure(invocation, seen, of, images, found);
  output.print(summary(of, found));
  write_record(invocation, of, found);
  std::vector<std::pair<std::string, std::string>> facts;
  if (!invocation.flag("untrained")) {
    facts.emplace_back("weights_sha256", sha256_of(seen.weighted.file.path));
  }
  record_run(results_folder(invocation), invocation, started, of.model, facts);
  draw(invocation, of.model);
  int64_t not_finite = 0;
  for (const Found& one : found) {
    if (one.not_finite == 0) continue;
    not_finite += one.not_finite;
    invocation.err << "convscope: " << of.model << " (" << to_string(one.downsampling)
                   << ") computes no finite number for " << one.not_finite << " of "
                   << images.size() << " images; they are left out\n";
  }
  return failed > 0 || not_finite > 0 ? some_failed : done;
}

}  // namespace

Command shift_command() {
  Command command{"shift",
                  "how far feature maps and answers move when the image does",
                  "convscope shift mobilenet_v2 --weights mobilenet_v2.pth photo.jpg",
                  {},
                  {"model", "image"},
                  run};
  add_subject_options(command.options);
  command.options.add_options()  //
      ("image", list_value(), "images, or folders of images")(
          "shifts", list_value(),
          "by how many pixels: 0-32, 0,8,16 (default: 0-32, on small images to a quarter of the "
          "width)")("at", list_value(),
                    "LAYERS: as 'cost --layers' names them, or what they are in (default: every "
                    "convolution and pooling)")(
          "downsampling", list_value(),
          "as-built, max, average, strided, blurred: what stands in the place of pooling and "
          "convolutions with a stride, with the same weights (default: all that change the "
          "network)");
  add_picture_options(command.options);
  add_output_options(command.options);
  return command;
}

}  // namespace convscope
