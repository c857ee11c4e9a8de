#include "server/serve.h"

#include <signal.h>
#include <spdlog/sinks/stdout_color_sinks.h>
#include <spdlog/spdlog.h>
#include <sys/prctl.h>
#include <sys/resource.h>

#include <filesystem>
#include <iostream>
#include <optional>

#include "api/api.h"
#include "api/approval_delivery.h"
#include "api/row_delivery.h"
#include "connector/connections.h"
#include "connector/dynamic/dynamic.h"
#include "connector/effects.h"
#include "connector/master_key.h"
#include "connector/native/native.h"
#include "connector/registry.h"
#include "http/client.h"
#include "http/listener.h"
#include "repair/bulk.h"
#include "repair/incidents.h"
#include "repair/notify/notifier.h"
#include "repair/search/search.h"
#include "repair/silence/watcher.h"
#include "repair/trials.h"
#include "runtime/executor.h"
#include "runtime/retention.h"
#include "runtime/runtime.h"
#include "sandbox/effects.h"
#include "server/demo/demo.h"
#include "server/limits.h"
#include "store/sqlite/open.h"

namespace flowmend::server {

namespace {

int refuse(const Error& error) {
  std::cerr << "flowmend: " << error.message;
  if (!error.cure.empty()) std::cerr << "\n    " << error.cure;
  std::cerr << std::endl;
  return 1;
}

/// Blocks the signals that end the process in every thread started from now on; `wait_for_end` takes them.
sigset_t block_ending_signals() {
  sigset_t set;
  sigemptyset(&set);
  sigaddset(&set, SIGTERM);
  sigaddset(&set, SIGINT);
  pthread_sigmask(SIG_BLOCK, &set, nullptr);
  signal(SIGPIPE, SIG_IGN);
  return set;
}

/// Memory holds secrets in clear; so no core file, and no other process of the same user may read it (ptrace, /proc).
/// Programs that this one starts keep the limit.
void forbid_core_dumps() {
  const rlimit none{0, 0};
  ::setrlimit(RLIMIT_CORE, &none);
  ::prctl(PR_SET_DUMPABLE, 0, 0, 0, 0);
}

}  // namespace

int serve(const ServeOptions& options) {
  if (!options.allow_core_dumps) forbid_core_dumps();
  // Before there are threads: it changes the environment.
  const auto key_source = connector::find_master_key(options.data_folder + "/keys/master.key");
  const sigset_t ending = block_ending_signals();
  spdlog::set_default_logger(spdlog::stderr_color_mt("flowmend"));

  ServerLimits limits;
  if (const auto set = set_limits(options.limits, limits); !set) return refuse(set.error());
  auto store = store::sqlite::open({options.data_folder});
  if (!store) return refuse(store.error());
  std::error_code failure;
  const std::string keys = options.data_folder + "/keys";
  std::filesystem::create_directory(keys, failure);
  std::filesystem::permissions(keys, std::filesystem::perms::owner_all, failure);
  const auto known_key = connector::has_master_key(**store);
  if (!known_key) return refuse(known_key.error());
  auto sealer = connector::open_master_key(key_source, *known_key && !options.accept_new_master_key
                                                           ? connector::IfKeyIsMissing::refuse
                                                           : connector::IfKeyIsMissing::create);
  if (!sealer) return refuse(sealer.error());
  const auto right_key = connector::check_master_key(**store, **sealer, options.accept_new_master_key);
  if (!right_key) return refuse(right_key.error());

  http::ClientOptions outgoing;
  for (const auto& kind : options.refuse_addresses) {
    if (const auto refused = outgoing.policy.refuse(kind); !refused) return refuse(refused.error());
  }
  for (const auto& range : options.allow_addresses) {
    if (const auto allowed = outgoing.policy.allow(range); !allowed) return refuse(allowed.error());
  }
  outgoing.proxy = {options.proxy, options.no_proxy};
  if (const auto proxy = http::check_proxy(outgoing.proxy); !proxy) return refuse(proxy.error());
  http::Client client(outgoing);
  connector::Registry registry(**store);
  const std::string public_url = options.public_url.empty()
                                     ? "http://" + options.address + ":" + std::to_string(options.port)
                                     : options.public_url;
  const auto natives =
      registry.add_native(connector::native_connectors({**store, client, options.file_roots, public_url}));
  if (!natives) return refuse(natives.error());
  connector::Connections connections(**store, **sealer, registry, client);
  if (const auto loaded = connections.load(); !loaded) return refuse(loaded.error());
  connector::ConnectorEffects connector_effects(client, connections, limits.messages);
  // What makers ask services while they write has a sender of its own: its calls are no run's.
  connector::ConnectorEffects asking_effects(client, connections, limits.messages);
  connector::DynamicContent dynamic(asking_effects, connections);
  registry.set_remembered_shapes(
      [&dynamic](const auto& connector, const auto& operation, const auto& source, const Value& parameters) {
        return dynamic.remembered_shape(connector, operation, source, parameters);
      });
  sandbox::Effects effects(connector_effects, **store, limits.sandbox);

  runtime::Settings& settings = limits.runtime;
  settings.public_url = public_url;
  auto runtime = runtime::Runtime::start({**store, effects, **sealer, runtime::make_thread_executor()}, settings);
  if (!runtime) return refuse(runtime.error());

  runtime::RetentionSettings retention_settings;
  retention_settings.keep = Duration::days(options.keep_days);
  runtime::Retention retention(**store, runtime::make_thread_executor(), retention_settings);
  retention.start();

  repair::notify::Notifier notifier(
      {**store, **sealer, client, settings.public_url, now_from_system_clock, api::may_hear});
  api::EventHub events;
  repair::Incidents incidents(
      {**store, **sealer, (*runtime)->flows(), connections,
       [&events](std::size_t unread) {
         events.publish("notification", Value::object({{"unread", static_cast<std::int64_t>(unread)}}));
       },
       [&events, &notifier](const std::string& id) {
         events.publish("incident", Value::object({{"incident", Value(id)}}));
         notifier.wake();
       },
       [&notifier](store::Transaction& transaction, const repair::Incident& incident) {
         return notifier.tell(transaction, incident);
       }});
  if (const auto started = incidents.start(); !started) return refuse(started.error());
  (*runtime)->add_listener(events);
  (*runtime)->add_listener(incidents);
  const repair::search::RunSearch search({**store, **sealer, (*runtime)->flows()});
  repair::Bulk bulk({**store, **sealer, **runtime, registry, incidents, search, [&events](const std::string& job) {
                       events.publish("job", Value::object({{"job", Value(job)}}));
                     }});
  (*runtime)->add_listener(bulk);
  const repair::Trials trials({**store, **sealer, (*runtime)->flows(), registry, incidents});
  if (const auto started = bulk.start(); !started) return refuse(started.error());
  connections.on_status_change([&](const connector::ConnectionView& view) {
    incidents.connection_changed(view);
    if (view.status == connector::ConnectionStatus::connected)
      static_cast<void>((*runtime)->release_held(view.key.api + "/" + view.key.name, "connection"));
    events.publish("connection", Value::object({{"api", view.key.api},
                                                {"name", view.key.name},
                                                {"status", connector::status_name(view.status)}}));
  });
  (*runtime)->flows().on_change([&events](const std::string& id) {
    events.publish("flow", Value::object({{"flow", id}}));
  });

  std::unique_ptr<demo::Services> services;
  if (options.demo) {
    demo::ServicesOptions demo_options;
    demo_options.port = options.demo_port;
    auto demo_services = demo::start_services(demo::remembered(**store, demo_options));
    if (!demo_services) return refuse(demo_services.error());
    services = std::move(*demo_services);
    const auto seeded = demo::seed({**store, **runtime, registry, connections}, *services);
    if (!seeded) return refuse(seeded.error());
  }

  repair::silence::Watcher watcher({**store, **sealer, (*runtime)->flows(), connections, incidents}, limits.silence);
  watcher.start();

  std::optional<api::ApprovalDelivery> approvals;
  approvals.emplace(**store, **sealer, **runtime);
  std::optional<api::RowDelivery> rows;
  rows.emplace(**store, **runtime);

  api::Identities identities(**store, options.data_folder);
  api::Api api({**store, **sealer, **runtime, registry, connections, dynamic, incidents, bulk, trials, notifier, search,
                identities, events, version, std::filesystem::absolute(options.data_folder, failure).string(),
                options.public_url, options.demo, now_from_system_clock()});
  http::ListenerOptions listening;
  listening.address = options.address;
  listening.port = options.port;
  listening.threads = options.threads;
  listening.body_bytes_max = options.body_bytes_max;
  http::Listener listener(listening, [&api](http::IncomingRequest request, http::Responder responder) {
    api.handle(std::move(request), std::move(responder));
  });
  if (const auto started = listener.start(); !started) return refuse(started.error());

  const std::string address = "http://" + options.address + ":" + std::to_string(listener.port());
  std::cout << "Flowmend is at " << address << std::endl;
  if (const std::string code = identities.setup_code(); !code.empty())
    std::cout << "First sign-in: " << address << "/signin?code=" << code << std::endl;
  if (services) std::cout << "The demo's services are at " << services->url() << std::endl;

  for (;;) {
    const timespec beat{15, 0};
    const int received = sigtimedwait(&ending, nullptr, &beat);
    if (received == SIGTERM || received == SIGINT) break;
    events.beat();
  }
  spdlog::info("stopping");
  events.close();
  dynamic.stop();
  listener.stop(Duration::seconds(5));
  approvals.reset();
  rows.reset();
  // First of all that goes: the others listen to it and use it until their own end.
  (*runtime)->stop();
  return 0;
}

int serve_demo(std::uint16_t port) {
  const sigset_t ending = block_ending_signals();
  demo::ServicesOptions options;
  options.port = port;
  auto services = demo::start_services(options);
  if (!services) return refuse(services.error());
  std::cout << "The demo's services are at " << (*services)->url() << std::endl;
  int received = 0;
  sigwait(&ending, &received);
  return 0;
}

}  // namespace flowmend::server
