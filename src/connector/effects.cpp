#include "connector/effects.h"

#include <algorithm>
#include <condition_variable>
#include <deque>
#include <map>
#include <mutex>
#include <thread>
#include <unordered_map>

#include "connector/chunks.h"
#include "connector/http_call.h"
#include "connector/http_sign_in.h"
#include "connector/kept_tokens.h"
#include "connector/mask.h"
#include "connector/native/call.h"
#include "connector/native/pool.h"
#include "connector/pace.h"
#include "connector/policy.h"
#include "connector/polling.h"
#include "connector/prepare_call.h"
#include "connector/service_message.h"
#include "connector/sign_in.h"
#include "connector/text.h"
#include "engine/retry.h"

namespace flowmend::connector {
namespace {

struct CallIdHash {
  std::size_t operator()(const runtime::CallId& id) const noexcept {
    return std::hash<engine::Place>()(id.place) ^ (static_cast<std::size_t>(id.run) * 0x9e3779b97f4a7c15ULL) ^
           id.attempt;
  }
};

/// What the action's retry policy allows to wait between two attempts: no more is waited before the first either.
Duration longest_pause(const engine::Call& call) {
  const Value* policy = call.inputs.find_ignoring_case("retryPolicy");
  const Value* maximum = policy == nullptr ? nullptr : policy->find_ignoring_case("maximumInterval");
  const auto stated = maximum != nullptr && maximum->is_string() ? parse_duration(maximum->as_string()) : std::nullopt;
  return std::clamp(stated.value_or(engine::RetryPolicy().maximum), Duration(), Duration::days(1));
}

}  // namespace

class ConnectorEffects::State : public std::enable_shared_from_this<State> {
 public:
  State(http::Client& client, Connections& connections, NativePool& natives, const MessageLimits& limits)
      : client_(client), connections_(connections), natives_(natives), limits_(limits), later_([this] {
          run_later();
        }) {}

  ~State() {
    {
      const std::lock_guard lock(mutex_);
      stopping_ = true;
    }
    wake_.notify_all();
    later_.join();
  }

  void send(const runtime::CallId& id, const engine::Call& call, const runtime::CallContext& context,
            std::function<void(engine::AttemptFinished)> done) {
    auto job = std::make_shared<Job>();
    job->id = id;
    job->call = std::make_shared<const engine::Call>(call);
    job->context = context;
    job->done = std::move(done);
    {
      const std::lock_guard lock(mutex_);
      ++under_way_;
      requests_[id] = {};
    }
    attempt(job, false);
  }

  void cancel(const runtime::CallId& id) {
    UnderWay request;
    {
      const std::lock_guard lock(mutex_);
      const auto found = requests_.find(id);
      if (found == requests_.end()) return;
      found->second.given_up = true;
      request = found->second;
      wake_waiting(id);
    }
    give_up(request);
  }

  /// Gives up on everything and waits until each `done` was called.
  void stop() {
    std::vector<UnderWay> under_way;
    {
      const std::lock_guard lock(mutex_);
      for (auto& [id, request] : requests_) {
        request.given_up = true;
        under_way.push_back(request);
      }
      while (!waiting_.empty()) wake_waiting(waiting_.begin()->second.id);
    }
    for (const UnderWay& request : under_way) give_up(request);
    std::unique_lock lock(mutex_);
    idle_.wait(lock, [&] { return under_way_ == 0 && tasks_.empty() && !running_; });
  }

 private:
  /// A request's number with the client, or with the pool of native calls; none while it waits for a token.
  struct UnderWay {
    std::uint64_t number = 0;  ///< of the request that stands for the call just now; 0 = not known yet
    bool native = false;
    bool given_up = false;
  };

  /// The request may be over before its number is known; then there is nothing left to remember. One that was given up
  /// meanwhile is given up now.
  void remember(const runtime::CallId& id, UnderWay sent) {
    bool given_up = false;
    {
      const std::lock_guard lock(mutex_);
      const auto found = requests_.find(id);
      if (found == requests_.end()) return;
      // A later request of the same call may have told its number before this one.
      found->second.number = std::max(found->second.number, sent.number);
      found->second.native = sent.native;
      given_up = found->second.given_up;
    }
    if (given_up) give_up(sent);
  }

