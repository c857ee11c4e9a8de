#include "connector/request.h"

#include <gtest/gtest.h>

#include "connector/document.h"
#include "json/parse.h"
#include "json/write.h"

namespace flowmend::connector {
namespace {

Value json_of(std::string_view text) {
  auto value = json::parse(text);
  EXPECT_TRUE(value) << text;
  return value ? *value : Value();
}

std::shared_ptr<const Connector> shop() {
  static const std::shared_ptr<const Connector> connector = [] {
    const Loaded loaded = load_connector(json_of(R"({
      "swagger": "2.0", "info": {"title": "Shop", "version": "1"}, "host": "shop.test:8443", "basePath": "/v1/",
      "schemes": ["https"], "consumes": ["application/json"], "produces": ["application/json"],
      "securityDefinitions": {"basic": {"type": "basic"}}, "security": [{"basic": []}],
      "paths": {
        "/orders/{id}": {
          "parameters": [{"name": "id", "in": "path", "required": true, "type": "string"}],
          "get": {"operationId": "GetOrder", "parameters": [
            {"name": "fields", "in": "query", "type": "array", "items": {"type": "string"}},
            {"name": "tag", "in": "query", "type": "array", "collectionFormat": "multi", "items": {"type": "string"}},
            {"name": "limit", "in": "query", "type": "integer"},
            {"name": "full", "in": "query", "type": "boolean"},
            {"name": "api-version", "in": "query", "type": "string", "required": true, "default": "2", "x-ms-visibility": "internal"},
            {"name": "hint", "in": "query", "type": "string", "default": "not sent"},
            {"name": "X-Trace", "in": "header", "type": "string"},
            {"name": "sort", "in": "query", "type": "string", "enum": ["asc", "desc"]}], "responses": {}}},
        "/files/{path}": {"put": {"operationId": "PutFile", "consumes": ["application/octet-stream"], "parameters": [
            {"name": "path", "in": "path", "required": true, "type": "string", "x-ms-url-encoding": "double"},
            {"name": "body", "in": "body", "schema": {"type": "string", "format": "binary"}}], "responses": {}}},
        "/upload": {"post": {"operationId": "Upload", "consumes": ["multipart/form-data"], "parameters": [
            {"name": "file", "in": "formData", "type": "file", "required": true},
            {"name": "note", "in": "formData", "type": "string"}], "responses": {}}},
        "/parts": {"post": {"operationId": "Parts", "consumes": ["multipart/form-data"], "parameters": [
            {"name": "body", "in": "body", "schema": {"type": "object", "properties": {"title": {"type": "string"}}}}], "responses": {}}},
        "/form": {"post": {"operationId": "Form", "consumes": ["application/x-www-form-urlencoded"], "parameters": [
            {"name": "a", "in": "formData", "type": "string"}, {"name": "b", "in": "formData", "type": "integer"}], "responses": {}}},
        "/orders": {"post": {"operationId": "CreateOrder", "parameters": [
            {"name": "order", "in": "body", "required": true, "schema": {"$ref": "#/definitions/Order"}}], "responses": {}}}
      },
      "definitions": {"Order": {"type": "object", "required": ["customer"], "properties": {
        "customer": {"type": "object", "required": ["name"], "properties": {"name": {"type": "string"}, "mail": {"type": "string"}}},
        "odd/name": {"type": "string"},
        "channel": {"type": "string", "x-ms-visibility": "internal", "default": "flow"},
        "lines": {"type": "array", "items": {"type": "object"}}}}}
    })"),
                                         Value());
    EXPECT_TRUE(loaded.connector);
    return loaded.connector;
  }();
  return connector;
}

Result<OutgoingRequest> build(std::string_view operation, std::string_view parameters,
                              std::string_view fields = R"({"username": "u", "password": "p"})") {
  return build_request(*shop(), *shop()->find_operation(operation), json_of(parameters), json_of(fields));
}

struct Row {
  const char* operation;
  const char* parameters;
  const char* method;
  const char* url;
  const char* body;
};

TEST(Request, FollowsTheDocument) {
  const Row rows[] = {
      {"GetOrder", R"({"id": "A 1/ü"})", "GET", "https://shop.test:8443/v1/orders/A%201%2F%C3%BC?api-version=2", ""},
      {"getorder", R"({"id": 7, "limit": "5", "full": "True"})", "GET",
       "https://shop.test:8443/v1/orders/7?limit=5&full=true&api-version=2", ""},
      {"GetOrder", R"({"id": 7.0, "fields": ["a", "b,c"], "tag": ["x", "y z"]})", "GET",
       "https://shop.test:8443/v1/orders/7?fields=a,b%2Cc&tag=x&tag=y%20z&api-version=2", ""},
      {"GetOrder", R"({"id": "1", "limit": null, "sort": "desc", "hint": ""})", "GET",
       "https://shop.test:8443/v1/orders/1?api-version=2&sort=desc", ""},
      {"PutFile", R"({"path": "a/b", "body": {"$content-type": "image/png", "$content": "aGk="}})", "PUT",
       "https://shop.test:8443/v1/files/a%252Fb", "hi"},
      {"Form", R"({"a": "x&y=1", "b": 2})", "POST", "https://shop.test:8443/v1/form", "a=x%26y%3D1&b=2"},
      {"CreateOrder", R"({"order/customer/name": "Ann", "order/odd/name": 1})", "POST",
       "https://shop.test:8443/v1/orders", R"({"customer":{"name":"Ann"},"odd/name":1,"channel":"flow"})"},
      {"CreateOrder", R"({"order": {"customer": {"name": "Ann"}}, "order/customer/mail": "a@b.test"})", "POST",
       "https://shop.test:8443/v1/orders", R"({"customer":{"name":"Ann","mail":"a@b.test"},"channel":"flow"})"},
  };
  for (const Row& row : rows) {
    SCOPED_TRACE(row.parameters);
    const auto request = build(row.operation, row.parameters);
    ASSERT_TRUE(request) << request.error().message;
    EXPECT_EQ(request->method, row.method);
    EXPECT_EQ(request->url, row.url);
    EXPECT_EQ(request->body, row.body);
    ASSERT_NE(request->header("authorization"), nullptr);
    EXPECT_EQ(*request->header("authorization"), "Basic dTpw");
  }
}

struct Refusal {
  const char* operation;
  const char* parameters;
  const char* code;
  const char* named;
};

TEST(Request, NamesTheParameterThatIsAtFault) {
  const Refusal rows[] = {
      {"GetOrder", R"({})", "WorkflowOperationParametersRuntimeMissingValue", "'id'"},
      {"GetOrder", R"({"id": null})", "WorkflowOperationParametersRuntimeMissingValue", "'id'"},
      {"GetOrder", R"({"id": ""})", "WorkflowOperationParametersRuntimeMissingValue", "'id'"},
      {"GetOrder", R"({"id": "1", "limit": "many"})", "OpenApiOperationParameterTypeConversionFailed", "'limit'"},
      {"GetOrder", R"({"id": "1", "limit": 2.5})", "OpenApiOperationParameterTypeConversionFailed", "'limit'"},
      {"GetOrder", R"({"id": "1", "color": "red"})", "WorkflowOperationParametersExtraParameter", "'color'"},
      {"GetOrder", R"({"id": "1", "sort": "up"})", "InvalidWorkflowOperationParametersRuntimeValue", "'up'"},
      {"GetOrder", "{\"id\": \"1\", \"X-Trace\": \"a\\r\\nHost: evil\"}",
       "InvalidWorkflowOperationParametersRuntimeValue", "X-Trace"},
      {"CreateOrder", R"({"order/customer/mail": "a@b.test"})", "WorkflowOperationParametersRuntimeMissingValue",
       "'order/customer/name'"},
      {"CreateOrder", R"([1])", "InvalidWorkflowOperationParametersRuntimeValue", "CreateOrder"},
  };
  for (const Refusal& row : rows) {
    SCOPED_TRACE(row.parameters);
    const auto request = build(row.operation, row.parameters);
    ASSERT_FALSE(request);
    EXPECT_EQ(request.error().code, row.code);
    EXPECT_NE(request.error().message.find(row.named), std::string::npos) << request.error().message;
  }
}

TEST(Request, SendsFilesAsMultipart) {
  const auto request = build(
      "Upload", R"({"file": {"$content-type": "text/csv", "$content": "YSxi", "name": "a\"b.csv"}, "note": "hello"})");
  ASSERT_TRUE(request) << request.error().message;
  const std::string type = *request->header("Content-Type");
  ASSERT_TRUE(type.starts_with("multipart/form-data; boundary="));
  const std::string boundary = type.substr(type.find('=') + 1);
  EXPECT_EQ(request->body, "--" + boundary +
                               "\r\nContent-Disposition: form-data; name=\"file\"; "
                               "filename=\"a%22b.csv\"\r\nContent-Type: text/csv\r\n\r\na,b\r\n--" +
                               boundary + "\r\nContent-Disposition: form-data; name=\"note\"\r\n\r\nhello\r\n--" +
                               boundary + "--\r\n");
}

