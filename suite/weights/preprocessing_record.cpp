#include "suite/weights/preprocessing_record.h"

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
      return p;
    } catch (const nlohmann::json::exception&) {
      throw std::invalid_argument(file.path.string() +
                                  ": its metadata 'preprocessing' is not what convscope writes");
    }
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
