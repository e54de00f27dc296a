#include "suite/inference/onednn_convolution.h"

#include <algorithm>
#include <chrono>
#include <cstring>
#include <functional>
#include <limits>
#include <stdexcept>

namespace convscope {
namespace {

using dnnl::memory;
using Tag = memory::format_tag;

constexpr auto f32 = memory::data_type::f32;

/// The least of a few runs; what takes more than `limit` runs only once.
double quickest_ns(const std::function<void()>& run, double limit) {
  using Clock = std::chrono::steady_clock;
  double best = std::numeric_limits<double>::infinity();
  for (int again = 0; again < 4; ++again) {
    const Clock::time_point start = Clock::now();
    run();
    best = std::min(best, std::chrono::duration<double, std::nano>(Clock::now() - start).count());
    if (best > limit) break;
  }
  return best;
}

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

/// Implementations for no processor in particular, which are never the quickest.
bool is_slow(const std::string& implementation) {
  return implementation.find("ref") != std::string::npos;
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

char* ConvolutionChooser::scratch(size_t i, size_t bytes) {
  if (scratch_.size() <= i) scratch_.resize(i + 1);
  if (scratch_[i].bytes < bytes) {
    scratch_[i] = AlignedMemory();
    scratch_[i] = AlignedMemory(bytes);
    std::memset(scratch_[i].data, 0, bytes);  // memory that nobody wrote to is quicker than any
  }
  return scratch_[i].data;
}

double ConvolutionChooser::time(const ConvolutionDesc& desc, double limit_ns) {
  const dnnl::convolution_forward convolution(desc);
  std::unordered_map<int, memory> arguments;
  size_t i = 0;
  for (const auto& [argument, md] : {std::pair{DNNL_ARG_SRC, desc.src_desc()},
                                     {DNNL_ARG_WEIGHTS, desc.weights_desc()},
                                     {DNNL_ARG_BIAS, desc.bias_desc()},
                                     {DNNL_ARG_DST, desc.dst_desc()},
                                     {DNNL_ARG_SCRATCHPAD, desc.scratchpad_desc()}}) {
    arguments.emplace(argument, memory(md, engine_, scratch(i++, md.get_size())));
  }
  return quickest_ns([&] { convolution.execute(stream_, arguments); }, limit_ns);
}

double ConvolutionChooser::reorder_ns(const memory::dims& dims, Layout from, Layout to) {
  if (from == to) return 0;
  std::string key =
      std::to_string(static_cast<int>(from)) + ' ' + std::to_string(static_cast<int>(to)) + ' ';
  append(key, dims);
  const auto [known, is_new] = known_reorders_.emplace(key, 0);
  if (is_new) {
    const memory::desc source = describe(dims, from), target = describe(dims, to);
    memory a(source, engine_, scratch(0, source.get_size()));
    memory b(target, engine_, scratch(1, target.get_size()));
    const dnnl::reorder reorder(a, b);
    known->second = quickest_ns([&] { reorder.execute(stream_, a, b); }, 1e9);
  }
  return known->second;
}

const std::vector<ConvolutionWay>& ConvolutionChooser::ways(const ConvolutionProblem& problem) {
  const auto [known, is_new] = known_.emplace(key_of(problem), std::vector<ConvolutionWay>());
  std::vector<ConvolutionWay>& ways = known->second;
  if (!is_new) return ways;
  double best = std::numeric_limits<double>::infinity();
  const auto consider = [&](Layout src, Layout dst, dnnl::algorithm algorithm) {
    try {
      Implementations all(problem, src, dst, algorithm, engine_);
      do {
        const std::string name = all.desc.impl_info_str();
        const bool again = std::any_of(ways.begin(), ways.end(), [&](const ConvolutionWay& way) {
          return way.implementation == name && way.src == src && way.dst == dst;
        });
        if (is_slow(name) || again) continue;
        const double ns = time(all.desc, 1.3 * best);
        ways.push_back({src, dst, algorithm, name, ns});
        best = std::min(best, ns);
      } while (all.desc.next_impl());
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
    way.ns += reorder_ns(problem.src, from, way.src) + reorder_ns(problem.dst, way.dst, to);
    if (way.ns < best.ns) best = way;
  }
  if (best.algorithm == dnnl::algorithm::undef) {
    throw std::invalid_argument("oneDNN has no quick implementation of this convolution");
  }
  return best;
}

ConvolutionDesc ConvolutionChooser::describe_way(const ConvolutionProblem& problem,
                                                 const ConvolutionWay& way) const {
  Implementations all(problem, way.src, way.dst, way.algorithm, engine_);
  const ConvolutionDesc first = all.desc;
  do {
    if (all.desc.impl_info_str() == way.implementation) return all.desc;
  } while (all.desc.next_impl());
  return first;
}

}  // namespace convscope
