// Incidents, trials and repair jobs over a real runtime and store; the outside world answers by a rule that the test
// changes.
#include <atomic>
#include <deque>
#include <filesystem>
#include <thread>

#include <gtest/gtest.h>

#include "connector/master_key.h"
#include "json/parse.h"
#include "json/write.h"
#include "repair/bulk.h"
#include "repair/incidents.h"
#include "repair/trials.h"
#include "runtime/runtime.h"
#include "store/sqlite/open.h"

namespace flowmend::repair {
namespace {

/// Answers every request at once, from a thread of its own: /pay well, /ship as `ship_status` says.
class World final : public runtime::Effects {
 public:
  World() : thread_([this] { work(); }) {}
  ~World() override {
    {
      const std::lock_guard lock(mutex_);
      stopping_ = true;
    }
    wake_.notify_all();
    thread_.join();
  }
  void send(const runtime::CallId&, const engine::Call& call, const runtime::CallContext&,
            std::function<void(engine::AttemptFinished)> done) override {
    const bool ship = call.inputs.text_of("uri").ends_with("/ship");
    ++(ship ? ships : pays);
    engine::AttemptFinished reply;
    reply.place = call.place;
    reply.attempt = call.attempt;
    reply.started = reply.ended = now_from_system_clock();
    reply.status_code = ship ? ship_status.load() : 200;
    reply.headers = Value::empty_object();
    {
      const std::lock_guard lock(mutex_);
      tasks_.emplace_back([reply, done = std::move(done)] { done(reply); });
    }
    wake_.notify_one();
  }
  void cancel(const runtime::CallId&) override {}

  std::atomic<int> ship_status{503};
  std::atomic<int> ships{0};
  std::atomic<int> pays{0};

 private:
  void work() {
    std::unique_lock lock(mutex_);
    while (true) {
      wake_.wait(lock, [&] { return stopping_ || !tasks_.empty(); });
      if (tasks_.empty()) return;
      auto task = std::move(tasks_.front());
      tasks_.pop_front();
      lock.unlock();
      task();
      lock.lock();
    }
  }
  std::mutex mutex_;
  std::condition_variable wake_;
  std::deque<std::function<void()>> tasks_;
  bool stopping_ = false;
  std::thread thread_;
};

constexpr const char* definition =
    R"j({"triggers":{"manual":{"type":"Request","kind":"Http","inputs":{"schema":{}}}},"actions":{
  "Pay":{"type":"Http","inputs":{"method":"POST","uri":"https://shop.test/pay","body":"@triggerBody()"},"runAfter":{}},
  "Ship":{"type":"Http","inputs":{"method":"POST","uri":"https://shop.test/ship","body":"@triggerBody()","retryPolicy":{"type":"none"}},
    "runAfter":{"Pay":["Succeeded"]}}}})j";

