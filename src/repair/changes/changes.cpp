#include "repair/changes/changes.h"

#include <algorithm>

#include "json/pointer.h"
#include "json/write.h"

namespace flowmend::repair {
namespace {

constexpr std::size_t changes_max = 10;
constexpr int depth_max = 12;
constexpr std::size_t items_max = 1000;
constexpr std::size_t name_bytes_max = 200;
constexpr std::int64_t notable_factor = 3;
constexpr std::int64_t notable_bytes = 1024;
constexpr Duration notable_time = Duration::seconds(1);

std::string type_words(const Value& value) {
  if (value.is_null()) return "null";
  if (value.is_object()) return "an object";
  if (value.is_array()) return "a list";
  if (value.is_string()) return "a text";
  if (value.is_boolean()) return "true or false";
  return "a number";
}

bool same_type(const Value& a, const Value& b) { return type_words(a) == type_words(b); }

/// `/body/customer/id` -> `body/customer/id`, cut between two characters.
std::string name_of(const std::string& pointer) {
  std::string name = pointer.empty() ? std::string() : pointer.substr(1);
  if (name.size() <= name_bytes_max) return name;
  std::size_t end = name_bytes_max;
  while (end > 0 && (static_cast<unsigned char>(name[end]) & 0xC0) == 0x80) --end;
  return name.substr(0, end) + " ...";
}

void compare_definitions(const Value& before, const Value& after, const std::string& pointer, int depth,
                         std::vector<Change>& out) {
  if (before == after || out.size() >= changes_max) return;
  if (before.is_object() && after.is_object() && depth < depth_max) {
    for (const json::Member& member : before.as_object()) {
      const Value* now = after.find(member.name());
      compare_definitions(member.value, now == nullptr ? Value() : *now, json::join(pointer, member.name()), depth + 1,
                          out);
    }
    for (const json::Member& member : after.as_object()) {
      if (before.find(member.name()) == nullptr)
        compare_definitions(Value(), member.value, json::join(pointer, member.name()), depth + 1, out);
    }
    return;
  }
  const std::string name = pointer.empty() ? std::string("the step") : "'" + name_of(pointer) + "'";
  const std::string verb = before.is_null() ? " was added." : after.is_null() ? " was removed." : " was changed.";
  out.push_back({Change::Kind::definition, "In the step " + name + verb, pointer, before, after});
}

void compare_shapes(Change::Kind kind, std::string_view what, const Value& before, const Value& after,
                    const std::string& pointer, int depth, std::vector<Change>& out);

/// Items of a list are records of one kind: what each of them had, and some lack now.
void compare_items(Change::Kind kind, std::string_view what, const Value& before, const Value& after,
                   const std::string& pointer, int depth, std::vector<Change>& out) {
  const Value& first = before.as_array()[0];
  const Value& first_now = after.as_array()[0];
  if (!first.is_object() || !first_now.is_object())
    return compare_shapes(kind, what, first, first_now, json::join(pointer, std::size_t{0}), depth + 1, out);
  const auto has = [](const Value& item, std::string_view name) {
    const Value* member = item.find(name);
    return member != nullptr && !member->is_null();
  };
  const auto lacking = [&](const Value& list, std::string_view name) {
    std::size_t count = 0;
    for (std::size_t i = 0; i < list.size() && i < items_max; ++i) count += has(list.as_array()[i], name) ? 0 : 1;
    return count;
  };
  for (const json::Member& member : first.as_object()) {
    if (out.size() >= changes_max) return;
    const std::size_t less = lacking(after, member.name());
    const std::string place = json::join(pointer, member.name());
    if (less == 0 && has(first_now, member.name()) && has(first, member.name())) {
      compare_shapes(kind, what, member.value, *first_now.find(member.name()),
                     json::join(json::join(pointer, std::size_t{0}), member.name()), depth + 1, out);
    } else if (less != 0 && lacking(before, member.name()) == 0) {
      out.push_back({kind,
                     std::string(what) + " '" + name_of(place) + "' was in each item and is missing in " +
                         std::to_string(less) + " of " + std::to_string(std::min(after.size(), items_max)) + " now.",
                     place,
                     {},
                     {}});
    }
  }
}

void compare_shapes(Change::Kind kind, std::string_view what, const Value& before, const Value& after,
                    const std::string& pointer, int depth, std::vector<Change>& out) {
  if (out.size() >= changes_max || depth > depth_max) return;
  const auto note = [&](const std::string& verb) {
    std::string text(what);
    if (!pointer.empty()) text += " '" + name_of(pointer) + "'";
    out.push_back({kind, text + " " + verb, pointer, {}, {}});
  };
  if (!same_type(before, after)) {
    if (after.is_null()) return note("was " + type_words(before) + " and is null now.");
    if (before.is_null()) return note("was null and is " + type_words(after) + " now.");
    return note("was " + type_words(before) + " and is " + type_words(after) + " now.");
  }
  if (before.is_string() && before.as_string().empty() != after.as_string().empty())
    return note(after.as_string().empty() ? "was a text and is empty now." : "was empty and is a text now.");
  if (before.is_array()) {
    if (before.size() != 0 && after.size() == 0)
      return note("had " + std::to_string(before.size()) + (before.size() == 1 ? " item" : " items") +
                  " and is empty now.");
    if (before.size() == 0 && after.size() != 0) return note("was empty and has items now.");
    if (before.size() != 0) compare_items(kind, what, before, after, pointer, depth, out);
    return;
  }
  if (!before.is_object()) return;
  for (const json::Member& member : before.as_object()) {
    const std::string place = json::join(pointer, member.name());
    if (const Value* now = after.find(member.name())) {
      compare_shapes(kind, what, member.value, *now, place, depth + 1, out);
    } else if (out.size() < changes_max) {
      out.push_back({kind, std::string(what) + " '" + name_of(place) + "' is not there any more.", place, {}, {}});
    }
  }
  for (const json::Member& member : after.as_object()) {
    if (before.find(member.name()) != nullptr || out.size() >= changes_max) continue;
    const std::string place = json::join(pointer, member.name());
    out.push_back({kind, std::string(what) + " '" + name_of(place) + "' is new.", place, {}, {}});
  }
}

std::string size_words(std::int64_t bytes) {
  constexpr std::int64_t kilobyte = 1024;
  constexpr std::int64_t megabyte = kilobyte * kilobyte;
  if (bytes < 10 * kilobyte) return std::to_string(bytes) + " bytes";
  if (bytes < 10 * megabyte) return std::to_string(bytes / kilobyte) + " kB";
  return std::to_string(bytes / megabyte) + " MB";
}

std::string time_words(Duration time) {
  const std::int64_t milliseconds = time.to_milliseconds();
  if (milliseconds < 10'000) return std::to_string(milliseconds) + " ms";
  if (milliseconds < 600'000) return std::to_string(milliseconds / 1000) + " s";
  return std::to_string(milliseconds / 60'000) + " minutes";
}

/// Far apart: by the factor, and by `least`.
bool notable(std::int64_t a, std::int64_t b, std::int64_t least) {
  const std::int64_t small = std::max<std::int64_t>(std::min(a, b), 0);
  const std::int64_t large = std::max(a, b);
  return large - small >= least && large / notable_factor >= small;
}

}  // namespace

std::string_view kind_name(Change::Kind kind) {
  switch (kind) {
    case Change::Kind::definition: return "definition";
    case Change::Kind::connection: return "connection";
    case Change::Kind::inputs: return "inputs";
    case Change::Kind::source: return "source";
    case Change::Kind::response: return "response";
    case Change::Kind::duration: return "duration";
  }
  return "";
}

std::vector<Change> definition_changes(const Value& before, const Value& after) {
  std::vector<Change> out;
  compare_definitions(before, after, "", 0, out);
  return out;
}

std::vector<Change> shape_changes(Change::Kind kind, std::string_view what, const Value& before, const Value& after) {
  std::vector<Change> out;
  compare_shapes(kind, what, before, after, "", 0, out);
  return out;
}

std::vector<Change> response_changes(const StepRecord& before, const StepRecord& after) {
  std::vector<Change> out;
  const auto add = [&](Change::Kind kind, std::string text) { out.push_back({kind, std::move(text), {}, {}, {}}); };
  if (before.status_code != after.status_code && before.status_code != 0) {
    add(Change::Kind::response, "The service answered " + std::to_string(before.status_code) + ", and " +
                                    (after.status_code == 0 ? std::string("did not answer now.")
                                                            : std::to_string(after.status_code) + " now."));
  }
  const Value* body = before.outputs.find("body");
  const Value* body_now = after.outputs.find("body");
  if (body != nullptr && body_now != nullptr && !body->is_null() && !body_now->is_null()) {
    if (!same_type(*body, *body_now))
      add(Change::Kind::response,
          "The body of the answer was " + type_words(*body) + " and is " + type_words(*body_now) + " now.");
    const auto size = static_cast<std::int64_t>(json::write(*body).size());
    const auto size_now = static_cast<std::int64_t>(json::write(*body_now).size());
    if (notable(size, size_now, notable_bytes))
      add(Change::Kind::response,
          "The body of the answer had " + size_words(size) + " and has " + size_words(size_now) + " now.");
  }
  const Duration took = before.ended - before.started;
  const Duration takes = after.ended - after.started;
  if (takes > took && notable(took.ticks, takes.ticks, notable_time.ticks))
    add(Change::Kind::duration, "The step took " + time_words(took) + " and takes " + time_words(takes) + " now.");
  return out;
}

}  // namespace flowmend::repair
