#include "architectures/preprocessing.h"

#include <sstream>

namespace convscope {
namespace {

const char* name_of(Interpolation interpolation) {
  switch (interpolation) {
    case Interpolation::nearest:
      return "nearest";
    case Interpolation::bilinear:
      return "bilinear";
    case Interpolation::bicubic:
      return "bicubic";
  }
  return "";
}

std::string numbers(const std::vector<double>& values) {
  std::ostringstream text;
  for (size_t i = 0; i < values.size(); ++i) text << (i > 0 ? " " : "") << values[i];
  return text.str();
}

/// A part of the sentence: what is it called, and what is it here.
struct Part {
  std::string name, value;
  std::string text() const { return name.empty() ? value : name + " " + value; }
};

std::vector<Part> parts(const Preprocessing& p) {
  return {{"", p.resize > 0 ? "resize " + std::to_string(p.resize) : "no resize"},
          {"", p.crop > 0 ? "crop " + std::to_string(p.crop) : "no crop"},
          {"", name_of(p.interpolation)},
          {"mean", numbers(p.mean)},
          {"deviation", numbers(p.deviation)},
          {"range", numbers({p.range})},
          {"", p.bgr                ? "BGR"
               : p.mean.size() == 1 ? "grey"
                                    : "RGB"}};
}

}  // namespace

bool operator==(const Preprocessing& a, const Preprocessing& b) {
  return differences(a, b).empty();
}

std::string to_string(const Preprocessing& preprocessing) {
  std::string text;
  for (const Part& part : parts(preprocessing)) text += (text.empty() ? "" : ", ") + part.text();
  return text;
}

std::vector<std::string> differences(const Preprocessing& actual, const Preprocessing& expected) {
  const std::vector<Part> is = parts(actual), should = parts(expected);
  std::vector<std::string> found;
  for (size_t i = 0; i < is.size(); ++i) {
    if (is[i].value != should[i].value) {
      found.push_back(is[i].text() + " instead of " + should[i].value);
    }
  }
  return found;
}

}  // namespace convscope
