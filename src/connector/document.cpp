#include "connector/document.h"

#include <algorithm>
#include <array>
#include <unordered_map>
#include <unordered_set>

#include "connector/lenient.h"
#include "connector/openapi3.h"
#include "connector/read_policy.h"
#include "connector/text.h"
#include "json/parse.h"
#include "json/pointer.h"

namespace flowmend::connector {
namespace {

constexpr std::array<std::string_view, 7> methods = {"get", "post", "put", "patch", "delete", "head", "options"};

bool truthy(const Value* value) {
  if (value == nullptr) return false;
  if (value->is_boolean()) return value->as_boolean();
  return value->is_string() && equals_ignoring_case(value->as_string(), "true");
}

std::string slug_of(std::string_view title) {
  std::string slug;
  for (const char c : lower_case(title)) {
    if ((c >= 'a' && c <= 'z') || (c >= '0' && c <= '9')) slug += c;
  }
  return slug.empty() ? "connector" : slug;
}

class Loader {
 public:
  Loader(const Value& swagger, const Value& properties, const LoadOptions& options)
      : swagger_(swagger), properties_(properties), options_(options) {}

  Loaded run();

 private:
  void error(std::string pointer, std::string code, std::string message, std::string cure) {
    diagnostics_.push_back({std::move(pointer), Severity::error, std::move(code), std::move(message), std::move(cure)});
  }
  void warn(std::string pointer, std::string code, std::string message, std::string cure) {
    diagnostics_.push_back(
        {std::move(pointer), Severity::warning, std::move(code), std::move(message), std::move(cure)});
  }

  void read_catalogue();
  void read_address();
  void read_security();
  void read_paths();
  void read_operation(std::string_view path, std::string_view method, const Value& item, const Value& definition,
                      const std::string& pointer);
  bool read_parameters(Operation& operation, const Value& list, const std::string& pointer, bool of_operation);
  bool read_parameter(Operation& operation, const Value& written, const std::string& pointer);
  void add_undeclared_path_parameters(Operation& operation);
  bool references_hold(const Value& schema, std::unordered_set<std::string>& seen, std::string& broken) const;
  void read_reply(Operation& operation, const Value& definition) const;
  void read_properties();
  void read_parameter_sets(const Value& sets);
  void make_parameter_sets();
  static std::vector<ConnectionParameter> read_connection_parameters(const Value& parameters);
  void derive_connection_parameters();
  void read_policies(const Value& list);
  void refuse_policy(const Value& instance, const std::string& pointer);
  void read_polling(const Value& parameters);
  void read_trigger_value(const Operation& operation, const std::string& name, const Value& written);
  void mark_scripts(const Value& properties);
  void read_capabilities();

