#include "base/error.h"

#include <stdexcept>

namespace flowmend {

void throw_exception_from_error(const Error& error, const boost::source_location& place) {
  throw std::logic_error(std::string(place.file_name()) + ":" + std::to_string(place.line()) +
                         ": value() of a failed result: " + error.code + ": " + error.message);
}

}  // namespace flowmend
