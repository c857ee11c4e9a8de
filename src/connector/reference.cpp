#include "connector/reference.h"

#include "connector/registry.h"
#include "connector/text.h"

namespace flowmend::connector {
namespace {

/// The name behind the last `/connections/` of an address, or the text itself.
std::string name_of(std::string_view text) {
  const std::size_t at = lower_case(text).rfind("/connections/");
  return std::string(at == std::string::npos ? text : text.substr(at + 13));
}

}  // namespace

Result<Reference> resolve_reference(const Value& host, const Value& connection_references) {
  Reference reference;
  std::string_view key = host.text_of("connectionName");
  const Value* connection = host.find("connection");
  if (key.empty() && connection != nullptr) key = connection->text_of("referenceName");
  if (key.empty() && connection != nullptr) key = connection->text_of("name");
  if (const std::string_view api = host.text_of("apiId"); !api.empty()) reference.api = api_name(api);
  if (key.empty()) {
    return make_error("ConnectionNotConfigured", "This step has no connection.", "/inputs/host",
                      "Choose a connection for the step.");
  }
  const Value* stored = connection_references.find_ignoring_case(key);
  if (stored == nullptr && connection_references.is_object()) {
    for (const json::Member& member : connection_references.as_object()) {
      if (member.value.text_of("connectionId") == key) stored = &member.value;
    }
  }
  if (stored == nullptr) {
    reference.name = name_of(key);
    if (reference.api.empty() && key.find("/apis/") != std::string_view::npos) reference.api = api_name(key);
    return reference;
  }
  reference.key = key;
  std::string_view name = stored->text_of("connectionName");
  if (const Value* inner = stored->find("connection"); name.empty() && inner != nullptr) {
    name = inner->text_of("name");
    if (name.empty()) name = inner->text_of("id");
    if (name.empty()) name = inner->text_of("connectionReferenceLogicalName");
  }
  if (name.empty()) name = stored->text_of("connectionId");
  if (reference.api.empty()) {
    std::string_view api = stored->text_of("id");
    if (const Value* inner = stored->find("api"); api.empty() && inner != nullptr) {
      api = inner->text_of("id");
      if (api.empty()) api = inner->text_of("name");
    }
    reference.api = api_name(api);
  }
  if (name.empty()) {
    return make_error("ConnectionNotConfigured",
                      "The connection reference '" + std::string(key) + "' names no connection.",
                      "/connectionReferences", "Choose a connection for the reference.");
  }
  reference.name = name_of(name);
  return reference;
}

}  // namespace flowmend::connector
