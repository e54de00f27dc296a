#include <algorithm>
#include <stdexcept>

#include "suite/inference/activation_functions.h"
#include "suite/inference/onednn_lowering.h"

namespace convscope {

namespace {

using dnnl::algorithm;
using dnnl::memory;
using Buffer = OneDnnProgram::Buffer;

int64_t bytes_of(const TapeValue& value) {
  return element_count(value.shape) * static_cast<int64_t>(c10::elementSize(value.type));
}

/// Operators whose result may be the memory of what they were given.
bool is_view(const std::string& op) {
  static const char* const views[] = {"aten::flatten",
                                      "aten::view",
                                      "aten::reshape",
                                      "aten::_unsafe_view",
                                      "aten::contiguous",
                                      "aten::permute",
                                      "aten::adaptive_avg_pool2d"};
  return std::find(std::begin(views), std::end(views), op) != std::end(views);
}

}  // namespace

std::optional<memory::dims> pair_of(const TapeCall& call, const char* name) {
  const c10::IValue& value = call.argument(name).plain;
  if (value.isInt()) return memory::dims(2, value.toInt());
  if (!value.isIntList()) return std::nullopt;
  memory::dims numbers = value.toIntVector();
  if (numbers.size() == 1) numbers.push_back(numbers[0]);
  if (numbers.size() != 2) return std::nullopt;
  return numbers;
}

void Lowering::find_users() {
  users_.resize(values_.size());
  held_.resize(values_.size());
  done_.resize(tape_->calls.size());
  for (size_t i = 0; i < tape_->calls.size(); ++i) {
    for (const TapeArgument& argument : call(i).arguments) {
      for (const int v : argument.values) {
        if (v >= 0 && (users(v).empty() || users(v).back() != i)) users(v).push_back(i);
      }
    }
  }
  users(tape_->output).push_back(tape_->calls.size());
  for (const TapeCall& c : tape_->calls) {
    if (is_view(c.name())) shared_.insert({c.arguments.at(0).values.at(0), c.results.at(0)});
  }
}

bool Lowering::is_last_use(int v, size_t i) {
  // What lies inside a concatenation, or is one, has other readers of the same memory.
  const bool joined = std::any_of(places_.begin(), places_.end(), [v](const auto& placed) {
    return placed.first == v || placed.second.whole == v;
  });
  return v != tape_->input && users(v).back() <= i && !shared_.count(v) && !joined;
}

bool Lowering::is_joined(int v) {
  return std::any_of(users(v).begin(), users(v).end(), [&](size_t user) {
    return user < tape_->calls.size() && call(user).name() == "aten::cat";
  });
}

FusedChain Lowering::chain_from(size_t i, bool with_norm, bool with_sum) {
  FusedChain chain;
  chain.calls = {i};
  chain.result = call(i).results.at(0);
  while (users(chain.result).size() == 1 && users(chain.result)[0] < tape_->calls.size()) {
    const size_t next = users(chain.result)[0];
    const TapeCall& then = call(next);
    const std::string name = then.name();
    if (then.results.size() != 1) break;
    if (name == "aten::batch_norm") {
      const auto is_constant = [&](const char* argument) {
        const int v = then.value(argument);
        return v < 0 || value(v).constant.defined();
      };
      const bool fixed = with_norm && chain.norm < 0 && chain.post_ops.empty() &&
                         !then.argument("training").plain.toBool() &&
                         then.value("running_mean") >= 0 && is_constant("running_mean") &&
                         is_constant("running_var") && is_constant("weight") && is_constant("bias");
      if (!fixed) break;
      chain.norm = static_cast<int>(next);
    } else if (name == "aten::add" && then.op.schema().overload_name() == "Tensor") {
      const int a = then.value("self"), b = then.value("other");
      const int other = a == chain.result ? b : a;
      // What is added is overwritten with the sum.
      const bool adds = with_sum && chain.post_ops.empty() && is_image(other) && a != b &&
                        value(other).shape == value(chain.result).shape &&
                        then.argument("alpha").plain.toScalar().toDouble() == 1 &&
                        users(other).back() == next && other != tape_->input &&
                        (users(other).size() < 2 || users(other)[users(other).size() - 2] < i) &&
                        !is_joined(other) && !is_joined(then.results[0]) && !shared_.count(other);
      if (!adds) break;
      // It must be there before the convolution runs.
      bool there = false;
      for (size_t before = 0; before < i && !there; ++before) {
        const auto of = chains_.find(before);
        there = of != chains_.end() ? of->second.result == other
                                    : !done_[before] && call(before).results.at(0) == other;
      }
      if (!there) break;
      chain.added = other;
      chain.post_ops.push_back({algorithm::undef});
      chain.op += "+sum";
    } else {
      const std::vector<PostOp> activation = activation_of(then);
      if (activation.empty() || then.arguments.at(0).values.at(0) != chain.result) break;
      chain.post_ops.insert(chain.post_ops.end(), activation.begin(), activation.end());
      chain.op += "+" + name.substr(name.rfind(':') + 1);
    }
    chain.calls.push_back(next);
    chain.result = then.results[0];
  }
  return chain;
}

void Lowering::find_chains() {
  for (size_t i = 0; i < tape_->calls.size(); ++i) {
    if (done_[i]) continue;
    const std::string name = call(i).name();
    const bool convolution = name == "aten::conv2d";
    if (!convolution && name != "aten::linear" && name != "aten::addmm") continue;
    FusedChain chain = chain_from(i, convolution, convolution);
    for (const size_t part : chain.calls) done_[part] = true;
    chains_.emplace(i, std::move(chain));
  }
}

std::optional<ConvolutionProblem> Lowering::convolution_problem(size_t i,
                                                                const FusedChain& chain) const {
  const TapeCall& c = call(i);
  const int input = c.value("input"), weight = c.value("weight"), bias = c.value("bias");
  if (!is_image(input) || weight < 0 || !value(weight).constant.defined() ||
      (bias >= 0 && !value(bias).constant.defined())) {
    return std::nullopt;
  }
  const auto stride = pair_of(c, "stride"), padding = pair_of(c, "padding"),
             dilation = pair_of(c, "dilation");
  if (!stride || !padding || !dilation) return std::nullopt;
  ConvolutionProblem problem;
  problem.src = value(input).shape;
  problem.dst = value(c.results[0]).shape;
  problem.weights = value(weight).shape;
  if (const int64_t groups = c.argument("groups").plain.toInt(); groups > 1) {
    problem.weights[0] /= groups;
    problem.weights.insert(problem.weights.begin(), groups);
  }
  problem.strides = *stride;
  problem.dilation = {dilation->at(0) - 1, dilation->at(1) - 1};
  problem.padding_before = problem.padding_after = *padding;
  problem.post_ops = chain.post_ops;
  return problem;
}

ConvolutionProblem of_one_image(ConvolutionProblem problem) {
  problem.src[0] = problem.dst[0] = 1;
  return problem;
}

/// One layout for all images between steps: that in which the convolutions together are quickest.
void Lowering::choose_home() {
  double best = std::numeric_limits<double>::infinity();
  for (const Layout layout : {Layout::blocked, Layout::channels_last}) {
    double ns = 0;
    for (const auto& [i, chain] : chains_) {
      if (call(i).name() != "aten::conv2d") continue;
      const auto problem = convolution_problem(i, chain);
      if (!problem) continue;
      const bool first = call(i).value("input") == tape_->input;
      try {
        ns += chooser_.choose(of_one_image(*problem), first ? Layout::plain : layout, layout).ns;
      } catch (const std::invalid_argument&) {
        // The same for both.
      }
    }
    if (layout == Layout::channels_last) {
      for (const TapeCall& c : tape_->calls) {
        const int joined = c.results.at(0);
        if (c.name() != "aten::cat" || !is_image(joined)) continue;
        ns += chooser_.reorder_ns(value(joined).shape, layout, Layout::blocked);
      }
    }
    if (ns < best) {
      best = ns;
      home_ = layout;
    }
  }
}

/// In blocks of channels, those that are joined lie behind each other if there is one image.
void Lowering::find_places() {
  if (home_ != Layout::blocked) return;
  for (const TapeCall& c : tape_->calls) {
    const int whole = c.results.at(0);
    if (c.name() != "aten::cat" || !is_image(whole) || value(whole).shape[0] != 1 ||
        c.argument("dim").plain.toInt() != 1) {
      continue;
    }
    const std::vector<int>& parts = c.arguments.at(0).values;
    const bool in_blocks = std::all_of(parts.begin(), parts.end() - 1, [&](int part) {
      return is_image(part) && value(part).shape[1] % block_channels() == 0;
    });
    if (!in_blocks || !is_image(parts.back())) continue;
    int64_t channel = 0;
    for (const int part : parts) {
      if (part != tape_->input) places_.emplace(part, Place{whole, channel});
      channel += value(part).shape[1];
    }
  }
}

FrozenStep Lowering::step(const std::vector<size_t>& calls, std::string op,
                          const char* implementation) {
  FrozenStep described{std::move(op), "", implementation, {}};
  if (const int index = call(now_).index; index >= 0) {
    described.layer = tape_->layers[static_cast<size_t>(index)];
  }
  for (const std::vector<size_t>* list : {&std::as_const(carried_), &calls}) {
    for (const size_t i : *list) {
      if (call(i).index >= 0) described.calls.push_back(static_cast<size_t>(call(i).index));
    }
  }
  carried_.clear();
  return described;
}

void Lowering::reorder(const memory::dims& dims, Layout from, Buffer source, Layout to,
                       Buffer target) {
  const memory::desc a = describe(dims, from), b = describe(dims, to);
  dnnl::primitive_attr attributes;
  attributes.set_scratchpad_mode(dnnl::scratchpad_mode::user);
  const dnnl::reorder::primitive_desc desc(engine_, a, engine_, b, attributes);
  const std::vector<size_t> carried = std::exchange(carried_, {});
  program_.add(step({}, "reorder", desc.impl_info_str()), dnnl::reorder(desc),
               desc.scratchpad_desc(), {{DNNL_ARG_FROM, a, source}, {DNNL_ARG_TO, b, target}});
  carried_ = carried;
}

Buffer Lowering::read(int v, Layout layout) {
  if (value(v).shape.size() != 4 || value(v).type != torch::kFloat) layout = Layout::plain;
  if (held(v).empty() && flat_.count(v)) {
    held(v).push_back({Layout::plain, read(flat_.at(v), Layout::plain)});
  }
  for (const Held& copy : held(v)) {
    if (same_memory(value(v).shape, copy.layout, layout)) return copy.buffer;
  }
  const Held source = held(v).at(0);
  const Buffer target = program_.add_buffer(describe(value(v).shape, layout).get_size());
  reorder(value(v).shape, source.layout, source.buffer, layout, target);
  held(v).push_back({layout, target});
  return target;
}

Buffer Lowering::write(int v, Layout layout) {
  const auto place = places_.find(v);
  if (place != places_.end() && layout == home_) {
    const auto [whole, channel] = place->second;
    if (held(whole).empty()) write(whole, home_);
    const Shape& shape = value(v).shape;
    const auto offset = static_cast<size_t>(channel * shape[2] * shape[3]) * sizeof(float);
    return write_over(v, layout, program_.add_part(held(whole)[0].buffer, offset));
  }
  const auto bytes = value(v).type == torch::kFloat && element_count(value(v).shape) > 0
                         ? describe(value(v).shape, layout).get_size()
                         : static_cast<size_t>(bytes_of(value(v)));
  return write_over(v, layout, program_.add_buffer(bytes));
}

Buffer Lowering::write_over(int v, Layout layout, Buffer buffer) {
  held(v).push_back({layout, buffer});
  return buffer;
}

}  // namespace convscope
