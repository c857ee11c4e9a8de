#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "json/value.h"
#include "store/store.h"
#include "trigger/action_address.h"

namespace flowmend::connector {

using json::Value;

// Approvals: a flow asks people and waits, for minutes or weeks. Kept in the store, so that they survive every restart:
//   kind `approval`           key id        the question, who is asked, who answered what
//   kind `approval_delivery`  key id/n      a flow's step that waits: written when it began to wait, removed when it
//   heard
// The answer and what is due to waiting steps are written in one transaction; api/approval_delivery.h carries it out. A
// waiting step's address is kept without its signature: who can read the store can't answer in a service's stead.

enum class ApprovalRule : std::uint8_t { first, everyone };

/// What a waiting step is told: the approval, or only what a mail with options answers (`SelectedOption`).
enum class ApprovalAnswer : std::uint8_t { approval, selected_option };

struct NewApproval {
  std::string type = "Basic";  ///< Basic, BasicAwaitAll, CustomResponse, CustomResponseAwaitAll
  std::string title;
  std::string details;
  std::string item_link;
  std::string item_link_description;
  std::string requestor;
  std::string assigned_to;           ///< separated by `;`: user names or mail addresses
  std::vector<std::string> options;  ///< of a custom one
  std::string flow;
  std::string run;
};

/// What is due to a step that waits.
struct ApprovalDelivery {
  std::string key;
  trigger::ActionTarget target;  ///< without signature
  Value body;
};

/// Threads: any but the store's. Errors: `ApprovalNotFound`, `InvalidApproval`, `ApprovalCompleted` (somebody was
/// faster), `ApprovalNotYours`, `InvalidResponse`, the store's.
class Approvals {
 public:
  explicit Approvals(store::Store& store) : store_(store) {}

  /// The approval as flows see it. `key`: asked again under the same one, the first one's is given; empty = none.
  Result<Value> create(const NewApproval& wanted, std::string_view key);
  /// Whom to tell when it is decided; at once when it is decided already. `callback_url`: of a waiting webhook action
  /// of this server.
  Result<void> wait(std::string_view id, std::string_view callback_url,
                    ApprovalAnswer answer = ApprovalAnswer::approval);
  Result<Value> find(std::string_view id) const;
  /// Newest first.
  Result<std::vector<Value>> list() const;

  struct Response {
    std::string by;  ///< one of those who are asked, or an administrator
    std::string by_name;
    bool administrator = false;
    std::string response;
    std::string comments;
  };
  Result<Value> respond(std::string_view id, const Response& given);
  /// Takes it back; waiting steps hear of the outcome `Canceled`.
  Result<Value> cancel(std::string_view id);

  /// A secret for one person's link, stored as a hash only. `ApprovalNotYours` for one who is not asked.
  Result<std::string> make_link_secret(std::string_view id, std::string_view person);
  /// Whom the secret was made for.
  Result<std::string> person_of_link(std::string_view id, std::string_view secret) const;

  /// Deliveries that are due: their approval is decided.
  Result<std::vector<ApprovalDelivery>> due() const;
  Result<void> delivered(std::string_view key);

 private:
  store::Store& store_;
};

/// True when an assignee (`ada` or `ada@example.org`) means this account.
bool is_assignee(std::string_view assignee, std::string_view user_name);

}  // namespace flowmend::connector
