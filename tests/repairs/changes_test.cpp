// What changed since the last good run, over recorded journals in a real store.
#include <filesystem>

#include <gtest/gtest.h>

#include "base/ids.h"
#include "connector/master_key.h"
#include "connector/sealer.h"
#include "engine/journal.h"
#include "json/parse.h"
#include "json/write.h"
#include "repair/changes/last_good.h"
#include "repair/explanation.h"
#include "runtime/executor.h"
#include "store/sqlite/open.h"

namespace flowmend::repair {
namespace {

Value json_of(std::string_view text) {
  const auto value = json::parse(text);
  EXPECT_TRUE(value) << text;
  return value ? *value : Value();
}

std::string definition(std::string_view path, std::string_view secure = "") {
  return R"j({"triggers":{"manual":{"type":"Request","kind":"Http","inputs":{"schema":{}}}},"actions":{
    "Ask":{"type":"Http","runAfter":{},"inputs":{"method":"GET","uri":"https://shop.test)j" +
         std::string(path) + R"j("})j" + std::string(secure) + R"j(},
    "Use":{"type":"Compose","runAfter":{"Ask":["Succeeded"]},"inputs":"@toUpper(body('Ask')?['name'])"}}})j";
}

class LastGoodTest : public testing::Test {
 protected:
  LastGoodTest() : executor_(runtime::make_thread_executor()) {
    char name[] = "/tmp/flowmend-changes-XXXXXX";
    folder_ = mkdtemp(name);
    store_ = store::sqlite::open({folder_}).value();
    sealer_ = connector::open_master_key(folder_ + "/master.key").value();
    flows_ = std::make_unique<runtime::Flows>(*store_, *sealer_, *executor_);
    draft_.display_name = "Sell";
    now_ = now_from_system_clock();
  }
  ~LastGoodTest() override {
    flows_.reset();
    store_.reset();
    std::filesystem::remove_all(folder_);
  }
  void save(const std::string& text) {
    draft_.definition = json_of(text);
    const auto saved = id_.empty() ? flows_->create(draft_, "ann") : flows_->update(id_, draft_, "bob");
    ASSERT_TRUE(saved && saved->flow);
    id_ = saved->flow->id;
  }
  std::shared_ptr<const definition::Flow> flow() { return (*flows_->find(id_))->flow; }
  /// A run in which Ask answers `outputs`, and Use fails when `fails` says so ("Ask": it fails instead).
  engine::Events run(std::string_view outputs, std::string_view fails, std::string_view inputs = "{}",
                     Duration took = Duration::milliseconds(100)) {
    now_ = now_ + Duration::minutes(1);
    store::RunRow row;
    row.number = ++numbers_;
    row.name = make_run_name(now_, static_cast<std::uint64_t>(numbers_));
    row.flow = id_;
    row.version = flow()->version;
    row.started = now_;
    row.ended = now_ + took;
    row.status = fails.empty() ? store::RunStatus::succeeded : store::RunStatus::failed;
    row.trigger = "manual";
    engine::RunStarted started;
    started.run = row.name;
    started.time = now_;
    started.trigger = json_of(R"({"name":"manual","outputs":{"body":{}}})");
    engine::Events events{started};
    for (const definition::Action& action : flow()->actions) {
      engine::ActionEnded ended;
      ended.place = {action.id, 0};
      ended.started = now_;
      ended.ended = now_ + took;
      ended.inputs = json_of(action.name == "Ask" ? inputs : "null");
      ended.has_inputs = true;
      ended.outputs = json_of(action.name == "Ask" ? outputs : "null");
      ended.has_outputs = true;
      if (action.name == fails) {
        ended.status = engine::Status::failed;
        ended.code = "BadRequest";
        if (action.name == "Use") ended.fault = {"InvalidTemplate", "Unable to process template language", {}};
      }
      events.emplace_back(ended);
      if (action.name == fails) break;
    }
    engine::RunEnded over;
    over.status = fails.empty() ? engine::Status::succeeded : engine::Status::failed;
    over.time = row.ended;
    if (!fails.empty()) over.culprit = std::get<engine::ActionEnded>(events.back()).place;
    events.emplace_back(over);
    store::Batch batch;
    batch.runs.push_back(row);
    batch.journal.push_back({row.number, 0, engine::encode(events, *sealer_)});
    store_->commit(std::move(batch), {});
    EXPECT_TRUE(store_->write([](store::Transaction&) -> Result<void> { return {}; }));  // waits for it
    last_ = row.name;
    return events;
  }
  Value compare(const engine::Events& events) {
    const auto failure = find_failure(*flow(), events);
    EXPECT_TRUE(failure);
    const auto facts = gather_facts(*flow(), *failure, nullptr);
    const auto changes = changes_since_last_good({*store_, *sealer_, *flows_, nullptr}, *flow(), *failure,
                                                 facts.origin ? &*facts.origin : nullptr);
    EXPECT_TRUE(changes);
    return changes ? *changes : Value();
  }
  static std::string words(const Value& since) {
    std::string out;
    if (const Value* changes = since.find("changes")) {
      for (const Value& change : changes->as_array()) out += std::string(change.text_of("text")) + "|";
    }
    return out;
  }

