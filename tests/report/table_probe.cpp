// Writes into a folder what latex_test.py gives to LaTeX: a table of ordinary results, one of names
// that LaTeX would stumble over, and, with gnuplot, a figure.
#include <filesystem>
#include <fstream>
#include <iostream>
#include <stdexcept>
#include <string>

#include "suite/report/figure.h"
#include "suite/report/table.h"

namespace {

using namespace convscope;

const Table ordinary = {{{"model", "Network"},
                         {"params", "Params", Human::count},
                         {"weight_bytes", "Weights", Human::bytes},
                         {"latency_ms", "Latency (ms)"},
                         {"change", "Change (%)"}},
                        {{Cell("alexnet_two_towers"), Cell(int64_t{61100840}),
                          Cell(int64_t{244403360}), Cell(12.5), Cell(-1.25)},
                         {Cell("mobilenet_v3_small"), Cell(int64_t{2542856}),
                          Cell(int64_t{10171424}), Cell(), Cell(0.5)}}};

// Each line of the standard input is a name. In the first column, since a star or a bracket there
// could belong to the end of the row before.
Table names() {
  Table table = {{{"name", "Name & 100 % ± 1 模"}}, {}};
  for (std::string name; std::getline(std::cin, name);) table.rows.push_back({Cell(name)});
  return table;
}

void write_latex(const Table& table, const std::filesystem::path& path) {
  std::ofstream file(path, std::ios::binary);
  write(table, Format::latex, file);
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 2) return 2;
  const std::filesystem::path folder = argv[1];
  write_latex(ordinary, folder / "ordinary.tex");
  write_latex(names(), folder / "names.tex");
  try {
    check_gnuplot();
  } catch (const std::runtime_error& error) {
    std::cerr << error.what() << '\n';
    return 0;
  }
  StackedBars bars{{"convolution"}, {{"Parameters", 1}}, {{"vgg16_bn", "VGG", {{2}}}}};
  render({"figure", "A figure", bars}, folder, {ImageFormat::pdf});
}
