#include "connector/row_watch.h"

#include <algorithm>
#include <cstdio>
#include <set>

#include "connector/native/standin/dataverse_names.h"
#include "connector/text.h"

namespace flowmend::connector {
namespace {

constexpr std::string_view watch_kind = "row_watch";

std::string key_of(std::string_view entity, std::string_view flow, std::string_view trigger) {
  return lower_case(entity) + "/" + std::string(flow) + "/" + std::string(trigger);
}

/// The logical names under which a trigger may know this table: of its own name and of its ids.
std::set<std::string> entities_of(const Table& table) {
  std::set<std::string> out{lower_case(table.name), dataverse_logical_name(table.name)};
  const std::string id = lower_case(table.id_column);
  if (id.size() > 2 && id.ends_with("id")) out.insert(id.substr(0, id.size() - 2));
  return out;
}

std::string_view message_of(RowEvent event) {
  switch (event) {
    case RowEvent::created: return "Create";
    case RowEvent::deleted: return "Delete";
    case RowEvent::updated: return "Update";
  }
  return "Update";
}

/// A bound row (`parent`) is kept as `_parent_value`.
bool names_column(std::string_view wanted, std::string_view column) {
  if (equals_ignoring_case(wanted, column)) return true;
  return column.starts_with('_') && column.ends_with("_value") &&
         equals_ignoring_case(wanted, column.substr(1, column.size() - 7));
}

bool hears(const Value& watch, RowEvent event, const Value& row, const Value& given) {
  const Value* events = watch.find("events");
  if (events == nullptr || !events->is_integer() ||
      (static_cast<unsigned>(events->as_integer()) & static_cast<unsigned>(event)) == 0)
    return false;
  const Value* columns = watch.find("columns");
  if (event == RowEvent::updated && columns != nullptr && columns->size() > 0) {
    const auto& wanted = columns->as_array();
    const bool any = given.is_object() &&
                     std::any_of(given.as_object().begin(), given.as_object().end(), [&](const json::Member& member) {
                       return std::any_of(wanted.begin(), wanted.end(), [&](const Value& name) {
                         return names_column(name.as_string(), member.name());
                       });
                     });
    if (!any) return false;
  }
  const std::string filter = dataverse_own_names(std::string(watch.text_of("filter")));
  if (trim(filter).empty()) return true;
  const auto parsed = odata::parse_filter(filter);
  return parsed && odata::matches(
                       *parsed,
                       [&](std::string_view name) {
                         const Value* value = row.find_ignoring_case(name);
                         return value == nullptr ? Value() : *value;
                       },
                       odata::Case::ignored);
}

std::string padded(std::int64_t number) {
  char out[24];
  std::snprintf(out, sizeof(out), "%020lld", static_cast<long long>(number));
  return out;
}

}  // namespace

Result<void> RowWatches::put(const RowWatch& watch) {
  json::ArrayBuilder columns;
  for (const std::string& column : watch.columns) columns.push(Value(column));
  const Value stored = Value::object({{"flow", Value(watch.flow)},
                                      {"trigger", Value(watch.trigger)},
                                      {"events", Value(static_cast<std::int64_t>(watch.events))},
                                      {"columns", columns.finish()},
                                      {"filter", Value(watch.filter)},
                                      {"token", Value(watch.token)}});
  const auto put = store_.put_document(watch_kind, key_of(watch.entity, watch.flow, watch.trigger), stored);
  if (!put) return put.error();
  return {};
}

Result<void> RowWatches::remove(std::string_view entity, std::string_view flow, std::string_view trigger,
                                std::string_view token) {
  return store_.write([&](store::Transaction& transaction) -> Result<void> {
    const std::string key = key_of(entity, flow, trigger);
    const auto document = transaction.document(watch_kind, key);
    if (!document || document->value.text_of("token") != token) return {};
    if (auto gone = transaction.erase_document(watch_kind, key); !gone) return gone.error();
    return {};
  });
}

Result<std::vector<RowDelivery>> RowWatches::due(std::size_t limit, std::string_view after) const {
  store::DocumentQuery query;
  query.kind = row_delivery_kind;
  query.limit = limit;
  query.after = std::string(after);
  const auto page = store_.documents(query);
  if (!page) return page.error();
  std::vector<RowDelivery> out;
  for (const store::Document& document : *page) {
    const Value* body = document.value.find("body");
    out.push_back({document.key, std::string(document.value.text_of("flow")),
                   std::string(document.value.text_of("trigger")), body == nullptr ? Value() : *body});
  }
  return out;
}

Result<void> RowWatches::drop(std::string_view key) {
  const auto gone = store_.erase_document(row_delivery_kind, key);
  if (!gone) return gone.error();
  return {};
}

Result<void> note_row_change(store::Transaction& transaction, const Table& table, RowEvent event, const Value& row,
                             const Value& given) {
  const std::int64_t now = now_from_system_clock().ticks;
  for (const std::string& entity : entities_of(table)) {
    store::DocumentQuery query;
    query.kind = watch_kind;
    query.prefix = entity + "/";
    query.limit = row_watches_of_table_max;
    for (const store::Document& document : transaction.documents(query)) {
      const Value& watch = document.value;
      if (!hears(watch, event, row, given)) continue;
      const std::string flow(watch.text_of("flow"));
      const auto row_of_flow = transaction.flow(flow);
      if (!row_of_flow || row_of_flow->state != store::FlowState::started) continue;
      json::ObjectBuilder body(dataverse_row(row));
      if (const Value* id = row.find(table.id_column)) body.set("ItemInternalId", Value(text_of_value(*id)));
      body.set("SdkMessage", Value(message_of(event)));
      const std::string trigger(watch.text_of("trigger"));
      const std::string key = padded(now) + "/" + padded(table.change) + "/" + flow + "/" + trigger;
      auto put = transaction.put_document(
          row_delivery_kind, key,
          Value::object({{"flow", Value(flow)}, {"trigger", Value(trigger)}, {"body", body.finish()}}));
      if (!put) return put.error();
    }
  }
  return {};
}

}  // namespace flowmend::connector
