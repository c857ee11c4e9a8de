#include "flow_maker.h"

#include <vector>

namespace flowmend::simulation {

namespace {

class FlowMaker {
 public:
  FlowMaker(Dice& dice, std::string name, std::string child, std::string batch, bool may_respond)
      : dice_(dice),
        name_(std::move(name)),
        child_(std::move(child)),
        batch_(std::move(batch)),
        may_respond_(may_respond) {}

  std::string block(int depth) {
    const auto count = depth == 0 ? dice_.between(2, 5) : dice_.between(1, 2);
    std::string actions;
    std::vector<std::string> before;
    for (int i = 0; i < count; ++i) {
      const std::string action = "A" + std::to_string(++actions_);
      if (i > 0) actions += ",";
      actions += "\"" + action + "\":{" + body(action, depth) + ",\"runAfter\":{" + after(before) + "}}";
      before.push_back(action);
    }
    return "{" + actions + "}";
  }
  bool responds() const { return responds_; }

 private:
  /// Mostly one after the other; some side by side, some only after a failure.
  std::string after(const std::vector<std::string>& before) {
    if (before.empty() || dice_.once_in(5)) return {};
    static const std::vector<std::string> conditions{
        R"(["Succeeded"])", R"(["Succeeded","Failed","TimedOut","Skipped"])", R"(["Succeeded","Failed","TimedOut"])",
        R"(["Failed","TimedOut"])"};
    std::string text = "\"" + before.back() + "\":" + (dice_.once_in(2) ? conditions[1] : dice_.one_of(conditions));
    if (before.size() > 1 && dice_.once_in(4)) text += ",\"" + before.front() + "\":" + conditions[1];
    return text;
  }

  /// What tells this repetition of a step from all others.
  std::string payload(const std::string& action) const {
    std::string text = "{\"step\":\"" + action + "\",\"id\":\"@triggerOutputs()?['body']?['id']\"";
    for (std::size_t i = 0; i < loops_.size(); ++i) text += ",\"at" + std::to_string(i) + "\":\"" + loops_[i] + "\"";
    return text + "}";
  }

  std::string retry() {
    static const std::vector<std::string> policies{
        R"({"type":"none"})", R"({"type":"fixed","interval":"PT5S","count":2})",
        R"({"type":"exponential","interval":"PT5S","count":3,"maximumInterval":"PT1M"})"};
    return dice_.one_of(policies);
  }

  /// A message whose id says which step of which run sends it.
  std::string send_to_batch(const std::string& action) {
    std::string id = "@{workflow()['run']['name']} " + action;
    for (const auto& loop : loops_) id += " " + loop;
    return R"("type":"SendToBatch","inputs":{"batchName":"made","messageId":")" + id + R"(","content":)" +
           payload(action) + R"(,"host":{"triggerName":")" + trigger_name + R"(","workflow":{"id":"/workflows/)" +
           batch_ + R"("}}})";
  }

  std::string http(const std::string& action) {
    if (!batch_.empty() && dice_.once_in(2)) return send_to_batch(action);
    static const std::vector<std::string> peers{"echo", "echo", "flaky", "slow", "later"};
    std::string text = R"("type":"Http","inputs":{"method":"POST","uri":"https://)" + dice_.one_of(peers) + ".test/" +
                       name_ + "/" + action + R"(","body":)" + payload(action) + R"(,"retryPolicy":)";
    text += retry();
    if (dice_.once_in(3))
      text += std::string(R"(,"authentication":{"type":"Basic","username":"ann","password":")") + secret_text + "\"}";
    text += "}";
    if (dice_.once_in(5)) text += R"(,"limit":{"timeout":"PT20S"})";
    return text;
  }

  std::string webhook(const std::string& action) {
    auto body = payload(action);
    body.insert(1, R"("to":"@{listCallbackUrl()}",)");
    std::string text = R"("type":"HttpWebhook","inputs":{"subscribe":{"method":"POST","uri":"https://hooks.test/)" +
                       name_ + "/" + action + R"(","body":)" + body + R"(,"retryPolicy":)" + retry() + "}";
    if (dice_.once_in(2))
      text += R"(,"unsubscribe":{"method":"POST","uri":"https://hooks.test/undo/)" + name_ + "/" + action +
              R"(","body":{"undo":)" + payload(action) + "}}";
    text += "}";
    if (dice_.once_in(2)) text += R"(,"limit":{"timeout":"PT2M"})";
    return text;
  }

  std::string foreach_loop(const std::string& action, int depth) {
    if (dice_.once_in(8)) {  // more steps than one slice takes
      return R"("type":"Foreach","foreach":"@range(0,)" + std::to_string(dice_.between(200, 400)) +
             R"j()","actions":{"C)j" + action + R"j(":{"type":"Compose","inputs":"@item()","runAfter":{}}})j" +
             (dice_.once_in(2) ? R"(,"operationOptions":"Sequential")" : "");
    }
    loops_.push_back("@{items('" + action + "')}");
    const std::string inner = block(depth + 1);
    loops_.pop_back();
    return R"("type":"Foreach","foreach":"@range(0,)" + std::to_string(dice_.between(0, 4)) + R"j()","actions":)j" +
           inner +
           (dice_.once_in(2) ? R"(,"operationOptions":"Sequential")"
                             : R"(,"runtimeConfiguration":{"concurrency":{"repetitions":2}})");
  }

  std::string until_loop(const std::string& action, int depth) {
    loops_.push_back("@{iterationIndexes('" + action + "')}");
    const std::string inner = block(depth + 1);
    loops_.pop_back();
    const std::string counter = "N" + action;
    return R"j("type":"Until","expression":"@greaterOrEquals(outputs(')j" + counter + "'), " +
           std::to_string(dice_.between(0, 2)) + R"j()","limit":{"count":4,"timeout":"PT1H"},"actions":{")j" + counter +
           R"j(":{"type":"Compose","inputs":"@iterationIndexes(')j" + action + R"j(')","runAfter":{}},)j" +
           inner.substr(1);
  }

  std::string either(int depth) {
    const std::string yes = block(depth + 1);
    const std::string no = block(depth + 1);
    return R"j("type":"If","expression":{"equals":["@mod(length(string(triggerOutputs())),2)",1]},"actions":)j" + yes +
           R"(,"else":{"actions":)" + no + "}";
  }

  std::string body(const std::string& action, int depth) {
    const bool deep = depth >= 2;
    switch (dice_.below(deep ? 8 : 14)) {
      case 0:
      case 1:
      case 2: return http(action);
      case 3: return R"("type":"Compose","inputs":)" + payload(action);
      case 4:
      case 5:
        return R"("type":"Wait","inputs":{"interval":{"count":)" +
               std::to_string(dice_.once_in(3) ? dice_.between(20, 300) : dice_.between(1, 15)) +
               R"(,"unit":"Second"}})";
      case 6:
        if (!child_.empty()) {
          return R"("type":"Workflow","inputs":{"host":{"workflowReferenceName":")" + child_ + R"("},"body":)" +
                 payload(action) + R"(,"retryPolicy":{"type":"none"}})";
        }
        return http(action);
      case 7: return webhook(action);
      case 8: return foreach_loop(action, depth);
      case 9: return until_loop(action, depth);
      case 10: return R"("type":"Scope","actions":)" + block(depth + 1);
      case 11: return either(depth);
      case 12:
        if (may_respond_ && depth == 0 && !responds_) {
          responds_ = true;
          return R"("type":"Response","kind":"Http","inputs":{"statusCode":200,"body":)" + payload(action) + "}";
        }
        return http(action);
      default:
        if (!loops_.empty() || !dice_.once_in(3)) return http(action);
        return std::string(R"("type":"Terminate","inputs":{"runStatus":")") +
               (dice_.once_in(2) ? R"(Succeeded"})" : R"(Failed","runError":{"code":"Made","message":"so"}})");
    }
  }

  Dice& dice_;
  std::string name_;
  std::string child_;
  std::string batch_;
  bool may_respond_;
  bool responds_ = false;
  int actions_ = 0;
  std::vector<std::string> loops_;
};

