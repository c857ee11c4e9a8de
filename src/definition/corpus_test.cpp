#include <zlib.h>

#include <gtest/gtest.h>

#include <algorithm>
#include <iostream>
#include <map>
#include <string>

#include "definition/flow.h"
#include "definition/service_providers.h"
#include "json/parse.h"

namespace flowmend::definition {
namespace {

/// Types that the corpus's README calls out of scope, anywhere in the definition.
bool is_out_of_scope(const Value& value) {
  if (value.is_array()) return std::ranges::any_of(value.as_array(), is_out_of_scope);
  if (!value.is_object()) return false;
  for (const std::string_view type :
       {"Agent", "ParseDocument", "ParseDocumentWithMetadata", "ChunkText", "FlatFileEncoding", "FlatFileDecoding"}) {
    if (value.text_of("type") == type) return true;
  }
  if (value.text_of("type").starts_with("RosettaNet")) return true;
  return std::ranges::any_of(value.as_object(),
                             [](const json::Member& member) { return is_out_of_scope(member.value); });
}

struct Share {
  int all = 0;
  int here = 0;
};

void count_service_providers(const Value& value, bool trigger, Share& share) {
  if (value.is_array()) {
    for (const Value& one : value.as_array()) count_service_providers(one, trigger, share);
  }
  if (!value.is_object()) return;
  const Value* inputs = value.find("inputs");
  if (value.text_of("type") == "ServiceProvider" && inputs != nullptr) {
    ++share.all;
    share.here += find_service_provider(*inputs, trigger) != nullptr ? 1 : 0;
  }
  for (const json::Member& member : value.as_object()) {
    const bool below_triggers = member.name() == "triggers";
    count_service_providers(member.value, below_triggers || (trigger && member.name() != "actions"), share);
  }
}

TEST(Corpus, CompilesRealFlowsWithoutInternalError) {
  const char* path = FLOWMEND_SOURCE_DIR "/../shared/corpus/definitions.jsonl.gz";
  gzFile file = gzopen(path, "rb");
  if (file == nullptr) GTEST_SKIP() << "the corpus of real flows is not beside the source folder";
  std::string text;
  char buffer[65536];
  for (int n = 0; (n = gzread(file, buffer, sizeof buffer)) > 0;) text.append(buffer, static_cast<std::size_t>(n));
  gzclose(file);
  std::map<std::string, int> reasons;
  int total = 0;
  int good = 0;
  int in_scope = 0;
  Share service_providers;
  for (std::size_t at = 0; at < text.size();) {
    const std::size_t end = std::min(text.find('\n', at), text.size());
    const auto row = json::parse(std::string_view(text).substr(at, end - at));
    at = end + 1;
    ASSERT_TRUE(row.has_value());
    ASSERT_NE(row->find("definition"), nullptr);
    count_service_providers(*row->find("definition"), false, service_providers);
    const Compiled compiled = compile(*row->find("definition"));
    ++total;
    for (const Diagnostic& d : compiled.diagnostics) ASSERT_NE(d.code, "InternalError") << row->text_of("id");
    EXPECT_EQ(compiled.flow != nullptr, std::ranges::none_of(compiled.diagnostics, [](const Diagnostic& d) {
                return d.severity == Severity::error;
              }));
    if (is_out_of_scope(row->find("definition")->is_object() ? *row->find("definition") : Value())) continue;
    ++in_scope;
    if (compiled.flow) {
      ++good;
      continue;
    }
    for (const Diagnostic& d : compiled.diagnostics) {
      if (d.severity != Severity::error) continue;
      ++reasons[d.code];
      std::cout << "  " << row->text_of("id") << ' ' << d.pointer << ' ' << d.code << ' ' << d.message.substr(0, 170)
                << '\n';
      break;
    }
  }
  std::cout << total << " definitions, " << in_scope << " without types that are out of scope, " << good
            << " compile\n";
  for (const auto& [code, count] : reasons) std::cout << count << ' ' << code << '\n';
  std::cout << service_providers.all << " ServiceProvider steps and triggers, " << service_providers.here
            << " have an operation here\n";
  EXPECT_GE(service_providers.here * 100, service_providers.all * 25);
  EXPECT_GE(good * 100, in_scope * 97);  // those left: docs/compatibility.md
}

}  // namespace
}  // namespace flowmend::definition
