#include "connector/tables.h"

#include <sodium.h>

#include <algorithm>
#include <cctype>
#include <charconv>
#include <set>

#include "base/ids.h"
#include "connector/row_watch.h"
#include "connector/text.h"
#include "json/write.h"

namespace flowmend::connector {
namespace {

constexpr std::string_view table_kind = "table";
constexpr std::string_view row_kind = "table_row";
constexpr std::string_view key_kind = "table_key";

constexpr std::pair<ColumnType, std::string_view> type_names[] = {
    {ColumnType::text, "text"},       {ColumnType::number, "number"},      {ColumnType::integer, "integer"},
    {ColumnType::boolean, "boolean"}, {ColumnType::date_time, "datetime"}, {ColumnType::choice, "choice"},
    {ColumnType::json, "json"},
};

Error no_table(std::string_view name) {
  return make_error("TableNotFound", "There is no table '" + std::string(name) + "'.", {},
                    "Make it on the page Tables, or correct the name.");
}
Error no_row(std::string_view table, std::string_view id) {
  return make_error("RowNotFound", "The table '" + std::string(table) + "' has no row '" + std::string(id) + "'.", {},
                    "It may have been deleted; list the rows.");
}
Error bad_row(std::string what, std::string_view column, std::string cure = {}) {
  return make_error("InvalidRow", std::move(what), "/" + std::string(column), std::move(cure));
}
Error bad_table(std::string what, std::string where = {}) {
  return make_error("InvalidTable", std::move(what), std::move(where));
}

bool is_table_name(std::string_view name) {
  return !name.empty() && name.size() <= 100 && std::all_of(name.begin(), name.end(), [](unsigned char c) {
    return std::isalnum(c) != 0 || c == '_' || c == '-';
  });
}
bool is_column_name(std::string_view name) {
  if (name.empty() || name.size() > 128 || std::isdigit(static_cast<unsigned char>(name[0])) != 0) return false;
  return std::all_of(name.begin(), name.end(), [](unsigned char c) {
    return std::isalnum(c) != 0 || c == '_' || c == '-' || c == '.' || c == '@' || c >= 0x80;
  });
}

/// Numbers are padded, so that keys sort as the numbers do.
std::string row_key(const Table& table, std::string_view id) {
  std::string text = lower_case(id);
  if (!table.guid_ids && text.size() < 16 && !text.empty() &&
      std::all_of(text.begin(), text.end(), [](unsigned char c) { return std::isdigit(c) != 0; }))
    text.insert(0, 16 - text.size(), '0');
  return lower_case(table.name) + "/" + text;
}

std::string random_guid() {
  std::uint64_t seed = 0;
  randombytes_buf(&seed, sizeof(seed));
  Random random(seed);
  return make_guid(random);
}

std::string etag_of(const Value& stored) {
  const Value* change = stored.find("change");
  return "W/\"" + (change == nullptr ? std::string("0") : text_of_value(*change)) + "\"";
}

bool etag_fits(std::string_view given, const Value& stored) {
  given = trim(given);
  if (given.empty() || given == "*") return true;
  const auto bare = [](std::string_view text) {
    if (text.starts_with("W/")) text.remove_prefix(2);
    return std::string(trim(text));
  };
  std::string wanted = bare(given);
  if (!wanted.starts_with('"')) wanted = '"' + wanted + '"';
  return wanted == bare(etag_of(stored));
}

std::int64_t number_of(const Value& value, std::string_view name) {
  const Value* found = value.find(name);
  return found != nullptr && found->is_integer() ? found->as_integer() : 0;
}

Value row_view(const Table& table, const Value& stored) {
  json::ObjectBuilder out;
  out.add("@odata.etag", Value(etag_of(stored)));
  if (const Value* id = stored.find("id")) out.add(table.id_column, *id);
  if (const Value* values = stored.find("values"); values != nullptr && values->is_object()) {
    for (const Column& column : table.columns) {
      const Value* value = values->find(column.name);
      out.add(column.name, value == nullptr ? Value() : *value);
    }
    for (const json::Member& member : values->as_object()) {
      if (table.find(member.name()) == nullptr) out.add(member.key, member.value);
    }
  }
  out.add("created", Value(stored.text_of("created")));
  out.add("modified", Value(stored.text_of("modified")));
  return out.finish();
}

Result<Value> converted(const Column& column, const Value& value) {
  const auto refuse = [&](const std::string& wanted) {
    return bad_row(
        "The column '" + column.name + "' takes " + wanted + ", not '" + text_of_value(value).substr(0, 60) + "'.",
        column.name);
  };
  if (value.is_null()) return value;
  switch (column.type) {
    case ColumnType::text: return value.is_string() ? value : Value(text_of_value(value));
    case ColumnType::json: return value;
    case ColumnType::boolean: {
      if (value.is_boolean()) return value;
      const std::string text = lower_case(text_of_value(value));
      if (text == "true" || text == "1") return Value(true);
      if (text == "false" || text == "0") return Value(false);
      return refuse("true or false");
    }
    case ColumnType::number:
    case ColumnType::integer: {
      Value number = value;
      if (value.is_string()) {
        const std::string_view text = trim(value.as_string());
        const char* last = text.data() + text.size();
        std::int64_t whole = 0;
        double fraction = 0;
        if (const auto read = std::from_chars(text.data(), last, whole); read.ec == std::errc() && read.ptr == last)
          number = Value(whole);
        else if (const auto real = std::from_chars(text.data(), last, fraction);
                 real.ec == std::errc() && real.ptr == last)
          number = Value(fraction);
        else
          return refuse("a number");
      }
      if (!number.is_number()) return refuse("a number");
      if (column.type == ColumnType::integer && !number.is_integer()) {
        const double real = number.to_double();
        if (!(real > -9e15 && real < 9e15) || real != static_cast<double>(static_cast<std::int64_t>(real)))
          return refuse("a whole number");
        return Value(static_cast<std::int64_t>(real));
      }
      return number;
    }
    case ColumnType::date_time: {
      const auto time = value.is_string() ? parse_timestamp(value.as_string()) : std::nullopt;
      if (!time) return refuse("a date or time (2026-03-01T10:00:00Z)");
      return Value(to_string(*time));
    }
    case ColumnType::choice: {
      const std::string text = text_of_value(value);
      const auto found = std::find(column.choices.begin(), column.choices.end(), text);
      if (found != column.choices.end()) return Value(text);
      std::string all;
      for (const std::string& choice : column.choices) all += (all.empty() ? "'" : ", '") + choice + "'";
      return refuse("one of " + all);
    }
  }
  return value;
}

/// The row's values with those given: converted and checked.
Result<Value> merged(const Table& table, const Value& before, const Value& given, bool is_new) {
  if (!given.is_object()) return bad_row("A row is an object of columns and values.", "");
  json::ObjectBuilder out(before.is_object() ? before : Value::empty_object());
  for (const json::Member& member : given.as_object()) {
    const std::string_view name = member.name();
    if (name == "@odata.etag" || name == "created" || name == "modified" || equals_ignoring_case(name, table.id_column))
      continue;
    const Column* column = table.find(name);
    if (column == nullptr) {
      if (!table.open || !is_column_name(name))
        return bad_row("The table '" + table.name + "' has no column '" + std::string(name) + "'.", name,
                       "Correct the name, or add the column to the table.");
      out.set(name, member.value);
      continue;
    }
    auto value = converted(*column, member.value);
    if (!value) return value.error();
    out.set(column->name, std::move(*value));
  }
  Value row = out.finish();
  json::ObjectBuilder filled(row);
  for (const Column& column : table.columns) {
    const Value* value = row.find(column.name);
    if (value != nullptr && !value->is_null()) continue;
    if (is_new && value == nullptr && !column.default_value.is_null())
      filled.set(column.name, column.default_value);
    else if (column.required)
      return bad_row("The column '" + column.name + "' must have a value.", column.name);
  }
  row = filled.finish();
  if (row.size() > table_columns_max * 2) return bad_row("A row has more than 400 columns.", "");
  if (json::write(row).size() > row_bytes_max) return bad_row("A row is larger than 1 MiB.", "");
  return row;
}

Value stored_table(const Table& table) {
  json::ObjectBuilder out(describe(table));
  out.set("nextId", Value(table.next_id));
  out.set("change", Value(table.change));
  return out.finish();
}

Result<std::vector<Column>> read_columns(const Value* list) {
  std::vector<Column> out;
  if (list == nullptr || list->is_null()) return out;
  if (!list->is_array()) return bad_table("'columns' is no array.", "/columns");
  if (list->size() > table_columns_max) return bad_table("A table has at most 200 columns.", "/columns");
  std::set<std::string> seen;
  for (const Value& given : list->as_array()) {
    const std::string where = "/columns/" + std::to_string(out.size());
    Column column;
    column.name = std::string(given.text_of("name"));
    if (!is_column_name(column.name))
      return bad_table("'" + column.name + "' is no column name: letters, digits, _ - . @, up to 128.",
                       where + "/name");
    if (!seen.insert(lower_case(column.name)).second || column.name == "created" || column.name == "modified")
      return bad_table("The column '" + column.name + "' is there already.", where + "/name");
    column.title = std::string(given.text_of("title"));
    const std::string type = lower_case(given.text_of("type", "text"));
    const auto* known =
        std::find_if(std::begin(type_names), std::end(type_names), [&](const auto& one) { return one.second == type; });
    if (known == std::end(type_names))
      return bad_table("'" + type + "' is no type of column: text, number, integer, boolean, datetime, choice, json.",
                       where + "/type");
    column.type = known->first;
    if (const Value* required = given.find("required"); required != nullptr && required->is_boolean())
      column.required = required->as_boolean();
    if (const Value* choices = given.find("choices"); choices != nullptr && choices->is_array()) {
      for (const Value& choice : choices->as_array()) column.choices.push_back(text_of_value(choice));
    }
    if (column.type == ColumnType::choice && column.choices.empty())
      return bad_table("The column '" + column.name + "' offers no choices.", where + "/choices");
    if (const Value* usual = given.find("default"); usual != nullptr && !usual->is_null()) {
      auto value = converted(column, *usual);
      if (!value) return bad_table(value.error().message, where + "/default");
      column.default_value = std::move(*value);
    }
    out.push_back(std::move(column));
  }
  return out;
}

Result<Table> read_table(const Value& value) {
  Table table;
  table.name = std::string(value.text_of("name"));
  table.title = std::string(value.text_of("title"));
  table.description = std::string(value.text_of("description"));
  table.id_column = std::string(value.text_of("idColumn", "id"));
  table.guid_ids = value.text_of("idType") == "guid";
  if (const Value* open = value.find("open"); open != nullptr && open->is_boolean()) table.open = open->as_boolean();
  auto columns = read_columns(value.find("columns"));
  if (!columns) return columns.error();
  table.columns = std::move(*columns);
  if (table.id_column.empty()) table.id_column = "id";
  if (!is_column_name(table.id_column) || table.find(table.id_column) != nullptr)
    return bad_table("'" + table.id_column + "' can't be the column of ids.", "/idColumn");
  table.next_id = std::max<std::int64_t>(1, number_of(value, "nextId"));
  table.change = number_of(value, "change");
  table.rows = number_of(value, "rows");
  if (const auto created = parse_timestamp(value.text_of("created"))) table.created = *created;
  return table;
}

Result<Table> table_in(store::Transaction& transaction, std::string_view name) {
  const auto document = transaction.document(table_kind, lower_case(name));
  if (!document) return no_table(name);
  return read_table(document->value);
}

/// `given`: what a change names, for those who hear of some columns only.
Result<Value> put_row(store::Transaction& transaction, Table& table, Value id, Value values, const Value& before,
                      const Value& given, std::string_view key) {
  const std::string now = to_string(now_from_system_clock());
  ++table.change;
  json::ObjectBuilder out;
  out.add("id", id);
  out.add("values", std::move(values));
  out.add("created", before.is_object() ? Value(before.text_of("created")) : Value(now));
  out.add("modified", Value(now));
  out.add("createdChange", before.is_object() ? Value(number_of(before, "createdChange")) : Value(table.change));
  out.add("change", Value(table.change));
  const std::string_view kept = before.is_object() ? before.text_of("key") : key;
  if (!kept.empty()) out.add("key", Value(kept));
  if (!before.is_object()) ++table.rows;
  Value stored = out.finish();
  if (auto put = transaction.put_document(row_kind, row_key(table, text_of_value(id)), stored); !put)
    return put.error();
  if (auto put = transaction.put_document(table_kind, lower_case(table.name), stored_table(table)); !put)
    return put.error();
  Value row = row_view(table, stored);
  const RowEvent event = before.is_object() ? RowEvent::updated : RowEvent::created;
  if (auto noted = note_row_change(transaction, table, event, row, given); !noted) return noted.error();
  return row;
}

Result<Value> add_row(store::Transaction& transaction, Table& table, const Value& given, Value id,
                      std::string_view key) {
  if (table.rows >= static_cast<std::int64_t>(table_rows_max))
    return make_error("TableFull", "The table '" + table.name + "' has 100,000 rows, which is the most.", {},
                      "Delete rows, or keep this data in a database.");
  auto values = merged(table, Value(), given, true);
  if (!values) return values.error();
  if (id.is_null()) {
    // Whoever gives an id of the right form keeps it, so that rows can be imported.
    const Value* wanted = given.is_object() ? given.find_ignoring_case(table.id_column) : nullptr;
    const bool fits = wanted != nullptr && (table.guid_ids ? wanted->is_string() && wanted->as_string().size() == 36
                                                           : wanted->is_integer() && wanted->as_integer() > 0);
    if (fits)
      id = table.guid_ids ? Value(lower_case(wanted->as_string())) : *wanted;
    else
      id = table.guid_ids ? Value(random_guid()) : Value(table.next_id);
  }
  if (transaction.document(row_kind, row_key(table, text_of_value(id))))
    return make_error("InvalidRow", "The table '" + table.name + "' has a row '" + text_of_value(id) + "' already.",
                      "/" + table.id_column);
  if (id.is_integer()) table.next_id = std::max(table.next_id, id.as_integer() + 1);
  if (!key.empty()) {
    auto put = transaction.put_document(key_kind, lower_case(table.name) + "/" + std::string(key),
                                        Value::object({{"id", id}}));
    if (!put) return put.error();
  }
  return put_row(transaction, table, id, std::move(*values), Value(), given, key);
}

/// Calls `visit` for each stored row, until it says false.
Result<void> each_row(const store::Store& store, const Table& table, const std::function<bool(const Value&)>& visit) {
  store::DocumentQuery query;
  query.kind = row_kind;
  query.prefix = lower_case(table.name) + "/";
  while (true) {
    const auto page = store.documents(query);
    if (!page) return page.error();
    for (const store::Document& document : *page) {
      if (!visit(document.value)) return {};
    }
    if (page->size() < query.limit) return {};
    query.after = page->back().key;
  }
}

Value property_of(const Value& row, std::string_view name) {
  if (const Value* found = row.find_ignoring_case(name)) return *found;
  const std::size_t slash = name.find('/');
  if (slash == std::string_view::npos) return {};
  const Value* inner = row.find_ignoring_case(name.substr(0, slash));
  return inner == nullptr ? Value() : property_of(*inner, name.substr(slash + 1));
}

}  // namespace

std::string_view column_type_name(ColumnType type) {
  for (const auto& [one, name] : type_names) {
    if (one == type) return name;
  }
  return "text";
}

const Column* Table::find(std::string_view column) const {
  for (const Column& one : columns) {
    if (equals_ignoring_case(one.name, column)) return &one;
  }
  return nullptr;
}

Value describe(const Table& table) {
  json::ArrayBuilder columns;
  for (const Column& column : table.columns) {
    json::ObjectBuilder one;
    one.add("name", Value(column.name));
    if (!column.title.empty()) one.add("title", Value(column.title));
    one.add("type", Value(column_type_name(column.type)));
    one.add("required", Value(column.required));
    one.add_if_set("default", column.default_value);
    if (!column.choices.empty()) {
      json::ArrayBuilder choices;
      for (const std::string& choice : column.choices) choices.push(Value(choice));
      one.add("choices", choices.finish());
    }
    columns.push(one.finish());
  }
  return Value::object({{"name", table.name},
                        {"title", table.title.empty() ? table.name : table.title},
                        {"description", table.description},
                        {"idColumn", table.id_column},
                        {"idType", table.guid_ids ? "guid" : "number"},
                        {"open", table.open},
                        {"columns", columns.finish()},
                        {"rows", table.rows},
                        {"created", to_string(table.created)}});
}

Result<Table> Tables::create(const Value& specification) {
  if (!specification.is_object()) return bad_table("A table is described by an object with 'name' and 'columns'.");
  auto table = read_table(specification);
  if (!table) return table;
  if (!is_table_name(table->name))
    return bad_table("'" + table->name + "' is no table name: letters, digits, _ and -, up to 100.", "/name");
  table->created = now_from_system_clock();
  table->next_id = 1;
  table->change = 0;
  table->rows = 0;
  const auto put =
      store_.put_document(table_kind, lower_case(table->name), stored_table(*table), store::Transaction::absent);
  if (!put) {
    if (put.error().code == "VersionConflict")
      return make_error("TableAlreadyExists", "There is a table '" + table->name + "' already.", "/name");
    return put.error();
  }
  return table;
}

Result<Table> Tables::change(std::string_view name, const std::function<Result<void>(Table&)>& with) {
  std::optional<Table> changed;
  const auto written = store_.write([&](store::Transaction& transaction) -> Result<void> {
    auto table = table_in(transaction, name);
    if (!table) return table.error();
    if (auto done = with(*table); !done) return done;
    if (table->find(table->id_column) != nullptr)
      return bad_table("'" + table->id_column + "' is the column of ids.", "/columns");
    auto put = transaction.put_document(table_kind, lower_case(name), stored_table(*table));
    if (!put) return put.error();
    changed = std::move(*table);
    return {};
  });
  if (!written) return written.error();
  return std::move(*changed);
}

Result<Table> Tables::update(std::string_view name, const Value& specification) {
  return change(name, [&](Table& table) -> Result<void> {
    if (const Value* columns = specification.find("columns")) {
      auto read = read_columns(columns);
      if (!read) return read.error();
      table.columns = std::move(*read);
    }
    table.title = std::string(specification.text_of("title", table.title));
    table.description = std::string(specification.text_of("description", table.description));
    if (const Value* open = specification.find("open"); open != nullptr && open->is_boolean())
      table.open = open->as_boolean();
    return {};
  });
}

Result<Table> Tables::add_column(std::string_view name, const Value& column) {
  return change(name, [&](Table& table) -> Result<void> {
    const Value described = describe(table);
    json::ArrayBuilder columns;
    for (const Value& known : described.find("columns")->as_array()) columns.push(known);
    columns.push(column);
    const Value all = columns.finish();
    auto read = read_columns(&all);
    if (!read) return read.error();
    table.columns = std::move(*read);
    return {};
  });
}

Result<void> Tables::remove(std::string_view name) {
  // Rows go in portions: one large transaction would hold up every run's commit.
  const auto table = find(name);
  if (!table) return table.error();
  const auto erased = store_.erase_document(table_kind, lower_case(name));
  if (!erased) return erased.error();
  for (const std::string_view kind : {row_kind, key_kind}) {
    while (true) {
      std::size_t removed = 0;
      const auto written = store_.write([&](store::Transaction& transaction) -> Result<void> {
        store::DocumentQuery query;
        query.kind = kind;
        query.prefix = lower_case(name) + "/";
        query.limit = 500;
        for (const store::Document& document : transaction.documents(query)) {
          if (auto gone = transaction.erase_document(kind, document.key); !gone) return gone.error();
          ++removed;
        }
        return {};
      });
      if (!written) return written.error();
      if (removed < 500) break;
    }
  }
  return {};
}

Result<std::vector<Table>> Tables::list() const {
  std::vector<Table> out;
  store::DocumentQuery query;
  query.kind = table_kind;
  const auto page = store_.documents(query);
  if (!page) return page.error();
  for (const store::Document& document : *page) {
    if (auto table = read_table(document.value)) out.push_back(std::move(*table));
  }
  return out;
}

Result<Table> Tables::find(std::string_view name) const {
  const auto document = store_.document(table_kind, lower_case(name));
  if (!document) return document.error();
  if (!document->has_value()) return no_table(name);
  return read_table((*document)->value);
}

Result<RowPage> Tables::rows(std::string_view name, const RowQuery& query) const {
  const auto table = find(name);
  if (!table) return table.error();
  std::optional<odata::Node> filter;
  if (!trim(query.filter).empty()) {
    auto parsed = odata::parse_filter(query.filter);
    if (!parsed) return parsed.error();
    filter = std::move(*parsed);
  }
  const auto order = odata::parse_order_by(query.order_by);
  if (!order) return order.error();
  RowPage page;
  std::vector<Value> all;
  const auto read = each_row(store_, *table, [&](const Value& stored) {
    Value row = row_view(*table, stored);
    if (filter && !odata::matches(
                      *filter, [&](std::string_view column) { return property_of(row, column); }, query.text_case))
      return true;
    ++page.matching;
    // Without an order the first ones are enough, counted on.
    if (order->empty() && (page.matching <= query.skip || all.size() >= query.top)) return true;
    all.push_back(std::move(row));
    return true;
  });
  if (!read) return read.error();
  if (!order->empty()) {
    std::stable_sort(all.begin(), all.end(), [&](const Value& a, const Value& b) {
      for (const odata::OrderBy& by : *order) {
        const int sign =
            odata::compare_values(property_of(a, by.property), property_of(b, by.property), query.text_case);
        if (sign != 0) return by.descending ? sign > 0 : sign < 0;
      }
      return false;
    });
    const std::size_t begin = std::min(query.skip, all.size());
    const std::size_t end = begin + std::min(query.top, all.size() - begin);
    all = std::vector<Value>(all.begin() + static_cast<std::ptrdiff_t>(begin),
                             all.begin() + static_cast<std::ptrdiff_t>(end));
  }
  const std::vector<std::string> select = odata::parse_select(query.select);
  for (Value& row : all) {
    if (!select.empty()) {
      json::ObjectBuilder out;
      for (const std::string_view always : {std::string_view("@odata.etag"), std::string_view(table->id_column)}) {
        if (const Value* value = row.find(always)) out.add(always, *value);
      }
      for (const std::string& column : select) {
        if (!equals_ignoring_case(column, table->id_column)) out.add(column, property_of(row, column));
      }
      row = out.finish();
    }
    page.rows.push_back(std::move(row));
  }
  return page;
}

Result<Value> Tables::row(std::string_view name, std::string_view id) const {
  const auto table = find(name);
  if (!table) return table.error();
  const auto document = store_.document(row_kind, row_key(*table, id));
  if (!document) return document.error();
  if (!document->has_value()) return no_row(name, id);
  return row_view(*table, (*document)->value);
}

Result<Value> Tables::insert(std::string_view name, const Value& values, std::string_view key) {
  std::optional<Value> out;
  const auto written = store_.write([&](store::Transaction& transaction) -> Result<void> {
    auto table = table_in(transaction, name);
    if (!table) return table.error();
    if (!key.empty()) {
      if (const auto known = transaction.document(key_kind, lower_case(name) + "/" + std::string(key))) {
        const Value* id = known->value.find("id");
        const auto before = transaction.document(row_kind, row_key(*table, id == nullptr ? "" : text_of_value(*id)));
        if (before) {
          out = row_view(*table, before->value);
          return {};
        }
      }
    }
    auto row = add_row(transaction, *table, values, Value(), key);
    if (!row) return row.error();
    out = std::move(*row);
    return {};
  });
  if (!written) return written.error();
  return std::move(*out);
}

Result<Value> Tables::change(std::string_view name, std::string_view id, const Value& values, std::string_view etag,
                             Missing missing) {
  std::optional<Value> out;
  const auto written = store_.write([&](store::Transaction& transaction) -> Result<void> {
    auto table = table_in(transaction, name);
    if (!table) return table.error();
    const auto before = transaction.document(row_kind, row_key(*table, id));
    if (!before) {
      if (missing == Missing::is_error) return no_row(name, id);
      auto row = add_row(transaction, *table, values, Value(lower_case(id)), {});
      if (!row) return row.error();
      out = std::move(*row);
      return {};
    }
    if (!etag_fits(etag, before->value))
      return make_error("RowChanged",
                        "The row '" + std::string(id) + "' of table '" + std::string(name) +
                            "' was changed by somebody else in the meantime.",
                        {}, "Read it again, and decide anew.");
    const Value* old = before->value.find("values");
    auto row_values = merged(*table, old == nullptr ? Value() : *old, values, false);
    if (!row_values) return row_values.error();
    auto row =
        put_row(transaction, *table, *before->value.find("id"), std::move(*row_values), before->value, values, {});
    if (!row) return row.error();
    out = std::move(*row);
    return {};
  });
  if (!written) return written.error();
  return std::move(*out);
}

Result<bool> Tables::erase(std::string_view name, std::string_view id, std::string_view etag) {
  bool there = false;
  const auto written = store_.write([&](store::Transaction& transaction) -> Result<void> {
    auto table = table_in(transaction, name);
    if (!table) return table.error();
    const std::string key = row_key(*table, id);
    const auto before = transaction.document(row_kind, key);
    if (!before) return {};
    if (!etag_fits(etag, before->value))
      return make_error("RowChanged", "The row '" + std::string(id) + "' was changed by somebody else in the meantime.",
                        {}, "Read it again, and decide anew.");
    there = true;
    if (auto gone = transaction.erase_document(row_kind, key); !gone) return gone.error();
    if (const std::string_view insert_key = before->value.text_of("key"); !insert_key.empty()) {
      auto gone = transaction.erase_document(key_kind, lower_case(name) + "/" + std::string(insert_key));
      if (!gone) return gone.error();
    }
    --table->rows;
    ++table->change;
    auto put = transaction.put_document(table_kind, lower_case(name), stored_table(*table));
    if (!put) return put.error();
    return note_row_change(transaction, *table, RowEvent::deleted, row_view(*table, before->value), Value());
  });
  if (!written) return written.error();
  return there;
}

Result<RowChanges> Tables::changes(std::string_view name, std::int64_t after, bool created_only,
                                   std::size_t limit) const {
  const auto table = find(name);
  if (!table) return table.error();
  RowChanges out;
  out.state = table->change;
  if (table->change == after) return out;
  const std::string_view number = created_only ? "createdChange" : "change";
  std::vector<Value> found;
  const auto read = each_row(store_, *table, [&](const Value& stored) {
    // What changed since the table was read is left for the next call: some of it lies behind us already.
    if (number_of(stored, number) > after && number_of(stored, number) <= table->change) found.push_back(stored);
    return true;
  });
  if (!read) return read.error();
  std::sort(found.begin(), found.end(),
            [&](const Value& a, const Value& b) { return number_of(a, number) < number_of(b, number); });
  if (found.size() > limit) {
    found.resize(limit);
    out.more = true;
    out.state = number_of(found.back(), number);
  }
  for (const Value& stored : found) out.rows.push_back(row_view(*table, stored));
  return out;
}

}  // namespace flowmend::connector
