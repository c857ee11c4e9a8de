#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "expression/error.h"
#include "json/value.h"

namespace flowmend::expression {

struct Syntax;
using SyntaxPointer = std::unique_ptr<Syntax>;

/// One step of selecting a part: `.name`, `?.name`, `[key]` or `?[key]`.
struct SyntaxStep {
  bool safe = false;  ///< written with `?`
  SyntaxPointer key;  ///< `.name` is the literal text
  SourceRange range;  ///< of the step: from `?`, `.` or `[`
};

/// An expression as written, before any name is looked up.
struct Syntax {
  enum class Kind : std::uint8_t { literal, call, selection };

  Kind kind = Kind::literal;
  SourceRange range;
  Value literal;
  std::string name;  ///< of a call, as written
  SourceRange name_range;
  std::vector<SyntaxPointer> arguments;  ///< of a call
  SyntaxPointer base;                    ///< of a selection: a literal or a call
  std::vector<SyntaxStep> steps;         ///< of a selection: at least one
};

}  // namespace flowmend::expression
