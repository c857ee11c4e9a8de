// Accounts of people: invited, changed, switched off, and what they change themselves.

#include <algorithm>

#include "api/identity.h"
#include "api/secrets.h"
#include "connector/text.h"

namespace flowmend::api {

namespace {

constexpr Duration link_length = Duration::days(3);
constexpr std::size_t users_max = 1000;
constexpr std::size_t name_length_max = 100;

Error no_user() { return make_error("UserNotFound", "There is no such account.", {}, "List the people."); }

Error link_is_over() {
  return make_error("InvitationInvalid", "This link is not valid: it was used, replaced or is over.", {},
                    "Ask an administrator for a new one.");
}

bool has_joined(const Value& user) { return !user.text_of("password").empty(); }

std::string state_of(const Value& user) {
  return is_disabled(user) ? "disabled" : has_joined(user) ? "active" : "invited";
}

Value public_user(const std::string& id, const Value& user) {
  json::ObjectBuilder view;
  for (const std::string_view name : {"userName", "displayName", "role"}) view.add(name, Value(user.text_of(name)));
  view.add("id", Value(id));
  view.add("state", Value(state_of(user)));
  if (!user.text_of("linkExpires").empty()) view.add("linkExpiresTime", Value(user.text_of("linkExpires")));
  return view.finish();
}

/// `value` with each of `members` set; a null one is taken out.
Value with(const Value& value, const std::vector<std::pair<std::string, Value>>& members) {
  json::ObjectBuilder out;
  for (const json::Member& member : value.as_object()) {
    const bool changed =
        std::ranges::any_of(members, [&](const auto& one) { return one.first == std::string(member.name()); });
    if (!changed) out.add(member.name(), member.value);
  }
  for (const auto& [name, member] : members) {
    if (!member.is_null()) out.add(name, member);
  }
  return out.finish();
}

Value next_epoch(const Value& user) {
  const Value epoch = epoch_of(user);
  return Value((epoch.is_integer() ? epoch.as_integer() : 0) + 1);
}

Result<std::string> role_in(std::string_view role) {
  if (role == "admin" || role == "maker" || role == "viewer")
    return Result<std::string>(boost::system::in_place_value, role);
  return make_error("InvalidRequestContent", "'" + std::string(role) + "' is not a role.", "/role",
                    "Use admin, maker or viewer.");
}

Result<std::string> display_name_in(std::string_view name) {
  if (!name.empty() && name.size() <= name_length_max) return Result<std::string>(boost::system::in_place_value, name);
  return make_error("InvalidRequestContent", "'displayName' must be a text of 1 to 100 characters.", "/displayName");
}

/// Names are written into records and addresses: no blanks at the ends, nothing that does not print.
Result<std::string> user_name_in(const Value& body) {
  const auto name = body.text_of("userName");
  const bool printable =
      std::ranges::all_of(name, [](char c) { return static_cast<unsigned char>(c) > ' ' && c != 0x7f; });
  if (!name.empty() && name.size() <= name_length_max && printable)
    return Result<std::string>(boost::system::in_place_value, name);
  return make_error("InvalidRequestContent", "'userName' must be a text of 1 to 100 characters without blanks.",
                    "/userName", "An e-mail address is good.");
}

/// Whether somebody else can still administer when the account `id` can't any more.
bool leaves_an_administrator(store::Transaction& transaction, const std::string& id) {
  const auto users = transaction.documents({"user", "", "", users_max});
  return std::ranges::any_of(users, [&](const store::Document& one) {
    return one.key != id && one.value.text_of("role") == "admin" && state_of(one.value) == "active";
  });
}

}  // namespace

Result<Value> Identities::users() const {
  const auto users = store_.documents({"user", "", "", users_max});
  if (!users) return users.error();
  json::ArrayBuilder list;
  for (const auto& document : *users) list.push(public_user(document.key, document.value));
  return list.finish();
}

Result<Value> Identities::update_user(const std::string& id,
                                      const std::function<Result<Value>(store::Transaction&, const Value&)>& change) {
  Value after;
  const auto written = store_.write([&](store::Transaction& transaction) -> Result<void> {
    const auto user = transaction.document("user", id);
    if (!user) return no_user();
    auto changed = change(transaction, user->value);
    if (!changed) return changed.error();
    after = *std::move(changed);
    const auto put = transaction.put_document("user", id, after);
    if (!put) return put.error();
    return {};
  });
  if (!written) return written.error();
  return after;
}

Result<Identities::Link> Identities::invite(const Value& body) {
  const auto name = user_name_in(body);
  if (!name) return name.error();
  const auto role = role_in(body.text_of("role", "maker"));
  if (!role) return role.error();
  const auto display_name = display_name_in(body.text_of("displayName", *name));
  if (!display_name) return display_name.error();
  const std::string id = random_id();
  const std::string key = random_text(32);
  const Timestamp expires = now_from_system_clock() + link_length;
  const Value user = Value::object({{"userName", *name},
                                    {"displayName", *display_name},
                                    {"role", *role},
                                    {"link", hash_of(key)},
                                    {"linkExpires", to_string(expires)}});
  const auto written = store_.write([&](store::Transaction& transaction) -> Result<void> {
    const auto users = transaction.documents({"user", "", "", users_max});
    if (users.size() >= users_max)
      return make_error("TooManyUsers", "There are 1,000 accounts already.", {}, "Take invitations back first.");
    for (const auto& one : users) {
      if (connector::equals_ignoring_case(one.value.text_of("userName"), *name))
        return make_error("UserAlreadyExists", "There is an account '" + *name + "' already.", "/userName",
                          "Choose another name, or make a new link for it.");
    }
    const auto put = transaction.put_document("user", id, user, store::Transaction::absent);
    if (!put) return put.error();
    return {};
  });
  if (!written) return written.error();
  return Link{public_user(id, user), "/join#" + key, expires};
}

Result<Identities::Link> Identities::new_link(const std::string& id) {
  const std::string key = random_text(32);
  const Timestamp expires = now_from_system_clock() + link_length;
  const auto user = update_user(id, [&](store::Transaction&, const Value& now) -> Result<Value> {
    if (is_disabled(now))
      return make_error("AccountDisabled", "This account is switched off.", {}, "Switch it on first.");
    return with(now, {{"link", Value(hash_of(key))}, {"linkExpires", Value(to_string(expires))}});
  });
  if (!user) return user.error();
  return Link{public_user(id, *user), "/join#" + key, expires};
}

Result<Value> Identities::change_user(const std::string& id, const Value& body) {
  std::vector<std::pair<std::string, Value>> changes;
  const auto state = body.text_of("state");
  if (!state.empty() && state != "active" && state != "disabled")
    return make_error("InvalidRequestContent", "'" + std::string(state) + "' is not a state.", "/state",
                      "Use active or disabled.");
  if (const Value* role = body.find("role")) {
    const auto known = role_in(role->is_string() ? role->as_string() : std::string_view());
    if (!known) return known.error();
    changes.emplace_back("role", Value(*known));
  }
  if (const Value* name = body.find("displayName")) {
    const auto known = display_name_in(name->is_string() ? name->as_string() : std::string_view());
    if (!known) return known.error();
    changes.emplace_back("displayName", Value(*known));
  }
  const auto user = update_user(id, [&](store::Transaction& transaction, const Value& now) -> Result<Value> {
    auto all = changes;
    if (state == "disabled") {
      all.insert(all.end(),
                 {{"state", Value("disabled")}, {"epoch", next_epoch(now)}, {"link", {}}, {"linkExpires", {}}});
    } else if (state == "active") {
      all.emplace_back("state", Value());
    }
    const Value after = with(now, all);
    const bool administered = now.text_of("role") == "admin" && state_of(now) == "active";
    const bool administers = after.text_of("role") == "admin" && state_of(after) == "active";
    if (administered && !administers && !leaves_an_administrator(transaction, id))
      return make_error("LastAdministrator", "This is the only administrator who can sign in.", {},
                        "Make somebody else an administrator first.");
    return after;
  });
  if (!user) return user.error();
  return public_user(id, *user);
}

Result<void> Identities::withdraw(const std::string& id) {
  return store_.write([&](store::Transaction& transaction) -> Result<void> {
    const auto user = transaction.document("user", id);
    if (!user) return no_user();
    if (has_joined(user->value))
      return make_error("UserHasJoined", "Records name this person, so the account stays.", {},
                        "Switch it off instead.");
    const auto erased = transaction.erase_document("user", id);
    if (!erased) return erased.error();
    return {};
  });
}

namespace {

/// The account that a link's key is for.
const store::Document* invited(const std::vector<store::Document>& users, const Value& body, Timestamp now) {
  const auto key = body.text_of("key");
  if (key.empty()) return nullptr;
  const std::string hash = hash_of(key);
  for (const store::Document& one : users) {
    if (one.value.text_of("link") != hash || is_disabled(one.value)) continue;
    const auto expires = parse_timestamp(one.value.text_of("linkExpires"));
    return expires && now < *expires ? &one : nullptr;
  }
  return nullptr;
}

}  // namespace

Result<Value> Identities::invitation(const Value& body) const {
  const auto users = store_.documents({"user", "", "", users_max});
  if (!users) return users.error();
  const auto* found = invited(*users, body, now_from_system_clock());
  if (found == nullptr) return link_is_over();
  return Value::object({{"userName", found->value.text_of("userName")},
                        {"displayName", found->value.text_of("displayName")},
                        {"expiresTime", found->value.text_of("linkExpires")},
                        {"joined", has_joined(found->value)}});
}

Result<Identities::Session> Identities::join(const Value& body) {
  // Who has no valid link must not make the server hash passwords.
  if (const auto known = invitation(body); !known) return known.error();
  const auto password = body.text_of("password");
  if (const auto fits = check_password(password); !fits) return fits.error();
  const auto display_name = body.text_of("displayName");
  if (display_name.size() > name_length_max) return display_name_in(display_name).error();
  const auto hash = hash_password(password);
  if (!hash) return hash.error();
  std::string id;
  Value user;
  const auto written = store_.write([&](store::Transaction& transaction) -> Result<void> {
    const auto users = transaction.documents({"user", "", "", users_max});
    const auto* found = invited(users, body, now_from_system_clock());
    if (found == nullptr) return link_is_over();
    id = found->key;
    user = with(found->value, {{"password", Value(*hash)},
                               {"epoch", next_epoch(found->value)},
                               {"link", {}},
                               {"linkExpires", {}},
                               {"displayName", display_name.empty() ? Value(found->value.text_of("displayName"))
                                                                    : Value(display_name)}});
    const auto put = transaction.put_document("user", id, user);
    if (!put) return put.error();
    return {};
  });
  if (!written) return written.error();
  return open_session(id, user);
}

Result<Identities::Session> Identities::change_own(const Identity& caller, const Value& body) {
  if (!caller.by_cookie)
    return make_error("AuthorizationFailed", "A token has no account of its own to change.", {}, "Sign in.");
  std::vector<std::pair<std::string, Value>> changes;
  if (const Value* name = body.find("displayName")) {
    const auto known = display_name_in(name->is_string() ? name->as_string() : std::string_view());
    if (!known) return known.error();
    changes.emplace_back("displayName", Value(*known));
  }
  const auto password = body.text_of("password");
  if (!password.empty()) {
    if (const auto fits = check_password(password); !fits) return fits.error();
    if (const auto may = may_try(caller.user_name); !may) return may.error();
    const auto user = store_.document("user", caller.id);
    if (!user) return user.error();
    if (!*user) return no_user();
    if (!is_password(body.text_of("currentPassword"), (*user)->value.text_of("password"))) {
      tried_wrongly(caller.user_name);
      return make_error("CurrentPasswordWrong", "The current password is not right.", "/currentPassword");
    }
    const auto hash = hash_password(password);
    if (!hash) return hash.error();
    changes.emplace_back("password", Value(*hash));
  }
  const auto user = update_user(caller.id, [&](store::Transaction&, const Value& now) -> Result<Value> {
    auto all = changes;
    if (!password.empty()) {
      all.emplace_back("epoch", next_epoch(now));
      all.emplace_back("link", Value());
      all.emplace_back("linkExpires", Value());
    }
    return with(now, all);
  });
  if (!user) return user.error();
  return open_session(caller.id, *user);
}

}  // namespace flowmend::api
