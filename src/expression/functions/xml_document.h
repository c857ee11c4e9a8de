#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "json/value.h"

namespace flowmend::expression {

using json::Value;

/// One node of an XML document, as .NET's XmlDocument keeps it (white space between elements is not kept).
struct XmlNode {
  enum class Kind { declaration, doctype, element, text, cdata, comment, instruction };
  struct Attribute {
    std::string name;  ///< qualified
    std::string value;
  };
  Kind kind = Kind::element;
  std::string name;                   ///< qualified; of a DOCTYPE its root's, of an instruction its target
  std::string text;                   ///< of text, CDATA, comment, instruction; of a DOCTYPE its internal subset
  std::vector<Attribute> attributes;  ///< of an element; version, encoding, standalone of a declaration
  std::vector<XmlNode> children;
  bool empty_tag = false;  ///< `<a/>`, not `<a></a>`
  bool has_subset = false;
  std::string public_id;
  std::string system_id;
};

/// The nodes at the top: declaration, DOCTYPE, comments, one element.
struct XmlDocument {
  std::vector<XmlNode> nodes;
};

/// Reads a document. No network, no files, no entities but the five of XML and numeric ones; 256 levels at most. What
/// the declaration says about the encoding is kept and not looked at: the text is UTF-8. The error's message is worded
/// as .NET's: `Data at the root level is invalid. Line 1, position 1.`
Result<XmlDocument> parse_xml(std::string_view text);

/// .NET's OuterXml.
std::string write_xml(const XmlDocument& document);
void write_xml(const XmlNode& node, std::string& out);

/// Newtonsoft's mapping of JSON to XML and back (expressions.md section 9). Errors: code `InvalidXml`.
Result<XmlDocument> xml_of_json(const Value& value);
Result<Value> json_of_xml(const XmlDocument& document);

/// XmlConvert.EncodeName and DecodeName: `a b` <-> `a_x0020_b`. Colons stay when `keep_colons`.
std::string encode_xml_name(std::string_view name, bool keep_colons);
std::string decode_xml_name(std::string_view name);
/// Text with `&`, `<`, `>` (and `"` for attributes) escaped.
void escape_xml(std::string_view text, bool attribute, std::string& out);
/// The text that escaped text stands for; unknown references stay as they are.
std::string unescape_xml(std::string_view text);

}  // namespace flowmend::expression
