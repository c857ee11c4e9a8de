// The asynchronous Response (engine.md 3.4): the caller got 202 and asks for the answer later.

#include "engine/state.h"
#include "runtime/answer.h"
#include "runtime/shard.h"
#include "trigger/status_address.h"

namespace flowmend::runtime {

namespace {
constexpr std::string_view ask_again_after_s = "5";
}  // namespace

Answer Shard::ask_later(const store::RunRow& row) const {
  Answer answer;
  const auto live = flows_.find(row.flow);
  if (!live) return answer;
  answer.headers.emplace_back("Location", trigger::make_status_address(settings_.public_url, (*live)->row.workflow_id,
                                                                       row.name, (*live)->primary_key));
  answer.headers.emplace_back("Retry-After", std::string(ask_again_after_s));
  return answer;
}

void Shard::tell_response(const std::string& flow_id, const std::string& name, std::function<void(Answer)> answer) {
  const auto row = store_.run(name);
  if (!row) return answer(error_answer(503, row.error().code, row.error().message));
  const auto flow = *row && (*row)->flow == flow_id
                        ? flows_.version(flow_id, (*row)->version, (*row)->trigger)
                        : Result<std::shared_ptr<const definition::Flow>>(make_error("", ""));
  if (!*row || (*row)->flow != flow_id || !flow || !(*flow)->answers_by_status) {
    return answer(error_answer(404, "WorkflowRunNotFound", "There is no run '" + name + "' to ask for an answer."));
  }
  Answer told;
  std::optional<engine::Respond> response;
  bool pending = (*row)->status == store::RunStatus::waiting;
  if (!pending) {
    const auto found = bring_back((*row)->number);
    if (!found) return answer(error_answer(503, found.error().code, found.error().message));
    if (auto* active = *found) {
      response = active->run.response();
      pending = !response && !active->run.ended();
    } else if (const auto events = read_events(store_, sealer_, (*row)->number)) {
      engine::Run run(*flow);
      run.replay(*events);
      response = run.response();
    }
  }
  if (pending) {
    told = ask_later(**row);
  } else if (response) {
    told = make_answer(*response);
  } else {
    told = error_answer(
        502, "NoResponse",
        "The server did not receive a response from an upstream server. Request tracking id '" + name + "'.");
  }
  if (!(*flow)->trigger.suppress_response_headers) add_run_headers(told, **flow, **row, executor_.random());
  // What is told may rest on a commit under way: commits keep their order.
  hand_over({}, [answer = std::move(answer), told = std::move(told)](Shard&) { answer(told); });
}

}  // namespace flowmend::runtime
