#include "api/context.h"

#include <algorithm>

#include "json/parse.h"
#include "json/write.h"

namespace flowmend::api {

std::string_view Call::query_value(std::string_view name) const {
  for (const auto& [key, value] : query) {
    if (http::same_name(key, name)) return value;
  }
  return {};
}

http::Response json_response(int status, const Value& body, http::Headers headers) {
  http::Response response{status, std::move(headers), json::write(body)};
  response.headers.push_back({"Content-Type", "application/json; charset=utf-8"});
  return response;
}

http::Response empty_response(int status, http::Headers headers) { return {status, std::move(headers), ""}; }

http::Response session_response(int status, const Identities::Session& session) {
  return json_response(
      status, Value::object({{"user", session.identity.user()}, {"csrfToken", session.identity.csrf_token}}),
      {{"Set-Cookie", "flowmend_session=" + session.cookie + "; Path=/; HttpOnly; SameSite=Strict; Max-Age=1209600"}});
}

int status_of(std::string_view code) {
  struct Row {
    std::string_view code;
    int status;
  };
  constexpr Row rows[] = {{"AuthenticationFailed", 401},
                          {"InvalidAuthenticationToken", 401},
                          {"SignInFailed", 401},
                          {"CsrfTokenInvalid", 403},
                          {"SetupCodeInvalid", 403},
                          {"AuthorizationFailed", 403},
                          {"AccountDisabled", 403},
                          {"CurrentPasswordWrong", 403},
                          {"InvitationInvalid", 403},
                          {"UserAlreadyExists", 409},
                          {"UserHasJoined", 409},
                          {"LastAdministrator", 409},
                          {"LastOwner", 409},
                          {"ConnectionNameTaken", 409},
                          {"ConnectionNotShared", 403},
                          {"ConnectionSharingForbidden", 403},
                          {"FlowNotShared", 403},
                          {"AlreadySetUp", 409},
                          {"VersionConflict", 409},
                          {"Conflict", 409},
                          {"RunHasNotFailed", 409},
                          {"RepairPlanStale", 409},
                          {"NoParentRun", 409},
                          {"ChildRunNotOver", 409},
                          {"RepairJobStateConflict", 409},
                          {"NothingToRepair", 409},
                          {"WorkflowRunNotCompleted", 409},
                          {"ConnectorInUse", 409},
                          {"EnvironmentVariableInUse", 409},
                          {"FlowChanged", 409},
                          {"WorkflowRunAlreadyCompleted", 409},
                          {"WorkflowTriggerHistoryCannotBeResubmitted", 409},
                          {"TooManyRequests", 429},
                          {"DynamicCallFailed", 502},
                          {"DynamicReplyUnexpected", 502},
                          {"WorkflowMaximumWaitingRunCountExceeded", 429},
                          {"StorageUnavailable", 503},
                          {"StorageOutcomeUnknown", 504},
                          {"ServerStopping", 503},
                          {"InternalServerError", 500},
                          {"JournalDamaged", 500},
                          {"MethodNotAllowed", 405}};
  for (const Row& row : rows) {
    if (row.code == code) return row.status;
  }
  if (code.ends_with("NotFound")) return 404;
  return 400;
}

http::Response error_reply(const Error& error) {
  std::string message = error.message;
  if (!error.cure.empty()) message += (message.empty() ? "" : " ") + error.cure;
  if (error.where.empty()) return http::error_response(status_of(error.code), error.code, message);
  const Value detail = Value::object({{"code", Value(error.code)},
                                      {"message", Value(error.message)},
                                      {"target", Value(error.where)},
                                      {"cure", Value(error.cure)}});
  return json_response(status_of(error.code),
                       Value::object({{"error", Value::object({{"code", Value(error.code)},
                                                               {"message", Value(message)},
                                                               {"details", Value::array({detail})}})}}));
}

Result<Value> body_of(const Call& call) {
  if (call.request.body.empty()) return Value();
  auto parsed = json::parse(call.request.body);
  if (!parsed) {
    return make_error("InvalidRequestContent", "The request's body is not JSON: " + parsed.error().message, {},
                      parsed.error().cure);
  }
  return parsed;
}

http::Response list_response(Value items, const std::string& next) {
  json::ObjectBuilder body;
  body.add("value", std::move(items));
  if (!next.empty()) body.add("nextLink", Value(next));
  return json_response(200, body.finish());
}

Result<std::size_t> top_of(const Call& call, std::size_t usual, std::size_t most) {
  const auto text = call.query_value("$top");
  if (text.empty()) return usual;
  if (text.size() > 9 || !std::ranges::all_of(text, [](char c) { return c >= '0' && c <= '9'; }) ||
      std::stoul(std::string(text)) == 0) {
    return make_error("InvalidTopInQueryString", "The query's $top must be a whole number of at least 1.");
  }
  return std::min<std::size_t>(std::stoul(std::string(text)), most);
}

std::string next_link(const Call& call, std::string_view skip_token) {
  std::string link = call.base + call.request.path + "?";
  for (const auto& [key, value] : call.query) {
    if (http::same_name(key, "$skiptoken")) continue;
    link += http::percent_encode(key) + "=" + http::percent_encode(value) + "&";
  }
  return link + "%24skiptoken=" + http::percent_encode(skip_token);
}

}  // namespace flowmend::api
