#include "expression/nearest.h"

#include <algorithm>
#include <array>
#include <cstdint>

namespace flowmend::expression {

namespace {

constexpr std::size_t name_bytes_max = 80;

char lower(char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c; }

}  // namespace

std::size_t distance(std::string_view a, std::string_view b, std::size_t limit) {
  const std::size_t far = limit + 1;
  if (a.size() > name_bytes_max || b.size() > name_bytes_max) return far;
  if (std::max(a.size(), b.size()) - std::min(a.size(), b.size()) > limit) return far;
  using Row = std::array<std::uint8_t, name_bytes_max + 1>;
  Row before{};
  Row last{};
  Row row{};
  for (std::size_t j = 0; j <= b.size(); ++j) last[j] = static_cast<std::uint8_t>(j);
  for (std::size_t i = 1; i <= a.size(); ++i) {
    row[0] = static_cast<std::uint8_t>(i);
    for (std::size_t j = 1; j <= b.size(); ++j) {
      const bool same = lower(a[i - 1]) == lower(b[j - 1]);
      int best = std::min({last[j] + 1, row[j - 1] + 1, last[j - 1] + (same ? 0 : 1)});
      const bool swapped = i > 1 && j > 1 && lower(a[i - 1]) == lower(b[j - 2]) && lower(a[i - 2]) == lower(b[j - 1]);
      if (swapped) best = std::min(best, before[j - 2] + 1);
      row[j] = static_cast<std::uint8_t>(best);
    }
    before = last;
    last = row;
  }
  return std::min<std::size_t>(last[b.size()], far);
}

std::string_view nearest(std::string_view name, std::span<const std::string_view> names) {
  const std::size_t limit = std::clamp<std::size_t>(name.size() / 3, 1, 4);
  std::string_view best;
  std::size_t best_distance = limit + 1;
  for (const std::string_view candidate : names) {
    const std::size_t apart = distance(name, candidate, limit);
    if (apart < best_distance) {
      best = candidate;
      best_distance = apart;
    }
  }
  return best;
}

}  // namespace flowmend::expression
