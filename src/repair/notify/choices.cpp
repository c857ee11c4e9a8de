#include "repair/notify/choices.h"

#include <sodium.h>

#include "connector/text.h"
#include "json/parse.h"
#include "json/write.h"

namespace flowmend::repair::notify {
namespace {

constexpr std::string_view server_kind = "notify-server";
constexpr std::string_view user_kind = "notify-user";
constexpr std::string_view flow_kind = "notify-flow";
constexpr std::string_view device_kind = "notify-push";
constexpr std::size_t devices_max = 20;

/// Settings that can't be read (a lost master key) count as none.
template <class T>
T or_none(const Result<T>& settings) {
  return settings ? *settings : T{};
}

std::string digest_of(std::string_view text) {
  unsigned char hash[16];
  crypto_generichash(hash, sizeof hash, reinterpret_cast<const unsigned char*>(text.data()), text.size(), nullptr, 0);
  std::string out(33, '\0');
  sodium_bin2hex(out.data(), out.size(), hash, sizeof hash);
  out.pop_back();
  return out;
}

}  // namespace

Result<SmtpSettings> Choices::smtp() const {
  const auto stored = store_.document(server_kind, "smtp");
  if (!stored) return stored.error();
  if (!*stored) return SmtpSettings{};
  return smtp_of((*stored)->value, sealer_);
}

Result<WebhookSettings> Choices::webhook() const {
  const auto stored = store_.document(server_kind, "webhook");
  if (!stored) return stored.error();
  if (!*stored) return WebhookSettings{};
  return webhook_of((*stored)->value, sealer_);
}

Result<Value> Choices::server_view() const {
  const auto mail = smtp();
  if (!mail) return mail.error();
  const auto hook = webhook();
  if (!hook) return hook.error();
  return Value::object({{"smtp", smtp_view(*mail)}, {"webhook", webhook_view(*hook)}});
}

Result<Value> Choices::change_server(const Value& body) {
  if (!body.is_object()) return make_error("InvalidNotificationSettings", "Send an object with 'smtp' or 'webhook'.");
  // Both are checked before either is stored. Settings that can't be read any more are replaced.
  std::optional<SmtpSettings> mail;
  std::optional<WebhookSettings> hook;
  std::string made_secret;
  if (const Value* wanted = body.find("smtp")) {
    auto read = read_smtp(*wanted, or_none(smtp()));
    if (!read) return read.error();
    mail = std::move(*read);
  }
  if (const Value* wanted = body.find("webhook")) {
    const WebhookSettings before = or_none(webhook());
    auto read = read_webhook(*wanted, before);
    if (!read) return read.error();
    hook = std::move(*read);
    if (hook->secret != before.secret && hook->secret != wanted->text_of("secret")) made_secret = hook->secret;
  }
  const auto written = store_.write([&](store::Transaction& transaction) -> Result<void> {
    if (mail) {
      if (auto put = transaction.put_document(server_kind, "smtp", smtp_document(*mail, sealer_)); !put)
        return put.error();
    }
    if (hook) {
      if (auto put = transaction.put_document(server_kind, "webhook", webhook_document(*hook, sealer_)); !put)
        return put.error();
    }
    return {};
  });
  if (!written) return written.error();
  auto view = server_view();
  if (!view || made_secret.empty()) return view;
  json::ObjectBuilder out(*view);
  json::ObjectBuilder shown(*view->find("webhook"));
  shown.add("secret", Value(made_secret));
  out.set("webhook", shown.finish());
  return out.finish();
}

Result<UserPreferences> Choices::user(std::string_view id) const {
  const auto stored = store_.document(user_kind, id);
  if (!stored) return stored.error();
  if (!*stored) return UserPreferences{};
  return read_user_preferences((*stored)->value);
}

Result<void> Choices::change_user(std::string_view id, const UserPreferences& preferences) {
  const auto put = store_.put_document(user_kind, id, to_value(preferences));
  if (!put) return put.error();
  return {};
}

Result<FlowPreferences> Choices::flow(std::string_view id) const {
  const auto stored = store_.document(flow_kind, id);
  if (!stored) return stored.error();
  if (!*stored) return FlowPreferences{};
  return read_flow_preferences((*stored)->value);
}

Result<void> Choices::change_flow(std::string_view id, const FlowPreferences& preferences) {
  const auto put = store_.put_document(flow_kind, id, to_value(preferences));
  if (!put) return put.error();
  return {};
}

Result<KeyPair> Choices::push_identity() const {
  const auto no_key = [] { return make_error("InternalServerError", "The server's push key can't be made or read."); };
  // Two calls at once may make two keys; the first that is stored is the one that both read.
  for (int tries = 0; tries < 2; ++tries) {
    const auto stored = store_.document(server_kind, "vapid");
    if (!stored) return stored.error();
    if (*stored) {
      const auto sealed = connector::base64_decode((*stored)->value.text_of("sealedKey"));
      if (!sealed) return no_key();
      const auto secret = sealer_.open(*sealed);
      if (!secret) return secret.error();
      auto key = KeyPair::from_secret(*secret);
      if (!key) return no_key();
      return std::move(*key);
    }
    const auto made = KeyPair::make();
    if (!made) return no_key();
    const Value document =
        Value::object({{"sealedKey", Value(connector::base64_encode(sealer_.seal(made->secret())))}});
    const auto put = store_.put_document(server_kind, "vapid", document, store::Transaction::absent);
    if (!put && put.error().code != "VersionConflict") return put.error();
  }
  return no_key();
}

Result<Choices::Device> Choices::device_of(const store::Document& document) const {
  const auto sealed = connector::base64_decode(document.value.text_of("sealedSubscription"));
  const auto plain =
      sealed ? sealer_.open(*sealed) : Result<std::string>(make_error("SecretUnreadable", "A device is damaged."));
  if (!plain) return plain.error();
  const auto value = json::parse(*plain);
  if (!value) return value.error();
  auto subscription = read_subscription(*value);
  if (!subscription) return subscription.error();
  return Device{document.key, std::string(document.value.text_of("user")), std::string(document.value.text_of("name")),
                parse_timestamp(document.value.text_of("created")).value_or(Timestamp{}), std::move(*subscription)};
}

Result<Choices::Device> Choices::subscribe(std::string_view user, const Value& body, Timestamp now) {
  auto subscription = read_subscription(body);
  if (!subscription) return subscription.error();
  Device device;
  device.id = digest_of(subscription->endpoint);
  device.user = user;
  device.created = now;
  for (const char c : body.text_of("name", "A browser").substr(0, 100))
    device.name += static_cast<unsigned char>(c) < 0x20 ? ' ' : c;
  device.subscription = std::move(*subscription);
  const auto known = devices(user);
  if (!known) return known.error();
  const bool again = std::any_of(known->begin(), known->end(), [&](const Device& one) { return one.id == device.id; });
  if (!again && known->size() >= devices_max)
    return make_error("TooManyDevices", "There are 20 devices that get messages already.", {}, "Remove one of them.");
  const Value document =
      Value::object({{"user", Value(device.user)},
                     {"name", Value(device.name)},
                     {"created", Value(to_string(now))},
                     {"sealedSubscription",
                      Value(connector::base64_encode(sealer_.seal(json::write(to_value(device.subscription)))))}});
  const auto put = store_.put_document(device_kind, device.id, document);
  if (!put) return put.error();
  return device;
}

Result<bool> Choices::unsubscribe(std::string_view id, std::string_view user) {
  const auto stored = store_.document(device_kind, id);
  if (!stored) return stored.error();
  if (!*stored || (!user.empty() && (*stored)->value.text_of("user") != user)) return false;
  return store_.erase_document(device_kind, id);
}

Result<std::optional<Choices::Device>> Choices::device(std::string_view id) const {
  const auto stored = store_.document(device_kind, id);
  if (!stored) return stored.error();
  if (!*stored) return std::optional<Device>();
  auto device = device_of(**stored);
  if (!device) return device.error();
  return std::optional<Device>(std::move(*device));
}

Result<std::vector<Choices::Device>> Choices::devices(std::string_view user) const {
  const auto stored = store_.documents({std::string(device_kind), "", "", 10'000});
  if (!stored) return stored.error();
  std::vector<Device> out;
  for (const store::Document& document : *stored) {
    if (document.value.text_of("user") != user) continue;
    auto device = device_of(document);
    if (device) out.push_back(std::move(*device));
  }
  return out;
}

}  // namespace flowmend::repair::notify
