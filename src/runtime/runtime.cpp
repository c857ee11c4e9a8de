#include "runtime/runtime.h"

#include <algorithm>
#include <atomic>
#include <chrono>
#include <future>

#include <spdlog/spdlog.h>

#include "base/ids.h"
#include "json/parse.h"
#include "json/write.h"
#include "runtime/answer.h"
#include "runtime/batches.h"
#include "runtime/child_repair.h"
#include "runtime/polls.h"
#include "runtime/schedules.h"
#include "runtime/schema_check.h"
#include "runtime/shard.h"
#include "runtime/subscriptions.h"
#include "runtime/trigger_key.h"
#include "trigger/action_address.h"
#include "trigger/condition.h"
#include "trigger/status_address.h"

namespace flowmend::runtime {

namespace {

using json::ObjectBuilder;

/// Which HTTP status a refused call gets (engine.md 2.5; rest-api.md 5.1).
std::int32_t refusal_status(std::string_view code) {
  if (code == "WorkflowNotFound") return 404;
  if (code.substr(0, 9) == "DirectApi") return 401;
  if (code == "TriggerRelativePathNotValid") return 404;
  if (code == "TriggerRequestMethodNotValid") return 405;
  if (code == "StorageUnavailable") return 503;
  return 400;
}

Error outcome_unknown(const Error& trouble) {
  return make_error("StorageOutcomeUnknown",
                    "It is not known whether this was stored: " + trouble.message +
                        " It happens once the disk works again, unless the server ends before.",
                    {}, trouble.cure + " Look whether it happened before you ask again.");
}

Answer refusal(const Error& error) { return error_answer(refusal_status(error.code), error.code, error.message); }

/// Triggers that somebody calls at a signed address.
bool is_called(const definition::Flow& flow) {
  return flow.trigger.source == definition::TriggerSource::call ||
         flow.trigger.source == definition::TriggerSource::webhook;
}

/// How services make sure that an address is willing to be notified (connectors.md 8.3): nothing for any other request.
std::optional<Answer> answer_handshake(const trigger::CallbackRequest& request, const trigger::Headers& queries) {
  Answer answer;
  answer.status_code = 200;
  if (request.body.empty()) {
    for (const auto& [name, value] : queries) {
      if (name != "validationToken") continue;
      answer.headers.emplace_back("Content-Type", "text/plain");
      answer.body = value;
      return answer;
    }
  }
  const auto secret = trigger::header(request.headers, "X-Hook-Secret");
  if (!secret.empty()) {
    answer.headers.emplace_back("X-Hook-Secret", std::string(secret));
    return answer;
  }
  if (trigger::header(request.headers, "aeg-event-type") == "SubscriptionValidation") {
    const auto body = json::parse(request.body);
    const Value* event = body && body->is_array() && body->size() > 0 ? &body->as_array()[0] : nullptr;
    const Value* data = event == nullptr ? nullptr : event->find("data");
    if (data != nullptr) {
      answer.headers.emplace_back("Content-Type", "application/json");
      answer.body = json::write(Value::object({{"validationResponse", Value(data->text_of("validationCode"))}}));
      return answer;
    }
  }
  return std::nullopt;
}

Value trigger_record(const definition::Flow& flow, const Value& outputs) {
  ObjectBuilder record;
  record.add("name", flow.trigger.name);
  if (!outputs.is_null()) record.add("outputs", outputs);
  return record.finish();
}

Error trigger_off(const LiveFlow& live, const std::string& trigger) {
  return make_error("WorkflowTriggerIsNotEnabled",
                    "Could not execute workflow '" + live.row.id + "' trigger '" + trigger +
                        "' with state 'Disabled': trigger is not enabled.",
                    {}, "Turn the flow on.");
}

Error does_not_compile(const LiveFlow& live) {
  return make_error("InvalidDefinition",
                    "Flow '" + live.row.display_name + "' can't run: its definition does not compile.", {},
                    "Open the flow, correct it and save it.");
}

template <class T>
bool is_ready(const std::future<T>& future) {
  return future.wait_for(std::chrono::seconds(0)) == std::future_status::ready;
}

class ShardRuntime final : public Runtime {
 public:
  ShardRuntime(Parts parts, Settings settings)
      : store_(parts.store),
        sealer_(parts.sealer),
        settings_(std::move(settings)),
        executor_(std::move(parts.executor)),
        flows_(store_, sealer_, *executor_, settings_.definitions),
        shard_(std::make_unique<Shard>(store_, parts.effects, sealer_, executor_, flows_, settings_)),
        schedules_(std::make_unique<Schedules>(
            store_, *executor_, flows_,
            [this](const auto& flow, Timestamp scheduled, const Value& outputs, store::Document state) {
              fire_schedule(flow, scheduled, outputs, std::move(state));
            })),
        polls_(std::make_unique<Polls>(poll_parts(parts.effects))),
        batches_(std::make_unique<Batches>(batch_parts())),
        subscriptions_(std::make_unique<Subscriptions>(subscription_parts(parts.effects))) {
    shard_->set_batches(*batches_);
    flows_.on_change([this](const std::string& id) {
      executor_->post([this, id] {
        if (!schedules_) return;
        schedules_->flow_changed(id);
        polls_->flow_changed(id);
        batches_->flow_changed(id);
        subscriptions_->flow_changed(id);
        if (const auto row = store_.flow(id); row && !*row) shard_->cancel_runs_of(id);
      });
    });
  }

