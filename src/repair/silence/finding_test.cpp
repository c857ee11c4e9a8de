// How silences fold into incidents, and runs that are stuck.

#include <gtest/gtest.h>

#include "json/parse.h"
#include "repair/silence/finding.h"
#include "repair/silence/stuck.h"

namespace flowmend::repair::silence {
namespace {

const Timestamp noon = *parse_timestamp("2026-11-20T12:00:00Z");

Silence silence(Timestamp evidence = noon) {
  return {"It is silent", "Nothing happened.", "Make it happen.", noon, evidence, "", ""};
}

bool fold_in(Incident& incident, const Silence& what, Timestamp now) {
  return fold(incident, Kind::checks, "f1", "Sell", what, now);
}

TEST(SilenceIncident, OpensOnceAndIsToldOnce) {
  Incident incident;
  incident.id = incident_id(fingerprint_of(Kind::checks, "f1"));
  EXPECT_TRUE(fold_in(incident, silence(), noon));
  incident.read = true;
  EXPECT_FALSE(fold_in(incident, silence(noon + Duration::hours(3)), noon + Duration::hours(3)));
  EXPECT_TRUE(incident.read);
  EXPECT_EQ(incident.count(), 0) << "no run failed";
  EXPECT_EQ(incident.last(), noon + Duration::hours(3));
  const auto view = incident_view(incident);
  EXPECT_EQ(view.find("flows")->as_array()[0].text_of("displayName"), "Sell");
  EXPECT_EQ(from_document(to_document(incident))->parts[0].fingerprint, "silence|checks|f1");
  EXPECT_EQ(flow_of("silence|checks|f1"), "f1");
}

TEST(SilenceIncident, EndsByItselfAndComesBack) {
  Incident incident;
  fold_in(incident, silence(), noon);
  EXPECT_TRUE(end(incident, noon + Duration::hours(1)));
  EXPECT_EQ(incident.state, IncidentState::fixed);
  EXPECT_EQ(incident.fixes().back().by, "");
  EXPECT_FALSE(end(incident, noon + Duration::hours(1)));
  EXPECT_TRUE(fold_in(incident, silence(noon + Duration::hours(2)), noon + Duration::hours(2)));
  EXPECT_EQ(incident.state, IncidentState::back);
}

TEST(SilenceIncident, AFixByAPersonIsBelievedUntilThereIsNewEvidence) {
  Incident incident;
  fold_in(incident, silence(), noon);
  note_fix(incident, {noon + Duration::minutes(5), "ann", "", "", ""});
  EXPECT_FALSE(fold_in(incident, silence(noon + Duration::minutes(4)), noon + Duration::minutes(6)));
  EXPECT_EQ(incident.state, IncidentState::fixed);
  EXPECT_TRUE(fold_in(incident, silence(noon + Duration::minutes(7)), noon + Duration::minutes(7)));
}

TEST(SilenceIncident, AMutedOneTellsNothingUntilItsTime) {
  Incident incident;
  fold_in(incident, silence(), noon);
  incident.state = IncidentState::muted;
  incident.muted_until = noon + Duration::days(1);
  EXPECT_FALSE(fold_in(incident, silence(noon + Duration::hours(1)), noon + Duration::hours(1)));
  EXPECT_TRUE(fold_in(incident, silence(noon + Duration::days(2)), noon + Duration::days(2)));
  EXPECT_EQ(incident.state, IncidentState::fresh);
}

TEST(SilenceIncident, AMergedOneDoesNotEndWithOneOfItsCauses) {
  Incident incident;
  fold_in(incident, silence(), noon);
  fold(incident, Kind::volume, "f1", "Sell", silence(), noon);
  EXPECT_FALSE(end(incident, noon));
  EXPECT_TRUE(incident.is_open());
}

// ---------------------------------------------------------------------------------------------------------------------

std::vector<Duration> twenty(Duration usual) { return std::vector<Duration>(20, usual); }

TEST(StuckRun, TheNormIsTheFlowsOwn) {
  EXPECT_FALSE(patience_for(std::vector<Duration>(19, Duration::minutes(1))));
  EXPECT_EQ(*patience_for(twenty(Duration::seconds(5))), Duration::seconds(605)) << "short ones get a margin";
  EXPECT_EQ(*patience_for(twenty(Duration::hours(2))), Duration::hours(20));
  auto history = twenty(Duration::minutes(5));
  history[3] = Duration::days(3);  // one odd run is no norm
  EXPECT_EQ(*patience_for(history), Duration::minutes(50));
  EXPECT_TRUE(patience_for(twenty(Duration{INT64_MAX / 2})));
}

TEST(StuckRun, OneThatIsFarOverItIsToldWithItsStep) {
  StuckFacts facts{twenty(Duration::minutes(1)), {{"r1", noon, "Get_order", noon + Duration::seconds(3)}}};
  EXPECT_EQ(judge_stuck(facts, noon + Duration::minutes(10)).state, Verdict::State::well);
  const auto verdict = judge_stuck(facts, noon + Duration::hours(3));
  ASSERT_EQ(verdict.state, Verdict::State::silent);
  EXPECT_EQ(verdict.silence.run, "r1");
  EXPECT_NE(verdict.silence.message.find("running for 3 hours"), std::string::npos) << verdict.silence.message;
  EXPECT_NE(verdict.silence.message.find("'Get order'"), std::string::npos) << verdict.silence.message;
  facts.history.resize(5);
  EXPECT_EQ(judge_stuck(facts, noon + Duration::hours(3)).state, Verdict::State::unknown);
  facts.open.clear();
  EXPECT_EQ(judge_stuck(facts, noon + Duration::hours(3)).state, Verdict::State::well);
}

class OpenStepTest : public testing::Test {
 protected:
  OpenStepTest() {
    const char* text = R"j({"triggers":{"t":{"type":"Request"}},"actions":{
      "Ask":{"type":"Http","inputs":{"method":"GET","uri":"https://shop.test"},"runAfter":{}},
      "Pause":{"type":"Wait","inputs":{"interval":{"count":1,"unit":"Day"}},"runAfter":{}},
      "Approve":{"type":"HttpWebhook","inputs":{"subscribe":{"method":"POST","uri":"https://shop.test"}},"runAfter":{}},
      "Loop":{"type":"Until","expression":"@equals(1,2)","limit":{"count":60},"runAfter":{},"actions":{
        "Delay":{"type":"Wait","inputs":{"interval":{"count":1,"unit":"Minute"}},"runAfter":{}}}}}})j";
    definition::CompileOptions options;
    flow_ = definition::compile(*json::parse(text), options).flow;
  }
  engine::ActionStarted started(std::string_view name, int minutes) {
    for (const auto& action : flow_->actions) {
      if (action.name == name) return {{action.id, 0}, noon + Duration::minutes(minutes), {}, false, {}};
    }
    throw std::runtime_error("no such action");
  }
  engine::ActionEnded ended(std::string_view name) {
    engine::ActionEnded made;
    made.place = started(name, 0).place;
    return made;
  }
  std::shared_ptr<const definition::Flow> flow_;
};

