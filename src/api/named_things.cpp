#include "api/named_things.h"

#include "connector/reference.h"
#include "connector/registry.h"
#include "connector/text.h"
#include "json/pointer.h"

namespace flowmend::api {

namespace {

using connector::lower_case;

bool is_expression(std::string_view text) {
  return (text.starts_with('@') && !text.starts_with("@@")) || text.find("@{") != std::string_view::npos;
}

/// The key of `@parameters('$connections')['KEY']['connectionId']`, which every exported flow writes; else empty.
std::string connections_key(std::string_view text) {
  constexpr std::string_view begin = "@parameters('$connections')['";
  constexpr std::string_view end = "']['connectionId']";
  if (!text.starts_with(begin) || !text.ends_with(end) || text.size() <= begin.size() + end.size()) return {};
  const auto key = text.substr(begin.size(), text.size() - begin.size() - end.size());
  return key.find_first_of("'[]()") == std::string_view::npos ? std::string(key) : std::string();
}

class Walk {
 public:
  Walk(const Value& references, NamedThings& out) : references_(references), out_(out) {}

  void step(const Value& operation, const std::string& where) {
    const std::string type = lower_case(operation.text_of("type"));
    const Value* inputs = operation.find_ignoring_case("inputs");
    if (type == "workflow" || type == "sendtobatch") return called_flow(inputs, where);
    const bool provider = type == "serviceprovider";
    if (!provider && type.find("apiconnection") == std::string::npos) return;
    const Value* host =
        inputs == nullptr ? nullptr : inputs->find_ignoring_case(provider ? "serviceProviderConfiguration" : "host");
    if (host == nullptr || !host->is_object()) {
      if (inputs != nullptr && inputs->is_string()) out_.connections.push_back({"", "", where, true});
      return;
    }
    connection(*host, where);
  }

  void references() {
    if (!references_.is_object()) return;
    for (const json::Member& member : references_.as_object())
      named(Value::object({{"connectionName", member.key}}), json::join("/connectionReferences", member.name()));
  }

  /// Of a `$connections` value `{key: {connectionId, connectionName, id}}`.
  void connections_value(const Value* value, const std::string& where) {
    if (value == nullptr || value->is_null()) return;
    if (!value->is_object()) {
      out_.connections.push_back({"", "", where, true});
      return;
    }
    for (const json::Member& member : value->as_object()) {
      for (const char* name : {"connectionId", "connectionName"}) {
        const auto text = member.value.text_of(name);
        if (!text.empty()) connection(Value::object({{"connectionName", text}}), json::join(where, member.name()));
      }
    }
  }

 private:
  void connection(const Value& host, const std::string& where) {
    const Value* inner = host.find("connection");
    for (const std::string_view text :
         {host.text_of("connectionName"), host.text_of("apiId"),
          inner == nullptr ? std::string_view() : inner->text_of("referenceName"),
          inner == nullptr ? std::string_view() : inner->text_of("name"),
          inner != nullptr && inner->is_string() ? inner->as_string() : std::string_view()}) {
      if (!is_expression(text)) continue;
      // Its key leads to a reference or into the value of `$connections`: both are looked at by themselves.
      if (!connections_key(text).empty()) return;
      out_.connections.push_back({"", "", where, true});
      return;
    }
    named(host, where);
  }

  void named(const Value& host, const std::string& where) {
    const auto reference = connector::resolve_reference(host, references_);
    if (!reference) return;
    if (is_expression(reference->name) || is_expression(reference->api)) {
      out_.connections.push_back({"", "", where, true});
      return;
    }
    out_.connections.push_back({reference->api, reference->name, where, false});
  }

  void called_flow(const Value* inputs, const std::string& where) {
    const Value* host = inputs == nullptr ? nullptr : inputs->find_ignoring_case("host");
    if (host == nullptr || !host->is_object()) {
      if (inputs != nullptr && inputs->is_string()) out_.flows.push_back({"", "", where, true});
      return;
    }
    std::string_view name = host->text_of("workflowReferenceName");
    if (name.empty()) {
      const Value* workflow = host->find_ignoring_case("workflow");
      if (workflow != nullptr && workflow->is_string()) name = workflow->as_string();
      if (workflow != nullptr && workflow->is_object()) name = workflow->text_of("id");
      if (name.empty()) name = host->text_of("workflowId");
      if (!is_expression(name) && name.rfind('/') != std::string_view::npos) name = name.substr(name.rfind('/') + 1);
    }
    if (!name.empty()) out_.flows.push_back({"", std::string(name), where, is_expression(name)});
  }

  const Value& references_;
  NamedThings& out_;
};

/// Values know their depth, so this ends.
void walk(const Value& value, const std::string& where, Walk& found) {
  if (value.is_object()) {
    if (const Value* type = value.find("type"); type != nullptr && type->is_string()) found.step(value, where);
    for (const json::Member& member : value.as_object()) {
      if (member.value.is_object() || member.value.is_array())
        walk(member.value, json::join(where, member.name()), found);
    }
  } else if (value.is_array()) {
    std::size_t at = 0;
    for (const Value& item : value.as_array()) walk(item, where + "/" + std::to_string(at++), found);
  }
}

}  // namespace

NamedThings named_things(const Value& definition, const Value& references, const Value& parameter_values) {
  NamedThings out;
  Walk found(references, out);
  found.references();
  for (const char* list : {"triggers", "actions"}) {
    if (const Value* steps = definition.find(list)) walk(*steps, std::string("/") + list, found);
  }
  const auto of = [&](const Value* parameters, const char* member, const char* where) {
    const Value* one = parameters == nullptr ? nullptr : parameters->find_ignoring_case("$connections");
    if (one != nullptr && one->is_object()) found.connections_value(one->find(member), where);
  };
  of(&parameter_values, "value", "/properties/parameters/$connections");
  of(definition.find("parameters"), "defaultValue", "/parameters/$connections");
  return out;
}

}  // namespace flowmend::api
