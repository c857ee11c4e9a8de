#pragma once

#include <iosfwd>
#include <string>

namespace flowmend::expression {

/// `flowmend eval 'EXPR' --context FILE`, for people: prints the value as JSON on standard output, or says on standard
/// error what is wrong and where. `expr` is a string as it stands in a definition; one without any `@` is read as an
/// expression. `context_file` is a path, or empty for an empty context; its form is that of ContextFromJson.
///
/// Returns the exit code: 0, 1 when the expression fails, 2 when the file can't be read.
int run_eval(std::string expr, std::string context_file);

/// `flowmend eval --jsonl`: reads `{"id", "expr", "context"?}` a line, writes `{"id", "value"}` or
/// `{"id", "error": {"code", "message"}}` a line, in order. A line that is no such object gives an error line with code
/// `InvalidRequest`; blank lines are skipped. Returns 0 at the end of the input.
int run_eval_jsonl(std::istream& in, std::ostream& out);

}  // namespace flowmend::expression
