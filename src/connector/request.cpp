#include "connector/request.h"

#include <algorithm>
#include <array>

#include <sodium.h>

#include "connector/content.h"
#include "connector/policy.h"
#include "connector/text.h"
#include "json/parse.h"
#include "json/pointer.h"
#include "json/write.h"

namespace flowmend::connector {
namespace {

constexpr std::array<std::string_view, 4> refused_headers = {"host", "content-length", "transfer-encoding",
                                                             "connection"};

std::string separator_of(std::string_view collection_format) {
  if (collection_format == "ssv") return "%20";
  if (collection_format == "tsv") return "%09";
  if (collection_format == "pipes") return "|";
  return ",";
}

/// The value encoded for a path or query: items of an array one by one, their separator as it is.
std::string encoded(const OperationParameter& parameter, const Value& value) {
  const auto once = [&](const Value& item) {
    std::string text = percent_encode(text_of_value(item));
    return parameter.double_encoding ? percent_encode(text) : text;
  };
  if (!value.is_array()) return once(value);
  std::string out;
  for (const Value& item : value.as_array()) {
    if (!out.empty()) out += separator_of(parameter.collection_format);
    out += once(item);
  }
  return out;
}

std::string plain_list(const OperationParameter& parameter, const Value& value) {
  if (!value.is_array()) return text_of_value(value);
  std::string out;
  for (const Value& item : value.as_array()) {
    if (!out.empty()) out += percent_decode(separator_of(parameter.collection_format));
    out += text_of_value(item);
  }
  return out;
}

int rank(std::string_view type) {
  const std::string media = lower_case(trim(type.substr(0, type.find(';'))));
  if (media == "application/json") return 0;
  if (is_json_type(media)) return 1;
  if (media == "application/x-www-form-urlencoded") return 2;
  if (media == "multipart/form-data" || media == "application/form-data") return 3;
  if (media == "application/xml" || media == "text/xml") return 4;
  if (media.starts_with("text/")) return 5;
  return media.find('/') == std::string::npos || media == "*/*" ? 9 : 6;
}

std::string quoted_name(std::string_view name) {
  std::string out;
  for (const char c : name) {
    if (c == '"') {
      out += "%22";
    } else if (c == '\r') {
      out += "%0D";
    } else if (c == '\n') {
      out += "%0A";
    } else {
      out += c;
    }
  }
  return out;
}

/// A multipart/form-data body, part by part.
class Multipart {
 public:
  Multipart() {
    std::array<unsigned char, 12> random{};
    randombytes_buf(random.data(), random.size());
    std::array<char, 25> hex{};
    sodium_bin2hex(hex.data(), hex.size(), random.data(), random.size());
    boundary_ = std::string("flowmend-") + hex.data();
  }

  void add_text(std::string_view name, const std::string& text, std::string_view type = {}) {
    begin(name);
    if (!type.empty()) out_ += "\r\nContent-Type: " + std::string(type);
    out_ += "\r\n\r\n" + text + "\r\n";
  }

  /// A content object, or a value whose text is the file.
  void add_file(std::string_view name, const Value& value, std::string file_name) {
    for (const std::string_view member : {"ContentName", "name", "$filename"}) {
      if (file_name.empty()) file_name = value.text_of(member);
    }
    if (file_name.empty()) file_name = name;
    const auto bytes = content_bytes(value);
    std::string type(value.text_of("$content-type", "application/octet-stream"));
    if (type.find_first_of("\r\n") != std::string::npos) type = "application/octet-stream";
    begin(name);
    out_ += "; filename=\"" + quoted_name(file_name) + "\"\r\nContent-Type: " + type + "\r\n\r\n" +
            (bytes ? *bytes : text_of_value(value)) + "\r\n";
  }

  Encoded finish() {
    out_ += "--" + boundary_ + "--\r\n";
    return {"multipart/form-data; boundary=" + boundary_, std::move(out_)};
  }

 private:
  void begin(std::string_view name) {
    out_ += "--" + boundary_ + "\r\nContent-Disposition: form-data; name=\"" + quoted_name(name) + "\"";
  }

