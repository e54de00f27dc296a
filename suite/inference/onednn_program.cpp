#include "suite/inference/onednn_program.h"

#include <algorithm>
#include <chrono>
#include <limits>

#include "suite/inference/memory_plan.h"

namespace convscope {
namespace {

constexpr size_t line = 64;

size_t in_lines(size_t bytes) { return (bytes + line - 1) / line * line; }

}  // namespace

OneDnnProgram::Buffer OneDnnProgram::add_buffer(size_t bytes) {
  const auto buffer = static_cast<Buffer>(pieces_.size());
  pieces_.push_back({bytes, buffer, 0, std::numeric_limits<size_t>::max(), 0});
  return buffer;
}

OneDnnProgram::Buffer OneDnnProgram::add_part(Buffer whole, size_t offset) {
  const auto buffer = static_cast<Buffer>(pieces_.size());
  pieces_.push_back({0, whole, offset, 0, 0});
  return buffer;
}

OneDnnProgram::Buffer OneDnnProgram::add_constant(const dnnl::memory::desc& from, const void* data,
                                                  std::shared_ptr<void> owner,
                                                  const dnnl::memory::desc& to) {
  const bool as_it_is = from == to;
  constants_.push_back({from, to, data, std::move(owner), as_it_is, constant_bytes_});
  if (!as_it_is) constant_bytes_ += in_lines(to.get_size());
  return static_cast<Buffer>(constants_.size()) - 1;
}

char* OneDnnProgram::constant_data(Buffer buffer) const {
  const Constant& constant = constants_[static_cast<size_t>(buffer)];
  return constant.as_it_is ? static_cast<char*>(const_cast<void*>(constant.data))
                           : constant_arena_.data + constant.offset;
}

OneDnnProgram::Buffer OneDnnProgram::root(Buffer buffer) const {
  const Piece& piece = pieces_[static_cast<size_t>(buffer)];
  return piece.whole == buffer ? buffer : root(piece.whole);
}

void OneDnnProgram::touch(Buffer buffer, size_t step) {
  Piece& piece = pieces_[static_cast<size_t>(root(buffer))];
  piece.first = std::min(piece.first, step);
  piece.last = std::max(piece.last, step);
}

void OneDnnProgram::add(FrozenStep step, const dnnl::primitive& primitive,
                        const dnnl::memory::desc& scratchpad,
                        const std::vector<Argument>& arguments) {
  Step added{std::move(step), primitive, arguments, {}, {}};
  if (const size_t bytes = scratchpad.get_size()) {
    added.arguments.push_back({DNNL_ARG_SCRATCHPAD, scratchpad, add_buffer(bytes)});
  }
  for (const Argument& argument : added.arguments) {
    if (!argument.constant) touch(argument.buffer, steps_.size());
  }
  steps_.push_back(std::move(added));
}

void OneDnnProgram::add(FrozenStep step, std::function<void()> work,
                        const std::vector<Buffer>& buffers) {
  for (const Buffer buffer : buffers) touch(buffer, steps_.size());
  steps_.push_back({std::move(step), {}, {}, {}, std::move(work)});
}

char* OneDnnProgram::data(Buffer buffer) const {
  const Piece& piece = pieces_[static_cast<size_t>(buffer)];
  if (buffer == input_) return static_cast<char*>(const_cast<void*>(input_data_));
  return piece.whole == buffer ? arena_.data + piece.offset : data(piece.whole) + piece.offset;
}

void OneDnnProgram::fill_constants() {
  constant_arena_ = AlignedMemory(constant_bytes_);
  for (size_t i = 0; i < constants_.size(); ++i) {
    Constant& constant = constants_[i];
    if (constant.as_it_is) continue;
    dnnl::memory from(constant.from, engine_, const_cast<void*>(constant.data));
    dnnl::memory to(constant.to, engine_, constant_data(static_cast<Buffer>(i)));
    dnnl::reorder(from, to).execute(stream_, from, to);
    stream_.wait();
    constant.owner.reset();
  }
}

void OneDnnProgram::finish(Buffer output) {
  touch(output, steps_.size());
  fill_constants();
  std::vector<PlannedBlock> blocks;
  std::vector<size_t> owners;
  for (size_t i = 0; i < pieces_.size(); ++i) {
    const Piece& piece = pieces_[i];
    const auto buffer = static_cast<Buffer>(i);
    if (piece.whole != buffer || buffer == input_ || piece.first > piece.last) continue;
    blocks.push_back({piece.bytes, piece.first, piece.last});
    owners.push_back(i);
  }
  const MemoryPlan plan = plan_memory(blocks, line);
  for (size_t i = 0; i < owners.size(); ++i) pieces_[owners[i]].offset = plan.offsets[i];
  arena_ = AlignedMemory(plan.bytes);
  for (Step& step : steps_) {
    for (const Argument& argument : step.arguments) {
      const bool input = !argument.constant && root(argument.buffer) == input_;
      char* where = argument.constant ? constant_data(argument.buffer)
                    : input           ? nullptr
                                      : data(argument.buffer);
      memories_.emplace_back(argument.desc, engine_, where);
      if (input) inputs_.push_back(memories_.back());
      step.bound.push_back({argument.name, memories_.back().get()});
    }
  }
}

void OneDnnProgram::run(const void* input, std::vector<int64_t>* step_ns) {
  using Clock = std::chrono::steady_clock;
  if (input != input_data_) {
    for (dnnl::memory& memory : inputs_) memory.set_data_handle(const_cast<void*>(input));
    input_data_ = input;
  }
  if (step_ns) step_ns->assign(steps_.size(), 0);
  Clock::time_point start = step_ns ? Clock::now() : Clock::time_point();
  for (size_t i = 0; i < steps_.size(); ++i) {
    const Step& step = steps_[i];
    if (step.primitive) {
      dnnl::error::wrap_c_api(
          dnnl_primitive_execute(step.primitive.get(), stream_.get(),
                                 static_cast<int>(step.bound.size()), step.bound.data()),
          "oneDNN could not execute a primitive");
    } else {
      step.work();
    }
    if (!step_ns) continue;
    const Clock::time_point end = Clock::now();
    (*step_ns)[i] = std::chrono::duration_cast<std::chrono::nanoseconds>(end - start).count();
    start = end;
  }
}

std::vector<FrozenStep> OneDnnProgram::steps() const {
  std::vector<FrozenStep> steps;
  for (const Step& step : steps_) steps.push_back(step.described);
  return steps;
}

}  // namespace convscope
