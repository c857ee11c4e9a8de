#pragma once

#include <vector>

#include "server/cli/client.h"

namespace flowmend::server {

/// `flowmend user ...`: who may sign in, and as what. A person is named by user name.
void add_people_commands(CLI::App& app, ClientOptions& options, std::vector<ClientCommand>& commands);

}  // namespace flowmend::server