std::string make_trigger(Dice& dice, Trigger trigger, const std::string& name) {
  switch (trigger) {
    case Trigger::request:
    case Trigger::child:
    case Trigger::split: {
      std::string text = R"({"type":"Request","kind":"Http","inputs":{"schema":{}})";
      if (trigger == Trigger::split) text += R"(,"splitOn":"@triggerBody()?['items']")";
      if (dice.once_in(3))
        text += R"(,"runtimeConfiguration":{"concurrency":{"runs":)" + std::to_string(dice.between(1, 2)) +
                R"(,"maximumWaitingRuns":)" + std::to_string(dice.between(1, 6)) + "}}";
      return text + "}";
    }
    case Trigger::recurrence:
      return R"({"type":"Recurrence","recurrence":{"frequency":"Second","interval":)" +
             std::to_string(dice.between(20, 90)) + "}}";
    case Trigger::window:
      return R"({"type":"SlidingWindow","recurrence":{"frequency":"Second","interval":)" +
             std::to_string(dice.between(40, 120)) + R"(},"inputs":{"delay":"PT)" + std::to_string(dice.between(1, 9)) +
             R"(S"}})";
    case Trigger::batch:
      return R"({"type":"Batch","inputs":{"mode":"Inline","configurations":{"made":{"releaseCriteria":{"messageCount":)" +
             std::to_string(dice.between(1, 4)) + R"(,"recurrence":{"frequency":"Second","interval":)" +
             std::to_string(dice.between(10, 60)) + "}}}}}}";
    case Trigger::feed:
      return R"({"type":"Http","inputs":{"method":"GET","uri":"https://feed.test/)" + name +
             R"(/0"},"recurrence":{"frequency":"Second","interval":)" + std::to_string(dice.between(5, 30)) + "}}";
    case Trigger::hook:
      return R"({"type":"HttpWebhook","inputs":{"subscribe":{"method":"POST","uri":"https://topic.test/)" + name +
             R"(","body":{"to":"@{listCallbackUrl()}"}},"unsubscribe":{"method":"POST","uri":"https://topic.test/undo/)" +
             name + R"("}}})";
  }
  return {};
}

}  // namespace

MadeFlow make_flow(Dice& dice, Trigger trigger, const std::string& name, const std::string& child,
                   const std::string& batch, bool other) {
  MadeFlow made;
  made.trigger = trigger;
  FlowMaker maker(dice, name, child, batch, trigger == Trigger::request || trigger == Trigger::child);
  // What a batch's run gets has no id of its own: its requests could not be told apart.
  const auto actions =
      trigger == Trigger::batch ? R"({"Take":{"type":"Compose","inputs":"@triggerBody()['items']"}})" : maker.block(0);
  made.has_response = maker.responds();
  made.has_other = other && trigger == Trigger::request;
  made.definition =
      std::string("{\"triggers\":{\"") + trigger_name + "\":" + make_trigger(dice, trigger, name) +
      (made.has_other ? std::string(",\"") + other_trigger_name + "\":" + make_trigger(dice, trigger, name)
                      : std::string()) +
      "},\"actions\":" + actions + "}";
  return made;
}

}  // namespace flowmend::simulation