  std::string boundary_;
  std::string out_;
};

Encoded multipart_form(const Operation& operation, const Arguments& arguments) {
  const auto given = [&](std::string_view name) -> const Value* {
    const auto found = arguments.values.find(std::string(name));
    return found == arguments.values.end() || found->second.is_null() ? nullptr : &found->second;
  };
  Multipart form;
  for (const OperationParameter& parameter : operation.parameters) {
    if (parameter.place != ParameterPlace::form_data) continue;
    const Value* value = given(parameter.name);
    if (value == nullptr) continue;
    if (parameter.type == "file" || is_content_object(*value)) {
      std::string file_name;
      for (const std::string_view companion : {"filename", "fileName", "name"}) {
        if (const Value* name = given(companion); name != nullptr && name->is_string() && file_name.empty())
          file_name = name->as_string();
      }
      form.add_file(parameter.name, *value, std::move(file_name));
    } else {
      form.add_text(parameter.name, plain_list(parameter, *value), value->is_object() ? "application/json" : "");
    }
  }
  return form.finish();
}

/// An object body for a service that takes multipart only: a part for each member.
Encoded multipart_object(const Value& body) {
  Multipart form;
  for (const json::Member& member : body.as_object()) {
    const Value& value = member.value;
    if (value.is_null()) continue;
    if (is_content_object(value)) {
      form.add_file(member.name(), value, {});
    } else {
      form.add_text(member.name(), text_of_value(value),
                    value.is_object() || value.is_array() ? "application/json" : "");
    }
  }
  return form.finish();
}

class Builder {
 public:
  Builder(const Connector& connector, const Operation& operation, Arguments& arguments, const Value& fields)
      : connector_(connector), operation_(operation), arguments_(arguments), fields_(fields) {}

  Result<OutgoingRequest> run(const std::vector<std::string>& asked) {
    parts_.method = operation_.method;
    parts_.service_url = connector_.host.empty() ? std::string() : connector_.service_url();
    place_path();
    if (auto placed = place_query_and_headers(); !placed) return placed.error();
    const PlacedCredential credential = place_credential(connector_, operation_, fields_);
    place(credential);
    const bool is_json = arguments_.has_body && (arguments_.body.is_object() || arguments_.body.is_array()) &&
                         !is_content_object(arguments_.body);
    const auto question = apply_request_policies(connector_, operation_, fields_, path_values_, asked,
                                                 is_json ? &arguments_.body : nullptr, parts_);
    if (!question) return question.error();
    if (parts_.service_url.empty()) {
      return make_error("ConnectorHostMissing",
                        "The connector '" + connector_.title + "' does not say at which host its service is.", {},
                        "Give the connector's document a host.");
    }
    OutgoingRequest request;
    request.secrets = credential.secrets;
    request.secrets.insert(request.secrets.end(), asked.begin(), asked.end());
    if (*question) return ask(**question, credential, std::move(request));
    request.method = parts_.method;
    request.url = parts_.service_url + parts_.path;
    char joint = request.url.find('?') == std::string::npos ? '?' : '&';
    for (const auto& [name, value] : parts_.query) {
      request.url += joint + percent_encode(name) + "=" + value;
      joint = '&';
    }
    request.headers = std::move(parts_.headers);
    for (const OperationParameter& parameter : operation_.parameters) {
      const auto given = arguments_.values.find(parameter.name);
      if (parameter.secret && given != arguments_.values.end()) request.secrets.push_back(text_of_value(given->second));
    }
    if (auto body = place_body(request); !body) return body.error();
    if (request.header("Accept") == nullptr) {
      std::string accept;
      for (const std::string& type : operation_.produces) accept += (accept.empty() ? "" : ", ") + type;
      request.headers.emplace_back("Accept", accept.empty() ? "application/json, */*;q=0.5" : accept);
    }
    return request;
  }

 private:
  const Value* given(const OperationParameter& parameter) const {
    const auto found = arguments_.values.find(parameter.name);
    return found == arguments_.values.end() || found->second.is_null() ? nullptr : &found->second;
  }

