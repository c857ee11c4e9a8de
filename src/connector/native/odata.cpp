#include "connector/native/odata.h"

#include <algorithm>
#include <array>
#include <cctype>
#include <charconv>

#include "base/time.h"
#include "connector/text.h"
#include "json/write.h"

namespace flowmend::connector::odata {
namespace {

constexpr std::size_t bytes_max = 32'768;
constexpr std::size_t nodes_max = 2'000;
constexpr int depth_max = 64;

struct Function {
  std::string_view name;
  std::size_t arguments;
};
constexpr std::array<Function, 8> functions{{{"contains", 2},
                                             {"startswith", 2},
                                             {"endswith", 2},
                                             {"substringof", 2},
                                             {"tolower", 1},
                                             {"toupper", 1},
                                             {"trim", 1},
                                             {"length", 1}}};

bool is_name_start(char c) { return std::isalpha(static_cast<unsigned char>(c)) != 0 || c == '_'; }
bool is_name(char c) {
  return std::isalnum(static_cast<unsigned char>(c)) != 0 || c == '_' || c == '/' || c == '.' || c == '@' || c == '-' ||
         static_cast<unsigned char>(c) >= 0x80;
}

bool is_guid(std::string_view text) {
  if (text.size() != 36) return false;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const bool dash = i == 8 || i == 13 || i == 18 || i == 23;
    if (dash != (text[i] == '-')) return false;
    if (!dash && std::isxdigit(static_cast<unsigned char>(text[i])) == 0) return false;
  }
  return true;
}

std::optional<Comparison> comparison_of(std::string_view word) {
  if (word == "eq") return Comparison::eq;
  if (word == "ne") return Comparison::ne;
  if (word == "gt") return Comparison::gt;
  if (word == "ge") return Comparison::ge;
  if (word == "lt") return Comparison::lt;
  if (word == "le") return Comparison::le;
  return std::nullopt;
}

bool is_truth(const Node& node) {
  switch (node.kind) {
    case NodeKind::logical_and:
    case NodeKind::logical_or:
    case NodeKind::logical_not:
    case NodeKind::compare:
    case NodeKind::one_of: return true;
    case NodeKind::call:
      return node.name == "contains" || node.name == "startswith" || node.name == "endswith" ||
             node.name == "substringof";
    case NodeKind::property: return true;  // a column of truth values
    case NodeKind::literal: return node.literal.is_boolean();
  }
  return false;
}

class Parser {
 public:
  explicit Parser(std::string_view text) : text_(text) {}

  Result<Node> whole() {
    if (text_.size() > bytes_max) return fail("The filter is longer than 32 KiB");
    auto node = disjunction(0);
    if (!node) return node;
    blanks();
    if (at_ < text_.size()) return fail("'and', 'or' or the end is expected here");
    if (!is_truth(*node)) return fail("The filter is no condition: compare the value with something");
    return node;
  }

 private:
  Error fail(std::string what) const {
    std::string rest(text_.substr(std::min(at_, text_.size()), 24));
    return make_error("InvalidFilter",
                      what + " (position " + std::to_string(at_ + 1) +
                          (rest.empty() ? std::string(", at the end)") : ", before \"" + rest + "\")."),
                      {}, "Write conditions like: status eq 'open' and amount gt 100.");
  }
  void blanks() {
    while (at_ < text_.size() && (text_[at_] == ' ' || text_[at_] == '\t' || text_[at_] == '\n' || text_[at_] == '\r'))
      ++at_;
  }
  /// The word here, in lower case, without moving on; empty when there is none.
  std::string word() {
    blanks();
    std::size_t end = at_;
    while (end < text_.size() && std::isalpha(static_cast<unsigned char>(text_[end])) != 0) ++end;
    if (end < text_.size() && is_name(text_[end])) return {};
    return lower_case(text_.substr(at_, end - at_));
  }
  bool take(char c) {
    blanks();
    if (at_ >= text_.size() || text_[at_] != c) return false;
    ++at_;
    return true;
  }
  bool count() { return ++nodes_ <= nodes_max; }

  Result<Node> chain(int depth, NodeKind kind, std::string_view joint, Result<Node> (Parser::*next)(int)) {
    auto left = (this->*next)(depth);
    if (!left) return left;
    if (word() != joint) return left;
    Node node;
    node.kind = kind;
    if (!is_truth(*left)) return fail("What stands before '" + std::string(joint) + "' is no condition");
    node.children.push_back(std::move(*left));
    while (word() == joint) {
      at_ += joint.size();
      auto right = (this->*next)(depth);
      if (!right) return right;
      if (!is_truth(*right)) return fail("What stands before this place is no condition");
      node.children.push_back(std::move(*right));
    }
    return node;
  }
  Result<Node> disjunction(int depth) { return chain(depth, NodeKind::logical_or, "or", &Parser::conjunction); }
  Result<Node> conjunction(int depth) { return chain(depth, NodeKind::logical_and, "and", &Parser::negation); }

