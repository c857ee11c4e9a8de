#pragma once

#include <string>
#include <vector>

#include "json/value.h"

namespace flowmend::engine {

/// A variable of a run. Values never change, so what an append would cost is a copy of everything before it; here
/// appended parts are collected and become a value when somebody reads it. A loop that collects n items and reads them
/// once at its end costs n.
///
/// Single-threaded like the state that holds it: reading may build the value.
class Variable {
 public:
  bool is_initialized() const { return initialized_; }
  const Value& value() const;
  void set(Value value);
  /// Array: an element more (null counts as empty). Text: the text of `part` more; `part` is then a string.
  void append(const Value& part);
  /// About the bytes of its text (json::Value::text_bytes), without building it.
  double text_bytes() const;
  /// Without building it.
  bool value_is_text() const { return value_.is_string(); }

 private:
  mutable Value value_;
  mutable bool stale_ = false;  ///< `value_` lacks what was appended
  bool collects_ = false;       ///< `elements_` or `text_` holds the whole of it
  bool initialized_ = false;
  std::vector<Value> elements_;
  std::string text_;
  double elements_bytes_ = 0;  ///< the text of `elements_`
};

}  // namespace flowmend::engine
