#include "expression/scanner.h"

#include <charconv>
#include <cstdlib>

namespace flowmend::expression {

namespace {

/// The length of the white space that `text` begins with, or 0. Beside ASCII's the no-break and other wide spaces: they
/// come along when people paste, and exported flows with them run.
std::size_t space_length(std::string_view text) {
  const char c = text.front();
  if (c == ' ' || (c >= '\t' && c <= '\r')) return 1;
  if ((static_cast<unsigned char>(c) & 0x80) == 0) return 0;
  for (const std::string_view space : {"\xC2\xA0", "\xC2\x85", "\xE1\x9A\x80", "\xE2\x80\xA8", "\xE2\x80\xA9",
                                       "\xE2\x80\xAF", "\xE2\x81\x9F", "\xE3\x80\x80", "\xEF\xBB\xBF"}) {
    if (text.starts_with(space)) return space.size();
  }
  const bool in_general_punctuation = text.size() >= 3 && text.starts_with("\xE2\x80");
  return in_general_punctuation && static_cast<unsigned char>(text[2]) >= 0x80 &&
                 static_cast<unsigned char>(text[2]) <= 0x8B
             ? 3
             : 0;
}

bool is_digit(char c) { return c >= '0' && c <= '9'; }

/// Everything but white space and punctuation: the designer's scanner accepts it (expressions.md section 2, X).
bool is_identifier_character(char c) {
  switch (c) {
    case '.':
    case ',':
    case '(':
    case ')':
    case '{':
    case '}':
    case '@':
    case '[':
    case ']':
    case '?':
    case '\'':
    case '\0': return false;
    default: return c != ' ' && !(c >= '\t' && c <= '\r');
  }
}

}  // namespace

std::string_view token_name(TokenKind kind) {
  switch (kind) {
    case TokenKind::end_of_data: return "EndOfData";
    case TokenKind::identifier: return "Identifier";
    case TokenKind::string_literal: return "StringLiteral";
    case TokenKind::integer_literal: return "IntegerLiteral";
    case TokenKind::float_literal: return "FloatLiteral";
    case TokenKind::left_parenthesis: return "LeftParenthesis";
    case TokenKind::right_parenthesis: return "RightParenthesis";
    case TokenKind::left_square_bracket: return "LeftSquareBracket";
    case TokenKind::right_square_bracket: return "RightSquareBracket";
    case TokenKind::right_curly_bracket: return "RightCurlyBracket";
    case TokenKind::comma: return "Comma";
    case TokenKind::dot: return "Dot";
    case TokenKind::question_mark: return "QuestionMark";
    case TokenKind::invalid: return "Invalid";
  }
  return "Invalid";
}

Token Scanner::make(TokenKind kind, std::size_t begin) const {
  Token token;
  token.kind = kind;
  token.range = {static_cast<std::uint32_t>(begin), static_cast<std::uint32_t>(at_)};
  token.text = source_.substr(begin, at_ - begin);
  return token;
}

Token Scanner::invalid(std::size_t begin, std::string problem) const {
  Token token = make(TokenKind::invalid, begin);
  token.problem = std::move(problem);
  return token;
}

bool Scanner::number_begins_here() const {
  // A name may begin with a digit behind a dot (`body().2024`), and nowhere else.
  if (previous_ == TokenKind::dot) return false;
  std::size_t at = at_;
  if (source_[at] == '+' || source_[at] == '-') ++at;
  if (at >= end_) return false;
  if (is_digit(source_[at])) return true;
  if (source_[at] != '.' || at + 1 >= end_ || !is_digit(source_[at + 1])) return false;
  if (at > at_) return true;
  switch (previous_) {
    case TokenKind::identifier:
    case TokenKind::string_literal:
    case TokenKind::integer_literal:
    case TokenKind::float_literal:
    case TokenKind::right_parenthesis:
    case TokenKind::right_square_bracket:
    case TokenKind::question_mark: return false;
    default: return true;
  }
}

Token Scanner::next() {
  while (at_ < end_) {
    const std::size_t space = space_length(source_.substr(at_, end_ - at_));
    if (space == 0) break;
    at_ += space;
  }
  const std::size_t begin = at_;
  if (at_ >= end_) return make(TokenKind::end_of_data, begin);
  Token token;
  if (number_begins_here()) {
    token = scan_number(begin);
  } else {
    const char c = source_[at_++];
    switch (c) {
      case '(': token = make(TokenKind::left_parenthesis, begin); break;
      case ')': token = make(TokenKind::right_parenthesis, begin); break;
      case '[': token = make(TokenKind::left_square_bracket, begin); break;
      case ']': token = make(TokenKind::right_square_bracket, begin); break;
      case '}': token = make(TokenKind::right_curly_bracket, begin); break;
      case ',': token = make(TokenKind::comma, begin); break;
      case '.': token = make(TokenKind::dot, begin); break;
      case '?': token = make(TokenKind::question_mark, begin); break;
      case '\'': token = scan_string(begin); break;
      default:
        if (!is_identifier_character(c)) {
          token = invalid(begin, "the character at position " + std::to_string(begin) + " has no meaning here");
          break;
        }
        while (at_ < end_ && is_identifier_character(source_[at_]) &&
               space_length(source_.substr(at_, end_ - at_)) == 0) {
          ++at_;
        }
        token = make(TokenKind::identifier, begin);
    }
  }
  previous_ = token.kind;
  return token;
}

Token Scanner::scan_string(std::size_t begin) {
  std::string text;
  std::size_t copied = at_;
  for (;;) {
    const std::size_t quote = source_.substr(0, end_).find('\'', at_);
    if (quote == std::string_view::npos) {
      at_ = end_;
      return invalid(begin, "the text that begins at position " + std::to_string(begin) + " has no closing quote");
    }
    at_ = quote + 1;
    if (at_ < end_ && source_[at_] == '\'') {  // a doubled quote stands for one
      text.append(source_, copied, at_ - copied);
      copied = ++at_;
      continue;
    }
    text.append(source_, copied, quote - copied);
    Token token = make(TokenKind::string_literal, begin);
    token.literal = Value(std::string_view(text));
    return token;
  }
}

Token Scanner::scan_number(std::size_t begin) {
  bool whole = true;
  bool exponent_lacks_digits = false;
  if (source_[at_] == '+' || source_[at_] == '-') ++at_;
  while (at_ < end_ && is_digit(source_[at_])) ++at_;
  if (at_ < end_ && source_[at_] == '.') {
    whole = false;
    ++at_;
    while (at_ < end_ && is_digit(source_[at_])) ++at_;
  }
  if (at_ < end_ && (source_[at_] == 'e' || source_[at_] == 'E')) {
    whole = false;
    ++at_;
    if (at_ < end_ && (source_[at_] == '+' || source_[at_] == '-')) ++at_;
    const std::size_t digits = at_;
    while (at_ < end_ && is_digit(source_[at_])) ++at_;
    exponent_lacks_digits = digits == at_;
  }
  const bool goes_on = at_ < end_ && (is_identifier_character(source_[at_]) || source_[at_] == '.');
  if (exponent_lacks_digits || goes_on) {
    while (at_ < end_ && (is_identifier_character(source_[at_]) || source_[at_] == '.')) ++at_;
    return invalid(begin, "'" + std::string(source_.substr(begin, at_ - begin)) + "' is not a number");
  }
  Token token = make(whole ? TokenKind::integer_literal : TokenKind::float_literal, begin);
  std::string_view digits = token.text;
  if (digits.front() == '+') digits.remove_prefix(1);
  if (whole) {
    std::int64_t number = 0;
    const auto read = std::from_chars(digits.data(), digits.data() + digits.size(), number);
    if (read.ec != std::errc()) {
      return invalid(begin, "the whole number '" + std::string(token.text) + "' does not fit into 64 bits");
    }
    token.literal = Value(number);
  } else {
    // strtod and not from_chars: an overflow is infinity and an underflow zero, as in .NET.
    token.literal = Value(std::strtod(std::string(digits).c_str(), nullptr));
  }
  return token;
}

}  // namespace flowmend::expression
