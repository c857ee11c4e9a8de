#pragma once

#include <cstddef>
#include <map>
#include <string>
#include <vector>

#include "engine/recorded.h"
#include "runtime/correction.h"

namespace flowmend::repair {

using json::Value;

/// What a corrected step would be done with, as far as the record of the run tells: `{inputs}`, `{error: {code,
/// message}}` when an expression fails, so that the step would fail and send nothing, or `{unknown: why}`. The inputs
/// are those of the record (secrets masked) with the corrections in them; what is done again before the step may change
/// them.
using Previews = std::map<engine::RecordedKey, Value>;

/// Of each occurrence of a step whose input is replaced or changed by expressions, and that the run had reached.
/// `before` is the version that ran, `now` the one that would.
Previews preview(const runtime::Correction& correction, const std::shared_ptr<const definition::Flow>& before,
                 const definition::Flow& now, const engine::Events& events);

/// The same over many runs: how many would be evaluated, and a few of each kind to look at.
class PreviewSummary {
 public:
  void add(const std::string& run, const std::string& flow, const Previews& previews,
           const engine::RecordedSteps& steps);
  void add_unreadable() { ++runs_; }
  /// `{runs, evaluated, failing, unknown, samples: [{run, flow, action, repetition?, before, wouldSend}]}`; the numbers
  /// of evaluated ... are of steps.
  Value value() const;

 private:
  std::size_t runs_ = 0;
  std::size_t evaluated_ = 0;
  std::size_t failing_ = 0;
  std::size_t unknown_ = 0;
  std::vector<Value> good_;
  std::vector<Value> bad_;
};

}  // namespace flowmend::repair
