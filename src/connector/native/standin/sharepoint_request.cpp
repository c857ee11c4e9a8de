#include "connector/native/standin/sharepoint_request.h"

#include <algorithm>
#include <cctype>
#include <charconv>

#include "connector/native/tables_connector.h"
#include "connector/text.h"
#include "json/parse.h"
#include "json/write.h"

namespace flowmend::connector {
namespace {

constexpr std::int64_t generic_list = 100;
constexpr std::string_view default_view = "All Items";

/// `('a ''b''')` or `(7)` at the beginning of `rest`: what is in it, quotes and doubled quotes undone. False: no such.
bool take_key(std::string_view& rest, std::string& key) {
  if (!rest.starts_with('(')) return false;
  std::size_t at = 1;
  key.clear();
  if (rest.size() > 1 && rest[1] == '\'') {
    for (at = 2; at < rest.size(); ++at) {
      if (rest[at] != '\'') {
        key += rest[at];
        continue;
      }
      if (at + 1 < rest.size() && rest[at + 1] == '\'') {
        key += rest[++at];
        continue;
      }
      break;
    }
    ++at;
  } else {
    while (at < rest.size() && rest[at] != ')') key += rest[at++];
  }
  if (at >= rest.size() || rest[at] != ')') return false;
  rest.remove_prefix(at + 1);
  return !key.empty();
}

bool take_word(std::string_view& rest, std::string_view word) {
  if (rest.size() < word.size() || !equals_ignoring_case(rest.substr(0, word.size()), word)) return false;
  rest.remove_prefix(word.size());
  return true;
}

/// JSON, also with the single quotes that SharePoint bears and real flows use.
std::optional<Value> lenient_json(std::string_view text) {
  if (trim(text).empty()) return Value::empty_object();
  if (auto strict = json::parse(text)) return *strict;
  std::string out;
  char quote = 0;
  for (std::size_t at = 0; at < text.size(); ++at) {
    const char c = text[at];
    if (quote == 0) {
      if (c == '"' || c == '\'') quote = c;
      out += c == '\'' ? '"' : c;
    } else if (c == '\\' && at + 1 < text.size()) {
      ++at;
      if (text[at] != '\'') out += '\\';
      out += text[at];
    } else if (c == quote) {
      quote = 0;
      out += '"';
    } else {
      if (c == '"') out += '\\';
      out += c;
    }
  }
  auto read = json::parse(out);
  if (!read) return std::nullopt;
  return *read;
}

/// A header of the step, without regard to case.
std::string header_of(const Value& headers, std::string_view name) {
  if (!headers.is_object()) return {};
  for (const json::Member& member : headers.as_object()) {
    if (equals_ignoring_case(member.name(), name)) return text_of_value(member.value);
  }
  return {};
}

std::int64_t whole_of(const Value& body, std::string_view name, std::int64_t otherwise) {
  const Value* value = body.find(name);
  if (value == nullptr) return otherwise;
  const std::string text = text_of_value(*value);
  std::int64_t number = 0;
  const auto read = std::from_chars(text.data(), text.data() + text.size(), number);
  return read.ec == std::errc() && read.ptr == text.data() + text.size() ? number : otherwise;
}

/// The internal name that SharePoint gives a column: `E-mail` is `E_x002d_mail`.
std::string internal_name(std::string_view title) {
  std::string out;
  for (const char c : title) {
    const auto byte = static_cast<unsigned char>(c);
    if (std::isalnum(byte) != 0 || c == '_' || byte >= 0x80) {
      out += c;
    } else {
      constexpr std::string_view digits = "0123456789abcdef";
      out += "_x00";
      out += digits[byte >> 4U];
      out += digits[byte & 15U];
      out += '_';
    }
  }
  if (!out.empty() && std::isdigit(static_cast<unsigned char>(out[0])) != 0)
    out = "_x003" + out.substr(0, 1) + "_" + out.substr(1);
  return out;
}

/// The type of our column for a FieldTypeKind; empty for one that is not stood in for. Choices and addresses come as
/// text or as objects, so they are kept as they come.
std::string_view column_type_of(std::int64_t kind) {
  switch (kind) {
    case 1: return "integer";
    case 2:
    case 3: return "text";
    case 4: return "datetime";
    case 8: return "boolean";
    case 9:
    case 10: return "number";
    case 6:
    case 11:
    case 15: return "json";
    default: return {};
  }
}

/// In the form that the step's Accept asks for.
class Answers {
 public:
  explicit Answers(const Value& headers)
      : verbose_(contains_ignoring_case(header_of(headers, "Accept"), "odata=verbose")) {}

