// Writes the page that browser_test.py opens: all kinds of blocks, names as nasty as they come, and
// tables short, wide and long. With a folder of figures as a second argument, those are on it, too,
// for people to look at.
#include <cmath>
#include <filesystem>
#include <fstream>
#include <iostream>
#include <limits>
#include <sstream>

#include "suite/report/page.h"

namespace {

using namespace convscope;
using namespace std::string_literals;

Table networks() {
  Table table = {{{"env", "Environment", Human::none},
                  {"model", "Network"},
                  {"params", "Parameters", Human::count},
                  {"weight_bytes", "Weights", Human::bytes},
                  {"top1", "Top-1 (%)"},
                  {"latency_ms", "Latency (ms)"},
                  {"aligned", "Aligned"},
                  {"notes", "Notes", Human::none}},
                 {}};
  const auto add = [&table](const std::string& name, int64_t params, const Cell& top1,
                            const Cell& latency, bool aligned, const std::string& note) {
    table.rows.push_back({Cell("cd6f69421bf6bc88"), Cell(name), Cell(params), Cell(4 * params),
                          top1, latency, Cell(aligned), Cell(note)});
  };
  add("resnet50", 25557032, 76.13, 44.51234567, true, "");
  add("lenet5", 62006, {}, 0.12322, true, "no ImageNet weights");
  add("resnet101", 44549160, 77.374, 81.0, true, "");
  add("resnet18", 11689512, 69.758, 17.95, true, "");
  add("alexnet", 61100840, 56.522, 12.0001, false, "ties with nobody");
  add("mobilenet_v2", 3504872, 71.878, 12.0002, true, "");
  add("squeezenet1_1", 1235496, 58.178, std::numeric_limits<double>::infinity(), false, "");
  add("<script>window.hacked=1</script>", 1, 1.0, std::nan(""), false, "</script><script>");
  add("\"><img src=x onerror=window.hacked=1>", 2, 2.0, 2.0, false, "' onclick='window.hacked=1");
  add("</style></table></title>", 3, 3.0, 3.0, false, "javascript:window.hacked=1");
  add("模型 сеть δίκτυο", 4, 4.0, 4.0, false, "\xE2\x80\xA8line\xE2\x80\xA9paragraph");
  add("שלום עולם", 5, 5.0, 5.0, false, "nul\0here"s);
  add("\xE2\x80\xAE"
      "desrever \xff\xfe",
      6, 6.0, 6.0, false, "\x1b[31m");
  return table;
}

Table layers(int rows) {
  Table table = {{{"model", "Network"},
                  {"index", "#"},
                  {"layer", "Layer"},
                  {"op", "Operator"},
                  {"kernel", "Kernel"},
                  {"in_shape", "Input"},
                  {"out_shape", "Output"},
                  {"params", "Parameters", Human::count},
                  {"macs", "MACs", Human::count},
                  {"weight_bytes", "Weights", Human::bytes},
                  {"activation_bytes", "Activations", Human::bytes},
                  {"median_ms", "Median (ms)"},
                  {"ci_low_ms", "From (ms)"},
                  {"ci_high_ms", "To (ms)"},
                  {"gflop_per_s", "GFLOP/s"},
                  {"peak_share", "Share of peak"},
                  {"env", "", Human::none}},
                 {}};
  const char* names[] = {"resnet50", "inception_v3", "mobilenet_v3_large", "vgg16"};
  for (int64_t i = 0; i < rows; ++i) {
    const double wave = 1 + std::sin(0.7 * static_cast<double>(i));
    table.rows.push_back({Cell(names[i * 4 / rows]), Cell(i),
                          Cell("layer" + std::to_string(i / 9) + ".conv" + std::to_string(i % 9)),
                          Cell(i % 3 == 0 ? "conv2d" : "batch_norm"), Cell("3x3"), Cell("64x56x56"),
                          Cell("64x56x56"), Cell(i * 3217), Cell(i * 1234567), Cell(i * 4 * 3217),
                          Cell(int64_t{802816}), Cell(wave), Cell(0.93 * wave), Cell(1.07 * wave),
                          Cell(124 / (1 + wave)), Cell(wave / 3), Cell("cd6f69421bf6bc88")});
  }
  return table;
}

constexpr const char* drawing = R"svg(<?xml version="1.0" encoding="utf-8"?>
<svg width="648" height="300" viewBox="0 0 324 150" role="img" xmlns="http://www.w3.org/2000/svg">
<title>A drawing</title>
<rect class="ground" x="0" y="0" width="324" height="150" fill="#FFFFFF"/>
<g fill="none"><path stroke="#BDBDBD" d="M30,10 V120 H310"/></g>
<circle r="4" cx="60" cy="90" fill="#0072B2"/>
<circle r="4" cx="200" cy="40" fill="#D55E00"/>
<g font-family="sans-serif" font-size="8">
<g fill="#262626">
<text class="label" x="68" y="93">alexnet</text>
</g>
<g fill="#5C5C5C">
<text x="208" y="43">&lt;script&gt; resnet50</text>
</g>
</g>
</svg>
)svg";

