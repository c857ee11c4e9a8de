#include "server/demo/content.h"
#include "server/demo/demo.h"

namespace flowmend::demo {
namespace {

using json::Value;

constexpr std::string_view document_kind = "demo";
constexpr std::string_view document_key = "state";

Result<std::optional<store::Document>> state_of(const store::Store& store) {
  return store.document(document_kind, document_key);
}

Error named(const Error& error, const std::string& what) {
  Error out = error;
  out.message = "The demo's " + what + " was refused: " + error.message;
  return out;
}

Result<void> install_connectors(const SeedParts& parts, const Services& services) {
  for (const DemoConnector& connector : demo_connectors("127.0.0.1:" + std::to_string(services.port()))) {
    connector::LoadOptions options;
    options.name = connector.name;
    if (auto installed = parts.registry.install(connector.swagger, connector.properties, options); !installed) {
      return named(installed.error(), "connector '" + connector.name + "'");
    }
  }
  return {};
}

}  // namespace

ServicesOptions remembered(store::Store& store, ServicesOptions options) {
  const auto state = state_of(store);
  if (state && state->has_value()) {
    const Value& value = (*state)->value;
    const Value* port = value.find("port");
    if (port != nullptr && port->is_integer() && port->as_integer() > 0 && port->as_integer() < 65'536) {
      options.port = static_cast<std::uint16_t>(port->as_integer());
    }
    if (const std::string_view password = value.text_of("ordersPassword"); !password.empty())
      options.orders_password = password;
    options.delivery_down_for = Duration();
  }
  options.on_password_change = [&store](const std::string& password) {
    const auto now = state_of(store);
    json::ObjectBuilder builder(now && now->has_value() ? (*now)->value : Value::empty_object());
    builder.set("ordersPassword", Value(password));
    // A demo that can't write this down still works until the next start.
    (void)store.put_document(document_kind, document_key, builder.finish());
  };
  return options;
}

Result<Seeded> seed(const SeedParts& parts, const Services& services) {
  const auto state = state_of(parts.store);
  if (!state) return state.error();
  const Value before = state->has_value() ? (*state)->value : Value::empty_object();
  const Value* done = before.find("seeded");
  Seeded seeded;
  if (done != nullptr && done->is_boolean() && done->as_boolean()) {
    const Value* port = before.find("port");
    if (port == nullptr || *port != Value(static_cast<int>(services.port()))) {
      if (auto installed = install_connectors(parts, services); !installed) return installed.error();
      json::ObjectBuilder builder(before);
      builder.set("port", Value(static_cast<int>(services.port())));
      if (auto put = parts.store.put_document(document_kind, document_key, builder.finish()); !put) return put.error();
    }
    return seeded;
  }
  seeded.now = true;
  if (auto installed = install_connectors(parts, services); !installed) return installed.error();
  for (const DemoConnection& connection : demo_connections()) {
    auto put = parts.connections.put_unverified({connection.api, connection.name}, connection.display_name,
                                                connection.fields, "demo");
    if (!put) return named(put.error(), "connection '" + connection.display_name + "'");
  }
  std::vector<std::pair<std::string, DemoFlow>> made;
  for (DemoFlow& flow : demo_flows(services.url())) {
    runtime::FlowDraft draft;
    draft.display_name = flow.display_name;
    draft.definition = flow.definition;
    draft.connection_references = flow.connection_references;
    auto saved = parts.runtime.flows().create(draft, "demo");
    if (!saved) return named(saved.error(), "flow '" + flow.display_name + "'");
    if (!saved->flow) {
      const std::string why =
          saved->diagnostics.empty() ? std::string("no reason was given") : saved->diagnostics.front().message;
      return make_error("InvalidDefinition", "The demo's flow '" + flow.display_name + "' was refused: " + why);
    }
    ++seeded.flows;
    made.emplace_back(saved->flow->id, std::move(flow));
  }
  // Written before the first start: a demo that was interrupted here is not doubled by the next one.
  json::ObjectBuilder builder(before);
  builder.set("seeded", true);
  builder.set("port", Value(static_cast<int>(services.port())));
  if (auto put = parts.store.put_document(document_kind, document_key, builder.finish()); !put) return put.error();
  for (const auto& [id, flow] : made) {
    if (flow.trigger.empty()) continue;
    auto started = parts.runtime.run_trigger(id, flow.trigger, flow.body, "demo");
    if (!started) return named(started.error(), "flow '" + flow.display_name + "'");
    ++seeded.runs;
  }
  return seeded;
}

}  // namespace flowmend::demo
