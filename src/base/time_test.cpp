#include "base/time.h"

#include <gtest/gtest.h>

#include "base/ids.h"

namespace flowmend {
namespace {

TEST(Time, RoundTripsSevenDigits) {
  const auto time = parse_timestamp("2026-11-23T17:30:00.1234567Z");
  ASSERT_TRUE(time);
  EXPECT_EQ(to_string(*time), "2026-11-23T17:30:00.1234567Z");
  EXPECT_EQ(to_string(Timestamp{0}), "0001-01-01T00:00:00.0000000Z");
  EXPECT_EQ(to_string(Timestamp{Timestamp::max_ticks}), "9999-12-31T23:59:59.9999999Z");
}

TEST(Time, ReadsOffsetsAndDates) {
  EXPECT_EQ(to_string(*parse_timestamp("2018-12-15T05:00+13:00")), "2018-12-14T16:00:00.0000000Z");
  EXPECT_EQ(to_string(*parse_timestamp("2024-02-29")), "2024-02-29T00:00:00.0000000Z");
  for (const char* bad :
       {"", "2023-02-29", "2024-01-01T25:00:00Z", "2024-01-01T00:00:00.12345678Z", "x", "2024-01-01T"}) {
    EXPECT_FALSE(parse_timestamp(bad)) << bad;
  }
}

TEST(Time, ReadsAndPrintsDurations) {
  EXPECT_EQ(parse_duration("PT5S"), Duration::seconds(5));
  EXPECT_EQ(parse_duration("P1DT2H"), Duration::hours(26));
  EXPECT_EQ(parse_duration("PT0.5S"), Duration::milliseconds(500));
  EXPECT_EQ(to_string(Duration::minutes(90)), "PT1H30M");
  EXPECT_EQ(to_string(Duration::milliseconds(500)), "PT0.5S");
  EXPECT_EQ(to_string(Duration{}), "PT0S");
  for (const char* bad : {"", "P", "PT", "5S", "PT5", "PT1S1H", "P1H", "PT1.5H", "P99999999999Y", "-PT5S"}) {
    EXPECT_FALSE(parse_duration(bad)) << bad;
  }
}

TEST(Ids, NewerRunsSortFirst) {
  const auto older = make_run_name(*parse_timestamp("2026-01-01"), 5);
  const auto newer = make_run_name(*parse_timestamp("2026-01-02"), 5);
  EXPECT_LT(newer, older);
  EXPECT_EQ(newer.size(), 33U);
  Random random(7);
  const auto guid = make_guid(random);
  EXPECT_EQ(guid.size(), 36U);
  EXPECT_EQ(guid[14], '4');
}

}  // namespace
}  // namespace flowmend
