#include "suite/weights/pickle.h"

#include <unordered_map>

namespace convscope {
namespace {

using Kind = PickleValue::Kind;

// A checkpoint has some ten operations a tensor, and one for each number of a logged history.
// The limit is for a file: the oldest form has a pickle for each tensor.
constexpr uint64_t most_operations = 10'000'000;

// Python's pickle virtual machine. The stack holds pointers; the values outlive it.
class Reader {
 public:
  Reader(Bytes bytes, size_t& position, const std::string& record, const CheckGlobal& check,
         PickleValues& memory)
      : bytes_(bytes), position_(position), record_(record), check_(check), memory_(memory) {}

  const PickleValue& read() {
    while (true) {
      start_ = position_;
      spend(1);
      const auto code = take<uint8_t>();
      if (code == '.') return *pop();
      step(code);
    }
  }

 private:
  std::string where() const {
    return "at byte " + std::to_string(start_) + (record_.empty() ? "" : " of " + record_);
  }

  [[noreturn]] void refuse(const std::string& what) const {
    fail("is no pickle of weights: " + what + ", " + where());
  }

  void spend(uint64_t operations) {
    if (operations > most_operations - memory_.operations) {
      refuse("it has more than " + std::to_string(most_operations) + " operations");
    }
    memory_.operations += operations;
  }

  Bytes take_bytes(uint64_t count) {
    const size_t left = bytes_.size() - position_;
    if (count > left) {
      if (!record_.empty()) refuse("it wants bytes behind its end");
      fail("is cut short: the pickle that it begins with wants " + counted(count, "byte") +
           " at byte " + std::to_string(position_) + ", the file has " + std::to_string(left));
    }
    const Bytes taken = bytes_.substr(position_, count);
    position_ += count;
    return taken;
  }

  template <class Number>
  Number take() {
    return number_at<Number>(take_bytes(sizeof(Number)), 0);
  }

  /// Up to the line feed, as names of globals are.
  Bytes take_line() {
    const size_t end = bytes_.find('\n', position_);
    if (end == Bytes::npos) {
      position_ = bytes_.size();
      take_bytes(1);
    }
    const Bytes line = take_bytes(end - position_);
    ++position_;
    return line;
  }

  PickleValue& make(Kind kind) {
    PickleValue& value = memory_.values.emplace_back();
    value.kind = kind;
    return value;
  }

  void push(PickleValue& value) { stack_.push_back(&value); }
  void push(Kind kind) { push(make(kind)); }

  void push_integer(int64_t integer, Kind kind = Kind::integer) {
    PickleValue& value = make(kind);
    value.integer = integer;
    push(value);
  }

  void push_text(Kind kind, Bytes text) {
    PickleValue& value = make(kind);
    value.text = text;
    push(value);
  }

  size_t floor() const { return marks_.empty() ? 0 : marks_.back(); }

  PickleValue& top() {
    if (stack_.size() <= floor()) refuse("it takes a value where there is none");
    return *stack_.back();
  }

  PickleValue* pop() {
    PickleValue* value = &top();
    stack_.pop_back();
    return value;
  }

  std::vector<const PickleValue*> pop_mark() {
    if (marks_.empty()) refuse("it takes values up to a mark where there is none");
    const auto begin = stack_.begin() + static_cast<ptrdiff_t>(marks_.back());
    std::vector<const PickleValue*> items(begin, stack_.end());
    stack_.erase(begin, stack_.end());
    marks_.pop_back();
    return items;
  }

  void push_items(Kind kind, std::vector<const PickleValue*> items) {
    PickleValue& value = make(kind);
    value.items = std::move(items);
    push(value);
  }

  void push_last(size_t count) {
    std::vector<const PickleValue*> items(count);
    for (size_t i = count; i-- > 0;) items[i] = pop();
    push_items(Kind::tuple, std::move(items));
  }

  void append(Kind kind, const std::vector<const PickleValue*>& items) {
    PickleValue& to = top();
    if (!to.is(kind)) refuse("it adds items to " + describe(to));
    if (kind == Kind::dict && items.size() % 2 != 0) refuse("it adds a key without a value");
    to.items.insert(to.items.end(), items.begin(), items.end());
  }

  void push_global(Bytes module, Bytes name) {
    std::string& full = memory_.names.emplace_back(module);
    full += '.';
    full += name;
    check_(full, where());
    push_text(Kind::global, full);
  }

