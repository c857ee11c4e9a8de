#include "engine/actions/list.h"

namespace flowmend::engine {

void start_unavailable(Step& step) {
  if (!step.evaluate_inputs()) return;
  step.fail("ActionTypeUnavailable",
            {"ActionTypeUnavailable",
             "Flowmend can't run actions of type '" + step.action.type_name + "'. Replace '" + step.action.name +
                 "' by other actions, for example an Http call, or give it static results.",
             {}});
}

Start find_start(definition::ActionType type) {
  using enum definition::ActionType;
  switch (type) {
    case compose: return start_compose;
    case parse_json: return start_parse_json;
    case query: return start_query;
    case select: return start_select;
    case join: return start_join;
    case table: return start_table;
    case initialize_variable: return start_initialize_variable;
    case set_variable: return start_set_variable;
    case increment_variable:
    case decrement_variable: return start_add_to_variable;
    case append_to_array_variable: return start_append_to_array;
    case append_to_string_variable: return start_append_to_string;
    case if_: return start_if;
    case switch_: return start_switch;
    case foreach_: return start_foreach;
    case until: return start_until;
    case scope: return start_scope;
    case terminate: return start_terminate;
    case wait: return start_wait;
    case response: return start_response;
    case http:
    case open_api_connection:
    case api_connection:
    case function:
    case api_management:
    case workflow: return start_request;
    case send_to_batch: return start_request;
    case xslt:
    case xml_validation:
    case java_script_code: return start_sandboxed;
    case http_webhook:
    case api_connection_webhook:
    case open_api_connection_webhook: return start_webhook;
    case expression: return start_expression;
    case service_provider: return start_request;
    case unavailable: return start_unavailable;
  }
  return start_compose;
}

}  // namespace flowmend::engine
