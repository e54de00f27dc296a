// convscope report: a results folder as one page that can be sent to anybody, with its figures and
// tables as files for a paper.
#include "suite/records/report.h"

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <ostream>
#include <set>

#include "suite/commands/command.h"
#include "suite/commands/environment_check.h"
#include "suite/commands/figure_options.h"
#include "suite/commands/output.h"
#include "suite/commands/verdict_table.h"
#include "suite/records/record_tables.h"
#include "suite/records/repeat.h"
#include "suite/report/page.h"
#include "suite/report/text.h"
#include "suite/version.h"

namespace convscope {
namespace {

namespace fs = std::filesystem;

std::string bytes_of(const fs::path& path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), {}};
}

/// Under its final name only when it is complete.
void put(const fs::path& path, const std::string& bytes) {
  std::error_code error;
  fs::create_directories(path.parent_path(), error);
  const fs::path unfinished = path.string() + ".unfinished";
  std::ofstream file(unfinished, std::ios::binary);
  file << bytes;
  file.close();
  if (file) {
    fs::rename(unfinished, path, error);
  } else if (!error) {
    error = std::error_code(errno, std::generic_category());
  }
  if (!error) return;
  std::error_code ignored;
  fs::remove(unfinished, ignored);
  throw UsageError("cannot write '" + path.string() + "': " + error.message());
}

/// The folders' names, with more of their paths where these are the same.
std::vector<std::string> labels_of(const std::vector<fs::path>& folders) {
  std::vector<std::string> labels;
  for (const fs::path& folder : folders) {
    const auto same = std::count_if(folders.begin(), folders.end(), [&](const fs::path& other) {
      return other.filename() == folder.filename();
    });
    labels.push_back(same > 1 ? folder.string() : folder.filename().string());
  }
  return labels;
}

std::vector<fs::path> folders_of(const Invocation& invocation) {
  if (!invocation.values.count("results")) {
    throw UsageError("report: say which folder to read, as in 'report results/mine'");
  }
  std::vector<fs::path> folders;
  for (const std::string& given : invocation.values["results"].as<std::vector<std::string>>()) {
    if (!fs::is_directory(given)) {
      throw UsageError("'" + given + "' is no folder; expected a results folder");
    }
    // "results/mine/" has no file name of its own.
    fs::path folder = fs::path(given).lexically_normal();
    if (folder.filename().empty()) folder = folder.parent_path();
    if (folder == ".") folder = fs::canonical(folder);
    for (const fs::path& other : folders) {
      if (fs::equivalent(other, folder)) {
        throw UsageError("report: '" + given + "' is named twice");
      }
    }
    folders.push_back(folder);
  }
  return folders;
}

/// Whether there is anything that a report can be made of.
void check_not_empty(const fs::path& folder) {
  for (const auto& entry : fs::directory_iterator(folder)) {
    if (entry.path().extension() == ".csv") return;
  }
  throw UsageError("'" + folder.string() +
                   "' has no records (*.csv); a results folder is what "
                   "'--results' of another command wrote to");
}

/// Draws them in the formats that are asked for, and always the SVG, which the page holds.
std::vector<DrawnFigure> render_and_read(const std::vector<Figure>& figures, const fs::path& out,
                                         const Invocation& invocation) {
  auto formats = image_formats(invocation);
  if (!std::count(formats.begin(), formats.end(), ImageFormat::svg)) {
    formats.push_back(ImageFormat::svg);
  }
  render_all(figures, out / "figures", formats);
  std::vector<DrawnFigure> drawn;
  for (const Figure& figure : figures) {
    drawn.push_back({figure, bytes_of(out / "figures" / (figure.name + ".svg"))});
  }
  return drawn;
}

ReportSource source_of(const Invocation& invocation, const fs::path& folder,
                       const std::string& label, const std::string& name, const fs::path& out) {
  ReportSource source{records_of(invocation, folder), label, {}, {}};
  std::vector<Figure> figures = made(wanted_figures(invocation, source.records), source.records,
                                     invocation.values.count("figure") > 0);
  for (Figure& figure : figures) {
    if (!name.empty()) figure.name = name + "-" + figure.name;
  }
  source.figures = render_and_read(figures, out, invocation);
  source.in_turns = calibrated_floor(read_manifest(folder).environments, Sides::in_turns);
  return source;
}

ReportComparison compared(const Invocation& invocation, const ReportSource& a,
                          const ReportSource& b) {
  ReportComparison result;
  result.a = a.label;
  result.b = b.label;
  for (const ReportSource* side : {&a, &b}) {
    if (side->records.has("samples.csv")) continue;
    result.not_judged = side->label + " has no samples.csv, the raw times that are compared.";
    return result;
  }
  const SampleFile &of_a = a.records.samples(), &of_b = b.records.samples();
  auto pairs = matched(all_cases(of_a), all_cases(of_b)).pairs;
  if (pairs.empty()) {
    result.not_judged = "no case is in both.";
    return result;
  }
  Environments known = of_a.environments;
  known.insert(of_b.environments.begin(), of_b.environments.end());
  const EnvironmentCheck check = check_environments(pairs, known, invocation.list("across"));
  if (!check.named) {
    result.not_judged = "they were measured in environments that differ in " + check.text +
                        "; --across " + joined(check.different, ",") +
                        " judges them if that is what is compared.";
    return result;
  }
  result.across = check.text;
  result.judged = judge_pairs(std::move(pairs), calibrated_floor(known, Sides::apart));
  return result;
}