  /// A policy's question goes out with the credential as the policies before it left it, and nothing else of the step.
  OutgoingRequest ask(const ValueQuestion& question, const PlacedCredential& credential,
                      OutgoingRequest request) const {
    request.method = question.method;
    request.url = parts_.service_url + question.path;
    request.question.emplace();
    request.question->answer = question.answer;
    const auto is_of = [](const Pairs& pairs, std::string_view name) {
      return std::any_of(pairs.begin(), pairs.end(),
                         [&](const auto& pair) { return equals_ignoring_case(pair.first, name); });
    };
    char joint = request.url.find('?') == std::string::npos ? '?' : '&';
    for (const auto& [name, value] : parts_.query) {
      if (!is_of(credential.query, name)) continue;
      request.url += joint + percent_encode(name) + "=" + value;
      joint = '&';
    }
    for (const auto& [name, value] : parts_.headers)
      if (is_of(credential.headers, name)) request.headers.emplace_back(name, value);
    request.headers.emplace_back("Accept", "application/json");
    return request;
  }

  void place_path() {
    for (const OperationParameter& parameter : operation_.parameters) {
      if (parameter.place != ParameterPlace::path) continue;
      const Value* value = given(parameter);
      path_values_.emplace_back(parameter.name, value == nullptr ? std::string() : encoded(parameter, *value));
    }
    const std::string& path = operation_.path;
    std::size_t at = 0;
    while (at < path.size()) {
      const std::size_t open = path.find('{', at);
      const std::size_t close = open == std::string::npos ? open : path.find('}', open);
      if (close == std::string::npos) break;
      const std::string name = path.substr(open + 1, close - open - 1);
      parts_.path += path.substr(at, open - at);
      for (const auto& [known, value] : path_values_) {
        if (known == name) parts_.path += value;
      }
      at = close + 1;
    }
    parts_.path += path.substr(at);
  }

  Result<void> place_query_and_headers() {
    for (const auto& [name, value] : operation_.fixed_query) parts_.query.emplace_back(name, percent_encode(value));
    for (const OperationParameter& parameter : operation_.parameters) {
      const Value* value = given(parameter);
      if (value == nullptr) continue;
      if (parameter.place == ParameterPlace::query) {
        if (value->is_string() && value->as_string().empty() && !parameter.allow_empty) continue;
        if (value->is_array() && parameter.collection_format == "multi") {
          for (const Value& item : value->as_array())
            parts_.query.emplace_back(parameter.name, percent_encode(text_of_value(item)));
        } else {
          parts_.query.emplace_back(parameter.name, encoded(parameter, *value));
        }
      } else if (parameter.place == ParameterPlace::header) {
        const std::string lower = lower_case(parameter.name);
        if (std::find(refused_headers.begin(), refused_headers.end(), lower) != refused_headers.end()) continue;
        const std::string text(trim(plain_list(parameter, *value)));
        if (text.find_first_of(std::string_view("\r\n\0", 3)) != std::string::npos) {
          return make_error("InvalidWorkflowOperationParametersRuntimeValue",
                            "The value of header parameter '" + parameter.name + "' holds a line break.",
                            json::join("", parameter.name), "Remove it, for example with replace().");
        }
        if (!text.empty()) parts_.headers.emplace_back(parameter.name, text);
      }
    }
    return {};
  }

  void place(const PlacedCredential& credential) {
    for (const auto& [name, value] : credential.headers) {
      std::erase_if(parts_.headers,
                    [&name = name](const auto& pair) { return equals_ignoring_case(pair.first, name); });
      parts_.headers.emplace_back(name, value);
    }
    for (const auto& [name, value] : credential.query) {
      std::erase_if(parts_.query, [&name = name](const auto& pair) { return pair.first == name; });
      parts_.query.emplace_back(name, percent_encode(value));
    }
  }

