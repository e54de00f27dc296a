#include "suite/training/optimizer.h"

#include <torch/nn.h>
#include <torch/optim.h>
#include <torch/serialize.h>

#include <sstream>

namespace convscope {
namespace {

namespace optim = torch::optim;

std::unique_ptr<optim::OptimizerOptions> options_of(const Recipe& recipe, double rate,
                                                    double decay) {
  switch (recipe.optimizer) {
    case OptimizerKind::sgd:
      return std::make_unique<optim::SGDOptions>(optim::SGDOptions(rate)
                                                     .momentum(recipe.momentum)
                                                     .nesterov(recipe.nesterov)
                                                     .weight_decay(decay));
    case OptimizerKind::adamw:
      return std::make_unique<optim::AdamWOptions>(
          optim::AdamWOptions(rate).betas({recipe.momentum, 0.999}).weight_decay(decay));
    case OptimizerKind::rmsprop:
      // torchvision's settings for the MobileNets; TensorFlow's epsilon is inside the root.
      return std::make_unique<optim::RMSpropOptions>(optim::RMSpropOptions(rate)
                                                         .alpha(0.9)
                                                         .eps(0.0316)
                                                         .momentum(recipe.momentum)
                                                         .weight_decay(decay));
  }
  throw std::invalid_argument("no such optimizer");
}

}  // namespace

ScheduledOptimizer::ScheduledOptimizer(const Recipe& recipe, const std::vector<RateGroup>& groups)
    : recipe_(recipe) {
  std::vector<optim::OptimizerParamGroup> all;
  const auto add = [&](const std::vector<torch::Tensor>& members, double rate, double decay) {
    if (members.empty()) return;
    all.emplace_back(members, options_of(recipe, rate, decay));
    rates_.push_back(rate);
  };
  for (const RateGroup& group : groups) {
    std::vector<torch::Tensor> weights, others;
    for (const torch::Tensor& parameter : group.parameters) {
      (recipe.decay_all || parameter.dim() > 1 ? weights : others).push_back(parameter);
    }
    add(others, group.rate, 0);
    add(weights, group.rate, recipe.weight_decay);
  }
  switch (recipe.optimizer) {
    case OptimizerKind::sgd:
      optimizer_ = std::make_unique<optim::SGD>(std::move(all), optim::SGDOptions(recipe.rate));
      break;
    case OptimizerKind::adamw:
      optimizer_ = std::make_unique<optim::AdamW>(std::move(all));
      break;
    case OptimizerKind::rmsprop:
      optimizer_ = std::make_unique<optim::RMSprop>(std::move(all));
      break;
  }
}

ScheduledOptimizer::~ScheduledOptimizer() = default;

void ScheduledOptimizer::set_share(double share) {
  for (size_t i = 0; i < rates_.size(); ++i) {
    optimizer_->param_groups()[i].options().set_lr(rates_[i] * share);
  }
}

void ScheduledOptimizer::set_time(double epoch) {
  set_share(rate_at(recipe_.schedule, epoch));
  if (const auto momentum = momentum_at(recipe_.schedule, epoch)) set_momentum(*momentum);
}

void ScheduledOptimizer::set_momentum(double momentum) {
  for (optim::OptimizerParamGroup& group : optimizer_->param_groups()) {
    auto& options = group.options();
    switch (recipe_.optimizer) {
      case OptimizerKind::sgd:
        static_cast<optim::SGDOptions&>(options).momentum(momentum);
        break;
      case OptimizerKind::adamw:
        static_cast<optim::AdamWOptions&>(options).betas({momentum, 0.999});
        break;
      case OptimizerKind::rmsprop:
        static_cast<optim::RMSpropOptions&>(options).momentum(momentum);
        break;
    }
  }
}

double ScheduledOptimizer::rate() const {
  return optimizer_->param_groups().back().options().get_lr();
}

void ScheduledOptimizer::step() {
  optimizer_->step();
  // Undefined instead of zero, so that the next pass writes gradients where it would add them.
  for (optim::OptimizerParamGroup& group : optimizer_->param_groups()) {
    for (torch::Tensor& parameter : group.params()) parameter.mutable_grad() = torch::Tensor();
  }
}

std::string ScheduledOptimizer::state() const {
  torch::serialize::OutputArchive archive;
  optimizer_->save(archive);
  std::ostringstream stream;
  archive.save_to(stream);
  return stream.str();
}

void ScheduledOptimizer::restore(const std::string& state) {
  std::istringstream stream(state);
  torch::serialize::InputArchive archive;
  archive.load_from(stream);
  optimizer_->load(archive);
}

}  // namespace convscope
