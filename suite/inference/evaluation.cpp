#include "suite/inference/evaluation.h"

#include <algorithm>
#include <chrono>
#include <cmath>
#include <numeric>
#include <stdexcept>

namespace convscope {
namespace {

/// log(sum(exp(logits))), without overflow.
double log_sum_exp(const float* logits, int64_t classes) {
  const double largest = *std::max_element(logits, logits + classes);
  double sum = 0;
  for (int64_t i = 0; i < classes; ++i) sum += std::exp(static_cast<double>(logits[i]) - largest);
  return largest + std::log(sum);
}

}  // namespace

Share share(int64_t hits, int64_t images) {
  if (images == 0) return {std::nan(""), 0, 1};
  constexpr double z = 1.959963984540054;  // the normal distribution's quantile of 0.975
  const auto n = static_cast<double>(images);
  const double p = static_cast<double>(hits) / n, z2 = z * z / n;
  const double centre = (p + z2 / 2) / (1 + z2);
  const double half = z * std::sqrt(p * (1 - p) / n + z2 / (4 * n)) / (1 + z2);
  return {p, hits == 0 ? 0 : centre - half, hits == images ? 1 : centre + half};
}

bool all_finite(const float* logits, int64_t classes) {
  return std::all_of(logits, logits + classes, [](float logit) { return std::isfinite(logit); });
}

std::vector<Guess> likeliest(const float* logits, int64_t classes, int64_t count) {
  std::vector<int64_t> order(static_cast<size_t>(classes));
  std::iota(order.begin(), order.end(), 0);
  count = std::min(count, classes);
  const auto rank = [&](int64_t i) { return std::isnan(logits[i]) ? -HUGE_VALF : logits[i]; };
  std::partial_sort(order.begin(), order.begin() + count, order.end(), [&](int64_t a, int64_t b) {
    return rank(a) != rank(b) ? rank(a) > rank(b) : a < b;
  });
  const double total = log_sum_exp(logits, classes);
  std::vector<Guess> best;
  for (int64_t i = 0; i < count; ++i) {
    const int64_t index = order[static_cast<size_t>(i)];
    const auto logit = static_cast<double>(logits[index]);
    best.push_back({index, logit, std::exp(logit - total)});
  }
  return best;
}

Tally::Tally(int64_t classes) {
  sum_.images_of.resize(static_cast<size_t>(classes));
  sum_.right_of.resize(static_cast<size_t>(classes));
}

void Tally::add(const float* logits, int64_t label) {
  const auto classes = static_cast<int64_t>(sum_.images_of.size());
  if (label < 0 || label >= classes) {
    throw std::invalid_argument("the data has a class " + std::to_string(label) +
                                ", counted from 0, and the network tells apart " +
                                std::to_string(classes));
  }
  ++sum_.images;
  ++sum_.images_of[static_cast<size_t>(label)];
  if (!all_finite(logits, classes)) {
    ++sum_.not_finite;
    sum_.loss = std::nan("");
    return;
  }
  const std::vector<Guess> best = likeliest(logits, classes, 5);
  sum_.top1 += best[0].index == label;
  sum_.top5 += std::any_of(best.begin(), best.end(),
                           [&](const Guess& guess) { return guess.index == label; });
  sum_.loss += log_sum_exp(logits, classes) - static_cast<double>(logits[label]);
  sum_.right_of[static_cast<size_t>(label)] += best[0].index == label;
  ++sum_.confusion[{label, best[0].index}];
}

Evaluation Tally::result() const {
  Evaluation result = sum_;
  result.loss /= static_cast<double>(result.images);
  return result;
}

Evaluation evaluate(Classifier& classifier, Loader& loader,
                    const std::function<void(int64_t done)>& progress) {
  using Clock = std::chrono::steady_clock;
  const int64_t classes = classifier.classes();
  Tally tally(classes);
  const Clock::time_point start = Clock::now();
  for (Batch batch; loader.next(batch);) {
    const std::vector<float> logits = classifier.logits(batch.values, batch.size);
    for (int64_t i = 0; i < batch.size; ++i) {
      tally.add(logits.data() + i * classes, batch.labels[static_cast<size_t>(i)]);
    }
    progress(tally.images());
  }
  Evaluation result = tally.result();
  result.seconds = std::chrono::duration<double>(Clock::now() - start).count();
  result.waited_seconds = loader.waited_seconds();
  result.frozen = classifier.frozen();
  return result;
}

}  // namespace convscope
