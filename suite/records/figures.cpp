#include "suite/records/figures.h"

#include <algorithm>
#include <cctype>
#include <set>
#include <sstream>
#include <stdexcept>
#include <utility>

#include "architectures/nearest.h"
#include "suite/report/text.h"

namespace convscope {

const std::vector<RecordFigure>& record_figures() {
  static const std::vector<RecordFigure> all = [] {
    std::vector<RecordFigure> figures;
    for (const auto& part :
         {training_figures(), time_figures(), cost_figures(), depth_figures(), field_figures(),
          saliency_figures(), shift_figures(), neighbour_figures()}) {
      figures.insert(figures.end(), part.begin(), part.end());
    }
    return figures;
  }();
  return all;
}

bool drawable(const RecordFigure& figure, const std::filesystem::path& folder) {
  return std::all_of(figure.records.begin(), figure.records.end(), [&](const std::string& file) {
    return std::filesystem::exists(folder / file);
  });
}

std::vector<RecordFigure> chosen_figures(const std::vector<std::string>& asked,
                                         const std::filesystem::path& folder) {
  std::vector<std::string> names;
  for (const RecordFigure& figure : record_figures()) names.push_back(figure.name);
  for (const std::string& name : asked) {
    if (std::count(names.begin(), names.end(), name)) continue;
    throw std::invalid_argument("--figure: no '" + name + "'" + did_you_mean(name, names) +
                                "; there are " + joined(names));
  }
  std::vector<RecordFigure> chosen;
  for (const RecordFigure& figure : record_figures()) {
    if (asked.empty() ? drawable(figure, folder)
                      : std::count(asked.begin(), asked.end(), figure.name) > 0) {
      chosen.push_back(figure);
    }
  }
  return chosen;
}

std::vector<Figure> made(const std::vector<RecordFigure>& figures, const Records& records,
                         bool asked) {
  std::vector<Figure> all;
  std::set<std::string> names;
  std::string unsaid;
  for (const RecordFigure& figure : figures) {
    std::ostringstream said;
    std::vector<Figure> some =
        figure.make({records.folder, said, records.models, records.depth_models, records.kept});
    if (asked || !some.empty()) {
      records.err << said.str();
    } else {
      unsaid += said.str();
    }
    for (Figure& one : some) {
      tell_apart(one, names);
      all.push_back(std::move(one));
    }
  }
  if (all.empty()) records.err << unsaid;
  return all;
}

void tell_apart(Figure& figure, std::set<std::string>& names) {
  const std::string name = figure.name;
  for (int n = 2; !names.insert(figure.name).second; ++n) {
    figure.name = name + "_" + std::to_string(n);
  }
}

std::string file_name(std::string name) {
  for (char& c : name) {
    const auto byte = static_cast<unsigned char>(c);
    if (byte >= 0x80 || !(std::isalnum(byte) || c == '-')) c = '_';
  }
  return name;
}

}  // namespace convscope