  ~ShardRuntime() override { stop(); }

  void stop() override {
    if (stopped_.exchange(true)) return;
    // On their own thread, so that no task sees them half gone; then the thread ends, and with it whatever is still
    // posted.
    std::promise<void> gone;
    executor_->post([&] {
      subscriptions_.reset();
      polls_.reset();
      schedules_.reset();
      shard_.reset();
      batches_.reset();
      gone.set_value();
    });
    const auto left = gone.get_future();
    executor_->before_waiting([&] { return is_ready(left); });
    left.wait();
    executor_->stop();
  }

  Result<void> recover() {
    return on_shard<Result<void>>([this](auto done) {
      // What waits is known before a sender asks again whether its message was taken.
      if (auto recovered = batches_->recover(); !recovered) return done(std::move(recovered));
      if (auto recovered = shard_->recover(); !recovered) return done(std::move(recovered));
      if (auto recovered = schedules_->recover(); !recovered) return done(std::move(recovered));
      if (auto recovered = polls_->recover(); !recovered) return done(std::move(recovered));
      done(subscriptions_->recover());
    });
  }

  Flows& flows() override { return flows_; }

  void invoke(trigger::CallbackRequest request, std::function<void(Answer)> answer) override {
    if (const auto target = trigger::read_action_target(request.path, request.query))
      return notify_action(*target, request, std::move(answer));
    if (const auto target = trigger::read_status_target(request.path, request.query))
      return answer_status(*target, request, std::move(answer));
    const auto target = trigger::read_target(request.path, request.query);
    if (!target) return answer(refusal(target.error()));
    auto live = flows_.find_by_workflow_id(target->workflow_id);
    if (!live && live.error().code == "FlowNotFound") {
      // Also what an unknown address with a signature gets: it tells nothing about which flows exist.
      return answer(
          error_answer(404, "WorkflowNotFound", "The workflow '" + target->workflow_id + "' could not be found."));
    }
    if (!live) return answer(refusal(live.error()));
    const auto now = executor_->now();
    if (const auto verified =
            trigger::verify(*target, request.headers, (*live)->primary_key, (*live)->secondary_key, now);
        !verified) {
      return answer(refusal(verified.error()));
    }
    auto flow = (*live)->flow;
    if (!target->version.empty()) {
      const auto pinned = flows_.version((*live)->row.id, target->version);
      if (!pinned) return answer(refusal(pinned.error()));
      flow = *pinned;
    }
    if (!flow) return answer(refusal(does_not_compile(**live)));
    if ((*live)->row.state != store::FlowState::started) {
      flows_.refused_calls().note((*live)->row.id, executor_->now());
      return answer(refusal(trigger_off(**live, target->trigger)));
    }
    flow = definition::with_trigger(flow, target->trigger);
    if (!flow || !is_called(*flow)) {
      return answer(error_answer(404, "TriggerNotFound", "The flow has no Request trigger '" + target->trigger + "'."));
    }
    if (flow->trigger.source == definition::TriggerSource::webhook) {
      if (auto handshake = answer_handshake(request, target->queries)) return answer(std::move(*handshake));
      // A service that notifies wants to hear that it was heard.
      answer = [answer = std::move(answer)](Answer told) {
        if (told.status_code == 202) told.status_code = 200;
        answer(std::move(told));
      };
    }
    auto outputs = trigger::make_outputs(*flow, *target, request, check_schema);
    if (!outputs) {
      record_check(*flow, "Failed", outputs.error().code, outputs.error().message);
      return answer(refusal(outputs.error()));
    }
    auto tracking = std::string(trigger::header(request.headers, "x-ms-client-tracking-id"));
    constexpr std::size_t tracking_bytes_max = 128;
    if (tracking.size() > tracking_bytes_max) {
      return answer(error_answer(400, "ClientTrackingIdLengthLimitExceeded",
                                 "The header x-ms-client-tracking-id is longer than 128 bytes."));
    }
    fire(flow, *outputs, std::move(tracking), {}, {}, {}, std::move(answer), {});
  }

