#include "suite/analysis/trace.h"

#include <optional>
#include <stdexcept>
#include <unordered_map>

#include "suite/analysis/intercept.h"
#include "suite/analysis/module_names.h"

namespace convscope {
namespace {

torch::Tensor on_meta(const Shape& shape, c10::ScalarType type) {
  return at::empty(shape, torch::TensorOptions().dtype(type).device(c10::kMeta));
}

torch::Tensor zeros_like(const torch::Tensor& tensor) {
  return at::zeros(tensor.sizes(), tensor.options().device(c10::kCPU));
}

/// LibTorch's own answer on tensors without memory; where it has no kernel for those, what it does
/// with zeros, for once with memory.
torch::jit::Stack run(const OperatorCall& call,
                      const std::function<torch::Tensor(const torch::Tensor&)>& to_meta) {
  const bool factory = call.is_factory();
  torch::jit::Stack stack;
  for (size_t i = 0; i < call.arguments.size(); ++i) {
    const bool device = call.argument_name(i) == "device";
    stack.push_back(device && (factory || call.arguments[i].isDevice())
                        ? c10::IValue(c10::Device(c10::kMeta))
                        : with_tensors(call.arguments[i], to_meta));
  }
  try {
    call.op.callBoxed(&stack);
    return stack;
  } catch (const c10::NotImplementedError&) {
    stack.clear();
  }
  for (const c10::IValue& value : call.arguments) stack.push_back(with_tensors(value, zeros_like));
  call.op.callBoxed(&stack);
  for (c10::IValue& value : stack) {
    value = with_tensors(value, [](const torch::Tensor& tensor) {
      return on_meta(tensor.sizes().vec(), tensor.scalar_type());
    });
  }
  return stack;
}

/// Gives tensors a shape and nothing else, and lets nobody fill them.
class Builder : public Interceptor {
 public:
  torch::jit::Stack call(OperatorCall call) override {
    if (call.is_in_place()) return {call.arguments[0]};
    return run(call, [](const torch::Tensor& tensor) { return tensor; });
  }
};

Attribute attribute_of(const c10::IValue& value) {
  if (value.isBool()) return value.toBool();
  if (value.isInt()) return value.toInt();
  if (value.isDouble()) return value.toDouble();
  if (value.isIntList()) return value.toIntVector();
  if (value.isString()) return value.toStringRef();
  return {};
}

/// Numbers the tensors of a forward pass and writes its calls into a Graph.
class Recorder : public Interceptor {
 public:
  Recorder(Graph& graph, const torch::nn::Module& module)
      : graph_(graph), names_(module), teller_(dynamic_cast<const TellsLayer*>(&module)) {
    const auto add = [this](const std::string& name, const torch::Tensor& tensor, bool trainable) {
      Value& value = graph_.values[static_cast<size_t>(value_of(tensor))];
      if (value.parameter >= 0) return;  // the same tensor under a second name
      value.parameter = static_cast<int>(graph_.parameters.size());
      parameter_in_.emplace(value.storage, value.parameter);
      graph_.parameters.push_back({name, value.shape, value.element_bytes, trainable});
    };
    for (const auto& p : module.named_parameters()) add(p.key(), p.value(), true);
    for (const auto& b : module.named_buffers()) add(b.key(), b.value(), false);
  }

  int value_of(const torch::Tensor& tensor) {
    if (!tensor.defined()) return -1;
    const auto [place, is_new] = values_.emplace(tensor.unsafeGetTensorImpl(), -1);
    if (is_new) place->second = new_value(tensor);
    return place->second;
  }

  torch::jit::Stack call(OperatorCall call) override {
    if (call.is_factory()) {
      // TorchScript's own functions write into what they made with at::empty.
      if (teller_) {
        call.op.callBoxed(&call.arguments);
        return std::move(call.arguments);
      }
      return run(call, [this](const torch::Tensor& tensor) { return stand_in(tensor); });
    }
    Call record = recorded(call);
    if (call.name() == "aten::_local_scalar_dense") {
      throw std::invalid_argument(
          "its forward reads a number out of a tensor" +
          (record.layer.empty() ? "" : " in " + record.layer) +
          ", which depends on the image, so that nothing holds for all images");
    }
    torch::jit::Stack results = call.is_in_place() ? checked(call, record) : answer(call, record);
    bool any = false;
    for (size_t i = 0; i < results.size(); ++i) {
      any |= for_each_tensor(
          results[i], call.op.schema().returns()[i],
          [&](const torch::Tensor& tensor) { record.outputs.push_back(result_of(tensor)); });
    }
    if (any) graph_.calls.push_back(std::move(record));
    return results;
  }

 private:
  /// The arguments as plain data.
  Call recorded(const OperatorCall& call) {
    Call record;
    record.op = call.name();
    for (size_t i = 0; i < call.arguments.size(); ++i) {
      const bool tensors = for_each_tensor(
          call.arguments[i], call.op.schema().arguments()[i], [&](const torch::Tensor& t) {
            if (t.defined() && c10::isQIntType(t.scalar_type())) {
              throw std::invalid_argument("its forward computes with quantized numbers (" +
                                          record.op + "), and floating point alone is counted");
            }
            record.inputs.push_back(value_of(t));
          });
      if (!tensors) {
        record.attributes.emplace_back(call.argument_name(i), attribute_of(call.arguments[i]));
      }
    }
    record.layer = layer_of(record);
    record.of_module = names_.is_of_kind(record.layer, record.op);
    return record;
  }

