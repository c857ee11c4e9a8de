// Approvals: what waits for whom, answering, and the page behind a mailed link (docs/approvals.md).

#include "api/routes.h"
#include "connector/approvals.h"
#include "http/message.h"

namespace flowmend::api {
namespace {

using connector::Approvals;

constexpr std::size_t comment_bytes_max = 4'000;

http::Response refused(const Error& error) {
  if (error.code == "ApprovalNotYours") return http::error_response(403, error.code, error.message);
  if (error.code == "ApprovalCompleted") return http::error_response(409, error.code, error.message);
  return error_reply(error);
}

bool asks(const Value& approval, std::string_view user) {
  const Value* people = approval.find("assignedTo");
  if (people == nullptr || !people->is_array()) return false;
  for (const Value& one : people->as_array()) {
    if (one.is_string() && connector::is_assignee(one.as_string(), user)) return true;
  }
  return false;
}

bool answered(const Value& approval, std::string_view user) {
  const Value* responses = approval.find("responses");
  if (responses == nullptr || !responses->is_array()) return false;
  for (const Value& one : responses->as_array()) {
    const Value* by = one.find("responder");
    if (by != nullptr && connector::is_assignee(by->text_of("id"), user)) return true;
  }
  return false;
}

/// The approval with what the caller may do with it.
Value view(const Parts& parts, const Value& approval, const Identity& caller) {
  const bool pending = approval.text_of("status") == "Pending";
  bool run_over = false;
  if (pending && !approval.text_of("run").empty()) {
    const auto run = parts.store.run(approval.text_of("run"));
    run_over = run && run->has_value() && store::is_over((*run)->status);
  }
  json::ObjectBuilder out(approval);
  out.set("mine", Value(asks(approval, caller.user_name)));
  out.set("runIsOver", Value(run_over));
  out.set("canRespond", Value(pending && !answered(approval, caller.user_name) &&
                              (asks(approval, caller.user_name) || caller.role == "admin")));
  return out.finish();
}

http::Response list(const Parts& parts, const Call& call) {
  const auto approvals = Approvals(parts.store).list();
  if (!approvals) return refused(approvals.error());
  const std::string_view status = call.query_value("status");
  const bool everyone = call.query_value("for") == "all" && call.caller.role == "admin";
  json::ArrayBuilder out;
  for (const Value& approval : *approvals) {
    const bool pending = approval.text_of("status") == "Pending";
    if ((status == "pending" && !pending) || (status == "completed" && pending)) continue;
    if (!everyone && !asks(approval, call.caller.user_name)) continue;
    out.push(view(parts, approval, call.caller));
    if (out.size() >= 500) break;
  }
  return list_response(out.finish());
}

http::Response get(const Parts& parts, const Call& call) {
  const auto approval = Approvals(parts.store).find(call.parameters[0]);
  if (!approval) return refused(approval.error());
  if (!asks(*approval, call.caller.user_name) && call.caller.role != "admin")
    return refused(make_error("ApprovalNotYours", "This approval asks other people."));
  return json_response(200, view(parts, *approval, call.caller));
}

http::Response respond(const Parts& parts, const Call& call) {
  // Whoever is asked may answer, also who only looks at flows; a token needs the scope for it.
  if (!call.caller.by_cookie && !call.caller.has_scope("run"))
    return error_reply(make_error("AuthorizationFailed", "This needs the scope 'run', which the token doesn't have."));
  const auto body = body_of(call);
  if (!body) return error_reply(body.error());
  const std::string_view comments = body->text_of("comments");
  if (comments.size() > comment_bytes_max)
    return error_reply(make_error("InvalidResponse", "The comment is longer than 4,000 bytes."));
  const auto done = Approvals(parts.store)
                        .respond(call.parameters[0], {.by = call.caller.user_name,
                                                      .by_name = call.caller.display_name,
                                                      .administrator = call.caller.role == "admin",
                                                      .response = std::string(body->text_of("response")),
                                                      .comments = std::string(comments)});
  if (!done) return refused(done.error());
  return json_response(200, view(parts, *done, call.caller));
}

/// Taking one back, or making a link that lets somebody answer: for who may change the flow that asks.
std::optional<Error> refuse_asker(const Parts& parts, const Call& call) {
  if (call.access->has_everything()) return std::nullopt;
  const auto approval = Approvals(parts.store).find(call.parameters[0]);
  if (!approval) return approval.error();
  if (call.access->flow(approval->text_of("flow")) >= Level::edit) return std::nullopt;
  return make_error("ApprovalNotYours", "You may not change the flow that asks this.");
}

http::Response cancel(const Parts& parts, const Call& call) {
  if (const auto refusal = refuse_asker(parts, call)) return refused(*refusal);
  const auto done = Approvals(parts.store).cancel(call.parameters[0]);
  if (!done) return refused(done.error());
  return json_response(200, view(parts, *done, call.caller));
}

/// `{"person"}`: the address that lets just this person answer, without an account.
http::Response make_link(const Parts& parts, const Call& call) {
  if (const auto refusal = refuse_asker(parts, call)) return refused(*refusal);
  const auto body = body_of(call);
  if (!body) return error_reply(body.error());
  const auto secret = Approvals(parts.store).make_link_secret(call.parameters[0], body->text_of("person"));
  if (!secret) return refused(secret.error());
  return json_response(
      201, Value::object({{"link", Value(call.base + "/api/v1/approve/" + call.parameters[0] + "?key=" + *secret)}}));
}

/// Lines stay lines.
std::string escaped(std::string_view text) {
  std::string out = http::html_escape(text);
  for (std::size_t at = 0; (at = out.find('\n', at)) != std::string::npos; at += 4) out.replace(at, 1, "<br>");
  return out;
}

/// The page of a link: no script, no outside resource, fit for a phone.
http::Response page(int status, std::string_view title, const std::string& content) {
  std::string body =
      "<!doctype html><html lang=en><meta charset=utf-8><meta name=viewport "
      "content='width=device-width,initial-scale=1'>"
      "<meta name=robots content=noindex><title>" +
      escaped(title) +
      "</title><style>body{font:16px/1.5 system-ui,sans-serif;max-width:34rem;margin:2rem auto;padding:0 "
      "1rem;color:#242424;"
      "background:#fff}button{font:inherit;padding:.7rem 1.2rem;margin:.5rem .5rem 0 0;border:1px solid "
      "#767676;border-radius:6px;"
      "background:#f5f5f5;min-height:44px}textarea{font:inherit;width:100%;box-sizing:border-box;min-height:6rem}"
      "@media(prefers-color-scheme:dark){body{color:#eee;background:#1f1f1f}button{background:#333;color:#eee}}</"
      "style><main>" +
      content + "</main></html>";
  return {
      status,
      {{"Content-Type", "text/html; charset=utf-8"},
       {"Cache-Control", "no-store"},
       {"Content-Security-Policy",
        "default-src 'none'; style-src 'unsafe-inline'; form-action 'self'; frame-ancestors 'none'; base-uri 'none'"}},
      std::move(body)};
}

http::Response link_refused(const Error& error) {
  const bool over = error.code == "ApprovalCompleted";
  return page(
      over                              ? 409
      : error.code == "InvalidResponse" ? 400
                                        : 404,
      "Approval",
      "<h1>" + std::string(over ? "Already decided" : "This did not work") + "</h1><p>" + escaped(error.message));
}

http::Response show_link(const Parts& parts, const Call& call) {
  const Approvals approvals(parts.store);
  const auto person = approvals.person_of_link(call.parameters[0], call.query_value("key"));
  if (!person) return link_refused(person.error());
  const auto approval = approvals.find(call.parameters[0]);
  if (!approval) return link_refused(approval.error());
  if (approval->text_of("status") != "Pending")
    return link_refused(make_error("ApprovalCompleted",
                                   "This approval is decided: " + std::string(approval->text_of("outcome")) + "."));
  std::string content = "<h1>" + escaped(approval->text_of("title")) + "</h1>";
  if (const auto details = approval->text_of("details"); !details.empty()) content += "<p>" + escaped(details) + "</p>";
  if (const auto link = approval->text_of("itemLink"); link.starts_with("https://") || link.starts_with("http://")) {
    const auto words = approval->text_of("itemLinkDescription");
    content += "<p><a rel='noreferrer noopener' href=\"" + escaped(link) + "\">" +
               escaped(words.empty() ? link : words) + "</a></p>";
  }
  content +=
      "<form method=post><p><label for=c>Comment</label><br><textarea id=c name=comments "
      "maxlength=1000></textarea></p><p>You answer as " +
      escaped(*person) + ".</p>";
  for (const Value& option : approval->find("options")->as_array())
    content += "<button name=response value=\"" + escaped(option.as_string()) + "\">" + escaped(option.as_string()) +
               "</button>";
  return page(200, approval->text_of("title"), content + "</form>");
}

/// Opening the page changes nothing: programs that look at mailed links before people do only open them.
http::Response answer_link(const Parts& parts, const Call& call) {
  Approvals approvals(parts.store);
  const auto person = approvals.person_of_link(call.parameters[0], call.query_value("key"));
  if (!person) return link_refused(person.error());
  std::string response;
  std::string comments;
  std::string_view form = call.request.body;
  while (!form.empty()) {
    const std::size_t end = form.find('&');
    const std::string_view pair = form.substr(0, end);
    const std::string_view name = pair.substr(0, pair.find('='));
    const std::string value =
        pair.size() > name.size() ? http::percent_decode(pair.substr(name.size() + 1), true) : std::string();
    if (name == "response") response = value;
    if (name == "comments") comments = value.substr(0, comment_bytes_max);
    form = end == std::string_view::npos ? std::string_view() : form.substr(end + 1);
  }
  const auto done = approvals.respond(call.parameters[0], {.by = *person, .response = response, .comments = comments});
  if (!done) return link_refused(done.error());
  return page(200, "Thank you",
              "<h1>Thank you</h1><p>Your answer, " + escaped(response) + ", is kept. You can close this page.");
}

}  // namespace

std::vector<RouteEntry> approval_routes() {
  return {
      {"GET", "api/v1/approvals", "read", list},
      {"GET", "api/v1/approvals/{id}", "read", get},
      {"POST", "api/v1/approvals/{id}/respond", "read", respond},
      {"POST", "api/v1/approvals/{id}/cancel", "write", cancel},
      {"POST", "api/v1/approvals/{id}/link", "write", make_link},
      {"GET", "api/v1/approve/{id}", "", show_link},
      {"POST", "api/v1/approve/{id}", "", answer_link},
  };
}

}  // namespace flowmend::api
