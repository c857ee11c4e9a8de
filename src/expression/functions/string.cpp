#include <algorithm>
#include <array>
#include <string>
#include <vector>

#include "expression/functions/fault.h"
#include "expression/functions/function.h"
#include "expression/text.h"
#include "expression/unicode.h"
#include "json/write.h"

namespace flowmend::expression {

namespace {

using Arguments = std::span<const Value>;

/// Charges for `bytes` that are read or moved.
bool work(Call& call, std::size_t bytes) { return call.charge(0, 1 + bytes / 64); }

Value value_of(std::string_view text) { return Value(text); }
Value value_of(std::size_t number) { return Value(static_cast<std::int64_t>(number)); }

Outcome<Value> to_lower_text(Call& call, Arguments arguments) {
  if (!arguments[0].is_string()) return wrong_parameter(call, "a string", arguments[0]);
  if (!work(call, arguments[0].as_string().size())) return call.limit_error();
  return value_of(to_lower(arguments[0].as_string()));
}

Outcome<Value> to_upper_text(Call& call, Arguments arguments) {
  if (!arguments[0].is_string()) return wrong_parameter(call, "a string", arguments[0]);
  if (!work(call, arguments[0].as_string().size())) return call.limit_error();
  return value_of(to_upper(arguments[0].as_string()));
}

Outcome<Value> trim_text(Call& call, Arguments arguments) {
  if (!arguments[0].is_string()) return not_valid(call, 0, arguments[0]);
  if (!work(call, arguments[0].as_string().size())) return call.limit_error();
  return value_of(trim(arguments[0].as_string()));
}

Outcome<Value> replace(Call& call, Arguments arguments) {
  constexpr std::array<std::string_view, 3> roles = {"string", "old string", "new string"};
  for (std::size_t i = 0; i < 3; ++i) {
    if (arguments[i].is_string()) continue;
    ExpressionError error =
        fault(call, "expects its " + std::string(ordinal(i)) + " parameter '" + std::string(roles[i]) +
                        "' to be a string. The provided value is of type '" +
                        std::string(json::type_name(arguments[i].type())) + "'.");
    blame(error, static_cast<std::int32_t>(i), "string", arguments[i]);
    return error;
  }
  const std::string_view text = arguments[0].as_string();
  const std::string_view old_text = arguments[1].as_string();
  const std::string_view new_text = arguments[2].as_string();
  if (old_text.empty()) {
    ExpressionError error = fault(
        call,
        "was invoked with a parameter that is not valid: String cannot be of zero length. (Parameter 'oldValue')");
    blame(error, 1, "string", arguments[1]);
    return error;
  }
  if (!work(call, text.size())) return call.limit_error();
  std::size_t found = find_text(text, old_text);
  if (found == std::string_view::npos) return arguments[0];
  std::string out;
  std::size_t copied = 0;
  while (found != std::string_view::npos) {
    if (!call.charge(found - copied + new_text.size(), 1 + new_text.size() / 64)) return call.limit_error();
    out.append(text, copied, found - copied);
    out.append(new_text);
    copied = found + old_text.size();
    found = find_text(text, old_text, copied);
  }
  out.append(text, copied, text.size() - copied);
  return value_of(out);
}

/// Places that people write as numbers of UTF-16 units.
Outcome<std::int64_t> place(Call& call, Arguments arguments, std::size_t i) {
  if (!arguments[i].is_integer()) return wrong_kind(call, i, "an integer", arguments[i]);
  return arguments[i].as_integer();
}

Outcome<Value> substring(Call& call, Arguments arguments) {
  if (!arguments[0].is_string()) return wrong_type(call, 0, "string", arguments[0]);
  const std::string_view text = arguments[0].as_string();
  if (!work(call, text.size())) return call.limit_error();
  const auto start = place(call, arguments, 1);
  if (start.has_error()) return start.error();
  const auto length = static_cast<std::int64_t>(utf16_length(text));
  if (arguments.size() == 2) {
    if (*start < 0 || *start > length) {
      ExpressionError error =
          fault(call,
                "parameter is out of range: 'start index' must be non-negative integer and should be "
                "less than the length of the string.");
      blame(error, 1, "integer", arguments[1]);
      return error;
    }
    return value_of(utf16_slice(text, static_cast<std::size_t>(*start), static_cast<std::size_t>(length)));
  }
  const auto count = place(call, arguments, 2);
  if (count.has_error()) return count.error();
  if (*start < 0 || *count < 0 || *start > length || *count > length - *start) {
    ExpressionError error =
        fault(call,
              "parameters are out of range: 'start index' and 'length' must be non-negative integers "
              "and their sum must be no larger than the length of the string.");
    blame(error, *start < 0 || *start > length ? 1 : 2, "integer", arguments[*start < 0 || *start > length ? 1 : 2]);
    return error;
  }
  return value_of(utf16_slice(text, static_cast<std::size_t>(*start), static_cast<std::size_t>(*start + *count)));
}

Outcome<Value> slice(Call& call, Arguments arguments) {
  if (!arguments[0].is_string()) return wrong_type(call, 0, "string", arguments[0]);
  const std::string_view text = arguments[0].as_string();
  if (!work(call, text.size())) return call.limit_error();
  const auto length = static_cast<std::int64_t>(utf16_length(text));
  const auto clamped = [&](std::int64_t at) {
    if (at < 0) return std::max<std::int64_t>(at + length, 0);
    return std::min(at, length);
  };
  const auto start = place(call, arguments, 1);
  if (start.has_error()) return start.error();
  std::int64_t end = length;
  if (arguments.size() == 3) {
    const auto given = place(call, arguments, 2);
    if (given.has_error()) return given.error();
    end = clamped(*given);
  }
  return value_of(utf16_slice(text, static_cast<std::size_t>(clamped(*start)), static_cast<std::size_t>(end)));
}

Outcome<Value> split(Call& call, Arguments arguments) {
  for (std::size_t i = 0; i < 2; ++i) {
    if (!arguments[i].is_string()) return wrong_type(call, i, "string", arguments[i]);
  }
  const std::string_view text = arguments[0].as_string();
  const std::string_view delimiter = arguments[1].as_string();
  if (!work(call, text.size())) return call.limit_error();
  if (delimiter.empty()) return Value::array({arguments[0]});
  json::ArrayBuilder pieces;
  std::size_t begin = 0;
  for (;;) {
    const std::size_t found = find_text(text, delimiter, begin);
    const std::string_view piece = text.substr(begin, found == std::string_view::npos ? found : found - begin);
    if (!call.charge(sizeof(Value) + piece.size(), 1)) return call.limit_error();
    pieces.push(Value(piece));
    if (found == std::string_view::npos) break;
    begin = found + delimiter.size();
  }
  return pieces.finish();
}

/// Two texts in upper case, to search one in the other without regard to case; simple casing keeps UTF-16 places.
struct Search {
  std::string text;
  std::string part;
  std::size_t units_before(std::size_t byte) const { return utf16_length(std::string_view(text).substr(0, byte)); }
};

Outcome<Search> search(Call& call, Arguments arguments) {
  for (std::size_t i = 0; i < 2; ++i) {
    if (!arguments[i].is_string()) return wrong_type(call, i, "string", arguments[i]);
  }
  const std::string_view text = arguments[0].as_string();
  const std::string_view part = arguments[1].as_string();
  if (!call.charge(text.size() + part.size(), 1 + (text.size() + part.size()) / 64)) return call.limit_error();
  return Search{to_upper(text), to_upper(part)};
}

Outcome<Value> index_of(Call& call, Arguments arguments) {
  const auto found = search(call, arguments);
  if (found.has_error()) return found.error();
  const std::size_t at = find_text(found->text, found->part);
  return at == std::string::npos ? Value(-1) : value_of(found->units_before(at));
}

/// The last place of a non-empty part, found by looking for the reversed part in the reversed text: linear.
std::size_t find_last(std::string_view text, std::string_view part) {
  const std::string backward(text.rbegin(), text.rend());
  const std::string backward_part(part.rbegin(), part.rend());
  const std::size_t at = find_text(backward, backward_part);
  return at == std::string_view::npos ? at : text.size() - at - part.size();
}

Outcome<Value> last_index_of(Call& call, Arguments arguments) {
  const auto found = search(call, arguments);
  if (found.has_error()) return found.error();
  if (found->part.empty()) {
    const std::size_t length = utf16_length(found->text);
    return length == 0 ? Value(0) : value_of(length - 1);
  }
  const std::size_t at = find_last(found->text, found->part);
  return at == std::string::npos ? Value(-1) : value_of(found->units_before(at));
}

Outcome<Value> nth_index_of(Call& call, Arguments arguments) {
  const auto found = search(call, arguments);
  if (found.has_error()) return found.error();
  const auto wanted = place(call, arguments, 2);
  if (wanted.has_error()) return wanted.error();
  if (*wanted == 0) {
    ExpressionError error = fault(call, "expects its third parameter 'occurrence' to be an integer other than 0.");
    blame(error, 2, "integer", arguments[2]);
    return error;
  }
  if (found->part.empty()) return Value(*wanted > 0 ? 0 : -1);
  std::vector<std::size_t> places;
  const bool from_end = *wanted < 0;
  std::int64_t left = *wanted;
  // Occurrences may overlap, as .NET's search from the next character finds them.
  for (std::size_t at = find_text(found->text, found->part); at != std::string::npos;
       at = find_text(found->text, found->part, at + 1)) {
    // Overlapping occurrences of a long part cost its length each.
    if (!call.charge(sizeof(std::size_t), 1 + found->part.size() / 8)) return call.limit_error();
    if (!from_end && --left == 0) return value_of(found->units_before(at));
    if (from_end) places.push_back(at);
  }
  if (!from_end || *wanted < -static_cast<std::int64_t>(places.size())) return Value(-1);
  return value_of(found->units_before(places[places.size() - static_cast<std::size_t>(-*wanted)]));
}

Outcome<Value> starts_with(Call& call, Arguments arguments) {
  const auto both = search(call, arguments);
  if (both.has_error()) return both.error();
  return Value(both->text.starts_with(both->part));
}

Outcome<Value> ends_with(Call& call, Arguments arguments) {
  const auto both = search(call, arguments);
  if (both.has_error()) return both.error();
  return Value(both->text.ends_with(both->part));
}

Outcome<Value> guid(Call& call, Arguments arguments) {
  char format = 'd';
  if (!arguments.empty()) {
    if (!arguments[0].is_string()) return wrong_type(call, 0, "string", arguments[0]);
    const std::string_view given = arguments[0].as_string();
    if (!given.empty()) format = given.size() == 1 ? static_cast<char>(given[0] | 0x20) : '?';
  }
  constexpr std::string_view digits = "0123456789abcdef";
  std::array<std::uint64_t, 2> bits = {call.context().random(), call.context().random()};
  bits[0] = (bits[0] & ~0xF000ULL) | 0x4000ULL;  // version 4
  bits[1] = (bits[1] & ~(3ULL << 62)) | (2ULL << 62);
  std::string hex;
  for (const std::uint64_t half : bits) {
    for (int shift = 60; shift >= 0; shift -= 4) hex += digits[(half >> shift) & 15];
  }
  const std::string dashed = hex.substr(0, 8) + "-" + hex.substr(8, 4) + "-" + hex.substr(12, 4) + "-" +
                             hex.substr(16, 4) + "-" + hex.substr(20);
  switch (format) {
    case 'd': return value_of(dashed);
    case 'n': return value_of(hex);
    case 'b': return value_of("{" + dashed + "}");
    case 'p': return value_of("(" + dashed + ")");
    case 'x': {
      std::string out = "{0x" + hex.substr(0, 8) + ",0x" + hex.substr(8, 4) + ",0x" + hex.substr(12, 4) + ",{";
      for (std::size_t at = 16; at < 32; at += 2) out += (at == 16 ? "0x" : ",0x") + hex.substr(at, 2);
      return value_of(out + "}}");
    }
    default: break;
  }
  ExpressionError error = fault(call, "expects its parameter to be one of the formats 'N', 'D', 'B', 'P' or 'X'.");
  blame(error, 0, "string", arguments[0]);
  return error;
}

Outcome<Value> utf8_length(Call& call, Arguments arguments) {
  if (!arguments[0].is_string()) return wrong_parameter(call, "a string", arguments[0]);
  return value_of(arguments[0].as_string().size());
}

Outcome<Value> utf16_length_of(Call& call, Arguments arguments) {
  if (!arguments[0].is_string()) return wrong_parameter(call, "a string", arguments[0]);
  if (!work(call, arguments[0].as_string().size())) return call.limit_error();
  return value_of(utf16_length(arguments[0].as_string()));
}

Outcome<Value> trim_byte_order_mark(Call& call, Arguments arguments) {
  constexpr std::string_view mark = "\xEF\xBB\xBF";
  if (arguments[0].is_string()) {
    const std::string_view text = arguments[0].as_string();
    return text.starts_with(mark) ? value_of(text.substr(mark.size())) : arguments[0];
  }
  const auto content = content_of(arguments[0]);
  if (!content) return wrong_parameter(call, "a string or binary content", arguments[0]);
  constexpr std::string_view mark_base64 = "77u/";
  if (!content->base64.starts_with(mark_base64)) return arguments[0];
  return Value::object(
      {{"$content-type", Value(content->type)}, {"$content", Value(content->base64.substr(mark_base64.size()))}});
}

constexpr std::array entries = {
    FunctionEntry{.name = "concat",
                  .arguments = "texts...: any",
                  .arguments_min = 1,
                  .about = "The texts of all values, one after the other.",
                  .example = "concat('a', null, true)",
                  .gives = R"("aTrue")"},
    FunctionEntry{.name = "substring",
                  .arguments = "text: string, startIndex: integer, length?: integer",
                  .arguments_min = 2,
                  .arguments_max = 3,
                  .about = "A part of a text; positions out of range are errors.",
                  .example = "substring('hello', 1, 3)",
                  .gives = R"("ell")",
                  .call = substring},
    FunctionEntry{.name = "slice",
                  .arguments = "text: string, startIndex: integer, endIndex?: integer",
                  .arguments_min = 2,
                  .arguments_max = 3,
                  .about = "A part of a text; negative positions count from the end, none is an error.",
                  .example = "slice('Hello World', -5)",
                  .gives = R"("World")",
                  .call = slice},
    FunctionEntry{.name = "replace",
                  .arguments = "text: string, oldText: string, newText: string",
                  .arguments_min = 3,
                  .arguments_max = 3,
                  .about = "The text with all occurrences replaced, with regard to case.",
                  .example = "replace('the old string', 'old', 'new')",
                  .gives = R"("the new string")",
                  .call = replace},
    FunctionEntry{.name = "toLower",
                  .arguments = "text: string",
                  .arguments_min = 1,
                  .arguments_max = 1,
                  .about = "The text in lower case, whatever the culture.",
                  .example = "toLower('ÄB')",
                  .gives = R"("äb")",
                  .call = to_lower_text},
    FunctionEntry{.name = "toUpper",
                  .arguments = "text: string",
                  .arguments_min = 1,
                  .arguments_max = 1,
                  .about = "The text in upper case, whatever the culture.",
                  .example = "toUpper('äb')",
                  .gives = R"("ÄB")",
                  .call = to_upper_text},
    FunctionEntry{.name = "trim",
                  .arguments = "text: string",
                  .arguments_min = 1,
                  .arguments_max = 1,
                  .about = "The text without white space at its ends.",
                  .example = "trim(' hello ')",
                  .gives = R"("hello")",
                  .call = trim_text},
    FunctionEntry{.name = "split",
                  .arguments = "text: string, delimiter: string",
                  .arguments_min = 2,
                  .arguments_max = 2,
                  .about = "The pieces of a text between the delimiters.",
                  .example = "split('a,,b', ',')",
                  .gives = R"(["a","","b"])",
                  .call = split},
    FunctionEntry{.name = "indexOf",
                  .arguments = "text: string, searchText: string",
                  .arguments_min = 2,
                  .arguments_max = 2,
                  .about = "The first place of a text, without regard to case; -1 when absent.",
                  .example = "indexOf('hello world', 'WORLD')",
                  .gives = "6",
                  .call = index_of},
    FunctionEntry{.name = "lastIndexOf",
                  .arguments = "text: string, searchText: string",
                  .arguments_min = 2,
                  .arguments_max = 2,
                  .about = "The last place of a text, without regard to case; -1 when absent.",
                  .example = "lastIndexOf('banana', 'AN')",
                  .gives = "3",
                  .call = last_index_of},
    FunctionEntry{.name = "nthIndexOf",
                  .arguments = "text: string, searchText: string, occurrence: integer",
                  .arguments_min = 3,
                  .arguments_max = 3,
                  .about = "The nth place of a text; a negative number counts from the end; -1 when absent.",
                  .example = "nthIndexOf('banana', 'an', 2)",
                  .gives = "3",
                  .call = nth_index_of},
    FunctionEntry{.name = "startsWith",
                  .arguments = "text: string, searchText: string",
                  .arguments_min = 2,
                  .arguments_max = 2,
                  .about = "Whether the text begins so, without regard to case.",
                  .example = "startsWith('hello', 'HE')",
                  .gives = "true",
                  .call = starts_with},
    FunctionEntry{.name = "endsWith",
                  .arguments = "text: string, searchText: string",
                  .arguments_min = 2,
                  .arguments_max = 2,
                  .about = "Whether the text ends so, without regard to case.",
                  .example = "endsWith('hello', 'LO')",
                  .gives = "true",
                  .call = ends_with},
    FunctionEntry{.name = "guid",
                  .arguments = "format?: string",
                  .arguments_min = 0,
                  .arguments_max = 1,
                  .about = "A new random GUID in the format D, N, B, P or X.",
                  .example = "length(guid('B'))",
                  .gives = "38",
                  .call = guid,
                  .pure = false},
    FunctionEntry{.name = "utf8Length",
                  .arguments = "text: string",
                  .arguments_min = 1,
                  .arguments_max = 1,
                  .about = "The number of bytes of the text in UTF-8.",
                  .example = "utf8Length('é')",
                  .gives = "2",
                  .call = utf8_length},
    FunctionEntry{.name = "utf16Length",
                  .arguments = "text: string",
                  .arguments_min = 1,
                  .arguments_max = 1,
                  .about = "The number of UTF-16 units of the text.",
                  .example = "utf16Length('😀')",
                  .gives = "2",
                  .call = utf16_length_of},
    FunctionEntry{.name = "trimByteOrderMark",
                  .arguments = "text: string or binary",
                  .arguments_min = 1,
                  .arguments_max = 1,
                  .about = "The text or binary content without a byte order mark.",
                  .example = "trimByteOrderMark('abc')",
                  .gives = R"("abc")",
                  .call = trim_byte_order_mark},
};

}  // namespace

FunctionTable string_functions() { return entries; }

}  // namespace flowmend::expression
