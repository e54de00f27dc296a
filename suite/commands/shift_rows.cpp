#include "suite/commands/shift_rows.h"

#include <algorithm>
#include <cmath>
#include <optional>
#include <utility>

#include "suite/commands/inference_options.h"
#include "suite/inference/evaluation.h"

namespace convscope {
namespace {

constexpr const char* answer = "answer";  // in the place of a layer's name

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

constexpr double most_distance = 2;

/// Of a mean of shares, in percent. Student's interval knows nothing where all images are alike, so
/// that there it is Wilson's.
std::pair<Cell, Cell> share_interval(const RunningMean& mean) {
  const auto interval = mean.interval();
  if (!interval) return {};
  if (interval->low < interval->high) {
    return {percent(std::max(interval->low, 0.0)), percent(std::min(interval->high, 1.0))};
  }
  const Share wilson =
      share(std::lround(mean.mean() * static_cast<double>(mean.count())), mean.count());
  return {percent(wilson.low), percent(wilson.high)};
}

struct ShiftRow {
  const ShiftCase* of;
  const ShiftFound* found;
  std::optional<size_t> layer;  ///< none: the answer
  size_t shift;                 ///< in the case's shifts

  const RunningMean& distance() const {
    return layer ? found->maps[*layer][shift].all : found->answers[shift].distance;
  }
  const ShiftFound::Answers& answers() const { return found->answers[shift]; }
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
  // One image says nothing of others.
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
       [](const R& r) { return r.layer ? Cell(r.of->layers[*r.layer].sides[1].stride) : Cell(); }},
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
      {"inner_distance", "", plain,
       of_map([](const ShiftFound::Maps& m) { return mean_of(m.inner); })},
      {"inner_low", "", plain, of_map([](const ShiftFound::Maps& m) { return low_of(m.inner); })},
      {"inner_high", "", plain,
       of_map([](const ShiftFound::Maps& m) { return high_of(m.inner, most_distance); })},
      {"same_as_built", "", plain, of_answer([](const R& r) {
         if (r.answers().compared == 0) return Cell();
         return percent(share(r.answers().as_built, r.answers().compared).value);
       })},
  };
}

}  // namespace

ShiftFound::ShiftFound(const ShiftCase& of, Downsampling one)
    : downsampling(one),
      shifts(of.shifts),
      maps(of.layers.size(), std::vector<Maps>(of.shifts.size())),
      answers(of.shifts.size()) {}

bool ShiftFound::add(const ShiftResponse& response, const ShiftResponse* as_built) {
  if (!is_finite(response)) {
    ++not_finite;
    return false;
  }
  for (size_t layer = 0; layer < response.maps.size(); ++layer) {
    for (size_t i = 0; i < shifts.size(); ++i) {
      const MapDistance& distance = response.maps[layer][i];
      Maps& means = maps[layer][i];
      if (distance.all) means.all.add(*distance.all);
      if (distance.inner) means.inner.add(*distance.inner);
    }
  }
  double distance = 0, change = 0, same = 0, agree = 0, moved = 0;
  for (size_t i = 0; i < shifts.size(); ++i) {
    const AnswerChange& answered = response.answers[i];
    const bool agrees = as_built && answered.top == as_built->answers[i].top;
    Answers& means = answers[i];
    means.distance.add(answered.distance);
    means.probability_change.add(answered.probability_change);
    means.same += answered.same;
    means.as_built += agrees;
    means.compared += as_built != nullptr;
    if (shifts[i] == 0) continue;
    distance += answered.distance;
    change += answered.probability_change;
    same += answered.same;
    agree += agrees;
    ++moved;
  }
  if (moved == 0) return true;
  over_shifts.distance.add(distance / moved);
  over_shifts.probability_change.add(change / moved);
  over_shifts.same.add(same / moved);
  if (as_built) over_shifts.as_built.add(agree / moved);
  return true;
}

Table shift_record(const ShiftCase& of, const std::vector<ShiftFound>& found) {
  std::vector<ShiftRow> rows;
  for (const ShiftFound& one : found) {
    for (size_t layer = 0; layer <= of.layers.size(); ++layer) {
      const bool is_answer = layer == of.layers.size();
      for (size_t i = 0; i < of.shifts.size(); ++i) {
        rows.push_back({&of, &one, is_answer ? std::nullopt : std::optional(layer), i});
      }
    }
  }
  return make_table(shift_columns(), rows);
}

Table shift_summary(const ShiftCase& of, const std::vector<ShiftFound>& found) {
  using R = ShiftFound;
  const Human plain = Human::plain;
  const Human if_compared = of.as_built && found.size() > 1 ? plain : Human::none;
  const auto in_percent = [](const RunningMean& mean) {
    return mean.count() > 0 ? percent(mean.mean()) : Cell();
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
        [=](const R& r) { return in_percent(r.over_shifts.same); }},
       {"top1_low", "from", plain,
        [](const R& r) { return share_interval(r.over_shifts.same).first; }},
       {"top1_high", "to", plain,
        [](const R& r) { return share_interval(r.over_shifts.same).second; }},
       {"same_as_built", "As built %", if_compared,
        [=](const R& r) { return in_percent(r.over_shifts.as_built); }},
       {"probability_change", "Probability moves by", plain,
        mean(&ShiftFound::OverShifts::probability_change)},
       {"distance", "Distance of logits", plain, mean(&ShiftFound::OverShifts::distance)},
       {"distance_low", "from", plain, [](const R& r) { return low_of(r.over_shifts.distance); }},
       {"distance_high", "to", plain,
        [](const R& r) { return high_of(r.over_shifts.distance, most_distance); }}},
      found);
}

}  // namespace convscope
