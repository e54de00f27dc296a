#include "suite/weights/torch_tree.h"

#include <algorithm>
#include <charconv>
#include <limits>
#include <set>
#include <unordered_map>
#include <unordered_set>

namespace convscope {
namespace {

using Kind = PickleValue::Kind;

constexpr size_t most_dimensions = 64;
// A tensor may show the same element often, which costs a file nothing: up to this many bytes.
constexpr uint64_t most_repeated_bytes = uint64_t{64} << 20;
// Of wrappers around a state dict.
constexpr int deepest_wrapper = 4;
// Of modules in modules; and of names that are not in the file as a whole but put together.
constexpr int deepest_module = 100;
constexpr size_t most_name_bytes = size_t{16} << 20;
constexpr size_t most_attributes = 1'000'000;
constexpr size_t longest_text = 60;
// To tell people how many tensors stand beside the state dict, of all keys together.
constexpr size_t most_counted_values = 500'000;

struct StorageRow {
  std::string_view name;
  ScalarType type;
};

constexpr StorageRow storage_types[] = {
    {"torch.DoubleStorage", ScalarType::float64},
    {"torch.FloatStorage", ScalarType::float32},
    {"torch.HalfStorage", ScalarType::float16},
    {"torch.BFloat16Storage", ScalarType::bfloat16},
    {"torch.LongStorage", ScalarType::int64},
    {"torch.IntStorage", ScalarType::int32},
    {"torch.ShortStorage", ScalarType::int16},
    {"torch.CharStorage", ScalarType::int8},
    {"torch.ByteStorage", ScalarType::uint8},
    {"torch.BoolStorage", ScalarType::boolean},
    {"torch.UntypedStorage", ScalarType::uint8},
    {"torch.storage.UntypedStorage", ScalarType::uint8},
};

constexpr StorageRow dtypes[] = {
    {"torch.float64", ScalarType::float64}, {"torch.float32", ScalarType::float32},
    {"torch.float16", ScalarType::float16}, {"torch.bfloat16", ScalarType::bfloat16},
    {"torch.int64", ScalarType::int64},     {"torch.int32", ScalarType::int32},
    {"torch.int16", ScalarType::int16},     {"torch.int8", ScalarType::int8},
    {"torch.uint8", ScalarType::uint8},     {"torch.bool", ScalarType::boolean},
};

// None of them is ever called: they only say what stands there.
const std::set<std::string_view>& allowed_globals() {
  static const std::set<std::string_view> allowed = {
      "torch._utils._rebuild_tensor", "torch._utils._rebuild_tensor_v2",
      "torch._utils._rebuild_tensor_v3", "torch._utils._rebuild_parameter",
      "torch._utils._rebuild_parameter_with_state", "torch._tensor._rebuild_from_type_v2",
      "torch.nn.parameter.Parameter", "torch.Tensor", "torch.Size", "torch.device",
      // Types of tensors, in the tar form.
      "torch.DoubleTensor", "torch.FloatTensor", "torch.HalfTensor", "torch.LongTensor",
      "torch.IntTensor", "torch.ShortTensor", "torch.CharTensor", "torch.ByteTensor",
      // What training codes keep beside: histories, schedules, numpy's numbers.
      "collections.OrderedDict", "collections.defaultdict", "collections.Counter", "builtins.set",
      "__builtin__.set", "builtins.complex", "__builtin__.complex", "builtins.bytearray",
      "__builtin__.bytearray", "__builtin__.bytes", "builtins.dict", "__builtin__.dict",
      "builtins.list", "__builtin__.list", "builtins.int", "__builtin__.int", "builtins.float",
      "__builtin__.float", "numpy.core.multiarray.scalar", "numpy._core.multiarray.scalar",
      "numpy.dtype", "_codecs.encode"};
  return allowed;
}

const std::set<std::string_view>& unsupported_tensors() {
  static const std::set<std::string_view> names = {"torch._utils._rebuild_qtensor",
                                                   "torch._utils._rebuild_sparse_tensor",
                                                   "torch._utils._rebuild_sparse_csr_tensor",
                                                   "torch._utils._rebuild_nested_tensor",
                                                   "torch._utils._rebuild_meta_tensor_no_storage",
                                                   "torch.ComplexFloatStorage",
                                                   "torch.ComplexDoubleStorage",
                                                   "torch.QInt8Storage",
                                                   "torch.QUInt8Storage",
                                                   "torch.QInt32Storage",
                                                   "torch.QUInt4x2Storage",
                                                   "torch.QUInt2x4Storage"};
  return names;
}

template <size_t N>
std::optional<ScalarType> type_in(const StorageRow (&rows)[N], std::string_view name) {
  for (const StorageRow& row : rows) {
    if (row.name == name) return row.type;
  }
  return {};
}

bool is_tensor(const PickleValue& value, const Outside& outside) {
  if (value.is(Kind::persistent)) return static_cast<bool>(outside.tensor);
  if (value.is(Kind::object)) return value.maker() == "torch.nn.parameter.Parameter";
  const std::string_view maker = value.maker();
  return starts_with(maker, "torch._utils._rebuild_") ||
         maker == "torch._tensor._rebuild_from_type_v2";
}

const PickleValue& argument(const std::vector<const PickleValue*>& arguments, size_t i,
                            std::string_view function) {
  if (i >= arguments.size()) {
    fail("holds a damaged tensor: " + in_quotes(function) + " has " +
         counted(arguments.size(), "argument"));
  }
  return *arguments[i];
}

void check_dimensions(size_t dimensions) {
  if (dimensions > most_dimensions) {
    fail("holds a tensor of " + counted(dimensions, "dimension") + "; expected at most " +
         std::to_string(most_dimensions));
  }
}

std::vector<uint64_t> naturals(const PickleValue& value, const std::string& what) {
  const PickleValue* items = &value;
  if (value.maker() == "torch.Size") items = &argument(value.arguments(), 0, "torch.Size");
  if (!items->is(Kind::tuple) && !items->is(Kind::list)) {
    fail("holds a damaged tensor: its " + what + " is " + describe(value));
  }
  // Before the loop: one tuple may be the shape of many tensors.
  check_dimensions(items->items.size());
  std::vector<uint64_t> result;
  for (const PickleValue* item : items->items) result.push_back(natural(*item, what));
  return result;
}

// A parameter is a tensor that wants a gradient, and each version of torch wrote that in its way.
StridedTensor strided_tensor(const PickleValue& value, const Outside& outside) {
  const PickleValue* at = &value;
  for (int depth = 0; depth < 8; ++depth) {
    if (at->is(Kind::persistent) && outside.tensor) return outside.tensor(*at->items[0]);
    if (!is_tensor(*at, outside)) break;
    std::string_view function = at->maker();
    const std::vector<const PickleValue*>* arguments = &at->arguments();
    if (function == "torch._tensor._rebuild_from_type_v2") {
      const PickleValue& inner = argument(*arguments, 0, function);
      const PickleValue& inner_arguments = argument(*arguments, 2, function);
      if (!inner.is(Kind::global) || !inner_arguments.is(Kind::tuple)) break;
      function = inner.text;
      arguments = &inner_arguments.items;
    }
    if (function == "torch.nn.parameter.Parameter") {
      const bool has_state = at->items.size() > 2 && at->items[2]->is(Kind::tuple);
      at = &argument(has_state ? at->items[2]->items : *arguments, 0, function);
      continue;
    }
    if (starts_with(function, "torch._utils._rebuild_parameter")) {
      at = &argument(*arguments, 0, function);
      continue;
    }
    if (!starts_with(function, "torch._utils._rebuild_tensor")) break;
    const PickleValue& storage = argument(*arguments, 0, function);
    if (!storage.is(Kind::persistent) || outside.tensor) {
      fail("holds a damaged tensor: its storage is " + describe(storage));
    }
    StridedTensor tensor = {outside.storage(*storage.items[0]),
                            natural(argument(*arguments, 1, function), "offset"),
                            naturals(argument(*arguments, 2, function), "shape"),
                            naturals(argument(*arguments, 3, function), "strides")};
    if (function == "torch._utils._rebuild_tensor_v3") {
      const PickleValue& dtype = argument(*arguments, 6, function);
      const std::optional<ScalarType> type = type_in(dtypes, dtype.text);
      if (!type) fail("holds a tensor of a type that is not supported, " + describe(dtype));
      tensor.storage.type = *type;
    }
    return tensor;
  }
  fail("holds a damaged tensor: expected what makes one, found " + describe(*at));
}

StoredTensor named_tensor(const std::string& name, const PickleValue& value,
                          const Outside& outside) {
  try {
    return stored_tensor(name, strided_tensor(value, outside));
  } catch (const std::invalid_argument& error) {
    fail(std::string(error.what()) + " (tensor " + in_quotes(name) + ")");
  }
}

// ---- what stands beside

template <class Number>
std::string number_text(Number number) {
  char text[32];
  return {text, std::to_chars(text, text + sizeof text, number).ptr};
}

std::string short_text(std::string_view text) {
  const std::string shown = in_quotes(text.substr(0, longest_text));
  return shown.substr(1, shown.size() - 2) + (text.size() > longest_text ? "..." : "");
}

// Python 3 wrote bytes into the pickles of Python 2 as text of as many characters.
std::string latin1_bytes(std::string_view text) {
  std::string bytes;
  for (size_t i = 0; i < text.size(); ++i) {
    const auto byte = static_cast<unsigned char>(text[i]);
    const bool pair = (byte == 0xc2 || byte == 0xc3) && i + 1 < text.size();
    bytes += pair ? static_cast<char>((byte << 6) | (text[i + 1] & 0x3f)) : text[i];
    i += pair ? 1 : 0;
  }
  return bytes;
}

// A number of numpy, as a measured accuracy often is: its dtype and its bytes.
std::string numpy_text(const PickleValue& scalar) {
  const std::vector<const PickleValue*>& arguments = scalar.arguments();
  if (arguments.size() != 2 || arguments[0]->maker() != "numpy.dtype") return "a number of numpy";
  const std::vector<const PickleValue*>& dtype = arguments[0]->arguments();
  std::string bytes;
  if (arguments[1]->is(Kind::bytes)) {
    bytes = arguments[1]->text.substr(0, 8);
  } else if (arguments[1]->maker() == "_codecs.encode" && !arguments[1]->arguments().empty()) {
    bytes = latin1_bytes(arguments[1]->arguments()[0]->text.substr(0, 16));
  }
  const std::string_view type = dtype.empty() ? "" : dtype[0]->text;
  if (type == "f8" && bytes.size() == 8) return number_text(number_at<double>(bytes, 0));
  if (type == "f4" && bytes.size() == 4) return number_text(number_at<float>(bytes, 0));
  if (type == "i8" && bytes.size() == 8) return std::to_string(number_at<int64_t>(bytes, 0));
  return "a number of numpy";
}

// Each value is counted once, so that a list of itself ends. 0 where there are more values to look
// at than `budget` has left.
uint64_t count_tensors(const PickleValue& value, const Outside& outside, size_t& budget) {
  std::unordered_set<const PickleValue*> seen = {&value};
  std::vector<const PickleValue*> open = {&value};
  uint64_t count = 0;
  while (!open.empty()) {
    const PickleValue* at = open.back();
    open.pop_back();
    if (is_tensor(*at, outside)) {
      ++count;
      continue;
    }
    for (const PickleValue* item : at->items) {
      if (budget == 0) return 0;
      --budget;
      if (seen.insert(item).second) open.push_back(item);
    }
  }
  return count;
}

std::string shown(const PickleValue& value, const Outside& outside, size_t& budget) {
  if (const uint64_t tensors = value.items.empty() ? 0 : count_tensors(value, outside, budget)) {
    return counted(tensors, "tensor");
  }
  switch (value.kind) {
    case Kind::integer:
      return std::to_string(value.integer);
    case Kind::real:
      return number_text(value.real);
    case Kind::text:
    case Kind::bytes:
    case Kind::global:
      return short_text(value.text);
    case Kind::call:
      if (starts_with(value.maker(), "numpy")) return numpy_text(value);
      return short_text(value.maker());
    default:
      return describe(value);
  }
}

std::string shown_key(const PickleValue& key) {
  if (key.is_text()) return short_text(key.text);
  return key.is(Kind::integer) ? std::to_string(key.integer) : describe(key);
}

void add_beside(const PickleValue& dict, const PickleValue* chosen, const Outside& outside,
                size_t& budget, WeightsFile& file) {
  // What is shown of one value may be all of the file: so many values, and no more.
  constexpr size_t most_rows = 100;
  size_t more = 0;
  for (size_t i = 0; i < dict.items.size(); i += 2) {
    const PickleValue& value = *dict.items[i + 1];
    if (&value == chosen) continue;
    if (chosen == nullptr && dict.items[i]->is_text() && is_tensor(value, outside)) continue;
    if (file.beside.size() < most_rows) {
      file.beside.emplace_back(shown_key(*dict.items[i]), shown(value, outside, budget));
    } else {
      ++more;
    }
  }
  if (more > 0) file.beside.emplace_back("...", counted(more, "more key"));
}

// ---- the state dict

size_t own_tensors(const PickleValue& dict, const Outside& outside) {
  size_t count = 0;
  for (size_t i = 0; dict.is(Kind::dict) && i < dict.items.size(); i += 2) {
    count += dict.items[i]->is_text() && is_tensor(*dict.items[i + 1], outside) ? 1 : 0;
  }
  return count;
}

struct Choice {
  const PickleValue* key = nullptr;
  const PickleValue* value = nullptr;
  size_t tensors = 0;
};

// The keys that training codes use, the likelier first.
constexpr std::string_view wrappers[] = {
    "state_dict", "model_state_dict", "model",   "net",         "weights",       "params_ema",
    "params",     "module",           "network", "model_state", "ema_state_dict"};

// The most tensors that one dict has of those in a dict, not looking into the dicts of `path`, in
// which that dict lies. One dict may stand in many places and at many depths, and is counted once
// for each depth.
struct TensorCounts {
  const Outside& outside;
  const std::vector<const PickleValue*>& path;
  std::unordered_map<const PickleValue*, size_t> known[deepest_wrapper] = {};

