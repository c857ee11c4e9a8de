#include "api/called_run.h"

#include "api/views.h"
#include "repair/explanation.h"

namespace flowmend::api {

namespace {

constexpr int depth_max = 50;  // as deep as flows may call each other

std::string called_by(const repair::Failure& failure) {
  return failure.attempts.empty() ? std::string() : std::string(failure.attempts.back().request.text_of("childRun"));
}

}  // namespace

Value with_called_run(const Parts& parts, const Call& call, const Value& explanation, const repair::Failure& failure) {
  Value called;
  std::string name = called_by(failure);
  for (int depth = 0; depth < depth_max && !name.empty(); ++depth) {
    const auto run = load_run(parts, "", name);
    if (!run || !call.access->sees_flow(run->row.flow)) break;
    const auto failed = repair::find_failure(*run->flow, run->events);
    if (!failed) break;
    const Value explained = repair::explain(repair::gather_facts(*run->flow, *failed, &parts.connections));
    json::ObjectBuilder out;
    out.add("run", Value(run->row.name));
    out.add("flow", Value(run->row.flow));
    out.add("flowDisplayName", Value(run->live->row.display_name));
    out.add("status", Value(store::run_status_name(run->row.status)));
    out.add("title", Value(explained.text_of("title")));
    out.add("whatHappened", Value(explained.text_of("whatHappened")));
    called = out.finish();
    name = called_by(*failed);
  }
  if (called.is_null()) return explanation;
  json::ArrayBuilder advice;
  advice.push(Value::object({{"text", Value("Open the run of '" + std::string(called.text_of("flowDisplayName")) +
                                            "' that it called: " + std::string(called.text_of("title")) + ".")},
                             {"button", Value::object({{"kind", Value("openRun")},
                                                       {"label", Value("Open the called run")},
                                                       {"flow", *called.find("flow")},
                                                       {"run", *called.find("run")}})}}));
  if (const Value* known = explanation.find("howToFix"); known != nullptr && known->is_array()) {
    for (const Value& one : known->as_array()) advice.push(one);
  }
  json::ObjectBuilder whole(explanation);
  whole.set("howToFix", advice.finish());
  whole.set("calledRun", called);
  return whole.finish();
}

}  // namespace flowmend::api
