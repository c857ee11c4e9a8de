// JSON to XML and back, by Newtonsoft's mapping (expressions.md section 9).

#include <algorithm>
#include <map>
#include <set>

#include <libxml/encoding.h>

#include "expression/functions/function.h"
#include "expression/functions/xml_document.h"

namespace flowmend::expression {
namespace {

Error invalid(std::string message) { return make_error("InvalidXml", std::move(message)); }

std::string scalar_text(const Value& value) {
  if (value.is_boolean()) return value.as_boolean() ? "true" : "false";
  return text_of_value(value);
}

class Builder {
 public:
  Result<XmlDocument> build(const Value& value) {
    XmlDocument document;
    bool has_root = false;
    for (const json::Member& member : value.as_object()) {
      const auto name = member.name();
      if (name == "?xml" || name == "!DOCTYPE") {
        document.nodes.push_back(special(name, member.value));
        continue;
      }
      const bool many = member.value.is_array() && member.value.size() != 1;
      if (has_root || many || name.starts_with('@') || name.starts_with('#')) {
        return invalid(
            "JSON root object has multiple properties. The root object must have a single property in order to "
            "create a valid XML document.");
      }
      has_root = true;
      if (const auto added = element(document.nodes, name, member.value, {}); !added) return added.error();
    }
    return document;
  }

 private:
  using Prefixes = std::set<std::string>;

  static XmlNode special(std::string_view name, const Value& value) {
    XmlNode node;
    node.kind = name == "?xml" ? XmlNode::Kind::declaration : XmlNode::Kind::doctype;
    if (node.kind == XmlNode::Kind::declaration) {
      for (const std::string_view attribute : {"version", "encoding", "standalone"}) {
        const auto text = value.text_of("@" + std::string(attribute));
        if (!text.empty()) node.attributes.push_back({std::string(attribute), std::string(text)});
      }
    } else {
      node.name = value.text_of("@name");
      node.public_id = value.text_of("@public");
      node.system_id = value.text_of("@system");
      node.text = value.text_of("@internalSubset");
      node.has_subset = !node.text.empty();
    }
    return node;
  }

  /// An undeclared prefix is dropped, as the service does.
  static std::string element_name(std::string_view name, const Prefixes& prefixes) {
    const auto colon = name.find(':');
    if (colon != std::string_view::npos && colon > 0 && colon + 1 < name.size()) {
      const std::string prefix(name.substr(0, colon));
      const auto local = encode_xml_name(name.substr(colon + 1), false);
      return prefixes.contains(prefix) || prefix == "xml" ? encode_xml_name(prefix, false) + ":" + local : local;
    }
    return encode_xml_name(name, false);
  }

  static Result<void> text(XmlNode& into, XmlNode::Kind kind, const Value& value) {
    if (value.is_array()) {
      for (const Value& one : value.as_array()) {
        if (const auto added = text(into, kind, one); !added) return added;
      }
      return {};
    }
    if (value.is_null()) return {};
    XmlNode node;
    node.kind = kind;
    node.text = scalar_text(value);
    if (kind == XmlNode::Kind::cdata && node.text.find("]]>") != std::string::npos)
      return invalid("Cannot have ']]>' inside an XML CDATA block.");
    if (kind == XmlNode::Kind::text && !into.children.empty() && into.children.back().kind == kind) {
      into.children.back().text += node.text;
    } else {
      into.children.push_back(std::move(node));
    }
    return {};
  }

