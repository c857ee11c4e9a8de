#include <algorithm>
#include <array>
#include <numeric>
#include <optional>
#include <string>
#include <unordered_map>
#include <unordered_set>
#include <vector>

#include "expression/functions/compare.h"
#include "expression/functions/fault.h"
#include "expression/functions/function.h"
#include "expression/text.h"
#include "expression/text_buffer.h"
#include "expression/unicode.h"

namespace flowmend::expression {

namespace {

using Arguments = std::span<const Value>;

constexpr std::string_view array_or_string = "an array or a string";

bool work(Call& call, std::size_t bytes) { return call.charge(0, 1 + bytes / 64); }

Outcome<Value> length(Call& call, Arguments arguments) {
  const Value& value = arguments[0];
  if (value.is_array()) return Value(static_cast<std::int64_t>(value.size()));
  if (!value.is_string()) return wrong_parameter(call, array_or_string, value);
  if (!work(call, value.as_string().size())) return call.limit_error();
  return Value(static_cast<std::int64_t>(utf16_length(value.as_string())));
}

Outcome<Value> empty(Call& call, Arguments arguments) {
  const Value& value = arguments[0];
  if (value.is_null()) return Value(true);
  if (value.is_string()) return Value(value.as_string().empty());
  if (value.is_array() || value.is_object()) return Value(value.size() == 0);
  return wrong_parameter(call, "an object, an array or a string", value);
}

Outcome<Value> first(Call& call, Arguments arguments) {
  const Value& value = arguments[0];
  if (value.is_array()) return value.size() == 0 ? Value() : value.as_array().front();
  if (!value.is_string()) return wrong_parameter(call, array_or_string, value);
  const std::string_view text = value.as_string().substr(0, 4);
  return Value(std::string_view(utf16_slice(text, 0, std::min<std::size_t>(1, utf16_length(text)))));
}

Outcome<Value> last(Call& call, Arguments arguments) {
  const Value& value = arguments[0];
  if (value.is_array()) return value.size() == 0 ? Value() : value.as_array().back();
  if (!value.is_string()) return wrong_parameter(call, array_or_string, value);
  const std::string_view text = value.as_string();
  if (!work(call, text.size())) return call.limit_error();
  const std::size_t units = utf16_length(text);
  return Value(std::string_view(utf16_slice(text, units == 0 ? 0 : units - 1, units)));
}

enum class Half : std::uint8_t { front, rest };

Outcome<Value> part(Call& call, Arguments arguments, Half half) {
  const Value& value = arguments[0];
  if (!value.is_array() && !value.is_string()) return wrong_kind(call, 0, array_or_string, value);
  if (!arguments[1].is_integer() || arguments[1].as_integer() < 0) {
    return wrong_kind(call, 1, "a positive integer", arguments[1]);
  }
  const auto count = static_cast<std::size_t>(arguments[1].as_integer());
  if (value.is_string()) {
    const std::string_view text = value.as_string();
    if (!work(call, text.size())) return call.limit_error();
    const std::size_t units = utf16_length(text);
    const std::size_t cut = std::min(count, units);
    return Value(std::string_view(half == Half::front ? utf16_slice(text, 0, cut) : utf16_slice(text, cut, units)));
  }
  const std::size_t cut = std::min(count, value.size());
  const auto elements = half == Half::front ? value.as_array().first(cut) : value.as_array().subspan(cut);
  if (elements.size() == value.size()) return value;
  if (!call.charge(0, elements.size())) return call.limit_error();
  return Value::array(std::vector<Value>(elements.begin(), elements.end()));
}

Outcome<Value> take(Call& call, Arguments arguments) { return part(call, arguments, Half::front); }
Outcome<Value> skip(Call& call, Arguments arguments) { return part(call, arguments, Half::rest); }

Outcome<Value> contains(Call& call, Arguments arguments) {
  const Value& in = arguments[0];
  const Value& what = arguments[1];
  if (in.is_string()) {
    if (!what.is_string()) return wrong_type(call, 1, "string", what);
    if (!work(call, in.as_string().size())) return call.limit_error();
    return Value(find_text(in.as_string(), what.as_string()) != std::string_view::npos);
  }
  if (in.is_array()) {
    if (!call.charge(0, 1 + in.size())) return call.limit_error();
    Equality equality(call);
    const bool found =
        std::ranges::any_of(in.as_array(), [&](const Value& element) { return equality.equal(element, what); });
    if (equality.gave_up()) return call.limit_error();
    return Value(found);
  }
  if (in.is_object()) {
    if (!what.is_string()) return wrong_type(call, 1, "string", what);
    if (!call.charge(0, 1 + in.size() / 16)) return call.limit_error();
    return Value(in.find_ignoring_case(what.as_string()) != nullptr);
  }
  ExpressionError error =
      fault(call,
            "expects its first argument 'collection' to be a dictionary (object), an array or a string. The provided "
            "value is of type '" +
                std::string(json::type_name(in.type())) + "'.");
  blame(error, 0, "a dictionary (object), an array or a string", in);
  return error;
}

Outcome<Value> join(Call& call, Arguments arguments) {
  if (!arguments[0].is_array()) return wrong_kind(call, 0, "an array", arguments[0]);
  if (!arguments[1].is_string()) return wrong_type(call, 1, "string", arguments[1]);
  const std::string_view delimiter = arguments[1].as_string();
  TextBuffer out(call.string_bytes_max());
  bool between = false;
  std::size_t charged = 0;
  for (const Value& element : arguments[0].as_array()) {
    if (between) out.append(delimiter);
    between = true;
    append_text_of(element, out);
    if (out.overflowed()) return text_too_long(call.string_bytes_max());
    if (!call.charge(out.size() - charged, 1 + (out.size() - charged) / 64)) return call.limit_error();
    charged = out.size();
  }
  return Value(out.view());
}

Outcome<Value> chunk(Call& call, Arguments arguments) {
  const Value& value = arguments[0];
  if (!value.is_array() && !value.is_string()) return wrong_kind(call, 0, array_or_string, value);
  if (!arguments[1].is_integer()) return wrong_kind(call, 1, "an integer", arguments[1]);
  if (arguments[1].as_integer() < 1) {
    ExpressionError error =
        fault(call, "expects chunk size to be a positive integer. The provided value is less than 1.");
    blame(error, 1, "a positive integer", arguments[1]);
    return error;
  }
  const auto size = static_cast<std::size_t>(arguments[1].as_integer());
  json::ArrayBuilder pieces;
  if (value.is_array()) {
    const auto elements = value.as_array();
    for (std::size_t at = 0; at < elements.size();) {
      const auto piece = elements.subspan(at, std::min(size, elements.size() - at));
      if (!call.charge(64 + piece.size() * sizeof(Value), 1 + piece.size())) return call.limit_error();
      pieces.push(Value::array(std::vector<Value>(piece.begin(), piece.end())));
      at += piece.size();
    }
    return pieces.finish();
  }
  // Walks the text once: a slice from the start for each piece would be quadratic.
  std::string_view rest = value.as_string();
  while (!rest.empty()) {
    std::size_t bytes = 0;
    std::size_t units = 0;
    while (bytes < rest.size() && units < size) {
      const auto lead = static_cast<unsigned char>(rest[bytes]);
      const std::size_t width = lead < 0x80 ? 1 : lead < 0xE0 ? 2 : lead < 0xF0 ? 3 : 4;
      if (width == 4 && units + 2 > size && units > 0) break;  // both halves of a pair stay together
      units += width == 4 ? 2 : 1;
      bytes = std::min(bytes + width, rest.size());
    }
    if (!call.charge(sizeof(Value) + bytes, 1 + bytes / 64)) return call.limit_error();
    pieces.push(Value(rest.substr(0, bytes)));
    rest.remove_prefix(bytes);
  }
  return pieces.finish();
}

Outcome<Value> array(Call&, Arguments arguments) { return Value::array({arguments[0]}); }

Outcome<Value> create_array(Call&, Arguments arguments) {
  return Value::array(std::vector<Value>(arguments.begin(), arguments.end()));
}

struct Hash {
  Equality* equality;
  std::size_t operator()(const Value* value) const { return equality->hash(*value); }
};
struct Same {
  Equality* equality;
  bool operator()(const Value* a, const Value* b) const { return equality->same(*a, *b); }
};
using ValueSet = std::unordered_set<const Value*, Hash, Same>;

ValueSet empty_set(Equality& equality) { return ValueSet(0, Hash{&equality}, Same{&equality}); }

/// Charges the elements that will be hashed and compared.
bool charge_elements(Call& call, Arguments arguments) {
  std::size_t elements = 0;
  for (const Value& argument : arguments) elements += argument.size();
  constexpr std::size_t bytes_per_entry = 64;
  return call.charge(elements * bytes_per_entry, 1 + elements);
}

/// Nothing when all arguments are arrays or all are objects.
std::optional<ExpressionError> mixed(Call& call, Arguments arguments) {
  for (std::size_t i = 0; i < arguments.size(); ++i) {
    const bool fits = arguments[0].is_array() ? arguments[i].is_array() : arguments[i].is_object();
    if (fits) continue;
    ExpressionError error =
        fault(call, "expects parameters of same type, either arrays or objects. Found a value of type '" +
                        std::string(json::type_name(arguments[i].type())) + "'.");
    blame(error, static_cast<std::int32_t>(i), json::type_name(arguments[0].type()), arguments[i]);
    return error;
  }
  return std::nullopt;
}

Value union_of_objects(Arguments arguments) {
  std::vector<json::Member> members;
  std::unordered_map<std::string_view, std::size_t> places;
  for (const Value& argument : arguments) {
    for (const json::Member& member : argument.as_object()) {
      const auto [place, is_new] = places.emplace(member.name(), members.size());
      if (is_new) {
        members.push_back(member);
      } else {
        members[place->second].value = member.value;
      }
    }
  }
  json::ObjectBuilder builder;
  builder.reserve(members.size());
  for (json::Member& member : members) builder.add(std::move(member.key), std::move(member.value));
  return builder.finish();
}

Outcome<Value> union_of(Call& call, Arguments arguments) {
  if (auto error = mixed(call, arguments)) return std::move(*error);
  if (!charge_elements(call, arguments)) return call.limit_error();
  if (arguments[0].is_object()) return union_of_objects(arguments);
  Equality equality(call);
  ValueSet seen = empty_set(equality);
  json::ArrayBuilder out;
  for (const Value& argument : arguments) {
    for (const Value& element : argument.as_array()) {
      if (seen.insert(&element).second) out.push(element);
      if (equality.gave_up()) return call.limit_error();
    }
  }
  return out.finish();
}

Value intersection_of_objects(Equality& equality, Arguments arguments) {
  json::ObjectBuilder builder;
  for (const json::Member& member : arguments[0].as_object()) {
    const bool everywhere = std::ranges::all_of(arguments.subspan(1), [&](const Value& other) {
      const Value* found = other.find(member.name());
      return found != nullptr && equality.same(*found, member.value);
    });
    if (everywhere) builder.add(member.key, member.value);
  }
  return builder.finish();
}

Outcome<Value> intersection(Call& call, Arguments arguments) {
  if (auto error = mixed(call, arguments)) return std::move(*error);
  if (!charge_elements(call, arguments)) return call.limit_error();
  Equality equality(call);
  if (arguments[0].is_object()) {
    Value common = intersection_of_objects(equality, arguments);
    if (equality.gave_up()) return call.limit_error();
    return common;
  }
  std::vector<ValueSet> others;
  for (const Value& argument : arguments.subspan(1)) {
    ValueSet& set = others.emplace_back(empty_set(equality));
    for (const Value& element : argument.as_array()) {
      set.insert(&element);
      if (equality.gave_up()) return call.limit_error();
    }
  }
  ValueSet seen = empty_set(equality);
  json::ArrayBuilder out;
  for (const Value& element : arguments[0].as_array()) {
    const bool everywhere = std::ranges::all_of(others, [&](const ValueSet& set) { return set.contains(&element); });
    if (everywhere && seen.insert(&element).second) out.push(element);
    if (equality.gave_up()) return call.limit_error();
  }
  return out.finish();
}

Outcome<Value> reverse(Call& call, Arguments arguments) {
  if (!arguments[0].is_array()) return wrong_type(call, 0, "array", arguments[0]);
  if (!call.charge(0, 1 + arguments[0].size())) return call.limit_error();
  const auto elements = arguments[0].as_array();
  return Value::array(std::vector<Value>(elements.rbegin(), elements.rend()));
}

Outcome<Value> sort(Call& call, Arguments arguments) {
  if (!arguments[0].is_array()) return wrong_type(call, 0, "array", arguments[0]);
  if (arguments.size() == 2 && !arguments[1].is_string()) return wrong_type(call, 1, "string", arguments[1]);
  const auto elements = arguments[0].as_array();
  static const Value null;
  std::vector<const Value*> keys(elements.size());
  for (std::size_t i = 0; i < elements.size(); ++i) {
    keys[i] = &elements[i];
    if (arguments.size() == 1) continue;
    const Value* key = elements[i].find_ignoring_case(arguments[1].as_string());
    keys[i] = key == nullptr ? &null : key;
  }
  // Every key must compare with every other: all numbers or all texts. null sorts first.
  json::Type kind = json::Type::null;
  for (const Value* key : keys) {
    if (key->is_null()) continue;
    const json::Type own = key->is_number() ? json::Type::integer : key->type();
    const bool comparable = own == json::Type::integer || own == json::Type::string || own == json::Type::boolean;
    if (!comparable || (kind != json::Type::null && own != kind)) {
      ExpressionError error =
          fault(call, "expects all items to be of one type that can be compared. Found an item of type '" +
                          std::string(json::type_name(key->type())) + "'.");
      blame(error, 0, "numbers or texts", *key);
      return error;
    }
    kind = own;
  }
  std::size_t steps = elements.size();
  for (std::size_t n = elements.size(); n > 1; n /= 2) steps += elements.size();
  if (!call.charge(elements.size() * (sizeof(void*) + sizeof(std::size_t)), 1 + steps)) return call.limit_error();
  std::vector<std::size_t> places(elements.size());
  std::iota(places.begin(), places.end(), std::size_t{0});
  std::stable_sort(places.begin(), places.end(), [&](std::size_t a, std::size_t b) {
    const Value& x = *keys[a];
    const Value& y = *keys[b];
    if (x.is_null() || y.is_null()) return x.is_null() && !y.is_null();
    if (x.is_boolean()) return !x.as_boolean() && y.as_boolean();
    // NaN sorts before every number, as in .NET.
    const bool x_nan = x.is_floating() && x.as_floating() != x.as_floating();
    const bool y_nan = y.is_floating() && y.as_floating() != y.as_floating();
    if (x_nan || y_nan) return x_nan && !y_nan;
    return order(x, y).value_or(0) < 0;
  });
  json::ArrayBuilder out;
  out.reserve(elements.size());
  for (const std::size_t place : places) out.push(elements[place]);
  return out.finish();
}

Outcome<Value> range(Call& call, Arguments arguments) {
  for (std::size_t i = 0; i < 2; ++i) {
    if (!arguments[i].is_integer()) return wrong_kind(call, i, "an integer", arguments[i]);
  }
  const std::int64_t start = arguments[0].as_integer();
  const std::int64_t count = arguments[1].as_integer();
  constexpr std::int64_t count_max = 100'000;
  constexpr std::int64_t end_max = 2'147'483'647;
  if (count < 1 || count > count_max) {
    ExpressionError error = fault(call, "expects its second parameter 'count' to be an integer from 1 to 100000.");
    blame(error, 1, "an integer from 1 to 100000", arguments[1]);
    return error;
  }
  if (start > end_max - count || start < -end_max - 1) {
    ExpressionError error =
        fault(call,
              "parameters are out of range: the sum of 'start index' and 'count' must be no larger than "
              "2147483647.");
    blame(error, 0, "integer", arguments[0]);
    return error;
  }
  if (!call.charge(0, 1 + static_cast<std::uint64_t>(count) / 4)) return call.limit_error();
  json::ArrayBuilder out;
  out.reserve(static_cast<std::size_t>(count));
  for (std::int64_t i = 0; i < count; ++i) out.push(Value(start + i));
  return out.finish();
}

constexpr std::array entries = {
    FunctionEntry{.name = "contains",
                  .arguments = "collection: string, array or object, value: any",
                  .arguments_min = 2,
                  .arguments_max = 2,
                  .about = "Whether a text has a part, an array an item, an object a key.",
                  .example = "contains('hello world', 'world')",
                  .gives = "true",
                  .call = contains},
    FunctionEntry{.name = "empty",
                  .arguments = "collection: string, array, object or null",
                  .arguments_min = 1,
                  .arguments_max = 1,
                  .about = "Whether it has no content.",
                  .example = "empty('')",
                  .gives = "true",
                  .call = empty},
    FunctionEntry{.name = "first",
                  .arguments = "collection: string or array",
                  .arguments_min = 1,
                  .arguments_max = 1,
                  .about = "The first item or character; null of an empty array.",
                  .example = "first(createArray(1, 2))",
                  .gives = "1",
                  .call = first},
    FunctionEntry{.name = "last",
                  .arguments = "collection: string or array",
                  .arguments_min = 1,
                  .arguments_max = 1,
                  .about = "The last item or character; null of an empty array.",
                  .example = "last('abcd')",
                  .gives = R"("d")",
                  .call = last},
    FunctionEntry{.name = "length",
                  .arguments = "collection: string or array",
                  .arguments_min = 1,
                  .arguments_max = 1,
                  .about = "The number of items, or of UTF-16 units.",
                  .example = "length('😀')",
                  .gives = "2",
                  .call = length},
    FunctionEntry{.name = "skip",
                  .arguments = "collection: array or string, count: integer",
                  .arguments_min = 2,
                  .arguments_max = 2,
                  .about = "What follows the first items.",
                  .example = "skip(createArray(1, 2, 3), 1)",
                  .gives = "[2,3]",
                  .call = skip},
    FunctionEntry{.name = "take",
                  .arguments = "collection: array or string, count: integer",
                  .arguments_min = 2,
                  .arguments_max = 2,
                  .about = "The first items.",
                  .example = "take('hello', 2)",
                  .gives = R"("he")",
                  .call = take},
    FunctionEntry{.name = "join",
                  .arguments = "collection: array, delimiter: string",
                  .arguments_min = 2,
                  .arguments_max = 2,
                  .about = "The texts of all items with the delimiter between them.",
                  .example = "join(createArray('a', 'b'), '.')",
                  .gives = R"("a.b")",
                  .call = join},
    FunctionEntry{.name = "chunk",
                  .arguments = "collection: string or array, length: integer",
                  .arguments_min = 2,
                  .arguments_max = 2,
                  .about = "Pieces of that length; the last one may be shorter.",
                  .example = "chunk(createArray(1, 2, 3), 2)",
                  .gives = "[[1,2],[3]]",
                  .call = chunk},
    FunctionEntry{.name = "array",
                  .arguments = "value: any",
                  .arguments_min = 1,
                  .arguments_max = 1,
                  .about = "An array of that one value.",
                  .example = "array('hello')",
                  .gives = R"(["hello"])",
                  .call = array},
    FunctionEntry{.name = "createArray",
                  .arguments = "values...: any",
                  .arguments_min = 1,
                  .about = "An array of these values.",
                  .example = "createArray('a', 1)",
                  .gives = R"(["a",1])",
                  .call = create_array},
    FunctionEntry{.name = "union",
                  .arguments = "collection: array or object, more...: same",
                  .arguments_min = 2,
                  .about = "The items of all, each once; of objects the later value wins.",
                  .example = "union(createArray(1, 2), createArray(2, 3))",
                  .gives = "[1,2,3]",
                  .call = union_of},
    FunctionEntry{.name = "intersection",
                  .arguments = "collection: array or object, more...: same",
                  .arguments_min = 2,
                  .about = "The items that all have, each once.",
                  .example = "intersection(createArray(1, 2), createArray(2, 3))",
                  .gives = "[2]",
                  .call = intersection},
    FunctionEntry{.name = "reverse",
                  .arguments = "collection: array",
                  .arguments_min = 1,
                  .arguments_max = 1,
                  .about = "The items from last to first.",
                  .example = "reverse(createArray(1, 2))",
                  .gives = "[2,1]",
                  .call = reverse},
    FunctionEntry{.name = "sort",
                  .arguments = "collection: array, sortBy?: string",
                  .arguments_min = 1,
                  .arguments_max = 2,
                  .about = "The items in ascending order, by themselves or by a property.",
                  .example = "sort(createArray(2, 1, 0))",
                  .gives = "[0,1,2]",
                  .call = sort},
    FunctionEntry{.name = "range",
                  .arguments = "startIndex: integer, count: integer",
                  .arguments_min = 2,
                  .arguments_max = 2,
                  .about = "Integers that follow one another; at most 100,000.",
                  .example = "range(1, 4)",
                  .gives = "[1,2,3,4]",
                  .call = range},
    FunctionEntry{.name = "coalesce",
                  .arguments = "values...: any",
                  .arguments_min = 1,
                  .about = "The first value that is not null; what follows it is never evaluated.",
                  .example = "coalesce(null, 'hello', int('x'))",
                  .gives = R"("hello")"},
};

}  // namespace

FunctionTable collection_functions() { return entries; }

}  // namespace flowmend::expression
