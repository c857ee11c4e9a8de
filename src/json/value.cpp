#include "json/value.h"

#include <algorithm>
#include <bit>
#include <cassert>
#include <cmath>
#include <cstdlib>
#include <new>

namespace flowmend::json {

namespace {

char lower(char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c; }

bool equal_ignoring_case(std::string_view a, std::string_view b) {
  if (a.size() != b.size()) return false;
  for (std::size_t i = 0; i < a.size(); ++i) {
    if (lower(a[i]) != lower(b[i])) return false;
  }
  return true;
}

std::uint32_t hash_of(std::string_view text) {
  // FNV-1a: short keys, no need to withstand an attacker because the index probes a bounded table and never chains by
  // allocation; collisions only cost time up to a linear scan.
  std::uint32_t hash = 2166136261U;
  for (char c : text) hash = (hash ^ static_cast<unsigned char>(c)) * 16777619U;
  return hash;
}

/// Objects of at least this many members carry an index.
constexpr std::size_t indexed_from = 12;

}  // namespace

// Memory of an object node: the header, the members, then (when indexed) a power-of-two table of member numbers + 1
// probed linearly.
struct Value::ObjectNode : Value::Node {
  std::uint32_t index_size = 0;

  Member* members() { return reinterpret_cast<Member*>(this + 1); }
  std::uint32_t* index() { return reinterpret_cast<std::uint32_t*>(members() + size); }
};

namespace {

template <class NodeType>
void* allocate_behind(std::size_t bytes_behind) {
  void* memory = std::malloc(sizeof(NodeType) + bytes_behind);
  if (memory == nullptr) throw std::bad_alloc();
  return memory;
}

}  // namespace

namespace {

/// A sum as a node keeps it: never more than the sum.
float rounded_down(double bytes) {
  const auto near = static_cast<float>(bytes);
  return static_cast<double>(near) <= bytes ? near : std::nextafter(near, 0.0F);
}

}  // namespace

void Value::Node::contain(const Value& part) noexcept {
  constexpr unsigned deepest = 0xFFFF;
  depth = std::max<unsigned>(static_cast<unsigned>(depth), std::min(part.depth() + 1, deepest));
}

std::string_view type_name(Type type) {
  switch (type) {
    case Type::null: return "Null";
    case Type::boolean: return "Boolean";
    case Type::integer: return "Integer";
    case Type::floating:
    case Type::decimal: return "Float";
    case Type::string: return "String";
    case Type::array: return "Array";
    case Type::object: return "Object";
  }
  return "Null";
}

Value::Value(std::string_view text) : Value() {
  if (text.size() <= small_max) {
    tag_ = Tag::small_string;
    small_length_ = static_cast<std::uint8_t>(text.size());
    if (!text.empty()) std::memcpy(small_text(), text.data(), text.size());
    return;
  }
  auto* node = new (allocate_behind<Node>(text.size())) Node;
  node->size = text.size();
  std::memcpy(static_cast<void*>(node + 1), text.data(), text.size());
  tag_ = Tag::string;
  payload_.node = node;
}

Value::Value(const Decimal& value) : Value() {
  static_assert(alignof(Decimal) <= 16);
  auto* node = new (allocate_behind<Node>(sizeof(Decimal) + 16)) Node;
  std::memcpy(static_cast<void*>(node + 1), &value, sizeof(Decimal));
  tag_ = Tag::decimal;
  payload_.node = node;
}

Type Value::type() const noexcept {
  switch (tag_) {
    case Tag::null: return Type::null;
    case Tag::boolean: return Type::boolean;
    case Tag::integer: return Type::integer;
    case Tag::floating: return Type::floating;
    case Tag::decimal: return Type::decimal;
    case Tag::small_string:
    case Tag::string: return Type::string;
    case Tag::array: return Type::array;
    case Tag::object: return Type::object;
  }
  return Type::null;
}

const Decimal& Value::as_decimal() const noexcept {
  assert(is_decimal());
  return *reinterpret_cast<const Decimal*>(payload_.node + 1);
}

std::span<const Member> Value::as_object() const noexcept {
  assert(is_object());
  return {static_cast<ObjectNode*>(payload_.node)->members(), payload_.node->size};
}

double Value::to_double() const noexcept {
  if (is_integer()) return static_cast<double>(payload_.integer);
  if (is_floating()) return payload_.floating;
  return as_decimal().to_double();
}

const Value* Value::find(std::string_view name) const noexcept {
  if (!is_object()) return nullptr;
  auto* node = static_cast<ObjectNode*>(payload_.node);
  const Member* members = node->members();
  if (node->index_size == 0) {
    for (std::size_t i = 0; i < node->size; ++i) {
      if (members[i].name() == name) return &members[i].value;
    }
    return nullptr;
  }
  const std::uint32_t mask = node->index_size - 1;
  const std::uint32_t* index = node->index();
  for (std::uint32_t at = hash_of(name) & mask; index[at] != 0; at = (at + 1) & mask) {
    const Member& member = members[index[at] - 1];
    if (member.name() == name) return &member.value;
  }
  return nullptr;
}

const Value* Value::find_name(const Value& name) const noexcept {
  if (!is_object()) return nullptr;
  auto* node = static_cast<ObjectNode*>(payload_.node);
  if (node->index_size != 0 || name.tag_ != Tag::small_string) return find(name.as_string());
  // Equal small strings have equal bits, and a name that fits is always a small string.
  const Member* members = node->members();
  for (std::size_t i = 0; i < node->size; ++i) {
    if (members[i].key.same_node(name)) return &members[i].value;
  }
  return nullptr;
}

const Value* Value::find_ignoring_case(std::string_view name) const noexcept {
  if (const Value* exact = find(name)) return exact;
  if (!is_object()) return nullptr;
  for (const Member& member : as_object()) {
    if (equal_ignoring_case(member.name(), name)) return &member.value;
  }
  return nullptr;
}

std::string_view Value::text_of(std::string_view name, std::string_view otherwise) const noexcept {
  const Value* found = find(name);
  return found != nullptr && found->is_string() ? found->as_string() : otherwise;
}

double Value::text_bytes() const noexcept {
  if (is_array() || is_object()) return static_cast<double>(payload_.node->text_bytes);
  return is_string() ? static_cast<double>(as_string().size() + 2) : 1;
}

bool Value::same_node(const Value& other) const noexcept {
  return std::memcmp(static_cast<const void*>(this), static_cast<const void*>(&other), sizeof(Value)) == 0;
}

void Value::destroy() noexcept {
  // Recursion is bounded: readers and the evaluator refuse values deeper than depth_max.
  if (tag_ == Tag::array) {
    auto* elements = reinterpret_cast<Value*>(payload_.node + 1);
    for (std::size_t i = 0; i < payload_.node->size; ++i) elements[i].~Value();
    std::free(payload_.node);
  } else if (tag_ == Tag::object) {
    auto* node = static_cast<ObjectNode*>(payload_.node);
    for (std::size_t i = 0; i < node->size; ++i) node->members()[i].~Member();
    std::free(node);
  } else {
    std::free(payload_.node);
  }
}

namespace {

bool numbers_equal(const Value& a, const Value& b) {
  if (a.is_integer() && b.is_integer()) return a.as_integer() == b.as_integer();
  if (a.is_decimal() || b.is_decimal()) {
    auto decimal = [](const Value& v) -> std::optional<Decimal> {
      if (v.is_decimal()) return v.as_decimal();
      if (v.is_integer()) return Decimal::from_integer(v.as_integer());
      return std::nullopt;
    };
    auto x = decimal(a);
    auto y = decimal(b);
    if (x && y) return Decimal::compare(*x, *y) == std::strong_ordering::equal;
  }
  return a.to_double() == b.to_double();
}

}  // namespace

bool operator==(const Value& a, const Value& b) noexcept {
  if (a.is_number() && b.is_number()) return numbers_equal(a, b);
  if (a.type() != b.type()) return false;
  if (a.same_node(b)) return true;
  switch (a.type()) {
    case Type::null: return true;
    case Type::boolean: return a.as_boolean() == b.as_boolean();
    case Type::string: return a.as_string() == b.as_string();
    case Type::array: {
      auto x = a.as_array();
      auto y = b.as_array();
      return std::equal(x.begin(), x.end(), y.begin(), y.end());
    }
    case Type::object: {
      if (a.size() != b.size()) return false;
      return std::ranges::all_of(a.as_object(), [&](const Member& member) {
        const Value* other = b.find(member.name());
        return other != nullptr && member.value == *other;
      });
    }
    default: return false;
  }
}

Value Value::array(std::initializer_list<Value> elements) { return array(std::vector<Value>(elements)); }

Value Value::array(std::vector<Value> elements) {
  auto* node = new (allocate_behind<Node>(elements.size() * sizeof(Value))) Node;
  node->size = elements.size();
  node->depth = 1;
  double text_bytes = elements.empty() ? 2 : 1;
  auto* place = reinterpret_cast<Value*>(node + 1);
  for (Value& element : elements) {
    node->contain(element);
    text_bytes += element.text_bytes() + 1;
    new (place++) Value(std::move(element));
  }
  node->text_bytes = rounded_down(text_bytes);
  Value result;
  result.tag_ = Tag::array;
  result.payload_.node = node;
  return result;
}

Value Value::empty_array() {
  static const Value empty = array(std::vector<Value>{});
  return empty;
}

Value Value::empty_object() {
  static const Value empty = ObjectBuilder().finish();
  return empty;
}

Value Value::object(std::initializer_list<Member> members) {
  ObjectBuilder builder;
  builder.reserve(members.size());
  for (const Member& member : members) builder.add(member.key, member.value);
  return builder.finish();
}

Value ArrayBuilder::finish() { return Value::array(std::move(elements_)); }

ObjectBuilder::ObjectBuilder(const Value& object) {
  auto members = object.as_object();
  members_.assign(members.begin(), members.end());
}

void ObjectBuilder::set(std::string_view name, Value value) {
  for (Member& member : members_) {
    if (member.name() == name) {
      member.value = std::move(value);
      return;
    }
  }
  add(name, std::move(value));
}

void ObjectBuilder::remove(std::string_view name) {
  std::erase_if(members_, [&](const Member& member) { return member.name() == name; });
}

Value ObjectBuilder::finish() {
  const std::size_t count = members_.size();
  const std::size_t index_size = count < indexed_from ? 0 : std::bit_ceil(count * 2);
  void* memory = allocate_behind<Value::ObjectNode>(count * sizeof(Member) + index_size * sizeof(std::uint32_t));
  auto* node = new (memory) Value::ObjectNode;
  node->size = count;
  node->depth = 1;
  node->index_size = static_cast<std::uint32_t>(index_size);
  double text_bytes = count == 0 ? 2 : 1;
  Member* place = node->members();
  for (Member& member : members_) {
    node->contain(member.value);
    text_bytes += static_cast<double>(member.name().size()) + 4 + member.value.text_bytes();
    new (place++) Member(std::move(member));
  }
  node->text_bytes = rounded_down(text_bytes);
  members_.clear();
  if (index_size != 0) {
    std::uint32_t* index = node->index();
    std::memset(index, 0, index_size * sizeof(std::uint32_t));
    const std::uint32_t mask = node->index_size - 1;
    for (std::size_t i = 0; i < count; ++i) {
      std::uint32_t at = hash_of(node->members()[i].name()) & mask;
      while (index[at] != 0) at = (at + 1) & mask;
      index[at] = static_cast<std::uint32_t>(i + 1);
    }
  }
  Value result;
  result.tag_ = Value::Tag::object;
  result.payload_.node = node;
  return result;
}

}  // namespace flowmend::json
