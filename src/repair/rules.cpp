#include "repair/rules/list.h"

namespace flowmend::repair {

const std::vector<Rule>& rules() {
  static const std::vector<Rule> list = [] {
    std::vector<Rule> all;
    // The more particular first.
    for (const auto& group : {code_rules(), connection_rules(), expression_rules(), request_rules(), other_rules()})
      all.insert(all.end(), group.begin(), group.end());
    return all;
  }();
  return list;
}

}  // namespace flowmend::repair
