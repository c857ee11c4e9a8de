#include "connector/openapi3.h"

#include <algorithm>
#include <array>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "connector/document.h"
#include "connector/text.h"
#include "json/pointer.h"

namespace flowmend::connector {
namespace {

constexpr std::array<std::string_view, 7> methods = {"get", "post", "put", "patch", "delete", "head", "options"};
/// What is written alike in both versions, on a parameter, header or schema.
constexpr std::array<std::string_view, 14> shared_keywords = {
    "format",    "enum",      "default", "maximum",  "exclusiveMaximum", "minimum",     "exclusiveMinimum",
    "maxLength", "minLength", "pattern", "maxItems", "minItems",         "uniqueItems", "multipleOf"};

bool is_extension(std::string_view name) { return name.starts_with("x-"); }

bool is_true(const Value* value) { return value != nullptr && value->is_boolean() && value->as_boolean(); }

/// `#/components/schemas/Order` as 2.0 writes it; anything else as it is.
std::string moved_reference(std::string_view reference) {
  constexpr std::array<std::pair<std::string_view, std::string_view>, 3> places = {{
      {"#/components/schemas/", "#/definitions/"},
      {"#/components/parameters/", "#/parameters/"},
      {"#/components/responses/", "#/responses/"},
  }};
  for (const auto& [from, to] : places) {
    if (reference.starts_with(from)) return std::string(to) + std::string(reference.substr(from.size()));
  }
  return std::string(reference);
}

bool is_json_type(std::string_view type) {
  const std::string plain = lower_case(trim(type.substr(0, type.find(';'))));
  return plain == "application/json" || plain == "text/json" || plain.ends_with("+json");
}

bool is_form_type(std::string_view type) {
  return contains_ignoring_case(type, "multipart/form-data") ||
         contains_ignoring_case(type, "application/x-www-form-urlencoded");
}

class Converter {
 public:
  Converter(const Value& document, Diagnostics& diagnostics) : document_(document), diagnostics_(diagnostics) {}

  Value convert();

 private:
  void warn(std::string pointer, std::string message, std::string cure) {
    constexpr std::size_t most = 200;  // a document of one mistake repeated need not say it more often
    if (++warnings_ > most) return;
    diagnostics_.push_back(
        {std::move(pointer), Severity::warning, "ConnectorConversionLoss", std::move(message), std::move(cure)});
  }

  /// Follows `$ref` inside the document, at most 32 times.
  const Value& resolved(const Value& value) const { return resolve_schema(document_, value); }

  void servers(json::ObjectBuilder& out);
  Value schema(const Value& given, const std::string& pointer);
  Value schema_map(const Value& given, const std::string& pointer);
  void put_schema_type(const Value& given, json::ObjectBuilder& out);
  const Value& without_null(const Value& given) const;
  std::string simple_type(const Value& described, std::string_view otherwise) const;
  /// Type and constraints that 2.0 writes on the parameter or header itself.
  void put_simple_schema(const Value& given, json::ObjectBuilder& out, std::string_view collection_format);
  std::optional<Value> parameter(const Value& given, const std::string& pointer);
  Value parameters(const Value& list, const std::string& pointer);
  struct Body {
    std::vector<Value> parameters;
    std::vector<Value> consumes;
  };
  const Body& body(const Value& given, const std::string& pointer);
  Body convert_body(const Value& given, const std::string& pointer);
  void put_form_fields(const Value& form, const std::string& pointer, Body& out);
  Value response(const Value& given, const std::string& pointer, std::vector<Value>& produces);
  Value operation(const Value& given, const std::string& pointer);
  Value path_item(const Value& given, const std::string& pointer);
  Value security_definitions(const Value& schemes);

