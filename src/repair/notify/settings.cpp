#include "repair/notify/settings.h"

#include <sodium.h>

#include <array>
#include <utility>

#include "connector/text.h"
#include "repair/notify/signature.h"

namespace flowmend::repair::notify {
namespace {

constexpr int minutes_of_day = 24 * 60;
constexpr std::int64_t ticks_per_minute = Duration::minutes(1).ticks;
constexpr std::int64_t ticks_per_day = Duration::days(1).ticks;
constexpr std::size_t recipients_max = 20;

constexpr std::array<std::pair<Pace, std::string_view>, 4> paces{
    {{Pace::off, "off"}, {Pace::immediate, "immediate"}, {Pace::hourly, "hourly"}, {Pace::daily, "daily"}}};

constexpr std::array<std::pair<SmtpSecurity, std::string_view>, 3> securities{
    {{SmtpSecurity::none, "none"}, {SmtpSecurity::starttls, "starttls"}, {SmtpSecurity::tls, "tls"}}};

Error invalid(std::string message, std::string cure = {}) {
  return make_error("InvalidNotificationSettings", std::move(message), {}, std::move(cure));
}

/// The member as a text; absent and null are `otherwise`.
Result<std::string> text_member(const Value& value, std::string_view name, std::string otherwise,
                                std::size_t bytes_max = 1000) {
  const Value* member = value.find(name);
  if (member == nullptr || member->is_null())
    return Result<std::string>(boost::system::in_place_value, std::move(otherwise));
  if (!member->is_string()) return invalid("'" + std::string(name) + "' must be a text.");
  if (member->as_string().size() > bytes_max)
    return invalid("'" + std::string(name) + "' is longer than " + std::to_string(bytes_max) + " bytes.");
  for (const char c : member->as_string()) {
    if (static_cast<unsigned char>(c) < 0x20 || c == 0x7f)
      return invalid("'" + std::string(name) + "' has a control character in it.");
  }
  return Result<std::string>(boost::system::in_place_value, member->as_string());
}

Result<bool> flag_member(const Value& value, std::string_view name, bool otherwise) {
  const Value* member = value.find(name);
  if (member == nullptr || member->is_null()) return otherwise;
  if (!member->is_boolean()) return invalid("'" + std::string(name) + "' must be true or false.");
  return member->as_boolean();
}

Result<int> clock_of(std::string_view text, std::string_view name) {
  const auto digit = [&](std::size_t at) { return text[at] >= '0' && text[at] <= '9'; };
  if (text.size() == 5 && text[2] == ':' && digit(0) && digit(1) && digit(3) && digit(4)) {
    const int hour = (text[0] - '0') * 10 + text[1] - '0';
    const int minute = (text[3] - '0') * 10 + text[4] - '0';
    if (hour < 24 && minute < 60) return hour * 60 + minute;
  }
  return invalid("'" + std::string(name) + "' is no time of day.", "Write it as 07:30.");
}

std::string clock_text(int minute) {
  std::string out = "00:00";
  out[0] = static_cast<char>('0' + minute / 600);
  out[1] = static_cast<char>('0' + minute / 60 % 10);
  out[3] = static_cast<char>('0' + minute % 60 / 10);
  out[4] = static_cast<char>('0' + minute % 10);
  return out;
}

Error no_object() { return invalid("The settings must be an object."); }

std::string sealed_text(const std::string& secret, const engine::Sealer& sealer) {
  return secret.empty() ? std::string() : connector::base64_encode(sealer.seal(secret));
}

Result<std::string> unsealed_text(std::string_view text, const engine::Sealer& sealer) {
  if (text.empty()) return Result<std::string>(boost::system::in_place_value);
  const auto bytes = connector::base64_decode(text);
  if (!bytes)
    return make_error("SecretUnreadable", "A stored secret of the notifications is damaged.", {}, "Enter it again.");
  return sealer.open(*bytes);
}

/// The moment when the wall clock next shows `minute`, at `now` or later.
Timestamp next_at(const TimeZone& zone, Timestamp now, int minute) {
  const std::int64_t local = zone.local_of(now);
  const std::int64_t day = local - local % ticks_per_day;
  for (int days = 0; days < 3; ++days) {
    const Timestamp at = zone.instants_of(day + days * ticks_per_day + minute * ticks_per_minute).after;
    if (at >= now) return at;
  }
  return now;
}

TimeZone zone_of(const UserPreferences& preferences) {
  return TimeZone::find(preferences.time_zone).value_or(TimeZone::utc());
}

}  // namespace

Result<UserPreferences> read_user_preferences(const Value& value) {
  if (!value.is_object()) return no_object();
  UserPreferences out;
  auto email = text_member(value, "email", "");
  if (!email) return email.error();
  out.email = std::move(*email);
  if (!out.email.empty() && !is_mail_address(out.email))
    return invalid("'" + out.email + "' is no e-mail address.", "Write one as name@example.com.");
  const auto pace = text_member(value, "emailPace", "immediate");
  if (!pace) return pace.error();
  bool known = false;
  for (const auto& [one, name] : paces) {
    if (name != *pace) continue;
    out.email_pace = one;
    known = true;
  }
  if (!known) return invalid("'emailPace' must be off, immediate, hourly or daily.");
  const auto push = flag_member(value, "push", true);
  if (!push) return push.error();
  out.push = *push;
  const auto digest = text_member(value, "digestTime", "08:00");
  if (!digest) return digest.error();
  const auto digest_minute = clock_of(*digest, "digestTime");
  if (!digest_minute) return digest_minute.error();
  out.digest_minute = *digest_minute;
  const auto zone = text_member(value, "timeZone", "Etc/UTC");
  if (!zone) return zone.error();
  if (!TimeZone::find(*zone))
    return invalid("'" + *zone + "' is no time zone.", "Use a name such as Europe/Berlin or W. Europe Standard Time.");
  out.time_zone = *zone;
  if (const Value* quiet = value.find("quietHours"); quiet != nullptr && !quiet->is_null()) {
    const auto from = clock_of(quiet->text_of("from"), "quietHours.from");
    if (!from) return from.error();
    const auto until = clock_of(quiet->text_of("until"), "quietHours.until");
    if (!until) return until.error();
    if (*from == *until)
      return invalid("Quiet hours that begin and end at the same time would never end.", "Choose two times, or none.");
    out.quiet = QuietHours{*from, *until};
  }
  return out;
}

Value to_value(const UserPreferences& preferences) {
  json::ObjectBuilder out;
  out.add("email", Value(preferences.email));
  for (const auto& [pace, name] : paces) {
    if (pace == preferences.email_pace) out.add("emailPace", Value(name));
  }
  out.add("push", Value(preferences.push));
  out.add("digestTime", Value(clock_text(preferences.digest_minute)));
  out.add("timeZone", Value(preferences.time_zone));
  if (preferences.quiet) {
    out.add("quietHours", Value::object({{"from", Value(clock_text(preferences.quiet->from_minute))},
                                         {"until", Value(clock_text(preferences.quiet->until_minute))}}));
  }
  return out.finish();
}

Result<FlowPreferences> read_flow_preferences(const Value& value) {
  if (!value.is_object()) return no_object();
  FlowPreferences out;
  const auto tell = flag_member(value, "tell", true);
  if (!tell) return tell.error();
  out.tell = *tell;
  const auto watch = flag_member(value, "watchSilence", true);
  if (!watch) return watch.error();
  out.watch_silence = *watch;
  if (const Value* list = value.find("recipients"); list != nullptr && !list->is_null()) {
    if (!list->is_array()) return invalid("'recipients' must be a list of e-mail addresses.");
    if (list->size() > recipients_max)
      return invalid("'recipients' has more than 20 addresses.", "Use a group's address.");
    for (const Value& one : list->as_array()) {
      if (!one.is_string() || !is_mail_address(one.as_string()))
        return invalid("'recipients' holds something that is no e-mail address.", "Write each as name@example.com.");
      out.recipients.emplace_back(one.as_string());
    }
  }
  return out;
}

Value to_value(const FlowPreferences& preferences) {
  json::ArrayBuilder recipients;
  for (const std::string& one : preferences.recipients) recipients.push(Value(one));
  return Value::object({{"tell", Value(preferences.tell)},
                        {"watchSilence", Value(preferences.watch_silence)},
                        {"recipients", recipients.finish()}});
}

Result<SmtpSettings> read_smtp(const Value& body, const SmtpSettings& before) {
  if (!body.is_object()) return no_object();
  SmtpSettings out;
  auto host = text_member(body, "host", "", 253);
  if (!host) return host.error();
  for (const char c : *host) {
    const bool allowed = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '.' ||
                         c == '-' || c == ':' || c == '[' || c == ']' || c == '_';
    if (!allowed) return invalid("'host' is no name of a mail server.", "Write it as mail.example.com.");
  }
  out.host = std::move(*host);
  if (out.host.empty()) return out;
  const auto security = text_member(body, "security", "starttls");
  if (!security) return security.error();
  bool known = false;
  for (const auto& [one, name] : securities) {
    if (name != *security) continue;
    out.security = one;
    known = true;
  }
  if (!known) return invalid("'security' must be none, starttls or tls.");
  out.port = out.security == SmtpSecurity::tls ? 465 : out.security == SmtpSecurity::starttls ? 587 : 25;
  if (const Value* port = body.find("port"); port != nullptr && !port->is_null()) {
    if (!port->is_integer() || port->as_integer() < 1 || port->as_integer() > 65535)
      return invalid("'port' must be a number from 1 to 65535.");
    out.port = static_cast<int>(port->as_integer());
  }
  auto user = text_member(body, "userName", "");
  if (!user) return user.error();
  out.user_name = std::move(*user);
  auto from = text_member(body, "from", "");
  if (!from) return from.error();
  if (!is_mail_address(*from))
    return invalid("'from' is no e-mail address.", "Write the sender as flowmend@example.com.");
  out.from = std::move(*from);
  auto password = text_member(body, "password", "");
  if (!password) return password.error();
  out.password = std::move(*password);
  const bool same_place = before.host == out.host && before.port == out.port && before.security == out.security &&
                          before.user_name == out.user_name;
  if (out.password.empty() && same_place && !out.user_name.empty()) out.password = before.password;
  if (!out.user_name.empty() && out.password.empty())
    return invalid("'password' is missing.",
                   "Enter the password of the mail account; it isn't taken over to another server or user.");
  return out;
}

Value smtp_document(const SmtpSettings& settings, const engine::Sealer& sealer) {
  json::ObjectBuilder out(smtp_view(settings));
  out.remove("passwordSet");
  out.add("sealedPassword", Value(sealed_text(settings.password, sealer)));
  return out.finish();
}

Result<SmtpSettings> smtp_of(const Value& document, const engine::Sealer& sealer) {
  auto password = unsealed_text(document.text_of("sealedPassword"), sealer);
  if (!password) return password.error();
  json::ObjectBuilder body(document);
  if (!password->empty()) body.set("password", Value(*password));
  return read_smtp(body.finish(), {});
}

Value smtp_view(const SmtpSettings& settings) {
  json::ObjectBuilder out;
  out.add("host", Value(settings.host));
  if (settings.host.empty()) return out.finish();
  out.add("port", Value(settings.port));
  for (const auto& [security, name] : securities) {
    if (security == settings.security) out.add("security", Value(name));
  }
  out.add("userName", Value(settings.user_name));
  out.add("from", Value(settings.from));
  out.add("passwordSet", Value(!settings.password.empty()));
  return out.finish();
}

Result<WebhookSettings> read_webhook(const Value& body, const WebhookSettings& before) {
  if (!body.is_object()) return no_object();
  WebhookSettings out;
  auto url = text_member(body, "url", "", 2000);
  if (!url) return url.error();
  out.url = std::move(*url);
  if (out.url.empty()) return out;
  if (!(out.url.starts_with("https://") || out.url.starts_with("http://")) || connector::host_of(out.url).empty())
    return invalid("'url' is no address of a receiver.", "Write it as https://example.com/hook.");
  auto secret = text_member(body, "secret", "");
  if (!secret) return secret.error();
  out.secret = std::move(*secret);
  if (out.secret.empty() && connector::origin_of(before.url) == connector::origin_of(out.url))
    out.secret = before.secret;
  if (out.secret.empty()) out.secret = make_signing_secret();
  if (!signing_key(out.secret))
    return invalid("'secret' is no signing secret.",
                   "Leave it out to get a new one, or write whsec_ and the base64 of 24 to 64 bytes.");
  return out;
}

Value webhook_document(const WebhookSettings& settings, const engine::Sealer& sealer) {
  // An address may carry a key of its own in its query.
  return Value::object({{"sealedUrl", Value(sealed_text(settings.url, sealer))},
                        {"sealedSecret", Value(sealed_text(settings.secret, sealer))}});
}

Result<WebhookSettings> webhook_of(const Value& document, const engine::Sealer& sealer) {
  auto url = unsealed_text(document.text_of("sealedUrl"), sealer);
  if (!url) return url.error();
  auto secret = unsealed_text(document.text_of("sealedSecret"), sealer);
  if (!secret) return secret.error();
  return WebhookSettings{std::move(*url), std::move(*secret)};
}

Value webhook_view(const WebhookSettings& settings) {
  return Value::object({{"url", Value(settings.url)}, {"secretSet", Value(!settings.secret.empty())}});
}

Timestamp after_quiet_hours(const UserPreferences& preferences, Timestamp now) {
  if (!preferences.quiet) return now;
  const TimeZone zone = zone_of(preferences);
  const auto minute = static_cast<int>(zone.local_of(now) % ticks_per_day / ticks_per_minute);
  const auto [from, until] = *preferences.quiet;
  const bool quiet = from < until ? minute >= from && minute < until : minute >= from || minute < until;
  return quiet ? next_at(zone, now, until % minutes_of_day) : now;
}

Timestamp email_due(const UserPreferences& preferences, Timestamp now) {
  Timestamp due = now;
  switch (preferences.email_pace) {
    case Pace::off: return {};
    case Pace::immediate: break;
    case Pace::hourly: due = Timestamp{now.ticks - now.ticks % Duration::hours(1).ticks} + Duration::hours(1); break;
    case Pace::daily: due = next_at(zone_of(preferences), now, preferences.digest_minute); break;
  }
  return after_quiet_hours(preferences, due);
}

}  // namespace flowmend::repair::notify
