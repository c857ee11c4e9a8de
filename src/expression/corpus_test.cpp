// Reads every expression of the shared corpus of real definitions: each must parse and bind, or give a diagnostic that
// a person agrees with (those are counted and listed when the test runs).

#include <algorithm>
#include <ctime>
#include <iostream>
#include <map>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include <gtest/gtest.h>
#include <zlib.h>

#include "expression/template.h"
#include "json/parse.h"

namespace flowmend::expression {
namespace {

std::string read_gzip(const std::string& path) {
  std::string text;
  gzFile file = gzopen(path.c_str(), "rb");
  if (file == nullptr) return text;
  std::vector<char> buffer(1 << 16);
  for (int count = 0; (count = gzread(file, buffer.data(), static_cast<unsigned>(buffer.size()))) > 0;) {
    text.append(buffer.data(), static_cast<std::size_t>(count));
  }
  gzclose(file);
  return text;
}

/// Every name is known: this test is about syntax, functions and argument counts.
class AllNames final : public Names {
 public:
  std::int32_t action(std::string_view) const override { return 0; }
  std::int32_t variable(std::string_view) const override { return 0; }
  std::int32_t parameter(std::string_view) const override { return 0; }
};

TEST(Corpus, EveryExpressionParsesAndBinds) {
  const std::string text = read_gzip(std::string(FLOWMEND_SOURCE_DIR) + "/../shared/corpus/definitions.jsonl.gz");
  if (text.empty()) GTEST_SKIP() << "../shared/corpus/definitions.jsonl.gz is not here";
  std::vector<Value> definitions;
  for (std::size_t at = 0; at < text.size();) {
    const std::size_t end = std::min(text.find('\n', at), text.size());
    if (end > at) {
      auto line = json::parse(std::string_view(text).substr(at, end - at));
      ASSERT_TRUE(line.has_value()) << line.error().message;
      definitions.push_back(*line);
    }
    at = end + 1;
  }
  ASSERT_GT(definitions.size(), 1'000u);

  const AllNames names;
  Diagnostics diagnostics;
  std::size_t mentions = 0;
  const std::clock_t start = std::clock();  // processor time: other work on the machine must not count
  for (const Value& line : definitions) {
    const Value* definition = line.find("definition");
    ASSERT_NE(definition, nullptr);
    const Template compiled = Template::compile(*definition, names, std::string(line.text_of("id")) + "|", diagnostics);
    mentions += compiled.mentions().size();
  }
  const auto took_ms = (std::clock() - start) * 1000 / CLOCKS_PER_SEC;
  std::map<std::string, int> findings;
  for (const Diagnostic& diagnostic : diagnostics) ++findings[diagnostic.message.substr(0, 300)];
  for (const auto& [message, count] : findings) std::cout << count << " x " << message << '\n';
  std::cout << definitions.size() << " definitions, " << mentions << " references, " << diagnostics.size()
            << " findings, parsed and bound in " << took_ms << " ms\n";
  EXPECT_GT(mentions, 10'000u);
}

}  // namespace
}  // namespace flowmend::expression
