#include "api/approval_delivery.h"

#include <spdlog/spdlog.h>

#include <chrono>
#include <future>

#include "base/thread_name.h"
#include "json/write.h"

namespace flowmend::api {
namespace {

constexpr auto look_every = std::chrono::milliseconds(500);
constexpr auto answer_within = std::chrono::seconds(30);
/// A step that is over, or whose run was deleted, answers 404 for ever; one that has not yet begun to wait does so
/// once.
constexpr int refusals_max = 20;

}  // namespace

ApprovalDelivery::ApprovalDelivery(store::Store& store, const engine::Sealer& sealer, runtime::Runtime& runtime)
    : store_(store), sealer_(sealer), runtime_(runtime), approvals_(store), thread_([this] {
        name_thread("fm-approvals");
        run();
      }) {}

ApprovalDelivery::~ApprovalDelivery() {
  {
    const std::lock_guard lock(mutex_);
    stopping_ = true;
  }
  wake_.notify_all();
  thread_.join();
}

void ApprovalDelivery::run() {
  std::unique_lock lock(mutex_);
  while (!stopping_) {
    lock.unlock();
    if (const auto due = approvals_.due()) {
      for (const connector::ApprovalDelivery& one : *due) deliver(one);
    }
    lock.lock();
    wake_.wait_for(lock, look_every, [&] { return stopping_; });
  }
}

void ApprovalDelivery::deliver(const connector::ApprovalDelivery& one) {
  const auto flow = store_.flow_by_workflow_id(one.target.workflow_id);
  if (!flow) return;
  int status = 404;
  if (flow->has_value()) {
    const auto key = sealer_.open((*flow)->primary_key);
    if (!key) return;
    const std::string address = trigger::make_action_address("", one.target, *key);
    trigger::CallbackRequest request;
    request.method = "POST";
    request.path = address.substr(0, address.find('?'));
    request.query = address.substr(address.find('?') + 1);
    request.headers.emplace_back("Content-Type", "application/json");
    request.body = json::write(one.body);
    auto answer = std::make_shared<std::promise<int>>();
    auto answered = answer->get_future();
    runtime_.invoke(std::move(request), [answer](const runtime::Answer& got) { answer->set_value(got.status_code); });
    if (answered.wait_for(answer_within) != std::future_status::ready) return;
    status = answered.get();
  }
  const bool refused = status >= 400 && status < 500 && status != 429;
  if (status >= 500 || status == 429 || (refused && ++tries_[one.key] < refusals_max)) return;
  if (refused) spdlog::info("the step that waited for an approval is over ({})", status);
  tries_.erase(one.key);
  if (const auto removed = approvals_.delivered(one.key); !removed) spdlog::warn("{}", removed.error().message);
}

}  // namespace flowmend::api
