#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <unordered_map>

#include "connector/native/native.h"

namespace flowmend::connector {

/// Outlook's operations on received mail, over IMAP. A mail's id is `VALIDITY.UID.FOLDER`: Outlook's ids say where a
/// mail lies, IMAP's don't.
class OutlookInbox {
 public:
  explicit OutlookInbox(const NativeParts& parts);

  /// True for an operation that is carried out here.
  static bool has(std::string_view operation);
  http::Reply call(const NativeCall& call);
  /// Success when the connection names no server for received mail.
  http::Reply verify(const Value& fields, Duration timeout);
  std::string address(const Value& fields) const;

 private:
  http::Reply run(const NativeCall& call, std::string_view operation, const std::string& folder,
                  std::unordered_map<std::string, Value> values);

  std::unique_ptr<NativeConnector> imap_;
  std::shared_ptr<const Connector> document_;
};

/// Paths of the stand-in's document, and fields of its connection; each begins with a comma.
extern const std::string_view outlook_inbox_paths;
extern const std::string_view outlook_inbox_fields;

}  // namespace flowmend::connector
