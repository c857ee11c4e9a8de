#include "api/sharing.h"

#include <gtest/gtest.h>

#include <set>

#include "api/guard.h"
#include "json/parse.h"

namespace flowmend::api {
namespace {

const std::vector<Account> people{
    {"1", "ada", "Ada", true}, {"2", "grace", "Grace", false}, {"3", "alan", "Alan", false}};

Value body(std::string_view text) { return *json::parse(text); }

TEST(Sharing, whoMadeAThingOwnsItUntilItIsShared) {
  EXPECT_EQ(read_shares(nullptr, "grace", people), (Shares{{"2", Level::own}}));
  EXPECT_TRUE(read_shares(nullptr, "demo", people).empty());
  const Value stored = share_document({{"3", Level::edit}});
  EXPECT_EQ(read_shares(&stored, "grace", people), (Shares{{"3", Level::edit}})) << "a document is the whole truth";
}

TEST(Sharing, peopleAreAddedChangedAndRemoved) {
  const Shares now{{"2", Level::own}};
  const auto added = modify(
      now, body(R"({"put":[{"properties":{"roleName":"canview","principal":{"id":"ALAN","type":"User"}}}]})"), people);
  ASSERT_TRUE(added);
  EXPECT_EQ(*added, (Shares{{"2", Level::own}, {"3", Level::use}}));
  const auto changed =
      modify(*added, body(R"({"put":[{"properties":{"roleName":"CanEdit","principal":{"id":"3"}}}]})"), people);
  ASSERT_TRUE(changed);
  EXPECT_EQ(changed->at("3"), Level::edit);
  const auto removed = modify(*changed, body(R"({"delete":[{"id":"/providers/x/permissions/3"}]})"), people);
  ASSERT_TRUE(removed);
  EXPECT_EQ(*removed, now);
}

TEST(Sharing, refusalsNamePlaceAndReason) {
  const Shares now{{"2", Level::own}};
  const struct {
    const char* text;
    const char* code;
    const char* where;
  } rows[] = {
      {R"({})", "InvalidRequestContent", ""},
      {R"({"put":{}})", "InvalidRequestContent", "/put"},
      {R"({"put":[{}]})", "InvalidRequestContent", "/put/0"},
      {R"({"put":[{"properties":{"roleName":"King","principal":{"id":"3"}}}]})", "InvalidRequestContent",
       "/put/0/properties/roleName"},
      {R"({"put":[{"properties":{"roleName":"CanView","principal":{"id":"3","type":"Group"}}}]})",
       "InvalidRequestContent", "/put/0/properties/principal/type"},
      {R"({"put":[{"properties":{"roleName":"CanView","principal":{"id":"eve"}}}]})", "UserNotFound",
       "/put/0/properties/principal/id"},
      {R"({"delete":[{"id":"3"}]})", "UserNotFound", "/delete/0"},
      {R"({"delete":[{"id":"2"}]})", "LastOwner", ""},
      {R"({"put":[{"properties":{"roleName":"CanEdit","principal":{"id":"2"}}}]})", "LastOwner", ""},
  };
  for (const auto& row : rows) {
    const auto done = modify(now, body(row.text), people);
    ASSERT_FALSE(done) << row.text;
    EXPECT_EQ(done.error().code, row.code) << row.text;
    EXPECT_EQ(done.error().where, row.where) << row.text;
  }
}

TEST(Sharing, whatBelongsToNobodyMayBeShared) {
  const auto shared =
      modify({}, body(R"({"put":[{"properties":{"roleName":"CanView","principal":{"id":"3"}}}]})"), people);
  ASSERT_TRUE(shared);
  EXPECT_EQ(*shared, (Shares{{"3", Level::use}}));
}

TEST(Sharing, theFormerOwnerMayStillEditUnlessLeaving) {
  const Shares now{{"2", Level::own}, {"3", Level::use}};
  EXPECT_EQ(hand_over(now, "3", ""), (Shares{{"2", Level::edit}, {"3", Level::own}}));
  EXPECT_EQ(hand_over(now, "3", "2"), (Shares{{"3", Level::own}}));
}

TEST(Guard, everyRouteNamesWhatItIsAboutInWordsThatTheGuardKnows) {
  // What has rules of its own (approvals, tokens, people, messages), is everybody's (tables, connectors, environment
  // variables), or lies below something that is guarded.
  const std::set<std::string_view> free{"env",  "trigger", "history", "action",   "repetition", "id",       "user",
                                        "kind", "table",   "which",   "variable", "state",      "operation"};
  const std::set<std::string_view> guarded{"flow", "run", "incident", "job"};
  std::size_t guards = 0;
  for (const RouteEntry& route : all_routes()) {
    if (*route.scope == '\0') continue;
    const auto named = named_parameters(route.pattern, std::vector<std::string>(9));
    const std::string pattern = route.pattern;
    const bool about_connection = pattern.find("connections/{") != std::string::npos;
    if (about_connection) EXPECT_TRUE(named.contains("api") && named.contains("name")) << pattern;
    for (const auto& [name, value] : named) {
      if (guarded.contains(name) || about_connection) {
        ++guards;
        continue;
      }
      if (name == "api" && !about_connection) continue;                                // a connector is everybody's
      if (name == "name" && pattern.find("artifacts") != std::string::npos) continue;  // so are maps and schemas
      EXPECT_TRUE(free.contains(name)) << pattern << " names {" << name << "}, which no rule covers";
    }
  }
  EXPECT_GT(guards, 50U);
}

}  // namespace
}  // namespace flowmend::api
