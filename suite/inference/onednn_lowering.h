// A tape turned into oneDNN primitives: what follows a convolution is done before its result is
// written, results stay in the layout that convolutions like, and joined channels are written
// where they will lie. What oneDNN lacks is done by LibTorch on plain tensors.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <oneapi/dnnl/dnnl.hpp>
#include <optional>
#include <string>
#include <unordered_map>
#include <unordered_set>
#include <vector>

#include "suite/inference/onednn_convolution.h"
#include "suite/inference/onednn_program.h"
#include "suite/inference/tape.h"

namespace convscope {

/// The calls done by one step, the first of which is a convolution or the like.
struct FusedChain {
  std::vector<size_t> calls;
  std::vector<PostOp> post_ops;
  std::string op;
  int norm = -1;    ///< the call of the batch normalisation that is folded
  int added = -1;   ///< the value that is added
  int result = -1;  ///< what the last call returns
};

/// Its parts are in onednn_plan.cpp (what is done together, in which layout, and where it lies),
/// onednn_steps.cpp (a function for each sort of operator) and frozen_onednn.cpp (one after the
/// other).
class Lowering {
 public:
  using Buffer = OneDnnProgram::Buffer;

  Lowering(const std::shared_ptr<const Tape>& tape, OneDnnProgram& program,
           const dnnl::engine& engine)
      : tape_(tape),
        values_(tape->values),
        program_(program),
        engine_(engine),
        chooser_(engine, torch::get_num_threads()) {}

  Buffer lower();

 private:
  struct Held {
    Layout layout;
    Buffer buffer;
  };
  struct Place {
    int whole;
    int64_t channel;
  };

  const TapeCall& call(size_t i) const { return tape_->calls[i]; }
  const TapeValue& value(int v) const { return values_[static_cast<size_t>(v)]; }
  bool is_image(int v) const { return is_computed(v) && value(v).shape.size() == 4; }
  bool is_computed(int v) const {
    return v >= 0 && !value(v).constant.defined() && value(v).type == torch::kFloat &&
           element_count(value(v).shape) > 0;
  }
  std::vector<size_t>& users(int v) { return users_[static_cast<size_t>(v)]; }
  std::vector<Held>& held(int v) { return held_[static_cast<size_t>(v)]; }

  void find_users();
  bool is_last_use(int v, size_t i);
  bool is_joined(int v);
  FusedChain chain_from(size_t i, bool with_norm, bool with_sum);
  void find_chains();
  void choose_home();
  void find_places();

  std::optional<ConvolutionProblem> convolution_problem(size_t i, const FusedChain& chain) const;

  /// The value's buffer in that layout, with a step that changes the layout if it takes one.
  Buffer read(int v, Layout layout);
  /// A new buffer for the value.
  Buffer write(int v, Layout layout);
  Buffer write_over(int v, Layout layout, Buffer buffer);

  FrozenStep step(const std::vector<size_t>& calls, std::string op, const char* implementation);
  void reorder(const dnnl::memory::dims& dims, Layout from, Buffer source, Layout to,
               Buffer target);

  void emit(size_t i);
  bool convolution(size_t i, const FusedChain& chain);
  bool linear(size_t i, const FusedChain& chain);
  bool elementwise(size_t i);
  bool binary(size_t i);
  bool pool(size_t i);
  bool pool(size_t i, dnnl::algorithm kind, int from, int to, const dnnl::memory::dims& kernel,
            const dnnl::memory::dims& stride, const dnnl::memory::dims& padding, const char* op);
  bool average_all(size_t i);
  bool concat(size_t i);
  bool flatten(size_t i);
  bool permute(size_t i);
  void with_libtorch(size_t i);

  std::shared_ptr<const Tape> tape_;
  std::vector<TapeValue> values_;  // those of the tape, and a few more
  OneDnnProgram& program_;
  dnnl::engine engine_;
  ConvolutionChooser chooser_;
  Layout home_ = Layout::blocked;  // of images between steps
  std::vector<std::vector<size_t>> users_;
  std::vector<std::vector<Held>> held_;
  std::unordered_map<int, int> flat_;      // values that are another's elements in the same order
  std::unordered_set<int> shared_;         // values whose memory may be another's too
  std::unordered_map<int, Place> places_;  // values that are written where they are joined
  std::unordered_map<size_t, FusedChain> chains_;
  std::vector<bool> done_;
  std::vector<size_t> carried_;  // calls without work of their own, for the next step to name
  size_t now_ = 0;
};

ConvolutionProblem of_one_image(ConvolutionProblem problem);

/// Two numbers of an argument that is a list of two, or one for both; nothing if it is neither.
std::optional<dnnl::memory::dims> pair_of(const TapeCall& call, const char* name);

/// The memory as a tensor, which does not own it.
torch::Tensor plain_tensor(char* data, const TapeValue& value);

}  // namespace convscope