class RepairTest : public testing::Test {
 protected:
  RepairTest() {
    char name[] = "/tmp/flowmend-repair-XXXXXX";
    folder_ = mkdtemp(name);
    start();
    runtime::FlowDraft draft;
    draft.display_name = "Sell";
    draft.definition = *json::parse(definition);
    flow_ = runtime_->flows().create(draft, "ann")->flow->id;
  }
  ~RepairTest() override {
    stop();
    std::filesystem::remove_all(folder_);
  }
  void start() {
    store_ = store::sqlite::open({folder_}).value();
    sealer_ = connector::open_master_key(folder_ + "/master.key").value();
    client_ = std::make_unique<http::Client>();
    registry_ = std::make_unique<connector::Registry>(*store_);
    connections_ = std::make_unique<connector::Connections>(*store_, *sealer_, *registry_, *client_);
    ASSERT_TRUE(connections_->load());
    runtime_ = runtime::Runtime::start({*store_, world_, *sealer_, runtime::make_thread_executor()}, {}).value();
    incidents_ =
        std::make_unique<Incidents>(Incidents::Parts{*store_, *sealer_, runtime_->flows(), *connections_, {}, {}});
    ASSERT_TRUE(incidents_->start());
    runtime_->add_listener(*incidents_);
    search_ = std::make_unique<search::RunSearch>(search::RunSearch::Parts{*store_, *sealer_, runtime_->flows()});
    bulk_ = std::make_unique<Bulk>(Bulk::Parts{*store_, *sealer_, *runtime_, *registry_, *incidents_, *search_, {}});
    runtime_->add_listener(*bulk_);
    ASSERT_TRUE(bulk_->start());
  }
  void stop() {
    runtime_->stop();
    bulk_.reset();
    search_.reset();
    incidents_.reset();
    runtime_.reset();
    connections_.reset();
    registry_.reset();
    client_.reset();
    sealer_.reset();
    store_.reset();
  }
  void run(int count) {
    for (int i = 0; i < count; ++i)
      ASSERT_TRUE(runtime_->run_trigger(flow_, "manual", Value::object({{"n", Value(i)}}), "ann"));
    wait([&] { return runtime_->counts().active_runs == 0; });
    incidents_->drain();
  }
  void save(const std::string& text) {
    runtime::FlowDraft draft;
    draft.display_name = "Sell";
    draft.definition = *json::parse(text);
    const auto saved = runtime_->flows().update(flow_, draft, "ann");
    ASSERT_TRUE(saved);
    ASSERT_TRUE(saved->flow);
  }
  static void wait(const std::function<bool()>& until) {
    for (int i = 0; i < 3000; ++i) {
      if (until()) return;
      std::this_thread::sleep_for(std::chrono::milliseconds(10));
    }
    FAIL() << "it did not happen in 30 s";
  }
  std::string state(const std::string& job) { return std::string(bulk_->find(job)->text_of("state")); }
  std::int64_t number(const Value& value, std::string_view name) {
    const Value* found = value.find(name);
    return found == nullptr ? -1 : found->as_integer();
  }
  Value planned(bool keep) {
    Bulk::Options options;
    options.keep_done = keep;
    options.rate_per_second = 10'000;
    const auto list = incidents_->list({});
    const auto plan = bulk_->plan({list.at(0).id, {}}, options, "ann");
    EXPECT_TRUE(plan) << plan.error().message;
    return *plan;
  }

  World world_;
  std::string folder_;
  std::string flow_;
  std::unique_ptr<store::Store> store_;
  std::unique_ptr<engine::Sealer> sealer_;
  std::unique_ptr<http::Client> client_;
  std::unique_ptr<connector::Registry> registry_;
  std::unique_ptr<connector::Connections> connections_;
  std::unique_ptr<runtime::Runtime> runtime_;
  std::unique_ptr<Incidents> incidents_;
  std::unique_ptr<search::RunSearch> search_;
  std::unique_ptr<Bulk> bulk_;
};

TEST_F(RepairTest, ManyFailuresOfOneCauseAreOneIncidentAndOneMessage) {
  run(40);
  const auto list = incidents_->list({});
  ASSERT_EQ(list.size(), 1u);
  EXPECT_EQ(list[0].count(), 40);
  EXPECT_EQ(incidents_->unread(), 1u);
  EXPECT_EQ(incidents_->broken_runs(list[0], 100)->size(), 40u);
}

TEST_F(RepairTest, AJobRepeatsAllOnceKeepsWhatWasDoneAndFixesTheIncident) {
  run(40);
  const auto plan = planned(true);
  EXPECT_EQ(number(plan, "runs"), 40);
  world_.ship_status = 200;
  const std::string job(plan.text_of("id"));
  ASSERT_TRUE(bulk_->execute(job, plan.text_of("version"), "ann"));
  wait([&] { return state(job) == "done"; });
  EXPECT_EQ(world_.pays, 40) << "nobody paid twice";
  EXPECT_EQ(world_.ships, 80);
  wait([&] { return incidents_->list({})[0].state == IncidentState::fixed; });
  EXPECT_TRUE(incidents_->broken_runs(incidents_->list({})[0], 100)->empty());
  EXPECT_EQ(bulk_->plan({incidents_->list({})[0].id, {}}, {}, "ann").error().code, "NothingToRepair");
}

