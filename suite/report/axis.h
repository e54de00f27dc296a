// Axes: which values get a tick, what it says, and where a value lies on the page.
#pragma once

#include <limits>
#include <string>
#include <vector>

#include "suite/report/canvas.h"
#include "suite/report/figure.h"

namespace convscope::canvas {

struct Range {
  double low, high;
};

constexpr Range nothing = {std::numeric_limits<double>::infinity(),
                           -std::numeric_limits<double>::infinity()};

void widen(Range& range, double value);
void widen(Range& range, const Spread& spread);

/// The range of a horizontal axis: from 0 where no value is negative and 0 is not far, and with
/// some room around a single value.
Range horizontal_range(const Axis& axis, Range of_values);

struct Tick {
  double value;
  std::string text;
};

/// A round number with the prefix of thousands: "500 k", "20 M".
std::string si_text(double value);

/// Between 2 and `at_most` round values within the range: 1, 2, 2.5 or 5 times a power of ten on a
/// linear axis; 1, 2 and 5 times each, or the powers alone, on a logarithmic one. An axis of whole
/// numbers may have only one in the range.
std::vector<Tick> ticks(const Axis& axis, Range range, int at_most);

/// As many ticks as have room for their texts side by side.
std::vector<Tick> ticks_across(const Axis& axis, Range range, double length);

/// Where `value` lies if the range lies from `from` to `to`.
double along(const Axis& axis, Range range, double value, double from, double to);

/// The range with these shares of its length added before and after; a single value gets some room.
Range padded(const Axis& axis, Range range, double before, double after);

/// Throws std::invalid_argument that names `what` if the axis cannot show the value.
void check_value(const Axis& axis, double value, const std::string& what);
void check_spread(const Axis& axis, const Spread& spread, const std::string& what);

/// The area of a plot with its two axes.
struct Frame {
  Box box;
  Axis x, y;
  Range x_range, y_range;

  Point at(double x_value, double y_value) const {
    return {along(x, x_range, x_value, box.left, box.right),
            along(y, y_range, y_value, box.bottom, box.top)};
  }
};

/// The room that the frame's texts need beside its box.
constexpr int ticks_up = 8;
double room_left_of(const Axis& y, Range y_range, int at_most = ticks_up);
double room_below_frame(const Axis& x);
constexpr double room_above_frame = 15;

/// A tick's text centred at `at`, or further left where it would leave the page.
Text tick_text_at(const std::string& text, Point at);

/// The grid, the values at it, and the two labels at the ends of their axes: the vertical one lies
/// above its axis, where it can be read without turning the head.
void draw_frame(Drawing& drawing, const Frame& frame);

}  // namespace convscope::canvas
