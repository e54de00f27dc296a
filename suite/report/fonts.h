// Which characters the fonts of this machine can draw. Where none has a glyph, gnuplot's PNG and
// PDF terminals (5.4) draw pango's replacement box larger than the page.
#pragma once

#include <string>
#include <vector>

namespace convscope {

/// The text with U+FFFD for each character that no installed font has. Asks fc-list, which comes
/// with pango and so with gnuplot-nox, and only for characters beyond what every sans-serif font
/// has; without it, none of those is drawn.
std::vector<std::string> drawable(const std::vector<std::string>& texts);

}  // namespace convscope