TEST(Request, FindsTheOperationOfAnApiConnection) {
  const auto matched =
      match_api_connection(*shop(), json_of(R"({"method": "get", "path": "/orders/A%20B", "queries": {"limit": 3}})"));
  ASSERT_TRUE(matched) << matched.error().message;
  EXPECT_EQ(matched->operation->id, "GetOrder");
  EXPECT_EQ(json::write(matched->parameters), R"({"id":"A B","limit":3})");
  EXPECT_EQ(match_api_connection(*shop(), json_of(R"({"method": "delete", "path": "/orders/1"})")).error().code,
            "ApiOperationNotFound");
}

TEST(Checker, TellsWhatIsWrongBeforeTheFirstRun) {
  const auto codes = [&](std::string_view operation, std::string_view parameters) {
    Diagnostics found;
    check_arguments(*shop(), *shop()->find_operation(operation), json_of(parameters), "/p", found);
    std::string text;
    for (const Diagnostic& one : found)
      text += one.code.substr(std::string_view("WorkflowOperationParameters").size()) + "@" + one.pointer + " ";
    return text;
  };
  EXPECT_EQ(codes("GetOrder", R"({"id": "@{triggerBody()}"})"), "");
  EXPECT_EQ(codes("GetOrder", R"({})"), "MissingRequiredParameter@/p ");
  EXPECT_EQ(codes("GetOrder", R"({"id": "1", "nope": 1, "limit": "many", "sort": "up"})"),
            "ExtraParameter@/p/nope IncorrectParameterType@/p/limit IncorrectEnum@/p/sort ");
  EXPECT_EQ(codes("GetOrder", R"j({"id": "1", "limit": "@variables('n')"})j"), "");
  EXPECT_EQ(codes("GetOrder", R"({"id": "1", "api-version": "3"})"), "InternalValueProvided@/p/api-version ");
  EXPECT_EQ(codes("CreateOrder", R"({"order/customer/mail": "x"})"), "MissingRequiredParameter@/p ");
  EXPECT_EQ(codes("CreateOrder", R"j({"order": "@body('x')"})j"), "");
  EXPECT_EQ(codes("CreateOrder", R"({"order/customer/name": "@null"})"), "");
}

