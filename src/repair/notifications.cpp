#include "repair/notifications.h"

#include <algorithm>
#include <condition_variable>
#include <deque>
#include <map>
#include <mutex>
#include <thread>
#include <variant>

#include "base/ids.h"
#include "repair/explanation.h"

namespace flowmend::repair {
namespace {

constexpr std::string_view document_kind = "notification";
constexpr std::size_t kept_max = 500;
constexpr std::size_t listed_max = 50;
constexpr std::size_t catch_up_max = 200;
constexpr std::size_t queue_max = 10'000;

bool is_failure(const store::RunRow& run) {
  return run.status == store::RunStatus::failed || run.status == store::RunStatus::timed_out;
}

/// Newest first, and the same for the same event: looking twice at a run makes no second notification.
std::string key_of(Timestamp time, std::string_view what) { return make_version_name(time) + "-" + std::string(what); }

/// Equal for failures of one cause, as far as one run can tell.
std::string fingerprint_of(const Facts& facts) {
  std::string out(family_name(facts.family));
  if (facts.family == Family::authentication && facts.connection_key)
    return out + ":" + facts.connection_key->api + "/" + facts.connection_key->name;
  out += ":" + facts.flow->id;
  if (facts.action != nullptr) out += ":" + facts.action->pointer;
  if (facts.expression) return out + ":" + facts.expression->subexpression;
  return out + ":" + (facts.status != 0 ? std::to_string(facts.status) : facts.failure->fault_code);
}

}  // namespace

class Notifications::Worker {
 public:
  explicit Worker(Parts parts) : parts_(std::move(parts)), thread_([this] { work(); }) {}

  ~Worker() {
    {
      const std::lock_guard lock(mutex_);
      stopping_ = true;
    }
    wake_.notify_all();
    thread_.join();
  }

  Result<void> start() {
    store::DocumentQuery query;
    query.kind = document_kind;
    query.limit = kept_max;
    const auto stored = parts_.store.documents(query);
    if (!stored) return stored.error();
    {
      const std::lock_guard lock(mutex_);
      for (const store::Document& document : *stored) entries_[document.key] = document.value;
    }
    for (const store::RunStatus status : {store::RunStatus::failed, store::RunStatus::timed_out}) {
      store::RunQuery runs;
      runs.status = status;
      runs.limit = catch_up_max;
      const auto failed = parts_.store.runs(runs);
      if (!failed) return failed.error();
      for (const store::RunRow& run : *failed) {
        if (run.family.empty()) push(run);
      }
    }
    return {};
  }

  using Task = std::variant<store::RunRow, connector::ConnectionView>;

  void push(Task task) {
    {
      const std::lock_guard lock(mutex_);
      // Failing faster than we can look: the rows keep no family and are caught up at the next start.
      if (tasks_.size() >= queue_max) return;
      tasks_.push_back(std::move(task));
    }
    wake_.notify_one();
  }

  Value list() const {
    const std::lock_guard lock(mutex_);
    json::ArrayBuilder out;
    for (const auto& [key, value] : entries_) {
      if (out.size() >= listed_max) break;
      json::ObjectBuilder entry;
      entry.add("id", Value(key));
      for (const json::Member& member : value.as_object()) entry.add(member.name(), member.value);
      out.push(entry.finish());
    }
    return Value::object({{"unread", Value(static_cast<std::int64_t>(count_unread()))}, {"value", out.finish()}});
  }

  std::size_t unread() const {
    const std::lock_guard lock(mutex_);
    return count_unread();
  }

  Result<std::size_t> mark_read(const std::vector<std::string>* ids) {
    std::vector<std::pair<std::string, Value>> changed;
    {
      const std::lock_guard lock(mutex_);
      for (auto& [key, value] : entries_) {
        if (ids != nullptr && std::find(ids->begin(), ids->end(), key) == ids->end()) continue;
        if (is_unread(value)) changed.emplace_back(key, as_read(value));
      }
    }
    if (!changed.empty()) {
      auto written = parts_.store.write([&](store::Transaction& transaction) -> Result<void> {
        for (const auto& [key, value] : changed) {
          if (auto put = transaction.put_document(document_kind, key, value); !put) return put.error();
        }
        return {};
      });
      if (!written) return written.error();
    }
    std::size_t left = 0;
    {
      const std::lock_guard lock(mutex_);
      for (auto& [key, value] : changed) {
        if (const auto found = entries_.find(key); found != entries_.end()) found->second = value;
      }
      left = count_unread();
    }
    if (!changed.empty()) tell(left);
    return left;
  }

  void drain() {
    std::unique_lock lock(mutex_);
    idle_.wait(lock, [&] { return tasks_.empty() && !busy_; });
  }

 private:
  static bool is_unread(const Value& value) {
    const Value* read = value.find("read");
    return read == nullptr || *read != Value(true);
  }

  static Value as_read(const Value& value) {
    json::ObjectBuilder builder(value);
    builder.set("read", true);
    return builder.finish();
  }

  std::size_t count_unread() const {
    return static_cast<std::size_t>(
        std::count_if(entries_.begin(), entries_.end(), [](const auto& entry) { return is_unread(entry.second); }));
  }

  void tell(std::size_t unread) {
    if (parts_.on_change) parts_.on_change(unread);
  }

  void work() {
    std::unique_lock lock(mutex_);
    while (true) {
      wake_.wait(lock, [&] { return stopping_ || !tasks_.empty(); });
      if (stopping_) return;  // what is left is caught up at the next start
      const Task task = std::move(tasks_.front());
      tasks_.pop_front();
      busy_ = true;
      lock.unlock();
      if (const auto* run = std::get_if<store::RunRow>(&task)) {
        if (is_failure(*run)) {
          look_at(*run);
        } else {
          repeated_well(*run);
        }
      } else {
        broken(std::get<connector::ConnectionView>(task));
      }
      lock.lock();
      busy_ = false;
      idle_.notify_all();
    }
  }

