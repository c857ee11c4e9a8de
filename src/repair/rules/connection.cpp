// Credentials and connections.

#include "repair/rules/list.h"

namespace flowmend::repair {
namespace {

Advice verify_advice(const Facts& facts) {
  return {"Enter the right credentials for the connection '" + facts.connection_name() +
              "'. They are stored only after the service has accepted them.",
          {Button::Kind::verify_connection, "Verify password", {}}};
}

bool is_missing_connection(const Facts& facts) {
  const std::string& code = facts.failure->fault_code;
  return code == "ApiConnectionNotFound" || code == "ConnectionNotConfigured" ||
         code.starts_with("InvalidConnection") || code == "ConnectionReferenceInvalid";
}

Story missing_connection(const Facts& facts) {
  Story story;
  const std::string name = facts.connection_name();
  story.title = name.empty() ? facts.step() + " has no connection"
                             : facts.step() + " needs the connection '" + name + "', which does not exist";
  story.what_happened = name.empty() ? "The step names no connection, so nothing was sent."
                                     : "The connection '" + name + "' was deleted or never made, so nothing was sent.";
  story.how_to_fix.push_back({"Make the connection again under the same name, or make another one.",
                              {Button::Kind::open_connections, "Open connections", {}}});
  if (facts.action != nullptr) {
    story.how_to_fix.push_back(edit_advice("Or choose another connection for this step.", "Edit the step",
                                           facts.action->pointer + "/inputs/host"));
  }
  story.how_to_fix.push_back(resubmit_advice("Then resubmit the run."));
  return story;
}

bool is_unreadable_secret(const Facts& facts) { return facts.failure->fault_code == "SecretUnreadable"; }

Story unreadable_secret(const Facts& facts) {
  Story story;
  story.title = "The stored credentials of connection '" + facts.connection_name() + "' can't be read";
  story.what_happened = "They were sealed with another master key than this server's, so nothing was sent.";
  story.how_to_fix.push_back(verify_advice(facts));
  story.how_to_fix.push_back(resubmit_advice("Then resubmit the run."));
  return story;
}

bool is_unauthorized(const Facts& facts) { return facts.status == 401; }

Story unauthorized(const Facts& facts) {
  Story story;
  if (!facts.connection_key) {
    story.title = facts.step() + " was refused: Unauthorized (401)";
    story.what_happened = "The service" + (facts.host().empty() ? std::string() : " at '" + facts.host() + "'") +
                          " does not accept the credentials of this step, or wants some and got none." +
                          service_words(facts);
    const std::string pointer =
        facts.action == nullptr ? std::string() : facts.action->pointer + "/inputs/authentication";
    story.pointer = pointer;
    story.how_to_fix.push_back(edit_advice("Correct the step's authentication.", "Edit the step", pointer));
    story.how_to_fix.push_back(resubmit_advice("Save, then resubmit the run."));
    story.how_to_fix.push_back(help_advice());
    return story;
  }
  story.title = facts.step() + " was refused: the connection " + facts.connection_name() +
                " isn't authenticated (Unauthorized, 401)";
  story.what_happened = "The service does not accept the credentials of the connection '" + facts.connection_name() +
                        "' any more: a password was changed, or a key was withdrawn or has expired." +
                        service_words(facts);
  const bool mended = facts.connection && facts.connection->status == connector::ConnectionStatus::connected;
  if (mended) {
    story.what_happened += " Since then the connection has been authenticated again.";
    story.how_to_fix.push_back(resubmit_advice("The connection works again: resubmit the run."));
    story.how_to_fix.push_back(verify_advice(facts));
  } else {
    story.how_to_fix.push_back(verify_advice(facts));
    story.how_to_fix.push_back(resubmit_advice("Then resubmit the run."));
  }
  return story;
}

bool is_forbidden(const Facts& facts) { return facts.status == 403; }

Story forbidden(const Facts& facts) {
  Story story;
  const std::string who = facts.connection_key ? "the account of connection '" + facts.connection_name() + "'"
                                               : "the account that this step uses";
  story.title = facts.step() + " was refused: " + who + " may not do this (Forbidden, 403)";
  story.what_happened =
      "The service knows who is calling, but does not allow it: a permission, a role or a licence is missing. A new "
      "password would not help." +
      service_words(facts);
  story.how_to_fix.push_back({"Ask the owner or administrator of the service to give " + who + " the permission.", {}});
  if (facts.connection_key) {
    story.how_to_fix.push_back(
        {"Or use a connection with another account.", {Button::Kind::open_connections, "Open connections", {}}});
  } else if (facts.action != nullptr) {
    story.how_to_fix.push_back(edit_advice("Or use another account in the step.", "Edit the step",
                                           facts.action->pointer + "/inputs/authentication"));
  }
  story.how_to_fix.push_back(resubmit_advice("Then resubmit the run."));
  return story;
}

}  // namespace

std::vector<Rule> connection_rules() {
  return {{"missing connection", is_missing_connection, missing_connection},
          {"unreadable secret", is_unreadable_secret, unreadable_secret},
          {"401", is_unauthorized, unauthorized},
          {"403", is_forbidden, forbidden}};
}

}  // namespace flowmend::repair
