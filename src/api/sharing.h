#pragma once

#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "connector/connections.h"
#include "json/value.h"
#include "store/store.h"

namespace flowmend::api {

using json::Value;

/// What a person may do with one flow or connection; each holds what stands before it.
enum class Level {
  none,
  use,   ///< flow: see it and its runs, start it. Connection: see it, choose it for a flow
  edit,  ///< flow: change it, repair its runs. Connection: new credentials, its settings
  own    ///< share it, give it away, delete it
};

/// `CanView`, `CanEdit`, `Owner`, as Microsoft's clients send them (rest-api.md 3.6), without regard to case.
std::optional<Level> parse_level(std::string_view role_name);
std::string_view role_name(Level level);

// Who may do what with one thing is a document of kind `share`. Without one, whoever made the thing owns it: so a
// server on which nobody shares keeps nothing, and things of before sharing was built belong to their makers.

inline constexpr std::string_view share_kind = "share";
std::string share_key(std::string_view flow);
std::string share_key(const connector::ConnectionKey& connection);

struct Account {
  std::string id;
  std::string user_name;
  std::string display_name;
  bool is_administrator = false;  ///< and not switched off
};
Account account_of(const store::Document& user);

/// Levels by account id. `maker` is the user name of who made the thing.
using Shares = std::map<std::string, Level>;
Shares read_shares(const Value* document, std::string_view maker, const std::vector<Account>& accounts);
Value share_document(const Shares& shares);

/// Carries out a body `{put: [{properties: {roleName, principal: {id, type}}}], delete: [{id}]}`. A principal is an
/// account's id or its user name. `InvalidRequestContent`, `UserNotFound`, `LastOwner` (nobody would own it).
Result<Shares> modify(const Shares& now, const Value& body, const std::vector<Account>& accounts);

/// `to` owns it alone; who owned it before may still edit, or nothing at all when `leaving` is who it was.
Shares hand_over(Shares shares, const std::string& to, const std::string& leaving);

/// The Permission list of a thing whose own address is `id`.
Value permissions_view(const Shares& shares, const std::vector<Account>& accounts, const std::string& id,
                       std::string_view type);

}  // namespace flowmend::api