  const Value& document_;
  Diagnostics& diagnostics_;
  std::size_t warnings_ = 0;
  std::size_t form_fields_left_ = 100'000;
  std::map<std::string, Body, std::less<>> shared_bodies_;
  Body own_body_;
};

void Converter::servers(json::ObjectBuilder& out) {
  const Value* list = document_.find("servers");
  if (list == nullptr || !list->is_array() || list->size() == 0) return;
  if (list->size() > 1) {
    warn("/servers/1", "Only the first server of the document is used.", "Put the server to be called first.");
  }
  const Value& server = list->as_array()[0];
  std::string url(trim(server.text_of("url")));
  if (const Value* variables = server.find("variables"); variables != nullptr && variables->is_object()) {
    for (const json::Member& variable : variables->as_object()) {
      const std::string hole = "{" + std::string(variable.name()) + "}";
      const std::string text(variable.value.text_of("default"));
      const std::size_t at = url.find(hole);
      if (at != std::string::npos) url.replace(at, hole.size(), text);
    }
  }
  std::string path = url;
  if (const std::size_t scheme = url.find("://"); scheme != std::string::npos) {
    const std::string rest = url.substr(scheme + 3);
    const std::size_t slash = rest.find('/');
    out.add("schemes", Value::array({Value(lower_case(url.substr(0, scheme)))}));
    out.add("host", rest.substr(0, slash));
    path = slash == std::string::npos ? std::string() : rest.substr(slash);
  }
  path = path.substr(0, path.find_first_of("?#"));
  if (!path.empty()) out.add("basePath", path);
}

Value Converter::schema_map(const Value& given, const std::string& pointer) {
  json::ObjectBuilder out;
  if (given.is_object()) {
    for (const json::Member& member : given.as_object())
      out.add(member.key, schema(member.value, json::join(pointer, member.name())));
  }
  return out.finish();
}

/// 3.1 writes `["string", "null"]` where 2.0 knows one type and x-nullable.
void Converter::put_schema_type(const Value& given, json::ObjectBuilder& out) {
  const Value* type = given.find("type");
  bool nullable = is_true(given.find("nullable"));
  if (type != nullptr && type->is_string()) out.add("type", *type);
  if (type != nullptr && type->is_array()) {
    std::vector<Value> kinds;
    for (const Value& kind : type->as_array()) {
      if (kind == Value("null")) {
        nullable = true;
      } else {
        kinds.push_back(kind);
      }
    }
    if (kinds.size() == 1) out.add("type", kinds[0]);
  }
  if (nullable) out.add("x-nullable", Value(true));
}

Value Converter::schema(const Value& given, const std::string& pointer) {
  if (!given.is_object()) return Value::empty_object();  // 3.1: `true` allows everything
  json::ObjectBuilder out;
  put_schema_type(given, out);
  for (const json::Member& member : given.as_object()) {
    const std::string_view name = member.name();
    const Value& value = member.value;
    const std::string place = json::join(pointer, name);
    if (name == "type" || name == "nullable" || name == "$defs" || name == "$schema" || name == "$id") continue;
    if (name == "$ref" && value.is_string()) {
      out.add(member.key, Value(moved_reference(value.as_string())));
    } else if (name == "properties") {
      out.add(member.key, schema_map(value, place));
    } else if (name == "items" || (name == "additionalProperties" && value.is_object())) {
      out.add(member.key, schema(value, place));
    } else if (name == "allOf" && value.is_array()) {
      json::ArrayBuilder parts;
      for (std::size_t i = 0; i < value.size(); ++i) parts.push(schema(value.as_array()[i], json::join(place, i)));
      out.add(member.key, parts.finish());
    } else if ((name == "oneOf" || name == "anyOf") && value.is_array()) {
      // A choice between null and one other schema is that schema; 2.0 can say no other choice.
      const Value* only = nullptr;
      std::size_t others = 0;
      for (const Value& branch : value.as_array()) {
        if (branch.text_of("type") == "null") continue;
        only = &branch;
        ++others;
      }
      if (others == 1 && given.find("allOf") == nullptr) {
        out.add("allOf", Value::array({schema(*only, place)}));
      } else if (others > 1) {
        warn(place, "A choice of schemas is not known to connectors; the value is taken as it is given.",
             "Describe the schema that flows use.");
      }
    } else if (name == "discriminator" && value.is_object()) {
      if (const Value* property = value.find("propertyName")) out.add(member.key, *property);
    } else if (name == "const") {
      out.add("enum", Value::array({value}));
    } else if (name == "contentEncoding" || name == "contentMediaType") {
      if (given.find("format") != nullptr) continue;
      out.set("format", value == Value("base64") || given.find("contentEncoding") != nullptr ? "byte" : "binary");
    } else if ((name == "exclusiveMinimum" || name == "exclusiveMaximum") && value.is_number()) {
      out.set(name == "exclusiveMinimum" ? "minimum" : "maximum", value);
      out.add(member.key, Value(true));
    } else if (name == "examples" && value.is_array() && value.size() > 0) {
      if (given.find("example") == nullptr) out.add("example", value.as_array()[0]);
    } else {
      out.add(member.key, value);
    }
  }
  return out.finish();
}

/// The schema itself, or the only one that a choice leaves beside null: how 3.1 says "may be null".
const Value& Converter::without_null(const Value& given) const {
  const Value& target = resolved(given);
  for (const char* name : {"anyOf", "oneOf", "allOf"}) {
    const Value* branches = target.find(name);
    if (branches == nullptr || !branches->is_array() || branches->size() > 4 || target.find("type") != nullptr)
      continue;
    const Value* only = nullptr;
    std::size_t others = 0;
    for (const Value& branch : branches->as_array()) {
      if (branch.text_of("type") == "null") continue;
      only = &branch;
      ++others;
    }
    if (others == 1) return resolved(*only);
  }
  return target;
}

/// One type of 2.0; `otherwise` when the schema names none, or several.
std::string Converter::simple_type(const Value& described, std::string_view otherwise) const {
  if (const Value* type = described.find("type"); type != nullptr && type->is_array()) {
    std::string only;
    for (const Value& kind : type->as_array()) {
      if (!kind.is_string() || kind == Value("null")) continue;
      if (!only.empty()) return std::string(otherwise);
      only = kind.as_string();
    }
    return only.empty() ? std::string(otherwise) : only;
  }
  const std::string type = schema_type(document_, described);
  return type.empty() || type == "null" ? std::string(otherwise) : type;
}

void Converter::put_simple_schema(const Value& given, json::ObjectBuilder& out, std::string_view collection_format) {
  const Value& described = without_null(given);
  const std::string type = simple_type(described, "string");
  out.add("type", type);
  for (const std::string_view name : shared_keywords) {
    const Value* value = described.find(name);
    if (value == nullptr) continue;
    if (name.starts_with("exclusive") && value->is_number()) {  // 3.1: the bound itself
      out.set(name == "exclusiveMinimum" ? "minimum" : "maximum", *value);
      out.add(name, Value(true));
    } else {
      out.add(name, *value);
    }
  }
  if (const Value* only = described.find("const")) out.set("enum", Value::array({*only}));
  // A default may stand beside the choice that holds the schema.
  if (const Value* value = given.find("default"); value != nullptr && described.find("default") == nullptr)
    out.add("default", *value);
  constexpr std::size_t members_max = 100;  // one schema may describe very many parameters
  if (described.is_object() && described.size() <= members_max) {
    for (const json::Member& member : described.as_object()) {
      if (is_extension(member.name())) out.set(member.name(), member.value);
    }
  }
  if (type != "array") return;
  json::ObjectBuilder items;
  const Value* inner = described.find("items");
  const Value* item = inner == nullptr ? nullptr : &without_null(*inner);
  const std::string item_type = item == nullptr ? "string" : simple_type(*item, "string");
  items.add("type", item_type == "array" ? std::string("string") : item_type);
  if (item != nullptr) {
    if (const Value* list = item->find("enum")) items.add("enum", *list);
  }
  out.add("items", items.finish());
  if (!collection_format.empty()) out.add("collectionFormat", collection_format);
}

std::optional<Value> Converter::parameter(const Value& given, const std::string& pointer) {
  if (!given.is_object()) return std::nullopt;
  if (const Value* reference = given.find("$ref"); reference != nullptr && reference->is_string()) {
    if (resolved(given).text_of("in") == "cookie") return std::nullopt;
    return Value::object({{"$ref", Value(moved_reference(reference->as_string()))}});
  }
  const std::string place(given.text_of("in"));
  if (place == "cookie") {
    warn(pointer, "The cookie '" + std::string(given.text_of("name")) + "' is not sent: connectors know no cookies.",
         "Remove it, or send it by a 'setheader' policy.");
    return std::nullopt;
  }
  json::ObjectBuilder out;
  for (const json::Member& member : given.as_object()) {
    const std::string_view name = member.name();
    if (name == "name" || name == "in" || name == "description" || name == "required" || name == "allowEmptyValue" ||
        is_extension(name)) {
      out.add(member.key, member.value);
    }
  }
  const std::string_view style = given.text_of("style", place == "query" ? "form" : "simple");
  const Value* explode = given.find("explode");
  const bool exploded = explode == nullptr ? style == "form" : is_true(explode);
  const std::string_view format = style == "spaceDelimited"     ? "ssv"
                                  : style == "pipeDelimited"    ? "pipes"
                                  : style == "form" && exploded ? "multi"
                                                                : "csv";
  if (style == "deepObject" || style == "matrix" || style == "label") {
    warn(json::join(pointer, "style"), "The style '" + std::string(style) + "' is not known to connectors.",
         "Use form or simple.");
  }
  if (const Value* own = given.find("schema")) {
    put_simple_schema(*own, out, format);
  } else {
    out.add("type", "string");  // `content`: the text of a document
  }
  return out.finish();
}

Value Converter::parameters(const Value& list, const std::string& pointer) {
  json::ArrayBuilder out;
  if (list.is_array()) {
    for (std::size_t i = 0; i < list.size(); ++i) {
      if (auto one = parameter(list.as_array()[i], json::join(pointer, i))) out.push(std::move(*one));
    }
  }
  return out.finish();
}

void Converter::put_form_fields(const Value& form, const std::string& pointer, Body& out) {
  visit_properties(document_, form, [&](std::string_view name, const Value& property, bool required) {
    if (form_fields_left_ == 0) return;
    if (--form_fields_left_ == 0)
      warn(pointer, "The forms of this document have too many fields.", "Split the document.");
    const Value& field = resolved(property);
    json::ObjectBuilder one;
    one.add("name", name);
    one.add("in", "formData");
    if (required) one.add("required", Value(true));
    if (const Value* text = field.find("description")) one.add("description", *text);
    const std::string_view format = field.text_of("format");
    if (format == "binary" || field.find("contentMediaType") != nullptr) {
      one.add("type", "file");
      for (const json::Member& member : field.as_object()) {
        if (is_extension(member.name())) one.add(member.key, member.value);
      }
    } else {
      put_simple_schema(property, one, "multi");
    }
    out.parameters.push_back(one.finish());
  });
}

Converter::Body Converter::convert_body(const Value& given, const std::string& pointer) {
  Body out;
  const Value* content = given.find("content");
  if (content == nullptr || !content->is_object() || content->size() == 0) return out;
  const json::Member* chosen = nullptr;
  const json::Member* form = nullptr;
  for (const json::Member& one : content->as_object()) {
    if (is_form_type(one.name())) {
      if (form == nullptr) form = &one;
    } else if (chosen == nullptr || (is_json_type(one.name()) && !is_json_type(chosen->name()))) {
      chosen = &one;
    }
  }
  if (chosen == nullptr) {
    out.consumes.emplace_back(form->key);
    static const Value none;
    const Value* fields = form->value.find("schema");
    put_form_fields(resolved(fields == nullptr ? none : *fields),
                    json::join(json::join(pointer, "content"), form->name()), out);
    return out;
  }
  out.consumes.emplace_back(chosen->key);
  for (const json::Member& one : content->as_object()) {
    if (&one != chosen && !is_form_type(one.name())) out.consumes.emplace_back(one.key);
  }
  json::ObjectBuilder body;
  body.add("name", "body");
  body.add("in", "body");
  if (is_true(given.find("required"))) body.add("required", Value(true));
  if (const Value* text = given.find("description")) body.add("description", *text);
  const Value* own = chosen->value.find("schema");
  const std::string place = json::join(json::join(json::join(pointer, "content"), chosen->name()), "schema");
  if (own != nullptr) {
    body.add("schema", schema(*own, place));
  } else if (is_json_type(chosen->name())) {
    body.add("schema", Value::empty_object());
  } else {
    body.add("schema", Value::object({{"type", "string"}, {"format", "binary"}}));
  }
  for (const json::Member& member : given.as_object()) {
    if (is_extension(member.name())) body.add(member.key, member.value);
  }
  out.parameters.push_back(body.finish());
  return out;
}

/// Bodies that many operations share are converted once.
const Converter::Body& Converter::body(const Value& given, const std::string& pointer) {
  const std::string_view reference = given.text_of("$ref");
  if (reference.empty()) {
    own_body_ = convert_body(given, pointer);
    return own_body_;
  }
  const auto known = shared_bodies_.find(reference);
  if (known != shared_bodies_.end()) return known->second;
  const std::string place(reference.starts_with('#') ? reference.substr(1) : reference);
  return shared_bodies_.emplace(reference, convert_body(resolved(given), place)).first->second;
}

Value Converter::response(const Value& given, const std::string& pointer, std::vector<Value>& produces) {
  const Value& target = resolved(given);
  const Value* content = target.find("content");
  const json::Member* chosen = nullptr;
  if (content != nullptr && content->is_object()) {
    for (const json::Member& one : content->as_object()) {
      if (std::find(produces.begin(), produces.end(), one.key) == produces.end() && produces.size() < 20)
        produces.push_back(one.key);
      if (chosen == nullptr || (is_json_type(one.name()) && !is_json_type(chosen->name()))) chosen = &one;
    }
  }
  if (const Value* reference = given.find("$ref"); reference != nullptr && reference->is_string())
    return Value::object({{"$ref", Value(moved_reference(reference->as_string()))}});
  json::ObjectBuilder out;
  out.add("description", given.text_of("description"));
  if (chosen != nullptr) {
    const std::string place = json::join(json::join(json::join(pointer, "content"), chosen->name()), "schema");
    if (const Value* own = chosen->value.find("schema")) out.add("schema", schema(*own, place));
  }
  if (const Value* headers = given.find("headers"); headers != nullptr && headers->is_object()) {
    json::ObjectBuilder converted;
    for (const json::Member& header : headers->as_object()) {
      const Value& described = resolved(header.value);
      json::ObjectBuilder one;
      if (const Value* text = described.find("description")) one.add("description", *text);
      if (const Value* own = described.find("schema")) {
        put_simple_schema(*own, one, "csv");
      } else {
        one.add("type", "string");
      }
      converted.add(header.key, one.finish());
    }
    out.add("headers", converted.finish());
  }
  for (const json::Member& member : given.is_object() ? given.as_object() : std::span<const json::Member>()) {
    if (is_extension(member.name())) out.add(member.key, member.value);
  }
  return out.finish();
}

Value Converter::operation(const Value& given, const std::string& pointer) {
  json::ObjectBuilder out;
  std::vector<Value> parameter_list;
  for (const json::Member& member : given.as_object()) {
    const std::string_view name = member.name();
    const std::string place = json::join(pointer, name);
    if (name == "parameters") {
      const Value converted = parameters(member.value, place);
      for (const Value& one : converted.as_array()) parameter_list.push_back(one);
    } else if (name == "requestBody" && member.value.is_object()) {
      const Body& found = body(member.value, place);
      parameter_list.insert(parameter_list.end(), found.parameters.begin(), found.parameters.end());
      if (!found.consumes.empty()) out.add("consumes", Value::array(found.consumes));
    } else if (name == "responses" && member.value.is_object()) {
      std::vector<Value> produces;
      json::ObjectBuilder responses;
      for (const json::Member& one : member.value.as_object()) {
        // `2XX` stands for all of them.
        std::string status(one.name());
        if (status.size() == 3 && (status.ends_with("XX") || status.ends_with("xx")))
          status = status.substr(0, 1) + "00";
        responses.set(status, response(one.value, json::join(place, one.name()), produces));
      }
      out.add("responses", responses.finish());
      if (!produces.empty()) out.add("produces", Value::array(std::move(produces)));
    } else if (name == "servers") {
      warn(place, "The operation's own server is not used.", "Call it through a connector of its own.");
    } else if (name == "callbacks") {
      warn(place, "Callbacks are not known to connectors.", "Describe a webhook trigger with x-ms-trigger.");
    } else {
      out.add(member.key, member.value);
    }
  }
  if (!parameter_list.empty()) out.add("parameters", Value::array(std::move(parameter_list)));
  return out.finish();
}

Value Converter::path_item(const Value& given, const std::string& pointer) {
  json::ObjectBuilder out;
  for (const json::Member& member : given.as_object()) {
    const std::string_view name = member.name();
    const std::string place = json::join(pointer, name);
    if (name == "parameters") {
      out.add(member.key, parameters(member.value, place));
    } else if (name == "servers") {
      warn(place, "The path's own server is not used.", "Call it through a connector of its own.");
    } else if (std::find(methods.begin(), methods.end(), lower_case(name)) != methods.end() &&
               member.value.is_object()) {
      out.add(member.key, operation(member.value, place));
    } else if (is_extension(name)) {
      out.add(member.key, member.value);
    }
  }
  return out.finish();
}

Value Converter::security_definitions(const Value& schemes) {
  json::ObjectBuilder out;
  if (!schemes.is_object()) return out.finish();
  for (const json::Member& member : schemes.as_object()) {
    const std::string pointer = json::join("/components/securitySchemes", member.name());
    const Value& scheme = resolved(member.value);
    const std::string type = lower_case(scheme.text_of("type"));
    if (type == "apikey" && scheme.text_of("in") != "cookie") {
      out.add(member.key, scheme);
    } else if (type == "http" && equals_ignoring_case(scheme.text_of("scheme"), "basic")) {
      out.add(member.key, Value::object({{"type", "basic"}}));
    } else if (type == "http" && equals_ignoring_case(scheme.text_of("scheme"), "bearer")) {
      warn(pointer, "A bearer token is sent as it is entered in the connection.",
           "Enter it in the connection with its word: Bearer <token>.");
      out.add(member.key, Value::object({{"type", "apiKey"}, {"in", "header"}, {"name", "Authorization"}}));
    } else if (type == "oauth2") {
      json::ObjectBuilder converted;
      converted.add("type", "oauth2");
      const Value* flows = scheme.find("flows");
      constexpr std::array<std::pair<const char*, const char*>, 4> kinds = {{{"authorizationCode", "accessCode"},
                                                                             {"clientCredentials", "application"},
                                                                             {"implicit", "implicit"},
                                                                             {"password", "password"}}};
      for (const auto& [three, two] : kinds) {
        const Value* flow = flows == nullptr ? nullptr : flows->find(three);
        if (flow == nullptr || !flow->is_object()) continue;
        converted.add("flow", two);
        for (const char* name : {"authorizationUrl", "tokenUrl", "scopes"}) {
          if (const Value* value = flow->find(name)) converted.add(name, *value);
        }
        break;
      }
      out.add(member.key, converted.finish());
    } else {
      warn(pointer, "The security scheme '" + std::string(member.name()) + "' can't be used by a connection.",
           "Use an API key in a header or the query, basic, bearer or OAuth 2.0.");
    }
  }
  return out.finish();
}

Value Converter::convert() {
  diagnostics_.push_back({"/openapi", Severity::warning, "ConnectorConverted",
                          "This OpenAPI 3 document was converted to OpenAPI 2.0, which is what is kept and exported.",
                          "Nothing to do, unless a finding says what was lost."});
  json::ObjectBuilder out;
  out.add("swagger", "2.0");
  servers(out);
  static const Value none = Value::empty_object();
  const Value* components = document_.find("components");
  if (components == nullptr || !components->is_object()) components = &none;
  for (const json::Member& member : document_.as_object()) {
    const std::string_view name = member.name();
    if (name == "info" || name == "tags" || name == "externalDocs" || name == "security" || is_extension(name)) {
      out.add(member.key, member.value);
    } else if (name == "webhooks") {
      warn("/webhooks", "Webhooks of the document are not used.", "Describe a webhook trigger with x-ms-trigger.");
    } else if (name == "paths" && member.value.is_object()) {
      json::ObjectBuilder paths;
      for (const json::Member& path : member.value.as_object()) {
        const std::string pointer = json::join("/paths", path.name());
        paths.add(path.key, path.value.is_object() ? path_item(resolved(path.value), pointer) : path.value);
      }
      out.add("paths", paths.finish());
    }
  }
  if (const Value* schemas = components->find("schemas"))
    out.add("definitions", schema_map(*schemas, "/components/schemas"));
  if (const Value* shared = components->find("parameters"); shared != nullptr && shared->is_object()) {
    json::ObjectBuilder converted;
    for (const json::Member& member : shared->as_object()) {
      if (auto one = parameter(member.value, json::join("/components/parameters", member.name())))
        converted.add(member.key, std::move(*one));
    }
    out.add("parameters", converted.finish());
  }
  if (const Value* shared = components->find("responses"); shared != nullptr && shared->is_object()) {
    json::ObjectBuilder converted;
    std::vector<Value> ignored;
    for (const json::Member& member : shared->as_object())
      converted.add(member.key, response(member.value, json::join("/components/responses", member.name()), ignored));
    out.add("responses", converted.finish());
  }
  if (const Value* schemes = components->find("securitySchemes"))
    out.add("securityDefinitions", security_definitions(*schemes));
  return out.finish();
}

}  // namespace

bool is_openapi3(const Value& document) {
  const Value* version = document.find("openapi");
  return version != nullptr && text_of_value(*version).starts_with("3");
}

Value swagger_of_openapi3(const Value& document, Diagnostics& diagnostics) {
  if (!document.is_object()) return document;
  return Converter(document, diagnostics).convert();
}

}  // namespace flowmend::connector
