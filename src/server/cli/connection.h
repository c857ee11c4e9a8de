#pragma once

#include <vector>

#include "server/cli/client.h"

namespace flowmend::server {

/// `flowmend connection ...`: the connections of a server, each named as API/NAME (`shared_orders/orders`) or, when
/// only one has it, by NAME.
void add_connection_commands(CLI::App& app, ClientOptions& options, std::vector<ClientCommand>& commands);

}  // namespace flowmend::server
