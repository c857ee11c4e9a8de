#include "runtime/subscriptions.h"

#include <algorithm>
#include <set>

#include <spdlog/spdlog.h>

#include "json/parse.h"
#include "json/write.h"
#include "runtime/trigger_call.h"
#include "runtime/trigger_key.h"
#include "trigger/base64.h"
#include "trigger/inputs.h"

namespace flowmend::runtime {

namespace {

constexpr std::string_view state_kind = "subscription";
constexpr Duration retried_for = Duration::days(1);
constexpr Duration wait_max = Duration::hours(1);

/// Tells one address from another without keeping it: it holds a signature.
std::string fingerprint(std::string_view text) {
  std::uint64_t hash = 0xcbf29ce484222325;
  for (const char c : text) hash = (hash ^ static_cast<unsigned char>(c)) * 0x100000001b3;
  return std::to_string(hash);
}

std::int64_t whole(const Value& value, std::string_view name) {
  const Value* found = value.find(name);
  return found != nullptr && found->is_integer() ? found->as_integer() : 0;
}

bool is_set(const Value& value, std::string_view name) {
  const Value* found = value.find(name);
  return found != nullptr && !found->is_null();
}

/// The part of a webhook's inputs that is sent: HttpWebhook names two requests, a connector's is one.
Value part_of(const definition::Flow& flow, const Value& inputs, std::string_view part) {
  if (flow.trigger.type_name != "HttpWebhook") return inputs;
  const Value* found = inputs.find_ignoring_case(part);
  if (found == nullptr || !found->is_object()) return {};
  // Some definitions spell the address 'url'.
  const Value* url = found->find_ignoring_case("url");
  if (url == nullptr || found->find_ignoring_case("uri") != nullptr) return *found;
  json::ObjectBuilder renamed(*found);
  renamed.set("uri", *url);
  return renamed.finish();
}

std::string location_of(const engine::AttemptFinished& reply) {
  const Value* location = reply.headers.is_object() ? reply.headers.find_ignoring_case("Location") : nullptr;
  return location != nullptr && location->is_string() ? std::string(location->as_string()) : std::string();
}

}  // namespace

Subscriptions::Subscriptions(Parts parts) : parts_(std::move(parts)), self_(std::make_shared<Subscriptions*>(this)) {}

Subscriptions::~Subscriptions() { *self_ = nullptr; }

Result<void> Subscriptions::recover() {
  if (auto moved = move_flow_states(parts_.store, parts_.flows, state_kind); !moved) return moved;
  const auto stored = read_documents(parts_.store, state_kind);
  if (!stored) return stored.error();
  for (const auto& document : *stored) entries_[document.key].document = document.value;
  const auto flows = parts_.store.flows();
  if (!flows) return flows.error();
  for (const auto& row : *flows) flow_changed(row.id);
  for (const auto& document : *stored) settle(document.key);
  return {};
}

void Subscriptions::flow_changed(const std::string& id) {
  std::set<std::string> keys;
  const auto live = parts_.flows.find(id);
  if (!live && live.error().code == "StorageUnavailable") {
    parts_.executor->post_at(parts_.executor->now() + Duration::seconds(5), [self = self_, id] {
      if (*self != nullptr) (*self)->flow_changed(id);
    });
    return;
  }
  if (live) {
    for (const auto& flow : definition::by_trigger((*live)->flow)) {
      if (flow->trigger.source == definition::TriggerSource::webhook) keys.insert(trigger_key(id, flow->trigger.name));
    }
  }
  // Also those of triggers that are gone: they are undone.
  const auto prefix = trigger_keys_of(id);
  for (auto entry = entries_.lower_bound(prefix); entry != entries_.end() && entry->first.starts_with(prefix); ++entry)
    keys.insert(entry->first);
  for (const auto& key : keys) settle(key);
}

void Subscriptions::keep(const std::string& key, Entry& entry, Value document) {
  entry.document = std::move(document);
  store::Batch batch;
  batch.documents.push_back({std::string(state_kind), key, entry.document, 0, {}});
  parts_.store.commit(std::move(batch), {});
}

void Subscriptions::settle(const std::string& key) {
  const auto found = entries_.find(key);
  if (found != entries_.end() && found->second.call != 0) return;  // settled when that is over
  const auto row = parts_.store.flow(flow_of(key));
  if (!row) {
    parts_.executor->post_at(parts_.executor->now() + Duration::seconds(5), [self = self_, key] {
      if (*self != nullptr) (*self)->settle(key);
    });
    return;
  }
  const auto live = parts_.flows.find(flow_of(key));
  const auto its = live ? definition::with_trigger((*live)->flow, trigger_of(key)) : nullptr;
  const bool wanted = *row && (**row).state == store::FlowState::started && its &&
                      its->trigger.source == definition::TriggerSource::webhook;
  if (!wanted) {
    if (found == entries_.end()) return;
    Entry& entry = found->second;
    const Value document = entry.document;
    if (is_set(document, "old") || is_set(document, "undo")) {
      const bool old = is_set(document, "old");
      return unsubscribe(key, *document.find(old ? "old" : "undo"), [this, key, document, old](Entry& done) {
        json::ObjectBuilder left(document);
        left.set(old ? "old" : "undo", Value());
        keep(key, done, left.finish());
        settle(key);
      });
    }
    keep(key, entry, Value());
    entries_.erase(key);
    return;
  }
  Entry& entry = entries_[key];
  const definition::Flow& flow = *its;
  const std::string address = parts_.address(**live, flow);
  const Value source = Value::object({{"type", Value(flow.trigger.type_name)},
                                      {"inputs", flow.trigger.inputs.source()},
                                      {"connectionReferences", flow.connection_references},
                                      {"address", Value(fingerprint(address))}});
  const Value* known = entry.document.is_object() ? entry.document.find("source") : nullptr;
  const bool same = known != nullptr && *known == source;
  if (!same || !is_set(entry.document, "subscribed")) {
    const auto next = parse_timestamp(same ? entry.document.text_of("next") : std::string_view());
    if (next && *next > parts_.executor->now()) return try_again(key, entry, *next - parts_.executor->now());
    if (same && is_set(entry.document, "gaveUp")) return;
    return subscribe(key, its, address, source);
  }
  if (!is_set(entry.document, "old")) return;
  const Value document = entry.document;
  unsubscribe(key, *document.find("old"), [this, key, document](Entry& done) {
    json::ObjectBuilder left(document);
    left.set("old", Value());
    keep(key, done, left.finish());
    settle(key);
  });
}

void Subscriptions::send(const std::string& key, Entry& entry, const std::shared_ptr<const definition::Flow>& flow,
                         const engine::Call& call, std::function<void(Entry&, const engine::AttemptFinished&)> then) {
  constexpr std::int64_t below_polls = -1'000'000'000'000;  // numbers of calls are told apart from runs and polls
  entry.call = below_polls - ++calls_;
  CallContext context;
  context.flow = flow;
  context.action = flow->trigger.name;
  parts_.effects.send({entry.call, {}, 1}, call, context,
                      [self = self_, executor = parts_.executor, key, number = entry.call,
                       then = std::move(then)](engine::AttemptFinished reply) {
                        executor->post([self, key, number, then, reply = std::move(reply)] {
                          if (*self == nullptr) return;
                          const auto found = (*self)->entries_.find(key);
                          if (found == (*self)->entries_.end() || found->second.call != number) return;
                          found->second.call = 0;
                          then(found->second, reply);
                        });
                      });
}

void Subscriptions::subscribe(const std::string& key, const std::shared_ptr<const definition::Flow>& flow,
                              const std::string& address, const Value& source) {
  Entry& entry = entries_[key];
  const Timestamp now = parts_.executor->now();
  const bool same = is_set(entry.document, "source") && *entry.document.find("source") == source;
  const auto failed = [this, key, flow, source, same](Entry& failing, const std::string& code,
                                                      const std::string& message) {
    const Timestamp at = parts_.executor->now();
    const std::int64_t failures = (same ? whole(failing.document, "failures") : 0) + 1;
    const Timestamp since = same ? parse_timestamp(failing.document.text_of("since")).value_or(at) : at;
    const Duration wait = std::min(Duration::seconds(30LL << std::min<std::int64_t>(failures, 10)), wait_max);
    json::ObjectBuilder document;
    document.add("source", source);
    if (is_set(failing.document, "undo")) document.add("undo", *failing.document.find("undo"));
    if (is_set(failing.document, "old")) document.add("old", *failing.document.find("old"));
    document.add("failures", Value(failures));
    document.add("since", Value(to_string(since)));
    document.add("error", Value::object({{"code", Value(code)}, {"message", Value(message)}}));
    const bool over = at - since > retried_for;
    if (over) {
      document.add("gaveUp", Value(true));
    } else {
      document.add("next", Value(to_string(at + wait)));
    }
    failing.document = document.finish();
    parts_.record(*flow, "Failed", code,
                  "The service was not subscribed: " + message +
                      (over ? " It was tried for a day; save the flow to try again." : ""),
                  {std::string(state_kind), key, failing.document, 0, {}});
    if (!over) try_again(key, failing, wait);
  };
  const auto inputs = trigger::evaluate_inputs(*flow, Value(), now, parts_.executor->random(), address);
  if (!inputs) return failed(entry, inputs.error().code, inputs.error().message);
  const Value request = part_of(*flow, *inputs, "subscribe");
  if (!request.is_object()) return failed(entry, "InvalidWebhookInputs", "The trigger's inputs have no 'subscribe'.");
  engine::Call call = trigger_call(*flow, request);
  call.callback_url = address;
  send(key, entry, flow, call,
       [this, key, flow, source, address, request, failed](Entry& done, const engine::AttemptFinished& reply) {
         if (reply.status_code < 200 || reply.status_code >= 300 || !reply.fault.code.empty()) {
           failed(done, reply.fault.code.empty() ? "SubscriptionRefused" : reply.fault.code,
                  reply.fault.message.empty() ? "it answered " + std::to_string(reply.status_code) + "."
                                              : reply.fault.message);
           return settle(key);  // what was saved meanwhile
         }
         json::ObjectBuilder undo;
         undo.add("connectionReferences", flow->connection_references);
         undo.add("type", Value(flow->trigger.type_name));
         if (flow->trigger.type_name == "HttpWebhook") {
           const auto again = trigger::evaluate_inputs(*flow, reply_outputs(reply), parts_.executor->now(),
                                                       parts_.executor->random(), address);
           undo.add("inputs", again ? part_of(*flow, *again, "unsubscribe") : Value());
         } else {
           undo.add("inputs", request);
           undo.add("location", Value(location_of(reply)));
         }
         json::ObjectBuilder document;
         document.add("source", source);
         document.add("subscribed", Value(to_string(parts_.executor->now())));
         if (is_set(done.document, "undo")) document.add("old", *done.document.find("undo"));
         document.add("undo", Value(trigger::encode_base64(parts_.sealer.seal(json::write(undo.finish())))));
         keep(key, done, document.finish());
         settle(key);
       });
}

void Subscriptions::unsubscribe(const std::string& key, const Value& old, std::function<void(Entry&)> then) {
  Entry& entry = entries_[key];
  const auto sealed = trigger::decode_base64(old.is_string() ? old.as_string() : std::string_view());
  const auto text = sealed ? parts_.sealer.open(*sealed) : Result<std::string>(make_error("", ""));
  const auto undo = text ? json::parse(*text) : Result<Value>(make_error("", ""));
  const Value* inputs = undo ? undo->find("inputs") : nullptr;
  const std::string location(undo ? undo->text_of("location") : std::string_view());
  const bool is_http = undo && undo->text_of("type") == "HttpWebhook";
  // Nothing to send: the flow has no 'unsubscribe', or the service gave no address to undo it.
  if (inputs == nullptr || !inputs->is_object() || (!is_http && location.empty())) return then(entry);
  auto flow = std::make_shared<definition::Flow>();
  flow->id = std::string(flow_of(key));
  flow->trigger.name = "unsubscribe";
  flow->trigger.type_name = std::string(undo->text_of("type"));
  if (const Value* references = undo->find("connectionReferences")) flow->connection_references = *references;
  engine::Call call = trigger_call(*flow, *inputs);
  if (!is_http) {
    call.get_poll = true;
    call.poll_uri = location;
    call.poll_method = "DELETE";
  }
  send(key, entry, flow, call, [this, key, then](Entry& done, const engine::AttemptFinished& reply) {
    const bool gone = reply.status_code == 404 || reply.status_code == 410;
    if ((reply.status_code >= 200 && reply.status_code < 300) || gone) return then(done);
    const Timestamp now = parts_.executor->now();
    const Timestamp since = parse_timestamp(done.document.text_of("undoSince")).value_or(now);
    if (now - since > retried_for) {
      spdlog::warn("trigger {}: the old subscription could not be undone for a day: status {} {}", key,
                   reply.status_code, reply.fault.code);
      return then(done);
    }
    json::ObjectBuilder document(done.document);
    document.set("undoSince", Value(to_string(since)));
    keep(key, done, document.finish());
    try_again(key, done, Duration::minutes(5));
  });
}

void Subscriptions::try_again(const std::string& key, Entry& entry, Duration wait) {
  entry.turn = ++turns_;
  parts_.executor->post_at(parts_.executor->now() + wait, [self = self_, key, turn = entry.turn] {
    if (*self == nullptr) return;
    const auto found = (*self)->entries_.find(key);
    if (found != (*self)->entries_.end() && found->second.turn == turn) (*self)->settle(key);
  });
}

}  // namespace flowmend::runtime
