#include "sandbox/sandbox.h"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <chrono>
#include <cstdlib>
#include <cstring>
#include <filesystem>

#include "json/parse.h"
#include "json/write.h"

namespace flowmend::sandbox {
namespace {

using Clock = std::chrono::steady_clock;

/// The worker ends itself at its time; this side waits a little longer before it does.
constexpr std::chrono::milliseconds grace{1500};

struct Descriptor {
  int number = -1;
  Descriptor() = default;
  Descriptor(const Descriptor&) = delete;
  Descriptor& operator=(const Descriptor&) = delete;
  ~Descriptor() { close(); }
  void close() {
    if (number >= 0) ::close(number);
    number = -1;
  }
};

bool make_pipe(Descriptor& reader, Descriptor& writer) {
  int ends[2];
  if (::pipe2(ends, O_CLOEXEC) != 0) return false;
  reader.number = ends[0];
  writer.number = ends[1];
  return true;
}

Error unavailable(const std::string& why) {
  return make_error("SandboxUnavailable", "The process that runs code could not be started: " + why + ".", {},
                    "Install flowmend-sandbox beside flowmend, or name it in FLOWMEND_SANDBOX.");
}

/// Standard input and output are pipes, everything else is closed (all descriptors here are O_CLOEXEC), and the
/// environment is empty.
pid_t start(const std::string& program, const Bounds& bounds, int input, int output, int& problem) {
  posix_spawn_file_actions_t actions;
  posix_spawn_file_actions_init(&actions);
  posix_spawn_file_actions_adddup2(&actions, input, 0);
  posix_spawn_file_actions_adddup2(&actions, output, 1);
  posix_spawn_file_actions_addopen(&actions, 2, "/dev/null", O_WRONLY, 0);
  posix_spawnattr_t attributes;
  posix_spawnattr_init(&attributes);
  // The server blocks the signals that end it; the worker must not inherit that.
  sigset_t none;
  sigemptyset(&none);
  posix_spawnattr_setsigmask(&attributes, &none);
  posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETSIGMASK);
  std::string name = "flowmend-sandbox";
  std::string time = std::to_string(bounds.time.to_milliseconds());
  std::string memory = std::to_string(bounds.memory_bytes);
  char* arguments[] = {name.data(), time.data(), memory.data(), nullptr};
  char zone[] = "TZ=UTC";
  char* environment[] = {zone, nullptr};
  pid_t process = -1;
  problem = posix_spawn(&process, program.c_str(), &actions, &attributes, arguments, environment);
  posix_spawnattr_destroy(&attributes);
  posix_spawn_file_actions_destroy(&actions);
  return problem == 0 ? process : -1;
}

}  // namespace

std::string worker_program() {
  if (const char* named = std::getenv("FLOWMEND_SANDBOX"); named != nullptr && *named != '\0') return named;
  std::error_code failure;
  const auto self = std::filesystem::read_symlink("/proc/self/exe", failure);
  return failure ? std::string("flowmend-sandbox") : (self.parent_path() / "flowmend-sandbox").string();
}

Sandbox::Sandbox(std::string program, std::size_t processes) : program_(std::move(program)) {
  if (::pipe2(stop_pipe_, O_CLOEXEC) != 0) stop_pipe_[0] = stop_pipe_[1] = -1;
  for (std::size_t i = 0; i < processes; ++i) threads_.emplace_back([this] { work(); });
}

Sandbox::~Sandbox() {
  {
    const std::lock_guard lock(mutex_);
    stopping_ = true;
  }
  if (stop_pipe_[1] >= 0) ::close(stop_pipe_[1]);
  wake_.notify_all();
  for (auto& thread : threads_) thread.join();
  if (stop_pipe_[0] >= 0) ::close(stop_pipe_[0]);
  for (auto& task : tasks_) task.done(make_error("SandboxStopped", "The server is stopping."));
}

void Sandbox::run(const Value& job, const Bounds& bounds, std::function<void(Result<Value>)> done) {
  Task task{json::write(job), bounds, std::move(done)};
  {
    const std::lock_guard lock(mutex_);
    tasks_.push_back(std::move(task));
  }
  wake_.notify_one();
}

