// A report as plain data, and the two forms in which it is written: one self-contained HTML page,
// and Markdown. Knows nothing of what is reported.
#pragma once

#include <filesystem>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "suite/report/figure.h"
#include "suite/report/table.h"

namespace convscope {

/// All texts are plain: what looks like mark-up in them is shown as it is.
struct Page {
  struct Paragraph {
    std::string text;
  };
  /// Findings: each a short statement with the numbers, and below it where they are from.
  struct Findings {
    struct Finding {
      std::string statement, detail;
    };
    std::vector<Finding> findings;
  };
  /// Lines to type, which can be copied.
  struct Commands {
    std::vector<std::string> lines;
  };
  /// Names and their values: an environment.
  struct Facts {
    std::vector<std::pair<std::string, std::string>> facts;
  };
  /// A record. People see the columns that are not Human::none; the rest can be shown, too.
  struct Data {
    std::string name;  ///< "cost.csv": of the file to download, and, without its ending, the anchor
    std::string caption;
    Table table;
  };
  struct Picture {
    Figure figure;
    std::string svg;  ///< as render() wrote it
    Table data = {};  ///< the numbers behind it; without columns, none are shown
  };
  /// A warning that nobody must overlook: two environments in one table.
  struct Warning {
    std::string text;
  };
  using Block = std::variant<Paragraph, Findings, Commands, Facts, Data, Picture, Warning>;
  struct Section {
    std::string id;  ///< letters, digits, '-': the anchor
    std::string heading;
    std::vector<Block> blocks;
  };

  std::string title;     ///< of the experiment
  std::string subtitle;  ///< when and by what it was made
  std::vector<Section> sections;
  std::vector<std::string> picture_endings = {"svg", "pdf", "png"};  ///< of the files of pictures
};

/// The page as one HTML file that needs neither network nor server. Without scripts all of it can
/// be read; with them, tables are sorted and filtered. The anchors are the ids of the sections, the
/// names of the tables without their ending, and "figure-NAME". Figures are links to
/// "figures/NAME.svg", ".pdf" and ".png" beside the page, tables whose CSV is larger than 300 kB
/// name their file beside it. The same page gives the same bytes. Throws std::invalid_argument if a
/// row of a table is not as long as its columns.
std::string html(const Page& page);

/// The page as GitHub's Markdown, with the first 60 rows of a table. Figures are those in
/// "figures/NAME.svg" and "figures/NAME-dark.svg". Throws as html() does.
std::string markdown(const Page& page);

}  // namespace convscope
