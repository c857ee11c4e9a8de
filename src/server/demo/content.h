#pragma once

#include <string>
#include <vector>

#include "json/value.h"

namespace flowmend::demo {

/// One connector of the demo: an OpenAPI 2.0 document for services at `host` (with its port).
struct DemoConnector {
  std::string name;  ///< `shared_orders`
  json::Value swagger;
  json::Value properties;
};
std::vector<DemoConnector> demo_connectors(const std::string& host);

struct DemoConnection {
  std::string api;
  std::string name;
  std::string display_name;
  json::Value fields;
};
std::vector<DemoConnection> demo_connections();

struct DemoFlow {
  std::string display_name;
  std::string trigger;  ///< to start it once; empty: its schedule does
  json::Value definition;
  json::Value connection_references;
  json::Value body;  ///< of that first start
};
/// `services` is the address of the services, without a slash at its end.
std::vector<DemoFlow> demo_flows(const std::string& services);

}  // namespace flowmend::demo
