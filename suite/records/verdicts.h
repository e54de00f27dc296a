// Cases of two measurements paired, judged, and laid out as a table.
#pragma once

#include <string>
#include <utility>
#include <vector>

#include "suite/records/case_parts.h"
#include "suite/records/sample_file.h"
#include "suite/report/figure.h"
#include "suite/report/table.h"
#include "suite/timing/verdict.h"

namespace convscope {

/// The cases of a file under the names by which they meet those of the other side.
using NamedCases = std::vector<std::pair<std::string, const MeasuredCase*>>;

NamedCases all_cases(const SampleFile& file);

/// Those with this value, named as if it were that of both sides. Throws std::invalid_argument that
/// lists the values if no case has it.
NamedCases cases_with(const SampleFile& file, const By& by, const std::string& value);

/// A case of both sides.
struct CasePair {
  std::string name;
  const MeasuredCase* a;
  const MeasuredCase* b;
};

/// Those of both sides, in the order of A.
struct Matched {
  std::vector<CasePair> pairs;
  std::vector<std::string> only_in_a, only_in_b;  ///< the others, by their own names
};
Matched matched(const NamedCases& a, const NamedCases& b);

/// The A/A floor, in percent, and where it is from.
struct Floor {
  double percent = 0;
  std::string source = "none is known; 'convscope calibrate' measures it, or --floor says one";
};

/// Whether the two sides' repetitions took turns, or were measured at different times.
enum class Sides { in_turns, apart };

struct JudgedPairs {
  std::vector<CasePair> pairs;
  std::vector<Comparison> comparisons;  ///< of each pair
  double threshold_percent;
  Floor floor;

  size_t count(Verdict verdict) const;
  /// "8 compared: 3 FASTER, ..., a change counts from 2 % (A/A floor: ...)".
  std::string summary() const;
};

JudgedPairs judge_pairs(std::vector<CasePair> pairs, const Floor& floor);

/// B's times over A's with their intervals, around 1.
Figure verdict_figure(const JudgedPairs& judged, const std::string& a, const std::string& b);

/// A row for each pair. People see of a case's name only what varies among the rows.
Table verdict_table(const JudgedPairs& judged);

}  // namespace convscope
