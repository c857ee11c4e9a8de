#pragma once

#include <cstdint>
#include <span>
#include <string_view>

#include "expression/context.h"
#include "expression/template.h"
#include "json/value.h"

namespace flowmend::expression {

/// What a running function may use: the context, and the budget it charges for what it makes.
class Call {
 public:
  virtual ~Call() = default;
  virtual Context& context() = 0;
  virtual std::string_view function_name() const = 0;  ///< as registered, for messages
  /// Charges `bytes` of new data and `steps` of work. False when a limit is passed: return `limit_error()` at once.
  virtual bool charge(std::size_t bytes, std::uint64_t steps = 1) = 0;
  virtual ExpressionError limit_error() const = 0;
  /// The longest text that may be made.
  virtual std::size_t string_bytes_max() const = 0;
};

/// An eager function: arguments are evaluated, in order, before it is called; their number is checked against the
/// entry. Returns the value, or an error whose `message` is the inner text of expressions.md section 11 (the evaluator
/// adds source and range).
using Function = Outcome<Value> (*)(Call& call, std::span<const Value> arguments);

/// One function of the language: binder, checker, portal hints, docs page and an executed example read this entry.
struct FunctionEntry {
  std::string_view name;       ///< in its usual spelling: `toLower`
  std::string_view arguments;  ///< `text: string, length?: integer`, `values...: any` for the portal's hints
  std::uint8_t arguments_min = 0;
  std::uint8_t arguments_max = 255;  ///< 255: any number
  std::string_view about;            ///< one sentence
  std::string_view example;          ///< `toLower('ÄB')`, executed by a test when it needs no context
  std::string_view gives;            ///< the example's result as JSON; empty when it is not executed
  Function call = nullptr;           ///< nullptr for the lazy and context forms that the evaluator itself knows
  bool pure = true;                  ///< same arguments, same value: may be folded when all arguments are constant
};

/// Each group's file ends in one table; `functions/list.cpp` names the tables.
using FunctionTable = std::span<const FunctionEntry>;

FunctionTable logical_functions();     // functions/logical.cpp
FunctionTable string_functions();      // functions/string.cpp
FunctionTable collection_functions();  // functions/collection.cpp
FunctionTable math_functions();        // functions/math.cpp
FunctionTable conversion_functions();  // functions/conversion.cpp
FunctionTable object_functions();      // functions/object.cpp
FunctionTable workflow_functions();    // functions/workflow.cpp
FunctionTable date_functions();        // functions/date.cpp
FunctionTable date_zone_functions();   // functions/date_zone.cpp: zones, cultures, lengths of time
FunctionTable format_functions();      // functions/format.cpp: formatNumber and kin
FunctionTable content_functions();     // functions/content.cpp: base64, binary
FunctionTable data_uri_functions();    // functions/data_uri.cpp
FunctionTable uri_functions();         // functions/uri.cpp
FunctionTable xml_functions();         // functions/xml.cpp: xml, xpath, xml <-> JSON

/// The entry of that name in any case, or nothing.
const FunctionEntry* find_function(std::string_view name);
/// All tables, for the docs page, the portal's hints and the tests.
std::span<const FunctionTable> all_functions();

/// The text of a value as interpolation, concat, join and string() print it (expressions.md section 4); binary content
/// prints its decoded bytes, XML content its text. Throws std::length_error when that would be longer than 104,857,600
/// bytes; the evaluator turns it into the error that users see.
std::string text_of_value(const Value& value);

}  // namespace flowmend::expression