  Result<Node> negation(int depth) {
    if (depth > depth_max) return fail("The filter nests deeper than 64 levels");
    if (word() != "not") return comparison(depth);
    at_ += 3;
    auto inner = negation(depth + 1);
    if (!inner) return inner;
    if (!is_truth(*inner)) return fail("What 'not' stands before is no condition");
    Node node;
    node.kind = NodeKind::logical_not;
    node.children.push_back(std::move(*inner));
    return node;
  }

  Result<Node> comparison(int depth) {
    auto left = operand(depth);
    if (!left) return left;
    const std::string joint = word();
    if (joint == "in") {
      at_ += 2;
      return list(std::move(*left), depth);
    }
    const auto how = comparison_of(joint);
    if (!how) {
      if (joint == "add" || joint == "sub" || joint == "mul" || joint == "div" || joint == "mod" || joint == "has")
        return fail("The operator '" + joint + "' is not supported");
      return left;
    }
    at_ += 2;
    auto right = operand(depth);
    if (!right) return right;
    Node node;
    node.kind = NodeKind::compare;
    node.comparison = *how;
    node.children.push_back(std::move(*left));
    node.children.push_back(std::move(*right));
    return node;
  }

  Result<Node> list(Node left, int depth) {
    if (!take('(')) return fail("'(' is expected after 'in'");
    Node node;
    node.kind = NodeKind::one_of;
    node.children.push_back(std::move(left));
    do {
      auto item = operand(depth + 1);
      if (!item) return item;
      if (item->kind != NodeKind::literal) return fail("The list after 'in' holds values only");
      node.children.push_back(std::move(*item));
    } while (take(','));
    if (!take(')')) return fail("')' is expected to end the list");
    return node;
  }

  Result<Node> operand(int depth) {
    if (depth > depth_max) return fail("The filter nests deeper than 64 levels");
    if (!count()) return fail("The filter has more than 2,000 parts");
    blanks();
    if (at_ >= text_.size()) return fail("A value, a column or a condition is expected");
    const char c = text_[at_];
    if (c == '(') {
      ++at_;
      auto inner = disjunction(depth + 1);
      if (!inner) return inner;
      if (!take(')')) return fail("')' is expected");
      return inner;
    }
    if (c == '\'') return quoted(false);
    const std::string_view rest = text_.substr(at_);
    if (rest.size() >= 36 && is_guid(rest.substr(0, 36)) && (rest.size() == 36 || !is_name(rest[36]))) {
      at_ += 36;
      return literal(Value(rest.substr(0, 36)));
    }
    if (std::isdigit(static_cast<unsigned char>(c)) != 0 || c == '-' || c == '+') return number_or_time();
    if (!is_name_start(c) && static_cast<unsigned char>(c) < 0x80)
      return fail("A value, a column or a condition is expected");
    return name(depth);
  }

  static Node literal(Value value, bool time = false) {
    Node node;
    node.literal = std::move(value);
    node.time = time;
    return node;
  }

  Result<Node> quoted(bool time) {
    std::string out;
    ++at_;
    while (true) {
      if (at_ >= text_.size()) return fail("A closing quote is missing; a quote inside a text is written twice");
      if (text_[at_] == '\'') {
        if (at_ + 1 < text_.size() && text_[at_ + 1] == '\'')
          ++at_;
        else
          break;
      }
      out += text_[at_++];
    }
    ++at_;
    if (time && !parse_timestamp(out)) return fail("'" + out + "' is no date");
    return literal(Value(out), time);
  }

  Result<Node> number_or_time() {
    std::size_t end = at_;
    while (end < text_.size() && (std::isalnum(static_cast<unsigned char>(text_[end])) != 0 || text_[end] == '.' ||
                                  text_[end] == ':' || text_[end] == '-' || text_[end] == '+'))
      ++end;
    std::string_view token = text_.substr(at_, end - at_);
    if (token.size() >= 10 && token[4] == '-' && parse_timestamp(token)) {
      at_ = end;
      return literal(Value(token), true);
    }
    std::string_view digits = token;
    if (digits.starts_with('+')) digits.remove_prefix(1);
    // Suffixes of OData 2: 1L, 1.5m, 2d, 2f.
    if (digits.size() > 1 && std::string_view("LlMmDdFf").find(digits.back()) != std::string_view::npos)
      digits.remove_suffix(1);
    std::int64_t whole = 0;
    const char* last = digits.data() + digits.size();
    if (const auto read = std::from_chars(digits.data(), last, whole); read.ec == std::errc() && read.ptr == last) {
      at_ = end;
      return literal(Value(whole));
    }
    double number = 0;
    if (const auto read = std::from_chars(digits.data(), last, number); read.ec == std::errc() && read.ptr == last) {
      at_ = end;
      return literal(Value(number));
    }
    return fail("'" + std::string(token) + "' is neither a number nor a date; a text stands in single quotes");
  }