/// Where the report goes, which is known to be writable before the work.
fs::path output_folder(const Invocation& invocation, const std::vector<fs::path>& folders) {
  const std::string& given = invocation.text("out");
  if (folders.size() > 1 && given.empty()) {
    throw UsageError("report: say with --out which folder the report of " +
                     std::to_string(folders.size()) + " goes to");
  }
  if (folders.size() == 1 && invocation.values.count("across") > 0) {
    throw UsageError("--across is of a report of several folders");
  }
  fs::path out = given.empty() ? folders[0] : fs::path(given);
  std::error_code error;
  fs::create_directories(out, error);
  if (error || !fs::is_directory(out) || ::access(out.c_str(), W_OK) != 0) {
    throw UsageError("cannot write into '" + out.string() +
                     "': " + (error ? error.message() : std::strerror(errno)));
  }
  return out;
}

struct Drawn {
  std::vector<ReportSource> sources;
  std::vector<ReportComparison> comparisons;
};

Drawn drawn(const Invocation& invocation, const std::vector<fs::path>& folders,
            const fs::path& out) {
  const std::vector<std::string> labels = labels_of(folders), names = report_names(labels);
  Drawn all;
  for (size_t i = 0; i < folders.size(); ++i) {
    all.sources.push_back(source_of(invocation, folders[i], labels[i], names[i], out));
    if (i == 0) continue;
    ReportComparison& against =
        all.comparisons.emplace_back(compared(invocation, all.sources[0], all.sources[i]));
    if (!against.not_judged.empty()) continue;
    const auto figures =
        render_and_read({verdict_figure(against.judged, against.a, against.b)}, out, invocation);
    if (!figures.empty()) against.figure = figures[0];
  }
  return all;
}

void write_tables(const Page& page, const fs::path& out) {
  for (const auto& [name, table] : report_tables(page)) {
    std::ostringstream latex, markdown_table;
    write(table, Format::latex, latex);
    write(table, Format::md, markdown_table);
    put(out / "tables" / (name + ".tex"), latex.str());
    put(out / "tables" / (name + ".md"), markdown_table.str());
  }
}

/// What the page names beside itself: the files that make the results again, and records that lie
/// elsewhere.
void write_beside(const std::vector<ReportSource>& sources, const fs::path& out) {
  std::vector<std::string> labels;
  for (const ReportSource& source : sources) labels.push_back(source.label);
  const std::vector<std::string> names = report_names(labels);
  for (size_t i = 0; i < sources.size(); ++i) {
    const fs::path& folder = sources[i].records.folder;
    const std::string prefix = names[i].empty() ? "" : names[i] + "-";
    const std::string repeat = repeat_file(read_manifest(folder));
    if (!repeat.empty()) put(out / (prefix + "repeat.ini"), repeat);
    if (fs::equivalent(folder, out)) continue;
    for (const ReportedRecord& record : reported_records()) {
      if (sources[i].records.has(record.file)) {
        put(out / (prefix + record.file), bytes_of(folder / record.file));
      }
    }
  }
}

int dry_run(const Invocation& invocation, const std::vector<fs::path>& folders) {
  for (const fs::path& folder : folders) {
    for (const RecordFigure& figure : wanted_figures(invocation, records_of(invocation, folder))) {
      invocation.out << "report " << folder.string() << ": " << figure.name << "\n";
    }
  }
  return done;
}

int run(const Invocation& invocation) {
  const std::string started = utc_now();
  if (nothing_to_read_yet(invocation, invocation.list("results"))) return done;
  const std::vector<fs::path> folders = folders_of(invocation);
  for (const fs::path& folder : folders) check_not_empty(folder);
  image_formats(invocation);  // what is wrong with them is known before the work
  if (invocation.flag("dry-run")) return dry_run(invocation, folders);
  const fs::path out = output_folder(invocation, folders);
  try {
    const Drawn all = drawn(invocation, folders, out);
    Page page = report_page(
        all.sources, all.comparisons,
        std::string("convscope ") + version + ", " + started.substr(0, started.find('T')));
    page.picture_endings = image_endings(invocation);
    write_tables(page, out);
    write_beside(all.sources, out);
    put(out / "report.md", markdown(page));
    put(out / "report.html", html(page));
    invocation.err << "wrote " << (out / "report.html").string()
                   << ", report.md, figures and tables\n";
  } catch (const std::runtime_error& error) {
    throw UsageError(error.what());
  }
  record_run(out, invocation, started);
  return done;
}

}  // namespace

Command report_command() {
  Command command{"report",
                  "one page of a results folder: answers, figures, tables, methods",
                  "convscope report results/lineage",
                  {},
                  {"results"},
                  run};
  command.options.add_options()  //
      ("results", list_value(),
       "DIR: its records are read, and report.html, report.md, figures and tables (LaTeX, "
       "Markdown) are written there; of several, the others are compared with the first")(
          "out", text_value(), "DIR: write there instead")(
          "across", list_value(), "compare although this differs: commit, cpu, libtorch, ...");
  add_figure_options(command.options);
  command.options.add_options()("dry-run", po::bool_switch(), "list what would be drawn");
  return command;
}

}  // namespace convscope
