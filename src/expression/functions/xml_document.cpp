#include "expression/functions/xml_document.h"

#include <algorithm>

#include <libxml/parser.h>
#include <libxml/xmlreader.h>

namespace flowmend::expression {
namespace {

constexpr int reader_options = XML_PARSE_NONET | XML_PARSE_NOERROR | XML_PARSE_NOWARNING | XML_PARSE_IGNORE_ENC;

Error invalid(std::string message) { return make_error("InvalidXml", std::move(message)); }

std::string text_of(const xmlChar* text) {
  return text == nullptr ? std::string() : std::string(reinterpret_cast<const char*>(text));
}

bool is_space(char c) { return c == ' ' || c == '\t' || c == '\n' || c == '\r'; }
bool is_blank(std::string_view text) { return std::all_of(text.begin(), text.end(), is_space); }

/// The first real error of a document.
struct FirstError {
  std::string message;
  int line = 0;
  int column = 0;
};

void note_error(void* into, xmlErrorPtr error) {
  auto& first = *static_cast<FirstError*>(into);
  if (error == nullptr || error->level < XML_ERR_ERROR || !first.message.empty()) return;
  first.message = error->message == nullptr ? "The XML is not valid" : error->message;
  while (!first.message.empty() && is_space(first.message.back())) first.message.pop_back();
  first.line = error->line;
  first.column = error->int2;
}

Error located(std::string message, int line, int column) {
  if (!message.empty() && message.back() != '.') message += '.';
  return invalid(message + " Line " + std::to_string(line) + ", position " + std::to_string(column) + ".");
}

struct ReaderDeleter {
  void operator()(xmlTextReader* reader) const { xmlFreeTextReader(reader); }
};

/// `<?xml version="1.0" ...?>` as it stands: the parser takes it for itself.
void read_declaration(std::string_view text, XmlDocument& into) {
  constexpr std::string_view begin = "<?xml";
  if (!text.starts_with(begin) || text.size() <= begin.size() || !is_space(text[begin.size()])) return;
  const auto end = text.find("?>");
  if (end == std::string_view::npos) return;
  XmlNode declaration;
  declaration.kind = XmlNode::Kind::declaration;
  std::string_view rest = text.substr(begin.size(), end - begin.size());
  while (true) {
    while (!rest.empty() && is_space(rest.front())) rest.remove_prefix(1);
    const auto equals = rest.find('=');
    if (equals == std::string_view::npos) break;
    auto name = rest.substr(0, equals);
    while (!name.empty() && is_space(name.back())) name.remove_suffix(1);
    rest.remove_prefix(equals + 1);
    while (!rest.empty() && is_space(rest.front())) rest.remove_prefix(1);
    if (rest.empty()) break;
    const auto close = rest.find(rest.front(), 1);
    if (close == std::string_view::npos) break;
    declaration.attributes.push_back({std::string(name), std::string(rest.substr(1, close - 1))});
    rest.remove_prefix(close + 1);
  }
  into.nodes.push_back(std::move(declaration));
}

/// What stands between `[` and `]` of the DOCTYPE; false when there is no such part.
bool read_subset(std::string_view text, std::string& into) {
  const auto doctype = text.find("<!DOCTYPE");
  if (doctype == std::string_view::npos) return false;
  char quote = 0;
  std::size_t at = doctype;
  for (; at < text.size(); ++at) {
    const char c = text[at];
    if (quote != 0) {
      if (c == quote) quote = 0;
    } else if (c == '"' || c == '\'') {
      quote = c;
    } else if (c == '>') {
      return false;
    } else if (c == '[') {
      break;
    }
  }
  const std::size_t begin = at + 1;
  for (quote = 0, at = begin; at < text.size(); ++at) {
    const char c = text[at];
    if (quote == 0 && text.substr(at).starts_with("<!--")) {
      const auto end = text.find("-->", at + 4);
      if (end == std::string_view::npos) return false;
      at = end + 2;
    } else if (quote != 0) {
      if (c == quote) quote = 0;
    } else if (c == '"' || c == '\'') {
      quote = c;
    } else if (c == ']') {
      break;
    }
  }
  if (at >= text.size()) return false;
  // A lone carriage return is a line's end; one before a line feed stays (as the service prints it).
  for (std::size_t i = begin; i < at; ++i) {
    const bool lone = text[i] == '\r' && (i + 1 >= text.size() || text[i + 1] != '\n');
    into += lone ? '\n' : text[i];
  }
  return true;
}

/// Stands between CDATA sections that touch, because libxml2 would make one of them.
constexpr std::string_view cdata_border = "flowmend-cdata-border";

/// The text with touching CDATA sections parted; nothing when there are none.
std::optional<std::string> part_cdata(std::string_view text) {
  constexpr std::string_view cdata = "<![CDATA[";
  std::string out;
  std::size_t copied = 0;
  for (auto at = text.find('<'); at != std::string_view::npos; at = text.find('<', at)) {
    const auto rest = text.substr(at);
    const bool is_cdata = rest.starts_with(cdata);
    const std::string_view end = is_cdata                   ? "]]>"
                                 : rest.starts_with("<!--") ? "-->"
                                 : rest.starts_with("<?")   ? "?>"
                                                            : "";
    if (end.empty()) {
      ++at;
      continue;
    }
    at = text.find(end, at + (is_cdata ? cdata.size() : 2));
    if (at == std::string_view::npos) break;
    at += end.size();
    if (!is_cdata || !text.substr(at).starts_with(cdata)) continue;
    out.append(text.substr(copied, at - copied)).append("<?").append(cdata_border).append("?>");
    copied = at;
  }
  if (copied == 0) return std::nullopt;
  return out.append(text.substr(copied));
}

class DocumentReader {
 public:
  explicit DocumentReader(std::string_view text) : text_(text) {}

