#pragma once

#include <functional>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "api/access.h"
#include "api/events.h"
#include "api/identity.h"
#include "connector/connections.h"
#include "connector/dynamic/dynamic.h"
#include "connector/registry.h"
#include "engine/journal.h"
#include "http/listener.h"
#include "repair/bulk.h"
#include "repair/incidents.h"
#include "repair/notify/notifier.h"
#include "repair/search/search.h"
#include "repair/trials.h"
#include "runtime/runtime.h"
#include "store/store.h"

namespace flowmend::api {

/// What the routes are made of. Wired by main; outlives the API.
struct Parts {
  store::Store& store;
  const engine::Sealer& sealer;
  runtime::Runtime& runtime;
  connector::Registry& registry;
  connector::Connections& connections;
  connector::DynamicContent& dynamic;
  repair::Incidents& incidents;
  repair::Bulk& bulk;
  const repair::Trials& trials;
  repair::notify::Notifier& notifier;
  const repair::search::RunSearch& search;
  Identities& identities;
  EventHub& events;
  std::string version;
  std::string data_folder;
  std::string public_url;  ///< empty: links begin with what the caller used
  bool demo = false;
  Timestamp started;
};

/// A request on its way to a route.
struct Call {
  http::IncomingRequest request;
  std::vector<std::string> parameters;       ///< of the route's pattern, decoded, in order
  std::map<std::string, std::string> query;  ///< decoded; names as sent
  Identity caller;
  std::shared_ptr<const Access> access;  ///< what the caller may do; set wherever there is a caller
  std::string base;                      ///< `http://host:port`, without a slash at its end

  std::string_view query_value(std::string_view name) const;
};

/// A route: answers at once. Runs on a worker thread and may wait for the store.
using Route = std::function<http::Response(const Parts&, const Call&)>;

http::Response json_response(int status, const Value& body, http::Headers headers = {});
http::Response empty_response(int status, http::Headers headers = {});
/// Who is signed in now, with the session's cookie.
http::Response session_response(int status, const Identities::Session& session);
/// The error envelope; the status follows from the code.
http::Response error_reply(const Error& error);
int status_of(std::string_view code);

/// The request's body as JSON; an empty body is null.
Result<Value> body_of(const Call& call);

/// One page of a list and the link to the next.
http::Response list_response(Value items, const std::string& next_link = {});
/// `$top` within 1..most; an error for 0 or text.
Result<std::size_t> top_of(const Call& call, std::size_t usual, std::size_t most);
/// The caller's own address with another `$skiptoken`.
std::string next_link(const Call& call, std::string_view skip_token);

}  // namespace flowmend::api
