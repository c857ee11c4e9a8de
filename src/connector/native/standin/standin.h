#pragma once

#include <memory>
#include <string>
#include <string_view>

#include "connector/native/native.h"
#include "connector/tables.h"

namespace flowmend::connector {

// Stand-ins: connectors that answer to the api ids, operation ids and parameter names of services that are not open,
// over what this server has of its own. The names are those that real flows use (tools/dev/standin_share.py counts
// them); an operation that is not listed in a stand-in's document is refused by the checker and at run time, by name.
//
// Where a stand-in leads is said by its connection, once: which mail server, which webhook, whether tables may be made.

std::unique_ptr<NativeConnector> make_dataverse_standin(const NativeParts& parts);         // rows over Tables
std::unique_ptr<NativeConnector> make_dataverse_legacy_standin(const NativeParts& parts);  // its older connector
std::unique_ptr<NativeConnector> make_sharepoint_standin(const NativeParts& parts);     // list items over Tables, files
std::unique_ptr<NativeConnector> make_onedrive_standin(const NativeParts& parts);       // files
std::unique_ptr<NativeConnector> make_users_standin(const NativeParts& parts);          // people over the table `users`
std::unique_ptr<NativeConnector> make_outlook_standin(const NativeParts& parts);        // mail over SMTP and IMAP
std::unique_ptr<NativeConnector> make_teams_standin(const NativeParts& parts);          // messages over a webhook
std::unique_ptr<NativeConnector> make_log_collector_standin(const NativeParts& parts);  // records over Tables

/// Rows of a service whose tables are Tables of ours: finds the table, makes it when the connection allows it, and
/// speaks of rows as that service does.
class StandinRows {
 public:
  explicit StandinRows(store::Store& store) : tables_(store) {}

  Tables& tables() { return tables_; }
  /// The name of our table for one of the service: as it is, or with `_` for what no name of ours holds.
  static std::string table_name(std::string_view name);
  /// `guid_ids`, `id_column`: of a table that has to be made. `TableNotFound` with the cure when that is not allowed.
  Result<Table> open(std::string_view name, const Value& fields, bool make, bool guid_ids, std::string_view id_column);

 private:
  Tables tables_;
};

/// Refuses what a stand-in does not do with one of its operations' parameters.
http::Reply not_stood_in(std::string_view what);

/// Connection parameters of a stand-in over Tables.
inline constexpr std::string_view rows_properties =
    R"json({"properties":{"iconBrandColor":"#088142","capabilities":["actions"],"connectionParameters":{
  "createTables":{"type":"bool","defaultValue":false,"uiDefinition":{"displayName":"Make tables","description":"Make a table of this server when a flow writes the first row to one that is not there","constraints":{"required":"false","tabIndex":1}}}}}})json";

}  // namespace flowmend::connector
