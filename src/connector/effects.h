#pragma once

#include <memory>

#include "connector/chunks.h"
#include "connector/connections.h"
#include "connector/registry.h"
#include "http/client.h"
#include "runtime/effects.h"

namespace flowmend::connector {

class NativePool;

/// Carries out a run's requests: Http actions and connector operations, over one HTTP client. What services answer is
/// told to the connections at once (runtime/effects.h has the contract). Calls keep a connection's limit of requests
/// and the wait that its service asked for (pace.h), in the order in which they came; one that waits can be cancelled.
///
/// `client` and `connections` must outlive it; destroy it before them. The destructor gives up on what is
/// under way and waits until every `done` was called.
class ConnectorEffects final : public runtime::Effects {
 public:
  ConnectorEffects(http::Client& client, Connections& connections, const MessageLimits& limits = {});
  ~ConnectorEffects() override;

  void send(const runtime::CallId& id, const engine::Call& call, const runtime::CallContext& context,
            std::function<void(engine::AttemptFinished)> done) override;
  void cancel(const runtime::CallId& id) override;

 private:
  class State;
  std::unique_ptr<NativePool> natives_;
  std::shared_ptr<State> state_;
};

}  // namespace flowmend::connector
