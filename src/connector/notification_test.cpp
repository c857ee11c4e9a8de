#include "connector/notification.h"

#include <gtest/gtest.h>

#include "json/parse.h"

namespace flowmend::connector {
namespace {

const char* const swagger = R"j({
  "swagger": "2.0", "info": {"title": "Hooks", "version": "1"}, "host": "hooks.test", "basePath": "/", "schemes": ["https"],
  "paths": {
    "/subscribe": {"post": {"operationId": "Subscribe", "x-ms-trigger": "single", "responses": {"201": {"description": "made"}},
      "parameters": [
        {"name": "channel", "in": "query", "type": "string"},
        {"name": "callback", "in": "query", "type": "string", "x-ms-notification-url": true},
        {"name": "body", "in": "body", "schema": {"$ref": "#/definitions/Subscription"}}]}}},
  "definitions": {"Subscription": {"type": "object", "properties": {
    "events": {"type": "array", "items": {"type": "string"}},
    "target": {"type": "object", "properties": {"url": {"type": "string", "x-ms-notification-url": true, "x-ms-visibility": "internal"}}}}}}})j";

TEST(Notification, TheAddressStandsWhereTheDocumentSays) {
  const auto loaded = load_connector(*json::parse(swagger), Value());
  ASSERT_TRUE(loaded.connector);
  const Operation* operation = loaded.connector->find_operation("Subscribe");
  ASSERT_NE(operation, nullptr);
  const Value given = *json::parse(R"({"channel": "a", "body/events": ["x"]})");
  const Value filled = with_callback(*loaded.connector, *operation, given, "https://me.test/cb?sig=1");
  EXPECT_EQ(filled, *json::parse(R"({"channel": "a", "body/events": ["x"], "callback": "https://me.test/cb?sig=1",
    "body/target/url": "https://me.test/cb?sig=1"})"));
  const Value own = *json::parse(R"({"callback": "https://mine.test/"})");
  EXPECT_EQ(with_callback(*loaded.connector, *operation, own, "https://me.test/cb").text_of("callback"),
            "https://mine.test/")
      << "what the flow says itself stays";
}

}  // namespace
}  // namespace flowmend::connector