  void look_at(const store::RunRow& run) {
    json::ObjectBuilder note;
    note.add("time", Value(to_string(run.ended)));
    note.add("kind", "runFailed");
    std::string title = "A run failed";
    std::string message = run.error_message;
    std::string display_name = run.flow;
    std::string action = run.failed_action;
    std::string family = "unknown";
    std::string fingerprint;
    Value connection;
    if (const auto row = parts_.store.flow(run.flow); row && row->has_value()) display_name = (*row)->display_name;
    const auto flow = parts_.flows.version(run.flow, run.version);
    const auto events = runtime::read_events(parts_.store, parts_.sealer, run.number);
    if (flow && events) {
      if (const auto failure = find_failure(**flow, *events)) {
        const Facts facts = gather_facts(**flow, *failure, &parts_.connections);
        const Value explanation = explain(facts);
        title = explanation.text_of("title");
        message = explanation.text_of("whatHappened");
        family = family_name(facts.family);
        fingerprint = fingerprint_of(facts);
        if (facts.action != nullptr) action = facts.action->name;
        if (facts.connection_key) {
          connection = Value::object({{"api", Value(facts.connection_key->api)},
                                      {"name", Value(facts.connection_key->name)},
                                      {"displayName", Value(facts.connection_name())}});
        }
      }
    }
    note.add("title", Value(display_name + ": " + title));
    note.add("message", Value(message));
    note.add("flow", Value(run.flow));
    note.add("flowDisplayName", Value(display_name));
    note.add("run", Value(run.name));
    if (!action.empty()) note.add("action", Value(action));
    note.add_if_set("connection", connection);
    note.add("family", Value(family));
    note.add("count", 1);
    note.add("read", false);
    const std::string key = key_of(run.ended, run.name);
    keep(key, note.finish(),
         [&](store::Transaction& transaction) { transaction.set_family(run.number, family, fingerprint); });
  }

  /// A resubmit that went well settles what was said about the first run.
  void repeated_well(const store::RunRow& run) {
    if (run.status != store::RunStatus::succeeded || run.resubmit_of.empty()) return;
    std::vector<std::string> keys;
    {
      const std::lock_guard lock(mutex_);
      for (const auto& [key, value] : entries_) {
        if (is_unread(value) && value.text_of("run") == run.resubmit_of) keys.push_back(key);
      }
    }
    if (!keys.empty()) (void)mark_read(&keys);
  }

  void broken(const connector::ConnectionView& connection) {
    json::ObjectBuilder note;
    const Timestamp now = now_from_system_clock();
    note.add("time", Value(to_string(now)));
    note.add("kind", "connectionBroken");
    note.add("title", Value("The connection " + connection.display_name + " isn't authenticated"));
    note.add("message",
             Value(connection.error_message + " Enter the right credentials: flows that use it fail until then."));
    note.add("connection", Value::object({{"api", Value(connection.key.api)},
                                          {"name", Value(connection.key.name)},
                                          {"displayName", Value(connection.display_name)}}));
    note.add("family", "authentication");
    note.add("count", 1);
    note.add("read", false);
    keep(key_of(now, connection.key.api + "." + connection.key.name), note.finish(), [](store::Transaction&) {});
  }

  void keep(const std::string& key, const Value& value, const std::function<void(store::Transaction&)>& also) {
    std::vector<std::string> dropped;
    bool known = false;
    {
      const std::lock_guard lock(mutex_);
      known = entries_.contains(key);
      if (!known) entries_[key] = value;
      while (entries_.size() > kept_max) {
        dropped.push_back(std::prev(entries_.end())->first);
        entries_.erase(std::prev(entries_.end()));
      }
    }
    const auto written = parts_.store.write([&](store::Transaction& transaction) -> Result<void> {
      if (!known) {
        if (auto put = transaction.put_document(document_kind, key, value); !put) return put.error();
      }
      for (const std::string& old : dropped) {
        if (auto erased = transaction.erase_document(document_kind, old); !erased) return erased.error();
      }
      also(transaction);
      return {};
    });
    // A store that refuses now says so to everybody; the run has no family yet, so it is looked at again at the next
    // start.
    if (written && !known) tell(unread());
  }

  Parts parts_;
  mutable std::mutex mutex_;
  std::condition_variable wake_;
  std::condition_variable idle_;
  std::map<std::string, Value> entries_;  ///< by key: newest first
  std::deque<Task> tasks_;
  bool busy_ = false;
  bool stopping_ = false;
  std::thread thread_;
};

Notifications::Notifications(Parts parts) : worker_(std::make_unique<Worker>(std::move(parts))) {}
Notifications::~Notifications() = default;

Result<void> Notifications::start() { return worker_->start(); }
void Notifications::run_started(const store::RunRow&) {}

void Notifications::run_ended(const store::RunRow& run) {
  if (is_failure(run) || !run.resubmit_of.empty()) worker_->push(run);
}

void Notifications::connection_changed(const connector::ConnectionView& connection) {
  if (connection.status == connector::ConnectionStatus::error) worker_->push(connection);
}

Value Notifications::list() const { return worker_->list(); }
std::size_t Notifications::unread() const { return worker_->unread(); }
Result<std::size_t> Notifications::mark_read(const std::vector<std::string>* ids) { return worker_->mark_read(ids); }
void Notifications::drain() { worker_->drain(); }

}  // namespace flowmend::repair
