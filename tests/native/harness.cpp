#include "harness.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <chrono>
#include <filesystem>
#include <fstream>
#include <sstream>
#include <thread>

#include "connector/http_call.h"
#include "connector/native/call.h"
#include "json/parse.h"

namespace flowmend::native_tests {
namespace {

pid_t start(const std::vector<std::string>& arguments, const std::string& log,
            const Server::Environment& environment = {}) {
  const std::string path = arguments[0].find('/') == std::string::npos ? program(arguments[0]) : arguments[0];
  std::vector<char*> pointers;
  for (const std::string& argument : arguments) pointers.push_back(const_cast<char*>(argument.c_str()));
  pointers.push_back(nullptr);
  const pid_t parent = ::getpid();
  const pid_t pid = ::fork();
  if (pid != 0) {
    // Here as well as there: whoever comes first, the group stands before anybody signals it.
    if (pid > 0) ::setpgid(pid, pid);
    return pid;
  }
  ::setpgid(0, 0);
  ::prctl(PR_SET_PDEATHSIG, SIGKILL);
  if (::getppid() != parent) ::_exit(127);  // died before the line above
  for (const auto& [name, value] : environment) ::setenv(name.c_str(), value.c_str(), 1);
  const int out = ::open(log.c_str(), O_CREAT | O_WRONLY | O_APPEND | O_CLOEXEC, 0600);
  const int none = ::open("/dev/null", O_RDONLY);
  ::dup2(none, 0);
  ::dup2(out, 1);
  ::dup2(out, 2);
  for (int i = 3; i < 1024; ++i) ::close(i);
  ::execv(path.c_str(), pointers.data());
  ::_exit(127);
}

sockaddr_in loopback(int port) {
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  address.sin_port = htons(static_cast<std::uint16_t>(port));
  return address;
}

}  // namespace

TemporaryFolder::TemporaryFolder() {
  std::string pattern = (std::filesystem::temp_directory_path() / "flowmend-servers-XXXXXX").string();
  path_ = ::mkdtemp(pattern.data());
}

TemporaryFolder::~TemporaryFolder() {
  std::error_code ignored;
  std::filesystem::remove_all(path_, ignored);
}

std::string TemporaryFolder::write(std::string_view name, std::string_view text) const {
  const std::string path = path_ + "/" + std::string(name);
  std::filesystem::create_directories(std::filesystem::path(path).parent_path());
  std::ofstream(path, std::ios::binary) << text;
  return path;
}

Server::Server(const TemporaryFolder& folder, std::vector<std::string> arguments, const Environment& environment)
    : log_path_(folder.path() + "/log") {
  pid_ = start(arguments, log_path_, environment);
}

Server::~Server() {
  if (pid_ <= 0) return;
  ::kill(pid_, SIGTERM);
  for (int i = 0; i < 500; ++i) {
    siginfo_t ended{};
    // Not reaped yet: its number, and so the group's, stays its own until the group is gone.
    if (::waitid(P_PID, static_cast<id_t>(pid_), &ended, WEXITED | WNOHANG | WNOWAIT) == 0 && ended.si_pid == pid_)
      break;
    std::this_thread::sleep_for(std::chrono::milliseconds(10));
  }
  ::kill(-pid_, SIGKILL);
  ::waitpid(pid_, nullptr, 0);
}

bool Server::wait_for(int port, int seconds) const {
  for (int i = 0; i < seconds * 50; ++i) {
    const int descriptor = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    const sockaddr_in address = loopback(port);
    const bool connected = ::connect(descriptor, reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0;
    ::close(descriptor);
    if (connected) return true;
    siginfo_t ended{};
    if (::waitid(P_PID, static_cast<id_t>(pid_), &ended, WEXITED | WNOHANG | WNOWAIT) == 0 && ended.si_pid == pid_)
      return false;
    std::this_thread::sleep_for(std::chrono::milliseconds(20));
  }
  return false;
}

std::string Server::log() const {
  std::ostringstream text;
  text << std::ifstream(log_path_).rdbuf();
  return text.str();
}

int free_port() {
  const int descriptor = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_in address = loopback(0);
  socklen_t size = sizeof address;
  EXPECT_EQ(::bind(descriptor, reinterpret_cast<sockaddr*>(&address), size), 0);
  EXPECT_EQ(::getsockname(descriptor, reinterpret_cast<sockaddr*>(&address), &size), 0);
  ::close(descriptor);
  return ntohs(address.sin_port);
}

std::string program(std::string_view name) {
  for (const std::string_view folder : {"/usr/sbin/", "/usr/bin/", "/usr/local/bin/", "/usr/lib/openssh/"}) {
    const std::string path = std::string(folder) + std::string(name);
    if (::access(path.c_str(), X_OK) == 0) return path;
  }
  ADD_FAILURE() << name << " is not installed; './dev test' installs what the suites of native connectors need.";
  return {};
}

int run(const std::vector<std::string>& arguments) {
  const pid_t pid = start(arguments, "/dev/null");
  int status = -1;
  ::waitpid(pid, &status, 0);
  return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

Certificate make_certificate(const TemporaryFolder& folder, std::string_view names) {
  Certificate out{folder.path() + "/certificate.pem", folder.path() + "/certificate.key"};
  EXPECT_EQ(run({program("openssl"), "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1",
                 "-nodes", "-days", "2", "-subj", "/CN=localhost", "-addext", "subjectAltName=" + std::string(names),
                 "-keyout", out.key, "-out", out.certificate}),
            0);
  return out;
}

json::Value json_of(std::string_view text) {
  auto value = json::parse(text);
  EXPECT_TRUE(value) << text;
  return value ? *value : json::Value();
}

Session::Session(connector::NativeConnector& native, std::string_view fields)
    : native_(native), fields_(json_of(fields)) {
  connector::LoadOptions options;
  options.name = native.name();
  options.native = &native;
  const auto loaded = connector::load_connector_text(native.swagger(), native.properties(), options);
  for (const Diagnostic& diagnostic : loaded.diagnostics)
    ADD_FAILURE() << diagnostic.pointer << ": " << diagnostic.message;
  connector_ = loaded.connector;
}

engine::AttemptFinished Session::run(std::string_view operation, std::string_view parameters) {
  return send(operation, json_of(parameters), false);
}

engine::AttemptFinished Session::run_with(std::string_view operation, const json::Value& parameters) {
  return send(operation, parameters, false);
}

engine::AttemptFinished Session::check(std::string_view operation, std::string_view parameters) {
  return send(operation, json_of(parameters), true);
}

engine::AttemptFinished Session::send(std::string_view operation, const json::Value& parameters, bool poll) {
  engine::Call call;
  call.callback_url = callback_url;
  call.kind = engine::Call::Kind::connector;
  call.timeout = timeout;
  call.idempotency_key = "test-key";
  if (poll && !state_.empty()) {
    call.get_poll = true;
    call.poll_uri = state_;
  }
  const connector::Operation* found = connector_->find_operation(operation);
  if (found == nullptr) {
    ADD_FAILURE() << "no operation " << operation;
    return {};
  }
  connector::NativeCall native;
  const auto shown = connector::build_native_call(call, *connector_, *found, parameters, fields_, native);
  if (!shown) return connector::refused(call, shown.error(), now_from_system_clock());
  native.cancelled = [] { return false; };
  const auto keep =
      found->file_reply || found->binary_reply ? connector::Keep::bytes : connector::Keep::by_content_type;
  auto outcome = connector::to_native_outcome(call, *shown, native_.call(native), keep);
  if (poll && outcome.headers.is_object()) {
    if (const json::Value* location = outcome.headers.find("Location")) state_ = location->as_string();
  }
  return outcome;
}

http::Reply Session::verify() const { return native_.verify(connector::native_fields(*connector_, fields_), timeout); }

std::string message_of(const engine::AttemptFinished& outcome) {
  if (!outcome.fault.message.empty()) return outcome.fault.message;
  const json::Value* error = outcome.body.is_object() ? outcome.body.find("error") : nullptr;
  return error == nullptr ? std::string() : std::string(error->text_of("message"));
}

std::string code_of(const engine::AttemptFinished& outcome) {
  if (!outcome.fault.code.empty()) return outcome.fault.code;
  const json::Value* error = outcome.body.is_object() ? outcome.body.find("error") : nullptr;
  return error == nullptr ? std::string() : std::string(error->text_of("code"));
}

}  // namespace flowmend::native_tests
