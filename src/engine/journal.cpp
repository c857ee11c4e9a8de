// A record: version byte, number of events, events. An event is its kind (index in the Event variant) and its fields in
// the order of event.h. Numbers are LEB128 varints, signed ones in zigzag; times are ticks since the record's first
// time as signed varints; texts are length and bytes; a value is a kind byte and its content. A value that stood in the
// same record before (the same node) is its place in the order of nodes written: the outputs of a step that are the
// inputs of the next cost a byte or two. Sealed values are encrypted texts.
//
// Version 1. A released version is never changed; a new one gets a new first byte, and this one stays readable. New
// kinds of events stand at the end: a program that does not know one says so (JournalDamaged) instead of guessing.

#include "engine/journal.h"

#include <cstring>
#include <unordered_map>

namespace flowmend::engine {

namespace {

constexpr unsigned char version = 1;

enum Kind : unsigned char {
  null_kind,
  false_kind,
  true_kind,
  integer_kind,
  floating_kind,
  decimal_kind,
  string_kind,
  array_kind,
  object_kind,
  repeated_kind
};

class Writer {
 public:
  explicit Writer(const Sealer& sealer) : sealer_(sealer) {}

  void byte(unsigned char b) { out.push_back(static_cast<char>(b)); }
  void number(std::uint64_t n) {
    while (n >= 0x80) {
      byte(static_cast<unsigned char>(n | 0x80));
      n >>= 7;
    }
    byte(static_cast<unsigned char>(n));
  }
  void integer(std::int64_t n) { number((static_cast<std::uint64_t>(n) << 1) ^ static_cast<std::uint64_t>(n >> 63)); }
  void flag(bool b) { byte(b ? 1 : 0); }
  void real(double d) {
    std::uint64_t bits = 0;
    std::memcpy(&bits, &d, 8);
    fixed(bits);
  }
  void text(std::string_view t) {
    number(t.size());
    out.append(t);
  }
  void time(Timestamp t) {
    integer(t.ticks - base_);
    base_ = t.ticks;
  }
  void place(Place p) {
    number(static_cast<std::uint32_t>(p.action + 1));  // no_action is 0
    number(p.frame);
  }
  void fault(const Fault& f) {
    flag(!f.code.empty());
    if (f.code.empty()) return;
    text(f.code);
    text(f.message);
    value(f.details);
  }
  void sealed(const Value& v) {
    flag(!v.is_null());
    if (v.is_null()) return;
    Writer inner(sealer_);
    inner.value(v);
    text(sealer_.seal(inner.out));
  }
  void value(const Value& v) {
    switch (v.type()) {
      case json::Type::null: return byte(null_kind);
      case json::Type::boolean: return byte(v.as_boolean() ? true_kind : false_kind);
      case json::Type::integer: byte(integer_kind); return integer(v.as_integer());
      case json::Type::floating: byte(floating_kind); return real(v.as_floating());
      case json::Type::decimal: byte(decimal_kind); return text(v.as_decimal().to_string());
      case json::Type::string: {
        const auto t = v.as_string();
        if (t.size() > 14 && repeated(t.data())) return;
        byte(string_kind);
        return text(t);
      }
      case json::Type::array:
        if (v.size() > 0 && repeated(v.as_array().data())) return;
        byte(array_kind);
        number(v.size());
        for (const Value& element : v.as_array()) value(element);
        return;
      case json::Type::object:
        if (v.size() > 0 && repeated(v.as_object().data())) return;
        byte(object_kind);
        number(v.size());
        for (const json::Member& member : v.as_object()) {
          value(member.key);
          value(member.value);
        }
        return;
    }
  }

  std::string out;

 private:
  /// Nodes are counted when they begin, by writer and reader alike.
  bool repeated(const void* node) {
    const auto [found, added] = nodes_.emplace(node, nodes_.size());
    if (added) return false;
    byte(repeated_kind);
    number(found->second);
    return true;
  }
  void fixed(std::uint64_t bits) {
    for (int i = 0; i < 8; ++i) byte(static_cast<unsigned char>(bits >> (8 * i)));
  }

