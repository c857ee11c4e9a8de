#include "api/access.h"

#include <algorithm>

#include "api/named_things.h"
#include "connector/reference.h"

namespace flowmend::api {

namespace {

constexpr std::size_t accounts_max = 1000;

std::set<std::string> flows_of(const repair::Incident& incident) {
  std::set<std::string> out;
  for (const repair::IncidentPart& part : incident.parts) {
    for (const auto& [id, count] : part.flows) out.insert(id);
    if (!part.last_flow.empty()) out.insert(part.last_flow);
  }
  return out;
}

}  // namespace

Access::Access(const store::Store& store, const connector::Connections& connections, Identity caller)
    : store_(store), connections_(connections), caller_(std::move(caller)) {}

const std::vector<Account>& Access::accounts() const {
  if (!accounts_) {
    accounts_.emplace();
    const auto users = store_.documents({"user", "", "", accounts_max});
    if (users) {
      for (const auto& user : *users) accounts_->push_back(account_of(user));
    }
  }
  return *accounts_;
}

std::optional<Value> Access::document(const std::string& key) const {
  const auto found = store_.document(share_kind, key);
  // A store that can't be read shares nothing.
  if (!found) return Value::empty_object();
  if (!*found) return std::nullopt;
  return (*found)->value;
}

Shares Access::shares_of_flow(std::string_view id) const {
  const auto row = store_.flow(id);
  if (!row || !*row) return {};
  const auto stored = document(share_key((*row)->id));
  return read_shares(stored ? &*stored : nullptr, (*row)->created_by, accounts());
}

Shares Access::shares_of(const connector::ConnectionKey& key) const {
  const auto view = connections_.find(key);
  if (!view) return {};
  const auto stored = document(share_key(key));
  return read_shares(stored ? &*stored : nullptr, view->created_by, accounts());
}

Level Access::level_in(const Shares& shares) const {
  const auto found = shares.find(caller_.account);
  return found == shares.end() ? Level::none : found->second;
}

Level Access::flow(std::string_view id) const {
  if (has_everything()) return Level::own;
  if (const auto known = flows_.find(id); known != flows_.end()) return known->second;
  return flows_.emplace(std::string(id), level_in(shares_of_flow(id))).first->second;
}

Level Access::connection(const connector::ConnectionKey& key) const {
  return has_everything() ? Level::own : level_in(shares_of(key));
}

Level Access::incident(const repair::Incident& incident) const {
  if (has_everything()) return Level::own;
  Level least = Level::own;
  Level most = Level::none;
  for (const std::string& id : flows_of(incident)) {
    least = std::min(least, flow(id));
    most = std::max(most, flow(id));
  }
  Level by_connection = Level::none;
  for (const repair::IncidentPart& part : incident.parts) {
    if (part.connection) by_connection = std::max(by_connection, connection(*part.connection));
  }
  if (most == Level::none) return by_connection;
  return std::max({least, by_connection, Level::use});
}

Value Access::view(const repair::Incident& incident) const {
  const Value whole = repair::incident_view(incident);
  if (has_everything()) return whole;
  json::ObjectBuilder out(whole);
  json::ArrayBuilder flows;
  if (const Value* all = whole.find("flows"); all != nullptr && all->is_array()) {
    for (const Value& one : all->as_array()) {
      if (sees_flow(one.text_of("flow"))) flows.push(one);
    }
  }
  out.set("flows", flows.finish());
  const std::string& last = incident.face().last_flow;
  if (!last.empty() && !sees_flow(last)) {
    // What a run of somebody else's met may hold that flow's data.
    out.remove("lastRun");
    out.remove("action");
    out.set("message", Value("The latest failure was in a flow that is not shared with you."));
  }
  return out.finish();
}

Value Access::foreign_connections(const store::FlowRow& flow) const {
  const auto version = store_.flow_version(flow.id, flow.version);
  json::ArrayBuilder out;
  if (!version || !*version || !(*version)->connection_references.is_object()) return out.finish();
  const Shares owners = shares_of_flow(flow.id);
  for (const json::Member& member : (*version)->connection_references.as_object()) {
    const auto reference = connector::resolve_reference(Value::object({{"connectionName", member.key}}),
                                                        (*version)->connection_references);
    if (!reference) continue;
    const connector::ConnectionKey key{reference->api, reference->name};
    const auto view = connections_.find(key);
    if (!view) continue;
    const Shares shares = shares_of(key);
    bool owned = false;
    bool usable = false;
    for (const auto& [account, level] : owners) {
      if (level != Level::own) continue;
      owned = true;
      const auto person = std::ranges::find(accounts(), account, &Account::id);
      usable = usable || shares.contains(account) || (person != accounts().end() && person->is_administrator);
    }
    if (!owned || usable) continue;
    out.push(Value::object({{"reference", Value(member.name())},
                            {"api", key.api},
                            {"name", key.name},
                            {"displayName", view->display_name}}));
  }
  return out.finish();
}

Result<void> Access::may_save(const Value& definition, const Value& references, const Value& parameter_values,
                              const store::FlowVersionRow* before) const {
  if (has_everything()) return {};
  NamedThings old;
  if (before != nullptr)
    old = named_things(before->definition, before->connection_references, before->parameter_values);
  const auto key_of = [&](const NamedThing& thing) {
    connector::ConnectionKey key{thing.api, thing.name};
    if (key.api.empty()) {
      if (const auto found = connections_.find_by_name(key.name)) key = *found;
    }
    return key;
  };
  const auto was_there = [](const std::vector<NamedThing>& all, const NamedThing& thing) {
    return std::ranges::any_of(all, [&](const NamedThing& one) {
      return one.api == thing.api && one.name == thing.name && one.computed == thing.computed;
    });
  };
  const NamedThings now = named_things(definition, references, parameter_values);
  for (const NamedThing& thing : now.connections) {
    if (was_there(old.connections, thing)) continue;
    if (thing.computed)
      return make_error("ConnectionNotShared",
                        "This step works out at run time which connection it uses, so nobody can tell whether it is "
                        "yours.",
                        thing.where, "Name the connection reference in the step's 'host', or ask an administrator.");
    const auto key = key_of(thing);
    const auto view = connections_.find(key);
    // One that does not exist is no secret; the step fails when it runs.
    if (!view || connection(key) >= Level::use) continue;
    return make_error("ConnectionNotShared", "The connection '" + key.name + "' is not shared with you.", thing.where,
                      "Choose one of your own, or ask its owner to share it with you.");
  }
  for (const NamedThing& thing : now.flows) {
    if (was_there(old.flows, thing)) continue;
    if (thing.computed)
      return make_error("FlowNotShared",
                        "This step works out at run time which flow it calls, so nobody can tell whether you may.",
                        thing.where, "Name the flow in the step's 'host', or ask an administrator.");
    const auto rows = store_.flows();
    if (!rows) return rows.error();
    for (const store::FlowRow& row : *rows) {
      const auto is = [&](const std::string& text) { return http::same_name(text, thing.name); };
      if (!is(row.id) && !is(row.workflow_id) && !is(row.display_name)) continue;
      if (flow(row.id) >= Level::use) continue;
      return make_error("FlowNotShared", "The flow '" + thing.name + "' that this step calls is not shared with you.",
                        thing.where, "Call one of your own, or ask its owner to share it with you.");
    }
  }
  return {};
}

bool may_hear(store::Transaction& transaction, const store::Document& user, const repair::Incident& incident) {
  const Account account = account_of(user);
  if (account.is_administrator) return true;
  if (user.value.text_of("state") == "disabled") return false;
  const auto sees = [&](const std::string& key, std::string_view maker) {
    const auto stored = transaction.document(share_kind, key);
    const Shares shares = read_shares(stored ? &stored->value : nullptr, maker, {account});
    return shares.contains(account.id);
  };
  const repair::IncidentPart& face = incident.face();
  if (!face.last_flow.empty()) {
    const auto flow = transaction.flow(face.last_flow);
    return flow && sees(share_key(flow->id), flow->created_by);
  }
  if (face.connection) {
    const auto stored = transaction.document("connection", face.connection->api + "/" + face.connection->name);
    return stored && sees(share_key(*face.connection), stored->value.text_of("createdBy"));
  }
  for (const auto& [id, count] : face.flows) {
    const auto flow = transaction.flow(id);
    if (flow && sees(share_key(flow->id), flow->created_by)) return true;
  }
  return false;
}

}  // namespace flowmend::api
