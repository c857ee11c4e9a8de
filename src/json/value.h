#pragma once

#include <atomic>
#include <cassert>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <initializer_list>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "json/decimal.h"

namespace flowmend::json {

/// The kinds of value that Workflow Definition Language knows. `decimal` is made by the function decimal() and by a
/// JSON integer beyond 64 bits.
enum class Type : std::uint8_t { null, boolean, integer, floating, decimal, string, array, object };

/// The kind's name as the real service prints it in messages: Null, Boolean, Integer, Float, Float (for a decimal),
/// String, Array, Object.
std::string_view type_name(Type type);

class ArrayBuilder;
class ObjectBuilder;
struct Member;

/// The one value type of all rooms: an immutable JSON value.
///
/// A `Value` is 16 bytes. Strings of up to 14 bytes, numbers, booleans and null live inside it; anything larger is a
/// reference-counted node that is shared, never copied and never changed. So passing a body of 100 MB from a reply to
/// the journal, to an expression and into a request costs one counter each. Objects keep the order of their members.
///
/// Threads: distinct `Value`s may be used from any threads, also when they share nodes (the counter is atomic); one
/// `Value` variable is not itself synchronised. Views (`as_string`, `as_array`, `find` ...) live as long as any `Value`
/// that holds the node; for a small string, as long as this very `Value` stays unmoved.
///
/// Depth: a node knows how deep it nests (`depth`). Readers and the evaluator refuse values deeper than `depth_max`,
/// which bounds the recursion of everything that walks a value.
class Value {
 public:
  Value() noexcept { reset_bits(); }
  Value(std::nullptr_t) noexcept : Value() {}
  Value(bool value) noexcept : Value() {
    tag_ = Tag::boolean;
    payload_.integer = value ? 1 : 0;
  }
  Value(int value) noexcept : Value(static_cast<std::int64_t>(value)) {}
  Value(unsigned value) noexcept : Value(static_cast<std::int64_t>(value)) {}
  Value(std::int64_t value) noexcept : Value() {
    tag_ = Tag::integer;
    payload_.integer = value;
  }
  Value(double value) noexcept : Value() {
    tag_ = Tag::floating;
    payload_.floating = value;
  }
  Value(const Decimal& value);
  Value(std::string_view text);
  Value(const char* text) : Value(std::string_view(text)) {}
  Value(const std::string& text) : Value(std::string_view(text)) {}
  Value(const void*) = delete;  // a pointer is not a boolean

  Value(const Value& other) noexcept {
    copy_bits(other);
    retain();
  }
  Value(Value&& other) noexcept {
    copy_bits(other);
    other.reset_bits();
  }
  Value& operator=(const Value& other) noexcept {
    other.retain();
    release();
    copy_bits(other);
    return *this;
  }
  Value& operator=(Value&& other) noexcept {
    if (this != &other) {
      release();
      copy_bits(other);
      other.reset_bits();
    }
    return *this;
  }
  ~Value() { release(); }

  Type type() const noexcept;
  bool is_null() const noexcept { return tag_ == Tag::null; }
  bool is_boolean() const noexcept { return tag_ == Tag::boolean; }
  bool is_integer() const noexcept { return tag_ == Tag::integer; }
  bool is_floating() const noexcept { return tag_ == Tag::floating; }
  bool is_decimal() const noexcept { return tag_ == Tag::decimal; }
  bool is_number() const noexcept { return is_integer() || is_floating() || is_decimal(); }
  bool is_string() const noexcept { return tag_ == Tag::small_string || tag_ == Tag::string; }
  bool is_array() const noexcept { return tag_ == Tag::array; }
  bool is_object() const noexcept { return tag_ == Tag::object; }

  // Each accessor requires its kind (checked by an assertion).
  bool as_boolean() const noexcept {
    assert(is_boolean());
    return payload_.integer != 0;
  }
  std::int64_t as_integer() const noexcept {
    assert(is_integer());
    return payload_.integer;
  }
  double as_floating() const noexcept {
    assert(is_floating());
    return payload_.floating;
  }
  const Decimal& as_decimal() const noexcept;
  std::string_view as_string() const noexcept {
    assert(is_string());
    if (tag_ == Tag::small_string) return {small_text(), small_length_};
    return {reinterpret_cast<const char*>(payload_.node + 1), payload_.node->size};
  }
  std::span<const Value> as_array() const noexcept {
    assert(is_array());
    return {reinterpret_cast<const Value*>(payload_.node + 1), payload_.node->size};
  }
  std::span<const Member> as_object() const noexcept;
  /// Any number as a double.
  double to_double() const noexcept;

  /// Elements of an array, members of an object, 0 for anything else.
  std::size_t size() const noexcept { return is_array() || is_object() ? payload_.node->size : 0; }

  /// The member of that exact name; nothing when absent or when this is no object. O(1) on large objects.
  const Value* find(std::string_view name) const noexcept;
  /// As `find(name.as_string())`, and cheaper for short names: `name` is a string.
  const Value* find_name(const Value& name) const noexcept;
  /// As `find`, then the first member whose name is equal without regard to ASCII case: WDL's rule for selecting.
  const Value* find_ignoring_case(std::string_view name) const noexcept;
  /// `find(name)`'s text when that is a string, else `otherwise`.
  std::string_view text_of(std::string_view name, std::string_view otherwise = {}) const noexcept;

