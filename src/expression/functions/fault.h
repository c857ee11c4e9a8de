#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "expression/error.h"
#include "expression/functions/function.h"

namespace flowmend::expression {

// The texts of expressions.md section 11, made in one place. Each fills the structured part of the error as well; the
// evaluator adds the source and the range of the argument to blame.

/// `The template language function '<f>' <rest>`
ExpressionError fault(const Call& call, std::string_view rest);
/// A sentence of its own, without that beginning.
ExpressionError plain_fault(const Call& call, std::string message);

/// Says which argument is to blame, what was expected in words, and what was found.
void blame(ExpressionError& error, std::int32_t argument, std::string_view expected, const Value& found);

/// `... expects its parameter to be <expected>. The provided value is of type '<T>'.`
ExpressionError wrong_parameter(const Call& call, std::string_view expected, const Value& found);
/// `... expects its <first> parameter to be of type <expected>. The provided value is of type '<T>'.`
ExpressionError wrong_type(const Call& call, std::size_t argument, std::string_view expected, const Value& found);
/// `... expects its <first> parameter to be <expected>. The provided value is of type '<T>'.`
ExpressionError wrong_kind(const Call& call, std::size_t argument, std::string_view expected, const Value& found);
/// `... was invoked with a parameter that is not valid. The value cannot be converted to the target type.`
ExpressionError not_convertible(const Call& call, std::size_t argument, const Value& found);
/// `The provided parameters for template language function '<f>' are not valid.`
ExpressionError not_valid(const Call& call, std::size_t argument, const Value& found);

/// `first`, `second`, ... for the index of an argument.
std::string_view ordinal(std::size_t argument);

ExpressionError text_too_long(std::size_t bytes_max);
ExpressionError value_too_deep();

}  // namespace flowmend::expression
