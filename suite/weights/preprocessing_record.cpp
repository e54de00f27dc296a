#include "suite/weights/preprocessing_record.h"

#include <algorithm>
#include <cmath>
#include <nlohmann/json.hpp>
#include <stdexcept>

namespace convscope {

std::string preprocessing_record(const Preprocessing& p) {
  const nlohmann::ordered_json record = {{"resize", p.resize},
                                         {"crop", p.crop},
                                         {"interpolation", to_string(p.interpolation)},
                                         {"mean", p.mean},
                                         {"deviation", p.deviation},
                                         {"range", p.range},
                                         {"bgr", p.bgr}};
  return record.dump();
}

namespace {

/// A record may come from anybody.
bool makes_sense(const Preprocessing& p) {
  constexpr int64_t largest_side = 65536;
  const auto is_side = [](int64_t side) { return side >= 0 && side <= largest_side; };
  const auto is_number = [](double number) { return std::isfinite(number); };
  const auto is_positive = [](double number) { return std::isfinite(number) && number > 0; };
  return is_side(p.resize) && is_side(p.crop) && is_positive(p.range) &&
         (p.mean.size() == 1 || p.mean.size() == 3) && p.deviation.size() == p.mean.size() &&
         std::all_of(p.mean.begin(), p.mean.end(), is_number) &&
         std::all_of(p.deviation.begin(), p.deviation.end(), is_positive);
}

}  // namespace

std::optional<Preprocessing> recorded_preprocessing(const WeightsFile& file) {
  for (const auto& [key, value] : file.beside) {
    if (key != "preprocessing") continue;
    try {
      const auto record = nlohmann::json::parse(value);
      Preprocessing p;
      record.at("resize").get_to(p.resize);
      record.at("crop").get_to(p.crop);
      p.interpolation = parse_interpolation(record.at("interpolation").get<std::string>());
      record.at("mean").get_to(p.mean);
      record.at("deviation").get_to(p.deviation);
      record.at("range").get_to(p.range);
      record.at("bgr").get_to(p.bgr);
      if (makes_sense(p)) return p;
    } catch (const nlohmann::json::exception&) {
    } catch (const std::invalid_argument&) {
    }
    throw std::invalid_argument(file.path.string() +
                                ": its metadata 'preprocessing' is not what convscope writes");
  }
  return std::nullopt;
}

Interpolation parse_interpolation(const std::string& text) {
  for (const Interpolation interpolation :
       {Interpolation::nearest, Interpolation::bilinear, Interpolation::bicubic}) {
    if (to_string(interpolation) == text) return interpolation;
  }
  throw std::invalid_argument("'" + text + "' is no interpolation: nearest, bilinear or bicubic");
}

}  // namespace convscope
