// Real connectors from outside: reading them never crashes, and nearly all of them load.

#include <algorithm>
#include <iostream>
#include <map>
#include <set>
#include <string>

#include <gtest/gtest.h>

#include "connector/corpus_test.h"
#include "connector/document.h"
#include "connector/request.h"
#include "json/parse.h"
#include "json/write.h"

namespace flowmend::connector {
namespace {

TEST(Corpus, LoadsNearlyAllConnectors) {
  const std::string text = read_connector_corpus();
  if (text.empty()) GTEST_SKIP() << "the corpus is not part of the project";

  std::size_t connectors = 0;
  std::size_t loaded = 0;
  std::size_t operations = 0;
  std::size_t usable = 0;
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
  }
  std::cout << "connectors " << connectors << ", loaded " << loaded << "; operations " << operations << ", usable "
            << usable << "\n";
  for (const auto& [code, count] : findings) std::cout << "  " << count << " connectors with " << code << "\n";
  EXPECT_GE(loaded * 100, connectors * 98);
  EXPECT_GE(usable * 100, operations * 95);
}

}  // namespace
}  // namespace flowmend::connector
