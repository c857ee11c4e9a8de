#pragma once

#include <cstdint>
#include <string>

#include <boost/assert/source_location.hpp>

#include "json/value.h"

namespace flowmend::expression {

/// A half-open range of bytes in the string that holds the expression.
struct SourceRange {
  std::uint32_t begin = 0;
  std::uint32_t end = 0;
};

/// Why an expression could not be read or evaluated: the text a user knows, and behind it what an explanation needs.
struct ExpressionError {
  std::string code = "InvalidTemplate";
  /// The inner text of expressions.md section 11, without the frame that names the action.
  std::string message;
  /// The string as it stands in the definition, and the culprit's range in it.
  std::string source;
  SourceRange range;
  /// JSON pointer of that string inside the template; empty for a single expression.
  std::string pointer;
  std::string function;        ///< empty when no function call is to blame
  std::int32_t argument = -1;  ///< index of the argument to blame, or -1
  std::string expected;        ///< the kind expected, in words; may be empty
  std::string found;           ///< the kind found (json::type_name); may be empty
};

/// Called by `Outcome::value()` on a failure: a programming mistake, because callers test first.
[[noreturn]] void throw_exception_from_error(const ExpressionError& error, const boost::source_location& place);

}  // namespace flowmend::expression