  Result<XmlDocument> read() {
    if (text_.size() > static_cast<std::size_t>(INT32_MAX)) return invalid("The XML is too long.");
    const auto first = std::find_if_not(text_.begin(), text_.end(), is_space);
    if (first == text_.end()) return invalid("Root element is missing.");
    if (*first != '<' && static_cast<unsigned char>(*first) != 0xef) {
      const auto line = std::count(text_.begin(), first, '\n');
      const auto before = text_.substr(0, static_cast<std::size_t>(first - text_.begin()));
      const auto start = before.rfind('\n');
      const auto column = start == std::string_view::npos ? before.size() : before.size() - start - 1;
      return located("Data at the root level is invalid", static_cast<int>(line) + 1, static_cast<int>(column) + 1);
    }
    read_declaration(text_, document_);
    if (!document_.nodes.empty()) {
      for (const auto& attribute : document_.nodes.front().attributes) {
        if (attribute.name == "version" && attribute.value != "1.0")
          return located("Version number '" + attribute.value + "' is invalid", 1, 16);
      }
    }
    FirstError error;
    const auto parted = part_cdata(text_);
    const std::string_view text = parted ? std::string_view(*parted) : text_;
    if (text.size() > static_cast<std::size_t>(INT32_MAX)) return invalid("The XML is too long.");
    std::unique_ptr<xmlTextReader, ReaderDeleter> reader(
        xmlReaderForMemory(text.data(), static_cast<int>(text.size()), nullptr, "UTF-8", reader_options));
    if (!reader) return invalid("The XML can't be read.");
    xmlTextReaderSetStructuredErrorHandler(reader.get(), note_error, &error);
    int status = 0;
    while ((status = xmlTextReaderRead(reader.get())) == 1) {
      if (const auto taken = take(reader.get()); !taken) return taken.error();
    }
    if (status != 0 || !error.message.empty()) {
      if (!has_root_ && error.message.find("empty") != std::string::npos) return invalid("Root element is missing.");
      return located(error.message.empty() ? "The XML is not valid" : error.message, error.line, error.column);
    }
    if (!has_root_) return invalid("Root element is missing.");
    return std::move(document_);
  }

 private:
  std::vector<XmlNode>& siblings() {
    auto* list = &document_.nodes;
    for (std::size_t i = 0; i < depth_; ++i) list = &list->back().children;
    return *list;
  }

