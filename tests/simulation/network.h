#pragma once

#include <functional>
#include <map>
#include <set>
#include <string>

#include "clock.h"
#include "dice.h"
#include "runtime/effects.h"
#include "witness.h"

namespace flowmend::simulation {

/// The services that flows call, and the network between. It outlives the process.
///
/// Fault model. A request may be lost, or its reply; then the sender gets `RequestTimeout` at the call's limit. Replies
/// come after any time, so in any order, and may come twice. Services fail now and then. A reply to a process that died
/// reaches nobody. A service that was given an address calls it until it is told that it was heard, or that nobody
/// waits, and may call twice.
class Network {
 public:
  struct Hooks {
    std::function<void(Duration, std::function<void()>)> after;  ///< runs a task of the world later
    std::function<bool(int)> lives;                              ///< whether that life of the process still is
    /// Calls a signed address: `heard(status)`, or never when the process dies.
    std::function<void(const std::string& url, const std::string& body, std::function<void(int)> heard)> notify;
    std::function<void(const std::string&)> note;
  };
  Network(const Clock& clock, Dice& dice, Witness& witness, Hooks hooks)
      : clock_(clock), dice_(dice), witness_(witness), hooks_(std::move(hooks)) {}

  bool faults = true;
  void send(int life, const runtime::CallId& id, const engine::Call& call, const runtime::CallContext& context,
            std::function<void(engine::AttemptFinished)> done);
  /// The services make no more news.
  void be_quiet() { quiet_ = true; }

 private:
  struct Reply {
    int status = 200;
    Value headers;
    Value body;
  };
  Reply serve(const std::string& host, const std::string& uri, const engine::Call& call);
  Reply serve_feed(const std::string& uri);
  void call_back(const std::string& url, const std::string& body, int patience);
  void publish(const std::string& name, int left);
  Duration delay();

  const Clock& clock_;
  Dice& dice_;
  Witness& witness_;
  Hooks hooks_;
  bool quiet_ = false;
  std::int64_t notes_ = 0;
  std::map<std::string, int> later_;                ///< polls until a long operation is done
  std::map<std::string, std::string> subscribers_;  ///< topic -> address
  std::set<std::string> told_;                      ///< addresses that will be called
};

/// The network as one life of the process sees it.
class SimulatedEffects final : public runtime::Effects {
 public:
  SimulatedEffects(Network& network, int life) : network_(network), life_(life) {}
  void send(const runtime::CallId& id, const engine::Call& call, const runtime::CallContext& context,
            std::function<void(engine::AttemptFinished)> done) override {
    network_.send(life_, id, call, context, std::move(done));
  }
  void cancel(const runtime::CallId&) override {}  // the reply still comes, late

 private:
  Network& network_;
  int life_;
};

}  // namespace flowmend::simulation
