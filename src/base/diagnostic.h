#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace flowmend {

enum class Severity : std::uint8_t { error, warning };

/// One finding about a document that a person wrote: a flow definition or a connector file.
///
/// `pointer` is an RFC 6901 JSON pointer into that document. `begin`/`end` are byte offsets inside the string found
/// there when the finding is about a part of an expression; both 0 otherwise.
struct Diagnostic {
  std::string pointer;
  Severity severity = Severity::error;
  std::string code;
  std::string message;
  std::string cure;
  std::uint32_t begin = 0;
  std::uint32_t end = 0;
};

using Diagnostics = std::vector<Diagnostic>;

}  // namespace flowmend
