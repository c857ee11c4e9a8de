// The watch for silence over a real store, with a clock that the test moves.
#include <filesystem>

#include <gtest/gtest.h>

#include "base/ids.h"
#include "connector/master_key.h"
#include "connector/sealer.h"
#include "engine/journal.h"
#include "json/parse.h"
#include "repair/silence/watcher.h"
#include "runtime/trigger_key.h"
#include "store/sqlite/open.h"

namespace flowmend::repair::silence {
namespace {

constexpr const char* polling =
    R"j({"triggers":{"News":{"type":"Http","inputs":{"method":"GET","uri":"https://shop.test"},
  "recurrence":{"frequency":"Minute","interval":1}}},"actions":{
  "Ask":{"type":"Http","inputs":{"method":"GET","uri":"https://shop.test"},"runAfter":{}}}})j";
constexpr const char* hourly = R"j({"triggers":{"Clock":{"type":"Recurrence",
  "recurrence":{"frequency":"Hour","interval":1}}},"actions":{}})j";
constexpr const char* daily = R"j({"triggers":{"Clock":{"type":"Recurrence",
  "recurrence":{"frequency":"Day","interval":1}}},"actions":{}})j";

class SilenceTest : public testing::Test {
 protected:
  SilenceTest() : executor_(runtime::make_thread_executor()) {
    char name[] = "/tmp/flowmend-silence-XXXXXX";
    folder_ = mkdtemp(name);
    store_ = store::sqlite::open({folder_}).value();
    sealer_ = connector::open_master_key(folder_ + "/master.key").value();
    client_ = std::make_unique<http::Client>();
    registry_ = std::make_unique<connector::Registry>(*store_);
    connections_ = std::make_unique<connector::Connections>(*store_, *sealer_, *registry_, *client_);
    flows_ = std::make_unique<runtime::Flows>(*store_, *sealer_, *executor_);
    // Whole hours from now on: flows are made by the real clock.
    now_ = {now_from_system_clock().ticks / Duration::hours(1).ticks * Duration::hours(1).ticks};
    now_ = now_ + Duration::days(60);
    start();
  }
  ~SilenceTest() override {
    watcher_.reset();
    incidents_.reset();
    flows_.reset();
    connections_.reset();
    registry_.reset();
    store_.reset();
    std::filesystem::remove_all(folder_);
  }
  /// As a server that starts: what it knew is in the store alone.
  void start() {
    watcher_.reset();
    incidents_.reset();
    Incidents::Parts parts{*store_, *sealer_, *flows_, *connections_, {}, {}};
    parts.clock = [this] { return now_; };
    parts.on_tell = [this](store::Transaction&, const Incident& incident) -> Result<void> {
      told_.push_back(incident.face().title);
      return {};
    };
    incidents_ = std::make_unique<Incidents>(std::move(parts));
    ASSERT_TRUE(incidents_->start());
    watcher_ = std::make_unique<Watcher>(
        Watcher::Parts{*store_, *sealer_, *flows_, *connections_, *incidents_, [this] { return now_; }}, settings_);
  }
  std::string flow(const char* text, const char* name = "Sell") {
    runtime::FlowDraft draft;
    draft.display_name = name;
    draft.definition = *json::parse(text);
    return flows_->create(draft, "ann")->flow->id;
  }
  void look() {
    watcher_->look();
    incidents_->drain();
  }
  void check(const std::string& flow, Timestamp time, const char* status, const char* message = "It answered 503") {
    store::TriggerHistoryRow row;
    row.flow = flow;
    row.trigger = "News";
    row.name = make_run_name(time, ++salt_);
    row.started = row.ended = time;
    row.status = status;
    row.code = "ServiceUnavailable";
    row.error_message = message;
    store::Batch batch;
    batch.histories.push_back(row);
    commit(std::move(batch));
  }
  store::RunRow run(const std::string& flow, Timestamp started, store::RunStatus status, Duration length = {}) {
    store::RunRow row;
    row.number = ++numbers_;
    row.name = make_run_name(started, ++salt_);
    row.flow = flow;
    row.version = (*flows_->find(flow))->row.version;
    row.status = status;
    row.started = started;
    if (store::is_over(status)) row.ended = started + length;
    row.trigger = "News";
    return row;
  }
  void commit(store::Batch batch) {
    store_->commit(std::move(batch), {});
    ASSERT_TRUE(store_->write([](store::Transaction&) -> Result<void> { return {}; }));  // waits for it
  }
  std::optional<Incident> incident(Kind kind, const std::string& flow) {
    return incidents_->find(incidents_->incident_of(fingerprint_of(kind, flow)));
  }
  bool is_open(Kind kind, const std::string& flow) {
    const auto found = incident(kind, flow);
    return found && found->is_open();
  }
  /// The watch looks each hour, so that it knows that the server was there.
  void be_there(int hours) {
    for (int i = 0; i < hours; ++i) {
      now_ = now_ + Duration::hours(1);
      look();
    }
  }

