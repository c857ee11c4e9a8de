#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "base/time.h"
#include "connector/native/pool.h"
#include "connector/registry.h"
#include "connector/request.h"
#include "engine/journal.h"
#include "http/client.h"
#include "store/store.h"

namespace flowmend::connector {

struct ConnectionKey {
  std::string api;   ///< `shared_orders`
  std::string name;  ///< of the connection
  friend auto operator<=>(const ConnectionKey&, const ConnectionKey&) = default;
};

enum class ConnectionStatus { connected, error };
std::string_view status_name(ConnectionStatus status);

/// A run that met a failure of a connection.
struct FailedCall {
  Timestamp time;
  int status_code = 0;
  std::string message;  ///< the service's own words, secrets masked
  std::string flow;     ///< id
  std::string run;      ///< name
};

/// What a person's or a client's sign-in brought, without the tokens.
struct SignedIn {
  std::string grant;  ///< of oauth.h
  Timestamp expires;  ///< of the access token
  Duration lifetime;
  Timestamp time;          ///< of the sign-in
  bool renewable = false;  ///< there is something to renew it with
  bool renewing = false;   ///< a renewal was begun whose answer is not known yet, or was lost
  std::string refusal;     ///< why it can't be renewed any more; empty = it can, as far as is known
};

/// What renewing a token needs.
struct TokenState {
  std::shared_ptr<const Connector> connector;
  Value fields;  ///< in clear
  std::uint64_t generation = 0;
  std::uint64_t sign_in = 0;  ///< counts the sign-ins: a renewal of an earlier one says nothing about a later
  std::string grant;
  std::string refresh_token;
  std::string refusal;
  bool renewing = false;
};

struct TokenSet;
class SignIns;

/// A connection without its secrets.
struct ConnectionView {
  ConnectionKey key;
  std::string parameter_set;  ///< which of the connector's kinds of sign-in; empty = it has one
  std::string display_name;
  ConnectionStatus status = ConnectionStatus::connected;
  std::string error_code;  ///< of status error: `Unauthorized`, `ServiceUnreachable` ...
  std::string error_message;
  Value clear_fields;  ///< the values that are no secret
  std::string created_by;
  Timestamp created;
  Timestamp modified;
  Timestamp last_success;  ///< not set = never
  std::optional<FailedCall> last_failure;
  std::size_t affected_runs = 0;         ///< that failed since it last stopped working
  std::int64_t requests_per_minute = 0;  ///< that are sent at most; 0 = any number
  std::optional<SignedIn> signed_in;
};

/// True while calls still go well with a sign-in that can't be renewed any more.
inline bool is_running_out(const ConnectionView& view) {
  return view.status == ConnectionStatus::connected && view.signed_in && !view.signed_in->refusal.empty();
}

/// What a connection is made with.
struct ConnectionValues {
  Value fields;               ///< by their names; texts
  std::string parameter_set;  ///< empty = the connector's first
  ConnectionValues(Value with, std::string set = {}) : fields(std::move(with)), parameter_set(std::move(set)) {}
};

/// What a request needs of a connection.
struct Material {
  std::shared_ptr<const Connector> connector;
  Value fields;  ///< all values, in clear
  std::uint64_t generation =
      0;  ///< counts the changes of its credentials: an answer to older ones says nothing about the new
  std::string display_name;
  std::int64_t requests_per_minute = 0;  ///< 0 = any number
};

/// What came of asking the service.
struct Verification {
  ConnectionStatus status = ConnectionStatus::connected;
  bool stored = false;     ///< the given credentials are the connection's now
  bool tested = true;      ///< false: the connector has no operation that can be tried without doing something
  std::string error_code;  ///< `Unauthorized` (401), `Forbidden` (403), `ServiceUnreachable`, or the service's status
  std::string error_message;
  int service_status = 0;  ///< 0 = it did not answer
  Value service_body;      ///< its own words, secrets masked
  std::size_t affected_runs = 0;
};

/// The operation that a connection is tested with, and its parameters: the connector's own testConnection, else a GET
/// that looks like one (me, whoami, ping ...), else the first GET without required parameters.
struct ConnectionTest {
  const Operation* operation = nullptr;
  Value parameters;
};

/// The connections: values and state of each, secrets sealed, kept as documents of kind `connection` (key `api/name`).
///
/// The state follows what services answer: a 401 marks a connection as broken at once, a success or a good verification
/// mends it; a 403 leaves the state alone, because the credentials were known. New credentials replace stored ones only
/// after the service accepted them.
///
/// Threads: any. `done` functions are called once, on the HTTP client's thread (a pool's for native connectors) or,
/// when nothing had to be asked, before the call returns.
class Connections {
 public:
  Connections(store::Store& store, const engine::Sealer& sealer, const Registry& registry, http::Client& client);
  ~Connections();

