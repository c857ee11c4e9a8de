#include "connector/policy.h"

#include <algorithm>
#include <optional>

#include "connector/body_policy.h"
#include "connector/text.h"

namespace flowmend::connector {
namespace {

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

Error failed(const Connector& connector, const std::string& missing, const char* what) {
  return make_error("PolicyExpressionFailed",
                    std::string("The ") + what + " of connector '" + connector.title + "' needs the value '" + missing +
                        "', which the connection does not have.",
                    {}, "Edit the connection and fill in '" + missing + "'.");
}

/// `{name}` in a path becomes the encoded path parameter.
std::string with_path_values(std::string path, const Pairs& values) {
  for (const auto& [name, value] : values) {
    const std::string placeholder = "{" + name + "}";
    for (std::size_t at = path.find(placeholder); at != std::string::npos;
         at = path.find(placeholder, at + value.size())) {
      path.replace(at, placeholder.size(), value);
    }
  }
  return path.starts_with('/') ? path : "/" + path;
}

Result<std::string> service_of(const Connector& connector, const Policy& policy, const PolicyContext& context) {
  std::string missing;
  std::string service(trim(expand_policy_text(policy.value, context, missing)));
  if (!missing.empty()) return failed(connector, missing, "address");
  if (service.find("://") == std::string::npos) service.insert(0, "https://");
  while (service.ends_with('/')) service.pop_back();
  // A value with a blank, a control character or a user part could aim the request elsewhere.
  const std::size_t host_begin = service.find("://") + 3;
  const std::size_t host_end = std::min(service.find('/', host_begin), service.size());
  const bool scheme_known = service.starts_with("https://") || service.starts_with("http://");
  const bool host_clean = std::all_of(service.begin() + static_cast<std::ptrdiff_t>(host_begin),
                                      service.begin() + static_cast<std::ptrdiff_t>(host_end), is_host_character);
  if (!scheme_known || !host_clean || host_begin == host_end) {
    return make_error("PolicyExpressionFailed",
                      "The address of connector '" + connector.title + "' became '" + service + "', which is none.", {},
                      "Correct the value that it is made of: the connection's field, or the parameter of the step.");
  }
  return Result<std::string>(boost::system::in_place_value, without_blanks(service));
}

/// The path of a route or a question; `?x=@...` behind it joins `query`, where what an expression gives is encoded.
Result<std::string> path_of(const Connector& connector, std::string_view text, const PolicyContext& context,
                            Pairs& query) {
  const std::size_t mark = text.find('?');
  std::string missing;
  std::string path = expand_policy_text(text.substr(0, mark), context, missing);
  if (!missing.empty()) return failed(connector, missing, "path");
  std::string_view rest = mark == std::string_view::npos ? std::string_view() : text.substr(mark + 1);
  while (!rest.empty()) {
    const std::string_view pair = rest.substr(0, rest.find('&'));
    rest.remove_prefix(std::min(rest.size(), pair.size() + 1));
    if (pair.empty()) continue;
    const std::size_t equals = std::min(pair.find('='), pair.size());
    const std::string_view value = pair.substr(std::min(equals + 1, pair.size()));
    std::string ignored;
    const std::string expanded = expand_policy_text(value, context, ignored);
    query.emplace_back(std::string(pair.substr(0, equals)),
                       expanded == value ? without_blanks(value) : percent_encode(expanded));
  }
  return Result<std::string>(boost::system::in_place_value, std::move(path));
}

std::string upper_case(std::string text) {
  for (char& c : text) c = c >= 'a' && c <= 'z' ? static_cast<char>(c - 'a' + 'A') : c;
  return text;
}

Result<ValueQuestion> question_of(const Connector& connector, const Policy& policy, const PolicyContext& context,
                                  const Pairs& path_values) {
  ValueQuestion question;
  question.method = policy.method.empty() ? "GET" : upper_case(policy.method);
  question.answer = policy.answer;
  Pairs query;
  auto path = path_of(connector, policy.value, context, query);
  if (!path) return path.error();
  question.path = without_blanks(with_path_values(std::move(*path), path_values));
  char joint = '?';
  for (const auto& [name, value] : query) {
    question.path += joint + percent_encode(name) + "=" + value;
    joint = '&';
  }
  return question;
}

bool is_for(const Policy& policy, int status) {
  const bool good = status >= 200 && status < 300;
  return policy.section == (good ? Policy::Section::response : Policy::Section::failure);
}

}  // namespace

Result<std::optional<ValueQuestion>> apply_request_policies(const Connector& connector, const Operation& operation,
                                                            const Value& fields, const Pairs& path_values,
                                                            const std::vector<std::string>& asked, Value* body,
                                                            RequestParts& parts) {
  std::string new_service;
  std::string new_path;
  std::string new_method;
  std::size_t questions = 0;
  std::optional<ValueQuestion> question;
  for (const Policy& policy : connector.policies) {
    if (!policy.covers(operation.id) || policy.section != Policy::Section::request) continue;
    const PolicyContext context{fields, parts.headers, parts.query, body};
    // A question goes to where all policies that choose the host lead; nothing else of what comes behind it is done
    // yet.
    if (question && policy.kind != Policy::Kind::host_url) continue;
    std::string ignored;
    switch (policy.kind) {
      case Policy::Kind::set_header: {
        std::string text = expand_policy_text(policy.value, context, ignored);
        if (text.find_first_of("\r\n") == std::string::npos)
          set_pair(parts.headers, policy.name, std::move(text), policy.exists_action, true);
        break;
      }
      case Policy::Kind::set_query:
        set_pair(parts.query, policy.name, percent_encode(expand_policy_text(policy.value, context, ignored)),
                 policy.exists_action, false);
        break;
      case Policy::Kind::host_url: {
        auto service = service_of(connector, policy, context);
        if (!service) return service.error();
        new_service = std::move(*service);
        break;
      }
      case Policy::Kind::route: {
        auto path = path_of(connector, policy.value, context, parts.query);
        if (!path) return path.error();
        new_path = std::move(*path);
        new_method = policy.method;
        break;
      }
      case Policy::Kind::value_from_url: {
        if (questions < asked.size()) {
          const std::string& value = asked[questions++];
          if (policy.of_query) {
            set_pair(parts.query, policy.name, percent_encode(value), "override", false);
          } else if (value.find_first_of("\r\n") == std::string::npos) {
            set_pair(parts.headers, policy.name, value, "override", true);
          }
          break;
        }
        auto asks = question_of(connector, policy, context, path_values);
        if (!asks) return asks.error();
        question = std::move(*asks);
        break;
      }
      case Policy::Kind::unauthenticated_status: break;
      default:
        if (body != nullptr) *body = apply_body_policy(policy, *body, context);
    }
  }
  if (!new_service.empty()) parts.service_url = new_service;
  if (question) return question;
  if (!new_path.empty()) {
    parts.path = without_blanks(with_path_values(std::move(new_path), path_values));
    if (!new_method.empty()) parts.method = upper_case(new_method);
  }
  return std::optional<ValueQuestion>();
}

bool shapes_replies(const Connector& connector, const Operation& operation) {
  return std::any_of(connector.policies.begin(), connector.policies.end(), [&](const Policy& policy) {
    return policy.section != Policy::Section::request && policy.covers(operation.id);
  });
}

void apply_reply_headers(const Connector& connector, const Operation& operation, const Value& fields, int status,
                         Pairs& headers) {
  for (const Policy& policy : connector.policies) {
    if (policy.kind != Policy::Kind::set_header || !is_for(policy, status) || !policy.covers(operation.id)) continue;
    std::string ignored;
    set_pair(headers, policy.name, expand_policy_text(policy.value, {fields, headers, {}}, ignored),
             policy.exists_action, true);
  }
}

Value apply_reply_body(const Connector& connector, const Operation& operation, const Value& fields, int status,
                       const Value& body) {
  Value out = body;
  for (const Policy& policy : connector.policies) {
    if (changes_body(policy.kind) && is_for(policy, status) && policy.covers(operation.id))
      out = apply_body_policy(policy, out, {fields, {}, {}});
  }
  return out;
}

bool means_unauthenticated(const Connector& connector, const Operation& operation, int status) {
  return std::any_of(connector.policies.begin(), connector.policies.end(), [&](const Policy& policy) {
    return policy.kind == Policy::Kind::unauthenticated_status && policy.covers(operation.id) &&
           policy.value == std::to_string(status);
  });
}

}  // namespace flowmend::connector
