#include "suite/weights/weights_file.h"

#include <algorithm>
#include <cstring>
#include <iterator>

#include "suite/weights/mapped_file.h"
#include "suite/weights/safetensors.h"
#include "suite/weights/tar.h"
#include "suite/weights/torch_file.h"

namespace convscope {
namespace {

struct TypeRow {
  ScalarType type;
  const char* name;
  int64_t bytes;
};

constexpr TypeRow types[] = {
    {ScalarType::float64, "float64", 8}, {ScalarType::float32, "float32", 4},
    {ScalarType::float16, "float16", 2}, {ScalarType::bfloat16, "bfloat16", 2},
    {ScalarType::int64, "int64", 8},     {ScalarType::int32, "int32", 4},
    {ScalarType::int16, "int16", 2},     {ScalarType::int8, "int8", 1},
    {ScalarType::uint8, "uint8", 1},     {ScalarType::boolean, "bool", 1},
};

// They are looked up by their place.
constexpr bool in_order() {
  for (size_t i = 0; i < std::size(types); ++i) {
    if (types[i].type != static_cast<ScalarType>(i)) return false;
  }
  return std::size(types) == static_cast<size_t>(ScalarType::boolean) + 1;
}
static_assert(in_order(), "the table has the types in the order of ScalarType");

struct Beginning {
  std::string_view bytes;
  const char* what;
};

// What people take for weights, and what a failed download leaves behind.
constexpr Beginning strangers[] = {
    {"version https://git-lfs", "is a pointer of Git LFS; fetch the file itself"},
    {"<", "is a page of the web or XML; the download went wrong"},
    {"\x1f\x8b", "is compressed by gzip; unpack it first"},
    {"\x89HDF", "is HDF5, as Keras writes it"},
    {"\x93NUMPY", "is an array of numpy"},
};

void read_form(Bytes bytes, WeightsFile& file) {
  // First, since its length may look like the beginning of any other form, but then no '{' follows.
  if (is_safetensors(bytes)) return read_safetensors(bytes, file);
  if (starts_with(bytes, "PK\3\4") || starts_with(bytes, "PK\5\6")) {
    return read_torch_zip(bytes, file);
  }
  if (bytes[0] == '\x80') return read_legacy_pickle(bytes, file);
  if (is_tar(bytes)) return read_torch_tar(bytes, file);
  constexpr char expected[] = "; expected a file of torch.save, torch.jit.save or safetensors";
  for (const Beginning& stranger : strangers) {
    if (starts_with(bytes, stranger.bytes)) {
      fail(stranger.what + std::string(expected));
    }
  }
  fail("begins with " + in_quotes(bytes.substr(0, 8)) + expected);
}

WeightsFile read_bytes(Bytes bytes, const std::filesystem::path& name) {
  WeightsFile file = {name, WeightsFormat::zip, {}, "", {}, nullptr};
  read_form(bytes, file);
  return file;
}

// Elements that are not one behind the other, a dimension after the other.
template <size_t element>
std::byte* copy_strided(const std::byte* from, const StoredTensor& tensor, size_t axis,
                        std::byte* to) {
  const int64_t size = tensor.shape[axis];
  const int64_t step = tensor.strides[axis] * static_cast<int64_t>(element);
  const bool last = axis + 1 == tensor.shape.size();
  for (int64_t i = 0; i < size; ++i) {
    if (last) {
      std::memcpy(to, from + i * step, element);
      to += element;
    } else {
      to = copy_strided<element>(from + i * step, tensor, axis + 1, to);
    }
  }
  return to;
}

}  // namespace

std::string to_string(ScalarType type) { return types[static_cast<size_t>(type)].name; }

int64_t bytes_of(ScalarType type) { return types[static_cast<size_t>(type)].bytes; }

int64_t StoredTensor::elements() const {
  int64_t product = 1;
  for (int64_t side : shape) product *= side;
  return product;
}

bool StoredTensor::contiguous() const {
  const std::vector<int64_t> expected = contiguous_strides(shape);
  for (size_t i = 0; i < shape.size(); ++i) {
    if (shape[i] != 1 && strides[i] != expected[i]) return false;
  }
  return true;
}

std::vector<int64_t> contiguous_strides(const std::vector<int64_t>& shape) {
  std::vector<int64_t> strides(shape.size());
  int64_t stride = 1;
  for (size_t i = shape.size(); i-- > 0;) {
    strides[i] = stride;
    stride *= std::max<int64_t>(shape[i], 1);
  }
  return strides;
}

std::string to_string(WeightsFormat format) {
  switch (format) {
    case WeightsFormat::zip:
      return "zip .pth (torch.save since 1.6)";
    case WeightsFormat::legacy_pickle:
      return "pickle stream (torch.save before 1.6)";
    case WeightsFormat::tar:
      return "tar (torch.save before 0.1.12)";
    case WeightsFormat::torchscript:
      return "TorchScript (torch.jit.save)";
    case WeightsFormat::safetensors:
      return "safetensors";
  }
  return "";
}

WeightsFile read_weights(const std::filesystem::path& path) {
  try {
    const auto mapping = std::make_shared<const MappedFile>(path);
    WeightsFile file = read_bytes(mapping->bytes(), path);
    file.owner = mapping;
    return file;
  } catch (const std::invalid_argument& error) {
    fail(path.string() + ": " + error.what());
  }
}

WeightsFile read_weights(const std::byte* data, size_t size, const std::string& name) {
  try {
    if (size == 0) fail("is empty; expected a file of weights");
    return read_bytes({reinterpret_cast<const char*>(data), size}, name);
  } catch (const std::invalid_argument& error) {
    fail(name + ": " + error.what());
  }
}

void copy_values(const StoredTensor& tensor, void* out) {
  const int64_t elements = tensor.elements();
  if (elements == 0) return;
  auto* to = static_cast<std::byte*>(out);
  if (tensor.contiguous()) {
    std::memcpy(to, tensor.data, static_cast<size_t>(elements * bytes_of(tensor.type)));
  } else {
    switch (bytes_of(tensor.type)) {
      case 8:
        copy_strided<8>(tensor.data, tensor, 0, to);
        break;
      case 4:
        copy_strided<4>(tensor.data, tensor, 0, to);
        break;
      case 2:
        copy_strided<2>(tensor.data, tensor, 0, to);
        break;
      default:
        copy_strided<1>(tensor.data, tensor, 0, to);
    }
  }
  if (tensor.type == ScalarType::boolean) {
    // A file may hold any byte; a bool that is neither 0 nor 1 is undefined in C++.
    std::transform(to, to + elements, to,
                   [](std::byte b) { return std::byte(b != std::byte{0} ? 1 : 0); });
  }
}

void release_values(const StoredTensor& tensor) {
  if (tensor.elements() == 0) return;
  int64_t last = 0;
  for (size_t i = 0; i < tensor.shape.size(); ++i) {
    last += (tensor.shape[i] - 1) * tensor.strides[i];
  }
  release_pages({reinterpret_cast<const char*>(tensor.data),
                 static_cast<size_t>((last + 1) * bytes_of(tensor.type))});
}

}  // namespace convscope
