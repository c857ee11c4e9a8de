#include "connector/native/standin/dataverse_watch.h"

#include <array>

#include <sodium.h>

#include "base/ids.h"
#include "connector/native/standin/dataverse_names.h"
#include "connector/native/standin/standin.h"
#include "connector/native/tables_connector.h"
#include "connector/text.h"
#include "trigger/request.h"

namespace flowmend::connector {
namespace {

constexpr unsigned bit(RowEvent event) { return static_cast<unsigned>(event); }

/// By `message`: what flows call 1 Added, 2 Deleted, 3 Modified, 4 Added or Modified, 5 Added or Deleted, 6 Modified or
/// Deleted, 7 all of them.
constexpr std::array<unsigned, 8> events_of_message{
    0,
    bit(RowEvent::created),
    bit(RowEvent::deleted),
    bit(RowEvent::updated),
    bit(RowEvent::created) | bit(RowEvent::updated),
    bit(RowEvent::created) | bit(RowEvent::deleted),
    bit(RowEvent::updated) | bit(RowEvent::deleted),
    bit(RowEvent::created) | bit(RowEvent::updated) | bit(RowEvent::deleted)};
constexpr std::int64_t scope_user = 1;

http::Reply refused(std::string_view what) { return native_error(400, "InvalidSubscription", what); }

std::int64_t whole(const Value& body, std::string_view name) {
  const Value* value = body.find(name);
  return value != nullptr && value->is_integer() ? value->as_integer() : 0;
}

/// The trigger that a signed address belongs to; empty for the address of a step.
std::string trigger_of(std::string_view callback_url) {
  const std::size_t path = callback_url.find("/workflows/");
  const std::size_t question = callback_url.find('?');
  if (path == std::string_view::npos || question == std::string_view::npos || question < path) return {};
  const auto target =
      trigger::read_target(callback_url.substr(path, question - path), callback_url.substr(question + 1));
  return target ? target->trigger : std::string();
}

std::string new_token() {
  std::uint64_t seed = 0;
  randombytes_buf(&seed, sizeof(seed));
  Random random(seed);
  return make_guid(random);
}

/// A state is entity, trigger and token.
constexpr char part = '\t';

http::Reply end_watch(RowWatches& watches, const NativeCall& call) {
  const std::string& state = call.state;
  const std::size_t first = state.find(part);
  const std::size_t second = first == std::string::npos ? first : state.find(part, first + 1);
  if (second == std::string::npos) return refused("This subscription is not one of this server.");
  const auto removed = watches.remove(state.substr(0, first), call.flow, state.substr(first + 1, second - first - 1),
                                      state.substr(second + 1));
  return removed ? native_json(200, Value::empty_object()) : table_error(removed.error());
}

}  // namespace

http::Reply watch_rows(RowWatches& watches, const NativeCall& call) {
  if (!call.state.empty()) return end_watch(watches, call);
  const Value& body = call.arguments.body;
  RowWatch watch;
  watch.flow = call.flow;
  watch.trigger = trigger_of(call.callback_url);
  if (watch.flow.empty() || watch.trigger.empty() || !call.run.empty())
    return refused("Only the trigger of a flow of this server can hear of rows.");
  watch.entity = std::string(trim(body.text_of("entityname")));
  if (watch.entity.empty() || watch.entity.find_first_of("/\t") != std::string::npos)
    return refused("'entityname' is the logical name of a table, like account.");
  const std::int64_t message = whole(body, "message");
  if (message < 1 || message > 7)
    return refused("'message' is a number from 1 (Added) to 7 (Added or Modified or Deleted).");
  watch.events = events_of_message[static_cast<std::size_t>(message)];
  const std::int64_t scope = whole(body, "scope");
  if (scope == scope_user)
    return not_stood_in(
        "The scope User asks for rows of one owner, and rows have no owners here. Choose Organization.");
  if (scope < 1 || scope > 4) return refused("'scope' is a number from 1 (User) to 4 (Organization).");
  for (const std::string& column : odata::parse_select(body.text_of("filteringattributes")))
    if (!trim(column).empty()) watch.columns.emplace_back(trim(column));
  watch.filter = std::string(body.text_of("filterexpression"));
  if (!trim(watch.filter).empty()) {
    const auto filter = odata::parse_filter(watch.filter);
    if (!filter) return table_error(filter.error());
    if (walks_relations(*filter)) return not_stood_in("The filter looks into rows of other tables (a/b).");
  }
  watch.token = new_token();
  if (const auto put = watches.put(watch); !put) return table_error(put.error());
  return with_state(native_json(201, Value::empty_object()),
                    lower_case(watch.entity) + part + watch.trigger + part + watch.token);
}

}  // namespace flowmend::connector
