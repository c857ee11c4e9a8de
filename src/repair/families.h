#pragma once

#include <string_view>

#include "repair/failure.h"

namespace flowmend::repair {

/// What kind of failure it is: it decides who can mend it and how.
enum class Family {
  authentication,
  action_configuration,
  transient,
  expression,
  data,
  timeout,
  limit,
  platform,
  unknown
};

/// `authentication`, `actionConfiguration` ...: as the API says it.
std::string_view family_name(Family family);

/// By status code, record code and error code; the table stands in families.cpp.
Family family_of(const Failure& failure);

/// True when the same run may succeed later without any change.
bool is_temporary(const Failure& failure);

}  // namespace flowmend::repair