  Result<Node> name(int depth) {
    std::size_t end = at_;
    while (end < text_.size() && is_name(text_[end])) ++end;
    const std::string token(text_.substr(at_, end - at_));
    const std::string small = lower_case(token);
    if (end < text_.size() && text_[end] == '\'' &&
        (small == "datetime" || small == "guid" || small == "datetimeoffset")) {
      at_ = end;
      return quoted(small != "guid");
    }
    std::size_t after = end;
    while (after < text_.size() && text_[after] == ' ') ++after;
    if (after < text_.size() && text_[after] == '(' && !comparison_of(small) && small != "and" && small != "or") {
      const auto* function =
          std::find_if(functions.begin(), functions.end(), [&](const Function& f) { return f.name == small; });
      if (function == functions.end()) return fail("The function '" + token + "' is not supported");
      at_ = after + 1;
      Node node;
      node.kind = NodeKind::call;
      node.name = small;
      do {
        auto argument = operand(depth + 1);
        if (!argument) return argument;
        node.children.push_back(std::move(*argument));
      } while (take(','));
      if (!take(')')) return fail("')' is expected after the arguments of '" + token + "'");
      if (node.children.size() != function->arguments)
        return fail("'" + token + "' takes " + std::to_string(function->arguments) + " arguments");
      return node;
    }
    if (comparison_of(small) || small == "and" || small == "or")
      return fail("A value, a column or a condition is expected");
    at_ = end;
    if (small == "true" || small == "false") return literal(Value(small == "true"));
    if (small == "null") return literal(Value());
    Node node;
    node.kind = NodeKind::property;
    node.name = token;
    return node;
  }

  std::string_view text_;
  std::size_t at_ = 0;
  std::size_t nodes_ = 0;
};

std::optional<Timestamp> time_of(const Value& value) {
  if (!value.is_string()) return std::nullopt;
  const std::string_view text = value.as_string();
  if (text.size() < 10 || text[4] != '-' || std::isdigit(static_cast<unsigned char>(text[0])) == 0) return std::nullopt;
  return parse_timestamp(text);
}

int sign(auto a, auto b) { return a < b ? -1 : a > b ? 1 : 0; }

std::string text_for(const Value& value, Case text_case) {
  std::string text = value.is_null() ? std::string() : text_of_value(value);
  return text_case == Case::ignored ? lower_case(text) : text;
}

bool compare(Comparison how, const Value& a, const Value& b, Case text_case) {
  if (a.is_null() || b.is_null()) {
    const bool both = a.is_null() && b.is_null();
    if (how == Comparison::eq) return both;
    if (how == Comparison::ne) return !both;
    return false;
  }
  const int order = compare_values(a, b, text_case);
  switch (how) {
    case Comparison::eq: return order == 0;
    case Comparison::ne: return order != 0;
    case Comparison::gt: return order > 0;
    case Comparison::ge: return order >= 0;
    case Comparison::lt: return order < 0;
    case Comparison::le: return order <= 0;
  }
  return false;
}

Value evaluate(const Node& node, const Lookup& row, Case text_case);

Value call(const Node& node, const Lookup& row, Case text_case) {
  const Value first = evaluate(node.children[0], row, text_case);
  if (node.name == "tolower" || node.name == "toupper" || node.name == "trim" || node.name == "length") {
    if (first.is_null()) return {};
    std::string text = text_of_value(first);
    if (node.name == "tolower") return Value(lower_case(text));
    if (node.name == "trim") return Value(trim(text));
    if (node.name == "length") {
      std::int64_t characters = 0;
      for (const char c : text) characters += (static_cast<unsigned char>(c) & 0xC0) != 0x80 ? 1 : 0;
      return Value(characters);
    }
    std::transform(text.begin(), text.end(), text.begin(), [](unsigned char c) {
      return c < 0x80 ? static_cast<char>(std::toupper(c)) : static_cast<char>(c);
    });
    return Value(text);
  }
  const Value second = evaluate(node.children[1], row, text_case);
  if (first.is_null() || second.is_null()) return Value(false);
  const std::string a = text_for(first, text_case);
  const std::string b = text_for(second, text_case);
  if (node.name == "contains") return Value(a.find(b) != std::string::npos);
  if (node.name == "substringof") return Value(b.find(a) != std::string::npos);
  if (node.name == "startswith") return Value(a.starts_with(b));
  return Value(a.ends_with(b));
}

bool truth(const Value& value) { return value.is_boolean() && value.as_boolean(); }

Value evaluate(const Node& node, const Lookup& row, Case text_case) {
  switch (node.kind) {
    case NodeKind::logical_and:
      return Value(std::all_of(node.children.begin(), node.children.end(),
                               [&](const Node& child) { return truth(evaluate(child, row, text_case)); }));
    case NodeKind::logical_or:
      return Value(std::any_of(node.children.begin(), node.children.end(),
                               [&](const Node& child) { return truth(evaluate(child, row, text_case)); }));
    case NodeKind::logical_not: return Value(!truth(evaluate(node.children[0], row, text_case)));
    case NodeKind::compare:
      return Value(compare(node.comparison, evaluate(node.children[0], row, text_case),
                           evaluate(node.children[1], row, text_case), text_case));
    case NodeKind::one_of: {
      const Value value = evaluate(node.children[0], row, text_case);
      for (std::size_t i = 1; i < node.children.size(); ++i) {
        if (compare(Comparison::eq, value, node.children[i].literal, text_case)) return Value(true);
      }
      return Value(false);
    }
    case NodeKind::call: return call(node, row, text_case);
    case NodeKind::property: return row(node.name);
    case NodeKind::literal: return node.literal;
  }
  return {};
}

}  // namespace

