#include "harness.h"

#include <cstdio>
#include <fstream>

#include <sys/resource.h>

#include "json/parse.h"

namespace flowmend::bench {

double cpu_seconds() {
  struct rusage used {};
  getrusage(RUSAGE_SELF, &used);
  const auto seconds = [](const timeval& t) {
    return static_cast<double>(t.tv_sec) + static_cast<double>(t.tv_usec) * 1e-6;
  };
  return seconds(used.ru_utime) + seconds(used.ru_stime);
}

std::uint64_t bytes_written() {
  std::ifstream file("/proc/self/io");
  std::string key;
  std::uint64_t value = 0;
  while (file >> key >> value) {
    if (key == "write_bytes:") return value;
  }
  return 0;
}

std::uint64_t peak_memory() {
  struct rusage used {};
  getrusage(RUSAGE_SELF, &used);
  return static_cast<std::uint64_t>(used.ru_maxrss) * 1024;
}

void Ends::run_ended(const store::RunRow& run) {
  const std::lock_guard hold(mutex_);
  ended_[run.client_tracking_id] = Clock::now();
  failed_ += run.status == store::RunStatus::succeeded ? 0 : 1;
  changed_.notify_one();
}

void Ends::wait(std::size_t count) {
  std::unique_lock hold(mutex_);
  changed_.wait(hold, [&] { return ended_.size() >= count; });
}

Bench::Bench(const std::string& folder, std::string_view definition, runtime::Settings settings,
             const MakeEffects& make_effects) {
  store::sqlite::Options options;
  options.folder = folder + "/data";
  store_ = store::sqlite::open(options).value();
  effects_ = make_effects ? make_effects(*store_, sealer_) : std::make_unique<NoEffects>();
  runtime_ =
      runtime::Runtime::start({*store_, *effects_, sealer_, runtime::make_thread_executor()}, std::move(settings))
          .value();
  runtime_->add_listener(ends);
  runtime::FlowDraft draft;
  draft.display_name = "bench";
  draft.definition = json::parse(definition).value();
  const auto saved = runtime_->flows().create(draft, "bench").value();
  if (!saved.flow) {
    std::fprintf(stderr, "%s\n", saved.diagnostics.at(0).message.c_str());
    std::exit(1);
  }
  const auto address =
      runtime_->callback_address(saved.flow->id, "manual", runtime::KeyType::primary, {}).value().value;
  const auto path = address.find('/', 8);
  const auto query = address.find('?');
  path_ = address.substr(path, query - path);
  query_ = address.substr(query + 1);
}

Bench::~Bench() {
  runtime_.reset();
  effects_.reset();
  store_.reset();  // checkpoints: the file has everything
}

void Bench::start(const std::string& id, std::string body) {
  trigger::CallbackRequest request{
      "POST", path_, query_, {{"Content-Type", "application/json"}, {"x-ms-client-tracking-id", id}}, std::move(body)};
  runtime_->invoke(std::move(request), [](const runtime::Answer& answer) {
    if (answer.status_code != 202) {
      std::fprintf(stderr, "%d %s\n", answer.status_code, answer.body.c_str());
      std::exit(1);
    }
  });
}

}  // namespace flowmend::bench
