// XSLT and XML schema on libxml2 and libxslt. Nothing is read but what came with the job: what a map or a schema
// imports is looked up there by the last part of its name, entities are not loaded, and a map can neither read nor
// write files.

#include <libxml/parser.h>
#include <libxml/xmlschemas.h>
#include <libxslt/security.h>
#include <libxslt/transform.h>
#include <libxslt/variables.h>
#include <libxslt/xsltutils.h>

#include <cstring>
#include <map>
#include <string>
#include <vector>

#include "sandbox_worker/job.h"

namespace flowmend::sandbox_worker {
namespace {

constexpr int parse_options = XML_PARSE_NONET | XML_PARSE_NOWARNING;
constexpr std::size_t findings_max = 50;

std::map<std::string, std::string> imports;  // by name; the loader can be told nothing
std::vector<std::string> findings;

const std::string* find_import(std::string_view name) {
  const auto slash = name.find_last_of("/\\");
  if (slash != std::string_view::npos) name.remove_prefix(slash + 1);
  auto found = imports.find(std::string(name));
  if (found == imports.end() && name.find('.') != std::string_view::npos)
    found = imports.find(std::string(name.substr(0, name.rfind('.'))));
  return found == imports.end() ? nullptr : &found->second;
}

xmlParserInputPtr load(const char* url, const char*, xmlParserCtxtPtr context) {
  const std::string* text = url == nullptr ? nullptr : find_import(url);
  if (text == nullptr) {
    if (findings.size() < findings_max)
      findings.push_back("'" + std::string(url == nullptr ? "?" : url) + "' is not among the stored artifacts");
    return nullptr;
  }
  xmlParserInputBufferPtr buffer =
      xmlParserInputBufferCreateMem(text->data(), static_cast<int>(text->size()), XML_CHAR_ENCODING_NONE);
  if (buffer == nullptr) return nullptr;
  xmlParserInputPtr input = xmlNewIOInputStream(context, buffer, XML_CHAR_ENCODING_NONE);
  if (input != nullptr) input->filename = reinterpret_cast<char*>(xmlStrdup(reinterpret_cast<const xmlChar*>(url)));
  return input;
}

void on_error(void*, xmlErrorPtr error) {
  if (error == nullptr || error->level == XML_ERR_WARNING || findings.size() >= findings_max) return;
  std::string text = error->message == nullptr ? "unknown reason" : error->message;
  while (!text.empty() && (text.back() == '\n' || text.back() == '.')) text.pop_back();
  if (error->line > 0) text += " (line " + std::to_string(error->line) + ")";
  findings.push_back(std::move(text));
}

void on_text(void*, const char* format, ...) {
  // libxslt's own messages come in pieces of printf; the structured ones above say the same better.
  if (findings.empty() && format != nullptr) findings.push_back("the map can't be used");
}

std::string all_findings() {
  std::string out;
  for (const std::string& finding : findings) out += (out.empty() ? "" : "; ") + finding;
  findings.clear();
  return out.empty() ? "unknown reason" : out;
}

void begin(const Value& job, const char* member) {
  imports.clear();
  findings.clear();
  if (const Value* given = job.find(member); given != nullptr && given->is_object()) {
    for (const json::Member& one : given->as_object()) {
      if (one.value.is_string()) imports.emplace(std::string(one.name()), std::string(one.value.as_string()));
    }
  }
  xmlInitParser();
  xmlSetExternalEntityLoader(load);
  xmlSetStructuredErrorFunc(nullptr, on_error);
  xsltSetGenericErrorFunc(nullptr, on_text);
}

/// A document of a text; entities that it declares stay unexpanded, so that it can't grow by them.
xmlDocPtr read(std::string_view text) {
  while (text.starts_with("\xef\xbb\xbf")) text.remove_prefix(3);
  return xmlReadMemory(text.data(), static_cast<int>(text.size()), nullptr, nullptr, parse_options);
}

Error wrong(std::string code, std::string what, std::string where, std::string cure) {
  return make_error(std::move(code), std::move(what) + all_findings() + ".", std::move(where), std::move(cure));
}

}  // namespace

Result<Value> run_xslt(const Value& job) {
  begin(job, "maps");
  xmlDocPtr map = read(job.text_of("map"));
  xsltStylesheetPtr style = map == nullptr ? nullptr : xsltParseStylesheetDoc(map);
  if (style == nullptr || style->errors > 0)
    return wrong("InvalidXslt", "The map is no XSLT 1.0 stylesheet: ", "/inputs/integrationAccount/map",
                 "Correct the map.");
  findings.clear();
  xmlDocPtr document = read(job.text_of("content"));
  if (document == nullptr)
    return wrong("InvalidXml", "The content is no XML: ", "/inputs/content", "Give well-formed XML.");
  xsltTransformContextPtr context = xsltNewTransformContext(style, document);
  xsltSecurityPrefsPtr rights = xsltNewSecurityPrefs();
  if (context == nullptr || rights == nullptr)
    return make_error("XsltTransformationFailed", "The transformation could not be started.");
  for (const auto right : {XSLT_SECPREF_READ_FILE, XSLT_SECPREF_WRITE_FILE, XSLT_SECPREF_CREATE_DIRECTORY,
                           XSLT_SECPREF_READ_NETWORK, XSLT_SECPREF_WRITE_NETWORK})
    xsltSetSecurityPrefs(rights, right, xsltSecurityForbid);
  xsltSetCtxtSecurityPrefs(rights, context);
  std::vector<std::pair<std::string, std::string>> parameters;
  if (const Value* given = job.find("parameters"); given != nullptr && given->is_object()) {
    for (const json::Member& one : given->as_object())
      parameters.emplace_back(one.name(), one.value.is_string() ? std::string(one.value.as_string()) : std::string());
  }
  for (const auto& [name, value] : parameters) {
    xsltQuoteOneUserParam(context, reinterpret_cast<const xmlChar*>(name.c_str()),
                          reinterpret_cast<const xmlChar*>(value.c_str()));
  }
  findings.clear();
  xmlDocPtr result = xsltApplyStylesheetUser(style, document, nullptr, nullptr, nullptr, context);
  if (result == nullptr || context->state != XSLT_STATE_OK)
    return wrong("XsltTransformationFailed", "The transformation failed: ", "/inputs/content",
                 "Look at what the map does with this content.");
  xmlChar* text = nullptr;
  int size = 0;
  if (xsltSaveResultToString(&text, &size, result, style) != 0)
    return make_error("XsltTransformationFailed", "The result of the transformation could not be written.");
  const auto* method = style->method;
  const bool plain = method != nullptr && std::strcmp(reinterpret_cast<const char*>(method), "text") == 0;
  return Value::object(
      {{"text", Value(std::string_view(reinterpret_cast<const char*>(text), static_cast<std::size_t>(size)))},
       {"plain", Value(plain)}});
}

Result<Value> run_xml_validation(const Value& job) {
  begin(job, "schemas");
  const auto text = job.text_of("schema");
  xmlSchemaParserCtxtPtr parser = xmlSchemaNewMemParserCtxt(text.data(), static_cast<int>(text.size()));
  if (parser != nullptr) xmlSchemaSetParserStructuredErrors(parser, on_error, nullptr);
  xmlSchemaPtr schema = parser == nullptr ? nullptr : xmlSchemaParse(parser);
  if (schema == nullptr)
    return wrong("InvalidXmlSchema", "The schema is no XML schema: ", "/inputs/integrationAccount/schema",
                 "Correct the schema.");
  findings.clear();
  xmlDocPtr document = read(job.text_of("content"));
  if (document == nullptr)
    return wrong("InvalidXml", "The content is no XML: ", "/inputs/content", "Give well-formed XML.");
  xmlSchemaValidCtxtPtr context = xmlSchemaNewValidCtxt(schema);
  if (context == nullptr) return make_error("ValidationFailed", "The validation could not be started.");
  xmlSchemaSetValidStructuredErrors(context, on_error, nullptr);
  findings.clear();
  if (xmlSchemaValidateDoc(context, document) != 0) {
    return wrong("ValidationFailed", "The content does not match the schema: ", "/inputs/content",
                 "Correct the content or the schema.");
  }
  return Value();
}

}  // namespace flowmend::sandbox_worker
