#include "suite/weights/bytes.h"

namespace convscope {

std::string hexadecimal(unsigned char byte) {
  constexpr char digits[] = "0123456789abcdef";
  return {digits[byte / 16], digits[byte % 16]};
}

std::string in_quotes(std::string_view text) {
  constexpr size_t longest = 80;
  std::string result = "'";
  for (const char c : text.substr(0, longest)) {
    const auto byte = static_cast<unsigned char>(c);
    if (byte >= 32 && byte != 127) {
      result += c;
    } else {
      result += "\\x" + hexadecimal(byte);
    }
  }
  return result + (text.size() > longest ? "...'" : "'");
}

std::string counted(uint64_t n, const std::string& noun) {
  return std::to_string(n) + " " + noun + (n == 1 ? "" : "s");
}

void fail_cut_short(uint64_t wanted, uint64_t size, const std::string& why) {
  fail("is cut short: " + why + " at byte " + std::to_string(wanted) + ", the file at byte " +
       std::to_string(size) + "; " + counted(wanted - size, "byte") + " missing");
}

}  // namespace convscope
