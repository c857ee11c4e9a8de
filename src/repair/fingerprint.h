#pragma once

#include <string>
#include <string_view>

#include "repair/explanation.h"

namespace flowmend::repair {

/// What failures of one cause have in common. Equal keys are one incident, also across flows.
struct Fingerprint {
  std::string key;   ///< stable over versions of the program: stored with runs and incidents
  std::string rule;  ///< why it groups, for people: `Same connection, not authenticated: Orders`
};

/// By the first rule that fits (fingerprint.cpp): the connection for authentication; the connector's operation or the
/// address, with code and normalised message, for a service's refusal; the service and its status when it is down; the
/// step and its sub-expression for expressions; else the step and its code.
Fingerprint fingerprint_of(const Facts& facts);

/// A message without what differs from case to case: numbers, ids, times, addresses and quoted words become `#`. At
/// most 160 bytes.
std::string normalised_message(std::string_view message);

}  // namespace flowmend::repair