  size_t within(const PickleValue& dict, int depth) {
    if (!dict.is(Kind::dict) || std::find(path.begin(), path.end(), &dict) != path.end()) return 0;
    const auto [place, unknown] = known[depth].emplace(&dict, 0);
    size_t& most = place->second;
    if (!unknown) return most;
    most = own_tensors(dict, outside);
    for (size_t i = 0; depth > 0 && i < dict.items.size(); i += 2) {
      if (dict.items[i]->is_text()) most = std::max(most, within(*dict.items[i + 1], depth - 1));
    }
    return most;
  }
};

// The part of the last dict of `path` that is or holds the state dict; no value if that dict is the
// state dict.
Choice choose(const std::vector<const PickleValue*>& path, const Outside& outside, int depth) {
  const PickleValue& dict = *path.back();
  if (depth == 0) return {};
  TensorCounts counts = {outside, path};
  for (const std::string_view wrapper : wrappers) {
    for (size_t i = 0; i < dict.items.size(); i += 2) {
      if (!dict.items[i]->is_text() || dict.items[i]->text != wrapper) continue;
      const size_t tensors = counts.within(*dict.items[i + 1], depth - 1);
      if (tensors > 0) return {dict.items[i], dict.items[i + 1], tensors};
    }
  }
  std::vector<Choice> choices;
  for (size_t i = 0; i < dict.items.size(); i += 2) {
    if (!dict.items[i]->is_text()) continue;
    const size_t tensors = counts.within(*dict.items[i + 1], depth - 1);
    if (tensors > 0) choices.push_back({dict.items[i], dict.items[i + 1], tensors});
  }
  Choice best;
  best.tensors = own_tensors(dict, outside);
  for (const Choice& choice : choices) {
    if (choice.tensors > best.tensors) best = choice;
  }
  std::string rivals;
  for (const Choice& choice : choices) {
    if (best.value != nullptr && choice.tensors == best.tensors && choice.value != best.value) {
      rivals += ", " + in_quotes(choice.key->text);
    }
  }
  if (!rivals.empty()) {
    fail("holds several state dicts of " + counted(best.tensors, "tensor") + ": " +
         in_quotes(best.key->text) + rivals + "; save the one that is meant as 'state_dict'");
  }
  return best;
}

void check_keys(const PickleValue& dict) {
  std::unordered_set<std::string_view> seen;
  for (size_t i = 0; i < dict.items.size(); i += 2) {
    const PickleValue& key = *dict.items[i];
    if (key.is_text() && !seen.insert(key.text).second) {
      fail("is damaged: key " + in_quotes(key.text) + " appears twice in one dict");
    }
  }
}

std::string describe_found(const PickleValue& root, const Outside& outside) {
  if (is_tensor(root, outside)) return "one tensor without a name";
  std::string found = describe(root);
  for (size_t i = 0; root.is(Kind::dict) && i < root.items.size() && i < 10; i += 2) {
    found += (i == 0 ? ": " : ", ") + in_quotes(shown_key(*root.items[i]));
  }
  size_t budget = most_counted_values;
  const uint64_t tensors = count_tensors(root, outside, budget);
  return tensors == 0 ? found : found + " with " + counted(tensors, "tensor");
}

}  // namespace

std::optional<ScalarType> storage_type(std::string_view global) {
  return type_in(storage_types, global);
}

uint64_t natural(const PickleValue& value, const std::string& what) {
  if (!value.is(Kind::integer) || value.integer < 0) {
    fail("holds a damaged tensor: its " + what + " has " + describe(value));
  }
  return static_cast<uint64_t>(value.integer);
}

StorageId storage_id(const PickleValue& id) {
  const std::vector<const PickleValue*>& items = id.items;
  if (!id.is(Kind::tuple) || items.size() < 5 || !items[0]->is_text() ||
      items[0]->text != "storage" || !items[2]->is_text()) {
    fail("is no file of weights: it refers to something outside its pickle by " + describe(id));
  }
  const std::optional<ScalarType> type = storage_type(items[1]->text);
  if (!items[1]->is(Kind::global) || !type) {
    fail("holds a storage of a type that is not supported, " + describe(*items[1]));
  }
  const PickleValue* view = items.size() > 5 && !items[5]->is(Kind::none) ? items[5] : nullptr;
  return {*type, items[2]->text,
          product(natural(*items[4], "storage"), static_cast<uint64_t>(bytes_of(*type))), view};
}

void check_global(std::string_view name, const std::string& where, bool torchscript) {
  if (allowed_globals().count(name) != 0 || type_in(storage_types, name) || type_in(dtypes, name)) {
    return;
  }
  if (torchscript &&
      (starts_with(name, "__torch__.") || starts_with(name, "torch.jit._pickle.build_") ||
       name == "torch.jit._pickle.restore_type_tag")) {
    return;
  }
  if (unsupported_tensors().count(name) != 0) {
    fail("holds tensors of a kind that is not supported: " + in_quotes(name) + ", " + where);
  }
  fail("refers to " + in_quotes(name) + ", which weights do not need, " + where +
       "; nothing was run; save the model's state_dict() alone");
}

StoredTensor stored_tensor(std::string name, const StridedTensor& tensor) {
  const auto element = static_cast<uint64_t>(bytes_of(tensor.storage.type));
  const uint64_t available = tensor.storage.bytes.size() / element;
  if (tensor.sizes.size() != tensor.strides.size()) {
    fail("holds a damaged tensor: " + counted(tensor.sizes.size(), "size") + " and " +
         counted(tensor.strides.size(), "stride"));
  }
  check_dimensions(tensor.sizes.size());
  StoredTensor result = {std::move(name), tensor.storage.type, {}, {}, nullptr};
  uint64_t span = 1;     // without the sizes that are 0, so that no order of multiplying overflows
  uint64_t reached = 1;  // behind the last element
  bool empty = false;
  for (size_t i = 0; i < tensor.sizes.size(); ++i) {
    const uint64_t size = tensor.sizes[i];
    empty = empty || size == 0;
    span = product(span, std::max<uint64_t>(size, 1));
    result.shape.push_back(static_cast<int64_t>(size));
  }
  constexpr auto most = static_cast<uint64_t>(std::numeric_limits<int64_t>::max());
  if (product(span, element) > most) fail("holds a tensor of more than 2^63 bytes");
  // A stride that leads nowhere may be any number, with which nobody is to calculate.
  result.strides = contiguous_strides(result.shape);
  for (size_t i = 0; !empty && i < tensor.sizes.size(); ++i) {
    if (tensor.sizes[i] > 1) result.strides[i] = static_cast<int64_t>(tensor.strides[i]);
  }
  for (size_t i = 0; !empty && i < tensor.sizes.size(); ++i) {
    reached = sum(reached, product(tensor.sizes[i] - 1, tensor.strides[i]));
  }
  if (!empty && sum(reached, tensor.offset) > available) {
    fail("holds a tensor that reaches to element " + std::to_string(reached + tensor.offset) +
         " of a storage that has " + std::to_string(available));
  }
  if (!empty && span > available && span * element > most_repeated_bytes) {
    fail("holds a tensor of " + counted(span, "element") + " in a storage that has " +
         std::to_string(available));
  }
  const uint64_t first = empty ? 0 : tensor.offset * element;
  result.data = reinterpret_cast<const std::byte*>(tensor.storage.bytes.data() + first);
  return result;
}

void find_state_dict(const PickleValue& root, const Outside& outside, WeightsFile& file) {
  const PickleValue* dict = &root;
  std::vector<const PickleValue*> path;
  size_t budget = most_counted_values;
  for (int depth = deepest_wrapper; dict->is(Kind::dict); --depth) {
    check_keys(*dict);
    path.push_back(dict);
    const Choice choice = choose(path, outside, depth);
    add_beside(*dict, choice.value, outside, budget, file);
    if (choice.value == nullptr) break;
    const std::string key(choice.key->text);
    file.wrapped_in += (file.wrapped_in.empty() ? "" : ".") + key;
    dict = choice.value;
  }
  if (own_tensors(*dict, outside) == 0) {
    fail("holds " + describe_found(root, outside) +
         "; expected a dict of named tensors, as a model's state_dict() is");
  }
  for (size_t i = 0; i < dict->items.size(); i += 2) {
    const PickleValue& key = *dict->items[i];
    const PickleValue& value = *dict->items[i + 1];
    if (!key.is_text() || !is_tensor(value, outside)) continue;
    file.tensors.push_back(named_tensor(std::string(key.text), value, outside));
  }
}

namespace {

struct AttributeWalk {
  const Outside& outside;
  WeightsFile& file;
  size_t attributes = 0;
  size_t name_bytes = 0;

