#include "base/ids.h"

#include <cstddef>

#include "base/digits.h"

namespace flowmend {

namespace {

constexpr std::size_t time_digits = 20;

}  // namespace

std::uint64_t Random::next() {
  state_ += 0x9e3779b97f4a7c15ULL;
  std::uint64_t z = state_;
  z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9ULL;
  z = (z ^ (z >> 27)) * 0x94d049bb133111ebULL;
  return z ^ (z >> 31);
}

std::string make_guid(Random& random) {
  const std::uint64_t high = (random.next() & 0xffffffffffff0fffULL) | 0x4000ULL;
  const std::uint64_t low = (random.next() & 0x3fffffffffffffffULL) | 0x8000000000000000ULL;
  std::string text(36, '-');
  write_hex(&text[0], high >> 32, 8);
  write_hex(&text[9], high >> 16, 4);
  write_hex(&text[14], high, 4);
  write_hex(&text[19], low >> 48, 4);
  write_hex(&text[24], low, 12);
  return text;
}

std::string make_run_name(Timestamp started, std::uint64_t salt, unsigned scale_unit) {
  constexpr std::size_t salt_digits = 9;
  std::string text(time_digits + salt_digits + 4, '\0');
  write_decimal(&text[0], static_cast<std::uint64_t>(INT64_MAX - started.ticks), time_digits);
  write_decimal(&text[time_digits], salt % 1'000'000'000, salt_digits);
  text[time_digits + salt_digits] = 'C';
  text[time_digits + salt_digits + 1] = 'U';
  write_decimal(&text[time_digits + salt_digits + 2], scale_unit % 100, 2);
  return text;
}

std::string make_version_name(Timestamp saved) {
  std::string text(time_digits, '\0');
  write_decimal(&text[0], static_cast<std::uint64_t>(INT64_MAX - saved.ticks), time_digits);
  return text;
}

}  // namespace flowmend
