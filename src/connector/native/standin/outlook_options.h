#pragma once

#include <functional>
#include <string>
#include <string_view>

#include "connector/approvals.h"
#include "connector/native/native.h"

namespace flowmend::connector {

/// Outlook's mails that wait for an answer (approval email, email with options): an approval whose question goes to
/// each person by mail, with a link of their own to the page where it is answered. The first answer counts.
class OutlookOptions {
 public:
  explicit OutlookOptions(const NativeParts& parts) : approvals_(parts.store), public_url_(parts.public_url) {}

  static bool has(std::string_view operation);
  using Send = std::function<http::Reply(const NativeCall&, const Value& mail)>;
  http::Reply call(const NativeCall& call, const Send& send);

 private:
  Approvals approvals_;
  std::string public_url_;
};

/// Paths of the stand-in's document; begins with a comma.
extern const std::string_view outlook_options_paths;

}  // namespace flowmend::connector
