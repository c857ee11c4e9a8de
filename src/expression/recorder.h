#pragma once

#include <string_view>
#include <vector>

#include "expression/evaluation.h"
#include "expression/template.h"

namespace flowmend::expression {

/// Collects the sub-expressions of one string while it is evaluated for a trace. Not used otherwise.
class Recorder {
 public:
  Recorder(std::string_view path, std::string_view source) : path_(path), source_(source) {}

  void begin(SourceRange range);
  /// `value` is nullptr when the sub-expression failed.
  void end(const Value* value, const Evaluation& evaluation);

  std::vector<Trace> take() { return std::move(done_); }

 private:
  std::string_view path_;
  std::string_view source_;
  std::vector<Trace> open_;  ///< from the outermost to the innermost
  std::vector<Trace> done_;
};

}  // namespace flowmend::expression
