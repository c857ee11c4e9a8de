#include <algorithm>
#include <set>

#include "connector/gallery/gallery.h"
#include "json/pointer.h"

namespace flowmend::connector {
namespace {

/// Compares two places of two documents, through references: a definition that changed changes what refers to it.
class Comparison {
 public:
  Comparison(const Value& before, const Value& after) : before_(before), after_(after) {}

  bool same(const Value& before, const Value& after) {
    if (before.is_array() && after.is_array()) {
      return std::equal(before.as_array().begin(), before.as_array().end(), after.as_array().begin(),
                        after.as_array().end(), [&](const Value& a, const Value& b) { return same(a, b); });
    }
    if (!before.is_object() || !after.is_object()) return before == after;
    if (before.size() != after.size()) return false;
    for (const json::Member& member : before.as_object()) {
      const Value* other = after.find(member.name());
      if (other == nullptr || !same(member.value, *other)) return false;
    }
    const std::string_view reference = before.text_of("$ref");
    if (reference.empty()) return true;
    // Definitions may refer to themselves: each is looked at once.
    if (!seen_.insert(std::string(reference)).second) return true;
    return same(resolve_schema(before_, before), resolve_schema(after_, after));
  }

  /// Each operation anew: a difference that was found must be found again for the next one.
  void forget() { seen_.clear(); }

 private:
  const Value& before_;
  const Value& after_;
  std::set<std::string> seen_;
};

/// The path item's shared parameters count as the operation's.
const Value* path_item(const Connector& connector, const Operation& operation) {
  return json::resolve(connector.swagger, operation.pointer.substr(0, operation.pointer.rfind('/')));
}

bool same_operation(Comparison& comparison, const Connector& a, const Operation& before, const Connector& b,
                    const Operation& after) {
  comparison.forget();
  static const Value none;
  const auto or_none = [](const Value* value) -> const Value& { return value == nullptr ? none : *value; };
  if (before.method != after.method || before.path != after.path) return false;
  if (before.unavailable.code != after.unavailable.code) return false;
  if (!comparison.same(or_none(json::resolve(a.swagger, before.pointer)),
                       or_none(json::resolve(b.swagger, after.pointer))))
    return false;
  const Value* item_before = path_item(a, before);
  const Value* item_after = path_item(b, after);
  return comparison.same(or_none(item_before == nullptr ? nullptr : item_before->find("parameters")),
                         or_none(item_after == nullptr ? nullptr : item_after->find("parameters")));
}

bool wants(const OperationParameter& parameter) {
  return parameter.required && parameter.default_value.is_null() && parameter.enumeration.size() != 1 &&
         parameter.visibility != Visibility::internal;
}

std::vector<std::string> wanted_of(const Connector& connector, const Operation& operation) {
  std::vector<std::string> out;
  for (const OperationParameter& parameter : operation.parameters) {
    if (wants(parameter)) out.push_back(parameter.name);
    if (parameter.place != ParameterPlace::body) continue;
    visit_properties(
        connector.swagger, parameter.schema, [&](std::string_view name, const Value& property, bool required) {
          if (required && property.find("default") == nullptr && visibility_of(property) != Visibility::internal)
            out.push_back(parameter.name + "/" + std::string(name));
        });
  }
  return out;
}

}  // namespace

ConnectorChange compare_connectors(const Connector& before, const Connector& after) {
  ConnectorChange change;
  Comparison comparison(before.swagger, after.swagger);
  for (const Operation& operation : before.operations) {
    const Operation* now = after.find_operation(operation.id);
    if (now == nullptr) {
      change.removed.push_back(operation.id);
      continue;
    }
    if (same_operation(comparison, before, operation, after, *now)) continue;
    change.changed.push_back(operation.id);
    const auto wanted_before = wanted_of(before, operation);
    for (const std::string& name : wanted_of(after, *now)) {
      if (std::find(wanted_before.begin(), wanted_before.end(), name) == wanted_before.end())
        change.newly_required.push_back(operation.id + ": " + name);
    }
  }
  for (const Operation& operation : after.operations) {
    if (before.find_operation(operation.id) == nullptr) change.added.push_back(operation.id);
  }
  return change;
}

}  // namespace flowmend::connector
