#include "api/events.h"

#include <algorithm>
#include <charconv>

#include "json/write.h"

namespace flowmend::api {

namespace {
constexpr std::size_t kept_max = 500;
constexpr std::size_t readers_max = 200;
}  // namespace

void EventHub::publish(std::string_view kind, const Value& data) {
  std::lock_guard lock(mutex_);
  Kept event{++last_, "", ""};
  const std::string head = "id: " + std::to_string(event.id) + "\nevent: " + std::string(kind) + "\ndata: ";
  event.text = head + json::write(data) + "\n\n";
  event.bare = head + "{}\n\n";
  std::erase_if(readers_, [&](const Reader& reader) {
    return !reader.stream->write(reader.everything ? event.text : event.bare);
  });
  kept_.push_back(std::move(event));
  if (kept_.size() > kept_max) kept_.pop_front();
}

void EventHub::add(const http::Responder& responder, std::string_view last_id, bool everything) {
  std::lock_guard lock(mutex_);
  if (readers_.size() >= readers_max) {
    responder.send(http::error_response(
        503, "TooManyReaders", "Too many browsers follow this server's events already. Close some and try again."));
    return;
  }
  std::string first = "retry: 2000\n\n";
  std::uint64_t seen = 0;
  const auto read = std::from_chars(last_id.data(), last_id.data() + last_id.size(), seen);
  if (!last_id.empty() && read.ec == std::errc()) {
    const bool missed = seen > last_ || (!kept_.empty() && seen + 1 < kept_.front().id);
    if (missed) {
      first += "id: " + std::to_string(last_) + "\nevent: reset\ndata: {}\n\n";
    } else {
      for (const Kept& event : kept_) {
        if (event.id > seen) first += everything ? event.text : event.bare;
      }
    }
  }
  auto stream = responder.stream(
      {200,
       {{"Content-Type", "text/event-stream"}, {"Cache-Control", "no-store"}, {"X-Accel-Buffering", "no"}},
       std::move(first)});
  if (stream) readers_.push_back({std::move(stream), everything});
}

void EventHub::beat() {
  std::lock_guard lock(mutex_);
  std::erase_if(readers_, [](const Reader& reader) { return !reader.stream->write(": still here\n\n"); });
}

void EventHub::close() {
  std::lock_guard lock(mutex_);
  readers_.clear();
}

void EventHub::run_started(const store::RunRow& run) {
  publish("run",
          Value::object({{"flow", run.flow}, {"run", run.name}, {"status", store::run_status_name(run.status)}}));
}

void EventHub::run_ended(const store::RunRow& run) { run_started(run); }
void EventHub::run_held(const store::RunRow& run) { run_started(run); }

}  // namespace flowmend::api
