#pragma once

#include <functional>
#include <map>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "connector/connections.h"
#include "connector/oauth.h"

namespace flowmend::connector {

/// A sign-in that was begun.
struct BegunSignIn {
  std::string state;       ///< names it from now on
  std::string browser;     ///< a secret for the browser that began it (a cookie): nobody else can end it
  std::string address;     ///< where the person signs in; empty when nobody has to
  std::string user_code;   ///< of a device: what the person types at `address`
  Duration interval;       ///< of a device: how often to ask
  bool connected = false;  ///< it is over already (client credentials)
};

/// How a sign-in stands.
struct SignInProgress {
  ConnectionKey key;
  bool connected = false;
  bool pending = false;  ///< a device's user has not decided yet
};

/// Signs connections in with OAuth 2.0 and renews what they got.
///
/// A connection's tokens are renewed before they expire, and when a service refuses one before its time. However many
/// calls wait, one request is sent for a connection at a time; all waiters go on with what it brought. New tokens are
/// durable before anybody uses them, in the one commit that also replaces the refresh token. What cannot be had is
/// certainty over a crash between a server's answer and that commit: the mark that a renewal was under way is stored
/// before it begins, so that a refusal afterwards is told as what it is.
///
/// Threads: any. `done` functions are called once: before the call returns when nothing had to be asked, else on the
/// client's or the store's thread (keep them short).
class SignIns {
 public:
  SignIns(store::Store& store, const engine::Sealer& sealer, const Registry& registry, http::Client& client,
          Connections& connections);

  /// What was entered for a connector, without its secret: the fields of `oauth_settings`, `hasSecret`, `provider`, and
  /// `missing` for each kind of sign-in. `ApiNotFound`; null when the connector has no sign-in.
  Result<Value> registration(std::string_view api) const;
  /// Stores what an administrator entered; an absent `clientSecret` keeps the one that is stored, an empty one drops
  /// it. `ApiNotFound`, `InvalidRequestContent`.
  Result<void> enter(std::string_view api, const Value& entered);

  /// Begins one. `grant`: of oauth.h. Errors: `ConnectionNotFound`, `SignInNotSupported`, `SignInNotConfigured`,
  /// `SignInFieldMissing`, `SignInRefused` with the server's words, `TooManyRequests`.
  void begin(const ConnectionKey& key, std::string_view grant, const std::string& redirect_url,
             std::function<void(Result<BegunSignIn>)> done);

  /// The person came back from the authorization server. `query` is what the server sent along: `code`, or `error` and
  /// `error_description`. Errors: `SignInUnknown` (never begun, over, or by another browser), `SignInRefused`.
  void end(std::string_view state, std::string_view browser, const std::map<std::string, std::string>& query,
           std::function<void(Result<ConnectionKey>)> done);

  /// Asks whether a device's user has decided. `SignInUnknown`, `SignInRefused`.
  void poll_device(std::string_view state, std::function<void(Result<SignInProgress>)> done);

  /// Sees to it that the connection has a token that `generation` was not: asks for one unless that has happened, or
  /// waits for the request under way. Errors: `SignInExpired` (the server refuses to renew: somebody must sign in
  /// again), `TokenRenewalFailed` (it could not be asked; later it may), those of `Connections::token_state`.
  /// `ask_again`: also when it was refused before.
  void renew(const ConnectionKey& key, std::uint64_t generation, bool ask_again,
             std::function<void(Result<void>)> done);

 private:
  struct Begun {
    ConnectionKey key;
    std::string grant;
    std::string browser;
    OAuthExchange exchange;
    Timestamp until;
    Duration interval;
    Timestamp next_poll;
  };
  using Sent = std::function<void(TokenAnswer, http::Reply)>;

  Result<Value> entered_for(std::string_view api) const;
  Result<OAuthSettings> settings_for(const Connector& connector) const;
  void send(const OAuthSettings& settings, TokenPurpose purpose, const OAuthExchange& exchange, const Value& fields,
            Sent sent);
  void begin_device(const ConnectionKey& key, const OAuthSettings& settings, const Value& fields,
                    std::function<void(Result<BegunSignIn>)> done);
  Result<void> remember(Begun begun);
  void ask_for_renewal(const ConnectionKey& key, TokenState state);
  void renewed(const ConnectionKey& key, const Result<void>& result);

  store::Store& store_;
  const engine::Sealer& sealer_;
  const Registry& registry_;
  http::Client& client_;
  Connections& connections_;
  mutable std::mutex mutex_;
  std::map<std::string, Begun, std::less<>> begun_;
  std::map<ConnectionKey, std::vector<std::function<void(Result<void>)>>> renewals_;  ///< who waits for each
  std::map<std::string, Value, std::less<>> entered_;  ///< opened, by connector: not read anew for each renewal
};

}  // namespace flowmend::connector
