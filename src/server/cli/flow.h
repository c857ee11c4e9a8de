#pragma once

#include <vector>

#include "server/cli/client.h"

namespace flowmend::server {

/// `flowmend flow ...`: the flows of a server: reading, saving and trying definitions, starting runs, and why nothing
/// started. A flow is named by its id, or by its display name when only one flow has it.
void add_flow_commands(CLI::App& app, ClientOptions& options, std::vector<ClientCommand>& commands);

}  // namespace flowmend::server
