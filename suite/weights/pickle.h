// Python's pickles as data: what a pickle would have called is kept as a description of the call,
// so that reading one can run nothing.
#pragma once

#include <deque>
#include <functional>
#include <string>
#include <vector>

#include "suite/weights/bytes.h"

namespace convscope {

/// One value of a pickle. A value may stand in several places, and in itself.
struct PickleValue {
  enum class Kind : uint8_t {
    none,
    boolean,       // integer
    integer,       // integer
    long_integer,  // text: its bytes, little-endian, where 64 bits are too few
    real,          // real
    text,          // text
    bytes,         // text
    list,          // items
    tuple,         // items
    dict,          // items: key, value, key, value, ...
    global,        // text: "torch.FloatStorage"
    call,          // items: what is called, its arguments as a tuple, perhaps its state
    object,        // items: its class, its arguments as a tuple, perhaps its state
    persistent     // items: the id under which the value lies outside the pickle
  };

  Kind kind = Kind::none;
  int64_t integer = 0;
  double real = 0;
  std::string_view text;
  std::vector<const PickleValue*> items;

  bool is(Kind other) const { return kind == other; }
  /// Python 2 wrote its texts as bytes.
  bool is_text() const { return is(Kind::text) || is(Kind::bytes); }
  /// The name of the global that a call calls and an object is made of; else "".
  std::string_view maker() const;
  /// The arguments of a call or an object.
  const std::vector<const PickleValue*>& arguments() const { return items[1]->items; }
  /// The value under `key` in a dict; null if there is none.
  const PickleValue* find(std::string_view key) const;
};

/// "a list of 3", for errors.
std::string describe(const PickleValue& value);

/// Where the values of several pickles live; their texts point into the bytes that were read.
struct PickleValues {
  std::deque<PickleValue> values;
  std::deque<std::string> names;  // of globals
  uint64_t operations = 0;        // that made them, of all pickles together
};

/// Throws for a global that the pickle may not refer to; `where` is the place that refers to it.
using CheckGlobal = std::function<void(std::string_view name, const std::string& where)>;

/// Reads the pickle at `position` of `bytes` and leaves `position` behind its end. `record` names
/// the bytes in errors, "" for the file itself.
const PickleValue& read_pickle(Bytes bytes, size_t& position, const std::string& record,
                               const CheckGlobal& check, PickleValues& memory);

}  // namespace convscope
