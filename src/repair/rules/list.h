#pragma once

#include <string>
#include <vector>

#include "repair/explanation.h"

namespace flowmend::repair {

// The rules by subject. To add one: write it in its group's file and name it in the list at that file's end.
std::vector<Rule> code_rules();        ///< what a code alone says: one line of data each
std::vector<Rule> connection_rules();  ///< 401, 403, connections that are missing
std::vector<Rule> expression_rules();  ///< expressions and conditions
std::vector<Rule> request_rules();     ///< refused values, services that don't answer
std::vector<Rule> other_rules();       ///< data, time, limits, Terminate; the last one always applies

// Advice that several rules give.
Advice resubmit_advice(std::string text);
Advice edit_advice(std::string text, std::string label, std::string pointer);
Advice help_advice();

/// ` in item 2 of For each item`; empty outside of loops. Items are counted from 1, as people do.
std::string place_in_loops(const Facts& facts);
/// ` The service says: <message>`, or empty.
std::string service_words(const Facts& facts);
/// A value in a sentence: `'EURO'`, `12`, `an object`.
std::string quoted_value(const Value& value);
/// `Not Found, 404`.
std::string status_words(int status);
std::string sentence(std::string text);  ///< ends it with a full stop

}  // namespace flowmend::repair
