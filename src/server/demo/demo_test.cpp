// The demo's services answer as docs/demo.md says, and its connectors and connections load.

#include "server/demo/demo.h"

#include <map>

#include <gtest/gtest.h>

#include "connector/arguments.h"
#include "connector/document.h"
#include "connector/text.h"
#include "http/client.h"
#include "json/parse.h"
#include "json/write.h"
#include "server/demo/content.h"

namespace flowmend::demo {
namespace {

class DemoTest : public testing::Test {
 protected:
  void SetUp() override {
    ServicesOptions options;
    options.port = 0;
    options.clock = [this] { return now_; };
    options.on_password_change = [this](const std::string& password) { told_ = password; };
    services_ = start_services(options).value();
  }
  http::Reply call(const std::string& method, const std::string& path, const std::string& body = {},
                   http::Headers headers = {}) {
    http::Request request;
    request.method = method;
    request.url = services_->url() + path;
    request.body = body;
    request.headers = std::move(headers);
    if (!body.empty()) request.headers.push_back({"Content-Type", "application/json"});
    return http::send_and_wait(client_, std::move(request));
  }
  static http::Headers basic(const std::string& password) {
    return {{"Authorization", "Basic " + connector::base64_encode("shop:" + password)}};
  }

  Timestamp now_ = *parse_timestamp("2026-11-23T12:00:00Z");
  std::string told_;
  http::Client client_;
  std::unique_ptr<Services> services_;
};

TEST_F(DemoTest, OrdersRefuseTheOldPasswordAndSaySo) {
  const auto refused = call("GET", "/orders/O-1007", {}, basic("spring-2026"));
  EXPECT_EQ(refused.status, 401);
  EXPECT_EQ(
      refused.body,
      R"({"error":{"code":"Unauthorized","message":"The password of user 'shop' was changed on 2026-11-23. Sign in with the new one."}})");
  EXPECT_EQ(call("GET", "/orders/O-1007", {}, basic("autumn-2026")).status, 200);
  EXPECT_EQ(call("GET", "/me", {}, basic("autumn-2026")).status, 200);
  EXPECT_EQ(call("POST", "/control", R"({"ordersPassword": "winter-2026"})").status, 200);
  EXPECT_EQ(told_, "winter-2026");
  EXPECT_EQ(call("GET", "/orders/O-1007", {}, basic("autumn-2026")).status, 401);
  EXPECT_EQ(call("GET", "/orders/O-1007", {}, basic("winter-2026")).status, 200);
}

TEST_F(DemoTest, TheCatalogueNamesWhatIsWrong) {
  const http::Headers key = {{"X-Api-Key", "demo-catalogue-key"}};
  const auto gone = call("GET", "/products/TEA-200");
  EXPECT_EQ(gone.status, 404);
  EXPECT_NE(gone.body.find("'/products/TEA-200' is gone: products moved to '/v2/products/TEA-200'"), std::string::npos);
  EXPECT_EQ(call("GET", "/v2/products/TEA-200").status, 200);
  const auto unknown = call("GET", "/v2/products/POT-1/price?currency=EURO", {}, key);
  EXPECT_EQ(unknown.status, 400);
  EXPECT_NE(unknown.body.find("currency 'EURO' is unknown"), std::string::npos);
  EXPECT_EQ(call("GET", "/v2/products/POT-1/price?currency=EUR", {}, key).status, 200);
  EXPECT_EQ(call("GET", "/v2/products/POT-1/price?currency=EUR").status, 401);
  const auto twelve = call("POST", "/v2/stock-orders", R"({"sku": "POT-1", "quantity": "twelve"})", key);
  EXPECT_EQ(twelve.status, 400);
  EXPECT_NE(twelve.body.find("quantity 'twelve' is not a number"), std::string::npos);
  EXPECT_EQ(call("POST", "/v2/stock-orders", R"({"sku": "POT-1", "quantity": 12})", key).status, 201);
}

TEST_F(DemoTest, DeliveryIsDownForFiveMinutesOrUntilItIsSwitchedOn) {
  EXPECT_EQ(call("POST", "/parcels", R"({"order": "O-1"})").status, 502);
  now_ = now_ + Duration::minutes(5);
  EXPECT_EQ(call("POST", "/parcels", R"({"order": "O-1"})").status, 201);
  EXPECT_EQ(call("POST", "/control", R"({"delivery": "down"})").status, 200);
  EXPECT_EQ(call("POST", "/parcels", R"({"order": "O-1"})").status, 502);
  EXPECT_EQ(call("POST", "/control", R"({"delivery": "up"})").status, 200);
  EXPECT_EQ(call("POST", "/parcels", R"({"order": "O-1"})").status, 201);
}

TEST_F(DemoTest, TheMailboxShowsWhatWasSentAndEscapesIt) {
  EXPECT_EQ(call("POST", "/messages", R"({"to": "a@example.test", "subject": "<script>", "body": "b"})").status, 201);
  EXPECT_EQ(call("GET", "/mailbox").body.find("<script>"), std::string::npos);
  EXPECT_NE(call("GET", "/mailbox").body.find("&lt;script&gt;"), std::string::npos);
  EXPECT_NE(call("GET", "/mailbox/messages").body.find("\"to\":\"a@example.test\""), std::string::npos);
  EXPECT_EQ(call("GET", "/").status, 200);
}

TEST_F(DemoTest, RefusesBadControlInput) {
  for (const char* body :
       {"[]", "{", R"({"delivery": "sideways"})", R"({"ordersPassword": 7})", R"({"ordersPassword": ""})"}) {
    EXPECT_EQ(call("POST", "/control", body).status, 400) << body;
  }
  http::Request form;
  form.method = "POST";
  form.url = services_->url() + "/control";
  form.headers = {{"Content-Type", "text/plain"}};
  form.body = R"({"delivery": "up"})";
  EXPECT_EQ(http::send_and_wait(client_, form).status, 415) << "another site's form must not steer it";
  EXPECT_EQ(call("DELETE", "/messages").status, 405);
  EXPECT_EQ(call("GET", "/nope").status, 404);
}

TEST(DemoContent, ConnectorsLoadWithoutAnyFinding) {
  for (const DemoConnector& connector : demo_connectors("127.0.0.1:8081")) {
    const connector::Loaded loaded =
        connector::load_connector(connector.swagger, connector.properties, {.name = connector.name});
    ASSERT_TRUE(loaded.connector) << connector.name;
    EXPECT_TRUE(loaded.diagnostics.empty()) << connector.name << ": " << loaded.diagnostics[0].message;
    EXPECT_EQ(loaded.connector->name, connector.name);
    EXPECT_TRUE(connector::connection_test(*loaded.connector));
  }
  EXPECT_EQ(demo_flows("http://127.0.0.1:8081").size(), 7u);
  EXPECT_EQ(json::write(demo_flows("http://127.0.0.1:9")[2].definition).find("{{"), std::string::npos);
}

TEST(DemoContent, FlowsCompileAndFitTheirConnectors) {
  std::map<std::string, std::shared_ptr<const connector::Connector>> connectors;
  for (const DemoConnector& connector : demo_connectors("127.0.0.1:8081")) {
    connectors[connector.name] =
        connector::load_connector(connector.swagger, connector.properties, {.name = connector.name}).connector;
  }
  for (const DemoFlow& flow : demo_flows("http://127.0.0.1:8081")) {
    SCOPED_TRACE(flow.display_name);
    definition::CompileOptions options;
    options.connection_references = flow.connection_references;
    const definition::Compiled compiled = definition::compile(flow.definition, options);
    for (const Diagnostic& one : compiled.diagnostics)
      ADD_FAILURE() << one.pointer << ": " << one.code << " " << one.message;
    ASSERT_TRUE(compiled.flow);
    EXPECT_EQ(compiled.flow->trigger.name, flow.trigger.empty() ? "Every_day" : flow.trigger);
    std::size_t steps = 0;
    for (const definition::Action& action : compiled.flow->actions) {
      if (action.type != definition::ActionType::open_api_connection) continue;
      const json::Value* inputs = action.definition.find("inputs");
      const json::Value* host = inputs->find("host");
      const auto connector = connectors[std::string(host->text_of("connectionName"))];
      ASSERT_TRUE(connector) << action.name;
      const connector::Operation* operation = connector->find_operation(host->text_of("operationId"));
      ASSERT_NE(operation, nullptr) << action.name;
      Diagnostics found;
      connector::check_arguments(*connector, *operation, *inputs->find("parameters"), action.pointer, found);
      for (const Diagnostic& one : found) ADD_FAILURE() << one.pointer << ": " << one.message;
      ++steps;
    }
    EXPECT_GE(steps, 1u);
  }
}

}  // namespace
}  // namespace flowmend::demo
