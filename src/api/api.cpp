#include "api/api.h"

#include <algorithm>

#include "api/guard.h"
#include "base/thread_name.h"
#include "json/write.h"

namespace flowmend::api {

namespace {

constexpr std::size_t workers = 4;
constexpr std::size_t waiting_max = 1000;

std::vector<std::string> split_path(std::string_view path) {
  std::vector<std::string> segments;
  while (!path.empty()) {
    if (path.front() == '/') {
      path.remove_prefix(1);  // repeated slashes count as one (rest-api.md 2.1)
      continue;
    }
    const auto end = path.find('/');
    segments.push_back(http::percent_decode(path.substr(0, end)));
    path = end == std::string_view::npos ? std::string_view() : path.substr(end);
  }
  return segments;
}

std::map<std::string, std::string> read_query(std::string_view text) {
  std::map<std::string, std::string> query;
  while (!text.empty()) {
    const auto end = text.find('&');
    const auto part = text.substr(0, end);
    text = end == std::string_view::npos ? std::string_view() : text.substr(end + 1);
    const auto equals = part.find('=');
    if (part.empty()) continue;
    query.emplace(http::percent_decode(part.substr(0, equals), true),
                  equals == std::string_view::npos ? "" : http::percent_decode(part.substr(equals + 1), true));
  }
  return query;
}

/// The values of the pattern's `{x}` segments, or nothing when the path is another.
std::optional<std::vector<std::string>> match(std::string_view pattern, const std::vector<std::string>& segments) {
  std::vector<std::string> parameters;
  std::size_t at = 0;
  while (!pattern.empty()) {
    const auto end = pattern.find('/');
    const auto part = pattern.substr(0, end);
    pattern = end == std::string_view::npos ? std::string_view() : pattern.substr(end + 1);
    if (at >= segments.size()) return std::nullopt;
    if (part.front() == '{') {
      parameters.push_back(segments[at]);
    } else if (!http::same_name(part, segments[at])) {
      return std::nullopt;
    }
    ++at;
  }
  if (at != segments.size()) return std::nullopt;
  return parameters;
}

/// `scopes/admin/` and `v2/` are spellings of the same routes (rest-api.md 3).
void fold_aliases(std::vector<std::string>& segments) {
  if (segments.size() > 4 && http::same_name(segments[2], "scopes") && http::same_name(segments[3], "admin")) {
    segments.erase(segments.begin() + 2, segments.begin() + 4);
  }
  if (segments.size() > 5 && http::same_name(segments[4], "v2")) segments.erase(segments.begin() + 4);
}

bool is_callback(const std::vector<std::string>& segments) {
  return segments.size() >= 5 && http::same_name(segments[0], "workflows") &&
         (http::same_name(segments[2], "triggers") ||
          (http::same_name(segments[2], "versions") && segments.size() >= 7) ||
          // A webhook action's address; contents of steps lie below runs too.
          (segments.size() == 9 && http::same_name(segments[2], "runs") &&
           http::same_name(segments[6], "repetitions") && http::same_name(segments[8], "run")) ||
          // Where a caller asks for the answer of an asynchronous Response.
          (segments.size() == 6 && http::same_name(segments[2], "runs") && http::same_name(segments[4], "operations")));
}

void add_security_headers(http::Response& response) {
  response.headers.push_back({"X-Content-Type-Options", "nosniff"});
  response.headers.push_back({"Referrer-Policy", "no-referrer"});
  if (!http::has_header(response.headers, "Cache-Control")) response.headers.push_back({"Cache-Control", "no-cache"});
}

http::Response portal_response(const http::IncomingRequest& request) {
  if (request.method != "GET" && request.method != "HEAD")
    return error_reply(make_error("MethodNotAllowed", "There is nothing to " + request.method + " at this address."));
  if (!has_portal()) {
    return {200,
            {{"Content-Type", "text/html; charset=utf-8"}},
            "<!doctype html><title>Flowmend</title><p>The server runs, but this binary was built without the portal. "
            "Run <code>./dev build</code>, which builds both.</p>"};
  }
  const std::string path = http::percent_decode(request.path);
  const Asset* asset = find_asset(path);
  const bool is_page = asset == nullptr;
  // Routes of the portal are its own; a missing file stays missing.
  if (is_page && path.rfind('.') != std::string::npos && path.starts_with("/assets/"))
    return error_reply(make_error("ResourceNotFound", "There is no such file."));
  if (is_page) asset = find_asset("/index.html");
  http::Response response{200, {{"Content-Type", std::string(asset->content_type)}}, ""};
  if (request.header("accept-encoding").find("gzip") != std::string_view::npos) {
    response.headers.push_back({"Content-Encoding", "gzip"});
    response.body = std::string(asset->gzip);
  } else {
    response.body = unpack(*asset).value_or("");
  }
  response.headers.push_back({"Vary", "Accept-Encoding"});
  // Names of assets hold a hash of their content.
  response.headers.push_back(
      {"Cache-Control", path.starts_with("/assets/") ? "public, max-age=31536000, immutable" : "no-cache"});
  response.headers.push_back({"Content-Security-Policy",
                              "default-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; font-src "
                              "'self' data:; connect-src 'self'; "
                              "object-src 'none'; base-uri 'none'; frame-ancestors 'none'; form-action 'self'"});
  return response;
}

}  // namespace

std::vector<RouteEntry> all_routes() {
  std::vector<RouteEntry> routes;
  for (auto table : {own_routes(), flow_routes(), run_routes(), connection_routes(), sign_in_routes(), gallery_routes(),
                     dynamic_routes(), incident_routes(), table_routes(), environment_variable_routes(),
                     approval_routes(), artifact_routes(), notification_routes(), operation_routes(), people_routes(),
                     capsule_routes(), hold_routes(), run_plan_routes(), sharing_routes()}) {
    for (auto& entry : table) routes.push_back(std::move(entry));
  }
  return routes;
}

Api::Api(Parts parts) : parts_(std::move(parts)) {
  routes_ = all_routes();
  for (std::size_t i = 0; i < workers; ++i)
    workers_.emplace_back([this] {
      name_thread("fm-api");
      work();
    });
}

Api::~Api() {
  {
    std::lock_guard lock(mutex_);
    stopping_ = true;
  }
  wake_.notify_all();
  for (auto& worker : workers_) worker.join();
  for (auto& task : tasks_)
    task.responder.send(http::error_response(503, "ServerStopping", "The server is stopping. Try again in a moment."));
}

std::string Api::base_of(const http::IncomingRequest& request) const {
  if (!parts_.public_url.empty()) return parts_.public_url;
  const auto host = request.header("host");
  return "http://" + (host.empty() ? "127.0.0.1" : std::string(host));
}

void Api::handle(http::IncomingRequest request, http::Responder responder) {
  if (request.path.starts_with("/workflows/") && is_callback(split_path(request.path)))
    return invoke(std::move(request), std::move(responder));
  if (request.path == "/healthz") return responder.send({200, {{"Content-Type", "text/plain"}}, "ok\n"});
  if (request.path == "/api/v1/events") return follow_events(request, responder);
  {
    std::lock_guard lock(mutex_);
    if (!stopping_ && tasks_.size() < waiting_max) {
      tasks_.push_back({std::move(request), std::move(responder)});
      wake_.notify_one();
      return;
    }
  }
  auto busy = http::error_response(503, "ServerBusy",
                                   "The server has more requests than it can take just now. Try again in a moment.");
  busy.headers.push_back({"Retry-After", "1"});
  responder.send(std::move(busy));
}

void Api::invoke(http::IncomingRequest request, http::Responder responder) {
  trigger::CallbackRequest call;
  call.method = std::move(request.method);
  call.path = std::move(request.path);
  call.query = std::move(request.query);
  for (auto& header : request.headers) call.headers.emplace_back(std::move(header.name), std::move(header.value));
  call.body = std::move(request.body);
  parts_.runtime.invoke(std::move(call), [responder](runtime::Answer answer) {
    http::Response response;
    response.status = answer.status_code;
    for (auto& [name, value] : answer.headers) response.headers.push_back({std::move(name), std::move(value)});
    response.body = std::move(answer.body);
    responder.send(std::move(response));
  });
}

void Api::follow_events(const http::IncomingRequest& request, const http::Responder& responder) {
  const auto caller = identify(request);
  if (!caller) return responder.send(error_reply(caller.error()));
  parts_.events.add(responder, request.header("last-event-id"), caller->sees_all);
}

Result<Identity> Api::identify(const http::IncomingRequest& request) {
  const auto authorization = request.header("authorization");
  if (authorization.size() > 7 && http::same_name(authorization.substr(0, 7), "bearer "))
    return parts_.identities.by_token(authorization.substr(7));
  const auto cookies = request.header("cookie");
  const auto at = cookies.find("flowmend_session=");
  if (at != std::string_view::npos)
    return parts_.identities.by_cookie(cookies.substr(at + 17, cookies.find(';', at) - at - 17));
  return make_error("AuthenticationFailed", "Authentication failed. The 'Authorization' header is missing.", {},
                    "Sign in, or send a token as 'Authorization: Bearer ...'.");
}

void Api::work() {
  for (;;) {
    Task task;
    {
      std::unique_lock lock(mutex_);
      wake_.wait(lock, [this] { return stopping_ || !tasks_.empty(); });
      if (stopping_) return;
      task = std::move(tasks_.front());
      tasks_.pop_front();
    }
    http::Response response = answer(task.request);
    add_security_headers(response);
    if (const auto id = task.request.header("x-ms-client-request-id"); !id.empty())
      response.headers.push_back({"x-ms-client-request-id", std::string(id)});
    if (response.status == 401) response.headers.push_back({"WWW-Authenticate", "Bearer"});
    task.responder.send(std::move(response));
  }
}

http::Response Api::answer(const http::IncomingRequest& request) {
  if (request.path == "/readyz") {
    const auto health = parts_.store.health();
    if (health) return {200, {{"Content-Type", "text/plain"}}, "ready\n"};
    return error_reply(health.error());
  }
  auto segments = split_path(request.path);
  const bool is_api =
      !segments.empty() && (http::same_name(segments[0], "api") || http::same_name(segments[0], "providers") ||
                            http::same_name(segments[0], "workflows") || http::same_name(segments[0], "oauth"));
  if (!is_api) return portal_response(request);
  fold_aliases(segments);
  bool other_method = false;
  for (const RouteEntry& entry : routes_) {
    auto parameters = match(entry.pattern, segments);
    if (!parameters) continue;
    if (request.method != entry.method) {
      other_method = true;
      continue;
    }
    Call call;
    call.request = request;
    call.parameters = std::move(*parameters);
    call.query = read_query(request.query);
    call.base = base_of(request);
    if (*entry.scope != '\0') {
      auto caller = identify(request);
      if (!caller) return error_reply(caller.error());
      // A page of another site can make a browser send the cookie, but not this header.
      if (caller->by_cookie && request.method != "GET" && request.method != "HEAD" &&
          request.header("x-flowmend-csrf") != caller->csrf_token) {
        return error_reply(make_error("CsrfTokenInvalid", "The request lacks the session's x-flowmend-csrf header.", {},
                                      "Reload the page and try again."));
      }
      if (!caller->has_scope(entry.scope)) {
        return error_reply(make_error("AuthorizationFailed", "This needs the scope '" + std::string(entry.scope) +
                                                                 "', which the caller doesn't have."));
      }
      call.caller = std::move(*caller);
      call.access = std::make_shared<const Access>(parts_.store, parts_.connections, call.caller);
    }
    if (http::same_name(segments[0], "providers") && call.query_value("api-version").empty()) {
      return error_reply(make_error("MissingApiVersionParameter", "The query parameter 'api-version' is missing.", {},
                                    "Add api-version=2016-11-01."));
    }
    try {
      if (call.access) {
        if (const auto refusal = refuse(entry, parts_, call)) return error_reply(*refusal);
      }
      return entry.run(parts_, call);
    } catch (const std::exception&) {
      // A library gave up where no error value could be given; the caller's data stays out of the answer.
      return error_reply(make_error("InternalServerError", "The server could not handle this request.", {},
                                    "Try again; if it happens again, look at the server's log."));
    }
  }
  if (other_method)
    return error_reply(make_error("MethodNotAllowed", "The method " + request.method + " is not allowed here."));
  return error_reply(make_error("ResourceNotFound", "There is no route " + request.method + " " + request.path + ".",
                                {}, "docs/reference/portal-api.md lists the routes."));
}

}  // namespace flowmend::api
