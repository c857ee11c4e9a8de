#pragma once

#include <string>
#include <string_view>

#include "json/value.h"

namespace flowmend::connector {

/// What a service says about a failure, read from its reply.
struct ServiceMessage {
  std::string code;     ///< the service's own code; may be empty
  std::string message;  ///< its words; empty when the reply says nothing readable
};

/// Reads the message of an error reply: OData and Microsoft (`{error:{code,message}}`, also `message:{value}`), RFC
/// 9457 problem details (`title`, `detail`), OAuth (`error`, `error_description`), `errors` lists, plain `message`,
/// SOAP faults, HTML pages and plain text. Cut after 2,000 bytes. Total: any value is good.
ServiceMessage read_service_message(const json::Value& body);

/// `Unauthorized`, `Not Found` ...: the reason phrase, or empty for a status without one.
std::string_view reason_phrase(int status_code);

}  // namespace flowmend::connector
