#include "connector/lenient.h"

#include <string>

#include "json/parse.h"

namespace flowmend::connector {
namespace {

constexpr json::ParseLimits limits{.bytes_max = 16u << 20, .depth_max = 200};

std::string place_of(std::string_view text, std::size_t offset) {
  std::size_t line = 1;
  std::size_t column = 1;
  for (std::size_t i = 0; i < offset && i < text.size(); ++i) {
    if (text[i] == '\n') {
      ++line;
      column = 1;
    } else {
      ++column;
    }
  }
  return "line " + std::to_string(line) + ", column " + std::to_string(column);
}

/// Rewrites the text to plain JSON, one pass; positions are kept by writing blanks for what is dropped.
class Repairer {
 public:
  Repairer(std::string_view text, std::string_view pointer, Diagnostics& warnings)
      : text_(text), pointer_(pointer), warnings_(warnings) {}

  std::string run() {
    out_.reserve(text_.size());
    while (at_ < text_.size()) step();
    return std::move(out_);
  }

 private:
  void warn_once(bool& said, const char* what) {
    if (said) return;
    said = true;
    warnings_.push_back({std::string(pointer_), Severity::warning, "ConnectorJsonRepaired",
                         std::string("The file has ") + what + " (first at " + place_of(text_, at_) + ").",
                         "Remove it; other tools may refuse the file."});
  }

  void step() {
    const char c = text_[at_];
    if (c == '"') return copy_string();
    if (c == '/' && at_ + 1 < text_.size() && (text_[at_ + 1] == '/' || text_[at_ + 1] == '*')) return skip_comment();
    if (c == ',') return comma();
    if (text_.substr(at_).starts_with("\xC2\xA0") || text_.substr(at_).starts_with("\xE2\x80\x83")) {
      warn_once(said_blank_, "blanks that JSON does not know");
      const std::size_t size = c == '\xC2' ? 2 : 3;
      out_.append(size, ' ');
      at_ += size;
      return;
    }
    out_ += c;
    ++at_;
  }

  void copy_string() {
    out_ += text_[at_++];
    while (at_ < text_.size()) {
      const char c = text_[at_];
      if (static_cast<unsigned char>(c) < 0x20) {
        warn_once(said_control_, "raw control characters in texts");
        out_ += c == '\n' ? "\\n" : c == '\t' ? "\\t" : c == '\r' ? "\\r" : " ";
        ++at_;
        continue;
      }
      out_ += c;
      ++at_;
      if (c == '"') return;
      if (c == '\\' && at_ < text_.size()) out_ += text_[at_++];
    }
  }

  void skip_comment() {
    warn_once(said_comment_, "comments");
    const bool line = text_[at_ + 1] == '/';
    const std::size_t end = line ? text_.find('\n', at_) : text_.find("*/", at_ + 2);
    at_ = end == std::string_view::npos ? text_.size() : line ? end : end + 2;
    out_ += ' ';
  }

  void comma() {
    std::size_t next = at_ + 1;
    while (next < text_.size() &&
           (text_[next] == ' ' || text_[next] == '\n' || text_[next] == '\r' || text_[next] == '\t'))
      ++next;
    if (next < text_.size() && (text_[next] == '}' || text_[next] == ']')) {
      warn_once(said_comma_, "a comma before a closing bracket");
      out_ += ' ';
    } else {
      out_ += ',';
    }
    ++at_;
  }

  std::string_view text_;
  std::string_view pointer_;
  Diagnostics& warnings_;
  std::string out_;
  std::size_t at_ = 0;
  bool said_blank_ = false;
  bool said_control_ = false;
  bool said_comment_ = false;
  bool said_comma_ = false;
};

}  // namespace

Result<json::Value> parse_lenient(std::string_view text, std::string_view pointer, Diagnostics& warnings) {
  if (text.starts_with("\xEF\xBB\xBF")) text.remove_prefix(3);
  if (auto value = json::parse(text, limits)) return *value;
  if (text.size() > limits.bytes_max) {
    return make_error("InvalidJSON", "The file is larger than 16 MiB.", {}, "Split the connector.");
  }
  Diagnostics repairs;
  const std::string repaired = Repairer(text, pointer, repairs).run();
  auto value = json::parse(repaired, limits);
  if (value) warnings.insert(warnings.end(), repairs.begin(), repairs.end());
  return value;
}

}  // namespace flowmend::connector
