#include "suite/analysis/ops.h"

#include <algorithm>
#include <unordered_map>

namespace convscope {

bool Site::has(size_t input) const {
  return input < call_.inputs.size() && call_.inputs[input] >= 0;
}

const Shape& Site::in(size_t input) const { return graph_.values.at(call_.inputs.at(input)).shape; }

const Shape& Site::out(size_t output) const {
  return graph_.values.at(call_.outputs.at(output)).shape;
}

const Attribute* Site::attribute(const std::string& name) const {
  for (const auto& [key, value] : call_.attributes) {
    if (key == name) return std::holds_alternative<std::monostate>(value) ? nullptr : &value;
  }
  return nullptr;
}

namespace {

/// The value as a `Wanted`. An operator whose row expects another type than it was called with has
/// a wrong row.
template <class Wanted>
Wanted as(const Attribute& value, const std::string& name, const Call& call) {
  if (const auto* wanted = std::get_if<Wanted>(&value)) return *wanted;
  throw std::logic_error("the row of " + call.op +
                         " in suite/analysis/ops.cpp takes its argument '" + name +
                         "' for another type than it is");
}

}  // namespace

int64_t Site::integer(const std::string& name, int64_t missing) const {
  const Attribute* value = attribute(name);
  return value ? as<int64_t>(*value, name, call_) : missing;
}

bool Site::flag(const std::string& name, bool missing) const {
  const Attribute* value = attribute(name);
  return value ? as<bool>(*value, name, call_) : missing;
}

std::vector<int64_t> Site::integers(const std::string& name, size_t count, int64_t missing) const {
  const Attribute* value = attribute(name);
  std::vector<int64_t> list;
  if (value) {
    const auto* single = std::get_if<int64_t>(value);
    list = single ? std::vector<int64_t>{*single} : as<std::vector<int64_t>>(*value, name, call_);
  }
  if (list.empty()) list = {missing};
  if (list.size() == 1) list.resize(count, list[0]);
  return list;
}

int64_t Count::operator()(const Site& site) const {
  return of ? of(site) : per_output * element_count(site.out());
}

std::string to_string(Kind kind) {
  switch (kind) {
    case Kind::convolution:
      return "convolution";
    case Kind::linear:
      return "linear";
    case Kind::matmul:
      return "matmul";
    case Kind::normalization:
      return "normalization";
    case Kind::pooling:
      return "pooling";
    case Kind::activation:
      return "activation";
    case Kind::elementwise:
      return "elementwise";
    case Kind::reduction:
      return "reduction";
    case Kind::interpolation:
      return "interpolation";
    case Kind::movement:
      return "movement";
  }
  return "";
}

bool is_transposed(const Site& site) {
  return site.call().op.find("transpose") != std::string::npos || site.flag("transposed", false);
}

namespace {

// ---- sliding windows ------------------------------------------------------------------------

bool is_convolution(const Site& site) { return site.call().op.find("conv") != std::string::npos; }

std::vector<SlidingWindow> conv_windows(const Site& site) {
  const Shape& weight = site.in(1);
  const size_t sides = weight.size() - 2;
  const auto stride = site.integers("stride", sides, 1);
  const auto dilation = site.integers("dilation", sides, 1);
  std::vector<SlidingWindow> result(sides);
  for (size_t i = 0; i < sides; ++i) result[i] = {weight[i + 2], stride[i], 0, dilation[i]};
  const Attribute* padding = site.attribute("padding");
  if (padding && std::holds_alternative<std::string>(*padding)) {
    // "same" with an even extent pads one more at the end, where the field does not see it.
    for (SlidingWindow& w : result) {
      if (std::get<std::string>(*padding) == "same") w.padding = (w.extent() - 1) / 2;
    }
    return result;
  }
  const auto numbers = site.integers("padding", sides, 0);
  for (size_t i = 0; i < sides; ++i) result[i].padding = numbers[i];
  return result;
}

std::vector<SlidingWindow> pool_windows(const Site& site) {
  const std::string& op = site.call().op;
  const auto sides = static_cast<size_t>(op[op.find("pool") + 4] - '0');
  const auto kernel = site.integers("kernel_size", sides, 1);
  const auto padding = site.integers("padding", sides, 0);
  const auto dilation = site.integers("dilation", sides, 1);
  auto stride = kernel;
  if (const Attribute* given = site.attribute("stride")) {
    const auto* list = std::get_if<std::vector<int64_t>>(given);
    if (!list || !list->empty()) stride = site.integers("stride", sides, 1);
  }
  std::vector<SlidingWindow> result(sides);
  for (size_t i = 0; i < sides; ++i) result[i] = {kernel[i], stride[i], padding[i], dilation[i]};
  return result;
}

// ---- shapes ---------------------------------------------------------------------------------

Shape same(const Site& site) { return site.in(); }

/// How often a window fits along one side, 0 or less if it does not. The last window of `ceil_mode`
/// must begin inside the image or its left padding, else it is dropped.
int64_t positions(int64_t size, const SlidingWindow& w, bool ceil_mode, int64_t total_padding) {
  const int64_t room = size + total_padding - w.extent() + (ceil_mode ? w.stride - 1 : 0);
  const int64_t count = (room >= 0 ? room / w.stride : -1) + 1;
  return ceil_mode && (count - 1) * w.stride >= size + w.padding ? count - 1 : count;
}

[[noreturn]] void does_not_fit(const std::vector<SlidingWindow>& windows, const Shape& image) {
  Shape kernel, padding, size(image.end() - static_cast<int64_t>(windows.size()), image.end());
  for (const SlidingWindow& w : windows) {
    kernel.push_back(w.extent());
    padding.push_back(w.padding);
  }
  throw ShapeError("a window of " + to_string(kernel) + " with padding " + to_string(padding) +
                   " does not fit into a feature map of " + to_string(size));
}

Shape after_windows(Shape shape, const std::vector<SlidingWindow>& windows, bool ceil_mode,
                    bool same_size) {
  const Shape before = shape;
  const size_t first = shape.size() - windows.size();
  for (size_t i = 0; i < windows.size(); ++i) {
    const int64_t padding = same_size ? windows[i].extent() - 1 : 2 * windows[i].padding;
    shape[first + i] = positions(shape[first + i], windows[i], ceil_mode, padding);
    if (shape[first + i] < 1) does_not_fit(windows, before);
  }
  return shape;
}

void expect(int64_t expected, int64_t found, const char* what) {
  if (expected != found) {
    throw ShapeError("expects " + std::to_string(expected) + " " + what + ", gets " +
                     std::to_string(found));
  }
}

Shape conv_shape(const Site& site) {
  const Shape &image = site.in(0), &weight = site.in(1);
  const auto slides = conv_windows(site);
  if (image.size() != slides.size() + 2) {
    throw ShapeError("expects a batch of images with " + std::to_string(slides.size()) +
                     " sides, gets " + to_string(image));
  }
  const int64_t groups = site.integer("groups", 1);
  Shape shape = image;
  if (is_transposed(site)) {
    expect(weight[0], image[1], "channels");
    const auto extra = site.integers("output_padding", slides.size(), 0);
    shape[1] = weight[1] * groups;
    for (size_t i = 0; i < slides.size(); ++i) {
      if (extra[i] >= std::max(slides[i].stride, slides[i].dilation)) {
        throw ShapeError("output padding " + std::to_string(extra[i]) +
                         " is not smaller than the stride or the dilation");
      }
      shape[i + 2] = (image[i + 2] - 1) * slides[i].stride - 2 * slides[i].padding +
                     slides[i].extent() + extra[i];
      if (shape[i + 2] < 1) does_not_fit(slides, image);
    }
    return shape;
  }
  expect(weight[1] * groups, image[1], "channels");
  shape[1] = weight[0];
  const Attribute* padding = site.attribute("padding");
  const auto* word = padding ? std::get_if<std::string>(padding) : nullptr;
  const bool same_size = word && *word == "same";
  for (const SlidingWindow& window : slides) {
    if (same_size && window.stride != 1) throw ShapeError("padding 'same' needs a stride of 1");
  }
  return after_windows(shape, slides, false, same_size);
}

Shape pool_shape(const Site& site) {
  return after_windows(site.in(), pool_windows(site), site.flag("ceil_mode", false), false);
}

Shape adaptive_shape(const Site& site) {
  Shape shape = site.in();
  const std::string& op = site.call().op;
  const auto sides = static_cast<size_t>(op[op.find("pool") + 4] - '0');
  const auto size = site.integers("output_size", sides, 1);
  std::copy(size.begin(), size.end(), shape.end() - static_cast<int64_t>(sides));
  return shape;
}

Shape linear_shape(const Site& site) {
  Shape shape = site.in(0);
  expect(site.in(1).at(1), shape.at(shape.size() - 1), "features");
  shape.back() = site.in(1)[0];
  return shape;
}

Shape broadcast(const Shape& a, const Shape& b) {
  Shape shape(std::max(a.size(), b.size()), 1);
  for (const Shape* operand : {&a, &b}) {
    const size_t offset = shape.size() - operand->size();
    for (size_t i = 0; i < operand->size(); ++i) {
      int64_t& size = shape[offset + i];
      const int64_t given = (*operand)[i];
      if (size != 1 && given != 1 && size != given) {
        throw ShapeError("cannot combine " + to_string(a) + " with " + to_string(b));
      }
      if (size == 1) size = given;
    }
  }
  return shape;
}

Shape broadcast_shape(const Site& site) {
  Shape shape = site.in();
  for (size_t i = 1; i < site.inputs(); ++i) {
    if (site.has(i)) shape = broadcast(shape, site.in(i));
  }
  return shape;
}

/// a x b of matrices, or of batches of them.
Shape product_shape(const Shape& a, const Shape& b) {
  if (a.size() < 2 || b.size() < 2) throw ShapeError("expects matrices");
  expect(a.back(), b[b.size() - 2], "rows");
  Shape shape = broadcast({a.begin(), a.end() - 2}, {b.begin(), b.end() - 2});
  shape.push_back(a[a.size() - 2]);
  shape.push_back(b.back());
  return shape;
}

Shape mm_shape(const Site& site) { return product_shape(site.in(0), site.in(1)); }
Shape addmm_shape(const Site& site) { return product_shape(site.in(1), site.in(2)); }

size_t dimension(int64_t given, size_t rank) {
  return static_cast<size_t>(given < 0 ? given + static_cast<int64_t>(rank) : given);
}

Shape cat_shape(const Site& site) {
  Shape shape = site.in();
  const size_t along = dimension(site.integer("dim", 0), shape.size());
  for (size_t i = 1; i < site.inputs(); ++i) {
    Shape other = site.in(i);
    shape.at(along) += other.at(along);
    other[along] = shape[along];
    if (other != shape) {
      throw ShapeError("cannot join " + to_string(site.in()) + " and " + to_string(site.in(i)));
    }
  }
  return shape;
}

Shape pad_shape(const Site& site) {
  Shape shape = site.in();
  const auto pad = site.integers("pad", 0, 0);
  for (size_t i = 0; i + 1 < pad.size(); i += 2) {
    shape.at(shape.size() - 1 - i / 2) += pad[i] + pad[i + 1];
  }
  return shape;
}

std::vector<bool> reduced_dimensions(const Site& site) {
  const size_t rank = site.in().size();
  const Attribute* given = site.attribute("dim");
  const auto* list = given ? std::get_if<std::vector<int64_t>>(given) : nullptr;
  if (!given || (list && list->empty())) return std::vector<bool>(rank, true);
  std::vector<bool> reduced(rank, false);
  for (const int64_t d : site.integers("dim", 1, 0)) reduced.at(dimension(d, rank)) = true;
  return reduced;
}

Shape reduced_shape(const Site& site) {
  const auto reduced = reduced_dimensions(site);
  Shape shape;
  for (size_t i = 0; i < reduced.size(); ++i) {
    if (!reduced[i]) shape.push_back(site.in()[i]);
    if (reduced[i] && site.flag("keepdim", false)) shape.push_back(1);
  }
  return shape;
}

// ---- multiply-accumulates and floating-point operations ----------------------------------------

int64_t conv_macs(const Site& site) {
  const Shape& weight = site.in(1);
  const int64_t positions = element_count(is_transposed(site) ? site.in(0) : site.out());
  return positions * (element_count(weight) / weight[0]);
}

int64_t linear_macs(const Site& site) { return element_count(site.out()) * site.in(0).back(); }
int64_t addmm_macs(const Site& site) { return element_count(site.out()) * site.in(1).back(); }

Count per_output(int64_t count) {
  return {std::to_string(count) + " per output element", nullptr, count};
}

const Count no_flops{"0", nullptr, 0};

const Count conv_flops{"2 per MAC, 1 per output element for the bias", [](const Site& site) {
                         return 2 * conv_macs(site) + (site.has(2) ? element_count(site.out()) : 0);
                       }};

const Count linear_flops{"2 per MAC, 1 per output element for the bias", [](const Site& site) {
                           return 2 * linear_macs(site) +
                                  (site.has(2) ? element_count(site.out()) : 0);
                         }};

const Count addmm_flops{"2 per MAC, 1 per output element", [](const Site& site) {
                          return 2 * addmm_macs(site) + element_count(site.out());
                        }};

const Count mm_flops{"2 per MAC", [](const Site& site) { return 2 * linear_macs(site); }};

int64_t window_elements(const Site& site) {
  int64_t elements = 1;
  for (const SlidingWindow& w : pool_windows(site)) elements *= w.kernel;
  return elements;
}

const Count max_pool_flops{"window elements - 1, per output element", [](const Site& site) {
                             return (window_elements(site) - 1) * element_count(site.out());
                           }};

const Count avg_pool_flops{"window elements, per output element", [](const Site& site) {
                             return window_elements(site) * element_count(site.out());
                           }};

/// Window o of an adaptive pooling is [floor(o in / out), ceil((o + 1) in / out)).
int64_t adaptive_elements(const Site& site) {
  const Shape &in = site.in(), &out = site.out();
  int64_t elements = 1;
  for (size_t i = 0; i < out.size(); ++i) {
    int64_t along = 0;
    for (int64_t o = 0; o < out[i]; ++o) {
      along += ((o + 1) * in[i] + out[i] - 1) / out[i] - o * in[i] / out[i];
    }
    elements *= along;
  }
  return elements;
}

const Count adaptive_flops{"1 per element of each window", adaptive_elements};

const Count adaptive_max_flops{"window elements - 1, per output element", [](const Site& site) {
                                 return adaptive_elements(site) - element_count(site.out());
                               }};

const Count mean_flops{"1 per input element",
                       [](const Site& site) { return element_count(site.in()); }};

const Count sum_flops{"1 per input element, less 1 per output element", [](const Site& site) {
                        return element_count(site.in()) - element_count(site.out());
                      }};

// ---- receptive fields --------------------------------------------------------------------------

using Inputs = std::vector<const Fields*>;

/// What depends on several tensors, dimension by dimension. Where some are feature maps and others
/// have seen the whole image, the latter are gates (squeeze and excitation): they are left out.
Fields joined(const Inputs& inputs, size_t rank) {
  const bool any_spatial =
      std::any_of(inputs.begin(), inputs.end(), [](const Fields* f) { return f && f->spatial(); });
  Fields result;
  result.side_of.assign(rank, -1);
  for (const Fields* input : inputs) {
    if (!input || input->sides.empty()) continue;
    if (any_spatial && !input->spatial()) {
      result.gated = true;
      continue;
    }
    result.depth = std::max(result.depth, input->depth);
    result.made_by = std::max(result.made_by, input->made_by);
    result.aligned = result.aligned && input->aligned;
    if (result.sides.empty()) {
      result.sides = input->sides;
    } else {
      for (size_t i = 0; i < result.sides.size() && i < input->sides.size(); ++i) {
        Field &a = result.sides[i], b = input->sides[i];
        result.aligned =
            result.aligned && a.stride == b.stride && a.doubled_centre() == b.doubled_centre();
        a = join(a, b);
      }
    }
    const size_t dimensions = std::min(rank, input->side_of.size());
    for (size_t i = 1; i <= dimensions; ++i) {
      const int side = input->side_of[input->side_of.size() - i];
      if (side >= 0) result.side_of[rank - i] = side;
    }
  }
  return result;
}

Fields pointwise(const Site& site, const Inputs& in) { return joined(in, site.out().size()); }

Fields image(const Site& site, const Inputs& in) {
  Fields result = joined(in, site.out().size());
  result.side_of.assign(site.out().size(), -1);
  return result;
}

/// Normalisation by the statistics of the image itself sees all of it, as a gate does.
Fields image_statistics(const Site& site, const Inputs& in) {
  Fields result = joined({in[0]}, site.out().size());
  result.gated = result.spatial();
  return result;
}

Fields batch_norm_fields(const Site& site, const Inputs& in) {
  return site.flag("training", false) ? image_statistics(site, in)
                                      : joined({in[0]}, site.out().size());
}

Fields windowed(const Site& site, const Inputs& in) {
  if (is_convolution(site) && is_transposed(site)) return image(site, {in[0]});
  Fields result = joined({in[0]}, site.out().size());
  const auto slides = windows(site);
  for (size_t i = 0; i < slides.size(); ++i) {
    const int side = result.side_of[result.side_of.size() - slides.size() + i];
    if (side >= 0) result.sides[side] = look_through(slides[i], result.sides[side]);
  }
  return result;
}

/// Mixes what lies along the last `mixed` dimensions.
Fields mixing_last(const Site& site, const Inputs& in, size_t mixed) {
  const auto& side_of = in[0]->side_of;
  for (size_t i = 0; i < mixed && i < side_of.size(); ++i) {
    if (side_of[side_of.size() - 1 - i] >= 0) return image(site, in);
  }
  return joined({in[0]}, site.out().size());
}

Fields linear_fields(const Site& site, const Inputs& in) { return mixing_last(site, in, 1); }

/// A product with a weight is a linear layer; one of two computed matrices mixes all positions.
Fields product_fields(const Site& site, const Inputs& in) {
  const bool by_weight = in[1]->sides.empty() && site.out().size() == site.in().size();
  return by_weight ? mixing_last(site, in, 1) : image(site, in);
}

Fields layer_norm_fields(const Site& site, const Inputs& in) {
  const auto& side_of = in[0]->side_of;
  const size_t mixed = site.integers("normalized_shape", 1, 0).size();
  const bool over_image = std::any_of(side_of.end() - static_cast<int64_t>(mixed), side_of.end(),
                                      [](int side) { return side >= 0; });
  return over_image ? image_statistics(site, in) : joined({in[0]}, site.out().size());
}

/// Maps joined along the channels see what each of them saw. Along the image, each part lies
/// elsewhere, which one field cannot say.
Fields cat_fields(const Site& site, const Inputs& in) {
  const Fields result = joined(in, site.out().size());
  const size_t along = dimension(site.integer("dim", 0), result.side_of.size());
  return result.side_of.at(along) >= 0 ? image(site, in) : result;
}

/// What takes only its shape from its argument.
Fields constant(const Site& site, const Inputs&) {
  Fields result;
  result.side_of.assign(site.out().size(), -1);
  return result;
}

Fields softmax_fields(const Site& site, const Inputs& in) {
  const auto& side_of = in[0]->side_of;
  const size_t along = dimension(site.integer("dim", 0), side_of.size());
  return side_of.at(along) >= 0 ? image(site, in) : joined({in[0]}, site.out().size());
}

Fields reduction_fields(const Site& site, const Inputs& in) {
  Fields result = *in[0];
  const auto reduced = reduced_dimensions(site);
  result.side_of.clear();
  for (size_t i = 0; i < reduced.size(); ++i) {
    if (!reduced[i]) result.side_of.push_back(in[0]->side_of[i]);
    if (reduced[i] && site.flag("keepdim", false)) result.side_of.push_back(-1);
  }
  return result;
}

Fields pad_fields(const Site& site, const Inputs& in) {
  Fields result = *in[0];
  const char* argument = site.attribute("pad") ? "pad" : "padding";  // reflection_pad2d's
  const auto pad = site.integers(argument, 0, 0);
  for (size_t i = 0; i + 1 < pad.size(); i += 2) {
    const int side = result.side_of.at(result.side_of.size() - 1 - i / 2);
    if (side >= 0) result.sides[side].padding += pad[i] * result.sides[side].stride;
  }
  return result;
}

Fields slice_fields(const Site& site, const Inputs& in) {
  Fields result = *in[0];
  const size_t along = dimension(site.integer("dim", 0), site.in().size());
  const int side = result.side_of.at(along);
  if (side < 0) return result;
  const int64_t given = site.integer("start", 0), size = site.in()[along];
  const int64_t start = std::clamp<int64_t>(given < 0 ? given + size : given, 0, size);
  Field& field = result.sides[side];
  field.padding -= start * field.stride;
  field.stride *= site.integer("step", 1);
  return result;
}

Fields select_fields(const Site& site, const Inputs& in) {
  Fields result = *in[0];
  result.side_of.erase(result.side_of.begin() +
                       static_cast<int64_t>(dimension(site.integer("dim", 0), site.in().size())));
  return result;
}

/// Parts of the channels see what the whole saw. Parts of the image lie each elsewhere, which one
/// field cannot say.
Fields split_fields(const Site& site, const Inputs& in) {
  const auto& side_of = in[0]->side_of;
  const bool of_image = side_of.at(dimension(site.integer("dim", 0), side_of.size())) >= 0;
  return of_image ? image(site, in) : joined(in, site.out().size());
}

Fields permute_fields(const Site& site, const Inputs& in) {
  Fields result = *in[0];
  const auto order = site.integers("dims", 1, 0);
  for (size_t i = 0; i < order.size(); ++i) {
    result.side_of[i] = in[0]->side_of[dimension(order[i], order.size())];
  }
  return result;
}

Fields transpose_fields(const Site& site, const Inputs& in) {
  Fields result = *in[0];
  const size_t rank = result.side_of.size();
  if (rank < 2) return result;
  std::swap(result.side_of[dimension(site.integer("dim0", 0), rank)],
            result.side_of[dimension(site.integer("dim1", 1), rank)]);
  return result;
}

Fields stack_fields(const Site& site, const Inputs& in) {
  Fields result = joined(in, site.in().size());
  const size_t along = dimension(site.integer("dim", 0), site.out().size());
  result.side_of.insert(result.side_of.begin() + static_cast<int64_t>(along), -1);
  return result;
}

/// The result holds the same elements in the same order in another shape: a dimension keeps its
/// side where it comes through alone, and loses it where it is merged with another.
Fields reshape_fields(const Site& site, const Inputs& in) {
  const Shape &from = site.in(), &to = site.out();
  Fields result = *in[0];
  if (from == to) return result;
  result.side_of.assign(to.size(), -1);
  for (size_t i = 0, o = 0; i < from.size() && o < to.size();) {
    if (from[i] == to[o]) {
      result.side_of[o++] = in[0]->side_of[i++];
    } else if (from[i] == 1) {
      ++i;
    } else if (to[o] == 1) {
      ++o;
    } else {
      int64_t left = from[i++], right = to[o++];
      while (left != right && (left < right ? i < from.size() : o < to.size())) {
        left < right ? left *= from[i++] : right *= to[o++];
      }
    }
  }
  return result;
}

}  // namespace

std::vector<SlidingWindow> windows(const Site& site) {
  const std::string& op = site.call().op;
  if (is_convolution(site)) return conv_windows(site);
  const bool slides =
      op.find("pool") != std::string::npos && op.find("adaptive") == std::string::npos;
  return slides ? pool_windows(site) : std::vector<SlidingWindow>{};
}

const std::vector<Op>& operators() {
  using K = Kind;
  // Convention: each addition, multiplication, division, comparison and elementary function (exp,
  // log, sqrt, tanh, erf) of the textbook formula counts one.
  // clang-format off
  static const std::vector<Op> table = {
      //operator                     kind              shape            macs         flops           receptive field
      {"aten::conv1d",              K::convolution,   conv_shape,      conv_macs,   conv_flops,     windowed},
      {"aten::conv2d",              K::convolution,   conv_shape,      conv_macs,   conv_flops,     windowed},
      {"aten::conv3d",              K::convolution,   conv_shape,      conv_macs,   conv_flops,     windowed},
      {"aten::convolution",         K::convolution,   conv_shape,      conv_macs,   conv_flops,     windowed},
      {"aten::_convolution",        K::convolution,   conv_shape,      conv_macs,   conv_flops,     windowed},
      {"aten::conv_transpose1d",    K::convolution,   conv_shape,      conv_macs,   conv_flops,     windowed},
      {"aten::conv_transpose2d",    K::convolution,   conv_shape,      conv_macs,   conv_flops,     windowed},
      {"aten::conv_transpose3d",    K::convolution,   conv_shape,      conv_macs,   conv_flops,     windowed},
      {"aten::linear",              K::linear,        linear_shape,    linear_macs, linear_flops,   linear_fields},
      {"aten::addmm",               K::linear,        addmm_shape,     addmm_macs,  addmm_flops,    image},
      {"aten::mm",                  K::matmul,        mm_shape,        linear_macs, mm_flops,       product_fields},
      {"aten::bmm",                 K::matmul,        mm_shape,        linear_macs, mm_flops,       product_fields},
      {"aten::matmul",              K::matmul,        nullptr,         linear_macs, mm_flops,       product_fields},
      {"aten::batch_norm",          K::normalization, same,            nullptr,     per_output(2),  batch_norm_fields},
      {"aten::instance_norm",       K::normalization, same,            nullptr,     per_output(7),  image_statistics},
      {"aten::group_norm",          K::normalization, same,            nullptr,     per_output(7),  image_statistics},
      {"aten::layer_norm",          K::normalization, same,            nullptr,     per_output(7),  layer_norm_fields},
      {"aten::max_pool1d",          K::pooling,       pool_shape,      nullptr,     max_pool_flops, windowed},
      {"aten::max_pool2d",          K::pooling,       pool_shape,      nullptr,     max_pool_flops, windowed},
      {"aten::max_pool3d",          K::pooling,       pool_shape,      nullptr,     max_pool_flops, windowed},
      {"aten::avg_pool1d",          K::pooling,       pool_shape,      nullptr,     avg_pool_flops, windowed},
      {"aten::avg_pool2d",          K::pooling,       pool_shape,      nullptr,     avg_pool_flops, windowed},
      {"aten::avg_pool3d",          K::pooling,       pool_shape,      nullptr,     avg_pool_flops, windowed},
      {"aten::adaptive_avg_pool1d", K::pooling,       adaptive_shape,  nullptr,     adaptive_flops, image},
      {"aten::adaptive_avg_pool2d", K::pooling,       adaptive_shape,  nullptr,     adaptive_flops, image},
      {"aten::adaptive_avg_pool3d", K::pooling,       adaptive_shape,  nullptr,     adaptive_flops, image},
      {"aten::adaptive_max_pool1d", K::pooling,       nullptr,         nullptr,     adaptive_max_flops, image},
      {"aten::adaptive_max_pool2d", K::pooling,       nullptr,         nullptr,     adaptive_max_flops, image},
      {"aten::adaptive_max_pool3d", K::pooling,       nullptr,         nullptr,     adaptive_max_flops, image},
      {"aten::relu",                K::activation,    same,            nullptr,     per_output(1),  pointwise},
      {"aten::relu6",               K::activation,    same,            nullptr,     per_output(2),  pointwise},
      {"aten::hardtanh",            K::activation,    same,            nullptr,     per_output(2),  pointwise},
      {"aten::clamp",               K::activation,    broadcast_shape, nullptr,     per_output(2),  pointwise},
      {"aten::clamp_min",           K::activation,    broadcast_shape, nullptr,     per_output(1),  pointwise},
      {"aten::clamp_max",           K::activation,    broadcast_shape, nullptr,     per_output(1),  pointwise},
      {"aten::threshold",           K::activation,    same,            nullptr,     per_output(1),  pointwise},
      {"aten::leaky_relu",          K::activation,    same,            nullptr,     per_output(2),  pointwise},
      {"aten::prelu",               K::activation,    same,            nullptr,     per_output(2),  pointwise},
      {"aten::elu",                 K::activation,    same,            nullptr,     per_output(3),  pointwise},
      {"aten::selu",                K::activation,    same,            nullptr,     per_output(4),  pointwise},
      {"aten::sigmoid",             K::activation,    same,            nullptr,     per_output(4),  pointwise},
      {"aten::hardsigmoid",         K::activation,    same,            nullptr,     per_output(4),  pointwise},
      {"aten::hardswish",           K::activation,    same,            nullptr,     per_output(5),  pointwise},
      {"aten::silu",                K::activation,    same,            nullptr,     per_output(5),  pointwise},
      {"aten::mish",                K::activation,    same,            nullptr,     per_output(5),  pointwise},
      {"aten::gelu",                K::activation,    same,            nullptr,     per_output(5),  pointwise},
      {"aten::softplus",            K::activation,    same,            nullptr,     per_output(3),  pointwise},
      {"aten::softmax",             K::activation,    same,            nullptr,     per_output(5),  softmax_fields},
      {"aten::log_softmax",         K::activation,    same,            nullptr,     per_output(5),  softmax_fields},
      {"aten::tanh",                K::activation,    same,            nullptr,     per_output(1),  pointwise},
      {"aten::erf",                 K::elementwise,   same,            nullptr,     per_output(1),  pointwise},
      {"aten::exp",                 K::elementwise,   same,            nullptr,     per_output(1),  pointwise},
      {"aten::log",                 K::elementwise,   same,            nullptr,     per_output(1),  pointwise},
      {"aten::sqrt",                K::elementwise,   same,            nullptr,     per_output(1),  pointwise},
      {"aten::rsqrt",               K::elementwise,   same,            nullptr,     per_output(2),  pointwise},
      {"aten::reciprocal",          K::elementwise,   same,            nullptr,     per_output(1),  pointwise},
      {"aten::square",              K::elementwise,   same,            nullptr,     per_output(1),  pointwise},
      {"aten::abs",                 K::elementwise,   same,            nullptr,     per_output(1),  pointwise},
      {"aten::neg",                 K::elementwise,   same,            nullptr,     per_output(1),  pointwise},
      {"aten::add",                 K::elementwise,   broadcast_shape, nullptr,     per_output(1),  pointwise},
      {"aten::sub",                 K::elementwise,   broadcast_shape, nullptr,     per_output(1),  pointwise},
      {"aten::rsub",                K::elementwise,   broadcast_shape, nullptr,     per_output(1),  pointwise},
      {"aten::mul",                 K::elementwise,   broadcast_shape, nullptr,     per_output(1),  pointwise},
      {"aten::div",                 K::elementwise,   broadcast_shape, nullptr,     per_output(1),  pointwise},
      {"aten::pow",                 K::elementwise,   broadcast_shape, nullptr,     per_output(1),  pointwise},
      {"aten::maximum",             K::elementwise,   broadcast_shape, nullptr,     per_output(1),  pointwise},
      {"aten::minimum",             K::elementwise,   broadcast_shape, nullptr,     per_output(1),  pointwise},
      {"aten::mean",                K::reduction,     reduced_shape,   nullptr,     mean_flops,     reduction_fields},
      {"aten::sum",                 K::reduction,     reduced_shape,   nullptr,     sum_flops,      reduction_fields},
      {"aten::cat",                 K::movement,      cat_shape,       nullptr,     no_flops,       cat_fields},
      {"aten::constant_pad_nd",     K::movement,      pad_shape,       nullptr,     no_flops,       pad_fields},
      {"aten::reflection_pad2d",    K::movement,      nullptr,         nullptr,     no_flops,       pad_fields},
      {"aten::replication_pad2d",   K::movement,      nullptr,         nullptr,     no_flops,       pad_fields},
      {"aten::upsample_nearest2d",  K::movement,      nullptr,         nullptr,     no_flops,       image},
      {"aten::upsample_bilinear2d", K::interpolation, nullptr,         nullptr,     per_output(7),  image},
      {"aten::stack",               K::movement,      nullptr,         nullptr,     no_flops,       stack_fields},
      {"aten::clone",               K::movement,      same,            nullptr,     no_flops,       pointwise},
      {"aten::_to_copy",            K::movement,      nullptr,         nullptr,     no_flops,       pointwise},
      {"aten::contiguous",          K::movement,      nullptr,         nullptr,     no_flops,       pointwise},
      {"aten::detach",              K::movement,      nullptr,         nullptr,     no_flops,       pointwise},
      {"aten::alias",               K::movement,      nullptr,         nullptr,     no_flops,       pointwise},
      {"aten::expand",              K::movement,      nullptr,         nullptr,     no_flops,       pointwise},
      {"aten::view",                K::movement,      nullptr,         nullptr,     no_flops,       reshape_fields},
      {"aten::reshape",             K::movement,      nullptr,         nullptr,     no_flops,       reshape_fields},
      {"aten::_unsafe_view",        K::movement,      nullptr,         nullptr,     no_flops,       reshape_fields},
      {"aten::flatten",             K::movement,      nullptr,         nullptr,     no_flops,       reshape_fields},
      {"aten::unflatten",           K::movement,      nullptr,         nullptr,     no_flops,       reshape_fields},
      {"aten::squeeze",             K::movement,      nullptr,         nullptr,     no_flops,       reshape_fields},
      {"aten::unsqueeze",           K::movement,      nullptr,         nullptr,     no_flops,       reshape_fields},
      {"aten::permute",             K::movement,      nullptr,         nullptr,     no_flops,       permute_fields},
      {"aten::transpose",           K::movement,      nullptr,         nullptr,     no_flops,       transpose_fields},
      {"aten::t",                   K::movement,      nullptr,         nullptr,     no_flops,       transpose_fields},
      {"aten::slice",               K::movement,      nullptr,         nullptr,     no_flops,       slice_fields},
      {"aten::select",              K::movement,      nullptr,         nullptr,     no_flops,       select_fields},
      {"aten::split",               K::movement,      nullptr,         nullptr,     no_flops,       split_fields},
      {"aten::split_with_sizes",    K::movement,      nullptr,         nullptr,     no_flops,       split_fields},
      {"aten::chunk",               K::movement,      nullptr,         nullptr,     no_flops,       split_fields},
      {"aten::channel_shuffle",     K::movement,      nullptr,         nullptr,     no_flops,       pointwise},
      {"aten::pixel_shuffle",       K::movement,      nullptr,         nullptr,     no_flops,       image},
      {"aten::empty_like",          K::movement,      nullptr,         nullptr,     no_flops,       constant},
      {"aten::zeros_like",          K::movement,      nullptr,         nullptr,     no_flops,       constant},
      {"aten::ones_like",           K::movement,      nullptr,         nullptr,     no_flops,       constant},
      {"aten::full_like",           K::movement,      nullptr,         nullptr,     no_flops,       constant},
  };
  // clang-format on
  return table;
}

const Op* find_operator(const std::string& name) {
  static const auto index = [] {
    std::unordered_map<std::string, const Op*> rows;
    for (const Op& op : operators()) rows.emplace(op.name, &op);
    return rows;
  }();
  auto row = index.find(name);
  if (row == index.end() && name.back() == '_') row = index.find(name.substr(0, name.size() - 1));
  return row == index.end() ? nullptr : row->second;
}

}  // namespace convscope
