#pragma once

#include <cstddef>
#include <memory>
#include <optional>

#include "base/error.h"
#include "engine/command.h"
#include "engine/event.h"
#include "engine/input.h"
#include "engine/limits.h"

namespace flowmend::engine {

struct RunState;  // state.h: written by apply() alone

/// What a run decided. The events are journalled, in order; the commands are carried out once those events are durable.
struct Decision {
  Events events;
  Commands commands;
  bool more = false;  ///< the slice was used up: commit, then give Continue
};

/// Limits of one slice, so that a loop of 100,000 items neither starves other runs nor makes one huge commit, and its
/// later items see a later clock.
struct Slice {
  std::size_t steps_max = 256;  ///< actions ended
};

/// One run: its state, and the two functions that everything else is made of. `decide` (decide.h) reads the state and
/// says what follows from an input; `apply` (apply.h) carries one event into the state. `advance` alternates the two
/// until nothing is ready or the slice is used up.
///
/// Single-threaded: owned by the shard that runs it. Holds no resources but memory.
class Run {
 public:
  explicit Run(std::shared_ptr<const definition::Flow> flow, const Limits& limits = {});
  Run(Run&&) noexcept;
  Run& operator=(Run&&) noexcept;
  ~Run();

  /// Takes one input to the end of what follows from it. The events have been applied when it returns.
  Decision advance(const Input& input, const Facts& facts, const Slice& slice = {});

  /// Replays journalled events: the state afterwards is that of the run that wrote them.
  void replay(const Events& events);

  /// The commands whose outcome is still open, for a run recovered after a crash: outstanding calls (sent again under
  /// the same key), timers. The same state gives the same commands.
  Commands outstanding() const;

  /// Nothing is under way but timers: the run may leave memory and come back by replay.
  bool sleeps() const;
  bool ended() const;
  /// What the run's Response action answered, or nothing when none did.
  std::optional<Respond> response() const;
  const RunState& state() const { return *state_; }

 private:
  std::unique_ptr<RunState> state_;
};

}  // namespace flowmend::engine