  WatchSettings settings_;
  std::vector<std::string> told_;
  Timestamp now_;
  std::uint64_t salt_ = 0;
  store::RunNumber numbers_ = 0;
  std::string folder_;
  std::shared_ptr<runtime::Executor> executor_;
  std::unique_ptr<store::Store> store_;
  std::unique_ptr<engine::Sealer> sealer_;
  std::unique_ptr<http::Client> client_;
  std::unique_ptr<connector::Registry> registry_;
  std::unique_ptr<connector::Connections> connections_;
  std::unique_ptr<runtime::Flows> flows_;
  std::unique_ptr<Incidents> incidents_;
  std::unique_ptr<Watcher> watcher_;
};

TEST_F(SilenceTest, ChecksThatKeepFailingRingTheBellOnceAndEndByThemselves) {
  const auto id = flow(polling);
  look();
  EXPECT_TRUE(incidents_->list({}).empty());
  for (int i = 0; i < 4; ++i) check(id, now_ - Duration::minutes(9 - 2 * i), "Failed");
  look();
  ASSERT_TRUE(is_open(Kind::checks, id));
  EXPECT_EQ(incidents_->unread(), 1u);
  const auto bell = incidents_->notifications();
  const Value& note = bell.find("value")->as_array()[0];
  EXPECT_EQ(note.text_of("kind"), "silence");
  EXPECT_EQ(note.text_of("title"), "Sell: Its trigger's checks keep failing");
  EXPECT_EQ(note.text_of("flow"), id);
  EXPECT_EQ(note.find("run"), nullptr);
  EXPECT_NE(note.text_of("message").find("It answered 503."), std::string_view::npos);

  for (int i = 0; i < 20; ++i) {
    now_ = now_ + Duration::minutes(1);
    check(id, now_, "Failed");
    look();
  }
  EXPECT_EQ(told_.size(), 1u);
  start();  // a restart tells nothing anew
  look();
  EXPECT_EQ(told_.size(), 1u);
  check(id, now_ + Duration::seconds(1), "Skipped");
  now_ = now_ + Duration::minutes(1);
  look();
  EXPECT_EQ(incident(Kind::checks, id)->state, IncidentState::fixed);
  EXPECT_EQ(incidents_->unread(), 0u);
}

TEST_F(SilenceTest, AFlowThatIsNotToBeWatchedIsNot) {
  const auto id = flow(polling);
  for (int i = 0; i < 4; ++i) check(id, now_ - Duration::minutes(9 - 2 * i), "Failed");
  look();
  ASSERT_TRUE(is_open(Kind::checks, id));
  ASSERT_TRUE(store_->put_document("notify-flow", id, *json::parse(R"({"watchSilence":false})")));
  look();
  EXPECT_FALSE(is_open(Kind::checks, id));
  now_ = now_ + Duration::minutes(1);
  check(id, now_, "Failed");
  check(id, now_ + Duration::seconds(1), "Failed");
  look();
  EXPECT_FALSE(is_open(Kind::checks, id));
}

TEST_F(SilenceTest, ADeletedFlowLeavesNothingOpen) {
  const auto id = flow(polling);
  for (int i = 0; i < 4; ++i) check(id, now_ - Duration::minutes(9 - 2 * i), "Failed");
  look();
  ASSERT_TRUE(flows_->erase(id));
  look();
  EXPECT_EQ(incident(Kind::checks, id)->state, IncidentState::fixed);
}

