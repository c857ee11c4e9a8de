#include "trigger/request.h"

#include <algorithm>
#include <charconv>

#include "json/parse.h"
#include "trigger/base64.h"
#include "trigger/form.h"
#include "trigger/percent.h"
#include "trigger/signature.h"

namespace flowmend::trigger {

using json::ObjectBuilder;

namespace {

constexpr std::string_view api_version_default = "2016-06-01";

Error no_such_workflow() {
  return make_error("WorkflowNotFound", "The workflow could not be found at this address.", {},
                    "Copy the address from the flow's trigger again.");
}

bool equal_ignoring_case(std::string_view a, std::string_view b) {
  auto lower = [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + ('a' - 'A')) : c; };
  return std::equal(a.begin(), a.end(), b.begin(), b.end(), [&](char x, char y) { return lower(x) == lower(y); });
}

std::vector<std::string_view> split(std::string_view text, char separator) {
  std::vector<std::string_view> parts;
  while (true) {
    const auto end = text.find(separator);
    parts.push_back(text.substr(0, end));
    if (end == std::string_view::npos) return parts;
    text.remove_prefix(end + 1);
  }
}

bool is_workflow_id(std::string_view id) {
  return !id.empty() && id.size() <= 64 && std::all_of(id.begin(), id.end(), [](char c) {
    return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F') || c == '-';
  });
}

/// The names in `{...}` of a relative path template.
std::vector<std::string> parameters_of(std::string_view path) {
  std::vector<std::string> names;
  for (const auto segment : split(path, '/')) {
    if (segment.size() > 2 && segment.front() == '{' && segment.back() == '}')
      names.emplace_back(segment.substr(1, segment.size() - 2));
  }
  return names;
}

std::string_view without_slashes(std::string_view path) {
  while (!path.empty() && path.front() == '/') path.remove_prefix(1);
  while (!path.empty() && path.back() == '/') path.remove_suffix(1);
  return path;
}

Value text_object(const Headers& pairs) {
  ObjectBuilder object;
  for (const auto& [name, value] : pairs) object.set(name, value);
  return object.finish();
}

/// Same number of segments, literal segments equal, placeholders decoded (engine.md 2.5).
Result<Value> relative_parameters(std::string_view path_template, std::string_view path) {
  const auto refused = [] {
    return make_error("TriggerRelativePathNotValid",
                      "The relative path of the request does not match the trigger's 'relativePath'.", {},
                      "Call the address with the path that the trigger names.");
  };
  const auto wanted = split(without_slashes(path_template), '/');
  const auto given = split(without_slashes(path), '/');
  if (wanted.size() != given.size()) return refused();
  ObjectBuilder parameters;
  for (std::size_t i = 0; i < wanted.size(); ++i) {
    const auto segment = decode_percent(given[i]);
    if (!segment) return refused();
    if (wanted[i].size() > 2 && wanted[i].front() == '{' && wanted[i].back() == '}') {
      if (segment->empty()) return refused();
      parameters.set(wanted[i].substr(1, wanted[i].size() - 2), *segment);
    } else if (*segment != wanted[i]) {
      return refused();
    }
  }
  return parameters.finish();
}

}  // namespace

std::string_view header(const Headers& headers, std::string_view name) {
  for (const auto& [key, value] : headers) {
    if (equal_ignoring_case(key, name)) return value;
  }
  return {};
}

Result<CallbackTarget> read_target(std::string_view path, std::string_view query) {
  constexpr std::string_view prefix = "/powerautomate/automations/direct";
  if (path.substr(0, prefix.size()) == prefix) path.remove_prefix(prefix.size());
  if (path.empty() || path.front() != '/') return no_such_workflow();
  const auto segments = split(path.substr(1), '/');
  CallbackTarget target;
  std::size_t next = 0;
  const auto take = [&](std::string_view word) {
    if (next >= segments.size() || segments[next] != word) return false;
    ++next;
    return true;
  };
  const auto take_text = [&](std::string& text) {
    if (next >= segments.size()) return false;
    auto decoded = decode_percent(segments[next]);
    if (!decoded || decoded->empty()) return false;
    text = std::move(*decoded);
    ++next;
    return true;
  };
  if (!take("workflows") || !take_text(target.workflow_id) || !is_workflow_id(target.workflow_id))
    return no_such_workflow();
  if (take("versions") && !take_text(target.version)) return no_such_workflow();
  if (!take("triggers") || !take_text(target.trigger)) return no_such_workflow();
  take("paths");
  if (!take("invoke")) return no_such_workflow();
  for (; next < segments.size(); ++next) {
    if (!target.relative_path.empty()) target.relative_path.push_back('/');
    target.relative_path.append(segments[next]);
  }
  auto given = read_signed_query(query);
  if (!given) return given.error();
  target.api_version = std::move(given->api_version);
  target.sp = std::move(given->sp);
  target.sv = std::move(given->sv);
  target.sig = std::move(given->sig);
  target.se = std::move(given->se);
  target.queries = std::move(given->others);
  return target;
}

