#pragma once

#include <string>

#include "dice.h"

namespace flowmend::simulation {

enum class Trigger { request, child, split, recurrence, window, feed, hook, batch };

/// A flow that chance wrote, and what the witness must know of it.
struct MadeFlow {
  Trigger trigger = Trigger::request;
  std::string definition;
  bool has_response = false;
  bool has_other = false;  ///< a second trigger of the same kind, named other_trigger_name
};

/// The name of every made flow's first trigger.
inline constexpr const char* trigger_name = "manual";
inline constexpr const char* other_trigger_name = "other";
/// Stands in credentials of made requests: it may be in no record.
inline constexpr const char* secret_text = "hunter2-hunter2";

/// Writes a flow. `name` is unique (addresses of its services hold it); `child` is the id of a flow that it may call,
/// or empty; `batch` the name of a flow whose batch it may send messages to; `other`:
/// a request's flow gets a second trigger. Every request's body says by which step
/// and repetition it is sent, so the body is what identifies an effect of a run.
MadeFlow make_flow(Dice& dice, Trigger trigger, const std::string& name, const std::string& child,
                   const std::string& batch = {}, bool other = false);

}  // namespace flowmend::simulation
