#pragma once

#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "engine/journal.h"
#include "repair/notify/settings.h"
#include "repair/notify/web_push.h"
#include "store/store.h"

namespace flowmend::repair::notify {

/// What people and the operator chose, in the store. Everything reads the store anew: nothing is kept in memory, so a
/// change counts from the next message on. Any thread.
class Choices {
 public:
  Choices(store::Store& store, const engine::Sealer& sealer) : store_(store), sealer_(sealer) {}

  Result<SmtpSettings> smtp() const;
  Result<WebhookSettings> webhook() const;
  /// `{smtp, webhook}` without secrets.
  Result<Value> server_view() const;
  /// `{smtp?, webhook?}`; what is left out stays. A signing secret that was made by this call is in the answer, once.
  /// `InvalidNotificationSettings`, the store's.
  Result<Value> change_server(const Value& body);

  Result<UserPreferences> user(std::string_view id) const;  ///< the defaults when there are none
  Result<void> change_user(std::string_view id, const UserPreferences& preferences);
  Result<FlowPreferences> flow(std::string_view id) const;
  Result<void> change_flow(std::string_view id, const FlowPreferences& preferences);

  /// The server's identity towards push services; made at the first call.
  Result<KeyPair> push_identity() const;
  struct Device {
    std::string id;
    std::string user;
    std::string name;
    Timestamp created;
    PushSubscription subscription;
  };
  /// The same endpoint again replaces the device. `InvalidPushSubscription`, `TooManyDevices` (over 20 of one user).
  Result<Device> subscribe(std::string_view user, const Value& body, Timestamp now);
  Result<bool> unsubscribe(std::string_view id, std::string_view user);
  Result<std::optional<Device>> device(std::string_view id) const;
  Result<std::vector<Device>> devices(std::string_view user) const;

 private:
  Result<Device> device_of(const store::Document& document) const;

  store::Store& store_;
  const engine::Sealer& sealer_;
};

}  // namespace flowmend::repair::notify