  const Value& swagger_;
  const Value& properties_;
  const LoadOptions& options_;
  std::shared_ptr<Connector> connector_ = std::make_shared<Connector>();
  std::unordered_map<std::string, int> ids_;
  std::vector<std::pair<ParameterSet, std::vector<ConnectionParameter>>> sets_;
  Diagnostics diagnostics_;
};

Loaded Loader::run() {
  if (!swagger_.is_object()) {
    error("", "ConnectorJsonInvalid", "The connector's definition is not a JSON object.",
          "Give an OpenAPI 2.0 document.");
    return {nullptr, std::move(diagnostics_)};
  }
  const Value* version = swagger_.find("swagger");
  const std::string version_text = version == nullptr ? std::string() : text_of_value(*version);
  if (version_text != "2.0" && version_text != "2") {
    const bool is_openapi = swagger_.find("openapi") != nullptr;
    error(is_openapi ? "/openapi" : "/swagger", "ConnectorFormatUnsupported",
          is_openapi ? "This version of OpenAPI is not known." : "The document does not say \"swagger\": \"2.0\".",
          "Convert it to OpenAPI 2.0, 3.0 or 3.1 (JSON).");
    return {nullptr, std::move(diagnostics_)};
  }
  connector_->swagger = swagger_;
  connector_->properties = properties_;
  connector_->native = options_.native;
  read_catalogue();
  read_address();
  read_security();
  read_paths();
  if (connector_->operations.empty()) {
    error("/paths", "ConnectorNoOperations", "The document has no operation that can be read.",
          "Give at least one path with a method.");
    return {nullptr, std::move(diagnostics_)};
  }
  read_properties();
  read_capabilities();
  const bool host_by_policy = std::any_of(connector_->policies.begin(), connector_->policies.end(),
                                          [](const Policy& policy) { return policy.kind == Policy::Kind::host_url; });
  if (connector_->host.empty() && !host_by_policy && connector_->native == nullptr) {
    warn("/host", "ConnectorHostMissing", "The document names no host.",
         "Enter the service's address with the connection.");
  }
  make_parameter_sets();
  return {connector_, std::move(diagnostics_)};
}

void Loader::read_catalogue() {
  const Value* info = swagger_.find("info");
  if (info != nullptr) {
    connector_->title = trim(info->text_of("title"));
    connector_->description = info->text_of("description");
    connector_->version = info->text_of("version");
  }
  connector_->name = options_.name.empty() ? "shared_" + slug_of(connector_->title) : options_.name;
  if (connector_->title.empty()) connector_->title = connector_->name;
}

void Loader::read_address() {
  const std::vector<std::string> schemes = text_list(swagger_.find("schemes"));
  const bool http_only =
      !schemes.empty() && std::none_of(schemes.begin(), schemes.end(),
                                       [](const std::string& scheme) { return equals_ignoring_case(scheme, "https"); });
  connector_->scheme = http_only ? "http" : "https";

  std::string host(trim(swagger_.text_of("host")));
  if (const std::size_t scheme_end = host.find("://"); scheme_end != std::string::npos) {
    warn("/host", "ConnectorHostRepaired", "The host '" + host + "' holds a scheme.", "Write the host alone.");
    connector_->scheme = lower_case(host.substr(0, scheme_end));
    host.erase(0, scheme_end + 3);
  }
  while (!host.empty() && host.back() == '/') host.pop_back();
  if (host.find_first_of("{}<>[] ") != std::string::npos && !host.starts_with('[')) {
    warn("/host", "ConnectorHostMissing", "The host '" + host + "' is a placeholder.",
         "Enter the service's address with the connection.");
    host.clear();
  }
  connector_->host = host;

  std::string base(trim(swagger_.text_of("basePath")));
  while (!base.empty() && base.back() == '/') base.pop_back();
  if (!base.empty() && base.front() != '/') base.insert(base.begin(), '/');
  connector_->base_path = base;
}

void Loader::read_security() {
  if (const Value* definitions = swagger_.find("securityDefinitions");
      definitions != nullptr && definitions->is_object()) {
    for (const json::Member& member : definitions->as_object()) {
      SecurityDefinition definition;
      definition.id = member.name();
      const std::string_view type = member.value.text_of("type");
      definition.name = member.value.text_of("name");
      if (equals_ignoring_case(type, "apiKey")) {
        definition.kind = equals_ignoring_case(member.value.text_of("in"), "query")
                              ? SecurityDefinition::Kind::api_key_query
                              : SecurityDefinition::Kind::api_key_header;
        if (definition.name.empty()) definition.name = "Authorization";
      } else if (equals_ignoring_case(type, "basic")) {
        definition.kind = SecurityDefinition::Kind::basic;
      } else if (equals_ignoring_case(type, "oauth2")) {
        definition.kind = SecurityDefinition::Kind::oauth2;
      } else {
        warn(json::join("/securityDefinitions", member.name()), "ConnectorSecurityUnknown",
             "The security definition '" + definition.id + "' has the unknown type '" + std::string(type) + "'.",
             "Use apiKey, basic or oauth2.");
        continue;
      }
      connector_->security_definitions.push_back(std::move(definition));
    }
  }
  const auto flatten = [](const Value* list, std::vector<std::string>& into) {
    if (list == nullptr || !list->is_array()) return;
    for (const Value& one : list->as_array()) {
      if (!one.is_object()) continue;
      for (const json::Member& member : one.as_object()) into.emplace_back(member.name());
    }
  };
  flatten(swagger_.find("security"), connector_->security);
}

void Loader::read_paths() {
  const Value* paths = swagger_.find("paths");
  if (paths == nullptr || !paths->is_object()) return;
  for (const json::Member& path : paths->as_object()) {
    const std::string pointer = json::join("/paths", path.name());
    if (!path.value.is_object()) {
      warn(pointer, "ConnectorPathIgnored", "This path is not an object.", "Correct or remove it.");
      continue;
    }
    for (const json::Member& entry : path.value.as_object()) {
      const std::string method = lower_case(entry.name());
      if (std::find(methods.begin(), methods.end(), method) == methods.end()) continue;
      if (!entry.value.is_object()) {
        warn(json::join(pointer, entry.name()), "ConnectorOperationIgnored", "This operation is not an object.",
             "Correct or remove it.");
        continue;
      }
      read_operation(path.name(), method, path.value, entry.value, json::join(pointer, entry.name()));
    }
  }
}

void Loader::read_operation(std::string_view path, std::string_view method, const Value& item, const Value& definition,
                            const std::string& pointer) {
  Operation operation;
  operation.pointer = pointer;
  for (const char c : method) operation.method += static_cast<char>(c - 'a' + 'A');
  operation.path = path;
  if (const std::size_t fragment = operation.path.find('#'); fragment != std::string::npos)
    operation.path.resize(fragment);
  if (const std::size_t query = operation.path.find('?'); query != std::string::npos) {
    std::string_view rest = std::string_view(operation.path).substr(query + 1);
    while (!rest.empty()) {
      const std::string_view pair = rest.substr(0, rest.find('&'));
      rest.remove_prefix(std::min(rest.size(), pair.size() + 1));
      const std::size_t equals = pair.find('=');
      if (pair.empty()) continue;
      operation.fixed_query.emplace_back(
          percent_decode(pair.substr(0, equals)),
          equals == std::string_view::npos ? "" : percent_decode(pair.substr(equals + 1)));
    }
    operation.path.resize(query);
  }
  if (operation.path.empty() || operation.path.front() != '/') operation.path.insert(operation.path.begin(), '/');

  operation.id = trim(definition.text_of("operationId"));
  if (operation.id.empty()) {
    std::string made = std::string(method);
    bool upper = true;
    for (const char c : operation.path) {
      const bool word = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
      if (word) made += upper && c >= 'a' && c <= 'z' ? static_cast<char>(c - 'a' + 'A') : c;
      upper = !word;
    }
    operation.id = made;
    warn(pointer, "ConnectorOperationIdMissing", "This operation has no operationId; it is called '" + made + "' here.",
         "Give it an operationId.");
  }
  if (const int seen = ids_[lower_case(operation.id)]++; seen > 0) {
    const std::string renamed = operation.id + "_" + std::to_string(seen + 1);
    warn(json::join(pointer, "operationId"), "ConnectorDuplicateOperation",
         "The operationId '" + operation.id + "' is used twice; this one is called '" + renamed + "' here.",
         "Give each operation an id of its own.");
    operation.id = renamed;
  }

  operation.summary = definition.text_of("summary");
  operation.description = definition.text_of("description");
  operation.consumes = text_list(definition.find("consumes"));
  if (operation.consumes.empty()) operation.consumes = text_list(swagger_.find("consumes"));
  operation.produces = text_list(definition.find("produces"));
  if (operation.produces.empty()) operation.produces = text_list(swagger_.find("produces"));
  operation.deprecated = truthy(definition.find("deprecated"));
  operation.internal = visibility_of(definition) == Visibility::internal;
  operation.safe = truthy(extension(definition, "x-ms-safe-operation"));
  operation.no_generic_test = truthy(extension(definition, "x-ms-no-generic-test"));
  operation.trigger = extension(definition, "x-ms-trigger") != nullptr;
  if (const Value* pageable = extension(definition, "x-ms-pageable")) {
    operation.next_link_name = pageable->text_of("nextLinkName");
    operation.items_name = pageable->text_of("itemName");
  }
  if (const Value* security = definition.find("security"); security != nullptr && security->is_array()) {
    operation.security_off = security->size() == 0;
    for (const Value& one : security->as_array()) {
      if (!one.is_object()) continue;
      for (const json::Member& member : one.as_object()) operation.security.emplace_back(member.name());
    }
  }

  bool good = true;
  if (const Value* list = definition.find("parameters")) {
    good = read_parameters(operation, *list, json::join(pointer, "parameters"), true) && good;
  }
  if (const Value* list = item.find("parameters")) {
    good = read_parameters(operation, *list, json::join(json::join("/paths", path), "parameters"), false) && good;
  }
  if (!good) return;  // read_parameters said why
  add_undeclared_path_parameters(operation);
  read_reply(operation, definition);
  connector_->operations.push_back(std::move(operation));
}

bool Loader::read_parameters(Operation& operation, const Value& list, const std::string& pointer, bool of_operation) {
  if (!list.is_array()) {
    warn(pointer, "ConnectorParametersIgnored", "'parameters' is not an array.", "Write a list of parameters.");
    return true;
  }
  std::size_t index = 0;
  for (const Value& written : list.as_array()) {
    const std::string place = json::join(pointer, index++);
    const Value& parameter = resolve_schema(swagger_, written);
    if (parameter.find("$ref") != nullptr) {
      warn(place, "ConnectorReferenceBroken",
           "'" + std::string(parameter.text_of("$ref")) + "' leads nowhere, so operation '" + operation.id +
               "' is left out.",
           "Correct the reference; only references inside the document are followed.");
      return false;
    }
    if (!of_operation) {
      // The operation's own declaration wins over the path item's.
      const std::string_view name = parameter.text_of("name");
      const bool is_body = equals_ignoring_case(parameter.text_of("in"), "body");
      if ((is_body && operation.body() != nullptr) || (!is_body && operation.find(name) != nullptr)) continue;
    }
    if (!read_parameter(operation, parameter, place)) return false;
  }
  return true;
}

bool Loader::read_parameter(Operation& operation, const Value& written, const std::string& pointer) {
  OperationParameter parameter;
  parameter.name = written.text_of("name");
  parameter.written = written;
  const std::string place = lower_case(trim(written.text_of("in")));
  if (const Value* value = extension(written, "x-ms-trigger-value"); value != nullptr && place == "query")
    read_trigger_value(operation, parameter.name, *value);
  if (place == "path") {
    parameter.place = ParameterPlace::path;
  } else if (place == "query") {
    parameter.place = ParameterPlace::query;
  } else if (place == "header") {
    parameter.place = ParameterPlace::header;
  } else if (place == "body") {
    parameter.place = ParameterPlace::body;
  } else if (place == "formdata") {
    parameter.place = ParameterPlace::form_data;
  } else {
    warn(pointer, "ConnectorParameterIgnored",
         "A parameter of operation '" + operation.id + "' says neither path, query, header, body nor formData.",
         "Give it 'in'.");
    return true;
  }
  if (parameter.name.empty()) {
    if (parameter.place != ParameterPlace::body) {
      warn(pointer, "ConnectorParameterIgnored", "A parameter of operation '" + operation.id + "' has no name.",
           "Name it.");
      return true;
    }
    parameter.name = "body";
  }
  // A parameter that is declared for a path but does not stand in it has no effect.
  if (parameter.place == ParameterPlace::path && operation.path.find("{" + parameter.name + "}") == std::string::npos)
    return true;

  static const std::unordered_set<std::string> types = {"string", "integer", "number", "boolean",
                                                        "array",  "object",  "file"};
  parameter.type = lower_case(written.text_of("type", "string"));
  if (!types.contains(parameter.type)) parameter.type = "string";
  parameter.format = lower_case(written.text_of("format"));
  parameter.collection_format = lower_case(written.text_of("collectionFormat"));
  parameter.required = truthy(written.find("required")) || parameter.place == ParameterPlace::path;
  parameter.allow_empty = truthy(written.find("allowEmptyValue"));
  parameter.visibility = visibility_of(written);
  parameter.notification_url = truthy(extension(written, "x-ms-notification-url"));
  parameter.secret = truthy(extension(written, "x-ms-secret")) || parameter.format == "password";
  if (const Value* encoding = extension(written, "x-ms-url-encoding"); encoding != nullptr && encoding->is_string()) {
    parameter.double_encoding = equals_ignoring_case(encoding->as_string(), "double");
  }
  if (const Value* summary = extension(written, "x-ms-summary"); summary != nullptr && summary->is_string()) {
    parameter.summary = summary->as_string();
  }
  if (const Value* value = written.find("default")) parameter.default_value = *value;
  if (const Value* list = written.find("enum"); list != nullptr && list->is_array()) parameter.enumeration = *list;
  if (parameter.place == ParameterPlace::body) {
    if (operation.body() != nullptr) {
      warn(pointer, "ConnectorParameterIgnored", "Operation '" + operation.id + "' declares a second body.",
           "Keep one.");
      return true;
    }
    if (const Value* schema = written.find("schema")) parameter.schema = *schema;
    parameter.type = schema_type(swagger_, parameter.schema);
    std::unordered_set<std::string> seen;
    std::string broken;
    if (!references_hold(parameter.schema, seen, broken)) {
      warn(json::join(pointer, "schema"), "ConnectorReferenceBroken",
           "'" + broken + "' leads nowhere, so operation '" + operation.id + "' is left out.",
           "Correct the reference; only references inside the document are followed.");
      return false;
    }
  }
  operation.parameters.push_back(std::move(parameter));
  return true;
}

bool Loader::references_hold(const Value& schema, std::unordered_set<std::string>& seen, std::string& broken) const {
  if (schema.is_array()) {
    for (const Value& part : schema.as_array()) {
      if (!references_hold(part, seen, broken)) return false;
    }
    return true;
  }
  if (!schema.is_object()) return true;
  if (const Value* reference = schema.find("$ref"); reference != nullptr && reference->is_string()) {
    const std::string text(reference->as_string());
    if (!seen.insert(text).second) return true;
    const Value& target = resolve_schema(swagger_, schema);
    if (target.find("$ref") != nullptr && target.find("$ref")->is_string()) {
      broken = text;
      return false;
    }
    return references_hold(target, seen, broken);
  }
  for (const std::string_view key : {"properties", "items", "allOf", "additionalProperties"}) {
    const Value* part = schema.find(key);
    if (part == nullptr) continue;
    if (key == "properties" && part->is_object()) {
      for (const json::Member& member : part->as_object()) {
        if (!references_hold(member.value, seen, broken)) return false;
      }
    } else if (!references_hold(*part, seen, broken)) {
      return false;
    }
  }
  return true;
}

void Loader::add_undeclared_path_parameters(Operation& operation) {
  std::size_t at = 0;
  while ((at = operation.path.find('{', at)) != std::string::npos) {
    const std::size_t close = operation.path.find('}', at);
    if (close == std::string::npos) return;
    const std::string name = operation.path.substr(at + 1, close - at - 1);
    at = close + 1;
    const bool declared = std::any_of(
        operation.parameters.begin(), operation.parameters.end(),
        [&](const auto& parameter) { return parameter.place == ParameterPlace::path && parameter.name == name; });
    if (declared || name.empty()) continue;
    OperationParameter parameter;
    parameter.name = name;
    parameter.place = ParameterPlace::path;
    parameter.required = true;
    warn(operation.pointer, "ConnectorPathParameterAdded",
         "The path names '{" + name + "}', which operation '" + operation.id +
             "' does not declare; it is taken as a text.",
         "Declare the parameter.");
    operation.parameters.push_back(std::move(parameter));
  }
}

void Loader::read_reply(Operation& operation, const Value& definition) const {
  const Value* responses = definition.find("responses");
  if (responses == nullptr || !responses->is_object()) return;
  for (const json::Member& member : responses->as_object()) {
    if (!member.name().starts_with('2')) continue;
    const Value& response = resolve_schema(swagger_, member.value);
    const Value* schema = response.find("schema");
    if (schema == nullptr) continue;
    const Value& resolved = resolve_schema(swagger_, *schema);
    const std::string type = schema_type(swagger_, resolved);
    const std::string format = lower_case(resolved.text_of("format"));
    operation.file_reply = operation.file_reply || type == "file";
    operation.binary_reply = operation.binary_reply || (type == "string" && (format == "binary" || format == "byte"));
  }
}

void Loader::read_properties() {
  const Value* inner = properties_.find("properties");
  const Value& properties = inner != nullptr && inner->is_object() ? *inner : properties_;
  if (!properties.is_object()) {
    if (!properties_.is_null()) {
      warn("properties:", "ConnectorPropertiesInvalid", "apiProperties.json is not an object and is left out.",
           "Correct the file.");
    }
    derive_connection_parameters();
    if (options_.has_script) mark_scripts(Value());
    return;
  }
  connector_->icon_color = properties.text_of("iconBrandColor");
  const Value* sets = properties.find("connectionParameterSets");
  const Value* parameters = properties.find("connectionParameters");
  if (sets != nullptr && sets->is_object()) {
    read_parameter_sets(*sets);
  }
  if (!sets_.empty()) {
    connector_->parameter_set = sets_.front().first.name;
    connector_->connection_parameters = sets_.front().second;
  } else if (parameters != nullptr && parameters->is_object()) {
    connector_->connection_parameters = read_connection_parameters(*parameters);
  } else {
    derive_connection_parameters();
  }
  if (const Value* policies = properties.find("policyTemplateInstances"); policies != nullptr && policies->is_array()) {
    read_policies(*policies);
  }
  if (options_.has_script || properties.find("scriptOperations") != nullptr || properties.find("script") != nullptr) {
    mark_scripts(properties);
  }
}

void Loader::read_parameter_sets(const Value& sets) {
  constexpr std::size_t sets_max = 20;  // each is a connector of its own in memory; real ones have up to six
  const std::string pointer = "properties:/properties/connectionParameterSets";
  if (const Value* ui = sets.find("uiDefinition")) connector_->parameter_sets_title = ui->text_of("displayName");
  const Value* values = sets.find("values");
  if (values == nullptr || !values->is_array()) return;
  std::size_t index = 0;
  for (const Value& value : values->as_array()) {
    const std::string place = json::join(json::join(pointer, "values"), index++);
    ParameterSet set;
    set.name = value.text_of("name");
    const bool known =
        std::any_of(sets_.begin(), sets_.end(), [&](const auto& one) { return one.first.name == set.name; });
    if (set.name.empty() || known || sets_.size() == sets_max) {
      warn(place, "ConnectorParameterSetInvalid",
           sets_.size() == sets_max
               ? "More than " + std::to_string(sets_max) + " kinds of sign-in; this one is left out."
               : "This kind of sign-in has no name of its own and is left out.",
           "Give each set of connectionParameterSets a name of its own.");
      continue;
    }
    set.display_name = set.name;
    if (const Value* ui = value.find("uiDefinition")) {
      if (const std::string_view name = ui->text_of("displayName"); !name.empty()) set.display_name = name;
      set.description = ui->text_of("description");
    }
    if (const Value* metadata = value.find("metadata")) {
      const Value* sharing = metadata->find("allowSharing");
      set.may_be_shared = sharing == nullptr || truthy(sharing);
    }
    const Value* parameters = value.find("parameters");
    sets_.emplace_back(std::move(set), parameters != nullptr && parameters->is_object()
                                           ? read_connection_parameters(*parameters)
                                           : std::vector<ConnectionParameter>());
  }
}

/// Once all else of the connector is known: each set has the whole connector with its own form.
void Loader::make_parameter_sets() {
  std::vector<ParameterSet> made;
  for (auto& [set, parameters] : sets_) {
    auto connector = std::make_shared<Connector>(*connector_);
    connector->parameter_set = set.name;
    connector->connection_parameters = std::move(parameters);
    set.connector = std::move(connector);
    made.push_back(std::move(set));
  }
  connector_->parameter_sets = std::move(made);
}

std::vector<ConnectionParameter> Loader::read_connection_parameters(const Value& parameters) {
  std::vector<ConnectionParameter> out;
  for (const json::Member& member : parameters.as_object()) {
    ConnectionParameter parameter;
    parameter.name = member.name();
    const std::string type = lower_case(member.value.text_of("type", "string"));
    bool needs_sign_in = false;
    using Kind = ConnectionParameter::Kind;
    if (type == "securestring") {
      parameter.kind = Kind::secure_string;
    } else if (type == "oauthsetting") {
      parameter.kind = Kind::oauth;
      needs_sign_in = true;
    } else if (type == "gatewaysetting") {
      parameter.kind = Kind::gateway;
      parameter.hidden = true;
    } else if (type == "int" || type == "integer") {
      parameter.kind = Kind::integer;
    } else if (type == "bool" || type == "boolean") {
      parameter.kind = Kind::boolean;
    }
    parameter.display_name = parameter.name;
    parameter.required = needs_sign_in;
    if (const Value* ui = member.value.find("uiDefinition")) {
      if (const std::string_view name = ui->text_of("displayName"); !name.empty()) parameter.display_name = name;
      parameter.description = ui->text_of("description");
      if (const Value* constraints = ui->find("constraints")) {
        parameter.required = needs_sign_in || truthy(constraints->find("required"));
        parameter.hidden = parameter.hidden || truthy(constraints->find("hidden"));
        if (const Value* allowed = constraints->find("allowedValues")) parameter.allowed_values = *allowed;
        if (const Value* tab = constraints->find("tabIndex"); tab != nullptr && tab->is_integer())
          parameter.tab_index = tab->as_integer();
      }
    }
    if (const Value* value = member.value.find("defaultValue")) parameter.default_value = *value;
    if (const Value* allowed = member.value.find("allowedValues")) parameter.allowed_values = *allowed;
    out.push_back(std::move(parameter));
  }
  std::stable_sort(out.begin(), out.end(), [](const auto& a, const auto& b) { return a.tab_index < b.tab_index; });
  return out;
}

void Loader::derive_connection_parameters() {
  const auto add = [&](const char* name, const char* display, ConnectionParameter::Kind kind) {
    ConnectionParameter parameter;
    parameter.name = name;
    parameter.display_name = display;
    parameter.kind = kind;
    parameter.required = true;
    connector_->connection_parameters.push_back(std::move(parameter));
  };
  using Kind = ConnectionParameter::Kind;
  bool done_key = false;
  for (const SecurityDefinition& definition : connector_->security_definitions) {
    switch (definition.kind) {
      case SecurityDefinition::Kind::api_key_header:
      case SecurityDefinition::Kind::api_key_query:
        if (!done_key) add("api_key", "API key", Kind::secure_string);
        done_key = true;
        break;
      case SecurityDefinition::Kind::basic:
        add("username", "User name", Kind::string);
        add("password", "Password", Kind::secure_string);
        break;
      case SecurityDefinition::Kind::oauth2: add("token", "Bearer token", Kind::oauth); break;
    }
  }
}

/// The policy `pollingtrigger`.
void Loader::read_polling(const Value& parameters) {
  Polling polling;
  polling.operations = text_list(parameters.find("x-ms-apimTemplate-operationName"));
  polling.items = parameters.text_of("x-ms-apimTemplateParameter.triggerDataPath");
  const Value* config = parameters.find("x-ms-apimTemplateParameter.triggerConfig");
  if (config != nullptr && config->is_object()) {
    for (const json::Member& member : config->as_object()) {
      // One page is what a poll gets; and a real file has a value without a name.
      if (member.name().empty() || lower_case(member.name()).starts_with("x-ms-")) continue;
      polling.next.emplace_back(std::string(member.name()), text_of_value(member.value));
    }
  }
  connector_->pollings.push_back(std::move(polling));
}

/// `x-ms-trigger-value` of a query parameter: the next value is that of the first item.
void Loader::read_trigger_value(const Operation& operation, const std::string& name, const Value& written) {
  const auto path_of = [](std::string_view path) {
    std::string out;
    while (!path.empty()) {
      const auto part = path.substr(0, path.find_first_of("./"));
      path.remove_prefix(std::min(path.size(), part.size() + 1));
      if (part.empty()) continue;
      out += "?['";
      for (const char c : part) out += c == '\'' ? std::string("''") : std::string(1, c);
      out += "']";
    }
    return out;
  };
  const std::string items = "triggerBody()" + path_of(written.text_of("value-collection"));
  const std::string next = "@first(" + items + ")" + path_of(written.text_of("value-path"));
  if (!connector_->pollings.empty() && connector_->pollings.back().operations.front() == operation.id) {
    connector_->pollings.back().next.emplace_back(name, next);
  } else {
    connector_->pollings.push_back({{operation.id}, {{name, next}}, "@" + items});
  }
}

void Loader::read_policies(const Value& list) {
  std::size_t index = 0;
  for (const Value& instance : list.as_array()) {
    const std::string pointer = json::join("properties:/properties/policyTemplateInstances", index++);
    const Value* parameters = instance.find("parameters");
    if (equals_ignoring_case(instance.text_of("templateId"), "pollingtrigger")) {
      if (parameters != nullptr) read_polling(*parameters);
      continue;
    }
    auto policy = read_policy(instance);
    if (!policy) {
      refuse_policy(instance, pointer);
    } else if (policy->kind == Policy::Kind::next_link) {
      for (Operation& operation : connector_->operations) {
        if (policy->covers(operation.id) && operation.next_link_name.empty()) operation.next_link_name = policy->name;
      }
    } else {
      connector_->policies.push_back(std::move(*policy));
    }
  }
}

void Loader::refuse_policy(const Value& instance, const std::string& pointer) {
  const Value* parameters = instance.find("parameters");
  const std::string id(instance.text_of("templateId"));
  const std::string section(parameters == nullptr ? "Request"
                                                  : parameters->text_of("x-ms-apimTemplate-policySection", "Request"));
  Policy policy;
  policy.operations = text_list(parameters == nullptr ? nullptr : parameters->find("x-ms-apimTemplate-operationName"));
  std::size_t marked = 0;
  for (Operation& operation : connector_->operations) {
    if (!policy.covers(operation.id) || !operation.unavailable.code.empty()) continue;
    operation.unavailable = {"ConnectorPolicyUnsupported", "This operation needs the policy '" + id +
                                                               "', which Flowmend can't carry out as it is written."};
    ++marked;
  }
  warn(
      pointer, "ConnectorPolicyUnsupported",
      "The policy '" + id + "' (" + section + ") is unknown, or its parameters can't be read; " +
          std::to_string(marked) + " operations can't run because of it.",
      "Correct the policy, use other operations of this connector, or remove the policy if the operations work without "
      "it.");
}

void Loader::mark_scripts(const Value& properties) {
  std::vector<std::string> named = text_list(properties.find("scriptOperations"));
  std::size_t marked = 0;
  for (Operation& operation : connector_->operations) {
    const bool covered = named.empty() || std::any_of(named.begin(), named.end(), [&](const std::string& id) {
                           return id == operation.id || base64_decode(id) == operation.id;
                         });
    if (!covered) continue;
    operation.unavailable = {"ConnectorScriptUnsupported", "This operation needs C# code that Flowmend cannot run."};
    ++marked;
  }
  warn("properties:/properties/scriptOperations", "ConnectorScriptUnsupported",
       std::to_string(marked) + " operations need C# code that Flowmend cannot run.",
       "Use other operations of this connector.");
}

void Loader::read_capabilities() {
  const Value* capabilities = extension(swagger_, "x-ms-capabilities");
  if (capabilities == nullptr) return;
  const Value* test = capabilities->find("testConnection");
  if (test == nullptr || !test->is_object()) return;
  TestConnection connection;
  connection.operation_id = test->text_of("operationId");
  if (const Value* parameters = test->find("parameters")) connection.parameters = *parameters;
  if (connector_->find_operation(connection.operation_id) == nullptr) {
    warn("/x-ms-capabilities/testConnection/operationId", "ConnectorReferenceBroken",
         "The connection test names the operation '" + connection.operation_id + "', which is not there.",
         "Name an operation of this document.");
    return;
  }
  connector_->test_connection = std::move(connection);
}

}  // namespace

const OperationParameter* Operation::find(std::string_view name) const {
  for (const OperationParameter& parameter : parameters) {
    if (parameter.place != ParameterPlace::body && parameter.name == name) return &parameter;
  }
  return nullptr;
}

const OperationParameter* Operation::body() const {
  for (const OperationParameter& parameter : parameters) {
    if (parameter.place == ParameterPlace::body) return &parameter;
  }
  return nullptr;
}

bool Policy::covers(std::string_view operation_id) const {
  return operations.empty() || std::find(operations.begin(), operations.end(), operation_id) != operations.end();
}

std::string Connector::api_id() const { return "/providers/Microsoft.PowerApps/apis/" + name; }

const Operation* Connector::find_operation(std::string_view id) const {
  for (const Operation& operation : operations) {
    if (operation.id == id) return &operation;
  }
  for (const Operation& operation : operations) {
    if (equals_ignoring_case(operation.id, id)) return &operation;
  }
  return nullptr;
}

std::size_t Connector::usable_operations() const {
  return static_cast<std::size_t>(std::count_if(operations.begin(), operations.end(), [](const Operation& operation) {
    return operation.unavailable.code.empty();
  }));
}

std::shared_ptr<const Connector> with_parameter_set(std::shared_ptr<const Connector> connector, std::string_view set) {
  for (const ParameterSet& one : connector->parameter_sets)
    if (one.name == set) return one.connector;
  return connector;
}

Loaded load_connector(const Value& swagger, const Value& properties, const LoadOptions& options) {
  if (!is_openapi3(swagger)) return Loader(swagger, properties, options).run();
  Diagnostics found;
  const Value converted = swagger_of_openapi3(swagger, found);
  Loaded loaded = Loader(converted, properties, options).run();
  found.insert(found.end(), loaded.diagnostics.begin(), loaded.diagnostics.end());
  loaded.diagnostics = std::move(found);
  return loaded;
}

Loaded load_connector_text(std::string_view swagger, std::string_view properties, const LoadOptions& options) {
  Diagnostics found;
  const auto read = [&](std::string_view text, const std::string& prefix, Severity severity) -> std::optional<Value> {
    auto value = parse_lenient(text, prefix, found);
    if (value) return *value;
    found.push_back({prefix, severity, "ConnectorJsonInvalid", value.error().message, value.error().cure});
    return std::nullopt;
  };
  const std::optional<Value> document = read(swagger, "", Severity::error);
  if (!document) return {nullptr, std::move(found)};
  Value other;
  if (!trim(properties).empty()) other = read(properties, "properties:", Severity::warning).value_or(Value());
  Loaded loaded = load_connector(*document, other, options);
  found.insert(found.end(), loaded.diagnostics.begin(), loaded.diagnostics.end());
  loaded.diagnostics = std::move(found);
  return loaded;
}

}  // namespace flowmend::connector
