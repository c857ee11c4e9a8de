// Invariants: any bytes compile without a crash or a hang; a diagnostic's range lies inside the string; a literal text
// (no expression) comes back as it was; what compiled evaluates to a value or an error.

#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "expression/context_json.h"
#include "expression/lenient_json.h"
#include "expression/template.h"
#include "json/write.h"

using namespace flowmend;
using namespace flowmend::expression;

namespace {

void require(bool holds) {
  if (!holds) std::abort();
}

constexpr Limits small_limits{.bytes_max = 8u << 20, .steps_max = 200'000, .string_bytes_max = 1u << 20};

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  ContextFromJson context({}, 1);
  Diagnostics diagnostics;
  const Template compiled = Template::compile(Value(text), context, "", diagnostics);
  for (const Diagnostic& diagnostic : diagnostics) {
    require(diagnostic.begin <= diagnostic.end && diagnostic.end <= size);
    require(!diagnostic.message.empty());
  }
  const auto value = compiled.evaluate(context, small_limits);
  if (value.has_error()) {
    require(value.error().range.begin <= value.error().range.end && value.error().range.end <= size);
    require(!value.error().message.empty());
  } else {
    json::write(*value);
  }
  if (text.find('@') == std::string_view::npos) require(value.has_value() && value->as_string() == text);
  trace(compiled, context, small_limits);
  Template::compile_expression(text, context, "", diagnostics);

  const auto read = parse_lenient_json(text);
  if (read.has_value()) json::write(*read);
  return 0;
}