  Result<trigger::CallbackAddress> callback_address(std::string_view id, std::string_view name, KeyType key,
                                                    Timestamp not_after) override {
    const auto live = flows_.find(id);
    if (!live) return live.error();
    if (!(*live)->flow) return does_not_compile(**live);
    const auto flow = definition::with_trigger((*live)->flow, name);
    if (!flow) return make_error("TriggerNotFound", "The flow has no trigger '" + std::string(name) + "'.");
    if (!is_called(*flow)) {
      return make_error("InvalidTriggerType", "Trigger '" + flow->trigger.name + "' is of type '" +
                                                  flow->trigger.type_name +
                                                  "'; only Request and webhook triggers have a callback address.");
    }
    return trigger::make_address(settings_.public_url, *flow,
                                 key == KeyType::primary ? (*live)->primary_key : (*live)->secondary_key, not_after);
  }

  Result<StartedRun> run_trigger(std::string_view id, std::string_view name, const Value& body,
                                 std::string_view by) override {
    const auto live = flows_.find(id);
    if (!live) return live.error();
    if (!(*live)->flow) return does_not_compile(**live);
    const auto flow = definition::with_trigger((*live)->flow, name);
    if (!flow) return make_error("TriggerNotFound", "The flow has no trigger '" + std::string(name) + "'.");
    if ((*live)->row.state != store::FlowState::started) return trigger_off(**live, flow->trigger.name);
    if (flow->trigger.source == definition::TriggerSource::poll) {
      return wait_for<Result<StartedRun>>([&](auto done) {
        executor_->post([this, key = trigger_key((*live)->row.id, flow->trigger.name), done = std::move(done)] {
          if (!polls_) return done(make_error("ServerStopping", "The server is stopping."));
          polls_->check_now(key, done);
        });
      });
    }
    if (flow->trigger.source == definition::TriggerSource::batch) {
      return on_shard<Result<StartedRun>>(
          [&](auto done) { batches_->release_now(trigger_key((*live)->row.id, flow->trigger.name), std::move(done)); });
    }
    Value outputs;
    if (is_called(*flow)) {
      ObjectBuilder made;
      made.add("headers", Value::empty_object());
      if (!body.is_null()) made.add("body", body);
      outputs = made.finish();
    }
    return wait_for<Result<StartedRun>>([&](auto done) { fire(flow, outputs, {}, {}, by, {}, {}, std::move(done)); });
  }

  Result<StartedRun> notify_trigger(std::string_view id, std::string_view name, const Value& body,
                                    std::vector<store::Document> also) override {
    const auto live = flows_.find(id);
    if (!live) return live.error();
    if (!(*live)->flow) return does_not_compile(**live);
    const auto flow = definition::with_trigger((*live)->flow, name);
    if (!flow || flow->trigger.source != definition::TriggerSource::webhook)
      return make_error("TriggerNotFound", "The flow has no webhook trigger '" + std::string(name) + "'.");
    if ((*live)->row.state != store::FlowState::started) return trigger_off(**live, flow->trigger.name);
    ObjectBuilder outputs;
    outputs.add("headers", Value::empty_object());
    outputs.add("body", body);
    const Value made = outputs.finish();
    return wait_for<Result<StartedRun>>(
        [&](auto done) { fire(flow, made, {}, {}, {}, std::move(also), {}, std::move(done)); });
  }

