#include "expression/lenient_json.h"

#include <charconv>
#include <cstdlib>
#include <limits>
#include <optional>
#include <stdexcept>
#include <unordered_map>
#include <vector>

namespace flowmend::expression {

namespace {

bool is_digit(char c) { return c >= '0' && c <= '9'; }
bool is_white_space(char c) { return c == ' ' || c == '\t' || c == '\r' || c == '\n'; }
bool is_name_character(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || is_digit(c) || c == '_' || c == '$' ||
         (static_cast<unsigned char>(c) & 0x80) != 0;
}

void append_utf8(std::string& out, std::uint32_t c) {
  if (c < 0x80) {
    out += static_cast<char>(c);
  } else if (c < 0x800) {
    out += static_cast<char>(0xC0 | (c >> 6));
    out += static_cast<char>(0x80 | (c & 0x3F));
  } else if (c < 0x10000) {
    out += static_cast<char>(0xE0 | (c >> 12));
    out += static_cast<char>(0x80 | ((c >> 6) & 0x3F));
    out += static_cast<char>(0x80 | (c & 0x3F));
  } else {
    out += static_cast<char>(0xF0 | (c >> 18));
    out += static_cast<char>(0x80 | ((c >> 12) & 0x3F));
    out += static_cast<char>(0x80 | ((c >> 6) & 0x3F));
    out += static_cast<char>(0x80 | (c & 0x3F));
  }
}

/// The members of an object that is being read. Few names are compared one by one, many are looked up.
class Members {
 public:
  void set(Value name, Value value) {
    constexpr std::size_t few = 16;
    if (members_.size() < few) {
      for (std::size_t i = 0; i < members_.size(); ++i) {
        if (members_[i] && members_[i]->name() == name.as_string()) members_[i].reset();
      }
    } else {
      if (places_.empty()) {
        for (std::size_t i = 0; i < members_.size(); ++i) {
          if (members_[i]) places_.insert_or_assign(std::string(members_[i]->name()), i);
        }
      }
      const auto [place, is_new] = places_.try_emplace(std::string(name.as_string()), members_.size());
      if (!is_new) {
        members_[place->second].reset();
        place->second = members_.size();
      }
    }
    members_.emplace_back(json::Member(std::move(name), std::move(value)));
  }

  Value finish() {
    json::ObjectBuilder builder;
    builder.reserve(members_.size());
    for (auto& member : members_) {
      if (member) builder.add(std::move(member->key), std::move(member->value));
    }
    return builder.finish();
  }

 private:
  std::vector<std::optional<json::Member>> members_;
  std::unordered_map<std::string, std::size_t> places_;
};

/// One step on the way to the place that is being read, for the fault's path.
struct Step {
  bool in_object = false;
  std::string name;
  std::size_t index = 0;     ///< of the element that is being read
  bool any_element = false;  ///< one has been read to its end
  bool between = false;      ///< behind an element, before its comma
};

class Reader {
 public:
  explicit Reader(std::string_view text) : text_(text) {}

  boost::system::result<Value, JsonFault> read() {
    if (text_.starts_with("\xEF\xBB\xBF")) at_ = 3;
    Value value;
    if (!skip_space() || !read_value(value, 0)) return JsonFault{std::move(message_)};
    return value;
  }

 private:
  bool at_end() const { return at_ >= text_.size(); }
  char peek() const { return text_[at_]; }

  bool fail(std::string message) {
    if (message_.empty()) message_ = std::move(message);
    return false;
  }

  /// `Path 'a.b[0]', line 1, position 7.`
  std::string place() const {
    std::size_t line = 1;
    std::size_t line_begin = 0;
    for (std::size_t i = 0; i < at_ && i < text_.size(); ++i) {
      if (text_[i] == '\n') {
        ++line;
        line_begin = i + 1;
      }
    }
    // Newtonsoft counts the first line as 0 while it has consumed nothing.
    if (at_ == 0) line = 0;
    return path() + ", line " + std::to_string(line) + ", position " + std::to_string(at_ - line_begin) + ".";
  }

