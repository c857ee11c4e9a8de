#pragma once

#include <cstddef>
#include <cstdint>

namespace flowmend {

// Digits of a fixed number, for the names and times that every run makes several of: printf would take a tenth of a run
// of ten steps.

/// The lowest `digits` decimal digits of `number`, written to `at`.
inline void write_decimal(char* at, std::uint64_t number, std::size_t digits) {
  for (std::size_t i = digits; i > 0; --i, number /= 10) at[i - 1] = static_cast<char>('0' + number % 10);
}

/// The lowest `digits` hexadecimal digits of `number`, in small letters, written to `at`.
inline void write_hex(char* at, std::uint64_t number, std::size_t digits) {
  for (std::size_t i = digits; i > 0; --i, number >>= 4) at[i - 1] = "0123456789abcdef"[number & 15];
}

}  // namespace flowmend
