#pragma once

#include <string>
#include <vector>

#include "api/context.h"

namespace flowmend::api {

/// Saves a flow for somebody who changed what it shares with others. Error: the first one that refuses the draft, with
/// its place in the definition.
Result<store::FlowRow> save_shared(const Parts& parts, const Call& call, const std::string& id,
                                   const runtime::FlowDraft& draft);

/// What came of it for each flow: `changed: [{flow, displayName, version}]`, and `left: [{flow, displayName, error:
/// {code, message, where, cure}}]` for those that stay as they are.
class ChangedFlows {
 public:
  void add(const store::FlowRow& row, const Result<store::FlowRow>& saved);
  /// Adds both lists.
  void write(json::ObjectBuilder& out) const;

 private:
  std::vector<Value> changed_;
  std::vector<Value> left_;
};

}  // namespace flowmend::api
