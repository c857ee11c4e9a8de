#pragma once

#include <array>
#include <cstdint>
#include <string_view>
#include <vector>

#include <sys/socket.h>

#include "base/error.h"

namespace flowmend::http {

/// Which addresses requests may reach. Looked at after the name was resolved and again for every connection, so that a
/// name which changes its address between two look-ups gains nothing. An IPv4 address inside an IPv6 one (mapped,
/// compatible, NAT64, 6to4, Teredo) counts as itself; NAT64's local prefix 64:ff9b:1::/48, which may hold it anywhere,
/// is refused unless a range allows it.
struct OutgoingPolicy {
  bool allow_loopback = true;     ///< 127.0.0.0/8, ::1
  bool allow_private = true;      ///< 10/8, 172.16/12, 192.168/16, 100.64/10, fc00::/7, fec0::/10
  bool allow_link_local = false;  ///< 169.254/16 and fd00:ec2::254 with the clouds' metadata services, fe80::/10

  /// Addresses that begin with the first `bits` of `bytes` are allowed whatever else is said. IPv4 as ::ffff:a.b.c.d.
  struct Range {
    std::array<std::uint8_t, 16> bytes{};
    unsigned bits = 128;
  };
  std::vector<Range> allowed;

  /// `loopback`, `private` or `link-local` is refused from now on. `InvalidAddressRange` for another word.
  Result<void> refuse(std::string_view kind);
  /// One of these words, an address, or a range `10.1.0.0/16` is allowed. `InvalidAddressRange`.
  Result<void> allow(std::string_view what);
};

/// True for an address that the policy lets requests reach: for others that open connections (native connectors).
bool is_allowed(const sockaddr* address, const OutgoingPolicy& policy);

}  // namespace flowmend::http
