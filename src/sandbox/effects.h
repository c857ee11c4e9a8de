#pragma once

#include <memory>

#include "runtime/effects.h"
#include "sandbox/sandbox.h"
#include "store/store.h"

namespace flowmend::sandbox {

struct EffectsSettings {
  Bounds script;                                                    ///< of JavaScriptCode
  Bounds transform{Duration::seconds(30), 512u << 20, 100u << 20};  ///< of Xslt and XmlValidation
};

/// Carries out the calls that are jobs of the sandbox (`engine::Call::Kind::sandbox`) and hands every other call on.
/// Maps and schemas come with the inputs (`content`) or from the stored artifacts (`name`).
///
/// Threads: as `runtime::Effects`. `others` and `store` must outlive it.
class Effects final : public runtime::Effects {
 public:
  Effects(runtime::Effects& others, const store::Store& store, const EffectsSettings& settings = {},
          std::string program = worker_program());
  ~Effects() override;

  void send(const runtime::CallId& id, const engine::Call& call, const runtime::CallContext& context,
            std::function<void(engine::AttemptFinished)> done) override;
  /// A job that runs can't be taken back; its outcome is ignored, and its time is bounded.
  void cancel(const runtime::CallId& id) override;

 private:
  Result<Value> job_of(const engine::Call& call) const;

  runtime::Effects& others_;
  const store::Store& store_;
  const EffectsSettings settings_;
  Sandbox sandbox_;
};

}  // namespace flowmend::sandbox
