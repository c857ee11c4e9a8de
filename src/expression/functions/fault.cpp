#include "expression/functions/fault.h"

#include <array>

namespace flowmend::expression {

namespace {

std::string found_type(const Value& found) {
  return " The provided value is of type '" + std::string(json::type_name(found.type())) + "'.";
}

}  // namespace

ExpressionError fault(const Call& call, std::string_view rest) {
  ExpressionError error;
  error.function = call.function_name();
  error.message = "The template language function '" + error.function + "' ";
  error.message += rest;
  return error;
}

ExpressionError plain_fault(const Call& call, std::string message) {
  ExpressionError error;
  error.function = call.function_name();
  error.message = std::move(message);
  return error;
}

void blame(ExpressionError& error, std::int32_t argument, std::string_view expected, const Value& found) {
  error.argument = argument;
  error.expected = expected;
  error.found = json::type_name(found.type());
}

ExpressionError wrong_parameter(const Call& call, std::string_view expected, const Value& found) {
  ExpressionError error = fault(call, "expects its parameter to be " + std::string(expected) + "." + found_type(found));
  blame(error, 0, expected, found);
  return error;
}

ExpressionError wrong_type(const Call& call, std::size_t argument, std::string_view expected, const Value& found) {
  ExpressionError error = fault(call, "expects its " + std::string(ordinal(argument)) + " parameter to be of type " +
                                          std::string(expected) + "." + found_type(found));
  blame(error, static_cast<std::int32_t>(argument), expected, found);
  return error;
}

ExpressionError wrong_kind(const Call& call, std::size_t argument, std::string_view expected, const Value& found) {
  ExpressionError error = fault(call, "expects its " + std::string(ordinal(argument)) + " parameter to be " +
                                          std::string(expected) + "." + found_type(found));
  blame(error, static_cast<std::int32_t>(argument), expected, found);
  return error;
}

ExpressionError not_convertible(const Call& call, std::size_t argument, const Value& found) {
  ExpressionError error = fault(call,
                                "was invoked with a parameter that is not valid. The value cannot be converted to the "
                                "target type.");
  blame(error, static_cast<std::int32_t>(argument), {}, found);
  return error;
}

ExpressionError not_valid(const Call& call, std::size_t argument, const Value& found) {
  ExpressionError error = plain_fault(call, "The provided parameters for template language function '" +
                                                std::string(call.function_name()) + "' are not valid.");
  blame(error, static_cast<std::int32_t>(argument), {}, found);
  return error;
}

std::string_view ordinal(std::size_t argument) {
  constexpr std::array<std::string_view, 5> names = {"first", "second", "third", "fourth", "fifth"};
  return argument < names.size() ? names[argument] : "last";
}

ExpressionError text_too_long(std::size_t bytes_max) {
  ExpressionError error;
  error.message =
      "The template language expression cannot be evaluated because its result would be a text of more than " +
      std::to_string(bytes_max) + " bytes.";
  return error;
}

ExpressionError value_too_deep() {
  ExpressionError error;
  error.message = "The template language expression cannot be evaluated because its result nests deeper than " +
                  std::to_string(json::depth_max) + " levels.";
  return error;
}

}  // namespace flowmend::expression
