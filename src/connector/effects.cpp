#include "connector/effects.h"

#include <condition_variable>
#include <deque>
#include <mutex>
#include <thread>
#include <unordered_map>

#include "connector/http_call.h"
#include "connector/mask.h"
#include "connector/native/call.h"
#include "connector/native/pool.h"
#include "connector/notification.h"
#include "connector/reference.h"
#include "connector/service_message.h"

namespace flowmend::connector {
namespace {

struct CallIdHash {
  std::size_t operator()(const runtime::CallId& id) const noexcept {
    return std::hash<engine::Place>()(id.place) ^ (static_cast<std::size_t>(id.run) * 0x9e3779b97f4a7c15ULL) ^
           id.attempt;
  }
};

/// What a request is sent with, and whom to tell what came of it.
struct Prepared {
  OutgoingRequest request;
  Keep keep = Keep::by_content_type;
  std::optional<ConnectionKey> connection;
  std::uint64_t generation = 0;
  NativeConnector* native = nullptr;  ///< does it itself; then `request` is only what the record shows
  NativeCall native_call;
  std::shared_ptr<const Connector> connector;  ///< keeps what `native_call` points into
};

struct Refusal {
  Error error;
  Value details;
};

Value connection_details(const Reference& reference, std::string_view display_name = {}) {
  json::ObjectBuilder connection;
  connection.add("api", Value(reference.api));
  connection.add("name", Value(reference.name));
  if (!display_name.empty()) connection.add("displayName", Value(display_name));
  return Value::object({{"kind", Value("connection")}, {"connection", connection.finish()}});
}

/// `Error details` as users of the field know them.
Error framed(const Error& error, std::string_view action, std::string_view type) {
  Error out = error;
  if (error.code.find("OperationParameter") != std::string::npos) {
    out.message = "The 'inputs.parameters' of workflow operation '" + std::string(action) + "' of type '" +
                  std::string(type) + "' is not valid. Error details: " + error.message;
    out.where = "/inputs/parameters" + error.where;
  }
  return out;
}

}  // namespace

class ConnectorEffects::State : public std::enable_shared_from_this<State> {
 public:
  State(http::Client& client, const Registry& registry, Connections& connections, NativePool& natives)
      : client_(client), registry_(registry), connections_(connections), natives_(natives), later_([this] {
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
    Prepared prepared;
    if (auto refusal = prepare(call, context, prepared)) {
      post([outcome = refused(call, refusal->error, now_from_system_clock(), refusal->details),
            done = std::move(done)] { done(outcome); });
      return;
    }
    auto shared_call = std::make_shared<const engine::Call>(call);
    auto shared = std::make_shared<const Prepared>(std::move(prepared));
    const std::string flow = context.flow ? context.flow->id : std::string();
    {
      const std::lock_guard lock(mutex_);
      ++under_way_;
      requests_[id] = {};
    }
    auto finish = [self = shared_from_this(), id, shared_call, shared, flow, run = context.run,
                   done = std::move(done)](http::Reply reply) {
      engine::AttemptFinished outcome =
          shared->native == nullptr ? to_outcome(*shared_call, shared->request, std::move(reply), shared->keep)
                                    : to_native_outcome(*shared_call, shared->request, std::move(reply), shared->keep);
      if (shared->connection) self->tell(*shared, outcome, flow, run);
      done(std::move(outcome));
      self->ended(id);
    };
    // The request may be over before `send` returns its number; then there is nothing left to remember.
    const std::uint64_t number = shared->native == nullptr
                                     ? client_.send(to_http(shared->request, call), std::move(finish))
                                     : natives_.call(*shared->native, shared->native_call, std::move(finish));
    const std::lock_guard lock(mutex_);
    if (const auto found = requests_.find(id); found != requests_.end())
      found->second = {number, shared->native != nullptr};
  }

  void cancel(const runtime::CallId& id) {
    UnderWay request;
    {
      const std::lock_guard lock(mutex_);
      const auto found = requests_.find(id);
      if (found == requests_.end()) return;
      request = found->second;
    }
    give_up(request);
  }

  /// Gives up on everything and waits until each `done` was called.
  void stop() {
    std::vector<UnderWay> under_way;
    {
      const std::lock_guard lock(mutex_);
      for (const auto& [id, request] : requests_) under_way.push_back(request);
    }
    for (const UnderWay& request : under_way) give_up(request);
    std::unique_lock lock(mutex_);
    idle_.wait(lock, [&] { return under_way_ == 0 && tasks_.empty() && !running_; });
  }

 private:
  /// A request's number with the client, or with the pool of native calls.
  struct UnderWay {
    std::uint64_t number = 0;
    bool native = false;
  };

  void give_up(const UnderWay& request) {
    if (request.number == 0) return;
    if (request.native) {
      natives_.cancel(request.number);
    } else {
      client_.cancel(request.number);
    }
  }

  std::optional<Refusal> prepare(const engine::Call& call, const runtime::CallContext& context, Prepared& prepared) {
    Result<OutgoingRequest> built = make_error("", "");
    if (call.kind == engine::Call::Kind::http) {
      built = build_http_call(call);
      if (!built) return Refusal{built.error(), Value::object({{"kind", Value("inputs")}})};
    } else if (auto refusal = prepare_operation(call, context, prepared, built)) {
      return refusal;
    }
    prepared.request = std::move(*built);
    if (prepared.native != nullptr) {
      prepared.native_call.flow = context.flow ? context.flow->id : std::string();
      prepared.native_call.run = context.run;
      return std::nullopt;
    }
    add_run_headers(call, context, prepared.request);
    if (call.get_poll) prepared.request = build_poll(call, prepared.request);
    return std::nullopt;
  }

  std::optional<Refusal> prepare_operation(const engine::Call& call, const runtime::CallContext& context,
                                           Prepared& prepared, Result<OutgoingRequest>& built) {
    const Value* host = call.inputs.find("host");
    const Value references = context.flow ? context.flow->connection_references : Value();
    auto reference = resolve_reference(host == nullptr ? Value() : *host, references);
    if (!reference) return Refusal{reference.error(), Value::object({{"kind", Value("connection")}})};
    if (reference->api.empty()) {
      if (const auto key = connections_.find_by_name(reference->name)) reference->api = key->api;
    }
    const ConnectionKey key{reference->api, reference->name};
    const auto material = connections_.material(key);
    if (!material) return Refusal{material.error(), connection_details(*reference)};
    const Connector& connector = *material->connector;
    const Value* operation_id = host == nullptr ? nullptr : host->find("operationId");
    const Operation* operation = nullptr;
    Value parameters;
    const bool open_api = operation_id != nullptr && operation_id->is_string();
    if (open_api) {
      operation = connector.find_operation(operation_id->as_string());
      if (operation == nullptr) {
        return Refusal{make_error("WorkflowOperationInputsApiOperationNotFound",
                                  "The connector '" + connector.title + "' has no operation '" +
                                      std::string(operation_id->as_string()) + "'.",
                                  "/inputs/host/operationId", "Choose one of the connector's operations."),
                       Value::object({{"kind", Value("inputs")}})};
      }
      if (const Value* given = call.inputs.find("parameters")) parameters = *given;
    } else {
      const auto matched = match_api_connection(connector, call.inputs);
      if (!matched) return Refusal{matched.error(), Value::object({{"kind", Value("inputs")}})};
      operation = matched->operation;
      parameters = matched->parameters;
    }
    if (!call.callback_url.empty()) parameters = with_callback(connector, *operation, parameters, call.callback_url);
    if (connector.native != nullptr) {
      prepared.native = connector.native;
      prepared.connector = material->connector;
      built = build_native_call(call, connector, *operation, parameters, material->fields, prepared.native_call);
    } else {
      built = build_request(connector, *operation, parameters, material->fields);
    }
    if (!built) {
      return Refusal{framed(built.error(), context.action, open_api ? "OpenApiConnection" : "ApiConnection"),
                     Value::object({{"kind", Value("inputs")}, {"operation", Value(operation->id)}})};
    }
    prepared.keep = operation->file_reply || operation->binary_reply ? Keep::bytes : Keep::by_content_type;
    prepared.connection = key;
    prepared.generation = material->generation;
    return std::nullopt;
  }

  void tell(const Prepared& prepared, const engine::AttemptFinished& outcome, const std::string& flow,
            const std::string& run) {
    const int status = outcome.status_code;
    if (status >= 200 && status < 300) {
      connections_.report_success(*prepared.connection, prepared.generation);
    } else if (status == 401 || status == 403) {
      const ServiceMessage said = read_service_message(outcome.body);
      FailedCall call;
      call.time = outcome.ended;
      call.status_code = status;
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
      wake_.wait(lock, [&] { return stopping_ || !tasks_.empty(); });
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
  const Registry& registry_;
  Connections& connections_;
  NativePool& natives_;
  std::mutex mutex_;
  std::condition_variable wake_;
  std::condition_variable idle_;
  std::deque<std::function<void()>> tasks_;
  std::unordered_map<runtime::CallId, UnderWay, CallIdHash> requests_;
  std::size_t under_way_ = 0;
  bool running_ = false;
  bool stopping_ = false;
  std::thread later_;
};

ConnectorEffects::ConnectorEffects(http::Client& client, const Registry& registry, Connections& connections)
    : natives_(std::make_unique<NativePool>()),
      state_(std::make_shared<State>(client, registry, connections, *natives_)) {}

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