void Sandbox::work() {
  for (;;) {
    Task task;
    {
      std::unique_lock lock(mutex_);
      wake_.wait(lock, [this] { return stopping_ || !tasks_.empty(); });
      if (stopping_) return;
      task = std::move(tasks_.front());
      tasks_.pop_front();
    }
    task.done(carry_out(task));
  }
}

Result<Value> Sandbox::carry_out(const Task& task) {
  Descriptor input_read, input_write, output_read, output_write;
  if (!make_pipe(input_read, input_write) || !make_pipe(output_read, output_write))
    return unavailable(std::strerror(errno));
  int problem = 0;
  const pid_t process = start(program_, task.bounds, input_read.number, output_write.number, problem);
  if (process < 0) return unavailable("'" + program_ + "': " + std::strerror(problem));
  input_read.close();
  output_write.close();
  ::fcntl(input_write.number, F_SETFL, O_NONBLOCK);
  ::fcntl(output_read.number, F_SETFL, O_NONBLOCK);

  const auto deadline = Clock::now() + std::chrono::milliseconds(task.bounds.time.to_milliseconds()) + grace;
  std::string output;
  std::size_t written = 0;
  enum class End { open, closed, late, too_much, stopped } end = End::open;
  while (end == End::open) {
    const auto left = std::chrono::duration_cast<std::chrono::milliseconds>(deadline - Clock::now()).count();
    if (left <= 0) {
      end = End::late;
      break;
    }
    pollfd waits[3] = {{output_read.number, POLLIN, 0}, {stop_pipe_[0], POLLIN, 0}, {input_write.number, POLLOUT, 0}};
    if (::poll(waits, input_write.number >= 0 ? 3 : 2, static_cast<int>(left)) < 0 && errno != EINTR) break;
    if ((waits[1].revents & (POLLIN | POLLHUP)) != 0) {
      end = End::stopped;
      break;
    }
    if (input_write.number >= 0 && waits[2].revents != 0) {
      const auto size = ::write(input_write.number, task.input.data() + written, task.input.size() - written);
      if (size > 0) written += static_cast<std::size_t>(size);
      if ((size < 0 && errno != EAGAIN && errno != EINTR) || written == task.input.size()) input_write.close();
    }
    if (waits[0].revents != 0) {
      char buffer[65536];
      const auto size = ::read(output_read.number, buffer, sizeof buffer);
      if (size > 0) output.append(buffer, static_cast<std::size_t>(size));
      if (size == 0 || (size < 0 && errno != EAGAIN && errno != EINTR)) end = End::closed;
      if (output.size() > task.bounds.output_bytes_max) end = End::too_much;
    }
  }
  if (end != End::closed) ::kill(process, SIGKILL);
  int status = 0;
  while (::waitpid(process, &status, 0) < 0 && errno == EINTR) {
  }
  const auto too_slow = [&] {
    return make_error("SandboxTimeLimitExceeded",
                      "The code took longer than its limit of " + to_string(task.bounds.time) + ".", {},
                      "Let it do less, or raise the limit of the server.");
  };
  if (end == End::stopped) return make_error("SandboxStopped", "The server is stopping.");
  if (end == End::late || (WIFSIGNALED(status) && WTERMSIG(status) == SIGXCPU)) return too_slow();
  if (end == End::too_much) {
    return make_error("SandboxOutputLimitExceeded",
                      "The code gave more than " + std::to_string(task.bounds.output_bytes_max) + " bytes.", {},
                      "Let it return less.");
  }
  auto answer = json::parse(output);
  if (!answer || !answer->is_object()) {
    // It ended without an answer: out of memory is what that means for code within its rights.
    return make_error("SandboxMemoryLimitExceeded",
                      "The code was ended: it used more than its " + std::to_string(task.bounds.memory_bytes >> 20) +
                          " MB of memory.",
                      {}, "Let it work on less at a time, or raise the limit of the server.");
  }
  if (const Value* value = answer->find("ok")) return *value;
  const Value* error = answer->find("error");
  const Value nothing = Value::empty_object();
  const Value& said = error == nullptr ? nothing : *error;
  if (said.text_of("code") == "SandboxTimeLimitExceeded") return too_slow();
  return make_error(std::string(said.text_of("code", "SandboxFailed")), std::string(said.text_of("message")),
                    std::string(said.text_of("where")), std::string(said.text_of("cure")));
}

}  // namespace flowmend::sandbox
