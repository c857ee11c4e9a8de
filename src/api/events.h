#pragma once

#include <cstdint>
#include <deque>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <vector>

#include "http/listener.h"
#include "json/value.h"
#include "runtime/runtime.h"

namespace flowmend::api {

/// Server-sent events to every open portal: what changed, not the change itself; the reader asks for what it shows.
/// Keeps the last 500 for readers that come back; one that missed more is told to read anew (`reset`). Any thread.
class EventHub final : public runtime::RunListener {
 public:
  void publish(std::string_view kind, const Value& data);
  /// A reader: gets what it missed since `last_id` (empty: nothing) and everything from now on.
  /// `everything`: false for a reader who does not see all flows: it hears that something changed, not what.
  void add(const http::Responder& responder, std::string_view last_id, bool everything);
  /// A comment to every reader, so that proxies and dead connections are noticed; call it every 15 s.
  void beat();
  void close();

  void run_started(const store::RunRow& run) override;
  void run_ended(const store::RunRow& run) override;
  void run_held(const store::RunRow& run) override;

 private:
  struct Kept {
    std::uint64_t id = 0;
    std::string text;
    std::string bare;  ///< without what it is about
  };
  struct Reader {
    std::shared_ptr<http::Stream> stream;
    bool everything = false;
  };
  std::mutex mutex_;
  std::uint64_t last_ = 0;
  std::deque<Kept> kept_;
  std::vector<Reader> readers_;
};

}  // namespace flowmend::api
