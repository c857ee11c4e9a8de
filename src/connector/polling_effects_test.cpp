// A polling trigger over a real service on loopback that keeps no place for its callers.

#include <cstdlib>
#include <filesystem>
#include <future>

#include <gtest/gtest.h>

#include "connector/effects.h"
#include "connector/master_key.h"
#include "connector/sealer.h"
#include "http/listener.h"
#include "json/parse.h"
#include "store/sqlite/open.h"

namespace flowmend::connector {
namespace {

TEST(PollingEffects, TheNextQuestionAsksAfterTheLastAnswer) {
  std::string folder = (std::filesystem::temp_directory_path() / "flowmend-polling-XXXXXX").string();
  ASSERT_NE(::mkdtemp(folder.data()), nullptr);
  auto store = store::sqlite::open({.folder = folder}).value();
  auto sealer = open_master_key(folder + "/master.key").value();
  std::mutex mutex;
  std::vector<std::string> asked;
  http::ListenerOptions options;
  options.port = 0;
  http::Listener listener(options, [&](http::IncomingRequest request, const http::Responder& responder) {
    const std::lock_guard lock(mutex);
    asked.push_back(request.query);
    responder.send({200,
                    {{"Content-Type", "application/json"}},
                    R"({"files":[{"created":")" + std::to_string(asked.size()) + R"("}]})"});
  });
  ASSERT_TRUE(listener.start());
  http::Client client;
  Registry registry(*store);
  Connections connections(*store, *sealer, registry, client);
  ASSERT_TRUE(connections.load());
  ASSERT_TRUE(registry.install(
      json::parse(R"({"swagger": "2.0", "info": {"title": "Files"}, "host": "127.0.0.1:)" +
                  std::to_string(listener.port()) + R"(", "schemes": ["http"], "paths": {"/files": {"get": {
        "operationId": "NewFiles", "x-ms-trigger": "batch", "parameters": [
          {"name": "after", "in": "query", "type": "string", "x-ms-visibility": "internal"},
          {"name": "folder", "in": "query", "type": "string"}], "responses": {"200": {"description": ""}}}}}})")
          .value(),
      json::parse(R"({"properties": {"policyTemplateInstances": [{"templateId": "pollingtrigger", "parameters": {
        "x-ms-apimTemplate-operationName": ["NewFiles"], "x-ms-apimTemplateParameter.triggerDataPath": "@triggerBody().files",
        "x-ms-apimTemplateParameter.triggerConfig": {"after": "@{triggerBody().files[0].created}"}}}]}})")
          .value()));
  ASSERT_TRUE(connections.put_unverified({"shared_files", "files"}, "Files", Value::empty_object(), "ann"));
  ConnectorEffects effects(client, connections);
  const auto ask = [&](const std::string& place, const std::string& run) {
    engine::Call call;
    call.kind = engine::Call::Kind::connector;
    call.timeout = Duration::seconds(10);
    call.inputs =
        json::parse(R"({"host": {"apiId": "shared_files", "connectionName": "files", "operationId": "NewFiles"},
      "parameters": {"folder": "in"}})")
            .value();
    call.get_poll = !place.empty();
    call.poll_uri = place;
    runtime::CallContext context;
    context.flow = std::make_shared<definition::Flow>();
    context.run = run;
    std::promise<engine::AttemptFinished> answered;
    effects.send({-1, {}, 1}, call, context,
                 [&](engine::AttemptFinished outcome) { answered.set_value(std::move(outcome)); });
    return answered.get_future().get();
  };
  const auto place_of = [](const engine::AttemptFinished& outcome) {
    return std::string(outcome.headers.text_of("Location"));
  };
  const auto first = ask("", "");
  EXPECT_EQ(first.status_code, 202);
  const auto second = ask(place_of(first), "");
  EXPECT_EQ(second.status_code, 200);
  const auto third = ask(place_of(second), "");
  EXPECT_EQ(third.status_code, 200);
  const auto action = ask("", "a run");  // a step that uses the same operation gets the answer as it is
  EXPECT_EQ(action.status_code, 200);
  EXPECT_EQ(place_of(action), "");
  EXPECT_EQ(asked, (std::vector<std::string>{"folder=in", "folder=in&after=1", "folder=in&after=2", "folder=in"}));
  std::filesystem::remove_all(folder);
}

}  // namespace
}  // namespace flowmend::connector