CallbackAddress make_address(std::string_view base_url, const definition::Flow& flow, std::string_view key,
                             Timestamp not_after) {
  CallbackAddress address;
  const auto method = flow.trigger.inputs.source().text_of("method");
  address.method = method.empty() ? "POST" : std::string(method);
  std::transform(address.method.begin(), address.method.end(), address.method.begin(),
                 [](char c) { return c >= 'a' && c <= 'z' ? static_cast<char>(c - ('a' - 'A')) : c; });
  address.relative_path = without_slashes(flow.trigger.inputs.source().text_of("relativePath"));
  address.relative_path_parameters = parameters_of(address.relative_path);
  address.api_version = api_version_default;
  address.sp = "/triggers/" + flow.trigger.name + "/run";
  address.sv = "1.0";
  if (not_after.is_set()) address.se = to_string(not_after);
  address.sig = signature(key, flow.workflow_id, address.sp, address.sv, address.se);
  address.base_path =
      std::string(base_url) + "/workflows/" + flow.workflow_id + "/triggers/" + encode_percent(flow.trigger.name);
  address.value = address.base_path + "/paths/invoke";
  if (!address.relative_path.empty()) address.value += "/" + address.relative_path;
  address.value += "?api-version=" + address.api_version + "&sp=" + encode_percent(address.sp) + "&sv=" + address.sv +
                   "&sig=" + address.sig;
  if (!address.se.empty()) address.value += "&se=" + encode_percent(address.se);
  return address;
}

Result<void> verify(const CallbackTarget& target, const Headers& headers, std::string_view primary,
                    std::string_view secondary, Timestamp now) {
  if (target.sig.empty() || !header(headers, "authorization").empty()) {
    return make_error(
        "DirectApiAuthorizationRequired", "The request must be authenticated only by Shared Access scheme.", {},
        "Call the whole address as the trigger shows it, with sp, sv and sig, and without an Authorization header.");
  }
  const auto refused =
      make_error("DirectApiInvalidAuthorizationSignature", "The provided authorization signature is not valid.", {},
                 "Copy the address from the trigger again; its key may have been regenerated, or it has expired.");
  const auto path = "/triggers/" + target.trigger + "/run";
  const auto wanted = target.version.empty() ? path : "/versions/" + target.version + path;
  const bool is_signed =
      is_signed_by_either(target.sig, primary, secondary, target.workflow_id, target.sp, target.sv, target.se);
  if (!is_signed || target.sp != wanted || target.sv != "1.0") return refused;
  if (!target.se.empty()) {
    const auto expiry = parse_timestamp(target.se);
    if (!expiry || *expiry <= now) return refused;
  }
  return {};
}

Result<std::optional<Value>> decode_body(std::string_view content_type, std::string_view body) {
  if (body.empty()) return std::optional<Value>();
  const auto media = media_type(content_type);
  if (media == "application/json" || media.ends_with("+json")) {
    auto value = json::parse(body);
    if (!value) return value.error();
    return std::optional<Value>(std::move(*value));
  }
  if (media.starts_with("text/") && is_utf8(body)) return std::optional<Value>(Value(body));
  ObjectBuilder content;
  content.add("$content-type", content_type.empty() ? Value("application/octet-stream") : Value(content_type));
  content.add("$content", Value(encode_base64(body)));
  if (media == "application/x-www-form-urlencoded") {
    content.add("$formdata", read_form(body));
  } else if (media.starts_with("multipart/")) {
    auto parts = read_multipart(content_type, body);
    if (!parts) return parts.error();
    content.add("$multipart", std::move(*parts));
  }
  return std::optional<Value>(content.finish());
}

Result<Value> make_outputs(const definition::Flow& flow, const CallbackTarget& target, const CallbackRequest& request,
                           const SchemaCheck& check) {
  const auto& inputs = flow.trigger.inputs.source();
  const auto method = inputs.text_of("method");
  if (!method.empty() && !equal_ignoring_case(method, request.method)) {
    return make_error(
        "TriggerRequestMethodNotValid",
        "The HTTP method '" + request.method + "' is not the trigger's method '" + std::string(method) + "'.", {},
        "Call the address with that method.");
  }
  ObjectBuilder outputs;
  Headers visible;
  for (const auto& pair : request.headers) {
    if (!equal_ignoring_case(pair.first, "authorization")) visible.push_back(pair);
  }
  outputs.add("headers", text_object(visible));
  if (!target.queries.empty()) outputs.add("queries", text_object(target.queries));
  const auto path = inputs.text_of("relativePath");
  if (!without_slashes(path).empty()) {
    auto parameters = relative_parameters(path, target.relative_path);
    if (!parameters) return parameters.error();
    if (parameters->size() > 0) outputs.add("relativePathParameters", std::move(*parameters));
  } else if (!target.relative_path.empty()) {
    return make_error("TriggerRelativePathNotValid", "The trigger has no 'relativePath', but the request names one.",
                      {}, "Call the address as the trigger shows it.");
  }
  auto body = decode_body(header(request.headers, "content-type"), request.body);
  if (!body) return body.error();
  if (flow.trigger.schema_validation && check) {
    const auto* schema = inputs.find("schema");
    if (schema != nullptr && schema->is_object() && schema->size() > 0) {
      const auto findings = check(*schema, *body ? **body : Value());
      if (!findings.empty()) {
        std::string details;
        for (const auto& finding : findings) {
          if (!details.empty()) details += ",";
          details += finding;
        }
        return make_error("TriggerInputSchemaMismatch",
                          "The input body for trigger '" + flow.trigger.name +
                              "' of type 'Request' did not match its schema definition. Error details: '" + details +
                              "'.");
      }
    }
  }
  if (*body) outputs.add("body", std::move(**body));
  return outputs.finish();
}

}  // namespace flowmend::trigger
