#include <algorithm>

#include "connector/native/sql.h"
#include "connector/text.h"

namespace flowmend::connector {
namespace {

using odata::Comparison;
using odata::Node;
using odata::NodeKind;

std::string_view sign_of(Comparison comparison) {
  switch (comparison) {
    case Comparison::eq: return " = ";
    case Comparison::ne: return " <> ";
    case Comparison::gt: return " > ";
    case Comparison::ge: return " >= ";
    case Comparison::lt: return " < ";
    case Comparison::le: return " <= ";
  }
  return " = ";
}

/// `%` and `_` of the text itself escaped.
std::string pattern_of(const Value& value) {
  std::string out;
  for (const char c : text_of_value(value)) {
    if (c == '%' || c == '_' || c == '!') out += '!';
    out += c;
  }
  return out;
}

class Writer {
 public:
  Writer(const SqlSession& session, const std::vector<SqlColumn>& columns, std::vector<Value>& parameters)
      : session_(session), columns_(columns), parameters_(parameters) {}

  Result<std::string> write(const Node& node) {
    switch (node.kind) {
      case NodeKind::logical_and: return joined(node, " AND ");
      case NodeKind::logical_or: return joined(node, " OR ");
      case NodeKind::logical_not: {
        auto inner = write(node.children[0]);
        // OData's comparison with null is false, SQL's unknown: the same only before a NOT.
        return inner ? sql_text("NOT COALESCE((" + *inner + "), FALSE)") : inner;
      }
      case NodeKind::compare: return compared(node);
      case NodeKind::one_of: return one_of(node);
      case NodeKind::call: return call(node);
      case NodeKind::property: {
        const SqlColumn* column = find(node.name);
        if (column == nullptr) return unknown(node.name);
        return sql_text(session_.quoted(column->name));
      }
      case NodeKind::literal: return sql_text(literal(node, {}));
    }
    return sql_text(std::string("FALSE"));
  }

 private:
  const SqlColumn* find(std::string_view name) const {
    const auto exact =
        std::find_if(columns_.begin(), columns_.end(), [&](const SqlColumn& c) { return c.name == name; });
    if (exact != columns_.end()) return &*exact;
    const auto close = std::find_if(columns_.begin(), columns_.end(),
                                    [&](const SqlColumn& c) { return equals_ignoring_case(c.name, name); });
    return close == columns_.end() ? nullptr : &*close;
  }
  static Error unknown(const std::string& name) {
    return make_error("InvalidFilter", "The table has no column '" + name + "'.", {}, "Correct the filter.");
  }
  std::string bind(const Value& value, std::string_view type) {
    parameters_.push_back(session_.bound(value, type));
    return session_.placeholder(parameters_.size());
  }
  std::string literal(const Node& node, std::string_view type) {
    if (node.literal.is_null()) return "NULL";
    if (node.literal.is_boolean()) return node.literal.as_boolean() ? "TRUE" : "FALSE";
    return bind(node.literal, type.empty() && node.time ? std::string_view("datetime") : type);
  }

  Result<std::string> joined(const Node& node, std::string_view joint) {
    std::string out;
    for (const Node& child : node.children) {
      auto one = write(child);
      if (!one) return one;
      out += (out.empty() ? "(" : std::string(joint)) + *one;
    }
    return sql_text(out + ")");
  }

  Result<std::string> operand(const Node& node, const Node& other) {
    if (node.kind != NodeKind::literal) return write(node);
    const SqlColumn* column = other.kind == NodeKind::property ? find(other.name) : nullptr;
    return sql_text(literal(node, column == nullptr ? std::string_view() : std::string_view(column->type)));
  }

