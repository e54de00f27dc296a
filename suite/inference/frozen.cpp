#include "suite/inference/frozen.h"

#include "suite/inference/frozen_engine.h"
#ifdef CONVSCOPE_ONEDNN
#include "suite/inference/tape.h"
#endif

namespace convscope {
namespace {

FrozenForm freeze(Network& network, const torch::Tensor& example) {
#ifdef CONVSCOPE_ONEDNN
  try {
    return freeze_with_onednn(network, example);
  } catch (const NotTaped&) {
    // LibTorch's graph has what the tape lacks.
  }
#endif
  return freeze_with_libtorch(network, example);
}

}  // namespace

Frozen::Frozen(Network& network, const torch::Tensor& example) {
  const torch::NoGradGuard no_grad;
  FrozenForm form = freeze(network, example);
  expected_ = std::move(form.expected);
  engine_ = std::move(form.engine);
}

Frozen::~Frozen() = default;

std::vector<FrozenStep> Frozen::steps() const { return engine_->steps(); }

torch::Tensor Frozen::forward(const torch::Tensor& images, std::vector<int64_t>* step_ns) {
  const torch::NoGradGuard no_grad;
  return engine_->forward(images, step_ns);
}

}  // namespace convscope
