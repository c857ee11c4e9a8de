#include "expression/eval_command.h"

#include <algorithm>
#include <fstream>
#include <iostream>
#include <iterator>
#include <random>

#include "expression/context_json.h"
#include "expression/template.h"
#include "json/lines.h"
#include "json/parse.h"
#include "json/write.h"

namespace flowmend::expression {

namespace {

std::uint64_t random_seed() {
  std::random_device device;
  return (static_cast<std::uint64_t>(device()) << 32) | device();
}

Value error_line(Value id, std::string_view code, std::string_view message) {
  return Value::object({{"id", std::move(id)}, {"error", Value::object({{"code", code}, {"message", message}})}});
}

Value answer(std::string_view line) {
  auto request = json::parse(line);
  if (request.has_error()) return error_line({}, "InvalidRequest", request.error().message);
  const Value* given_id = request->find("id");
  const Value id = given_id == nullptr ? Value() : *given_id;
  const Value* expr = request->find("expr");
  if (expr == nullptr || !expr->is_string()) {
    return error_line(id, "InvalidRequest", "A request is an object with the text 'expr'.");
  }
  const Value* context = request->find("context");
  if (context != nullptr && !context->is_object() && !context->is_null()) {
    return error_line(id, "InvalidRequest", "The 'context' of a request must be an object.");
  }
  ContextFromJson evaluation_context(context == nullptr ? Value() : *context, random_seed());
  Diagnostics diagnostics;
  const Template compiled = Template::compile(*expr, evaluation_context, {}, diagnostics);
  auto value = compiled.evaluate(evaluation_context);
  if (value.has_error()) return error_line(id, value.error().code, value.error().message);
  return Value::object({{"id", id}, {"value", std::move(*value)}});
}

/// The string, and below it a line that marks the range.
void print_place(const ExpressionError& error, std::ostream& out) {
  const std::string& text = error.source;
  const std::size_t begin = std::min<std::size_t>(error.range.begin, text.size());
  const std::size_t end = std::min<std::size_t>(std::max(error.range.end, error.range.begin + 1), text.size());
  if (text.empty() || text.find('\n') != std::string::npos) return;
  out << "  " << text << "\n  ";
  for (std::size_t i = 0; i < std::max(end, begin + 1); ++i) {
    const bool continues = i < text.size() && (static_cast<unsigned char>(text[i]) & 0xC0) == 0x80;
    if (!continues) out << (i < begin ? ' ' : '^');
  }
  out << '\n';
}

}  // namespace

int run_eval(std::string expr, std::string context_file) {
  Value context_value;
  if (!context_file.empty()) {
    std::ifstream file(context_file, std::ios::binary);
    const std::string text{std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>()};
    if (!file) {
      std::cerr << "flowmend eval: can't read the context file '" << context_file << "'\n";
      return 2;
    }
    auto parsed = json::parse(text);
    if (parsed.has_error()) {
      std::cerr << "flowmend eval: " << context_file << ": " << parsed.error().message << '\n';
      return 2;
    }
    context_value = std::move(*parsed);
  }
  ContextFromJson context(std::move(context_value), random_seed());
  Diagnostics diagnostics;
  const bool bare = expr.find('@') == std::string::npos;
  const Template compiled = bare ? Template::compile_expression(expr, context, {}, diagnostics)
                                 : Template::compile(Value(expr), context, {}, diagnostics);
  auto value = compiled.evaluate(context);
  if (value.has_error()) {
    std::cerr << value.error().code << ": " << value.error().message << '\n';
    print_place(value.error(), std::cerr);
    for (const Diagnostic& diagnostic : diagnostics) {
      if (!diagnostic.cure.empty()) std::cerr << diagnostic.cure << '\n';
    }
    return 1;
  }
  std::cout << json::write_pretty(*value) << '\n';
  return 0;
}

int run_eval_jsonl(std::istream& in, std::ostream& out) {
  json::answer_lines(in, out, answer, [](std::string_view what) { return error_line({}, "InternalError", what); });
  return 0;
}

}  // namespace flowmend::expression
