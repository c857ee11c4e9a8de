#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/diagnostic.h"
#include "expression/context.h"
#include "expression/node.h"
#include "expression/syntax.h"
#include "expression/template.h"

namespace flowmend::expression {

/// Turns syntax into nodes: finds functions without regard to case, checks argument counts, turns literal names into
/// slots, folds pure calls of constants, and notes what is mentioned.
///
/// Never fails: what can't be bound becomes a node that fails when it is evaluated, as in the real service, and a
/// diagnostic says so now.
class Binder {
 public:
  /// `pointer` is that of the string `source` in the document. All arguments must outlive the binder.
  Binder(const Names& names, std::string_view pointer, std::string_view source, Diagnostics& diagnostics,
         std::vector<Template::Mention>& mentions)
      : names_(names), pointer_(pointer), source_(source), diagnostics_(diagnostics), mentions_(mentions) {}

  NodePointer bind(const Syntax& syntax);

 private:
  NodePointer bind_call(const Syntax& syntax);
  NodePointer bind_selection(const Syntax& syntax);
  NodePointer bind_reference(const Syntax& syntax, const FunctionEntry& entry, std::vector<NodePointer>& arguments);
  NodePointer unknown_function(const Syntax& syntax);
  NodePointer wrong_count(const Syntax& syntax, const FunctionEntry& entry);
  NodePointer fold(NodePointer node);
  void mention(Template::Mention::Kind kind, std::string_view name, SourceRange range, std::string_view function);
  void report(Severity severity, std::string code, std::string message, std::string cure, SourceRange range);

  const Names& names_;
  std::string_view pointer_;
  std::string_view source_;
  Diagnostics& diagnostics_;
  std::vector<Template::Mention>& mentions_;
};

}  // namespace flowmend::expression
