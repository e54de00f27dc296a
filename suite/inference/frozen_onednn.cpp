#include <algorithm>
#include <stdexcept>

#include "suite/inference/frozen_engine.h"
#include "suite/inference/onednn_lowering.h"

namespace convscope {

void Lowering::emit(size_t i) {
  now_ = i;
  const std::string name = call(i).name();
  const auto in = [&](std::initializer_list<const char*> names) {
    return std::find(names.begin(), names.end(), name) != names.end();
  };
  const auto chain = chains_.find(i);
  if (chain != chains_.end()) {
    const bool convolves = name == "aten::conv2d";
    const auto lowered = [&](const FusedChain& form) {
      try {
        return convolves ? convolution(i, form) : linear(i, form);
      } catch (const dnnl::error&) {
        return false;
      } catch (const std::invalid_argument&) {
        return false;
      } catch (const std::out_of_range&) {
        return false;  // another overload, with other arguments
      }
    };
    if (lowered(chain->second)) return;
    // Alone, then; what followed it takes its own turn.
    for (const size_t part : chain->second.calls) done_[part] = part == i;
    FusedChain alone;
    alone.calls = {i};
    alone.result = call(i).results.at(0);
    if (!lowered(alone)) with_libtorch(i);
    return;
  }
  bool lowered = false;
  try {
    if (in({"aten::add", "aten::mul"}))
      lowered = binary(i);
    else if (in({"aten::max_pool2d", "aten::avg_pool2d", "aten::adaptive_avg_pool2d"}))
      lowered = pool(i);
    else if (in({"aten::mean"}))
      lowered = average_all(i);
    else if (in({"aten::cat"}))
      lowered = concat(i);
    else if (in({"aten::flatten", "aten::view", "aten::reshape", "aten::_unsafe_view",
                 "aten::contiguous"}))
      lowered = flatten(i);
    else if (in({"aten::permute"}))
      lowered = permute(i);
    else
      lowered = elementwise(i);
  } catch (const dnnl::error&) {
    lowered = false;
  } catch (const std::out_of_range&) {
    lowered = false;  // another overload, with other arguments
  }
  if (!lowered) with_libtorch(i);
}

OneDnnProgram::Buffer Lowering::lower() {
  find_users();
  find_chains();
  choose_home();
  find_places();
  const Buffer input = program_.add_buffer(0);
  program_.set_input(input);
  held(tape_->input).push_back({Layout::plain, input});
  for (size_t i = 0; i < tape_->calls.size(); ++i) {
    const bool fused = done_[i] && !chains_.count(i);
    if (!fused) emit(i);
  }
  return read(tape_->output, Layout::plain);
}

namespace {

class OneDnnEngine : public FrozenEngine {
 public:
  explicit OneDnnEngine(Tape tape)
      : tape_(std::make_shared<Tape>(std::move(tape))),
        engine_(dnnl::engine::kind::cpu, 0),
        program_(engine_) {
    tape_->expected.reset();
    output_ = Lowering(tape_, program_, engine_).lower();
    program_.finish(output_);
  }

  torch::Tensor forward(const torch::Tensor& images, std::vector<int64_t>* step_ns) override {
    const TapeValue& input = tape_->values[static_cast<size_t>(tape_->input)];
    if (images.sizes() != c10::IntArrayRef(input.shape) || images.scalar_type() != torch::kFloat) {
      throw std::invalid_argument(
          "a frozen network takes batches of the shape that it was frozen for");
    }
    const torch::Tensor dense = images.contiguous();
    program_.run(dense.data_ptr(), step_ns);
    return plain_tensor(program_.data(output_), tape_->values[static_cast<size_t>(tape_->output)])
        .clone();
  }

  std::vector<FrozenStep> steps() const override { return program_.steps(); }

 private:
  std::shared_ptr<Tape> tape_;
  dnnl::engine engine_;
  OneDnnProgram program_;
  OneDnnProgram::Buffer output_;
};

}  // namespace

FrozenForm freeze_with_onednn(Network& network, const torch::Tensor& example) {
  if (example.scalar_type() != torch::kFloat || !example.device().is_cpu()) {
    throw std::invalid_argument("oneDNN is used for float32 on a CPU");
  }
  Tape tape = record(network, example.contiguous());
  torch::Tensor expected = tape.expected;
  return {std::make_unique<OneDnnEngine>(std::move(tape)), std::move(expected)};
}

}  // namespace convscope