Result<Node> parse_filter(std::string_view text) { return Parser(text).whole(); }

bool matches(const Node& filter, const Lookup& row, Case text_case) { return truth(evaluate(filter, row, text_case)); }

int compare_values(const Value& a, const Value& b, Case text_case) {
  const auto rank = [](const Value& value) {
    return value.is_null() ? 0 : value.is_boolean() ? 1 : value.is_number() ? 2 : value.is_string() ? 3 : 4;
  };
  // A number beside a text that reads as a number: columns of imported lists are often text.
  if ((a.is_number() && b.is_string()) || (a.is_string() && b.is_number())) {
    const std::string_view text = a.is_string() ? a.as_string() : b.as_string();
    double number = 0;
    const auto read = std::from_chars(text.data(), text.data() + text.size(), number);
    if (read.ec == std::errc() && read.ptr == text.data() + text.size() && !text.empty())
      return a.is_string() ? sign(number, b.to_double()) : sign(a.to_double(), number);
  }
  if (rank(a) != rank(b)) return sign(rank(a), rank(b));
  switch (rank(a)) {
    case 0: return 0;
    case 1: return sign(a.as_boolean() ? 1 : 0, b.as_boolean() ? 1 : 0);
    case 2:
      if (a.is_integer() && b.is_integer()) return sign(a.as_integer(), b.as_integer());
      return sign(a.to_double(), b.to_double());
    case 3: {
      const auto x = time_of(a);
      const auto y = time_of(b);
      if (x && y) return sign(x->ticks, y->ticks);
      if (text_case == Case::exact) return sign(a.as_string().compare(b.as_string()), 0);
      return sign(lower_case(a.as_string()).compare(lower_case(b.as_string())), 0);
    }
    default: return sign(json::write(a).compare(json::write(b)), 0);
  }
}

Result<std::vector<OrderBy>> parse_order_by(std::string_view text) {
  std::vector<OrderBy> out;
  while (!trim(text).empty()) {
    const std::size_t comma = text.find(',');
    std::string_view part = trim(text.substr(0, comma));
    text = comma == std::string_view::npos ? std::string_view() : text.substr(comma + 1);
    const std::size_t blank = part.find_first_of(" \t");
    OrderBy order;
    order.property = std::string(part.substr(0, blank));
    const std::string direction = blank == std::string_view::npos ? "asc" : lower_case(trim(part.substr(blank)));
    const bool named = !order.property.empty() && is_name_start(order.property[0]) &&
                       std::all_of(order.property.begin(), order.property.end(), is_name);
    if (!named || (direction != "asc" && direction != "desc"))
      return make_error("InvalidOrderBy", "'" + std::string(part) + "' is no order.", {},
                        "Write a column's name, and 'desc' for the largest first: amount desc, name.");
    order.descending = direction == "desc";
    out.push_back(std::move(order));
    if (out.size() > 16) return make_error("InvalidOrderBy", "More than 16 columns to order by.");
  }
  return out;
}

std::vector<std::string> parse_select(std::string_view text) {
  std::vector<std::string> out;
  while (!text.empty()) {
    const std::size_t comma = text.find(',');
    const std::string_view part = trim(text.substr(0, comma));
    if (part == "*") return {};
    if (!part.empty()) out.emplace_back(part);
    text = comma == std::string_view::npos ? std::string_view() : text.substr(comma + 1);
  }
  return out;
}

}  // namespace flowmend::connector::odata
