#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include "expression/functions/function.h"
#include "expression/template.h"

namespace flowmend::expression {

class Recorder;

/// One evaluation: its context, what it may still spend, and how it failed. Lives on the stack of `evaluate`.
class Evaluation final : public Call {
 public:
  Evaluation(Context& context, const Limits& limits, Recorder* recorder = nullptr)
      : context_(context),
        limits_(limits),
        recorder_(recorder),
        bytes_left_(limits.bytes_max),
        steps_left_(limits.steps_max) {}

  // What functions see.
  Context& context() override { return context_; }
  std::string_view function_name() const override { return function_name_; }
  bool charge(std::size_t bytes, std::uint64_t steps) override { return spend(bytes, steps); }
  ExpressionError limit_error() const override;
  std::size_t string_bytes_max() const override { return limits_.string_bytes_max; }

  // What nodes use.
  bool spend(std::size_t bytes, std::uint64_t steps) {
    if (bytes > bytes_left_ || steps > steps_left_) [[unlikely]] {
      (bytes > bytes_left_ ? bytes_left_ : steps_left_) = 0;
      return false;
    }
    bytes_left_ -= bytes;
    steps_left_ -= steps;
    return true;
  }
  void enter(std::string_view function_name) { function_name_ = function_name; }
  const Limits& limits() const { return limits_; }
  Recorder* recorder() const { return recorder_; }

  /// Notes the failure; the first one stands, because the innermost sub-expression fails first. Returns nullptr, so
  /// that a node can end with `return evaluation.fail(...)`.
  std::nullptr_t fail(ExpressionError error, SourceRange range);
  std::nullptr_t fail_limit(SourceRange range);
  bool failed() const { return error_.has_value(); }
  ExpressionError take_error() { return std::move(*error_); }
  const ExpressionError& error() const { return *error_; }

  /// The string that is being evaluated, and the expression in it that messages quote.
  void begin(std::string_view source) { source_ = source; }
  void quote(SourceRange expression) { expression_ = expression; }
  std::string_view expression() const { return source_.substr(expression_.begin, expression_.end - expression_.begin); }

 private:
  Context& context_;
  const Limits& limits_;
  Recorder* recorder_;
  std::size_t bytes_left_;
  std::uint64_t steps_left_;
  std::string_view function_name_;
  std::string_view source_;
  SourceRange expression_;
  std::optional<ExpressionError> error_;
};

}  // namespace flowmend::expression
