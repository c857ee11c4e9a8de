#pragma once

#include <cstddef>
#include <string>

namespace flowmend::bench {

/// Seconds that a bare libcurl multi loop takes for `chains` chains of `steps` GETs of `address`, each sent when the
/// one before it is answered, at most `under_way` chains at a time. Keeps each answer until its chain is over; stores
/// nothing.
double run_curl_chains(const std::string& address, std::size_t chains, std::size_t steps, std::size_t under_way);

}  // namespace flowmend::bench
