#include <algorithm>
#include <iterator>

#include "base/diagnostic.h"
#include "connector/text.h"
#include "expression/context_json.h"
#include "expression/template.h"
#include "repair/origin.h"
#include "repair/reference.h"

namespace flowmend::repair {
namespace {

using definition::Action;

constexpr std::size_t traces_max = 2000;

/// True for a part whose result lacks what its arguments lack: `coalesce` and `if` are there to make up for it.
bool hands_on(std::string_view text) {
  constexpr std::string_view functions[] = {"concat",       "trim",   "tolower", "toupper", "encodeuricomponent",
                                            "uricomponent", "base64", "string",  "replace"};
  const std::string name = connector::lower_case(text.substr(0, text.find('(')));
  return std::find(std::begin(functions), std::end(functions), name) != std::end(functions);
}

/// The outermost references that were null or empty, in the order in which they stand.
void gather_missing(const std::vector<expression::Trace>& traces, int depth, std::size_t& looked,
                    std::vector<const expression::Trace*>& out) {
  for (const expression::Trace& trace : traces) {
    if (++looked > traces_max || depth > 64) return;
    const bool missing =
        !trace.failed && (trace.value.is_null() || (trace.value.is_string() && trace.value.as_string().empty()));
    if (missing && read_reference(trace.text)) {
      out.push_back(&trace);
    } else if (missing || hands_on(trace.text)) {
      gather_missing(trace.subexpressions, depth + 1, looked, out);
    }
  }
}

}  // namespace

bool is_at_or_below(std::string_view pointer, std::string_view above) {
  return pointer.starts_with(above) &&
         (above.empty() || pointer.size() == above.size() || pointer[above.size()] == '/');
}

std::optional<MissingInput> find_missing_input(const definition::Flow& flow, const Failure& failure,
                                               std::string_view preferred_pointer) {
  if (!failure.has_step || failure.action >= flow.actions.size()) return std::nullopt;
  const Action& action = flow.actions[failure.action];
  const Value* inputs = action.definition.find("inputs");
  if (inputs == nullptr || action.settings.secure_inputs) return std::nullopt;
  expression::ContextFromJson seen(failure.context, 0);
  Diagnostics ignored;
  const auto traces = expression::trace(expression::Template::compile(*inputs, seen, "", ignored), seen);
  std::vector<const expression::Trace*> missing;
  std::size_t looked = 0;
  gather_missing(traces, 0, looked, missing);
  const std::string base = action.pointer + "/inputs";
  std::stable_partition(missing.begin(), missing.end(), [&](const expression::Trace* trace) {
    return is_at_or_below(base + trace->path, preferred_pointer);
  });
  for (const expression::Trace* trace : missing) {
    auto origin = find_origin(flow, failure, trace->text);
    if (!origin) continue;
    const std::string field = trace->path.substr(trace->path.rfind('/') + 1);
    return MissingInput{std::move(*origin), base + trace->path, field};
  }
  return std::nullopt;
}

}  // namespace flowmend::repair
