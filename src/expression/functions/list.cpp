#include <algorithm>
#include <array>
#include <string>
#include <unordered_map>

#include "expression/functions/function.h"

namespace flowmend::expression {

namespace {

std::string lower(std::string_view name) {
  std::string out(name);
  std::ranges::transform(out, out.begin(), [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c; });
  return out;
}

}  // namespace

std::span<const FunctionTable> all_functions() {
  static const std::array tables = {
      logical_functions(), string_functions(),   collection_functions(), math_functions(),    conversion_functions(),
      object_functions(),  workflow_functions(), date_functions(),       content_functions(), uri_functions(),
      xml_functions(),     data_uri_functions(), date_zone_functions(),  format_functions(),
  };
  return tables;
}

const FunctionEntry* find_function(std::string_view name) {
  static const auto by_name = [] {
    std::unordered_map<std::string, const FunctionEntry*> map;
    for (const FunctionTable& table : all_functions()) {
      for (const FunctionEntry& entry : table) map.emplace(lower(entry.name), &entry);
    }
    return map;
  }();
  constexpr std::size_t name_bytes_max = 64;
  if (name.size() > name_bytes_max) return nullptr;
  const auto found = by_name.find(lower(name));
  return found == by_name.end() ? nullptr : found->second;
}

}  // namespace flowmend::expression
