#include "expression/recorder.h"

#include <algorithm>

namespace flowmend::expression {

void Recorder::begin(SourceRange range) {
  Trace trace;
  trace.path = path_;
  trace.range = range;
  trace.text = source_.substr(range.begin, range.end - range.begin);
  open_.push_back(std::move(trace));
}

void Recorder::end(const Value* value, const Evaluation& evaluation) {
  Trace trace = std::move(open_.back());
  open_.pop_back();
  if (value != nullptr) {
    trace.value = *value;
  } else {
    trace.failed = true;
    trace.error = evaluation.error().message;
    trace.culprit = std::ranges::none_of(trace.subexpressions, [](const Trace& sub) { return sub.failed; });
  }
  (open_.empty() ? done_ : open_.back().subexpressions).push_back(std::move(trace));
}

}  // namespace flowmend::expression
