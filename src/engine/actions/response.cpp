#include "engine/actions/list.h"

namespace flowmend::engine {

Respond respond_of(const Value& inputs, std::int32_t status_code) {
  Respond respond;
  respond.status_code = status_code;
  if (const Value* headers = inputs.find_ignoring_case("headers")) respond.headers = *headers;
  if (const Value* body = inputs.find_ignoring_case("body")) {
    respond.body = *body;
    respond.has_body = !body->is_null();
  }
  return respond;
}

// Rules and texts: engine.md 3.4.
void start_response(Step& step) {
  if (!step.state.caller_waits) {
    const std::string text = "The execution of template action '" + step.action.name +
                             "' is skipped: the client application is not waiting for a response from service.";
    return step.end(Status::skipped, "ActionResponseSkipped", {"ActionResponseSkipped", text, {}});
  }
  if (!step.evaluate_inputs()) return;
  if (step.state.responded == 504) {
    return step.fail("ActionResponseTimedOut", {"ActionResponseTimedOut",
                                                "The client application gave up waiting before the action '" +
                                                    step.action.name + "' could answer.",
                                                {}});
  }
  if (step.state.responded != 0) {
    return step.fail("ActionResponseAlreadyDefined", {"ActionResponseAlreadyDefined",
                                                      "The client application has been answered already; the action '" +
                                                          step.action.name + "' cannot answer again.",
                                                      {}});
  }
  Respond respond;
  if (const Value* status = step.inputs.find_ignoring_case("statusCode"); status != nullptr && !status->is_null()) {
    std::int64_t code = 0;
    if (status->is_integer()) code = status->as_integer();
    if (status->is_string() && status->as_string().size() == 3)
      code = std::strtol(std::string(status->as_string()).c_str(), nullptr, 10);
    if (code < 200 || code > 599 || code / 100 == 3) {
      return step.fail("BadRequest", {"WorkflowRunActionResponseStatusCodeNotSupported",
                                      "The status code of the Response action '" + step.action.name +
                                          "' is not supported: it must be 2xx, 4xx or 5xx.",
                                      {}});
    }
    respond.status_code = static_cast<std::int32_t>(code);
  }
  respond = respond_of(step.inputs, respond.status_code);
  step.out.events.emplace_back(Responded{respond.status_code});
  step.out.commands.emplace_back(std::move(respond));
  step.succeed("OK");
}

}  // namespace flowmend::engine
