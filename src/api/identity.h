#pragma once

#include <functional>
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
  std::string account;     ///< of the person, also of whom a token belongs to; empty: the server's machine itself
  bool sees_all = false;   ///< an administrator's, or of the server's machine: nothing has to be shared with it
  std::string csrf_token;  ///< of a browser's session

  bool has_scope(std::string_view scope) const;
  Value user() const;
};

/// What the account document `user` with the key `id` may do.
Identity identity_of(const std::string& id, const Value& user);
/// Switched off by an administrator.
bool is_disabled(const Value& user);
/// Sessions carry the account's epoch; those of another one are over.
Value epoch_of(const Value& user);

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
  /// `SignInFailed`, `AccountDisabled`, `TooManyRequests` after five wrong tries of a name within a minute.
  Result<Session> sign_in(const Value& body);
  Result<void> sign_out(std::string_view cookie);

  /// `AuthenticationFailed` when `secret` is unknown or over. A token never may more than its owner may now.
  Result<Identity> by_cookie(std::string_view secret);
  Result<Identity> by_token(std::string_view secret);

  // People. Changes need an administrator but for one's own (identity_people.cpp).

  /// Everybody, with state `active`, `invited` or `disabled`; no secrets.
  Result<Value> users() const;
  /// A link that lets its one reader choose a password; shown once, over after three days or when a newer one is made.
  struct Link {
    Value user;
    std::string path;  ///< of the portal: `/join#KEY`; what follows the `#` is never sent to a server by a browser
    Timestamp expires;
  };
  /// `{userName, displayName?, role?}`. `UserAlreadyExists` (names know no case), `InvalidRequestContent`,
  /// `TooManyUsers`.
  Result<Link> invite(const Value& body);
  /// A new link: for somebody who has not joined yet, or who forgot the password (which works until it is replaced).
  /// `UserNotFound`, `AccountDisabled`.
  Result<Link> new_link(const std::string& id);
  /// `{role?, displayName?, state?: active | disabled}`. Sessions and tokens of who is switched off are refused from
  /// then on. `UserNotFound`, `LastAdministrator`, `InvalidRequestContent`.
  Result<Value> change_user(const std::string& id, const Value& body);
  /// Takes an invitation back. `UserHasJoined`: records name people, so who was here is switched off, not erased.
  Result<void> withdraw(const std::string& id);

  /// Whom the key of a link is for: `{userName, displayName, expiresTime, joined}`. `InvitationInvalid`.
  Result<Value> invitation(const Value& body) const;
  /// `{key, password, displayName?}`: sets the password, ends the account's sessions and opens one.
  /// `InvitationInvalid`, `PasswordTooWeak`.
  Result<Session> join(const Value& body);
  /// `{displayName?, password?, currentPassword?}` of the caller's own; a new password ends the other sessions.
  /// `AuthorizationFailed` (a token has no account of its own), `SignInFailed`, `TooManyRequests`, `PasswordTooWeak`.
  Result<Session> change_own(const Identity& caller, const Value& body);

  /// The caller's own; an administrator's are all.
  Result<Value> tokens(const Identity& caller) const;
  /// Makes a token; the answer holds its secret, once.
  Result<Value> create_token(const Value& body, const Identity& owner);
  /// False when the caller has no such token.
  Result<bool> erase_token(std::string_view id, const Identity& caller);

 private:
  Result<Session> open_session(const std::string& user_id, const Value& user);
  /// `TooManyRequests` when this name was tried wrongly too often.
  Result<void> may_try(const std::string& name);
  void tried_wrongly(const std::string& name);
  /// Changes one account in one transaction: `change` gives the new document, or why not.
  Result<Value> update_user(const std::string& id,
                            const std::function<Result<Value>(store::Transaction&, const Value&)>& change);

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
