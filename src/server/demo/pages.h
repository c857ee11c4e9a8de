#pragma once

#include <string>

#include "json/value.h"

namespace flowmend::demo {

/// The page that shows and changes the services' state; `state` is what `GET /control` answers.
std::string control_page(const json::Value& state);
/// The page that lists the messages, newest first. Everything in them is escaped.
std::string mailbox_page(const json::Value& messages);

}  // namespace flowmend::demo
