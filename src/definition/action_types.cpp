#include "definition/action_types.h"

#include <array>

#include "definition/words.h"

namespace flowmend::definition {

namespace {

using enum ActionType;

// name, does it run, its type, required inputs (engine.md section 3).
constexpr std::array entries = {
    ActionTypeEntry{"Http", true, http, "method uri"},
    ActionTypeEntry{"Response", true, response, ""},
    ActionTypeEntry{"Compose", true, compose, ""},
    ActionTypeEntry{"ParseJson", true, parse_json, "content schema"},
    ActionTypeEntry{"Query", true, query, "from where"},
    ActionTypeEntry{"Select", true, select, "from select"},
    ActionTypeEntry{"Join", true, join, "from joinWith"},
    ActionTypeEntry{"Table", true, table, "from format"},
    ActionTypeEntry{"InitializeVariable", true, initialize_variable, "variables"},
    ActionTypeEntry{"SetVariable", true, set_variable, "name value"},
    ActionTypeEntry{"IncrementVariable", true, increment_variable, "name"},
    ActionTypeEntry{"DecrementVariable", true, decrement_variable, "name"},
    ActionTypeEntry{"AppendToArrayVariable", true, append_to_array_variable, "name value"},
    ActionTypeEntry{"AppendToStringVariable", true, append_to_string_variable, "name value"},
    ActionTypeEntry{"If", true, if_, ""},
    ActionTypeEntry{"Switch", true, switch_, ""},
    ActionTypeEntry{"Foreach", true, foreach_, ""},
    ActionTypeEntry{"Until", true, until, ""},
    ActionTypeEntry{"Scope", true, scope, ""},
    ActionTypeEntry{"Terminate", true, terminate, "runStatus"},
    ActionTypeEntry{"Wait", true, wait, ""},
    ActionTypeEntry{"OpenApiConnection", true, open_api_connection, "host"},
    ActionTypeEntry{"ApiConnection", true, api_connection, "host method path"},
    ActionTypeEntry{"Expression", true, expression, ""},
    ActionTypeEntry{"ApiConnectionWebhook", true, api_connection_webhook, "host path"},
    ActionTypeEntry{"ApiConnectionNotification", false, compose, ""},
    ActionTypeEntry{"OpenApiConnectionWebhook", true, open_api_connection_webhook, "host"},
    ActionTypeEntry{"OpenApiConnectionNotification", false, compose, ""},
    ActionTypeEntry{"HttpWebhook", true, http_webhook, "subscribe"},
    ActionTypeEntry{"Workflow", true, workflow, "host"},
    ActionTypeEntry{"Function", false, compose, ""},
    ActionTypeEntry{"InvokeFunction", false, compose, ""},
    ActionTypeEntry{"ApiManagement", false, compose, ""},
    ActionTypeEntry{"ServiceProvider", false, compose, ""},
    ActionTypeEntry{"SendToBatch", false, compose, ""},
    ActionTypeEntry{"Batch", false, compose, ""},
    ActionTypeEntry{"Liquid", false, compose, ""},
    ActionTypeEntry{"Xslt", false, compose, ""},
    ActionTypeEntry{"XmlValidation", false, compose, ""},
    ActionTypeEntry{"XmlParse", false, compose, ""},
    ActionTypeEntry{"XmlCompose", false, compose, ""},
    ActionTypeEntry{"JavaScriptCode", false, compose, ""},
    ActionTypeEntry{"CSharpScriptCode", false, compose, ""},
    ActionTypeEntry{"PowerShellCode", false, compose, ""},
    ActionTypeEntry{"FlatFileEncoding", false, compose, ""},
    ActionTypeEntry{"FlatFileDecoding", false, compose, ""},
    ActionTypeEntry{"IntegrationAccountArtifactLookup", false, compose, ""},
    ActionTypeEntry{"Agent", false, compose, ""},
    ActionTypeEntry{"ParseDocument", false, compose, ""},
    ActionTypeEntry{"ChunkText", false, compose, ""},
    ActionTypeEntry{"Swift", false, compose, ""},
    ActionTypeEntry{"RosettaNetEncode", false, compose, ""},
    ActionTypeEntry{"RosettaNetDecode", false, compose, ""},
    ActionTypeEntry{"RosettaNetWaitForResponse", false, compose, ""},
};

}  // namespace

std::span<const ActionTypeEntry> action_types() { return entries; }

const ActionTypeEntry* find_action_type(std::string_view name) {
  for (const ActionTypeEntry& entry : entries) {
    if (same_word(entry.name, name)) return &entry;
  }
  return nullptr;
}

}  // namespace flowmend::definition