  std::string path() const {
    std::string out;
    for (const Step& step : path_) {
      const bool innermost = &step == &path_.back();
      if (!step.in_object && innermost) {
        // Here Newtonsoft names the element that it read last.
        if (step.any_element) out += "[" + std::to_string(step.between ? step.index : step.index - 1) + "]";
      } else if (!step.in_object) {
        out += "[" + std::to_string(step.index) + "]";
      } else if (!step.name.empty()) {
        if (!out.empty()) out += '.';
        out += step.name;
      }
    }
    return "Path '" + out + "'";
  }

  bool unexpected_end() { return fail("Unexpected end when reading token. " + path() + "."); }

  bool unexpected_character() {
    return fail("Unexpected character encountered while parsing value: " + shown_character() + ". " + place());
  }

  std::string shown_character() const {
    std::size_t end = at_ + 1;
    while (end < text_.size() && (static_cast<unsigned char>(text_[end]) & 0xC0) == 0x80) ++end;
    return std::string(text_.substr(at_, end - at_));
  }

  /// White space and comments.
  bool skip_space() {
    while (!at_end()) {
      if (is_white_space(peek())) {
        ++at_;
      } else if (peek() == '/') {
        if (!skip_comment()) return false;
      } else {
        break;
      }
    }
    return true;
  }

  bool skip_comment() {
    if (at_ + 1 >= text_.size()) return fail("Unexpected end while parsing comment. " + place());
    const char kind = text_[at_ + 1];
    if (kind == '/') {
      const auto end = text_.find_first_of("\r\n", at_);
      at_ = end == std::string_view::npos ? text_.size() : end;
      return true;
    }
    if (kind != '*') return fail("Error parsing comment. Expected: *, got " + std::string(1, kind) + ". " + place());
    const auto end = text_.find("*/", at_ + 2);
    if (end == std::string_view::npos) return fail("Unexpected end while parsing comment. " + place());
    at_ = end + 2;
    return true;
  }

  bool read_value(Value& out, unsigned depth) {
    if (at_end()) return unexpected_end();
    switch (peek()) {
      case '{': return read_object(out, depth);
      case '[': return read_array(out, depth);
      case '"':
      case '\'': return read_string(out);
      default: break;
    }
    if (is_digit(peek()) || peek() == '-' || peek() == '.') return read_number(out);
    return read_word(out);
  }

  bool too_deep(unsigned depth) {
    if (depth < json::depth_max) return false;
    fail("The reader's MaxDepth of " + std::to_string(json::depth_max) + " has been exceeded. " + place());
    return true;
  }

  bool read_array(Value& out, unsigned depth) {
    if (too_deep(depth)) return false;
    ++at_;
    path_.push_back({});
    json::ArrayBuilder builder;
    for (;;) {
      if (!skip_space()) return false;
      if (at_end()) return unexpected_end();
      if (peek() == ']') break;
      Value element;  // nothing between two commas is undefined for Newtonsoft, which becomes null
      path_.back().between = false;
      if (peek() != ',' && !read_value(element, depth + 1)) return false;
      path_.back().between = true;
      path_.back().any_element = true;
      builder.push(std::move(element));
      if (!skip_space()) return false;
      if (at_end()) return unexpected_end();
      if (peek() == ']') break;
      if (peek() != ',') {
        return fail("After parsing a value an unexpected character was encountered: " + shown_character() + ". " +
                    place());
      }
      ++at_;
      ++path_.back().index;
    }
    ++at_;
    path_.pop_back();
    out = builder.finish();
    return true;
  }

