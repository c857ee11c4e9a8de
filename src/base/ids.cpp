#include "base/ids.h"

#include <array>
#include <cstdio>

namespace flowmend {

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
  std::array<char, 40> text{};
  std::snprintf(text.data(), text.size(), "%08x-%04x-%04x-%04x-%012llx", static_cast<unsigned>(high >> 32),
                static_cast<unsigned>((high >> 16) & 0xffff), static_cast<unsigned>(high & 0xffff),
                static_cast<unsigned>(low >> 48), static_cast<unsigned long long>(low & 0xffffffffffffULL));
  return text.data();
}

std::string make_run_name(Timestamp started, std::uint64_t salt, unsigned scale_unit) {
  std::array<char, 48> text{};
  std::snprintf(text.data(), text.size(), "%020lld%09uCU%02u", static_cast<long long>(INT64_MAX - started.ticks),
                static_cast<unsigned>(salt % 1'000'000'000), scale_unit % 100);
  return text.data();
}

std::string make_version_name(Timestamp saved) {
  std::array<char, 32> text{};
  std::snprintf(text.data(), text.size(), "%020lld", static_cast<long long>(INT64_MAX - saved.ticks));
  return text.data();
}

}  // namespace flowmend
