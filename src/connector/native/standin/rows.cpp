#include <algorithm>
#include <cctype>

#include "connector/native/standin/standin.h"
#include "connector/text.h"

namespace flowmend::connector {

std::string StandinRows::table_name(std::string_view name) {
  std::string out;
  for (const char c : name.substr(0, 100))
    out += std::isalnum(static_cast<unsigned char>(c)) != 0 || c == '_' || c == '-' ? c : '_';
  return out;
}

Result<Table> StandinRows::open(std::string_view name, const Value& fields, bool make, bool guid_ids,
                                std::string_view id_column) {
  const std::string own = table_name(name);
  auto table = tables_.find(own);
  if (table || table.error().code != "TableNotFound") return table;
  const bool allowed = field_text(fields, "createTables") == "true";
  if (!make || !allowed || own.empty()) {
    return make_error("TableNotFound",
                      "There is no table '" + own + "' that stands in for '" + std::string(name) + "'.", {},
                      allowed ? "It is made when a flow writes its first row."
                              : "Make it on the page Tables, or let the connection make tables.");
  }
  auto made = tables_.create(Value::object({{"name", Value(own)},
                                            {"title", Value(name)},
                                            {"description", "Made for a flow that wrote its first row here."},
                                            {"idColumn", Value(id_column)},
                                            {"idType", Value(guid_ids ? "guid" : "number")},
                                            {"open", true}}));
  // Another step may have been faster.
  if (!made && made.error().code == "TableAlreadyExists") return tables_.find(own);
  return made;
}

http::Reply not_stood_in(std::string_view what) {
  return native_error(
      501, "StandInNotSupported",
      std::string(what) + " The stand-in of this connector does not do that; docs/stand-ins.md lists what it does.");
}

}  // namespace flowmend::connector
