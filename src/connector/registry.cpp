#include "connector/registry.h"

#include "connector/arguments.h"
#include "connector/native/native.h"
#include "connector/text.h"
#include "json/pointer.h"

namespace flowmend::connector {
namespace {

constexpr std::string_view document_kind = "connector";
constexpr int container_depth_max = 64;

std::shared_ptr<const Connector> compile(const store::Document& document) {
  const Value* swagger = document.value.find("swagger");
  const Value* properties = document.value.find("properties");
  const Value* script = document.value.find("hasScript");
  LoadOptions options;
  options.name = document.key;
  options.has_script = script != nullptr && script->is_boolean() && script->as_boolean();
  return load_connector(swagger == nullptr ? Value() : *swagger, properties == nullptr ? Value() : *properties, options)
      .connector;
}

void check_action(const Registry& registry, const RememberedShape& remembered, const Value& action,
                  const std::string& pointer, Diagnostics& diagnostics) {
  const std::string_view type = action.text_of("type");
  const Value* inputs = action.find("inputs");
  if (inputs == nullptr || !type.starts_with("OpenApiConnection")) return;
  const Value* host = inputs->find("host");
  if (host == nullptr) return;
  const std::string_view api = host->text_of("apiId");
  const std::string_view id = host->text_of("operationId");
  if (api.empty() || holds_expression(Value(api)) || holds_expression(Value(id))) return;
  const std::string inputs_pointer = pointer + "/inputs";
  const auto connector = registry.find(api);
  if (!connector) {
    diagnostics.push_back({inputs_pointer + "/host/apiId", Severity::warning, "ApiNotFound",
                           "The connector '" + api_name(api) + "' is not installed.",
                           "Import the connector, or use another one."});
    return;
  }
  const Operation* operation = connector->find_operation(id);
  if (operation == nullptr) {
    diagnostics.push_back({inputs_pointer + "/host/operationId", Severity::error,
                           "WorkflowOperationInputsApiOperationNotFound",
                           "The connector '" + connector->title + "' has no operation '" + std::string(id) + "'.",
                           "Choose one of the connector's operations."});
    return;
  }
  if (!operation->unavailable.code.empty()) {
    diagnostics.push_back({inputs_pointer + "/host/operationId", Severity::warning, operation->unavailable.code,
                           operation->unavailable.message, "Use another operation of this connector."});
    return;
  }
  if (type == "OpenApiConnectionNotification" && !is_polled(*operation)) {
    diagnostics.push_back({inputs_pointer + "/host/operationId", Severity::warning, "TriggerNotPolled",
                           "The operation '" + std::string(id) + "' of '" + connector->title +
                               "' can't be asked for news: its service notifies Microsoft's cloud only.",
                           "Use another trigger of this connector."});
    return;
  }
  const Value* parameters = inputs->find("parameters");
  check_arguments(*connector, *operation, parameters == nullptr ? Value() : *parameters, inputs_pointer + "/parameters",
                  diagnostics);
  if (parameters != nullptr)
    check_dynamic(*connector, *operation, *parameters, inputs_pointer + "/parameters", remembered, diagnostics);
}

void walk(const Registry& registry, const RememberedShape& remembered, const Value* actions, const std::string& pointer,
          int depth, Diagnostics& diagnostics) {
  if (actions == nullptr || !actions->is_object() || depth > container_depth_max) return;
  for (const json::Member& member : actions->as_object()) {
    const Value& action = member.value;
    const std::string place = json::join(pointer, member.name());
    check_action(registry, remembered, action, place, diagnostics);
    walk(registry, remembered, action.find("actions"), place + "/actions", depth + 1, diagnostics);
    for (const std::string_view branch : {"else", "default"}) {
      if (const Value* inner = action.find(branch))
        walk(registry, remembered, inner->find("actions"), place + "/" + std::string(branch) + "/actions", depth + 1,
             diagnostics);
    }
    if (const Value* cases = action.find("cases"); cases != nullptr && cases->is_object()) {
      for (const json::Member& one : cases->as_object()) {
        walk(registry, remembered, one.value.find("actions"), json::join(place + "/cases", one.name()) + "/actions",
             depth + 1, diagnostics);
      }
    }
  }
}

}  // namespace

std::string api_name(std::string_view api_or_id) {
  const std::size_t apis = lower_case(api_or_id).find("/apis/");
  std::string_view name = apis == std::string::npos ? api_or_id : api_or_id.substr(apis + 6);
  const std::size_t managed = lower_case(api_or_id).find("/managedapis/");
  if (apis == std::string::npos && managed != std::string::npos) name = api_or_id.substr(managed + 13);
  return std::string(name.substr(0, name.find('/')));
}

Registry::Registry(store::Store& store) : store_(store) {}

Registry::~Registry() = default;

Result<void> Registry::add_native(std::vector<std::unique_ptr<NativeConnector>> natives) {
  for (auto& native : natives) {
    LoadOptions options;
    options.name = native->name();
    options.native = native.get();
    const Loaded loaded = load_connector_text(native->swagger(), native->properties(), options);
    if (!loaded.connector) {
      const std::string why = loaded.diagnostics.empty() ? "" : loaded.diagnostics.front().message;
      return make_error("ConnectorJsonInvalid", "The built-in connector '" + options.name + "' can't be read: " + why);
    }
    if (!native_connectors_.emplace(options.name, loaded.connector).second)
      return make_error("ConnectorNameReserved", "There are two built-in connectors '" + options.name + "'.");
    natives_.push_back(std::move(native));
  }
  return {};
}

Result<Diagnostics> Registry::install(const Value& swagger, const Value& properties, const LoadOptions& options) {
  auto installed = install(swagger, properties, options, {});
  if (!installed) return installed.error();
  return std::move(installed->diagnostics);
}

Result<Registry::Installed> Registry::install(const Value& swagger, const Value& properties, const LoadOptions& options,
                                              const BeforeStoring& before) {
  Loaded loaded = load_connector(swagger, properties, options);
  if (!loaded.connector) {
    for (const Diagnostic& diagnostic : loaded.diagnostics) {
      if (diagnostic.severity == Severity::error)
        return make_error(diagnostic.code, diagnostic.message, diagnostic.pointer, diagnostic.cure);
    }
    return make_error("ConnectorJsonInvalid", "The connector can't be read.");
  }
  if (native_connectors_.contains(loaded.connector->name)) {
    return make_error("ConnectorNameReserved",
                      "The connector '" + loaded.connector->name + "' is built in and can't be replaced.", {},
                      "Use the built-in one, or import yours under another name.");
  }
  json::ObjectBuilder document;
  document.add("swagger", swagger);
  document.add_if_set("properties", properties);
  if (options.has_script) document.add("hasScript", true);
  const Value documents = document.finish();
  const auto stored = store_.write([&](store::Transaction& transaction) -> Result<void> {
    if (before) {
      const auto wanted = before(transaction, *loaded.connector, documents);
      if (!wanted) return wanted.error();
      if (!*wanted) return {};
    }
    const auto put = transaction.put_document(document_kind, loaded.connector->name, documents);
    if (!put) return put.error();
    return {};
  });
  if (!stored) return stored.error();
  const std::lock_guard lock(mutex_);
  compiled_[loaded.connector->name] = loaded.connector;
  return Installed{loaded.connector, std::move(loaded.diagnostics)};
}

Result<bool> Registry::remove(std::string_view api, const BeforeRemoving& before) {
  const std::string name = api_name(api);
  bool was_there = false;
  const auto removed = store_.write([&](store::Transaction& transaction) -> Result<void> {
    if (before) {
      if (const auto done = before(transaction, name); !done) return done.error();
    }
    const auto erased = transaction.erase_document(document_kind, name);
    if (!erased) return erased.error();
    was_there = *erased;
    return {};
  });
  if (!removed) return removed.error();
  const std::lock_guard lock(mutex_);
  compiled_.erase(name);
  return was_there;
}

std::shared_ptr<const Connector> Registry::find(std::string_view api) const {
  const std::string name = api_name(api);
  if (const auto native = native_connectors_.find(name); native != native_connectors_.end()) return native->second;
  {
    const std::lock_guard lock(mutex_);
    if (const auto found = compiled_.find(name); found != compiled_.end()) return found->second;
  }
  const auto document = store_.document(document_kind, name);
  if (!document || !document->has_value()) return nullptr;
  auto connector = compile(**document);
  if (!connector) return nullptr;
  const std::lock_guard lock(mutex_);
  return compiled_.emplace(name, std::move(connector)).first->second;
}

std::vector<std::shared_ptr<const Connector>> Registry::list() const {
  std::vector<std::shared_ptr<const Connector>> out;
  for (const auto& [name, connector] : native_connectors_) out.push_back(connector);
  store::DocumentQuery query;
  query.kind = document_kind;
  while (true) {
    const auto page = store_.documents(query);
    if (!page || page->empty()) return out;
    for (const store::Document& document : *page) {
      if (native_connectors_.contains(document.key)) continue;  // installed before there was a native one
      if (auto connector = find(document.key)) out.push_back(std::move(connector));
    }
    if (page->size() < query.limit) return out;
    query.after = page->back().key;
  }
}

Diagnostics Registry::check_definition(const Value& definition) const {
  Diagnostics diagnostics;
  walk(*this, remembered_shapes_, definition.find("actions"), "/actions", 0, diagnostics);
  return diagnostics;
}

}  // namespace flowmend::connector