  Result<void> place_body(OutgoingRequest& request) {
    const std::string* chosen = request.header("Content-Type");
    std::string type = chosen != nullptr ? *chosen : preferred_media_type(operation_.consumes);
    const bool has_form =
        std::any_of(operation_.parameters.begin(), operation_.parameters.end(),
                    [](const auto& parameter) { return parameter.place == ParameterPlace::form_data; });
    Encoded encoded_body;
    if (has_form) {
      const bool has_file =
          std::any_of(operation_.parameters.begin(), operation_.parameters.end(), [&](const auto& parameter) {
            return parameter.place == ParameterPlace::form_data && parameter.type == "file" &&
                   given(parameter) != nullptr;
          });
      encoded_body = has_file || rank(type) == 3 ? multipart_form(operation_, arguments_) : url_encoded_form();
    } else if (arguments_.has_body) {
      const OperationParameter* parameter = operation_.body();
      const bool json_text = arguments_.body.is_string() && parameter != nullptr && parameter->type == "string" &&
                             (type.empty() || is_json_type(type)) &&
                             resolve_schema(connector_.swagger, parameter->schema).text_of("format") != "binary" &&
                             resolve_schema(connector_.swagger, parameter->schema).text_of("format") != "byte";
      const bool object_parts = rank(type) == 3 && arguments_.body.is_object() && !is_content_object(arguments_.body) &&
                                arguments_.body.find("$multipart") == nullptr;
      if (object_parts) {
        encoded_body = multipart_object(arguments_.body);
      } else if (json_text) {
        encoded_body = {type.empty() ? "application/json" : type, json::write(arguments_.body)};
      } else {
        if (type.empty() && !is_content_object(arguments_.body)) type = "application/json";
        if (rank(type) == 3 && !is_content_object(arguments_.body)) type = "application/json";
        auto result = encode_body(arguments_.body, type);
        if (!result) return result.error();
        encoded_body = std::move(*result);
      }
    } else {
      return {};
    }
    request.has_body = true;
    request.body = std::move(encoded_body.bytes);
    request.headers.erase(
        std::remove_if(request.headers.begin(), request.headers.end(),
                       [](const auto& pair) { return equals_ignoring_case(pair.first, "Content-Type"); }),
        request.headers.end());
    if (!encoded_body.content_type.empty()) request.headers.emplace_back("Content-Type", encoded_body.content_type);
    return {};
  }

  Encoded url_encoded_form() const {
    std::string out;
    const auto add = [&](const std::string& name, const std::string& text) {
      out += (out.empty() ? "" : "&") + percent_encode(name) + "=" + text;
    };
    for (const OperationParameter& parameter : operation_.parameters) {
      if (parameter.place != ParameterPlace::form_data) continue;
      const Value* value = given(parameter);
      if (value == nullptr) continue;
      if (value->is_array() && parameter.collection_format == "multi") {
        for (const Value& item : value->as_array()) add(parameter.name, percent_encode(text_of_value(item)));
      } else {
        add(parameter.name, encoded(parameter, *value));
      }
    }
    return {"application/x-www-form-urlencoded", std::move(out)};
  }

