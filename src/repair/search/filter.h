#pragma once

#include <array>
#include <cstdint>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "store/rows.h"

namespace flowmend::repair::search {

// The index of one range of run numbers: the hashes of all its words, in sixteen parts by their upper four bits. A part
// is the lower 28 bits in order, as differences in bytes of 7 bits. So a search reads one sixteenth of the index for
// each word, about 3 bytes per different word and range.

constexpr store::RunNumber range_runs = 512;
constexpr int filter_parts = 16;
/// The part that holds the numbers of runs that were not over and are not in the filters, and marks a range as indexed.
constexpr int open_part = filter_parts;

inline int part_of(std::uint32_t hash) { return static_cast<int>(hash >> 28); }
inline store::RunNumber range_of(store::RunNumber number) { return number - number % range_runs; }

/// `hashes` sorted, each once.
std::array<std::string, filter_parts> make_filters(const std::vector<std::uint32_t>& hashes);
bool holds(std::string_view filter, std::uint32_t hash);

std::string pack_numbers(const std::vector<store::RunNumber>& ascending, store::RunNumber first);
std::vector<store::RunNumber> unpack_numbers(std::string_view bytes, store::RunNumber first);

}  // namespace flowmend::repair::search