  /// Reads what the store holds. Call once before use.
  Result<void> load();

  std::vector<ConnectionView> list() const;
  std::optional<ConnectionView> find(const ConnectionKey& key) const;
  /// By its name alone, for references that don't say the connector; nothing when there is none or more than one.
  std::optional<ConnectionKey> find_by_name(std::string_view name) const;

  /// Makes a connection and asks the service about it; it is stored whatever the answer, and its state says it. For one
  /// that exists: its display name changes, and its credentials only when the service accepts them (or when the stored
  /// ones are broken too); its kind of sign-in stays. Errors: `ApiNotFound`, `InvalidConnectionParameters` naming the
  /// field, `InvalidConnectionParameterSet`, `InvalidConnectionName`, the store's.
  void put(const ConnectionKey& key, const std::string& display_name, const ConnectionValues& values,
           const std::string& by, std::function<void(Result<Verification>)> done);

  /// As `put` for a new connection, without asking the service: for a start that fills an empty folder.
  Result<void> put_unverified(const ConnectionKey& key, const std::string& display_name, const ConnectionValues& values,
                              const std::string& by);

  /// Asks the service with the given credentials, or with the stored ones when `credentials` is null. Accepted ones are
  /// stored; others leave everything as it was. Fields that are not given are taken from what is stored. Errors:
  /// `ConnectionNotFound`, `ApiNotFound`, `InvalidConnectionParameters`, the store's.
  void verify(const ConnectionKey& key, const Value& credentials, std::function<void(Result<Verification>)> done);

  /// How many calls a minute may go over the connection, 1 to `rate_max`; 0 = any number. Holds for calls from now on.
  /// Errors: `ConnectionNotFound`, `RateLimitInvalid`, the store's.
  static constexpr std::int64_t rate_max = 60'000;
  Result<void> set_rate(const ConnectionKey& key, std::int64_t requests_per_minute);

  /// True when there was one.
  Result<bool> remove(const ConnectionKey& key);

  /// `ApiConnectionNotFound` (deleted, or never made), `ApiNotFound`, `SecretUnreadable`.
  Result<Material> material(const ConnectionKey& key) const;

  /// What a run's call came to; `generation` is that of the material it was sent with.
  void report_success(const ConnectionKey& key, std::uint64_t generation);
  void report_refused(const ConnectionKey& key, std::uint64_t generation, FailedCall call);

  /// Signing in with OAuth 2.0, and renewing.
  SignIns& sign_ins() { return *sign_ins_; }
  /// True when the connection has a token by sign-in that is over or about to be, and it is worth asking for another:
  /// while the old one still holds, not shortly after a renewal that failed in passing.
  bool token_is_due(const ConnectionKey& key) const;
  /// True when the connection has a token by sign-in that is not over yet.
  bool token_still_holds(const ConnectionKey& key) const;
  /// True when it has one that may be renewed.
  bool token_is_renewable(const ConnectionKey& key) const;

  // For SignIns.
  /// `ConnectionNotFound`, `ApiNotFound`, `SecretUnreadable`.
  Result<TokenState> token_state(const ConnectionKey& key) const;
  /// Stores the tokens of a new sign-in (`grant` of oauth.h) and mends the connection. `done` on the store's thread,
  /// once they are durable; nobody gets them before, and nothing that is stored meanwhile is lost.
  void keep_tokens(const ConnectionKey& key, const std::string& grant, const TokenSet& tokens,
                   std::function<void()> done);
  /// The same for a renewal of `sign_in` (of TokenState); dropped when the connection has other credentials by now.
  void keep_renewed_tokens(const ConnectionKey& key, std::uint64_t sign_in, const TokenSet& tokens,
                           std::function<void()> done);
  /// Stores that a renewal is about to be asked for; `done` once that is durable.
  void mark_renewing(const ConnectionKey& key, std::function<void()> done);
  /// The renewal failed in passing. `lost`: the server may have done it all the same; then the mark stays.
  void renewal_failed(const ConnectionKey& key, std::uint64_t sign_in, bool lost);
  /// The authorization server refuses to renew. The connection is broken from when its token is over.
  void refuse_tokens(const ConnectionKey& key, std::uint64_t sign_in, const std::string& message);