  const Connector& connector_;
  const Operation& operation_;
  Arguments& arguments_;  ///< policies change the body
  const Value& fields_;
  Pairs path_values_;
  RequestParts parts_;
};

std::vector<std::string> segments_of(std::string_view path) {
  std::vector<std::string> out;
  while (!path.empty()) {
    if (path.front() == '/') {
      path.remove_prefix(1);
      continue;
    }
    const std::string_view segment = path.substr(0, path.find('/'));
    out.emplace_back(segment);
    path.remove_prefix(segment.size());
  }
  return out;
}

/// One template segment against one of the request: captures in order. Several names may stand in one segment.
bool match_segment(std::string_view pattern, std::string_view text, Pairs& captured) {
  const std::size_t open = pattern.find('{');
  if (open == std::string_view::npos) return equals_ignoring_case(pattern, text);
  const std::size_t close = pattern.find('}', open);
  if (close == std::string_view::npos || !text.starts_with(pattern.substr(0, open))) return false;
  const std::string name(pattern.substr(open + 1, close - open - 1));
  const std::string_view rest = pattern.substr(close + 1);
  text.remove_prefix(open);
  const std::string_view literal = rest.substr(0, rest.find('{'));
  const std::size_t end = literal.empty()                 ? text.size()
                          : rest.size() == literal.size() ? text.rfind(literal)
                                                          : text.find(literal);
  if (end == std::string_view::npos || end == 0) return false;
  captured.emplace_back(name, std::string(text.substr(0, end)));
  if (rest.empty()) return end == text.size();
  return match_segment(rest, text.substr(end), captured);
}

}  // namespace

const std::string* OutgoingRequest::header(std::string_view name) const {
  for (const auto& [key, value] : headers) {
    if (equals_ignoring_case(key, name)) return &value;
  }
  return nullptr;
}

std::string preferred_media_type(const std::vector<std::string>& consumes) {
  std::string best;
  int best_rank = 9;
  for (const std::string& type : consumes) {
    if (const int here = rank(type); here < best_rank) {
      best_rank = here;
      best = type;
    }
  }
  return best;
}

Result<OutgoingRequest> build_request(const Connector& connector, const Operation& operation, const Value& parameters,
                                      const Value& fields, const std::vector<std::string>& asked) {
  if (!operation.unavailable.code.empty()) {
    return make_error(operation.unavailable.code,
                      "Operation '" + operation.id + "' can't run here. " + operation.unavailable.message, {},
                      "Use another operation of this connector.");
  }
  Result<Arguments> arguments = bind_arguments(connector, operation, parameters);
  if (!arguments) return arguments.error();
  return Builder(connector, operation, *arguments, fields).run(asked);
}

Result<std::string> answered_value(const OutgoingRequest& question, std::string_view body) {
  const auto parsed = json::parse(body);
  const Value* value = parsed && question.question ? value_at(*parsed, question.question->answer) : nullptr;
  if (value == nullptr || value->is_null() || value->is_object() || value->is_array()) {
    if (question.question && question.question->signs_in) {
      return make_error("SignInAnswerInvalid",
                        "The sign-in at '" + question.url + "' was answered without an access token.",
                        "/inputs/authentication", "See that authority and tenant are those of the token server.");
    }
    return make_error("PolicyValueMissing",
                      "The connector first asks '" + question.url.substr(0, question.url.find('?')) +
                          "' for a value, and the answer does not hold it.",
                      {}, "See what the service answers there; the connector's document says where the value stands.");
  }
  return Result<std::string>(boost::system::in_place_value, text_of_value(*value));
}

Result<MatchedOperation> match_api_connection(const Connector& connector, const Value& inputs) {
  const std::string method = lower_case(inputs.text_of("method", "get"));
  std::string_view path = inputs.text_of("path");
  path = path.substr(0, path.find('?'));
  std::vector<std::string> segments = segments_of(path);
  if (segments.size() > 3 && segments[0] == "apim") segments.erase(segments.begin(), segments.begin() + 3);

  MatchedOperation best;
  Pairs best_captured;
  std::size_t best_literals = 0;
  for (const Operation& operation : connector.operations) {
    if (lower_case(operation.method) != method) continue;
    const std::vector<std::string> pattern = segments_of(operation.path);
    if (pattern.size() != segments.size()) continue;
    Pairs captured;
    std::size_t literals = 1;
    bool fits = true;
    for (std::size_t i = 0; fits && i < pattern.size(); ++i) {
      fits = match_segment(pattern[i], segments[i], captured);
      if (pattern[i].find('{') == std::string::npos) ++literals;
    }
    if (!fits || literals <= best_literals) continue;
    best.operation = &operation;
    best_captured = std::move(captured);
    best_literals = literals;
  }
  if (best.operation == nullptr) {
    return make_error("ApiOperationNotFound",
                      "The connector '" + connector.title + "' has no operation for " +
                          std::string(inputs.text_of("method", "get")) + " " + std::string(path) + ".",
                      "/path", "Correct method and path.");
  }
  json::ObjectBuilder parameters;
  for (const auto& [name, value] : best_captured) {
    const OperationParameter* parameter = best.operation->find(name);
    std::string decoded = percent_decode(value);
    if (parameter != nullptr && parameter->double_encoding) decoded = percent_decode(decoded);
    parameters.set(name, Value(decoded));
  }
  for (const std::string_view group : {"queries", "headers"}) {
    const Value* values = inputs.find(group);
    if (values == nullptr || !values->is_object()) continue;
    for (const json::Member& member : values->as_object()) parameters.set(member.name(), member.value);
  }
  if (const Value* body = inputs.find("body"); body != nullptr && best.operation->body() != nullptr) {
    parameters.set(best.operation->body()->name, *body);
  }
  best.parameters = parameters.finish();
  return best;
}

}  // namespace flowmend::connector
