#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "json/value.h"

namespace flowmend::repair {

/// A reference to a recorded value as an expression writes it: where it begins, and the way from there.
struct Reference {
  enum class Root : std::uint8_t { action, trigger, loop, item, variable, parameter };
  using Key = std::variant<std::string, std::int64_t>;  ///< a member, or a place in a list (-1 = its last)

  Root root = Root::action;
  std::string name;       ///< of the action, loop, variable or parameter
  std::vector<Key> path;  ///< from the outputs of an action or trigger, from the item or the value of the others
};

/// The recorded value that a reference leads to; nothing when it is not known, or kept secure.
using Recorded = std::function<std::optional<json::Value>(const Reference&)>;

/// Reads `body('X')?['a'][0]`, `first(triggerBody()?['list'])` ... Functions that only write their argument otherwise
/// (`trim`, `toLower`, `string`, `int` ...) are looked through. Keys are literal, or references whose value `recorded`
/// knows. `text` may begin with the `@` of a template that is one expression. Nothing for any other text.
std::optional<Reference> read_reference(std::string_view text, const Recorded& recorded = {});

/// How far a reference leads into a value.
struct Walk {
  enum class End : std::uint8_t { there, absent, null, empty_text, short_list, not_a_container };
  End end = End::there;
  std::size_t keys = 0;                ///< that could be followed; the next one, if any, could not
  const json::Value* value = nullptr;  ///< of `there`, `null` and `empty_text`: it; else what holds it not
};
Walk walk(const json::Value& from, const std::vector<Reference::Key>& path);

}  // namespace flowmend::repair