  http::Reply one(int status, const Value& value) const {
    return native_json(status, verbose_ ? Value::object({{"d", value}}) : value);
  }
  http::Reply many(json::ArrayBuilder& list) const {
    return verbose_ ? native_json(200, Value::object({{"d", Value::object({{"results", list.finish()}})}}))
                    : native_json(200, Value::object({{"value", list.finish()}}));
  }
  /// Of what a function gives that has nothing to say.
  http::Reply none(std::string_view function) const {
    return verbose_ ? native_json(200, Value::object({{"d", Value::object({{function, Value()}})}}))
                    : native_json(200, Value::object({{"odata.null", true}}));
  }
  static http::Reply empty() {
    http::Reply reply;
    reply.status = 204;
    return reply;
  }

 private:
  bool verbose_;
};

Value list_view(const Table& table) {
  return Value::object({{"Title", Value(table.title.empty() ? table.name : table.title)},
                        {"Description", Value(table.description)},
                        {"BaseTemplate", Value(generic_list)},
                        {"ItemCount", Value(table.rows)}});
}

Value field_view(const Column& column) {
  return Value::object({{"Title", Value(column.title.empty() ? column.name : column.title)},
                        {"InternalName", Value(column.name)},
                        {"StaticName", Value(column.name)},
                        {"Required", Value(column.required)}});
}

/// An item without what only says of which type it is.
Value values_of(const Value& body) {
  json::ObjectBuilder out(body);
  out.remove("__metadata");
  return out.finish();
}

Value item_view(const Value& row, const Table& table, const std::vector<std::string>& select) {
  json::ObjectBuilder whole(sharepoint_item(row, table.id_column));
  if (const Value* id = row.find(table.id_column)) whole.set("Id", *id);
  const Value item = whole.finish();
  if (select.empty()) return item;
  json::ObjectBuilder out;
  for (const std::string& name : select) {
    const Value* value = item.find_ignoring_case(name);
    out.set(name, value == nullptr ? Value() : *value);
  }
  return out.finish();
}

/// `$filter=a&$top=5` as a query; false with `refused` set when it asks for what is not stood in for.
bool read_query(std::string_view text, RowQuery& query, std::string& refused) {
  query.top = 100;  // SharePoint's page
  query.text_case = odata::Case::ignored;
  while (!text.empty()) {
    const std::string_view one = text.substr(0, text.find('&'));
    text.remove_prefix(std::min(text.size(), one.size() + 1));
    const std::string name = percent_decode(one.substr(0, one.find('=')));
    const std::string value =
        one.find('=') == std::string_view::npos ? "" : percent_decode(one.substr(one.find('=') + 1));
    if (name == "$filter")
      query.filter = value;
    else if (name == "$orderby")
      query.order_by = value;
    else if (name == "$select")
      query.select = value;
    else if (name == "$top") {
      if (std::from_chars(value.data(), value.data() + value.size(), query.top).ec != std::errc())
        refused = "'$top=" + value + "' is no number.";
      query.top = std::min<std::size_t>(query.top, 5000);
    } else if (!name.empty()) {
      refused = "The query option '" + name + "' is not done.";
    }
  }
  return refused.empty();
}

class Lists {
 public:
  Lists(StandinRows& rows, const NativeCall& call, const Value& body, const Value& headers)
      : rows_(rows), call_(call), body_(body), answers_(headers), etag_(header_of(headers, "IF-MATCH")) {}

