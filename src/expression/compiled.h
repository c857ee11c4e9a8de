#pragma once

#include <string>
#include <vector>

#include "expression/node.h"
#include "expression/template.h"

namespace flowmend::expression {

/// One place in a template: a constant, a string with an expression, or an array or object with one somewhere inside.
struct Part {
  enum class Kind : std::uint8_t { constant, text, array, object };

  Kind kind = Kind::constant;
  Value constant;              ///< of a constant; of a text, the string as written
  NodePointer root;            ///< of a text
  SourceRange quoted;          ///< of a text that is one expression: what messages quote
  std::string pointer;         ///< of a text: inside the template
  std::vector<Part> children;  ///< of an array or object
  std::vector<Part> names;     ///< of an object: its members' names, constant or text
  bool fixed_names = true;     ///< every name is constant
};

struct Template::Compiled {
  Value source;
  Part root;
  std::vector<Template::Mention> mentions;
};

}  // namespace flowmend::expression
