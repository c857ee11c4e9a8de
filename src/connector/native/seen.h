#pragma once

#include <string>
#include <string_view>
#include <unordered_set>

namespace flowmend::connector {

/// What a polling trigger has already told of, as a text short enough for its state: 48 bits of a hash for each item.
/// With the most items that fit, one in ten million checks would miss something.
class Seen {
 public:
  static constexpr std::size_t items_max = 8'000;

  Seen() = default;
  /// Reads what `text` wrote; what is no state is an empty one.
  explicit Seen(std::string_view state);

  bool has(std::string_view item) const { return hashes_.contains(hash(item)); }
  /// False when there is no room.
  bool add(std::string_view item);
  std::size_t size() const { return hashes_.size(); }
  std::string text() const;

 private:
  static std::string hash(std::string_view item);
  std::unordered_set<std::string> hashes_;
};

}  // namespace flowmend::connector