  const Sealer& sealer_;
  std::unordered_map<const void*, std::size_t> nodes_;
  std::int64_t base_ = 0;
};

struct Damaged {};  // thrown and caught inside this file only

class Reader {
 public:
  Reader(std::string_view bytes, const Sealer& sealer) : rest_(bytes), sealer_(sealer) {}

  bool at_end() const { return rest_.empty(); }
  unsigned char byte() {
    if (rest_.empty()) throw Damaged{};
    const auto b = static_cast<unsigned char>(rest_.front());
    rest_.remove_prefix(1);
    return b;
  }
  std::uint64_t number() {
    std::uint64_t n = 0;
    for (unsigned shift = 0; shift < 64; shift += 7) {
      const unsigned char b = byte();
      n |= static_cast<std::uint64_t>(b & 0x7f) << shift;
      if (b < 0x80) return n;
    }
    throw Damaged{};
  }
  std::uint32_t small() {
    const std::uint64_t n = number();
    if (n > 0xffffffff) throw Damaged{};
    return static_cast<std::uint32_t>(n);
  }
  std::int64_t integer() {
    const std::uint64_t n = number();
    return static_cast<std::int64_t>(n >> 1) ^ -static_cast<std::int64_t>(n & 1);
  }
  bool flag() { return byte() != 0; }
  double real() {
    std::uint64_t bits = 0;
    for (int i = 0; i < 8; ++i) bits |= static_cast<std::uint64_t>(byte()) << (8 * i);
    double d = 0;
    std::memcpy(&d, &bits, 8);
    return d;
  }
  std::string_view view() {
    const std::uint64_t size = number();
    if (size > rest_.size()) throw Damaged{};
    const auto t = rest_.substr(0, size);
    rest_.remove_prefix(size);
    return t;
  }
  std::string text() { return std::string(view()); }
  Timestamp time() {
    base_ = static_cast<std::int64_t>(static_cast<std::uint64_t>(base_) + static_cast<std::uint64_t>(integer()));
    return {base_};
  }
  Place place() {
    Place p;
    p.action = static_cast<ActionId>(small() - 1);
    p.frame = small();
    return p;
  }
  template <class Enum>
  Enum choice(Enum last) {
    const unsigned char b = byte();
    if (b > static_cast<unsigned char>(last)) throw Damaged{};
    return static_cast<Enum>(b);
  }
  Fault fault() {
    Fault f;
    if (!flag()) return f;
    f.code = text();
    f.message = text();
    f.details = value();
    return f;
  }
  Value sealed() {
    if (!flag()) return {};
    const auto opened = sealer_.open(view());
    if (!opened) throw Damaged{};
    Reader inner(*opened, sealer_);
    return inner.value();
  }
  Value value(unsigned depth = 0) {
    if (depth > json::depth_max + 8) throw Damaged{};
    switch (byte()) {
      case null_kind: return {};
      case false_kind: return Value(false);
      case true_kind: return Value(true);
      case integer_kind: return Value(integer());
      case floating_kind: return Value(real());
      case decimal_kind: {
        const auto decimal = json::Decimal::parse(view());
        if (!decimal) throw Damaged{};
        return Value(*decimal);
      }
      case string_kind: {
        const auto t = view();
        Value v(t);
        if (t.size() > 14) nodes_.push_back(v);
        return v;
      }
      case array_kind: {
        const std::uint64_t size = number();
        if (size > rest_.size()) throw Damaged{};  // every element takes a byte
        const std::size_t mine = nodes_.size();
        if (size > 0) nodes_.emplace_back();
        json::ArrayBuilder builder;
        builder.reserve(size);
        for (std::uint64_t i = 0; i < size; ++i) builder.push(value(depth + 1));
        Value v = builder.finish();
        if (size > 0) nodes_[mine] = v;
        return v;
      }
      case object_kind: {
        const std::uint64_t size = number();
        if (size > rest_.size()) throw Damaged{};
        const std::size_t mine = nodes_.size();
        if (size > 0) nodes_.emplace_back();
        json::ObjectBuilder builder;
        builder.reserve(size);
        for (std::uint64_t i = 0; i < size; ++i) {
          Value key = value(depth + 1);
          if (!key.is_string()) throw Damaged{};
          builder.add(std::move(key), value(depth + 1));
        }
        Value v = builder.finish();
        if (size > 0) nodes_[mine] = v;
        return v;
      }
      case repeated_kind: {
        const std::uint64_t which = number();
        if (which >= nodes_.size()) throw Damaged{};
        return nodes_[which];
      }
      default: throw Damaged{};
    }
  }

