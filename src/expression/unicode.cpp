#include "expression/unicode.h"

#include <algorithm>
#include <cstring>

#include <unicode/uchar.h>
#include <unicode/utf8.h>

namespace flowmend::expression {

namespace {

using CodePoint = UChar32;

/// The code point at `at`, which moves on; U+FFFD for broken bytes.
CodePoint next_code_point(std::string_view text, std::size_t& at) {
  const auto* bytes = reinterpret_cast<const std::uint8_t*>(text.data());
  auto index = static_cast<std::int64_t>(at);
  const auto length = static_cast<std::int64_t>(text.size());
  CodePoint c = 0;
  U8_NEXT_OR_FFFD(bytes, index, length, c);
  at = static_cast<std::size_t>(index);
  return c;
}

void append_code_point(std::string& out, CodePoint c) {
  char buffer[4];
  std::size_t length = 0;
  auto* bytes = reinterpret_cast<std::uint8_t*>(buffer);
  U8_APPEND_UNSAFE(bytes, length, c);
  out.append(buffer, length);
}

// .NET leaves these three alone, because their other case is another letter in some culture.
bool has_no_invariant_case(CodePoint c) { return c == 0x130 || c == 0x131 || c == 0x17F; }
CodePoint upper(CodePoint c) { return has_no_invariant_case(c) ? c : u_toupper(c); }
CodePoint lower(CodePoint c) { return has_no_invariant_case(c) ? c : u_tolower(c); }

char ascii_upper(char c) { return c >= 'a' && c <= 'z' ? static_cast<char>(c - 32) : c; }
char ascii_lower(char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c; }

template <class Ascii, class Other>
std::string mapped(std::string_view text, Ascii ascii, Other other) {
  std::string out;
  if (is_ascii(text)) {
    out.resize(text.size());
    std::transform(text.begin(), text.end(), out.begin(), ascii);
    return out;
  }
  out.reserve(text.size());
  for (std::size_t at = 0; at < text.size();) append_code_point(out, other(next_code_point(text, at)));
  return out;
}

bool is_white_space(CodePoint c) {
  return (c >= 0x09 && c <= 0x0D) || c == 0x20 || c == 0x85 || c == 0xA0 || c == 0x1680 ||
         (c >= 0x2000 && c <= 0x200A) || c == 0x2028 || c == 0x2029 || c == 0x202F || c == 0x205F || c == 0x3000;
}

}  // namespace

bool is_ascii(std::string_view text) {
  std::size_t at = 0;
  for (; at + 8 <= text.size(); at += 8) {
    std::uint64_t word = 0;
    std::memcpy(&word, text.data() + at, 8);
    if ((word & 0x8080808080808080ULL) != 0) return false;
  }
  for (; at < text.size(); ++at) {
    if ((static_cast<unsigned char>(text[at]) & 0x80) != 0) return false;
  }
  return true;
}

std::size_t utf16_length(std::string_view text) {
  if (is_ascii(text)) return text.size();
  std::size_t units = 0;
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    if ((byte & 0xC0) != 0x80) units += byte >= 0xF0 ? 2 : 1;
  }
  return units;
}

std::string utf16_slice(std::string_view text, std::size_t begin, std::size_t end) {
  if (begin >= end) return {};
  if (is_ascii(text)) return std::string(text.substr(begin, end - begin));
  std::string out;
  std::size_t unit = 0;
  for (std::size_t at = 0; at < text.size() && unit < end;) {
    const std::size_t from = at;
    const CodePoint c = next_code_point(text, at);
    const std::size_t width = c >= 0x10000 ? 2 : 1;
    if (unit >= begin && unit + width <= end) {
      out.append(text, from, at - from);
    } else if (unit + width > begin) {
      append_code_point(out, 0xFFFD);
    }
    unit += width;
  }
  return out;
}

std::string to_upper(std::string_view text) { return mapped(text, ascii_upper, upper); }
std::string to_lower(std::string_view text) { return mapped(text, ascii_lower, lower); }

int compare_ignoring_case(std::string_view a, std::string_view b) {
  std::size_t i = 0;
  std::size_t j = 0;
  while (i < a.size() && j < b.size()) {
    CodePoint x = static_cast<unsigned char>(a[i]);
    CodePoint y = static_cast<unsigned char>(b[j]);
    if (x < 0x80 && y < 0x80) {
      x = static_cast<unsigned char>(ascii_upper(a[i++]));
      y = static_cast<unsigned char>(ascii_upper(b[j++]));
    } else {
      x = upper(next_code_point(a, i));
      y = upper(next_code_point(b, j));
    }
    if (x != y) return x < y ? -1 : 1;
  }
  if (i < a.size()) return 1;
  return j < b.size() ? -1 : 0;
}

std::string_view trim(std::string_view text) {
  std::size_t begin = 0;
  while (begin < text.size()) {
    std::size_t at = begin;
    if (!is_white_space(next_code_point(text, at))) break;
    begin = at;
  }
  std::size_t end = text.size();
  while (end > begin) {
    std::size_t at = end - 1;
    while (at > begin && (static_cast<unsigned char>(text[at]) & 0xC0) == 0x80) --at;
    std::size_t behind = at;
    if (!is_white_space(next_code_point(text, behind))) break;
    end = at;
  }
  return text.substr(begin, end - begin);
}

std::size_t find_text(std::string_view text, std::string_view part, std::size_t from) {
  if (from > text.size()) return std::string_view::npos;
  if (part.empty()) return from;
  // For short parts find() is at worst a few times linear, and it reads no further than the place that it finds.
  constexpr std::size_t short_bytes = 32;
  if (part.size() <= short_bytes) return text.find(part, from);
  // memmem is linear in the worst case (two-way search); string_view::find is not.
  const void* found = memmem(text.data() + from, text.size() - from, part.data(), part.size());
  if (found == nullptr) return std::string_view::npos;
  return static_cast<std::size_t>(static_cast<const char*>(found) - text.data());
}

}  // namespace flowmend::expression
