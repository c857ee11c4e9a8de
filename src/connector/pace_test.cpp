#include "connector/pace.h"

#include <gtest/gtest.h>

namespace flowmend::connector {
namespace {

using namespace std::chrono_literals;

const ConnectionKey orders{"shared_orders", "a"};
const ConnectionKey mail{"shared_mail", "a"};
const Pace::Time start = Pace::Time() + 1000h;

TEST(Pace, NoMinuteHoldsMoreTurnsThanAllowed) {
  Pace pace;
  std::vector<Pace::Time> turns;
  Pace::Time now = start;
  for (int i = 0; i < 200; ++i) {
    turns.push_back(pace.take_turn(orders, 7, now));
    EXPECT_GE(turns.back(), now);
    if (i % 3 == 0) now += 1s;
  }
  for (std::size_t i = 7; i < turns.size(); ++i) {
    EXPECT_GE(turns[i] - turns[i - 7], 60s) << i;
    EXPECT_GE(turns[i], turns[i - 1]);
  }
  EXPECT_EQ(turns[6], start + 2s) << "what is allowed goes at once";
  EXPECT_EQ(pace.take_turn(mail, 7, start), start) << "each connection has its own";
  EXPECT_EQ(pace.take_turn(orders, 0, start), start) << "no limit";
}

TEST(Pace, AChangedLimitHoldsForTheNextTurn) {
  Pace pace;
  for (int i = 0; i < 10; ++i) EXPECT_EQ(pace.take_turn(orders, 10, start), start);
  EXPECT_EQ(pace.take_turn(orders, 2, start), start + 60s);
  EXPECT_EQ(pace.take_turn(orders, 2, start), start + 60s);
  EXPECT_EQ(pace.take_turn(orders, 2, start), start + 120s);
  EXPECT_EQ(pace.take_turn(orders, 100, start), start + 120s) << "in the order in which they were taken";
}

TEST(Pace, WhoWaitsForAPauseGoesOnOneAfterTheOther) {
  Pace pace;
  EXPECT_EQ(pace.after_pause(orders, start), start);
  pace.pause(orders, start + 30s, start);
  pace.pause(orders, start + 10s, start + 1s);  // a shorter one changes nothing
  pace.pause(orders, start, start + 1s);
  EXPECT_EQ(pace.after_pause(orders, start + 2s), start + 30s);
  EXPECT_EQ(pace.after_pause(orders, start + 2s), start + 30s + Pace::spread);
  EXPECT_EQ(pace.after_pause(mail, start + 2s), start + 2s);
  EXPECT_EQ(pace.after_pause(orders, start + 30s), start + 30s) << "it is over";
  // The first one was refused again: the second learns it before it is sent.
  pace.pause(orders, start + 90s, start + 30s);
  EXPECT_EQ(pace.after_pause(orders, start + 30s + Pace::spread), start + 90s);
  EXPECT_EQ(pace.after_pause(orders, start + 30s + Pace::spread), start + 90s + Pace::spread);
}

TEST(Pace, KeepsNothingOfConnectionsThatAreIdle) {
  Pace pace;
  // Only that it goes on rightly can be seen: ten thousand connections, each used once.
  for (int i = 0; i < 10'000; ++i)
    EXPECT_EQ(pace.take_turn({"shared_orders", std::to_string(i)}, 1, start + i * 1s), start + i * 1s);
  EXPECT_EQ(pace.take_turn({"shared_orders", "9999"}, 1, start + 9999s), start + 9999s + 60s);
}

}  // namespace
}  // namespace flowmend::connector
