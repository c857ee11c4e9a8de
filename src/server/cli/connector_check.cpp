#include "server/cli/connector_check.h"

#include <algorithm>
#include <exception>
#include <filesystem>
#include <fstream>
#include <istream>
#include <optional>
#include <ostream>
#include <sstream>

#include "connector/document.h"
#include "json/parse.h"
#include "json/write.h"

namespace flowmend::server {

namespace {

namespace fs = std::filesystem;
using connector::Loaded;
using connector::Operation;

Value diagnostic_json(const Diagnostic& d) {
  return Value::object({{"pointer", d.pointer},
                        {"severity", d.severity == Severity::error ? "error" : "warning"},
                        {"code", d.code},
                        {"message", d.message},
                        {"cure", d.cure}});
}

/// The documents as text, from JSON that holds them as text or as they are.
std::string document_text(const Value* document) {
  if (document == nullptr || document->is_null()) return {};
  return document->is_string() ? std::string(document->as_string()) : json::write(*document);
}

Loaded load(const Value* swagger, const Value* properties, bool has_script) {
  connector::LoadOptions options;
  options.has_script = has_script;
  // Documents that are JSON already need no second reading.
  const bool as_text =
      (swagger != nullptr && swagger->is_string()) || (properties != nullptr && properties->is_string());
  if (as_text) return connector::load_connector_text(document_text(swagger), document_text(properties), options);
  return connector::load_connector(swagger == nullptr ? Value() : *swagger,
                                   properties == nullptr ? Value() : *properties, options);
}

Value reply_of(Value id, const Diagnostics& diagnostics, const connector::Connector* found) {
  json::ArrayBuilder findings;
  for (const Diagnostic& d : diagnostics) findings.push(diagnostic_json(d));
  json::ArrayBuilder unusable;
  std::size_t operations = 0;
  std::size_t usable = 0;
  if (found != nullptr) {
    operations = found->operations.size();
    usable = found->usable_operations();
    for (const Operation& operation : found->operations) {
      if (operation.unavailable.code.empty()) continue;
      unusable.push(Value::object(
          {{"id", operation.id}, {"code", operation.unavailable.code}, {"message", operation.unavailable.message}}));
    }
  }
  return Value::object({{"id", std::move(id)},
                        {"diagnostics", findings.finish()},
                        {"operations", static_cast<std::int64_t>(operations)},
                        {"usable", static_cast<std::int64_t>(usable)},
                        {"unusable", unusable.finish()}});
}

Value answer(const std::string& line) {
  const auto request = json::parse(line);
  if (!request) {
    return reply_of({}, {{"", Severity::error, request.error().code, request.error().message, request.error().cure}},
                    nullptr);
  }
  const Value* given = request->find("id");
  const Value id = given == nullptr ? Value() : *given;
  const Value* swagger = request->find("swagger");
  if (swagger == nullptr) {
    return reply_of(id,
                    {{"", Severity::error, "InvalidRequestContent", "The line is not {\"id\", \"swagger\"}.",
                      "Send one such object a line."}},
                    nullptr);
  }
  const Value* script = request->find("script");
  const Loaded loaded =
      load(swagger, request->find("properties"), script != nullptr && script->is_boolean() && script->as_boolean());
  return reply_of(id, loaded.diagnostics, loaded.connector.get());
}

std::optional<std::string> read_text(const fs::path& path) {
  std::ifstream file(path, std::ios::binary);
  std::stringstream text;
  if (!file || !(text << file.rdbuf())) return std::nullopt;
  return text.str();
}

int check_file(const std::string& name, std::ostream& out) {
  std::error_code ignored;
  const fs::path path =
      fs::is_directory(name, ignored) ? fs::path(name) / "apiDefinition.swagger.json" : fs::path(name);
  const auto swagger = read_text(path);
  if (!swagger) {
    out << path.string() << ": cannot be read\n";
    return 2;
  }
  const fs::path folder = path.parent_path();
  const auto properties = read_text(folder / "apiProperties.json");
  connector::LoadOptions options;
  options.has_script = fs::exists(folder / "script.csx", ignored);
  const Loaded loaded = connector::load_connector_text(*swagger, properties.value_or(std::string()), options);
  for (const Diagnostic& d : loaded.diagnostics) {
    out << path.string() << ": " << (d.severity == Severity::error ? "error " : "warning ") << d.code << " at "
        << (d.pointer.empty() ? "/" : d.pointer) << ": " << d.message << "\n";
    if (!d.cure.empty()) out << "    " << d.cure << "\n";
  }
  if (!loaded.connector) return 1;
  out << path.string() << ": " << loaded.connector->title << ", " << loaded.connector->operations.size()
      << " operations, " << loaded.connector->usable_operations() << " can run here\n";
  for (const Operation& operation : loaded.connector->operations) {
    if (operation.unavailable.code.empty()) continue;
    out << "    " << operation.id << ": " << operation.unavailable.code << ": " << operation.unavailable.message
        << "\n";
  }
  return 0;
}

}  // namespace

int run_connector_check(const std::vector<std::string>& files, std::ostream& out) {
  int status = 0;
  for (const std::string& name : files) status = std::max(status, check_file(name, out));
  return status;
}

int run_connector_check_jsonl(std::istream& in, std::ostream& out) {
  std::string line;
  while (std::getline(in, line)) {
    if (line.find_first_not_of(" \t\r") == std::string::npos) continue;
    Value reply;
    try {
      reply = answer(line);
    } catch (const std::exception& failure) {  // out of memory, most likely: one line must not end the others
      reply = reply_of({}, {{"", Severity::error, "InternalError", failure.what(), "Check this connector by itself."}},
                       nullptr);
    }
    out << json::write(reply) << "\n" << std::flush;
  }
  return 0;
}

}  // namespace flowmend::server
