// Sharing flows and connections with people, and giving them away (docs/people.md).

#include <algorithm>

#include "api/routes.h"
#include "api/views.h"

namespace flowmend::api {

namespace {

#define FLOWS "providers/Microsoft.ProcessSimple/environments/{env}/flows"
#define CONNECTIONS "providers/Microsoft.PowerApps/apis/{api}/connections"

/// The flow or the connection that a route is about.
struct Thing {
  std::string key;    ///< of its share document
  std::string maker;  ///< user name
  std::string id;     ///< its address
  std::string_view type;
  bool may_be_shared = true;  ///< some connectors forbid it for some kinds of sign-in
};

Thing thing_of(const store::FlowRow& row) {
  return {share_key(row.id), row.created_by, flow_id(row.id),
          "/providers/Microsoft.ProcessSimple/environments/flows/permissions"};
}

Thing thing_of(const Parts& parts, const connector::ConnectionView& view) {
  bool may_be_shared = true;
  if (const auto connector = parts.registry.find(view.key.api)) {
    for (const connector::ParameterSet& set : connector->parameter_sets)
      may_be_shared = may_be_shared && (set.name != view.parameter_set || set.may_be_shared);
  }
  return {share_key(view.key), view.created_by,
          "/providers/Microsoft.PowerApps/apis/" + view.key.api + "/connections/" + view.key.name,
          "/providers/Microsoft.PowerApps/apis/connections/permissions", may_be_shared};
}

Result<Thing> flow_thing(const Parts& parts, const std::string& id) {
  const auto live = parts.runtime.flows().find(id);
  if (!live) return live.error();
  return thing_of((*live)->row);
}

Result<Thing> connection_thing(const Parts& parts, const std::string& api, const std::string& name) {
  const auto view = parts.connections.find({connector::api_name(api), name});
  if (!view)
    return make_error("ConnectionNotFound", "The connection '" + name + "' could not be found.", {},
                      "It may have been deleted; list the connections.");
  return thing_of(parts, *view);
}

Result<Thing> thing_in(const Parts& parts, const Call& call, bool of_flow) {
  if (of_flow) return flow_thing(parts, call.parameters[call.parameters.size() - 1]);
  return connection_thing(parts, call.parameters[0], call.parameters[1]);
}

/// Changes who may do what with a thing, in one transaction.
Result<Shares> change(const Parts& parts, const Call& call, const Thing& thing,
                      const std::function<Result<Shares>(const Shares&)>& with) {
  const auto& accounts = call.access->accounts();
  Shares after;
  const auto written = parts.store.write([&](store::Transaction& transaction) -> Result<void> {
    const auto stored = transaction.document(share_kind, thing.key);
    auto changed = with(read_shares(stored ? &stored->value : nullptr, thing.maker, accounts));
    if (!changed) return changed.error();
    after = std::move(*changed);
    const auto put = transaction.put_document(share_kind, thing.key, share_document(after));
    if (!put) return put.error();
    return {};
  });
  if (!written) return written.error();
  return after;
}

http::Response permissions(const Parts& parts, const Call& call, bool of_flow) {
  const auto thing = thing_in(parts, call, of_flow);
  if (!thing) return error_reply(thing.error());
  const auto stored = parts.store.document(share_kind, thing->key);
  if (!stored) return error_reply(stored.error());
  const auto& accounts = call.access->accounts();
  return list_response(permissions_view(read_shares(*stored ? &(*stored)->value : nullptr, thing->maker, accounts),
                                        accounts, thing->id, thing->type));
}

http::Response modify_permissions(const Parts& parts, const Call& call, bool of_flow) {
  const auto body = body_of(call);
  if (!body) return error_reply(body.error());
  const auto thing = thing_in(parts, call, of_flow);
  if (!thing) return error_reply(thing.error());
  if (const Value* put = body->find("put"); put != nullptr && put->size() > 0 && !thing->may_be_shared) {
    return error_reply(make_error("ConnectionSharingForbidden",
                                  "The connector does not allow connections of this kind of sign-in to be shared.", {},
                                  "Let each person make a connection, or give this one away."));
  }
  const auto& accounts = call.access->accounts();
  const auto after = change(parts, call, *thing, [&](const Shares& now) { return modify(now, *body, accounts); });
  if (!after) return error_reply(after.error());
  return list_response(permissions_view(*after, accounts, thing->id, thing->type));
}

/// The account that `{to}` names, which must be able to sign in.
Result<Account> receiver(const Call& call, const Value& body) {
  const auto to = body.text_of("to");
  for (const Account& one : call.access->accounts()) {
    if (to.empty() || (one.id != to && !http::same_name(one.user_name, to))) continue;
    return one;
  }
  return make_error("UserNotFound", "There is no account '" + std::string(to) + "'.", "/to",
                    "Give 'to': the id or the user name of the new owner.");
}

/// `{flow, displayName, connections}` when the new owner may not use what the flow uses; else null.
Value warning_of(const Call& call, const store::FlowRow& row) {
  const Value foreign = call.access->foreign_connections(row);
  if (foreign.size() == 0) return {};
  return Value::object({{"flow", row.id}, {"displayName", row.display_name}, {"connections", foreign}});
}

http::Response change_owner(const Parts& parts, const Call& call, bool of_flow) {
  const auto body = body_of(call);
  if (!body) return error_reply(body.error());
  const auto to = receiver(call, *body);
  if (!to) return error_reply(to.error());
  const auto thing = thing_in(parts, call, of_flow);
  if (!thing) return error_reply(thing.error());
  const auto after =
      change(parts, call, *thing, [&](const Shares& now) -> Result<Shares> { return hand_over(now, to->id, ""); });
  if (!after) return error_reply(after.error());
  json::ArrayBuilder warnings;
  if (of_flow) {
    const auto live = parts.runtime.flows().find(call.parameters[0]);
    if (const Value one = live ? warning_of(call, (*live)->row) : Value(); !one.is_null()) warnings.push(one);
  }
  return json_response(
      200, Value::object({{"value", permissions_view(*after, call.access->accounts(), thing->id, thing->type)},
                          {"warnings", warnings.finish()}}));
}

/// All that somebody owns goes to somebody else: for who leaves.
http::Response hand_all_over(const Parts& parts, const Call& call) {
  const auto body = body_of(call);
  if (!body) return error_reply(body.error());
  const auto to = receiver(call, *body);
  if (!to) return error_reply(to.error());
  const auto& accounts = call.access->accounts();
  const auto from = std::ranges::find(accounts, call.parameters[0], &Account::id);
  if (from == accounts.end())
    return error_reply(make_error("UserNotFound", "There is no such account.", {}, "List the people."));
  if (from->id == to->id)
    return error_reply(make_error("InvalidRequestContent", "Somebody can't be given what is theirs already.", "/to",
                                  "Choose somebody else."));
  const auto rows = parts.store.flows();
  if (!rows) return error_reply(rows.error());
  const auto owns = [&](const Shares& shares) {
    const auto found = shares.find(from->id);
    return found != shares.end() && found->second == Level::own;
  };
  const auto give = [&](const Thing& thing) {
    return change(parts, call, thing,
                  [&](const Shares& now) -> Result<Shares> { return hand_over(now, to->id, from->id); });
  };
  std::vector<store::FlowRow> given;
  for (const store::FlowRow& row : *rows) {
    if (!owns(call.access->shares_of_flow(row.id))) continue;
    if (const auto done = give(thing_of(row)); !done) return error_reply(done.error());
    given.push_back(row);
  }
  std::int64_t connections = 0;
  for (const auto& view : parts.connections.list()) {
    if (!owns(call.access->shares_of(view.key))) continue;
    if (const auto done = give(thing_of(parts, view)); !done) return error_reply(done.error());
    ++connections;
  }
  // Only now are all connections where they belong.
  json::ArrayBuilder warnings;
  for (const store::FlowRow& row : given) {
    if (const Value one = warning_of(call, row); !one.is_null()) warnings.push(one);
  }
  return json_response(200, Value::object({{"flows", static_cast<std::int64_t>(given.size())},
                                           {"connections", connections},
                                           {"warnings", warnings.finish()}}));
}

/// Whom something may be shared with: names alone.
http::Response people(const Parts&, const Call& call) {
  json::ArrayBuilder list;
  for (const Account& one : call.access->accounts())
    list.push(Value::object({{"id", one.id}, {"userName", one.user_name}, {"displayName", one.display_name}}));
  return list_response(list.finish());
}

template <http::Response (*route)(const Parts&, const Call&, bool), bool of_flow>
http::Response of(const Parts& parts, const Call& call) {
  return route(parts, call, of_flow);
}

}  // namespace

std::vector<RouteEntry> sharing_routes() {
  return {
      {"GET", FLOWS "/{flow}/permissions", "read", of<permissions, true>},
      {"POST", FLOWS "/{flow}/modifyPermissions", "write", of<modify_permissions, true>, Level::own},
      {"GET", CONNECTIONS "/{name}/permissions", "read", of<permissions, false>},
      {"POST", CONNECTIONS "/{name}/modifyPermissions", "write", of<modify_permissions, false>, Level::own},
      {"POST", "api/v1/flows/{flow}/owner", "write", of<change_owner, true>, Level::own},
      {"POST", "api/v1/connections/{api}/{name}/owner", "write", of<change_owner, false>, Level::own},
      {"POST", "api/v1/users/{user}/hand-over", "admin", hand_all_over},
      {"GET", "api/v1/people", "write", people},
  };
}

}  // namespace flowmend::api
