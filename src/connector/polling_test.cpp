#include "connector/polling.h"

#include <gtest/gtest.h>

#include "json/parse.h"
#include "json/write.h"

namespace flowmend::connector {
namespace {

Value json_of(std::string_view text) {
  auto value = json::parse(text);
  EXPECT_TRUE(value) << text;
  return value ? *value : Value();
}

std::shared_ptr<const Connector> files_connector(const char* config) {
  const Value swagger = json_of(R"({"swagger": "2.0", "info": {"title": "Files"}, "host": "files.test", "paths": {
    "/files": {"get": {"operationId": "NewFiles", "x-ms-trigger": "batch",
      "parameters": [{"name": "after", "in": "query", "type": "string", "x-ms-visibility": "internal"},
                     {"name": "folder", "in": "query", "type": "string"}], "responses": {"200": {"description": ""}}}},
    "/notes": {"get": {"operationId": "NewNotes", "x-ms-trigger": "batch", "parameters": [{"name": "since", "in": "query",
      "type": "string", "x-ms-trigger-value": {"value-collection": "data/notes", "value-path": "at"}}],
      "responses": {"200": {"description": ""}}}}}})");
  const Value properties =
      json_of(std::string(R"({"properties": {"policyTemplateInstances": [{"templateId": "pollingtrigger", "title": "p",
    "parameters": {"x-ms-apimTemplate-operationName": ["NewFiles"],
      "x-ms-apimTemplateParameter.triggerDataPath": "@triggerBody().files",
      "x-ms-apimTemplateParameter.triggerConfig": )") +
              config + "}}]}}");
  return load_connector(swagger, properties).connector;
}

/// A service's answer as a trigger gets it: status and place.
struct Asked {
  int status = 0;
  std::string place;
};
Asked answered(const Polling& polling, std::string_view place, const char* body, int status = 200) {
  engine::AttemptFinished outcome;
  outcome.status_code = status;
  outcome.headers = json_of(R"({"location": "https://other.test/", "Retry-After": "7"})");
  outcome.body = json_of(body);
  outcome.has_body = true;
  remember_place(polling, place, outcome);
  EXPECT_EQ(outcome.headers.text_of("Retry-After"), "7");
  const Value* location = outcome.headers.find_ignoring_case("Location");
  return {outcome.status_code, std::string(location->as_string())};
}
std::string url_after(std::string_view place) {
  OutgoingRequest request;
  request.url = "https://files.test/files?folder=a%20b&after=";
  return ask_after(place, request) ? request.url : "no place";
}

TEST(Polling, AsksAfterWhatTheLastAnswerSaid) {
  const auto connector = files_connector(R"({"after": "@{triggerBody().files[0].created}", "limit": "5",
    "": "1", "x-ms-triggerConfig-nextLink": "next"})");
  ASSERT_NE(connector, nullptr);
  const Operation& operation = *connector->find_operation("NewFiles");
  EXPECT_EQ(operation.unavailable.code, "");
  const Polling* polling = polling_of(*connector, operation);
  ASSERT_NE(polling, nullptr);
  ASSERT_EQ(polling->next.size(), 2u);
  // What is there when the flow begins is not new.
  const auto first = answered(*polling, "", R"({"files": [{"created": "2024-01-01 9:00"}]})");
  EXPECT_EQ(first.status, 202);
  EXPECT_EQ(url_after(first.place), "https://files.test/files?folder=a%20b&after=2024-01-01%209%3A00&limit=5");
  const auto same = answered(*polling, first.place, R"({"files": [{"created": "2024-01-01 9:00"}]})");
  EXPECT_EQ(same.status, 202);  // a service that compares with >= gives the last one again
  EXPECT_EQ(same.place, first.place);
  const auto nothing = answered(*polling, first.place, R"({"files": []})");
  EXPECT_EQ(nothing.status, 202);
  EXPECT_EQ(nothing.place, first.place);
  const auto news = answered(*polling, first.place, R"({"files": [{"created": "2024-02-02"}, {"created": "x"}]})");
  EXPECT_EQ(news.status, 200);
  EXPECT_EQ(url_after(news.place), "https://files.test/files?folder=a%20b&after=2024-02-02&limit=5");
  // Without the value the last one stays.
  const auto other = answered(*polling, news.place, R"({"files": [{"name": "y"}]})");
  EXPECT_EQ(other.status, 200);
  EXPECT_EQ(url_after(other.place), url_after(news.place));
}

TEST(Polling, NewsAfterAnEmptyBeginningIsNews) {
  const auto connector = files_connector(R"({"after": "@{triggerBody().files[0].created}"})");
  const Polling& polling = *polling_of(*connector, *connector->find_operation("NewFiles"));
  const auto first = answered(polling, "", R"({"files": []})");
  EXPECT_EQ(first.status, 202);
  EXPECT_EQ(first.place, "?");
  EXPECT_EQ(url_after(first.place), "https://files.test/files?folder=a%20b&after=");
  EXPECT_EQ(answered(polling, first.place, R"({"files": [{"created": 1}]})").status, 200);
}

TEST(Polling, AFailureAndAnAddressAreLeftAlone) {
  const auto connector = files_connector(R"({"after": "1"})");
  const Polling& polling = *polling_of(*connector, *connector->find_operation("NewFiles"));
  const auto refused = answered(polling, "?after=1", R"({"files": [1]})", 403);
  EXPECT_EQ(refused.status, 403);
  EXPECT_EQ(refused.place, "https://other.test/");
  EXPECT_EQ(url_after("https://files.test/next"), "no place");
}

TEST(Polling, AParameterMayNameItsNextValueItself) {
  const auto connector = files_connector("{}");
  const Polling* polling = polling_of(*connector, *connector->find_operation("NewNotes"));
  ASSERT_NE(polling, nullptr);
  const auto first = answered(*polling, "", R"({"data": {"notes": [{"at": 17}]}})");
  EXPECT_EQ(first.place.substr(0, first.place.find('#')), "?since=17");
  const auto news = answered(*polling, first.place, R"({"data": {"notes": [{"at": 18}, {"at": 17}]}})");
  EXPECT_EQ(news.status, 200);
  EXPECT_EQ(news.place.substr(0, news.place.find('#')), "?since=18");
}

}  // namespace
}  // namespace flowmend::connector
