#pragma once

#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "engine/input.h"
#include "runtime/executor.h"
#include "store/store.h"

namespace flowmend::runtime {

/// A step that waits for its service to work again (engine::ActionHeld).
struct HeldStep {
  std::string target;  ///< `api/connection`, or the origin `https://host` of an HTTP action
  store::RunNumber number = 0;
  engine::Place place;
  std::string run;     ///< its name
  std::string flow;    ///< id
  std::string action;  ///< name
  std::string cause;   ///< `Unauthorized`, `ServiceUnavailable`
  std::string message;
  Timestamp since;
};

/// What the owner of a connection (or of an origin) chose for failures that pass when the service works again.
struct HoldChoice {
  enum class Kind : std::uint8_t { as_the_flow_says, hold, fail };
  Kind kind = Kind::as_the_flow_says;
  Duration limit = Duration::days(7);  ///< a step that waits longer fails; 1 minute..30 days
  std::size_t steps_max = 10'000;      ///< that wait at once; further ones fail; 1..100,000
};

/// All that wait for one service.
struct HeldTarget {
  std::string target;
  std::string cause;    ///< of the latest
  std::string message;  ///< of the latest
  std::size_t steps = 0;
  std::size_t runs = 0;
  std::vector<std::string> flows;  ///< ids
  Timestamp since;                 ///< of the longest wait
  std::string first_run;
  std::string first_flow;
  bool releasing = false;  ///< requests are being sent again
  Timestamp next_try;      ///< when one is tried by itself; not set while releasing
};

/// Which steps wait for which service, and when they go on.
///
/// One request is tried first: after 30 s and then ever more seldom (at most every 15 minutes; 5 minutes and 1 hour
/// when the credentials were refused, because trying wrong ones again can lock an account), or at once when somebody
/// asks
/// (`release`, a successful Verify). When it goes well, or any other request to the same service does, the others
/// follow in the order in which they began to wait, `rate` a second and never more than `at_once` unanswered ones: live
/// traffic goes before them. One that fails for the same reason waits again, and so do the rest.
///
/// Each held step is a document of kind `held_step`, written by the commit that holds it and erased by the one that
/// ends the wait; its limit is a timer of the run. So a crash forgets none and lets none go twice.
///
/// Used on the executor's thread alone.
class Holds {
 public:
  static constexpr std::size_t at_once = 8;
  static constexpr int rate = 40;  ///< a second

  struct Parts {
    store::Store& store;
    std::shared_ptr<Executor> executor;
    /// Gives the run an engine::EndHold.
    std::function<void(store::RunNumber, engine::Place, const std::string& by, bool send_again)> end;
  };
  explicit Holds(Parts parts);
  ~Holds();

  Result<void> recover();

  /// The offer for a failure at `target` of a flow whose own choice is `flow_holds`; nothing when it may not wait.
  std::optional<engine::HoldOffer> offer(const std::string& target, bool flow_holds) const;

  /// Durable changes, told by the shard.
  void add(const HeldStep& step);
  void remove(const HeldStep& step);
  /// A request to `target` was answered; `well`: by a service that works.
  void answered(const std::string& target, store::RunNumber number, engine::Place place, bool well);

  std::size_t release(const std::string& target, const std::string& by);
  std::size_t fail(const std::string& target, const std::string& by);
  std::vector<HeldTarget> list() const;

  HoldChoice choice(const std::string& target) const;
  void choose(const std::string& target, HoldChoice choice);
  static Result<void> store_choice(store::Store& store, std::string_view target, const HoldChoice& choice);

  /// The document of a held step; a null value erases it.
  static store::Document document_of(const HeldStep& step, bool erase);

 private:
  using Key = std::pair<store::RunNumber, std::uint64_t>;  ///< run and place: the order of starts
  struct Target {
    std::map<Key, HeldStep> steps;
    std::set<Key> flying;  ///< sent again, not answered
    bool flowing = false;  ///< one went well: the others follow
    bool ticking = false;
    std::string by = "probe";
    unsigned failures = 0;  ///< tries in a row that went wrong
    Timestamp next_try;
    std::uint64_t turn = 0;  ///< tells a posted try of an older plan from the current one's
  };
  static Key key_of(store::RunNumber number, engine::Place place);
  void plan_try(const std::string& name, Target& target);
  void try_one(const std::string& name, Target& target);
  void tick(const std::string& name);
  void send_next(Target& target);
  void drop_if_empty(const std::string& name);

  Parts parts_;
  std::map<std::string, Target> targets_;
  std::map<std::string, HoldChoice> choices_;
  std::shared_ptr<Holds*> self_;  ///< null once it is gone: posted tasks outlive it
};

}  // namespace flowmend::runtime
