#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "definition/flow.h"
#include "repair/failure.h"

namespace flowmend::repair {

/// Where a value came from, or should have come from: the first step whose recorded outputs held it, or did not.
struct Origin {
  std::string text;      ///< the reference as the flow writes it: `items('Each')?['Manager']?['Email']`
  std::string sentence;  ///< `Manager/Email was null because step 'Get profiles' returned no 'manager' in item 37.`
  std::string step;      ///< name of the step; empty = the trigger, or a parameter
  std::size_t item = 0;  ///< counted from 1: of the list it returned, or of the loop it ran in; 0 = none
  std::string property;  ///< what it did not return: `manager`; empty = its whole output
  std::vector<std::string> through;  ///< steps and loops that only handed it on, the nearest to the failure first
};

/// Walks a reference (`body('Get')?['a']`, `items('Each')?['b']`, `variables('c')`, `first(...)` of them) back through
/// the recorded values: a loop's item to the list that it goes over, a Compose, ParseJson, Select, Query and a variable
/// to what they were made of. Nothing when `text` is no such reference with literal keys, or its value is not missing
/// (null, not there, an empty text). Names only keys that the flow itself writes, never a recorded value.
std::optional<Origin> find_origin(const definition::Flow& flow, const Failure& failure, std::string_view text);

/// As `find_origin` for a value that was there: where it came from, in words that do not show it: `It came from
/// 'order/currency' that step 'Get order' returned in item 2.` `written` is what the definition says: a reference, or a
/// text with one `@{reference}`. Nothing for any other text, and when the value is missing.
std::optional<Origin> find_source(const definition::Flow& flow, const Failure& failure, std::string_view written);

/// The first reference in the failed step's inputs whose value was missing, with its origin; those below
/// `preferred_pointer` (in the definition; may be empty) go first. `field`: the input that it stands in.
struct MissingInput {
  Origin origin;
  std::string pointer;
  std::string field;
};
std::optional<MissingInput> find_missing_input(const definition::Flow& flow, const Failure& failure,
                                               std::string_view preferred_pointer);

/// True for the place itself, a place inside it, and any place below the empty pointer.
bool is_at_or_below(std::string_view pointer, std::string_view above);

}  // namespace flowmend::repair
