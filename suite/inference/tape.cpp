#include "suite/inference/tape.h"

#include <algorithm>
#include <stdexcept>
#include <unordered_map>

#include "suite/analysis/intercept.h"
#include "suite/analysis/trace.h"

namespace convscope {
namespace {

class Recorder : public Interceptor {
 public:
  explicit Recorder(Tape& tape) : tape_(tape) {}

  int new_value(const torch::Tensor& tensor, bool constant) {
    const int value = static_cast<int>(tape_.values.size());
    tape_.values.push_back(
        {tensor.sizes().vec(), tensor.scalar_type(), constant ? tensor : torch::Tensor()});
    tensors_.insert_or_assign(
        tensor.unsafeGetTensorImpl(),
        Known{value, tensor.storage().unsafeGetStorageImpl(), Address(tensor.getIntrusivePtr())});
    return value;
  }

  int value_of(const torch::Tensor& tensor) {
    if (!tensor.defined()) return -1;
    const auto found = tensors_.find(tensor.unsafeGetTensorImpl());
    if (found == tensors_.end()) return new_value(tensor, /*constant=*/true);
    if (found->second.outdated) {
      const char* const why = "it reads a tensor after it wrote into another view of it";
      if (is_constant(found->second.value)) throw NotTaped(why);
      throw std::invalid_argument(why);
    }
    return found->second.value;
  }

  torch::jit::Stack call(OperatorCall call) override {
    const bool in_place = call.is_in_place();
    const bool random = call.op.hasTag(at::Tag::nondeterministic_seeded);
    TapeCall record{call.op, in_place, {}, {}, -1};
    bool constant = !random;
    for (size_t i = 0; i < call.arguments.size(); ++i) {
      record.arguments.push_back(argument(call.arguments[i], call.op.schema().arguments()[i]));
      for (const int value : record.arguments.back().values) constant &= is_constant(value);
    }
    const torch::Tensor target = in_place ? call.arguments[0].toTensor() : torch::Tensor();
    // The call itself is about to change the constant; before that nobody may have read it.
    if (in_place && is_constant(value_of(target)) && (!constant || is_read(value_of(target)))) {
      throw NotTaped("it writes into a tensor that does not come from the images");
    }
    const bool counted = !call.is_factory();
    torch::jit::Stack stack = std::move(call.arguments);
    call.op.callBoxed(&stack);
    bool any = false, same = !in_place;
    for (size_t i = 0; i < stack.size(); ++i) {
      any |= for_each_tensor(stack[i], call.op.schema().returns()[i], [&](const torch::Tensor& t) {
        same &= t.defined() && tensors_.count(t.unsafeGetTensorImpl()) > 0;
        record.results.push_back(t.defined() ? result(t, constant, same) : -1);
      });
    }
    if (in_place) outdate_views_of(target);
    if (any && counted) ops_.push_back(call.name());
    // What only hands on what it was given, such as aten::contiguous, has nothing to do.
    if (!any || constant || same) return stack;
    record.index = counted ? static_cast<int>(ops_.size()) - 1 : -1;
    tape_.calls.push_back(std::move(record));
    return stack;
  }

  const std::vector<std::string>& ops() const { return ops_; }

 private:
  /// Keeps the address from being given to another tensor, but not the memory.
  using Address = c10::weak_intrusive_ptr<c10::TensorImpl, c10::UndefinedTensorImpl>;

  struct Known {
    int value;
    const c10::StorageImpl* storage;
    Address address;
    bool outdated = false;
  };

  bool is_read(int value) const {
    const auto reads = [&](const TapeArgument& argument) {
      return std::count(argument.values.begin(), argument.values.end(), value) > 0;
    };
    return std::any_of(tape_.calls.begin(), tape_.calls.end(), [&](const TapeCall& call) {
      return std::any_of(call.arguments.begin(), call.arguments.end(), reads);
    });
  }

  bool is_constant(int value) const {
    return value < 0 || tape_.values[static_cast<size_t>(value)].constant.defined();
  }

