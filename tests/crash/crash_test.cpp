// Kills the runtime's process with SIGKILL at random moments under load, starts it again, and at the end compares three
// records: what was accepted (this process), what was requested (the witness, this process too), and the store.

#include <csignal>
#include <cstdlib>
#include <filesystem>
#include <map>
#include <random>
#include <set>
#include <string>
#include <vector>

#include <fcntl.h>
#include <gtest/gtest.h>
#include <poll.h>
#include <sys/wait.h>
#include <unistd.h>

#include "driver.h"
#include "engine/journal.h"
#include "runtime/runtime.h"
#include "store/sqlite/open.h"

namespace flowmend::crash {
namespace {

constexpr int kills = 60;
constexpr std::size_t in_flight_max = 64;

/// Lines out of a pipe.
class Lines {
 public:
  void open(int file) {
    file_ = file;
    rest_.clear();
    fcntl(file_, F_SETFL, O_NONBLOCK);
  }
  int file() const { return file_; }
  /// Takes what is there now; false at the end of the pipe. A half line of a killed process is dropped with `open`.
  template <class Take>
  bool read(Take take) {
    char bytes[65536];
    while (true) {
      const auto got = ::read(file_, bytes, sizeof bytes);
      if (got == 0) return false;
      if (got < 0) return true;
      rest_.append(bytes, static_cast<std::size_t>(got));
      std::size_t begin = 0;
      for (auto end = rest_.find('\n'); end != std::string::npos; end = rest_.find('\n', begin)) {
        take(rest_.substr(begin, end - begin));
        begin = end + 1;
      }
      rest_.erase(0, begin);
    }
  }

 private:
  int file_ = -1;
  std::string rest_;
};

class Crash : public testing::Test {
 protected:
  Crash() {
    char name[] = "/tmp/flowmend-crash-XXXXXX";
    folder_ = mkdtemp(name);
    int ends[2];
    if (pipe(ends) != 0) std::abort();
    witness_.open(ends[0]);
    witness_write_ = ends[1];
    std::signal(SIGPIPE, SIG_IGN);
  }
  ~Crash() override {
    if (process_ > 0) kill_process();
    std::filesystem::remove_all(folder_);
  }

  void start_process() {
    int in[2];
    int out[2];
    ASSERT_TRUE(pipe2(in, O_CLOEXEC) == 0 && pipe2(out, O_CLOEXEC) == 0);
    process_ = fork();
    if (process_ == 0) {
      dup2(in[0], STDIN_FILENO);
      dup2(out[1], STDOUT_FILENO);
      const auto witness = std::to_string(witness_write_);
      execl("/proc/self/exe", "test_crash", "--driver", folder_.c_str(), witness.c_str(), nullptr);
      _exit(127);
    }
    close(in[0]);
    close(out[1]);
    input_ = in[1];
    output_.open(out[0]);
    in_flight_ = 0;
    ready_ = idle_ = false;
  }
  void kill_process() {
    kill(process_, SIGKILL);
    int status = 0;
    waitpid(process_, &status, 0);
    process_ = 0;
    take_output();  // what it said before it died counts
    take_requests();
    close(input_);
    close(output_.file());
  }
  void take_output() {
    alive_ = output_.read([&](const std::string& line) {
      if (line == "ready") {
        ready_ = true;
      } else if (line == "idle") {
        idle_ = true;
      } else if (line.rfind("accepted ", 0) == 0) {
        accepted_.insert(std::stoll(line.substr(9)));
        if (in_flight_ > 0) --in_flight_;
      } else {
        ADD_FAILURE() << "the process says: " << line;
      }
    });
  }
  void take_requests() {
    witness_.read([&](const std::string& line) {
      const auto space = line.find(' ');
      requests_[line.substr(0, space)].push_back(line.substr(space + 1));
    });
  }
  void fire() {
    const auto id = ++last_id_;
    const std::string line = std::string("fire ") + flow_names[id % 10 == 0 ? 1 : 0] + " " + std::to_string(id) + "\n";
    if (write(input_, line.data(), line.size()) == static_cast<ssize_t>(line.size())) ++in_flight_;
  }
  /// Works for this long, from the moment the process is ready.
  void load_for(int milliseconds, bool with_load) {
    auto until = now_from_system_clock() + Duration::seconds(20);
    bool counting = false;
    while (now_from_system_clock() < until && !idle_) {
      while (with_load && ready_ && in_flight_ < in_flight_max) fire();
      pollfd waits[2] = {{output_.file(), POLLIN, 0}, {witness_.file(), POLLIN, 0}};
      poll(waits, 2, 1);
      take_output();
      take_requests();
      ASSERT_TRUE(alive_) << "the process ended by itself";
      if (ready_ && !counting) {
        counting = true;
        until = now_from_system_clock() + Duration::milliseconds(milliseconds);
      }
    }
    ASSERT_TRUE(ready_) << "the process does not get ready";
  }