TEST_F(SilenceTest, SwitchedOffByItsOwnerIsAWishByAnotherAnIncident) {
  const auto id = flow(polling);
  ASSERT_TRUE(flows_->set_state(id, store::FlowState::stopped, "ann"));
  look();
  EXPECT_FALSE(is_open(Kind::off, id));
  ASSERT_TRUE(flows_->set_state(id, store::FlowState::started, "ann"));
  ASSERT_TRUE(flows_->set_state(id, store::FlowState::stopped, "bob"));
  look();
  ASSERT_TRUE(is_open(Kind::off, id));
  EXPECT_EQ(told_, std::vector<std::string>{"The flow was switched off by bob"});
  // Somebody accepts it: it is not told of again, until it happens again.
  Incidents::Change fixed;
  fixed.state = IncidentState::fixed;
  ASSERT_TRUE(incidents_->change(incident(Kind::off, id)->id, fixed, "ann"));
  now_ = now_ + Duration::minutes(20);
  look();
  EXPECT_FALSE(is_open(Kind::off, id));
  EXPECT_EQ(told_.size(), 1u);
}

TEST_F(SilenceTest, AFlowThatIsSuspendedIsToldUntilItIsOn) {
  const auto id = flow(polling);
  ASSERT_TRUE(flows_->set_state(id, store::FlowState::suspended));
  look();
  ASSERT_TRUE(is_open(Kind::off, id));
  ASSERT_TRUE(flows_->set_state(id, store::FlowState::started, "ann"));
  look();
  EXPECT_EQ(incident(Kind::off, id)->state, IncidentState::fixed);
}

Value planned(const char* recurrence, Timestamp saved, Timestamp last, Timestamp next) {
  return Value::object({{"recurrence", *json::parse(recurrence)},
                        {"saved", Value(to_string(saved))},
                        {"last", Value(to_string(last))},
                        {"next", Value(to_string(next))}});
}

TEST_F(SilenceTest, AScheduleThatDoesNotFireIsToldAndEndsWhenItDoes) {
  constexpr const char* recurrence = R"({"frequency":"Hour","interval":1})";
  const auto id = flow(hourly);
  const Timestamp last = now_;
  ASSERT_TRUE(store_->put_document("triggerState", runtime::trigger_key(id, "Clock"),
                                   planned(recurrence, last - Duration::days(1), last, last + Duration::hours(1))));
  for (int minute = 0; minute < 66; ++minute) {
    look();
    EXPECT_FALSE(is_open(Kind::schedule, id)) << minute;
    now_ = now_ + Duration::minutes(1);
  }
  look();
  ASSERT_TRUE(is_open(Kind::schedule, id));
  EXPECT_EQ(told_, std::vector<std::string>{"Its schedule did not fire"});
  ASSERT_TRUE(store_->put_document(
      "triggerState", runtime::trigger_key(id, "Clock"),
      planned(recurrence, last - Duration::days(1), last + Duration::hours(2), last + Duration::hours(3))));
  look();
  EXPECT_FALSE(is_open(Kind::schedule, id));
}

TEST_F(SilenceTest, OfSeveralTriggersEachIsWatched) {
  constexpr const char* recurrence = R"({"frequency":"Hour","interval":1})";
  const auto id = flow(R"j({"triggers":{
    "By_hand":{"type":"Request","kind":"Http"},
    "Clock":{"type":"Recurrence","recurrence":{"frequency":"Hour","interval":1}}},"actions":{}})j");
  const Timestamp last = now_;
  ASSERT_TRUE(store_->put_document("triggerState", runtime::trigger_key(id, "Clock"),
                                   planned(recurrence, last - Duration::days(1), last, last + Duration::hours(1))));
  for (int minute = 0; minute < 70; ++minute) {
    look();
    now_ = now_ + Duration::minutes(1);
  }
  EXPECT_TRUE(is_open(Kind::schedule, id));
}

TEST_F(SilenceTest, ATimeMissedWhileTheServerWasDownIsToldAsThat) {
  const auto id = flow(daily);
  const Timestamp last = now_ - Duration::hours(23);
  ASSERT_TRUE(
      store_->put_document("triggerState", runtime::trigger_key(id, "Clock"),
                           planned(R"({"frequency":"Day","interval":1})", last, last, last + Duration::days(2))));
  look();
  now_ = now_ + Duration::hours(3);
  start();
  look();
  EXPECT_FALSE(is_open(Kind::schedule, id)) << "the server is there only just now";
  now_ = now_ + Duration::minutes(2);
  look();
  ASSERT_TRUE(is_open(Kind::schedule, id));
  EXPECT_EQ(told_, std::vector<std::string>{"Its schedule was missed while the server was down"});
}

