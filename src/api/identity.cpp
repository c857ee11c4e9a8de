#include "api/identity.h"

#include <sodium.h>
#include <sys/stat.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <sstream>

#include "api/secrets.h"
#include "json/parse.h"
#include "json/write.h"

namespace flowmend::api {

namespace {

/// Owner of tokens that the command line made: no user name has a blank.
constexpr std::string_view command_line = "command line";
constexpr Duration session_length = Duration::days(14);

/// XXXX-XXXX-XXXX out of letters and digits that are not mistaken for each other.
std::string readable_code() {
  constexpr std::string_view letters = "ABCDEFGHJKLMNPQRSTUVWXYZ23456789";
  std::string code;
  for (int i = 0; i < 12; ++i) {
    if (i > 0 && i % 4 == 0) code += '-';
    code += letters[randombytes_uniform(static_cast<std::uint32_t>(letters.size()))];
  }
  return code;
}

}  // namespace

Identity identity_of(const std::string& id, const Value& user) {
  Identity identity;
  identity.id = id;
  identity.account = id;
  identity.user_name = std::string(user.text_of("userName"));
  identity.display_name = std::string(user.text_of("displayName"));
  identity.role = std::string(user.text_of("role", "viewer"));
  identity.scopes = {"read"};
  if (identity.role != "viewer") identity.scopes.insert(identity.scopes.end(), {"run", "write"});
  if (identity.role == "admin") identity.scopes.emplace_back("admin");
  identity.sees_all = identity.role == "admin";
  return identity;
}

bool is_disabled(const Value& user) { return user.text_of("state") == "disabled"; }

Value epoch_of(const Value& user) {
  const Value* epoch = user.find("epoch");
  return epoch == nullptr ? Value(0) : *epoch;
}

bool Identity::has_scope(std::string_view scope) const {
  return std::ranges::any_of(scopes, [&](const std::string& own) { return own == scope || own == "admin"; });
}

Value Identity::user() const {
  return Value::object({{"id", id}, {"userName", user_name}, {"displayName", display_name}, {"role", role}});
}

Identities::Identities(store::Store& store, std::string folder) : store_(store), folder_(std::move(folder)) {
  if (sodium_init() < 0) throw std::runtime_error("libsodium could not be initialised");
  if (needs_first_admin()) setup_code_ = readable_code();
}

std::string Identities::setup_code() const {
  std::lock_guard lock(mutex_);
  return setup_code_;
}

bool Identities::needs_first_admin() const {
  const auto users = store_.documents({"user", "", "", 1});
  return users && users->empty();
}

Result<Identities::Session> Identities::open_session(const std::string& user_id, const Value& user) {
  Session session;
  session.identity = identity_of(user_id, user);
  session.identity.by_cookie = true;
  session.identity.csrf_token = random_text(24);
  session.cookie = random_text(32);
  const Value document = Value::object({{"user", user_id},
                                        {"csrf", session.identity.csrf_token},
                                        {"epoch", epoch_of(user)},
                                        {"expires", to_string(now_from_system_clock() + session_length)}});
  auto stored = store_.put_document("session", hash_of(session.cookie), document);
  if (!stored) return stored.error();
  return session;
}

Result<Identities::Session> Identities::set_up(const Value& body) {
  std::string expected = setup_code();
  if (!needs_first_admin())
    return make_error("AlreadySetUp", "This server has its first account already.", {}, "Sign in instead.");
  const std::string given(body.text_of("code"));
  if (expected.empty() || given.size() != expected.size() ||
      sodium_memcmp(given.data(), expected.data(), expected.size()) != 0) {
    return make_error("SetupCodeInvalid", "The set-up code is not the one that the server printed on its console.", {},
                      "Copy it from there; a restart prints a new one.");
  }
  const auto name = body.text_of("userName");
  const auto password = body.text_of("password");
  if (name.empty() || name.size() > 100)
    return make_error("InvalidRequestContent", "'userName' must be a text of 1 to 100 characters.");
  if (const auto fits = check_password(password); !fits) return fits.error();
  const auto hash = hash_password(password);
  if (!hash) return hash.error();
  const std::string id = random_id();
  const Value user = Value::object(
      {{"userName", name}, {"displayName", body.text_of("displayName", name)}, {"role", "admin"}, {"password", *hash}});
  const auto stored = store_.put_document("user", id, user, store::Transaction::absent);
  if (!stored) return stored.error();
  {
    std::lock_guard lock(mutex_);
    setup_code_.clear();
  }
  return open_session(id, user);
}

Result<void> Identities::may_try(const std::string& name) {
  const auto now = now_from_system_clock();
  std::lock_guard lock(mutex_);
  auto& failures = failures_[name];
  std::erase_if(failures, [&](Timestamp t) { return t + Duration::minutes(1) < now; });
  if (failures.size() >= 5)
    return make_error("TooManyRequests", "There were too many wrong passwords for this name.", {},
                      "Wait a minute and try again.");
  if (failures_.size() > 10'000) failures_.clear();
  return {};
}

void Identities::tried_wrongly(const std::string& name) {
  std::lock_guard lock(mutex_);
  failures_[name].push_back(now_from_system_clock());
}

Result<Identities::Session> Identities::sign_in(const Value& body) {
  const std::string name(body.text_of("userName"));
  if (const auto may = may_try(name); !may) return may.error();
  const auto users = store_.documents({"user", "", "", 1000});
  if (!users) return users.error();
  const auto password = body.text_of("password");
  for (const auto& document : *users) {
    if (document.value.text_of("userName") != name) continue;
    if (!is_password(password, document.value.text_of("password"))) break;
    if (is_disabled(document.value))
      return make_error("AccountDisabled", "This account is switched off.", {},
                        "Ask an administrator to switch it on.");
    return open_session(document.key, document.value);
  }
  tried_wrongly(name);
  return make_error("SignInFailed", "The user name or the password is wrong.");
}

Result<void> Identities::sign_out(std::string_view cookie) {
  const auto erased = store_.erase_document("session", hash_of(cookie));
  if (!erased) return erased.error();
  return {};
}

Result<Identity> Identities::by_cookie(std::string_view secret) {
  const auto refused =
      make_error("AuthenticationFailed", "You are not signed in, or your session is over.", {}, "Sign in.");
  const auto session = store_.document("session", hash_of(secret));
  if (!session) return session.error();
  if (!*session) return refused;
  const auto expires = parse_timestamp((*session)->value.text_of("expires"));
  if (!expires || *expires < now_from_system_clock()) return refused;
  const std::string id((*session)->value.text_of("user"));
  const auto user = store_.document("user", id);
  if (!user) return user.error();
  // A new password, or an account that is switched off, ends the sessions of before.
  const Value* epoch = (*session)->value.find("epoch");
  if (!*user || is_disabled((*user)->value) || (epoch == nullptr ? Value(0) : *epoch) != epoch_of((*user)->value))
    return refused;
  Identity identity = identity_of(id, (*user)->value);
  identity.by_cookie = true;
  identity.csrf_token = std::string((*session)->value.text_of("csrf"));
  return identity;
}

namespace {

/// The account that a token belongs to; empty for one that was made on the server's machine. Older ones that a person's
/// token made say just the name.
std::string owner_of(const store::Store& store, const Value& token) {
  if (const auto id = token.text_of("ownerId"); !id.empty()) return std::string(id);
  const auto name = token.text_of("owner");
  if (name.empty() || name == command_line) return {};
  const auto users = store.documents({"user", "", "", 1000});
  if (users) {
    for (const auto& user : *users) {
      if (user.value.text_of("userName") == name) return user.key;
    }
  }
  return "unknown";  // no account: refused
}

}  // namespace

Result<Identity> Identities::by_token(std::string_view secret) {
  const auto refused = make_error("InvalidAuthenticationToken", "The access token is unknown, expired or revoked.", {},
                                  "Make a new one under Settings > Tokens, or with 'flowmend token create'.");
  const std::string hash = hash_of(secret);
  auto token = store_.document("token", hash);
  if (!token) return token.error();
  if (!*token) {
    // The command line may have left it since the last look.
    const std::string path = folder_ + "/tokens/" + hash + ".json";
    std::ifstream file(path);
    if (!file) return refused;
    std::stringstream text;
    text << file.rdbuf();
    const auto value = json::parse(text.str());
    if (!value || !value->is_object()) return refused;
    const auto stored = store_.put_document("token", hash, *value);
    if (!stored) return stored.error();
    std::error_code ignored;
    std::filesystem::remove(path, ignored);
    token = store_.document("token", hash);
    if (!token || !*token) return refused;
  }
  const Value& value = (*token)->value;
  const auto expires = parse_timestamp(value.text_of("expiresTime"));
  if (expires && *expires < now_from_system_clock()) return refused;
  Identity identity;
  identity.id = std::string(value.text_of("id"));
  identity.user_name = std::string(value.text_of("owner", "token"));
  identity.display_name = std::string(value.text_of("name"));
  identity.role = "maker";
  const Value* scopes = value.find("scopes");
  if (scopes != nullptr && scopes->is_array()) {
    for (const Value& scope : scopes->as_array()) {
      if (scope.is_string()) identity.scopes.emplace_back(scope.as_string());
    }
  }
  if (const std::string owner = owner_of(store_, value); !owner.empty()) {
    // A token may do no more than its owner may now.
    const auto user = store_.document("user", owner);
    if (!user) return user.error();
    if (!*user || is_disabled((*user)->value)) return refused;
    const Identity now = identity_of(owner, (*user)->value);
    std::erase_if(identity.scopes, [&](const std::string& scope) { return !now.has_scope(scope); });
    identity.account = owner;
    identity.sees_all = now.sees_all;
  } else {
    identity.sees_all = true;  // made on the server's machine, by who can read its data folder
  }
  if (identity.has_scope("admin")) identity.role = "admin";
  return identity;
}

namespace {

bool is_token_of(const Value& token, const Identity& caller) {
  return caller.has_scope("admin") || token.text_of("owner") == caller.user_name;
}

}  // namespace

Result<Value> Identities::tokens(const Identity& caller) const {
  const auto tokens = store_.documents({"token", "", "", 1000});
  if (!tokens) return tokens.error();
  json::ArrayBuilder list;
  for (const auto& document : *tokens) {
    if (is_token_of(document.value, caller)) list.push(document.value);
  }
  return list.finish();
}

namespace {

Result<Value> token_document(const std::string& name, const std::vector<std::string>& scopes, const std::string& owner,
                             Timestamp expires) {
  if (name.empty() || name.size() > 100)
    return make_error("InvalidRequestContent", "A token needs a name of 1 to 100 characters.");
  json::ArrayBuilder list;
  for (const auto& scope : scopes) {
    if (scope != "read" && scope != "run" && scope != "write" && scope != "admin") {
      return make_error("InvalidRequestContent", "'" + scope + "' is not a scope.", {},
                        "Use read, run, write or admin.");
    }
    list.push(Value(scope));
  }
  if (list.size() == 0)
    return make_error("InvalidRequestContent", "A token needs at least one scope.", {},
                      "Use read, run, write or admin.");
  json::ObjectBuilder document;
  document.add("id", Value(random_id()));
  document.add("name", Value(name));
  document.add("scopes", list.finish());
  document.add("owner", Value(owner));
  document.add("createdTime", Value(to_string(now_from_system_clock())));
  if (expires.is_set()) document.add("expiresTime", Value(to_string(expires)));
  return document.finish();
}

}  // namespace

Result<Value> Identities::create_token(const Value& body, const Identity& owner) {
  std::vector<std::string> scopes;
  const Value* given = body.find("scopes");
  if (given != nullptr && given->is_array()) {
    for (const Value& scope : given->as_array()) scopes.emplace_back(scope.is_string() ? scope.as_string() : "?");
  }
  for (const auto& scope : scopes) {
    if (!owner.has_scope(scope))
      return make_error("AuthorizationFailed", "You can't give the scope '" + scope + "', because you don't have it.");
  }
  Timestamp expires;
  const Value* days = body.find("expiresInDays");
  if (days != nullptr && days->is_integer() && days->as_integer() > 0 && days->as_integer() <= 3650) {
    expires = now_from_system_clock() + Duration::days(days->as_integer());
  }
  auto document = token_document(std::string(body.text_of("name")), scopes, owner.user_name, expires);
  if (!document) return document.error();
  // Also what a person's token makes is that person's, and ends with the account.
  if (!owner.account.empty()) {
    json::ObjectBuilder owned(*document);
    owned.add("ownerId", Value(owner.account));
    document = owned.finish();
  }
  const std::string secret = "fm_" + random_text(32);
  const auto stored = store_.put_document("token", hash_of(secret), *document, store::Transaction::absent);
  if (!stored) return stored.error();
  json::ObjectBuilder answer(*document);
  answer.add("token", Value(secret));
  return answer.finish();
}

Result<bool> Identities::erase_token(std::string_view id, const Identity& caller) {
  const auto tokens = store_.documents({"token", "", "", 1000});
  if (!tokens) return tokens.error();
  for (const auto& document : *tokens) {
    if (document.value.text_of("id") == id && is_token_of(document.value, caller))
      return store_.erase_document("token", document.key);
  }
  return false;
}

Result<std::string> leave_token(const std::string& folder, const std::string& name,
                                const std::vector<std::string>& scopes) {
  if (sodium_init() < 0) return make_error("InternalServerError", "libsodium could not be initialised.");
  const auto document = token_document(name, scopes, std::string(command_line), {});
  if (!document) return document.error();
  const std::string secret = "fm_" + random_text(32);
  const std::string inbox = folder + "/tokens";
  std::error_code failure;
  if (!std::filesystem::is_directory(folder, failure)) {
    return make_error("DataFolderNotFound", "There is no data folder at " + folder + ".", {},
                      "Give the server's folder with --data; it exists once the server has run.");
  }
  std::filesystem::create_directory(inbox, failure);
  const std::string path = inbox + "/" + hash_of(secret) + ".json";
  const auto mask = ::umask(0077);
  std::ofstream file(path);
  file << json::write(*document) << "\n";
  file.close();
  ::umask(mask);
  if (!file)
    return make_error("DataFolderUnwritable", "The token could not be written to " + inbox + ".", {},
                      "Run the command as the server's user.");
  return Result<std::string>(boost::system::in_place_value, secret);
}

}  // namespace flowmend::api
