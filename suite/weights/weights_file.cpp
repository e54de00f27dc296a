#include "suite/weights/weights_file.h"

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

}  // namespace

std::string to_string(ScalarType type) { return types[static_cast<size_t>(type)].name; }

int64_t bytes_of(ScalarType type) { return types[static_cast<size_t>(type)].bytes; }

int64_t StoredTensor::elements() const {
  int64_t product = 1;
  for (int64_t side : shape) product *= side;
  return product;
}

bool StoredTensor::contiguous() const {
  int64_t expected = 1;
  for (size_t i = shape.size(); i-- > 0;) {
    if (shape[i] != 1 && strides[i] != expected) return false;
    expected *= shape[i];
  }
  return true;
}

}  // namespace convscope
