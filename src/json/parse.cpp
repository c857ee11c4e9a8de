#include "json/parse.h"

#include <algorithm>
#include <string>
#include <vector>

#include <boost/json/basic_parser_impl.hpp>

namespace flowmend::json {

namespace {

/// Receives the events of Boost.JSON's parser and builds our values on two stacks.
class Handler {
 public:
  static constexpr std::size_t max_object_size = static_cast<std::size_t>(-1);
  static constexpr std::size_t max_array_size = static_cast<std::size_t>(-1);
  static constexpr std::size_t max_key_size = static_cast<std::size_t>(-1);
  static constexpr std::size_t max_string_size = static_cast<std::size_t>(-1);

  using error_code = boost::json::error_code;
  using string_view = boost::json::string_view;

  bool on_document_begin(error_code&) { return true; }
  bool on_document_end(error_code&) { return true; }
  bool on_object_begin(error_code&) { return true; }
  bool on_array_begin(error_code&) { return true; }

  bool on_object_end(std::size_t count, error_code&) {
    const std::size_t begin = values_.size() - count;
    const std::size_t key_begin = keys_.size() - count;
    ObjectBuilder builder;
    builder.reserve(count);
    for (std::size_t i = 0; i < count; ++i)
      add(builder, keys_[key_begin + i], std::move(values_[begin + i]), i, count, key_begin);
    values_.resize(begin);
    keys_.resize(key_begin);
    values_.push_back(builder.finish());
    return true;
  }

  bool on_array_end(std::size_t count, error_code&) {
    const auto begin = values_.end() - static_cast<std::ptrdiff_t>(count);
    std::vector<Value> elements(std::make_move_iterator(begin), std::make_move_iterator(values_.end()));
    values_.erase(begin, values_.end());
    values_.push_back(Value::array(std::move(elements)));
    return true;
  }

  bool on_key_part(string_view text, std::size_t, error_code&) {
    buffer_.append(text.data(), text.size());
    return true;
  }
  bool on_key(string_view text, std::size_t, error_code&) {
    keys_.push_back(take(text));
    return true;
  }
  bool on_string_part(string_view text, std::size_t, error_code&) {
    buffer_.append(text.data(), text.size());
    return true;
  }
  bool on_string(string_view text, std::size_t, error_code&) {
    values_.push_back(take(text));
    return true;
  }
  bool on_number_part(string_view text, error_code&) {
    buffer_.append(text.data(), text.size());
    return true;
  }
  bool on_int64(std::int64_t number, string_view, error_code&) {
    buffer_.clear();
    values_.emplace_back(number);
    return true;
  }
  bool on_uint64(std::uint64_t number, string_view, error_code&) {
    buffer_.clear();
    values_.emplace_back(Decimal{number, 0, false});
    return true;
  }
  bool on_double(double number, string_view text, error_code&) {
    buffer_.append(text.data(), text.size());
    // A whole number beyond 64 bits keeps its digits; anything with a point or an exponent is a double.
    if (buffer_.find_first_of(".eE") == std::string::npos) {
      if (auto decimal = Decimal::parse(buffer_)) {
        buffer_.clear();
        values_.emplace_back(*decimal);
        return true;
      }
    }
    buffer_.clear();
    values_.emplace_back(number);
    return true;
  }
  bool on_bool(bool value, error_code&) {
    values_.emplace_back(value);
    return true;
  }
  bool on_null(error_code&) {
    values_.emplace_back();
    return true;
  }
  bool on_comment_part(string_view, error_code&) { return true; }
  bool on_comment(string_view, error_code&) { return true; }

  Value release() { return std::move(values_.back()); }

 private:
  Value take(string_view text) {
    if (buffer_.empty()) return Value(std::string_view(text.data(), text.size()));
    buffer_.append(text.data(), text.size());
    Value value{std::string_view(buffer_)};
    buffer_.clear();
    return value;
  }

  /// A name that comes again later is left out here, so that the last one stands, at its own place.
  void add(ObjectBuilder& builder, Value& key, Value value, std::size_t at, std::size_t count, std::size_t key_begin) {
    if (count <= few) {
      for (std::size_t later = at + 1; later < count; ++later) {
        if (keys_[key_begin + later].as_string() == key.as_string()) return;
      }
    } else {
      if (at == 0) find_last_places(count, key_begin);
      if (last_places_[at] != 0) return;
    }
    builder.add(std::move(key), std::move(value));
  }

  /// Marks in `last_places_` the members whose name comes again; sorting keeps hostile input at O(n log n).
  void find_last_places(std::size_t count, std::size_t key_begin) {
    last_places_.assign(count, 0);
    std::vector<std::size_t> order(count);
    for (std::size_t i = 0; i < count; ++i) order[i] = i;
    std::sort(order.begin(), order.end(), [&](std::size_t a, std::size_t b) {
      const auto by_name = keys_[key_begin + a].as_string().compare(keys_[key_begin + b].as_string());
      return by_name != 0 ? by_name < 0 : a < b;
    });
    for (std::size_t i = 0; i + 1 < count; ++i) {
      if (keys_[key_begin + order[i]].as_string() == keys_[key_begin + order[i + 1]].as_string()) {
        last_places_[order[i]] = 1;
      }
    }
  }

  static constexpr std::size_t few = 24;
  std::vector<Value> values_;
  std::vector<Value> keys_;
  std::vector<char> last_places_;
  std::string buffer_;
};

std::string place_in(std::string_view text, std::size_t offset) {
  offset = std::min(offset, text.size());
  const auto line = 1 + std::count(text.begin(), text.begin() + static_cast<std::ptrdiff_t>(offset), '\n');
  const auto line_begin = text.substr(0, offset).rfind('\n');
  const auto column = offset - (line_begin == std::string_view::npos ? 0 : line_begin + 1) + 1;
  return "line " + std::to_string(line) + ", column " + std::to_string(column);
}

}  // namespace

Result<Value> parse(std::string_view text, const ParseLimits& limits) {
  if (text.size() > limits.bytes_max) {
    return make_error("InvalidJSON",
                      "The JSON text has " + std::to_string(text.size()) + " bytes; the limit is " +
                          std::to_string(limits.bytes_max) + ".",
                      {}, "Send less, or raise the limit in the server's settings.");
  }
  boost::json::parse_options options;
  options.max_depth = limits.depth_max;
  boost::json::basic_parser<Handler> parser(options);
  boost::json::error_code failure;
  const std::size_t used = parser.write_some(false, text.data(), text.size(), failure);
  if (!failure && used < text.size()) {
    const auto rest = text.find_first_not_of(" \t\r\n", used);
    if (rest != std::string_view::npos) {
      return make_error("InvalidJSON",
                        "The text goes on after the end of the JSON value at " + place_in(text, rest) + ".", {},
                        "Remove what follows the value.");
    }
  }
  if (failure) {
    const bool deep = failure == boost::json::error::too_deep;
    const std::string reason =
        deep ? "it nests deeper than " + std::to_string(limits.depth_max) + " levels" : failure.message();
    return make_error("InvalidJSON", "The text is not valid JSON: " + reason + " at " + place_in(text, used) + ".", {},
                      deep ? "Flatten the value." : "Correct the JSON at that place.");
  }
  return parser.handler().release();
}

}  // namespace flowmend::json
