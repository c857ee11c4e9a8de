// bench_foreach ITEMS CONCURRENCY FOLDER: W3. One run of a Foreach over ITEMS items with one Compose each. Prints one
// JSON line: seconds until the run has ended durably, highest memory, bytes on disk.

#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <optional>
#include <string>

#include "harness.h"

int main(int argc, char** argv) {
  using namespace flowmend;
  if (argc != 4 || std::atol(argv[1]) <= 0 || std::atol(argv[2]) <= 0) {
    std::fprintf(stderr, "usage: bench_foreach ITEMS CONCURRENCY FOLDER\n");
    return 2;
  }
  std::string definition = R"json({"triggers":{"manual":{"type":"Request","kind":"Http","inputs":{"schema":{}}}},
    "actions":{"Each":{"type":"Foreach","foreach":"@range(0, ITEMS)","runAfter":{},
      "runtimeConfiguration":{"concurrency":{"repetitions":CONCURRENCY}},
      "actions":{"Line":{"type":"Compose","inputs":{"item":"@item()","text":"number @{item()}"},"runAfter":{}}}}}})json";
  definition.replace(definition.find("ITEMS"), 5, argv[1]);
  definition.replace(definition.find("CONCURRENCY"), 11, argv[2]);
  const std::string folder = argv[3];
  std::optional<bench::Bench> driver(std::in_place, folder, definition);
  const auto memory_before = bench::peak_memory();
  const auto cpu_before = bench::cpu_seconds();
  const auto begin = bench::Clock::now();
  driver->start("w3", "{}");
  driver->ends.wait(1);
  const std::chrono::duration<double> took = bench::Clock::now() - begin;
  const auto cpu = bench::cpu_seconds() - cpu_before;
  const auto failed = driver->ends.failed();
  const auto memory = bench::peak_memory();
  driver.reset();
  std::printf(
      "{\"items\":%s,\"concurrency\":%s,\"failed\":%zu,\"seconds\":%.3f,\"cpu_seconds\":%.3f,\"peak_mb\":%.0f,"
      "\"peak_before_mb\":%.0f,\"stored_mb\":%.1f}\n",
      argv[1], argv[2], failed, took.count(), cpu, static_cast<double>(memory) / 1e6,
      static_cast<double>(memory_before) / 1e6,
      static_cast<double>(std::filesystem::file_size(folder + "/data/flowmend.db")) / 1e6);
}
