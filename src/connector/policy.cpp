#include "connector/policy.h"

#include <algorithm>
#include <optional>

#include "connector/text.h"

namespace flowmend::connector {
namespace {

const std::string* find_pair(const Pairs& pairs, std::string_view name) {
  for (const auto& [key, value] : pairs) {
    if (equals_ignoring_case(key, name)) return &value;
  }
  return nullptr;
}

void set_pair(Pairs& pairs, const std::string& name, std::string value, std::string_view exists_action,
              bool append_joins) {
  const auto found = std::find_if(pairs.begin(), pairs.end(),
                                  [&](const auto& pair) { return equals_ignoring_case(pair.first, name); });
  if (found == pairs.end()) {
    pairs.emplace_back(name, std::move(value));
  } else if (exists_action == "append") {
    if (append_joins) {
      found->second += "," + value;
    } else {
      pairs.emplace_back(name, std::move(value));
    }
  } else if (exists_action != "skip") {
    found->second = std::move(value);
  }
}

/// One reference `headers('x', 'default')` at `at` (behind the @), or nothing when the text is no reference.
struct Found {
  std::string source;  ///< headers, queryparameters, connectionparameters
  std::string name;
  std::optional<std::string> otherwise;
  std::size_t end = 0;
};

bool is_quote(std::string_view text, std::size_t at, std::size_t& size) {
  if (at >= text.size()) return false;
  if (text[at] == '\'' || text[at] == '"') {
    size = 1;
    return true;
  }
  for (const std::string_view quote : {"\xE2\x80\x98", "\xE2\x80\x99", "\xE2\x80\x9C", "\xE2\x80\x9D"}) {
    if (text.substr(at).starts_with(quote)) {
      size = quote.size();
      return true;
    }
  }
  return false;
}

void skip_blanks(std::string_view text, std::size_t& at) {
  while (at < text.size() && text[at] == ' ') ++at;
}

std::optional<std::string> read_quoted(std::string_view text, std::size_t& at) {
  skip_blanks(text, at);
  std::size_t quote = 0;
  if (!is_quote(text, at, quote)) return std::nullopt;
  at += quote;
  const std::size_t begin = at;
  while (at < text.size() && !is_quote(text, at, quote)) ++at;
  if (at >= text.size()) return std::nullopt;
  std::string out(text.substr(begin, at - begin));
  at += quote;
  return out;
}

std::optional<Found> read_reference(std::string_view text, std::size_t at) {
  const std::size_t open = text.find('(', at);
  if (open == std::string_view::npos) return std::nullopt;
  Found found;
  found.source = lower_case(trim(text.substr(at, open - at)));
  if (found.source == "header") found.source = "headers";
  if (found.source == "queryparamters" || found.source == "queryparameter") found.source = "queryparameters";
  if (found.source != "headers" && found.source != "queryparameters" && found.source != "connectionparameters")
    return std::nullopt;
  std::size_t cursor = open + 1;
  auto name = read_quoted(text, cursor);
  if (!name) return std::nullopt;
  found.name = std::move(*name);
  skip_blanks(text, cursor);
  if (cursor < text.size() && text[cursor] == ',') {
    ++cursor;
    found.otherwise = read_quoted(text, cursor);
    skip_blanks(text, cursor);
  }
  if (cursor >= text.size() || text[cursor] != ')') return std::nullopt;
  found.end = cursor + 1;
  return found;
}

bool is_host_character(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '.' || c == '-' ||
         c == '_' || c == ':' || c == '[' || c == ']';
}

/// Blanks, control characters and bytes beyond ASCII as %XX; all else as it is.
std::string without_blanks(std::string_view text) {
  std::string out;
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    out += byte <= 0x20 || byte >= 0x7F ? percent_encode(std::string_view(&c, 1)) : std::string(1, c);
  }
  return out;
}

std::optional<std::string> lookup(const Found& found, const Value& fields, const RequestParts& parts) {
  if (found.source == "headers") {
    const std::string* value = find_pair(parts.headers, found.name);
    return value == nullptr ? std::nullopt : std::optional(*value);
  }
  if (found.source == "queryparameters") {
    const std::string* value = find_pair(parts.query, found.name);
    return value == nullptr ? std::nullopt : std::optional(percent_decode(*value));
  }
  const Value* value = fields.find_ignoring_case(found.name);
  if (value == nullptr) value = fields.find_ignoring_case("token:" + found.name);
  return value == nullptr || value->is_null() ? std::nullopt : std::optional(text_of_value(*value));
}

}  // namespace