 private:
  std::string_view rest_;
  const Sealer& sealer_;
  std::vector<Value> nodes_;
  std::int64_t base_ = 0;
};

struct EventWriter {
  Writer& w;
  void operator()(const RunStarted& e) const {
    w.text(e.run), w.text(e.flow), w.text(e.version), w.time(e.time), w.value(e.trigger), w.text(e.client_tracking_id);
    w.text(e.resubmit_of), w.text(e.origin), w.text(e.started_by), w.flag(e.caller_waits), w.number(e.seed);
  }
  void operator()(const ActionStarted& e) const {
    w.place(e.place), w.time(e.time), w.value(e.inputs), w.flag(e.has_inputs), w.sealed(e.sealed);
  }
  void operator()(const AttemptEnded& e) const {
    w.place(e.place), w.number(e.attempt), w.time(e.started), w.time(e.ended), w.integer(e.status_code),
        w.fault(e.fault);
    w.value(e.request), w.value(e.response), w.real(e.draw), w.flag(e.retry_at.is_set());
    if (e.retry_at.is_set()) w.time(e.retry_at);
  }
  void operator()(const ActionEnded& e) const {
    w.place(e.place), w.byte(static_cast<unsigned char>(e.status)), w.text(e.code), w.fault(e.fault), w.time(e.started),
        w.time(e.ended);
    w.flag(e.has_inputs), w.flag(e.has_outputs);
    if (e.has_inputs) w.value(e.inputs);
    if (e.has_outputs) w.value(e.outputs);
    w.value(e.tracked_properties);
  }
  void operator()(const VariableSet& e) const { w.number(e.variable), w.value(e.value); }
  void operator()(const IterationStarted& e) const { w.place(e.loop), w.number(e.index), w.time(e.time); }
  void operator()(const IterationEnded& e) const {
    w.number(e.frame), w.byte(static_cast<unsigned char>(e.status)), w.text(e.code), w.fault(e.fault), w.time(e.time);
  }
  void operator()(const TimerSet& e) const {
    w.place(e.place), w.byte(static_cast<unsigned char>(e.kind)), w.time(e.due);
  }
  void operator()(const TimerEnded& e) const { w.place(e.place), w.byte(static_cast<unsigned char>(e.kind)); }
  void operator()(const Responded& e) const { w.integer(e.status_code); }
  void operator()(const CancelRequested& e) const { w.text(e.by), w.time(e.time); }
  void operator()(const RunEnded& e) const {
    w.byte(static_cast<unsigned char>(e.status)), w.text(e.code), w.fault(e.fault), w.time(e.time), w.value(e.outputs),
        w.place(e.culprit);
  }
  void operator()(const InputIgnored& e) const { w.text(e.what), w.time(e.time); }
  void operator()(const RunQuarantined& e) const { w.text(e.report), w.time(e.time); }
  void operator()(const VariableAppended& e) const { w.number(e.variable), w.value(e.value); }
  void operator()(const ActionHeld& e) const {
    w.place(e.place), w.time(e.time), w.text(e.target), w.text(e.cause), w.text(e.code), w.fault(e.fault);
    w.flag(e.has_outputs);
    if (e.has_outputs) w.value(e.outputs);
  }
  void operator()(const HoldEnded& e) const { w.place(e.place), w.time(e.time), w.text(e.by), w.flag(e.sent_again); }
};

Event read_event(Reader& r) {
  // Fields are read in order, so each is a statement of its own: arguments of a call have none.
  switch (r.byte()) {
    case 0: {
      RunStarted e;
      e.run = r.text();
      e.flow = r.text();
      e.version = r.text();
      e.time = r.time();
      e.trigger = r.value();
      e.client_tracking_id = r.text();
      e.resubmit_of = r.text();
      e.origin = r.text();
      e.started_by = r.text();
      e.caller_waits = r.flag();
      e.seed = r.number();
      return e;
    }
    case 1: {
      ActionStarted e;
      e.place = r.place();
      e.time = r.time();
      e.inputs = r.value();
      e.has_inputs = r.flag();
      e.sealed = r.sealed();
      return e;
    }
    case 2: {
      AttemptEnded e;
      e.place = r.place();
      e.attempt = r.small();
      e.started = r.time();
      e.ended = r.time();
      e.status_code = static_cast<std::int32_t>(r.integer());
      e.fault = r.fault();
      e.request = r.value();
      e.response = r.value();
      e.draw = r.real();
      if (r.flag()) e.retry_at = r.time();
      return e;
    }
    case 3: {
      ActionEnded e;
      e.place = r.place();
      e.status = r.choice(Status::aborted);
      e.code = r.text();
      e.fault = r.fault();
      e.started = r.time();
      e.ended = r.time();
      e.has_inputs = r.flag();
      e.has_outputs = r.flag();
      if (e.has_inputs) e.inputs = r.value();
      if (e.has_outputs) e.outputs = r.value();
      e.tracked_properties = r.value();
      return e;
    }
    case 4: {
      VariableSet e;
      e.variable = r.small();
      e.value = r.value();
      return e;
    }
    case 5: {
      IterationStarted e;
      e.loop = r.place();
      e.index = r.small();
      e.time = r.time();
      return e;
    }
    case 6: {
      IterationEnded e;
      e.frame = r.small();
      e.status = r.choice(Status::aborted);
      e.code = r.text();
      e.fault = r.fault();
      e.time = r.time();
      return e;
    }
    case 7: {
      TimerSet e;
      e.place = r.place();
      e.kind = r.choice(TimerKind::hold);
      e.due = r.time();
      return e;
    }
    case 8: {
      TimerEnded e;
      e.place = r.place();
      e.kind = r.choice(TimerKind::hold);
      return e;
    }
    case 9: return Responded{static_cast<std::int32_t>(r.integer())};
    case 10: {
      CancelRequested e;
      e.by = r.text();
      e.time = r.time();
      return e;
    }
    case 11: {
      RunEnded e;
      e.status = r.choice(Status::aborted);
      e.code = r.text();
      e.fault = r.fault();
      e.time = r.time();
      e.outputs = r.value();
      e.culprit = r.place();
      return e;
    }
    case 12: {
      InputIgnored e;
      e.what = r.text();
      e.time = r.time();
      return e;
    }
    case 13: {
      RunQuarantined e;
      e.report = r.text();
      e.time = r.time();
      return e;
    }
    case 14: {
      VariableAppended e;
      e.variable = r.small();
      e.value = r.value();
      return e;
    }
    case 15: {
      ActionHeld e;
      e.place = r.place();
      e.time = r.time();
      e.target = r.text();
      e.cause = r.text();
      e.code = r.text();
      e.fault = r.fault();
      e.has_outputs = r.flag();
      if (e.has_outputs) e.outputs = r.value();
      return e;
    }
    case 16: {
      HoldEnded e;
      e.place = r.place();
      e.time = r.time();
      e.by = r.text();
      e.sent_again = r.flag();
      return e;
    }
    default: throw Damaged{};
  }
}

}  // namespace

std::string encode(const Events& events, const Sealer& sealer) {
  Writer writer(sealer);
  writer.out.reserve(512);
  writer.byte(version);
  writer.number(events.size());
  for (const Event& event : events) {
    writer.byte(static_cast<unsigned char>(event.index()));
    std::visit(EventWriter{writer}, event);
  }
  return std::move(writer.out);
}

Result<Events> decode(std::string_view record, const Sealer& sealer) {
  const auto damaged = [] {
    return make_error("JournalDamaged", "A record of this run's journal is damaged or was written by a newer version.",
                      {}, "Restore the data folder from a backup, or start the version that wrote it.");
  };
  try {
    Reader reader(record, sealer);
    if (reader.byte() != version) return damaged();
    const std::uint64_t count = reader.number();
    if (count > record.size()) return damaged();
    Events events;
    events.reserve(count);
    for (std::uint64_t i = 0; i < count; ++i) events.push_back(read_event(reader));
    if (!reader.at_end()) return damaged();
    return events;
  } catch (const Damaged&) {
    return damaged();
  }
}

}  // namespace flowmend::engine
