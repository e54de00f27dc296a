#include "suite/inference/activation_functions.h"

#include <functional>
#include <limits>
#include <unordered_map>

namespace convscope {
namespace {

using dnnl::algorithm;

/// A number that the call was given; `otherwise` where it was given none.
float number(const TapeCall& call, const char* name, float otherwise) {
  const TapeArgument& argument = call.argument(name);
  if (argument.form != TapeArgument::Form::plain || !argument.plain.isScalar()) return otherwise;
  return argument.plain.toScalar().to<float>();
}

using Rule = std::function<std::vector<PostOp>(const TapeCall&)>;

PostOp clip(float low, float high) { return {algorithm::eltwise_clip, low, high}; }

const std::unordered_map<std::string, Rule>& rules() {
  constexpr float largest = std::numeric_limits<float>::max();
  const auto always = [](std::vector<PostOp> ops) {
    return [ops](const TapeCall&) { return ops; };
  };
  static const std::unordered_map<std::string, Rule> all = {
      {"aten::relu", always({{algorithm::eltwise_relu}})},
      {"aten::relu6", always({clip(0, 6)})},
      {"aten::hardtanh",
       [](const TapeCall& call) -> std::vector<PostOp> {
         return {clip(number(call, "min_val", -1), number(call, "max_val", 1))};
       }},
      {"aten::clamp",
       [](const TapeCall& call) -> std::vector<PostOp> {
         if (call.op.schema().overload_name() == "Tensor") return {};
         return {clip(number(call, "min", -largest), number(call, "max", largest))};
       }},
      {"aten::leaky_relu",
       [](const TapeCall& call) -> std::vector<PostOp> {
         return {{algorithm::eltwise_relu, number(call, "negative_slope", 0)}};
       }},
      {"aten::hardswish", always({{algorithm::eltwise_hardswish}})},
      {"aten::hardsigmoid", always({{algorithm::eltwise_linear, 1.F / 6, 0.5F}, clip(0, 1)})},
      {"aten::sigmoid", always({{algorithm::eltwise_logistic}})},
      {"aten::silu", always({{algorithm::eltwise_swish, 1}})},
      {"aten::tanh", always({{algorithm::eltwise_tanh}})},
      {"aten::gelu",
       [](const TapeCall& call) -> std::vector<PostOp> {
         const bool exact = call.argument("approximate").plain.toStringRef() == "none";
         return {{exact ? algorithm::eltwise_gelu_erf : algorithm::eltwise_gelu_tanh}};
       }},
  };
  return all;
}

}  // namespace

std::vector<PostOp> activation_of(const TapeCall& call) {
  const auto rule = rules().find(call.name());
  return rule == rules().end() ? std::vector<PostOp>() : rule->second(call);
}

}  // namespace convscope
