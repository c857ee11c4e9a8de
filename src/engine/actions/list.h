#pragma once

#include <optional>

#include "engine/input.h"
#include "engine/step.h"

namespace flowmend::engine {

/// What begins an action whose turn has come: evaluates its inputs and either ends it or starts what it waits for.
using Start = void (*)(Step& step);

// One line per action type; list.cpp maps a type to its line.
void start_compose(Step& step);              // data.cpp
void start_parse_json(Step& step);           // parse_json.cpp
void start_query(Step& step);                // data.cpp
void start_select(Step& step);               // data.cpp
void start_join(Step& step);                 // data.cpp
void start_table(Step& step);                // table.cpp
void start_initialize_variable(Step& step);  // variables.cpp
void start_set_variable(Step& step);         // variables.cpp
void start_add_to_variable(Step& step);      // variables.cpp: Increment and Decrement
void start_append_to_array(Step& step);      // variables.cpp
void start_append_to_string(Step& step);     // variables.cpp
void start_if(Step& step);                   // control.cpp
void start_switch(Step& step);               // control.cpp
void start_foreach(Step& step);              // loops.cpp
void start_until(Step& step);                // loops.cpp
void start_scope(Step& step);                // control.cpp
void start_terminate(Step& step);            // control.cpp; the rest is ending.cpp
void start_wait(Step& step);                 // wait.cpp
void start_response(Step& step);             // response.cpp
void start_request(Step& step);              // request.cpp: Http, ApiConnection, OpenApiConnection, Workflow
void start_sandboxed(Step& step);            // sandboxed.cpp: Xslt, XmlValidation, JavaScriptCode
void start_webhook(Step& step);              // webhook.cpp: HttpWebhook and those of connectors
void start_unavailable(Step& step);          // list.cpp: a type that can't be run here
void start_expression(Step& step);           // expression.cpp: the kinds of Expression

Start find_start(definition::ActionType type);

/// A request's attempt came back: it is retried, polled again, or ends the action.
void finish_attempt(Step& step, const AttemptFinished& finished);
/// A page of a list came (pagination): asks for the next one, or ends the action with all that was read.
void finish_page(Step& step, const AttemptFinished& finished, AttemptEnded event);
/// The service called the address that a webhook action gave it.
void finish_webhook(Step& step, const Notified& notified);
/// Takes a webhook action's subscription back, whatever comes of it; nothing for other actions and when there is none.
std::optional<Call> undo_webhook(const RunState& state, Place place);
/// The part of a webhook action's inputs that is sent: HttpWebhook names two requests, a connector's is one.
Value webhook_request(const definition::Action& action, const Value& inputs, std::string_view part);

/// The wait of a held step ends: its request is sent again, or it fails as it would have.
void end_hold(Step& step, std::string by, bool send_again);

/// A timer of the action fired.
void handle_timer(Step& step, TimerKind kind);
/// The request to send for this action as the state is now, in a decision and after a crash alike.
Call make_call(const RunState& state, Place place, std::uint32_t attempt, const Value& inputs, const Value& sealed);

/// Function and ApiManagement as the plain HTTP calls that they are (azure_calls.cpp); other inputs as they are.
Value plain_http_inputs(const definition::Action& action, const Value& inputs, const Value& sealed);
/// Ends a ServiceProvider step that nothing here can carry out, saying why; else true (service_provider.cpp).
bool check_service_provider(Step& step);
/// A ServiceProvider step as the connector's step that stands in for it, and that one's reply as the provider's.
/// `inputs` are the step's own, evaluated.
Value service_provider_inputs(const definition::Flow& flow, const Value& inputs);
AttemptFinished as_service_provider(const AttemptFinished& finished, const Value& inputs);
/// Which job of the sandbox the action is; empty for others.
std::string_view sandbox_job(definition::ActionType type);
/// The answer of a Response action with these evaluated inputs.
Respond respond_of(const Value& inputs, std::int32_t status_code);

/// A loop may begin an iteration, or has ended.
void advance_loop(Step& step);

}  // namespace flowmend::engine
