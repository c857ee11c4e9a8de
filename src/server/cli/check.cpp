#include "server/cli/check.h"

#include <algorithm>
#include <fstream>
#include <istream>
#include <ostream>
#include <sstream>

#include "definition/flow.h"
#include "json/lines.h"
#include "json/parse.h"

namespace flowmend::server {

namespace {

/// The definitions inside a document, each with the pointer that leads to it.
void find_definitions(const Value& document, const std::string& pointer,
                      std::vector<std::pair<std::string, Value>>& found) {
  if (!document.is_object()) return;
  if (document.find("actions") != nullptr || document.find("triggers") != nullptr) {
    found.emplace_back(pointer, document);
    return;
  }
  for (const char* name : {"definition", "properties"}) {
    const Value* inner = document.find(name);
    if (inner != nullptr && inner->is_object()) find_definitions(*inner, pointer + "/" + name, found);
  }
  const Value* resources = document.find("resources");
  if (resources == nullptr || !resources->is_array()) return;
  std::size_t index = 0;
  for (const Value& resource : resources->as_array()) {
    const std::string place = pointer + "/resources/" + std::to_string(index++);
    if (resource.text_of("type") == "Microsoft.Logic/workflows") find_definitions(resource, place, found);
  }
}

Value diagnostics_json(const Diagnostics& diagnostics) {
  json::ArrayBuilder list;
  for (const Diagnostic& d : diagnostics) {
    list.push(Value::object({{"pointer", d.pointer},
                             {"severity", d.severity == Severity::error ? "error" : "warning"},
                             {"code", d.code},
                             {"message", d.message},
                             {"cure", d.cure},
                             {"begin", d.begin},
                             {"end", d.end}}));
  }
  return list.finish();
}

Value reply_of(const Value& id, const Diagnostics& diagnostics) {
  return Value::object({{"id", id}, {"diagnostics", diagnostics_json(diagnostics)}});
}

Value answer(std::string_view line) {
  const auto request = json::parse(line);
  if (!request) {
    return reply_of({}, {{"", Severity::error, request.error().code, request.error().message, request.error().cure}});
  }
  const Value* id = request->find("id");
  const Value* definition = request->find("definition");
  if (definition == nullptr) {
    return reply_of(id == nullptr ? Value() : *id,
                    {{"", Severity::error, "InvalidRequestContent", "The line is not {\"id\", \"definition\"}.",
                      "Send one such object a line."}});
  }
  return reply_of(id == nullptr ? Value() : *id, definition::compile(*definition).diagnostics);
}

}  // namespace

int run_check(const std::vector<std::string>& files, std::ostream& out) {
  int status = 0;
  for (const std::string& name : files) {
    std::ifstream file(name, std::ios::binary);
    if (!file) {
      out << name << ": cannot be read\n";
      status = 2;
      continue;
    }
    std::stringstream text;
    text << file.rdbuf();
    const auto document = json::parse(text.str());
    if (!document) {
      out << name << ": error InvalidJSON: " << document.error().message << "\n    " << document.error().cure << "\n";
      status = std::max(status, 1);
      continue;
    }
    std::vector<std::pair<std::string, Value>> definitions;
    find_definitions(*document, "", definitions);
    if (definitions.empty()) definitions.emplace_back("", *document);
    for (const auto& [pointer, definition] : definitions) {
      const auto compiled = definition::compile(definition);
      for (const Diagnostic& d : compiled.diagnostics) {
        const std::string place = pointer + d.pointer;
        out << name << ": " << (d.severity == Severity::error ? "error " : "warning ") << d.code << " at "
            << (place.empty() ? "/" : place) << ": " << d.message << "\n";
        if (!d.cure.empty()) out << "    " << d.cure << "\n";
      }
      if (!compiled.flow) {
        status = std::max(status, 1);
      } else if (compiled.diagnostics.empty()) {
        out << name << ": no findings\n";
      }
    }
  }
  return status;
}

int run_check_jsonl(std::istream& in, std::ostream& out) {
  json::answer_lines(in, out, answer, [](std::string_view what) {
    return reply_of({},
                    {{"", Severity::error, "InternalError", std::string(what), "Check this definition by itself."}});
  });
  return 0;
}

}  // namespace flowmend::server
