#include "connector/native/approvals_connector.h"

#include "connector/approvals.h"
#include "connector/text.h"

namespace flowmend::connector {
namespace {

constexpr std::string_view document = R"json({
  "swagger": "2.0",
  "info": {"title": "Approvals", "description": "Asks people and waits for their answer, given on the page Approvals or by a link.", "version": "1.0"},
  "host": "approvals.native", "basePath": "/", "schemes": ["https"], "consumes": ["application/json"], "produces": ["application/json"],
  "paths": {
    "/types/{approvalType}/approvals/$subscriptions": {
      "x-ms-notification-content": {"description": "The decision", "schema": {"$ref": "#/definitions/Approval"}},
      "post": {"operationId": "StartAndWaitForAnApproval", "summary": "Start and wait for an approval", "parameters": [
        {"$ref": "#/parameters/type"},
        {"name": "WebhookApprovalCreationInput", "in": "body", "required": true, "schema": {"$ref": "#/definitions/Creation"}}],
        "responses": {"201": {"description": "asked"}}}},
    "/types/{approvalType}/approvals": {"post": {"operationId": "CreateAnApproval", "summary": "Create an approval", "parameters": [
        {"$ref": "#/parameters/type"},
        {"name": "ApprovalCreationInput", "in": "body", "required": true, "schema": {"$ref": "#/definitions/Creation"}}],
        "responses": {"201": {"description": "asked", "schema": {"$ref": "#/definitions/Approval"}}}}},
    "/approvals/{approvalName}/$subscriptions": {
      "x-ms-notification-content": {"description": "The decision", "schema": {"$ref": "#/definitions/Approval"}},
      "post": {"operationId": "WaitForAnApproval", "summary": "Wait for an approval", "parameters": [
        {"name": "approvalName", "in": "path", "required": true, "type": "string", "x-ms-summary": "Approval ID"},
        {"name": "notification", "in": "body", "x-ms-visibility": "internal", "schema": {"type": "object", "properties": {
          "notificationUrl": {"type": "string", "x-ms-notification-url": true, "x-ms-visibility": "internal"}}}}],
        "responses": {"201": {"description": "waiting"}}}}},
  "parameters": {"type": {"name": "approvalType", "in": "path", "required": true, "type": "string", "x-ms-summary": "Approval type",
    "enum": ["Basic", "BasicAwaitAll", "CustomResponse", "CustomResponseAwaitAll"],
    "x-ms-enum": {"values": [{"value": "Basic", "displayName": "Approve/Reject - First to respond"}, {"value": "BasicAwaitAll", "displayName": "Approve/Reject - Everyone must approve"},
      {"value": "CustomResponse", "displayName": "Custom Responses - Wait for one response"}, {"value": "CustomResponseAwaitAll", "displayName": "Custom Responses - Wait for all responses"}]}}},
  "definitions": {
    "Creation": {"type": "object", "required": ["title", "assignedTo"], "properties": {
      "title": {"type": "string", "x-ms-summary": "Title"},
      "assignedTo": {"type": "string", "x-ms-summary": "Assigned to", "description": "User names or mail addresses, separated by ;"},
      "details": {"type": "string", "x-ms-summary": "Details"},
      "itemLink": {"type": "string", "x-ms-summary": "Item link"},
      "itemLinkDescription": {"type": "string", "x-ms-summary": "Item link description"},
      "requestor": {"type": "string", "x-ms-summary": "Requestor"},
      "responseOptions": {"type": "array", "items": {"type": "string"}, "x-ms-summary": "Response options"},
      "enableNotifications": {"type": "boolean", "x-ms-summary": "Enable notifications"},
      "enableReassignment": {"type": "boolean", "x-ms-summary": "Enable reassignment"},
      "notificationUrl": {"type": "string", "x-ms-notification-url": true, "x-ms-visibility": "internal"}}},
    "Approval": {"type": "object", "properties": {
      "name": {"type": "string"}, "title": {"type": "string"}, "details": {"type": "string"}, "outcome": {"type": "string"}, "status": {"type": "string"},
      "responseSummary": {"type": "string"}, "requestDate": {"type": "string"}, "completionDate": {"type": "string"},
      "responses": {"type": "array", "items": {"type": "object", "properties": {
        "approverResponse": {"type": "string"}, "comments": {"type": "string"}, "responseDate": {"type": "string"}, "requestDate": {"type": "string"},
        "responder": {"type": "object", "properties": {"id": {"type": "string"}, "displayName": {"type": "string"}, "email": {"type": "string"}}}}}}}}}
})json";

class ApprovalsConnector final : public NativeConnector {
 public:
  explicit ApprovalsConnector(store::Store& store) : approvals_(store) {}

  std::string_view name() const override { return "shared_approvals"; }
  std::string_view swagger() const override { return document; }
  std::string_view properties() const override {
    return R"({"properties":{"connectionParameters":{},"iconBrandColor":"#a33ea1","capabilities":["actions"]}})";
  }
  http::Reply verify(const Value&, Duration) override { return native_json(200, Value::empty_object()); }

  http::Reply call(const NativeCall& call) override {
    const std::string& id = call.operation->id;
    if (id == "WaitForAnApproval") return wait(text_argument(call, "approvalName"), call, Value());
    const Value& body = call.arguments.body;
    NewApproval wanted;
    wanted.type = text_argument(call, "approvalType");
    wanted.title = std::string(body.text_of("title"));
    wanted.details = std::string(body.text_of("details"));
    wanted.item_link = std::string(body.text_of("itemLink"));
    wanted.item_link_description = std::string(body.text_of("itemLinkDescription"));
    wanted.requestor = std::string(body.text_of("requestor"));
    wanted.assigned_to = std::string(body.text_of("assignedTo"));
    if (const Value* options = body.find("responseOptions"); options != nullptr && options->is_array()) {
      for (const Value& option : options->as_array()) wanted.options.push_back(text_of_value(option));
    }
    wanted.flow = call.flow;
    wanted.run = call.run;
    const auto made = approvals_.create(wanted, call.idempotency_key);
    if (!made) return refusal(made.error());
    if (id == "CreateAnApproval") return native_json(201, *made);
    return wait(std::string(made->text_of("name")), call, *made);
  }

 private:
  http::Reply wait(const std::string& approval, const NativeCall& call, const Value& made) {
    if (const auto waiting = approvals_.wait(approval, call.callback_url); !waiting) return refusal(waiting.error());
    return native_json(201, made.is_null() ? Value::object({{"name", Value(approval)}}) : made);
  }
  static http::Reply refusal(const Error& error) {
    const int status = error.code == "ApprovalNotFound" ? 404 : error.code == "StorageUnavailable" ? 503 : 400;
    return native_error(status, error.code, error.cure.empty() ? error.message : error.message + " " + error.cure);
  }

  Approvals approvals_;
};

}  // namespace

std::unique_ptr<NativeConnector> make_approvals_connector(const NativeParts& parts) {
  return std::make_unique<ApprovalsConnector>(parts.store);
}

}  // namespace flowmend::connector
