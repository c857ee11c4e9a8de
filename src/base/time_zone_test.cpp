#include "base/time_zone.h"

#include <gtest/gtest.h>

namespace flowmend {
namespace {

Timestamp at(std::string_view text) { return *parse_timestamp(text); }

TEST(TimeZone, FindsWindowsAndIanaNamesInAnyCase) {
  EXPECT_EQ(TimeZone::find("Pacific Standard Time")->name(), "America/Los_Angeles");
  EXPECT_EQ(TimeZone::find("w. europe standard time")->name(), "Europe/Berlin");
  EXPECT_EQ(TimeZone::find("europe/paris")->name(), "Europe/Paris");
  EXPECT_TRUE(TimeZone::find("UTC")->is_utc());
  for (const std::string_view unknown : {"", "Not A Zone", "A.U.S. Eastern Standard Time", "../etc/passwd"})
    EXPECT_FALSE(TimeZone::find(unknown)) << unknown;
}

TEST(TimeZone, KnowsTheOldestAndNewestMoments) {
  const auto berlin = *TimeZone::find("Europe/Berlin");
  EXPECT_GT(berlin.local_of({0}), 0);
  EXPECT_EQ(to_string(Timestamp{berlin.local_of(at("9999-06-01T00:00:00Z"))}), "9999-06-01T02:00:00.0000000Z");
}

TEST(TimeZone, TellsGapsAndOverlaps) {
  const auto pacific = *TimeZone::find("Pacific Standard Time");
  const auto gap = pacific.instants_of(at("2024-03-10T02:30:00Z").ticks);
  EXPECT_EQ(gap.reading, TimeZone::Reading::nonexistent);
  const auto twice = pacific.instants_of(at("2024-11-03T01:30:00Z").ticks);
  EXPECT_EQ(twice.reading, TimeZone::Reading::ambiguous);
  EXPECT_EQ(to_string(twice.before), "2024-11-03T08:30:00.0000000Z");
  EXPECT_EQ(to_string(twice.after), "2024-11-03T09:30:00.0000000Z");
  const auto plain = pacific.instants_of(at("2024-07-01T12:00:00.1234567Z").ticks);
  EXPECT_EQ(plain.reading, TimeZone::Reading::unique);
  EXPECT_EQ(to_string(plain.before), "2024-07-01T19:00:00.1234567Z");
}

}  // namespace
}  // namespace flowmend