TEST_F(RepairTest, AnIncidentIsNotFixedByARunThatWentAnotherWay) {
  run(1);
  const auto broken = incidents_->broken_runs(incidents_->list({})[0], 10)->at(0).name;
  runtime::Resubmission skipping;
  skipping.correction.steps.push_back({"Ship", "", runtime::StepCorrection::Kind::skip, {}});
  skipping.correction.why = "sent by hand";
  ASSERT_TRUE(runtime_->resubmit(broken, skipping, "ann"));
  wait([&] { return runtime_->counts().active_runs == 0; });
  incidents_->drain();
  auto incident = incidents_->list({})[0];
  EXPECT_EQ(incident.repaired(), 1) << "the run itself went well";
  EXPECT_EQ(incident.state, IncidentState::fresh) << "but nobody has seen Ship go well";

  std::string text = definition;
  text.replace(text.find(R"("runAfter":{"Pay":["Succeeded"]})"), 32, R"("runAfter":{"Pay":["Failed"]})");
  save(text);
  ASSERT_TRUE(runtime_->resubmit(broken, {}, "ann"));
  wait([&] { return runtime_->counts().active_runs == 0; });
  incidents_->drain();
  EXPECT_EQ(incidents_->list({})[0].state, IncidentState::fresh) << "Ship was not done at all";

  save(definition);
  world_.ship_status = 200;
  ASSERT_TRUE(runtime_->resubmit(broken, {}, "ann"));
  wait([&] { return runtime_->counts().active_runs == 0; });
  incidents_->drain();
  EXPECT_EQ(incidents_->list({})[0].state, IncidentState::fixed);
}

TEST_F(RepairTest, AnIncidentIsFixedByARunThatPassedTheStepAndFailedLater) {
  run(1);
  const auto first = incidents_->list({})[0].id;
  const auto broken = incidents_->broken_runs(incidents_->list({})[0], 10)->at(0).name;
  std::string text = definition;
  text.insert(text.rfind("}}"),
              R"j(,"After":{"type":"Compose","inputs":"@int('no')","runAfter":{"Ship":["Succeeded"]}})j");
  save(text);
  world_.ship_status = 200;
  ASSERT_TRUE(runtime_->resubmit(broken, {}, "ann"));
  wait([&] { return runtime_->counts().active_runs == 0; });
  incidents_->drain();
  EXPECT_EQ(incidents_->list({}).size(), 2u);
  EXPECT_EQ(incidents_->find(first)->state, IncidentState::fixed);
}

TEST_F(RepairTest, FixedInAVersionIsSaidOfAVersionThatThereIs) {
  run(1);
  const auto id = incidents_->list({})[0].id;
  Incidents::Change change;
  change.fixed_in_version = "latest";
  EXPECT_EQ(incidents_->change(id, change, "ann").error().code, "InvalidIncidentChange") << "of what is not fixed";
  change.state = IncidentState::fixed;
  change.fixed_in_version = "nonsense";
  EXPECT_EQ(incidents_->change(id, change, "ann").error().code, "InvalidIncidentChange");
  change.fixed_in_flow = "nowhere";
  EXPECT_EQ(incidents_->change(id, change, "ann").error().code, "InvalidIncidentChange");
  change.fixed_in_flow.clear();
  change.fixed_in_version = "latest";
  const auto fixed = incidents_->change(id, change, "ann");
  ASSERT_TRUE(fixed);
  EXPECT_EQ(fixed->fixes().at(0).version, (*runtime_->flows().find(flow_))->row.version);
  run(1);
  EXPECT_EQ(incidents_->find(id)->state, IncidentState::back);
}

