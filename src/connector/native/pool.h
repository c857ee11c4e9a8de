#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>

#include "connector/native/native.h"

namespace flowmend::connector {

struct NativePoolLimits {
  std::size_t threads_max = 32;       ///< calls under way at a time
  std::size_t per_connector_max = 8;  ///< of one connector: a service that hangs leaves room for the others
};

/// Runs the blocking calls of native connectors on threads of its own, started when they are needed.
///
/// A call that takes longer than its time, that is cancelled, or that the end of the pool meets, is answered at once
/// (`RequestTimeout`, `Cancelled`); its thread is free again when the connector notices (`NativeCall::cancelled`), and
/// what it then says is dropped. The destructor waits for that.
///
/// Threads: any. `done` is called exactly once per call, on a thread of the pool, never inside `call`, `verify` or
/// `cancel`.
class NativePool {
 public:
  explicit NativePool(NativePoolLimits limits = {});
  ~NativePool();
  NativePool(const NativePool&) = delete;
  NativePool& operator=(const NativePool&) = delete;

  /// A number for `cancel`. `call.cancelled` is the pool's to set.
  std::uint64_t call(NativeConnector& connector, NativeCall call, std::function<void(http::Reply)> done);
  std::uint64_t verify(NativeConnector& connector, Value fields, Duration timeout,
                       std::function<void(http::Reply)> done);
  /// Gives up on a call; an unknown number is no error.
  void cancel(std::uint64_t id);

 private:
  class State;
  std::unique_ptr<State> state_;
};

}  // namespace flowmend::connector