  Result<StartedRun> resubmit(std::string_view run, Resubmission how, std::string_view by) override {
    return resubmit_together({std::string(run)}, how, by).front();
  }

  std::vector<Result<StartedRun>> resubmit_together(const std::vector<std::string>& runs, const Resubmission& how,
                                                    std::string_view by) override {
    using Answer = std::promise<Result<StartedRun>>;
    std::vector<std::future<Result<StartedRun>>> answers;
    for (const std::string& run : runs) {
      auto answer = std::make_shared<Answer>();
      answers.push_back(answer->get_future());
      auto request = repetition_of(run, how, by);
      if (!request) {
        answer->set_value(request.error());
        continue;
      }
      request->started = [answer = std::move(answer)](Result<StartedRun> started) {
        answer->set_value(std::move(started));
      };
      executor_->post([this, request = std::move(*request)]() mutable {
        if (shard_) shard_->start_run(std::move(request));
      });
    }
    std::vector<Result<StartedRun>> out;
    for (auto& answer : answers) out.push_back(await(answer));
    return out;
  }

  Result<void> cancel(std::string_view run, std::string_view by) override {
    return on_shard<Result<void>>(
        [&](auto done) { shard_->cancel_run(std::string(run), std::string(by), std::move(done)); });
  }

  std::vector<HeldTarget> held() override {
    return on_shard<std::vector<HeldTarget>>([&](auto done) { done(shard_->holds().list()); });
  }

  std::size_t release_held(std::string_view target, std::string_view by) override {
    return on_shard<std::size_t>(
        [&](auto done) { done(shard_->holds().release(std::string(target), std::string(by))); });
  }

  std::size_t fail_held(std::string_view target, std::string_view by) override {
    return on_shard<std::size_t>([&](auto done) { done(shard_->holds().fail(std::string(target), std::string(by))); });
  }

  HoldChoice hold_choice(std::string_view target) override {
    return on_shard<HoldChoice>([&](auto done) { done(shard_->holds().choice(std::string(target))); });
  }

  Result<void> set_hold_choice(std::string_view target, HoldChoice choice) override {
    if (auto stored = Holds::store_choice(store_, target, choice); !stored) return stored;
    return on_shard<Result<void>>([&](auto done) {
      shard_->holds().choose(std::string(target), choice);
      done({});
    });
  }

  Timestamp next_fire(std::string_view flow, std::string_view trigger) override {
    return on_shard<Timestamp>([&](auto done) {
      const auto key = trigger_key(flow, trigger);
      const auto scheduled = schedules_->next_fire(key);
      done(scheduled.is_set() ? scheduled : polls_->next_check(key));
    });
  }

  std::size_t waiting_messages(std::string_view flow, std::string_view trigger) override {
    return on_shard<std::size_t>([&](auto done) { done(batches_->waiting(trigger_key(flow, trigger))); });
  }

  void add_listener(RunListener& listener) override {
    on_shard<bool>([&](auto done) {
      shard_->add_listener(listener);
      done(true);
    });
  }

  Counts counts() override {
    return on_shard<Counts>([&](auto done) { done(shard_->counts()); });
  }

