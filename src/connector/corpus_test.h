#pragma once

#include <zlib.h>

#include <algorithm>
#include <filesystem>
#include <functional>
#include <string>

#include "json/parse.h"

namespace flowmend::connector {

/// The real connectors from outside, which are no part of the project; empty when they are not here.
inline std::string read_connector_corpus() {
  const std::string path = std::string(FLOWMEND_SOURCE_DIR) + "/../shared/corpus/connectors.jsonl.gz";
  std::string out;
  if (!std::filesystem::exists(path)) return out;
  gzFile file = gzopen(path.c_str(), "rb");
  if (file == nullptr) return out;
  std::string buffer(1 << 20, '\0');
  for (int got = 0; (got = gzread(file, buffer.data(), static_cast<unsigned>(buffer.size()))) > 0;)
    out.append(buffer.data(), static_cast<std::size_t>(got));
  gzclose(file);
  return out;
}

/// Calls `visit` with each line that is JSON: `{id, swagger, properties, hasScript}`.
inline void visit_lines(std::string_view text, const std::function<void(const json::Value&)>& visit) {
  for (std::size_t at = 0; at < text.size();) {
    const std::size_t end = std::min(text.find('\n', at), text.size());
    if (const auto line = json::parse(text.substr(at, end - at))) visit(*line);
    at = end + 1;
  }
}

}  // namespace flowmend::connector