  bool read_object(Value& out, unsigned depth) {
    if (too_deep(depth)) return false;
    ++at_;
    path_.push_back({.in_object = true, .name = {}});
    Members members;
    for (;;) {
      if (!skip_space()) return false;
      if (at_end()) return unexpected_end();
      if (peek() == '}') break;
      Value name;
      if (!read_name(name)) return false;
      path_.back().name = name.as_string();
      if (!skip_space()) return false;
      if (at_end()) return unexpected_end();
      if (peek() != ':') {
        return fail("Invalid character after parsing property name. Expected ':' but got: " + shown_character() + ". " +
                    place());
      }
      ++at_;
      if (!skip_space()) return false;
      Value value;
      if (!read_value(value, depth + 1)) return false;
      members.set(std::move(name), std::move(value));
      if (!skip_space()) return false;
      if (at_end()) return unexpected_end();
      if (peek() == '}') break;
      if (peek() != ',') {
        return fail("After parsing a value an unexpected character was encountered: " + shown_character() + ". " +
                    place());
      }
      ++at_;
    }
    ++at_;
    path_.pop_back();
    out = members.finish();
    return true;
  }

  bool read_name(Value& out) {
    if (peek() == '"' || peek() == '\'') return read_string(out);
    const std::size_t begin = at_;
    while (!at_end() && is_name_character(peek())) ++at_;
    if (at_ == begin) return fail("Invalid property identifier character: " + shown_character() + ". " + place());
    out = Value(text_.substr(begin, at_ - begin));
    return true;
  }

  bool read_string(Value& out) {
    const char quote = text_[at_++];
    const std::size_t begin = at_;
    while (!at_end() && peek() != quote && peek() != '\\') ++at_;
    if (!at_end() && peek() == quote) {
      out = Value(text_.substr(begin, at_++ - begin));
      return true;
    }
    std::string text(text_.substr(begin, at_ - begin));
    while (!at_end() && peek() != quote) {
      if (peek() != '\\') {
        text += text_[at_++];
        continue;
      }
      ++at_;
      if (!read_escape(text)) return false;
    }
    if (at_end()) return fail("Unterminated string. Expected delimiter: " + std::string(1, quote) + ". " + place());
    ++at_;
    out = Value(std::string_view(text));
    return true;
  }

  bool read_escape(std::string& text) {
    if (at_end()) return fail("Unterminated string. Expected delimiter: \". " + place());
    const char c = text_[at_++];
    switch (c) {
      case 'b': text += '\b'; return true;
      case 't': text += '\t'; return true;
      case 'n': text += '\n'; return true;
      case 'f': text += '\f'; return true;
      case 'r': text += '\r'; return true;
      case '\\':
      case '/':
      case '"':
      case '\'': text += c; return true;
      case 'u': break;
      default: --at_; return fail("Bad JSON escape sequence: \\" + shown_character() + ". " + place());
    }
    auto unit = read_hexadecimal_unit();
    if (!unit) return false;
    std::uint32_t code = *unit;
    if (code >= 0xD800 && code < 0xDC00 && text_.substr(at_, 2) == "\\u") {
      const std::size_t back = at_;
      at_ += 2;
      const auto low = read_hexadecimal_unit();
      if (!low) return false;
      if (*low >= 0xDC00 && *low < 0xE000) {
        code = 0x10000 + ((code - 0xD800) << 10) + (*low - 0xDC00);
      } else {
        at_ = back;
      }
    }
    append_utf8(text, code >= 0xD800 && code < 0xE000 ? 0xFFFD : code);
    return true;
  }

  std::optional<std::uint32_t> read_hexadecimal_unit() {
    std::uint32_t unit = 0;
    if (at_ + 4 <= text_.size()) {
      const char* begin = text_.data() + at_;
      const auto read = std::from_chars(begin, begin + 4, unit, 16);
      if (read.ec == std::errc() && read.ptr == begin + 4) {
        at_ += 4;
        return unit;
      }
    }
    fail("Unexpected end while parsing Unicode escape sequence. " + place());
    return std::nullopt;
  }

