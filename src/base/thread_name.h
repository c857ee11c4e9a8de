#pragma once

#include <pthread.h>

namespace flowmend {

/// Names the calling thread for `top -H`, `perf` and debuggers. At most 15 bytes (pthread_setname_np(3)).
inline void name_thread(const char* name) { pthread_setname_np(pthread_self(), name); }

}  // namespace flowmend
