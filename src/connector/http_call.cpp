#include "connector/http_call.h"

#include <algorithm>
#include <array>

#include "connector/http_sign_in.h"
#include "connector/mask.h"
#include "connector/pkcs12.h"
#include "connector/text.h"

namespace flowmend::connector {
namespace {

/// Headers that belong to the sender, not to the flow (engine.md 3.2): dropped in silence, as the real service does.
bool is_dropped(std::string_view name) {
  static constexpr std::array<std::string_view, 10> dropped = {
      "allow",      "cookie",     "expires", "host", "last-modified", "origin", "transfer-encoding",
      "set-cookie", "connection", "upgrade"};
  const std::string lower = lower_case(name);
  if (lower.starts_with("accept-")) return true;
  if (lower.starts_with("content-")) {
    return lower != "content-disposition" && lower != "content-encoding" && lower != "content-type";
  }
  return std::find(dropped.begin(), dropped.end(), lower) != dropped.end();
}

Error invalid(std::string message, std::string where, std::string cure) {
  return make_error("InvalidHttpInputs", std::move(message), std::move(where), std::move(cure));
}

void set_header(Pairs& headers, const std::string& name, std::string value) {
  for (auto& [known, text] : headers) {
    if (equals_ignoring_case(known, name)) {
      text = std::move(value);
      return;
    }
  }
  headers.emplace_back(name, std::move(value));
}

void add_header(OutgoingRequest& request, std::string_view name, std::string value) {
  if (value.empty() || request.header(name) != nullptr) return;
  if (value.find_first_of(std::string_view("\r\n\0", 3)) != std::string::npos) return;
  request.headers.emplace_back(std::string(name), std::move(value));
}

/// Characters that no URL may hold are encoded, as .NET's Uri does it; what is encoded already stays.
std::string clean_url(std::string_view url) {
  std::string out;
  for (const char c : url) {
    const auto byte = static_cast<unsigned char>(c);
    const bool bad = byte <= 0x20 || byte >= 0x7F || c == '"' || c == '<' || c == '>' || c == '\\' || c == '^' ||
                     c == '`' || c == '{' || c == '|' || c == '}';
    out += bad ? percent_encode(std::string_view(&c, 1)) : std::string(1, c);
  }
  return out;
}

/// ActiveDirectoryOAuth: the token, or the question for it, which then is the request.
Result<void> authenticate_with_token(const Value& authentication, const std::vector<std::string>& asked,
                                     OutgoingRequest& request) {
  if (!asked.empty()) {
    request.secrets.push_back(asked.front());
    set_header(request.headers, "Authorization", "Bearer " + asked.front());
    return {};
  }
  auto question = token_request(authentication, now_from_system_clock());
  if (!question) return question.error();
  request = std::move(*question);
  return {};
}

Result<void> authenticate(const Value& authentication, const std::vector<std::string>& asked,
                          OutgoingRequest& request) {
  if (!authentication.is_object() || authentication.size() == 0) return {};
  const std::string_view type = authentication.text_of("type", "None");
  if (equals_ignoring_case(type, "None")) return {};
  if (equals_ignoring_case(type, "Basic")) {
    const std::string password(authentication.text_of("password"));
    const std::string encoded = base64_encode(std::string(authentication.text_of("username")) + ":" + password);
    request.secrets.push_back(password);
    request.secrets.push_back(encoded);
    set_header(request.headers, "Authorization", "Basic " + encoded);
    return {};
  }
  if (equals_ignoring_case(type, "Raw")) {
    const Value* value = authentication.find("value");
    const std::string text = value == nullptr ? std::string() : text_of_value(*value);
    if (text.find_first_of(std::string_view("\r\n\0", 3)) != std::string::npos) {
      return invalid("The value of the raw authentication holds a line break.", "/inputs/authentication/value",
                     "Remove it, for example with trim().");
    }
    request.secrets.push_back(text);
    set_header(request.headers, "Authorization", text);
    return {};
  }
  if (equals_ignoring_case(type, "ActiveDirectoryOAuth"))
    return authenticate_with_token(authentication, asked, request);
  if (equals_ignoring_case(type, "ClientCertificate")) {
    const Value* pfx = authentication.find_ignoring_case("pfx");
    auto certificate = open_pkcs12(pfx == nullptr ? std::string() : text_of_value(*pfx),
                                   std::string(authentication.text_of("password")));
    if (!certificate) return certificate.error();
    request.certificate = std::make_shared<const Pkcs12>(std::move(*certificate));
    return {};
  }
  if (equals_ignoring_case(type, "ManagedServiceIdentity")) {
    return make_error(
        "AuthenticationTypeUnsupported", "A managed identity is Azure's own: there is none on this server.",
        "/inputs/authentication/type",
        "Register an application at the token server, and use ActiveDirectoryOAuth with its id and secret.");
  }
  return make_error("AuthenticationTypeUnsupported",
                    "The authentication type '" + std::string(type) + "' is none that Flowmend knows.",
                    "/inputs/authentication/type",
                    "Use None, Basic, Raw, ClientCertificate or ActiveDirectoryOAuth, or call the service through a "
                    "connector.");
}

const Value* authentication_of(const engine::Call& call) {
  const Value* authentication = call.sealed.is_null() ? call.inputs.find("authentication") : &call.sealed;
  const Value* inner = authentication == nullptr ? nullptr : authentication->find("authentication");
  return inner == nullptr ? authentication : inner;
}

}  // namespace

std::string token_key(const engine::Call& call) {
  const Value* authentication = call.kind == engine::Call::Kind::http ? authentication_of(call) : nullptr;
  const bool signs_in = authentication != nullptr && authentication->is_object() &&
                        equals_ignoring_case(authentication->text_of("type"), "ActiveDirectoryOAuth");
  return signs_in ? token_key(*authentication) : std::string();
}

Result<OutgoingRequest> build_http_call(const engine::Call& call, std::size_t url_bytes_max,
                                        const std::vector<std::string>& asked) {
  OutgoingRequest request;
  const Value& inputs = call.inputs;
  const Value* method = inputs.find("method");
  request.method = method == nullptr ? std::string() : std::string(trim(text_of_value(*method)));
  for (char& c : request.method) c = c >= 'a' && c <= 'z' ? static_cast<char>(c - 'a' + 'A') : c;
  if (request.method.empty() || request.method.size() > 32 ||
      !std::all_of(request.method.begin(), request.method.end(), [](char c) { return c >= 'A' && c <= 'Z'; })) {
    return invalid("The method '" + request.method + "' is none.", "/inputs/method",
                   "Use GET, POST, PUT, PATCH, DELETE, HEAD or OPTIONS.");
  }
  const Value* uri = inputs.find("uri");
  request.url = uri == nullptr ? std::string() : std::string(trim(text_of_value(*uri)));
  const std::string lower = lower_case(request.url.substr(0, 8));
  if (!lower.starts_with("http://") && !lower.starts_with("https://")) {
    return invalid("The URI '" + mask_url(request.url, {}) + "' is not an absolute http or https address.",
                   "/inputs/uri", "Begin it with https://.");
  }
  if (const Value* queries = inputs.find("queries"); queries != nullptr && queries->is_object()) {
    const std::size_t fragment = request.url.find('#');
    if (fragment != std::string::npos) request.url.resize(fragment);
    char joint = request.url.find('?') == std::string::npos ? '?' : '&';
    for (const json::Member& member : queries->as_object()) {
      if (member.value.is_null()) continue;
      request.url += joint + percent_encode(member.name()) + "=" + percent_encode(text_of_value(member.value));
      joint = '&';
    }
  }
  request.url = clean_url(request.url);
  if (request.url.size() > url_bytes_max)
    return invalid("The URI is longer than " + std::to_string(url_bytes_max) + " characters.", "/inputs/uri",
                   "Send the data in the body.");

  if (const Value* headers = inputs.find("headers"); headers != nullptr && headers->is_object()) {
    for (const json::Member& member : headers->as_object()) {
      if (member.value.is_null() || is_dropped(member.name())) continue;
      const std::string text(trim(text_of_value(member.value)));
      if (!http::is_valid_header(member.name(), text)) {
        return invalid("The header '" + std::string(member.name()) + "' holds characters that a header can't.",
                       "/inputs/headers", "Remove line breaks and control characters from its name and value.");
      }
      set_header(request.headers, std::string(member.name()), text);
    }
  }
  if (const Value* cookie = inputs.find("cookie"); cookie != nullptr && cookie->is_string())
    add_header(request, "Cookie", std::string(cookie->as_string()));
  if (const Value* authentication = authentication_of(call)) {
    if (auto placed = authenticate(*authentication, asked, request); !placed) return placed.error();
    if (request.question) return request;
  }
  if (const Value* body = inputs.find("body"); body != nullptr && !body->is_null()) {
    const std::string* type = request.header("Content-Type");
    auto encoded = encode_body(*body, type == nullptr ? std::string_view() : std::string_view(*type));
    if (!encoded) return encoded.error();
    request.has_body = true;
    request.body = std::move(encoded->bytes);
    if (!encoded->content_type.empty()) set_header(request.headers, "Content-Type", encoded->content_type);
  }
  return request;
}

void add_run_headers(const engine::Call& call, const runtime::CallContext& context, OutgoingRequest& request) {
  // What belongs to no run (a trigger's request) has no value for some of them.
  const auto add = [&](std::string_view name, const std::string& value) {
    if (!value.empty()) add_header(request, name, value);
  };
  const bool writes = request.method != "GET" && request.method != "HEAD" && request.method != "OPTIONS";
  if (writes) add("Idempotency-Key", call.idempotency_key);
  if (!call.workflow_headers) return;
  add("x-ms-workflow-run-id", context.run);
  if (context.flow) {
    add("x-ms-workflow-id", context.flow->workflow_id);
    add("x-ms-workflow-name", context.flow->id);
    add("x-ms-workflow-version", context.flow->version);
    add("x-ms-workflow-system-id", "/locations/local/scaleunits/00/workflows/" + context.flow->workflow_id);
  }
  add("x-ms-workflow-run-tracking-id", context.run);
  // An action's name may hold any letter; a header may not.
  add("x-ms-workflow-operation-name",
      is_utf8(context.action) && std::all_of(context.action.begin(), context.action.end(),
                                             [](char c) {
                                               return static_cast<unsigned char>(c) >= 0x20 &&
                                                      static_cast<unsigned char>(c) < 0x7F;
                                             })
          ? context.action
          : percent_encode(context.action));
  if (context.repeat_index >= 0) {
    add("x-ms-workflow-repeatitem-scope-name", context.repeat_scope);
    add("x-ms-workflow-repeatitem-index", std::to_string(context.repeat_index));
  }
  add("x-ms-client-tracking-id", context.client_tracking_id);
  add("x-ms-correlation-id", context.client_tracking_id);
  for (const std::string_view name : {"x-ms-action-tracking-id", "x-ms-tracking-id", "x-ms-client-request-id"})
    add(name, call.tracking_id);
}

OutgoingRequest build_poll(const engine::Call& call, const OutgoingRequest& original) {
  OutgoingRequest request;
  request.method = call.poll_method;
  request.secrets = original.secrets;
  const std::string& uri = call.poll_uri;
  if (uri.find("://") != std::string::npos) {
    request.url = uri;
  } else if (uri.starts_with("//")) {
    request.url = original.url.substr(0, original.url.find("//")) + uri;
  } else {
    const std::string base = original.url.substr(0, original.url.find_first_of("?#"));
    const std::size_t authority_end = std::min(base.find('/', base.find("://") + 3), base.size());
    const std::string folder = base.rfind('/') >= authority_end && base.rfind('/') != std::string::npos
                                   ? base.substr(0, base.rfind('/') + 1)
                                   : base.substr(0, authority_end) + "/";
    request.url = uri.starts_with('/') ? base.substr(0, authority_end) + uri : folder + uri;
  }
  request.url = clean_url(request.url);
  const bool same_origin = origin_of(request.url) == origin_of(original.url);
  if (same_origin) request.certificate = original.certificate;
  for (const auto& [name, value] : original.headers) {
    const std::string lower = lower_case(name);
    if (lower == "content-type" || lower == "idempotency-key") continue;
    if (!same_origin && !lower.starts_with("x-ms-") && lower != "accept") continue;
    request.headers.emplace_back(name, value);
  }
  return request;
}

http::Request to_http(const OutgoingRequest& request, const engine::Call& call) {
  http::Request out;
  out.method = request.method;
  out.url = request.url;
  out.headers.reserve(request.headers.size());
  for (const auto& [name, value] : request.headers) out.headers.push_back({name, value});
  out.body = request.body;
  if (request.certificate) out.certificate = {request.certificate->bytes, request.certificate->password};
  out.decompress = !call.keep_compressed;
  if (call.timeout.ticks > 0) out.timeout = call.timeout;
  return out;
}

engine::AttemptFinished to_outcome(const engine::Call& call, const OutgoingRequest& request, http::Reply reply,
                                   Keep keep) {
  engine::AttemptFinished outcome;
  outcome.place = call.place;
  outcome.attempt = call.attempt;
  outcome.started = reply.started;
  outcome.ended = reply.ended;
  outcome.request = request_record(request.method, request.url, request.headers, request.secrets);
  if (!reply.error_code.empty()) {
    outcome.fault.code = reply.error_code;
    outcome.fault.message = mask_secrets(reply.error_message, request.secrets);
    const std::string host = host_of(request.url);
    if (reply.error_code == "UnresolvableHostName") {
      outcome.fault.message = "The provided host name '" + host + "' could not be resolved.";
    } else if (reply.error_code == "RequestTimeout") {
      outcome.fault.message = "The request to '" + host +
                              "' failed: the server did not respond within the timeout limit of " +
                              to_string(call.timeout) + ".";
    }
    outcome.fault.details = Value::object({{"kind", Value("connectivity")}, {"host", Value(host)}});
    return outcome;
  }
  outcome.status_code = reply.status;
  json::ObjectBuilder headers;
  for (const http::Header& header : reply.headers) {
    // A connector's cookies are between the service and us.
    if (call.kind == engine::Call::Kind::connector && equals_ignoring_case(header.name, "Set-Cookie")) continue;
    std::string value = header.value;
    if (!is_utf8(value)) value = utf8_of_windows_1252(value);
    std::string joined;
    bool seen = false;
    for (const http::Header& other : reply.headers) {
      if (!equals_ignoring_case(other.name, header.name)) continue;
      if (&other == &header) break;
      seen = true;
    }
    if (seen) continue;
    for (const http::Header& other : reply.headers) {
      if (!equals_ignoring_case(other.name, header.name)) continue;
      joined += (joined.empty() ? "" : ",") + (is_utf8(other.value) ? other.value : utf8_of_windows_1252(other.value));
    }
    headers.add(is_utf8(header.name) ? header.name : percent_encode(header.name), Value(joined));
  }
  outcome.headers = headers.finish();
  if (call.keep_compressed && http::has_header(reply.headers, "Content-Encoding")) keep = Keep::bytes;
  Decoded decoded = decode_body(reply.body, http::find_header(reply.headers, "Content-Type"), keep);
  if (decoded.invalid_json && call.kind == engine::Call::Kind::http && reply.status < 400) {
    outcome.status_code = 0;
    outcome.fault.code = "InvalidProtocolResponse";
    outcome.fault.message =
        "The response of '" + host_of(request.url) + "' says that it is JSON, but it can't be read as JSON.";
    outcome.fault.details = Value::object({{"kind", Value("content")},
                                           {"statusCode", Value(reply.status)},
                                           {"body", Value(decoded.body.as_string().substr(0, 500))}});
    outcome.headers = Value();
    return outcome;
  }
  outcome.body = std::move(decoded.body);
  outcome.has_body = decoded.has_body;
  return outcome;
}

engine::AttemptFinished refused(const engine::Call& call, const Error& error, Timestamp now, Value details) {
  engine::AttemptFinished outcome;
  outcome.place = call.place;
  outcome.attempt = call.attempt;
  outcome.started = now;
  outcome.ended = now;
  outcome.fault.code = error.code;
  outcome.fault.message = error.message;
  json::ObjectBuilder builder;
  if (details.is_object()) builder = json::ObjectBuilder(details);
  if (builder.size() == 0) builder.add("kind", "inputs");
  if (!error.where.empty()) builder.add("where", Value(error.where));
  if (!error.cure.empty()) builder.add("cure", Value(error.cure));
  outcome.fault.details = builder.finish();
  return outcome;
}

}  // namespace flowmend::connector