  void push_long(Bytes digits) {
    if (digits.size() > sizeof(int64_t)) return push_text(Kind::long_integer, digits);
    uint64_t integer = !digits.empty() && (digits.back() & 0x80) != 0 ? ~uint64_t{0} : 0;
    std::memcpy(&integer, digits.data(), digits.size());
    push_integer(static_cast<int64_t>(integer));
  }

  void put(uint32_t index) { memo_[index] = &top(); }

  void get(uint32_t index) {
    const auto found = memo_.find(index);
    if (found == memo_.end()) refuse("it takes a value from its memo that it never put there");
    stack_.push_back(found->second);
  }

  void call() {
    PickleValue* arguments = pop();
    PickleValue* function = pop();
    if (!arguments->is(Kind::tuple)) refuse("it calls with " + describe(*arguments));
    if (!function->is(Kind::global)) refuse("it calls " + describe(*function));
    if (function->text == "collections.OrderedDict" ||
        function->text == "collections.defaultdict") {
      return push_dict(*arguments);
    }
    push_items(Kind::call, {function, arguments});
  }

  // Items follow where there are arguments only in Python 2, which wrote OrderedDict([[k, v],
  // ...]).
  void push_dict(const PickleValue& arguments) {
    PickleValue& dict = make(Kind::dict);
    if (arguments.items.size() == 1 && arguments.items[0]->is(Kind::list)) {
      const std::vector<const PickleValue*>& pairs = arguments.items[0]->items;
      spend(pairs.size());
      for (const PickleValue* pair : pairs) {
        if (!(pair->is(Kind::list) || pair->is(Kind::tuple)) || pair->items.size() != 2) {
          refuse("its OrderedDict has " + describe(*pair) + " where a pair is expected");
        }
        dict.items.insert(dict.items.end(), pair->items.begin(), pair->items.end());
      }
    }
    push(dict);
  }

  void build() {
    const PickleValue* state = pop();
    PickleValue& object = top();
    if (object.is(Kind::dict)) return;  // attributes of an OrderedDict, as its _metadata
    if (!object.is(Kind::call) && !object.is(Kind::object)) {
      refuse("it sets attributes of " + describe(object));
    }
    object.items.resize(2);
    object.items.push_back(state);
  }

  void new_object() {
    PickleValue* arguments = pop();
    PickleValue* type = pop();
    if (!arguments->is(Kind::tuple)) refuse("it makes an object with " + describe(*arguments));
    if (!type->is(Kind::global)) refuse("it makes an object of " + describe(*type));
    if (type->text == "collections.OrderedDict") return push_dict(*arguments);
    push_items(Kind::object, {type, arguments});
  }

