// What people read: each case is a failed step as it is recorded, and the texts that come of it.

#include "repair/explanation.h"

#include <gtest/gtest.h>

#include "json/parse.h"
#include "json/pointer.h"
#include "json/write.h"
#include "repair/report.h"

namespace flowmend::repair {
namespace {

Value json_of(std::string_view text) {
  auto value = json::parse(text);
  EXPECT_TRUE(value) << text;
  return value ? *value : Value();
}

std::shared_ptr<const definition::Flow> shop_flow() {
  static const auto flow = [] {
    definition::CompileOptions options;
    options.id = "11111111-2222-4333-8444-555555555555";
    options.display_name = "Confirm a new order";
    options.connection_references = json_of(
        R"({"shared_orders": {"connectionName": "orders", "id": "/providers/Microsoft.PowerApps/apis/shared_orders"}})");
    const auto compiled = definition::compile(json_of(R"json({
      "triggers": {"manual": {"type": "Request", "kind": "Http", "inputs": {"schema": {}}}},
      "actions": {
        "Get_order": {"type": "OpenApiConnection", "runAfter": {}, "inputs": {
          "host": {"apiId": "/providers/Microsoft.PowerApps/apis/shared_orders", "connectionName": "shared_orders", "operationId": "GetOrder"},
          "parameters": {"id": "@triggerBody()?['orderId']", "currency": "EURO"}}},
        "Call": {"type": "Http", "runAfter": {"Get_order": ["Succeeded"]}, "inputs": {"method": "GET", "uri": "http://shop.test/products/TEA-200"}},
        "Greet": {"type": "Compose", "runAfter": {"Call": ["Succeeded"]}, "inputs": "@concat('Dear ', toUpper(triggerBody()?['lastName']))"},
        "Read": {"type": "ParseJson", "runAfter": {"Greet": ["Succeeded"]}, "inputs": {"content": "@triggerBody()", "schema": {"type": "object"}}},
        "Each": {"type": "Foreach", "runAfter": {"Read": ["Succeeded"]}, "foreach": "@triggerBody()?['items']", "actions": {
          "Divide": {"type": "Compose", "runAfter": {}, "inputs": "@div(10, items('Each')?['by'])"}}},
        "Last": {"type": "Compose", "runAfter": {"Each": ["Succeeded"]}, "inputs": 1}}})json"),
                                              options);
    for (const Diagnostic& one : compiled.diagnostics)
      EXPECT_NE(one.severity, Severity::error) << one.pointer << " " << one.message;
    EXPECT_TRUE(compiled.flow);
    return compiled.flow;
  }();
  return flow;
}

definition::ActionId id_of(std::string_view name) {
  for (const definition::Action& action : shop_flow()->actions) {
    if (action.name == name) return action.id;
  }
  ADD_FAILURE() << name;
  return definition::no_action;
}

struct Case {
  const char* about;
  const char* step;
  int status;           ///< 0: no answer
  const char* code;     ///< of the fault
  const char* message;  ///< of the fault
  const char* inputs;   ///< recorded; null = none
  const char* body;     ///< of the answer; null = none
  const char* family;
  const char* title;
  const char* what;  ///< part of what happened
  const char* pointer;
  const char* buttons;
};

engine::Events events_of(const Case& one) {
  const Timestamp time = *parse_timestamp("2026-11-23T12:00:00Z");
  engine::RunStarted started;
  started.run = "08584640926573727105946217888CU00";
  started.time = time;
  started.trigger =
      json_of(R"({"name": "manual", "outputs": {"body": {"orderId": "O-1", "items": [{"by": 5}, {"by": 0}]}}})");
  engine::ActionEnded ended;
  ended.place.action = id_of(one.step);
  ended.status = engine::Status::failed;
  ended.code = "BadRequest";
  ended.fault = {one.code, one.message, Value()};
  ended.started = time;
  ended.ended = time + Duration::seconds(1);
  if (one.inputs != nullptr) {
    ended.inputs = json_of(one.inputs);
    ended.has_inputs = true;
  }
  engine::Events events = {started};
  if (one.status != 0) {
    json::ObjectBuilder outputs;
    outputs.add("statusCode", Value(one.status));
    outputs.add("headers", json_of(R"({"Set-Cookie": "s=topsecret"})"));
    if (one.body != nullptr) outputs.add("body", json_of(one.body));
    ended.outputs = outputs.finish();
    ended.has_outputs = true;
  }
  if (one.inputs != nullptr) {
    engine::AttemptEnded attempt;
    attempt.place = ended.place;
    attempt.started = time;
    attempt.ended = ended.ended;
    attempt.status_code = one.status;
    attempt.fault = ended.fault;
    attempt.request = json_of(
        R"({"method": "GET", "uri": "http://shop.test/x?sig=topsecret", "headers": {"Authorization": "Basic topsecret"}})");
    events.push_back(attempt);
  }
  events.push_back(ended);
  engine::ActionEnded skipped;
  skipped.place.action = id_of("Last");
  skipped.status = engine::Status::skipped;
  skipped.fault.code = "ActionConditionFailed";
  engine::RunEnded over;
  over.status = engine::Status::failed;
  over.code = "ActionFailed";
  over.fault = {"ActionFailed", "An action failed. No dependent actions succeeded.", Value()};
  over.time = ended.ended;
  over.culprit = ended.place;
  if (std::string_view(one.step) != "Last") events.push_back(skipped);
  events.push_back(over);
  return events;
}

constexpr const char* order_inputs =
    R"({"host": {"apiId": "/providers/Microsoft.PowerApps/apis/shared_orders", "connectionName": "shared_orders", "operationId": "GetOrder"},
                                         "parameters": {"id": "O-1", "currency": "EURO"}})";
