#pragma once

#include <string>
#include <string_view>

#include "base/error.h"

namespace flowmend::api {

// Passwords and the secrets of sessions, tokens and links. libsodium must be initialised. Any thread.

/// URL-safe text of so many random bytes.
std::string random_text(std::size_t bytes);
/// 32 hexadecimal digits.
std::string random_id();
/// BLAKE2b in hexadecimal digits: how secrets with enough randomness of their own are kept.
std::string hash_of(std::string_view secret);

/// 10 to 1,000 bytes. `PasswordTooWeak`.
Result<void> check_password(std::string_view password);
/// Argon2id; some tens of milliseconds and 64 MiB.
Result<std::string> hash_password(std::string_view password);
/// False for an empty hash: who has no password can't sign in with one.
bool is_password(std::string_view password, std::string_view hash);

}  // namespace flowmend::api
