#include "connector/dynamic/source.h"

#include "connector/arguments.h"
#include "connector/dynamic/reply.h"
#include "connector/text.h"
#include "json/pointer.h"

namespace flowmend::connector {
namespace {

constexpr std::size_t parameters_max = 500;
constexpr int depth_max = 16;

bool truth_of(const Value* value, bool otherwise) {
  if (value == nullptr) return otherwise;
  if (value->is_boolean()) return value->as_boolean();
  return value->is_string() ? equals_ignoring_case(value->as_string(), "true") : otherwise;
}

DynamicArgument argument_of(std::string_view name, const Value& written) {
  DynamicArgument argument;
  argument.name = name;
  if (!written.is_object()) {
    argument.literal = written;
    return argument;
  }
  for (const std::string_view key : {"parameterReference", "parameter"}) {
    if (const Value* path = written.find(key); path != nullptr && path->is_string()) {
      argument.from = DynamicArgument::From::parameter;
      argument.path = path->as_string();
      argument.required = truth_of(written.find("required"), true);
      return argument;
    }
  }
  for (const std::string_view key : {"selectedItemValuePath", "value-property"}) {
    if (const Value* path = written.find(key); path != nullptr && path->is_string()) {
      argument.from = DynamicArgument::From::selected;
      argument.path = path->as_string();
      return argument;
    }
  }
  const Value* value = written.find("value");
  argument.literal = value == nullptr ? written : *value;
  return argument;
}

std::vector<DynamicArgument> arguments_of(const Value* parameters) {
  std::vector<DynamicArgument> arguments;
  if (parameters == nullptr || !parameters->is_object()) return arguments;
  for (const json::Member& member : parameters->as_object())
    arguments.push_back(argument_of(member.name(), member.value));
  return arguments;
}

/// A path as one of several names for it says; empty when none is there.
std::string path_under(const Value& written, std::initializer_list<std::string_view> names) {
  for (const std::string_view name : names) {
    if (const Value* path = written.find(name); path != nullptr && path->is_string())
      return std::string(path->as_string());
  }
  return {};
}

/// Both generations of names are read alike: documents mix them.
DynamicCall call_of(const Value& written) {
  DynamicCall call;
  call.operation_id = written.text_of("operationId");
  call.arguments = arguments_of(written.find("parameters"));
  call.items_path = path_under(written, {"itemsPath", "value-collection"});
  call.value_path = path_under(written, {"itemValuePath", "value-path"});
  call.title_path = path_under(written, {"itemTitlePath", "value-title"});
  call.full_title_path = path_under(written, {"itemFullTitlePath"});
  call.parent_path = path_under(written, {"itemIsParent"});
  call.selectable_filter = path_under(written, {"selectableFilter"});
  return call;
}

DynamicSource unsupported(DynamicSource::Kind kind, std::string message) {
  DynamicSource source;
  source.kind = kind;
  source.unsupported = {"DynamicContentUnsupported", std::move(message)};
  return source;
}

const Value* file_picker_of(const Connector& connector) {
  const Value* capabilities = extension(connector.swagger, "x-ms-capabilities");
  return capabilities == nullptr ? nullptr : capabilities->find("file-picker");
}

/// The older form of a tree: the document says once how its files are browsed, a parameter only that it is one.
DynamicSource file_picker(const Connector& connector, const Value& written) {
  const Value* picker = file_picker_of(connector);
  const Value* open = picker == nullptr ? nullptr : picker->find("open");
  if (open == nullptr || open->text_of("operationId").empty()) {
    return unsupported(DynamicSource::Kind::tree,
                       "The document asks for a file picker, but its x-ms-capabilities do not say how files are "
                       "browsed. Type the value.");
  }
  // A picker's own references name what the parameter hands to it; that in turn names the step's parameters.
  const std::vector<DynamicArgument> handed = arguments_of(written.find("parameters"));
  const auto through = [&](const Value* part) {
    DynamicCall call;
    if (part == nullptr) return call;
    call = call_of(*part);
    for (DynamicArgument& argument : call.arguments) {
      if (argument.from != DynamicArgument::From::parameter) continue;
      for (const DynamicArgument& one : handed) {
        if (one.name != argument.path) continue;
        const std::string name = argument.name;
        argument = one;
        argument.name = name;
        break;
      }
    }
    call.items_path = path_under(*picker, {"value-collection"});
    call.value_path = path_under(written, {"value-path"});
    if (call.value_path.empty()) call.value_path = path_under(*picker, {"value-path"});
    call.title_path = path_under(*picker, {"value-title"});
    call.parent_path = path_under(*picker, {"value-folder-property"});
    return call;
  };
  DynamicSource source;
  source.kind = DynamicSource::Kind::tree;
  source.open = through(open);
  source.browse = through(picker->find("browse"));
  const Value* parameters = written.find("parameters");
  if (const Value* folder = parameters == nullptr ? nullptr : parameters->find("isFolder");
      folder != nullptr && folder->is_boolean()) {
    source.select_parents = folder->as_boolean();
    source.select_leaves = !folder->as_boolean();
  }
  return source;
}

std::optional<DynamicSource> tree_of(const Value& written) {
  const Value* open = written.find("open");
  if (open == nullptr || open->text_of("operationId").empty())
    return unsupported(DynamicSource::Kind::tree,
                       "The tree of this parameter names no operation that lists its roots. "
                       "Type the value.");
  DynamicSource source;
  source.kind = DynamicSource::Kind::tree;
  source.open = call_of(*open);
  if (const Value* browse = written.find("browse")) source.browse = call_of(*browse);
  if (const Value* settings = written.find("settings")) {
    source.select_parents = truth_of(settings->find("canSelectParentNodes"), true);
    source.select_leaves = truth_of(settings->find("canSelectLeafNodes"), true);
  }
  return source;
}

std::optional<DynamicSource> list_of(const Connector& connector, const Value& written) {
  if (!written.is_object()) return std::nullopt;
  if (!written.text_of("operationId").empty()) {
    DynamicSource source;
    source.open = call_of(written);
    return source;
  }
  if (written.text_of("capability") == "file-picker") return file_picker(connector, written);
  for (const std::string_view key : {"capability", "builtInOperation"}) {
    if (const std::string_view name = written.text_of(key); !name.empty()) {
      return unsupported(DynamicSource::Kind::values,
                         "The choices come from the " + std::string(key) + " '" + std::string(name) +
                             "' of the vendor's own designer, which no service answers. Type the value.");
    }
  }
  return unsupported(DynamicSource::Kind::values,
                     "The document names no operation that lists the choices. Type the "
                     "value.");
}

std::string title_of(const Value& holder, std::string_view name) {
  if (const Value* summary = extension(holder, "x-ms-summary"); summary != nullptr && summary->is_string())
    return std::string(summary->as_string());
  const std::string_view title = holder.text_of("title");
  return std::string(title.empty() ? name : title);
}

/// `document` is where references lead: the connector's, or a shape that a service told.
void collect(const Connector& connector, const Value& document, const Value& schema, const std::string& prefix,
             int depth, std::vector<DynamicParameter>& out) {
  if (depth > depth_max) return;
  visit_properties(document, schema, [&](std::string_view name, const Value& written, bool required) {
    if (out.size() >= parameters_max) return;
    const Value& property = resolve_schema(document, written);
    if (visibility_of(written) == Visibility::internal || visibility_of(property) == Visibility::internal) return;
    const std::string path = prefix + "/" + std::string(name);
    if (auto source = choices_at(connector, document, written))
      out.push_back({path, title_of(written, name), required, std::move(*source)});
    if (auto shape = shape_at(document, written))
      out.push_back({path, title_of(written, name), required, std::move(*shape)});
    collect(connector, document, property, path, depth + 1, out);
  });
}

/// What the step gives under a name that a document uses: the flat map's key, a property below the body's parameter
/// (older documents leave its name out), or a place inside of a body that is given whole.
const Value* given_value(const Operation& caller, const Value& given, const std::string& path) {
  if (const Value* exact = given.find(path)) return exact;
  const OperationParameter* body = caller.body();
  if (body == nullptr) return nullptr;
  if (const Value* below = given.find(body->name + "/" + path)) return below;
  const Value* whole = given.find(body->name);
  if (whole == nullptr) return nullptr;
  const std::string prefix = body->name + "/";
  const std::string_view rest = path.starts_with(prefix) ? std::string_view(path).substr(prefix.size()) : path;
  return value_at(*whole, rest);
}

}  // namespace

std::optional<DynamicSource> choices_at(const Connector& connector, const Value& document, const Value& holder) {
  if (auto own = choices_of(connector, holder)) return own;
  const Value& resolved = resolve_schema(document, holder);
  if (auto referred = choices_of(connector, resolved)) return referred;
  const Value* items = resolved.find("items");
  if (items == nullptr) return std::nullopt;
  return choices_of(connector, resolve_schema(document, *items));
}

std::optional<DynamicSource> shape_at(const Value& document, const Value& holder) {
  if (auto own = shape_of(holder)) return own;
  return shape_of(resolve_schema(document, holder));
}

std::optional<DynamicSource> choices_of(const Connector& connector, const Value& holder) {
  if (!holder.is_object()) return std::nullopt;
  if (const Value* tree = extension(holder, "x-ms-dynamic-tree"); tree != nullptr && tree->is_object())
    return tree_of(*tree);
  for (const std::string_view name : {"x-ms-dynamic-list", "x-ms-dynamic-values"}) {
    if (const Value* list = extension(holder, name)) {
      if (auto source = list_of(connector, *list)) return source;
    }
  }
  return std::nullopt;
}

std::optional<DynamicSource> shape_of(const Value& schema) {
  if (!schema.is_object()) return std::nullopt;
  for (const std::string_view name : {"x-ms-dynamic-properties", "x-ms-dynamic-schema"}) {
    const Value* written = extension(schema, name);
    if (written == nullptr || !written->is_object()) continue;
    if (written->text_of("operationId").empty())
      return unsupported(DynamicSource::Kind::schema, "The document names no operation that tells the shape.");
    DynamicSource source;
    source.kind = DynamicSource::Kind::schema;
    source.open = call_of(*written);
    return source;
  }
  return std::nullopt;
}

Value reply_schema(const Connector& connector, const Operation& operation) {
  const Value* definition = json::resolve(connector.swagger, operation.pointer);
  // What a webhook trigger hands to the flow is what the service posts, not its answer to the subscription.
  const Value* item = json::resolve(connector.swagger, operation.pointer.substr(0, operation.pointer.rfind('/')));
  for (const Value* holder : {definition, item}) {
    const Value* content = holder == nullptr ? nullptr : extension(*holder, "x-ms-notification-content");
    if (content == nullptr || (holder == item && !operation.trigger)) continue;
    if (const Value* schema = content->find("schema")) return *schema;
  }
  const Value* responses = definition == nullptr ? nullptr : definition->find("responses");
  if (responses == nullptr || !responses->is_object()) return {};
  const Value* fallback = nullptr;
  for (const json::Member& member : responses->as_object()) {
    const Value* schema = resolve_schema(connector.swagger, member.value).find("schema");
    if (schema == nullptr) continue;
    if (member.name().starts_with('2')) return *schema;
    if (member.name() == "default") fallback = schema;
  }
  return fallback == nullptr ? Value() : *fallback;
}

std::vector<DynamicParameter> dynamic_parameters(const Connector& connector, const Operation& operation) {
  std::vector<DynamicParameter> out;
  for (const OperationParameter& parameter : operation.parameters) {
    if (parameter.visibility == Visibility::internal || out.size() >= parameters_max) continue;
    const std::string title = parameter.summary.empty() ? parameter.name : parameter.summary;
    if (parameter.place != ParameterPlace::body) {
      if (auto source = choices_at(connector, connector.swagger, parameter.written))
        out.push_back({parameter.name, title, parameter.required, std::move(*source)});
      continue;
    }
    if (auto source = choices_at(connector, connector.swagger, parameter.schema))
      out.push_back({parameter.name, title, parameter.required, std::move(*source)});
    if (auto shape = shape_at(connector.swagger, parameter.schema))
      out.push_back({parameter.name, title, parameter.required, std::move(*shape)});
    collect(connector, connector.swagger, parameter.schema, parameter.name, 0, out);
  }
  return out;
}

std::vector<DynamicParameter> dynamic_parameters_of(const Connector& connector, const Value& schema,
                                                    const std::string& prefix) {
  std::vector<DynamicParameter> out;
  collect(connector, schema, schema, prefix, 0, out);
  return out;
}

SchemaPlace follow_schema(const Value& document, const Value& schema, std::string_view path) {
  Value level = schema;
  while (true) {
    const Value resolved = resolve_schema(document, level);
    if (path.empty()) return {level, {}, {}};
    std::size_t longest = 0;
    Value below;
    visit_properties(document, resolved, [&](std::string_view name, const Value& property, bool) {
      const bool fits =
          path == name || (path.size() > name.size() && path.starts_with(name) && path[name.size()] == '/');
      if (fits && name.size() >= longest && !name.empty()) {
        longest = name.size();
        below = property;
      }
    });
    if (longest == 0) {
      if (auto shape = shape_at(document, level)) return {resolved, std::move(shape), std::string(path)};
      return {};
    }
    path.remove_prefix(std::min(path.size(), longest + 1));
    level = below;
  }
}

Result<Value> dynamic_arguments(const Operation& caller, const DynamicCall& call, const Value& given,
                                const Value& selected) {
  json::ObjectBuilder arguments;
  for (const DynamicArgument& argument : call.arguments) {
    Value value = argument.literal;
    if (argument.from == DynamicArgument::From::selected) {
      const Value* found = value_at(selected, argument.path);
      value = found == nullptr ? Value() : *found;
    } else if (argument.from == DynamicArgument::From::parameter) {
      const Value* found = given_value(caller, given, argument.path);
      value = found == nullptr ? Value() : *found;
      if (value.is_null()) {
        if (const OperationParameter* parameter = caller.find(argument.path)) value = parameter->default_value;
      }
      const bool empty = value.is_null() || (value.is_string() && value.as_string().empty());
      if (holds_expression(value)) {
        return make_error("DynamicParameterMissing",
                          "The value of '" + argument.path + "' is an expression, which only a run knows.",
                          json::join("", argument.path),
                          "Type the value, or put a fixed value into '" + argument.path + "' to see the choices.");
      }
      if (empty && argument.required) {
        return make_error("DynamicParameterMissing", "What can stand here depends on '" + argument.path + "'.",
                          json::join("", argument.path), "Give '" + argument.path + "' a value first.");
      }
      if (empty) continue;
    }
    if (!value.is_null()) arguments.set(argument.name, std::move(value));
  }
  return arguments.finish();
}

}  // namespace flowmend::connector
