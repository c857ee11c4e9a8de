#include "repair/search/filter.h"

namespace flowmend::repair::search {
namespace {

void put(std::string& out, std::uint64_t value) {
  for (; value >= 0x80; value >>= 7) out += static_cast<char>(value | 0x80);
  out += static_cast<char>(value);
}

/// False at the end, also of bytes that were cut.
bool take(std::string_view& bytes, std::uint64_t& value) {
  value = 0;
  for (int shift = 0; !bytes.empty() && shift < 63; shift += 7) {
    const auto byte = static_cast<unsigned char>(bytes.front());
    bytes.remove_prefix(1);
    value |= static_cast<std::uint64_t>(byte & 0x7f) << shift;
    if (byte < 0x80) return true;
  }
  return false;
}

}  // namespace

std::array<std::string, filter_parts> make_filters(const std::vector<std::uint32_t>& hashes) {
  std::array<std::string, filter_parts> filters;
  std::array<std::uint64_t, filter_parts> last{};
  for (const std::uint32_t hash : hashes) {
    const auto part = static_cast<std::size_t>(part_of(hash));
    const std::uint64_t low = hash & 0x0fffffff;
    put(filters[part], low - last[part]);
    last[part] = low;
  }
  return filters;
}

bool holds(std::string_view filter, std::uint32_t hash) {
  const std::uint64_t wanted = hash & 0x0fffffff;
  std::uint64_t at = 0;
  std::uint64_t step = 0;
  while (take(filter, step)) {
    at += step;
    if (at >= wanted) return at == wanted;
  }
  return false;
}

std::string pack_numbers(const std::vector<store::RunNumber>& ascending, store::RunNumber first) {
  std::string out;
  for (const store::RunNumber number : ascending) put(out, static_cast<std::uint64_t>(number - first));
  return out;
}

std::vector<store::RunNumber> unpack_numbers(std::string_view bytes, store::RunNumber first) {
  std::vector<store::RunNumber> out;
  std::uint64_t offset = 0;
  while (take(bytes, offset)) out.push_back(first + static_cast<store::RunNumber>(offset));
  return out;
}

}  // namespace flowmend::repair::search
