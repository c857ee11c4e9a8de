#include "trigger/recurrence.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "json/parse.h"

namespace flowmend::trigger {
namespace {

Recurrence read(const char* text) { return read_recurrence(*json::parse(text)).value(); }
Timestamp at(const char* text) { return *parse_timestamp(text); }

/// The first `count` times after being saved at `saved`.
std::vector<std::string> times(const Recurrence& recurrence, const char* saved, int count) {
  std::vector<std::string> fires;
  auto fire = first_fire(recurrence, at(saved));
  while (fire && count-- > 0) {
    fires.push_back(to_string(*fire).substr(0, 16));
    fire = next_fire(recurrence, at(saved), *fire, *fire);
  }
  return fires;
}

using testing::ElementsAre;

TEST(Recurrence, AStartInThePastGivesTheNextMultiple) {  // engine.md 10 (a)
  const auto r = read(R"({"frequency":"Day","interval":2,"startTime":"2017-09-07T14:00:00Z"})");
  EXPECT_THAT(times(r, "2017-09-08T13:00:00Z", 2), ElementsAre("2017-09-09T14:00", "2017-09-11T14:00"));
}

TEST(Recurrence, AWeeklyScheduleInAWindowsZone) {  // engine.md 10 (b)
  const auto r =
      read(R"({"frequency":"Week","interval":1,"timeZone":"Pacific Standard Time","startTime":"2020-09-18T08:00:00",
    "schedule":{"weekDays":["Monday"],"hours":[10,12,14],"minutes":[30]}})");
  EXPECT_THAT(times(r, "2020-09-17T00:00:00Z", 4),
              ElementsAre("2020-09-21T17:30", "2020-09-21T19:30", "2020-09-21T21:30", "2020-09-28T17:30"));
}

TEST(Recurrence, AMarkInTheSpringGapRunsAnHourLaterByTheWall) {  // engine.md 10 (c)
  const auto r = read(
      R"({"frequency":"Day","interval":1,"timeZone":"Central Standard Time","schedule":{"hours":[2],"minutes":[30]}})");
  EXPECT_THAT(times(r, "2019-03-09T00:00:00Z", 3),
              ElementsAre("2019-03-09T08:30", "2019-03-10T08:30", "2019-03-11T07:30"));
  EXPECT_THAT(times(r, "2019-11-02T00:00:00Z", 3),
              ElementsAre("2019-11-02T07:30", "2019-11-03T08:30", "2019-11-04T08:30"));
}

TEST(Recurrence, AMarkInTheAutumnOverlapRunsOnceInTheFirstPass) {  // engine.md 10 (d)
  const auto r = read(
      R"({"frequency":"Day","interval":1,"timeZone":"Central Standard Time","schedule":{"hours":[1],"minutes":[30]}})");
  EXPECT_THAT(times(r, "2019-03-10T00:00:00Z", 2), ElementsAre("2019-03-10T07:30", "2019-03-11T06:30"));
  EXPECT_THAT(times(r, "2019-11-03T00:00:00Z", 2), ElementsAre("2019-11-03T06:30", "2019-11-04T07:30"));
}

TEST(Recurrence, TheLastDayOfAMonth) {  // engine.md 10 (e)
  const auto r =
      read(R"({"frequency":"Month","interval":1,"startTime":"2024-01-31T06:00:00Z","schedule":{"monthDays":[-1]}})");
  EXPECT_THAT(times(r, "2024-01-15T00:00:00Z", 3),
              ElementsAre("2024-01-31T06:00", "2024-02-29T06:00", "2024-03-31T06:00"));
}

TEST(Recurrence, WithoutStartAndScheduleItFiresAtSaveAndThenCountsFromTheLastFire) {
  const auto r = read(R"({"frequency":"Minute","interval":5})");
  EXPECT_THAT(times(r, "2024-05-01T10:02:30Z", 3),
              ElementsAre("2024-05-01T10:02", "2024-05-01T10:07", "2024-05-01T10:12"));
}

TEST(Recurrence, MissedTimesAreDropped) {
  const auto r = read(R"({"frequency":"Hour","interval":1,"startTime":"2024-05-01T10:00:00Z"})");
  EXPECT_EQ(next_fire(r, at("2024-05-01T00:00:00Z"), at("2024-05-01T11:00:00Z"), at("2024-05-03T11:30:00Z")),
            at("2024-05-03T12:00:00Z"));
}

TEST(Recurrence, AFutureStartIsExact) {
  const auto r = read(R"({"frequency":"Month","interval":1,"startTime":"2024-01-31T06:00:00"})");
  EXPECT_THAT(times(r, "2024-01-01T00:00:00Z", 3),
              ElementsAre("2024-01-31T06:00", "2024-02-29T06:00", "2024-03-31T06:00"));
}

TEST(Recurrence, AZoneIsIgnoredForAStartInUtc) {
  const auto r =
      read(R"({"frequency":"Day","interval":1,"startTime":"2024-01-10T06:00:00Z","timeZone":"Pacific Standard Time"})");
  EXPECT_THAT(times(r, "2024-01-01T00:00:00Z", 1), ElementsAre("2024-01-10T06:00"));
}

TEST(Recurrence, EveryOtherWeek) {
  const auto r = read(
      R"({"frequency":"Week","interval":2,"startTime":"2024-01-01T09:00:00Z","schedule":{"weekDays":["Monday"]}})");
  EXPECT_THAT(times(r, "2023-12-31T00:00:00Z", 3),
              ElementsAre("2024-01-01T09:00", "2024-01-15T09:00", "2024-01-29T09:00"));
}

TEST(Recurrence, TheSecondTuesday) {
  const auto r = read(R"({"frequency":"Month","interval":1,"startTime":"2024-01-01T09:00:00Z",
    "schedule":{"monthlyOccurrences":[{"day":"Tuesday","occurrence":2}]}})");
  EXPECT_THAT(times(r, "2023-12-31T00:00:00Z", 2), ElementsAre("2024-01-09T09:00", "2024-02-13T09:00"));
}

