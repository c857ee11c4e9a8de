#include "connector/native/standin/outlook_options.h"

#include <algorithm>

#include "connector/text.h"
#include "http/message.h"

namespace flowmend::connector {

const std::string_view outlook_options_paths = R"json(,
    "/mailwithoptions/$subscriptions":{"x-ms-notification-content":{"description":"The answer","schema":{"$ref":"#/definitions/Chosen"}},
      "post":{"operationId":"SendMailWithOptions","summary":"Send email with options","parameters":[{"name":"optionsEmailSubscription","in":"body","required":true,"schema":{"$ref":"#/definitions/OptionsSubscription"}}],"responses":{"201":{"description":"Sent"}}}},
    "/approvalmail/$subscriptions":{"x-ms-notification-content":{"description":"The answer","schema":{"$ref":"#/definitions/Chosen"}},
      "post":{"operationId":"SendApprovalMail","summary":"Send approval email","parameters":[{"name":"ApprovalEmailSubscription","in":"body","required":true,"schema":{"$ref":"#/definitions/OptionsSubscription"}}],"responses":{"201":{"description":"Sent"}}}})json";

bool OutlookOptions::has(std::string_view operation) {
  return operation == "SendMailWithOptions" || operation == "SendApprovalMail";
}

http::Reply OutlookOptions::call(const NativeCall& call, const Send& send) {
  const auto refusal = [](const Error& error) {
    const int status = error.code == "StorageUnavailable" ? 503 : error.code == "ApprovalNotFound" ? 404 : 400;
    return native_error(status, error.code, error.cure.empty() ? error.message : error.message + " " + error.cure);
  };
  const Value* given = call.arguments.body.is_object() ? call.arguments.body.find("Message") : nullptr;
  if (given == nullptr || !given->is_object()) return native_error(400, "InvalidMessage", "There is no 'Message'.");
  const Value& message = *given;
  if (public_url_.empty())
    return native_error(501, "StandInNotSupported",
                        "The server does not know its own address, so a mail can't link to it.");
  NewApproval wanted;
  wanted.type = "CustomResponse";
  wanted.title = std::string(message.text_of("Subject", "Approval request"));
  wanted.details = std::string(message.text_of("SelectionText"));
  wanted.assigned_to = std::string(message.text_of("To"));
  std::string_view options = message.text_of("Options", "Approve, Reject");
  while (!options.empty()) {
    const std::string_view one = options.substr(0, options.find(','));
    wanted.options.emplace_back(trim(one));
    options.remove_prefix(std::min(options.size(), one.size() + 1));
  }
  wanted.flow = call.flow;
  wanted.run = call.run;
  const auto made = approvals_.create(wanted, call.idempotency_key);
  if (!made) return refusal(made.error());
  const std::string id(made->text_of("name"));
  // First of all it waits: an answer that comes at once is heard.
  if (const auto waits = approvals_.wait(id, call.callback_url, ApprovalAnswer::selected_option); !waits)
    return refusal(waits.error());
  const http::Reply done = native_json(201, Value::object({{"id", Value(id)}}));
  std::size_t number = 0;
  for (const Value& person : made->find("assignedTo")->as_array()) {
    const std::string address(person.as_string());
    const auto secret = approvals_.make_link_secret(id, address);
    if (!secret && secret.error().code == "ApprovalCompleted") return done;  // sent again, and answered meanwhile
    if (!secret) return refusal(secret.error());
    const std::string link = public_url_ + "/api/v1/approve/" + id + "?key=" + *secret;
    std::string names;
    for (const std::string& option : wanted.options) names += (names.empty() ? "" : " / ") + http::html_escape(option);
    std::string html;
    if (const auto header = message.text_of("HeaderText"); !header.empty())
      html += "<h2>" + http::html_escape(header) + "</h2>";
    html += std::string(message.text_of("Body"));
    if (!wanted.details.empty()) html += "<p>" + http::html_escape(wanted.details) + "</p>";
    html += "<p><a href=\"" + http::html_escape(link) + "\">" + names + "</a></p>";
    json::ObjectBuilder mail;
    mail.add("To", Value(address));
    mail.add("Subject", Value(wanted.title));
    mail.add("Body", Value(html));
    for (const char* name : {"Importance", "Attachments"}) {
      if (const Value* value = message.find(name)) mail.add(name, *value);
    }
    NativeCall one = call;
    if (!one.idempotency_key.empty()) one.idempotency_key += "/" + std::to_string(number++);
    http::Reply sent = send(one, mail.finish());
    if (sent.status < 200 || sent.status >= 300) return sent;
  }
  return done;
}

}  // namespace flowmend::connector
