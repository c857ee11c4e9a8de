#include "connector/dynamic/reply.h"

#include <charconv>
#include <optional>

#include "connector/native/odata.h"
#include "connector/text.h"
#include "json/parse.h"

namespace flowmend::connector {
namespace {

constexpr std::size_t title_bytes_max = 500;
constexpr std::string_view edit_document = "Type the value; the connector's document does not fit its service.";

const Value* element(const Value& array, std::string_view text) {
  std::size_t index = 0;
  const auto read = std::from_chars(text.data(), text.data() + text.size(), index);
  if (read.ec != std::errc() || read.ptr != text.data() + text.size() || index >= array.size()) return nullptr;
  return &array.as_array()[index];
}

std::string title_at(const Value& item, const std::string& path, const Value& otherwise) {
  const Value* found = path.empty() ? nullptr : value_at(item, path);
  std::string title = text_of_value(found == nullptr || found->is_null() ? otherwise : *found);
  if (title.size() <= title_bytes_max) return title;
  std::size_t end = title_bytes_max;
  while (end > 0 && (static_cast<unsigned char>(title[end]) & 0xC0U) == 0x80U) --end;  // never half a character
  return title.substr(0, end) + "...";
}

/// Whether the item passes a condition over it; nothing for what is none.
std::optional<bool> passes(std::string_view condition, const Value& item) {
  const auto filter = odata::parse_filter(condition);
  if (!filter) return std::nullopt;
  return odata::matches(
      *filter,
      [&](std::string_view name) {
        const Value* found = value_at(item, name);
        return found == nullptr ? Value() : *found;
      },
      odata::Case::ignored);
}

bool is_parent(const DynamicCall& call, const Value& item) {
  if (call.parent_path.empty()) return false;
  if (equals_ignoring_case(call.parent_path, "true")) return true;
  if (equals_ignoring_case(call.parent_path, "false")) return false;
  // Opening a leaf does no harm: a condition that can't be read is taken for true.
  if (call.parent_path.find_first_of("@() ") != std::string::npos) return passes(call.parent_path, item).value_or(true);
  const Value* found = value_at(item, call.parent_path);
  if (found == nullptr) return false;
  if (found->is_boolean()) return found->as_boolean();
  if (found->is_string()) return equals_ignoring_case(found->as_string(), "true") || found->as_string() == "1";
  return found->is_number() && text_of_value(*found) != "0";
}

}  // namespace

const Value* value_at(const Value& value, std::string_view path) {
  const Value* level = &value;
  while (!path.empty() && path.front() == '/') path.remove_prefix(1);
  while (!path.empty()) {
    // The longest name first: names may hold the marks themselves.
    const Value* below = level->find(path);
    std::size_t taken = path.size();
    while (below == nullptr) {
      if (taken == 0) return nullptr;
      const std::size_t mark = path.find_last_of("/.", taken - 1);
      if (mark == std::string_view::npos || mark == 0) break;
      taken = mark;
      const std::string_view name = path.substr(0, taken);
      below = level->is_array() ? element(*level, name) : level->find(name);
    }
    if (below == nullptr && level->is_array()) {
      below = element(*level, path);
      taken = path.size();
    }
    if (below == nullptr) return nullptr;
    level = below;
    path.remove_prefix(std::min(path.size(), taken + 1));
  }
  return level;
}

Result<std::vector<Value>> items_of(const Value& body, std::string_view path) {
  const Value* items = path.empty() ? nullptr : value_at(body, path);
  if (items != nullptr && items->is_null()) return std::vector<Value>();
  if (path.empty() && body.is_array()) items = &body;
  if (path.empty() && items == nullptr && body.is_object()) {
    for (const json::Member& member : body.as_object()) {
      if (!member.value.is_array()) continue;
      // Two lists, and nobody says which: the usual name decides, otherwise nothing is guessed.
      if (items != nullptr) {
        items = body.find("value");
        break;
      }
      items = &member.value;
    }
  }
  if (items == nullptr || !items->is_array()) {
    const std::string found = items == nullptr ? "nothing" : std::string(json::type_name(items->type()));
    return make_error("DynamicReplyUnexpected",
                      path.empty() ? "The reply holds no list of choices."
                                   : "The reply holds " + found + " at '" + std::string(path) +
                                         "', where the document says that the list of choices is.",
                      {}, std::string(edit_document));
  }
  return std::vector<Value>(items->as_array().begin(), items->as_array().end());
}

Choice choice_of(const DynamicCall& call, const Value& item) {
  Choice choice;
  const Value* value = call.value_path.empty() ? &item : value_at(item, call.value_path);
  // A list of plain texts is its own value, whatever path the document names.
  if (value == nullptr && !item.is_object()) value = &item;
  if (value != nullptr) choice.value = *value;
  choice.title = title_at(item, call.title_path, choice.value);
  return choice;
}

TreeNode node_of(const DynamicSource& source, const DynamicCall& call, const Value& item) {
  const Choice choice = choice_of(call, item);
  TreeNode node;
  node.value = choice.value;
  node.title = choice.title;
  node.full_title = title_at(item, call.full_title_path, Value(choice.title));
  const bool folder = is_parent(call, item);
  node.parent = folder && !source.browse.operation_id.empty();
  node.selectable = !choice.value.is_null() && (folder ? source.select_parents : source.select_leaves) &&
                    (call.selectable_filter.empty() || passes(call.selectable_filter, item).value_or(true));
  node.item = item;
  return node;
}

Result<Value> schema_of(const DynamicCall& call, const Value& body) {
  const Value* found = call.value_path.empty() ? &body : value_at(body, call.value_path);
  Value schema = found == nullptr ? Value() : *found;
  if (schema.is_string()) {
    if (auto parsed = json::parse(schema.as_string())) schema = *parsed;
  }
  if (const Value* wrapped = schema.find("schema");
      wrapped != nullptr && wrapped->is_object() && schema.find("properties") == nullptr) {
    schema = *wrapped;
  }
  if (!schema.is_object()) {
    return make_error(
        "DynamicReplyUnexpected",
        "The reply holds no schema" + (call.value_path.empty() ? std::string() : " at '" + call.value_path + "'") + ".",
        {}, std::string(edit_document));
  }
  return schema;
}

}  // namespace flowmend::connector