TEST(Document, RefusesWhatIsNoConnectorAndSaysWhy) {
  const auto first_code = [](std::string_view text) {
    const Loaded loaded = load_connector_text(text, "");
    EXPECT_FALSE(loaded.connector);
    return loaded.diagnostics.empty() ? std::string() : loaded.diagnostics[0].code;
  };
  EXPECT_EQ(first_code("not json"), "ConnectorJsonInvalid");
  EXPECT_EQ(first_code("[]"), "ConnectorJsonInvalid");
  EXPECT_EQ(first_code(R"({"openapi": "4.0.0"})"), "ConnectorFormatUnsupported");
  EXPECT_EQ(first_code(R"({"swagger": "2.0", "paths": {}})"), "ConnectorNoOperations");
  EXPECT_EQ(first_code(R"({"swagger": "2.0", "paths": {"/a": {"get": {"parameters": [{"$ref": "#/no"}]}}}})"),
            "ConnectorOperationIdMissing");
}

TEST(Document, ForgivesTheSmallSinsOfRealFiles) {
  const Loaded loaded = load_connector_text(
      "\xEF\xBB\xBF{ // made by hand\n\"swagger\": \"2.0\",\xC2\xA0\"info\": {\"title\": \"A\tB\",},\n"
      "\"host\": \"https://a.test/\", \"paths\": {\"x/{y}\": {\"GET\": {\"x-ms-visibilty\": \"Internal\"}}}}",
      "{ broken");
  ASSERT_TRUE(loaded.connector);
  EXPECT_EQ(loaded.connector->title, "A\tB");
  EXPECT_EQ(loaded.connector->host, "a.test");
  ASSERT_EQ(loaded.connector->operations.size(), 1u);
  const Operation& operation = loaded.connector->operations[0];
  EXPECT_EQ(operation.path, "/x/{y}");
  EXPECT_TRUE(operation.internal);
  ASSERT_EQ(operation.parameters.size(), 1u);
  EXPECT_EQ(operation.parameters[0].name, "y");
}

TEST(Policy, SetsHeadersAndHostFromTheConnection) {
  const Loaded loaded = load_connector(
      json_of(R"({"swagger": "2.0", "info": {"title": "P"}, "host": "placeholder.test", "basePath": "/v1",
                  "securityDefinitions": {"key": {"type": "apiKey", "in": "header", "name": "Authorization"}},
                  "paths": {"/a/{id}": {"get": {"operationId": "A", "parameters": [{"name": "id", "in": "path", "required": true, "type": "string"}]}},
                            "/b": {"get": {"operationId": "B"}}}})"),
      json_of(R"j({"properties": {
        "connectionParameters": {"api_key": {"type": "securestring"}, "site": {"type": "string"}},
        "policyTemplateInstances": [
          {"templateId": "setheader", "parameters": {"x-ms-apimTemplateParameter.name": "Authorization",
             "x-ms-apimTemplateParameter.value": "Bearer @headers('Authorization')", "x-ms-apimTemplateParameter.existsAction": "override"}},
          {"templateId": "dynamichosturl", "parameters": {"x-ms-apimTemplateParameter.urlTemplate": "https://@connectionParameters('site', 'none').test/v1"}},
          {"templateId": "routerequesttoendpoint", "parameters": {"x-ms-apimTemplateParameter.newPath": "/real/{id}?k=1",
             "x-ms-apimTemplateParameter.httpMethod": "@Request.OriginalHTTPMethod", "x-ms-apimTemplate-operationName": ["A"]}},
          {"templateId": "setcookie", "parameters": {"x-ms-apimTemplate-operationName": ["B"]}}]}})j"));
  ASSERT_TRUE(loaded.connector);
  const auto request = build_request(*loaded.connector, *loaded.connector->find_operation("A"),
                                     json_of(R"({"id": "7 8"})"), json_of(R"({"api_key": "s3cret", "site": "acme"})"));
  ASSERT_TRUE(request) << request.error().message;
  EXPECT_EQ(request->url, "https://acme.test/v1/real/7%208?k=1");
  EXPECT_EQ(*request->header("Authorization"), "Bearer s3cret");
  const auto refused = build_request(*loaded.connector, *loaded.connector->find_operation("B"), Value(), Value());
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, "ConnectorPolicyUnsupported");
}

