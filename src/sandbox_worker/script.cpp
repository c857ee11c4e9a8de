// JavaScript on SpiderMonkey (Debian's mozjs), interpreted only: no machine code is made from what a flow brings.

#include <js/CompilationAndEvaluation.h>
#include <js/ContextOptions.h>
#include <js/Conversions.h>
#include <js/ErrorReport.h>
#include <js/Exception.h>
#include <js/GCAPI.h>
#include <js/Initialization.h>
#include <js/JSON.h>
#include <js/Promise.h>
#include <js/SourceText.h>
#include <jsapi.h>
#include <jsfriendapi.h>
#include <signal.h>
#include <sys/time.h>

#include <string>

#include "json/parse.h"
#include "json/write.h"
#include "sandbox_worker/job.h"

namespace flowmend::sandbox_worker {
namespace {

JSContext* running = nullptr;  // for the alarm, which can be told nothing
volatile sig_atomic_t time_is_up = 0;

void on_alarm(int) {
  time_is_up = 1;
  if (running != nullptr) JS_RequestInterruptCallback(running);
}

/// False ends the script at once; it can't catch that.
bool on_interrupt(JSContext*) { return time_is_up == 0; }

const JSClass global_class = {"global", JSCLASS_GLOBAL_FLAGS, &JS::DefaultGlobalClassOps};

bool append_text(const char16_t* text, std::uint32_t size, void* to) {
  static_cast<std::u16string*>(to)->append(text, size);
  return true;
}

std::string utf8_of(JSContext* context, JS::HandleString text) {
  JS::UniqueChars bytes = JS_EncodeStringToUTF8(context, text);
  return bytes ? std::string(bytes.get()) : std::string();
}

Error failed(std::string why) {
  return make_error("InlineCodeScriptRuntimeFailure", "The inline code failed: " + std::move(why), "/inputs/code",
                    "Correct the code.");
}

Error too_slow() { return make_error("SandboxTimeLimitExceeded", "The code took too long."); }

/// What the pending exception says, with its line in the flow's code.
Error pending_error(JSContext* context) {
  if (time_is_up != 0) return too_slow();
  if (!JS_IsExceptionPending(context))
    return make_error("SandboxMemoryLimitExceeded", "The code used more memory than it may.", "/inputs/code",
                      "Let it work on less at a time.");
  JS::ExceptionStack stack(context);
  if (!JS::StealPendingExceptionStack(context, &stack)) return failed("it can't be told why.");
  JS::ErrorReportBuilder report(context);
  if (!report.init(context, stack, JS::ErrorReportBuilder::NoSideEffects)) return failed("it can't be told why.");
  std::string message = report.toStringResult() ? report.toStringResult().c_str() : "unknown reason";
  if (message.find("out of memory") != std::string::npos) {
    return make_error("SandboxMemoryLimitExceeded", "The code used more memory than it may.", "/inputs/code",
                      "Let it work on less at a time.");
  }
  const JSErrorReport* details = report.report();
  if (details != nullptr && details->lineno > 0) message += " (line " + std::to_string(details->lineno) + ")";
  return failed(message + ".");
}

Result<Value> value_of(JSContext* context, JS::MutableHandleValue value) {
  if (value.isUndefined()) return Value();
  std::u16string text;
  if (!JS_Stringify(context, value, nullptr, JS::NullHandleValue, append_text, &text)) return pending_error(context);
  if (text.empty()) return Value();  // a function, a symbol
  JS::RootedString string(context, JS_NewUCStringCopyN(context, text.data(), text.size()));
  if (!string) return pending_error(context);
  const std::string json_text = utf8_of(context, string);
  auto parsed = json::parse(json_text);
  if (!parsed) return failed("what it returns can't be read as JSON: " + parsed.error().message);
  return *parsed;
}

/// The flow's data as a value that the script can read and not change.
bool make_context(JSContext* context, const Value& data, JS::MutableHandleValue out) {
  const std::string text = json::write(data);
  JS::RootedString string(context, JS_NewStringCopyUTF8N(context, JS::UTF8Chars(text.data(), text.size())));
  if (!string || !JS_ParseJSON(context, string, out)) return false;
  if (!out.isObject()) return true;
  JS::RootedObject object(context, &out.toObject());
  return JS_DeepFreezeObject(context, object);
}

Result<Value> run_in(JSContext* context, const Value& job) {
  JS::RealmOptions options;
  JS::RootedObject global(context,
                          JS_NewGlobalObject(context, &global_class, nullptr, JS::FireOnNewGlobalHook, options));
  if (!global) return pending_error(context);
  const JSAutoRealm realm(context, global);
  if (!JS::InitRealmStandardClasses(context)) return pending_error(context);

  const auto compile = [&](const std::string& code, const char* argument) -> JSFunction* {
    JS::CompileOptions how(context);
    // The head of the function that is made around the code takes a line.
    how.setFileAndLine("code", 0);
    JS::RootedString text(context, JS_NewStringCopyUTF8N(context, JS::UTF8Chars(code.data(), code.size())));
    if (!text) return nullptr;
    std::u16string wide(JS_GetStringLength(text), u'\0');
    JS::SourceText<char16_t> source;
    if (!JS_CopyStringChars(context, mozilla::Range<char16_t>(wide.data(), wide.size()), text) ||
        !source.init(context, wide.data(), wide.size(), JS::SourceOwnership::Borrowed))
      return nullptr;
    JS::RootedObjectVector scopes(context);
    const char* arguments[] = {argument};
    return JS::CompileFunction(context, scopes, how, "inlineCode", 1, arguments, source);
  };
  // Code written for Node may print; there is nobody to read it.
  JS::RootedFunction prelude(context, compile("const quiet = () => undefined; globalThis.console = {log: quiet, info: "
                                              "quiet, warn: quiet, error: quiet, debug: quiet};",
                                              "unused"));
  JS::RootedValue ignored(context);
  if (!prelude || !JS_CallFunction(context, global, prelude, JS::HandleValueArray::empty(), &ignored))
    return pending_error(context);

  JS::RootedValue data(context);
  const Value* given = job.find("context");
  if (!make_context(context, given == nullptr ? Value::empty_object() : *given, &data)) return pending_error(context);
  JS::RootedFunction function(context, compile(std::string(job.text_of("code")), "workflowContext"));
  if (!function) return pending_error(context);
  JS::RootedValueArray<1> arguments(context);
  arguments[0].set(data);
  JS::RootedValue result(context);
  if (!JS_CallFunction(context, global, function, arguments, &result)) return pending_error(context);
  js::RunJobs(context);
  if (time_is_up != 0) return too_slow();
  if (result.isObject()) {
    JS::RootedObject object(context, &result.toObject());
    if (JS::IsPromiseObject(object)) {
      const auto state = JS::GetPromiseState(object);
      if (state == JS::PromiseState::Pending) return failed("the promise that it returns is never kept.");
      result = JS::GetPromiseResult(object);
      if (state == JS::PromiseState::Rejected) {
        JS_SetPendingException(context, result);
        return pending_error(context);
      }
    }
  }
  return value_of(context, &result);
}

}  // namespace

Result<Value> run_script(const Value& job, std::int64_t time_ms, std::uint64_t memory_bytes) {
  JS::DisableJitBackend();
  if (!JS_Init()) return make_error("SandboxUnavailable", "The JavaScript engine could not be started.");
  const auto heap = static_cast<std::uint32_t>(std::min<std::uint64_t>(memory_bytes / 2, 1u << 30));
  JSContext* context = JS_NewContext(heap);
  if (context == nullptr) return make_error("SandboxUnavailable", "The JavaScript engine could not be started.");
  JS_SetGCParameter(context, JSGC_MAX_BYTES, heap);
  JS_SetNativeStackQuota(context, 512u << 10);
  if (!js::UseInternalJobQueues(context) || !JS::InitSelfHostedCode(context))
    return make_error("SandboxUnavailable", "The JavaScript engine could not be started.");
  JS_AddInterruptCallback(context, on_interrupt);
  running = context;
  struct sigaction action {};
  action.sa_handler = on_alarm;
  sigaction(SIGALRM, &action, nullptr);
  const itimerval timer{{0, 50'000}, {time_ms / 1000, (time_ms % 1000) * 1000}};
  setitimer(ITIMER_REAL, &timer, nullptr);
  return run_in(context, job);  // the context ends with the process
}

}  // namespace flowmend::sandbox_worker
