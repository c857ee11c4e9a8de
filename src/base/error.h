#pragma once

#include <string>
#include <utility>

#include <boost/system/result.hpp>

namespace flowmend {

/// An expected failure: bad input, a refused request, a conflict. Travels as a value, never as an exception.
///
/// `code` uses the field's words (`InvalidTemplate`, `FlowNotFound`); a client may branch on it. `message` says what
/// happened in a flow maker's words and never holds a secret. `where` is an RFC 6901 JSON pointer into the definition
/// or record, empty when there is no place. `cure` says what to do now, empty when the message already does.
struct Error {
  std::string code;
  std::string message;
  std::string where;
  std::string cure;
};

/// The one result type of all rooms: a value or an `Error`.
template <class T>
using Result = boost::system::result<T, Error>;

/// Called by `Result::value()` on a failure: a programming mistake, because callers test first.
[[noreturn]] void throw_exception_from_error(const Error& error, const boost::source_location& place);

inline Error make_error(std::string code, std::string message, std::string where = {}, std::string cure = {}) {
  return Error{std::move(code), std::move(message), std::move(where), std::move(cure)};
}

}  // namespace flowmend
