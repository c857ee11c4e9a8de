#include "connector/credentials.h"

#include <algorithm>

#include "connector/text.h"

namespace flowmend::connector {
namespace {

std::string field(const Value& fields, std::string_view name) {
  const Value* value = fields.find_ignoring_case(name);
  return value == nullptr ? std::string() : text_of_value(*value);
}

const ConnectionParameter* find_parameter(const Connector& connector, std::string_view name) {
  for (const ConnectionParameter& parameter : connector.connection_parameters) {
    if (equals_ignoring_case(parameter.name, name)) return &parameter;
  }
  return nullptr;
}

/// The API key's field: `api_key`, else one called like the definition, else the only secret.
std::string key_value(const Connector& connector, const SecurityDefinition& definition, const Value& fields) {
  for (const std::string_view name :
       {std::string_view("api_key"), std::string_view(definition.name), std::string_view(definition.id)}) {
    if (find_parameter(connector, name) != nullptr) return field(fields, name);
  }
  const ConnectionParameter* only = nullptr;
  for (const ConnectionParameter& parameter : connector.connection_parameters) {
    if (!is_secret(parameter)) continue;
    if (only != nullptr) return {};
    only = &parameter;
  }
  return only == nullptr ? std::string() : field(fields, only->name);
}

bool breaks_line(std::string_view text) {
  return text.find_first_of(std::string_view("\r\n\0", 3)) != std::string_view::npos;
}

}  // namespace

std::string_view kind_name(ConnectionKind kind) {
  switch (kind) {
    case ConnectionKind::none: return "none";
    case ConnectionKind::api_key: return "apiKey";
    case ConnectionKind::basic: return "basic";
    case ConnectionKind::bearer: return "bearer";
  }
  return "none";
}

bool is_secret(const ConnectionParameter& parameter) {
  return parameter.kind == ConnectionParameter::Kind::secure_string ||
         parameter.kind == ConnectionParameter::Kind::oauth;
}

Value clear_fields_of(const Connector& connector, const Value& fields) {
  json::ObjectBuilder out;
  for (const ConnectionParameter& parameter : connector.connection_parameters) {
    const Value* value = fields.find_ignoring_case(parameter.name);
    if (value != nullptr && !is_secret(parameter)) out.add(parameter.name, *value);
  }
  return out.finish();
}

ConnectionKind kind_of(const Connector& connector) {
  if (connector.connection_parameters.empty()) return ConnectionKind::none;
  for (const ConnectionParameter& parameter : connector.connection_parameters) {
    if (parameter.kind == ConnectionParameter::Kind::oauth) return ConnectionKind::bearer;
  }
  for (const SecurityDefinition& definition : connector.security_definitions) {
    if (definition.kind == SecurityDefinition::Kind::basic) return ConnectionKind::basic;
  }
  const bool secret =
      std::any_of(connector.connection_parameters.begin(), connector.connection_parameters.end(), is_secret);
  return secret || !connector.security_definitions.empty() ? ConnectionKind::api_key : ConnectionKind::none;
}

std::vector<std::string> secrets_of(const Connector& connector, const Value& fields) {
  std::vector<std::string> secrets;
  for (const ConnectionParameter& parameter : connector.connection_parameters) {
    std::string text = is_secret(parameter) ? field(fields, parameter.name) : std::string();
    if (!text.empty()) secrets.push_back(std::move(text));
  }
  return secrets;
}

PlacedCredential place_credential(const Connector& connector, const Operation& operation, const Value& fields) {
  PlacedCredential placed;
  placed.secrets = secrets_of(connector, fields);
  if (operation.security_off) return placed;
  const auto header = [&](std::string name, std::string value) {
    if (breaks_line(value) || breaks_line(name)) return;
    placed.secrets.push_back(value);
    placed.headers.emplace_back(std::move(name), std::move(value));
  };
  for (const ConnectionParameter& parameter : connector.connection_parameters) {
    if (parameter.kind != ConnectionParameter::Kind::oauth) continue;
    if (std::string token = field(fields, parameter.name); !token.empty()) header("Authorization", "Bearer " + token);
    return placed;
  }
  const std::vector<std::string>& wanted = operation.security.empty() ? connector.security : operation.security;
  const auto applies = [&](const SecurityDefinition& definition) {
    const bool named = std::find(wanted.begin(), wanted.end(), definition.id) != wanted.end();
    // A requirement that names nothing known says nothing: then whatever has a value is sent.
    const bool any_known = std::any_of(
        connector.security_definitions.begin(), connector.security_definitions.end(),
        [&](const auto& known) { return std::find(wanted.begin(), wanted.end(), known.id) != wanted.end(); });
    return named || !any_known;
  };
  for (const SecurityDefinition& definition : connector.security_definitions) {
    if (!applies(definition)) continue;
    switch (definition.kind) {
      case SecurityDefinition::Kind::api_key_header:
        if (std::string key = key_value(connector, definition, fields); !key.empty())
          header(definition.name, std::move(key));
        break;
      case SecurityDefinition::Kind::api_key_query:
        if (std::string key = key_value(connector, definition, fields); !key.empty()) {
          placed.secrets.push_back(key);
          placed.query.emplace_back(definition.name, std::move(key));
        }
        break;
      case SecurityDefinition::Kind::basic: {
        const std::string user = field(fields, "username");
        const std::string password = field(fields, "password");
        if (!user.empty() || !password.empty()) {
          std::string encoded = base64_encode(user + ":" + password);
          placed.secrets.push_back(encoded);
          header("Authorization", "Basic " + encoded);
        }
        break;
      }
      case SecurityDefinition::Kind::oauth2: break;  // needs a sign-in parameter, handled above
    }
  }
  return placed;
}

}  // namespace flowmend::connector
