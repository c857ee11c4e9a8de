#include "trigger/signature.h"

#include <sodium.h>

#include "trigger/base64.h"
#include "trigger/percent.h"

namespace flowmend::trigger {

std::string signature(std::string_view key, std::string_view workflow_id, std::string_view sp, std::string_view sv,
                      std::string_view se) {
  crypto_auth_hmacsha256_state state;
  crypto_auth_hmacsha256_init(&state, reinterpret_cast<const unsigned char*>(key.data()), key.size());
  const auto add = [&](std::string_view text) {
    crypto_auth_hmacsha256_update(&state, reinterpret_cast<const unsigned char*>(text.data()), text.size());
  };
  add(workflow_id);
  for (const auto part : {sp, sv, se}) {
    add("\n");
    add(part);
  }
  std::string bytes(crypto_auth_hmacsha256_BYTES, '\0');
  crypto_auth_hmacsha256_final(&state, reinterpret_cast<unsigned char*>(bytes.data()));
  return encode_base64_url(bytes);
}

bool same_signature(std::string_view a, std::string_view b) {
  return a.size() == b.size() && !a.empty() && sodium_memcmp(a.data(), b.data(), a.size()) == 0;
}

Result<SignedQuery> read_signed_query(std::string_view query) {
  auto pairs = decode_query(query);
  if (!pairs) return make_error("InvalidQuery", "The query of the address is not valid percent-encoded UTF-8.");
  SignedQuery out;
  for (auto& [name, value] : *pairs) {
    std::string* const known = name == "sp"            ? &out.sp
                               : name == "sv"          ? &out.sv
                               : name == "sig"         ? &out.sig
                               : name == "se"          ? &out.se
                               : name == "api-version" ? &out.api_version
                                                       : nullptr;
    if (known != nullptr) {
      *known = std::move(value);
    } else {
      out.others.emplace_back(std::move(name), std::move(value));
    }
  }
  return out;
}

bool is_signed_by_either(std::string_view sig, std::string_view primary, std::string_view secondary,
                         std::string_view workflow_id, std::string_view sp, std::string_view sv, std::string_view se) {
  const bool by_primary = same_signature(sig, signature(primary, workflow_id, sp, sv, se));
  const bool by_secondary = same_signature(sig, signature(secondary, workflow_id, sp, sv, se));
  return by_primary || by_secondary;
}

}  // namespace flowmend::trigger