TEST_F(SilenceTest, FarFewerRunsThanInTheWeeksBeforeAreTold) {
  settings_.every = Duration::minutes(30);  // three of it are a gap
  start();
  const auto id = flow(polling);
  look();
  // 25 runs in each hour of a day, in each of four weeks.
  store::Batch batch;
  for (int week = 4; week >= 1; --week) {
    for (int hour = -1; hour < 3; ++hour) {
      for (int i = 0; i < 25; ++i)
        batch.runs.push_back(run(id, now_ - Duration::days(7 * week) + Duration::hours(hour) + Duration::seconds(i),
                                 store::RunStatus::succeeded));
    }
  }
  for (int i = 0; i < 20; ++i) batch.runs.push_back(run(id, now_ + Duration::minutes(i), store::RunStatus::succeeded));
  commit(std::move(batch));
  now_ = now_ + Duration::minutes(5);
  be_there(1);
  EXPECT_FALSE(is_open(Kind::volume, id)) << "20 of 25";
  check(id, now_ + Duration::minutes(5), "Skipped", "A condition was false");
  be_there(1);
  ASSERT_TRUE(is_open(Kind::volume, id));
  EXPECT_EQ(told_, std::vector<std::string>{"Its trigger is always skipped, though it used to fire"});
  // The next hour is as it was: it ends.
  batch = {};
  for (int i = 0; i < 25; ++i) batch.runs.push_back(run(id, now_ + Duration::minutes(i), store::RunStatus::succeeded));
  commit(std::move(batch));
  be_there(1);
  EXPECT_EQ(incident(Kind::volume, id)->state, IncidentState::fixed);
}

TEST_F(SilenceTest, AFlowThatIsOffAndStillCalledIsToldUntilItIsOn) {
  const auto id = flow(polling);
  ASSERT_TRUE(flows_->set_state(id, store::FlowState::stopped, "ann"));
  for (int call = 0; call < 4; ++call) flows_->refused_calls().note(id, now_ - Duration::minutes(9 - 2 * call));
  look();
  ASSERT_TRUE(is_open(Kind::off, id));
  EXPECT_EQ(told_, std::vector<std::string>{"The flow is off, but is still called"});
  ASSERT_TRUE(flows_->set_state(id, store::FlowState::started, "ann"));
  look();
  EXPECT_FALSE(is_open(Kind::off, id));
}

TEST_F(SilenceTest, AFlowThatRunsTwiceAWeekIsMissedAfterALongPause) {
  const auto id = flow(polling);
  store::Batch batch;
  for (int day = 40; day >= 0; day -= 4)
    batch.runs.push_back(run(id, now_ - Duration::days(day), store::RunStatus::succeeded));
  commit(std::move(batch));
  now_ = now_ + Duration::minutes(2);
  for (int day = 0; day < 12; ++day) {
    look();
    EXPECT_FALSE(is_open(Kind::volume, id)) << day;
    now_ = now_ + Duration::days(1);
  }
  now_ = now_ + Duration::hours(1);
  look();
  ASSERT_TRUE(is_open(Kind::volume, id));
  EXPECT_EQ(told_, std::vector<std::string>{"No run for 12 days"});
  batch = {};
  batch.runs.push_back(run(id, now_, store::RunStatus::succeeded));
  commit(std::move(batch));
  now_ = now_ + Duration::hours(2);
  look();
  EXPECT_FALSE(is_open(Kind::volume, id));
}

TEST_F(SilenceTest, AFlowThatRunsOnceADayIsMissedAfterAWeek) {
  settings_.every = Duration::hours(12);
  start();
  const auto id = flow(polling);
  store::Batch batch;
  for (int day = 28; day >= 1; --day)
    batch.runs.push_back(run(id, now_ - Duration::days(day), store::RunStatus::succeeded));
  commit(std::move(batch));
  now_ = now_ + Duration::minutes(2);
  for (int day = 0; day < 7; ++day) {
    look();
    EXPECT_FALSE(is_open(Kind::volume, id)) << day;
    now_ = now_ + Duration::days(1);
  }
  now_ = now_ + Duration::hours(1);
  look();
  EXPECT_TRUE(is_open(Kind::volume, id));
  EXPECT_EQ(told_, std::vector<std::string>{"Far fewer runs than usual"});
}