  /// The Connection of the API (PowerApps shape with `properties.flowmend`); all its flows are looked up in the store.
  Value describe(const ConnectionView& view) const;
  /// The same for many, looking the flows up once.
  std::vector<Value> describe_all(const std::vector<ConnectionView>& views) const;

  /// Hears of every change of state, and of a sign-in that can't be renewed any more while it still holds
  /// (`is_running_out`), on the thread that caused it. Set before use.
  void on_status_change(std::function<void(const ConnectionView&)> listener) { listener_ = std::move(listener); }

 private:
  /// Tokens on their way to the disk: what is stored for the connection holds them already, calls still get the old.
  struct PendingTokens {
    std::string field;  ///< of the access token
    std::string access;
    std::string refresh;  ///< empty: that of before stays good, or `grant` says that there is none
    SignedIn signed_in;
    bool by_sign_in = false;   ///< of a new sign-in; false: of a renewal
    std::uint64_t number = 0;  ///< tells two apart
  };
  struct Entry {
    ConnectionView view;
    std::string sealed;  ///< JSON of the secret fields
    std::set<std::string> affected;
    std::uint64_t generation = 1;
    std::uint64_t sign_in = 0;  ///< TokenState::sign_in
    Timestamp written_success;  ///< the last success that the store knows
    Timestamp renew_again;      ///< not before this, unless the token is over
    std::optional<PendingTokens> pending;
  };
  struct Probe {
    Material material;
    const Operation* operation = nullptr;
    Value parameters;
  };
  struct Split {
    Value clear;
    Value secret;
  };

  /// With the form of that connection; nothing when it is not installed.
  std::shared_ptr<const Connector> connector_of(const ConnectionView& view) const;
  Result<Split> split(const Connector& connector, const Value& fields) const;
  Result<Value> all_fields(const Entry& entry) const;
  Result<void> store_entry(const ConnectionKey& key, const Entry& entry);
  void keep(
      const ConnectionKey& key, const Entry& entry, std::function<void()> done = [] {});
  std::string seal(const Value& secrets) const;
  Result<Value> open_secrets(const Entry& entry) const;
  void verify_now(const ConnectionKey& key, const Value& credentials, bool may_renew,
                  std::function<void(Result<Verification>)> done);
  void probe(Probe probe, std::function<void(Verification)> done);
  void ask_service(Probe question, const ConnectionTest& test, std::vector<std::string> asked,
                   std::function<void(Verification)> done);
  Value describe(const ConnectionView& view, const std::vector<Value>& used_by) const;
  std::map<ConnectionKey, std::vector<Value>> flows_by_connection() const;
  void tell(const ConnectionView& view);
  Value document_of(const Entry& entry) const;
  void take_tokens(const ConnectionKey& key, Entry& entry, PendingTokens tokens, std::function<void()> done);
  static bool belongs_to(const Entry& entry, std::uint64_t sign_in);
  Entry with_tokens(const Entry& entry, const PendingTokens& tokens) const;

  store::Store& store_;
  const engine::Sealer& sealer_;
  const Registry& registry_;
  http::Client& client_;
  std::function<void(const ConnectionView&)> listener_;
  mutable std::mutex mutex_;
  std::map<ConnectionKey, Entry> entries_;
  std::uint64_t last_pending_ = 0;
  std::unique_ptr<SignIns> sign_ins_;
  NativePool natives_;  ///< last: its end answers those who still wait, and they look at what stands above
};

/// What this connector's connections are tested with; nothing when it has no such operation.
std::optional<ConnectionTest> connection_test(const Connector& connector);

}  // namespace flowmend::connector
