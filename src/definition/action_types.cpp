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
    ActionTypeEntry{"ApiConnectionNotification", false, unavailable, ""},
    ActionTypeEntry{"OpenApiConnectionWebhook", true, open_api_connection_webhook, "host"},
    ActionTypeEntry{"OpenApiConnectionNotification", false, unavailable, ""},
    ActionTypeEntry{"HttpWebhook", true, http_webhook, "subscribe"},
    ActionTypeEntry{"Workflow", true, workflow, "host"},
    ActionTypeEntry{"Function", true, function, "function"},
    ActionTypeEntry{"InvokeFunction", false, unavailable, ""},
    ActionTypeEntry{"ApiManagement", true, api_management, "api method pathTemplate"},
    ActionTypeEntry{"ServiceProvider", true, service_provider, "serviceProviderConfiguration"},
    ActionTypeEntry{"SendToBatch", true, send_to_batch, "batchName content host"},
    ActionTypeEntry{"Batch", false, unavailable, ""},
    ActionTypeEntry{"Liquid", false, unavailable, ""},
    ActionTypeEntry{"Xslt", true, xslt, "content"},
    ActionTypeEntry{"XmlValidation", true, xml_validation, "content"},
    ActionTypeEntry{"XmlParse", false, unavailable, ""},
    ActionTypeEntry{"XmlCompose", false, unavailable, ""},
    ActionTypeEntry{"JavaScriptCode", true, java_script_code, "code"},
    ActionTypeEntry{"CSharpScriptCode", false, unavailable, ""},
    ActionTypeEntry{"PowerShellCode", false, unavailable, ""},
    ActionTypeEntry{"FlatFileEncoding", false, unavailable, ""},
    ActionTypeEntry{"FlatFileDecoding", false, unavailable, ""},
    ActionTypeEntry{"IntegrationAccountArtifactLookup", false, unavailable, ""},
    ActionTypeEntry{"ParseDocumentWithMetadata", false, unavailable, ""},
    ActionTypeEntry{"Agent", false, unavailable, ""},
    ActionTypeEntry{"ParseDocument", false, unavailable, ""},
    ActionTypeEntry{"ChunkText", false, unavailable, ""},
    ActionTypeEntry{"Swift", false, unavailable, ""},
    ActionTypeEntry{"RosettaNetEncode", false, unavailable, ""},
    ActionTypeEntry{"RosettaNetDecode", false, unavailable, ""},
    ActionTypeEntry{"RosettaNetWaitForResponse", false, unavailable, ""},
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
