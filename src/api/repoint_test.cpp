#include "api/repoint.h"

#include <gtest/gtest.h>

#include "json/parse.h"
#include "json/write.h"

namespace flowmend::api {
namespace {

const connector::ConnectionKey from{"shared_x", "old"};

Repointed of(std::string_view definition, std::string_view references, std::string_view values = "{}") {
  return repoint(*json::parse(definition), *json::parse(references), *json::parse(values), from, "new");
}

constexpr const char* step =
    R"j({"actions":{"A":{"type":"OpenApiConnection","inputs":{"host":{"connectionName":"key","apiId":"/providers/Microsoft.PowerApps/apis/shared_x"}}}}})j";

TEST(Repoint, ChangesEachFormOfAReferenceAndNoOther) {
  struct Case {
    const char* before;
    const char* after;
  };
  const Case cases[] = {
      {R"({"key":{"connectionName":"old","id":"/providers/Microsoft.PowerApps/apis/shared_x"},"other":{"connectionName":"old","id":"/providers/Microsoft.PowerApps/apis/shared_y"}})",
       R"({"key":{"connectionName":"new","id":"/providers/Microsoft.PowerApps/apis/shared_x"},"other":{"connectionName":"old","id":"/providers/Microsoft.PowerApps/apis/shared_y"}})"},
      {R"({"key":{"api":{"name":"shared_x"},"connection":{"connectionReferenceLogicalName":"old"},"runtimeSource":"embedded"}})",
       R"({"key":{"api":{"name":"shared_x"},"connection":{"connectionReferenceLogicalName":"new"},"runtimeSource":"embedded"}})"},
      {R"({"key":{"api":{"id":"/x/apis/shared_x"},"connection":{"id":"/x/apis/shared_x/connections/old"}}})",
       R"({"key":{"api":{"id":"/x/apis/shared_x"},"connection":{"id":"/x/apis/shared_x/connections/new"}}})"},
  };
  for (const Case& one : cases) {
    const Repointed changed = of(step, one.before);
    EXPECT_TRUE(changed.uses) << one.before;
    EXPECT_EQ(changed.still_at, "");
    EXPECT_EQ(json::write(changed.references), one.after);
  }
  EXPECT_FALSE(of(step, R"({"key":{"connectionName":"third","id":"/x/apis/shared_x"}})").uses);
}

TEST(Repoint, ReachesWhatTheReferencesDoNotHold) {
  // The step names the connection itself: a reference of that name leads it on.
  const Repointed direct = of(
      R"j({"actions":{"A":{"type":"OpenApiConnection","inputs":{"host":{"connectionName":"old","apiId":"/x/apis/shared_x"}}}}})j",
      "{}");
  EXPECT_TRUE(direct.uses);
  EXPECT_EQ(direct.still_at, "");
  EXPECT_EQ(
      json::write(direct.references),
      R"({"old":{"connectionName":"new","id":"/providers/Microsoft.PowerApps/apis/shared_x","source":"Embedded"}})");
  const Repointed exported = of(
      R"j({"actions":{"A":{"type":"ApiConnection","inputs":{"host":{"connection":{"name":"@parameters('$connections')['x']['connectionId']"}}}}}})j",
      "{}",
      R"({"$connections":{"value":{"x":{"connectionId":"/s/connections/old","connectionName":"old","id":"/s/managedApis/shared_x"}}}})");
  EXPECT_TRUE(exported.uses);
  EXPECT_EQ(
      json::write(exported.parameter_values),
      R"({"$connections":{"value":{"x":{"connectionId":"/s/connections/new","connectionName":"new","id":"/s/managedApis/shared_x"}}}})");
  // An address inside a step is for its author to change.
  const Repointed fixed = of(
      R"j({"actions":{"A":{"type":"ApiConnection","inputs":{"host":{"connection":{"name":"/s/connections/old"}}}}}})j",
      "{}");
  EXPECT_TRUE(fixed.uses);
  EXPECT_EQ(fixed.still_at, "/actions/A");
}

TEST(Repoint, TakesAnyValues) {
  for (const char* text : {"null", "[]", "{}", "1", R"({"a":1,"$connections":[]})", R"({"$connections":{"value":7}})"})
    for (const char* other : {"null", "[1]", R"({"actions":{"A":{"type":"ApiConnection"}}})"})
      EXPECT_FALSE(of(other, text, text).uses);
}

}  // namespace
}  // namespace flowmend::api
