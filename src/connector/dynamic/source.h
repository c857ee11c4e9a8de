#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "connector/document.h"

namespace flowmend::connector {

// Choices and shapes that a connector's document does not hold but tells where to ask for: x-ms-dynamic-values, -list,
// -tree (choices), x-ms-dynamic-schema, -properties (shapes). Rules: connectors.md 6 of the specification. Here they
// are read; dynamic.h asks. Pure, any thread.

/// Where an argument of the operation that is asked comes from.
struct DynamicArgument {
  enum class From : std::uint8_t {
    literal,
    parameter,  ///< of the step; `path` is its name in the flat map: `table`, `body/appId`
    selected,   ///< of the tree's node that is opened; `path` leads into it
  };
  std::string name;
  From from = From::literal;
  Value literal;
  std::string path;
  bool required = true;
};

/// One operation to ask, and where in its reply the answer stands. Paths are split on `/`; empty = not said.
struct DynamicCall {
  std::string operation_id;
  std::vector<DynamicArgument> arguments;
  std::string items_path;
  std::string value_path;
  std::string title_path;
  std::string full_title_path;
  /// Of a tree's node: a property that says whether it has children, `true`, `false`, or a condition as an OData filter
  /// over the item: `(is_folder eq true)`.
  std::string parent_path;
  std::string selectable_filter;  ///< such a condition: which nodes may be chosen; empty = as the settings say
};

struct DynamicSource {
  enum class Kind : std::uint8_t { values, tree, schema };
  Kind kind = Kind::values;
  DynamicCall open;    ///< a tree: its roots
  DynamicCall browse;  ///< a tree: the children of a node; no operation = it has one level
  bool select_parents = true;
  bool select_leaves = true;
  Unavailable unsupported;  ///< a form that can't be asked here, and why; then the rest is not filled
};

/// The choices that a parameter or a schema's property (`holder`) names; nothing when it names none. `-list` stands
/// before `-values`, `-tree` before both.
std::optional<DynamicSource> choices_of(const Connector& connector, const Value& holder);
/// The shape that a schema names.
std::optional<DynamicSource> shape_of(const Value& schema);

/// The same through a `$ref` into `document`; of a list, what its items name.
std::optional<DynamicSource> choices_at(const Connector& connector, const Value& document, const Value& holder);
std::optional<DynamicSource> shape_at(const Value& document, const Value& holder);

/// The schema of an operation's 2xx reply, of a webhook trigger that of what the service posts; null when it says none.
Value reply_schema(const Connector& connector, const Operation& operation);

/// One parameter, or property of a body, with a dynamic source.
struct DynamicParameter {
  std::string name;  ///< in the flat map: `table`, `item/Status`
  std::string title;
  bool required = false;
  DynamicSource source;
};

/// All of an operation, in the document's order, at most 500, bodies up to 16 levels deep. Those that the flow's maker
/// does not see (internal) are left out.
std::vector<DynamicParameter> dynamic_parameters(const Connector& connector, const Operation& operation);

/// The same inside of a shape that a service told: `prefix` is the name of the parameter that has it.
std::vector<DynamicParameter> dynamic_parameters_of(const Connector& connector, const Value& schema,
                                                    const std::string& prefix);

/// What is known at a place of a schema: the schema that stands there, or the dynamic shape on the way to it.
struct SchemaPlace {
  Value schema;                        ///< null when the place is not known
  std::optional<DynamicSource> shape;  ///< stands at `schema`; `rest` lies inside of what it gives
  std::string rest;
};
/// Follows `path` (`Status`, `customer/name`) through the properties of `schema`; stops where a shape is asked for.
SchemaPlace follow_schema(const Value& document, const Value& schema, std::string_view path);

/// The arguments of `call` as the flat map of its operation. `given` is the step's own flat map, `selected` the tree's
/// node. Error: `DynamicParameterMissing`, naming the parameter that has to be filled first, also when its value is an
/// expression, which only a run knows.
Result<Value> dynamic_arguments(const Operation& caller, const DynamicCall& call, const Value& given,
                                const Value& selected);

}  // namespace flowmend::connector
