#pragma once

#include <cstdint>

#include "base/diagnostic.h"
#include "json/value.h"

namespace flowmend::definition {

/// How large a definition may be when it is saved: the limits of engine.md section 8 that a definition alone can break,
/// each with the cloud's value. Characters are UTF-16 units, as everywhere in the field.
struct Limits {
  std::int64_t actions = 500;
  std::int64_t nesting = 8;  ///< containers around an action
  std::int64_t triggers = 10;
  std::int64_t parameters = 50;
  std::int64_t outputs = 10;
  std::int64_t switch_cases = 25;
  std::int64_t variables = 250;
  std::int64_t name_characters = 80;  ///< of an action or trigger; Power Apps makes longer names of parameters
  std::int64_t description_characters = 256;
  std::int64_t expression_characters = 8'192;
  std::int64_t until_count = 5'000;
  std::int64_t foreach_concurrency = 50;
  std::int64_t trigger_concurrency = 100;
  std::int64_t pagination_items = 100'000;
  std::int64_t retries = 90;

  /// For what was saved before: a limit that is lowered later stops no flow that runs.
  static Limits none();
};

/// Counts and lengths of a whole definition against `limits`: one finding of severity error (`...LimitExceeded`) for
/// each that is too large. Any JSON value; never fails. What belongs to one setting (a concurrency, a retry count) is
/// checked where that setting is read.
void check_limits(const Value& definition, const Limits& limits, Diagnostics& diagnostics);

}  // namespace flowmend::definition
