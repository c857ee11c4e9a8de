#pragma once

#include <string>
#include <vector>

#include <sys/socket.h>

#include "base/error.h"
#include "http/outgoing.h"

namespace flowmend::http {

/// The proxy that requests go through. The environment's `http_proxy` and its like are never read: through a proxy that
/// nobody told the server of, its outgoing policy would look at the wrong address.
struct ProxyOptions {
  /// `http://[user:password@]host:port`, or https, socks5h, socks5; empty = requests go to their hosts themselves.
  std::string url;
  /// Hosts that are asked without it: names (and what ends in them), addresses, ranges 10.0.0.0/8, separated by commas;
  /// `*` = all.
  std::string except;
};

/// `InvalidProxy`: an address of another form, without a host or a port. Never shows the address: it may hold a
/// password.
Result<void> check_proxy(const ProxyOptions& proxy);

/// The addresses of the proxy itself, with its port: the policy speaks of what requests reach, not of the way there.
/// Empty when its name can't be resolved. Blocks.
std::vector<sockaddr_storage> proxy_addresses(const ProxyOptions& proxy);

/// The same address and port.
bool is_same_address(const sockaddr* one, const sockaddr_storage& other);

/// Whether the policy lets the host of `url` be asked through a proxy, as far as can be told without resolving it,
/// which the proxy does: an address, also in its odd spellings (0x7f.1), is judged as such, `localhost` as loopback.
/// What names resolve to is for the proxy's own rules. A host of other letters than ASCII's may not: it is written
/// xn--.
bool may_ask_through_proxy(const std::string& url, const OutgoingPolicy& policy);

}  // namespace flowmend::http