  /// A call until its `done`.
  struct Job {
    runtime::CallId id;
    std::shared_ptr<const engine::Call> call;
    runtime::CallContext context;
    std::function<void(engine::AttemptFinished)> done;
    std::optional<Pace::Time> turn;  ///< taken once, for the first attempt
    Pace::Time pause_max;            ///< no pause holds it up beyond this
    std::vector<std::string> asked;  ///< what had to be asked for first
    std::string token_key;           ///< of a token that was not asked for now: KeptTokens
  };

  /// A job whose time has not come yet.
  struct Waiting {
    runtime::CallId id;
    std::function<void()> go_on;
  };

  /// True when the job waits for its turn over the connection, or for the end of a pause that the service asked for; it
  /// goes on by itself then.
  bool waits(const std::shared_ptr<Job>& job, const Prepared& prepared, bool renewed) {
    if (!prepared.connection) return false;
    const Pace::Time now = std::chrono::steady_clock::now();
    if (!job->turn) {
      job->turn = pace_.take_turn(*prepared.connection, prepared.requests_per_minute, now);
      job->pause_max = *job->turn + std::chrono::milliseconds(longest_pause(*job->call).to_milliseconds());
    }
    const Pace::Time until =
        std::max(*job->turn, std::min(pace_.after_pause(*prepared.connection, now), job->pause_max));
    if (until <= now) return false;
    const std::lock_guard lock(mutex_);
    const auto found = requests_.find(job->id);
    if (found == requests_.end() || found->second.given_up) return false;
    const auto place = waiting_.emplace(
        until, Waiting{job->id, [self = shared_from_this(), job, renewed] { self->attempt(job, renewed); }});
    waiting_of_[job->id] = place;
    wake_.notify_one();
    return true;
  }

  /// Under the lock: the job goes on now, if it waits.
  void wake_waiting(const runtime::CallId& id) {
    const auto found = waiting_of_.find(id);
    if (found == waiting_of_.end()) return;
    tasks_.push_back(std::move(found->second->second.go_on));
    waiting_.erase(found->second);
    waiting_of_.erase(found);
    wake_.notify_one();
  }

  /// A service that asks for time is given it by everybody who uses the connection.
  void note_pause(const ConnectionKey& key, const http::Reply& reply) {
    if (reply.status != 429 && reply.status != 503) return;
    const auto asked = engine::read_retry_after(http::find_header(reply.headers, "Retry-After"), reply.ended);
    if (!asked) return;
    const Pace::Time now = std::chrono::steady_clock::now();
    pace_.pause(key, now + std::chrono::milliseconds(asked->to_milliseconds()), now);
  }

