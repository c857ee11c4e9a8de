#pragma once

#include <map>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "base/time.h"
#include "json/value.h"
#include "store/store.h"

namespace flowmend::api {

/// Who calls, and what they may do.
struct Identity {
  std::string id;
  std::string user_name;
  std::string display_name;
  std::string role = "admin";       ///< admin, maker, viewer
  std::vector<std::string> scopes;  ///< read, run, write, admin
  bool by_cookie = false;
  std::string csrf_token;  ///< of a browser's session

  bool has_scope(std::string_view scope) const;
  Value user() const;
};

/// Accounts, browser sessions and tokens, kept in the store's documents. Passwords are stored as Argon2id hashes,
/// session and token secrets as BLAKE2b hashes: nothing in the store lets anyone in. Any thread.
class Identities {
 public:
  /// `folder` holds `tokens/`, where the command line leaves new tokens for the server to take in.
  Identities(store::Store& store, std::string folder);

  /// The one-time code of the first start; empty once there is an account.
  std::string setup_code() const;
  bool needs_first_admin() const;

  struct Session {
    Identity identity;
    std::string cookie;
  };
  /// `SetupCodeInvalid`, `AlreadySetUp`, `PasswordTooWeak`.
  Result<Session> set_up(const Value& body);
  /// `SignInFailed`, `TooManyRequests` after five wrong tries of a name within a minute.
  Result<Session> sign_in(const Value& body);
  Result<void> sign_out(std::string_view cookie);

  /// `AuthenticationFailed` when `secret` is unknown or over.
  Result<Identity> by_cookie(std::string_view secret);
  Result<Identity> by_token(std::string_view secret);

  Result<Value> users() const;
  Result<Value> tokens() const;
  /// Makes a token; the answer holds its secret, once.
  Result<Value> create_token(const Value& body, const Identity& owner);
  Result<bool> erase_token(std::string_view id);

 private:
  Result<Session> open_session(const std::string& user_id, const Value& user);

  store::Store& store_;
  std::string folder_;
  mutable std::mutex mutex_;
  mutable std::string setup_code_;
  std::map<std::string, std::vector<Timestamp>> failures_;
};

/// For `flowmend token create`: leaves a token in the data folder of a server, running or not, and gives its secret.
Result<std::string> leave_token(const std::string& folder, const std::string& name,
                                const std::vector<std::string>& scopes);

}  // namespace flowmend::api
