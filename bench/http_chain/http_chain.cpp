// bench_http_chain RUNS FOLDER: W2 over HTTP. Starts RUNS runs of ten sequential Http actions against a loopback echo,
// at most 200 under way, waits until all have ended durably; then sends as many requests in the same chains with a bare
// libcurl loop that stores nothing. Prints one JSON line.

#include <cstdio>
#include <optional>
#include <string>
#include <vector>

#include "connector/connections.h"
#include "connector/effects.h"
#include "connector/registry.h"
#include "harness.h"
#include "http/client.h"
#include "http_chain/curl_chains.h"
#include "http_chain/echo.h"

namespace {

using namespace flowmend;
using bench::Clock;

constexpr std::size_t steps = 10;
constexpr std::size_t under_way_max = 200;

std::string ten_requests(const std::string& address) {
  std::string text = R"({"triggers":{"manual":{"type":"Request","kind":"Http","inputs":{"schema":{}}}},"actions":{)";
  for (std::size_t i = 0; i < steps; ++i) {
    text += (i == 0 ? "\"S" : ",\"S") + std::to_string(i) + R"(":{"type":"Http","inputs":{"method":"GET","uri":")" +
            address + "/" + std::to_string(i) + "\"},\"runAfter\":{";
    if (i > 0) text += "\"S" + std::to_string(i - 1) + "\":[\"Succeeded\"]";
    text += "}}";
  }
  return text + "}}";
}

/// The connectors' effects with what they need, as the server has them.
class HttpEffects final : public runtime::Effects {
 public:
  HttpEffects(store::Store& store, const engine::Sealer& sealer)
      : registry_(store), connections_(store, sealer, registry_, client_), effects_(client_, connections_) {}
  void send(const runtime::CallId& id, const engine::Call& call, const runtime::CallContext& context,
            std::function<void(engine::AttemptFinished)> done) override {
    effects_.send(id, call, context, std::move(done));
  }
  void cancel(const runtime::CallId& id) override { effects_.cancel(id); }

 private:
  http::Client client_;
  connector::Registry registry_;
  connector::Connections connections_;
  connector::ConnectorEffects effects_;
};

}  // namespace

int main(int argc, char** argv) {
  if (argc != 3 || std::atol(argv[1]) <= 0) {
    std::fprintf(stderr, "usage: bench_http_chain RUNS FOLDER\n");
    return 2;
  }
  const auto runs = static_cast<std::size_t>(std::atol(argv[1]));
  bench::Echo echo;
  std::optional<bench::Bench> driver(
      std::in_place, std::string(argv[2]), ten_requests(echo.address()), runtime::Settings{},
      [](store::Store& store, const engine::Sealer& sealer) { return std::make_unique<HttpEffects>(store, sealer); });
  const auto begin = Clock::now();
  for (std::size_t i = 0; i < runs; ++i) {
    if (i >= under_way_max) driver->ends.wait(i - under_way_max);
    driver->start(std::to_string(i), "{}");
  }
  driver->ends.wait(runs);
  const std::chrono::duration<double> took = Clock::now() - begin;
  const auto failed = driver->ends.failed();
  driver.reset();
  const auto received = echo.answered();
  const double bare = bench::run_curl_chains(echo.address() + "/0", runs, steps, under_way_max);
  const auto requests = static_cast<double>(runs * steps);
  std::printf(
      "{\"runs\":%zu,\"failed\":%zu,\"requests_received\":%llu,\"seconds\":%.3f,\"requests_per_s\":%.0f,"
      "\"libcurl_requests_per_s\":%.0f,\"ratio\":%.3f}\n",
      runs, failed, static_cast<unsigned long long>(received), took.count(), requests / took.count(), requests / bare,
      bare / took.count());
  return failed == 0 && received == runs * steps ? 0 : 1;
}