  /// Sends a job; first has the connection's token renewed when it is due. `renewed`: that was done for this job.
  void attempt(const std::shared_ptr<Job>& job, bool renewed) {
    {
      const std::lock_guard lock(mutex_);
      if (const auto found = requests_.find(job->id); found != requests_.end() && found->second.given_up) {
        tasks_.push_back([self = shared_from_this(), job] { self->finish_given_up(*job); });
        wake_.notify_one();
        return;
      }
    }
    auto prepared = std::make_shared<Prepared>();
    use_kept_token(*job);
    if (auto refusal = prepare_call(*job->call, job->context, connections_, limits_, job->asked, *prepared)) {
      return finish_later(job, refused(*job->call, refusal->error, now_from_system_clock(), refusal->details));
    }
    if (waits(job, *prepared, renewed)) return;
    if (!renewed && prepared->connection && connections_.token_is_due(*prepared->connection))
      return renew(job, *prepared, false);
    auto finish = [self = shared_from_this(), job, prepared, renewed](http::Reply reply) {
      if (prepared->connection) self->note_pause(*prepared->connection, reply);
      // A token may be refused before its time; the service did nothing, so the request may go once more.
      if (reply.status == 401 && !renewed && prepared->connection &&
          self->connections_.token_is_renewable(*prepared->connection)) {
        return self->renew(job, *prepared, true);
      }
      if (reply.status == 401 && !job->token_key.empty()) return self->sign_in_anew(job, renewed);
      if (prepared->request.question && reply.status >= 200 && reply.status < 300)
        return self->go_on_with_answer(job, *prepared, reply, renewed);
      if (prepared->request.question && prepared->request.question->signs_in && reply.status >= 400 &&
          reply.status < 500 && reply.status != 408 && reply.status != 429)
        return self->finish_refused_sign_in(*job, *prepared, reply);
      if (prepared->shapes_reply) shape_headers(*prepared, reply);
      engine::AttemptFinished outcome =
          prepared->native == nullptr
              ? to_outcome(*job->call, prepared->request, std::move(reply), prepared->keep)
              : to_native_outcome(*job->call, prepared->request, std::move(reply), prepared->keep);
      if (prepared->shapes_reply && outcome.has_body)
        outcome.body = apply_reply_body(*prepared->connector, *prepared->operation, prepared->clear_fields,
                                        outcome.status_code, outcome.body);
      if (prepared->polling != nullptr)
        remember_place(*prepared->polling, job->call->get_poll ? job->call->poll_uri : std::string(), outcome);
      outcome.target = prepared->target;
      outcome.next_link_name = prepared->next_link_name;
      outcome.items_name = prepared->items_name;
      if (prepared->connection)
        self->tell(*prepared, outcome, job->context.flow ? job->context.flow->id : std::string(), job->context.run);
      job->done(std::move(outcome));
      self->ended(job->id);
    };
    if (prepared->native != nullptr)
      return remember(job->id, {natives_.call(*prepared->native, prepared->native_call, std::move(finish)), true});
    if (prepared->request.question)  // never in chunks, whatever the step's own request is sent in
      return remember(job->id, {client_.send(to_http(prepared->request, *job->call), std::move(finish)), false});
    transfer(
        prepared->request, *job->call, limits_,
        [self = shared_from_this(), id = job->id](http::Request request, std::function<void(http::Reply)> then) {
          {
            const std::lock_guard lock(self->mutex_);
            if (self->requests_[id].given_up) return false;
          }
          self->remember(id, {self->client_.send(std::move(request), std::move(then)), false});
          return true;
        },
        std::move(finish));
  }

  /// The answer to a policy's question: the operation's request can be built now, or the next question.
  void go_on_with_answer(const std::shared_ptr<Job>& job, const Prepared& prepared, const http::Reply& reply,
                         bool renewed) {
    auto value = answered_value(prepared.request, reply.body);
    if (!value) {
      engine::AttemptFinished outcome =
          refused(*job->call, value.error(), reply.ended, Value::object({{"kind", Value("reply")}}));
      outcome.request = request_record(prepared.request.method, prepared.request.url, prepared.request.headers,
                                       prepared.request.secrets);
      outcome.target = prepared.target;
      return finish_later(job, std::move(outcome));
    }
    if (const Question& question = *prepared.request.question; !question.kept_as.empty()) {
      const Duration lifetime = token_lifetime(reply.body);
      const std::lock_guard lock(mutex_);
      tokens_.keep(question.kept_as, *value,
                   std::chrono::steady_clock::now() + std::chrono::milliseconds(lifetime.to_milliseconds()));
    }
    job->asked.push_back(std::move(*value));
    post([self = shared_from_this(), job, renewed] { self->attempt(job, renewed); });
  }

  /// The token that the call would sign in for may be there already: then nothing is signed and asked.
  void use_kept_token(Job& job) {
    if (!job.asked.empty()) return;
    std::string key = token_key(*job.call);
    if (key.empty()) return;
    const std::lock_guard lock(mutex_);
    const auto token = tokens_.find(key, std::chrono::steady_clock::now());
    if (!token) return;
    job.asked.push_back(*token);
    job.token_key = std::move(key);
  }

  /// A kept token was refused before its time: once more with a new one.
  void sign_in_anew(const std::shared_ptr<Job>& job, bool renewed) {
    {
      const std::lock_guard lock(mutex_);
      tokens_.forget(job->token_key);
    }
    job->token_key.clear();
    job->asked.clear();
    post([self = shared_from_this(), job, renewed] { self->attempt(job, renewed); });
  }

