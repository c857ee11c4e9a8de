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
  elements_bytes_ = 0;
  text_ = {};
}

void Variable::append(const Value& part) {
  if (!collects_) {
    collects_ = true;
    if (value_.is_string()) {
      text_ = value_.as_string();
    } else if (value_.is_array()) {
      elements_.assign(value_.as_array().begin(), value_.as_array().end());
      elements_bytes_ = value_.text_bytes();
    } else {
      value_ = Value::empty_array();
    }
  }
  if (value_.is_string()) {
    if (part.is_string()) text_ += part.as_string();
  } else {
    elements_.push_back(part);
    elements_bytes_ += part.text_bytes() + 1;
  }
  stale_ = true;
}

double Variable::text_bytes() const {
  if (!collects_) return value_.text_bytes();
  return value_.is_string() ? static_cast<double>(text_.size()) : elements_bytes_;
}

}  // namespace flowmend::engine
