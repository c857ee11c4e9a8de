#include "api/repoint.h"

#include "api/named_things.h"
#include "connector/reference.h"
#include "connector/registry.h"
#include "connector/text.h"

namespace flowmend::api {
namespace {

class Repoint {
 public:
  Repoint(const connector::ConnectionKey& from, const std::string& to) : from_(from), to_(to) {}

  Value references(const Value& references) const {
    if (!references.is_object()) return references;
    json::ObjectBuilder out(references);
    for (const json::Member& member : references.as_object()) {
      const auto led = connector::resolve_reference(Value::object({{"connectionName", member.key}}), references);
      if (led && is_from(led->api, led->name)) out.set(member.name(), names_in(member.value));
    }
    return out.finish();
  }

  /// `{key: {connectionId, connectionName, id}}`.
  Value connections_value(const Value& value) const {
    if (!value.is_object()) return value;
    json::ObjectBuilder out(value);
    for (const json::Member& member : value.as_object()) {
      const std::string_view id = member.value.text_of("id");
      if (id.empty() || connector::api_name(id) == from_.api) out.set(member.name(), names_in(member.value));
    }
    return out.finish();
  }

  bool is_from(const std::string& api, const std::string& name) const {
    return name == from_.name && (api.empty() || api == from_.api);
  }

 private:
  /// The address or the name with the other connection at its end, when it ends in this one.
  std::string renamed(std::string_view text) const {
    const std::size_t at = connector::lower_case(text).rfind("/connections/");
    const std::size_t name = at == std::string::npos ? 0 : at + std::string_view("/connections/").size();
    return text.substr(name) == from_.name ? std::string(text.substr(0, name)) + to_ : std::string(text);
  }

  Value names_in(const Value& reference) const {
    if (!reference.is_object()) return reference;
    json::ObjectBuilder out(reference);
    for (const char* name : {"connectionName", "connectionId", "name", "connectionReferenceLogicalName"}) {
      const std::string_view text = reference.text_of(name);
      if (!text.empty()) out.set(name, Value(renamed(text)));
    }
    if (const Value* inner = reference.find("connection"); inner != nullptr && inner->is_object()) {
      json::ObjectBuilder changed(names_in(*inner));
      if (const std::string_view id = inner->text_of("id"); !id.empty()) changed.set("id", Value(renamed(id)));
      out.set("connection", changed.finish());
    }
    return out.finish();
  }

  const connector::ConnectionKey& from_;
  const std::string& to_;
};

}  // namespace

Repointed repoint(const Value& definition, const Value& references, const Value& parameter_values,
                  const connector::ConnectionKey& from, const std::string& to) {
  const Repoint change(from, to);
  const auto where_led = [&](const Repointed& now, bool by_step) {
    for (const NamedThing& thing : named_things(definition, now.references, now.parameter_values).connections) {
      const bool of_step = thing.where.starts_with("/triggers") || thing.where.starts_with("/actions");
      if (!thing.computed && change.is_from(thing.api, thing.name) && (of_step || !by_step)) return thing.where;
    }
    return std::string();
  };
  Repointed out;
  out.references = references;
  out.parameter_values = parameter_values;
  out.uses = !where_led(out, false).empty();
  if (!out.uses) return out;
  out.references = change.references(references);
  const Value* parameter = parameter_values.is_object() ? parameter_values.find_ignoring_case("$connections") : nullptr;
  if (parameter != nullptr && parameter->is_object()) {
    json::ObjectBuilder values(parameter_values);
    json::ObjectBuilder connections(*parameter);
    if (const Value* value = parameter->find("value")) connections.set("value", change.connections_value(*value));
    values.set("$connections", connections.finish());
    out.parameter_values = values.finish();
  }
  if (!where_led(out, true).empty()) {
    json::ObjectBuilder with_name(out.references.is_object() ? out.references : Value::empty_object());
    with_name.set(from.name, Value::object({{"connectionName", Value(to)},
                                            {"id", Value("/providers/Microsoft.PowerApps/apis/" + from.api)},
                                            {"source", Value("Embedded")}}));
    out.references = with_name.finish();
  }
  out.still_at = where_led(out, false);
  return out;
}

}  // namespace flowmend::api
