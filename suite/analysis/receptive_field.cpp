#include "suite/analysis/receptive_field.h"

#include <algorithm>

#include "suite/analysis/ops.h"

namespace convscope {
namespace {

/// A signal, an image one pixel high, has one side: its length.
Fields of_image(const Shape& shape) {
  Fields fields;
  fields.side_of.assign(shape.size(), -1);
  const bool signal = shape.size() == 4 && shape[2] == 1 && shape[3] > 1;
  for (size_t i = signal ? 3 : 2; i < shape.size(); ++i) {
    fields.side_of[i] = static_cast<int>(fields.sides.size());
    fields.sides.emplace_back();
  }
  return fields;
}

std::string name_of(const Call& call) { return call.layer.empty() ? call.op : call.layer; }

/// A window over several positions of a map whose field had ended, by upsampling or rearranging.
bool slides_beyond(const Site& site, const Fields& below) {
  if (below.sides.empty() || below.spatial()) return false;
  const auto slides = windows(site);
  const Shape& shape = site.in();
  for (size_t i = 0; i < slides.size(); ++i) {
    if (slides[i].kernel > 1 && shape[shape.size() - slides.size() + i] > 1) return true;
  }
  return false;
}

}  // namespace

ReceptiveFields receptive_fields(const Graph& graph) {
  ReceptiveFields result;
  result.of_value.resize(graph.values.size());
  for (size_t i = 0; i < graph.values.size(); ++i) {
    result.of_value[i].side_of.assign(graph.values[i].shape.size(), -1);
  }
  const auto fields_of = [&](int value) -> Fields& {
    return result.of_value[static_cast<size_t>(value)];
  };
  for (const int input : graph.inputs) {
    fields_of(input) = of_image(graph.values[static_cast<size_t>(input)].shape);
  }
  for (size_t number = 0; number < graph.calls.size(); ++number) {
    const Call& call = graph.calls[number];
    const Op* op = find_operator(call.op);
    if (call.outputs.empty() || call.outputs[0] < 0) continue;
    std::vector<const Fields*> inputs;
    for (const int input : call.inputs) inputs.push_back(input < 0 ? nullptr : &fields_of(input));
    if (!op || inputs.empty() || !inputs[0])
      continue;  // the row of an unknown operator stays blank
    const Site site(graph, call);
    Fields fields = op->fields(site, inputs);
    if (slides_beyond(site, *inputs[0])) result.beyond.push_back(name_of(call));
    if (fields.gated) result.gates.push_back(name_of(call));
    fields.gated = false;
    if (fields.spatial()) fields.made_by = static_cast<int>(number);
    const bool by_weight = std::any_of(inputs.begin(), inputs.end(), [](const Fields* input) {
      return input && input->sides.empty();
    });
    if (op->kind == Kind::convolution || op->kind == Kind::linear ||
        (op->kind == Kind::matmul && by_weight)) {
      ++fields.depth;
    }
    for (const int output : call.outputs) {
      if (output >= 0) fields_of(output) = fields;
    }
  }
  return result;
}

std::string to_string(const std::vector<Field>& sides, int64_t Field::*part) {
  Shape numbers;
  for (const Field& side : sides) numbers.push_back(side.*part);
  if (numbers.empty()) return "";
  const bool square = std::all_of(numbers.begin(), numbers.end(),
                                  [&](int64_t number) { return number == numbers[0]; });
  return square ? std::to_string(numbers[0]) : to_string(numbers);
}

}  // namespace convscope
