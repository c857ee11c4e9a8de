#include "api/sharing.h"

#include <algorithm>

#include "connector/text.h"

namespace flowmend::api {

namespace {

using connector::equals_ignoring_case;

struct Role {
  Level level;
  std::string_view name;
};
constexpr Role roles[] = {{Level::use, "CanView"}, {Level::edit, "CanEdit"}, {Level::own, "Owner"}};

/// Clients send an id, or the address of a permission that ends in one.
const Account* find_account(std::string_view named, const std::vector<Account>& accounts) {
  const std::string_view id = named.substr(named.rfind('/') == std::string_view::npos ? 0 : named.rfind('/') + 1);
  for (const Account& one : accounts) {
    if (one.id == id || equals_ignoring_case(one.user_name, named)) return &one;
  }
  return nullptr;
}

Error no_such_person(std::string_view named, std::string where) {
  return make_error("UserNotFound", "There is no account '" + std::string(named) + "'.", std::move(where),
                    "Give the id or the user name of somebody who has an account here.");
}

Error invalid(std::string message, std::string where, std::string cure = {}) {
  return make_error("InvalidRequestContent", std::move(message), std::move(where), std::move(cure));
}

Result<void> put(Shares& shares, const Value& wanted, const std::string& where, const std::vector<Account>& accounts) {
  const Value* properties = wanted.find("properties");
  if (properties == nullptr || !properties->is_object()) return invalid("An entry has no 'properties'.", where);
  const Value* principal = properties->find("principal");
  if (principal == nullptr || principal->text_of("id").empty())
    return invalid("An entry names nobody.", where + "/properties/principal", "Give the principal's 'id'.");
  if (const auto type = principal->text_of("type", "User"); !equals_ignoring_case(type, "User"))
    return invalid("A '" + std::string(type) + "' can't be shared with: this server knows people alone.",
                   where + "/properties/principal/type", "Use User.");
  const auto level = parse_level(properties->text_of("roleName"));
  if (!level)
    return invalid("'" + std::string(properties->text_of("roleName")) + "' is not a role.",
                   where + "/properties/roleName", "Use CanView, CanEdit or Owner.");
  const Account* account = find_account(principal->text_of("id"), accounts);
  if (account == nullptr) return no_such_person(principal->text_of("id"), where + "/properties/principal/id");
  shares[account->id] = *level;
  return {};
}

}  // namespace

std::optional<Level> parse_level(std::string_view name) {
  for (const Role& role : roles) {
    if (equals_ignoring_case(role.name, name)) return role.level;
  }
  return std::nullopt;
}

std::string_view role_name(Level level) {
  for (const Role& role : roles) {
    if (role.level == level) return role.name;
  }
  return "None";
}

std::string share_key(std::string_view flow) { return "flow/" + connector::lower_case(flow); }
std::string share_key(const connector::ConnectionKey& connection) {
  return "connection/" + connection.api + "/" + connection.name;
}

Account account_of(const store::Document& user) {
  const Value& value = user.value;
  return {user.key, std::string(value.text_of("userName")), std::string(value.text_of("displayName")),
          value.text_of("role") == "admin" && value.text_of("state") != "disabled"};
}

Shares read_shares(const Value* document, std::string_view maker, const std::vector<Account>& accounts) {
  Shares shares;
  if (document == nullptr) {
    for (const Account& one : accounts) {
      if (one.user_name == maker) shares[one.id] = Level::own;
    }
    return shares;
  }
  const Value* people = document->find("people");
  if (people == nullptr || !people->is_object()) return shares;
  for (const json::Member& one : people->as_object()) {
    const auto level = one.value.is_string() ? parse_level(one.value.as_string()) : std::nullopt;
    if (level) shares[std::string(one.name())] = *level;
  }
  return shares;
}

Value share_document(const Shares& shares) {
  json::ObjectBuilder people;
  for (const auto& [account, level] : shares) people.add(account, Value(role_name(level)));
  return Value::object({{"people", people.finish()}});
}

Result<Shares> modify(const Shares& now, const Value& body, const std::vector<Account>& accounts) {
  constexpr std::size_t entries_max = 1000;
  const Value* puts = body.find("put");
  const Value* deletes = body.find("delete");
  if (puts == nullptr && deletes == nullptr)
    return invalid("The body has neither 'put' nor 'delete'.", "",
                   "Send {\"put\": [{\"properties\": {\"roleName\", \"principal\": {\"id\", \"type\"}}}]} or "
                   "{\"delete\": [{\"id\"}]}.");
  Shares after = now;
  for (const auto& [list, name] : {std::pair{deletes, "/delete"}, std::pair{puts, "/put"}}) {
    if (list == nullptr) continue;
    if (!list->is_array() || list->size() > entries_max)
      return invalid("'" + std::string(name + 1) + "' must be a list of at most 1,000 entries.", name);
    std::size_t number = 0;
    for (const Value& entry : list->as_array()) {
      const std::string where = std::string(name) + "/" + std::to_string(number++);
      if (list == puts) {
        if (auto done = put(after, entry, where, accounts); !done) return done.error();
        continue;
      }
      const auto id = entry.text_of("id");
      if (id.empty()) return invalid("An entry has no 'id'.", where);
      const Account* account = find_account(id, accounts);
      // An account that is gone may still be named by what was shared with it.
      const std::string key = account != nullptr ? account->id : std::string(id.substr(id.rfind('/') + 1));
      if (after.erase(key) == 0) return no_such_person(id, where);
    }
  }
  const auto owns = [](const auto& one) { return one.second == Level::own; };
  // What a server brings along (the demo) belongs to nobody, and may stay so.
  if (std::ranges::any_of(now, owns) && !std::ranges::any_of(after, owns))
    return make_error("LastOwner", "Nobody would own it any more.", {}, "Make somebody else an owner first.");
  return after;
}

Shares hand_over(Shares shares, const std::string& to, const std::string& leaving) {
  for (auto& [account, level] : shares) {
    if (level == Level::own) level = Level::edit;
  }
  if (leaving != to) shares.erase(leaving);
  shares[to] = Level::own;
  return shares;
}

Value permissions_view(const Shares& shares, const std::vector<Account>& accounts, const std::string& id,
                       std::string_view type) {
  json::ArrayBuilder list;
  // Owners first, then by name: the order that people look for.
  for (const Level level : {Level::own, Level::edit, Level::use}) {
    std::vector<std::pair<std::string, std::string>> named;
    for (const auto& [account, has] : shares) {
      if (has != level) continue;
      const auto known = std::ranges::find(accounts, account, &Account::id);
      named.emplace_back(known == accounts.end() ? "" : known->user_name, account);
    }
    std::ranges::sort(named);
    for (const auto& [user_name, account] : named) {
      const auto known = std::ranges::find(accounts, account, &Account::id);
      json::ObjectBuilder own;
      own.add("userName", Value(user_name));
      own.add("displayName", Value(known == accounts.end() ? account : known->display_name));
      list.push(Value::object(
          {{"name", account},
           {"id", id + "/permissions/" + account},
           {"type", Value(type)},
           {"properties", Value::object({{"roleName", role_name(level)},
                                         {"permissionType", "Principal"},
                                         {"principal", Value::object({{"id", account}, {"type", "User"}})},
                                         {"flowmend", own.finish()}})}}));
    }
  }
  return list.finish();
}

}  // namespace flowmend::api
