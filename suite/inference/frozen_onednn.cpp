// A tape turned into oneDNN primitives: what follows a convolution is done before its result is
// written, results stay in the layout that convolutions like, and joined channels are written
// where they will lie. What oneDNN lacks is done by LibTorch on plain tensors.
#include <algorithm>
#include <chrono>
#include <functional>
#include <optional>
#include <stdexcept>
#include <unordered_map>
#include <unordered_set>

#include "suite/inference/activation_functions.h"
#include "suite/inference/frozen_engine.h"
#include "suite/inference/onednn_convolution.h"
#include "suite/inference/onednn_program.h"
#include "suite/inference/tape.h"

namespace convscope {
namespace {

using dnnl::algorithm;
using dnnl::memory;
using dnnl::prop_kind;
using Buffer = OneDnnProgram::Buffer;
using Argument = OneDnnProgram::Argument;

constexpr auto f32 = memory::data_type::f32;

torch::Tensor plain_tensor(char* data, const TapeValue& value) {
  return torch::from_blob(data, value.shape, value.type);
}

int64_t bytes_of(const TapeValue& value) {
  return element_count(value.shape) * static_cast<int64_t>(c10::elementSize(value.type));
}

/// Two numbers of an argument that is a list of two, or one for both; nothing if it is neither.
std::optional<memory::dims> pair_of(const TapeCall& call, const char* name) {
  const c10::IValue& value = call.argument(name).plain;
  if (value.isInt()) return memory::dims(2, value.toInt());
  if (!value.isIntList()) return std::nullopt;
  memory::dims numbers = value.toIntVector();
  if (numbers.size() == 1) numbers.push_back(numbers[0]);
  if (numbers.size() != 2) return std::nullopt;
  return numbers;
}

/// Operators whose result may be the memory of what they were given.
bool is_view(const std::string& op) {
  static const char* const views[] = {"aten::flatten", "aten::view", "aten::reshape",
                                      "aten::_unsafe_view", "aten::adaptive_avg_pool2d"};
  return std::find(std::begin(views), std::end(views), op) != std::end(views);
}

/// The calls done by one step, the first of which is a convolution or the like.
struct Chain {
  std::vector<size_t> calls;
  std::vector<PostOp> post_ops;
  std::string op;
  int norm = -1;    ///< the call of the batch normalisation that is folded
  int added = -1;   ///< the value that is added
  int result = -1;  ///< what the last call returns
};

class Lowering {
 public:
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
  Chain chain_from(size_t i, bool with_norm, bool with_sum);
  void find_chains();
  void choose_home();
  void find_places();

  std::optional<ConvolutionProblem> convolution_problem(size_t i, const Chain& chain) const;

  /// The value's buffer in that layout, with a step that changes the layout if it takes one.
  Buffer read(int v, Layout layout);
  /// A new buffer for the value.
  Buffer write(int v, Layout layout);
  Buffer write_over(int v, Layout layout, Buffer buffer);

  FrozenStep step(const std::vector<size_t>& calls, std::string op, const char* implementation);
  void reorder(const memory::dims& dims, Layout from, Buffer source, Layout to, Buffer target);