  http::Reply carry_out(const SharePointRequest& request) {
    if (request.ask == SharePointAsk::make_list) return make_list();
    const auto table = rows_.open(request.list, call_.fields, false, false, "ID");
    if (!table) return table_error(table.error());
    Tables& tables = rows_.tables();
    switch (request.ask) {
      case SharePointAsk::list: return answers_.one(200, list_view(*table));
      case SharePointAsk::make_field: return make_field(*table);
      case SharePointAsk::show_field:
        // The page of a table shows every column: what is asked for is so already.
        if (table->find(internal_name(request.item)) == nullptr && table->find(request.item) == nullptr)
          return native_error(404, "ColumnNotFound",
                              "The list '" + request.list + "' has no column '" + request.item + "'.");
        return answers_.none("AddViewField");
      case SharePointAsk::fields: return fields(*table, request.query);
      case SharePointAsk::items: return items(*table, request.query);
      case SharePointAsk::make_item: {
        const auto row = tables.insert(table->name, values_of(body_), call_.idempotency_key);
        return row ? answers_.one(201, item_view(*row, *table, {})) : table_error(row.error());
      }
      case SharePointAsk::item: {
        RowQuery query;
        std::string refused;
        if (!read_query(request.query, query, refused)) return not_stood_in(refused);
        const auto row = tables.row(table->name, request.item);
        return row ? answers_.one(200, item_view(*row, *table, odata::parse_select(query.select)))
                   : table_error(row.error());
      }
      case SharePointAsk::change_item: {
        const auto row = tables.change(table->name, request.item, values_of(body_), etag_);
        return row ? Answers::empty() : table_error(row.error());
      }
      case SharePointAsk::delete_item: {
        const auto erased = tables.erase(table->name, request.item, etag_);
        if (!erased) return table_error(erased.error());
        return *erased ? native_json(200, Value::empty_object())
                       : native_error(404, "RowNotFound",
                                      "The list '" + request.list + "' has no item '" + request.item + "'.");
      }
      case SharePointAsk::make_list:
      case SharePointAsk::none: break;
    }
    return not_stood_in("The request is unknown.");
  }

 private:
  http::Reply make_list() {
    const std::string title(trim(body_.text_of("Title")));
    if (title.empty()) return native_error(400, "InvalidTable", "A list needs a 'Title'.");
    if (const std::int64_t base = whole_of(body_, "BaseTemplate", generic_list); base != generic_list)
      return not_stood_in("Only lists (BaseTemplate 100) are made here, not " + std::to_string(base) + ".");
    if (field_text(call_.fields, "createTables") != "true")
      return native_error(403, "TableNotMade",
                          "The connection may make no table for the list '" + title +
                              "'. Switch on 'Make tables' of the connection, or make it on the page Tables.");
    const auto made = rows_.tables().create(
        Value::object({{"name", Value(StandinRows::table_name(title))},
                       {"title", Value(title)},
                       {"description", Value(body_.text_of("Description"))},
                       {"idColumn", "ID"},
                       {"open", true},
                       {"columns", Value::array({Value::object({{"name", "Title"}, {"type", "text"}})})}}));
    return made ? answers_.one(201, list_view(*made)) : table_error(made.error());
  }

  http::Reply make_field(const Table& table) {
    const std::string title(trim(body_.text_of("Title")));
    const std::string name = internal_name(title);
    if (name.empty()) return native_error(400, "InvalidTable", "A column needs a 'Title'.");
    const std::int64_t kind = whole_of(body_, "FieldTypeKind", 0);
    const std::string_view type = column_type_of(kind);
    if (type.empty())
      return not_stood_in("Columns of the FieldTypeKind " + std::to_string(kind) + " ('" + title + "') are not made.");
    const auto changed = rows_.tables().add_column(
        table.name, Value::object({{"name", Value(name)}, {"title", Value(title)}, {"type", Value(type)}}));
    if (!changed) return table_error(changed.error());
    const Column* made = changed->find(name);
    return answers_.one(201, made == nullptr ? Value::empty_object() : field_view(*made));
  }

  http::Reply fields(const Table& table, std::string_view query) {
    if (!query.empty()) return not_stood_in("A query of a list's columns is not done: ask for all of them.");
    json::ArrayBuilder out;
    for (const Column& column : table.columns) out.push(field_view(column));
    return answers_.many(out);
  }

  http::Reply items(const Table& table, std::string_view text) {
    RowQuery query;
    std::string refused;
    if (!read_query(text, query, refused)) return not_stood_in(refused);
    const auto select = odata::parse_select(query.select);
    query.select.clear();
    const auto page = rows_.tables().rows(table.name, query);
    if (!page) return table_error(page.error());
    json::ArrayBuilder out;
    for (const Value& row : page->rows) out.push(item_view(row, table, select));
    return answers_.many(out);
  }