constexpr const char* call_inputs = R"({"method": "GET", "uri": "http://shop.test/products/TEA-200"})";

const Case cases[] = {
    {"401 of a connector", "Get_order", 401, "", "", order_inputs,
     R"({"error": {"code": "Unauthorized", "message": "The password of 'shop' was changed."}})", "authentication",
     "Get order was refused: the connection orders isn't authenticated (Unauthorized, 401)",
     "The service says: \u201cThe password of 'shop' was changed.\u201d", "/actions/Get_order",
     "verifyConnection resubmit "},
    {"403 is about permissions, not passwords", "Get_order", 403, "", "", order_inputs, R"({"message": "not yours"})",
     "authentication", "Get order was refused: the account of connection 'orders' may not do this (Forbidden, 403)",
     "A new password would not help.", "/actions/Get_order", "openConnections resubmit "},
    {"400 names parameter and value", "Get_order", 400, "", "", order_inputs,
     R"({"title": "Unknown currency", "status": 400, "detail": "currency 'EURO' is unknown; use EUR"})",
     "actionConfiguration", "Get order failed: the service refused 'currency' = 'EURO' (Bad Request, 400)",
     "currency 'EURO' is unknown", "/actions/Get_order/inputs/parameters/currency", "editAction resubmit askForHelp "},
    {"400 about a value that an expression gave", "Get_order", 400, "", "", order_inputs,
     R"({"error": {"code": "x", "message": "id 'O-1' has no such form"}})", "actionConfiguration",
     "Get order failed: the service refused 'id' = 'O-1' (Bad Request, 400)",
     "The value comes from the expression @triggerBody()?['orderId'].", "/actions/Get_order/inputs/parameters/id",
     "editAction resubmit askForHelp "},
    {"404 names the address", "Call", 404, "", "", call_inputs,
     R"({"error": {"message": "'/products/TEA-200' is gone: products moved to '/v2/products/TEA-200'."}})",
     "actionConfiguration",
     "Call failed: the service found nothing for 'uri' = 'http://shop.test/products/TEA-200' (Not Found, 404)",
     "renamed, moved or deleted", "/actions/Call/inputs/uri", "editAction resubmit askForHelp "},
    {"404 that says nothing", "Call", 404, "", "", call_inputs, nullptr, "actionConfiguration",
     "Call failed: the service found nothing for this request (Not Found, 404)", "does not exist", "/actions/Call",
     "editAction resubmit askForHelp "},
    {"502 is temporary", "Call", 502, "", "", call_inputs, R"("<html><body><h1>502 Bad Gateway</h1></body></html>")",
     "transient", "Call failed: the service is temporarily unavailable (Bad Gateway, 502)",
     "the same request may succeed later", "/actions/Call", "resubmit editAction askForHelp "},
    {"429", "Call", 429, "", "", call_inputs, nullptr, "transient",
     "Call failed: the service had too many requests (429)", "fewer requests", "/actions/Call",
     "resubmit editAction askForHelp "},
    {"an unknown host", "Call", 0, "UnresolvableHostName", "The provided host name 'shop.test' could not be resolved.",
     call_inputs, nullptr, "actionConfiguration", "Call could not reach 'shop.test': no such host",
     "could not be resolved", "/actions/Call/inputs/uri", "editAction resubmit "},
    {"no answer", "Call", 0, "RequestTimeout",
     "The request failed: the server did not respond within the timeout limit", call_inputs, nullptr, "transient",
     "Call failed: the service did not answer (RequestTimeout)", "did not respond", "/actions/Call",
     "resubmit editAction askForHelp "},
    {"a deleted connection", "Get_order", 0, "ApiConnectionNotFound", "The API connection 'orders' could not be found.",
     order_inputs, nullptr, "authentication", "Get order needs the connection 'orders', which does not exist",
     "nothing was sent", "/actions/Get_order", "openConnections editAction resubmit "},
    {"an expression that met null", "Greet", 0, "InvalidTemplate", "Unable to process template language expressions",
     nullptr, nullptr, "expression", "Greet failed: triggerBody()?['lastName'] was null",
     "In 'toUpper(triggerBody()?['lastName'])' the value of 'triggerBody()?['lastName']' was null",
     "/actions/Greet/inputs", "editAction resubmit askForHelp "},
    {"a schema", "Read", 0, "ValidationFailed", "The JSON is not valid: required 'id' is missing", nullptr, nullptr,
     "data", "Read failed: the data does not fit the schema", "required 'id' is missing", "/actions/Read/inputs/schema",
     "editAction resubmit askForHelp "},
    {"something new", "Last", 0, "NeverHeardOf", "Strange", nullptr, nullptr, "unknown", "Last failed (NeverHeardOf)",
     "Strange.", "/actions/Last", "askForHelp editAction resubmit "},
};