  void emit(size_t i);
  bool convolution(size_t i, const Chain& chain);
  bool linear(size_t i, const Chain& chain);
  bool elementwise(size_t i);
  bool binary(size_t i);
  bool pool(size_t i);
  bool pool(size_t i, algorithm kind, int from, int to, const memory::dims& kernel,
            const memory::dims& stride, const memory::dims& padding, const char* op);
  bool average_all(size_t i);
  bool concat(size_t i);
  bool flatten(size_t i);
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
  std::unordered_map<size_t, Chain> chains_;
  std::vector<bool> done_;
  std::vector<size_t> carried_;  // calls without work of their own, for the next step to name
  size_t now_ = 0;
};

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

Chain Lowering::chain_from(size_t i, bool with_norm, bool with_sum) {
  Chain chain;
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
    Chain chain = chain_from(i, convolution, convolution);
    for (const size_t part : chain.calls) done_[part] = true;
    chains_.emplace(i, std::move(chain));
  }
}

std::optional<ConvolutionProblem> Lowering::convolution_problem(size_t i,
                                                                const Chain& chain) const {
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

/// The weights and biases of a convolution, after the batch normalisation behind it.
std::pair<torch::Tensor, torch::Tensor> folded(torch::Tensor weight, torch::Tensor bias,
                                               const TapeCall* norm, const Tape& tape) {
  if (!bias.defined()) bias = torch::zeros({weight.size(0)});
  if (norm) {
    const auto of = [&](const char* name, double otherwise) {
      const int v = norm->value(name);
      return v < 0 ? torch::full({weight.size(0)}, otherwise, torch::kDouble)
                   : tape.values[static_cast<size_t>(v)].constant.to(torch::kDouble);
    };
    const double eps = norm->argument("eps").plain.toDouble();
    const torch::Tensor scale = of("weight", 1) / (of("running_var", 1) + eps).sqrt();
    bias = ((bias - of("running_mean", 0)) * scale + of("bias", 0)).to(torch::kFloat);
    weight = (weight * scale.view({-1, 1, 1, 1})).to(torch::kFloat);
  }
  return {weight.contiguous(), bias.contiguous()};
}

std::shared_ptr<void> owner_of(const torch::Tensor& tensor) {
  return std::make_shared<torch::Tensor>(tensor);
}

bool Lowering::convolution(size_t i, const Chain& chain) {
  const auto problem = convolution_problem(i, chain);
  if (!problem) return false;
  const TapeCall& c = call(i);
  const int input = c.value("input"), bias_value = c.value("bias");
  const bool adds = chain.added >= 0;
  if (adds && (held(chain.added).empty() || held(chain.added)[0].layout != home_)) return false;
  if (held(input).empty()) read(input, Layout::plain);
  const ConvolutionWay way = chooser_.choose(of_one_image(*problem), held(input)[0].layout, home_);
  const ConvolutionDesc desc = chooser_.describe_way(*problem, way);
  const auto [weight, bias] =
      folded(value(c.value("weight")).constant,
             bias_value < 0 ? torch::Tensor() : value(bias_value).constant,
             chain.norm < 0 ? nullptr : &call(static_cast<size_t>(chain.norm)), *tape_);
  const Buffer weights =
      program_.add_constant(describe(problem->weights, Layout::plain), weight.data_ptr(),
                            owner_of(weight), desc.weights_desc());
  const Buffer biases =
      program_.add_constant(desc.bias_desc(), bias.data_ptr(), owner_of(bias), desc.bias_desc());
  const Buffer source = read(input, way.src);
  const Buffer result =
      adds ? write_over(chain.result, home_, program_.add_part(held(chain.added)[0].buffer, 0))
           : write(chain.result, home_);
  const Buffer target = way.dst == home_ ? result : program_.add_buffer(desc.dst_desc().get_size());
  program_.add(step(chain.calls, "convolution" + chain.op, desc.impl_info_str()),
               dnnl::convolution_forward(desc), desc.scratchpad_desc(),
               {{DNNL_ARG_SRC, desc.src_desc(), source},
                {DNNL_ARG_WEIGHTS, desc.weights_desc(), weights, true},
                {DNNL_ARG_BIAS, desc.bias_desc(), biases, true},
                {DNNL_ARG_DST, desc.dst_desc(), target}});
  if (way.dst != home_) reorder(problem->dst, way.dst, target, home_, result);
  return true;
}

/// Also aten::addmm, which LibTorch makes of a linear layer with a bias.
bool Lowering::linear(size_t i, const Chain& chain) {
  const TapeCall& c = call(i);
  const bool product = c.name() == "aten::addmm";
  const int input = c.value(product ? "mat1" : "input");
  const int weight_value = c.value(product ? "mat2" : "weight");
  const int bias_value = c.value(product ? "self" : "bias");
  const auto constant = [&](int v) { return v < 0 ? torch::Tensor() : value(v).constant; };
  if (!is_computed(input) || value(input).shape.size() != 2 || !constant(weight_value).defined() ||
      (bias_value >= 0 && constant(bias_value).dim() != 1)) {
    return false;
  }
  if (product && (c.argument("beta").plain.toScalar().toDouble() != 1 ||
                  c.argument("alpha").plain.toScalar().toDouble() != 1)) {
    return false;
  }
  const auto [weight, bias] = folded(product ? constant(weight_value).t() : constant(weight_value),
                                     constant(bias_value), nullptr, *tape_);
  // The weights stay as and where they are: for few images, reading them once takes all the time,
  // and the layouts that oneDNN prefers are read no faster.
  const memory::desc weights = describe(weight.sizes().vec(), Layout::plain);
  const memory::desc biases = describe(bias.sizes().vec(), Layout::plain);
  const dnnl::inner_product_forward::desc operation(
      prop_kind::forward_inference, describe(value(input).shape, Layout::plain), weights, biases,
      describe(value(chain.result).shape, Layout::plain));
  const dnnl::inner_product_forward::primitive_desc desc(operation, attributes_of(chain.post_ops),
                                                         engine_);
  const Buffer from = read(input, Layout::plain);
  program_.add(
      step(chain.calls, "linear" + chain.op, desc.impl_info_str()),
      dnnl::inner_product_forward(desc), desc.scratchpad_desc(),
      {{DNNL_ARG_SRC, desc.src_desc(), from},
       {DNNL_ARG_WEIGHTS, weights,
        program_.add_constant(weights, weight.data_ptr(), owner_of(weight), weights), true},
       {DNNL_ARG_BIAS, biases,
        program_.add_constant(biases, bias.data_ptr(), owner_of(bias), biases), true},
       {DNNL_ARG_DST, desc.dst_desc(), write(chain.result, Layout::plain)}});
  return true;
}

bool Lowering::elementwise(size_t i) {
  const std::vector<PostOp> functions = activation_of(call(i));
  const int result = call(i).results.at(0);
  if (functions.empty() || call(i).arguments.at(0).form != TapeArgument::Form::tensor) return false;
  const int input = call(i).arguments[0].values.at(0);
  if (!is_computed(input) || value(input).shape.empty() || value(input).shape.size() > 6) {
    return false;
  }
  if (held(input).empty()) read(input, Layout::plain);
  const auto [layout, source] = held(input)[0];
  const memory::desc desc = describe(value(input).shape, layout);
  const std::string name = call(i).name();
  Buffer from = source;
  std::vector<dnnl::eltwise_forward::primitive_desc> descs;
  for (const PostOp& function : functions) {
    descs.emplace_back(dnnl::eltwise_forward::desc(prop_kind::forward_inference, function.function,
                                                   desc, function.alpha, function.beta),
                       attributes_of({}), engine_);
  }
  const Buffer target = is_last_use(input, i) && !places_.count(result)
                            ? write_over(result, layout, program_.add_part(source, 0))
                            : write(result, layout);
  for (const auto& part : descs) {
    program_.add(step(from == source ? std::vector<size_t>{i} : std::vector<size_t>(),
                      name.substr(name.rfind(':') + 1), part.impl_info_str()),
                 dnnl::eltwise_forward(part), part.scratchpad_desc(),
                 {{DNNL_ARG_SRC, desc, from}, {DNNL_ARG_DST, desc, target}});
    from = target;
  }
  return true;
}

bool Lowering::binary(size_t i) {
  const TapeCall& c = call(i);
  const bool add = c.name() == "aten::add";
  if (c.op.schema().overload_name() != "Tensor") return false;
  int a = c.value("self"), b = c.value("other");
  if (add && c.argument("alpha").plain.toScalar().toDouble() != 1) return false;
  if (!is_computed(a) || !is_computed(b)) return false;
  Chain chain = chain_from(i, false, false);
  const Shape& shape = value(chain.result).shape;
  if (value(a).shape != shape) std::swap(a, b);
  const auto stretches = [&](const Shape& from) {
    return from.size() == shape.size() &&
           std::equal(from.begin(), from.end(), shape.begin(),
                      [](int64_t part, int64_t whole) { return part == whole || part == 1; });
  };
  if (value(a).shape != shape || shape.empty() || shape.size() > 6 || !stretches(value(b).shape)) {
    return false;
  }
  const Layout layout = is_image(a) ? home_ : Layout::plain;
  const memory::desc first = describe(shape, layout), second = describe(value(b).shape, layout);
  const dnnl::binary::primitive_desc desc(
      dnnl::binary::desc(add ? algorithm::binary_add : algorithm::binary_mul, first, second, first),
      attributes_of(chain.post_ops), engine_);
  const Buffer from = read(a, layout), with = read(b, layout);
  const Buffer target = is_last_use(a, i) && a != b && !places_.count(chain.result)
                            ? write_over(chain.result, layout, program_.add_part(from, 0))
                            : write(chain.result, layout);
  program_.add(step(chain.calls, (add ? "add" : "mul") + chain.op, desc.impl_info_str()),
               dnnl::binary(desc), desc.scratchpad_desc(),
               {{DNNL_ARG_SRC_0, first, from},
                {DNNL_ARG_SRC_1, second, with},
                {DNNL_ARG_DST, first, target}});
  for (const size_t part : chain.calls) done_[part] = true;
  return true;
}

bool Lowering::pool(size_t i, algorithm kind, int from, int to, const memory::dims& kernel,
                    const memory::dims& stride, const memory::dims& padding, const char* op) {
  const Shape &before = value(from).shape, &after = value(to).shape;
  memory::dims padding_after(2);
  for (size_t side = 0; side < 2; ++side) {
    const int64_t needed =
        (after[2 + side] - 1) * stride[side] + kernel[side] - before[2 + side] - padding[side];
    padding_after[side] = std::max(padding[side], needed);
    // LibTorch counts padding that was asked for, but not what rounding up adds.
    if (needed > padding[side] && kind == algorithm::pooling_avg_include_padding) return false;
  }
  const memory::desc src = describe(before, home_), dst = describe(after, home_);
  const dnnl::pooling_forward::primitive_desc desc(
      dnnl::pooling_forward::desc(prop_kind::forward_inference, kind, src, dst, stride, kernel,
                                  padding, padding_after),
      attributes_of({}), engine_);
  const Buffer source = read(from, home_);
  program_.add(step({i}, op, desc.impl_info_str()), dnnl::pooling_forward(desc),
               desc.scratchpad_desc(),
               {{DNNL_ARG_SRC, src, source}, {DNNL_ARG_DST, dst, write(to, home_)}});
  return true;
}

bool Lowering::pool(size_t i) {
  const TapeCall& c = call(i);
  const std::string name = c.name();
  const int from = c.value("self"), to = c.results.at(0);
  if (!is_image(from)) return false;
  const Shape &before = value(from).shape, &after = value(to).shape;
  if (name == "aten::adaptive_avg_pool2d") {
    if (before[2] % after[2] != 0 || before[3] % after[3] != 0) return false;
    const memory::dims kernel = {before[2] / after[2], before[3] / after[3]};
    if (kernel == memory::dims{1, 1}) {
      flat_.emplace(to, from);
      if (held(from).empty()) read(from, Layout::plain);
      held(to) = {held(from)[0]};
      carried_.push_back(i);
      return true;
    }
    return pool(i, algorithm::pooling_avg_exclude_padding, from, to, kernel, kernel, {0, 0},
                "avg_pool");
  }
  const auto kernel = pair_of(c, "kernel_size"), padding = pair_of(c, "padding");
  auto stride = pair_of(c, "stride");
  if (!stride) stride = kernel;  // an empty list
  if (!kernel || !padding) return false;
  if (name == "aten::max_pool2d") {
    if (pair_of(c, "dilation") != memory::dims{1, 1}) return false;
    return pool(i, algorithm::pooling_max, from, to, *kernel, *stride, *padding, "max_pool");
  }
  if (!c.argument("divisor_override").plain.isNone()) return false;
  return pool(i,
              c.argument("count_include_pad").plain.toBool()
                  ? algorithm::pooling_avg_include_padding
                  : algorithm::pooling_avg_exclude_padding,
              from, to, *kernel, *stride, *padding, "avg_pool");
}

/// aten::mean over height and width.
bool Lowering::average_all(size_t i) {
  const TapeCall& c = call(i);
  const int from = c.value("self"), to = c.results.at(0);
  if (!is_image(from) || !is_computed(to) || !c.argument("dim").plain.isIntList()) return false;
  std::vector<int64_t> dims = c.argument("dim").plain.toIntVector();
  for (int64_t& dim : dims) dim = (dim + 4) % 4;
  std::sort(dims.begin(), dims.end());
  if (dims != std::vector<int64_t>{2, 3}) return false;
  const Shape before = value(from).shape;  // a copy: a value is added below
  int pooled = to;
  if (value(to).shape.size() != 4) {
    pooled = static_cast<int>(values_.size());
    values_.push_back({{before[0], before[1], 1, 1}, torch::kFloat, {}});
    users_.push_back({i});
    held_.emplace_back();
    flat_.emplace(to, pooled);
  }
  const memory::dims kernel = {before[2], before[3]};
  return pool(i, algorithm::pooling_avg_exclude_padding, from, pooled, kernel, kernel, {0, 0},
              "avg_pool");
}

bool Lowering::concat(size_t i) {
  const TapeCall& c = call(i);
  const int whole = c.results.at(0);
  const std::vector<int>& parts = c.arguments.at(0).values;
  if (!is_image(whole) || c.argument("dim").plain.toInt() != 1 ||
      !std::all_of(parts.begin(), parts.end(), [&](int part) { return is_image(part); })) {
    return false;
  }
  const auto is_placed = [&](int part, int64_t channel) {
    const auto place = places_.find(part);
    return place != places_.end() && place->second.whole == whole &&
           place->second.channel == channel;
  };
  if (!held(whole).empty()) {
    int64_t channel = 0;
    for (const int part : parts) {
      const Shape& shape = value(part).shape;
      if (!is_placed(part, channel) || held(part).at(0).layout != home_) {
        const auto offset = static_cast<size_t>(channel * shape[2] * shape[3]) * sizeof(float);
        const Buffer target = program_.add_part(held(whole)[0].buffer, offset);
        const Held source = held(part).at(0);
        reorder(shape, source.layout, source.buffer, home_, target);
      }
      channel += shape[1];
    }
    carried_.push_back(i);
    return true;
  }
  std::vector<memory::desc> descs;
  std::vector<Argument> arguments;
  for (const int part : parts) {
    descs.push_back(describe(value(part).shape, home_));
    arguments.push_back({DNNL_ARG_MULTIPLE_SRC + static_cast<int>(arguments.size()), descs.back(),
                         read(part, home_)});
  }
  const dnnl::concat::primitive_desc desc(describe(value(whole).shape, home_), 1, descs, engine_,
                                          attributes_of({}));
  arguments.push_back({DNNL_ARG_DST, desc.dst_desc(), write(whole, home_)});
  program_.add(step({i}, "concat", desc.impl_info_str()), dnnl::concat(desc),
               desc.scratchpad_desc(), arguments);
  return true;
}

bool Lowering::flatten(size_t i) {
  const int from = call(i).arguments.at(0).values.at(0), to = call(i).results.at(0);
  if (!is_computed(from) || value(to).shape.size() != 2 ||
      value(to).shape[0] != value(from).shape[0]) {
    return false;
  }
  const auto same = flat_.find(from);
  flat_.emplace(to, same == flat_.end() ? from : same->second);
  carried_.push_back(i);
  return true;
}

void Lowering::with_libtorch(size_t i) {
  const TapeCall& c = call(i);
  std::unordered_map<int, Buffer> inputs;
  std::vector<Buffer> buffers;
  for (const TapeArgument& argument : c.arguments) {
    for (const int v : argument.values) {
      if (v < 0 || value(v).constant.defined() || inputs.count(v)) continue;
      buffers.push_back(inputs.emplace(v, read(v, Layout::plain)).first->second);
    }
  }
  std::vector<Buffer> results;
  for (const int v : c.results) {
    results.push_back(v < 0 ? -1 : write(v, Layout::plain));
    if (v >= 0) buffers.push_back(results.back());
  }
  const auto work = [tape = tape_, program = &program_, i, inputs, results] {
    const TapeCall& again = tape->calls[i];
    const std::vector<torch::Tensor> tensors = replay(again, *tape, [&](int v) {
      return plain_tensor(program->data(inputs.at(v)), tape->values[static_cast<size_t>(v)]);
    });
    for (size_t r = 0; r < results.size(); ++r) {
      if (results[r] < 0) continue;
      const TapeValue& as = tape->values[static_cast<size_t>(again.results[r])];
      plain_tensor(program->data(results[r]), as).copy_(tensors.at(r));
    }
  };
  program_.add(step({i}, c.name(), "libtorch"), work, buffers);
}

void Lowering::emit(size_t i) {
  now_ = i;
  const std::string name = call(i).name();
  const auto in = [&](std::initializer_list<const char*> names) {
    return std::find(names.begin(), names.end(), name) != names.end();
  };
  const auto chain = chains_.find(i);
  if (chain != chains_.end()) {
    const bool convolves = name == "aten::conv2d";
    const auto lowered = [&](const Chain& form) {
      try {
        return convolves ? convolution(i, form) : linear(i, form);
      } catch (const dnnl::error&) {
        return false;
      } catch (const std::invalid_argument&) {
        return false;
      } catch (const std::out_of_range&) {
        return false;  // another overload, with other arguments
      }
    };
    if (lowered(chain->second)) return;
    // Alone, then; what followed it takes its own turn.
    for (const size_t part : chain->second.calls) done_[part] = part == i;
    Chain alone;
    alone.calls = {i};
    alone.result = call(i).results.at(0);
    if (!lowered(alone)) with_libtorch(i);
    return;
  }
  bool lowered = false;
  try {
    if (in({"aten::add", "aten::mul"}))
      lowered = binary(i);
    else if (in({"aten::max_pool2d", "aten::avg_pool2d", "aten::adaptive_avg_pool2d"}))
      lowered = pool(i);
    else if (in({"aten::mean"}))
      lowered = average_all(i);
    else if (in({"aten::cat"}))
      lowered = concat(i);
    else if (in({"aten::flatten", "aten::view", "aten::reshape", "aten::_unsafe_view"}))
      lowered = flatten(i);
    else
      lowered = elementwise(i);
  } catch (const dnnl::error&) {
    lowered = false;
  } catch (const std::out_of_range&) {
    lowered = false;  // another overload, with other arguments
  }
  if (!lowered) with_libtorch(i);
}

Buffer Lowering::lower() {
  find_users();
  find_chains();
  choose_home();
  find_places();
  const Buffer input = program_.add_buffer(0);
  program_.set_input(input);
  held(tape_->input).push_back({Layout::plain, input});
  for (size_t i = 0; i < tape_->calls.size(); ++i) {
    const bool fused = done_[i] && !chains_.count(i);
    if (!fused) emit(i);
  }
  return read(tape_->output, Layout::plain);
}

class OneDnnEngine : public FrozenEngine {
 public:
  explicit OneDnnEngine(Tape tape)
      : tape_(std::make_shared<Tape>(std::move(tape))),
        engine_(dnnl::engine::kind::cpu, 0),
        program_(engine_) {
    tape_->expected.reset();
    output_ = Lowering(tape_, program_, engine_).lower();
    program_.finish(output_);
  }

  torch::Tensor forward(const torch::Tensor& images, std::vector<int64_t>* step_ns) override {
    const TapeValue& input = tape_->values[static_cast<size_t>(tape_->input)];
    if (images.sizes() != c10::IntArrayRef(input.shape) || images.scalar_type() != torch::kFloat) {
      throw std::invalid_argument(
          "a frozen network takes batches of the shape that it was frozen for");
    }
    const torch::Tensor dense = images.contiguous();
    program_.run(dense.data_ptr(), step_ns);
    return plain_tensor(program_.data(output_), tape_->values[static_cast<size_t>(tape_->output)])
        .clone();
  }

  std::vector<FrozenStep> steps() const override { return program_.steps(); }

 private:
  std::shared_ptr<Tape> tape_;
  dnnl::engine engine_;
  OneDnnProgram program_;
  Buffer output_;
};

}  // namespace

FrozenForm freeze_with_onednn(Network& network, const torch::Tensor& example) {
  if (example.scalar_type() != torch::kFloat || !example.device().is_cpu()) {
    throw std::invalid_argument("oneDNN is used for float32 on a CPU");
  }
  Tape tape = record(network, example.contiguous());
  torch::Tensor expected = tape.expected;
  return {std::make_unique<OneDnnEngine>(std::move(tape)), std::move(expected)};
}

}  // namespace convscope
