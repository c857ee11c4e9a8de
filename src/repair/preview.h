#pragma once

#include <cstddef>
#include <map>
#include <string>
#include <vector>

#include "engine/recorded.h"
#include "runtime/correction.h"

namespace flowmend::repair {

using json::Value;

/// A corrected step, as far as the record of the run tells.
struct Preview {
  std::string action;
  Value before;  ///< its recorded inputs, secrets masked
  /// What it would be done with: `{inputs}` (the recorded ones with the corrections in them; what is done again before
  /// the step may change them), `{error: {code, message}}` when an expression fails, so that the step would fail and
  /// send nothing, or `{unknown: why}`.
  Value would_send;
};
using Previews = std::map<engine::RecordedKey, Preview>;

/// Of each occurrence of a step whose input is replaced or changed by expressions, and that the run had reached.
/// `before` is the version that ran, `now` the one that would.
Previews preview(const runtime::Correction& correction, const std::shared_ptr<const definition::Flow>& before,
                 const definition::Flow& now, const engine::Events& events);

/// The same over many runs: how many would be evaluated, and a few of each kind to look at.
class PreviewSummary {
 public:
  void add(const std::string& run, const std::string& flow, const Previews& previews);
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