  Result<void> take(xmlTextReader* reader) {
    XmlNode node;
    switch (xmlTextReaderNodeType(reader)) {
      case XML_READER_TYPE_ELEMENT: {
        node.kind = XmlNode::Kind::element;
        node.name = text_of(xmlTextReaderConstName(reader));
        node.empty_tag = xmlTextReaderIsEmptyElement(reader) == 1;
        while (xmlTextReaderMoveToNextAttribute(reader) == 1) {
          node.attributes.push_back(
              {text_of(xmlTextReaderConstName(reader)), text_of(xmlTextReaderConstValue(reader))});
        }
        xmlTextReaderMoveToElement(reader);
        const bool open = !node.empty_tag;
        if (depth_ == 0) has_root_ = true;
        siblings().push_back(std::move(node));
        if (open) ++depth_;
        return {};
      }
      case XML_READER_TYPE_END_ELEMENT:
        if (depth_ > 0) --depth_;
        return {};
      case XML_READER_TYPE_TEXT:
      case XML_READER_TYPE_SIGNIFICANT_WHITESPACE:
      case XML_READER_TYPE_WHITESPACE: {
        node.kind = XmlNode::Kind::text;
        node.text = text_of(xmlTextReaderConstValue(reader));
        if (depth_ == 0) return {};
        if (is_blank(node.text) && space_in_scope() != "preserve") return {};
        auto& list = siblings();
        if (!list.empty() && list.back().kind == XmlNode::Kind::text) {
          list.back().text += node.text;
        } else {
          list.push_back(std::move(node));
        }
        return {};
      }
      case XML_READER_TYPE_CDATA: node.kind = XmlNode::Kind::cdata; break;
      case XML_READER_TYPE_COMMENT: node.kind = XmlNode::Kind::comment; break;
      case XML_READER_TYPE_PROCESSING_INSTRUCTION:
        node.kind = XmlNode::Kind::instruction;
        node.name = text_of(xmlTextReaderConstName(reader));
        if (node.name == cdata_border) return {};
        break;
      case XML_READER_TYPE_DOCUMENT_TYPE: {
        node.kind = XmlNode::Kind::doctype;
        node.name = text_of(xmlTextReaderConstName(reader));
        if (const auto* current = xmlTextReaderCurrentNode(reader);
            current != nullptr && current->type == XML_DTD_NODE) {
          const auto* dtd = reinterpret_cast<const xmlDtd*>(current);
          node.public_id = text_of(dtd->ExternalID);
          node.system_id = text_of(dtd->SystemID);
        }
        node.has_subset = read_subset(text_, node.text);
        siblings().push_back(std::move(node));
        return {};
      }
      case XML_READER_TYPE_ENTITY_REFERENCE:
        return invalid("Reference to entity '" + text_of(xmlTextReaderConstName(reader)) +
                       "': entities of a document are not read here.");
      default: return {};
    }
    node.text = text_of(xmlTextReaderConstValue(reader));
    siblings().push_back(std::move(node));
    return {};
  }

  /// `preserve` within xml:space="preserve".
  std::string space_in_scope() const {
    const auto* list = &document_.nodes;
    std::string space;
    for (std::size_t i = 0; i < depth_; ++i) {
      for (const auto& attribute : list->back().attributes) {
        if (attribute.name == "xml:space") space = attribute.value;
      }
      list = &list->back().children;
    }
    return space;
  }