TEST(Request, AnObjectBodyForMultipartIsAPartForEachMember) {
  const auto request = build("Parts", R"({"body/title": "Tea \"green\"", "body/lines": [1, 2], "body/count": 3,
    "body/file": {"$content-type": "text/plain", "$content": "aGVsbG8=", "name": "a.txt"}})");
  ASSERT_TRUE(request) << request.error().message;
  const std::string* type = request->header("Content-Type");
  ASSERT_NE(type, nullptr);
  ASSERT_TRUE(type->starts_with("multipart/form-data; boundary=")) << *type;
  const std::string mark = "--" + type->substr(type->find('=') + 1);
  EXPECT_EQ(
      request->body,
      mark + "\r\nContent-Disposition: form-data; name=\"title\"\r\n\r\nTea \"green\"\r\n" + mark +
          "\r\nContent-Disposition: form-data; name=\"lines\"\r\nContent-Type: application/json\r\n\r\n[1,2]\r\n" +
          mark + "\r\nContent-Disposition: form-data; name=\"count\"\r\n\r\n3\r\n" + mark +
          "\r\nContent-Disposition: form-data; name=\"file\"; filename=\"a.txt\"\r\nContent-Type: "
          "text/plain\r\n\r\nhello\r\n" +
          mark + "--\r\n");
}

}  // namespace
}  // namespace flowmend::connector