Table points() {
  Table table = {{{"network", "Network"},
                  {"params", "Parameters", Human::count},
                  {"macs", "MACs", Human::count}},
                 {}};
  for (int64_t i = 0; i < 320; ++i)
    table.rows.push_back({Cell("network " + std::to_string(i)), Cell(i * 100000), Cell(i * i * 7)});
  return table;
}

}  // namespace

int main(int argc, char** argv) {
  if (argc < 2) {
    std::cerr << "usage: page_probe PAGE.html [FOLDER]\n";
    return 2;
  }
  Page page;
  page.title = "What do ten classic networks cost, and <script>window.hacked=1</script>?";
  page.subtitle =
      "Measured on 22 November 2026 by convscope 0.1.0 on 2 cores of a machine \"><img src=x "
      "onerror=window.hacked=1>";
  page.sections = {
      {"answers",
       "Answers",
       {Page::Findings{{{"ResNet-50 costs 4.09 G multiply-accumulates for one image of 224 x 224 "
                         "pixels, and 25.56 M parameters.",
                         "From cost.csv: the columns macs and params, without biases. The paper "
                         "says 3.8 G, for it counts no shortcuts."},
                        {"MobileNet v2 is within 5 % of its accuracy at a tenth of that.",
                         "Published weights; the interval is that of 50,000 images."},
                        {"</p><script>window.hacked=1</script>", "javascript:window.hacked=1"}}},
        Page::Warning{"The rows are of two environments: cd6f69421bf6bc88 and 20e535362e938f77. "
                      "Compare times only within one."},
        Page::Paragraph{
            "The question is as old as the networks: how much of what a network costs buys "
            "accuracy? Each row below was computed from the network as it runs, operator by "
            "operator, and agrees with the published tables where there are any."}}},
      {"tables",
       "Tables & more",
       {Page::Data{"cost.csv",
                   "What each network costs, and how long it takes for one image. Times are "
                   "medians; the rest is counted.",
                   networks()},
        Page::Data{"few.csv",
                   "A short one",
                   {{{"a", "Letter"}, {"b", "Number"}},
                    {{Cell("x"), Cell(int64_t{10})}, {Cell("y"), Cell(int64_t{9})}}}},
        Page::Data{"layers.csv", "What each layer costs", layers(400)}}},
      {"figures",
       "Figures",
       {Page::Picture{{"cost_bubbles", "Multiply-accumulates \"against\" parameters", Bubbles{},
                       "Each disc is a network, its area the activations. The line is that of "
                       "equal work for each parameter."},
                      drawing,
                      points()},
        Page::Picture{{"again", "The same again", Bubbles{}, "So that identifiers could clash."},
                      drawing}}},
      {"how",
       "How to repeat it",
       {Page::Paragraph{"Each line can be pasted into a shell."},
        Page::Commands{{"convscope cost --models 'resnet*' --format csv > cost.csv",
                        "convscope bench --models resnet50,mobilenet_v2 --engine frozen --threads "
                        "1 --batch 1 --out results/a_folder_with_a_long_name",
                        "echo '<script>window.hacked=1</script>' && ls"}},
        Page::Facts{{{"Processor", "A processor at 2.5 GHz, 2 cores"},
                     {"LibTorch", "1.13.1"},
                     {"<b>Nasty</b>", "\"><img src=x onerror=window.hacked=1>"}}}}}};
  if (argc > 2) {
    for (const auto& file : std::filesystem::directory_iterator(argv[2])) {
      if (file.path().extension() != ".svg") continue;
      std::stringstream svg;
      svg << std::ifstream(file.path()).rdbuf();
      page.sections[2].blocks.emplace_back(Page::Picture{
          {file.path().stem(), file.path().stem(), Bubbles{}, "A figure of the reference results."},
          svg.str(),
          points()});
    }
  }
  std::ofstream(argv[1], std::ios::binary) << html(page);
  return 0;
}