TEST(Recurrence, ItEnds) {
  const auto r =
      read(R"({"frequency":"Day","interval":1,"startTime":"2024-01-01T09:00:00Z","endTime":"2024-01-02T09:00:00Z"})");
  EXPECT_THAT(times(r, "2023-12-31T00:00:00Z", 9), ElementsAre("2024-01-01T09:00", "2024-01-02T09:00"));
}

TEST(Recurrence, WhatCantBeIsRefusedWithItsPlace) {
  const auto refused = [](const char* text) { return read_recurrence(*json::parse(text)).error().where; };
  EXPECT_EQ(refused(R"({"frequency":"Fortnight","interval":1})"), "/recurrence/frequency");
  EXPECT_EQ(refused(R"({"frequency":"Day","interval":0})"), "/recurrence/interval");
  EXPECT_EQ(refused(R"({"frequency":"Day","interval":501})"), "/recurrence/interval");
  EXPECT_EQ(refused(R"({"frequency":"Day","interval":1,"timeZone":"Moon Standard Time"})"), "/recurrence/timeZone");
  EXPECT_EQ(refused(R"({"frequency":"Day","interval":1,"startTime":"soon"})"), "/recurrence/startTime");
  EXPECT_EQ(refused(R"({"frequency":"Day","interval":1,"schedule":{"hours":[24]}})"), "/recurrence/schedule/hours");
  EXPECT_EQ(refused(R"({"frequency":"Hour","interval":1,"schedule":{"minutes":[1]}})"), "/recurrence/schedule");
  EXPECT_EQ(refused(R"({"frequency":"Day","interval":1,"schedule":{"weekDays":["Monday"]}})"),
            "/recurrence/schedule/weekDays");
}

// Steps forward through a decade in a zone with changes: strictly increasing, never early, no day missed or doubled.
TEST(Recurrence, ADailyMarkFiresOnceADayForTenYears) {
  const auto r = read(
      R"({"frequency":"Day","interval":1,"timeZone":"W. Europe Standard Time","schedule":{"hours":[2],"minutes":[15]}})");
  const auto saved = at("2015-01-01T00:00:00Z");
  auto fire = first_fire(r, saved);
  for (int day = 0; day < 3650; ++day) {
    const auto next = next_fire(r, saved, *fire, *fire);
    ASSERT_TRUE(next);
    const auto hours = (*next - *fire).ticks / Duration::hours(1).ticks;
    ASSERT_TRUE(hours >= 23 && hours <= 25) << to_string(*next);
    fire = next;
  }
}

}  // namespace
}  // namespace flowmend::trigger
