#pragma once

#include <cstddef>
#include <string_view>

#include "expression/syntax.h"
#include "expression/template.h"

namespace flowmend::expression {

/// How deep calls and brackets may nest. It bounds the stack that reading, binding and evaluating use; real flows
/// stay under 100.
inline constexpr unsigned nesting_max = 400;

/// Where an expression ends: at the end of the text, or at the `}` of an interpolation.
enum class Ending : std::uint8_t { end_of_text, right_curly_bracket };

struct Parsed {
  SyntaxPointer root;
  std::size_t end = 0;  ///< the first byte behind the expression and its `}`
};

/// Reads one expression that begins at `begin` of `source` (expressions.md section 3).
///
/// Errors: the texts of section 11, `Unable to parse template language expression '<e>': expected token '<T>' and
/// actual
/// '<U>'.`, with the range of the token that is wrong. Deeper nesting than `nesting_max` is an error, never a crash.
Outcome<Parsed> parse(std::string_view source, std::size_t begin, Ending ending);

}  // namespace flowmend::expression