  std::string folder_;
  pid_t process_ = 0;
  int input_ = -1;
  int witness_write_ = -1;
  Lines output_;
  Lines witness_;
  bool ready_ = false;
  bool idle_ = false;
  bool alive_ = true;
  std::size_t in_flight_ = 0;
  std::int64_t last_id_ = 0;
  std::set<std::int64_t> accepted_;
  std::map<std::string, std::vector<std::string>> requests_;  ///< payloads by idempotency key
};

class PlainSealer final : public engine::Sealer {
 public:
  std::string seal(std::string_view plain) const override { return "s" + std::string(plain); }
  Result<std::string> open(std::string_view sealed) const override {
    return {boost::system::in_place_value, sealed.substr(1)};
  }
};

TEST_F(Crash, NothingAcceptedIsLostDoubledOrStuck) {
  std::minstd_rand random(std::random_device{}());
  for (int i = 0; i < kills; ++i) {
    start_process();
    load_for(static_cast<int>(random() % 120), true);
    if (HasFatalFailure()) return;
    kill_process();
  }
  start_process();
  load_for(50, false);
  if (HasFatalFailure()) return;
  const std::string drain = "drain\n";
  ASSERT_EQ(write(input_, drain.data(), drain.size()), static_cast<ssize_t>(drain.size()));
  load_for(60'000, false);
  ASSERT_TRUE(idle_) << "some run is stuck";
  kill_process();

  store::sqlite::Options options;
  options.folder = folder_;
  const auto store = store::sqlite::open(options);
  ASSERT_TRUE(store);
  const PlainSealer sealer;
  std::map<std::int64_t, int> runs_of;
  std::size_t runs = 0;
  store::RunQuery query;
  query.limit = 1000;
  while (true) {
    const auto page = (*store)->runs(query);
    ASSERT_TRUE(page);
    for (const auto& run : *page) {
      ++runs;
      EXPECT_EQ(run.status, store::RunStatus::succeeded) << run.name << " " << run.error_message;
      const auto events = runtime::read_events(**store, sealer, run.number);
      ASSERT_TRUE(events) << events.error().message;
      int ends = 0;
      for (const auto& event : *events) ends += std::holds_alternative<engine::RunEnded>(event) ? 1 : 0;
      EXPECT_EQ(ends, 1) << run.name;
      const auto* start = std::get_if<engine::RunStarted>(&events->front());
      ASSERT_NE(start, nullptr);
      ++runs_of[start->trigger.find("outputs")->find("body")->find("id")->as_integer()];
    }
    if (page->size() < query.limit) break;
    query.after = page->back().name;
  }
  for (const auto id : accepted_) EXPECT_EQ(runs_of[id], 1) << "call " << id << " was accepted";
  for (const auto& [id, count] : runs_of)
    EXPECT_EQ(count, accepted_.count(id) != 0 ? 1 : count > 0 ? 1 : 0) << "call " << id;
  std::size_t repeated = 0;
  for (const auto& [key, payloads] : requests_) {
    repeated += payloads.size() > 1 ? 1 : 0;
    for (const auto& payload : payloads) EXPECT_EQ(payload, payloads.front()) << "key " << key;
  }
  EXPECT_EQ(requests_.size(), 2 * runs) << "each run sends two requests";
  EXPECT_GT(accepted_.size(), static_cast<std::size_t>(kills)) << "there was hardly any load";
  std::printf("%d kills, %lld calls, %zu accepted, %zu runs, %zu requests, %zu of them sent again after a crash\n",
              kills, static_cast<long long>(last_id_), accepted_.size(), runs, requests_.size(), repeated);
}

}  // namespace
}  // namespace flowmend::crash

int main(int argc, char** argv) {
  if (argc == 4 && std::string(argv[1]) == "--driver") return flowmend::crash::drive(argv[2], std::atoi(argv[3]));
  testing::InitGoogleTest(&argc, argv);
  return RUN_ALL_TESTS();
}
