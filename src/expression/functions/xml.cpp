// xml, xpath, json of XML, and the names and values of XML (expressions.md section 9).

#include <algorithm>
#include <memory>
#include <vector>

#include <libxml/parser.h>
#include <libxml/xpath.h>

#include "expression/functions/base64.h"
#include "expression/functions/fault.h"
#include "expression/functions/function.h"
#include "expression/functions/xml_document.h"
#include "expression/functions/xml_to_json.h"
#include "expression/text.h"
#include "expression/unicode.h"

namespace flowmend::expression {

namespace {

using Arguments = std::span<const Value>;

constexpr std::string_view xml_type = "application/xml;charset=utf-8";
/// Steps of one XPath evaluation: some tenths of a second here (libxml2's own count).
constexpr unsigned long xpath_steps_max = 5'000'000;
constexpr std::size_t xpath_bytes_max = 32 * 1024;
constexpr std::size_t xpath_nodes_max = 100'000;

Value xml_content(std::string_view text) {
  return Value::object({{"$content-type", Value(xml_type)}, {"$content", Value(encode_base64(text))}});
}

ExpressionError not_xml(Call& call, const Error& error) {
  return plain_fault(call,
                     "The template language function 'xml' parameter is not valid. The provided value cannot be "
                     "converted to XML: '" +
                         error.message.substr(0, 500) + "'.");
}

/// Reading and writing take a multiple of the text.
bool charge_text(Call& call, std::size_t bytes) { return call.charge(bytes * 8, 1 + bytes / 8); }

Outcome<Value> xml(Call& call, Arguments arguments) {
  const Value& value = arguments[0];
  if (value.is_string()) {
    if (!charge_text(call, value.as_string().size())) return call.limit_error();
    const auto document = parse_xml(value.as_string());
    if (!document) return not_xml(call, document.error());
    return xml_content(write_xml(*document));
  }
  if (const auto content = content_of(value)) {
    return Value::object({{"$content-type", Value(xml_type)}, {"$content", Value(content->base64)}});
  }
  if (!value.is_object()) return wrong_parameter(call, "a string or an object", value);
  const std::string text = text_of_value(value);
  if (!charge_text(call, text.size())) return call.limit_error();
  const auto document = xml_of_json(value);
  if (!document) return not_xml(call, document.error());
  return xml_content(write_xml(*document));
}

bool is_xml_content(const ContentView& content) {
  const auto type = to_lower(trim(content.type.substr(0, content.type.find(';'))));
  return type == "application/xml" || type == "text/xml" || type.ends_with("+xml");
}

struct DocumentDeleter {
  void operator()(xmlDoc* document) const { xmlFreeDoc(document); }
};
struct ContextDeleter {
  void operator()(xmlXPathContext* context) const { xmlXPathFreeContext(context); }
};
struct ExpressionDeleter {
  void operator()(xmlXPathCompExpr* expression) const { xmlXPathFreeCompExpr(expression); }
};
struct ResultDeleter {
  void operator()(xmlXPathObject* object) const { xmlXPathFreeObject(object); }
};

void ignore_error(void*, xmlErrorPtr) {}

std::string text_of(const xmlChar* text) {
  return text == nullptr ? std::string() : std::string(reinterpret_cast<const char*>(text));
}

/// Ties each node of libxml2's tree to ours, which knows how it was written. Returns how many there are.
std::size_t tie(xmlNode* theirs, const std::vector<XmlNode>& ours) {
  std::size_t at = 0;
  std::size_t count = 0;
  for (xmlNode* node = theirs; node != nullptr; node = node->next) {
    if (node->type == XML_DTD_NODE) continue;
    while (at < ours.size() &&
           (ours[at].kind == XmlNode::Kind::declaration || ours[at].kind == XmlNode::Kind::doctype)) {
      ++at;
    }
    if (at >= ours.size()) break;
    node->_private = const_cast<XmlNode*>(&ours[at]);
    count += 1 + ours[at].attributes.size();
    if (node->type == XML_ELEMENT_NODE) count += tie(node->children, ours[at].children);
    ++at;
  }
  return count;
}

/// The steps that this path may take. libxml2 joins the nodes that several starting points found by comparing each with
/// all, and counts none of that: where a path spreads out more than once, a step may cost as much as there are nodes.
unsigned long step_limit(std::string_view path, std::size_t nodes) {
  std::size_t spreads = 0;
  for (const std::string_view axis : {"//", "descendant", "ancestor", "following", "preceding"}) {
    for (auto at = path.find(axis); at != std::string_view::npos; at = path.find(axis, at + axis.size())) ++spreads;
  }
  if (spreads < 2) return xpath_steps_max;
  constexpr std::size_t comparisons_max = 3'000'000'000;
  const std::size_t passes = 4;  // over the whole document: what an ordinary `//order//line` needs
  return std::min<std::size_t>(xpath_steps_max,
                               std::max(passes * nodes, comparisons_max / std::max<std::size_t>(nodes, 1)));
}

/// The element by itself: namespaces that are declared around it are declared on it.
std::string outer_xml(const xmlNode* node) {
  const auto* ours = static_cast<const XmlNode*>(node->_private);
  if (ours == nullptr) return {};
  XmlNode alone = *ours;
  if (ours->kind == XmlNode::Kind::element) {
    for (const xmlNode* around = node->parent; around != nullptr; around = around->parent) {
      const auto* holder = around->type == XML_ELEMENT_NODE ? static_cast<const XmlNode*>(around->_private) : nullptr;
      if (holder == nullptr) continue;
      for (const auto& attribute : holder->attributes) {
        if (attribute.name != "xmlns" && !attribute.name.starts_with("xmlns:")) continue;
        bool declared = false;
        for (const auto& own : alone.attributes) declared = declared || own.name == attribute.name;
        if (!declared) alone.attributes.push_back(attribute);
      }
    }
  }
  std::string out;
  write_xml(alone, out);
  return out;
}

Outcome<Value> node_set(Call& call, const xmlNodeSet* set, const XmlDocument& document) {
  json::ArrayBuilder list;
  const int count = set == nullptr ? 0 : set->nodeNr;
  if (static_cast<std::size_t>(count) > xpath_nodes_max)
    return fault(call, "found more than " + std::to_string(xpath_nodes_max) + " nodes.");
  for (int i = 0; i < count; ++i) {
    const xmlNode* node = set->nodeTab[i];
    std::string text;
    bool content = false;
    switch (node->type) {
      case XML_ATTRIBUTE_NODE:
      case XML_TEXT_NODE:
      case XML_CDATA_SECTION_NODE: {
        std::unique_ptr<xmlChar, void (*)(void*)> value(xmlNodeGetContent(node), [](void* p) { xmlFree(p); });
        text = text_of(value.get());
        break;
      }
      case XML_NAMESPACE_DECL: text = text_of(reinterpret_cast<const xmlNs*>(node)->href); break;
      case XML_DOCUMENT_NODE:
        text = write_xml(document);
        content = true;
        break;
      default: text = outer_xml(node); content = true;
    }
    if (!call.charge(text.size() * 2, 1 + text.size() / 64)) return call.limit_error();
    list.push(content ? xml_content(text) : Value(text));
  }
  return list.finish();
}

Outcome<Value> xpath(Call& call, Arguments arguments) {
  const auto content = content_of(arguments[0]);
  if (!content || !is_xml_content(*content)) {
    auto error = fault(call, "expects its first parameter to be an XML object. The provided value is of type '" +
                                 std::string(json::type_name(arguments[0].type())) + "'.");
    blame(error, 0, "an XML object", arguments[0]);
    return error;
  }
  if (!arguments[1].is_string()) return wrong_type(call, 1, "string", arguments[1]);
  const std::string path(arguments[1].as_string());
  const auto bad_path = [&] {
    auto error = fault(call, "parameters are not valid: the XPath expression '" + path.substr(0, 200) +
                                 "' can't be evaluated. Check its syntax, and write names that have a prefix as "
                                 "*[local-name()='name'].");
    blame(error, 1, "an XPath 1.0 expression", arguments[1]);
    return error;
  };
  if (path.size() > xpath_bytes_max || path.find('\0') != std::string::npos) return bad_path();
  const auto bytes = text_of_content(*content);
  if (!bytes) return not_xml(call, make_error("InvalidXml", "The content is not valid base64."));
  if (!charge_text(call, bytes->size())) return call.limit_error();
  const auto ours = parse_xml(*bytes);
  if (!ours) return not_xml(call, ours.error());
  const std::string text = write_xml(*ours);
  std::unique_ptr<xmlDoc, DocumentDeleter> document(
      xmlReadMemory(text.data(), static_cast<int>(text.size()), nullptr, "UTF-8",
                    XML_PARSE_NONET | XML_PARSE_NOERROR | XML_PARSE_NOWARNING | XML_PARSE_IGNORE_ENC));
  if (!document) return not_xml(call, make_error("InvalidXml", "The XML can't be read."));
  const std::size_t nodes = tie(document->children, ours->nodes);
  std::unique_ptr<xmlXPathContext, ContextDeleter> context(xmlXPathNewContext(document.get()));
  if (!context) return call.limit_error();
  context->opLimit = step_limit(path, nodes);
  context->error = ignore_error;
  // libxml2 evaluates simple paths by a streaming matcher of its own, which counts no steps and takes for ever on
  // `//*//*//*//*`. A path in parentheses has the same value and is never streamed; it is compiled by itself first, so
  // that `a) | (b` stays the mistake that it is.
  const std::unique_ptr<xmlXPathCompExpr, ExpressionDeleter> alone(
      xmlXPathCtxtCompile(context.get(), reinterpret_cast<const xmlChar*>(path.c_str())));
  if (!alone) return bad_path();
  const std::string counted = "(" + path + ")";
  std::unique_ptr<xmlXPathObject, ResultDeleter> found(
      xmlXPathEvalExpression(reinterpret_cast<const xmlChar*>(counted.c_str()), context.get()));
  if (!call.charge(0, context->opCount / 8 + 1)) return call.limit_error();
  if (!found) {
    if (context->opCount >= context->opLimit) {
      return fault(call,
                   "took more steps than one XPath expression may. Write a more direct path: '//' searches "
                   "everything below.");
    }
    return bad_path();
  }
  switch (found->type) {
    case XPATH_NODESET: return node_set(call, found->nodesetval, *ours);
    case XPATH_BOOLEAN: return Value(found->boolval != 0);
    case XPATH_NUMBER: return Value(found->floatval);
    case XPATH_STRING: {
      std::string value = text_of(found->stringval);
      if (!call.charge(value.size(), 1 + value.size() / 64)) return call.limit_error();
      return Value(value);
    }
    default: return bad_path();
  }
}

template <class Convert>
Outcome<Value> converted(Call& call, Arguments arguments, Convert convert) {
  if (!arguments[0].is_string()) return wrong_parameter(call, "a string", arguments[0]);
  const auto text = arguments[0].as_string();
  if (!call.charge(text.size() * 7, 1 + text.size() / 64)) return call.limit_error();
  return Value(convert(text));
}

Outcome<Value> encode_name(Call& call, Arguments arguments) {
  return converted(call, arguments, [](std::string_view text) { return encode_xml_name(text, true); });
}
Outcome<Value> decode_name(Call& call, Arguments arguments) {
  return converted(call, arguments, [](std::string_view text) { return decode_xml_name(text); });
}
Outcome<Value> encode_value(Call& call, Arguments arguments) {
  return converted(call, arguments, [](std::string_view text) {
    std::string out;
    for (const char c : text) {
      if (c == '\'') {
        out += "&apos;";
      } else if (c == '\r' || c == '\n' || c == '\t') {
        out += c;
      } else {
        escape_xml(std::string_view(&c, 1), true, out);
      }
    }
    return out;
  });
}
Outcome<Value> decode_value(Call& call, Arguments arguments) {
  return converted(call, arguments, [](std::string_view text) { return unescape_xml(text); });
}

constexpr FunctionEntry table[] = {
    {.name = "xml",
     .arguments = "value: string or object",
     .arguments_min = 1,
     .arguments_max = 1,
     .about = "XML content out of a text or an object with one root property.",
     .example = "xml('<a/>')",
     .gives = R"({"$content-type":"application/xml;charset=utf-8","$content":"PGEgLz4="})",
     .call = xml},
    {.name = "xpath",
     .arguments = "xml: XML content, path: string",
     .arguments_min = 2,
     .arguments_max = 2,
     .about = "What an XPath 1.0 expression finds: a list of nodes, a number, a text or a boolean.",
     .example = "xpath(xml('<a><b>1</b><b>2</b></a>'), 'sum(/a/b)')",
     .gives = "3.0",
     .call = xpath},
    {.name = "encodeXmlName",
     .arguments = "name: string",
     .arguments_min = 1,
     .arguments_max = 1,
     .about = "A name for XML: what may not stand there becomes _xHHHH_.",
     .example = "encodeXmlName('a b')",
     .gives = R"("a_x0020_b")",
     .call = encode_name},
    {.name = "decodeXmlName",
     .arguments = "name: string",
     .arguments_min = 1,
     .arguments_max = 1,
     .about = "The name that an encoded one stands for.",
     .example = "decodeXmlName('a_x0020_b')",
     .gives = R"("a b")",
     .call = decode_name},
    {.name = "encodeXmlValue",
     .arguments = "text: string",
     .arguments_min = 1,
     .arguments_max = 1,
     .about = "The text with what has a meaning in XML escaped.",
     .example = "encodeXmlValue('a<b&c')",
     .gives = R"("a&lt;b&amp;c")",
     .call = encode_value},
    {.name = "decodeXmlValue",
     .arguments = "text: string",
     .arguments_min = 1,
     .arguments_max = 1,
     .about = "The text that an escaped one stands for.",
     .example = "decodeXmlValue('a&lt;b')",
     .gives = R"("a<b")",
     .call = decode_value},
};

}  // namespace

Outcome<Value> xml_to_json(Call& call, const Value& content) {
  const auto parts = content_of(content);
  const auto bytes = parts ? text_of_content(*parts) : std::nullopt;
  const auto refused = [&](const std::string& why) {
    return plain_fault(call,
                       "The template language function 'json' parameter is not valid. The provided value cannot be "
                       "converted to JSON: '" +
                           why.substr(0, 500) + "'.");
  };
  if (!bytes) return refused("The content is not valid base64.");
  if (!charge_text(call, bytes->size())) return call.limit_error();
  const auto document = parse_xml(*bytes);
  if (!document) return refused(document.error().message);
  auto value = json_of_xml(*document);
  if (!value) return refused(value.error().message);
  return std::move(*value);
}

FunctionTable xml_functions() { return table; }

}  // namespace flowmend::expression