  runtime::FlowDraft draft_;
  Timestamp now_;
  store::RunNumber numbers_ = 0;
  std::string id_;
  std::string last_;
  std::string folder_;
  std::shared_ptr<runtime::Executor> executor_;
  std::unique_ptr<store::Store> store_;
  std::unique_ptr<engine::Sealer> sealer_;
  std::unique_ptr<runtime::Flows> flows_;
};

TEST_F(LastGoodTest, WithoutAGoodRunNothingIsSaid) {
  save(definition("/a"));
  run(R"({"statusCode":200,"body":{}})", "Use");
  EXPECT_TRUE(compare(run(R"({"statusCode":200,"body":{}})", "Use")).is_null());
}

TEST_F(LastGoodTest, WhatTheStepBeforeReturnedIsComparedForAValueThatIsMissing) {
  save(definition("/a"));
  run(R"({"statusCode":200,"body":{"name":"x"}})", "");
  const std::string good = last_;
  run(R"({"statusCode":200,"body":{}})", "Use");
  const Value since = compare(run(R"({"statusCode":200,"body":{}})", "Use"));
  EXPECT_EQ(since.text_of("run"), good);
  EXPECT_EQ(words(since), "Of what 'Ask' returned 'body/name' is not there any more.|");
}

TEST_F(LastGoodTest, TheStepsOwnDefinitionIsCompared) {
  save(definition("/a"));
  run(R"({"statusCode":200,"body":{"name":"x"}})", "");
  save(definition("/b"));
  const Value since = compare(run(R"({"statusCode":404,"body":{"message":"gone"}})", "Ask"));
  EXPECT_EQ(words(since), "In the step 'inputs/uri' was changed.|The service answered 200, and 404 now.|");
  EXPECT_EQ(since.find("changes")->as_array()[0].text_of("before"), "https://shop.test/a");
  const Value other = compare(run(R"({"statusCode":200,"body":{"name":null}})", "Use"));
  EXPECT_TRUE(words(other).starts_with("The flow was saved since (the version in use at ")) << words(other);
  EXPECT_NE(words(other).find(" by bob), but this step is as it was.|"), std::string::npos) << words(other);
}

TEST_F(LastGoodTest, InputsSizeAndTimeAreCompared) {
  save(definition("/a"));
  run(R"({"statusCode":200,"body":{"name":"x"}})", "", R"({"method":"GET","queries":{"id":7}})");
  const Value since = compare(run(R"({"statusCode":400,"body":{"message":")" + std::string(9000, 'x') + R"("}})", "Ask",
                                  R"({"method":"GET","queries":{"id":null}})", Duration::seconds(20)));
  EXPECT_EQ(words(since),
            "Its input 'queries/id' was a number and is null now.|The service answered 200, and 400 now.|"
            "The body of the answer had 12 bytes and has 9014 bytes now.|The step took 100 ms and takes 20 s now.|");
}

