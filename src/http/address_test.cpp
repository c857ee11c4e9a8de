#include "http/address.h"

#include <gtest/gtest.h>

namespace flowmend::http {
namespace {

TEST(Address, ResolvesAndRefuses) {
  const OutgoingPolicy open;
  OutgoingPolicy closed;
  for (const char* kind : {"loopback", "private", "link-local"}) ASSERT_TRUE(closed.refuse(kind));
  EXPECT_EQ(allowed_addresses("127.0.0.1", open).value(), std::vector<std::string>{"127.0.0.1"});
  EXPECT_EQ(allowed_addresses("[::1]", open).value(), std::vector<std::string>{"::1"});
  const auto named = allowed_addresses("localhost", open);
  ASSERT_TRUE(named) << named.error().message;
  for (const std::string& address : *named) EXPECT_TRUE(is_numeric_address(address)) << address;
  // However an address is written, it is the address that counts.
  for (const char* host : {"127.0.0.1",
                           "localhost",
                           "127.1",
                           "2130706433",
                           "0x7f000001",
                           "::1",
                           "[::1]",
                           "10.1.2.3",
                           "::ffff:127.0.0.1",
                           "169.254.169.254",
                           "0.0.0.0",
                           "::",
                           "192.168.0.1",
                           "fd00::1",
                           "fd00:ec2::254",
                           "64:ff9b::7f00:1",
                           "64:ff9b:1::a9fe:a9fe",
                           "2002:7f00:1::",
                           "::127.0.0.1",
                           "fec0::1",
                           "2001::1:2:8000:3f57:fefe",
                           "64:ff9b:1:a9fe:a9:fe00:808:808"}) {
    const auto refused = allowed_addresses(host, closed);
    ASSERT_FALSE(refused) << host;
    EXPECT_EQ(refused.error().code, "AddressNotAllowed") << host;
    EXPECT_NE(refused.error().message.find(host), std::string::npos);
  }
  EXPECT_EQ(allowed_addresses("169.254.169.254", open).error().code, "AddressNotAllowed");
  EXPECT_EQ(allowed_addresses("192.0.2.1", closed).value(), std::vector<std::string>{"192.0.2.1"});
}

TEST(Address, RangesAreAllowedOneByOne) {
  OutgoingPolicy policy;
  ASSERT_TRUE(policy.refuse("private") && policy.refuse("loopback"));
  for (const char* range : {"10.1.0.0/16", "192.168.7.7", "fd12::/16", "127.0.0.2/32"})
    ASSERT_TRUE(policy.allow(range)) << range;
  for (const char* host : {"10.1.2.3", "192.168.7.7", "fd12::9", "127.0.0.2", "::ffff:10.1.2.3"})
    EXPECT_TRUE(allowed_addresses(host, policy)) << host;
  for (const char* host : {"10.2.0.1", "192.168.7.8", "fd13::9", "127.0.0.1", "fd00:ec2::254"})
    EXPECT_FALSE(allowed_addresses(host, policy)) << host;
  EXPECT_FALSE(allowed_addresses("169.254.1.1", policy));
  ASSERT_TRUE(policy.allow("64:ff9b:1:5::/64"));
  EXPECT_TRUE(allowed_addresses("64:ff9b:1:5::7", policy));
  EXPECT_FALSE(allowed_addresses("64:ff9b:1:6::7", policy));
  EXPECT_TRUE(allowed_addresses("64:ff9b::10.1.2.3", policy)) << "as 10.1.2.3";
  ASSERT_TRUE(policy.allow("link-local"));
  EXPECT_TRUE(allowed_addresses("169.254.1.1", policy));
  for (const char* wrong : {"", "10.1.0.0/33", "10.1/8", "a", "::/129", "10.1.0.0/", "10.1.0.0/8x", "10.1.0.0/-1"})
    EXPECT_EQ(policy.allow(wrong).error().code, "InvalidAddressRange") << wrong;
  EXPECT_EQ(policy.refuse("10.0.0.0/8").error().code, "InvalidAddressRange");
}

TEST(Address, HostileNamesAreNoHosts) {
  for (const std::string& host : {std::string(), std::string("a b"), std::string("/run/postgresql"), std::string("@x"),
                                  std::string("127.0.0.1,10.0.0.1"), std::string("a\0b", 3), std::string(5000, 'a')}) {
    const auto refused = allowed_addresses(host, {});
    ASSERT_FALSE(refused) << host;
    EXPECT_EQ(refused.error().code, "UnresolvableHostName") << host;
  }
}

}  // namespace
}  // namespace flowmend::http