  std::string layer_of(const Call& call) {
    for (const int input : call.inputs) {
      if (input < 0) continue;
      const auto found = parameter_in_.find(graph_.values[static_cast<size_t>(input)].storage);
      if (found != parameter_in_.end()) {
        return names_.owner(graph_.parameters[static_cast<size_t>(found->second)].name);
      }
    }
    if (!teller_) return names_.nearest(call.op);
    return teller_->running_layer(graph_.calls.empty() ? "" : graph_.calls.back().layer);
  }

  /// An in-place operator returns what it was given, if that fits.
  torch::jit::Stack checked(const OperatorCall& call, const Call& record) {
    rule_shape(call, record);
    return {call.arguments[0]};
  }

  torch::jit::Stack answer(const OperatorCall& call, const Call& record) {
    const auto shape = rule_shape(call, record);
    if (!shape) return run_named(call, record);
    const std::vector<torch::Tensor> tensors = tensors_of(call);
    const bool pointwise = call.row->kind == Kind::elementwise && tensors.size() > 1;
    const c10::ScalarType type =
        pointwise ? at::result_type(tensors[0], tensors[1]) : tensors.at(0).scalar_type();
    // What keeps the shape keeps the layout, which a later view may rely on.
    if (tensors.at(0).sizes() == c10::IntArrayRef(*shape)) {
      return {at::empty_strided(tensors[0].sizes(), tensors[0].strides(),
                                torch::TensorOptions().dtype(type).device(c10::kMeta))};
    }
    return {on_meta(*shape, type)};
  }

  /// What the row says of the result's shape; nothing where it has no rule, or none for arguments
  /// like these (a vector for a matrix): LibTorch knows better.
  std::optional<Shape> rule_shape(const OperatorCall& call, const Call& record) const {
    if (!call.row || !call.row->shape) return std::nullopt;
    try {
      return call.row->shape(Site(graph_, record));
    } catch (const ShapeError& error) {
      throw ShapeError(where(record) + error.what());
    } catch (const std::logic_error&) {
      return std::nullopt;
    }
  }

  torch::jit::Stack run_named(const OperatorCall& call, const Call& record) {
    try {
      return run(call, [this](const torch::Tensor& tensor) { return stand_in(tensor); });
    } catch (const c10::Error& error) {
      throw ShapeError(where(record) + error.what_without_backtrace());
    } catch (const std::runtime_error& error) {  // what LibTorch's shape inference throws
      throw ShapeError(where(record) + error.what());
    }
  }

  /// "layer1.0.conv1 (conv2d): "
  static std::string where(const Call& call) {
    const std::string op = call.op.substr(call.op.rfind(':') + 1);
    return call.layer + (call.layer.empty() ? "" : " ") + "(" + op + "): ";
  }

  /// What a call returned. A tensor that it wrote into is another value from now on.
  int result_of(const torch::Tensor& tensor) {
    return tensor.defined() ? values_[tensor.unsafeGetTensorImpl()] = new_value(tensor) : -1;
  }

  /// A tensor without memory for one that has some. Views of the one count as views of the other.
  torch::Tensor stand_in(const torch::Tensor& tensor) {
    if (tensor.is_meta()) return tensor;
    torch::Tensor copy =
        at::empty_strided(tensor.sizes(), tensor.strides(), tensor.options().device(c10::kMeta));
    storages_[copy.storage().unsafeGetStorageImpl()] =
        graph_.values[static_cast<size_t>(value_of(tensor))].storage;
    kept_alive_.push_back(copy);
    return copy;
  }

  int new_value(const torch::Tensor& tensor) {
    const auto [storage, is_new] = storages_.emplace(tensor.storage().unsafeGetStorageImpl(),
                                                     static_cast<int>(storages_.size()));
    graph_.values.push_back(
        {tensor.sizes().vec(), static_cast<int64_t>(tensor.element_size()), storage->second, -1});
    kept_alive_.push_back(tensor);
    return static_cast<int>(graph_.values.size()) - 1;
  }

  Graph& graph_;
  ModuleNames names_;
  const TellsLayer* teller_;
  std::unordered_map<const c10::TensorImpl*, int> values_;
  std::unordered_map<const c10::StorageImpl*, int> storages_;
  std::unordered_map<int, int> parameter_in_;  // by storage
  std::vector<torch::Tensor> kept_alive_;      // else a freed address would be met again
};

}  // namespace

struct WithoutMemory::Guard {
  std::unique_ptr<Interceptor> builder = std::make_unique<Builder>();
  Intercept on{*builder};
};

WithoutMemory::WithoutMemory() : guard_(std::make_unique<Guard>()) {}
WithoutMemory::~WithoutMemory() = default;

Graph trace(torch::nn::Module& module,
            const std::function<torch::Tensor(const torch::Tensor&)>& forward, const Shape& image) {
  torch::NoGradGuard no_grad;
  Graph graph;
  Recorder recorder(graph, module);
  Shape batch = image;
  batch.insert(batch.begin(), 1);
  const torch::Tensor images = on_meta(batch, c10::kFloat);
  graph.inputs.push_back(recorder.value_of(images));
  Intercept on(recorder);
  const torch::Tensor result = forward(images);
  if (!result.defined()) throw std::invalid_argument("forward returned no tensor");
  graph.outputs.push_back(recorder.value_of(result));
  return graph;
}

}  // namespace convscope