TEST_F(RepairTest, AFilterChoosesByCodeConnectionAndRecordedValue) {
  run(3);
  world_.ship_status = 404;
  run(2);
  const auto chosen = [&](FailedRunFilter filter) {
    const auto rows = failed_runs(*store_, *search_, filter, 100);
    EXPECT_TRUE(rows) << rows.error().message;
    return rows ? rows->size() : 0;
  };
  EXPECT_EQ(chosen({}), 5u);
  EXPECT_EQ(chosen({.code = "503"}), 3u);
  EXPECT_EQ(chosen({.code = "notfound"}), 2u);
  EXPECT_EQ(chosen({.code = "40"}), 0u);
  EXPECT_EQ(chosen({.connection = "nobody-s"}), 0u);
  EXPECT_EQ(chosen({.value = "shop.test"}), 5u);
  EXPECT_EQ(chosen({.code = "404", .value = "ship"}), 2u);
  EXPECT_EQ(chosen({.from = now_from_system_clock(), .value = "ship"}), 0u);
  EXPECT_EQ(failed_runs(*store_, *search_, {.value = "!"}, 100).error().code, "InvalidSearchValue");
  EXPECT_EQ(failed_runs(*store_, *search_, {.flow = "nowhere"}, 100).error().code, "FlowNotFound");
  const auto listed = store_->runs({.status = store::RunStatus::failed, .failed_code = "404"});
  ASSERT_EQ(listed->size(), 2u);
  EXPECT_EQ(listed->front().cause.code, "404 NotFound");
  EXPECT_TRUE(listed->front().cause.title.starts_with("Ship")) << listed->front().cause.title;
  world_.ship_status = 200;
  const auto planned = bulk_->plan({.filter = FailedRunFilter{.code = "404", .value = "ship"}}, {}, "ann");
  ASSERT_TRUE(planned) << planned.error().message;
  ASSERT_TRUE(bulk_->execute(planned->text_of("id"), planned->text_of("version"), "ann"));
  wait([&] { return bulk_->find(planned->text_of("id"))->text_of("state") == "done"; });
  EXPECT_EQ(chosen({}), 3u) << "what was repeated is not chosen again";
}

TEST_F(RepairTest, AConnectionRingsTheBellBeforeItBreaksAndNoMoreOnceItIsMended) {
  connector::ConnectionView mail;
  mail.key = {"shared_mail", "office"};
  mail.display_name = "Office mail";
  mail.signed_in.emplace();
  mail.signed_in->expires = parse_timestamp("2031-05-06T07:08:09Z").value();
  mail.signed_in->refusal = "The refresh token was revoked.";
  incidents_->connection_changed(mail);
  incidents_->drain();
  ASSERT_EQ(incidents_->unread(), 1u);
  const Value notifications = incidents_->notifications();
  const Value& note = notifications.find("value")->as_array()[0];
  EXPECT_EQ(note.text_of("kind"), "connectionBroken");
  EXPECT_EQ(note.text_of("title"), "The sign-in of connection Office mail ends at 2031-05-06 07:08 UTC");
  EXPECT_NE(note.text_of("message").find("was revoked. Until 2031-05-06 07:08 UTC calls go on"), std::string::npos);

  mail.status = connector::ConnectionStatus::error;  // it is over now: people know already
  incidents_->connection_changed(mail);
  incidents_->drain();
  EXPECT_EQ(incidents_->list({}).size(), 1u);

  mail.status = connector::ConnectionStatus::connected;
  mail.signed_in->refusal.clear();
  incidents_->connection_changed(mail);
  incidents_->drain();
  EXPECT_EQ(incidents_->unread(), 0u);
  EXPECT_EQ(incidents_->list({})[0].state, IncidentState::fixed);

  mail.status = connector::ConnectionStatus::error;
  mail.error_message = "The service answered 401 (Unauthorized).";
  incidents_->connection_changed(mail);
  incidents_->drain();
  EXPECT_EQ(incidents_->unread(), 1u);
  EXPECT_EQ(incidents_->list({})[0].state, IncidentState::back);
  EXPECT_EQ(incidents_->list({})[0].face().title, "The connection Office mail isn't authenticated");
}

TEST_F(RepairTest, AJobThatHelpsNothingStopsByItself) {
  run(40);
  const auto plan = planned(false);
  const std::string job(plan.text_of("id"));
  ASSERT_TRUE(bulk_->execute(job, plan.text_of("version"), "ann"));
  wait([&] { return state(job) == "stopped"; });
  EXPECT_LE(world_.ships, 41) << "the one of the first stage was enough to see it";
  EXPECT_NE(bulk_->find(job)->text_of("reason"), "");
}

