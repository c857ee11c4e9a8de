// flowmend-sandbox: runs one job that a flow brought along and ends (src/sandbox/README.md).
//
// Before it looks at the job it gives up everything it does not need: memory and time are bounded by the system, no
// file can be opened and nothing connected or started (seccomp; a call that is not on the list fails with EPERM).
//
// Arguments: time in milliseconds, memory in bytes. Standard input: the job. Standard output: `{ok}` or `{error}`.

#include <seccomp.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <unistd.h>

#include <cstdint>
#include <cstdlib>
#include <string>

#include "json/parse.h"
#include "json/write.h"
#include "sandbox_worker/job.h"

namespace {

using flowmend::Value;

void limit(int what, std::uint64_t most) {
  const rlimit bound{most, most};
  setrlimit(static_cast<__rlimit_resource>(what), &bound);
}

bool give_up_rights(std::int64_t time_ms, [[maybe_unused]] std::uint64_t memory_bytes) {
#if !defined(__SANITIZE_ADDRESS__)  // its shadow counts as memory
  // What is mapped but never touched does not count, so the address space is bounded by the data alone.
  limit(RLIMIT_DATA, memory_bytes + (64u << 20));
#endif
  limit(RLIMIT_CPU, static_cast<std::uint64_t>(time_ms / 1000) + 2);
  limit(RLIMIT_FSIZE, 0);
  limit(RLIMIT_CORE, 0);
  limit(RLIMIT_NOFILE, 3);
  if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0) return false;
  scmp_filter_ctx filter = seccomp_init(SCMP_ACT_ERRNO(1));  // EPERM
  if (filter == nullptr) return false;
  constexpr int allowed[] = {SCMP_SYS(read),
                             SCMP_SYS(write),
                             SCMP_SYS(close),
                             SCMP_SYS(fstat),
                             SCMP_SYS(lseek),
                             SCMP_SYS(mmap),
                             SCMP_SYS(munmap),
                             SCMP_SYS(mremap),
                             SCMP_SYS(mprotect),
                             SCMP_SYS(madvise),
                             SCMP_SYS(brk),
                             SCMP_SYS(futex),
                             SCMP_SYS(clock_gettime),
                             SCMP_SYS(clock_getres),
                             SCMP_SYS(clock_nanosleep),
                             SCMP_SYS(nanosleep),
                             SCMP_SYS(gettimeofday),
                             SCMP_SYS(getrandom),
                             SCMP_SYS(exit),
                             SCMP_SYS(exit_group),
                             SCMP_SYS(rt_sigaction),
                             SCMP_SYS(rt_sigprocmask),
                             SCMP_SYS(rt_sigreturn),
                             SCMP_SYS(sigaltstack),
                             SCMP_SYS(sched_yield),
                             SCMP_SYS(sched_getaffinity),
                             SCMP_SYS(clone),
                             SCMP_SYS(clone3),
                             SCMP_SYS(set_robust_list),
                             SCMP_SYS(rseq),
                             SCMP_SYS(gettid),
                             SCMP_SYS(getpid),
                             SCMP_SYS(tgkill),
                             SCMP_SYS(restart_syscall),
                             SCMP_SYS(prctl),
                             SCMP_SYS(getrusage),
                             SCMP_SYS(setitimer),
                             SCMP_SYS(timer_settime),
                             SCMP_SYS(prlimit64)};
  bool complete = true;
  for (const int call : allowed) complete = seccomp_rule_add(filter, SCMP_ACT_ALLOW, call, 0) == 0 && complete;
  const bool loaded = complete && seccomp_load(filter) == 0;
  seccomp_release(filter);
  return loaded;
}

std::string read_all() {
  std::string text;
  char buffer[65536];
  for (;;) {
    const auto size = ::read(0, buffer, sizeof buffer);
    if (size <= 0) return text;
    text.append(buffer, static_cast<std::size_t>(size));
  }
}

void answer(const Value& value) {
  const std::string text = flowmend::json::write(value);
  std::size_t written = 0;
  while (written < text.size()) {
    const auto size = ::write(1, text.data() + written, text.size() - written);
    if (size <= 0) break;
    written += static_cast<std::size_t>(size);
  }
}

Value error_value(const flowmend::Error& error) {
  return Value::object({{"error", Value::object({{"code", Value(error.code)},
                                                 {"message", Value(error.message)},
                                                 {"where", Value(error.where)},
                                                 {"cure", Value(error.cure)}})}});
}

}  // namespace

int main(int argc, char** argv) {
  const std::int64_t time_ms = argc > 1 ? std::atoll(argv[1]) : 5'000;
  const std::uint64_t memory_bytes = argc > 2 ? std::strtoull(argv[2], nullptr, 10) : 256u << 20;
  if (!give_up_rights(time_ms, memory_bytes)) {
    answer(error_value(flowmend::make_error("SandboxUnavailable", "The system does not let the process bound itself.",
                                            {}, "Code runs on Linux with seccomp only.")));
    _exit(1);
  }
  const auto job = flowmend::json::parse(read_all());
  if (!job) {
    answer(error_value(job.error()));
    _exit(1);
  }
  const auto kind = job->text_of("kind");
  auto result = kind == "script"          ? flowmend::sandbox_worker::run_script(*job, time_ms, memory_bytes)
                : kind == "xslt"          ? flowmend::sandbox_worker::run_xslt(*job)
                : kind == "xmlValidation" ? flowmend::sandbox_worker::run_xml_validation(*job)
                                          : flowmend::make_error("SandboxJobUnknown", "There is no such job.");
  answer(result ? Value::object({{"ok", *result}}) : error_value(result.error()));
  _exit(0);  // nothing is worth cleaning up, and a library's clean-up could still go wrong
}
