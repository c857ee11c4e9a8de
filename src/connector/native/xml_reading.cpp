#include "connector/native/xml_reading.h"

#include <libxml/parser.h>

#include "connector/text.h"

namespace flowmend::connector {

XmlDocument read_xml(std::string_view text) {
  if (text.empty() || text.size() > 104'857'600) return nullptr;
  return XmlDocument(xmlReadMemory(text.data(), static_cast<int>(text.size()), nullptr, nullptr,
                                   XML_PARSE_NONET | XML_PARSE_NOERROR | XML_PARSE_NOWARNING | XML_PARSE_NOCDATA));
}

bool is_named(const xmlNode* node, std::string_view name) {
  return node != nullptr && node->type == XML_ELEMENT_NODE &&
         std::string_view(reinterpret_cast<const char*>(node->name)) == name;
}

std::vector<xmlNode*> children(const xmlNode* node, std::string_view name) {
  std::vector<xmlNode*> out;
  for (xmlNode* one = node == nullptr ? nullptr : node->children; one != nullptr; one = one->next) {
    if (one->type == XML_ELEMENT_NODE && (name.empty() || is_named(one, name))) out.push_back(one);
  }
  return out;
}

xmlNode* child(const xmlNode* node, std::string_view name) {
  for (xmlNode* one = node == nullptr ? nullptr : node->children; one != nullptr; one = one->next) {
    if (is_named(one, name)) return one;
  }
  return nullptr;
}

std::string text_inside(const xmlNode* node) {
  if (node == nullptr) return {};
  xmlChar* text = xmlNodeGetContent(node);
  std::string out(text == nullptr ? std::string_view() : trim(reinterpret_cast<const char*>(text)));
  xmlFree(text);
  return out;
}

std::string attribute(const xmlNode* node, const char* name) {
  xmlChar* text = node == nullptr ? nullptr : xmlGetProp(node, reinterpret_cast<const xmlChar*>(name));
  std::string out(text == nullptr ? "" : reinterpret_cast<const char*>(text));
  xmlFree(text);
  return out;
}

}  // namespace flowmend::connector
