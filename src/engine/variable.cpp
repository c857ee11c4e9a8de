#include "engine/variable.h"

namespace flowmend::engine {

const Value& Variable::value() const {
  if (stale_) {
    value_ = value_.is_string() ? Value(text_) : Value::array(elements_);
    stale_ = false;
  }
  return value_;
}

void Variable::set(Value value) {
  value_ = std::move(value);
  initialized_ = true;
  stale_ = false;
  collects_ = false;
  elements_ = {};
  text_ = {};
}

void Variable::append(const Value& part) {
  if (!collects_) {
    collects_ = true;
    if (value_.is_string()) {
      text_ = value_.as_string();
    } else if (value_.is_array()) {
      elements_.assign(value_.as_array().begin(), value_.as_array().end());
    } else {
      value_ = Value::empty_array();
    }
  }
  if (value_.is_string()) {
    if (part.is_string()) text_ += part.as_string();
  } else {
    elements_.push_back(part);
  }
  stale_ = true;
}

std::size_t Variable::text_bytes() const {
  if (!value_.is_string()) return 0;
  return collects_ ? text_.size() : value_.as_string().size();
}

}  // namespace flowmend::engine