  void step(uint8_t code) {
    switch (code) {
      case 0x80: {  // PROTO
        const auto protocol = take<uint8_t>();
        if (protocol < 2 || protocol > 5) {
          refuse("expected protocol 2 to 5, found " + std::to_string(protocol));
        }
        return;
      }
      case 0x95: {  // FRAME
        take<uint64_t>();
        return;
      }
      case '(':
        spend(1);
        return marks_.push_back(stack_.size());
      case '0':
        pop();
        return;
      case '1':
        pop_mark();
        return;
      case '2':
        return push(top());
      case 'N':
        return push(Kind::none);
      case 0x88:
        return push_integer(1, Kind::boolean);
      case 0x89:
        return push_integer(0, Kind::boolean);
      case 'J':
        return push_integer(take<int32_t>());
      case 'K':
        return push_integer(take<uint8_t>());
      case 'M':
        return push_integer(take<uint16_t>());
      case 0x8a:  // LONG1
        return push_long(take_bytes(take<uint8_t>()));
      case 0x8b:  // LONG4, signed: a negative length is refused as one too large
        return push_long(take_bytes(static_cast<uint64_t>(int64_t{take<int32_t>()})));
      case 'G': {  // BINFLOAT, the one number with its highest byte first
        const uint64_t bits = __builtin_bswap64(take<uint64_t>());
        PickleValue& value = make(Kind::real);
        std::memcpy(&value.real, &bits, sizeof bits);
        return push(value);
      }
      case 'X':
        return push_text(Kind::text, take_bytes(take<uint32_t>()));
      case 0x8c:
        return push_text(Kind::text, take_bytes(take<uint8_t>()));
      case 0x8d:
        return push_text(Kind::text, take_bytes(take<uint64_t>()));
      case 'T':  // BINSTRING, signed as LONG4 is
        return push_text(Kind::bytes, take_bytes(static_cast<uint64_t>(int64_t{take<int32_t>()})));
      case 'U':
      case 'C':
        return push_text(Kind::bytes, take_bytes(take<uint8_t>()));
      case 'B':
        return push_text(Kind::bytes, take_bytes(take<uint32_t>()));
      case 0x8e:
        return push_text(Kind::bytes, take_bytes(take<uint64_t>()));
      case ']':
        return push(Kind::list);
      case ')':
        return push(Kind::tuple);
      case '}':
        return push(Kind::dict);
      case 'l':
        return push_items(Kind::list, pop_mark());
      case 't':
        return push_items(Kind::tuple, pop_mark());
      case 'd': {
        const std::vector<const PickleValue*> items = pop_mark();
        push(Kind::dict);
        return append(Kind::dict, items);
      }
      case 0x85:
        return push_last(1);
      case 0x86:
        return push_last(2);
      case 0x87:
        return push_last(3);
      case 'a': {
        const PickleValue* item = pop();
        return append(Kind::list, {item});
      }
      case 'e':
        return append(Kind::list, pop_mark());
      case 's': {
        const PickleValue* value = pop();
        const PickleValue* key = pop();
        return append(Kind::dict, {key, value});
      }
      case 'u':
        return append(Kind::dict, pop_mark());
      case 'q':
        return put(take<uint8_t>());
      case 'r':
        return put(take<uint32_t>());
      case 0x94:  // MEMOIZE
        return put(static_cast<uint32_t>(memo_.size()));
      case 'h':
        return get(take<uint8_t>());
      case 'j':
        return get(take<uint32_t>());
      case 'c': {
        const Bytes module = take_line();
        return push_global(module, take_line());
      }
      case 0x93: {  // STACK_GLOBAL
        const PickleValue* name = pop();
        const PickleValue* module = pop();
        if (!name->is(Kind::text) || !module->is(Kind::text)) refuse("its global has no name");
        // A name may stand in the memo and be used again: no more memory than the bytes warrant.
        spend(1 + (name->text.size() + module->text.size()) / 64);
        return push_global(module->text, name->text);
      }
      case 'R':
        return call();
      case 0x81:
        return new_object();
      case 'b':
        return build();
      case 'Q': {
        const PickleValue* id = pop();
        return push_items(Kind::persistent, {id});
      }
      default:
        refuse("found operation 0x" + hexadecimal(code) + ", which torch.save does not write");
    }
  }

  Bytes bytes_;
  size_t& position_;
  const std::string& record_;
  const CheckGlobal& check_;
  PickleValues& memory_;
  size_t start_ = 0;  // of the operation
  std::vector<PickleValue*> stack_;
  std::vector<size_t> marks_;  // sizes that the stack had
  std::unordered_map<uint32_t, PickleValue*> memo_;
};

}  // namespace

std::string_view PickleValue::maker() const {
  return is(Kind::call) || is(Kind::object) ? items[0]->text : std::string_view();
}

const PickleValue* PickleValue::find(std::string_view key) const {
  for (size_t i = 0; is(Kind::dict) && i < items.size(); i += 2) {
    if (items[i]->is_text() && items[i]->text == key) return items[i + 1];
  }
  return nullptr;
}

std::string describe(const PickleValue& value) {
  const auto sized = [&](const std::string& name) {
    return value.items.empty() ? "an empty " + name
                               : "a " + name + " of " + std::to_string(value.items.size());
  };
  switch (value.kind) {
    case Kind::none:
      return "None";
    case Kind::boolean:
      return value.integer != 0 ? "True" : "False";
    case Kind::integer:
      return "the number " + std::to_string(value.integer);
    case Kind::long_integer:
      return "a number of more than 64 bits";
    case Kind::real:
      return "the number " + std::to_string(value.real);
    case Kind::text:
    case Kind::bytes:
      return "the text " + in_quotes(value.text);
    case Kind::list:
      return sized("list");
    case Kind::tuple:
      return sized("tuple");
    case Kind::dict:
      return value.items.empty() ? "an empty dict"
                                 : "a dict of " + counted(value.items.size() / 2, "key");
    case Kind::global:
      return "the name " + in_quotes(value.text);
    case Kind::call:
      return "a result of " + in_quotes(value.maker());
    case Kind::object:
      return "an object of " + in_quotes(value.maker());
    case Kind::persistent:
      return "a storage";
  }
  return "";
}

const PickleValue& read_pickle(Bytes bytes, size_t& position, const std::string& record,
                               const CheckGlobal& check, PickleValues& memory) {
  return Reader(bytes, position, record, check, memory).read();
}

}  // namespace convscope
