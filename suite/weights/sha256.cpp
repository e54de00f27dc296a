#include "suite/weights/sha256.h"

#include <openssl/evp.h>

#include <cerrno>
#include <cstdio>
#include <memory>
#include <stdexcept>
#include <system_error>
#include <vector>

#include "suite/weights/bytes.h"

namespace convscope {
namespace {

std::invalid_argument unreadable(const std::filesystem::path& path, int error) {
  return std::invalid_argument("cannot read " + path.string() + ": " +
                               std::generic_category().message(error));
}

/// A hash that is given its bytes in pieces.
class Sha256 {
 public:
  Sha256() : context_(EVP_MD_CTX_new(), EVP_MD_CTX_free) {
    good_ = context_ && EVP_DigestInit_ex(context_.get(), EVP_sha256(), nullptr) == 1;
  }
  void add(const void* bytes, size_t size) {
    good_ = good_ && EVP_DigestUpdate(context_.get(), bytes, size) == 1;
  }
  std::string digits() {
    unsigned char digest[EVP_MAX_MD_SIZE];
    unsigned size = 0;
    if (!good_ || EVP_DigestFinal_ex(context_.get(), digest, &size) != 1) {
      throw std::runtime_error("OpenSSL cannot compute a SHA-256");
    }
    std::string text;
    for (unsigned i = 0; i < size; ++i) text += hexadecimal(digest[i]);
    return text;
  }

 private:
  std::unique_ptr<EVP_MD_CTX, void (*)(EVP_MD_CTX*)> context_;
  bool good_ = false;
};

}  // namespace

std::string sha256_of(const std::filesystem::path& path) {
  const std::unique_ptr<std::FILE, int (*)(std::FILE*)> file(std::fopen(path.c_str(), "rb"),
                                                             std::fclose);
  if (!file) throw unreadable(path, errno);
  Sha256 hash;
  std::vector<unsigned char> piece(size_t{1} << 20);
  size_t bytes = 0;
  while ((bytes = std::fread(piece.data(), 1, piece.size(), file.get())) > 0) {
    hash.add(piece.data(), bytes);
  }
  if (std::ferror(file.get())) throw unreadable(path, errno);
  return hash.digits();
}

std::string sha256_of_text(std::string_view text) {
  Sha256 hash;
  hash.add(text.data(), text.size());
  return hash.digits();
}

}  // namespace convscope