  bool read_number(Value& out) {
    const std::size_t begin = at_;
    if (text_.substr(at_).starts_with("-Infinity")) {
      at_ += 9;
      out = Value(-std::numeric_limits<double>::infinity());
      return true;
    }
    while (!at_end() && (is_digit(peek()) || (peek() >= 'a' && peek() <= 'f') || (peek() >= 'A' && peek() <= 'F') ||
                         peek() == 'x' || peek() == 'X' || peek() == '.' || peek() == '+' || peek() == '-')) {
      ++at_;
    }
    const std::string_view token = text_.substr(begin, at_ - begin);
    if (number_of(token, out)) return true;
    return fail("Input string '" + std::string(token.substr(0, 100)) + "' is not a valid number. " + place());
  }

  static bool number_of(std::string_view token, Value& out) {
    const char* begin = token.data();
    const char* end = token.data() + token.size();
    const auto read_integer = [&](std::string_view digits, int base) {
      std::uint64_t bits = 0;
      const auto read = std::from_chars(digits.data(), digits.data() + digits.size(), bits, base);
      if (read.ec != std::errc() || read.ptr != digits.data() + digits.size()) return false;
      out = Value(static_cast<std::int64_t>(bits));
      return true;
    };
    if (token.size() > 2 && token[0] == '0' && (token[1] == 'x' || token[1] == 'X'))
      return read_integer(token.substr(2), 16);
    const bool whole = token.find_first_of(".eE") == std::string_view::npos;
    if (whole && token.size() > 1 && token[0] == '0') return read_integer(token.substr(1), 8);
    if (whole) {
      std::int64_t number = 0;
      const auto read = std::from_chars(begin, end, number);
      if (read.ec == std::errc() && read.ptr == end) {
        out = Value(number);
        return true;
      }
      if (read.ec != std::errc::result_out_of_range || read.ptr != end) return false;
      if (const auto decimal = json::Decimal::parse(token)) {
        out = Value(*decimal);
        return true;
      }
    }
    // One digit at least, and nothing that only strtod would take.
    bool digits = false;
    for (std::size_t i = 0; i < token.size(); ++i) {
      const char c = token[i];
      digits = digits || is_digit(c);
      const bool sign = (c == '-' || c == '+') && (i == 0 ? c == '-' : token[i - 1] == 'e' || token[i - 1] == 'E');
      if (!is_digit(c) && c != '.' && c != 'e' && c != 'E' && !sign) return false;
    }
    if (!digits) return false;
    const std::string text(token);
    char* stop = nullptr;
    const double number = std::strtod(text.c_str(), &stop);
    if (stop != text.c_str() + text.size()) return false;
    out = Value(number);
    return true;
  }

  bool read_word(Value& out) {
    struct Word {
      std::string_view text;
      Value value;
      std::string_view kind;
    };
    const std::string_view rest = text_.substr(at_);
    const Word words[] = {{"true", Value(true), "boolean"},
                          {"false", Value(false), "boolean"},
                          {"null", Value(), "null"},
                          {"undefined", Value(), "undefined"},
                          {"NaN", Value(std::numeric_limits<double>::quiet_NaN()), "NaN"},
                          {"Infinity", Value(std::numeric_limits<double>::infinity()), "Infinity"}};
    for (const Word& word : words) {
      // `n` alone may also begin `new`, which is no value here.
      const std::size_t telling = word.text == "null" ? 2 : 1;
      if (!rest.starts_with(word.text.substr(0, telling))) continue;
      const bool goes_on = rest.size() > word.text.size() && is_name_character(rest[word.text.size()]);
      if (!rest.starts_with(word.text) || goes_on) {
        return fail("Error parsing " + std::string(word.kind) + " value. " + place());
      }
      at_ += word.text.size();
      out = word.value;
      return true;
    }
    return unexpected_character();
  }

  std::string_view text_;
  std::size_t at_ = 0;
  std::vector<Step> path_;
  std::string message_;
};

}  // namespace

void throw_exception_from_error(const JsonFault& fault, const boost::source_location& place) {
  throw std::logic_error(std::string(place.file_name()) + ": value() of a failed reading: " + fault.message);
}

boost::system::result<Value, JsonFault> parse_lenient_json(std::string_view text) { return Reader(text).read(); }

}  // namespace flowmend::expression
