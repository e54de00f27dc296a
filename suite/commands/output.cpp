#include "suite/commands/output.h"

#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <ctime>
#include <iostream>
#include <nlohmann/json.hpp>

#include "suite/commands/program.h"
#include "suite/timing/environment.h"
#include "suite/timing/machine_watch.h"

namespace convscope {
namespace {

namespace fs = std::filesystem;
using nlohmann::ordered_json;

[[noreturn]] void cannot_write(const fs::path& path) {
  throw UsageError("cannot write '" + path.string() + "': " + std::strerror(errno));
}

/// Colour and bold are for people at a terminal who did not decline them (https://no-color.org).
bool wants_bold(const std::ostream& out) {
  const char* no_color = std::getenv("NO_COLOR");
  return &out == &std::cout && isatty(STDOUT_FILENO) && !(no_color && *no_color);
}

}  // namespace

void add_output_options(po::options_description& options) {
  options.add_options()  //
      ("format", text_value("table"), "table, csv, json, md or latex")(
          "out", text_value(), "FILE: write there instead of to the standard output");
}

Output::Output(const Invocation& invocation)
    : console_(invocation.out),
      format_(parse_format(invocation.text("format"))),
      path_(invocation.text("out")) {
  if (path_.empty()) {
    bold_ = wants_bold(console_);
    return;
  }
  if (fs::is_directory(path_)) {
    throw UsageError("cannot write '" + path_.string() + "': it is a folder");
  }
  // A link is followed; a device or a pipe is written to, not replaced.
  if (fs::exists(path_)) path_ = fs::canonical(path_);
  const bool replaceable = !fs::exists(path_) || fs::is_regular_file(path_);
  unfinished_ = replaceable ? fs::path(path_.string() + ".unfinished") : path_;
  file_.emplace(unfinished_);
  if (!*file_) cannot_write(path_);
}

Output::~Output() {
  if (!file_) return;
  file_.reset();
  std::error_code ignored;
  if (unfinished_ != path_) fs::remove(unfinished_, ignored);
}

void Output::print(const Table& table) {
  try {
    write(table, format_, stream(), bold_);
  } catch (const std::runtime_error&) {
    if (file_) cannot_write(path_);
    throw UsageError("cannot write to the standard output");
  }
  finish();
}

void Output::print(const std::string& text) {
  stream() << text;
  finish();
}

void Output::finish() {
  if (!file_) return;
  file_->close();
  if (!*file_) cannot_write(path_);
  file_.reset();
  std::error_code error;
  if (unfinished_ != path_) fs::rename(unfinished_, path_, error);
  if (error) throw UsageError("cannot write '" + path_.string() + "': " + error.message());
}

std::unique_ptr<CsvWriter> open_record(const fs::path& folder, const std::string& file,
                                       const std::vector<std::string>& columns, bool resume,
                                       std::ostream& err) {
  try {
    auto record = std::make_unique<CsvWriter>(folder / file, columns,
                                              resume ? Existing::append : Existing::replace);
    if (record->dropped_bytes() > 0) {
      err << record->path().string() << ": dropped a torn last row of " << record->dropped_bytes()
          << " bytes\n";
    }
    return record;
  } catch (const std::runtime_error& error) {
    throw UsageError(error.what());
  }
}

void prune(const fs::path& path, const std::function<bool(const CsvFile&, const CsvRow&)>& keep) {
  const fs::path pruned = path.string() + ".unfinished";
  {
    CsvReader reader(path);
    CsvWriter writer(pruned, reader.file().columns, Existing::replace);
    for (CsvRow row; reader.next(row);) {
      if (keep(reader.file(), row)) writer.write({row.fields.begin(), row.fields.end()});
    }
  }
  fs::rename(pruned, path);
}

std::unique_ptr<CsvWriter> open_pruned_record(
    const fs::path& folder, const std::string& file, const std::vector<std::string>& columns,
    std::ostream& err, const std::function<bool(const CsvFile&, const CsvRow&)>& keep) {
  // First as it is, which makes a new one or removes a torn last row.
  open_record(folder, file, columns, /*resume=*/true, err);
  prune(folder / file, keep);
  return open_record(folder, file, columns, /*resume=*/true, err);
}

std::unique_ptr<CsvWriter> open_record_without(
    const fs::path& folder, const std::string& file, const std::vector<std::string>& columns,
    std::ostream& err, const std::vector<std::vector<std::string>>& replaced) {
  return open_pruned_record(folder, file, columns, err, [&](const CsvFile&, const CsvRow& row) {
    return std::none_of(replaced.begin(), replaced.end(), [&](const auto& begin) {
      return std::equal(begin.begin(), begin.end(), row.fields.begin());
    });
  });
}

namespace {

/// What is there; nothing of a file that is torn, or somebody else's.
ordered_json manifest_before(const fs::path& path) {
  std::ifstream before(path);
  if (!fs::is_regular_file(path) || !before) return ordered_json::object();
  ordered_json manifest = ordered_json::parse(before, nullptr, /*allow_exceptions=*/false);
  const bool ours =
      manifest.is_object() && manifest["runs"].is_object() && manifest["environments"].is_object();
  return ours ? manifest : ordered_json::object();
}

void store_manifest(const fs::path& path, const ordered_json& manifest) {
  const fs::path unfinished = path.string() + ".unfinished";
  std::ofstream file(unfinished);
  file << manifest.dump(2, ' ', false, ordered_json::error_handler_t::replace) << "\n";
  file.close();
  if (!file) cannot_write(path);
  std::error_code error;
  fs::rename(unfinished, path, error);
  if (error) throw UsageError("cannot write '" + path.string() + "': " + error.message());
}

}  // namespace

void record_run(const fs::path& folder, const Invocation& invocation, const std::string& started,
                const std::string& what,
                const std::vector<std::pair<std::string, std::string>>& facts,
                const Environment& where) {
  const fs::path path = folder / "manifest.json";
  ordered_json manifest = manifest_before(path);
  ordered_json described = ordered_json::object();
  for (const auto& [name, value] : where) described[name] = value;
  ordered_json& run = manifest["runs"][invocation.command.name + (what.empty() ? "" : " " + what)];
  run = {{"started", started},
         {"finished", utc_now()},
         {"configuration", dump_config(invocation.command, invocation.values)}};
  // What only draws has measured nothing: where it ran is no environment of the records.
  const std::string& command = invocation.command.name;
  if (command == "plot" || command == "report") {
    if (!manifest.contains("environments")) manifest["environments"] = ordered_json::object();
    store_manifest(path, manifest);
    return;
  }
  run["env"] = environment_id(where);
  run["load_average"] = load_average();
  for (const auto& [name, value] : machine_state()) {
    if (name != "load_average") run["machine"][name] = value;
  }
  for (const auto& [name, value] : facts) run[name] = value;
  manifest["environments"][environment_id(where)] = std::move(described);

  store_manifest(path, manifest);
}

void record_experiment(const fs::path& folder, const std::string& file,
                       const ExperimentHeader& header) {
  const fs::path path = folder / "manifest.json";
  ordered_json manifest = manifest_before(path);
  if (manifest.empty()) return;  // nothing ran
  manifest["experiment"] = {{"file", file}, {"question", header.question}, {"claim", header.claim}};
  store_manifest(path, manifest);
}

Cell median_of(const std::vector<double>& values) {
  return values.empty() ? Cell() : Cell(median(values));
}

Cell median_end(const std::vector<double>& values, double Interval::*end) {
  if (values.empty()) return {};
  const auto interval = median_interval(values);
  return interval ? Cell((*interval).*end) : Cell();
}

std::string utc_now() {
  const std::time_t now = std::time(nullptr);
  char text[sizeof "2026-11-20T14:03:07Z"];
  std::strftime(text, sizeof text, "%Y-%m-%dT%H:%M:%SZ", std::gmtime(&now));
  return text;
}

}  // namespace convscope
