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

}  // namespace

std::string sha256_of(const std::filesystem::path& path) {
  const std::unique_ptr<std::FILE, int (*)(std::FILE*)> file(std::fopen(path.c_str(), "rb"),
                                                             std::fclose);
  if (!file) throw unreadable(path, errno);
  const std::unique_ptr<EVP_MD_CTX, void (*)(EVP_MD_CTX*)> context(EVP_MD_CTX_new(),
                                                                   EVP_MD_CTX_free);
  bool good = context && EVP_DigestInit_ex(context.get(), EVP_sha256(), nullptr) == 1;
  std::vector<unsigned char> piece(size_t{1} << 20);
  size_t bytes = 0;
  while (good && (bytes = std::fread(piece.data(), 1, piece.size(), file.get())) > 0) {
    good = EVP_DigestUpdate(context.get(), piece.data(), bytes) == 1;
  }
  if (std::ferror(file.get())) throw unreadable(path, errno);
  unsigned char digest[EVP_MAX_MD_SIZE];
  unsigned size = 0;
  if (!good || EVP_DigestFinal_ex(context.get(), digest, &size) != 1) {
    throw std::runtime_error("OpenSSL cannot compute a SHA-256");
  }
  std::string text;
  for (unsigned i = 0; i < size; ++i) text += hexadecimal(digest[i]);
  return text;
}

}  // namespace convscope
