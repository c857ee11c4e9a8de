// People: who may sign in, as what, and how they get a password.

#include "api/routes.h"

namespace flowmend::api {

namespace {

Value link_view(const Call& call, const Identities::Link& link) {
  return Value::object(
      {{"user", link.user}, {"link", call.base + link.path}, {"linkExpiresTime", to_string(link.expires)}});
}

template <class Work>
http::Response with_body(const Call& call, const Work& work) {
  const auto body = body_of(call);
  return body ? work(*body) : error_reply(body.error());
}

http::Response list(const Parts& parts, const Call&) {
  const auto users = parts.identities.users();
  return users ? list_response(*users) : error_reply(users.error());
}

http::Response invite(const Parts& parts, const Call& call) {
  return with_body(call, [&](const Value& body) {
    const auto link = parts.identities.invite(body);
    return link ? json_response(201, link_view(call, *link)) : error_reply(link.error());
  });
}

http::Response new_link(const Parts& parts, const Call& call) {
  const auto link = parts.identities.new_link(call.parameters[0]);
  return link ? json_response(201, link_view(call, *link)) : error_reply(link.error());
}

http::Response change(const Parts& parts, const Call& call) {
  return with_body(call, [&](const Value& body) {
    const auto user = parts.identities.change_user(call.parameters[0], body);
    return user ? json_response(200, *user) : error_reply(user.error());
  });
}

http::Response withdraw(const Parts& parts, const Call& call) {
  const auto done = parts.identities.withdraw(call.parameters[0]);
  return done ? empty_response(204) : error_reply(done.error());
}

http::Response invitation(const Parts& parts, const Call& call) {
  return with_body(call, [&](const Value& body) {
    const auto found = parts.identities.invitation(body);
    return found ? json_response(200, *found) : error_reply(found.error());
  });
}

http::Response join(const Parts& parts, const Call& call) {
  return with_body(call, [&](const Value& body) {
    const auto session = parts.identities.join(body);
    return session ? session_response(201, *session) : error_reply(session.error());
  });
}

http::Response change_own(const Parts& parts, const Call& call) {
  return with_body(call, [&](const Value& body) {
    const auto session = parts.identities.change_own(call.caller, body);
    if (session) return session_response(200, *session);
    auto response = error_reply(session.error());
    if (response.status == 429) response.headers.push_back({"Retry-After", "60"});
    return response;
  });
}

}  // namespace

std::vector<RouteEntry> people_routes() {
  return {
      {"GET", "api/v1/users", "admin", list},
      {"POST", "api/v1/users", "admin", invite},
      {"PATCH", "api/v1/users/{user}", "admin", change},
      {"DELETE", "api/v1/users/{user}", "admin", withdraw},
      {"POST", "api/v1/users/{user}/link", "admin", new_link},
      {"POST", "api/v1/invitation", "", invitation},
      {"POST", "api/v1/join", "", join},
      {"PATCH", "api/v1/me", "read", change_own},
  };
}

}  // namespace flowmend::api
