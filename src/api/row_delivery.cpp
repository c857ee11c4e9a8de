#include "api/row_delivery.h"

#include <algorithm>
#include <chrono>

#include <spdlog/spdlog.h>

#include "base/thread_name.h"

namespace flowmend::api {
namespace {

constexpr auto look_every = std::chrono::milliseconds(250);
constexpr std::size_t page_size = 500;

bool is_gone(std::string_view code) {
  return code == "FlowNotFound" || code == "TriggerNotFound" || code == "WorkflowTriggerIsNotEnabled";
}
bool is_for_later(std::string_view code) {
  return code == "WorkflowMaximumWaitingRunCountExceeded" || code == "StorageUnavailable" || code == "ServerStopping" ||
         code == "InvalidDefinition";
}

}  // namespace

RowDelivery::RowDelivery(store::Store& store, runtime::Runtime& runtime)
    : runtime_(runtime), watches_(store), thread_([this] {
        name_thread("fm-rows");
        run();
      }) {}

RowDelivery::~RowDelivery() {
  {
    const std::lock_guard lock(mutex_);
    stopping_ = true;
  }
  wake_.notify_all();
  thread_.join();
}

void RowDelivery::run() {
  std::unique_lock lock(mutex_);
  while (!stopping_) {
    lock.unlock();
    const bool more = round();
    lock.lock();
    if (!more) wake_.wait_for(lock, look_every, [&] { return stopping_; });
  }
}

bool RowDelivery::round() {
  std::set<std::string> held_up;  // triggers that take no more just now
  std::set<std::string> judged;
  bool moved = false;
  for (std::string after;;) {
    const auto due = watches_.due(page_size, after);
    if (!due) return false;
    for (const connector::RowDelivery& one : *due) {
      {
        const std::lock_guard lock(mutex_);
        if (stopping_) return false;
      }
      if (judged_.contains(one.key))
        judged.insert(one.key);
      else if (!held_up.contains(one.flow + "/" + one.trigger))
        moved = deliver(one, held_up, judged) || moved;
    }
    if (due->size() < page_size) break;
    after = due->back().key;
  }
  judged_ = std::move(judged);
  return moved;
}

bool RowDelivery::deliver(const connector::RowDelivery& one, std::set<std::string>& held_up,
                          std::set<std::string>& judged) {
  const auto started = runtime_.notify_trigger(
      one.flow, one.trigger, one.body, {{std::string(connector::row_delivery_kind), one.key, json::Value(), 0, {}}});
  if (started) return true;
  const std::string& code = started.error().code;
  if (is_gone(code)) {
    spdlog::info("a changed row starts nothing: {}", started.error().message);
    return watches_.drop(one.key).has_value();
  }
  if (is_for_later(code))
    held_up.insert(one.flow + "/" + one.trigger);
  else
    judged.insert(one.key);
  return false;
}

}  // namespace flowmend::api
