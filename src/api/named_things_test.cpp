#include "api/named_things.h"

#include <gtest/gtest.h>

#include "json/parse.h"

namespace flowmend::api {
namespace {

NamedThings of(std::string_view definition, std::string_view references = "{}", std::string_view values = "{}") {
  return named_things(*json::parse(definition), *json::parse(references), *json::parse(values));
}

TEST(NamedThings, areFoundHoweverDeepAStepLies) {
  const auto found = of(
      R"j({"triggers":{"t":{"type":"OpenApiConnection","inputs":{"host":{"connectionName":"a","apiId":"/providers/Microsoft.PowerApps/apis/shared_x"}}}},
          "actions":{"If":{"type":"If","actions":{},"else":{"actions":{"S":{"type":"Switch","cases":{"c":{"actions":{
            "Post":{"type":"ApiConnection","inputs":{"host":{"connection":{"name":"b"}}}},
            "Call":{"type":"Workflow","inputs":{"host":{"workflow":{"id":"/x/workflows/child"}}}}}}}}}}}}})j");
  ASSERT_EQ(found.connections.size(), 2U);
  EXPECT_EQ(found.connections[0].api, "shared_x");
  EXPECT_EQ(found.connections[0].name, "a");
  EXPECT_EQ(found.connections[1].name, "b");
  EXPECT_EQ(found.connections[1].where, "/actions/If/else/actions/S/cases/c/actions/Post");
  ASSERT_EQ(found.flows.size(), 1U);
  EXPECT_EQ(found.flows[0].name, "child");
}

TEST(NamedThings, whatIsWorkedOutAtRunTimeIsSaid) {
  for (const char* inputs :
       {R"j("@json('{}')")j", R"j({"host":{"connectionName":"@concat('a','b')"}})j",
        R"j({"host":{"connectionName":"x@{variables('y')}"}})j",
        R"j({"host":{"connection":{"name":"@variables('y')"}}})j",
        R"j({"host":{"connectionName":"a","apiId":"@variables('y')"}})j",
        R"j({"host":{"connection":{"name":"@parameters('$connections')['a')]['b']['connectionId']"}}})j"}) {
    const auto found = of(R"j({"actions":{"A":{"type":"ApiConnection","inputs":)j" + std::string(inputs) + "}}}");
    ASSERT_EQ(found.connections.size(), 1U) << inputs;
    EXPECT_TRUE(found.connections[0].computed) << inputs;
  }
  const auto call =
      of(R"j({"actions":{"A":{"type":"Workflow","inputs":{"host":{"workflowReferenceName":"@variables('y')"}}}}})j");
  ASSERT_EQ(call.flows.size(), 1U);
  EXPECT_TRUE(call.flows[0].computed);
}

TEST(NamedThings, theValueOfConnectionsIsLookedInto) {
  const char* definition =
      R"j({"parameters":{"$connections":{"type":"Object","defaultValue":{"k":{"connectionId":"/apis/shared_x/connections/one"}}}},
          "actions":{"A":{"type":"ApiConnection","inputs":{"host":{"connection":{"name":"@parameters('$connections')['k']['connectionId']"}}}}}})j";
  const auto found = of(definition, "{}", R"j({"$connections":{"value":{"k":{"connectionName":"two"}}}})j");
  ASSERT_EQ(found.connections.size(), 2U);
  EXPECT_EQ(found.connections[0].name, "two");
  EXPECT_EQ(found.connections[1].name, "one");
  const auto references = of("{}", R"j({"r":{"connectionName":"three","id":"/apis/shared_x"}})j");
  ASSERT_EQ(references.connections.size(), 1U);
  EXPECT_EQ(references.connections[0].name, "three");
  EXPECT_TRUE(of("[]", "7", "null").connections.empty());
}

}  // namespace
}  // namespace flowmend::api
