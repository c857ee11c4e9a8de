#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "runtime/flows.h"
#include "store/store.h"

namespace flowmend::runtime {

// What a trigger remembers (a schedule's times, a poll's place, a subscription) is one document for each trigger of a
// flow, under the key `flow id/trigger name`.

/// Names one trigger of one flow. An id holds no slash, so no two triggers have the same key.
std::string trigger_key(std::string_view flow, std::string_view trigger);
std::string_view flow_of(std::string_view key);
std::string_view trigger_of(std::string_view key);
/// What the keys of all triggers of a flow begin with.
std::string trigger_keys_of(std::string_view flow);

/// All documents of a kind whose key begins with `prefix`, in the order of keys. Errors of the store.
Result<std::vector<store::Document>> read_documents(const store::Store& store, std::string_view kind,
                                                    std::string_view prefix = {});

/// Moves what older versions kept for the whole flow, under its id alone, to the key of its first trigger; of a flow
/// that is gone or does not compile to a key without a trigger's name. Errors of the store; then nothing is moved.
Result<void> move_flow_states(store::Store& store, Flows& flows, std::string_view kind);

}  // namespace flowmend::runtime
