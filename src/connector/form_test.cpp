// What a person who writes a flow sees of an operation.

#include "connector/form.h"

#include <gtest/gtest.h>

#include <iostream>
#include <set>

#include "connector/arguments.h"
#include "connector/corpus_test.h"
#include "connector/notification.h"

namespace flowmend::connector {
namespace {

constexpr const char* orders = R"j({
  "swagger": "2.0", "info": {"title": "Orders", "version": "1"}, "host": "orders.test",
  "definitions": {
    "Person": {"type": "object", "required": ["name"], "properties": {
      "name": {"type": "string", "x-ms-summary": "Full name"},
      "born": {"type": "string", "format": "date"},
      "boss": {"$ref": "#/definitions/Person"}}}},
  "paths": {"/orders/{id}": {"put": {
    "operationId": "PutOrder",
    "parameters": [
      {"name": "id", "in": "path", "required": true, "type": "integer", "x-ms-summary": "Number", "description": "Of the order."},
      {"name": "v", "in": "query", "type": "string", "default": "2", "x-ms-visibility": "internal"},
      {"name": "trace", "in": "header", "type": "string", "x-ms-visibility": "advanced"},
      {"name": "order", "in": "body", "required": true, "schema": {"type": "object", "required": ["state", "buyer"], "properties": {
        "state": {"type": "string", "enum": ["open", "done"], "default": "open"},
        "made": {"type": "string", "readOnly": true},
        "called": {"type": "string", "x-ms-notification-url": true},
        "note": {"type": "object", "required": ["text"], "properties": {"text": {"type": "string"}}},
        "lines": {"type": "array", "items": {"type": "object", "properties": {"sku": {"type": "string"}}}},
        "buyer": {"$ref": "#/definitions/Person"}}}}],
    "responses": {"200": {"schema": {"type": "object", "properties": {
      "id": {"type": "integer"},
      "buyer": {"$ref": "#/definitions/Person"},
      "lines": {"type": "array", "items": {"type": "object", "properties": {"sku": {"type": "string", "title": "Article"}}}}}}}}}}}})j";

std::shared_ptr<const Connector> load() {
  const auto document = json::parse(orders);
  EXPECT_TRUE(document);
  return load_connector(*document, Value()).connector;
}

const FormField* field(const std::vector<FormField>& form, std::string_view name) {
  for (const FormField& one : form) {
    if (one.name == name) return &one;
  }
  return nullptr;
}

TEST(Form, FieldsAreThoseOfTheFlatMap) {
  const auto connector = load();
  ASSERT_TRUE(connector);
  const auto form = form_of(*connector, *connector->find_operation("PutOrder"));
  const FormField* id = field(form, "id");
  ASSERT_NE(id, nullptr);
  EXPECT_EQ(id->title, "Number");
  EXPECT_EQ(id->about, "Of the order.");
  EXPECT_EQ(id->type, "integer");
  EXPECT_TRUE(id->required);
  EXPECT_EQ(field(form, "v"), nullptr) << "internal";
  ASSERT_NE(field(form, "trace"), nullptr);
  EXPECT_TRUE(field(form, "trace")->advanced);
  const FormField* state = field(form, "order/state");
  ASSERT_NE(state, nullptr);
  EXPECT_EQ(state->choices.size(), 2U);
  EXPECT_EQ(state->default_value, Value("open"));
  EXPECT_EQ(field(form, "order/made"), nullptr) << "the service fills it";
  EXPECT_EQ(field(form, "order/called"), nullptr) << "the engine fills it";
  ASSERT_NE(field(form, "order/note/text"), nullptr);
  EXPECT_FALSE(field(form, "order/note/text")->required) << "the note may be left out";
  ASSERT_NE(field(form, "order/lines"), nullptr);
  EXPECT_EQ(field(form, "order/lines")->type, "array");
  ASSERT_NE(field(form, "order/buyer/name"), nullptr);
  EXPECT_TRUE(field(form, "order/buyer/name")->required);
  EXPECT_EQ(field(form, "order/buyer/name")->title, "Full name");
  EXPECT_EQ(field(form, "order/buyer"), nullptr) << "its parts stand for it";
}

TEST(Form, ASchemaThatHoldsItselfEnds) {
  const auto connector = load();
  const auto form = form_of(*connector, *connector->find_operation("PutOrder"));
  EXPECT_LE(form.size(), 500U);
  EXPECT_NE(field(form, "order/buyer/boss/boss/name"), nullptr);
  const auto reply = reply_of(*connector, *connector->find_operation("PutOrder"));
  EXPECT_LE(reply.size(), 200U);
}

TEST(Form, AReplyTellsItsValuesAndWhatItsListsHold) {
  const auto connector = load();
  const auto reply = reply_of(*connector, *connector->find_operation("PutOrder"));
  ASSERT_FALSE(reply.empty());
  EXPECT_EQ(reply[0].path, std::vector<std::string>{"id"});
  EXPECT_EQ(reply[1].path, (std::vector<std::string>{"buyer", "name"}));
  const ReplyField& lines = reply.back();
  EXPECT_EQ(lines.type, "array");
  ASSERT_EQ(lines.items.size(), 1U);
  EXPECT_EQ(lines.items[0].title, "Article");
}

// Whatever a form offers, a step may give: no name is unknown to what builds the request.
TEST(Form, EveryFieldOfRealConnectorsIsOneThatAStepMayGive) {
  const std::string text = read_connector_corpus();
  if (text.empty()) GTEST_SKIP() << "the corpus is not part of the project";
  std::size_t operations = 0;
  std::size_t fields = 0;
  std::size_t with_reply = 0;
  visit_lines(text, [&](const Value& line) {
    const Value* swagger = line.find("swagger");
    const Value* properties = line.find("properties");
    const auto loaded =
        load_connector(swagger == nullptr ? Value() : *swagger, properties == nullptr ? Value() : *properties);
    if (!loaded.connector) return;
    for (const Operation& operation : loaded.connector->operations) {
      if (operation.internal) continue;  // asked for choices and shapes, never by a step
      ++operations;
      json::ObjectBuilder given;
      std::set<std::string> names;
      for (const FormField& one : form_of(*loaded.connector, operation)) {
        ++fields;
        EXPECT_TRUE(names.insert(one.name).second)
            << loaded.connector->title << " " << operation.id << ": " << one.name;
        EXPECT_FALSE(one.title.empty());
        given.set(one.name, Value("@x()"));
      }
      Diagnostics diagnostics;
      const Value filled =
          with_callback(*loaded.connector, operation, given.finish(), "https://flowmend.test/callback");
      check_arguments(*loaded.connector, operation, filled, "", diagnostics);
      for (const Diagnostic& diagnostic : diagnostics)
        ADD_FAILURE() << loaded.connector->title << " " << operation.id << ": " << diagnostic.message;
      with_reply += reply_of(*loaded.connector, operation).empty() ? 0 : 1;
    }
  });
  std::cout << operations << " operations, " << fields << " fields, " << with_reply << " tell what they give back\n";
  EXPECT_GT(fields, operations);
}

}  // namespace
}  // namespace flowmend::connector