  /// An Http action whose own sign-in is refused fails as if its service had answered 401.
  void finish_refused_sign_in(const Job& job, const Prepared& prepared, const http::Reply& reply) {
    engine::AttemptFinished outcome = refused(*job.call, make_error("", ""), reply.ended);
    outcome.fault = {};
    outcome.started = reply.started;
    outcome.request = request_record(prepared.request.method, prepared.request.url, prepared.request.headers,
                                     prepared.request.secrets);
    outcome.target = prepared.target;
    outcome.status_code = 401;
    outcome.headers = Value::empty_object();
    outcome.has_body = true;
    const std::string words = mask_secrets(token_refusal(reply.body), prepared.request.secrets);
    outcome.body = Value::object(
        {{"error",
          Value::object({{"code", Value("SignInRefused")},
                         {"message", Value("The sign-in at '" + prepared.request.url + "' was refused with " +
                                           std::to_string(reply.status) + (words.empty() ? "." : ": " + words))}})}});
    job.done(std::move(outcome));
    ended(job.id);
  }

  static void shape_headers(const Prepared& prepared, http::Reply& reply) {
    Pairs headers;
    for (http::Header& header : reply.headers) headers.emplace_back(std::move(header.name), std::move(header.value));
    apply_reply_headers(*prepared.connector, *prepared.operation, prepared.clear_fields, reply.status, headers);
    reply.headers.clear();
    for (auto& [name, value] : headers) reply.headers.push_back({std::move(name), std::move(value)});
  }

  /// `refused`: the service has answered 401 to the token that there is.
  void renew(const std::shared_ptr<Job>& job, const Prepared& prepared, bool refused) {
    job->asked.clear();  // it was asked for with the old token
    connections_.sign_ins().renew(
        *prepared.connection, prepared.generation, false,
        [self = shared_from_this(), job, key = *prepared.connection, generation = prepared.generation,
         request = prepared.request, refused](const Result<void>& renewed) {
          self->post([self, job, key, generation, request, refused, renewed] {
            // What was only about to be over may be used until it is.
            if (renewed || (!refused && self->connections_.token_still_holds(key))) return self->attempt(job, true);
            self->finish_unrenewed(*job, key, generation, request, renewed.error());
          });
        });
  }

  /// Without a token nothing is sent. A sign-in that is over looks to the run like the 401 that the service would have
  /// answered; an authorization server that can't be reached like a service that can't.
  void finish_unrenewed(const Job& job, const ConnectionKey& key, std::uint64_t generation,
                        const OutgoingRequest& request, const Error& error) {
    const Timestamp now = now_from_system_clock();
    engine::AttemptFinished outcome = refused(
        *job.call, error, now, Value::object({{"kind", Value("connectivity")}, {"host", Value(host_of(request.url))}}));
    outcome.request = request_record(request.method, request.url, request.headers, request.secrets);
    outcome.target = key.api + "/" + key.name;
    if (error.code == "SignInExpired") {
      outcome.fault = {};
      outcome.status_code = 401;
      outcome.headers = Value::empty_object();
      outcome.has_body = true;
      outcome.body =
          Value::object({{"error", Value::object({{"code", Value(error.code)}, {"message", Value(error.message)}})}});
      FailedCall call;
      call.time = now;
      call.status_code = 401;
      call.message = error.message;
      call.flow = job.context.flow ? job.context.flow->id : std::string();
      call.run = job.context.run;
      connections_.report_refused(key, generation, std::move(call));
    }
    job.done(std::move(outcome));
    ended(job.id);
  }

  void finish_given_up(const Job& job) {
    job.done(refused(*job.call, make_error("Cancelled", "The request was given up before it was sent."),
                     now_from_system_clock(), Value::object({{"kind", Value("connectivity")}})));
    ended(job.id);
  }

  void finish_later(const std::shared_ptr<Job>& job, engine::AttemptFinished outcome) {
    post([self = shared_from_this(), job, outcome = std::move(outcome)] {
      job->done(outcome);
      self->ended(job->id);
    });
  }

