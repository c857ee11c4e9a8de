#pragma once

#include <cstddef>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include <boost/system/result.hpp>

#include "base/diagnostic.h"
#include "expression/context.h"
#include "expression/error.h"
#include "json/value.h"

namespace flowmend::expression {

template <class T>
using Outcome = boost::system::result<T, ExpressionError>;

/// What one evaluation may cost. An evaluation that needs more ends with code `InvalidTemplate` and a text that names
/// the limit: no expression hangs or bloats the server.
struct Limits {
  std::size_t bytes_max = 256u << 20;    ///< of values made during one evaluation
  std::uint64_t steps_max = 50'000'000;  ///< function calls, items visited, characters moved in units of 64
  std::size_t string_bytes_max = 104'857'600;
};

struct Part;  // one place of a compiled template; expression/compiled.h, private to this room

/// A JSON value whose strings may hold expressions, compiled once and evaluated often: the inputs of an action, a
/// condition, a foreach. Immutable and shared; copying is cheap. Parts without an expression are shared as they are,
/// so a template without any expression evaluates to the very value it was compiled from.
class Template {
 public:
  Template();  ///< the constant null

  /// Compiles every expression in `value`. Findings (a syntax error, an unknown function or name, a wrong number of
  /// arguments) are appended to `diagnostics` with pointers that begin with `pointer`; what can still run, runs: the
  /// broken expression fails when it is evaluated, as in the real service. Never fails, never throws.
  static Template compile(const Value& value, const Names& names, std::string_view pointer, Diagnostics& diagnostics);

  /// As above for a string that must be one expression, with or without its leading `@` (`where` of a Query, an Until's
  /// condition).
  static Template compile_expression(std::string_view text, const Names& names, std::string_view pointer,
                                     Diagnostics& diagnostics);

  bool is_constant() const;     ///< holds no expression
  const Value& source() const;  ///< what it was compiled from

  /// The value now. On an error `pointer` says which string of the template failed.
  Outcome<Value> evaluate(Context& context, const Limits& limits = {}) const;

  /// The names of actions, variables, loops ... that literal references mention, for the checker and for tracing a
  /// value back to where it came from.
  struct Mention {
    enum class Kind : std::uint8_t { action, variable, parameter, loop, trigger, result };
    Kind kind;
    std::string name;
    std::string pointer;
    SourceRange range;
    std::string function;  ///< body, outputs, items ...
  };
  std::vector<Mention> mentions() const;

  struct Compiled;                         // private to this room
  std::vector<const Part*> texts() const;  ///< for trace(): the strings that hold expressions

 private:
  std::shared_ptr<const Compiled> compiled_;
};

/// One sub-expression with the value it had: `listExpressionTraces` in engine.md 6.6.
struct Trace {
  std::string path;   ///< JSON pointer of the string in the inputs
  std::string text;   ///< the sub-expression without its leading `@`
  SourceRange range;  ///< in the string found at `path`
  Value value;        ///< null when `failed`
  bool failed = false;
  bool culprit = false;  ///< the innermost sub-expression that failed
  std::string error;     ///< its message when failed
  std::vector<Trace> subexpressions;
};

/// Evaluates like `evaluate` and records every sub-expression. Costs nothing to evaluations that are not traced.
std::vector<Trace> trace(const Template& compiled, Context& context, const Limits& limits = {});

/// The frame that users know: `Unable to process template language expressions in action 'X' inputs at line '0' and
/// column '0': '<inner>'.`; `for_condition` prints `for action 'X' at line ...`.
std::string framed_message(const ExpressionError& error, std::string_view action, bool for_condition = false);

}  // namespace flowmend::expression
