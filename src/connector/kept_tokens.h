#pragma once

#include <chrono>
#include <map>
#include <optional>
#include <string>

namespace flowmend::connector {

/// Tokens in memory alone, by a key that holds no secret, while they hold. Not synchronised.
class KeptTokens {
 public:
  using Time = std::chrono::steady_clock::time_point;

  void keep(const std::string& key, std::string token, Time until) {
    if (tokens_.size() >= kept_max) tokens_.clear();  // they are only asked for again
    tokens_[key] = {std::move(token), until};
  }
  std::optional<std::string> find(const std::string& key, Time now) {
    const auto found = tokens_.find(key);
    if (found == tokens_.end()) return std::nullopt;
    if (found->second.until > now) return found->second.token;
    tokens_.erase(found);
    return std::nullopt;
  }
  void forget(const std::string& key) { tokens_.erase(key); }

 private:
  static constexpr std::size_t kept_max = 10'000;
  struct Kept {
    std::string token;
    Time until;
  };
  std::map<std::string, Kept> tokens_;
};

}  // namespace flowmend::connector
