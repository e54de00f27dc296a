#include "suite/inference/onednn_convolution.h"

#include <algorithm>
#include <chrono>
#include <cmath>
#include <cstring>
#include <ctime>
#include <functional>
#include <limits>
#include <numeric>
#include <stdexcept>

namespace convscope {
namespace {

using dnnl::memory;
using Tag = memory::format_tag;

constexpr auto f32 = memory::data_type::f32;

void append(std::string& key, const memory::dims& dims) {
  for (const memory::dim dim : dims) key += std::to_string(dim) + ' ';
  key += ';';
}

std::string key_of(const ConvolutionProblem& problem) {
  std::string key;
  for (const memory::dims* dims : {&problem.src, &problem.weights, &problem.strides,
                                   &problem.dilation, &problem.padding_before, &problem.dst}) {
    append(key, *dims);
  }
  for (const PostOp& op : problem.post_ops) {
    key += std::to_string(static_cast<int>(op.function)) + ' ' + std::to_string(op.alpha) + ' ' +
           std::to_string(op.beta) + ';';
  }
  return key;
}

/// oneDNN's implementations one after the other. The walk reads the operation at each step, which
/// oneDNN does not copy.
struct Implementations {
  dnnl::convolution_forward::desc operation;
  ConvolutionDesc desc;

