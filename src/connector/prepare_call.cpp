#include "connector/prepare_call.h"

#include "connector/native/call.h"
#include "connector/notification.h"
#include "connector/policy.h"
#include "connector/reference.h"
#include "connector/text.h"

namespace flowmend::connector {
namespace {

Value connection_details(const Reference& reference, std::string_view display_name = {}) {
  json::ObjectBuilder connection;
  connection.add("api", Value(reference.api));
  connection.add("name", Value(reference.name));
  if (!display_name.empty()) connection.add("displayName", Value(display_name));
  return Value::object({{"kind", Value("connection")}, {"connection", connection.finish()}});
}

/// `Error details` as users of the field know them.
Error framed(const Error& error, std::string_view action, std::string_view type) {
  Error out = error;
  if (error.code.find("OperationParameter") != std::string::npos) {
    out.message = "The 'inputs.parameters' of workflow operation '" + std::string(action) + "' of type '" +
                  std::string(type) + "' is not valid. Error details: " + error.message;
    out.where = "/inputs/parameters" + error.where;
  }
  return out;
}

std::optional<Refusal> prepare_operation(const engine::Call& call, const runtime::CallContext& context,
                                         const Connections& connections, const std::vector<std::string>& asked,
                                         Prepared& prepared, Result<OutgoingRequest>& built) {
  const Value* host = call.inputs.find("host");
  const Value references = context.flow ? context.flow->connection_references : Value();
  auto reference = resolve_reference(host == nullptr ? Value() : *host, references);
  if (!reference) return Refusal{reference.error(), Value::object({{"kind", Value("connection")}})};
  if (reference->api.empty()) {
    if (const auto key = connections.find_by_name(reference->name)) reference->api = key->api;
  }
  const ConnectionKey key{reference->api, reference->name};
  const auto material = connections.material(key);
  if (!material) return Refusal{material.error(), connection_details(*reference)};
  const Connector& connector = *material->connector;
  const Value* operation_id = host == nullptr ? nullptr : host->find("operationId");
  const Operation* operation = nullptr;
  Value parameters;
  const bool open_api = operation_id != nullptr && operation_id->is_string();
  if (open_api) {
    operation = connector.find_operation(operation_id->as_string());
    if (operation == nullptr) {
      return Refusal{make_error("WorkflowOperationInputsApiOperationNotFound",
                                "The connector '" + connector.title + "' has no operation '" +
                                    std::string(operation_id->as_string()) + "'.",
                                "/inputs/host/operationId", "Choose one of the connector's operations."),
                     Value::object({{"kind", Value("inputs")}})};
    }
    if (const Value* given = call.inputs.find("parameters")) parameters = *given;
  } else {
    // A subscription names no method: it is a POST.
    Value inputs = call.inputs;
    if (!call.callback_url.empty() && inputs.find("method") == nullptr) {
      json::ObjectBuilder with_method(inputs);
      with_method.add("method", "post");
      inputs = with_method.finish();
    }
    const auto matched = match_api_connection(connector, inputs);
    if (!matched) return Refusal{matched.error(), Value::object({{"kind", Value("inputs")}})};
    operation = matched->operation;
    parameters = matched->parameters;
  }
  // Such a trigger's service tells Microsoft's cloud. It runs here when its operation can also be asked.
  const bool told = context.run.empty() && context.flow && context.action == context.flow->trigger.name &&
                    context.flow->trigger.type_name == "OpenApiConnectionNotification";
  if (told && !is_polled(*operation)) {
    return Refusal{make_error("TriggerNotPolled",
                              "The operation '" + operation->id + "' of '" + connector.title +
                                  "' can't be asked for news: its service notifies Microsoft's cloud only.",
                              "/inputs/host/operationId", "Use another trigger of this connector."),
                   Value::object({{"kind", Value("inputs")}, {"operation", Value(operation->id)}})};
  }
  if (!call.callback_url.empty()) parameters = with_callback(connector, *operation, parameters, call.callback_url);
  if (connector.native != nullptr) {
    prepared.native = connector.native;
    prepared.connector = material->connector;
    built = build_native_call(call, connector, *operation, parameters, material->fields, prepared.native_call);
  } else {
    built = build_request(connector, *operation, parameters, material->fields, asked);
    prepared.shapes_reply = shapes_replies(connector, *operation);
    prepared.connector = material->connector;
    prepared.operation = operation;
    if (prepared.shapes_reply) prepared.clear_fields = clear_fields_of(connector, material->fields);
  }
  if (!built) {
    return Refusal{framed(built.error(), context.action, open_api ? "OpenApiConnection" : "ApiConnection"),
                   Value::object({{"kind", Value("inputs")}, {"operation", Value(operation->id)}})};
  }
  prepared.keep = operation->file_reply || operation->binary_reply ? Keep::bytes : Keep::by_content_type;
  prepared.connection = key;
  prepared.generation = material->generation;
  prepared.requests_per_minute = material->requests_per_minute;
  if (context.run.empty()) {  // a trigger asks
    prepared.connector = material->connector;
    prepared.polling = polling_of(connector, *operation);
  }
  prepared.next_link_name = operation->next_link_name;
  prepared.items_name = operation->items_name;
  return std::nullopt;
}

}  // namespace

std::optional<Refusal> prepare_call(const engine::Call& call, const runtime::CallContext& context,
                                    const Connections& connections, const MessageLimits& limits,
                                    const std::vector<std::string>& asked, Prepared& prepared) {
  Result<OutgoingRequest> built = make_error("", "");
  if (call.kind == engine::Call::Kind::http) {
    built = build_http_call(call, limits.url_bytes_max, asked);
    if (!built) return Refusal{built.error(), Value::object({{"kind", Value("inputs")}})};
  } else if (auto refusal = prepare_operation(call, context, connections, asked, prepared, built)) {
    return refusal;
  }
  prepared.request = std::move(*built);
  prepared.target = prepared.connection ? prepared.connection->api + "/" + prepared.connection->name
                                        : origin_of(prepared.request.url);
  if (prepared.request.question) return std::nullopt;
  if (prepared.native != nullptr) {
    prepared.native_call.flow = context.flow ? context.flow->id : std::string();
    prepared.native_call.run = context.run;
    return std::nullopt;
  }
  if (prepared.request.body.size() > limits.message_bytes_max && !call.chunked) {
    return Refusal{
        make_error("RequestBodyTooLarge",
                   "The content that the action sends has " + std::to_string(prepared.request.body.size()) +
                       " bytes; without chunking at most " + std::to_string(limits.message_bytes_max) + " are sent.",
                   "/inputs/body", "Switch the action's chunking on, or send less."),
        Value::object({{"kind", Value("inputs")}})};
  }
  if (prepared.request.body.size() > limits.chunked_bytes_max) {
    return Refusal{
        make_error("RequestBodyTooLarge",
                   "The content that the action sends has " + std::to_string(prepared.request.body.size()) +
                       " bytes; at most " + std::to_string(limits.chunked_bytes_max) + " are sent in chunks.",
                   "/inputs/body", "Send less."),
        Value::object({{"kind", Value("inputs")}})};
  }
  add_run_headers(call, context, prepared.request);
  const bool asked_after = prepared.polling != nullptr && ask_after(call.poll_uri, prepared.request);
  if (call.get_poll && !asked_after) prepared.request = build_poll(call, prepared.request);
  return std::nullopt;
}

}  // namespace flowmend::connector
