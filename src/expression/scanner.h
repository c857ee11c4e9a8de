#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "expression/error.h"
#include "json/value.h"

namespace flowmend::expression {

/// The words of the language, under the names that the real service prints in `expected token '<T>' and actual '<U>'`.
enum class TokenKind : std::uint8_t {
  end_of_data,
  identifier,
  string_literal,
  integer_literal,
  float_literal,
  left_parenthesis,
  right_parenthesis,
  left_square_bracket,
  right_square_bracket,
  right_curly_bracket,
  comma,
  dot,
  question_mark,
  invalid  ///< no token begins here; `Token::problem` says why
};

std::string_view token_name(TokenKind kind);

struct Token {
  TokenKind kind = TokenKind::end_of_data;
  SourceRange range;
  std::string_view text;  ///< of an identifier, as written
  Value literal;          ///< of a literal
  std::string problem;    ///< of `invalid`, in a flow maker's words
};

/// Splits an expression into tokens (expressions.md section 2). Works on the string as it stands in the definition, so
/// that every range points into it. The text must outlive the scanner and its tokens. Never fails: what is no token
/// comes out as `invalid`, and the end comes out for ever.
class Scanner {
 public:
  Scanner(std::string_view source, std::size_t begin, std::size_t end) : source_(source), at_(begin), end_(end) {}

  Token next();

 private:
  Token make(TokenKind kind, std::size_t begin) const;
  Token scan_string(std::size_t begin);
  Token scan_number(std::size_t begin);
  Token invalid(std::size_t begin, std::string problem) const;
  bool number_begins_here() const;

  std::string_view source_;
  std::size_t at_;
  std::size_t end_;
  TokenKind previous_ = TokenKind::end_of_data;
};

}  // namespace flowmend::expression
