// bench_connector_load FILE.jsonl: reads connectors, one `{"swagger","properties"}` a line, and compiles them as the
// server does; all stay in memory. Prints one JSON line: seconds for the parsing and the compiling, and the memory that
// the compiled ones hold (their documents with them).

#include <chrono>
#include <cstdio>
#include <fstream>
#include <memory>
#include <string>
#include <vector>

#include "connector/document.h"
#include "json/parse.h"

namespace {

using Clock = std::chrono::steady_clock;

/// Resident memory of this process now, in bytes.
std::size_t resident() {
  std::ifstream statm("/proc/self/statm");
  std::size_t pages = 0;
  std::size_t resident_pages = 0;
  statm >> pages >> resident_pages;
  return resident_pages * 4096;
}

}  // namespace

int main(int argc, char** argv) {
  using namespace flowmend;
  if (argc != 2) {
    std::fprintf(stderr, "usage: bench_connector_load FILE.jsonl\n");
    return 2;
  }
  std::ifstream file(argv[1], std::ios::binary);
  if (!file) {
    std::fprintf(stderr, "%s can't be read\n", argv[1]);
    return 2;
  }
  // Line by line: the file's text is no part of what is measured.
  std::vector<std::shared_ptr<const connector::Connector>> loaded;
  std::string line;
  std::size_t connectors = 0;
  std::size_t operations = 0;
  std::size_t bytes = 0;
  std::chrono::duration<double> parsing{};
  std::chrono::duration<double> compiling{};
  const std::size_t before = resident();
  while (std::getline(file, line)) {
    ++connectors;
    bytes += line.size();
    const auto begin = Clock::now();
    const auto value = json::parse(line);
    const auto parsed = Clock::now();
    parsing += parsed - begin;
    if (!value) continue;
    const json::Value* swagger = value->find("swagger");
    const json::Value* properties = value->find("properties");
    auto one = connector::load_connector(swagger == nullptr ? json::Value() : *swagger,
                                         properties == nullptr ? json::Value() : *properties);
    compiling += Clock::now() - parsed;
    if (!one.connector) continue;
    operations += one.connector->operations.size();
    loaded.push_back(std::move(one.connector));
  }
  line = std::string();
  const std::size_t held = resident() - before;
  std::printf(
      "{\"connectors\":%zu,\"loaded\":%zu,\"operations\":%zu,\"document_mb\":%.1f,\"parse_seconds\":%.3f,"
      "\"compile_seconds\":%.3f,\"seconds\":%.3f,\"memory_mb\":%.1f}\n",
      connectors, loaded.size(), operations, static_cast<double>(bytes) / 1e6, parsing.count(), compiling.count(),
      (parsing + compiling).count(), static_cast<double>(held) / 1e6);
}
