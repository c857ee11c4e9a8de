#pragma once

#include <cstdint>
#include <deque>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <unordered_map>
#include <vector>

#include "definition/flow.h"
#include "engine/event.h"
#include "engine/limits.h"
#include "engine/variable.h"
#include "json/value.h"

namespace flowmend::engine {

// What a run is at a moment. Written by apply() alone; everything else reads. Rebuilt by applying the run's events, so
// nothing here is stored.

/// A request that is under way or waits to be sent again. Only actions that send requests have one.
struct Pending {
  std::uint32_t attempt = 1;  ///< the attempt under way, or the next one while a retry waits
  std::uint32_t retries = 0;  ///< failed attempts in a row: a poll that is answered begins anew
  bool in_flight = false;
  bool polling = false;  ///< the asynchronous pattern: the outcome is asked for at `poll_uri`
  std::string poll_uri;
  bool subscribed = false;   ///< a webhook action: the service knows the address and is waited for
  std::vector<Value> pages;  ///< pagination: the items of each page so far
  std::string location;      ///< where the subscription is undone; empty when the service gave no address
  Value sealed;
};

/// Why an action did not succeed, and what else few actions have.
struct Detail {
  Fault fault;
  Value tracked_properties;
  std::optional<Pending> pending;
};

/// One occurrence of an action.
struct Slot {
  Status status = Status::none;
  bool queued = false;             ///< stands in `RunState::work`
  std::int8_t branch = -1;         ///< of a container that runs: the branch taken, -1 for all, or `no_case`
  std::uint16_t ended_before = 0;  ///< how many of its runAfter predecessors have ended
  std::uint32_t open = 0;          ///< of a container: first-level actions that have not ended
  Timestamp started;
  Timestamp ended;
  Value inputs;
  Value outputs;
  Value code;  ///< a text, or null before it ended; a Value because usual codes then fit in its 16 bytes
  std::unique_ptr<Detail> detail;

  std::string_view code_text() const { return code.is_string() ? code.as_string() : std::string_view(); }

  Detail& make_detail() {
    if (!detail) detail = std::make_unique<Detail>();
    return *detail;
  }
};

/// The run itself (frame 0), or one iteration of a loop. A failed iteration's record always says `ActionFailed`
/// (engine.md 4.3), so no text is kept for it.
struct Frame {
  FrameId parent = 0;
  Place loop;  ///< the loop it is an iteration of; `loop.action == no_action` for the run
  std::uint32_t index = 0;
  std::uint32_t open = 0;  ///< first-level actions of the iteration that have not ended
  Status status = Status::running;
  Value code;
  Timestamp started;
  Timestamp ended;
  std::unique_ptr<Slot[]> slots;  ///< `slot_count`; what a frame costs is what a loop of 100,000 items costs
  std::uint32_t slot_count = 0;
};

/// `Slot::branch` of a Switch whose cases are of another type than its subject: its branches fail (engine.md 3.7).
inline constexpr std::int8_t no_case = -2;

/// A loop under way or ended.
struct Loop {
  Value items;             ///< Foreach: the array
  std::uint32_t next = 0;  ///< index of the next iteration
  std::uint32_t running = 0;
  bool any_failed = false;
  bool any_timed_out = false;
  bool queued = false;
  std::vector<FrameId> frames;  ///< in the order they began
};

/// Something to decide about, in the order it came up.
struct Work {
  enum class Kind : std::uint8_t { action, container, loop, frame, run };
  Kind kind = Kind::action;
  Place place;        ///< action, container, loop
  FrameId frame = 0;  ///< frame
};

/// A Terminate, a cancel or a limit: everything ends now.
struct Ending {
  enum class Cause : std::uint8_t { terminate, person, duration };
  Status status = Status::cancelled;
  std::string code;
  Fault fault;
  Cause cause = Cause::terminate;
};

struct RunState {
  std::shared_ptr<const definition::Flow> flow;
  Limits limits;
  RunStarted start;
  Status status = Status::none;
  Timestamp ended;
  std::vector<Frame> frames;
  std::unordered_map<Place, Loop> loops;
  std::vector<Variable> variables;
  std::deque<Work> work;
  std::map<std::pair<std::uint64_t, TimerKind>, TimerSet> timers;  ///< wanted ones, by place and kind
  std::uint32_t calls_in_flight = 0;
  bool caller_waits = false;
  std::int32_t responded = 0;  ///< status sent to the caller; 504 when it gave up; 0 = not yet
  std::optional<Ending> ending;
  std::string broken;  ///< why the run was quarantined
  std::uint32_t root_open = 0;

  Slot* find(Place place) {
    if (place.frame >= frames.size() || place.action >= flow->actions.size()) return nullptr;
    Frame& frame = frames[place.frame];
    const auto slot = flow->actions[place.action].slot;
    return slot < frame.slot_count ? &frame.slots[slot] : nullptr;
  }
  const Slot* find(Place place) const { return const_cast<RunState*>(this)->find(place); }
  const Loop* find_loop(Place place) const {
    const auto found = loops.find(place);
    return found == loops.end() ? nullptr : &found->second;
  }
  static std::uint64_t key(Place place) { return static_cast<std::uint64_t>(place.frame) << 32 | place.action; }
  /// The moment at which the run has used up its time.
  Timestamp deadline() const { return start.time + limits.run_duration_of(flow->dialect); }
  bool wants_timer(Place place, TimerKind kind) const { return timers.contains({key(place), kind}); }
  bool is_over() const { return is_terminal(status) || !broken.empty(); }

  /// The frame around `from` in which actions of loop `loop` live: its own, or one further out. Nothing when `from` is
  /// not inside that loop.
  std::optional<FrameId> frame_of_loop(FrameId from, definition::ActionId loop) const {
    for (FrameId at = from;; at = frames[at].parent) {
      if (frames[at].loop.action == loop) return at;
      if (at == 0) return std::nullopt;
    }
  }
};

/// `000002-000001`: the iteration indexes around a frame, outermost first; empty for the run itself (engine.md 6.6).
std::string repetition_name(const RunState& state, FrameId frame);

}  // namespace flowmend::engine
