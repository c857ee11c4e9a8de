// Pagination (engine.md 3.8): a list that comes in pages is read until it holds enough; whole pages are kept.

#include "engine/actions/list.h"

namespace flowmend::engine {

namespace {

struct Page {
  Value items;
  std::string next;  ///< where the next page is; empty = this was the last
};

/// A member by a name that may lead inside: `paging.next`. A name that holds a dot itself (`odata.nextLink`) is found
/// first.
const Value* member_by_path(const Value& body, std::string_view path) {
  if (const Value* whole = body.find_ignoring_case(path)) return whole;
  const auto dot = path.find('.');
  if (dot == std::string_view::npos) return nullptr;
  const Value* inner = body.find_ignoring_case(path.substr(0, dot));
  return inner == nullptr || !inner->is_object() ? nullptr : member_by_path(*inner, path.substr(dot + 1));
}

std::optional<Page> read_page(const AttemptFinished& reply) {
  if (!reply.has_body || !reply.body.is_object()) return std::nullopt;
  const Value* items = member_by_path(reply.body, reply.items_name.empty() ? "value" : reply.items_name);
  if (items == nullptr || !items->is_array()) return std::nullopt;
  Page page;
  page.items = *items;
  constexpr std::string_view usual[] = {"nextLink", "@odata.nextLink", "odata.nextLink"};
  if (!reply.next_link_name.empty()) {
    const Value* next = member_by_path(reply.body, reply.next_link_name);
    if (next != nullptr && next->is_string()) page.next = std::string(next->as_string());
    return page;
  }
  for (const std::string_view name : usual) {
    const Value* next = reply.body.find_ignoring_case(name);
    if (next != nullptr && next->is_string() && page.next.empty()) page.next = std::string(next->as_string());
  }
  return page;
}

void refuse(Step& step, const AttemptFinished& reply, AttemptEnded event, const std::string& why) {
  step.out.events.emplace_back(std::move(event));
  json::ObjectBuilder outputs;
  outputs.add("statusCode", Value(reply.status_code));
  outputs.add_if_set("headers", reply.headers);
  if (reply.has_body) outputs.add("body", reply.body);
  step.fail("BadRequest",
            {"InvalidPageResponse",
             "The reply to action '" + step.action.name + "' can't be used as a page of a list: " + why +
                 " Switch the action's pagination off, or call an operation that answers in pages.",
             {}},
            outputs.finish());
}

}  // namespace

void finish_page(Step& step, const AttemptFinished& finished, AttemptEnded event) {
  const Pending& pending = *step.state.find(step.place)->detail->pending;
  auto page = read_page(finished);
  if (!page) {
    const std::string name = finished.items_name.empty() ? "value" : finished.items_name;
    return refuse(step, finished, std::move(event), "it has no list '" + name + "'.");
  }
  std::size_t count = page->items.size();
  for (const Value& items : pending.pages) count += items.size();
  const bool wants_more = count < step.action.settings.pagination_minimum && !page->next.empty();
  if (wants_more && pending.polling && page->next == pending.poll_uri)
    return refuse(step, finished, std::move(event), "its link to the next page leads to itself.");
  if (wants_more && pending.pages.size() + 1 >= step.state.limits.pages_max) {
    return refuse(step, finished, std::move(event),
                  "there are more than " + std::to_string(step.state.limits.pages_max) + " pages.");
  }
  if (wants_more) {
    json::ObjectBuilder kept;
    kept.add_if_set("headers", finished.headers);
    kept.add("items", page->items);
    kept.add("nextPage", Value(page->next));
    event.response = kept.finish();
    step.out.events.emplace_back(std::move(event));
    const Slot* slot = step.state.find(step.place);
    Call call = make_call(step.state, step.place, finished.attempt + 1, slot->inputs, pending.sealed);
    call.get_poll = true;
    call.poll_uri = page->next;
    step.out.commands.emplace_back(std::move(call));
    return;
  }
  step.out.events.emplace_back(std::move(event));
  json::ArrayBuilder all;
  all.reserve(count);
  for (const Value& items : pending.pages) {
    for (const Value& item : items.as_array()) all.push(item);
  }
  for (const Value& item : page->items.as_array()) all.push(item);
  json::ObjectBuilder outputs;
  outputs.add("statusCode", Value(finished.status_code));
  outputs.add_if_set("headers", finished.headers);
  outputs.add("body", Value::object({{"value", all.finish()}}));
  step.outputs = outputs.finish();
  step.has_outputs = true;
  step.succeed(status_code_name(finished.status_code));
}

}  // namespace flowmend::engine
