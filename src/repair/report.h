#pragma once

#include <string>

#include "json/value.h"

namespace flowmend::repair {

/// What can be shown to others to ask for help: `{title, markdown, report}`. `explanation` is what `explain` gave;
/// `version` is Flowmend's. Values of members that are called like secrets (password, token, key ...) are masked here
/// too, wherever they stand; long texts are cut.
json::Value make_report(const json::Value& explanation, const std::string& version);

}  // namespace flowmend::repair
