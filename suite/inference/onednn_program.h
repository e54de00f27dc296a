// A list of oneDNN primitives, made once for one shape of batch, and the memory they work in.
#pragma once

#include <dnnl.hpp>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "suite/inference/frozen_step.h"
#include "suite/inference/onednn_layout.h"

namespace convscope {

class OneDnnProgram {
 public:
  using Buffer = int;

  struct Argument {
    int name;  ///< DNNL_ARG_SRC
    dnnl::memory::desc desc;
    Buffer buffer;
    bool constant = false;  ///< `buffer` is a constant
  };

  explicit OneDnnProgram(const dnnl::engine& engine) : engine_(engine), stream_(engine) {}

  /// Intermediate results, whose memory is shared with those that are not needed meanwhile.
  Buffer add_buffer(size_t bytes);
  /// A piece of another buffer, or all of it once more.
  Buffer add_part(Buffer whole, size_t offset);
  /// `data` in the layout `to`; if that is the layout it has, then in place. `owner` keeps `data`
  /// as long as that takes.
  Buffer add_constant(const dnnl::memory::desc& from, const void* data, std::shared_ptr<void> owner,
                      const dnnl::memory::desc& to);
  /// The one buffer whose memory run() is given.
  void set_input(Buffer input) { input_ = input; }

  void add(FrozenStep step, const dnnl::primitive& primitive, const dnnl::memory::desc& scratchpad,
           const std::vector<Argument>& arguments);
  /// What is not done by oneDNN, and the buffers that it reads and writes.
  void add(FrozenStep step, std::function<void()> work, const std::vector<Buffer>& buffers);

  /// To be called once, when all is added; `output` stays readable after a run.
  void finish(Buffer output);

  /// `step_ns`, if there is one, gets the time of each step.
  void run(const void* input, std::vector<int64_t>* step_ns);

  char* data(Buffer buffer) const;
  std::vector<FrozenStep> steps() const;

 private:
  struct Piece {
    size_t bytes;
    Buffer whole;  ///< itself if it is no part
    size_t offset;
    size_t first, last;  ///< steps
  };
  struct Constant {
    dnnl::memory::desc from, to;
    const void* data;
    std::shared_ptr<void> owner;
    bool as_it_is;
    size_t offset;  ///< in the arena of constants, if it is not
  };
  struct Step {
    FrozenStep described;
    dnnl::primitive primitive;
    std::vector<Argument> arguments;
    std::vector<dnnl_exec_arg_t> bound;
    std::function<void()> work;  ///< if there is no primitive
  };

  Buffer root(Buffer buffer) const;
  void touch(Buffer buffer, size_t step);
  void fill_constants();
  char* constant_data(Buffer constant) const;

  dnnl::engine engine_;
  dnnl::stream stream_;
  std::vector<Piece> pieces_;
  std::vector<Constant> constants_;
  std::vector<Step> steps_;
  std::vector<dnnl::memory> memories_;
  std::vector<dnnl::memory> inputs_;
  AlignedMemory arena_, constant_arena_;
  size_t constant_bytes_ = 0;
  Buffer input_ = -1;
  const void* input_data_ = nullptr;
};

}  // namespace convscope
