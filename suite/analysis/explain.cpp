#include "suite/analysis/explain.h"

#include <fmt/format.h>

#include <algorithm>
#include <stdexcept>

#include "architectures/nearest.h"
#include "suite/analysis/cost.h"
#include "suite/analysis/ops.h"
#include "suite/analysis/receptive_field.h"

namespace convscope {
namespace {

std::string line(const std::string& what, const std::string& arithmetic) {
  return fmt::format("  {:<16} {}\n", what, arithmetic);
}

/// " (height)" and " (width)" where the two sides of the image differ.
std::string side_name(const std::string& what, bool all_alike, size_t side, size_t sides) {
  if (all_alike || sides != 2) return what;
  return what + (side == 0 ? ", height" : ", width");
}

std::string output_size(int64_t in, const SlidingWindow& w, bool ceil_mode, bool transposed,
                        int64_t out) {
  std::string extent = std::to_string(w.extent());
  if (w.dilation > 1) extent = fmt::format("({} * ({} - 1) + 1)", w.dilation, w.kernel);
  if (transposed) {
    return fmt::format("({} - 1) * {} - 2 * {} + {} + output padding = {}", in, w.stride, w.padding,
                       extent, out);
  }
  const std::string padded = w.padding ? fmt::format(" + 2 * {}", w.padding) : "";
  const bool exact = (in + 2 * w.padding - w.extent()) % w.stride == 0;
  const std::string steps = fmt::format("({}{} - {}) / {}", in, padded, extent, w.stride);
  if (exact) return fmt::format("{} + 1 = {}", steps, out);
  return fmt::format("{}({}) + 1 = {}", ceil_mode ? "ceil" : "floor", steps, out);
}

std::string field(const SlidingWindow& w, const Field& before, const Field& after) {
  const std::string extent = w.dilation > 1 ? fmt::format("{} * ({} - 1)", w.dilation, w.kernel)
                                            : fmt::format("({} - 1)", w.kernel);
  return fmt::format("{} + {} * {} = {}, stride {} * {} = {}, padding {} + {} * {} = {}",
                     before.size, extent, before.stride, after.size, before.stride, w.stride,
                     after.stride, before.padding, w.padding, before.stride, after.padding);
}

std::string explain_windows(const Site& site, const Fields& before, const Fields& after) {
  const auto slides = windows(site);
  const Shape &in = site.in(), &out = site.out();
  const size_t sides = slides.size();
  std::string sizes, fields;
  std::vector<std::string> size_lines, field_lines;
  for (size_t i = 0; i < sides; ++i) {
    const size_t dim = in.size() - sides + i;
    size_lines.push_back(output_size(in[dim], slides[i], site.flag("ceil_mode", false),
                                     is_transposed(site), out[dim]));
    const int side = dim < before.side_of.size() ? before.side_of[dim] : -1;
    if (side < 0) continue;
    field_lines.push_back(field(slides[i], before.sides[static_cast<size_t>(side)],
                                after.sides[static_cast<size_t>(side)]));
  }
  const auto print = [](const std::string& what, const std::vector<std::string>& lines) {
    const bool alike = std::all_of(lines.begin(), lines.end(),
                                   [&](const std::string& l) { return l == lines[0]; });
    std::string text;
    for (size_t i = 0; i < (alike ? std::min<size_t>(1, lines.size()) : lines.size()); ++i) {
      text += line(side_name(what, alike, i, lines.size()), lines[i]);
    }
    return text;
  };
  return print("output size", size_lines) + print("receptive field", field_lines);
}

std::string explain_convolution(const Site& site, const LayerCost& cost) {
  const Shape& weight = site.in(1);
  const std::string kernel = to_string(Shape(weight.begin() + 2, weight.end()));
  const int64_t groups = site.integer("groups", 1);
  const std::string inputs = groups == 1 ? std::to_string(weight[1])
                                         : fmt::format("({} / {})", weight[1] * groups, groups);
  const int64_t weights = element_count(weight);
  std::string parameters = fmt::format("{} filters * {} channels * {} = {}", weight[0], inputs,
                                       kernel, grouped_digits(weights));
  if (site.has(2)) {
    parameters +=
        fmt::format(", + {} biases = {}", site.in(2)[0], grouped_digits(weights + site.in(2)[0]));
  }
  const int64_t outputs = element_count(site.out());
  std::string text = line("parameters", parameters);
  text += line("MACs", fmt::format("{} outputs * {} weights each = {}", to_string(cost.out_shape),
                                   grouped_digits(weights / weight[0]), grouped_digits(cost.macs)));
  text += line("FLOPs",
               fmt::format("2 * {}{} = {}", grouped_digits(cost.macs),
                           site.has(2) ? " + " + grouped_digits(outputs) + " bias additions" : "",
                           grouped_digits(cost.flops)));
  return text;
}

std::string explain_linear(const LayerCost& cost) {
  const int64_t in = cost.in_shape.back(), out = cost.out_shape.back();
  std::string parameters =
      fmt::format("{} outputs * {} inputs = {}", out, in, grouped_digits(in * out));
  if (cost.params == in * out + out) {
    parameters += fmt::format(", + {} biases = {}", out, grouped_digits(cost.params));
  }
  return line("parameters", parameters) +
         line("MACs", fmt::format("{} outputs * {} inputs each = {}", to_string(cost.out_shape), in,
                                  grouped_digits(cost.macs))) +
         line("FLOPs", fmt::format("2 * {}{} = {}", grouped_digits(cost.macs),
                                   cost.flops > 2 * cost.macs
                                       ? " + " + grouped_digits(cost.flops - 2 * cost.macs) +
                                             " bias additions"
                                       : "",
                                   grouped_digits(cost.flops)));
}

}  // namespace

std::string grouped_digits(int64_t number) {
  std::string text = std::to_string(number);
  for (auto i = static_cast<int64_t>(text.size()) - 3; i > (number < 0 ? 1 : 0); i -= 3) {
    text.insert(static_cast<size_t>(i), ",");
  }
  return text;
}

std::string explain(const Graph& graph, const std::string& layer) {
  const Cost total = cost(graph);
  const ReceptiveFields fields = receptive_fields(graph);
  std::vector<std::string> names;
  std::string text;
  for (const LayerCost& layer_cost : total.layers) {
    const Call& call = graph.calls[layer_cost.call];
    names.push_back(call.layer);
    if (call.layer != layer) continue;
    const Site site(graph, call);
    const Op* op = find_operator(call.op);
    text += fmt::format("{} ({}): {} -> {}\n", layer, layer_cost.op, to_string(layer_cost.in_shape),
                        to_string(layer_cost.out_shape));
    if (!op) {
      text += line("unknown", "no row for " + call.op + " in suite/analysis/ops.cpp");
      continue;
    }
    if (!layer_cost.windows.empty()) {
      text += explain_windows(site, fields.of_value[static_cast<size_t>(call.inputs[0])],
                              fields.of_value[static_cast<size_t>(call.outputs[0])]);
    }
    if (op->kind == Kind::convolution) {
      text += explain_convolution(site, layer_cost);
    } else if (layer_cost.kind == "linear") {
      text += explain_linear(layer_cost);
    } else {
      if (layer_cost.params > 0) text += line("parameters", grouped_digits(layer_cost.params));
      text +=
          line("FLOPs", fmt::format("{}: {}", op->flops.text, grouped_digits(layer_cost.flops)));
    }
  }
  if (text.empty()) {
    throw std::invalid_argument("no layer '" + layer + "'" + did_you_mean(layer, names) +
                                " ('--layers' shows them all)");
  }
  return text;
}

}  // namespace convscope
