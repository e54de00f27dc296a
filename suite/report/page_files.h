// What the HTML page has of its own: page.css and page.js, which the build puts into the program.
#pragma once

namespace convscope {

extern const char* const page_css;
extern const char* const page_js;

}  // namespace convscope
