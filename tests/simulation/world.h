#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "executor.h"
#include "flow_maker.h"
#include "network.h"
#include "runtime/runtime.h"
#include "store.h"
#include "witness.h"

namespace flowmend::simulation {

struct Options {
  std::uint64_t seed = 1;
  /// The process dies before the step with this number, and at no other; by chance when not set.
  std::optional<std::size_t> crash_at;
};

struct Outcome {
  std::optional<Violation> violation;
  std::vector<std::string> trace;  ///< what led to it, the last part
  std::uint64_t fingerprint = 0;   ///< of the whole trace: equal for equal seeds
  std::size_t steps = 0, crashes = 0, runs = 0, effects = 0, clock_jumps = 0, disk_faults = 0;
};

/// Lives one seed: makes flows and callers, starts the real runtime on the simulated store, network and clock, does one
/// thing after the other in an order that chance draws, lets the process die and come back; then ends all faults and
/// requires that everything comes to its end.
class World final : public runtime::RunListener {
 public:
  explicit World(Options options);
  ~World() override;
  Outcome live();

 private:
  struct Died {};  ///< thrown through the runtime's waiting functions when the process dies while a caller waits
  struct Process {
    std::shared_ptr<SimulatedExecutor> executor;
    std::unique_ptr<SimulatedStore> store;
    std::unique_ptr<SimulatedEffects> effects;
    std::unique_ptr<runtime::Runtime> runtime;
  };
  struct Flow {
    std::string id;
    std::string name;
    MadeFlow made;
    bool on = true;
    int version = 1;
    std::string address;
  };
  class TurningSealer final : public engine::Sealer {
   public:
    std::string seal(std::string_view plain) const override { return std::string(plain.rbegin(), plain.rend()); }
    Result<std::string> open(std::string_view sealed) const override {
      return Result<std::string>(boost::system::in_place_value, seal(sealed));
    }
  };

  void run_started(const store::RunRow& run) override;
  void run_ended(const store::RunRow& run) override;

  void note(const std::string& what);
  void after(Duration wait, std::function<void()> task);
  /// Does one thing, or lets time pass until there is something to do. False: there is nothing left.
  bool step(bool callers_too);
  bool pass_time(bool callers_too);
  void work_until(const std::function<bool()>& ready);
  bool dies_now();
  void die();
  void start();
  /// Something that a caller does: if the process dies meanwhile, it is started again.
  void act(const std::function<void()>& what);

  void make_flows();
  void plan_callers();
  void plan_faults();
  void call(Flow& flow);
  void call_url(const std::string& url, const std::string& body, std::function<void(const runtime::Answer&)> answered);
  void cancel_some();
  void resubmit_some();
  void switch_some();
  void save_some();
  void notify(const std::string& url, const std::string& body, std::function<void(int)> heard);
  void settle();
  /// Those that no caller knows of. False: it has to be tried again.
  bool stop_unknown_flows();

  Options options_;
  Dice dice_;
  Clock clock_;
  Disk disk_;
  TurningSealer sealer_;
  Witness witness_;
  Network network_;
  int life_ = 0;
  std::unique_ptr<Process> process_;
  std::multimap<Timestamp, std::function<void()>> events_;   ///< of the world: replies, faults; by steady time
  std::multimap<Timestamp, std::function<void()>> callers_;  ///< may wait for the runtime: never one in another
  std::vector<Flow> flows_;
  /// In some lives flows have two triggers; other lives stay as they were.
  bool has_others() const { return options_.seed % 5 == 4; }
  std::string batch_;  ///< the name of the flow that gets messages; empty in most lives
  std::int64_t calls_ = 0;
  bool faults_ = true;
  std::size_t crash_once_in_ = 0;
  std::vector<std::string> trace_;
  Outcome outcome_;
};

Outcome simulate(const Options& options);

}  // namespace flowmend::simulation