  Result<std::string> compared(const Node& node) {
    const Node& a = node.children[0];
    const Node& b = node.children[1];
    const auto is_null = [](const Node& one) { return one.kind == NodeKind::literal && one.literal.is_null(); };
    if (is_null(a) || is_null(b)) {
      if (node.comparison != Comparison::eq && node.comparison != Comparison::ne) return sql_text(std::string("FALSE"));
      if (is_null(a) && is_null(b)) return sql_text(std::string(node.comparison == Comparison::eq ? "TRUE" : "FALSE"));
      auto side = write(is_null(a) ? b : a);
      if (!side) return side;
      return sql_text(*side + (node.comparison == Comparison::eq ? " IS NULL" : " IS NOT NULL"));
    }
    auto left = operand(a, b);
    if (!left) return left;
    auto right = operand(b, a);
    if (!right) return right;
    std::string out = "(" + *left + std::string(sign_of(node.comparison)) + *right + ")";
    if (node.comparison == Comparison::ne) out = "COALESCE(" + out + ", TRUE)";
    return sql_text(out);
  }

  Result<std::string> one_of(const Node& node) {
    std::string out;
    for (std::size_t i = 1; i < node.children.size(); ++i) {
      Node equal;
      equal.kind = NodeKind::compare;
      equal.comparison = Comparison::eq;
      equal.children = {node.children[0], node.children[i]};
      auto one = compared(equal);
      if (!one) return one;
      out += (out.empty() ? "(" : " OR ") + *one;
    }
    return sql_text(out + ")");
  }

  Result<std::string> text(const Node& node) {
    if (node.kind == NodeKind::literal && !node.literal.is_null())
      return sql_text("CAST(" + bind(Value(text_of_value(node.literal)), {}) + " AS " +
                      std::string(session_.text_type()) + ")");
    auto written = write(node);
    if (!written) return written;
    return sql_text("CAST(" + *written + " AS " + std::string(session_.text_type()) + ")");
  }

  Result<std::string> call(const Node& node) {
    const bool swapped = node.name == "substringof";
    const Node& subject = node.children[swapped ? 1 : 0];
    auto first = text(subject);
    if (!first) return first;
    if (node.name == "tolower") return sql_text("LOWER(" + *first + ")");
    if (node.name == "toupper") return sql_text("UPPER(" + *first + ")");
    if (node.name == "trim") return sql_text("TRIM(" + *first + ")");
    if (node.name == "length")
      return sql_text(std::string(session_.text_type() == "CHAR" ? "CHAR_LENGTH(" : "LENGTH(") + *first + ")");
    const Node& part = node.children[swapped ? 0 : 1];
    if (part.kind != NodeKind::literal)
      return make_error("InvalidFilter", "The text that '" + node.name + "' looks for must be a value, not a column.");
    std::string pattern = pattern_of(part.literal);
    if (node.name != "startswith") pattern.insert(0, "%");
    if (node.name != "endswith") pattern += "%";
    return sql_text("(" + *first + " LIKE " + bind(Value(pattern), {}) + " ESCAPE '!')");
  }

  const SqlSession& session_;
  const std::vector<SqlColumn>& columns_;
  std::vector<Value>& parameters_;
};

}  // namespace

Value SqlSession::bound(const Value& value, std::string_view) const { return value; }

Result<std::string> sql_condition(const odata::Node& filter, const SqlSession& session,
                                  const std::vector<SqlColumn>& columns, std::vector<Value>& parameters) {
  return Writer(session, columns, parameters).write(filter);
}

Result<std::vector<std::string>> table_path(std::string_view name) {
  std::vector<std::string> out;
  std::string part;
  bool quoted = false;
  for (const char c : name) {
    if (c == '"' || c == '`') {
      quoted = !quoted;
    } else if (c == '\0') {
      return make_error("SqlInvalid", "The table's name holds a character that no name has.");
    } else if (c == '.' && !quoted) {
      out.push_back(std::move(part));
      part.clear();
    } else {
      part += c;
    }
  }
  out.push_back(std::move(part));
  const bool empty = std::any_of(out.begin(), out.end(), [](const std::string& one) { return one.empty(); });
  if (quoted || empty || out.size() > 2)
    return make_error("SqlInvalid", "'" + std::string(name) + "' is no name of a table: write table or schema.table.");
  return out;
}

}  // namespace flowmend::connector