  std::string_view text_;
  XmlDocument document_;
  std::size_t depth_ = 0;
  bool has_root_ = false;
};

std::uint32_t next_point(std::string_view text, std::size_t& at) {
  const auto first = static_cast<unsigned char>(text[at]);
  const std::size_t length = first < 0x80 ? 1 : first >= 0xf0 ? 4 : first >= 0xe0 ? 3 : first >= 0xc0 ? 2 : 1;
  std::uint32_t point = length == 1 ? first : first & (0xffu >> (length + 1));
  for (std::size_t i = 1; i < length && at + i < text.size(); ++i)
    point = point << 6 | (static_cast<unsigned char>(text[at + i]) & 0x3fu);
  at += std::min(length, text.size() - at);
  return point;
}

void append_point(std::string& out, std::uint32_t point) {
  if (point < 0x80) {
    out += static_cast<char>(point);
  } else if (point < 0x800) {
    out += static_cast<char>(0xc0 | point >> 6);
    out += static_cast<char>(0x80 | (point & 0x3f));
  } else if (point < 0x10000) {
    out += static_cast<char>(0xe0 | point >> 12);
    out += static_cast<char>(0x80 | (point >> 6 & 0x3f));
    out += static_cast<char>(0x80 | (point & 0x3f));
  } else {
    out += static_cast<char>(0xf0 | point >> 18);
    out += static_cast<char>(0x80 | (point >> 12 & 0x3f));
    out += static_cast<char>(0x80 | (point >> 6 & 0x3f));
    out += static_cast<char>(0x80 | (point & 0x3f));
  }
}

/// NameStartChar and NameChar of XML 1.0 (fifth edition), without the colon.
bool starts_name(std::uint32_t c) {
  return (c >= 'A' && c <= 'Z') || c == '_' || (c >= 'a' && c <= 'z') || (c >= 0xc0 && c <= 0xd6) ||
         (c >= 0xd8 && c <= 0xf6) || (c >= 0xf8 && c <= 0x2ff) || (c >= 0x370 && c <= 0x37d) ||
         (c >= 0x37f && c <= 0x1fff) || (c >= 0x200c && c <= 0x200d) || (c >= 0x2070 && c <= 0x218f) ||
         (c >= 0x2c00 && c <= 0x2fef) || (c >= 0x3001 && c <= 0xd7ff) || (c >= 0xf900 && c <= 0xfdcf) ||
         (c >= 0xfdf0 && c <= 0xfffd) || (c >= 0x10000 && c <= 0xeffff);
}
bool continues_name(std::uint32_t c) {
  return starts_name(c) || c == '-' || c == '.' || (c >= '0' && c <= '9') || c == 0xb7 || (c >= 0x300 && c <= 0x36f) ||
         (c >= 0x203f && c <= 0x2040);
}

int hex_value(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  return c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
}

/// The number in `_xHHHH_` or `_xHHHHHHHH_` at `at`, and its length; 0 when there is none.
std::size_t escape_at(std::string_view text, std::size_t at, std::uint32_t& point) {
  for (const std::size_t digits : {std::size_t{4}, std::size_t{8}}) {
    if (at + digits + 3 > text.size() || text[at] != '_' || text[at + 1] != 'x' || text[at + digits + 2] != '_')
      continue;
    std::uint32_t number = 0;
    bool good = true;
    for (std::size_t i = 0; i < digits; ++i) {
      const int value = hex_value(text[at + 2 + i]);
      good = good && value >= 0;
      number = number * 16 + static_cast<std::uint32_t>(std::max(value, 0));
    }
    if (good && number <= 0x10ffff) {
      point = number;
      return digits + 3;
    }
  }
  return 0;
}

}  // namespace

Result<XmlDocument> parse_xml(std::string_view text) { return DocumentReader(text).read(); }

void escape_xml(std::string_view text, bool attribute, std::string& out) {
  for (const char c : text) {
    switch (c) {
      case '&': out += "&amp;"; break;
      case '<': out += "&lt;"; break;
      case '>': out += "&gt;"; break;
      case '"':
        if (attribute) {
          out += "&quot;";
        } else {
          out += c;
        }
        break;
      case '\n':
        if (attribute) {
          out += "&#xA;";
        } else {
          out += c;
        }
        break;
      case '\r': out += "&#xD;"; break;
      case '\t':
        if (attribute) {
          out += "&#x9;";
        } else {
          out += c;
        }
        break;
      default: out += c;
    }
  }
}

std::string unescape_xml(std::string_view text) {
  std::string out;
  for (std::size_t i = 0; i < text.size();) {
    const auto end = text[i] == '&' ? text.find(';', i) : std::string_view::npos;
    if (end == std::string_view::npos || end - i > 12) {
      out += text[i++];
      continue;
    }
    const auto name = text.substr(i + 1, end - i - 1);
    if (name == "amp") {
      out += '&';
    } else if (name == "lt") {
      out += '<';
    } else if (name == "gt") {
      out += '>';
    } else if (name == "quot") {
      out += '"';
    } else if (name == "apos") {
      out += '\'';
    } else if (name.size() > 1 && name[0] == '#') {
      const bool hex = name[1] == 'x' || name[1] == 'X';
      std::uint32_t point = 0;
      bool good = name.size() > (hex ? 2u : 1u);
      for (std::size_t at = hex ? 2 : 1; at < name.size(); ++at) {
        const int value = hex_value(name[at]);
        good = good && value >= 0 && (hex || value < 10) && point <= 0x10ffff;
        point = point * (hex ? 16 : 10) + static_cast<std::uint32_t>(std::max(value, 0));
      }
      if (!good || point > 0x10ffff || (point >= 0xd800 && point < 0xe000)) {
        out += text.substr(i, end - i + 1);
      } else {
        append_point(out, point);
      }
    } else {
      out += text.substr(i, end - i + 1);
    }
    i = end + 1;
  }
  return out;
}

std::string encode_xml_name(std::string_view name, bool keep_colons) {
  std::string out;
  for (std::size_t at = 0; at < name.size();) {
    const std::size_t begin = at;
    std::uint32_t ignored = 0;
    // An underscore that would read as an escape is escaped itself.
    const bool like_escape = escape_at(name, at, ignored) != 0;
    const std::uint32_t point = next_point(name, at);
    const bool fits =
        (begin == 0 ? starts_name(point) : continues_name(point)) || (keep_colons && point == ':' && begin > 0);
    if (fits && !like_escape) {
      out += name.substr(begin, at - begin);
      continue;
    }
    constexpr char digits[] = "0123456789ABCDEF";
    const int width = point > 0xffff ? 8 : 4;
    out += "_x";
    for (int shift = (width - 1) * 4; shift >= 0; shift -= 4) out += digits[point >> shift & 15];
    out += '_';
  }
  return out;
}

std::string decode_xml_name(std::string_view name) {
  std::string out;
  for (std::size_t at = 0; at < name.size();) {
    std::uint32_t point = 0;
    if (const auto length = escape_at(name, at, point); length != 0) {
      append_point(out, point);
      at += length;
    } else {
      out += name[at++];
    }
  }
  return out;
}

void write_xml(const XmlNode& node, std::string& out) {
  switch (node.kind) {
    case XmlNode::Kind::text: return escape_xml(node.text, false, out);
    case XmlNode::Kind::cdata: out += "<![CDATA[" + node.text + "]]>"; return;
    case XmlNode::Kind::comment: out += "<!--" + node.text + "-->"; return;
    case XmlNode::Kind::instruction:
      out += "<?" + node.name;
      if (!node.text.empty()) out += " " + node.text;
      out += "?>";
      return;
    case XmlNode::Kind::declaration:
      out += "<?xml";
      for (const auto& attribute : node.attributes) out += " " + attribute.name + "=\"" + attribute.value + "\"";
      out += "?>";
      return;
    case XmlNode::Kind::doctype:
      out += "<!DOCTYPE " + node.name;
      if (!node.public_id.empty()) {
        out += " PUBLIC \"" + node.public_id + "\" \"" + node.system_id + "\"";
      } else if (!node.system_id.empty()) {
        out += " SYSTEM \"" + node.system_id + "\"";
      }
      if (node.has_subset) out += "[" + node.text + "]";
      out += ">";
      return;
    case XmlNode::Kind::element: break;
  }
  out += "<" + node.name;
  for (const auto& attribute : node.attributes) {
    out += " " + attribute.name + "=\"";
    escape_xml(attribute.value, true, out);
    out += "\"";
  }
  if (node.children.empty() && node.empty_tag) {
    out += " />";
    return;
  }
  out += ">";
  for (const XmlNode& child : node.children) write_xml(child, out);
  out += "</" + node.name + ">";
}

std::string write_xml(const XmlDocument& document) {
  std::string out;
  for (const XmlNode& node : document.nodes) write_xml(node, out);
  return out;
}

}  // namespace flowmend::expression
