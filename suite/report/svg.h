// gnuplot's SVG made fit for a page: what its terminal cannot be told.
#pragma once

#include <string>

namespace convscope {

/// The picture with `width` times `height` points as its size and `title` for screen readers, its
/// colors as "#RRGGBB", smooth edges, fonts of DejaVu's width where there is none, and without ids,
/// so that several can stand in one page.
std::string finished_svg(const std::string& gnuplot_svg, const std::string& title, double width,
                         double height);

/// A finished picture in the colors for a dark page.
std::string dark_svg(const std::string& finished);

}  // namespace convscope
