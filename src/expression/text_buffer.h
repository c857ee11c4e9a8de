#pragma once

#include <array>
#include <charconv>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <string>
#include <string_view>

namespace flowmend::expression {

/// The longest text that a function may make (D: the results of concat() and join()).
inline constexpr std::size_t text_bytes_max = 104'857'600;

/// Where text is put together (interpolation, concat, join): the first bytes need no allocation, and no more than
/// `limit` bytes are ever held. What comes after that is dropped and `overflowed` says so.
class TextBuffer {
 public:
  explicit TextBuffer(std::size_t limit) : limit_(limit) {}
  TextBuffer(const TextBuffer&) = delete;
  TextBuffer& operator=(const TextBuffer&) = delete;

  void append(std::string_view text) {
    if (text.size() <= inline_bytes - size_ && !spilled_) {
      if (size_ + text.size() > limit_) {
        overflowed_ = true;
        return;
      }
      if (!text.empty()) std::memcpy(inline_.data() + size_, text.data(), text.size());
      size_ += text.size();
      return;
    }
    append_spilled(text);
  }

  void append_integer(std::int64_t number) {
    std::array<char, 24> digits;
    const auto end = std::to_chars(digits.data(), digits.data() + digits.size(), number);
    append({digits.data(), static_cast<std::size_t>(end.ptr - digits.data())});
  }

  std::size_t size() const { return spilled_ ? long_.size() : size_; }
  std::size_t room_left() const { return limit_ - size(); }
  /// Notes that something did not fit.
  void overflow() { overflowed_ = true; }
  bool overflowed() const { return overflowed_; }
  std::string_view view() const { return spilled_ ? std::string_view(long_) : std::string_view(inline_.data(), size_); }

 private:
  void append_spilled(std::string_view text) {
    if (size() + text.size() > limit_) {
      overflowed_ = true;
      return;
    }
    if (!spilled_) {
      long_.reserve((size_ + text.size()) * 2);
      long_.assign(inline_.data(), size_);
      spilled_ = true;
    }
    long_.append(text);
  }

  static constexpr std::size_t inline_bytes = 320;

  std::array<char, inline_bytes> inline_;
  std::string long_;
  std::size_t size_ = 0;  ///< of the inline part; at most inline_bytes
  std::size_t limit_;
  bool spilled_ = false;
  bool overflowed_ = false;
};

}  // namespace flowmend::expression
