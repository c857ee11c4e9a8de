#include "connector/openapi3.h"

#include <algorithm>

#include <gtest/gtest.h>

#include "connector/document.h"
#include "connector/request.h"
#include "json/parse.h"
#include "json/write.h"

namespace flowmend::connector {
namespace {

Value parsed(std::string_view text) {
  const auto value = json::parse(text);
  EXPECT_TRUE(value.has_value()) << text;
  return value ? *value : Value();
}

bool says(const Diagnostics& diagnostics, std::string_view pointer, std::string_view code) {
  return std::any_of(diagnostics.begin(), diagnostics.end(),
                     [&](const Diagnostic& d) { return d.pointer == pointer && d.code == code; });
}

constexpr std::string_view shop = R"({
  "openapi": "3.1.0",
  "info": {"title": "Shop", "version": "2"},
  "servers": [{"url": "https://{region}.shop.test/v{version}/", "variables": {"region": {"default": "eu"}, "version": {"default": "1"}}}],
  "security": [{"key": []}],
  "paths": {
    "/orders/{id}": {
      "parameters": [{"name": "id", "in": "path", "required": true, "schema": {"type": "string"}}],
      "get": {
        "operationId": "GetOrder",
        "parameters": [
          {"name": "tags", "in": "query", "schema": {"type": "array", "items": {"type": "string"}}},
          {"name": "fields", "in": "query", "explode": false, "schema": {"type": "array", "items": {"type": "string"}}},
          {"name": "limit", "in": "query", "schema": {"anyOf": [{"type": "integer"}, {"type": "null"}], "default": 5}},
          {"name": "session", "in": "cookie", "schema": {"type": "string"}},
          {"$ref": "#/components/parameters/Trace"}
        ],
        "responses": {"2XX": {"description": "ok", "content": {"application/json": {"schema": {"$ref": "#/components/schemas/Order"}}}}}
      },
      "put": {
        "operationId": "SetOrder",
        "requestBody": {"required": true, "content": {"text/plain": {}, "application/json": {"schema": {"$ref": "#/components/schemas/Order"}}}},
        "responses": {"204": {"description": "done"}}
      },
      "post": {
        "operationId": "AddFile",
        "requestBody": {"content": {"multipart/form-data": {"schema": {"type": "object", "required": ["file"], "properties": {
          "file": {"type": "string", "format": "binary"}, "note": {"type": ["string", "null"], "x-ms-summary": "Note"}}}}}},
        "responses": {"201": {"description": "done"}}
      }
    }
  },
  "components": {
    "parameters": {"Trace": {"name": "x-trace", "in": "header", "schema": {"type": "string", "default": "on"}}},
    "schemas": {"Order": {"type": "object", "properties": {
      "total": {"type": ["number", "null"], "exclusiveMinimum": 0},
      "customer": {"oneOf": [{"$ref": "#/components/schemas/Customer"}, {"type": "null"}]}}},
      "Customer": {"type": "object", "properties": {"name": {"type": "string", "const": "x"}}}},
    "securitySchemes": {"key": {"type": "apiKey", "in": "header", "name": "X-Key"}}
  }
})";

TEST(OpenApi3, LoadsAsItsSecondVersionWould) {
  const Loaded loaded = load_connector(parsed(shop), {});
  ASSERT_TRUE(loaded.connector);
  const Connector& connector = *loaded.connector;
  EXPECT_EQ(connector.service_url(), "https://eu.shop.test/v1");
  ASSERT_EQ(connector.operations.size(), 3u);
  EXPECT_EQ(connector.usable_operations(), 3u);
  EXPECT_TRUE(says(loaded.diagnostics, "/openapi", "ConnectorConverted"));
  EXPECT_TRUE(says(loaded.diagnostics, "/paths/~1orders~1{id}/get/parameters/3", "ConnectorConversionLoss"));

  const Operation& get = *connector.find_operation("GetOrder");
  EXPECT_EQ(get.find("tags")->collection_format, "multi");
  EXPECT_EQ(get.find("fields")->collection_format, "csv");
  EXPECT_EQ(get.find("limit")->type, "integer");
  EXPECT_EQ(get.find("session"), nullptr);
  ASSERT_NE(get.find("x-trace"), nullptr);

  const Value fields = Value::object({{"api_key", "secret"}});
  const auto request = build_request(
      connector, get,
      Value::object({{"id", "a b"}, {"tags", Value::array({"x", "y"})}, {"fields", Value::array({"p", "q"})}}), fields);
  ASSERT_TRUE(request.has_value()) << request.error().message;
  EXPECT_TRUE(request->url.starts_with("https://eu.shop.test/v1/orders/a%20b?tags=x&tags=y&fields=p")) << request->url;
  ASSERT_NE(request->header("X-Key"), nullptr);
  EXPECT_EQ(*request->header("X-Key"), "secret");

  const Operation& put = *connector.find_operation("SetOrder");
  ASSERT_NE(put.body(), nullptr);
  EXPECT_TRUE(put.body()->required);
  EXPECT_EQ(put.consumes.front(), "application/json");
  const Value& order = resolve_schema(connector.swagger, put.body()->schema);
  EXPECT_EQ(json::write(order),
            R"({"type":"object","properties":{"total":{"type":"number","x-nullable":true,"minimum":0,)"
            R"("exclusiveMinimum":true},"customer":{"allOf":[{"$ref":"#/definitions/Customer"}]}}})");

  const Operation& post = *connector.find_operation("AddFile");
  ASSERT_NE(post.find("file"), nullptr);
  EXPECT_EQ(post.find("file")->type, "file");
  EXPECT_TRUE(post.find("file")->required);
  EXPECT_EQ(post.find("note")->type, "string");
  EXPECT_EQ(post.find("note")->summary, "Note");
}

TEST(OpenApi3, AnyValueConvertsWithoutHarm) {
  const char* odd[] = {
      R"({"openapi":"3.0.0"})",
      R"({"openapi":"3.0.0","paths":7,"components":[],"servers":{}})",
      R"({"openapi":"3.0.0","paths":{"/a":{"get":{"parameters":{},"requestBody":{"content":{}},"responses":[]}}}})",
      R"({"openapi":"3.0.0","paths":{"/a":{"post":{"requestBody":{"$ref":"#/components/requestBodies/A"}}}},)"
      R"("components":{"requestBodies":{"A":{"$ref":"#/components/requestBodies/A"}}}})",
      R"({"openapi":"3.0.0","paths":{"/a":{"get":{"parameters":[{"name":"q","in":"query","schema":{"$ref":"#/nowhere"}}, 7, null]}}}})",
      R"({"openapi":"3.0.0","paths":{"/a":{"post":{"requestBody":{"content":{"multipart/form-data":7}}}}}})",
      R"({"openapi":3.0,"paths":{"/a":{"get":{}}},"components":{"securitySchemes":{"a":{"type":"http","scheme":"digest"},"b":1}}})",
  };
  for (const char* text : odd) {
    const Loaded loaded = load_connector(parsed(text), {});
    if (loaded.connector) continue;
    EXPECT_TRUE(std::any_of(loaded.diagnostics.begin(), loaded.diagnostics.end(), [](const Diagnostic& d) {
      return d.severity == Severity::error && !d.cure.empty();
    })) << text;
  }
  const Loaded unknown = load_connector(parsed(R"({"openapi":"4.0.0","paths":{}})"), {});
  EXPECT_FALSE(unknown.connector);
  EXPECT_TRUE(says(unknown.diagnostics, "/openapi", "ConnectorFormatUnsupported"));
}

}  // namespace
}  // namespace flowmend::connector
