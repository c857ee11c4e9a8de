#pragma once

#include <map>
#include <memory>
#include <mutex>
#include <string>

#include "expression/functions/locale.h"

namespace flowmend::expression {

/// The most recent cultures by locale name in lower case: reading one from ICU takes a millisecond. Bounded, because a
/// name has endless variants. Thread-safe.
template <class Culture>
class CultureCache {
 public:
  /// The kept one, or what `make(locale)` gives; nothing for an unknown name.
  template <class Make>
  std::shared_ptr<const Culture> get(const std::string& name, Make make) {
    {
      const std::lock_guard lock(mutex_);
      if (const auto found = kept_.find(name); found != kept_.end()) return found->second;
    }
    const auto locale = find_locale(name);
    if (!locale) return nullptr;
    auto culture = std::make_shared<const Culture>(make(*locale));
    const std::lock_guard lock(mutex_);
    constexpr std::size_t kept_max = 64;
    if (kept_.size() >= kept_max) kept_.clear();
    kept_[name] = culture;
    return culture;
  }

 private:
  std::mutex mutex_;
  std::map<std::string, std::shared_ptr<const Culture>> kept_;
};

}  // namespace flowmend::expression
