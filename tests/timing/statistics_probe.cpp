// What scipy_test.py asks: in each line of standard input an array of a function's name and its
// samples, for each a line with an array of numbers.
#include <iostream>
#include <nlohmann/json.hpp>
#include <string>

#include "suite/timing/statistics.h"

namespace convscope {
namespace {

using Values = std::vector<double>;

void append(Values& numbers, const std::optional<Interval>& interval) {
  if (interval) numbers.insert(numbers.end(), {interval->low, interval->high});
}

Values answer(const std::string& what, const Values& a, const Values& b) {
  if (what == "mann_whitney") return {mann_whitney_p(a, b)};
  if (what == "spearman") return {spearman(a, b)};
  if (what == "holm") return holm(a);
  if (what == "trend") return {has_trend(a) ? 1.0 : 0.0};
  if (what == "quantiles") {
    Values found;
    for (const double q : b) found.push_back(quantile(a, q));
    return found;
  }
  if (what == "median_interval") {
    Values found = {median(a)};
    append(found, median_interval(a));
    return found;
  }
  if (what == "hodges_lehmann") {
    const Shift shift = hodges_lehmann(a, b);
    Values found = {shift.ratio};
    append(found, shift.interval);
    return found;
  }
  throw std::invalid_argument("no function '" + what + "'");
}

}  // namespace
}  // namespace convscope

int main() {
  for (std::string line; std::getline(std::cin, line);) {
    const auto request = nlohmann::json::parse(line);
    const nlohmann::json found = convscope::answer(
        request.at(0), request.at(1), request.size() > 2 ? request.at(2) : nlohmann::json::array());
    std::cout << found.dump() << '\n';
  }
  return 0;
}
