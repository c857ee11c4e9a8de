#pragma once

#include <string>
#include <string_view>

namespace flowmend::definition {

/// ASCII lower case: how names, types and statuses are compared.
inline std::string lower_case(std::string_view text) {
  std::string out(text);
  for (char& c : out) {
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
  }
  return out;
}

/// Equal without regard to ASCII case.
inline bool same_word(std::string_view a, std::string_view b) {
  return a.size() == b.size() && lower_case(a) == lower_case(b);
}

}  // namespace flowmend::definition
