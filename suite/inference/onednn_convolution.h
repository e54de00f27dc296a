// Which of oneDNN's implementations of a convolution is the quickest here, found by trying.
#pragma once

#include <functional>
#include <map>
#include <string>
#include <unordered_map>
#include <vector>

#include "suite/inference/onednn_layout.h"

namespace convscope {

/// What is done to a result before it is written.
struct PostOp {
  dnnl::algorithm function;  ///< of an elementwise operator; undef: what is there already is added
  float alpha = 0, beta = 0;
};

dnnl::primitive_attr attributes_of(const std::vector<PostOp>& post_ops);

struct ConvolutionProblem {
  dnnl::memory::dims src, weights, dst, strides, dilation, padding_before, padding_after;
  std::vector<PostOp> post_ops;
};

/// One way to do it, and how long it took.
struct ConvolutionWay {
  Layout src, dst;
  dnnl::algorithm algorithm;
  std::string implementation;
  double ns;
};

using ConvolutionDesc = dnnl::convolution_forward::primitive_desc;

class ConvolutionChooser {
 public:
  /// For as many threads as this thread uses now.
  ConvolutionChooser(const dnnl::engine& engine, int threads)
      : engine_(engine), stream_(engine), threads_(threads) {}

  /// The quickest way from an image in the one layout to a result in the other; changes of layout
  /// around it count. `ns` is all together. Throws std::invalid_argument where oneDNN has none.
  ConvolutionWay choose(const ConvolutionProblem& problem, Layout from, Layout to);

  /// The same way for another batch size, if oneDNN has it, else the nearest that it has.
  ConvolutionDesc describe_way(const ConvolutionProblem& problem, const ConvolutionWay& way) const;

  /// What it takes to change a layout.
  double reorder_ns(const dnnl::memory::dims& dims, Layout from, Layout to);

 private:
  const std::vector<ConvolutionWay>& ways(const ConvolutionProblem& problem);
  struct Trial {
    ConvolutionDesc desc;
    dnnl::convolution_forward convolution;
  };
  double time(const Trial& trial);
  double ns_of(const std::function<void()>& run) const;
  char* scratch(size_t i, size_t bytes);

  dnnl::engine engine_;
  dnnl::stream stream_;
  int threads_;
  std::map<std::string, std::vector<ConvolutionWay>> known_;
  std::map<std::string, double> known_reorders_;
  std::vector<AlignedMemory> scratch_;
  size_t cold_ = 0;  ///< where the weights of the next trial lie
};

}  // namespace convscope
