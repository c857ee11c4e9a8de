#pragma once

#include <string_view>

#include "base/error.h"
#include "engine/command.h"
#include "runtime/runtime.h"

namespace flowmend::runtime {

/// The headers by which a caller finds its run (engine.md 2.5).
void add_run_headers(Answer& answer, const definition::Flow& flow, const store::RunRow& run, std::uint64_t salt);

/// A Response action's answer. Headers that belong to the connection or to Flowmend (`x-ms-workflow-*`), and those that
/// are no valid header, are left out.
Answer make_answer(const engine::Respond& respond);

/// `{"error":{"code","message"}}`.
Answer error_answer(std::int32_t status_code, std::string_view code, std::string_view message);

}  // namespace flowmend::runtime