TEST_F(LastGoodTest, WhatIsKeptSecureIsNotCompared) {
  save(definition("/a", R"(,"runtimeConfiguration":{"secureData":{"properties":["inputs","outputs"]}})"));
  run(R"({"statusCode":200,"body":{"name":"x"}})", "", R"({"pin":"hidden"})");
  const Value since = compare(run(R"({"statusCode":400,"body":{"secretname":1}})", "Ask", R"({"pin":null})"));
  EXPECT_EQ(words(since), "The service answered 200, and 400 now.|");
  EXPECT_EQ(json::write(since).find("pin"), std::string::npos);
}

TEST_F(LastGoodTest, AConnectionThatWasChangedOrBrokeBetweenTheRunsIsNamed) {
  const auto with = [](std::string_view name) {
    return R"j({"triggers":{"manual":{"type":"Request","kind":"Http","inputs":{"schema":{}}}},"actions":{
      "Ask":{"type":"OpenApiConnection","runAfter":{},"inputs":{"host":{"apiId":"/providers/Microsoft.PowerApps/apis/shared_orders",
        "connectionName":"shared_orders","operationId":"Get"},"parameters":{}}},
      "Use":{"type":"Compose","runAfter":{"Ask":["Succeeded"]},"inputs":")j" +
           std::string(name) + R"j("}}})j";
  };
  const auto reference = [&](const char* name) {
    draft_.connection_references = Value::object(
        {{"shared_orders", Value::object({{"connectionName", Value(name)},
                                          {"id", Value("/providers/Microsoft.PowerApps/apis/shared_orders")}})}});
  };
  reference("orders");
  save(with("a"));
  run(R"({"statusCode":200,"body":{}})", "");
  const auto keep = [&](const char* name, const char* display, Timestamp modified, const char* status) {
    ASSERT_TRUE(store_->put_document("connection", std::string("shared_orders/") + name,
                                     Value::object({{"displayName", Value(display)},
                                                    {"status", Value(status)},
                                                    {"lastModifiedTime", Value(to_string(modified))},
                                                    {"lastSuccessTime", Value("2026-01-02T03:04:00Z")}})));
  };
  keep("orders", "Orders", now_ + Duration::seconds(30), "Error");
  keep("other", "Other orders", now_ - Duration::days(9), "Connected");
  http::Client client;
  connector::Registry registry(*store_);
  connector::Connections connections(*store_, *sealer_, registry, client);
  ASSERT_TRUE(connections.load());
  const auto since = [&](const engine::Events& events) {
    const auto changes = changes_since_last_good({*store_, *sealer_, *flows_, &connections}, *flow(),
                                                 *find_failure(*flow(), events), nullptr);
    return changes ? words(*changes) : changes.error().message;
  };
  const std::string broken = since(run(R"({"statusCode":200,"body":{}})", "Ask"));
  EXPECT_TRUE(broken.starts_with("The connection 'Orders' was changed at ")) << broken;
  EXPECT_NE(broken.find("its service accepted it last at 2026-01-02 03:04 UTC."), std::string::npos) << broken;
  reference("other");
  save(with("a"));
  const std::string other = since(run(R"({"statusCode":200,"body":{}})", "Ask"));
  EXPECT_NE(other.find("It used the connection 'Orders' and uses 'Other orders' now.|"), std::string::npos) << other;
}

TEST_F(LastGoodTest, RunsFurtherBackThanTheBoundAreNotLookedAt) {
  save(R"j({"triggers":{"manual":{"type":"Request","kind":"Http","inputs":{"schema":{}}}},"actions":{}})j");
  const std::string empty = json::write(draft_.definition);
  save(definition("/a"));
  run(R"({"statusCode":200,"body":{"name":"x"}})", "");
  save(empty);
  for (std::size_t i = 0; i < runs_looked_back; ++i) run("null", "");
  save(definition("/a"));
  EXPECT_TRUE(compare(run(R"({"statusCode":500,"body":{}})", "Ask")).is_null());
}

}  // namespace
}  // namespace flowmend::repair