  Implementations(const ConvolutionProblem& problem, Layout src, Layout dst,
                  dnnl::algorithm algorithm, const dnnl::engine& engine)
      : operation(dnnl::prop_kind::forward_inference, algorithm, describe(problem.src, src),
                  {problem.weights, f32, Tag::any}, {{problem.dst.at(1)}, f32, Tag::a},
                  describe(problem.dst, dst), problem.strides, problem.dilation,
                  problem.padding_before, problem.padding_after),
        desc(operation, attributes_of(problem.post_ops), engine) {}
  Implementations(const Implementations&) = delete;
  Implementations& operator=(const Implementations&) = delete;
};

/// "avx512_core" of "jit:avx512_core".
std::string instruction_set(const std::string& implementation) {
  return implementation.substr(implementation.rfind(':') + 1);
}

/// Fewer rows of an image that is large: all ways take as many times longer for the whole, and
/// trying them takes no longer than a few large layers do.
ConvolutionProblem strip_of(ConvolutionProblem problem, double& times) {
  const auto product = [](const memory::dims& dims) {
    return std::accumulate(dims.begin(), dims.end(), 1.0, std::multiplies<>());
  };
  constexpr double enough_macs = 2.5e8;
  const double macs =
      product(problem.weights) * static_cast<double>(problem.dst[2] * problem.dst[3]);
  const auto rows = std::max<memory::dim>(
      16, 4 * static_cast<memory::dim>(
                  std::ceil(static_cast<double>(problem.dst[2]) * enough_macs / macs / 4)));
  times = 1;
  if (rows >= problem.dst[2]) return problem;
  times = static_cast<double>(problem.dst[2]) / static_cast<double>(rows);
  problem.src[2] -= (problem.dst[2] - rows) * problem.strides[0];
  problem.dst[2] = rows;
  return problem;
}

}  // namespace

dnnl::primitive_attr attributes_of(const std::vector<PostOp>& post_ops) {
  dnnl::post_ops ops;
  for (const PostOp& op : post_ops) {
    if (op.function == dnnl::algorithm::undef) {
      ops.append_sum();
    } else {
      ops.append_eltwise(1, op.function, op.alpha, op.beta);
    }
  }
  dnnl::primitive_attr attributes;
  attributes.set_post_ops(ops);
  attributes.set_scratchpad_mode(dnnl::scratchpad_mode::user);
  return attributes;
}

double ConvolutionChooser::ns_of(const std::function<void()>& run) const {
#ifdef CLOCK_THREAD_CPUTIME_ID
  // What other processes take does not count, where one thread does all.
  const auto now = [this] {
    timespec time{};
    clock_gettime(threads_ == 1 ? CLOCK_THREAD_CPUTIME_ID : CLOCK_MONOTONIC, &time);
    return static_cast<double>(time.tv_sec) * 1e9 + static_cast<double>(time.tv_nsec);
  };
#else
  const auto now = [] {
    return std::chrono::duration<double, std::nano>(
               std::chrono::steady_clock::now().time_since_epoch())
        .count();
  };
#endif
  const double start = now();
  run();
  return now() - start;
}

char* ConvolutionChooser::scratch(size_t i, size_t bytes) {
  if (scratch_.size() <= i) scratch_.resize(i + 1);
  if (scratch_[i].bytes < bytes) {
    scratch_[i] = AlignedMemory();
    scratch_[i] = AlignedMemory(bytes);
    std::memset(scratch_[i].data, 0, bytes);  // memory that nobody wrote to is quicker than any
  }
  return scratch_[i].data;
}

double ConvolutionChooser::time(const Trial& trial) {
  const ConvolutionDesc& desc = trial.desc;
  // In a network the weights were last read one pass ago, and are in no cache.
  constexpr size_t more_than_caches = 64 << 20, page = 4096;
  const size_t weight_bytes = (desc.weights_desc().get_size() + page - 1) / page * page;
  char* const weights = scratch(0, std::max(more_than_caches, 2 * weight_bytes));
  if (cold_ + weight_bytes > scratch_[0].bytes) cold_ = 0;
  const auto at = [&](const memory::desc& md, size_t i) {
    return memory(md, engine_, scratch(i, md.get_size()));
  };
  const std::unordered_map<int, memory> arguments = {
      {DNNL_ARG_WEIGHTS, memory(desc.weights_desc(), engine_, weights + cold_)},
      {DNNL_ARG_SRC, at(desc.src_desc(), 1)},
      {DNNL_ARG_DST, at(desc.dst_desc(), 2)},
      {DNNL_ARG_BIAS, at(desc.bias_desc(), 3)},
      {DNNL_ARG_SCRATCHPAD, at(desc.scratchpad_desc(), 4)}};
  cold_ += weight_bytes;
  return ns_of([&] { trial.convolution.execute(stream_, arguments); });
}

double ConvolutionChooser::reorder_ns(const memory::dims& dims, Layout from, Layout to) {
  if (same_memory(dims, from, to)) return 0;
  std::string key =
      std::to_string(static_cast<int>(from)) + ' ' + std::to_string(static_cast<int>(to)) + ' ';
  append(key, dims);
  const auto [known, is_new] = known_reorders_.emplace(key, 0);
  if (is_new) {
    const memory::desc source = describe(dims, from), target = describe(dims, to);
    memory a(source, engine_, scratch(1, source.get_size()));
    memory b(target, engine_, scratch(2, target.get_size()));
    const dnnl::reorder reorder(a, b);
    known->second = std::numeric_limits<double>::infinity();
    for (int again = 0; again < 5; ++again) {
      known->second = std::min(known->second, ns_of([&] { reorder.execute(stream_, a, b); }));
    }
  }
  return known->second;
}

const std::vector<ConvolutionWay>& ConvolutionChooser::ways(const ConvolutionProblem& whole) {
  double times = 1;
  const ConvolutionProblem problem = strip_of(whole, times);
  const auto [known, is_new] = known_.emplace(key_of(whole), std::vector<ConvolutionWay>());
  std::vector<ConvolutionWay>& ways = known->second;
  if (!is_new) return ways;
  std::vector<Trial> trials;
  const auto consider = [&](Layout src, Layout dst, dnnl::algorithm algorithm) {
    try {
      Implementations all(problem, src, dst, algorithm, engine_);
      // oneDNN lists the promising ones first, those for lesser processors later.
      const std::string best_set = instruction_set(all.desc.impl_info_str());
      int tried = 0;
      do {
        const std::string name = all.desc.impl_info_str();
        if (instruction_set(name) != best_set || best_set == "any") break;
        trials.push_back({all.desc, dnnl::convolution_forward(all.desc)});
        ways.push_back({src, dst, algorithm, name, std::numeric_limits<double>::infinity()});
      } while (++tried < 2 && all.desc.next_impl());
    } catch (const dnnl::error&) {
      // There is none for these layouts.
    }
  };
  const bool square_3x3 =
      std::equal(problem.weights.end() - 2, problem.weights.end(), memory::dims{3, 3}.begin());
  if (square_3x3 && problem.strides == memory::dims{1, 1}) {
    consider(Layout::blocked, Layout::blocked, dnnl::algorithm::convolution_winograd);
  }
  for (const Layout layout : {Layout::blocked, Layout::channels_last, Layout::plain}) {
    if (layout == Layout::plain && !ways.empty()) break;
    consider(layout, layout, dnnl::algorithm::convolution_direct);
  }
  // The first convolution reads images as they are.
  if (problem.src.at(1) <= 4) {
    consider(Layout::plain, Layout::blocked, dnnl::algorithm::convolution_direct);
  }
  // In turn, so that what else the machine does meets all of them; the slow ones not again.
  double best = std::numeric_limits<double>::infinity(), spent = 0;
  for (int round = 0; round < 6 && (round < 2 || spent < 30e6); ++round) {
    for (size_t i = 0; i < ways.size(); ++i) {
      if (round > 0 && ways[i].ns > (round == 1 ? 3 : 1.2) * best) continue;
      const double ns = time(trials[i]);
      spent += ns;
      ways[i].ns = std::min(ways[i].ns, ns);
      best = std::min(best, ways[i].ns);
    }
  }
  for (ConvolutionWay& way : ways) way.ns *= times;
  return ways;
}

ConvolutionWay ConvolutionChooser::choose(const ConvolutionProblem& problem, Layout from,
                                          Layout to) {
  const bool adds =
      std::any_of(problem.post_ops.begin(), problem.post_ops.end(),
                  [](const PostOp& op) { return op.function == dnnl::algorithm::undef; });
  ConvolutionWay best{from, to, dnnl::algorithm::undef, "",
                      std::numeric_limits<double>::infinity()};
  for (ConvolutionWay way : ways(problem)) {
    if (adds && way.dst != to) continue;  // what is added lies there in that layout
    const double changes =
        reorder_ns(problem.src, from, way.src) + reorder_ns(problem.dst, way.dst, to);
    way.ns += 1.1 * changes;  // as long as it is nearly the same, without them
    // Nearly as quick is not enough, or each process would choose by its own luck.
    if (way.ns < 0.95 * best.ns) best = way;
  }
  if (best.algorithm == dnnl::algorithm::undef) {
    throw std::invalid_argument("oneDNN has no quick implementation of this convolution");
  }
  return best;
}

ConvolutionDesc ConvolutionChooser::describe_way(const ConvolutionProblem& problem,
                                                 const ConvolutionWay& way) const {
  Implementations all(problem, way.src, way.dst, way.algorithm, engine_);
  ConvolutionDesc first = all.desc;
  do {
    if (all.desc.impl_info_str() == way.implementation) return all.desc;
  } while (all.desc.next_impl());
  return first;
}

}  // namespace convscope
