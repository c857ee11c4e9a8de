#include "http/address.h"

#include <arpa/inet.h>
#include <netdb.h>

#include <algorithm>
#include <array>
#include <memory>

namespace flowmend::http {

bool is_numeric_address(const std::string& host) {
  std::array<unsigned char, sizeof(in6_addr)> bytes{};
  return ::inet_pton(AF_INET, host.c_str(), bytes.data()) == 1 ||
         ::inet_pton(AF_INET6, host.c_str(), bytes.data()) == 1;
}

Result<std::vector<std::string>> allowed_addresses(std::string_view host, const OutgoingPolicy& policy) {
  const std::string shown(host);
  if (host.size() > 2 && host.front() == '[' && host.back() == ']') host = host.substr(1, host.size() - 2);
  const std::string name(host);
  const Error unknown =
      make_error("UnresolvableHostName", "The provided host name '" + shown + "' could not be resolved.", {},
                 "Check the name, and that this server's name service knows it.");
  if (name.empty() || name.find('\0') != std::string::npos) return unknown;
  addrinfo hints{};
  hints.ai_socktype = SOCK_STREAM;
  hints.ai_flags = AI_ADDRCONFIG;
  addrinfo* raw = nullptr;
  int failed = ::getaddrinfo(name.c_str(), nullptr, &hints, &raw);
  if (failed != 0) {
    // A machine whose only interface is loopback has no configured family at all.
    hints.ai_flags = 0;
    failed = ::getaddrinfo(name.c_str(), nullptr, &hints, &raw);
  }
  if (failed != 0) return unknown;
  const std::unique_ptr<addrinfo, void (*)(addrinfo*)> found(raw, ::freeaddrinfo);
  std::vector<std::string> addresses;
  for (const addrinfo* one = found.get(); one != nullptr; one = one->ai_next) {
    if (!is_allowed(one->ai_addr, policy)) continue;
    std::array<char, NI_MAXHOST> text{};
    if (::getnameinfo(one->ai_addr, one->ai_addrlen, text.data(), text.size(), nullptr, 0, NI_NUMERICHOST) != 0)
      continue;
    std::string address(text.data());
    if (std::find(addresses.begin(), addresses.end(), address) == addresses.end())
      addresses.push_back(std::move(address));
  }
  if (addresses.empty()) {
    return make_error("AddressNotAllowed",
                      "Connections to the address of '" + shown + "' are not allowed by this server's outgoing policy.",
                      {}, "Name a host that this server may reach.");
  }
  return addresses;
}

}  // namespace flowmend::http