  // A module's own tensors come before those of its modules, as in a state dict.
  void walk(const PickleValue& object, const std::string& prefix, int depth) {
    if (object.items.size() < 3 || !object.items[2]->is(Kind::dict)) return;
    if (depth > deepest_module) {
      fail("is no TorchScript of a network: its modules are nested more than " +
           std::to_string(deepest_module) + " deep");
    }
    const PickleValue& state = *object.items[2];
    check_keys(state);
    for (const bool tensors : {true, false}) {
      for (size_t i = 0; i < state.items.size(); i += 2) {
        const PickleValue& value = *state.items[i + 1];
        const bool tensor = is_tensor(value, outside);
        if (tensor != tensors || !(tensor || value.is(Kind::object))) continue;
        if (!state.items[i]->is_text()) continue;
        const std::string name = prefix + std::string(state.items[i]->text);
        name_bytes += name.size();
        if (++attributes > most_attributes || name_bytes > most_name_bytes) {
          fail("is no TorchScript of a network: it has more than " +
               std::to_string(tensor ? file.tensors.size() : attributes) + " attributes");
        }
        if (tensor) {
          file.tensors.push_back(named_tensor(name, value, outside));
        } else {
          walk(value, name + ".", depth + 1);
        }
      }
    }
  }
};

}  // namespace

void find_attributes(const PickleValue& root, const Outside& outside, WeightsFile& file) {
  if (!root.is(Kind::object)) {
    fail("is no TorchScript of a network: expected a module, found " + describe(root));
  }
  AttributeWalk{outside, file}.walk(root, "", 0);
  if (file.tensors.empty()) {
    fail("is TorchScript whose module has no tensors as attributes; save it before it is frozen");
  }
}

}  // namespace convscope
