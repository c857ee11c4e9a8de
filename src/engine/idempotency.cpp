#include "engine/idempotency.h"

#include <array>
#include <cstdio>

#include "base/ids.h"
#include "json/write.h"

namespace flowmend::engine {

namespace {

/// FNV-1a over 128 bits: stable over versions and machines; no secret is protected by it.
json::Uint128 hash(std::string_view text) {
  constexpr json::Uint128 prime = (static_cast<json::Uint128>(1) << 88) + 0x13b;
  json::Uint128 value = (static_cast<json::Uint128>(0x6c62272e07bb0142ULL) << 64) + 0x62b821756295c58dULL;
  for (char c : text) value = (value ^ static_cast<unsigned char>(c)) * prime;
  return value;
}

}  // namespace

std::string idempotency_key(const RunState& state, Place place, const Value& inputs) {
  // The pointer, not the number: a later version of the flow keeps the key of a step that stayed where it was.
  std::string text = state.start.origin.empty() ? state.start.run : state.start.origin;
  text += "\n" + state.flow->actions[place.action].pointer + "\n" + repetition_name(state, place.frame) + "\n";
  json::write(inputs, text);
  const json::Uint128 value = hash(text);
  std::array<char, 40> digits{};
  std::snprintf(digits.data(), digits.size(), "%016llx%016llx", static_cast<unsigned long long>(value >> 64),
                static_cast<unsigned long long>(value));
  return digits.data();
}

std::string tracking_id(const RunState& state, Place place) {
  Random random(state.start.seed ^ (RunState::key(place) * 0x9e3779b97f4a7c15ULL));
  return make_guid(random);
}

}  // namespace flowmend::engine
