// What runs wait for because a service does not work or refuses a connection (runtime/holds.h).

#include <algorithm>

#include "api/guard.h"
#include "api/routes.h"
#include "api/views.h"

namespace flowmend::api {

namespace {

using runtime::HoldChoice;

/// Whoever may change the connection that is waited for, or every flow that waits.
std::optional<Error> refuse_target(const Parts& parts, const Call& call, const std::string& target) {
  if (call.access->has_everything()) return std::nullopt;
  const auto slash = target.find('/');
  if (slash != std::string::npos && target.find("://") == std::string::npos &&
      call.access->connection({target.substr(0, slash), target.substr(slash + 1)}) >= Level::edit)
    return std::nullopt;
  Level least = Level::none;
  for (const runtime::HeldTarget& held : parts.runtime.held()) {
    if (held.target != target) continue;
    least = Level::own;
    for (const std::string& id : held.flows) least = std::min(least, call.access->flow(id));
  }
  return lacks(least, Level::edit, "connection or service");
}

http::Response list_holds(const Parts& parts, const Call& call) {
  json::ArrayBuilder list;
  for (const runtime::HeldTarget& held : parts.runtime.held()) {
    const auto sees = [&](const std::string& id) { return call.access->sees_flow(id); };
    if (std::ranges::none_of(held.flows, sees)) continue;
    json::ObjectBuilder out(target_view(parts, held.target));
    out.add("cause", Value(held.cause));
    out.add("message", Value(held.message));
    out.add("runs", Value(static_cast<std::int64_t>(held.runs)));
    out.add("steps", Value(static_cast<std::int64_t>(held.steps)));
    json::ArrayBuilder flows;
    for (const std::string& id : held.flows) {
      if (!sees(id)) continue;
      const auto flow = parts.store.flow(id);
      flows.push(
          Value::object({{"flow", Value(id)}, {"displayName", Value(flow && *flow ? (*flow)->display_name : id)}}));
    }
    out.add("flows", flows.finish());
    out.add("since", Value(to_string(held.since)));
    if (sees(held.first_flow))
      out.add("firstRun", Value::object({{"flow", Value(held.first_flow)}, {"run", Value(held.first_run)}}));
    out.add("releasing", Value(held.releasing));
    if (held.next_try.is_set()) out.add("nextTryTime", Value(to_string(held.next_try)));
    list.push(out.finish());
  }
  return list_response(list.finish());
}

Result<std::string> target_of(const Call& call) {
  auto body = body_of(call);
  if (!body) return body.error();
  const auto target = body->text_of("target");
  if (target.empty())
    return make_error("InvalidRequestContent", "The body has no text 'target'.", "/target",
                      "Give the 'target' of an entry of GET /api/v1/holds.");
  return {boost::system::in_place_value, target};
}

http::Response end_holds(const Parts& parts, const Call& call, bool send_again) {
  const auto target = target_of(call);
  if (!target) return error_reply(target.error());
  if (const auto refusal = refuse_target(parts, call, *target)) return error_reply(*refusal);
  const auto steps = send_again ? parts.runtime.release_held(*target, call.caller.user_name)
                                : parts.runtime.fail_held(*target, call.caller.user_name);
  return json_response(200, Value::object({{"steps", Value(static_cast<std::int64_t>(steps))}}));
}

Value choice_view(const HoldChoice& choice) {
  const char* kind = choice.kind == HoldChoice::Kind::hold   ? "hold"
                     : choice.kind == HoldChoice::Kind::fail ? "fail"
                                                             : "flow";
  return Value::object({{"onOutage", Value(kind)},
                        {"limitMinutes", Value(choice.limit.to_milliseconds() / 60'000)},
                        {"runsMax", Value(static_cast<std::int64_t>(choice.steps_max))}});
}

http::Response get_choice(const Parts& parts, const Call& call) {
  return json_response(200, choice_view(parts.runtime.hold_choice(call.query_value("target"))));
}

http::Response put_choice(const Parts& parts, const Call& call) {
  const std::string target(call.query_value("target"));
  if (target.empty() || target.size() > 500)
    return error_reply(make_error("InvalidRequestContent", "The address has no 'target'.", {},
                                  "Add ?target=api/connection, or the origin of an HTTP action."));
  if (const auto refusal = refuse_target(parts, call, target)) return error_reply(*refusal);
  const auto body = body_of(call);
  if (!body) return error_reply(body.error());
  HoldChoice choice = parts.runtime.hold_choice(target);
  if (const Value* kind = body->find("onOutage")) {
    if (*kind == Value("hold")) {
      choice.kind = HoldChoice::Kind::hold;
    } else if (*kind == Value("fail")) {
      choice.kind = HoldChoice::Kind::fail;
    } else if (*kind == Value("flow")) {
      choice.kind = HoldChoice::Kind::as_the_flow_says;
    } else {
      return error_reply(make_error("InvalidRequestContent", "'onOutage' must be hold, fail or flow.", "/onOutage"));
    }
  }
  const auto number = [&](const char* name, std::int64_t usual) -> std::int64_t {
    const Value* value = body->find(name);
    if (value == nullptr) return usual;
    // Out of any range: refused with the rule's own words.
    return value->is_integer() && value->as_integer() > 0 && value->as_integer() <= 10'000'000 ? value->as_integer()
                                                                                               : 0;
  };
  choice.limit = Duration::minutes(number("limitMinutes", choice.limit.to_milliseconds() / 60'000));
  choice.steps_max = static_cast<std::size_t>(number("runsMax", static_cast<std::int64_t>(choice.steps_max)));
  if (const auto set = parts.runtime.set_hold_choice(target, choice); !set) return error_reply(set.error());
  return json_response(200, choice_view(choice));
}

}  // namespace

std::vector<RouteEntry> hold_routes() {
  return {
      {"GET", "api/v1/holds", "read", list_holds},
      {"POST", "api/v1/holds/release", "run", [](const Parts& p, const Call& c) { return end_holds(p, c, true); }},
      {"POST", "api/v1/holds/fail", "run", [](const Parts& p, const Call& c) { return end_holds(p, c, false); }},
      {"GET", "api/v1/holds/choice", "read", get_choice},
      {"PUT", "api/v1/holds/choice", "write", put_choice},
  };
}

}  // namespace flowmend::api
