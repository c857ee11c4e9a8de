// bench_connector_calls COUNT FOLDER: COUNT requests to a service on loopback, 50 at a time: first by a bare libcurl
// loop, then by the OpenApiConnection action of one run (a Foreach), with everything that belongs to it: parameters
// checked, the credential put in, the run journalled durably. Prints one JSON line: requests a second of both, and
// their ratio, and the processor time of each (with the service's share), which a busy machine changes least.

#include <curl/curl.h>

#include <cstdio>
#include <cstdlib>
#include <string>
#include <vector>

#include "connector/effects.h"
#include "connector/master_key.h"
#include "connector/sealer.h"
#include "harness.h"
#include "http/listener.h"
#include "json/parse.h"
#include "runtime/executor.h"

namespace {

using namespace flowmend;

constexpr int at_a_time = 50;

std::size_t drop(char*, std::size_t size, std::size_t count, void*) { return size * count; }

/// Seconds for `count` requests; handles and connections are reused, as any good client does.
double bare(const std::string& url, std::size_t count) {
  CURLM* multi = curl_multi_init();
  std::vector<CURL*> handles;
  curl_slist* headers = curl_slist_append(nullptr, "X-Key: bench-key-1");
  std::size_t sent = 0;
  const auto next = [&](CURL* handle) {
    const std::string address = url + "/orders/" + std::to_string(sent++);
    curl_easy_setopt(handle, CURLOPT_URL, address.c_str());
    curl_multi_add_handle(multi, handle);
  };
  const auto begin = bench::Clock::now();
  for (int i = 0; i < at_a_time && sent < count; ++i) {
    CURL* handle = curl_easy_init();
    curl_easy_setopt(handle, CURLOPT_WRITEFUNCTION, drop);
    curl_easy_setopt(handle, CURLOPT_HTTPHEADER, headers);
    handles.push_back(handle);
    next(handle);
  }
  std::size_t done = 0;
  while (done < count) {
    int running = 0;
    curl_multi_perform(multi, &running);
    int left = 0;
    while (const CURLMsg* message = curl_multi_info_read(multi, &left)) {
      if (message->msg != CURLMSG_DONE) continue;
      CURL* handle = message->easy_handle;
      if (message->data.result != CURLE_OK) {
        std::fprintf(stderr, "the bare client failed: %s\n", curl_easy_strerror(message->data.result));
        std::exit(1);
      }
      ++done;
      curl_multi_remove_handle(multi, handle);
      if (sent < count) next(handle);
    }
    if (done < count) curl_multi_poll(multi, nullptr, 0, 100, nullptr);
  }
  const std::chrono::duration<double> took = bench::Clock::now() - begin;
  for (CURL* handle : handles) curl_easy_cleanup(handle);
  curl_slist_free_all(headers);
  curl_multi_cleanup(multi);
  return took.count();
}

/// Seconds for one run that does the same by an action, until it has ended durably; the folder must be empty.
double by_action(const std::string& folder, std::uint16_t port, std::size_t count) {
  auto store = store::sqlite::open({folder}).value();
  auto sealer = connector::open_master_key(folder + "/master.key").value();
  http::Client client;
  connector::Registry registry(*store);
  const auto swagger = json::parse(
      R"({"swagger": "2.0", "info": {"title": "Orders"}, "schemes": ["http"], "host": "127.0.0.1:)" +
      std::to_string(port) +
      R"(", "securityDefinitions": {"k": {"type": "apiKey", "in": "header", "name": "X-Key"}}, "paths": {"/orders/{id}":
      {"get": {"operationId": "GetOrder", "parameters": [{"name": "id", "in": "path", "required": true, "type": "integer"}], "responses": {}}}}})");
  if (!registry.install(*swagger, json::Value())) std::abort();
  connector::Connections connections(*store, *sealer, registry, client);
  if (!connections.load()) std::abort();
  if (!connections.put_unverified({"shared_orders", "orders"}, "Orders", *json::parse(R"({"api_key": "bench-key-1"})"),
                                  "bench"))
    std::abort();
  connector::ConnectorEffects effects(client, connections);
  auto runtime = runtime::Runtime::start({*store, effects, *sealer, runtime::make_thread_executor()}, {}).value();
  bench::Ends ends;
  runtime->add_listener(ends);
  runtime::FlowDraft draft;
  draft.display_name = "bench";
  std::string definition = R"json({"triggers":{"manual":{"type":"Request","kind":"Http","inputs":{"schema":{}}}},
    "actions":{"Each":{"type":"Foreach","foreach":"@range(0, COUNT)","runAfter":{},
      "runtimeConfiguration":{"concurrency":{"repetitions":50}},
      "actions":{"Get":{"type":"OpenApiConnection","runAfter":{},"inputs":{"host":{"apiId":
        "/providers/Microsoft.PowerApps/apis/shared_orders","connectionName":"orders","operationId":"GetOrder"},
        "parameters":{"id":"@item()"}}}}}}})json";
  definition.replace(definition.find("COUNT"), 5, std::to_string(count));
  draft.definition = *json::parse(definition);
  draft.connection_references = *json::parse(
      R"({"orders":{"connectionName":"orders","id":"/providers/Microsoft.PowerApps/apis/shared_orders","source":"Embedded"}})");
  const auto saved = runtime->flows().create(draft, "bench").value();
  if (!saved.flow) {
    std::fprintf(stderr, "%s\n", saved.diagnostics.at(0).message.c_str());
    std::exit(1);
  }
  const auto address = runtime->callback_address(saved.flow->id, "manual", runtime::KeyType::primary, {}).value().value;
  const auto path = address.find('/', 8);
  const auto query = address.find('?');
  const auto begin = bench::Clock::now();
  runtime->invoke({"POST", address.substr(path, query - path), address.substr(query + 1), {}, "{}"},
                  [](const runtime::Answer&) {});
  ends.wait(1);
  const std::chrono::duration<double> took = bench::Clock::now() - begin;
  if (ends.failed() > 0) {
    std::fprintf(stderr, "the run failed\n");
    std::exit(1);
  }
  runtime.reset();
  return took.count();
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 3 || std::atol(argv[1]) <= 0) {
    std::fprintf(stderr, "usage: bench_connector_calls COUNT FOLDER\n");
    return 2;
  }
  const auto count = static_cast<std::size_t>(std::atol(argv[1]));
  curl_global_init(CURL_GLOBAL_DEFAULT);
  http::ListenerOptions options;
  options.port = 0;
  http::Listener service(options, [](http::IncomingRequest request, const http::Responder& responder) {
    if (request.header("X-Key") != "bench-key-1") return responder.send({401, {}, "{}"});
    responder.send({200, {{"Content-Type", "application/json"}}, R"({"id":7,"customer":"Ada","total":12.5})"});
  });
  if (!service.start()) std::abort();
  const std::string url = "http://127.0.0.1:" + std::to_string(service.port());
  const double cpu_before = bench::cpu_seconds();
  const double alone = bare(url, count);
  const double cpu_between = bench::cpu_seconds();
  const double action = by_action(argv[2], service.port(), count);
  const double cpu_after = bench::cpu_seconds();
  const auto per_request = [&](double seconds) { return seconds * 1e6 / static_cast<double>(count); };
  const auto rate = [&](double seconds) { return static_cast<double>(count) / seconds; };
  std::printf(
      "{\"requests\":%zu,\"at_a_time\":%d,\"bare_per_second\":%.0f,\"action_per_second\":%.0f,\"ratio\":%.2f,"
      "\"bare_cpu_us\":%.0f,\"action_cpu_us\":%.0f}\n",
      count, at_a_time, rate(alone), rate(action), alone / action, per_request(cpu_between - cpu_before),
      per_request(cpu_after - cpu_between));
}
