// Real connectors from outside: reading them never crashes, and nearly all of them load.

#include <zlib.h>

#include <algorithm>
#include <filesystem>
#include <iostream>
#include <map>
#include <set>
#include <string>

#include <gtest/gtest.h>

#include "connector/document.h"
#include "connector/request.h"
#include "json/parse.h"
#include "json/write.h"

namespace flowmend::connector {
namespace {

std::string read_gzip(const std::string& path) {
  std::string out;
  gzFile file = gzopen(path.c_str(), "rb");
  if (file == nullptr) return out;
  std::string buffer(1 << 20, '\0');
  for (int got = 0; (got = gzread(file, buffer.data(), static_cast<unsigned>(buffer.size()))) > 0;) {
    out.append(buffer.data(), static_cast<std::size_t>(got));
  }
  gzclose(file);
  return out;
}

/// A value that fits a schema, for building requests.
Value sample(const Value& document, const Value& schema, int depth) {
  const Value& resolved = resolve_schema(document, schema);
  if (const Value* list = resolved.find("enum"); list != nullptr && list->size() > 0) return list->as_array()[0];
  const std::string type = schema_type(document, resolved);
  if (type == "integer") return 7;
  if (type == "number") return 1.5;
  if (type == "boolean") return true;
  if (type == "array") {
    const Value* items = resolved.find("items");
    return Value::array({depth > 6 || items == nullptr ? Value("x") : sample(document, *items, depth + 1)});
  }
  if (type == "object" || type.empty()) {
    json::ObjectBuilder builder;
    if (depth <= 6) {
      visit_properties(document, resolved, [&](std::string_view name, const Value& property, bool) {
        builder.add(name, sample(document, property, depth + 1));
      });
    }
    return builder.finish();
  }
  return "a b/c";
}

TEST(Corpus, LoadsNearlyAllConnectorsAndBuildsTheirRequests) {
  const std::string path = std::string(FLOWMEND_SOURCE_DIR) + "/../shared/corpus/connectors.jsonl.gz";
  if (!std::filesystem::exists(path)) GTEST_SKIP() << path << " is not here: the corpus is not part of the project";
  const std::string text = read_gzip(path);
  ASSERT_FALSE(text.empty());

  std::size_t connectors = 0;
  std::size_t loaded = 0;
  std::size_t operations = 0;
  std::size_t usable = 0;
  std::size_t built = 0;
  std::map<std::string, std::size_t> refusals;
  std::map<std::string, std::size_t> findings;
  std::size_t at = 0;
  while (at < text.size()) {
    const std::size_t end = std::min(text.find('\n', at), text.size());
    const auto line = json::parse(std::string_view(text).substr(at, end - at));
    at = end + 1;
    if (!line) continue;
    ++connectors;
    const Value* swagger = line->find("swagger");
    const Value* properties = line->find("properties");
    const Loaded result =
        load_connector(swagger == nullptr ? Value() : *swagger, properties == nullptr ? Value() : *properties);
    std::set<std::string> codes;
    for (const Diagnostic& diagnostic : result.diagnostics) {
      EXPECT_FALSE(diagnostic.message.empty());
      EXPECT_FALSE(diagnostic.cure.empty()) << diagnostic.code;
      codes.insert(diagnostic.code);
    }
    for (const std::string& code : codes) ++findings[code];
    if (!result.connector) {
      ASSERT_FALSE(result.diagnostics.empty()) << line->text_of("id") << ": refused without a reason";
      continue;
    }
    ++loaded;
    operations += result.connector->operations.size();
    usable += result.connector->usable_operations();
    Value fields = Value::object({{"api_key", "k"}, {"username", "u"}, {"password", "p"}, {"token", "t"}});
    {
      json::ObjectBuilder builder(fields);
      for (const ConnectionParameter& parameter : result.connector->connection_parameters)
        builder.set(parameter.name, "host.test");
      fields = builder.finish();
    }
    for (const Operation& operation : result.connector->operations) {
      if (!operation.unavailable.code.empty()) continue;
      json::ObjectBuilder parameters;
      for (const OperationParameter& parameter : operation.parameters) {
        if (parameter.visibility == Visibility::internal) continue;
        Value value = parameter.type == "integer" || parameter.type == "number" ? Value(5)
                      : parameter.type == "boolean"                             ? Value(true)
                      : parameter.type == "array"                               ? Value::array({"a", "b"})
                                                                                : Value("a b/c");
        if (parameter.place == ParameterPlace::body) value = sample(result.connector->swagger, parameter.schema, 0);
        if (parameter.enumeration.size() > 0) value = parameter.enumeration.as_array()[0];
        if (value.is_string() && value.as_string().empty()) continue;
        parameters.set(parameter.name, value);
      }
      const auto request = build_request(*result.connector, operation, parameters.finish(), fields);
      if (request) {
        ++built;
        EXPECT_NE(request->url.find("://"), std::string::npos);
        EXPECT_EQ(request->url.find_first_of(" \r\n"), std::string::npos) << request->url;
      } else {
        ++refusals[request.error().code + ": " + request.error().message.substr(0, 60)];
      }
    }
  }
  std::cout << "connectors " << connectors << ", loaded " << loaded << "; operations " << operations << ", usable "
            << usable << ", requests built " << built << "\n";
  for (const auto& [code, count] : findings) std::cout << "  " << count << " connectors with " << code << "\n";
  std::vector<std::pair<std::size_t, std::string>> sorted;
  for (const auto& [code, count] : refusals) sorted.emplace_back(count, code);
  std::sort(sorted.rbegin(), sorted.rend());
  for (std::size_t i = 0; i < sorted.size() && i < 12; ++i)
    std::cout << "  not built: " << sorted[i].first << " " << sorted[i].second << "\n";
  EXPECT_GE(loaded * 100, connectors * 98);
  EXPECT_GE(built * 100, usable * 95);
}

}  // namespace
}  // namespace flowmend::connector
