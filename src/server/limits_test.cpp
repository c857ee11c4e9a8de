#include "server/limits.h"

#include <gtest/gtest.h>

namespace flowmend::server {
namespace {

TEST(Limits, AreSetByNameWithinTheirRange) {
  ServerLimits limits;
  EXPECT_TRUE(set_limits({"foreach-items=500", "run-duration=P1D", "script-time=PT2S", "message-bytes=2048"}, limits));
  EXPECT_EQ(limits.runtime.limits.foreach_items_max, 500U);
  EXPECT_EQ(limits.runtime.limits.run_duration, Duration::days(1));
  EXPECT_EQ(limits.sandbox.script.time, Duration::seconds(2));
  EXPECT_EQ(limits.messages.message_bytes_max, 2048U);
}

TEST(Limits, WhatIsNoneSaysItsRange) {
  ServerLimits limits;
  EXPECT_EQ(set_limits({"nothing=1"}, limits).error().code, "LimitUnknown");
  for (const char* wrong : {"foreach-items", "foreach-items=", "foreach-items=0", "foreach-items=5x", "run-duration=7",
                            "script-memory-bytes=1"}) {
    const auto set = set_limits({wrong}, limits);
    ASSERT_FALSE(set) << wrong;
    EXPECT_EQ(set.error().code, "LimitInvalid");
  }
  EXPECT_NE(set_limits({"until-count=0"}, limits).error().message.find("1 to 1000000"), std::string::npos);
  EXPECT_NE(describe_limits().find("foreach-items  default 100000, 1 to 1000000"), std::string::npos);
}

}  // namespace
}  // namespace flowmend::server