  /// 0 for a scalar, 1 for an empty or flat array or object, and so on.
  unsigned depth() const noexcept {
    return is_array() || is_object() ? static_cast<unsigned>(payload_.node->depth) : 0;
  }
  /// About the bytes of its compact JSON text, never more: a node knows it from its parts. Values may share parts, so
  /// that a few kilobytes of nodes print as terabytes; whoever writes, compares or stores a value of unknown origin
  /// asks this first. Exact enough: a number counts as 1, escapes not at all.
  double text_bytes() const noexcept;
  /// Both are the same node (or equal scalars): a cheap proof of equality, not of difference.
  bool same_node(const Value& other) const noexcept;

  /// Deep equality: numbers by value whatever their kind, objects without regard to order, strings by their bytes.
  friend bool operator==(const Value& a, const Value& b) noexcept;

  /// An array of these elements.
  static Value array(std::initializer_list<Value> elements);
  static Value array(std::vector<Value> elements);
  static Value empty_array();
  static Value empty_object();
  /// An object of these members, in order: `Value::object({{"name", x}, {"type", y}})`.
  static Value object(std::initializer_list<Member> members);

 private:
  friend class ArrayBuilder;
  friend class ObjectBuilder;
  enum class Tag : std::uint8_t { null, boolean, integer, floating, small_string, decimal, string, array, object };
  struct Node {
    std::atomic<std::uint32_t> references{1};
    float text_bytes = 0;         ///< of an array or object (Value::text_bytes)
    std::uint64_t size : 48 = 0;  ///< bytes of a string, elements of an array, members of an object
    std::uint64_t depth : 16 = 0;

    void contain(const Value& part) noexcept;  ///< counts a part: depth and text
  };
  struct ObjectNode;

  static constexpr std::size_t small_max = 14;

  bool has_node() const noexcept { return tag_ >= Tag::decimal; }
  void retain() const noexcept {
    if (has_node()) payload_.node->references.fetch_add(1, std::memory_order_relaxed);
  }
  void release() noexcept {
    if (has_node() && payload_.node->references.fetch_sub(1, std::memory_order_acq_rel) == 1) destroy();
  }
  void destroy() noexcept;
  void reset_bits() noexcept { std::memset(static_cast<void*>(this), 0, sizeof(Value)); }
  void copy_bits(const Value& other) noexcept {
    std::memcpy(static_cast<void*>(this), static_cast<const void*>(&other), sizeof(Value));
  }
  const char* small_text() const noexcept { return reinterpret_cast<const char*>(this) + 2; }
  char* small_text() noexcept { return reinterpret_cast<char*>(this) + 2; }

  // A small string's bytes begin behind the length and run over the payload.
  Tag tag_;
  std::uint8_t small_length_;
  [[maybe_unused]] std::uint8_t padding_[6];
  union {
    std::int64_t integer;
    double floating;
    Node* node;
  } payload_;
};

static_assert(sizeof(Value) == 16);

/// One member of an object. `key` is always a string.
struct Member {
  Value key;
  Value value;

  Member() = default;
  Member(std::string_view name, Value member_value) : key(name), value(std::move(member_value)) {}
  Member(Value name, Value member_value) : key(std::move(name)), value(std::move(member_value)) {}
  Member(const char* name, Value member_value) : key(name), value(std::move(member_value)) {}
  Member(const std::string& name, Value member_value) : key(name), value(std::move(member_value)) {}
  std::string_view name() const noexcept { return key.as_string(); }
};

/// Builds an array. Single use: `finish` empties the builder.
class ArrayBuilder {
 public:
  void reserve(std::size_t count) { elements_.reserve(count); }
  void push(Value value) { elements_.push_back(std::move(value)); }
  std::size_t size() const { return elements_.size(); }
  Value finish();

 private:
  std::vector<Value> elements_;
};

/// Builds an object. Single use: `finish` empties the builder.
class ObjectBuilder {
 public:
  ObjectBuilder() = default;
  /// Starts from the members of `object`.
  explicit ObjectBuilder(const Value& object);
  void reserve(std::size_t count) { members_.reserve(count); }
  /// Adds a member that the caller knows to be new (a duplicate would make two; `find` would see the first).
  void add(Value name, Value value) { members_.emplace_back(std::move(name), std::move(value)); }
  void add(std::string_view name, Value value) { members_.emplace_back(name, std::move(value)); }
  void add(const char* name, Value value) { members_.emplace_back(name, std::move(value)); }
  void add(const std::string& name, Value value) { members_.emplace_back(std::string_view(name), std::move(value)); }
  /// Adds unless `value` is null.
  void add_if_set(std::string_view name, Value value) {
    if (!value.is_null()) add(name, std::move(value));
  }
  /// Replaces the member of that exact name in its place, or adds it. Linear.
  void set(std::string_view name, Value value);
  /// Removes the member of that exact name, if any. Linear.
  void remove(std::string_view name);
  std::size_t size() const { return members_.size(); }
  Value finish();

 private:
  std::vector<Member> members_;
};

/// Deeper values are refused by the reader and by the evaluator.
inline constexpr unsigned depth_max = 512;

}  // namespace flowmend::json

namespace flowmend {
using json::Value;
}  // namespace flowmend