  TapeArgument argument(const c10::IValue& value, const c10::Argument& declared) {
    TapeArgument argument{TapeArgument::Form::plain, {}, {}};
    if (for_each_tensor(value, declared,
                        [&](const torch::Tensor& t) { argument.values.push_back(value_of(t)); })) {
      argument.form =
          value.isTensorList() ? TapeArgument::Form::tensors : TapeArgument::Form::tensor;
    } else if (value.isList() && !value.toListRef().empty() && value.toListRef()[0].isTensor()) {
      throw NotTaped("it indexes with tensors");
    } else {
      argument.plain = value;
    }
    return argument;
  }

  int result(const torch::Tensor& tensor, bool constant, bool same) {
    return same ? value_of(tensor) : new_value(tensor, constant);
  }

  void outdate_views_of(const torch::Tensor& written) {
    for (auto& [impl, known] : tensors_) {
      if (known.storage == written.storage().unsafeGetStorageImpl() &&
          impl != written.unsafeGetTensorImpl() && !known.address.expired()) {
        known.outdated = true;
      }
    }
  }

  Tape& tape_;
  std::unordered_map<const c10::TensorImpl*, Known> tensors_;
  std::vector<std::string> ops_;  // as trace() counts calls
};

/// The layer of each call, if a trace() has the same calls.
void name_layers(Tape& tape, const std::vector<std::string>& ops, Network& network,
                 const torch::Tensor& example) {
  const Shape image = example.sizes().slice(1).vec();
  const Graph graph = trace(network, image);
  const bool same =
      std::equal(ops.begin(), ops.end(), graph.calls.begin(), graph.calls.end(),
                 [](const std::string& op, const Call& call) { return op == call.op; });
  if (!same) {
    for (TapeCall& call : tape.calls) call.index = -1;
    return;
  }
  for (const Call& call : graph.calls) tape.layers.push_back(call.layer);
}

}  // namespace

std::string TapeCall::name() const {
  std::string name = op.schema().name();
  if (in_place && name.back() == '_') name.pop_back();
  return name;
}

const TapeArgument& TapeCall::argument(const std::string& name) const {
  return arguments.at(static_cast<size_t>(op.schema().argumentIndexWithName(name).value_or(-1)));
}

int TapeCall::value(const std::string& name) const {
  const TapeArgument& found = argument(name);
  return found.form == TapeArgument::Form::tensor ? found.values.at(0) : -1;
}

Tape record(Network& network, const torch::Tensor& example) {
  const torch::NoGradGuard no_grad;
  Tape tape;
  Recorder recorder(tape);
  tape.input = recorder.new_value(example, /*constant=*/false);
  {
    const Intercept on(recorder);
    tape.expected = network.forward(example);
  }
  tape.output = recorder.value_of(tape.expected);
  if (tape.values[static_cast<size_t>(tape.output)].constant.defined() ||
      tape.output == tape.input) {
    throw std::invalid_argument("its result does not depend on the images");
  }
  name_layers(tape, recorder.ops(), network, example);
  return tape;
}

std::vector<torch::Tensor> replay(const TapeCall& call, const Tape& tape,
                                  const std::function<torch::Tensor(int value)>& tensor) {
  const auto of = [&](int value) {
    if (value < 0) return torch::Tensor();
    const torch::Tensor& constant = tape.values[static_cast<size_t>(value)].constant;
    return constant.defined() ? constant : tensor(value);
  };
  torch::jit::Stack stack;
  for (const TapeArgument& argument : call.arguments) {
    switch (argument.form) {
      case TapeArgument::Form::plain:
        stack.push_back(argument.plain);
        break;
      case TapeArgument::Form::tensor:
        stack.emplace_back(argument.values.at(0) < 0 ? c10::IValue()
                                                     : c10::IValue(of(argument.values[0])));
        break;
      case TapeArgument::Form::tensors: {
        std::vector<torch::Tensor> tensors;
        for (const int value : argument.values) tensors.push_back(of(value));
        stack.emplace_back(std::move(tensors));
        break;
      }
    }
  }
  if (call.in_place) stack[0] = stack[0].toTensor().clone();
  call.op.callBoxed(&stack);
  std::vector<torch::Tensor> results;
  for (size_t i = 0; i < stack.size(); ++i) {
    for_each_tensor(stack[i], call.op.schema().returns()[i],
                    [&](const torch::Tensor& result) { results.push_back(result); });
  }
  return results;
}

}  // namespace convscope
