// A case's name taken apart: "resnet50/3x224x224/cpu/t1/..." has a model, an input, a device.
#pragma once

#include <cstddef>
#include <string>
#include <vector>

namespace convscope {

/// What a case's name is made of, and the headings of its columns.
struct CasePart {
  std::string name, heading;
};
const std::vector<CasePart>& case_parts();

/// The values of the parts, "t2" and "b8" without their letters; none of a name that is not made
/// so.
std::vector<std::string> parts_of(const std::string& name);

/// The network of a case, without how it differs from its paper's.
std::string model_of(const std::string& name);

/// What the two names have in common, and "a vs b" where they differ.
std::string name_of_both(const std::string& a, const std::string& b);

/// The names of cases as a figure has room for them: the network, and of the other parts those in
/// which it has several. A name that is not made of parts stays.
std::vector<std::string> short_names(const std::vector<std::string>& names);

/// --by engine=eager,frozen: which part of the names differs between the sides, and how.
struct By {
  size_t part;
  std::string a, b;
};

/// Throws std::invalid_argument.
By parse_by(const std::string& text);

}  // namespace convscope
