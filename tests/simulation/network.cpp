#include "network.h"

#include <algorithm>

#include "json/write.h"

namespace flowmend::simulation {

namespace {

std::string host_of(const std::string& uri) {
  const auto begin = uri.find("//") + 2;
  return uri.substr(begin, uri.find('/', begin) - begin);
}

}  // namespace

Duration Network::delay() {
  if (!faults) return Duration::milliseconds(dice_.between(0, 50));
  switch (dice_.below(6)) {
    case 0: return {};
    case 1: return Duration::seconds(dice_.between(1, 20));
    case 2: return Duration::seconds(dice_.between(20, 110));
    default: return Duration::milliseconds(dice_.between(0, 400));
  }
}

void Network::send(int life, const runtime::CallId& id, const engine::Call& call, const runtime::CallContext& context,
                   std::function<void(engine::AttemptFinished)> done) {
  const std::string uri = call.get_poll ? call.poll_uri : std::string(call.inputs.text_of("uri"));
  hooks_.note("send run " + std::to_string(id.run) + " action " + context.action + " frame " +
              std::to_string(id.place.frame) + " attempt " + std::to_string(id.attempt) + " " + uri + " key " +
              call.idempotency_key);
  witness_.see_send(id, call, context);
  engine::AttemptFinished finished;
  finished.place = call.place;
  finished.attempt = call.attempt;
  finished.started = clock_.wall();
  finished.request = Value::object({{"method", Value("POST")}, {"uri", Value(uri)}});
  const bool lost_on_the_way = faults && dice_.once_in(20);
  const bool lost_on_the_way_back = faults && dice_.once_in(20);
  std::optional<Reply> reply;
  if (!lost_on_the_way) reply = serve(host_of(uri), uri, call);
  Duration wait = host_of(uri) == "slow.test" ? Duration::seconds(dice_.between(1, 40)) : delay();
  if (!reply || lost_on_the_way_back || wait >= call.timeout) {
    reply.reset();
    wait = call.timeout;
  }
  const auto arrive = [this, life, finished, reply, done = std::move(done)]() mutable {
    if (!hooks_.lives(life)) return;
    auto arrived = finished;
    arrived.ended = clock_.wall();
    if (reply) {
      arrived.status_code = reply->status;
      arrived.headers = reply->headers;
      arrived.body = reply->body;
      arrived.has_body = !reply->body.is_null();
    } else {
      arrived.fault = {"RequestTimeout", "No reply came in time.", {}};
    }
    hooks_.note("reply attempt " + std::to_string(arrived.attempt) + " action " + std::to_string(arrived.place.action) +
                " frame " + std::to_string(arrived.place.frame) + " status " + std::to_string(arrived.status_code));
    done(std::move(arrived));
  };
  if (id.run > 0 && faults && dice_.once_in(12))
    hooks_.after(Duration{wait.ticks + delay().ticks}, arrive);  // comes twice
  hooks_.after(wait, arrive);
}

Network::Reply Network::serve(const std::string& host, const std::string& uri, const engine::Call& call) {
  Reply reply;
  reply.headers = Value::empty_object();
  if (host == "feed.test") return serve_feed(uri);
  const bool fails = faults && dice_.once_in(host == "flaky.test" ? 2 : 15);
  if (fails && host != "topic.test") {
    static const std::vector<int> statuses{500, 503, 429, 404, 408};
    reply.status = dice_.one_of(statuses);
    if (reply.status == 429) reply.headers = Value::object({{"Retry-After", Value("7")}});
    return reply;
  }
  if (host == "later.test" && !call.get_poll) {
    const std::string at = "https://later.test/at/" + call.idempotency_key;
    later_.emplace(at, static_cast<int>(dice_.between(0, 3)));
    reply.status = 202;
    reply.headers = Value::object({{"Location", Value(at)}, {"Retry-After", Value("3")}});
    return reply;
  }
  if (host == "later.test") {
    const auto found = later_.find(uri);
    if (found != later_.end() && found->second-- > 0) {
      reply.status = 202;
      reply.headers = Value::object({{"Location", Value(uri)}, {"Retry-After", Value("3")}});
      return reply;
    }
  }
  const Value* body = call.inputs.find("body");
  const std::string address(body == nullptr ? std::string_view() : body->text_of("to"));
  if (host == "hooks.test" && !address.empty() && told_.insert(address).second) {
    const std::string note = "note-" + std::to_string(++notes_);
    hooks_.after(dice_.once_in(4) ? Duration{} : Duration::milliseconds(dice_.between(100, 90'000)),
                 [this, address, note] { call_back(address, "{\"note\":\"" + note + "\"}", 1000); });
  }
  if (host == "topic.test" && !address.empty()) {
    if (subscribers_.emplace(uri, address).second) publish(uri, static_cast<int>(dice_.between(1, 5)));
    subscribers_[uri] = address;
  }
  reply.body = Value::object({{"ok", Value(true)}, {"serial", Value(++notes_)}});
  return reply;
}

Network::Reply Network::serve_feed(const std::string& uri) {
  Reply reply;
  reply.headers = Value::object({{"Location", Value(uri)}, {"Retry-After", Value("5")}});
  if (faults && dice_.once_in(8)) {
    reply.status = 500;
    reply.headers = Value::empty_object();
    return reply;
  }
  if (quiet_ || dice_.once_in(2)) {
    reply.status = 202;
    return reply;
  }
  const auto slash = uri.rfind('/');
  const auto next = std::stoll(uri.substr(slash + 1)) + 1;
  reply.headers = Value::object({{"Location", Value(uri.substr(0, slash + 1) + std::to_string(next))}});
  reply.body = Value::object({{"id", Value(uri)}});
  return reply;
}

void Network::call_back(const std::string& url, const std::string& body, int patience) {
  if (patience == 0) return;
  hooks_.notify(url, body, [this, url, body, patience](int status) {
    if (status >= 200 && status < 300) {
      if (faults && dice_.once_in(5)) hooks_.notify(url, body, [](int) {});  // twice, though it was heard
      return;
    }
    if (status == 410 || status == 404) return;
    hooks_.after(Duration::seconds(dice_.between(2, 10)),
                 [this, url, body, patience] { call_back(url, body, patience - 1); });
  });
}

void Network::publish(const std::string& name, int left) {
  if (left == 0) return;
  hooks_.after(Duration::seconds(dice_.between(5, 60)), [this, name, left] {
    if (quiet_) return;
    hooks_.notify(subscribers_[name], "{\"id\":\"event-" + std::to_string(++notes_) + "\"}", [](int) {});
    publish(name, left - 1);
  });
}

}  // namespace flowmend::simulation
