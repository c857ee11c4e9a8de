// The rules of the watch for silence, with data alone.

#include <gtest/gtest.h>

#include "json/parse.h"
#include "repair/silence/checks.h"
#include "repair/silence/gap.h"
#include "repair/silence/off.h"
#include "repair/silence/schedule.h"
#include "repair/silence/uptime.h"
#include "repair/silence/volume.h"

namespace flowmend::repair::silence {
namespace {

using State = Verdict::State;

Timestamp at(const char* text) { return *parse_timestamp(text); }
bool holds(const std::string& text, std::string_view part) { return text.find(part) != std::string::npos; }

// ---------------------------------------------------------------------------------------------------------------------
// Schedules

ScheduleFacts hourly() {
  ScheduleFacts facts;
  facts.recurrence = trigger::read_recurrence(*json::parse(R"({"frequency":"Hour","interval":1})")).value();
  facts.saved = at("2026-11-01T00:00:00Z");
  facts.last = at("2026-11-20T10:00:00Z");
  facts.planned = at("2026-11-20T12:00:00Z");
  facts.server_since = at("2026-11-01T00:00:00Z");
  return facts;
}

TEST(SilentSchedule, OneThatFiresIsWell) {
  EXPECT_EQ(judge_schedule(hourly(), at("2026-11-20T10:59:00Z")).state, State::well);
}

TEST(SilentSchedule, ATimeIsMissedOnlyAfterItsGrace) {
  EXPECT_EQ(judge_schedule(hourly(), at("2026-11-20T11:05:59Z")).state, State::unknown);
  const auto verdict = judge_schedule(hourly(), at("2026-11-20T11:06:00Z"));
  ASSERT_EQ(verdict.state, State::silent);
  EXPECT_EQ(verdict.silence.since, at("2026-11-20T11:00:00Z"));
  EXPECT_TRUE(holds(verdict.silence.message, "at 2026-11-20 11:00 UTC and did not")) << verdict.silence.message;
  EXPECT_TRUE(holds(verdict.silence.message, "next at 2026-11-20 12:00 UTC")) << verdict.silence.message;
}

TEST(SilentSchedule, MoreMissedTimesAreCountedAndTheLastIsTheEvidence) {
  const auto verdict = judge_schedule(hourly(), at("2026-11-20T14:30:00Z"));
  EXPECT_EQ(verdict.silence.evidence, at("2026-11-20T14:00:00Z"));
  EXPECT_TRUE(holds(verdict.silence.message, "4 times were missed")) << verdict.silence.message;
}

TEST(SilentSchedule, TimesMissedWhileTheServerWasDownAreToldAsThat) {
  auto facts = hourly();
  facts.down_since = at("2026-11-20T10:30:00Z");
  facts.server_since = at("2026-11-20T11:10:00Z");
  EXPECT_EQ(judge_schedule(facts, at("2026-11-20T11:11:00Z")).state, State::unknown) << "it may fire just now";
  const auto verdict = judge_schedule(facts, at("2026-11-20T11:12:00Z"));
  ASSERT_EQ(verdict.state, State::silent);
  EXPECT_TRUE(holds(verdict.silence.title, "while the server was down")) << verdict.silence.title;
  EXPECT_TRUE(holds(verdict.silence.message, "from 2026-11-20 10:30 UTC until 2026-11-20 11:10 UTC"));
  // One that goes on missing while the server runs is another matter.
  EXPECT_FALSE(holds(judge_schedule(facts, at("2026-11-20T12:30:00Z")).silence.title, "down"));
  // One that fired meanwhile is well, whatever was missed.
  facts.last = at("2026-11-20T12:00:00Z");
  EXPECT_EQ(judge_schedule(facts, at("2026-11-20T12:30:00Z")).state, State::well);
}

TEST(SilentSchedule, OneThatHasEndedOrWasJustSavedIsWell) {
  auto facts = hourly();
  facts.recurrence =
      trigger::read_recurrence(*json::parse(R"({"frequency":"Hour","interval":1,"endTime":"2026-11-20T10:30:00Z"})"))
          .value();
  EXPECT_EQ(judge_schedule(facts, at("2026-11-25T00:00:00Z")).state, State::well);
  facts = hourly();
  facts.recurrence = trigger::read_recurrence(
                         *json::parse(R"({"frequency":"Day","interval":1,"schedule":{"hours":[6],"minutes":[0]}})"))
                         .value();
  facts.saved = at("2026-11-20T07:00:00Z");
  facts.last = {};
  EXPECT_EQ(judge_schedule(facts, at("2026-11-21T05:59:00Z")).state, State::well);
  EXPECT_EQ(judge_schedule(facts, at("2026-11-21T07:01:00Z")).state, State::silent);
}

TEST(SilentSchedule, ThousandsOfMissedTimesCostLittle) {
  auto facts = hourly();
  facts.recurrence = trigger::read_recurrence(*json::parse(R"({"frequency":"Second","interval":1})")).value();
  const auto verdict = judge_schedule(facts, at("2026-11-25T00:00:00Z"));
  ASSERT_EQ(verdict.state, State::silent);
  EXPECT_TRUE(holds(verdict.silence.message, "more than a thousand"));
}

TEST(SilentSchedule, WindowsAreCountedByTheirLength) {
  auto facts = hourly();
  facts.window = Duration::minutes(30);
  EXPECT_EQ(judge_schedule(facts, at("2026-11-20T10:29:00Z")).state, State::well);
  EXPECT_EQ(judge_schedule(facts, at("2026-11-20T10:34:00Z")).state, State::silent);
}

// ---------------------------------------------------------------------------------------------------------------------
// Checks

const Timestamp noon = at("2026-11-20T12:00:00Z");

CheckFacts failing(std::size_t count, Duration apart) {
  CheckFacts facts;
  for (std::size_t i = 0; i < count; ++i)
    facts.checks.push_back({noon - Duration{apart.ticks * static_cast<std::int64_t>(i)}, Check::Outcome::failed,
                            "ServiceUnavailable", "The service answered 503"});
  facts.checks.push_back({noon - Duration::days(9), Check::Outcome::fired, "", ""});
  return facts;
}

TEST(SilentChecks, FewOrFreshFailuresAreNotTold) {
  EXPECT_EQ(judge_checks(failing(2, Duration::minutes(3)), {}, noon).state, State::unknown);
  EXPECT_EQ(judge_checks(failing(3, Duration::minutes(2)), {}, noon).state, State::unknown) << "four minutes";
  EXPECT_EQ(judge_checks(failing(0, {}), {}, noon).state, State::well);
}

TEST(SilentChecks, ThreeInARowOverMinutesAre) {
  const auto verdict = judge_checks(failing(3, Duration::minutes(3)), {}, noon);
  ASSERT_EQ(verdict.state, State::silent);
  EXPECT_EQ(verdict.silence.since, noon - Duration::minutes(6));
  EXPECT_TRUE(holds(verdict.silence.message, "3 times in a row")) << verdict.silence.message;
  EXPECT_TRUE(holds(verdict.silence.message, "The service answered 503.")) << verdict.silence.message;
}

TEST(SilentChecks, TheCountIsALeastOneOnlyWhenThereMayBeMore) {
  auto facts = failing(3, Duration::minutes(3));
  facts.checks.pop_back();  // the one that fired
  EXPECT_FALSE(holds(judge_checks(facts, {}, noon).silence.message, "at least"));
  facts.has_older = true;
  EXPECT_TRUE(holds(judge_checks(facts, {}, noon).silence.message, "at least 3 times in a row"));
}

TEST(SilentChecks, TwoOfATriggerThatAsksRarelyAre) {
  EXPECT_EQ(judge_checks(failing(2, Duration::days(1)), {}, noon).state, State::silent);
}

TEST(SilentChecks, OneThatDidNotFailEndsIt) {
  auto facts = failing(5, Duration::minutes(5));
  facts.checks.insert(facts.checks.begin(), {noon, Check::Outcome::skipped, "NoNewData", ""});
  EXPECT_EQ(judge_checks(facts, {}, noon).state, State::well);
}

TEST(SilentChecks, ASubscriptionThatWasTakenAfterThemEndsThem) {
  auto facts = failing(5, Duration::minutes(5));
  facts.source = definition::TriggerSource::webhook;
  ASSERT_EQ(judge_checks(facts, {}, noon).state, State::silent);
  facts.subscribed = noon;
  EXPECT_EQ(judge_checks(facts, {}, noon).state, State::well);
}

TEST(SilentChecks, AFixIsBelievedUntilTwoMoreFail) {
  auto facts = failing(5, Duration::minutes(5));
  EXPECT_EQ(judge_checks(facts, {}, noon).silence.evidence, noon - Duration::minutes(5));
}

TEST(SilentChecks, WhatTheServiceSaidIsCutBetweenCharacters) {
  auto facts = failing(3, Duration::minutes(3));
  facts.checks[0].message = "a";
  for (int i = 0; i < 1000; ++i) facts.checks[0].message += "\u00e4";
  const auto message = judge_checks(facts, {}, noon).silence.message;
  EXPECT_LT(message.size(), 800u);
  EXPECT_TRUE(json::parse("\"" + message + "\"")) << "it is still a text";
}

// ---------------------------------------------------------------------------------------------------------------------
// Switched off

TEST(SilentFlow, WhatItsOwnerWishedIsWell) {
  OffFacts facts{store::FlowState::stopped, noon, "ann", "ann", noon, "", {}};
  EXPECT_EQ(judge_off(facts, noon).state, State::well);
  facts.switched_by = "";
  EXPECT_EQ(judge_off(facts, noon).state, State::well) << "nobody knows who";
  facts.state = store::FlowState::started;
  EXPECT_EQ(judge_off(facts, noon).state, State::well);
}

TEST(SilentFlow, WhatSomebodyElseSwitchedOffIsTold) {
  const auto verdict = judge_off({store::FlowState::stopped, noon, "ann", "bob", noon, "", {}}, noon);
  ASSERT_EQ(verdict.state, State::silent);
  EXPECT_TRUE(holds(verdict.silence.title, "bob"));
  EXPECT_EQ(verdict.silence.evidence, noon);
}

TEST(SilentFlow, OneThatIsSuspendedOrDoesNotCompileIsTold) {
  EXPECT_EQ(judge_off({store::FlowState::suspended, noon, "ann", "", {}, "", {}}, noon).state, State::silent);
  const auto verdict =
      judge_off({store::FlowState::started, noon, "ann", "", {}, "The action 'X' is unknown", {}}, noon);
  ASSERT_EQ(verdict.state, State::silent);
  EXPECT_TRUE(holds(verdict.silence.message, "The action 'X' is unknown."));
}

TEST(SilentFlow, OneThatItsOwnerSwitchedOffIsToldWhenItIsStillCalled) {
  OffFacts facts{store::FlowState::stopped, noon, "ann", "ann", noon, "", {}};
  facts.refused = {3, noon, noon + Duration::minutes(4)};
  EXPECT_EQ(judge_off(facts, noon + Duration::minutes(5)).state, State::well) << "one caller that tries again";
  facts.refused = {2, noon, noon + Duration::hours(4)};
  EXPECT_EQ(judge_off(facts, noon + Duration::hours(5)).state, State::well);
  facts.refused = {12, noon, noon + Duration::hours(4)};
  const auto verdict = judge_off(facts, noon + Duration::hours(5));
  ASSERT_EQ(verdict.state, State::silent);
  EXPECT_EQ(verdict.silence.evidence, noon + Duration::hours(4));
  EXPECT_TRUE(holds(verdict.silence.message, "12 calls were refused since 2026-11-20 12:00 UTC"));
  EXPECT_EQ(judge_off(facts, noon + Duration::hours(29)).state, State::well) << "nobody calls it any more";
  facts.state = store::FlowState::started;
  EXPECT_EQ(judge_off(facts, noon + Duration::hours(5)).state, State::well);
}

// ---------------------------------------------------------------------------------------------------------------------
// Pauses of flows that run rarely

/// Days before noon on which runs started.
GapFacts runs_at(std::vector<int> days) {
  GapFacts facts;
  for (const int day : days) facts.starts.push_back(noon - Duration::days(day));
  return facts;
}

TEST(SilentGap, APauseThreeTimesAsLongAsEverIsTold) {
  auto facts = runs_at({9, 12, 14, 17, 18, 21, 24, 27, 31});  // four days at most
  EXPECT_EQ(judge_gap(facts, noon + Duration::days(2)).state, State::well);
  const auto verdict = judge_gap(facts, noon + Duration::days(3));
  ASSERT_EQ(verdict.state, State::silent);
  EXPECT_EQ(verdict.silence.title, "No run for 12 days");
  EXPECT_TRUE(holds(verdict.silence.message, "no pause was longer than 4 days since 2026-10-20 12:00 UTC"))
      << verdict.silence.message;
  EXPECT_TRUE(holds(verdict.silence.how_to_fix, "whoever calls the flow"));
  facts.on_since = noon;
  EXPECT_EQ(judge_gap(facts, noon + Duration::days(3)).state, State::well) << "it was switched on three days ago";
}

TEST(SilentGap, FewDaysAndAShortHistoryAreNoNorm) {
  EXPECT_EQ(judge_gap(runs_at({}), noon).state, State::unknown);
  EXPECT_EQ(judge_gap(runs_at({200, 203, 207, 210, 213, 216, 223}), noon).state, State::unknown) << "seven days";
  EXPECT_EQ(judge_gap(runs_at({200, 201, 202, 203, 204, 205, 206, 207, 208}), noon).state, State::unknown)
      << "tried for a week";
}

TEST(SilentGap, ManyRunsOfOneDayAreOne) {
  GapFacts facts = runs_at({});
  for (int minute = 0; minute < 300; ++minute) facts.starts.push_back(noon - Duration::minutes(minute));
  EXPECT_EQ(judge_gap(facts, noon + Duration::days(90)).state, State::unknown);
}

// ---------------------------------------------------------------------------------------------------------------------
// Volume

VolumeFacts volume(std::size_t count, std::vector<std::optional<std::size_t>> weeks) {
  VolumeFacts facts;
  facts.from = noon - Duration::hours(1);
  facts.until = noon;
  facts.count = count;
  facts.weeks = std::move(weeks);
  return facts;
}

TEST(SilentVolume, AFreshFlowHasNoNorm) {
  EXPECT_EQ(judge_volume(volume(0, {})).state, State::unknown);
  EXPECT_EQ(judge_volume(volume(0, {50, 60})).state, State::unknown);
  EXPECT_EQ(judge_volume(volume(0, {50, std::nullopt, 60, std::nullopt})).state, State::unknown);
}

TEST(SilentVolume, FewRunsAreNoNorm) {
  EXPECT_EQ(judge_volume(volume(0, {6, 6, 6, 6})).state, State::unknown);
  EXPECT_EQ(judge_volume(volume(0, {7, 7, 7, 7})).state, State::silent);
}

TEST(SilentVolume, OnlyWhatChanceCanNotExplainIsTold) {
  EXPECT_EQ(judge_volume(volume(20, {40, 42, 38, 44})).state, State::well) << "half";
  EXPECT_EQ(judge_volume(volume(3, {10, 12, 9, 11})).state, State::well) << "few may be chance";
  const auto verdict = judge_volume(volume(2, {40, 42, 38, 44}));
  ASSERT_EQ(verdict.state, State::silent);
  EXPECT_TRUE(holds(verdict.silence.message, "2 runs started; at this time of the weeks before it was about 41"))
      << verdict.silence.message;
}

TEST(SilentVolume, OneOddWeekChangesNothing) {
  EXPECT_EQ(judge_volume(volume(0, {40, 0, 38, 44})).state, State::silent) << "a holiday";
  EXPECT_EQ(judge_volume(volume(15, {20, 4000, 18, 22})).state, State::well) << "a bulk repetition";
  EXPECT_EQ(judge_volume(volume(0, {0, 0, 38, 44})).state, State::unknown);
}

TEST(SilentVolume, ATriggerThatIsSkippedThoughItUsedToFireIsToldAsThat) {
  auto facts = volume(0, {40, 42, 38, 44});
  facts.skipped = 20;
  facts.skip_reason = "A condition of the trigger was false";
  const auto verdict = judge_volume(facts);
  EXPECT_TRUE(holds(verdict.silence.title, "skipped"));
  EXPECT_TRUE(holds(verdict.silence.message, "A condition of the trigger was false."));
}

// ---------------------------------------------------------------------------------------------------------------------
// Uptime

TEST(Uptime, KnowsTheGapOverARestart) {
  const Duration beat = Duration::minutes(1);
  Uptime uptime;
  uptime.note(noon, beat, true);
  EXPECT_EQ(uptime.since(), noon);
  EXPECT_FALSE(uptime.covers(noon - Duration::hours(1), noon)) << "nothing is known of before";
  for (int i = 1; i <= 120; ++i) uptime.note(noon + Duration::minutes(i), beat, false);
  EXPECT_TRUE(uptime.covers(noon, noon + Duration::hours(2)));
  auto again = Uptime::from_document(uptime.to_document());
  again.note(noon + Duration::hours(3), beat, true);
  EXPECT_EQ(again.since(), noon + Duration::hours(3));
  EXPECT_EQ(again.down_since(), noon + Duration::hours(2));
  EXPECT_TRUE(again.covers(noon, noon + Duration::hours(2)));
  EXPECT_FALSE(again.covers(noon + Duration::hours(1), noon + Duration::hours(3)));
}

TEST(Uptime, AShortRestartCostsNothingAndASleepIsAGap) {
  const Duration beat = Duration::minutes(1);
  Uptime uptime;
  for (int i = 0; i <= 60; ++i) uptime.note(noon + Duration::minutes(i), beat, false);
  uptime.note(noon + Duration::minutes(61), beat, true);
  EXPECT_TRUE(uptime.covers(noon, noon + Duration::hours(1)));
  uptime.note(noon + Duration::minutes(90), beat, false);  // the machine slept
  EXPECT_EQ(uptime.since(), noon + Duration::minutes(90));
}

TEST(Uptime, AClockThatWasSetBackAndADamagedDocumentBeginAnew) {
  Uptime uptime;
  uptime.note(noon, Duration::minutes(1), true);
  uptime.note(noon - Duration::days(1), Duration::minutes(1), false);
  EXPECT_EQ(uptime.since(), noon - Duration::days(1));
  EXPECT_FALSE(Uptime::from_document(*json::parse(R"({"first":"x","gaps":7})")).since().is_set());
  EXPECT_FALSE(Uptime::from_document(Value()).since().is_set());
}

}  // namespace
}  // namespace flowmend::repair::silence
