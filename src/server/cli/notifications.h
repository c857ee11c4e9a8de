#pragma once

#include <vector>

#include "server/cli/client.h"

namespace flowmend::server {

/// `flowmend notification ...`: what the bell tells.
void add_notification_commands(CLI::App& app, ClientOptions& options, std::vector<ClientCommand>& commands);

}  // namespace flowmend::server