TEST_F(SilenceTest, AnEditedPaceBeginsANewNorm) {
  settings_.every = Duration::minutes(30);
  start();
  const auto id = flow(polling);
  store::Batch batch;
  for (int week = 4; week >= 1; --week) {
    for (int i = 0; i < 25; ++i)
      batch.runs.push_back(
          run(id, now_ - Duration::days(7 * week) + Duration::minutes(i), store::RunStatus::succeeded));
  }
  commit(std::move(batch));
  // The version that asks each hour was saved a day ago by the test's clock.
  store::FlowRow row = **store_->flow(id);
  auto version = **store_->flow_version(id, row.version);
  version.version = row.version = make_version_name(now_ - Duration::days(1));
  version.saved = now_ - Duration::days(1);
  version.definition = *json::parse(
      R"j({"triggers":{"News":{"type":"Http","inputs":{"method":"GET","uri":"https://shop.test"},
        "recurrence":{"frequency":"Hour","interval":1}}},"actions":{}})j");
  ASSERT_TRUE(store_->write([&](store::Transaction& change) -> Result<void> {
    change.put_flow(row);
    change.put_flow_version(version);
    return {};
  }));
  flows_ = std::make_unique<runtime::Flows>(*store_, *sealer_, *executor_);  // its cache does not know
  start();
  look();
  now_ = now_ + Duration::minutes(5);
  be_there(1);
  EXPECT_FALSE(is_open(Kind::volume, id));
}

TEST_F(SilenceTest, AnHourInWhichTheServerWasDownSaysNothing) {
  settings_.every = Duration::minutes(30);
  start();
  const auto id = flow(polling);
  store::Batch batch;
  for (int week = 4; week >= 1; --week) {
    for (int i = 0; i < 25; ++i)
      batch.runs.push_back(
          run(id, now_ - Duration::days(7 * week) + Duration::minutes(i), store::RunStatus::succeeded));
  }
  commit(std::move(batch));
  look();
  now_ = now_ + Duration::minutes(65);
  start();
  look();
  EXPECT_FALSE(is_open(Kind::volume, id));
}

TEST_F(SilenceTest, ARunThatWaitsForAPersonIsNotStuck) {
  const auto id = flow(R"j({"triggers":{"manual":{"type":"Request","kind":"Http","inputs":{"schema":{}}}},"actions":{
    "Approve":{"type":"HttpWebhook","inputs":{"subscribe":{"method":"POST","uri":"https://shop.test"}},"runAfter":{}}}})j");
  store::Batch batch;
  for (int i = 0; i < 30; ++i)
    batch.runs.push_back(
        run(id, now_ - Duration::hours(40) + Duration::minutes(i), store::RunStatus::succeeded, Duration::seconds(4)));
  const auto waiting = run(id, now_, store::RunStatus::running);
  batch.runs.push_back(waiting);
  engine::ActionStarted asking;
  asking.place = {0, 0};
  asking.time = now_;
  batch.journal.push_back({waiting.number, 0, engine::encode({asking}, *sealer_)});
  commit(std::move(batch));
  now_ = now_ + Duration::days(3);
  look();
  EXPECT_FALSE(is_open(Kind::stuck, id));
}

TEST_F(SilenceTest, ARunThatIsFarOverTheFlowsOwnHistoryIsToldWithItsStep) {
  const auto id = flow(polling);
  store::Batch batch;
  for (int i = 0; i < 30; ++i)
    batch.runs.push_back(
        run(id, now_ - Duration::hours(40) + Duration::minutes(i), store::RunStatus::succeeded, Duration::seconds(4)));
  auto stuck = run(id, now_, store::RunStatus::running);
  batch.runs.push_back(stuck);
  engine::ActionStarted asking;
  asking.place = {0, 0};
  asking.time = now_;
  batch.journal.push_back({stuck.number, 0, engine::encode({asking}, *sealer_)});
  commit(std::move(batch));
  now_ = now_ + Duration::minutes(9);
  look();
  EXPECT_FALSE(is_open(Kind::stuck, id));
  now_ = now_ + Duration::minutes(9);
  look();
  ASSERT_TRUE(is_open(Kind::stuck, id));
  const auto found = incident(Kind::stuck, id);
  EXPECT_EQ(found->face().last_run, stuck.name);
  EXPECT_EQ(found->face().action, "Ask");
  stuck.status = store::RunStatus::cancelled;
  stuck.ended = now_;
  batch = {};
  batch.runs.push_back(stuck);
  commit(std::move(batch));
  look();
  EXPECT_FALSE(is_open(Kind::stuck, id));
}

}  // namespace
}  // namespace flowmend::repair::silence
