#pragma once

#include <condition_variable>
#include <deque>
#include <functional>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "api/assets.h"
#include "api/context.h"
#include "api/routes.h"

namespace flowmend::api {

/// Everything that the listener hears: finds the route, checks who calls, and answers. Signed callback addresses go
/// straight to the runtime on the listener's thread, because they are the hot path; all other routes run on a few
/// worker threads and may wait for the store. What is no route is the portal.
class Api {
 public:
  explicit Api(Parts parts);
  ~Api();  ///< ends the workers; requests not yet begun are answered with 503
  Api(const Api&) = delete;
  Api& operator=(const Api&) = delete;

  /// For http::Listener. Never blocks.
  void handle(http::IncomingRequest request, http::Responder responder);

 private:
  struct Task {
    http::IncomingRequest request;
    http::Responder responder;
  };
  void work();
  http::Response answer(const http::IncomingRequest& request);
  void invoke(http::IncomingRequest request, http::Responder responder);
  void follow_events(const http::IncomingRequest& request, const http::Responder& responder);
  Result<Identity> identify(const http::IncomingRequest& request);
  std::string base_of(const http::IncomingRequest& request) const;

  Parts parts_;
  std::vector<RouteEntry> routes_;
  std::mutex mutex_;
  std::condition_variable wake_;
  std::deque<Task> tasks_;
  bool stopping_ = false;
  std::vector<std::thread> workers_;
};

}  // namespace flowmend::api
