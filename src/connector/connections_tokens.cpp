// Tokens that a sign-in brought: when they are due, and how new ones take their place (sign_in.h asks for them).

#include <algorithm>

#include "connector/connection_document.h"
#include "connector/connections.h"
#include "connector/sign_in.h"

namespace flowmend::connector {
namespace {

constexpr Duration renewed_before = Duration::minutes(5);
/// After a renewal that failed in passing, while the old token still holds.
constexpr Duration renewal_pause = Duration::seconds(30);

}  // namespace

bool Connections::token_is_due(const ConnectionKey& key) const {
  const std::lock_guard lock(mutex_);
  const auto found = entries_.find(key);
  if (found == entries_.end() || !found->second.view.signed_in) return false;
  const SignedIn& signed_in = *found->second.view.signed_in;
  const Timestamp now = now_from_system_clock();
  if (signed_in.expires <= now) return true;
  const Duration quarter = Duration::milliseconds(signed_in.lifetime.to_milliseconds() / 4);
  return signed_in.expires < now + std::min(renewed_before, quarter) && found->second.renew_again <= now &&
         signed_in.refusal.empty();
}

bool Connections::token_still_holds(const ConnectionKey& key) const {
  const std::lock_guard lock(mutex_);
  const auto found = entries_.find(key);
  return found != entries_.end() && found->second.view.signed_in &&
         found->second.view.signed_in->expires > now_from_system_clock();
}

bool Connections::token_is_renewable(const ConnectionKey& key) const {
  const std::lock_guard lock(mutex_);
  const auto found = entries_.find(key);
  return found != entries_.end() && found->second.view.signed_in && found->second.view.signed_in->renewable;
}

Result<TokenState> Connections::token_state(const ConnectionKey& key) const {
  Entry entry;
  {
    const std::lock_guard lock(mutex_);
    const auto found = entries_.find(key);
    if (found == entries_.end())
      return make_error("ConnectionNotFound", "There is no connection '" + key.name + "' of '" + key.api + "'.", {},
                        "Make it first.");
    entry = found->second;
  }
  TokenState state;
  state.connector = connector_of(entry.view);
  if (!state.connector)
    return make_error("ApiNotFound", "The connector '" + key.api + "' is not installed.", {}, "Import the connector.");
  const auto secrets = open_secrets(entry);
  if (!secrets) return secrets.error();
  const auto fields = all_fields(entry);
  if (!fields) return fields.error();
  json::ObjectBuilder with_defaults(*fields);
  for (const ConnectionParameter& parameter : state.connector->connection_parameters) {
    if (fields->find(parameter.name) == nullptr && !parameter.default_value.is_null())
      with_defaults.add(parameter.name, parameter.default_value);
  }
  state.fields = with_defaults.finish();
  state.refresh_token = secrets->text_of(refresh_field);
  state.generation = entry.generation;
  state.sign_in = entry.sign_in;
  if (entry.view.signed_in) {
    state.grant = entry.view.signed_in->grant;
    state.refusal = entry.view.signed_in->refusal;
    state.renewing = entry.view.signed_in->renewing;
  }
  return state;
}

void Connections::keep_tokens(const ConnectionKey& key, const std::string& grant, const TokenSet& tokens,
                              std::function<void()> done) {
  const auto view = find(key);
  const auto connector = view ? connector_of(*view) : nullptr;
  const ConnectionParameter* field = connector ? sign_in_field(*connector) : nullptr;
  std::unique_lock lock(mutex_);
  const auto found = entries_.find(key);
  if (found == entries_.end() || field == nullptr) {
    lock.unlock();
    return done();  // deleted meanwhile: there is nothing to keep them for
  }
  PendingTokens pending;
  pending.field = field->name;
  pending.access = tokens.access_token;
  pending.refresh = tokens.refresh_token;
  pending.by_sign_in = true;
  pending.signed_in.grant = grant;
  pending.signed_in.time = now_from_system_clock();
  pending.signed_in.lifetime = tokens.lifetime;
  take_tokens(key, found->second, std::move(pending), std::move(done));
}

void Connections::keep_renewed_tokens(const ConnectionKey& key, std::uint64_t sign_in, const TokenSet& tokens,
                                      std::function<void()> done) {
  const auto view = find(key);
  const auto connector = view ? connector_of(*view) : nullptr;
  const ConnectionParameter* field = connector ? sign_in_field(*connector) : nullptr;
  std::unique_lock lock(mutex_);
  const auto found = entries_.find(key);
  if (found == entries_.end() || field == nullptr || !belongs_to(found->second, sign_in)) {
    lock.unlock();
    return done();  // of credentials that are the connection's no more
  }
  PendingTokens pending;
  pending.field = field->name;
  pending.access = tokens.access_token;
  pending.refresh = tokens.refresh_token;
  pending.signed_in = *found->second.view.signed_in;
  pending.signed_in.lifetime = tokens.lifetime;
  take_tokens(key, found->second, std::move(pending), std::move(done));
}

/// True when what came of a renewal of `sign_in` is still the connection's matter.
bool Connections::belongs_to(const Entry& entry, std::uint64_t sign_in) {
  return entry.sign_in == sign_in && entry.view.signed_in && !(entry.pending && entry.pending->by_sign_in);
}

/// Under the lock. Calls go on with the old token until the new one is durable.
void Connections::take_tokens(const ConnectionKey& key, Entry& entry, PendingTokens tokens,
                              std::function<void()> done) {
  tokens.number = ++last_pending_;
  tokens.signed_in.expires = now_from_system_clock() + tokens.signed_in.lifetime;
  tokens.signed_in.renewing = false;
  tokens.signed_in.refusal.clear();
  const std::uint64_t number = tokens.number;
  entry.pending = std::move(tokens);
  keep(key, entry, [this, key, number, done = std::move(done)] {
    std::optional<ConnectionView> mended;
    {
      const std::lock_guard locked(mutex_);
      const auto found = entries_.find(key);
      // Other credentials, or later tokens, may have taken their place.
      if (found != entries_.end() && found->second.pending && found->second.pending->number == number) {
        Entry& now = found->second;
        const bool was_broken = now.view.status == ConnectionStatus::error ||
                                (now.view.signed_in && !now.view.signed_in->refusal.empty());
        if (now.pending->by_sign_in) now.sign_in++;
        now = with_tokens(now, *now.pending);
        now.pending.reset();
        now.generation++;
        if (was_broken) mended = now.view;
      }
    }
    if (mended) tell(*mended);
    done();
  });
}

Connections::Entry Connections::with_tokens(const Entry& entry, const PendingTokens& tokens) const {
  Entry next = entry;
  const auto before = open_secrets(next);
  json::ObjectBuilder secrets(before ? *before : Value::empty_object());
  secrets.set(tokens.field, Value(tokens.access));
  // Without a new one that of before stays good; but that of an earlier sign-in belongs to another account.
  if (!tokens.refresh.empty() || tokens.by_sign_in) secrets.set(refresh_field, Value(tokens.refresh));
  const Value all = secrets.finish();
  next.sealed = seal(all);
  next.view.signed_in = tokens.signed_in;
  next.view.signed_in->renewable = tokens.signed_in.grant == grant_client || !all.text_of(refresh_field).empty();
  if (tokens.by_sign_in) next.view.modified = tokens.signed_in.time;
  next.view.status = ConnectionStatus::connected;
  next.view.error_code.clear();
  next.view.error_message.clear();
  next.renew_again = {};
  return next;
}

void Connections::mark_renewing(const ConnectionKey& key, std::function<void()> done) {
  std::unique_lock lock(mutex_);
  const auto found = entries_.find(key);
  if (found == entries_.end() || !found->second.view.signed_in || found->second.view.signed_in->grant == grant_client) {
    lock.unlock();
    return done();  // a client's credentials are the same after any answer that was lost
  }
  found->second.view.signed_in->renewing = true;
  keep(key, found->second, std::move(done));
}

void Connections::renewal_failed(const ConnectionKey& key, std::uint64_t sign_in, bool lost) {
  const std::lock_guard lock(mutex_);
  const auto found = entries_.find(key);
  if (found == entries_.end() || !belongs_to(found->second, sign_in)) return;
  found->second.renew_again = now_from_system_clock() + renewal_pause;
  if (lost || !found->second.view.signed_in->renewing) return;
  found->second.view.signed_in->renewing = false;
  keep(key, found->second);
}

void Connections::refuse_tokens(const ConnectionKey& key, std::uint64_t sign_in, const std::string& message) {
  std::optional<ConnectionView> changed;
  {
    const std::lock_guard lock(mutex_);
    const auto found = entries_.find(key);
    if (found == entries_.end() || !belongs_to(found->second, sign_in)) return;
    Entry& entry = found->second;
    const bool is_news = entry.view.signed_in->refusal.empty();
    entry.view.signed_in->refusal = message;
    entry.view.signed_in->renewing = false;
    const bool was_connected = entry.view.status == ConnectionStatus::connected;
    const bool still_holds = entry.view.signed_in->expires > now_from_system_clock();  // calls go well until then
    if (!still_holds) {
      if (was_connected) {
        entry.affected.clear();
        entry.view.affected_runs = 0;
      }
      entry.view.status = ConnectionStatus::error;
      entry.view.error_code = "SignInExpired";
      entry.view.error_message = message;
      FailedCall call;
      call.time = now_from_system_clock();
      call.status_code = 401;
      call.message = message;
      entry.view.last_failure = std::move(call);
    }
    keep(key, entry);
    if (still_holds ? is_news : was_connected) changed = entry.view;
  }
  if (changed) tell(*changed);
}

}  // namespace flowmend::connector
