// Azure Log Analytics Data Collector over Tables: a record is a row of the table `<Log-Type>_CL`, as the custom log of
// that name would be.

#include <algorithm>
#include <cctype>

#include "connector/native/standin/standin.h"
#include "connector/native/tables_connector.h"
#include "connector/text.h"
#include "json/parse.h"

namespace flowmend::connector {
namespace {

constexpr std::string_view document =
    R"json({"swagger":"2.0","info":{"title":"Azure Log Analytics Data Collector (stand-in)","description":"Keeps records in Tables of this server.","version":"1.0"},
  "host":"logs.native","basePath":"/","schemes":["https"],"consumes":["application/json"],"produces":["application/json"],
  "paths":{"/api/logs":{"post":{"operationId":"SendData","summary":"Send Data","description":"The table is the custom log's name and _CL","parameters":[
    {"name":"body","in":"body","required":true,"x-ms-summary":"JSON Request body","schema":{}},
    {"name":"Log-Type","in":"header","required":true,"type":"string","x-ms-summary":"Custom Log Name"},
    {"name":"time-generated-field","in":"header","type":"string","x-ms-summary":"Time-generated-field"}],"responses":{"200":{"description":"Kept"}}}}}})json";

constexpr std::size_t records_max = 5'000;
constexpr std::size_t name_max = 97;  ///< `_CL` comes behind it

http::Reply invalid(std::string_view what) { return native_error(400, "InvalidData", what); }

/// What no column can be called becomes `_`, as in a custom log.
std::string column_of(std::string_view name) {
  std::string out;
  for (const char c : name.substr(0, 127))
    out += std::isalnum(static_cast<unsigned char>(c)) != 0 || static_cast<unsigned char>(c) >= 0x80 ? c : '_';
  return out.empty() || std::isdigit(static_cast<unsigned char>(out[0])) != 0 ? "_" + out : out;
}

Value row_of(const Value& record, const std::string& time_field, const std::string& now) {
  json::ObjectBuilder out;
  const Value* time = time_field.empty() ? nullptr : record.find_ignoring_case(time_field);
  const auto read = time != nullptr && time->is_string() ? parse_timestamp(time->as_string()) : std::nullopt;
  out.add("TimeGenerated", Value(read ? to_string(*read) : now));
  for (const json::Member& member : record.as_object()) {
    const std::string column = column_of(member.name());
    if (!equals_ignoring_case(column, "TimeGenerated")) out.set(column, member.value);
  }
  return out.finish();
}

class LogCollector final : public NativeConnector {
 public:
  explicit LogCollector(store::Store& store) : rows_(store) {}
  std::string_view name() const override { return "shared_azureloganalyticsdatacollector"; }
  std::string_view swagger() const override { return document; }
  std::string_view properties() const override { return rows_properties; }
  http::Reply verify(const Value&, Duration) override { return native_json(200, Value::empty_object()); }

  http::Reply call(const NativeCall& call) override {
    const std::string log = text_argument(call, "Log-Type");
    const bool named =
        !log.empty() && log.size() <= name_max &&
        std::all_of(log.begin(), log.end(), [](unsigned char c) { return std::isalnum(c) != 0 || c == '_'; });
    if (!named) return invalid("'Log-Type' is letters, digits and _, up to 97.");
    Value sent = call.arguments.body;
    if (sent.is_string()) {
      auto read = json::parse(sent.as_string());
      if (!read) return invalid("The body is no JSON: " + read.error().message);
      sent = std::move(*read);
    }
    if (sent.is_object()) sent = Value::array({sent});
    if (!sent.is_array()) return invalid("The body is a record, or an array of records.");
    const auto& records = sent.as_array();
    if (records.size() > records_max) return invalid("At most 5,000 records at once.");
    for (const Value& record : records)
      if (!record.is_object()) return invalid("Each record is an object.");
    const auto table = rows_.open(log + "_CL", call.fields, true, false, "RecordId");
    if (!table) return table_error(table.error());
    const std::string now = to_string(now_from_system_clock());
    const std::string time_field = text_argument(call, "time-generated-field");
    std::size_t number = 0;
    for (const Value& record : records) {
      if (call.cancelled && call.cancelled()) return native_error(504, "Cancelled", "Nobody waits any more.");
      // Sent again after a crash, it goes on behind those that stand.
      const std::string key = call.idempotency_key.empty() ? "" : call.idempotency_key + "/" + std::to_string(number++);
      const auto row = rows_.tables().insert(table->name, row_of(record, time_field, now), key);
      if (!row) return table_error(row.error());
    }
    return native_json(200, Value::empty_object());
  }

 private:
  StandinRows rows_;
};

}  // namespace

std::unique_ptr<NativeConnector> make_log_collector_standin(const NativeParts& parts) {
  return std::make_unique<LogCollector>(parts.store);
}

}  // namespace flowmend::connector
