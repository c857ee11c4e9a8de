#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "base/time.h"
#include "base/time_zone.h"
#include "engine/journal.h"
#include "json/value.h"
#include "repair/notify/smtp.h"

namespace flowmend::repair::notify {

// What people and the operator choose about messages. Each is a document of the store; what a caller sends is checked
// here, and what is wrong with it is said with the member's name (`InvalidNotificationSettings`).

/// When a message reaches a person.
enum class Pace : std::uint8_t {
  off,        ///< never
  immediate,  ///< when the incident opens or comes back
  hourly,     ///< one message at each full hour for all causes since
  daily,      ///< one message a day
};

/// Hours of a day in which nobody wants to be woken. `from` after `until` reaches over midnight.
struct QuietHours {
  int from_minute = 0;   ///< of the day, 0..1439
  int until_minute = 0;  ///< not included; equal to `from_minute`: the whole day
};

/// A user's own choices: document of kind `notify-user`, by user id.
struct UserPreferences {
  std::string email;  ///< empty: no e-mail
  Pace email_pace = Pace::immediate;
  bool push = true;  ///< to every device that this user subscribed
  int digest_minute = 8 * 60;
  std::optional<QuietHours> quiet;
  std::string time_zone = "Etc/UTC";  ///< of the hours above; IANA or Windows name
};
Result<UserPreferences> read_user_preferences(const Value& value);
Value to_value(const UserPreferences& preferences);

/// Whom failures of one flow concern: document of kind `notify-flow`, by flow id.
struct FlowPreferences {
  bool tell = true;                     ///< false: an incident of this flow alone sends nothing to anyone
  bool watch_silence = true;            ///< false: what does not happen opens no incident (silence/watcher.h)
  std::vector<std::string> recipients;  ///< addresses that get e-mail at once, beside the users; 20 at most
};
Result<FlowPreferences> read_flow_preferences(const Value& value);
Value to_value(const FlowPreferences& preferences);

/// A receiver of signed messages.
struct WebhookSettings {
  std::string url;     ///< empty: none
  std::string secret;  ///< `whsec_` and base64 of 24 to 64 bytes
};

/// The operator's settings: documents of kind `notify-server`, `smtp` and `webhook`, with sealed secrets. In `body` a
/// secret that is left out keeps its old value; a changed host or address does not: a stored secret never goes to
/// another place than it was entered for.
Result<SmtpSettings> read_smtp(const Value& body, const SmtpSettings& before);
Value smtp_document(const SmtpSettings& settings, const engine::Sealer& sealer);
Result<SmtpSettings> smtp_of(const Value& document, const engine::Sealer& sealer);
Value smtp_view(const SmtpSettings& settings);

Result<WebhookSettings> read_webhook(const Value& body, const WebhookSettings& before);
Value webhook_document(const WebhookSettings& settings, const engine::Sealer& sealer);
Result<WebhookSettings> webhook_of(const Value& document, const engine::Sealer& sealer);
Value webhook_view(const WebhookSettings& settings);

/// The first moment at `now` or later that lies outside the user's quiet hours.
Timestamp after_quiet_hours(const UserPreferences& preferences, Timestamp now);
/// When what happened at `now` is due by e-mail; not set for `off`. Quiet hours count.
Timestamp email_due(const UserPreferences& preferences, Timestamp now);

}  // namespace flowmend::repair::notify
