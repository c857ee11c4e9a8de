#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>

#include "base/error.h"
#include "base/time.h"
#include "connector/connections.h"
#include "connector/registry.h"
#include "runtime/runtime.h"
#include "store/store.h"

namespace flowmend::demo {

// The demo (docs/demo.md): real HTTP services on loopback that go wrong in the ways that services do, and the
// connectors, connections and flows that use them. Nothing about a failure is staged beyond the services' own state.

struct ServicesOptions {
  std::uint16_t port = 8081;  ///< 0 = any free one
  /// How long the delivery service answers 502 from the start. Zero = it works.
  Duration delivery_down_for = Duration::minutes(5);
  std::string orders_password = "autumn-2026";
  /// Told when the control page changed the password, to keep it over a restart.
  std::function<void(const std::string&)> on_password_change = [](const std::string&) {};
  std::function<Timestamp()> clock = now_from_system_clock;
};

/// The services: orders, catalogue, delivery, mailbox and the control page. Threads: any; the destructor stops them.
class Services {
 public:
  virtual ~Services() = default;
  virtual std::uint16_t port() const = 0;
  /// `http://127.0.0.1:8081`.
  std::string url() const { return "http://127.0.0.1:" + std::to_string(port()); }
};

/// Binds and serves on 127.0.0.1. Error: `ListenFailed`, when the port is taken.
Result<std::unique_ptr<Services>> start_services(ServicesOptions options);

/// `options` as the demo of this data folder was left: its port, its orders password, and a delivery service that works
/// once the demo has been seeded. Of an empty folder: `options` with the port as given.
ServicesOptions remembered(store::Store& store, ServicesOptions options);

struct SeedParts {
  store::Store& store;
  runtime::Runtime& runtime;
  connector::Registry& registry;
  connector::Connections& connections;
};

struct Seeded {
  bool now = false;  ///< false: this data folder had been seeded before, nothing was done but the connectors' address
  std::size_t flows = 0;
  std::size_t runs = 0;
};

/// Puts the demo's connectors, connections and flows into the store and starts each flow once: only the first time for
/// a data folder. What a user deletes afterwards stays deleted. Errors name the flow or connector that was refused.
Result<Seeded> seed(const SeedParts& parts, const Services& services);

}  // namespace flowmend::demo
