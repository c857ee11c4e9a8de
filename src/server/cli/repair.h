#pragma once

#include <vector>

#include "server/cli/client.h"

namespace flowmend::server {

/// `flowmend incident ...`, `flowmend job ...`, `flowmend holds ...`: what broke many runs, the jobs that repeat them,
/// and the runs that wait for a service.
void add_repair_commands(CLI::App& app, ClientOptions& options, std::vector<ClientCommand>& commands);

}  // namespace flowmend::server
