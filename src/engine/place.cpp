#include "engine/place.h"

namespace flowmend::engine {

const char* status_name(Status status) {
  switch (status) {
    case Status::none: return "NotSpecified";
    case Status::waiting: return "Waiting";
    case Status::running: return "Running";
    case Status::succeeded: return "Succeeded";
    case Status::failed: return "Failed";
    case Status::skipped: return "Skipped";
    case Status::timed_out: return "TimedOut";
    case Status::cancelled: return "Cancelled";
    case Status::aborted: return "Aborted";
  }
  return "NotSpecified";
}

}  // namespace flowmend::engine