TEST_F(RepairTest, AJobGoesOnAfterACrashAndRepeatsNothingTwice) {
  run(60);
  const auto plan = planned(false);
  world_.ship_status = 200;
  const std::string job(plan.text_of("id"));
  ASSERT_TRUE(bulk_->execute(job, plan.text_of("version"), "ann"));
  wait([&] { return world_.ships > 65; });
  stop();
  start();
  wait([&] { return state(job) == "done"; });
  wait([&] { return runtime_->counts().active_runs == 0; });
  store::RunQuery all;
  all.flow = flow_;
  all.limit = 1000;
  std::map<std::string, int> repeats;
  for (const auto& row : *store_->runs(all)) {
    if (!row.resubmit_of.empty()) ++repeats[row.resubmit_of];
  }
  EXPECT_EQ(repeats.size(), 60u);
  for (const auto& [name, count] : repeats) EXPECT_EQ(count, 1) << name;
}

TEST_F(RepairTest, ARunThatRetentionRemovedSinceThePlanIsLeftOutAndSaidSo) {
  run(4);
  const auto plan = planned(false);
  const auto oldest = incidents_->broken_runs(incidents_->list({})[0], 10)->back().number;
  ASSERT_TRUE(store_->write([&](store::Transaction& transaction) -> Result<void> {
    transaction.erase_runs({oldest});
    return {};
  }));
  world_.ship_status = 200;
  const std::string job(plan.text_of("id"));
  ASSERT_TRUE(bulk_->execute(job, plan.text_of("version"), "ann"));
  wait([&] { return state(job) == "done"; });
  const auto done = bulk_->find(job);
  ASSERT_TRUE(done);
  EXPECT_EQ(number(*done, "leftOut"), 1);
  EXPECT_EQ(number(*done, "succeeded"), 3);
  EXPECT_EQ(done->find("refusals")->as_array()[0], Value("a run was removed by retention"));
  EXPECT_EQ(done->text_of("verdict"), "fixed");
}

TEST_F(RepairTest, APlanIsRefusedWhenTheFlowChangedSince) {
  run(3);
  const auto plan = planned(false);
  runtime::FlowDraft draft;
  draft.display_name = "Sell";
  draft.definition = *json::parse(definition);
  std::string text = json::write(draft.definition);
  text.replace(text.find("/pay"), 4, "/pay2");
  draft.definition = *json::parse(text);
  ASSERT_TRUE(runtime_->flows().update(flow_, draft, "ann"));
  const auto refused = bulk_->execute(plan.text_of("id"), plan.text_of("version"), "ann");
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, "RepairPlanStale");
}

TEST_F(RepairTest, ATrialSendsNothingAndSpeaksInOneSentence) {
  run(20);
  world_.ship_status = 200;
  run(5);
  const int sent = world_.pays + world_.ships;
  const Trials trials({*store_, *sealer_, runtime_->flows(), *registry_, *incidents_});
  Trials::Request request;
  request.flow = flow_;
  std::string text = definition;
  text.replace(text.find("https://shop.test/ship"), 22, "https://shop.test/v2/ship");
  request.definition = *json::parse(text);
  const auto tried = trials.run(request);
  ASSERT_TRUE(tried) << tried.error().message;
  EXPECT_EQ(world_.pays + world_.ships, sent);
  EXPECT_EQ(tried->text_of("text"),
            "0 of 20 failed runs would pass the step that failed, 20 are unknown; of 5 good runs 5 are unknown.");
  text = definition;
  text.replace(text.find(R"("runAfter":{"Pay":["Succeeded"]})"), 32, R"("runAfter":{"Pay":["Failed"]})");
  request.definition = *json::parse(text);
  const auto skipping = trials.run(request);
  ASSERT_TRUE(skipping);
  EXPECT_NE(skipping->text_of("text").find("of 5 good runs 5 change"), std::string::npos) << skipping->text_of("text");
  request.definition = *json::parse(R"({"actions":{}})");
  EXPECT_EQ(trials.run(request).error().code, "InvalidDefinition");
}

}  // namespace
}  // namespace flowmend::repair
