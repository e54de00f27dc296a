#include "suite/timing/calibration.h"

#include <algorithm>
#include <cmath>
#include <fstream>
#include <nlohmann/json.hpp>
#include <stdexcept>

#include "suite/timing/statistics.h"
#include "suite/weights/cache_folder.h"
#include "suite/weights/output_file.h"

namespace convscope {
namespace {

namespace fs = std::filesystem;
using nlohmann::ordered_json;

/// Two hardware threads of one core together do what one does; two cores that share a turbo do 1.5
/// times as much or more.
constexpr double worth_of_a_core = 0.5;

std::invalid_argument unusable(const fs::path& path, const std::string& why) {
  return std::invalid_argument("cannot use the calibration " + path.string() + ": " + why +
                               "; run 'convscope calibrate' to replace it");
}

Calibrated calibrated_of(const ordered_json& row) {
  Calibrated found{row.at("quantity"), row.at("threads"),        row.at("value"),
                   row.at("unit"),     row.at("spread_percent"), row.at("disturbed")};
  if (found.threads < 1 || !std::isfinite(found.value) || found.value < 0) {
    throw std::invalid_argument("the row '" + found.quantity + "' has no valid value");
  }
  return found;
}

/// 1.96 standard deviations of what is in these shifts beside their own errors; 0 if errors alone
/// would be as large in one of twenty sets. `independent` is how many of the shifts are.
double unexplained_percent(const std::vector<Shift>& shifts, int independent) {
  constexpr double z = 1.959963984540054;
  double seen = 0, explained = 0;
  for (const Shift& shift : shifts) {
    seen += std::pow(std::log(shift.ratio), 2);
    if (!shift.interval) continue;
    explained += std::pow(std::log(shift.interval->high / shift.interval->low) / (2 * z), 2);
  }
  const auto count = static_cast<double>(shifts.size());
  // The 95th percentile of chi squared over its degrees of freedom (Wilson and Hilferty 1931).
  const double ninth = 2.0 / (9.0 * independent);
  const double by_chance = std::pow(1 - ninth + 1.6448536269514722 * std::sqrt(ninth), 3);
  if (seen <= by_chance * explained) return 0;
  return 100 * std::expm1(z * std::sqrt((seen - explained) / count));
}

}  // namespace

std::optional<double> Calibration::value(const std::string& quantity, int threads) const {
  const Calibrated *below = nullptr, *above = nullptr;  // the nearest, both if it was measured
  for (const Calibrated& row : measured) {
    if (row.quantity != quantity) continue;
    if (row.threads <= threads && (!below || row.threads > below->threads)) below = &row;
    if (row.threads >= threads && (!above || row.threads < above->threads)) above = &row;
  }
  if (!below && !above) return std::nullopt;
  if (!below || !above || below == above) return (below ? below : above)->value;
  const double share = static_cast<double>(threads - below->threads) /
                       static_cast<double>(above->threads - below->threads);
  return below->value + share * (above->value - below->value);
}

bool Calibration::disturbed(const std::string& quantity) const {
  return std::any_of(measured.begin(), measured.end(), [&](const Calibrated& row) {
    return row.quantity == quantity && !row.disturbed.empty();
  });
}

Cores measured_cores(Cores cores, const Calibration& calibration) {
  double one = 0, all = 0;
  for (const Calibrated& row : calibration.measured) {
    if (row.quantity != "fma" || !row.disturbed.empty()) continue;
    if (row.threads == 1) one = row.value;
    if (row.threads == cores.usable()) all = row.value;
  }
  if (one > 0 && all > 0) {
    cores.physical = std::clamp(static_cast<int>(all / one + worth_of_a_core), 1, cores.physical);
  }
  return cores;
}

fs::path calibration_path(const std::string& machine) {
  return cache_folder("calibration") / (machine + ".json");
}

std::optional<Calibration> load_calibration(const std::string& machine) {
  return load_calibration_file(calibration_path(machine), machine);
}

std::optional<Calibration> load_calibration_file(const fs::path& path, const std::string& machine) {
  std::error_code error;
  if (!fs::exists(path, error)) return std::nullopt;
  std::ifstream file(path);
  const std::string text((std::istreambuf_iterator<char>(file)), {});
  if (!file || !fs::is_regular_file(path, error)) throw unusable(path, "it cannot be read");
  Calibration calibration;
  try {
    const ordered_json stored = ordered_json::parse(text);
    stored.at("machine").get_to(calibration.machine);
    stored.at("date").get_to(calibration.date);
    for (const auto& [name, value] : stored.at("environment").items()) {
      calibration.environment.emplace_back(name, value.get<std::string>());
    }
    for (const ordered_json& row : stored.at("measured")) {
      calibration.measured.push_back(calibrated_of(row));
    }
  } catch (const ordered_json::exception&) {
    throw unusable(path, "it is damaged");
  } catch (const std::invalid_argument& wrong) {
    throw unusable(path, wrong.what());
  }

  if (calibration.machine != machine) {
    throw unusable(path,
                   "it is of the machine " + calibration.machine + ", and this is " + machine);
  }
  return calibration;
}

std::optional<Calibration> find_calibration(const std::string& machine, std::string& problem) {
  try {
    return load_calibration(machine);
  } catch (const std::invalid_argument& error) {
    problem = error.what();
    return std::nullopt;
  }
}

void store_calibration(const Calibration& calibration) {
  store_calibration_file(calibration, calibration_path(calibration.machine));
}

void require_storable(const fs::path& path) {
  std::error_code error;
  fs::create_directories(path.parent_path(), error);
  if (error) {
    throw std::invalid_argument("cannot create the folder " + path.parent_path().string() + ": " +
                                error.message());
  }
  const OutputFile trial(path);  // that is never committed
}

void store_calibration_file(const Calibration& calibration, const fs::path& path) {
  require_storable(path);
  ordered_json stored = {{"machine", calibration.machine}, {"date", calibration.date}};
  stored["environment"] = ordered_json::object();
  for (const auto& [name, value] : calibration.environment) stored["environment"][name] = value;
  stored["measured"] = ordered_json::array();
  for (const Calibrated& row : calibration.measured) {
    stored["measured"].push_back({{"quantity", row.quantity},
                                  {"threads", row.threads},
                                  {"value", row.value},
                                  {"unit", row.unit},
                                  {"spread_percent", row.spread_percent},
                                  {"disturbed", row.disturbed}});
  }
  OutputFile file(path);
  file.write(stored.dump(2, ' ', false, ordered_json::error_handler_t::replace) + "\n");
  file.commit();
}

AaFloors aa_floors(
    const std::function<std::pair<std::vector<double>, std::vector<double>>()>& measure_pair,
    int pairs) {
  if (pairs < 2) throw std::invalid_argument("A/A floors need at least two pairs of processes");
  std::vector<std::pair<std::vector<double>, std::vector<double>>> measured;
  for (int i = 0; i < pairs; ++i) measured.push_back(measure_pair());
  std::vector<Shift> in_turns, apart;
  for (size_t i = 0; i < measured.size(); ++i) {
    in_turns.push_back(hodges_lehmann(measured[i].first, measured[i].second));
    for (size_t j = i + 1; j < measured.size(); ++j) {
      for (const auto* a : {&measured[i].first, &measured[i].second}) {
        for (const auto* b : {&measured[j].first, &measured[j].second}) {
          apart.push_back(hodges_lehmann(*a, *b));
        }
      }
    }
  }
  return {unexplained_percent(in_turns, pairs), unexplained_percent(apart, pairs)};
}

}  // namespace convscope
