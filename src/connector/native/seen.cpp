#include "connector/native/seen.h"

#include <openssl/sha.h>

#include "connector/text.h"

namespace flowmend::connector {
namespace {

constexpr std::string_view version = "1:";
constexpr std::size_t letters = 8;  ///< base64 of six bytes

}  // namespace

Seen::Seen(std::string_view state) {
  if (!state.starts_with(version)) return;
  state.remove_prefix(version.size());
  for (; state.size() >= letters && hashes_.size() < items_max; state.remove_prefix(letters))
    hashes_.emplace(state.substr(0, letters));
}

bool Seen::add(std::string_view item) {
  if (hashes_.size() >= items_max) return has(item);
  hashes_.insert(hash(item));
  return true;
}

std::string Seen::text() const {
  std::string out(version);
  for (const std::string& one : hashes_) out += one;
  return out;
}

std::string Seen::hash(std::string_view item) {
  unsigned char digest[SHA256_DIGEST_LENGTH];
  SHA256(reinterpret_cast<const unsigned char*>(item.data()), item.size(), digest);
  return base64_encode(std::string_view(reinterpret_cast<const char*>(digest), 6));
}

}  // namespace flowmend::connector
