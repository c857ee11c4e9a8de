#include "expression/evaluation.h"

#include <stdexcept>

namespace flowmend::expression {

ExpressionError Evaluation::limit_error() const {
  ExpressionError error;
  const bool memory = bytes_left_ == 0;
  error.message = "The template language expression '" + std::string(expression().substr(0, 500)) +
                  "' cannot be evaluated because it needs more than the limit of " +
                  (memory ? std::to_string(limits_.bytes_max) + " bytes of memory."
                          : std::to_string(limits_.steps_max) + " steps of work.");
  error.function = function_name_;
  return error;
}

std::nullptr_t Evaluation::fail(ExpressionError error, SourceRange range) {
  if (error_) return nullptr;
  if (error.range.begin == 0 && error.range.end == 0) error.range = range;
  error_ = std::move(error);
  return nullptr;
}

std::nullptr_t Evaluation::fail_limit(SourceRange range) { return fail(limit_error(), range); }

void throw_exception_from_error(const ExpressionError& error, const boost::source_location& place) {
  throw std::logic_error(std::string(place.file_name()) + ":" + std::to_string(place.line()) +
                         ": value() of a failed evaluation: " + error.message);
}

}  // namespace flowmend::expression
