// Builds a call of random functions from the input's bytes and evaluates it on a random context, so that functions see
// every kind of argument. Invariants: no crash, no hang, no value beyond the limits; the same seed gives the same
// result; a trace ends with the same value as the evaluation.

#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <iterator>
#include <string>
#include <string_view>
#include <vector>

#include "expression/context_json.h"
#include "expression/functions/function.h"
#include "expression/template.h"
#include "json/write.h"

using namespace flowmend;
using namespace flowmend::expression;

namespace {

void require(bool holds) {
  if (!holds) std::abort();
}

constexpr Limits small_limits{.bytes_max = 8u << 20, .steps_max = 200'000, .string_bytes_max = 1u << 20};

/// The input as a stream of choices; zeros when it is used up.
class Choices {
 public:
  explicit Choices(std::string_view bytes) : bytes_(bytes) {}
  unsigned next(unsigned count) {
    const unsigned byte = at_ < bytes_.size() ? static_cast<unsigned char>(bytes_[at_++]) : 0;
    return byte % count;
  }
  std::string text() {
    const std::size_t length = next(24);
    const std::string_view part = bytes_.substr(std::min(at_, bytes_.size()), length);
    at_ += part.size();
    return std::string(part);
  }

 private:
  std::string_view bytes_;
  std::size_t at_ = 0;
};

/// Texts that some function reads, which random bytes would hardly hit.
constexpr std::string_view words[] = {
    "2026-03-05T14:07:09.1234567Z",
    "3/5/2026 2:07 PM",
    "Thu, 05 Mar 2026 14:07:09 GMT",
    "20. m\xC3\xA4rz 2026",
    "0001-01-01",
    "9999-12-31T23:59:59.9999999+14:00",
    "2024-03-10T02:30:00",
    "yyyy-MM-dd'T'HH:mm:ss.FFFFFFFK",
    "dddd, MMMM d, yyyy h:mm:ss tt",
    "o",
    "D",
    "Pacific Standard Time",
    "Europe/Berlin",
    "UTC",
    "de-DE",
    "ar-EG",
    "fa-IR",
    "th-TH",
    "1.02:03:04.5",
    "d\\.hh\\:mm",
    "#,##0.00;(#,##0.00);zero",
    "0.0##E+00",
    "N2",
    "C",
    "P3",
    "X8",
    "G17",
    "<a x='1'><b>t</b><!--c--><![CDATA[d]]><![CDATA[e]]><b/></a>",
    "<?xml version='1.0' encoding='utf-8'?><!DOCTYPE a [<!ELEMENT a ANY>]><p:a xmlns:p='u'> <p:b/> </p:a>",
    "//*[local-name()='b']/text()",
    "count(//@*)",
    "/a/b | /a",
    "data:text/plain;charset=utf-8;base64,aGVsbG8=",
    "data:,a%20b+c",
    "https://user@host:81/path?query#fragment",
    "{\"a\":{\"@x\":1,\"#text\":[\"t\"],\"b\":[null,{}]}}",
    "_x0041_",
    "&lt;&#65;",
    "Month",
    "1,234.5e3"};

Value draw_value(Choices& choices, unsigned depth) {
  switch (choices.next(depth == 0 ? 8 : 11)) {
    case 0: return {};
    case 1: return Value(choices.next(2) == 0);
    case 2: return Value(static_cast<int>(choices.next(256)) - 128);
    case 3: return Value(static_cast<double>(choices.next(256)) / 16 - 8);
    case 4: return Value(INT64_MIN + static_cast<std::int64_t>(choices.next(2)));
    case 5: return Value(words[choices.next(std::size(words))]);
    case 6: return Value("name");
    case 7: return Value(std::string_view(choices.text()));
    case 8: {
      std::vector<Value> elements(choices.next(5));
      for (Value& element : elements) element = draw_value(choices, depth - 1);
      return Value::array(std::move(elements));
    }
    case 9:
      return Value::object({{"$content-type", choices.next(2) == 0 ? "application/octet-stream" : "application/xml"},
                            {"$content", choices.next(2) == 0 ? "PGE+PGIvPjwvYT4=" : "!"}});
    default: {
      json::ObjectBuilder builder;
      for (unsigned i = choices.next(4); i > 0; --i)
        builder.add("k" + std::to_string(i), draw_value(choices, depth - 1));
      builder.add("name", draw_value(choices, depth - 1));
      return builder.finish();
    }
  }
}

std::string quoted(std::string_view text) {
  std::string out = "'";
  for (const char c : text) {
    if (c == '\'') out += '\'';
    out += c;
  }
  return out + "'";
}

std::string draw_expression(Choices& choices, unsigned depth) {
  const unsigned kind = depth == 0 ? choices.next(4) : choices.next(11);
  switch (kind) {
    case 0: return "variables('" + std::string(1, static_cast<char>('a' + choices.next(6))) + "')";
    case 1: return std::to_string(static_cast<int>(choices.next(256)) - 128);
    case 2: return quoted(choices.text());
    case 10: return quoted(words[choices.next(std::size(words))]);
    case 3: return "item()";
    case 4: return draw_expression(choices, depth - 1) + "?['name']";
    case 5: return draw_expression(choices, depth - 1) + "[" + draw_expression(choices, depth - 1) + "]";
    default: break;
  }
  const auto tables = all_functions();
  const FunctionTable& table = tables[choices.next(static_cast<unsigned>(tables.size()))];
  const FunctionEntry& entry = table[choices.next(static_cast<unsigned>(table.size()))];
  std::string call = std::string(entry.name) + "(";
  const unsigned most = std::min<unsigned>(entry.arguments_max, entry.arguments_min + 2U);
  const unsigned count = entry.arguments_min + choices.next(most - entry.arguments_min + 1);
  for (unsigned i = 0; i < count; ++i) call += (i == 0 ? "" : ", ") + draw_expression(choices, depth - 1);
  return call + ")";
}

std::string shown(const Outcome<Value>& outcome) {
  return outcome.has_value() ? json::write(*outcome) : "error: " + outcome.error().message;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  Choices choices({reinterpret_cast<const char*>(data), size});
  const std::string expression = "@" + draw_expression(choices, 4);
  json::ObjectBuilder variables;
  for (char name = 'a'; name < 'g'; ++name) variables.add(std::string(1, name), draw_value(choices, 3));
  const Value context_value = Value::object(
      {{"variables", variables.finish()}, {"item", draw_value(choices, 3)}, {"now", "2026-03-05T14:07:09Z"}});
  ContextFromJson first(context_value, 1);
  Diagnostics diagnostics;
  const Template compiled = Template::compile(Value(std::string_view(expression)), first, "", diagnostics);
  const auto value = compiled.evaluate(first, small_limits);
  if (value.has_value()) {
    require(value->depth() <= json::depth_max);
    if (value->is_string()) require(value->as_string().size() <= small_limits.string_bytes_max);
  } else {
    require(value.error().range.end <= expression.size());
  }
  ContextFromJson again(context_value, 1);
  require(shown(compiled.evaluate(again, small_limits)) == shown(value));
  ContextFromJson traced(context_value, 1);
  for (const Trace& top : trace(compiled, traced, small_limits)) {
    // A trace visits folded parts again and may reach a limit that the evaluation did not.
    if (value.has_value() && !top.failed) require(json::write(top.value) == json::write(*value));
  }
  return 0;
}
