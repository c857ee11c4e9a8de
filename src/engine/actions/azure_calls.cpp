// Function and ApiManagement name an Azure resource; behind it stands a plain HTTP address (engine.md 3.3).

#include <algorithm>
#include <cctype>
#include <cstdio>

#include "engine/actions/list.h"
#include "json/write.h"

namespace flowmend::engine {

using definition::ActionType;

namespace {

/// The segment after `name` in a resource id: `.../sites/SITE/functions/FUNCTION`.
std::string_view segment_after(std::string_view id, std::string_view name) {
  while (!id.empty()) {
    if (id.front() == '/') id.remove_prefix(1);
    const auto segment = id.substr(0, id.find('/'));
    id.remove_prefix(std::min(id.size(), segment.size()));
    const bool same = segment.size() == name.size() &&
                      std::equal(segment.begin(), segment.end(), name.begin(),
                                 [](unsigned char a, unsigned char b) { return std::tolower(a) == std::tolower(b); });
    if (!same) continue;
    if (!id.empty()) id.remove_prefix(1);
    return id.substr(0, id.find('/'));
  }
  return {};
}

/// A path template with its `{parameters}` filled in, encoded.
std::string filled(std::string_view path, const Value* parameters) {
  std::string out;
  while (!path.empty()) {
    const auto open = path.find('{');
    out += path.substr(0, open);
    if (open == std::string_view::npos) break;
    const auto close = path.find('}', open);
    if (close == std::string_view::npos) {
      out += path.substr(open);
      break;
    }
    const auto name = path.substr(open + 1, close - open - 1);
    const Value* value = parameters == nullptr ? nullptr : parameters->find_ignoring_case(name);
    if (value == nullptr || value->is_null()) {
      out += path.substr(open, close - open + 1);
    } else {
      const std::string text = value->is_string() ? std::string(value->as_string()) : json::write(*value);
      for (const char c : text) {
        const auto byte = static_cast<unsigned char>(c);
        const bool plain = std::isalnum(byte) != 0 || c == '-' || c == '_' || c == '.' || c == '~';
        char digits[4];
        std::snprintf(digits, sizeof digits, "%%%02X", byte);
        out += plain ? std::string(1, c) : std::string(digits);
      }
    }
    path.remove_prefix(close + 1);
  }
  return out;
}

}  // namespace

Value plain_http_inputs(const definition::Action& action, const Value& inputs, const Value& sealed) {
  if (action.type != ActionType::function && action.type != ActionType::api_management) return inputs;
  json::ObjectBuilder call;
  for (const auto& member : inputs.is_object() ? inputs.as_object() : Value::empty_object().as_object()) {
    for (const std::string_view kept : {"method", "headers", "queries", "body", "cookie"}) {
      if (member.name() == kept) call.add(member.key, member.value);
    }
  }
  if (inputs.find_ignoring_case("method") == nullptr) call.add("method", "POST");
  std::string uri;
  if (action.type == ActionType::function) {
    const Value* function = inputs.find_ignoring_case("function");
    const auto id = function == nullptr ? std::string_view() : function->text_of("id");
    const auto site = segment_after(id, "sites");
    const auto name = segment_after(id, "functions");
    if (function != nullptr) uri = std::string(function->text_of("uri", function->text_of("triggerUrl")));
    if (uri.empty() && !site.empty() && !name.empty())
      uri = "https://" + std::string(site) + ".azurewebsites.net/api/" + std::string(name);
  } else {
    const Value* api = inputs.find_ignoring_case("api");
    const Value* path = inputs.find_ignoring_case("pathTemplate");
    const auto service = segment_after(api == nullptr ? std::string_view() : api->text_of("id"), "service");
    std::string base(api == nullptr ? std::string_view() : api->text_of("uri"));
    if (base.empty() && !service.empty()) base = "https://" + std::string(service) + ".azure-api.net";
    const std::string below =
        path == nullptr ? std::string() : filled(path->text_of("template"), path->find_ignoring_case("parameters"));
    if (!base.empty()) uri = base + (below.starts_with('/') ? "" : "/") + below;
    if (const Value* key = sealed.find("subscriptionKey"); key != nullptr && !key->is_null()) {
      const Value* headers = inputs.find_ignoring_case("headers");
      json::ObjectBuilder with(headers != nullptr && headers->is_object() ? *headers : Value::empty_object());
      with.set("Ocp-Apim-Subscription-Key", *key);
      call.set("headers", with.finish());
    }
  }
  call.set("uri", Value(uri));
  return call.finish();
}

}  // namespace flowmend::engine