TEST(Explanation, TellsEachFamilyInPlainWords) {
  for (const Case& one : cases) {
    SCOPED_TRACE(one.about);
    const auto explained = explain_run(*shop_flow(), events_of(one), nullptr);
    ASSERT_TRUE(explained);
    EXPECT_EQ(explained->text_of("family"), one.family);
    EXPECT_EQ(explained->text_of("title"), one.title);
    EXPECT_NE(explained->text_of("whatHappened").find(one.what), std::string::npos)
        << explained->text_of("whatHappened");
    EXPECT_EQ(explained->find("where")->text_of("pointer"), one.pointer);
    std::string buttons;
    for (const Value& advice : explained->find("howToFix")->as_array()) {
      if (const Value* button = advice.find("button")) buttons += std::string(button->text_of("kind")) + " ";
    }
    EXPECT_EQ(buttons, one.buttons);
    EXPECT_EQ(json::write(*explained).find("topsecret"), std::string::npos);
    EXPECT_NE(json::resolve(shop_flow()->definition, explained->find("where")->text_of("pointer")), nullptr)
        << "the place exists";
  }
}

TEST(Explanation, ShowsTheSubexpressionAndItsValues) {
  const auto explained = explain_run(*shop_flow(), events_of(cases[11]), nullptr);
  ASSERT_TRUE(explained);
  const Value* expression = explained->find("where")->find("expression");
  ASSERT_NE(expression, nullptr);
  EXPECT_EQ(expression->text_of("source"), "@concat('Dear ', toUpper(triggerBody()?['lastName']))");
  EXPECT_EQ(expression->text_of("subexpression"), "toUpper(triggerBody()?['lastName'])");
  bool seen = false;
  for (const Value& part : expression->find("values")->as_array())
    seen = seen || (part.text_of("text") == "triggerBody()?['lastName']" && part.find("value") &&
                    part.find("value")->is_null());
  EXPECT_TRUE(seen) << json::write(*expression);
}

