// The records of a results folder as figures, tables and findings are made from them.
#pragma once

#include <filesystem>
#include <functional>
#include <iosfwd>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "suite/records/sample_file.h"
#include "suite/report/csv_file.h"

namespace convscope {

/// What `--results` holds, with the networks that are asked for. Copies share what was read.
struct Records {
  std::filesystem::path folder;
  std::ostream& err;
  std::set<std::string> models = {};        ///< empty: all
  std::set<std::string> depth_models = {};  ///< those of figures through the depth; empty: some

  struct Kept {
    std::set<std::string> said;  ///< on `err`, which needs no line twice
    std::optional<SampleFile> samples;
  };
  std::shared_ptr<Kept> kept = std::make_shared<Kept>();

  bool has(const std::string& file) const;

  /// samples.csv, which is read once. Throws as read_samples() does.
  const SampleFile& samples() const;

  /// Says on `err` if a torn last row was left out. Throws as read_csv() does.
  CsvFile read(const std::string& file) const;

  /// Leaves the rows whose column `model` is in `models`; all of them if that is empty.
  void keep_models(CsvFile& csv) const;

  /// The rows that keep_models() leaves.
  CsvFile read_models(const std::string& file) const;
};

bool has_column(const CsvFile& file, const std::string& column);

/// The column's values, or as many empty ones where the file was written without it.
std::vector<std::string> texts_if_there(const CsvFile& file, const std::string& column);
std::vector<double> numbers_if_there(const CsvFile& file, const std::string& column);

/// Whether a CSV file has a row below its header: a run that was killed early left none. Throws as
/// CsvReader does.
bool has_rows(const std::filesystem::path& path);

/// Leaves the rows that `keep` says yes to.
void keep_rows(CsvFile& file, const std::function<bool(const CsvRow&)>& keep);

/// "resnet" of "resnet50_v1", "wide_resnet" of "wide_resnet50_2": what shares a colour.
std::string family(const std::string& model);

/// The places of these networks with families, and in them networks, next to each other, in the
/// order of their first ones: a run that shuffles mixes them.
std::vector<size_t> by_family(const std::vector<std::string>& models);

/// "photos" of "data/photos/": what people call a dataset.
std::string dataset_name(const std::string& data);

/// Those of a record's networks, as they come: so that a family has one colour in all figures of a
/// folder.
std::vector<std::string> families(const CsvFile& file);

}  // namespace convscope
