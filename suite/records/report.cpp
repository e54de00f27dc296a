#include "suite/records/report.h"

#include <fmt/format.h>

#include <algorithm>
#include <set>
#include <sstream>
#include <utility>

#include "suite/records/figures.h"
#include "suite/records/findings.h"
#include "suite/records/methods.h"
#include "suite/records/record_tables.h"
#include "suite/records/repeat.h"
#include "suite/report/text.h"

namespace convscope {
namespace {

/// More rows than this are a file, not a page.
constexpr size_t most_rows = 1200;

/// What makes names and anchors of several folders differ.
struct Place {
  std::string prefix;   ///< of names; "" for a single folder
  std::string heading;  ///< ", before"; "" for a single folder

  Place(const ReportSource& source, const std::string& name)
      : prefix(name.empty() ? "" : name + "-"), heading(name.empty() ? "" : ": " + source.label) {}
};

Page::Findings findings_block(const ReportSource& source) {
  Page::Findings block;
  for (RecordFinding& finding : findings(source.records, source.in_turns)) {
    block.findings.push_back({std::move(finding.statement), std::move(finding.detail)});
  }
  return block;
}

Page::Section asked(const ReportSource& source, const Manifest& manifest, const Place& place) {
  Page::Section section{place.prefix + "question", "What was asked" + place.heading, {}};
  if (!manifest.question.empty()) section.blocks.push_back(Page::Paragraph{manifest.question});
  if (!manifest.claim.empty()) {
    section.blocks.push_back(Page::Paragraph{"Expected: " + manifest.claim});
  }
  std::vector<std::string> ran;
  std::string started, finished;
  for (const Manifest::Run& run : manifest.runs) {
    if (run.only_draws()) continue;
    ran.push_back(run.name);
    if (started.empty()) started = run.started;
    finished = std::max(finished, run.finished);
  }
  std::string how;
  if (!ran.empty()) {
    how = fmt::format("{}: {}{}{}.",
                      manifest.experiment.empty() ? source.records.folder.filename().string()
                                                  : manifest.experiment,
                      joined(ran), started.empty() ? "" : ", from " + started,
                      finished.empty() ? "" : " to " + finished);
  } else {
    how = "The records of " + source.records.folder.filename().string() + ".";
  }
  section.blocks.push_back(Page::Paragraph{how});
  return section;
}

/// Which environments the rows of a record are from.
std::set<std::string> environments_of(const CsvFile& csv) {
  std::set<std::string> ids;
  for (const std::string& id : texts_if_there(csv, "env")) {
    if (!id.empty()) ids.insert(id);
  }
  return ids;
}

Page::Section tables(const ReportSource& source, const Manifest& manifest, const Place& place) {
  Page::Section section{place.prefix + "tables", "Tables" + place.heading, {}};
  for (const ReportedRecord& record : reported_records()) {
    if (!source.records.has(record.file)) continue;
    CsvFile csv = source.records.read(record.file);
    if (has_column(csv, "model")) source.records.keep_models(csv);
    if (csv.rows.empty()) continue;
    if (csv.rows.size() > most_rows) {
      section.blocks.push_back(Page::Paragraph{
          fmt::format("{} has {} rows: {}", record.file, csv.rows.size(), record.caption)});
      continue;
    }
    const std::set<std::string> ids = environments_of(csv);
    if (ids.size() > 1) {
      section.blocks.push_back(Page::Warning{
          fmt::format("The rows of {} are from {} environments, which differ in {}: compare only "
                      "rows of one.",
                      record.file, ids.size(), joined(differences(manifest.environments, ids)))});
    }
    RecordTable shown = record_table(csv);
    add_commands(record.file, manifest, shown.table);
    section.blocks.push_back(Page::Data{
        place.prefix + record.file,
        record.caption + (shown.common.empty() ? "" : " In all rows: " + shown.common + "."),
        std::move(shown.table)});
  }
  return section;
}

Page::Picture picture(const DrawnFigure& drawn) {
  return {drawn.figure, drawn.svg, figure_data(drawn.figure)};
}

Page::Section pictures(const ReportSource& source, const Place& place) {
  Page::Section section{place.prefix + "figures", "Figures" + place.heading, {}};
  for (const DrawnFigure& drawn : source.figures) {
    section.blocks.push_back(picture(drawn));
  }
  return section;
}

/// Where the records were made, which is not where they were drawn.
Environments environments_of(const Manifest& manifest) {
  std::set<std::string> drawn, measured;
  for (const Manifest::Run& run : manifest.runs) {
    (run.only_draws() ? drawn : measured).insert(run.env);
  }
  Environments found = manifest.environments;
  for (const std::string& id : drawn) {
    if (!measured.count(id)) found.erase(id);
  }
  return found;
}

Page::Section environment(const Manifest& manifest, const Place& place) {
  Page::Section section{place.prefix + "environment", "Environment" + place.heading, {}};
  const Environments environments = environments_of(manifest);
  if (environments.size() > 1) {
    std::set<std::string> ids;
    for (const auto& [id, facts] : environments) ids.insert(id);
    section.blocks.push_back(
        Page::Warning{fmt::format("These records were made in {} environments, which differ in {}.",
                                  ids.size(), joined(differences(manifest.environments, ids)))});
  }
  for (const auto& [id, facts] : environments) {
    Page::Facts block{{{"environment", id}}};
    block.facts.insert(block.facts.end(), facts.begin(), facts.end());
    section.blocks.push_back(std::move(block));
  }
  return section;
}

std::vector<std::string> lines_of(const std::string& text) {
  std::vector<std::string> lines;
  std::istringstream stream(text);
  for (std::string line; std::getline(stream, line);) lines.push_back(line);
  return lines;
}

Page::Section how(const ReportSource& source, const Manifest& manifest, const Place& place) {
  Page::Section section{place.prefix + "methods", "Methods" + place.heading, {}};
  for (const std::string& paragraph : methods(source.records, manifest)) {
    section.blocks.push_back(Page::Paragraph{paragraph});
  }
  return section;
}

Page::Section again(const Manifest& manifest, const Place& place) {
  const std::string name = place.prefix + "repeat.ini";
  Page::Section section{place.prefix + "repeat", "Repeat it" + place.heading, {}};
  const std::string file = repeat_file(manifest);
  if (file.empty()) return section;
  if (!manifest.experiment.empty()) {
    section.blocks.push_back(Page::Commands{{"convscope run " + shell_word(manifest.experiment)}});
  }
  section.blocks.push_back(
      Page::Paragraph{std::string(manifest.experiment.empty() ? "With" : "Or with") +
                      " every setting that was in effect, as " + name +
                      " beside this page has them; the column "
                      "Command of the tables makes a single row again."});
  section.blocks.push_back(Page::Commands{{"convscope run " + shell_word(name)}});
  section.blocks.push_back(Page::Commands{lines_of(file)});
  return section;
}

Page::Section verdicts(const std::vector<ReportComparison>& comparisons) {
  Page::Section section{"comparison", "Compared", {}};
  int judged = 0;
  for (const ReportComparison& one : comparisons) {
    const std::string both = one.b + " against " + one.a;
    if (!one.not_judged.empty()) {
      section.blocks.push_back(Page::Warning{"No verdicts of " + both + ": " + one.not_judged});
      continue;
    }
    if (!one.across.empty()) {
      section.blocks.push_back(Page::Warning{both + " is across " + one.across + "."});
    }
    const RecordFinding finding = finding_of(one.judged, one.a, one.b);
    section.blocks.push_back(Page::Findings{{{finding.statement, finding.detail}}});
    if (one.figure) section.blocks.push_back(picture(*one.figure));
    // The names of the folders may be the same but for what a file's name cannot have.
    section.blocks.push_back(Page::Data{
        comparisons.size() == 1 ? "verdicts.csv" : fmt::format("verdicts-{}.csv", ++judged),
        "A is " + one.a + ", B is " + one.b +
            ": medians, Hodges and Lehmann's shift with its 95 % interval, and the verdict.",
        verdict_table(one.judged)});
  }
  return section;
}

void add(Page& page, Page::Section section) {
  if (!section.blocks.empty()) page.sections.push_back(std::move(section));
}

std::vector<std::string> names_of(const std::vector<ReportSource>& sources) {
  std::vector<std::string> labels;
  for (const ReportSource& source : sources) labels.push_back(source.label);
  return report_names(labels);
}

std::string title_of(const std::vector<ReportSource>& sources) {
  std::vector<std::string> labels;
  for (const ReportSource& source : sources) labels.push_back(source.label);
  return joined(labels, " and ");
}

}  // namespace

std::vector<std::string> report_names(const std::vector<std::string>& labels) {
  std::vector<std::string> names;
  for (const std::string& label : labels) {
    std::string name;
    if (labels.size() > 1) {
      const std::string first = name = file_name(label);
      for (int n = 2; std::count(names.begin(), names.end(), name); ++n) {
        name = first + "-" + std::to_string(n);
      }
    }
    names.push_back(name);
  }
  return names;
}

Page report_page(const std::vector<ReportSource>& sources,
                 const std::vector<ReportComparison>& comparisons, const std::string& made) {
  Page page{title_of(sources), made, {}};
  const std::vector<std::string> names = names_of(sources);
  add(page, verdicts(comparisons));
  for (size_t i = 0; i < sources.size(); ++i) {
    const ReportSource& source = sources[i];
    const Place place(source, names[i]);
    const Manifest manifest = read_manifest(source.records.folder);
    add(page, asked(source, manifest, place));
    Page::Findings answers = findings_block(source);
    if (!answers.findings.empty()) {
      add(page, {place.prefix + "answers", "What came out" + place.heading, {std::move(answers)}});
    }
    add(page, pictures(source, place));
    add(page, tables(source, manifest, place));
    add(page, how(source, manifest, place));
    add(page, environment(manifest, place));
    add(page, again(manifest, place));
  }
  return page;
}

std::vector<std::pair<std::string, Table>> report_tables(const Page& page) {
  std::vector<std::pair<std::string, Table>> all;
  for (const Page::Section& section : page.sections) {
    for (const Page::Block& block : section.blocks) {
      const auto* data = std::get_if<Page::Data>(&block);
      if (data && data->table.rows.size() <= 100) {
        all.emplace_back(data->name.substr(0, data->name.rfind('.')), for_paper(data->table));
      }
    }
  }
  return all;
}

}  // namespace convscope
