#pragma once

#include <libxml/tree.h>

#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace flowmend::connector {

struct FreeXml {
  void operator()(xmlDoc* document) const { xmlFreeDoc(document); }
};
using XmlDocument = std::unique_ptr<xmlDoc, FreeXml>;

/// Reads XML from outside: nothing is fetched, entities are not replaced, libxml2's own limits hold. Null when it is
/// none.
XmlDocument read_xml(std::string_view text);

/// The element children of that local name (any namespace); of all names when it is empty.
std::vector<xmlNode*> children(const xmlNode* node, std::string_view name = {});
/// The first of them, or null.
xmlNode* child(const xmlNode* node, std::string_view name);
bool is_named(const xmlNode* node, std::string_view name);
/// All text inside, without surrounding blanks; empty for null.
std::string text_inside(const xmlNode* node);
std::string attribute(const xmlNode* node, const char* name);

}  // namespace flowmend::connector
