#include <algorithm>
#include <functional>
#include <stdexcept>

#include "suite/inference/activation_functions.h"
#include "suite/inference/onednn_lowering.h"

namespace convscope {

namespace {

using dnnl::algorithm;
using dnnl::memory;
using dnnl::prop_kind;
using Buffer = OneDnnProgram::Buffer;
using Argument = OneDnnProgram::Argument;

constexpr auto f32 = memory::data_type::f32;

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

}  // namespace

torch::Tensor plain_tensor(char* data, const TapeValue& value) {
  return torch::from_blob(data, value.shape, value.type);
}

bool Lowering::convolution(size_t i, const FusedChain& chain) {
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
bool Lowering::linear(size_t i, const FusedChain& chain) {
  const TapeCall& c = call(i);
  const bool product = c.name() == "aten::addmm";
  const int input = c.value(product ? "mat1" : "input");
  const int weight_value = c.value(product ? "mat2" : "weight");
  const int bias_value = c.value(product ? "self" : "bias");
  const auto constant = [&](int v) { return v < 0 ? torch::Tensor() : value(v).constant; };
  if (!is_computed(input) || value(input).shape.size() < 2 || !constant(weight_value).defined() ||
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
  // Of images or tokens, each position is a row.
  const int64_t rows = element_count(value(input).shape) / weight.size(1);
  const dnnl::inner_product_forward::desc operation(
      prop_kind::forward_inference, describe({rows, weight.size(1)}, Layout::plain), weights,
      biases, describe({rows, weight.size(0)}, Layout::plain));
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
  if (!is_computed(a)) std::swap(a, b);
  if (!is_computed(a) || b < 0 || value(b).type != torch::kFloat) return false;
  const torch::Tensor constant = value(b).constant;
  if (!constant.defined() && !is_computed(b)) return false;
  FusedChain chain = chain_from(i, false, false);
  const Shape& shape = value(chain.result).shape;
  if (value(a).shape != shape && !constant.defined()) std::swap(a, b);
  Shape stretched = value(b).shape;
  if (constant.defined() && stretched.size() < shape.size()) {
    stretched.insert(stretched.begin(), shape.size() - stretched.size(), 1);
  }
  const bool stretches =
      stretched.size() == shape.size() &&
      std::equal(stretched.begin(), stretched.end(), shape.begin(),
                 [](int64_t part, int64_t whole) { return part == whole || part == 1; });
  if (value(a).shape != shape || shape.empty() || shape.size() > 6 || !stretches) return false;
  const Layout layout = is_image(a) ? home_ : Layout::plain;
  const memory::desc first = describe(shape, layout), second = describe(stretched, layout);
  const dnnl::binary::primitive_desc desc(
      dnnl::binary::desc(add ? algorithm::binary_add : algorithm::binary_mul, first, second, first),
      attributes_of(chain.post_ops), engine_);
  const Buffer from = read(a, layout);
  Argument with{DNNL_ARG_SRC_1, second, {}};
  if (constant.defined()) {
    const torch::Tensor numbers = constant.contiguous();
    with.buffer = program_.add_constant(describe(stretched, Layout::plain), numbers.data_ptr(),
                                        owner_of(numbers), second);
    with.constant = true;
  } else {
    with.buffer = read(b, layout);
  }
  // oneDNN 2.6 loses what it should add to where a post-op follows and the last block is not full.
  const bool clears = layout == Layout::blocked && shape[1] % block_channels() != 0;
  const Buffer target = is_last_use(a, i) && a != b && !clears && !places_.count(chain.result)
                            ? write_over(chain.result, layout, program_.add_part(from, 0))
                            : write(chain.result, layout);
  program_.add(step(chain.calls, (add ? "add" : "mul") + chain.op, desc.impl_info_str()),
               dnnl::binary(desc), desc.scratchpad_desc(),
               {{DNNL_ARG_SRC_0, first, from}, with, {DNNL_ARG_DST, first, target}});
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
      if (held(part).empty()) read(part, Layout::plain);  // a view
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

/// Another shape for the same elements in the same order, which takes no work.
bool Lowering::flatten(size_t i) {
  const int from = call(i).arguments.at(0).values.at(0), to = call(i).results.at(0);
  if (!is_computed(from)) return false;
  const auto same = flat_.find(from);
  flat_.emplace(to, same == flat_.end() ? from : same->second);
  carried_.push_back(i);
  return true;
}

/// An image with its channels last is the memory of the image in that layout.
bool Lowering::permute(size_t i) {
  const int from = call(i).value("self"), to = call(i).results.at(0);
  std::vector<int64_t> order = call(i).argument("dims").plain.toIntVector();
  for (int64_t& dim : order) dim = (dim + 4) % 4;
  if (!is_image(from)) return false;
  if (order == std::vector<int64_t>{0, 2, 3, 1}) {
    write_over(to, Layout::plain, read(from, Layout::channels_last));
  } else if (order == std::vector<int64_t>{0, 3, 1, 2}) {
    write_over(to, Layout::channels_last, read(from, Layout::plain));
  } else {
    return false;
  }
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
    if (v >= 0) held(v).clear();  // what an attempt with oneDNN left
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

}  // namespace convscope
