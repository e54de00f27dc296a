#include "suite/records/sample_file.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <fstream>
#include <limits>
#include <map>
#include <ostream>
#include <stdexcept>
#include <unordered_map>

#include "suite/report/csv_file.h"
#include "suite/report/text.h"

namespace convscope {
namespace {

namespace fs = std::filesystem;

/// A case as it is read: its repetitions by number.
struct ReadCase {
  MeasuredCase measured;
  std::pair<int64_t, int64_t> first;  ///< repetition and index of its first row
  struct Repetition {
    std::vector<double> undisturbed, disturbed;
  };
  std::map<int64_t, Repetition> repetitions;
};

/// The samples that a path of the command line means.
fs::path sample_path(const fs::path& path) {
  if (!fs::exists(path)) {
    throw std::invalid_argument(path.string() +
                                ": no such file or folder; expected a results folder, a bench.csv "
                                "or a samples.csv");
  }
  const auto beside = [&](const fs::path& folder) {
    fs::path samples = folder / "samples.csv";
    if (fs::is_regular_file(samples)) return samples;
    throw std::invalid_argument(fmt::format(
        "{} has no samples.csv, the raw times that are compared; 'convscope bench --results {}' "
        "writes it",
        folder.string(), folder.string()));
  };
  if (fs::is_directory(path)) return beside(path);
  std::ifstream file(path);
  std::string header;
  std::getline(file, header);
  const bool summaries = (',' + header).find(",median_ms") != std::string::npos;
  return summaries ? beside(path.has_parent_path() ? path.parent_path() : fs::path(".")) : path;
}

template <class Number>
Number parsed(const CsvFile& file, const CsvRow& row, size_t column, Number least,
              const char* expected) {
  const std::string& text = row.fields[column];
  Number number{};
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  // NaN is not at least anything.
  if (error != std::errc() || end != text.data() + text.size() || !(number >= least) ||
      number > std::numeric_limits<Number>::max()) {
    throw std::invalid_argument(fmt::format("{} line {}, column '{}': expected {}, found '{}'",
                                            file.path.string(), row.line, file.columns[column],
                                            expected, printable(text)));
  }
  return number;
}

bool parsed_bool(const CsvFile& file, const CsvRow& row, size_t column) {
  const std::string& text = row.fields[column];
  if (text == "true" || text == "false") return text == "true";
  throw std::invalid_argument(
      fmt::format("{} line {}, column 'disturbed': expected true or false, found '{}'",
                  file.path.string(), row.line, printable(text)));
}

std::vector<ReadCase> read_cases(CsvReader& reader, const Environments& environments,
                                 size_t& measured_again) {
  const CsvFile& file = reader.file();
  const size_t env = column_index(file, "env"), name = column_index(file, "case"),
               repetition = column_index(file, "repetition"), index = column_index(file, "index"),
               ns = column_index(file, "ns");
  const bool watched = std::count(file.columns.begin(), file.columns.end(), "disturbed") > 0;
  const size_t disturbed = watched ? column_index(file, "disturbed") : 0;
  std::vector<ReadCase> cases;
  std::unordered_map<std::string, size_t> places;
  for (CsvRow row; reader.next(row);) {
    const auto [place, is_new] = places.emplace(row.fields[name], cases.size());
    const std::pair<int64_t, int64_t> position = {
        parsed<int64_t>(file, row, repetition, 0, "a number from 0"),
        parsed<int64_t>(file, row, index, 0, "a number from 0")};
    if (is_new) {
      ReadCase& added = cases.emplace_back();
      added.measured.name = row.fields[name];
      added.measured.env = row.fields[env];
      added.first = position;
    }
    ReadCase& here = cases[place->second];
    if (here.measured.env != row.fields[env]) {
      throw std::invalid_argument(
          fmt::format("{} line {}: '{}' was measured in two environments, which differ in {}; "
                      "measure into two folders and compare those",
                      file.path.string(), row.line, printable(row.fields[name]),
                      joined(differences(environments, {here.measured.env, row.fields[env]}))));
    }
    if (!is_new && position == here.first) {
      here.repetitions.clear();
      ++measured_again;
    }
    const double time = parsed<double>(file, row, ns, std::numeric_limits<double>::min(),
                                       "a positive number of nanoseconds");
    const bool flagged = watched && parsed_bool(file, row, disturbed);
    if (position.first == 0) continue;  // the warm-up
    ReadCase::Repetition& times = here.repetitions[position.first];
    (flagged ? times.disturbed : times.undisturbed).push_back(time / 1e6);
  }
  return cases;
}

}  // namespace

SampleFile read_samples(const fs::path& path, std::ostream& err) {
  SampleFile result;
  try {
    result.path = sample_path(path);
    result.environments = read_manifest(result.path.parent_path()).environments;
    CsvReader reader(result.path);
    if (reader.file().dropped_bytes > 0)
      err << result.path.string() << ": left out a torn last row\n";
    size_t measured_again = 0;
    for (ReadCase& read : read_cases(reader, result.environments, measured_again)) {
      for (auto& [number, repetition] : read.repetitions) {
        // A disturbed block was measured again: where that went well, it is what counts.
        const bool disturbed = repetition.undisturbed.empty();
        read.measured.measurement.repetitions.push_back(
            std::move(disturbed ? repetition.disturbed : repetition.undisturbed));
        read.measured.measurement.disturbed.push_back(disturbed);
      }
      result.cases.push_back(std::move(read.measured));
    }
    if (measured_again > 0) {
      err << result.path.string() << ": of " << measured_again
          << " that were measured again, the last time counts\n";
    }
  } catch (const std::runtime_error& error) {
    throw std::invalid_argument(error.what());
  }
  if (result.cases.empty()) throw std::invalid_argument(result.path.string() + " has no samples");

  return result;
}

}  // namespace convscope
