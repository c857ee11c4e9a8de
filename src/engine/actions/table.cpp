// Table: rows as CSV or HTML text (engine.md 3.5).

#include <unordered_set>

#include "engine/actions/list.h"
#include "expression/functions/function.h"

namespace flowmend::engine {

namespace {

struct Column {
  std::string header;
  bool automatic = true;
};

std::string csv_cell(const std::string& text) {
  if (text.find_first_of(",\"\r\n") == std::string::npos) return text;
  std::string out = "\"";
  for (char c : text) {
    if (c == '"') out += '"';
    out += c;
  }
  return out + '"';
}

/// Escapes markup, and what the service writes as numbers: U+00A0 to U+00FF and everything above the BMP.
std::string html_cell(std::string_view text) {
  std::string out;
  for (std::size_t i = 0; i < text.size();) {
    const auto lead = static_cast<unsigned char>(text[i]);
    const std::size_t length = lead < 0x80 ? 1 : lead < 0xe0 ? 2 : lead < 0xf0 ? 3 : 4;
    const auto bytes = text.substr(i, length);
    i += bytes.size();
    if (bytes == "<") {
      out += "&lt;";
    } else if (bytes == ">") {
      out += "&gt;";
    } else if (bytes == "&") {
      out += "&amp;";
    } else if (bytes == "\"") {
      out += "&quot;";
    } else if (bytes == "'") {
      out += "&#39;";
    } else if (bytes.size() == 2 || bytes.size() == 4) {
      std::uint32_t code = lead & (length == 2 ? 0x1fU : 0x07U);
      for (char c : bytes.substr(1)) code = code << 6 | (static_cast<unsigned char>(c) & 0x3fU);
      if ((code >= 0xa0 && code <= 0xff) || code > 0xffff) {
        out += "&#" + std::to_string(code) + ";";
      } else {
        out += bytes;
      }
    } else {
      out += bytes;
    }
  }
  return out;
}

std::string write_table(bool html, const std::vector<std::string>& headers,
                        const std::vector<std::vector<std::string>>& rows) {
  std::string out;
  if (!html) {
    auto line = [&](const std::vector<std::string>& cells) {
      for (std::size_t i = 0; i < cells.size(); ++i) out += (i == 0 ? "" : ",") + csv_cell(cells[i]);
      out += "\r\n";
    };
    if (!headers.empty()) line(headers);
    for (const auto& row : rows) line(row);
    return out;
  }
  out = "<table>";
  if (!headers.empty()) {
    out += "<thead><tr>";
    for (const auto& header : headers) out += "<th>" + html_cell(header) + "</th>";
    out += "</tr></thead>";
  }
  out += "<tbody>";
  for (const auto& row : rows) {
    out += "<tr>";
    for (const auto& cell : row) out += "<td>" + html_cell(cell) + "</td>";
    out += "</tr>";
  }
  return out + "</tbody></table>";
}

}  // namespace

void start_table(Step& step) {
  if (!step.evaluate_inputs()) return;
  const Value* from = step.inputs.find_ignoring_case("from");
  if (from == nullptr || !from->is_array()) {
    return step.fail("BadRequest",
                     {"InvalidTemplate",
                      "The 'from' property value in the 'table' action inputs is of type '" +
                          std::string(json::type_name(from == nullptr ? json::Type::null : from->type())) +
                          "'. The value must be of type 'Array'.",
                      {}});
  }
  const Value* format = step.inputs.find_ignoring_case("format");
  const bool html = format != nullptr && format->is_string() &&
                    (format->as_string() == "HTML" || format->as_string() == "Html" || format->as_string() == "html");
  const Value& columns = step.action.item_template.source();
  std::vector<std::string> headers;
  std::vector<std::vector<std::string>> rows;
  if (columns.is_array() && columns.size() > 0) {
    bool first = true;
    auto read_columns = [&](const Value* item) -> bool {
      step.context.set_item(item);
      const auto cells = step.action.item_template.evaluate(step.context);
      step.context.set_item(nullptr);
      if (!cells) {
        step.fail(cells.error());
        return false;
      }
      std::vector<std::string> row;
      for (const Value& column : cells->as_array()) {
        const Value* header = column.find_ignoring_case("header");
        const Value* value = column.find_ignoring_case("value");
        if (first) headers.push_back(header == nullptr ? "" : expression::text_of_value(*header));
        row.push_back(value == nullptr ? "" : expression::text_of_value(*value));
      }
      first = false;
      if (item != nullptr) rows.push_back(std::move(row));
      return true;
    };
    for (const Value& item : from->as_array()) {
      if (!read_columns(&item)) return;
    }
    if (first) {
      for (const Value& column : columns.as_array()) headers.emplace_back(column.text_of("header"));
    }
  } else {
    std::unordered_set<std::string> seen;
    for (const Value& item : from->as_array()) {
      if (!item.is_object()) {
        return step.fail(
            "BadRequest",
            {"InvalidTemplate",
             "The property 'columns' must be specified unless the 'from' property value is an array of objects.",
             {}});
      }
      for (const json::Member& member : item.as_object()) {
        if (seen.emplace(member.name()).second) headers.emplace_back(member.name());
      }
    }
    for (const Value& item : from->as_array()) {
      std::vector<std::string> row;
      for (const auto& header : headers) {
        const Value* cell = item.find(header);
        row.push_back(cell == nullptr ? "" : expression::text_of_value(*cell));
      }
      rows.push_back(std::move(row));
    }
  }
  step.succeed_with(Value::object({{"body", Value(write_table(html, headers, rows))}}), "OK");
}

}  // namespace flowmend::engine
