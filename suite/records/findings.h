// What records answer, in sentences with numbers: each with its interval, and with where it is
// from.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "suite/records/records.h"
#include "suite/records/verdicts.h"

namespace convscope {

struct RecordFinding {
  std::string statement;
  std::string detail;  ///< how it was found, and how sure it is
};

/// What the records of one folder say, the most important first. `floor` is of cases that were
/// measured in turns. Throws std::runtime_error for records that cannot be read.
std::vector<RecordFinding> findings(const Records& records, const Floor& floor);

/// Two sides' pairs in a sentence: how many times as fast B is as A.
RecordFinding finding_of(const JudgedPairs& judged, const std::string& a, const std::string& b);

/// The engines of a folder's samples against each other; nothing if there are not two.
std::optional<JudgedPairs> judged_engines(const SampleFile& samples, const Floor& floor,
                                          std::string& a, std::string& b);

}  // namespace convscope
