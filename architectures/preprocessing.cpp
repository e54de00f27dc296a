#include "architectures/preprocessing.h"

#include <sstream>

namespace convscope {

std::string to_string(Interpolation interpolation) {
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

namespace {

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
          {"", to_string(p.interpolation)},
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

Preprocessing usual_preprocessing(const ImageShape& image) {
  constexpr int64_t small = 64;
  const int64_t crop = image.height;
  Preprocessing usual{crop, crop, Interpolation::bilinear, {}, {}};
  if (crop > small) usual.resize = (crop * 256 + 112) / 224;
  if (image.channels == 3) {
    usual.mean = {0.485, 0.456, 0.406};
    usual.deviation = {0.229, 0.224, 0.225};
  } else {
    usual.mean.assign(static_cast<size_t>(image.channels), 0);
    usual.deviation.assign(static_cast<size_t>(image.channels), 1);
  }
  return usual;
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