  void give_up(const UnderWay& request) {
    if (request.number == 0) return;
    if (request.native) {
      natives_.cancel(request.number);
    } else {
      client_.cancel(request.number);
    }
  }

  void tell(const Prepared& prepared, const engine::AttemptFinished& outcome, const std::string& flow,
            const std::string& run) {
    const int status = outcome.status_code;
    if (status >= 200 && status < 300) {
      connections_.report_success(*prepared.connection, prepared.generation);
      return;
    }
    const bool unauthenticated =
        prepared.operation != nullptr && means_unauthenticated(*prepared.connector, *prepared.operation, status);
    if (status == 401 || status == 403 || unauthenticated) {
      const ServiceMessage said = read_service_message(outcome.body);
      FailedCall call;
      call.time = outcome.ended;
      call.status_code = unauthenticated ? 401 : status;
      call.message = "The service answered " + std::to_string(status) + " (" + std::string(reason_phrase(status)) +
                     ")" + (said.message.empty() ? "." : ": " + mask_secrets(said.message, prepared.request.secrets));
      call.flow = flow;
      call.run = run;
      connections_.report_refused(*prepared.connection, prepared.generation, std::move(call));
    }
  }

  void ended(const runtime::CallId& id) {
    const std::lock_guard lock(mutex_);
    requests_.erase(id);
    --under_way_;
    idle_.notify_all();
  }

  void post(std::function<void()> task) {
    {
      const std::lock_guard lock(mutex_);
      tasks_.push_back(std::move(task));
    }
    wake_.notify_one();
  }

  /// Outcomes that are known at once still may not be told from inside `send`.
  void run_later() {
    std::unique_lock lock(mutex_);
    while (true) {
      // A job that waits is known to `requests_`, so the end waits for it (`stop`) before it comes to `stopping_`.
      const auto is_due = [&] {
        return !waiting_.empty() && waiting_.begin()->first <= std::chrono::steady_clock::now();
      };
      while (!stopping_ && tasks_.empty() && !is_due()) {
        if (waiting_.empty()) {
          wake_.wait(lock);
        } else {
          // Copied: the entry may be gone when it wakes.
          const Pace::Time until = waiting_.begin()->first;
          wake_.wait_until(lock, until);
        }
      }
      while (is_due()) wake_waiting(waiting_.begin()->second.id);
      if (tasks_.empty()) return;
      auto task = std::move(tasks_.front());
      tasks_.pop_front();
      running_ = true;
      lock.unlock();
      task();
      lock.lock();
      running_ = false;
      idle_.notify_all();
    }
  }

  http::Client& client_;
  Connections& connections_;
  NativePool& natives_;
  std::mutex mutex_;
  KeptTokens tokens_;  ///< of Http actions that sign in themselves
  std::condition_variable wake_;
  std::condition_variable idle_;
  std::deque<std::function<void()>> tasks_;
  std::multimap<Pace::Time, Waiting> waiting_;
  std::unordered_map<runtime::CallId, std::multimap<Pace::Time, Waiting>::iterator, CallIdHash> waiting_of_;
  Pace pace_;
  std::unordered_map<runtime::CallId, UnderWay, CallIdHash> requests_;
  const MessageLimits limits_;
  std::size_t under_way_ = 0;
  bool running_ = false;
  bool stopping_ = false;
  std::thread later_;
};

ConnectorEffects::ConnectorEffects(http::Client& client, Connections& connections, const MessageLimits& limits)
    : natives_(std::make_unique<NativePool>()),
      state_(std::make_shared<State>(client, connections, *natives_, limits)) {}

ConnectorEffects::~ConnectorEffects() {
  state_->stop();
  // Its threads may still let go of the state; the last to do so must not be one of them, which would wait for itself.
  natives_.reset();
}

void ConnectorEffects::send(const runtime::CallId& id, const engine::Call& call, const runtime::CallContext& context,
                            std::function<void(engine::AttemptFinished)> done) {
  state_->send(id, call, context, std::move(done));
}

void ConnectorEffects::cancel(const runtime::CallId& id) { state_->cancel(id); }

}  // namespace flowmend::connector