 private:
  /// What is to be started to repeat a run.
  Result<StartRequest> repetition_of(std::string_view run, const Resubmission& how, std::string_view by) {
    const auto row = store_.run(run);
    if (!row) return row.error();
    if (!*row) {
      return make_error("WorkflowRunNotFound", "There is no run '" + std::string(run) + "'.", {},
                        "Check the run's name; it may have been removed by retention.");
    }
    const auto refused = [&](std::string why, std::string cure = {}) {
      return make_error("WorkflowTriggerHistoryCannotBeResubmitted",
                        "Run '" + std::string(run) + "' can't be resubmitted: " + why, {}, std::move(cure));
    };
    if (!store::is_over((*row)->status)) return refused("it is not over yet.", "Wait for its end, or cancel it.");
    const auto records = store_.journal((*row)->number);
    if (!records) return records.error();
    if (records->empty()) return refused("its record was removed.");
    const auto events = engine::decode(records->front(), sealer_);
    if (!events) return events.error();
    const auto* start = events->empty() ? nullptr : std::get_if<engine::RunStarted>(&events->front());
    if (start == nullptr) return refused("its record does not begin with its trigger.");
    const auto live = flows_.find((*row)->flow);
    if (!live) return live.error();
    auto flow = definition::with_trigger_or_first((*live)->flow, (*row)->trigger);
    if (how.definition == DefinitionChoice::original) {
      const auto original = flows_.version((*row)->flow, (*row)->version, (*row)->trigger);
      if (!original) return original.error();
      flow = *original;
    }
    if (!flow) return does_not_compile(**live);
    if (auto checked = check_correction(how.correction, *flow); !checked) return checked.error();
    const bool corrected = !how.correction.is_empty();
    const auto into_child = [](const StepCorrection& step) { return step.kind == StepCorrection::Kind::child; };
    if (std::ranges::any_of(how.correction.steps, into_child)) {
      const auto ran = flows_.version((*row)->flow, (*row)->version, (*row)->trigger);
      if (!ran) return ran.error();
      const auto all = read_events(store_, sealer_, (*row)->number);
      if (!all) return all.error();
      if (auto fits = check_children({store_, sealer_, flows_}, (*row)->name, how.correction,
                                     engine::recorded_steps(*ran, *all));
          !fits)
        return fits.error();
    }
    const bool keeps = how.keep_done || corrected;
    StartRequest request;
    request.flow = flow;
    ObjectBuilder trigger(start->trigger);
    trigger.set("keepsRun", keeps ? Value((*row)->name) : Value());
    // What was decided about the run that is repeated was decided for that one.
    if (corrected || start->trigger.find("repair") != nullptr)
      trigger.set("repair",
                  corrected ? correction_record(how.correction, how.signer.empty() ? by : how.signer) : Value());
    if (start->trigger.find("ofJob") != nullptr) trigger.set("ofJob", Value());  // this one is asked for by itself
    const bool changed = keeps || start->trigger.find("keepsRun") != nullptr || start->trigger.find("ofJob") != nullptr;
    request.trigger = changed ? trigger.finish() : start->trigger;
    // A tracking id that was the run's own name follows the new run; one that a caller gave stays.
    if (start->client_tracking_id != start->run) request.client_tracking_id = start->client_tracking_id;
    request.resubmit_of = (*row)->name;
    request.origin = start->origin.empty() ? start->run : start->origin;
    request.started_by = by;
    return request;
  }

  /// Calls `begin` with a function that gives the answer from any thread, and waits for it.
  template <class T, class Begin>
  T wait_for(Begin begin) {
    auto answer = std::make_shared<std::promise<T>>();
    auto future = answer->get_future();
    begin([answer = std::move(answer)](T value) { answer->set_value(std::move(value)); });
    return await(future);
  }

  template <class T>
  T await(std::future<T>& future) {
    executor_->before_waiting([&] { return is_ready(future); });
    if constexpr (std::is_constructible_v<T, Error>) {
      const auto late =
          std::chrono::steady_clock::now() + std::chrono::milliseconds(settings_.storage_wait_max.to_milliseconds());
      while (future.wait_for(std::chrono::seconds(1)) != std::future_status::ready) {
        if (std::chrono::steady_clock::now() < late) continue;
        if (const auto health = store_.health(); !health) return outcome_unknown(health.error());
      }
    }
    try {
      return future.get();
    } catch (const std::future_error&) {  // the runtime stopped, and what would have answered was dropped
      if constexpr (std::is_constructible_v<T, Error>) {
        return make_error("ServerStopping", "The server is stopping.", {}, "Try again when it has started.");
      } else {
        return T{};
      }
    }
  }
  /// As `wait_for`, with `begin` on the shard's thread. It is over before this gives up waiting for what it began.
  template <class T, class Begin>
  T on_shard(Begin begin) {
    auto begun = std::make_shared<std::promise<void>>();
    const auto has_begun = begun->get_future();
    T answer = wait_for<T>([&](auto done) {
      executor_->post([this, &begin, begun = std::move(begun), done = std::move(done)] {
        if (shard_) begin(done);
        begun->set_value();
      });
    });
    has_begun.wait();  // ready too when the runtime stopped and dropped it
    return answer;
  }