  Result<void> element(std::vector<XmlNode>& into, std::string_view name, const Value& value, Prefixes prefixes) {
    if (value.is_array()) {
      for (const Value& one : value.as_array()) {
        if (one.is_array()) {
          // An array in an array is an element that holds the inner ones.
          XmlNode outer;
          outer.name = element_name(name, prefixes);
          if (const auto added = element(outer.children, name, one, prefixes); !added) return added;
          into.push_back(std::move(outer));
        } else if (const auto added = element(into, name, one, prefixes); !added) {
          return added;
        }
      }
      return {};
    }
    XmlNode node;
    if (value.is_object()) {
      for (const json::Member& member : value.as_object()) {
        if (member.name().starts_with("@xmlns:")) prefixes.emplace(member.name().substr(7));
      }
    }
    node.name = element_name(name, prefixes);
    if (node.name.empty()) return invalid("The empty string '' is not a valid name.");
    if (value.is_null()) {
      node.empty_tag = true;
    } else if (value.is_object()) {
      for (const json::Member& member : value.as_object()) {
        const auto child = member.name();
        if (child.starts_with('@') && child.size() > 1 && !member.value.is_object() && !member.value.is_array()) {
          const auto attribute = child.substr(1);
          const bool declares = attribute == "xmlns" || attribute.starts_with("xmlns:");
          node.attributes.push_back({declares ? std::string(attribute) : element_name(attribute, prefixes),
                                     member.value.is_null() ? std::string() : scalar_text(member.value)});
        } else if (child == "#text") {
          if (const auto added = text(node, XmlNode::Kind::text, member.value); !added) return added;
        } else if (child == "#cdata-section") {
          if (const auto added = text(node, XmlNode::Kind::cdata, member.value); !added) return added;
        } else if (const auto added = element(node.children, child, member.value, prefixes); !added) {
          return added;
        }
      }
      node.empty_tag = node.children.empty();
    } else if (const auto added = text(node, XmlNode::Kind::text, value); !added) {
      return added;
    }
    into.push_back(std::move(node));
    return {};
  }
};

std::string group_name(const XmlNode& node) {
  switch (node.kind) {
    case XmlNode::Kind::declaration: return "?xml";
    case XmlNode::Kind::doctype: return "!DOCTYPE";
    case XmlNode::Kind::text: return "#text";
    case XmlNode::Kind::cdata: return "#cdata-section";
    case XmlNode::Kind::comment: return "#comment";
    case XmlNode::Kind::instruction: return "?" + node.name;
    case XmlNode::Kind::element: break;
  }
  return node.name;
}

Value group_value(const XmlNode& node);

/// Nodes of one name stand together, at the place of the first.
void add_groups(const std::vector<XmlNode>& nodes, json::ObjectBuilder& out) {
  std::vector<std::pair<std::string, std::vector<const XmlNode*>>> groups;
  std::map<std::string, std::size_t> places;
  for (const XmlNode& node : nodes) {
    const auto name = group_name(node);
    const auto [place, added] = places.emplace(name, groups.size());
    if (added) groups.emplace_back(name, std::vector<const XmlNode*>());
    groups[place->second].second.push_back(&node);
  }
  for (const auto& [name, members] : groups) {
    if (name == "#comment") {
      // Comments are not written, but two or more leave the array that would have held them.
      if (members.size() > 1) out.add(name, Value::empty_array());
      continue;
    }
    if (members.size() == 1) {
      out.add(name, group_value(*members.front()));
      continue;
    }
    json::ArrayBuilder list;
    for (const XmlNode* node : members) list.push(group_value(*node));
    out.add(name, list.finish());
  }
}

Value group_value(const XmlNode& node) {
  json::ObjectBuilder out;
  const auto add = [&](std::string_view name, const std::string& text) {
    if (!text.empty()) out.add(name, Value(text));
  };
  switch (node.kind) {
    case XmlNode::Kind::text:
    case XmlNode::Kind::cdata:
    case XmlNode::Kind::comment:
    case XmlNode::Kind::instruction: return Value(node.text);
    case XmlNode::Kind::declaration:
      for (const auto& attribute : node.attributes) add("@" + attribute.name, attribute.value);
      return out.finish();
    case XmlNode::Kind::doctype:
      add("@name", node.name);
      add("@public", node.public_id);
      add("@system", node.system_id);
      add("@internalSubset", node.text);
      return out.finish();
    case XmlNode::Kind::element: break;
  }
  if (node.attributes.empty()) {
    if (node.children.empty()) return node.empty_tag ? Value() : Value("");
    if (node.children.size() == 1 && node.children.front().kind == XmlNode::Kind::text)
      return Value(node.children.front().text);
  }
  for (const auto& attribute : node.attributes) out.add("@" + attribute.name, Value(attribute.value));
  add_groups(node.children, out);
  return out.finish();
}

/// Encodings of one byte a character or UTF-8: the text is what it was.
bool is_readable_encoding(std::string name) {
  for (char& c : name) c = static_cast<char>(c >= 'A' && c <= 'Z' ? c + 32 : c);
  for (const std::string_view wide : {"utf-16", "utf-32", "ucs-2", "ucs-4", "utf16", "utf32", "iso-10646", "unicode"}) {
    if (name.starts_with(wide)) return false;
  }
  auto* handler = xmlFindCharEncodingHandler(name.c_str());
  if (handler == nullptr) return false;
  xmlCharEncCloseFunc(handler);
  return true;
}

}  // namespace

Result<XmlDocument> xml_of_json(const Value& value) { return Builder().build(value); }

Result<Value> json_of_xml(const XmlDocument& document) {
  for (const XmlNode& node : document.nodes) {
    if (node.kind != XmlNode::Kind::declaration) continue;
    for (const auto& attribute : node.attributes) {
      if (attribute.name == "encoding" && !is_readable_encoding(attribute.value))
        return invalid("'" + attribute.value + "' is not a supported encoding name.");
    }
  }
  json::ObjectBuilder out;
  add_groups(document.nodes, out);
  return out.finish();
}

}  // namespace flowmend::expression
