#pragma once

#include <functional>
#include <map>
#include <memory>
#include <string>

#include "engine/journal.h"
#include "runtime/effects.h"
#include "runtime/executor.h"
#include "runtime/flows.h"

namespace flowmend::runtime {

/// The webhook triggers of all flows (HttpWebhook, ApiConnectionWebhook, OpenApiConnectionWebhook): each gives its
/// service the flow's signed address when the flow is switched on or its inputs change, and takes it back when the flow
/// is switched off, deleted or subscribed anew: the new subscription first, then the old one is undone (connectors.md
/// 8.3).
///
/// What is subscribed is a document (`subscription`, trigger_key()): `{source, subscribed?, undo?, old?, error?,
/// failures?, since?, next?}`. It is written after the service answered; a crash in between subscribes once more, which
/// services bear, and loses none. A refused subscription is tried again for a day, and each refusal is a check in the
/// trigger's history.
///
/// Used on the executor's thread alone.
class Subscriptions {
 public:
  struct Parts {
    store::Store& store;
    Effects& effects;
    const engine::Sealer& sealer;        ///< what undoes a subscription may hold credentials
    std::shared_ptr<Executor> executor;  ///< replies may come after this object is gone
    Flows& flows;
    /// The signed address of the trigger that `flow` is started by.
    std::function<std::string(const LiveFlow& live, const definition::Flow& flow)> address;
    /// Records a check that started nothing, and commits `state` with it.
    std::function<void(const definition::Flow& flow, std::string status, std::string code, std::string message,
                       store::Document state)>
        record;
  };

  explicit Subscriptions(Parts parts);
  ~Subscriptions();

  Result<void> recover();
  void flow_changed(const std::string& id);

 private:
  struct Entry {
    Value document;  ///< as stored; null = none
    std::int64_t call = 0;
    std::uint64_t turn = 0;
  };
  void settle(const std::string& key);
  void subscribe(const std::string& key, const std::shared_ptr<const definition::Flow>& flow,
                 const std::string& address, const Value& source);
  void unsubscribe(const std::string& key, const Value& old, std::function<void(Entry&)> then);
  void try_again(const std::string& key, Entry& entry, Duration wait);
  void keep(const std::string& key, Entry& entry, Value document);
  void send(const std::string& key, Entry& entry, const std::shared_ptr<const definition::Flow>& flow,
            const engine::Call& call, std::function<void(Entry&, const engine::AttemptFinished&)> then);

  Parts parts_;
  std::map<std::string, Entry> entries_;  ///< by trigger_key()
  std::uint64_t turns_ = 0;
  std::int64_t calls_ = 0;
  std::shared_ptr<Subscriptions*> self_;
};

}  // namespace flowmend::runtime
