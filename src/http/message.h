#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace flowmend::http {

/// One header field; names compare without regard to case.
struct Header {
  std::string name;
  std::string value;
};

/// Header fields in the order they were received or are to be sent.
using Headers = std::vector<Header>;

/// ASCII comparison without regard to case.
bool same_name(std::string_view a, std::string_view b);

/// The value of the first field of that name; empty when there is none.
std::string_view find_header(const Headers& headers, std::string_view name);
bool has_header(const Headers& headers, std::string_view name);

/// False for a name or value that would break out of its line or of the protocol (control characters, an empty name).
bool is_valid_header(std::string_view name, std::string_view value);

/// Percent-decodes; `plus_is_space` for queries and forms. A broken escape stays as it is.
std::string percent_decode(std::string_view text, bool plus_is_space = false);
/// Encodes everything but RFC 3986 unreserved characters.
std::string percent_encode(std::string_view text);

/// For text inside an HTML element or a quoted attribute.
std::string html_escape(std::string_view text);

}  // namespace flowmend::http
