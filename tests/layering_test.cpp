// Who may include whom, read from the includes: the folder tree is the architecture.
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <map>
#include <regex>
#include <set>

namespace {

namespace fs = std::filesystem;

const fs::path source = CONVSCOPE_SOURCE;

/// What each folder may include beside itself. README.md draws this.
const std::map<std::string, std::set<std::string>> allowed = {
    {"architectures", {}},
    {"suite/analysis", {"architectures"}},
    {"suite/weights", {"architectures"}},
    {"suite/data", {"architectures"}},
    {"suite/inference", {"architectures", "suite/analysis", "suite/weights", "suite/data"}},
    {"suite/training",
     {"architectures", "suite/analysis", "suite/weights", "suite/data", "suite/inference"}},
    {"suite/interpretation",
     {"architectures", "suite/analysis", "suite/weights", "suite/data", "suite/inference"}},
    {"suite/timing",
     {"architectures", "suite", "suite/analysis", "suite/weights", "suite/data",
      "suite/inference"}},
    {"suite/report", {}},
    {"suite/pictures", {"architectures"}},
    {"suite/records", {"architectures", "suite/timing", "suite/report"}},
    {"suite/commands",
     {"architectures", "suite", "suite/analysis", "suite/weights", "suite/data", "suite/inference",
      "suite/interpretation", "suite/timing", "suite/training", "suite/report", "suite/records",
      "suite/pictures"}},
    {"suite", {"suite/commands"}},
};

struct Include {
  fs::path file;
  std::string path;
  bool quoted;
};

std::vector<Include> includes_of(const std::string& folder) {
  static const std::regex directive(R"rx(^\s*#include ([<"])([^>"]+)[>"])rx");
  std::vector<Include> found;
  for (const auto& entry : fs::directory_iterator(source / folder)) {
    const auto extension = entry.path().extension();
    if (extension != ".h" && extension != ".cpp") continue;
    std::ifstream file(entry.path());
    for (std::string line; std::getline(file, line);) {
      std::smatch match;
      if (std::regex_search(line, match, directive)) {
        found.push_back({entry.path(), match[2], match[1] == "\""});
      }
    }
  }
  return found;
}

bool is_torch(const std::string& path) {
  return std::regex_search(path, std::regex("^(torch|ATen|c10)/"));
}

TEST(Layering, FoldersIncludeOnlyDownwards) {
  for (const auto& [folder, below] : allowed) {
    const auto includes = includes_of(folder);
    EXPECT_FALSE(includes.empty()) << folder;
    for (const Include& include : includes) {
      if (!include.quoted) continue;
      const std::string target = fs::path(include.path).parent_path().string();
      EXPECT_TRUE(target == folder || below.count(target))
          << include.file << " includes " << include.path;
    }
  }
}

TEST(Layering, EveryFolderOfTheSuiteIsInTheRule) {
  for (const auto& entry : fs::directory_iterator(source / "suite")) {
    if (!entry.is_directory()) continue;
    EXPECT_TRUE(allowed.count("suite/" + entry.path().filename().string())) << entry.path();
  }
}

TEST(Layering, TorchStaysBehindTheBorder) {
  const std::set<std::string> about_tensors = {
      "network.h",       "resnet.h",        "layers.h",      "intercept.h",
      "trace.h",         "module_names.h",  "observe.h",     "device.h",
      "frozen.h",        "frozen_engine.h", "tape.h",        "load.h",
      "state_dict.h",    "mixing.h",        "optimizer.h",   "frozen_features.h",
      "plain_tensors.h", "attribution.h",   "downsampled.h", "dream_canvas.h",
      "unit_climb.h"};
  for (const auto& [folder, below] : allowed) {
    for (const Include& include : includes_of(folder)) {
      if (!is_torch(include.path)) continue;
      const bool header = include.file.extension() == ".h";
      EXPECT_TRUE(!header || about_tensors.count(include.file.filename().string()))
          << include.file << " includes " << include.path;
      EXPECT_TRUE(folder != "suite/commands" && folder != "suite/report" &&
                  folder != "suite/records" && folder != "suite/pictures")
          << include.file << " includes " << include.path;
    }
  }
}

// The linker would keep the functions of one of two types of the same name, for both.
TEST(Layering, TypesOfHeadersHaveNamesOfTheirOwn) {
  static const std::regex definition(R"rx(^(?:struct|class|enum class) (\w+)(?: .*)? \{$)rx");
  std::map<std::string, fs::path> defined;
  for (const auto& [folder, below] : allowed) {
    for (const auto& entry : fs::directory_iterator(source / folder)) {
      if (entry.path().extension() != ".h") continue;
      std::ifstream file(entry.path());
      for (std::string line; std::getline(file, line);) {
        std::smatch match;
        if (!std::regex_search(line, match, definition)) continue;
        const auto [first, is_new] = defined.emplace(match[1], entry.path());
        EXPECT_TRUE(is_new) << match[1] << " is in " << first->second << " and in " << entry.path();
      }
    }
  }
  EXPECT_GT(defined.size(), 50u);
}

TEST(Layering, EveryFamilyIsInTheCatalogue) {
  std::ifstream file(source / "architectures/families.h");
  const std::string text((std::istreambuf_iterator<char>(file)), {});
  const std::set<std::string> helpers = {"catalogue", "layers", "nearest", "preprocessing"};
  for (const auto& entry : fs::directory_iterator(source / "architectures")) {
    const std::string name = entry.path().stem().string();
    if (entry.path().extension() != ".cpp" || helpers.count(name)) continue;
    EXPECT_NE(text.find("FAMILY(" + name + ")"), std::string::npos) << name;
  }
}

}  // namespace
