#include "http/address.h"

#include <gtest/gtest.h>

namespace flowmend::http {
namespace {

TEST(Address, ResolvesAndRefuses) {
  const OutgoingPolicy open;
  const OutgoingPolicy closed{false, false, false};
  EXPECT_EQ(allowed_addresses("127.0.0.1", open).value(), std::vector<std::string>{"127.0.0.1"});
  EXPECT_EQ(allowed_addresses("[::1]", open).value(), std::vector<std::string>{"::1"});
  const auto named = allowed_addresses("localhost", open);
  ASSERT_TRUE(named) << named.error().message;
  for (const std::string& address : *named) EXPECT_TRUE(is_numeric_address(address)) << address;
  // However an address is written, it is the address that counts.
  for (const char* host : {"127.0.0.1", "localhost", "127.1", "2130706433", "0x7f000001", "::1", "[::1]", "10.1.2.3",
                           "::ffff:127.0.0.1", "169.254.169.254", "0.0.0.0", "::", "192.168.0.1", "fd00::1"}) {
    const auto refused = allowed_addresses(host, closed);
    ASSERT_FALSE(refused) << host;
    EXPECT_EQ(refused.error().code, "AddressNotAllowed") << host;
    EXPECT_NE(refused.error().message.find(host), std::string::npos);
  }
  EXPECT_EQ(allowed_addresses("169.254.169.254", open).error().code, "AddressNotAllowed");
  EXPECT_EQ(allowed_addresses("192.0.2.1", closed).value(), std::vector<std::string>{"192.0.2.1"});
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