  StandinRows& rows_;
  const NativeCall& call_;
  const Value& body_;
  Answers answers_;
  std::string etag_;
};

std::string upper(std::string text) {
  std::transform(text.begin(), text.end(), text.begin(),
                 [](unsigned char c) { return static_cast<char>(std::toupper(c)); });
  return text;
}

}  // namespace

SharePointRequest read_sharepoint_request(std::string_view method, std::string_view uri) {
  SharePointRequest out;
  const SharePointRequest unknown;
  if (const std::size_t question = uri.find('?'); question != std::string_view::npos) {
    out.query = uri.substr(question + 1);
    uri = uri.substr(0, question);
  }
  const std::string path = percent_decode(uri);
  std::string_view rest = path;
  while (rest.starts_with('/')) rest.remove_prefix(1);
  while (rest.ends_with('/')) rest.remove_suffix(1);
  // `_api/lists` is `_api/web/lists`.
  if (!take_word(rest, "_api/")) return unknown;
  take_word(rest, "web/");
  if (!take_word(rest, "lists")) return unknown;
  const auto is = [&](SharePointAsk ask) {
    out.ask = ask;
    return out;
  };
  const bool get = method == "GET";
  const bool post = method == "POST";
  if (rest.empty()) return post ? is(SharePointAsk::make_list) : unknown;
  if (!take_word(rest, "/getbytitle") || !take_key(rest, out.list)) return unknown;
  if (rest.empty()) return get ? is(SharePointAsk::list) : unknown;
  if (take_word(rest, "/fields")) {
    if (!rest.empty()) return unknown;
    return get ? is(SharePointAsk::fields) : post ? is(SharePointAsk::make_field) : unknown;
  }
  if (take_word(rest, "/views/getbytitle")) {
    std::string view;
    if (!take_key(rest, view) || !equals_ignoring_case(view, default_view) ||
        !take_word(rest, "/viewfields/addviewfield") || !take_key(rest, out.item) || !rest.empty() || !post)
      return unknown;
    return is(SharePointAsk::show_field);
  }
  if (!take_word(rest, "/items")) return unknown;
  if (rest.empty()) return get ? is(SharePointAsk::items) : post ? is(SharePointAsk::make_item) : unknown;
  if (!take_key(rest, out.item) || !rest.empty()) return unknown;
  if (get) return is(SharePointAsk::item);
  if (method == "MERGE" || method == "PATCH") return is(SharePointAsk::change_item);
  if (method == "DELETE") return is(SharePointAsk::delete_item);
  return unknown;
}

http::Reply send_to_lists(StandinRows& rows, const NativeCall& call) {
  const Value& step = call.arguments.body;
  std::string method = upper(std::string(trim(step.text_of("method"))));
  const std::string uri(trim(step.text_of("uri")));
  const Value* given = step.find("headers");
  const Value headers = given == nullptr ? Value() : *given;
  if (const std::string meant = upper(std::string(trim(header_of(headers, "X-HTTP-Method"))));
      !meant.empty() && method == "POST")
    method = meant;
  const SharePointRequest request = read_sharepoint_request(method, uri);
  if (request.ask == SharePointAsk::none)
    return not_stood_in("The request " + method + " " + uri.substr(0, 200) +
                        " is not one that lists, their columns or their items answer.");
  const Value* sent = step.find("body");
  const auto body = sent == nullptr || sent->is_null() ? std::optional(Value::empty_object())
                    : sent->is_string()                ? lenient_json(sent->as_string())
                                                       : std::optional(*sent);
  if (!body || !body->is_object())
    return native_error(400, "InvalidRequestBody",
                        "The body of " + method + " " + uri.substr(0, 200) + " is no JSON object.");
  return Lists(rows, call, *body, headers).carry_out(request);
}

Value sharepoint_item(const Value& row, const std::string& id_column) {
  json::ObjectBuilder out;
  for (const json::Member& member : row.as_object()) {
    if (member.name() == id_column)
      out.add("ID", member.value);
    else if (member.name() == "created")
      out.add("Created", member.value);
    else if (member.name() == "modified")
      out.add("Modified", member.value);
    else
      out.add(member.key, member.value);
  }
  return out.finish();
}

}  // namespace flowmend::connector
