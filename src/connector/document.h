#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/diagnostic.h"
#include "base/error.h"
#include "connector/policy_text.h"
#include "json/value.h"

namespace flowmend::connector {

using json::Value;

// A connector, compiled once from its documents: apiDefinition.swagger.json (OpenAPI 2.0 with the x-ms-* extensions)
// and apiProperties.json. Reading is lenient, because real files are not what the standards ask for: what can be used
// is used, and each repair or loss is one diagnostic with its place and cure. Rules: connectors.md in the sources of
// this project's specification; the vendor's open connector repository is what they were taken from.

enum class ParameterPlace : std::uint8_t { path, query, header, body, form_data };
enum class Visibility : std::uint8_t { none, important, advanced, internal };

struct OperationParameter {
  std::string name;
  ParameterPlace place = ParameterPlace::query;
  std::string type = "string";  ///< string, integer, number, boolean, array, object, file; of a body: of its schema
  std::string format;
  std::string collection_format;  ///< csv, ssv, tsv, pipes, multi; empty = csv
  std::string summary;
  bool required = false;
  bool double_encoding = false;  ///< x-ms-url-encoding: double
  bool allow_empty = false;
  bool secret = false;            ///< x-ms-secret, or format password
  bool notification_url = false;  ///< x-ms-notification-url: takes the address that the service is to call
  Visibility visibility = Visibility::none;
  Value default_value;  ///< null = none
  Value enumeration;    ///< array; null = none
  Value schema;         ///< of a body: as written, `$ref` unresolved; null otherwise
  Value written;        ///< the parameter as the document writes it, for extensions that are read when asked for
};

/// Why an operation can't run here; empty code = it can.
struct Unavailable {
  std::string code;
  std::string message;
};

struct Operation {
  std::string id;
  std::string method;   ///< upper case
  std::string path;     ///< template with a leading `/`: `/orders/{id}`
  std::string pointer;  ///< of the operation in the document
  std::string summary;
  std::string description;
  std::vector<std::string> consumes;  ///< of the operation, else of the document
  std::vector<std::string> produces;
  std::vector<OperationParameter> parameters;                    ///< in the document's order, path item's included
  std::vector<std::pair<std::string, std::string>> fixed_query;  ///< a query string inside the path template
  std::vector<std::string> security;                             ///< names of definitions; empty = the connector's own
  bool security_off = false;                                     ///< `security: []` on the operation
  bool trigger = false;
  bool deprecated = false;
  bool internal = false;
  bool safe = false;  ///< x-ms-safe-operation
  bool no_generic_test = false;
  bool file_reply = false;  ///< the 2xx schema is a file or binary: the reply stays bytes
  bool binary_reply = false;
  std::string next_link_name;  ///< x-ms-pageable; empty = the usual names
  std::string items_name;      ///< `itemName` of the same; empty = `value`
  Unavailable unavailable;

