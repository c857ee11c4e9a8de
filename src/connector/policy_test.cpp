#include <gtest/gtest.h>

#include "connector/body_policy.h"
#include "connector/policy.h"
#include "connector/read_policy.h"
#include "connector/request.h"
#include "json/parse.h"
#include "json/write.h"

namespace flowmend::connector {
namespace {

Value json_of(std::string_view text) { return json::parse(text).value(); }

/// Parameters are written without their long prefix.
Value instance(std::string_view id, std::string_view parameters) {
  json::ObjectBuilder out;
  const Value written = json_of(parameters);
  for (const json::Member& member : written.as_object()) {
    const std::string name(member.name());
    out.add(name.starts_with("x-ms") ? name : "x-ms-apimTemplateParameter." + name, member.value);
  }
  return Value::object({{"templateId", Value(id)}, {"parameters", out.finish()}});
}

std::string changed(std::string_view id, std::string_view parameters, std::string_view body) {
  const auto policy = read_policy(instance(id, parameters));
  if (!policy || !changes_body(policy->kind)) return "not read";
  const Value fields = json_of(R"({"site": "acme"})");
  return json::write(apply_body_policy(*policy, json_of(body), {fields, {}, {}}));
}

struct BodyCase {
  const char* id;
  const char* parameters;
  const char* body;
  const char* expected;
};

TEST(BodyPolicy, ChangesWhatItsPathsName) {
  const BodyCase cases[] = {
      // Constants stay texts; a lone reference gives the value itself; a JSON template is one.
      {"setproperty",
       R"j({"newPropertyParentPathTemplate":"@body()","newPropertySubPathTemplate":"version","propertyValuePathTemplate":"v1"})j",
       R"({"a":1})", R"({"a":1,"version":"v1"})"},
      {"SetProperty",
       R"j({"newPropertyParentPathTemplate":"body()","newPropertySubPathTemplate":"next","propertyValuePathTemplate":"{@body().page.next}"})j",
       R"({"page":{"next":7}})", R"({"page":{"next":7},"next":7})"},
      {"setproperty",
       R"j({"newPropertyParentPathTemplate":"@body().gifts","newPropertySubPathTemplate":"payments","propertyValuePathTemplate":"[{@body().gifts.payments}]"})j",
       R"({"gifts":{"payments":{"amount":5}}})", R"({"gifts":{"payments":[{"amount":5}]}})"},
      {"setproperty",
       R"j({"newPropertyParentPathTemplate":"@body()","newPropertySubPathTemplate":"filters","propertyValuePathTemplate":"[{\"rules\": [{\"type\": \"of {@body().kind}\", \"values\": {@body().filters} }] }]"})j",
       R"({"kind":"a \"b\"","filters":["x","y"]})",
       R"({"kind":"a \"b\"","filters":[{"rules":[{"type":"of a \"b\"","values":["x","y"]}]}]})"},
      {"setproperty",
       R"j({"newPropertyParentPathTemplate":"@body()","newPropertySubPathTemplate":"['@odata.id']","propertyValuePathTemplate":"https://@connectionParameters('site').test/objects/{@body()['@odata.id']}"})j",
       R"({"@odata.id":"17"})", R"({"@odata.id":"https://acme.test/objects/17"})"},
      // In each element of an array, with the element at hand; single quotes around the whole are not the text's.
      {"setproperty",
       R"j({"newPropertyParentPathTemplate":"@body().invoices","newPropertySubPathTemplate":"title","propertyValuePathTemplate":"'{@item()['id']}-{@item()['reference']}'"})j",
       R"({"invoices":[{"id":1,"reference":"R"},{"id":2,"reference":"S"},3]})",
       R"({"invoices":[{"id":1,"reference":"R","title":"1-R"},{"id":2,"reference":"S","title":"2-S"},3]})"},
      // Two numbers side by side are a text, not a number.
      {"setproperty", R"j({"newPropertySubPathTemplate":"ab","propertyValuePathTemplate":"{@body().a}{@body().b}"})j",
       R"({"a":1,"b":2})", R"({"a":1,"b":2,"ab":"12"})"},
      // What a value brings in is not expanded again.
      {"setproperty",
       R"j({"newPropertyParentPathTemplate":"@body()","newPropertySubPathTemplate":"x","propertyValuePathTemplate":"<{@body().a}>"})j",
       R"j({"a":"@body().b","b":"secret"})j", R"j({"a":"@body().b","b":"secret","x":"<@body().b>"})j"},
      // What is not there changes nothing.
      {"setproperty",
       R"j({"newPropertyParentPathTemplate":"@body().none","newPropertySubPathTemplate":"x","propertyValuePathTemplate":"y"})j",
       R"({"a":1})", R"({"a":1})"},
      {"setproperty",
       R"j({"newPropertyParentPathTemplate":"@body()","newPropertySubPathTemplate":"payments","propertyValuePathTemplate":"[{@body().payments}]"})j",
       R"({"a":1})", R"({"a":1})"},
      {"stringreplace",
       R"j({"propertyParentPath":"@body().invoices","propertySubPath":"url","sourceString":"https://a.test/","replacementString":"","newPropertyPath":"@item().id"})j",
       R"({"invoices":[{"url":"https://a.test/12"},{"url":5},{}]})",
       R"({"invoices":[{"url":"https://a.test/12","id":"12"},{"url":5},{}]})"},
      {"StringReplace",
       R"j({"propertyParentPath":"@body()","propertySubPath":"t","sourceString":"a","replacementString":"aa"})j",
       R"({"t":"banana"})", R"({"t":"baanaanaa"})"},
      {"convertobjecttoarray",
       R"j({"propertyParentPath":"@body()","propertySubPath":"sounds","newPropertyPath":"@body().soundsArray","keyName":"sound","valueName":"description"})j",
       R"({"sounds":{"a":"b","c":1}})",
       R"({"sounds":{"a":"b","c":1},"soundsArray":[{"sound":"a","description":"b"},{"sound":"c","description":1}]})"},
      {"ConvertObjectToArray",
       R"j({"propertyParentPath":"@body()","propertySubPath":"null","newPropertyPath":"@body().Zones","keyName":"Name","valueName":"Details"})j",
       R"({"z":1})", R"({"z":1,"Zones":[{"Name":"z","Details":1}]})"},
      {"ConvertArrayToObject",
       R"j({"propertyParentPath":"@body()","propertySubPath":"rows","newPropertyPath":"@body().rows","keyWithinCollectionPath":"@item().id","retainKey":"false"})j",
       R"({"rows":[{"id":"a","n":1},{"id":2,"n":2},{"id":"a","n":3},{"n":4}]})",
       R"({"rows":{"a":{"n":3},"2":{"n":2}}})"},
      {"ConvertArrayToObject",
       R"j({"propertyParentPath":"@body()","propertySubPath":"rows","newPropertyPath":"@body().map","keyWithinCollectionPath":"id"})j",
       R"({"rows":[{"id":"a"}]})", R"({"rows":[{"id":"a"}],"map":{"a":{"id":"a"}}})"},
      {"StringToArray",
       R"j({"propertyParentPath":"@body()","propertySubPath":"to","newPropertyPath":"@body().to","delimiterList":",;","childPropertyName":"email"})j",
       R"({"to":"a@x.test; b@x.test,,c"})", R"({"to":[{"email":"a@x.test"},{"email":"b@x.test"},{"email":"c"}]})"},
      {"EncodePropertyValue", R"j({"propertyParentPath":"@body()","propertySubPath":"q"})j", R"({"q":"a b&c"})",
       R"({"q":"a%20b%26c"})"},
      {"moveproperties",
       R"j({"srcParentPath":"@body()","srcSubPath":"customProperties","dstParentPath":"@body()","dstSubPath":"null","copyOnlySubProperties":"true"})j",
       R"({"name":"n","customProperties":{"a":1,"name":"m"}})", R"({"name":"m","a":1})"},
      {"moveproperties",
       R"j({"srcParentPath":"@body()","srcSubPath":"a","dstParentPath":"@body().deep","dstSubPath":"b"})j",
       R"({"a":[1]})", R"({"deep":{"b":[1]}})"},
      {"moveproperties", R"j({"srcParentPath":"@body()","srcSubPath":"a","dstParentPath":"@body().deep"})j",
       R"({"a":1,"deep":{"x":2}})", R"({"deep":{"x":2,"a":1}})"},
  };
  for (const BodyCase& one : cases)
    EXPECT_EQ(changed(one.id, one.parameters, one.body), one.expected) << one.id << " " << one.parameters;
}

TEST(BodyPolicy, TakesAnyBody) {
  const char* parameters[] = {
      R"j({"propertyParentPath":"@body().a[3]['x']","propertySubPath":"b.c[0]","newPropertyPath":"@item().d[9].e","keyName":"k","keyWithinCollectionPath":"['']","delimiterList":""})j",
      R"j({"newPropertyParentPathTemplate":"@body()","newPropertySubPathTemplate":"a.b.c","propertyValuePathTemplate":"{@body()}"})j",
      R"j({"srcParentPath":"@body()","srcSubPath":"a","dstParentPath":"@body().a"})j"};
  for (const char* id : {"setproperty", "stringreplace", "convertobjecttoarray", "convertarraytoobject",
                         "stringtoarray", "encodepropertyvalue", "moveproperties"})
    for (const char* written : parameters)
      for (const char* body : {"null", "1", "\"x\"", "[]", "[[{}]]", "{}", R"({"a":{"b":[1]}})",
                               R"({"a":[1,2,3,{"x":{"b":{"c":["q"]}}}]})"})
        EXPECT_FALSE(changed(id, written, body).empty());
}

TEST(ReadPolicy, RefusesWhatItDoesNotUnderstand) {
  EXPECT_FALSE(read_policy(instance("setcookie", "{}")));
  EXPECT_FALSE(read_policy(instance("setproperty", R"j({"newPropertyParentPathTemplate":"@variables('x')"})j")));
  EXPECT_FALSE(read_policy(instance("setheader", R"j({"name":"A","x-ms-apimTemplate-policySection":"Elsewhere"})j")));
  EXPECT_FALSE(read_policy(instance(
      "dynamichosturl", R"j({"urlTemplate":"https://a.test","x-ms-apimTemplate-policySection":"Response"})j")));
  EXPECT_FALSE(read_policy(Value()));
  const auto next = read_policy(
      instance("updatenextlink", R"j({"nextLinkPropertyName":"next","nextLinkParentPropertyPath":"@body().meta"})j"));
  ASSERT_TRUE(next);
  EXPECT_EQ(next->name, "meta.next");
}

Loaded shaped() {
  return load_connector(
      json_of(R"({"swagger": "2.0", "info": {"title": "P"}, "host": "placeholder.test", "basePath": "/v1",
                  "securityDefinitions": {"key": {"type": "apiKey", "in": "header", "name": "Authorization"}},
                  "paths": {"/boards/{id}": {"post": {"operationId": "Post", "parameters": [
                    {"name": "id", "in": "path", "required": true, "type": "string"},
                    {"name": "body", "in": "body", "schema": {"type": "object", "properties": {"title": {"type": "string"}}}}]}}}})"),
      json_of(R"j({"properties": {
        "connectionParameters": {"api_key": {"type": "securestring"}, "site": {"type": "string"}},
        "policyTemplateInstances": [
          {"templateId": "SetValueFromUrl", "parameters": {"x-ms-apimTemplateParameter.parameterTemplate": "@headers('TeamId')",
             "x-ms-apimTemplateParameter.parameterValueUrl": "/teams/{id}?fields=@connectionParameters('site')",
             "x-ms-apimTemplateParameter.parameterValuePathTemplate": "@body().team.id"}},
          {"templateId": "setvaluefromurl", "parameters": {"x-ms-apimTemplateParameter.parameterTemplate": "@queryParameters('token')", "x-ms-apimTemplateParameter.httpMethod": "post",
             "x-ms-apimTemplateParameter.parameterValueUrl": "/token", "x-ms-apimTemplateParameter.parameterValuePathTemplate": "@body().access_token"}},
          {"templateId": "dynamichosturl", "parameters": {"x-ms-apimTemplateParameter.urlTemplate": "https://@connectionParameters('site').test/v1"}},
          {"templateId": "setproperty", "parameters": {"x-ms-apimTemplateParameter.newPropertyParentPathTemplate": "@body()",
             "x-ms-apimTemplateParameter.newPropertySubPathTemplate": "type", "x-ms-apimTemplateParameter.propertyValuePathTemplate": "card"}},
          {"templateId": "setheader", "parameters": {"x-ms-apimTemplateParameter.name": "Content-Type", "x-ms-apimTemplateParameter.value": "application/json; @connectionParameters('api_key', 'none')",
             "x-ms-apimTemplate-policySection": "Response"}},
          {"templateId": "setproperty", "parameters": {"x-ms-apimTemplateParameter.newPropertySubPathTemplate": "why", "x-ms-apimTemplateParameter.propertyValuePathTemplate": "{@body().error}",
             "x-ms-apimTemplate-policySection": "Failure"}},
          {"templateId": "setconnectionstatustounauthenticated", "parameters": {"x-ms-apimTemplateParameter.statusCode": 419}}]}})j"));
}

TEST(Policy, AsksTheServiceForValuesBeforeTheRequestItself) {
  const Loaded loaded = shaped();
  ASSERT_TRUE(loaded.connector);
  EXPECT_TRUE(loaded.diagnostics.empty()) << loaded.diagnostics.at(0).message;
  const Connector& connector = *loaded.connector;
  const Operation& operation = *connector.find_operation("Post");
  const Value parameters = json_of(R"({"id": "7 8", "body/title": "t"})");
  const Value fields = json_of(R"({"api_key": "s3cret", "site": "acme"})");

  const auto first = build_request(connector, operation, parameters, fields);
  ASSERT_TRUE(first) << first.error().message;
  ASSERT_TRUE(first->question);
  EXPECT_EQ(first->method, "GET");
  EXPECT_EQ(first->url, "https://acme.test/v1/teams/7%208?fields=acme");
  EXPECT_EQ(*first->header("Authorization"), "s3cret");
  EXPECT_EQ(first->header("TeamId"), nullptr);
  EXPECT_FALSE(first->has_body);
  EXPECT_EQ(answered_value(*first, R"({"team":{"id":42}})").value(), "42");
  for (const char* answer : {"", "<html>", "{}", R"({"team":{"id":{}}})"}) {
    const auto none = answered_value(*first, answer);
    ASSERT_FALSE(none);
    EXPECT_EQ(none.error().code, "PolicyValueMissing");
    EXPECT_NE(none.error().message.find("https://acme.test/v1/teams/7%208"), std::string::npos);
  }

  const auto second = build_request(connector, operation, parameters, fields, {"42"});
  ASSERT_TRUE(second);
  ASSERT_TRUE(second->question);
  EXPECT_EQ(second->method, "POST");
  EXPECT_EQ(second->url, "https://acme.test/v1/token");

  const auto last = build_request(connector, operation, parameters, fields, {"42", "t/1"});
  ASSERT_TRUE(last);
  EXPECT_FALSE(last->question);
  EXPECT_EQ(last->url, "https://acme.test/v1/boards/7%208?token=t%2F1");
  EXPECT_EQ(*last->header("TeamId"), "42");
  EXPECT_EQ(last->body, R"({"title":"t","type":"card"})");
  EXPECT_NE(std::find(last->secrets.begin(), last->secrets.end(), "t/1"), last->secrets.end())
      << "a record must not show it";
}

TEST(Policy, ShapesWhatTheFlowSeesOfAnAnswer) {
  const Loaded loaded = shaped();
  ASSERT_TRUE(loaded.connector);
  const Connector& connector = *loaded.connector;
  const Operation& operation = *connector.find_operation("Post");
  EXPECT_TRUE(shapes_replies(connector, operation));
  const Value clear = clear_fields_of(connector, json_of(R"({"api_key": "s3cret", "site": "acme"})"));
  Pairs headers{{"content-type", "text/plain"}};
  apply_reply_headers(connector, operation, clear, 201, headers);
  EXPECT_EQ(headers, (Pairs{{"content-type", "application/json; none"}})) << "a secret is nothing for the flow";
  Pairs failed{{"content-type", "text/plain"}};
  apply_reply_headers(connector, operation, clear, 400, failed);
  EXPECT_EQ(failed.at(0).second, "text/plain");
  EXPECT_EQ(json::write(apply_reply_body(connector, operation, clear, 200, json_of(R"({"error":"e"})"))),
            R"({"error":"e"})");
  EXPECT_EQ(json::write(apply_reply_body(connector, operation, clear, 409, json_of(R"({"error":"e"})"))),
            R"({"error":"e","why":"e"})");
  EXPECT_TRUE(means_unauthenticated(connector, operation, 419));
  EXPECT_FALSE(means_unauthenticated(connector, operation, 418));
}

}  // namespace
}  // namespace flowmend::connector