TEST_F(OpenStepTest, ARunThatWaitsForAPersonOrATimeItNamesIsNotStuck) {
  EXPECT_FALSE(find_open_step(*flow_, {}));
  EXPECT_TRUE(find_open_step(*flow_, {started("Approve", 0)})->rightly_waits);
  EXPECT_TRUE(find_open_step(*flow_, {started("Pause", 0)})->rightly_waits);
  EXPECT_FALSE(find_open_step(*flow_, {started("Loop", 0), started("Delay", 1)})->rightly_waits)
      << "the loop may never end";
}

TEST_F(OpenStepTest, OfStepsSideBySideTheOneThatShouldHaveEndedIsMeant) {
  const auto step = find_open_step(*flow_, {started("Approve", 0), started("Ask", 5)});
  ASSERT_TRUE(step);
  EXPECT_EQ(step->name, "Ask");
  EXPECT_EQ(step->since, noon + Duration::minutes(5));
  EXPECT_FALSE(step->rightly_waits);
  EXPECT_EQ(find_open_step(*flow_, {started("Approve", 0), started("Ask", 5), ended("Ask")})->name, "Approve");
}

TEST_F(OpenStepTest, EventsOfAnotherDefinitionHarmNothing) {
  engine::ActionStarted strange;
  strange.place.action = 4711;
  EXPECT_FALSE(find_open_step(*flow_, {strange}));
}

}  // namespace
}  // namespace flowmend::repair::silence
