// Messages to people: the operator's settings, each user's choices, devices, what waits (docs/notifications.md).

#include "api/routes.h"
#include "repair/notify/notifier.h"
#include "trigger/base64.h"

namespace flowmend::api {
namespace {

http::Response answer(const Result<Value>& value) {
  return value ? json_response(200, *value) : error_reply(value.error());
}

http::Response sent(const Result<void>& done) {
  return done ? json_response(200, Value::object({{"sent", Value(true)}})) : error_reply(done.error());
}

/// Whose choices are meant: the caller's own; an administrator may name another user with `?user=`.
Result<std::string> user_of(const Parts& parts, const Call& call) {
  std::string name = call.caller.user_name;
  if (const auto wanted = call.query_value("user"); !wanted.empty() && wanted != name) {
    if (!call.caller.has_scope("admin"))
      return make_error("AuthorizationFailed", "Only an administrator changes the notifications of others.");
    name = wanted;
  }
  if (call.request.method != "GET" && !call.caller.by_cookie && !call.caller.has_scope("write"))
    return make_error("AuthorizationFailed", "This needs the scope 'write', which the caller doesn't have.");
  const auto users = parts.store.documents({"user", "", "", 1000});
  if (!users) return users.error();
  for (const store::Document& user : *users) {
    if (user.value.text_of("userName") == name) return {boost::system::in_place_value, user.key};
  }
  return make_error("UserNotFound", "There is no user '" + name + "'.", {},
                    "Use a token that a user made, or name one with ?user=.");
}

http::Response preferences_answer(const Parts& parts, const std::string& user) {
  auto& choices = parts.notifier.choices();
  const auto chosen = choices.user(user);
  if (!chosen) return error_reply(chosen.error());
  const auto smtp = choices.smtp();
  const auto identity = choices.push_identity();
  if (!identity) return error_reply(identity.error());
  const auto devices = choices.devices(user);
  if (!devices) return error_reply(devices.error());
  json::ArrayBuilder list;
  for (const auto& device : *devices) {
    list.push(Value::object(
        {{"id", Value(device.id)}, {"name", Value(device.name)}, {"createdTime", Value(to_string(device.created))}}));
  }
  json::ObjectBuilder out(to_value(*chosen));
  out.add("emailAvailable", Value(smtp && !smtp->host.empty()));
  out.add("pushKey", Value(trigger::encode_base64_url(identity->public_point())));
  out.add("devices", list.finish());
  return json_response(200, out.finish());
}

http::Response preferences(const Parts& parts, const Call& call) {
  const auto user = user_of(parts, call);
  if (!user) return error_reply(user.error());
  return preferences_answer(parts, *user);
}

http::Response change_preferences(const Parts& parts, const Call& call) {
  const auto user = user_of(parts, call);
  if (!user) return error_reply(user.error());
  const auto body = body_of(call);
  if (!body) return error_reply(body.error());
  const auto wanted = repair::notify::read_user_preferences(*body);
  if (!wanted) return error_reply(wanted.error());
  if (const auto kept = parts.notifier.choices().change_user(*user, *wanted); !kept) return error_reply(kept.error());
  return preferences_answer(parts, *user);
}

http::Response test_mine(const Parts& parts, const Call& call) {
  const auto user = user_of(parts, call);
  if (!user) return error_reply(user.error());
  const auto body = body_of(call);
  if (!body) return error_reply(body.error());
  const auto channel = body->text_of("channel");
  if (channel == "push") return sent(parts.notifier.test_push(*user));
  if (channel != "email") return error_reply(make_error("InvalidRequestContent", "'channel' must be email or push."));
  const auto chosen = parts.notifier.choices().user(*user);
  if (!chosen) return error_reply(chosen.error());
  return sent(parts.notifier.test_mail(chosen->email));
}

http::Response subscribe(const Parts& parts, const Call& call) {
  const auto user = user_of(parts, call);
  if (!user) return error_reply(user.error());
  const auto body = body_of(call);
  if (!body) return error_reply(body.error());
  const auto device = parts.notifier.choices().subscribe(*user, *body, now_from_system_clock());
  if (!device) return error_reply(device.error());
  return json_response(201, Value::object({{"id", Value(device->id)}, {"name", Value(device->name)}}));
}

http::Response unsubscribe(const Parts& parts, const Call& call) {
  const auto user = user_of(parts, call);
  if (!user) return error_reply(user.error());
  const auto gone = parts.notifier.choices().unsubscribe(call.parameters[0], *user);
  if (!gone) return error_reply(gone.error());
  if (!*gone) return error_reply(make_error("DeviceNotFound", "No such device of yours gets messages."));
  return empty_response(204);
}

http::Response server_settings(const Parts& parts, const Call&) {
  return answer(parts.notifier.choices().server_view());
}

http::Response change_server_settings(const Parts& parts, const Call& call) {
  const auto body = body_of(call);
  if (!body) return error_reply(body.error());
  const auto changed = parts.notifier.choices().change_server(*body);
  // What waited for a mail server that works is tried at once.
  if (changed) static_cast<void>(parts.notifier.retry({}));
  return answer(changed);
}

http::Response test_server(const Parts& parts, const Call& call) {
  const auto body = body_of(call);
  if (!body) return error_reply(body.error());
  const auto channel = body->text_of("channel");
  if (channel == "webhook") return sent(parts.notifier.test_webhook());
  if (channel == "email") return sent(parts.notifier.test_mail(std::string(body->text_of("to"))));
  return error_reply(make_error("InvalidRequestContent", "'channel' must be email or webhook."));
}

Result<std::string> flow_of(const Parts& parts, const Call& call) {
  const auto flow = parts.store.flow(call.parameters[0]);
  if (!flow) return flow.error();
  if (!*flow) return make_error("FlowNotFound", "There is no flow '" + call.parameters[0] + "'.");
  return {boost::system::in_place_value, (*flow)->id};
}

http::Response flow_preferences(const Parts& parts, const Call& call) {
  const auto flow = flow_of(parts, call);
  if (!flow) return error_reply(flow.error());
  const auto chosen = parts.notifier.choices().flow(*flow);
  return chosen ? json_response(200, to_value(*chosen)) : error_reply(chosen.error());
}

http::Response change_flow_preferences(const Parts& parts, const Call& call) {
  const auto flow = flow_of(parts, call);
  if (!flow) return error_reply(flow.error());
  const auto body = body_of(call);
  if (!body) return error_reply(body.error());
  const auto wanted = repair::notify::read_flow_preferences(*body);
  if (!wanted) return error_reply(wanted.error());
  if (const auto kept = parts.notifier.choices().change_flow(*flow, *wanted); !kept) return error_reply(kept.error());
  return json_response(200, to_value(*wanted));
}

http::Response outbox(const Parts& parts, const Call&) {
  const auto waiting = parts.notifier.outbox();
  return waiting ? list_response(*waiting) : error_reply(waiting.error());
}

http::Response retry(const Parts& parts, const Call& call) {
  const auto body = body_of(call);
  if (!body) return error_reply(body.error());
  const auto count = parts.notifier.retry(body->text_of("id"));
  if (!count) return error_reply(count.error());
  return json_response(202, Value::object({{"count", Value(static_cast<std::int64_t>(*count))}}));
}

http::Response discard(const Parts& parts, const Call& call) {
  const auto gone = parts.notifier.discard(call.parameters[0]);
  if (!gone) return error_reply(gone.error());
  if (!*gone) return error_reply(make_error("MessageNotFound", "No such message waits."));
  return empty_response(204);
}

}  // namespace

std::vector<RouteEntry> notification_routes() {
  return {
      {"GET", "api/v1/notification-preferences", "read", preferences},
      {"PUT", "api/v1/notification-preferences", "read", change_preferences},
      {"POST", "api/v1/notification-preferences/test", "read", test_mine},
      {"POST", "api/v1/push-subscriptions", "read", subscribe},
      {"DELETE", "api/v1/push-subscriptions/{id}", "read", unsubscribe},
      {"GET", "api/v1/notification-settings", "admin", server_settings},
      {"PATCH", "api/v1/notification-settings", "admin", change_server_settings},
      {"POST", "api/v1/notification-settings/test", "admin", test_server},
      {"GET", "api/v1/flows/{flow}/notifications", "read", flow_preferences},
      {"PUT", "api/v1/flows/{flow}/notifications", "write", change_flow_preferences},
      {"GET", "api/v1/outbox", "admin", outbox},
      {"POST", "api/v1/outbox/retry", "admin", retry},
      {"DELETE", "api/v1/outbox/{id}", "admin", discard},
  };
}

}  // namespace flowmend::api