  const OperationParameter* find(std::string_view name) const;  ///< any place but body
  const OperationParameter* body() const;                       ///< nothing when it takes none
};

/// A trigger's operation that can be asked again and again.
inline bool is_polled(const Operation& operation) { return operation.trigger && operation.method == "GET"; }

/// How the service wants to be told who calls.
struct SecurityDefinition {
  enum class Kind : std::uint8_t { api_key_header, api_key_query, basic, oauth2 };
  std::string id;
  Kind kind = Kind::basic;
  std::string name;  ///< of the header or query parameter
};

/// One field of a connection's form.
struct ConnectionParameter {
  enum class Kind : std::uint8_t { string, secure_string, integer, boolean, oauth, gateway };
  std::string name;
  Kind kind = Kind::string;
  std::string display_name;
  std::string description;
  bool required = false;
  bool hidden = false;
  Value default_value;
  Value allowed_values;
  std::int64_t tab_index = 0;
};

struct TestConnection {
  std::string operation_id;
  Value parameters;  ///< flat map; null when none
};

/// Where and how a policy changes a JSON body.
struct BodyChange {
  PolicyPath parent;                 ///< an object, or an array of objects
  PolicySteps sub;                   ///< below the parent; empty = the parent itself
  std::optional<PolicyPath> target;  ///< of the result; nothing = where the property was
  std::string text;                  ///< template of a property's value, or what replaces `search`
  std::string search;                ///< a text, or the characters that separate parts
  std::string key;                   ///< name of the member that holds a key, or the path to it
  std::string value;                 ///< name of the member that holds a value
  bool keeps_key = true;             ///< the key stays in the value
  bool only_children = false;        ///< what is moved are the members, not the property
  bool target_names_it = false;      ///< `target` is the moved property's new place; else its new parent
};

/// What a policy template of apiProperties.json does (connectors.md 3.3).
struct Policy {
  enum class Kind : std::uint8_t {
    set_header,
    set_query,
    host_url,
    route,
    value_from_url,  ///< asks the service for a value before the operation's own request
    unauthenticated_status,
    next_link,     ///< names an operation's next link; the loader keeps it there
    set_property,  ///< from here on: of a body
    replace_text,
    encode_text,
    object_to_array,
    array_to_object,
    text_to_array,
    move_properties,
  };
  enum class Section : std::uint8_t { request, response, failure };  ///< response: to a 2xx; failure: to any other
  Kind kind = Kind::set_header;
  Section section = Section::request;
  std::vector<std::string> operations;  ///< empty = all
  std::string name;
  std::string value;   ///< template: header or query value, URL, new path; a status
  std::string method;  ///< of a route or a question; empty = unchanged
  std::string exists_action = "override";
  bool of_query = false;  ///< value_from_url: `name` is a query parameter's, not a header's
  PolicySteps answer;     ///< value_from_url: where the answer holds the value
  BodyChange change;
  bool covers(std::string_view operation_id) const;
};
inline bool changes_body(Policy::Kind kind) { return kind >= Policy::Kind::set_property; }

/// How polling triggers go on whose service keeps no place for its callers: connector/polling.h.
struct Polling {
  std::vector<std::string> operations;
  std::vector<std::pair<std::string, std::string>> next;  ///< query parameter -> expression over the last answer
  std::string items;                                      ///< expression: what is new; empty = the whole body
};

class NativeConnector;
struct Connector;

/// One of several ways to sign in that a connector offers (connectionParameterSets, connectors.md 3.2).
struct ParameterSet {
  std::string name;
  std::string display_name;
  std::string description;
  bool may_be_shared = true;
  std::shared_ptr<const Connector> connector;  ///< the same, with this set's connection parameters
};

struct Connector {
  std::string name;  ///< `shared_orders`
  std::string title;
  std::string description;
  std::string version;
  std::string icon_color;
  std::string scheme = "https";
  std::string host;       ///< may carry a port; empty when the connection must supply it
  std::string base_path;  ///< empty, or `/v1` without a trailing slash
  std::vector<Operation> operations;
  std::vector<SecurityDefinition> security_definitions;
  std::vector<std::string> security;                       ///< the document's own requirement, flattened
  std::vector<ConnectionParameter> connection_parameters;  ///< in the order of the form
  std::string parameter_set;                               ///< whose they are; empty = there is one form only
  std::string parameter_sets_title;                        ///< what the choice is called
  std::vector<ParameterSet> parameter_sets;                ///< the first is the connector's own form, too
  std::vector<Policy> policies;
  std::vector<Polling> pollings;
  std::optional<TestConnection> test_connection;
  Value swagger;                      ///< as loaded
  Value properties;                   ///< as loaded; null when missing
  NativeConnector* native = nullptr;  ///< carries out its operations itself (native/native.h); null = over HTTP

  /// `/providers/Microsoft.PowerApps/apis/shared_orders`.
  std::string api_id() const;
  std::string service_url() const { return scheme + "://" + host + base_path; }
  /// By id, exactly or else without regard to case; nothing when unknown.
  const Operation* find_operation(std::string_view id) const;
  std::size_t usable_operations() const;
};

/// The connector with the parameters of that set; itself when it has none of that name.
std::shared_ptr<const Connector> with_parameter_set(std::shared_ptr<const Connector> connector, std::string_view set);

struct Loaded {
  std::shared_ptr<const Connector> connector;  ///< absent when a diagnostic has severity error
  Diagnostics diagnostics;  ///< pointers into the swagger document, or `properties:` and one into the other
};

struct LoadOptions {
  std::string name;         ///< `shared_orders`; empty = made of the title
  bool has_script = false;  ///< a script.csx lies beside the documents
  NativeConnector* native = nullptr;
};

/// Compiles a connector from its parsed documents; `properties` may be null. Total: any value gives diagnostics, never
/// a crash. Linear in the documents' size. Any thread.
Loaded load_connector(const Value& swagger, const Value& properties, const LoadOptions& options = {});

/// As above from the files' text: UTF-8 with or without BOM, up to 16 MiB, with the small sins of real files (comments,
/// trailing commas, control characters in strings, odd blanks), each with a warning.
Loaded load_connector_text(std::string_view swagger, std::string_view properties, const LoadOptions& options = {});

/// The schema itself with `$ref` followed (at most 32 times); the value as it is when a reference leads nowhere.
const Value& resolve_schema(const Value& document, const Value& schema);
/// The properties of an object schema, its `allOf` parts included, in order: calls `visit(name, schema, required)`.
void visit_properties(const Value& document, const Value& schema,
                      const std::function<void(std::string_view, const Value&, bool)>& visit);
/// The schema's `type`, or `object` when it has properties, or empty when it says nothing.
std::string schema_type(const Value& document, const Value& schema);
/// An `x-ms-*` member whatever its case and usual misspelling; nothing when absent.
const Value* extension(const Value& holder, std::string_view name);
Visibility visibility_of(const Value& holder);

}  // namespace flowmend::connector