  /// The caller of a flow with an asynchronous Response asks how its run stands.
  void answer_status(const trigger::StatusTarget& target, const trigger::CallbackRequest& request,
                     std::function<void(Answer)> answer) {
    const auto live = flows_.find_by_workflow_id(target.workflow_id);
    if (!live) return answer(refusal(make_error("WorkflowNotFound", "The workflow could not be found.")));
    if (const auto verified = trigger::verify(target, request.headers, (*live)->primary_key, (*live)->secondary_key);
        !verified) {
      return answer(refusal(verified.error()));
    }
    if (request.method != "GET") {
      return answer(error_answer(405, "MethodNotAllowed", "The state of a run is asked for with GET."));
    }
    executor_->post([this, flow = (*live)->row.id, run = target.run, answer = std::move(answer)] {
      if (!shard_) return answer(error_answer(503, "ServerStopping", "The server is stopping."));
      shard_->tell_response(flow, run, answer);
    });
  }

  /// A service answers a webhook action.
  void notify_action(const trigger::ActionTarget& target, const trigger::CallbackRequest& request,
                     std::function<void(Answer)> answer) {
    const auto live = flows_.find_by_workflow_id(target.workflow_id);
    if (!live) return answer(refusal(make_error("WorkflowNotFound", "The workflow could not be found.")));
    if (const auto verified = trigger::verify(target, request.headers, (*live)->primary_key, (*live)->secondary_key);
        !verified) {
      return answer(refusal(verified.error()));
    }
    if (auto handshake = answer_handshake(request, target.queries)) return answer(std::move(*handshake));
    auto body = trigger::decode_body(trigger::header(request.headers, "content-type"), request.body);
    if (!body) return answer(refusal(body.error()));
    ObjectBuilder headers;
    for (const auto& [name, value] : request.headers) headers.set(name, Value(value));
    ObjectBuilder outputs;
    outputs.add("statusCode", Value(200));
    outputs.add("headers", headers.finish());
    if (!target.queries.empty()) {
      ObjectBuilder queries;
      for (const auto& [name, value] : target.queries) queries.set(name, Value(value));
      outputs.add("queries", queries.finish());
    }
    if (*body) outputs.add("body", std::move(**body));
    executor_->post([this, target, outputs = outputs.finish(), answer = std::move(answer)] {
      if (!shard_) return answer(error_answer(503, "ServerStopping", "The server is stopping."));
      shard_->notify_action(target.run, target.action, target.frame, outputs, [answer](const Result<void>& told) {
        if (told) return answer(Answer{200, {}, {}});
        const bool gone = told.error().code != "StorageUnavailable";
        answer(error_answer(gone ? 410 : 503, told.error().code, told.error().message));
      });
    });
  }

  void fire_schedule(const std::shared_ptr<const definition::Flow>& flow, Timestamp scheduled, const Value& outputs,
                     store::Document state) {
    ObjectBuilder extra;
    extra.add("scheduledTime", to_string(scheduled));
    fire(flow, outputs, {}, extra.finish(), {}, {std::move(state)}, {}, {});
  }

  Polls::Parts poll_parts(Effects& effects) {
    return {store_,
            effects,
            executor_,
            flows_,
            [this](const auto& flow, const Value& outputs, store::Document state, auto started) {
              fire(flow, outputs, {}, {}, {}, {std::move(state)}, {}, std::move(started), OnFailure::keep_state);
            },
            [this](const definition::Flow& flow, std::string status, std::string code, std::string message,
                   store::Document state) {
              record_check(flow, std::move(status), std::move(code), std::move(message), {std::move(state)});
            }};
  }

  Batches::Parts batch_parts() {
    return {store_, executor_, flows_,
            [this](const auto& flow, const Value& outputs, std::vector<store::Document> documents, auto started) {
              fire(flow, outputs, {}, {}, {}, std::move(documents), {}, std::move(started), OnFailure::keep_state);
            }};
  }

  Subscriptions::Parts subscription_parts(Effects& effects) {
    return {store_,
            effects,
            sealer_,
            executor_,
            flows_,
            [this](const LiveFlow& live, const definition::Flow& flow) {
              return trigger::make_address(settings_.public_url, flow, live.primary_key, {}).value;
            },
            [this](const definition::Flow& flow, std::string status, std::string code, std::string message,
                   store::Document state) {
              record_check(flow, std::move(status), std::move(code), std::move(message), {std::move(state)});
            }};
  }

  /// What becomes of a trigger's state when its outputs can't be judged: a schedule goes on to its next time, a poll
  /// asks for the same again.
  enum class OnFailure : std::uint8_t { advance, keep_state };

