#include "suite/report/axis.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <stdexcept>

#include "suite/report/text.h"

namespace convscope::canvas {
namespace {

std::string tick_text(const Axis& axis, double value) {
  if (axis.ticks == TickText::si) return si_text(value);
  if (std::abs(value) >= 1e4 && std::abs(value) < 1e9) return fmt::format("{:.0f}", value);
  return fmt::format("{:.5g}", value);
}

std::vector<double> linear_ticks(Range range, int at_most, bool whole) {
  const double rough = (range.high - range.low) / at_most;
  double step = std::pow(10, std::floor(std::log10(rough)));
  if (whole) step = std::max(step, 1.0);
  for (const double factor : {1.0, 2.0, 2.5, 5.0, 10.0, 20.0}) {
    if (whole && step * factor != std::floor(step * factor)) continue;
    const double first = std::ceil(range.low / (step * factor) - 1e-9);
    const double last = std::floor(range.high / (step * factor) + 1e-9);
    if (last - first + 1 > at_most) continue;
    std::vector<double> values;
    // The sum with 0 turns -0 into 0.
    for (double k = first; k <= last; ++k) values.push_back(k * step * factor + 0.0);
    return values;
  }
  return {range.low, range.high};
}

std::vector<double> log_ticks(Range range, int at_most) {
  const int first = static_cast<int>(std::floor(std::log10(range.low)));
  const int last = static_cast<int>(std::ceil(std::log10(range.high)));
  const auto within = [&](const std::vector<double>& factors, int step) {
    std::vector<double> values;
    const int from = static_cast<int>(std::floor(first / static_cast<double>(step))) * step;
    for (int decade = from; decade <= last; decade += step)
      for (const double factor : factors) {
        const double value = factor * std::pow(10, decade);
        if (value >= range.low * (1 - 1e-9) && value <= range.high * (1 + 1e-9))
          values.push_back(value);
      }
    return values;
  };
  std::vector<double> values = within({1, 2, 5}, 1);
  for (const int step : {1, 2, 5, 10, 20, 50, 100, 200})
    if (static_cast<int>(values.size()) > at_most) values = within({1}, step);
  return values.size() >= 2 ? values : linear_ticks(range, at_most, false);
}

constexpr double names_line = 9;

std::string name_at(const Axis& axis, double value) {
  const auto found = axis.names.find(value);
  return found == axis.names.end() ? "" : found->second;
}

// The room that the text of a tick, and its name, take across the page.
double width_of(const Axis& axis, const Tick& tick) {
  return std::max(text_width(tick.text, small_size),
                  text_width(name_at(axis, tick.value), small_size));
}

}  // namespace

void widen(Range& range, double value) {
  range.low = std::min(range.low, value);
  range.high = std::max(range.high, value);
}

void widen(Range& range, const Spread& spread) {
  widen(range, spread.low);
  widen(range, spread.high);
}

Range horizontal_range(const Axis& axis, Range range) {
  // A count of layers starts at 0 for the eye to compare lengths.
  if (axis.from_zero && axis.scale == Scale::linear && range.low >= 0 &&
      range.low < 0.3 * range.high)
    range.low = 0;
  return range.low == range.high ? padded(axis, range, 0, 0) : range;
}

std::string si_text(double value) {
  const char* const prefixes[] = {"", " k", " M", " G", " T", " P"};
  size_t prefix = 0;
  // A little less than 1000: ticks come from products of powers of ten.
  for (; std::abs(value) >= 999.999 && prefix + 1 < std::size(prefixes); ++prefix) value /= 1000;
  return fmt::format("{:.5g}{}", value, prefixes[prefix]);
}

std::vector<Tick> ticks(const Axis& axis, Range range, int at_most) {
  std::vector<Tick> result;
  for (const double value : axis.at)
    if (value >= range.low && value <= range.high)
      result.push_back({value, tick_text(axis, value)});
  if (!result.empty() && result.size() <= static_cast<size_t>(at_most)) return result;
  result.clear();
  for (const double value : axis.scale == Scale::log ? log_ticks(range, at_most)
                                                     : linear_ticks(range, at_most, axis.whole))
    result.push_back({value, tick_text(axis, value)});
  return result;
}

std::vector<Tick> ticks_across(const Axis& axis, Range range, double length) {
  std::vector<Tick> result;
  for (int at_most = std::clamp(static_cast<int>(length / 18), 2, 8); at_most >= 2; --at_most) {
    result = ticks(axis, range, at_most);
    double room = length;
    for (size_t i = 1; i < result.size(); ++i) {
      const double gap = along(axis, range, result[i].value, 0, length) -
                         along(axis, range, result[i - 1].value, 0, length);
      const double width = width_of(axis, result[i]) / 2 + width_of(axis, result[i - 1]) / 2;
      room = std::min(room, gap - width);
    }
    if (room >= 5) break;
  }
  return result;
}

double along(const Axis& axis, Range range, double value, double from, double to) {
  const bool log = axis.scale == Scale::log;
  const double share = log ? std::log(value / range.low) / std::log(range.high / range.low)
                           : (value - range.low) / (range.high - range.low);
  return from + share * (to - from);
}

Range padded(const Axis& axis, Range range, double before, double after) {
  if (axis.scale == Scale::log) {
    if (range.low == range.high) return {range.low / 2, range.high * 2};
    const double ratio = range.high / range.low;
    return {range.low / std::pow(ratio, before), range.high * std::pow(ratio, after)};
  }
  if (range.low == range.high) {
    const double room = range.low == 0 ? 1 : std::abs(range.low) / 2;
    return {range.low - room, range.high + room};
  }
  const double length = range.high - range.low;
  return {range.low - before * length, range.high + after * length};
}

void check_value(const Axis& axis, double value, const std::string& what) {
  if (!std::isfinite(value))
    throw std::invalid_argument(
        fmt::format("{}: {} is {}, which no figure can show", printable(what), axis.label, value));
  if (axis.scale == Scale::log && value <= 0)
    throw std::invalid_argument(fmt::format("{}: {} is {}, which a logarithmic axis cannot show",
                                            printable(what), axis.label, value));
}

void check_spread(const Axis& axis, const Spread& spread, const std::string& what) {
  check_value(axis, spread.low, what);
  check_value(axis, spread.high, what);
}

double room_left_of(const Axis& y, Range y_range, int at_most) {
  double width = 0;
  for (const Tick& tick : ticks(y, y_range, at_most))
    width = std::max(width, text_width(tick.text, small_size));
  return width + 9;
}

double room_below_frame(const Axis& x) { return x.names.empty() ? 30 : 30 + names_line; }

Text tick_text_at(const std::string& text, Point at) {
  const double furthest = page_width - 1 - text_width(text, small_size) / 2;
  return {{std::min(at.x, furthest), at.y}, text, Anchor::centre, small_size, muted};
}

void draw_frame(Drawing& drawing, const Frame& frame) {
  const Box& box = frame.box;
  for (const Tick& tick : ticks_across(frame.x, frame.x_range, box.right - box.left)) {
    const double x = along(frame.x, frame.x_range, tick.value, box.left, box.right);
    drawing.shapes.push_back(Polyline{{{x, box.bottom}, {x, box.top}}, grid, 0.5});
    drawing.texts.push_back(tick_text_at(tick.text, {x, box.bottom - 8}));
    if (const std::string name = name_at(frame.x, tick.value); !name.empty())
      drawing.texts.push_back(tick_text_at(name, {x, box.bottom - 8 - names_line}));
  }
  for (const Tick& tick : ticks(frame.y, frame.y_range, ticks_up)) {
    const double y = along(frame.y, frame.y_range, tick.value, box.bottom, box.top);
    drawing.shapes.push_back(Polyline{{{box.left, y}, {box.right, y}}, grid, 0.5});
    drawing.texts.push_back({{box.left - 4, y}, tick.text, Anchor::right, small_size, muted});
  }
  drawing.shapes.push_back(
      Polyline{{{box.left, box.top}, {box.left, box.bottom}, {box.right, box.bottom}}, rule, 0.6});
  // At the end of its axis, unless it is longer than that leaves room for.
  const double x_label_end =
      std::max(box.right, page_margin + text_width(frame.x.label, text_size));
  drawing.texts.push_back({{x_label_end, box.bottom - room_below_frame(frame.x) + 11},
                           frame.x.label,
                           Anchor::right,
                           text_size,
                           ink});
  drawing.texts.push_back(
      {{page_margin, box.top + 9}, frame.y.label, Anchor::left, text_size, ink});
}

}  // namespace convscope::canvas
