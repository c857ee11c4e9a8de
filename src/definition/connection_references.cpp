#include "definition/connection_references.h"

#include <string>

#include "definition/words.h"
#include "json/pointer.h"

namespace flowmend::definition {

namespace {

bool is_invoker(std::string_view source) { return same_word(source, "Invoker"); }

}  // namespace

void check_connection_references(const json::Value& references, Diagnostics& diagnostics) {
  if (!references.is_object()) return;
  for (const json::Member& member : references.as_object()) {
    if (!member.value.is_object()) continue;
    if (!is_invoker(member.value.text_of("source")) && !is_invoker(member.value.text_of("runtimeSource"))) continue;
    const std::string key(member.name());
    diagnostics.push_back({.pointer = json::join("/connectionReferences", key),
                           .severity = Severity::warning,
                           .code = "InvokerConnectionUnavailable",
                           .message = "The connection reference '" + key +
                                      "' asks for the connection of whoever runs the flow: here all runs use the one "
                                      "that it names, with its owner's rights.",
                           .cure = "Choose a connection whose rights everybody who may run the flow can have, and set "
                                   "its source to Embedded.",
                           .begin = 0,
                           .end = 0});
  }
}

}  // namespace flowmend::definition
