#include "http/outgoing.h"

#include <algorithm>
#include <charconv>
#include <cstring>
#include <optional>
#include <string>

#include <arpa/inet.h>
#include <netinet/in.h>

namespace flowmend::http {

namespace {

using Bytes = std::array<std::uint8_t, 16>;

Bytes mapped(const std::uint8_t* v4) {
  Bytes out{};
  out[10] = out[11] = 0xff;
  std::copy_n(v4, 4, out.begin() + 12);
  return out;
}

bool begins(const Bytes& bytes, std::initializer_list<std::uint8_t> with) {
  return std::equal(with.begin(), with.end(), bytes.begin());
}

/// The IPv4 address that stands inside an IPv6 one, as mapped; any other as it is. A router on the way may take it out.
Bytes unwrapped(const Bytes& bytes) {
  const bool zeros = std::all_of(bytes.begin(), bytes.begin() + 12, [](std::uint8_t byte) { return byte == 0; });
  const bool is_own = zeros && bytes[12] == 0 && bytes[13] == 0 && bytes[14] == 0 && bytes[15] <= 1;  // :: and ::1
  if (zeros && !is_own) return mapped(&bytes[12]);                            // compatible (RFC 4291)
  if (begins(bytes, {0, 0x64, 0xff, 0x9b, 0, 0})) return mapped(&bytes[12]);  // NAT64 (RFC 6052)
  if (begins(bytes, {0x20, 0x02})) return mapped(&bytes[2]);                  // 6to4 (RFC 3056)
  if (begins(bytes, {0x20, 0x01, 0, 0})) {                                    // Teredo (RFC 4380): inverted
    std::array<std::uint8_t, 4> client{};
    std::transform(bytes.begin() + 12, bytes.end(), client.begin(),
                   [](std::uint8_t byte) { return static_cast<std::uint8_t>(~byte); });
    return mapped(client.data());
  }
  return bytes;
}

/// 64:ff9b:1::/48 (RFC 8215)
bool is_local_nat64(const Bytes& bytes) { return begins(bytes, {0, 0x64, 0xff, 0x9b, 0, 1}); }

bool is_mapped(const Bytes& bytes) { return begins(bytes, {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff}); }

bool is_in(const Bytes& bytes, const OutgoingPolicy::Range& range) {
  for (unsigned bit = 0; bit < range.bits; ++bit) {
    const auto mask = static_cast<std::uint8_t>(0x80U >> (bit % 8));
    if ((bytes[bit / 8] & mask) != (range.bytes[bit / 8] & mask)) return false;
  }
  return true;
}

bool is_allowed_v4(std::uint32_t address, const OutgoingPolicy& policy) {
  const auto in = [address](std::uint32_t network, unsigned bits) {
    return (address >> (32 - bits)) == (network >> (32 - bits));
  };
  if (in(0x7f000000, 8)) return policy.allow_loopback;
  if (in(0xa9fe0000, 16)) return policy.allow_link_local;
  if (in(0x0a000000, 8) || in(0xac100000, 12) || in(0xc0a80000, 16) || in(0x64400000, 10)) return policy.allow_private;
  // "This network", multicast, reserved and broadcast are no address of a service.
  return !in(0x00000000, 8) && !in(0xe0000000, 4) && !in(0xf0000000, 4);
}

bool is_allowed_v6(const Bytes& bytes, const OutgoingPolicy& policy) {
  static constexpr Bytes loopback{0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1};
  static constexpr Bytes metadata{0xfd, 0, 0x0e, 0xc2, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0x02, 0x54};
  if (bytes == loopback) return policy.allow_loopback;
  if (bytes == metadata || (bytes[0] == 0xfe && (bytes[1] & 0xc0) == 0x80)) return policy.allow_link_local;
  if ((bytes[0] & 0xfe) == 0xfc || (bytes[0] == 0xfe && (bytes[1] & 0xc0) == 0xc0)) return policy.allow_private;
  return bytes != Bytes{} && bytes[0] != 0xff;  // not set, multicast
}

Error invalid(std::string_view what) {
  return make_error("InvalidAddressRange", "'" + std::string(what) + "' is no kind or range of addresses.", {},
                    "Write loopback, private, link-local, an address, or a range such as 10.1.0.0/16.");
}

bool* kind_of(OutgoingPolicy& policy, std::string_view word) {
  if (word == "loopback") return &policy.allow_loopback;
  if (word == "private") return &policy.allow_private;
  if (word == "link-local") return &policy.allow_link_local;
  return nullptr;
}

}  // namespace

Result<void> OutgoingPolicy::refuse(std::string_view kind) {
  bool* allowed_kind = kind_of(*this, kind);
  if (allowed_kind == nullptr)
    return make_error("InvalidAddressRange", "'" + std::string(kind) + "' is no kind of addresses.", {},
                      "Write loopback, private or link-local.");
  *allowed_kind = false;
  return {};
}

Result<void> OutgoingPolicy::allow(std::string_view what) {
  if (bool* kind = kind_of(*this, what)) {
    *kind = true;
    return {};
  }
  const auto slash = what.find('/');
  const std::string address(what.substr(0, slash));
  Range range;
  std::array<std::uint8_t, 4> v4{};
  const bool is_v4 = inet_pton(AF_INET, address.c_str(), v4.data()) == 1;
  if (is_v4) {
    range.bytes = mapped(v4.data());
  } else if (inet_pton(AF_INET6, address.c_str(), range.bytes.data()) != 1) {
    return invalid(what);
  }
  if (slash != std::string_view::npos) {
    const std::string_view digits = what.substr(slash + 1);
    unsigned bits = 0;
    const auto [end, failure] = std::from_chars(digits.data(), digits.data() + digits.size(), bits);
    if (failure != std::errc{} || end != digits.data() + digits.size() || bits > (is_v4 ? 32U : 128U))
      return invalid(what);
    range.bits = is_v4 ? bits + 96 : bits;
  }
  allowed.push_back(range);
  return {};
}

bool is_allowed(const sockaddr* address, const OutgoingPolicy& policy) {
  Bytes bytes{};
  if (address->sa_family == AF_INET) {
    sockaddr_in v4{};
    std::memcpy(&v4, address, sizeof v4);
    std::array<std::uint8_t, 4> parts{};
    std::memcpy(parts.data(), &v4.sin_addr, parts.size());
    bytes = mapped(parts.data());
  } else if (address->sa_family == AF_INET6) {
    sockaddr_in6 v6{};
    std::memcpy(&v6, address, sizeof v6);
    std::memcpy(bytes.data(), &v6.sin6_addr, bytes.size());
  } else {
    return false;
  }
  const auto is_named = [&](const Bytes& one) {
    return std::ranges::any_of(policy.allowed, [&](const auto& range) { return is_in(one, range); });
  };
  if (is_named(bytes)) return true;
  // Where in it the IPv4 address stands is known to the network alone.
  if (is_local_nat64(bytes)) return false;
  bytes = unwrapped(bytes);
  if (is_named(bytes)) return true;
  if (!is_mapped(bytes)) return is_allowed_v6(bytes, policy);
  std::uint32_t v4 = 0;
  std::memcpy(&v4, &bytes[12], sizeof v4);
  return is_allowed_v4(ntohl(v4), policy);
}

}  // namespace flowmend::http
