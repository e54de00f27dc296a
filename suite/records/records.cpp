#include "suite/records/records.h"

#include <algorithm>
#include <cctype>
#include <cmath>
#include <map>
#include <ostream>
#include <utility>

namespace convscope {

bool Records::has(const std::string& file) const { return std::filesystem::exists(folder / file); }

const SampleFile& Records::samples() const {
  if (!kept->samples) kept->samples = read_samples(folder / "samples.csv", err);
  return *kept->samples;
}

CsvFile Records::read(const std::string& file) const {
  CsvFile csv = read_csv(folder / file);
  const std::string torn = csv.path.string() + ": left out a torn last row\n";
  if (csv.dropped_bytes > 0 && kept->said.insert(torn).second) err << torn;
  return csv;
}

void Records::keep_models(CsvFile& csv) const {
  const size_t model = column_index(csv, "model");
  keep_rows(csv,
            [&](const CsvRow& row) { return models.empty() || models.count(row.fields[model]); });
}

CsvFile Records::read_models(const std::string& file) const {
  CsvFile csv = read(file);
  keep_models(csv);
  return csv;
}

bool has_column(const CsvFile& file, const std::string& column) {
  return std::count(file.columns.begin(), file.columns.end(), column) > 0;
}

std::vector<std::string> texts_if_there(const CsvFile& file, const std::string& column) {
  return has_column(file, column) ? texts(file, column)
                                  : std::vector<std::string>(file.rows.size());
}

std::vector<double> numbers_if_there(const CsvFile& file, const std::string& column) {
  return has_column(file, column) ? numbers(file, column)
                                  : std::vector<double>(file.rows.size(), std::nan(""));
}

bool has_rows(const std::filesystem::path& path) {
  CsvReader reader(path);
  CsvRow row;
  return reader.next(row);
}

void keep_rows(CsvFile& file, const std::function<bool(const CsvRow&)>& keep) {
  file.rows.erase(std::remove_if(file.rows.begin(), file.rows.end(),
                                 [&](const CsvRow& row) { return !keep(row); }),
                  file.rows.end());
}

std::string family(const std::string& model) {
  const auto digit =
      std::find_if(model.begin(), model.end(), [](unsigned char c) { return std::isdigit(c); });
  std::string name(model.begin(), digit);
  const auto ends_with_net = [&] {
    return name.size() > 3 && name.compare(name.size() - 3, 3, "net") == 0;
  };
  while (name.find('_') != std::string::npos && !ends_with_net()) name.resize(name.rfind('_'));
  return name;
}

std::vector<size_t> by_family(const std::vector<std::string>& models) {
  std::map<std::string, size_t> first_of_family, first_of_model;
  std::vector<size_t> places;
  for (size_t i = 0; i < models.size(); ++i) {
    first_of_family.emplace(family(models[i]), i);
    first_of_model.emplace(models[i], i);
    places.push_back(i);
  }
  std::stable_sort(places.begin(), places.end(), [&](size_t a, size_t b) {
    return std::pair(first_of_family[family(models[a])], first_of_model[models[a]]) <
           std::pair(first_of_family[family(models[b])], first_of_model[models[b]]);
  });
  return places;
}

std::string dataset_name(const std::string& data) {
  const std::filesystem::path path = std::filesystem::path(data).lexically_normal();
  const std::filesystem::path last =
      path.has_filename() ? path.filename() : path.parent_path().filename();
  return last.empty() ? data : last.string();
}

std::vector<std::string> families(const CsvFile& file) {
  std::vector<std::string> found;
  for (const std::string& model : texts(file, "model")) {
    if (!std::count(found.begin(), found.end(), family(model))) found.push_back(family(model));
  }
  return found;
}

}  // namespace convscope
