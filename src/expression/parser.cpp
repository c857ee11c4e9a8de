#include "expression/parser.h"

#include <optional>
#include <string>
#include <utility>

#include "expression/scanner.h"

namespace flowmend::expression {

namespace {

bool is_word(std::string_view text, std::string_view lower_case_word) {
  if (text.size() != lower_case_word.size()) return false;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const char c = text[i] >= 'A' && text[i] <= 'Z' ? static_cast<char>(text[i] + 32) : text[i];
    if (c != lower_case_word[i]) return false;
  }
  return true;
}

/// Recursive descent with one token of look-ahead. A function that fails returns nothing and leaves `error_` set.
class Parser {
 public:
  Parser(std::string_view source, std::size_t begin, Ending ending)
      : source_(source),
        begin_(begin),
        ending_(ending),
        scanner_(source, begin, source.size()),
        token_(scanner_.next()) {}

  Outcome<Parsed> read() {
    SyntaxPointer root = expression(0);
    const TokenKind last = ending_ == Ending::end_of_text ? TokenKind::end_of_data : TokenKind::right_curly_bracket;
    if (root != nullptr && token_.kind != last) {
      unexpected(last);
      root.reset();
    }
    if (root == nullptr) return std::move(*error_);
    return Parsed{std::move(root), token_.range.end};
  }

 private:
  void take() { token_ = scanner_.next(); }

  bool accept(TokenKind kind) {
    if (token_.kind != kind) return false;
    take();
    return true;
  }

  bool expect(TokenKind kind) {
    if (accept(kind)) return true;
    unexpected(kind);
    return false;
  }

  SyntaxPointer expression(unsigned depth) {
    if (depth >= nesting_max) {
      fail("Unable to parse template language expression '" + shown() + "': it nests deeper than " +
           std::to_string(nesting_max) + " levels.");
      return nullptr;
    }
    SyntaxPointer part = primary(depth);
    if (part == nullptr) return nullptr;
    std::vector<SyntaxStep> steps;
    while (token_.kind == TokenKind::question_mark || token_.kind == TokenKind::dot ||
           token_.kind == TokenKind::left_square_bracket) {
      auto next = step(depth);
      if (!next) return nullptr;
      steps.push_back(std::move(*next));
    }
    if (steps.empty()) return part;
    auto selection = std::make_unique<Syntax>();
    selection->kind = Syntax::Kind::selection;
    selection->range = {part->range.begin, steps.back().range.end};
    selection->base = std::move(part);
    selection->steps = std::move(steps);
    return selection;
  }

  SyntaxPointer primary(unsigned depth) {
    switch (token_.kind) {
      case TokenKind::string_literal:
      case TokenKind::integer_literal:
      case TokenKind::float_literal: return literal(token_.literal);
      case TokenKind::identifier: break;
      default: unexpected(TokenKind::identifier); return nullptr;
    }
    const Token name = token_;
    take();
    if (token_.kind != TokenKind::left_parenthesis) {
      std::optional<Value> word;
      if (is_word(name.text, "true")) word = Value(true);
      if (is_word(name.text, "false")) word = Value(false);
      if (is_word(name.text, "null")) word = Value();
      if (!word) {
        unexpected(TokenKind::left_parenthesis);
        if (name.text.front() == '"') error_->message += " Texts stand in single quotes.";
        return nullptr;
      }
      auto constant = std::make_unique<Syntax>();
      constant->range = name.range;
      constant->literal = std::move(*word);
      return constant;
    }
    take();
    auto call = std::make_unique<Syntax>();
    call->kind = Syntax::Kind::call;
    call->name = name.text;
    call->name_range = name.range;
    if (token_.kind != TokenKind::right_parenthesis) {
      do {
        SyntaxPointer argument = expression(depth + 1);
        if (argument == nullptr) return nullptr;
        call->arguments.push_back(std::move(argument));
      } while (accept(TokenKind::comma));
    }
    call->range = {name.range.begin, token_.range.end};
    if (!expect(TokenKind::right_parenthesis)) return nullptr;
    return call;
  }

  SyntaxPointer literal(Value value) {
    auto constant = std::make_unique<Syntax>();
    constant->range = token_.range;
    constant->literal = std::move(value);
    take();
    return constant;
  }

  std::optional<SyntaxStep> step(unsigned depth) {
    SyntaxStep result;
    result.range.begin = token_.range.begin;
    result.safe = accept(TokenKind::question_mark);
    if (accept(TokenKind::dot)) {
      if (token_.kind != TokenKind::identifier) {
        unexpected(TokenKind::identifier);
        return std::nullopt;
      }
      result.range.end = token_.range.end;
      result.key = literal(Value(token_.text));
      return result;
    }
    if (!expect(TokenKind::left_square_bracket)) return std::nullopt;
    result.key = expression(depth + 1);
    if (result.key == nullptr) return std::nullopt;
    result.range.end = token_.range.end;
    if (!expect(TokenKind::right_square_bracket)) return std::nullopt;
    return result;
  }

  void unexpected(TokenKind wanted) {
    if (token_.kind == TokenKind::invalid) {
      fail("Unable to parse template language expression '" + shown() + "': " + token_.problem + ".");
      return;
    }
    fail("Unable to parse template language expression '" + shown() + "': expected token '" +
         std::string(token_name(wanted)) + "' and actual '" + std::string(token_name(token_.kind)) + "'.");
    error_->expected = token_name(wanted);
    error_->found = token_name(token_.kind);
  }

  void fail(std::string message) {
    if (error_) return;
    error_.emplace();
    error_->message = std::move(message);
    error_->source = source_;
    error_->range = token_.range;
  }

  /// The expression as messages quote it, cut when it is very long.
  std::string shown() const {
    constexpr std::size_t shown_max = 2'000;
    std::string_view text = source_.substr(begin_);
    if (ending_ == Ending::right_curly_bracket) text = text.substr(0, text.rfind('}'));
    if (text.size() <= shown_max) return std::string(text);
    std::size_t cut = shown_max;
    while (cut > 0 && (static_cast<unsigned char>(text[cut]) & 0xC0) == 0x80) --cut;
    return std::string(text.substr(0, cut)) + "...";
  }

  std::string_view source_;
  std::size_t begin_;
  Ending ending_;
  Scanner scanner_;
  Token token_;
  std::optional<ExpressionError> error_;
};

}  // namespace

Outcome<Parsed> parse(std::string_view source, std::size_t begin, Ending ending) {
  return Parser(source, begin, ending).read();
}

}  // namespace flowmend::expression