std::string expand_policy_text(std::string_view text, const Value& fields, const RequestParts& parts,
                               std::string& missing) {
  std::string out;
  std::size_t at = 0;
  while (at < text.size()) {
    std::size_t start = at;
    bool braces = false;
    if (text[at] == '@') {
      start = at + 1;
      if (start < text.size() && text[start] == '{') {
        braces = true;
        ++start;
      }
    } else if (text[at] == '{' && at + 1 < text.size() && text[at + 1] == '@') {
      braces = true;
      start = at + 2;
    } else {
      out += text[at++];
      continue;
    }
    const auto found = read_reference(text, start);
    if (!found) {
      out += text[at++];
      continue;
    }
    at = found->end;
    if (braces && at < text.size() && text[at] == '}') ++at;
    if (auto value = lookup(*found, fields, parts)) {
      out += *value;
    } else if (found->otherwise) {
      out += *found->otherwise;
    } else if (missing.empty()) {
      missing = found->name;
    }
  }
  return out;
}

Result<void> apply_request_policies(const Connector& connector, const Operation& operation, const Value& fields,
                                    const Pairs& path_values, RequestParts& parts) {
  const auto failed = [&](const std::string& missing, const char* what) {
    return make_error("PolicyExpressionFailed",
                      std::string("The ") + what + " of connector '" + connector.title + "' needs the value '" +
                          missing + "', which the connection does not have.",
                      {}, "Edit the connection and fill in '" + missing + "'.");
  };
  std::string new_service;
  std::string new_path;
  std::string new_method;
  for (const Policy& policy : connector.policies) {
    if (!policy.covers(operation.id)) continue;
    std::string missing;
    const std::string text = expand_policy_text(policy.value, fields, parts, missing);
    switch (policy.kind) {
      case Policy::Kind::set_header:
        if (text.find_first_of("\r\n") == std::string::npos)
          set_pair(parts.headers, policy.name, text, policy.exists_action, true);
        break;
      case Policy::Kind::set_query:
        set_pair(parts.query, policy.name, percent_encode(text), policy.exists_action, false);
        break;
      case Policy::Kind::host_url: {
        if (!missing.empty()) return failed(missing, "address");
        new_service = trim(text);
        if (new_service.find("://") == std::string::npos) new_service.insert(0, "https://");
        while (new_service.ends_with('/')) new_service.pop_back();
        // A value with a blank, a control character or a user part could aim the request elsewhere.
        const std::size_t host_begin = new_service.find("://") + 3;
        const std::size_t host_end = std::min(new_service.find('/', host_begin), new_service.size());
        const bool scheme_known = new_service.starts_with("https://") || new_service.starts_with("http://");
        const bool host_clean =
            std::all_of(new_service.begin() + static_cast<std::ptrdiff_t>(host_begin),
                        new_service.begin() + static_cast<std::ptrdiff_t>(host_end), is_host_character);
        if (!scheme_known || !host_clean || host_begin == host_end) {
          return make_error(
              "PolicyExpressionFailed",
              "The address of connector '" + connector.title + "' became '" + new_service + "', which is none.", {},
              "Correct the value that it is made of: the connection's field, or the parameter of the step.");
        }
        new_service = without_blanks(new_service);
        break;
      }
      case Policy::Kind::route: {
        std::string path_missing;
        // `?x=@...` behind the path joins the query; what an expression gives is encoded there.
        const std::size_t query = policy.value.find('?');
        new_path = expand_policy_text(std::string_view(policy.value).substr(0, query), fields, parts, path_missing);
        if (!path_missing.empty()) return failed(path_missing, "path");
        std::string_view rest =
            query == std::string::npos ? std::string_view() : std::string_view(policy.value).substr(query + 1);
        while (!rest.empty()) {
          const std::string_view pair = rest.substr(0, rest.find('&'));
          rest.remove_prefix(std::min(rest.size(), pair.size() + 1));
          const std::size_t equals = std::min(pair.find('='), pair.size());
          if (pair.empty()) continue;
          const std::string_view value = pair.substr(std::min(equals + 1, pair.size()));
          std::string ignored;
          std::string expanded = expand_policy_text(value, fields, parts, ignored);
          parts.query.emplace_back(std::string(pair.substr(0, equals)),
                                   expanded == value ? without_blanks(value) : percent_encode(expanded));
        }
        new_method = policy.method;
        break;
      }
    }
  }
  if (!new_path.empty()) {
    for (const auto& [name, value] : path_values) {
      const std::string placeholder = "{" + name + "}";
      for (std::size_t at = new_path.find(placeholder); at != std::string::npos;
           at = new_path.find(placeholder, at + value.size())) {
        new_path.replace(at, placeholder.size(), value);
      }
    }
    if (!new_path.starts_with('/')) new_path.insert(0, "/");
    parts.path = without_blanks(new_path);
    if (!new_method.empty()) {
      parts.method.clear();
      for (const char c : new_method) parts.method += c >= 'a' && c <= 'z' ? static_cast<char>(c - 'a' + 'A') : c;
    }
  }
  if (!new_service.empty()) parts.service_url = new_service;
  return {};
}

}  // namespace flowmend::connector
