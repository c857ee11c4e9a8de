#include "http/proxy.h"

#include <arpa/inet.h>
#include <curl/curl.h>
#include <netdb.h>
#include <netinet/in.h>

#include <algorithm>
#include <cstring>
#include <memory>

#include "http/message.h"

namespace flowmend::http {

namespace {

/// A part of a URL; empty when there is none, or the URL is none.
std::string part_of(const std::string& url, CURLUPart part) {
  const std::unique_ptr<CURLU, void (*)(CURLU*)> parsed(curl_url(), curl_url_cleanup);
  char* text = nullptr;
  if (!parsed || curl_url_set(parsed.get(), CURLUPART_URL, url.c_str(), CURLU_NON_SUPPORT_SCHEME) != CURLUE_OK ||
      curl_url_get(parsed.get(), part, &text, 0) != CURLUE_OK)
    return {};
  std::string out = text;
  curl_free(text);
  return out;
}

std::string without_brackets(std::string host) {
  if (host.size() > 2 && host.front() == '[' && host.back() == ']') host = host.substr(1, host.size() - 2);
  return host;
}

bool is_localhost(std::string_view host) {
  if (!host.empty() && host.back() == '.') host.remove_suffix(1);
  const std::size_t dot = host.rfind('.');
  return same_name(dot == std::string_view::npos ? host : host.substr(dot + 1), "localhost");
}

}  // namespace

Result<void> check_proxy(const ProxyOptions& proxy) {
  if (proxy.url.empty()) return {};
  const auto invalid = [](const std::string& what) {
    return make_error("InvalidProxy", "The proxy's address " + what + ".", {},
                      "Write it as http://host:port; https, socks5 and socks5h are known as well.");
  };
  const std::string scheme = part_of(proxy.url, CURLUPART_SCHEME);
  if (scheme.empty() || part_of(proxy.url, CURLUPART_HOST).empty()) return invalid("is none");
  if (scheme != "http" && scheme != "https" && scheme != "socks5" && scheme != "socks5h")
    return invalid("begins with '" + scheme + "'");
  if (part_of(proxy.url, CURLUPART_PORT).empty()) return invalid("names no port");
  return {};
}

std::vector<sockaddr_storage> proxy_addresses(const ProxyOptions& proxy) {
  std::vector<sockaddr_storage> out;
  if (proxy.url.empty()) return out;
  const std::string host = without_brackets(part_of(proxy.url, CURLUPART_HOST));
  const std::string port = part_of(proxy.url, CURLUPART_PORT);
  addrinfo hints{};
  hints.ai_socktype = SOCK_STREAM;
  addrinfo* raw = nullptr;
  if (::getaddrinfo(host.c_str(), port.c_str(), &hints, &raw) != 0) return out;
  const std::unique_ptr<addrinfo, void (*)(addrinfo*)> found(raw, ::freeaddrinfo);
  for (const addrinfo* one = found.get(); one != nullptr; one = one->ai_next) {
    sockaddr_storage address{};
    if (one->ai_addrlen > sizeof address) continue;
    std::memcpy(&address, one->ai_addr, one->ai_addrlen);
    out.push_back(address);
  }
  return out;
}

bool is_same_address(const sockaddr* one, const sockaddr_storage& other) {
  if (one->sa_family != other.ss_family) return false;
  if (one->sa_family == AF_INET) {
    sockaddr_in a{};
    sockaddr_in b{};
    std::memcpy(&a, one, sizeof a);
    std::memcpy(&b, &other, sizeof b);
    return a.sin_port == b.sin_port && a.sin_addr.s_addr == b.sin_addr.s_addr;
  }
  if (one->sa_family == AF_INET6) {
    sockaddr_in6 a{};
    sockaddr_in6 b{};
    std::memcpy(&a, one, sizeof a);
    std::memcpy(&b, &other, sizeof b);
    return a.sin6_port == b.sin6_port && std::memcmp(&a.sin6_addr, &b.sin6_addr, sizeof a.sin6_addr) == 0;
  }
  return false;
}

bool may_ask_through_proxy(const std::string& url, const OutgoingPolicy& policy) {
  std::string host = without_brackets(part_of(url, CURLUPART_HOST));
  if (const std::size_t zone = host.find('%'); zone != std::string::npos) host.resize(zone);
  // Full-width digits become an address on their way; nobody has looked at it then.
  if (std::ranges::any_of(host, [](char c) { return static_cast<unsigned char>(c) >= 0x80; })) return false;
  if (is_localhost(host)) host = "127.0.0.1";
  sockaddr_in four{};
  four.sin_family = AF_INET;
  // Whatever spelling of an IPv4 address libcurl has left as it was.
  const std::string bare = host.ends_with('.') ? host.substr(0, host.size() - 1) : host;
  if (::inet_aton(bare.c_str(), &four.sin_addr) != 0) {
    sockaddr address{};
    std::memcpy(&address, &four, sizeof address);
    return is_allowed(&address, policy);
  }
  sockaddr_in6 six{};
  six.sin6_family = AF_INET6;
  if (::inet_pton(AF_INET6, host.c_str(), &six.sin6_addr) != 1) return true;
  sockaddr_storage address{};
  std::memcpy(&address, &six, sizeof six);
  return is_allowed(reinterpret_cast<const sockaddr*>(&address), policy);
}

}  // namespace flowmend::http
