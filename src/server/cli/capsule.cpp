#include "server/cli/capsule.h"

#include <fstream>
#include <ostream>
#include <sstream>

#include "connector/text.h"
#include "http/client.h"
#include "json/parse.h"
#include "json/write.h"
#include "repair/capsule/capsule.h"

namespace flowmend::server {
namespace {

int refuse(std::ostream& errors, const std::string& message, const std::string& cure) {
  errors << "flowmend: " << message << "\n";
  if (!cure.empty()) errors << "    " << cure << "\n";
  return 2;
}

std::string step_text(const std::string& action, const std::string& repetition, const std::string& code) {
  if (action.empty()) return code.empty() ? "nothing failed" : "the run itself: " + code;
  return action + (repetition.empty() ? "" : " (item " + repetition + ")") + ": " + code;
}

}  // namespace

int export_capsule(const CapsuleOptions& options, std::ostream& out, std::ostream& errors) {
  if (options.token.empty())
    return refuse(errors, "there is no token.",
                  "Give --token or set FLOWMEND_TOKEN; 'flowmend token create' makes one.");
  std::string server = options.server;
  while (!server.empty() && server.back() == '/') server.pop_back();
  http::Client client;
  http::Request request;
  request.url = server + "/api/v1/runs/" + connector::percent_encode(options.run) + "/capsule";
  request.headers = {{"Authorization", "Bearer " + options.token}};
  const http::Reply reply = http::send_and_wait(client, std::move(request));
  const auto body = json::parse(reply.body);
  if (reply.status != 200 || !body) {
    const Value* error = body ? body->find("error") : nullptr;
    return refuse(errors,
                  error != nullptr    ? std::string(error->text_of("message"))
                  : reply.status == 0 ? reply.error_message
                                      : "the server answered with status " + std::to_string(reply.status),
                  "Check --server, --token and the run's name.");
  }
  const std::string text = json::write_pretty(*body) + "\n";
  if (options.file.empty()) {
    out << text;
    return 0;
  }
  std::ofstream file(options.file, std::ios::binary);
  file << text;
  file.close();
  if (!file) return refuse(errors, "the file " + options.file + " can't be written.", "Choose another one with --out.");
  out << options.file << "\n";
  return 0;
}

int open_capsule(const std::string& file, std::ostream& out, std::ostream& errors) {
  std::ifstream stream(file, std::ios::binary);
  std::stringstream text;
  text << stream.rdbuf();
  if (!stream) return refuse(errors, "the file " + file + " can't be read.", "Check its name.");
  const auto document = json::parse(text.str());
  if (!document) return refuse(errors, "the file " + file + " is no JSON: " + document.error().message, "");
  const auto opened = repair::capsule::open_capsule(*document);
  if (!opened) return refuse(errors, opened.error().message, opened.error().cure);
  out << "Flow:     " << opened->flow_display_name << "\n";
  out << "Recorded: " << step_text(opened->expected_action, opened->expected_repetition, opened->expected_code) << "\n";
  out << "Replayed: " << step_text(opened->action, opened->repetition, opened->code) << "\n";
  if (!opened->message.empty()) out << "          " << opened->message << "\n";
  out << "Run:      " << (opened->status.empty() ? "waits for what was not recorded" : opened->status) << "\n";
  for (const Value& step : opened->steps.as_array()) {
    const auto repetition = step.text_of("repetition");
    out << "  " << step.text_of("status") << "\t" << step.text_of("action");
    if (!repetition.empty()) out << " " << repetition;
    if (const auto code = step.text_of("code"); !code.empty()) out << "\t" << code;
    out << "\n";
  }
  out << (opened->same ? "The same step fails with the same code." : "The replay ends otherwise than the recorded run.")
      << "\n";
  return opened->same ? 0 : 1;
}

}  // namespace flowmend::server
