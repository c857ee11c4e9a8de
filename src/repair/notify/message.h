#pragma once

#include <string>
#include <vector>

#include "repair/incident.h"

namespace flowmend::repair::notify {

/// One message in each of the forms that channels need. Links begin with the server's public address.
struct Message {
  std::string subject;
  std::string text;
  std::string html;
};

/// What one incident, or a digest of several, says to a person: what happened, how to fix it, how many, and links that
/// open the right page. The latest first. `incidents` is not empty.
Message message_for(const std::vector<Incident>& incidents, const std::string& public_url);
/// That messages arrive.
Message test_message(const std::string& public_url);

/// The body of a webhook: `{type: "incident.opened"|"incident.continues"|"incident.back"|"incident.fixed", timestamp,
/// data: {incident, links}}`.
Value webhook_body(const Incident& incident, const std::string& public_url, Timestamp now);
Value test_webhook_body(Timestamp now);

/// What the portal's service worker shows: `{title, body, url, tag}`; `url` is a path.
Value push_payload(const Incident& incident);
Value test_push_payload();

}  // namespace flowmend::repair::notify
