// Signing connections in with OAuth 2.0: what a connector's administrator enters, and the way to the service and back.

#include <condition_variable>
#include <mutex>

#include "api/routes.h"
#include "connector/sign_in.h"

namespace flowmend::api {

namespace {

/// Waits on a worker thread for what an authorization server says.
template <class T, class Begin>
Result<T> wait_for(const Begin& begin) {
  std::mutex mutex;
  std::condition_variable ended;
  std::optional<Result<T>> result;
  begin([&](Result<T> got) {
    const std::lock_guard lock(mutex);
    result.emplace(std::move(got));
    ended.notify_one();
  });
  std::unique_lock lock(mutex);
  ended.wait(lock, [&] { return result.has_value(); });
  return std::move(*result);
}

std::string redirect_url(const Call& call) { return call.base + "/oauth/callback"; }

http::Response settings(const Parts& parts, const Call& call) {
  const auto found = parts.connections.sign_ins().registration(call.parameters[0]);
  if (!found) return error_reply(found.error());
  if (found->is_null()) {
    return error_reply(make_error("SignInNotFound", "Connections of this connector have nothing to sign in to.", {},
                                  "Their credentials are entered with the connection."));
  }
  json::ObjectBuilder answer(*found);
  answer.add("redirectUrl", Value(redirect_url(call)));
  return json_response(200, answer.finish());
}

http::Response put_settings(const Parts& parts, const Call& call) {
  const auto body = body_of(call);
  if (!body) return error_reply(body.error());
  const auto entered = parts.connections.sign_ins().enter(call.parameters[0], *body);
  return entered ? settings(parts, call) : error_reply(entered.error());
}

http::Response begin(const Parts& parts, const Call& call) {
  const auto body = body_of(call);
  if (!body) return error_reply(body.error());
  const connector::ConnectionKey key{connector::api_name(call.parameters[0]), call.parameters[1]};
  const std::string grant(body->text_of("grant", connector::grant_code));
  const auto begun = wait_for<connector::BegunSignIn>(
      [&](auto done) { parts.connections.sign_ins().begin(key, grant, redirect_url(call), std::move(done)); });
  if (!begun) return error_reply(begun.error());
  json::ObjectBuilder answer;
  answer.add("connected", Value(begun->connected));
  if (!begun->address.empty()) answer.add("address", Value(begun->address));
  if (!begun->user_code.empty()) {
    answer.add("signIn", Value(begun->state));
    answer.add("userCode", Value(begun->user_code));
    answer.add("intervalSeconds", Value(begun->interval.to_milliseconds() / 1000));
  }
  http::Headers headers;
  // Lax: it must come along when the service sends the browser back, and nowhere else.
  if (!begun->browser.empty())
    headers.push_back({"Set-Cookie", "flowmend_signin=" + begun->browser +
                                         "; Path=/oauth; HttpOnly; SameSite=Lax; Max-Age=900" +
                                         (call.base.starts_with("https://") ? "; Secure" : "")});
  return json_response(200, answer.finish(), std::move(headers));
}

http::Response poll(const Parts& parts, const Call& call) {
  const auto progress = wait_for<connector::SignInProgress>(
      [&](auto done) { parts.connections.sign_ins().poll_device(call.parameters[0], std::move(done)); });
  if (!progress) return error_reply(progress.error());
  return json_response(200, Value::object({{"connected", progress->connected}, {"pending", progress->pending}}));
}

/// The browser comes back from the service. The session's cookie is not sent with a visit that another site began; the
/// sign-in's own is, and it is the proof.
http::Response callback(const Parts& parts, const Call& call) {
  const auto cookies = call.request.header("cookie");
  const auto at = cookies.find("flowmend_signin=");
  const std::string browser(at == std::string_view::npos ? std::string_view()
                                                         : cookies.substr(at + 16, cookies.find(';', at) - at - 16));
  const auto ended = wait_for<connector::ConnectionKey>([&](auto done) {
    parts.connections.sign_ins().end(call.query_value("state"), browser, call.query, std::move(done));
  });
  std::string where = "/connections?";
  if (ended) {
    const auto view = parts.connections.find(*ended);
    where += "signedIn=" + http::percent_encode(view ? view->display_name : ended->name);
  } else {
    where += "signInError=" + http::percent_encode((ended.error().message + " " + ended.error().cure).substr(0, 1500));
  }
  return empty_response(303, {{"Location", where},
                              {"Cache-Control", "no-store"},
                              {"Set-Cookie", "flowmend_signin=; Path=/oauth; HttpOnly; SameSite=Lax; Max-Age=0"}});
}

}  // namespace

std::vector<RouteEntry> sign_in_routes() {
  return {
      {"GET", "api/v1/connectors/{api}/sign-in", "read", settings},
      {"PUT", "api/v1/connectors/{api}/sign-in", "admin", put_settings},
      {"POST", "api/v1/connections/{api}/{name}/sign-in", "write", begin},
      {"POST", "api/v1/sign-ins/{state}/poll", "write", poll},
      {"GET", "oauth/callback", "", callback},
  };
}

}  // namespace flowmend::api
