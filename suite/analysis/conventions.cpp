#include "suite/analysis/conventions.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <functional>
#include <map>
#include <stdexcept>

#include "architectures/nearest.h"
#include "suite/analysis/explain.h"

namespace convscope {

std::string to_string(Cause cause) {
  switch (cause) {
    case Cause::products:
      return "multiply-accumulates";
    case Cause::second_operation:
      return "addition apart from multiplication (factor 2)";
    case Cause::unseen_products:
      return "products by functional calls, not seen";
    case Cause::transposed:
      return "transposed convolutions, by their results";
    case Cause::bias:
      return "bias";
    case Cause::batch_norm:
      return "batch normalisation";
    case Cause::other_norm:
      return "other normalisation";
    case Cause::activation:
      return "activation";
    case Cause::pooling:
      return "pooling";
    case Cause::adaptive_pooling:
      return "adaptive pooling";
    case Cause::activation_again:
      return "activation, counted again";
    case Cause::pooling_again:
      return "pooling, counted again";
    case Cause::upsampling:
      return "upsampling";
    case Cause::elementwise:
      return "elementwise sums and products";
    case Cause::reduction:
      return "means and sums";
  }
  return "";
}

namespace {

/// "max_pool2d", without what marks it as in place.
std::string plain_op(const CountedCall& c) {
  std::string op = c.cost.op;
  if (!op.empty() && op.back() == '_') op.pop_back();
  return op;
}

bool is_one_of(const std::string& op, std::initializer_list<const char*> ops) {
  return std::find(ops.begin(), ops.end(), op) != ops.end();
}

int64_t elements(const CountedCall& c) { return element_count(c.site.out()); }

// ---- products and what stands around them ---------------------------------------------------

int64_t macs(const CountedCall& c) { return c.cost.macs; }

bool is_layer(const CountedCall& c) {
  return c.kind == Kind::convolution || c.kind == Kind::linear;
}

/// LibTorch's Linear adds the bias by itself to what has more than two dimensions.
bool adds_bias(const CountedCall& c) {
  return c.call.of_module && c.kind == Kind::elementwise && plain_op(c) == "add";
}

int64_t bias(const CountedCall& c) {
  if (adds_bias(c)) return elements(c);
  return is_layer(c) ? c.cost.flops - 2 * c.cost.macs : 0;
}

int64_t bias_of_rows(const CountedCall& c) {
  return c.kind != Kind::convolution && c.site.out().size() > 2 ? 0 : bias(c);
}

int64_t unseen_layer(const CountedCall& c) {
  return is_layer(c) && !c.call.of_module ? -macs(c) - bias(c) : 0;
}

int64_t unseen_product(const CountedCall& c) { return c.call.of_module ? 0 : -macs(c) - bias(c); }

/// The tool multiplies the weights by the positions of the result, not by those of the input.
int64_t transposed(const CountedCall& c) {
  if (!c.call.of_module || !is_transposed(c.site)) return 0;
  const auto positions = [](const Shape& shape) { return element_count(shape) / shape.at(1); };
  return macs(c) / positions(c.site.in()) * positions(c.site.out()) - macs(c);
}

// ---- normalisation --------------------------------------------------------------------------

bool is_batch_norm(const CountedCall& c) { return plain_op(c) == "batch_norm"; }

/// A rule for batch normalisation, or else for all other normalisation.
template <bool batch_norm, int64_t (*of)(const CountedCall&)>
int64_t norm(const CountedCall& c) {
  return c.kind == Kind::normalization && is_batch_norm(c) == batch_norm ? of(c) : 0;
}

int64_t all_flops(const CountedCall& c) { return c.cost.flops; }

template <int64_t plain, int64_t affine>
int64_t per_element(const CountedCall& c) {
  return (c.site.has(1) ? affine : plain) * elements(c);
}

/// LayerNorm calls its parameters elementwise_affine, which ptflops does not ask for.
int64_t ptflops_norm(const CountedCall& c) {
  if (!c.call.of_module) return 0;
  return plain_op(c) == "layer_norm" ? elements(c) : per_element<1, 2>(c);
}

/// The weights and biases that the call reads, each once, however many positions they meet.
int64_t parameters(const CountedCall& c) {
  int64_t total = 0;
  for (const int input : c.call.inputs) {
    if (input < 0) continue;
    const Value& value = c.graph.values[static_cast<size_t>(input)];
    if (value.parameter < 0) continue;
    const bool trainable = c.graph.parameters[static_cast<size_t>(value.parameter)].trainable;
    total += trainable ? element_count(value.shape) : 0;
  }
  return total;
}

// ---- activation and pooling -----------------------------------------------------------------

/// ptflops hooks modules of these kinds, and replaces the functions of torch.nn.functional by ones
/// that count. A module whose forward calls such a function is counted by both.
bool hooked_activation(const CountedCall& c) {
  return c.call.of_module && is_one_of(plain_op(c), {"relu", "prelu", "elu", "leaky_relu", "relu6",
                                                     "hardtanh", "gelu"});
}
bool replaced_activation(const CountedCall& c) {
  const std::string op = plain_op(c);
  if (op == "relu6") return !c.call.of_module;  // nn.ReLU6 calls hardtanh
  return is_one_of(op, {"relu", "prelu", "elu", "gelu", "silu", "softmax"});
}

int64_t hooked(const CountedCall& c) { return hooked_activation(c) ? elements(c) : 0; }
int64_t hooked_or_replaced(const CountedCall& c) {
  return hooked_activation(c) || replaced_activation(c) ? elements(c) : 0;
}
int64_t hooked_and_replaced(const CountedCall& c) {
  return hooked_activation(c) && replaced_activation(c) ? elements(c) : 0;
}

bool is_adaptive(const CountedCall& c) { return c.cost.op.find("adaptive") == 0; }

/// A rule for pooling over the whole map, or else for all other pooling.
template <bool adaptive, int64_t (*of)(const CountedCall&)>
int64_t pool(const CountedCall& c) {
  return c.kind == Kind::pooling && is_adaptive(c) == adaptive ? of(c) : 0;
}

int64_t inputs(const CountedCall& c) { return element_count(c.site.in()); }
int64_t inputs_if_module(const CountedCall& c) { return c.call.of_module ? inputs(c) : 0; }
int64_t pooling_of_module(const CountedCall& c) {
  return c.kind == Kind::pooling ? inputs_if_module(c) : 0;
}
int64_t inputs_in_2d(const CountedCall& c) {
  return plain_op(c) == "adaptive_avg_pool2d" ? inputs(c) : 0;
}

template <Kind kind>
int64_t flops_of(const CountedCall& c) {
  return c.kind == kind && !adds_bias(c) ? all_flops(c) : 0;
}

bool is_upsampling(const CountedCall& c) { return c.cost.op.find("upsample") == 0; }
int64_t upsampling_flops(const CountedCall& c) { return is_upsampling(c) ? all_flops(c) : 0; }
int64_t fvcore_upsampling(const CountedCall& c) {
  const std::string op = plain_op(c);
  return (op == "upsample_nearest2d" ? 1 : op == "upsample_bilinear2d" ? 4 : 0) * elements(c);
}

// ---- where a tool's answer depends on more than the operators -------------------------------

bool is_attention(const CountedCall& c) { return c.kind == Kind::matmul; }
bool is_local_response_norm(const CountedCall& c) { return plain_op(c) == "pow"; }

// ---- how each tool writes its number --------------------------------------------------------

/// Python's str(round(number, digits)): "15.47", "4.0".
std::string rounded(double number, int digits) {
  std::string text = fmt::format("{:.{}f}", number, digits);
  while (text.back() == '0' && text[text.size() - 2] != '.') text.pop_back();
  return text;
}

std::string digits(int64_t number) { return std::to_string(number); }

std::string giga(int64_t number) { return rounded(static_cast<double>(number) / 1e9, 3); }

struct Unit {
  int64_t size;
  const char* letter;
};

/// The largest unit that the number has one of; null below 1000.
const Unit* unit_of(int64_t number) {
  static constexpr Unit units[] = {{1000000000, "G"}, {1000000, "M"}, {1000, "K"}};
  for (const Unit& unit : units) {
    if (number >= unit.size) return &unit;
  }
  return nullptr;
}

std::string in_mac(int64_t number) {
  const Unit* unit = unit_of(number);
  if (!unit) return digits(number) + " Mac";
  return rounded(static_cast<double>(number) / static_cast<double>(unit->size), 2) + " " +
         unit->letter + "Mac";
}

std::string total_mult_adds(int64_t number) {
  const Unit* unit = unit_of(number);
  if (!unit) return digits(number);
  const std::string letter = unit->size == 1000 ? "k" : unit->letter;
  if (number % unit->size == 0) return fmt::format("({}): {}", letter, number / unit->size);
  return fmt::format("({}): {:.2f}", letter,
                     static_cast<double>(number) / static_cast<double>(unit->size));
}

}  // namespace

const std::vector<Convention>& conventions() {
  using C = Cause;
  using K = Kind;
  static const Rule products = {C::products, "1 for each", macs};
  static const Rule biases = {C::bias, "1 per output element", bias};
  static const std::vector<Doubt> of_ptflops = {
      {"ptflops fails where torchvision calls nn.MultiheadAttention with keywords", is_attention},
      {"what ptflops counts of upsampling depends on how it was called", is_upsampling},
      {"ptflops also counts products within F.local_response_norm", is_local_response_norm}};
  // clang-format off
  static const std::vector<Convention> all = {
      {"macs", "convscope", "MACs", {products}, grouped_digits},
      {"flops", "convscope", "FLOPs",
       {products,
        {C::second_operation, "1 for each",                 macs},
        biases,
        {C::batch_norm,       "2 per element",              norm<true, all_flops>},
        {C::other_norm,       "7 per element",              norm<false, all_flops>},
        {C::activation,       "1 to 5 per element",         flops_of<K::activation>},
        {C::pooling,          "1 per element of a window",  pool<false, all_flops>},
        {C::adaptive_pooling, "1 per element of a window",  pool<true, all_flops>},
        {C::upsampling,       "7 per element",              upsampling_flops},
        {C::elementwise,      "1 per element",              flops_of<K::elementwise>},
        {C::reduction,        "1 per input element",        flops_of<K::reduction>}},
       grouped_digits},
      {"torchvision", "torchvision 0.27.0, _ops of the weights", "GFLOPS", {products}, giga, {},
       {"inception_v3"}},
      {"fvcore", "fvcore 3378afe, FlopCountAnalysis", "flops",
       {products,
        {C::batch_norm,       "2 per element",              norm<true, per_element<1, 2>>},
        {C::other_norm,       "5 per element",              norm<false, per_element<4, 5>>},
        {C::adaptive_pooling, "1 per input element",        inputs_in_2d},
        {C::upsampling,       "1 or 4 per element",         fvcore_upsampling}},
       digits,
       {{"fvcore does not see attention that PyTorch runs as one operator", is_attention}}},
      {"ptflops", "ptflops 0.7.6", "MACs",
       {products,
        {C::unseen_products,  "not seen",                   unseen_layer},
        {C::transposed,       "weights by output position", transposed},
        biases,
        {C::batch_norm,       "2 per element",              norm<true, ptflops_norm>},
        {C::other_norm,       "1 or 2 per element",         norm<false, ptflops_norm>},
        {C::activation,       "1 per element",              hooked_or_replaced},
        {C::pooling,          "1 per input element",        pool<false, inputs>},
        {C::adaptive_pooling, "1 per input element",        pool<true, inputs>},
        {C::activation_again, "as module and function",     hooked_and_replaced},
        {C::pooling_again,    "as module and function",     pooling_of_module}},
       in_mac, of_ptflops},
      {"ptflops-modules", "ptflops 0.7.6, count_functional=False", "MACs",
       {products,
        {C::unseen_products,  "not seen",                   unseen_product},
        {C::transposed,       "weights by output position", transposed},
        biases,
        {C::batch_norm,       "2 per element",              norm<true, ptflops_norm>},
        {C::other_norm,       "1 or 2 per element",         norm<false, ptflops_norm>},
        {C::activation,       "1 per element of a module",  hooked},
        {C::pooling,          "1 per input element of a module", pool<false, inputs_if_module>},
        {C::adaptive_pooling, "1 per input element of a module", pool<true, inputs_if_module>}},
       in_mac, of_ptflops},
      {"ptflops-aten", "ptflops 0.7.6, backend aten", "MACs",
       {products,
        {C::bias,             "1 per output element, of matrices", bias_of_rows}},
       in_mac, {{"ptflops' aten backend misses part of attention", is_attention}}},
      {"torchinfo", "torchinfo 1.8.0 (5c4164f)", "mult-adds",
       {products,
        {C::unseen_products,  "not seen",                   unseen_product},
        {C::transposed,       "weights by output position", transposed},
        biases,
        {C::batch_norm,       "the parameters once",        norm<true, parameters>},
        {C::other_norm,       "the parameters once",        norm<false, parameters>}},
       total_mult_adds,
       {{"torchinfo sees no products outside of modules, and of attention modules none", is_attention}}},
  };
  // clang-format on
  return all;
}

const Convention& find_convention(const std::string& name) {
  std::vector<std::string> names;
  std::string listed;
  for (const Convention& convention : conventions()) {
    if (convention.name == name) return convention;
    names.emplace_back(convention.name);
    listed += (listed.empty() ? "" : ", ") + names.back();
  }
  throw std::invalid_argument("--convention '" + name + "' is none of " + listed +
                              did_you_mean(name, names));
}

namespace {

/// Each call that the table of operators knows.
void for_each_call(const Graph& graph, const Cost& cost,
                   const std::function<void(const CountedCall&)>& visit) {
  for (const LayerCost& layer : cost.layers) {
    const Call& call = graph.calls[layer.call];
    const Op* op = find_operator(call.op);
    if (!op) continue;
    const Kind kind = layer.kind == to_string(Kind::linear) ? Kind::linear : op->kind;
    visit({graph, call, Site(graph, call), kind, layer});
  }
}

const Rule* rule_for(const Convention& convention, Cause cause) {
  for (const Rule& rule : convention.rules) {
    if (rule.cause == cause) return &rule;
  }
  return nullptr;
}

}  // namespace

int64_t count(const Convention& convention, const Graph& graph, const Cost& cost) {
  int64_t total = 0;
  for_each_call(graph, cost, [&](const CountedCall& call) {
    for (const Rule& rule : convention.rules) total += rule.of(call);
  });
  return total;
}

std::string doubts(const Convention& convention, const Graph& graph, const Cost& cost) {
  std::string text;
  for (const Doubt& doubt : convention.doubts) {
    int64_t calls = 0;
    for_each_call(graph, cost, [&](const CountedCall& call) { calls += doubt.about(call); });
    if (calls > 0) text += (text.empty() ? "" : "; ") + std::string(doubt.text);
  }
  return text;
}

std::vector<Difference> differences(const Convention& first, const Convention& second,
                                    const Graph& graph, const Cost& cost) {
  std::vector<Difference> all;
  for (int number = 0; number <= static_cast<int>(Cause::reduction); ++number) {
    const auto cause = static_cast<Cause>(number);
    const Rule *one = rule_for(first, cause), *other = rule_for(second, cause);
    if (!one && !other) continue;
    Difference difference{cause, one ? one->text : nullptr, other ? other->text : nullptr};
    std::map<std::string, size_t> place;
    for_each_call(graph, cost, [&](const CountedCall& call) {
      const int64_t a = one ? one->of(call) : 0, b = other ? other->of(call) : 0;
      difference.first += a;
      difference.second += b;
      if (a == b) return;
      ++difference.calls;
      const std::string& layer = call.cost.layer.empty() ? call.cost.op : call.cost.layer;
      const auto [known, is_new] = place.emplace(layer, difference.layers.size());
      if (is_new) difference.layers.emplace_back(layer, 0);
      difference.layers[known->second].second += b - a;
    });
    if (difference.calls == 0) continue;
    std::stable_sort(
        difference.layers.begin(), difference.layers.end(),
        [](const auto& x, const auto& y) { return std::abs(x.second) > std::abs(y.second); });
    all.push_back(std::move(difference));
  }
  return all;
}

}  // namespace convscope