TEST(Explanation, FindsTheItemOfALoop) {
  engine::Events events = events_of(cases[11]);
  engine::IterationStarted zero;
  zero.loop = {id_of("Each"), 0};
  engine::IterationStarted one = zero;
  one.index = 1;
  auto& ended = std::get<engine::ActionEnded>(events[1]);
  ended.place = {id_of("Divide"), 2};
  std::get<engine::RunEnded>(events.back()).culprit = ended.place;
  events.insert(events.begin() + 1, {zero, one});
  const auto explained = explain_run(*shop_flow(), events, nullptr);
  ASSERT_TRUE(explained);
  EXPECT_EQ(explained->find("failure")->text_of("repetition"), "000001");
  EXPECT_EQ(json::write(*explained->find("failure")->find("path")), R"(["Each","Divide"])");
  EXPECT_NE(explained->text_of("title").find("Divide failed in item 2 of 'Each'"), std::string::npos)
      << explained->text_of("title");
  EXPECT_EQ(explained->find("where")->find("expression")->text_of("subexpression"), "div(10, items('Each')?['by'])");
  EXPECT_NE(explained->text_of("whatHappened").find("divide"), std::string::npos) << explained->text_of("whatHappened");
}

TEST(Explanation, IsRefusedForARunThatDidNotFail) {
  engine::Events events = events_of(cases[0]);
  std::get<engine::RunEnded>(events.back()).status = engine::Status::succeeded;
  EXPECT_EQ(explain_run(*shop_flow(), events, nullptr).error().code, "RunHasNotFailed");
  events.pop_back();
  EXPECT_EQ(explain_run(*shop_flow(), events, nullptr).error().code, "RunHasNotFailed");
  EXPECT_FALSE(explain_run(*shop_flow(), {}, nullptr));
}

TEST(Explanation, SurvivesADamagedRecord) {
  engine::Events events = events_of(cases[0]);
  std::get<engine::ActionEnded>(events[2]).place = {4'000'000, 9};
  std::get<engine::RunEnded>(events.back()).culprit = {4'000'000, 9};
  EXPECT_TRUE(explain_run(*shop_flow(), events, nullptr));
  engine::IterationStarted self;
  self.loop = {id_of("Each"), 1};
  events = events_of(cases[11]);
  std::get<engine::ActionEnded>(events[1]).place.frame = 1;
  std::get<engine::RunEnded>(events.back()).culprit.frame = 1;
  events.insert(events.begin() + 1, self);
  EXPECT_TRUE(explain_run(*shop_flow(), events, nullptr));
}

TEST(Report, IsReadableAndShowsNoSecret) {
  json::ObjectBuilder builder(*explain_run(*shop_flow(), events_of(cases[2]), nullptr));
  builder.set("response", json_of(R"({"statusCode": 400, "body": {"password": "hunter22", "note": "a ``` fence"}})"));
  const Value report = make_report(builder.finish(), "0.1.0");
  const std::string text = json::write(report);
  EXPECT_EQ(text.find("hunter22"), std::string::npos);
  EXPECT_EQ(text.find("topsecret"), std::string::npos);
  const std::string_view markdown = report.text_of("markdown");
  EXPECT_TRUE(markdown.starts_with("# Get order failed: the service refused 'currency' = 'EURO' (Bad Request, 400)\n"));
  EXPECT_NE(markdown.find("- Field: currency = EURO\n"), std::string::npos) << markdown;
  EXPECT_NE(markdown.find("````json"), std::string::npos) << "a fence longer than the one inside";
}

}  // namespace
}  // namespace flowmend::repair
