#include "connector/oauth.h"

#include <algorithm>

#include <sodium.h>

#include "connector/mask.h"
#include "connector/text.h"
#include "json/parse.h"

namespace flowmend::connector {
namespace {

constexpr Duration usual_lifetime = Duration::seconds(3600);
constexpr Duration lifetime_max = Duration::days(3650);
constexpr Duration token_timeout = Duration::seconds(20);

std::string base64_url(const unsigned char* bytes, std::size_t size) {
  std::string out(sodium_base64_ENCODED_LEN(size, sodium_base64_VARIANT_URLSAFE_NO_PADDING), '\0');
  sodium_bin2base64(out.data(), out.size(), bytes, size, sodium_base64_VARIANT_URLSAFE_NO_PADDING);
  out.pop_back();
  return out;
}

/// What vendors leave in their files where the real id is not for the public.
bool is_placeholder(std::string_view text) {
  if (text.find_first_of("{}[]<> ") != std::string_view::npos) return true;
  return std::all_of(text.begin(), text.end(),
                     [](char c) { return c == 'x' || c == 'X' || c == '0' || c == '-' || c == '*' || c == '.'; }) ||
         contains_ignoring_case(text, "your") || contains_ignoring_case(text, "placeholder");
}

std::string custom(const Value& settings, std::string_view name) {
  const Value* parameters = settings.find_ignoring_case("customParameters");
  const Value* parameter = parameters == nullptr ? nullptr : parameters->find_ignoring_case(name);
  if (parameter == nullptr) return {};
  const Value* value = parameter->is_object() ? parameter->find_ignoring_case("value") : parameter;
  return value == nullptr ? std::string() : std::string(trim(text_of_value(*value)));
}

std::string text_of(const Value& settings, std::string_view name) {
  const Value* value = settings.find_ignoring_case(name);
  return value != nullptr && value->is_string() ? std::string(trim(value->as_string())) : std::string();
}

std::string joined_scopes(const Value& settings, const std::string& delimiter) {
  const Value* scopes = settings.find_ignoring_case("scopes");
  if (scopes == nullptr) return {};
  if (scopes->is_string()) return std::string(trim(scopes->as_string()));
  std::string out;
  if (!scopes->is_array()) return out;
  for (const Value& scope : scopes->as_array()) {
    const std::string text(trim(text_of_value(scope)));
    if (!text.empty()) out += (out.empty() ? "" : delimiter) + text;
  }
  return out;
}

/// The settings of the parameter in apiProperties.json; null when the field came out of the swagger alone.
const Value* written_settings(const Connector& connector, const std::string& parameter) {
  const Value* inner = connector.properties.find("properties");
  const Value& properties = inner != nullptr && inner->is_object() ? *inner : connector.properties;
  const auto in = [&](const Value* parameters) -> const Value* {
    const Value* one = parameters == nullptr ? nullptr : parameters->find_ignoring_case(parameter);
    return one == nullptr ? nullptr : one->find_ignoring_case("oAuthSettings");
  };
  if (const Value* sets = properties.find("connectionParameterSets")) {
    const Value* values = sets->find("values");
    if (values != nullptr && values->is_array()) {
      for (const Value& set : values->as_array()) {
        if (set.text_of("name") != connector.parameter_set) continue;
        if (const Value* found = in(set.find("parameters"))) return found;
      }
    }
  }
  return in(properties.find("connectionParameters"));
}

void read_active_directory(const Value& written, OAuthSettings& settings) {
  std::string login = custom(written, "loginUri");
  if (login.empty() || contains_ignoring_case(login, "login.windows.net")) login = "https://login.microsoftonline.com";
  while (login.ends_with('/')) login.pop_back();
  std::string tenant = custom(written, "tenantId");
  if (tenant.empty()) tenant = "common";
  const std::string base = login + "/" + tenant + "/oauth2/v2.0/";
  settings.authorization_url = base + "authorize";
  settings.token_url = base + "token";
  settings.device_url = base + "devicecode";
  std::string resource = custom(written, "resourceUri");
  while (resource.ends_with('/')) resource.pop_back();
  if (!resource.empty() && !is_placeholder(resource)) settings.scopes = resource + "/.default offline_access";
}

void read_written(const Value& written, OAuthSettings& settings) {
  settings.provider = lower_case(text_of(written, "identityProvider"));
  settings.client_id = text_of(written, "clientId");
  settings.client_secret = text_of(written, "clientSecret");
  std::string delimiter = custom(written, "scopeListDelimiter");
  settings.scopes = joined_scopes(written, delimiter.empty() ? " " : delimiter);
  if (settings.provider == "aad" || settings.provider == "aadcertificate") {
    read_active_directory(written, settings);
  } else if (settings.provider == "oauth2generic") {
    settings.authorization_url = custom(written, "authorizationUrlTemplate");
    settings.authorization_query = custom(written, "authorizationUrlQueryStringTemplate");
    settings.token_url = custom(written, "tokenUrlTemplate");
    settings.token_query = custom(written, "tokenUrlQueryStringTemplate");
    settings.token_body = custom(written, "tokenBodyTemplate");
    settings.refresh_url = custom(written, "refreshUrlTemplate");
    settings.refresh_query = custom(written, "refreshUrlQueryStringTemplate");
    settings.refresh_body = custom(written, "refreshBodyTemplate");
  } else {
    settings.authorization_url = custom(written, "authorizationUrl");
    settings.token_url = custom(written, "tokenUrl");
    settings.refresh_url = custom(written, "refreshUrl");
  }
  if (settings.device_url.empty()) settings.device_url = custom(written, "deviceAuthorizationUrl");
}

/// The definition in the swagger fills what apiProperties.json leaves open.
void read_definition(const Connector& connector, OAuthSettings& settings) {
  const Value* definitions = connector.swagger.find("securityDefinitions");
  if (definitions == nullptr || !definitions->is_object()) return;
  for (const json::Member& member : definitions->as_object()) {
    if (!equals_ignoring_case(member.value.text_of("type"), "oauth2")) continue;
    if (settings.authorization_url.empty()) settings.authorization_url = member.value.text_of("authorizationUrl");
    if (settings.token_url.empty()) settings.token_url = member.value.text_of("tokenUrl");
    const Value* scopes = member.value.find("scopes");
    if (settings.scopes.empty() && scopes != nullptr && scopes->is_object()) {
      for (const json::Member& scope : scopes->as_object())
        settings.scopes += (settings.scopes.empty() ? "" : " ") + std::string(scope.name());
    }
    return;
  }
}

void read_entered(const Value& entered, OAuthSettings& settings) {
  const auto take = [&](std::string_view name, std::string& into) {
    if (std::string text = text_of(entered, name); !text.empty()) into = std::move(text);
  };
  take("clientId", settings.client_id);
  take("clientSecret", settings.client_secret);
  take("scopes", settings.scopes);
  take("authorizationUrl", settings.authorization_url);
  take("tokenUrl", settings.token_url);
  take("refreshUrl", settings.refresh_url);
  take("deviceUrl", settings.device_url);
  const auto flag = [&](std::string_view name, bool& into) {
    const Value* value = entered.find(name);
    if (value != nullptr && value->is_boolean()) into = value->as_boolean();
  };
  flag("proofKey", settings.proof_key);
  flag("basicClient", settings.basic_client);
}

/// Fills `{Name}` in a template: the exchange's own words, else fields of the connection. `encode`: percent-encoded.
Result<std::string> fill(std::string_view text, const OAuthSettings& settings, const OAuthExchange& exchange,
                         const Value& fields, bool encode) {
  const auto known = [&](std::string_view name) -> std::optional<std::string> {
    const auto is = [&](std::string_view other) { return equals_ignoring_case(name, other); };
    if (is("ClientId")) return settings.client_id;
    if (is("ClientSecret")) return settings.client_secret;
    if (is("RedirectUrl")) return exchange.redirect_url;
    if (is("State")) return exchange.state;
    if (is("Code")) return exchange.code;
    if (is("RefreshToken")) return exchange.refresh_token;
    for (const std::string& full : {std::string(name), settings.parameter + ":" + std::string(name)}) {
      if (const Value* value = fields.find_ignoring_case(full)) return text_of_value(*value);
    }
    if (is("Scopes") || is("Scope")) return settings.scopes;
    return std::nullopt;
  };
  std::string out;
  while (!text.empty()) {
    const std::size_t open = text.find('{');
    out += text.substr(0, open);
    if (open == std::string_view::npos) break;
    const std::size_t close = text.find('}', open);
    if (close == std::string_view::npos) {
      out += text.substr(open);
      break;
    }
    const std::string_view name = text.substr(open + 1, close - open - 1);
    auto value = known(name);
    if (value && (equals_ignoring_case(name, "Scopes") || equals_ignoring_case(name, "Scope")) &&
        value->find('{') != std::string::npos && value->find("{S") == std::string::npos) {
      auto inner = fill(*value, settings, exchange, fields, false);
      if (!inner) return inner.error();
      value = *inner;
    }
    if (!value || (value->empty() && fields.find_ignoring_case(name) != nullptr)) {
      return make_error("SignInFieldMissing",
                        "The sign-in's address needs '" + std::string(name) + "', which the connection does not say.",
                        {}, "Fill in '" + std::string(name) + "' and sign in again.");
    }
    out += encode ? percent_encode(*value) : *value;
    text.remove_prefix(close + 1);
  }
  return Result<std::string>(boost::system::in_place_value, std::move(out));
}

Result<std::string> filled_scopes(const OAuthSettings& settings, const OAuthExchange& exchange, const Value& fields) {
  if (settings.scopes.find('{') == std::string::npos)
    return Result<std::string>(boost::system::in_place_value, settings.scopes);
  return fill(settings.scopes, settings, exchange, fields, false);
}

bool is_web_address(std::string_view url) {
  return (url.starts_with("https://") || url.starts_with("http://")) &&
         std::none_of(url.begin(), url.end(), [](unsigned char c) { return c <= ' ' || c == 0x7f; });
}

Error not_configured(const std::string& what) {
  return make_error("SignInNotConfigured", "This connector can't sign in yet: " + what + " is missing.", {},
                    "An administrator enters it on the connector's page, under Sign-in.");
}

std::string with_query(const std::string& url, std::string_view query) {
  while (!query.empty() && (query.front() == '?' || query.front() == '&')) query.remove_prefix(1);
  if (query.empty()) return url;
  return url + (url.find('?') == std::string::npos ? "?" : "&") + std::string(query);
}

void add_pair(std::string& form, std::string_view name, std::string_view value) {
  if (!form.empty()) form += '&';
  form += percent_encode(name) + "=" + percent_encode(value);
}

Value form_value(std::string_view body) {
  json::ObjectBuilder out;
  while (!body.empty()) {
    const std::string_view pair = body.substr(0, body.find('&'));
    const std::size_t equals = pair.find('=');
    if (equals != std::string_view::npos)
      out.set(http::percent_decode(pair.substr(0, equals), true),
              Value(http::percent_decode(pair.substr(equals + 1), true)));
    body.remove_prefix(std::min(body.size(), pair.size() + 1));
  }
  return out.finish();
}

}  // namespace

std::string OAuthSettings::missing(std::string_view grant) const {
  if (client_id.empty()) return "the client id";
  if (token_url.empty()) return "the token address";
  if (grant == grant_code && authorization_url.empty()) return "the authorization address";
  if (grant == grant_client && client_secret.empty()) return "the client secret";
  if (grant == grant_device && device_url.empty()) return "the device authorization address";
  return {};
}

std::optional<OAuthSettings> oauth_settings(const Connector& connector, const Value& entered) {
  const auto parameter =
      std::find_if(connector.connection_parameters.begin(), connector.connection_parameters.end(),
                   [](const ConnectionParameter& one) { return one.kind == ConnectionParameter::Kind::oauth; });
  if (parameter == connector.connection_parameters.end()) return std::nullopt;
  OAuthSettings settings;
  settings.parameter = parameter->name;
  settings.provider = "oauth2";
  if (const Value* written = written_settings(connector, parameter->name)) read_written(*written, settings);
  read_definition(connector, settings);
  if (is_placeholder(settings.client_id)) settings.client_id.clear();
  if (is_placeholder(settings.client_secret)) settings.client_secret.clear();
  if (entered.is_object()) read_entered(entered, settings);
  return settings;
}

Result<std::string> authorization_address(const OAuthSettings& settings, const OAuthExchange& exchange,
                                          const Value& fields) {
  if (const std::string missing = settings.missing(grant_code); !missing.empty()) return not_configured(missing);
  auto url = fill(settings.authorization_url, settings, exchange, fields, false);
  if (!url) return url.error();
  std::string query;
  if (!settings.authorization_query.empty()) {
    auto filled = fill(settings.authorization_query, settings, exchange, fields, true);
    if (!filled) return filled.error();
    query = *filled;
    if (query.find("state=") == std::string::npos) add_pair(query, "state", exchange.state);
  } else {
    const auto scopes = filled_scopes(settings, exchange, fields);
    if (!scopes) return scopes.error();
    add_pair(query, "response_type", "code");
    add_pair(query, "client_id", settings.client_id);
    add_pair(query, "redirect_uri", exchange.redirect_url);
    if (!scopes->empty()) add_pair(query, "scope", *scopes);
    add_pair(query, "state", exchange.state);
    if (contains_ignoring_case(" " + *scopes + " ", " offline_access ") && settings.provider == "oauth2")
      add_pair(query, "prompt", "consent");  // OpenID Connect gives no refresh token without it
    if (settings.proof_key) {
      add_pair(query, "code_challenge", proof_key_challenge(exchange.verifier));
      add_pair(query, "code_challenge_method", "S256");
    }
  }
  std::string address = with_query(*url, query);
  if (!is_web_address(address)) {
    return make_error("InvalidUri", "The connector's authorization address is not a valid http or https address.", {},
                      "Correct it on the connector's page, under Sign-in.");
  }
  return Result<std::string>(boost::system::in_place_value, std::move(address));
}

Result<http::Request> token_request(const OAuthSettings& settings, TokenPurpose purpose, const OAuthExchange& exchange,
                                    const Value& fields) {
  const std::string_view grant = purpose == TokenPurpose::client         ? grant_client
                                 : purpose == TokenPurpose::device_start ? grant_device
                                                                         : std::string_view();
  if (const std::string missing = settings.missing(grant); !missing.empty()) return not_configured(missing);
  const bool refresh = purpose == TokenPurpose::refresh;
  const bool code = purpose == TokenPurpose::code;
  const std::string& address = purpose == TokenPurpose::device_start      ? settings.device_url
                               : refresh && !settings.refresh_url.empty() ? settings.refresh_url
                                                                          : settings.token_url;
  auto url = fill(address, settings, exchange, fields, false);
  if (!url) return url.error();
  http::Request request;
  request.method = "POST";
  request.timeout = token_timeout;
  request.reply_bytes_max = 1u << 20;
  request.headers.push_back({"Content-Type", "application/x-www-form-urlencoded"});
  request.headers.push_back({"Accept", "application/json"});
  const std::string& query = code ? settings.token_query : settings.refresh_query;
  if ((code || refresh) && !query.empty()) {
    auto filled = fill(query, settings, exchange, fields, true);
    if (!filled) return filled.error();
    *url = with_query(*url, *filled);
  }
  const std::string& body = code ? settings.token_body : settings.refresh_body;
  bool with_client = true;
  if ((code || refresh) && !body.empty()) {
    auto filled = fill(body, settings, exchange, fields, true);
    if (!filled) return filled.error();
    request.body = *filled;
    with_client = false;
    if (code && settings.proof_key && settings.authorization_query.empty())
      add_pair(request.body, "code_verifier", exchange.verifier);
  } else {
    const auto scopes = filled_scopes(settings, exchange, fields);
    if (!scopes) return scopes.error();
    switch (purpose) {
      case TokenPurpose::code:
        add_pair(request.body, "grant_type", "authorization_code");
        add_pair(request.body, "code", exchange.code);
        add_pair(request.body, "redirect_uri", exchange.redirect_url);
        if (settings.proof_key && settings.authorization_query.empty())
          add_pair(request.body, "code_verifier", exchange.verifier);
        break;
      case TokenPurpose::refresh:
        add_pair(request.body, "grant_type", "refresh_token");
        add_pair(request.body, "refresh_token", exchange.refresh_token);
        break;
      case TokenPurpose::client:
        add_pair(request.body, "grant_type", "client_credentials");
        if (!scopes->empty()) {
          // A server has no use for a sign-in that outlives it.
          std::string wanted = *scopes;
          if (const auto at = wanted.find("offline_access"); at != std::string::npos) wanted.erase(at, 14);
          if (!trim(wanted).empty()) add_pair(request.body, "scope", trim(wanted));
        }
        break;
      case TokenPurpose::device_start:
        if (!scopes->empty()) add_pair(request.body, "scope", *scopes);
        break;
      case TokenPurpose::device_poll:
        add_pair(request.body, "grant_type", "urn:ietf:params:oauth:grant-type:device_code");
        add_pair(request.body, "device_code", exchange.device_code);
        break;
    }
  }
  if (settings.basic_client) {
    request.headers.push_back({"Authorization", "Basic " + base64_encode(percent_encode(settings.client_id) + ":" +
                                                                         percent_encode(settings.client_secret))});
  } else if (with_client) {
    add_pair(request.body, "client_id", settings.client_id);
    if (!settings.client_secret.empty()) add_pair(request.body, "client_secret", settings.client_secret);
  }
  if (!is_web_address(*url)) {
    return make_error("InvalidUri", "The connector's token address is not a valid http or https address.", {},
                      "Correct it on the connector's page, under Sign-in.");
  }
  request.url = *url;
  return request;
}

TokenAnswer read_token_answer(const http::Reply& reply, const std::vector<std::string>& secrets) {
  TokenAnswer answer;
  if (!reply.error_code.empty()) {
    answer.refusal = {"ServiceUnreachable",
                      "The authorization server could not be asked: " + mask_secrets(reply.error_message, secrets)};
    return answer;
  }
  Value body;
  if (auto parsed = json::parse(reply.body); parsed && parsed->is_object()) {
    body = std::move(*parsed);
  } else {
    body = form_value(reply.body);
  }
  const std::string token(body.text_of("access_token"));
  if (reply.status >= 200 && reply.status < 300 && !token.empty()) {
    TokenSet tokens;
    tokens.access_token = token;
    tokens.refresh_token = body.text_of("refresh_token");
    tokens.lifetime = usual_lifetime;
    if (const Value* expires = body.find("expires_in")) {
      const std::string text = text_of_value(*expires);
      const std::string digits = text.substr(0, text.find('.'));
      if (!digits.empty() && digits.size() < 10 &&
          std::all_of(digits.begin(), digits.end(), [](char c) { return c >= '0' && c <= '9'; }) &&
          std::stoll(digits) > 0)
        tokens.lifetime = std::min(Duration::seconds(std::stoll(digits)), lifetime_max);
    }
    answer.tokens = std::move(tokens);
    return answer;
  }
  std::string code(body.text_of("error"));
  std::string words(body.text_of("error_description"));
  if (const Value* nested = body.find("error"); nested != nullptr && nested->is_object()) {
    code = nested->text_of("code");
    words = nested->text_of("message");
  }
  answer.refusal.code =
      code.empty() ? "HTTP" + std::to_string(reply.status) : mask_secrets(code.substr(0, 200), secrets);
  answer.refusal.message = "The authorization server answered " + std::to_string(reply.status);
  if (!code.empty()) answer.refusal.message += " (" + answer.refusal.code + ")";
  answer.refusal.message +=
      words.empty() ? std::string(".") : ": " + mask_secrets(std::string_view(words).substr(0, 1000), secrets);
  answer.refusal.final = reply.status == 400 || reply.status == 401 || reply.status == 403;
  return answer;
}

std::string random_token() {
  unsigned char raw[32];
  randombytes_buf(raw, sizeof raw);
  return base64_url(raw, sizeof raw);
}

std::string proof_key_challenge(std::string_view verifier) {
  unsigned char digest[crypto_hash_sha256_BYTES];
  crypto_hash_sha256(digest, reinterpret_cast<const unsigned char*>(verifier.data()), verifier.size());
  return base64_url(digest, sizeof digest);
}

}  // namespace flowmend::connector