  /// Judges what a trigger brought and starts the runs that follow from it. Any thread.
  void fire(const std::shared_ptr<const definition::Flow>& flow, const Value& outputs, std::string tracking,
            const Value& extra, std::string_view by, std::vector<store::Document> documents,
            std::function<void(Answer)> answer, std::function<void(Result<StartedRun>)> started,
            OnFailure on_failure = OnFailure::advance) {
    const auto record = trigger_record(*flow, outputs);
    const auto verdict = trigger::judge(*flow, record, executor_->now(), executor_->random(), settings_.split);
    if (!verdict) {
      if (on_failure == OnFailure::keep_state) documents.clear();
      record_check(*flow, "Failed", verdict.error().code, verdict.error().message, std::move(documents));
      if (answer) answer(refusal(verdict.error()));
      if (started) started(verdict.error());
      return;
    }
    if (verdict->kind == trigger::Verdict::Kind::skip) {
      record_check(*flow, "Skipped", verdict->code, verdict->message, std::move(documents));
      if (answer) answer(Answer{});
      if (started)
        started(make_error(verdict->code, verdict->message, {}, "No run was started; the trigger's history says so."));
      return;
    }
    const bool window = flow->trigger.type_name == "SlidingWindow";  // there is no gap between windows
    const bool split = verdict->outputs.size() > 1 || flow->trigger.splits();
    std::vector<StartRequest> requests;
    for (std::size_t i = 0; i < verdict->outputs.size(); ++i) {
      StartRequest request;
      request.flow = flow;
      ObjectBuilder item(trigger_record(*flow, verdict->outputs[i]));
      if (extra.is_object()) {
        for (const auto& member : extra.as_object()) item.add(member.name(), member.value);
      }
      request.trigger = item.finish();
      request.client_tracking_id = tracking.empty() ? verdict->client_tracking_ids[i] : tracking;
      request.started_by = by;
      request.must_start = window;
      // The items of a split are one commit: the caller hears of the last.
      const bool last = i + 1 == verdict->outputs.size();
      if (last) {
        request.answer = std::move(answer);
        request.answers_by_status = flow->answers_by_status && !split && request.answer;
        request.answers_later = flow->has_response && !split && !request.answers_by_status;
        request.started = std::move(started);
      }
      if (i == 0) request.documents = std::move(documents);
      requests.push_back(std::move(request));
    }
    executor_->post([this, split, requests = std::move(requests)]() mutable {
      if (!shard_) return;
      if (split) {
        shard_->start_runs(std::move(requests));
      } else {
        shard_->start_run(std::move(requests.front()));
      }
    });
  }

  void record_check(const definition::Flow& flow, std::string status, std::string code, std::string message,
                    std::vector<store::Document> documents = {}) {
    store::TriggerHistoryRow row;
    row.flow = flow.id;
    row.trigger = flow.trigger.name;
    row.started = row.ended = executor_->now();
    row.status = std::move(status);
    row.code = code;
    row.error_code = std::move(code);
    row.error_message = std::move(message);
    executor_->post([this, row = std::move(row), documents = std::move(documents)]() mutable {
      if (!shard_) return;
      row.name = shard_->next_name();
      shard_->record_check(std::move(row), std::move(documents));
    });
  }

  store::Store& store_;
  const engine::Sealer& sealer_;
  const Settings settings_;
  std::atomic<bool> stopped_{false};
  std::shared_ptr<Executor> executor_;
  Flows flows_;
  std::unique_ptr<Shard> shard_;
  std::unique_ptr<Schedules> schedules_;
  std::unique_ptr<Polls> polls_;
  std::unique_ptr<Batches> batches_;  ///< outlives shard_, which hands it messages
  std::unique_ptr<Subscriptions> subscriptions_;
};

}  // namespace

Result<std::unique_ptr<Runtime>> Runtime::start(Parts parts, Settings settings) {
  auto runtime = std::make_unique<ShardRuntime>(std::move(parts), std::move(settings));
  if (const auto recovered = runtime->recover(); !recovered) {
    runtime->stop();  // not left to the destructor: the simulation ends processes by exceptions, here as well
    return recovered.error();
  }
  return std::unique_ptr<Runtime>(std::move(runtime));
}

}  // namespace flowmend::runtime
