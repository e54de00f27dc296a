// Graphs written by hand, an operator at a time, for tests that need no network and no torch.
#pragma once

#include <string>
#include <utility>
#include <vector>

#include "suite/analysis/graph.h"
#include "suite/analysis/ops.h"

namespace convscope {

class HandMade {
 public:
  explicit HandMade(Shape image) {
    image.insert(image.begin(), 1);
    graph.inputs = {add_value(image)};
  }

  /// Calls an operator whose row has a shape rule. Returns the value that it makes.
  int call(const std::string& op, std::vector<int> inputs,
           std::vector<std::pair<std::string, Attribute>> attributes = {}) {
    Call record{op,
                "layer" + std::to_string(graph.calls.size()),
                std::move(inputs),
                {},
                std::move(attributes)};
    const Op* row = find_operator(op);
    const Shape shape = row && row->shape ? row->shape(Site(graph, record))
                                          : graph.values[size_t(record.inputs.at(0))].shape;
    record.outputs = {op.back() == '_' ? rewrite(record.inputs[0]) : add_value(shape)};
    graph.calls.push_back(record);
    graph.outputs = record.outputs;
    return record.outputs[0];
  }

  int weight(const std::string& name, const Shape& shape, bool trainable = true) {
    const int value = add_value(shape);
    graph.values[size_t(value)].parameter = int(graph.parameters.size());
    graph.parameters.push_back({name, shape, 4, trainable});
    return value;
  }

  int conv(int input, int64_t filters, int64_t kernel, int64_t stride = 1, int64_t padding = 0,
           bool bias = false, int64_t groups = 1, int64_t dilation = 1) {
    const std::string name = "layer" + std::to_string(graph.calls.size());
    const int64_t channels = graph.values[size_t(input)].shape[1];
    const int w = weight(name + ".weight", {filters, channels / groups, kernel, kernel});
    const int b = bias ? weight(name + ".bias", {filters}) : -1;
    return call("aten::conv2d", {input, w, b},
                {{"stride", std::vector<int64_t>{stride}},
                 {"padding", std::vector<int64_t>{padding}},
                 {"dilation", std::vector<int64_t>{dilation}},
                 {"groups", groups}});
  }

  int norm(int input) {
    const std::string name = "layer" + std::to_string(graph.calls.size());
    const Shape channels = {graph.values[size_t(input)].shape[1]};
    return call("aten::batch_norm",
                {input, weight(name + ".weight", channels), weight(name + ".bias", channels),
                 weight(name + ".running_mean", channels, false),
                 weight(name + ".running_var", channels, false)},
                {{"training", false}});
  }

  int pool(const std::string& op, int input, int64_t kernel, int64_t stride, int64_t padding = 0,
           bool ceil_mode = false) {
    return call(op, {input},
                {{"kernel_size", std::vector<int64_t>{kernel}},
                 {"stride", std::vector<int64_t>{stride}},
                 {"padding", std::vector<int64_t>{padding}},
                 {"ceil_mode", ceil_mode}});
  }

  int image() const { return graph.inputs[0]; }
  const Shape& shape(int value) const { return graph.values[size_t(value)].shape; }

  Graph graph;

 private:
  int add_value(const Shape& shape) {
    graph.values.push_back({shape, 4, storages_++, -1});
    return int(graph.values.size()) - 1;
  }
  int rewrite(int value) {
    graph.values.push_back(graph.values[size_t(value)]);
    return int(graph.values.size()) - 1;
  }

  int storages_ = 0;
};

}  // namespace convscope
