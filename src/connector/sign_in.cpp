#include "connector/sign_in.h"

#include <algorithm>

#include <sodium.h>

#include "connector/mask.h"
#include "connector/text.h"
#include "json/parse.h"

namespace flowmend::connector {
namespace {

constexpr std::string_view document_kind = "sign-in";
constexpr Duration begun_for = Duration::minutes(15);
constexpr std::size_t begun_max = 1000;

Error not_installed(std::string_view api) {
  return make_error("ApiNotFound", "The connector '" + std::string(api) + "' is not installed.", {},
                    "Import the connector first.");
}

Error unknown_sign_in() {
  return make_error("SignInUnknown", "This sign-in is not known here, is over, or was begun in another browser.", {},
                    "Go back to the connection and choose 'Sign in' again.");
}

Error refused_sign_in(const TokenRefusal& refusal) {
  return make_error("SignInRefused", refusal.message, {},
                    "Correct what it complains about: the account, or on the connector's page the client id, secret, "
                    "scopes and the redirect address registered with the service.");
}

/// No answer came, though the request may have been carried out.
bool answer_was_lost(const http::Reply& reply) {
  return reply.error_code == "RequestTimeout" || reply.error_code == "ConnectionClosed" ||
         reply.error_code == "ResponseTooLarge" || reply.error_code == "Cancelled";
}

bool same_secret(std::string_view a, std::string_view b) {
  return a.size() == b.size() && !a.empty() && sodium_memcmp(a.data(), b.data(), a.size()) == 0;
}

}  // namespace

SignIns::SignIns(store::Store& store, const engine::Sealer& sealer, const Registry& registry, http::Client& client,
                 Connections& connections)
    : store_(store), sealer_(sealer), registry_(registry), client_(client), connections_(connections) {}

Result<Value> SignIns::entered_for(std::string_view api) const {
  const std::string name = api_name(api);
  {
    const std::lock_guard lock(mutex_);
    if (const auto found = entered_.find(name); found != entered_.end()) return found->second;
  }
  const auto document = store_.document(document_kind, name);
  if (!document) return document.error();
  if (!*document) return Value();
  json::ObjectBuilder out((*document)->value);
  if (const auto sealed = base64_decode((*document)->value.text_of("sealed")); sealed && !sealed->empty()) {
    const auto secret = sealer_.open(*sealed);
    if (!secret) return secret.error();
    out.set("clientSecret", Value(*secret));
  }
  return out.finish();
}

Result<OAuthSettings> SignIns::settings_for(const Connector& connector) const {
  const auto entered = entered_for(connector.name);
  if (!entered) return entered.error();
  auto settings = oauth_settings(connector, *entered);
  if (!settings) {
    return make_error("SignInNotSupported", "Connections of '" + connector.title + "' have nothing to sign in to.", {},
                      "Verify its credentials instead.");
  }
  return *settings;
}

Result<Value> SignIns::registration(std::string_view api) const {
  const auto connector = registry_.find(api);
  if (!connector) return not_installed(api);
  const auto entered = entered_for(api);
  if (!entered) return entered.error();
  auto settings = oauth_settings(*connector, *entered);
  // One application for all kinds of sign-in that a connector offers.
  for (const ParameterSet& set : connector->parameter_sets)
    if (!settings) settings = oauth_settings(*set.connector, *entered);
  if (!settings) return Value();
  json::ObjectBuilder missing;
  for (const std::string_view grant : {grant_code, grant_client, grant_device})
    missing.add(grant, Value(settings->missing(grant)));
  return Value::object({{"provider", Value(settings->provider)},
                        {"clientId", Value(settings->client_id)},
                        {"hasSecret", Value(!settings->client_secret.empty())},
                        {"scopes", Value(settings->scopes)},
                        {"authorizationUrl", Value(settings->authorization_url)},
                        {"tokenUrl", Value(settings->token_url)},
                        {"refreshUrl", Value(settings->refresh_url)},
                        {"deviceUrl", Value(settings->device_url)},
                        {"proofKey", Value(settings->proof_key)},
                        {"basicClient", Value(settings->basic_client)},
                        {"missing", missing.finish()}});
}

Result<void> SignIns::enter(std::string_view api, const Value& entered) {
  const auto connector = registry_.find(api);
  if (!connector) return not_installed(api);
  if (!entered.is_object()) return make_error("InvalidRequestContent", "The body is not an object.");
  const auto before = entered_for(api);
  json::ObjectBuilder clear;
  std::string secret(before && before->is_object() ? before->text_of("clientSecret") : std::string_view());
  for (const json::Member& member : entered.as_object()) {
    const std::string_view name = member.name();
    const bool flag = name == "proofKey" || name == "basicClient";
    const bool address =
        name == "authorizationUrl" || name == "tokenUrl" || name == "refreshUrl" || name == "deviceUrl";
    const bool known = flag || address || name == "clientId" || name == "clientSecret" || name == "scopes";
    const std::string where = "/" + std::string(name);
    if (!known || (flag ? !member.value.is_boolean() : !member.value.is_string())) {
      return make_error("InvalidRequestContent",
                        "'" + std::string(name) +
                            "' is not one of the sign-in's fields, or not "
                            "of its type.",
                        where,
                        "Send clientId, clientSecret, scopes, authorizationUrl, tokenUrl, refreshUrl and deviceUrl as "
                        "texts, proofKey and basicClient as true or false.");
    }
    if (flag) {
      clear.set(name, member.value);
      continue;
    }
    const std::string text(trim(member.value.as_string()));
    if (text.size() > 4000 || text.find_first_of(std::string_view("\r\n\0", 3)) != std::string::npos ||
        (address && !text.empty() && !text.starts_with("https://") && !text.starts_with("http://"))) {
      return make_error("InvalidRequestContent",
                        "'" + std::string(name) +
                            "' is too long, holds a line break, or is no "
                            "http or https address.",
                        where, "Paste it again.");
    }
    if (name == "clientSecret") {
      secret = text;
    } else if (!text.empty()) {
      clear.set(name, Value(text));
    }
  }
  if (!secret.empty()) clear.set("sealed", Value(base64_encode(sealer_.seal(secret))));
  const auto stored = store_.put_document(document_kind, connector->name, clear.finish());
  if (!stored) return stored.error();
  const std::lock_guard lock(mutex_);
  entered_.erase(connector->name);
  return {};
}

void SignIns::send(const OAuthSettings& settings, TokenPurpose purpose, const OAuthExchange& exchange,
                   const Value& fields, Sent sent) {
  auto request = token_request(settings, purpose, exchange, fields);
  if (!request) {
    TokenAnswer answer;
    answer.refusal = {request.error().code, request.error().message, false};
    sent(std::move(answer), {});
    return;
  }
  std::vector<std::string> secrets{settings.client_secret, exchange.code, exchange.refresh_token, exchange.device_code,
                                   exchange.verifier};
  std::erase_if(secrets, [](const std::string& one) { return one.empty(); });
  // A server that wants the client's secret in a header says `invalid_client`; asked that way it answers.
  std::optional<http::Request> other_way;
  if (!settings.basic_client && !settings.client_secret.empty()) {
    OAuthSettings basic = settings;
    basic.basic_client = true;
    if (auto built = token_request(basic, purpose, exchange, fields)) other_way = std::move(*built);
  }
  client_.send(std::move(*request),
               [this, secrets, other_way = std::move(other_way), sent = std::move(sent)](http::Reply reply) mutable {
                 TokenAnswer answer = read_token_answer(reply, secrets);
                 if (other_way && !answer.tokens && reply.status == 401 && answer.refusal.code == "invalid_client") {
                   client_.send(std::move(*other_way), [secrets, sent = std::move(sent)](http::Reply second) {
                     TokenAnswer told = read_token_answer(second, secrets);
                     sent(std::move(told), std::move(second));
                   });
                   return;
                 }
                 sent(std::move(answer), std::move(reply));
               });
}

Result<void> SignIns::remember(Begun begun) {
  const Timestamp now = now_from_system_clock();
  const std::lock_guard lock(mutex_);
  std::erase_if(begun_, [&](const auto& one) { return one.second.until < now; });
  if (begun_.size() >= begun_max) {
    return make_error("TooManyRequests", "Too many sign-ins are under way.", {}, "Wait some minutes and try again.");
  }
  std::string state = begun.exchange.state;
  begun_.emplace(std::move(state), std::move(begun));
  return {};
}

void SignIns::begin(const ConnectionKey& key, std::string_view grant, const std::string& redirect_url,
                    std::function<void(Result<BegunSignIn>)> done) {
  const auto state = connections_.token_state(key);
  if (!state) return done(state.error());
  const auto settings = settings_for(*state->connector);
  if (!settings) return done(settings.error());
  if (grant == grant_device) return begin_device(key, *settings, state->fields, std::move(done));
  if (grant == grant_client) {
    send(*settings, TokenPurpose::client, {}, state->fields,
         [this, key, done = std::move(done)](const TokenAnswer& answer, const http::Reply&) {
           if (!answer.tokens) return done(refused_sign_in(answer.refusal));
           connections_.keep_tokens(key, std::string(grant_client), *answer.tokens, [done] {
             BegunSignIn begun;
             begun.connected = true;
             done(begun);
           });
         });
    return;
  }
  if (grant != grant_code) {
    return done(make_error("InvalidRequestContent", "'" + std::string(grant) + "' is no kind of sign-in.", "/grant",
                           "Use authorizationCode, clientCredentials or deviceCode."));
  }
  Begun begun;
  begun.key = key;
  begun.grant = grant;
  begun.browser = random_token();
  begun.exchange.redirect_url = redirect_url;
  begun.exchange.state = random_token();
  begun.exchange.verifier = random_token();
  begun.until = now_from_system_clock() + begun_for;
  const auto address = authorization_address(*settings, begun.exchange, state->fields);
  if (!address) return done(address.error());
  BegunSignIn out;
  out.state = begun.exchange.state;
  out.browser = begun.browser;
  out.address = *address;
  if (const auto kept = remember(std::move(begun)); !kept) return done(kept.error());
  done(std::move(out));
}

void SignIns::begin_device(const ConnectionKey& key, const OAuthSettings& settings, const Value& fields,
                           std::function<void(Result<BegunSignIn>)> done) {
  send(settings, TokenPurpose::device_start, {}, fields,
       [this, key, done = std::move(done)](const TokenAnswer& answer, const http::Reply& reply) {
         const auto body = json::parse(reply.body);
         const std::string device_code(body && body->is_object() ? body->text_of("device_code") : std::string_view());
         if (reply.status < 200 || reply.status > 299 || device_code.empty())
           return done(refused_sign_in(answer.refusal));
         Begun begun;
         begun.key = key;
         begun.grant = grant_device;
         begun.exchange.state = random_token();
         begun.exchange.device_code = device_code;
         const auto seconds = [&](std::string_view name, std::int64_t usual) {
           const Value* value = body->find(name);
           return Duration::seconds(value != nullptr && value->is_integer()
                                        ? std::clamp<std::int64_t>(value->as_integer(), 1, 86'400)
                                        : usual);
         };
         begun.interval = seconds("interval", 5);
         begun.until = now_from_system_clock() + seconds("expires_in", 900);
         BegunSignIn out;
         out.state = begun.exchange.state;
         out.address = body->text_of("verification_uri_complete", body->text_of("verification_uri"));
         if (!out.address.starts_with("https://") && !out.address.starts_with("http://")) out.address.clear();
         out.user_code = body->text_of("user_code");
         out.interval = begun.interval;
         if (const auto kept = remember(std::move(begun)); !kept) return done(kept.error());
         done(std::move(out));
       });
}

void SignIns::end(std::string_view state, std::string_view browser, const std::map<std::string, std::string>& query,
                  std::function<void(Result<ConnectionKey>)> done) {
  Begun begun;
  {
    const std::lock_guard lock(mutex_);
    const auto found = begun_.find(state);
    if (found == begun_.end() || found->second.grant != grant_code || found->second.until < now_from_system_clock() ||
        !same_secret(found->second.browser, browser)) {
      return done(unknown_sign_in());
    }
    begun = std::move(found->second);
    begun_.erase(found);  // a state is good once
  }
  const auto value = [&](const char* name) {
    const auto found = query.find(name);
    return found == query.end() ? std::string() : found->second;
  };
  if (const std::string error = value("error"); !error.empty()) {
    TokenRefusal refusal;
    refusal.message = "The service refused the sign-in (" + error.substr(0, 200) + ")";
    const std::string words = value("error_description").substr(0, 1000);
    refusal.message += words.empty() ? "." : ": " + words;
    return done(refused_sign_in(refusal));
  }
  begun.exchange.code = value("code");
  if (begun.exchange.code.empty()) return done(unknown_sign_in());
  const auto token = connections_.token_state(begun.key);
  if (!token) return done(token.error());
  const auto settings = settings_for(*token->connector);
  if (!settings) return done(settings.error());
  send(*settings, TokenPurpose::code, begun.exchange, token->fields,
       [this, key = begun.key, done = std::move(done)](const TokenAnswer& answer, const http::Reply&) {
         if (!answer.tokens) return done(refused_sign_in(answer.refusal));
         connections_.keep_tokens(key, std::string(grant_code), *answer.tokens, [key, done] { done(key); });
       });
}

void SignIns::poll_device(std::string_view state, std::function<void(Result<SignInProgress>)> done) {
  Begun begun;
  {
    const Timestamp now = now_from_system_clock();
    const std::lock_guard lock(mutex_);
    const auto found = begun_.find(state);
    if (found == begun_.end() || found->second.grant != grant_device || found->second.until < now)
      return done(unknown_sign_in());
    if (found->second.next_poll.is_set() && now < found->second.next_poll) {
      SignInProgress progress;
      progress.key = found->second.key;
      progress.pending = true;
      return done(progress);
    }
    found->second.next_poll = now + found->second.interval;
    begun = found->second;
  }
  const auto token = connections_.token_state(begun.key);
  if (!token) return done(token.error());
  const auto settings = settings_for(*token->connector);
  if (!settings) return done(settings.error());
  send(*settings, TokenPurpose::device_poll, begun.exchange, token->fields,
       [this, begun, done = std::move(done)](const TokenAnswer& answer, const http::Reply&) {
         SignInProgress progress;
         progress.key = begun.key;
         if (answer.tokens) {
           progress.connected = true;
           {
             const std::lock_guard lock(mutex_);
             begun_.erase(begun.exchange.state);
           }
           connections_.keep_tokens(begun.key, std::string(grant_device), *answer.tokens,
                                    [progress, done] { done(progress); });
           return;
         }
         const bool slower = answer.refusal.code == "slow_down";
         if (slower || answer.refusal.code == "authorization_pending" || !answer.refusal.final) {
           const std::lock_guard lock(mutex_);
           if (const auto found = begun_.find(begun.exchange.state); slower && found != begun_.end())
             found->second.interval = Duration::milliseconds(found->second.interval.to_milliseconds() + 5000);
           progress.pending = true;
         } else {
           const std::lock_guard lock(mutex_);
           begun_.erase(begun.exchange.state);
         }
         if (progress.pending) return done(progress);
         done(refused_sign_in(answer.refusal));
       });
}

void SignIns::renew(const ConnectionKey& key, std::uint64_t generation, bool ask_again,
                    std::function<void(Result<void>)> done) {
  auto state = [&]() -> Result<TokenState> {
    const std::lock_guard lock(mutex_);
    if (const auto under_way = renewals_.find(key); under_way != renewals_.end()) {
      under_way->second.push_back(std::move(done));
      return make_error("", "");
    }
    // Looked at only now: whoever renewed has stored the new tokens before it ceased to be under way.
    auto now = connections_.token_state(key);
    if (now && now->generation == generation && (now->refusal.empty() || ask_again))
      renewals_[key].push_back(std::move(done));
    return now;
  }();
  if (!state) {
    if (!state.error().code.empty()) done(state.error());
    return;
  }
  if (state->generation != generation) return done({});
  if (!state->refusal.empty() && !ask_again) return done(make_error("SignInExpired", state->refusal));
  ask_for_renewal(key, std::move(*state));
}

void SignIns::ask_for_renewal(const ConnectionKey& key, TokenState state) {
  const bool by_client = state.grant == grant_client;
  if (!by_client && state.refresh_token.empty()) {
    const std::string message =
        "The access token is over, and the service gave nothing to renew it with. Somebody must sign in again.";
    connections_.refuse_tokens(key, state.sign_in, message);
    return renewed(key, make_error("SignInExpired", message));
  }
  auto settings = settings_for(*state.connector);
  if (!settings) return renewed(key, settings.error());
  {
    const auto entered = entered_for(state.connector->name);
    const std::lock_guard lock(mutex_);
    if (entered) entered_[state.connector->name] = *entered;
  }
  const bool interrupted = state.renewing;
  connections_.mark_renewing(
      key, [this, key, state = std::move(state), settings = std::move(*settings), by_client, interrupted] {
        OAuthExchange exchange;
        exchange.refresh_token = state.refresh_token;
        send(settings, by_client ? TokenPurpose::client : TokenPurpose::refresh, exchange, state.fields,
             [this, key, sign_in = state.sign_in, interrupted](const TokenAnswer& answer, const http::Reply& reply) {
               if (answer.tokens) {
                 connections_.keep_renewed_tokens(key, sign_in, *answer.tokens, [this, key] { renewed(key, {}); });
                 return;
               }
               if (!answer.refusal.final) {
                 connections_.renewal_failed(key, sign_in, answer_was_lost(reply));
                 return renewed(key, make_error("TokenRenewalFailed",
                                                "The access token could not be renewed. " + answer.refusal.message));
               }
               std::string message = "The sign-in can't be renewed. " + answer.refusal.message;
               if (interrupted) {
                 message +=
                     " The answer to an earlier renewal was lost (Flowmend was interrupted, or the connection to the "
                     "server broke), so the server may take the token for one that was used.";
               }
               connections_.refuse_tokens(key, sign_in, message);
               renewed(key, make_error("SignInExpired", message));
             });
      });
}

void SignIns::renewed(const ConnectionKey& key, const Result<void>& result) {
  std::vector<std::function<void(Result<void>)>> waiting;
  {
    const std::lock_guard lock(mutex_);
    const auto found = renewals_.find(key);
    if (found == renewals_.end()) return;
    waiting = std::move(found->second);
    renewals_.erase(found);
  }
  for (auto& one : waiting) one(result);
}

}  // namespace flowmend::connector
