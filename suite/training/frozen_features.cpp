#include "suite/training/frozen_features.h"

#include <algorithm>
#include <new>
#include <vector>

#include "suite/inference/evaluation.h"

namespace convscope {
namespace {

/// The first stages of a network, as one.
struct Bottom : Network {
  std::shared_ptr<StagedNetwork> whole;
  size_t end;

  Bottom(const std::shared_ptr<StagedNetwork>& network, size_t stages)
      : whole(register_module("whole", network)), end(stages) {}

  torch::Tensor forward(torch::Tensor x) override {
    const std::vector<Stage> stages = whole->stages();
    for (size_t i = 0; i < end; ++i) x = stages[i].forward(std::move(x));
    return x;
  }
};

}  // namespace

Runner::Runner(Network& network, int64_t batch, bool freeze)
    : network_(network), batch_(batch), freeze_(freeze) {}
Runner::~Runner() = default;

torch::Tensor Runner::forward(const torch::Tensor& images) {
  if (images.size(0) != batch_ || !freeze_) return network_.forward(images);
  if (frozen_) return frozen_->forward(images);
  freeze_ = false;
  try {
    auto form = std::make_unique<Frozen>(network_, images);
    torch::Tensor expected = form->expected();
    const auto difference = (form->forward(images) - expected).abs().max().item<double>();
    if (difference <= 1e-4 * std::max(1.0, expected.abs().max().item<double>())) {
      frozen_ = std::move(form);
      freeze_ = true;
    }
    return expected;
  } catch (const std::bad_alloc&) {
    throw;
  } catch (const std::exception&) {  // an operator that the frozen form does not have
    return network_.forward(images);
  }
}

torch::Tensor images_of(Batch& batch) {
  return torch::from_blob(batch.values.data(),
                          {batch.size, batch.channels, batch.height, batch.width});
}

torch::Tensor labels_of(const Batch& batch) { return torch::tensor(batch.labels, torch::kLong); }

Features features_of(const std::shared_ptr<StagedNetwork>& network, size_t stages,
                     const Dataset& dataset, const LoaderOptions& options,
                     const std::function<void(int64_t done)>& progress) {
  const torch::NoGradGuard no_grad;
  network->eval();
  Bottom bottom(network, stages);
  bottom.eval();
  Runner runner(bottom, options.batch, dataset.size() >= worth_freezing);
  Loader loader(dataset, options);
  std::vector<torch::Tensor> values, labels;
  int64_t done = 0;
  for (Batch batch; loader.next(batch);) {
    values.push_back(runner.forward(images_of(batch)).contiguous().clone());
    labels.push_back(labels_of(batch));
    progress(done += batch.size);
  }
  return {torch::cat(values), torch::cat(labels)};
}

}  // namespace convscope
