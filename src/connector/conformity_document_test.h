#pragma once

#include <algorithm>
#include <functional>
#include <map>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "connector/document.h"
#include "connector/text.h"
#include "json/pointer.h"
#include "json/write.h"

// A second look at a connector's document, for conformity_test.cpp: it shares nothing with how requests are built.

namespace flowmend::connector {

inline const Value no_value;

/// `$ref` of the document followed; an own loop, so that the loader's is not trusted.
inline const Value& followed(const Value& document, const Value& at) {
  const Value* now = &at;
  for (int i = 0; i < 16; ++i) {
    const std::string_view reference = now->text_of("$ref");
    if (!reference.starts_with("#/")) return *now;
    const Value* target = json::resolve(document, percent_decode(reference.substr(1)));
    if (target == nullptr) return *now;
    now = target;
  }
  return *now;
}

inline std::string type_of(const Value& schema) {
  std::string type = lower_case(schema.text_of("type"));
  if (type.empty() && (schema.find("properties") != nullptr || schema.find("allOf") != nullptr)) type = "object";
  if (type.empty() && schema.find("items") != nullptr) type = "array";
  return type;
}

inline void each_property(const Value& document, const Value& written, int depth,
                          const std::function<void(std::string_view, const Value&)>& visit) {
  if (depth > 8) return;
  const Value& schema = followed(document, written);
  if (const Value* parts = schema.find("allOf"); parts != nullptr && parts->is_array()) {
    for (const Value& part : parts->as_array()) each_property(document, part, depth + 1, visit);
  }
  const Value* properties = schema.find("properties");
  if (properties == nullptr || !properties->is_object()) return;
  for (const json::Member& member : properties->as_object()) visit(member.name(), member.value);
}

inline bool is_internal(const Value& holder) { return visibility_of(holder) == Visibility::internal; }

/// A value that the schema allows. Texts hold what has to be encoded.
inline Value sample(const Value& document, const Value& written, int depth) {
  const Value& schema = followed(document, written);
  if (const Value* list = schema.find("enum"); list != nullptr && list->is_array() && list->size() > 0)
    return list->as_array()[0];
  const std::string type = type_of(schema);
  if (type == "integer") return 7;
  if (type == "number") return 1.5;
  if (type == "boolean") return true;
  if (type == "array") {
    const Value* items = schema.find("items");
    if (depth > 6) return Value::empty_array();
    return Value::array({items == nullptr ? Value("x") : sample(document, *items, depth + 1)});
  }
  if (type != "object" && !type.empty()) return "a b/ü&=+";
  json::ObjectBuilder object;
  if (depth <= 6) {
    std::set<std::string, std::less<>> seen;
    each_property(document, schema, 0, [&](std::string_view name, const Value& property) {
      if (!seen.insert(std::string(name)).second || is_internal(property) || is_internal(followed(document, property)))
        return;
      object.add(name, sample(document, property, depth + 1));
    });
  }
  return object.finish();
}

/// What was given must come back; what was not given may only be what the document fixes.
inline std::string differs(const Value& document, const Value& schema_written, const Value& given, const Value& sent,
                           const std::string& place, int depth) {
  if (given.is_array() && sent.is_array()) {
    if (given.size() != sent.size()) return place + ": other length";
    const Value& schema = followed(document, schema_written);
    const Value* items = schema.find("items");
    for (std::size_t i = 0; i < given.size(); ++i) {
      const std::string found = differs(document, items == nullptr ? no_value : *items, given.as_array()[i],
                                        sent.as_array()[i], place + "[]", depth + 1);
      if (!found.empty()) return found;
    }
    return {};
  }
  if (!given.is_object() || !sent.is_object()) return given == sent ? "" : place + ": other value";
  for (const json::Member& member : given.as_object()) {
    const Value* found = sent.find(member.name());
    if (found == nullptr) return place + "/" + std::string(member.name()) + ": not sent";
    const Value* below = nullptr;
    each_property(document, schema_written, 0, [&](std::string_view name, const Value& property) {
      if (below == nullptr && name == member.name()) below = &property;
    });
    const std::string inside = differs(document, below == nullptr ? no_value : *below, member.value, *found,
                                       place + "/" + std::string(member.name()), depth + 1);
    if (!inside.empty()) return inside;
  }
  for (const json::Member& member : sent.as_object()) {
    if (given.find(member.name()) != nullptr) continue;
    bool declared = false;
    each_property(document, schema_written, 0,
                  [&](std::string_view name, const Value&) { declared = declared || name == member.name(); });
    if (!declared) return place + "/" + std::string(member.name()) + ": sent, not in the document";
  }
  return {};
}

/// `a=b&c=d` decoded once, in order.
inline std::vector<std::pair<std::string, std::string>> pairs_of(std::string_view text) {
  std::vector<std::pair<std::string, std::string>> out;
  while (!text.empty()) {
    const std::string_view pair = text.substr(0, text.find('&'));
    text.remove_prefix(std::min(text.size(), pair.size() + 1));
    const std::size_t equals = std::min(pair.find('='), pair.size());
    out.emplace_back(percent_decode(pair.substr(0, equals)),
                     std::string(pair.substr(std::min(equals + 1, pair.size()))));
  }
  return out;
}

/// What a value looks like in a path, a query, a header or a form; lists by their collectionFormat.
inline std::string expected_text(const Value& parameter, const Value& value) {
  if (!value.is_array()) return value.is_string() ? std::string(value.as_string()) : json::write(value);
  const std::string format = lower_case(parameter.text_of("collectionFormat"));
  const char* mark = format == "ssv" ? " " : format == "tsv" ? "\t" : format == "pipes" ? "|" : ",";
  std::string out;
  for (const Value& item : value.as_array()) {
    if (!out.empty()) out += mark;
    out += item.is_string() ? std::string(item.as_string()) : json::write(item);
  }
  return out;
}

inline bool is_double(const Value& parameter) {
  const Value* encoding = extension(parameter, "x-ms-url-encoding");
  return encoding != nullptr && encoding->is_string() && equals_ignoring_case(encoding->as_string(), "double");
}

inline std::string decoded(const Value& parameter, std::string_view text) {
  std::string out = percent_decode(text);
  return is_double(parameter) ? percent_decode(out) : out;
}

/// Whether a path fits a template with these values, decoded: `/orders/{id}`.
inline std::string path_differs(std::string_view pattern, std::string_view path,
                                const std::map<std::string, const Value*>& declared,
                                const std::map<std::string, Value>& given) {
  while (!pattern.empty()) {
    if (pattern.front() != '{') {
      if (path.empty() || path.front() != pattern.front()) return "path: other text";
      pattern.remove_prefix(1);
      path.remove_prefix(1);
      continue;
    }
    const std::size_t close = pattern.find('}');
    if (close == std::string_view::npos) return "path: broken template";
    const std::string name(pattern.substr(1, close - 1));
    pattern.remove_prefix(close + 1);
    const char next = pattern.empty() ? '\0' : pattern.front();
    const auto parameter = declared.find(name);
    const auto value = given.find(name);
    if (value == given.end()) {  // the document fixes it
      path.remove_prefix(next == '\0' ? path.size() : std::min(path.find(next), path.size()));
      continue;
    }
    const std::string want = expected_text(parameter == declared.end() ? no_value : *parameter->second, value->second);
    // What is encoded holds no `/`; everything up to where the template goes on belongs to the value.
    std::size_t end = next == '\0' ? path.size() : path.find(next);
    bool fits = false;
    while (end != std::string_view::npos && !fits) {
      fits = decoded(parameter == declared.end() ? no_value : *parameter->second, path.substr(0, end)) == want;
      if (!fits) end = next == '\0' || end + 1 > path.size() ? std::string_view::npos : path.find(next, end + 1);
    }
    if (!fits) return "path: the value of {" + name + "} is another";
    path.remove_prefix(end);
  }
  return path.empty() ? "" : "path: more than the template";
}

struct Policies {
  bool host = false;
  bool route = false;
  std::set<std::string> headers;
  std::set<std::string> query;
  std::set<std::string> body;           ///< members of the body, by their names in it, that a policy changes
  std::set<std::string> address_parts;  ///< parameters that an address is made of: their values are no free text
};

inline Policies policies_of(const Value& properties, const std::string& operation) {
  Policies out;
  const Value* inner = properties.find("properties");
  const Value* list = (inner == nullptr ? properties : *inner).find("policyTemplateInstances");
  if (list == nullptr || !list->is_array()) return out;
  for (const Value& instance : list->as_array()) {
    const Value* parameters = instance.find("parameters");
    if (parameters == nullptr) continue;
    if (const Value* names = parameters->find("x-ms-apimTemplate-operationName");
        names != nullptr && names->is_array() && names->size() > 0) {
      bool covers = false;
      for (const Value& name : names->as_array())
        covers = covers || (name.is_string() && equals_ignoring_case(name.as_string(), operation));
      if (!covers) continue;
    }
    const std::string kind = lower_case(instance.text_of("templateId"));
    const std::string name = lower_case(parameters->text_of("x-ms-apimTemplateParameter.name"));
    if (kind == "setheader") out.headers.insert(name);
    if (kind == "setqueryparameter") out.query.insert(name);
    if (kind == "routerequesttoendpoint") out.route = true;
    const auto written = [&](const char* which) {
      return std::string(parameters->text_of("x-ms-apimTemplateParameter." + std::string(which)));
    };
    const auto in_quotes = [](const std::string& text) {
      const std::size_t begin = text.find_first_of("'\"");
      const std::size_t end = begin == std::string::npos ? begin : text.find_first_of("'\"", begin + 1);
      return end == std::string::npos ? text : text.substr(begin + 1, end - begin - 1);
    };
    if (kind == "setvaluefromurl") {
      (written("parameterTemplate").starts_with("@query") ? out.query : out.headers)
          .insert(lower_case(in_quotes(written("parameterTemplate"))));
    }
    if (lower_case(parameters->text_of("x-ms-apimTemplate-policySection")) != "response") {
      for (const auto& [parent, sub] :
           {std::pair("newPropertyParentPathTemplate", "newPropertySubPathTemplate"),
            std::pair("propertyParentPath", "propertySubPath"), std::pair("srcParentPath", "srcSubPath")}) {
        if (parameters->find("x-ms-apimTemplateParameter." + std::string(sub)) == nullptr) continue;
        // Below a member of the body that member is what changes.
        const std::string place = written(parent);
        const std::size_t dot = place.find(").");
        out.body.insert(dot == std::string::npos ? in_quotes(written(sub)) : place.substr(dot + 2));
      }
    }
    if (kind != "dynamichosturl" && kind != "dynamicsubdomain") continue;
    out.host = true;
    std::string text = lower_case(parameters->text_of("x-ms-apimTemplateParameter.urlTemplate"));
    for (const char* source : {"headers(", "header(", "queryparameters(", "queryparamters("}) {
      for (std::size_t at = text.find(source); at != std::string::npos; at = text.find(source, at + 1)) {
        const std::size_t begin = text.find_first_of("'\"", at);
        const std::size_t end = begin == std::string::npos ? begin : text.find_first_of("'\"", begin + 1);
        if (end != std::string::npos) out.address_parts.insert(text.substr(begin + 1, end - begin - 1));
      }
    }
  }
  return out;
}

/// One operation as the document writes it.
struct Written {
  std::string id;
  std::string method;
  std::string path;
  std::vector<const Value*> parameters;
  std::vector<std::string> consumes;
};

inline std::vector<std::string> texts_of(const Value* list) {
  std::vector<std::string> out;
  if (list == nullptr || !list->is_array()) return out;
  for (const Value& one : list->as_array()) {
    if (one.is_string()) out.emplace_back(one.as_string());
  }
  return out;
}

inline Written written_at(const Value& document, const Operation& operation) {
  Written out;
  const Value* at = json::resolve(document, operation.pointer);
  const std::size_t slash = operation.pointer.rfind('/');
  const Value* item = json::resolve(document, operation.pointer.substr(0, slash));
  out.method = lower_case(operation.pointer.substr(slash + 1));
  const std::string item_pointer = operation.pointer.substr(0, slash);
  for (const char c : item_pointer.substr(item_pointer.rfind('/') + 1)) out.path += c;
  for (std::size_t i = 0; (i = out.path.find("~1", i)) != std::string::npos;) out.path.replace(i, 2, "/");
  for (std::size_t i = 0; (i = out.path.find("~0", i)) != std::string::npos; ++i) out.path.replace(i, 2, "~");
  out.id = at == nullptr ? "" : std::string(at->text_of("operationId"));
  out.consumes = texts_of(at == nullptr ? nullptr : at->find("consumes"));
  if (out.consumes.empty()) out.consumes = texts_of(document.find("consumes"));
  for (const Value* holder : {at, item}) {
    const Value* list = holder == nullptr ? nullptr : holder->find("parameters");
    if (list == nullptr || !list->is_array()) continue;
    for (const Value& one : list->as_array()) {
      const Value& parameter = followed(document, one);
      const bool known = std::any_of(out.parameters.begin(), out.parameters.end(), [&](const Value* other) {
        return other->text_of("name") == parameter.text_of("name") && other->text_of("in") == parameter.text_of("in");
      });
      if (!known) out.parameters.push_back(&parameter);
    }
  }
  return out;
}

}  // namespace flowmend::connector
