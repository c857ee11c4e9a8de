#include <algorithm>
#include <array>
#include <unordered_set>

#include "connector/document.h"
#include "connector/text.h"
#include "json/pointer.h"

namespace flowmend::connector {
namespace {

constexpr int reference_depth_max = 32;

/// The extensions that mean something to us or that others use: a name of this list is never taken for a misspelt
/// other.
constexpr std::array<std::string_view, 26> known_extensions = {"x-ms-summary",
                                                               "x-ms-visibility",
                                                               "x-ms-url-encoding",
                                                               "x-ms-dynamic-values",
                                                               "x-ms-dynamic-list",
                                                               "x-ms-dynamic-schema",
                                                               "x-ms-dynamic-properties",
                                                               "x-ms-dynamic-tree",
                                                               "x-ms-trigger",
                                                               "x-ms-trigger-hint",
                                                               "x-ms-trigger-metadata",
                                                               "x-ms-trigger-value",
                                                               "x-ms-notification-content",
                                                               "x-ms-notification-url",
                                                               "x-ms-capabilities",
                                                               "x-ms-no-generic-test",
                                                               "x-ms-api-annotation",
                                                               "x-ms-pageable",
                                                               "x-ms-media-kind",
                                                               "x-ms-connector-metadata",
                                                               "x-ms-enum-values",
                                                               "x-ms-enum",
                                                               "x-ms-test-value",
                                                               "x-ms-safe-operation",
                                                               "x-ms-operation-context",
                                                               "x-ms-secret"};

std::string normalised(std::string_view key) {
  std::string out;
  for (const char c : key) {
    if (c != ' ') out += c;
  }
  return lower_case(out);
}

bool within_two_edits(std::string_view a, std::string_view b) {
  if (a.size() > b.size() + 2 || b.size() > a.size() + 2 || a.size() > 63) return false;
  std::array<std::size_t, 68> row{};
  for (std::size_t j = 0; j <= b.size(); ++j) row[j] = j;
  for (std::size_t i = 1; i <= a.size(); ++i) {
    std::size_t diagonal = row[0];
    row[0] = i;
    for (std::size_t j = 1; j <= b.size(); ++j) {
      const std::size_t above = row[j];
      row[j] = std::min({above + 1, row[j - 1] + 1, diagonal + (a[i - 1] == b[j - 1] ? 0 : 1)});
      diagonal = above;
    }
  }
  return row[b.size()] <= 2;
}

bool means(std::string_view written, std::string_view name) {
  const std::string key = normalised(written);
  if (key == name) return true;
  if (name == "x-ms-summary" && (key == "x-ntx-summary" || key == "x-summary" || key == "x-ms-summarytitle"))
    return true;
  if (!key.starts_with("x-ms-")) return false;
  if (std::find(known_extensions.begin(), known_extensions.end(), key) != known_extensions.end()) return false;
  return within_two_edits(key, name);
}

const Value* resolve_reference(const Value& document, const Value& schema) {
  const Value* reference = schema.find("$ref");
  if (reference == nullptr || !reference->is_string()) return nullptr;
  const std::string_view text = reference->as_string();
  if (!text.starts_with("#/")) return nullptr;
  return json::resolve(document, percent_decode(text.substr(1)));
}

void visit_level(const Value& document, const Value& schema, int depth, std::unordered_set<std::string>& seen,
                 const std::function<void(std::string_view, const Value&, bool)>& visit) {
  if (depth > reference_depth_max) return;
  const Value& resolved = resolve_schema(document, schema);
  if (const Value* parts = resolved.find("allOf"); parts != nullptr && parts->is_array()) {
    for (const Value& part : parts->as_array()) visit_level(document, part, depth + 1, seen, visit);
  }
  const Value* properties = resolved.find("properties");
  if (properties == nullptr || !properties->is_object()) return;
  const Value* required = resolved.find("required");
  for (const json::Member& member : properties->as_object()) {
    if (!seen.insert(std::string(member.name())).second) continue;
    bool needed = false;
    if (required != nullptr && required->is_array()) {
      for (const Value& name : required->as_array())
        needed = needed || (name.is_string() && name.as_string() == member.name());
    }
    if (const Value* own = member.value.find("required"); own != nullptr && own->is_boolean())
      needed = own->as_boolean();
    visit(member.name(), member.value, needed);
  }
}

}  // namespace

const Value& resolve_schema(const Value& document, const Value& schema) {
  const Value* current = &schema;
  for (int i = 0; i < reference_depth_max; ++i) {
    const Value* target = resolve_reference(document, *current);
    if (target == nullptr) return *current;
    current = target;
  }
  return *current;
}

void visit_properties(const Value& document, const Value& schema,
                      const std::function<void(std::string_view, const Value&, bool)>& visit) {
  std::unordered_set<std::string> seen;
  visit_level(document, schema, 0, seen, visit);
}

std::string schema_type(const Value& document, const Value& schema) {
  const Value& resolved = resolve_schema(document, schema);
  if (const Value* type = resolved.find("type"); type != nullptr) {
    if (type->is_string()) return lower_case(type->as_string());
    if (type->is_array()) {
      for (const Value& one : type->as_array()) {
        if (one.is_string() && one.as_string() != "null") return lower_case(one.as_string());
      }
    }
  }
  if (resolved.find("properties") != nullptr || resolved.find("allOf") != nullptr) return "object";
  if (resolved.find("items") != nullptr) return "array";
  return {};
}

const Value* extension(const Value& holder, std::string_view name) {
  if (const Value* exact = holder.find(name)) return exact;
  if (!holder.is_object()) return nullptr;
  for (const json::Member& member : holder.as_object()) {
    const std::string_view key = member.name();
    if (!key.empty() && (key.front() == 'x' || key.front() == 'X') && means(key, name)) return &member.value;
  }
  return nullptr;
}

Visibility visibility_of(const Value& holder) {
  const Value* value = extension(holder, "x-ms-visibility");
  if (value == nullptr || !value->is_string()) return Visibility::none;
  if (equals_ignoring_case(value->as_string(), "important")) return Visibility::important;
  if (equals_ignoring_case(value->as_string(), "advanced")) return Visibility::advanced;
  if (equals_ignoring_case(value->as_string(), "internal")) return Visibility::internal;
  return Visibility::none;
}

}  // namespace flowmend::connector
