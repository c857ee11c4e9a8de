#include "connector/dynamic/dynamic.h"

#include <future>

#include "connector/credentials.h"
#include "connector/mask.h"
#include "connector/service_message.h"
#include "connector/text.h"
#include "json/write.h"

namespace flowmend::connector {
namespace {

constexpr int nested_shapes_max = 10;

Error call_failed(const Operation& operation, const std::string& said) {
  return make_error("DynamicCallFailed",
                    "Operation '" + operation.id + "', which lists what can stand here, failed: " + said, {},
                    "The value can be typed all the same.");
}

/// Object members in the order of their names, so that the same arguments make the same key.
std::string key_of(const Value& arguments) {
  std::map<std::string, std::string> sorted;
  if (arguments.is_object()) {
    for (const json::Member& member : arguments.as_object())
      sorted[std::string(member.name())] = json::write(member.value);
  }
  std::string key;
  for (const auto& [name, value] : sorted) key += json::write(Value(name)) + ":" + value + ",";
  return key;
}

/// What is asked and with what; behind it, in the keys of answers, whom.
std::string question_key(const Connector& connector, const DynamicCall& call, const Value& arguments, bool list) {
  std::string key = connector.name + "\n" + lower_case(call.operation_id) + "\n" + key_of(arguments) + "\n";
  return key + (list ? "list " + call.items_path : "reply") + "\n";
}

std::string next_link_of(const Value& body, const engine::AttemptFinished& outcome) {
  for (const std::string_view name :
       {std::string_view(outcome.next_link_name), std::string_view("@odata.nextLink"), std::string_view("nextLink")}) {
    if (name.empty()) continue;
    const Value* link = value_at(body, name);
    if (link != nullptr && link->is_string() && !link->as_string().empty()) return std::string(link->as_string());
  }
  return {};
}

}  // namespace

DynamicContent::DynamicContent(runtime::Effects& effects, const Connections& connections, DynamicLimits limits,
                               Clock clock)
    : effects_(effects), connections_(connections), limits_(limits), clock_(clock) {}

Result<DynamicList<Choice>> DynamicContent::values(const DynamicQuestion& question) {
  const auto target = target_of(question);
  if (!target) return target.error();
  const auto source = source_of(question, *target);
  if (!source) return source.error();
  if (source->kind == DynamicSource::Kind::schema || source->kind == DynamicSource::Kind::tree) {
    return make_error("DynamicContentNotFound",
                      "'" + question.parameter + "' has no plain list of choices, but a " +
                          (source->kind == DynamicSource::Kind::tree ? "tree." : "shape."),
                      {}, "Ask for that instead.");
  }
  const auto answer = ask(question, *target, source->open, true);
  if (!answer) return answer.error();
  DynamicList<Choice> list;
  list.more = answer->more;
  list.asked = answer->asked;
  for (const Value& item : answer->value.as_array()) {
    Choice choice = choice_of(source->open, item);
    if (!choice.value.is_null()) list.items.push_back(std::move(choice));
  }
  if (list.items.empty() && answer->value.size() > 0) {
    return make_error("DynamicReplyUnexpected",
                      "The " + std::to_string(answer->value.size()) + " items that operation '" +
                          source->open.operation_id + "' lists have no '" + source->open.value_path + "'.",
                      {}, "Type the value; the connector's document does not fit its service.");
  }
  return list;
}

Result<DynamicList<TreeNode>> DynamicContent::tree(const DynamicQuestion& question) {
  const auto target = target_of(question);
  if (!target) return target.error();
  const auto source = source_of(question, *target);
  if (!source) return source.error();
  if (source->kind != DynamicSource::Kind::tree)
    return make_error("DynamicContentNotFound", "'" + question.parameter + "' has no tree of choices.", {},
                      "Ask for its values instead.");
  const bool roots = question.selected.is_null();
  if (!roots && source->browse.operation_id.empty()) return DynamicList<TreeNode>{{}, false, clock_()};
  const DynamicCall& call = roots ? source->open : source->browse;
  const auto answer = ask(question, *target, call, true);
  if (!answer) return answer.error();
  DynamicList<TreeNode> list;
  list.more = answer->more;
  list.asked = answer->asked;
  for (const Value& item : answer->value.as_array()) list.items.push_back(node_of(*source, call, item));
  return list;
}

Result<DynamicShape> DynamicContent::shape(const DynamicQuestion& question) {
  const auto target = target_of(question);
  if (!target) return target.error();
  Result<DynamicSource> source = make_error("", "");
  if (question.parameter.empty()) {
    auto reply = shape_at(target->connector->swagger, reply_schema(*target->connector, *target->operation));
    if (!reply)
      return make_error("DynamicContentNotFound",
                        "The reply of operation '" + target->operation->id + "' has a fixed shape.", {},
                        "Read it in the connector's document.");
    source = std::move(*reply);
    if (!source->unsupported.code.empty()) return make_error(source->unsupported.code, source->unsupported.message);
  } else {
    source = source_of(question, *target);
  }
  if (!source) return source.error();
  if (source->kind != DynamicSource::Kind::schema)
    return make_error("DynamicContentNotFound", "'" + question.parameter + "' has no shape to ask for.", {},
                      "Ask for its values instead.");
  const auto answer = ask(question, *target, source->open, false);
  if (!answer) return answer.error();
  auto schema = schema_of(source->open, answer->value);
  if (!schema) return schema.error();
  return DynamicShape{std::move(*schema), answer->asked};
}

Result<std::vector<DynamicParameter>> DynamicContent::parameters(const DynamicQuestion& question) {
  const auto target = target_of(question);
  if (!target) return target.error();
  std::vector<DynamicParameter> all = dynamic_parameters(*target->connector, *target->operation);
  const std::size_t own = all.size();
  for (std::size_t i = 0; i < own; ++i) {
    const DynamicParameter parameter = all[i];
    if (parameter.source.kind != DynamicSource::Kind::schema) continue;
    const auto schema = remembered_shape(*target->connector, *target->operation, parameter.source, question.parameters);
    if (!schema) continue;
    for (DynamicParameter& inner : dynamic_parameters_of(*target->connector, *schema, parameter.name))
      all.push_back(std::move(inner));
  }
  return all;
}

void DynamicContent::stop() {
  std::set<std::int64_t> calls;
  {
    const std::lock_guard lock(mutex_);
    stopping_ = true;
    calls = calls_;
  }
  for (const std::int64_t call : calls) {
    runtime::CallId id;
    id.run = call;
    effects_.cancel(id);
  }
}

std::optional<Value> DynamicContent::remembered_shape(const Connector& connector, const Operation& operation,
                                                      const DynamicSource& source, const Value& parameters) {
  if (source.kind != DynamicSource::Kind::schema || !source.unsupported.code.empty()) return std::nullopt;
  const auto arguments = dynamic_arguments(operation, source.open, parameters, Value());
  if (!arguments) return std::nullopt;
  const std::string prefix = question_key(connector, source.open, *arguments, false);
  std::optional<Value> found;
  const std::lock_guard lock(mutex_);
  for (auto at = answers_.lower_bound(prefix); at != answers_.end() && at->first.starts_with(prefix); ++at) {
    if (clock_() - at->second.asked > limits_.age) continue;
    const auto schema = schema_of(source.open, at->second.value);
    if (!schema) continue;
    if (found && !(*found == *schema)) return std::nullopt;
    found = *schema;
  }
  return found;
}

Result<DynamicContent::Target> DynamicContent::target_of(const DynamicQuestion& question) const {
  const auto material = connections_.material(question.connection);
  if (!material) return material.error();
  Target target;
  target.connector = material->connector;
  target.generation = material->generation;
  target.secrets = secrets_of(*material->connector, material->fields);
  target.operation = target.connector->find_operation(question.operation);
  if (target.operation == nullptr) {
    return make_error("WorkflowOperationInputsApiOperationNotFound",
                      "The connector '" + target.connector->title + "' has no operation '" + question.operation + "'.",
                      {}, "Choose one of the connector's operations.");
  }
  return target;
}

Result<DynamicSource> DynamicContent::source_of(const DynamicQuestion& question, const Target& target) {
  const Connector& connector = *target.connector;
  const Operation& operation = *target.operation;
  const auto none = [&] {
    return make_error("DynamicContentNotFound",
                      "The document of '" + connector.title + "' names no source of values for '" + question.parameter +
                          "' of operation '" + operation.id + "'.",
                      {}, "Type the value.");
  };
  const auto supported = [](std::optional<DynamicSource> source) -> Result<DynamicSource> {
    if (!source->unsupported.code.empty()) return make_error(source->unsupported.code, source->unsupported.message);
    return std::move(*source);
  };
  if (const OperationParameter* parameter = operation.find(question.parameter)) {
    auto source = choices_at(connector, connector.swagger, parameter->written);
    return source ? supported(std::move(source)) : none();
  }
  const OperationParameter* body = operation.body();
  if (body == nullptr || !question.parameter.starts_with(body->name)) return none();
  std::string rest = question.parameter.substr(body->name.size());
  if (!rest.empty() && rest.front() != '/') return none();
  if (!rest.empty()) rest.erase(0, 1);
  Value schema = body->schema;
  Value document = connector.swagger;
  for (int depth = 0; depth <= nested_shapes_max; ++depth) {
    SchemaPlace place = follow_schema(document, schema, rest);
    if (!place.shape) {
      if (place.schema.is_null()) return none();
      auto source = choices_at(connector, document, place.schema);
      if (!source) source = shape_at(document, place.schema);
      return source ? supported(std::move(source)) : none();
    }
    // Inside of a shape that only the service knows.
    if (!place.shape->unsupported.code.empty()) return supported(std::move(place.shape));
    DynamicQuestion inner = question;
    inner.refresh = false;
    const auto answer = ask(inner, target, place.shape->open, false);
    if (!answer) return answer.error();
    const auto found = schema_of(place.shape->open, answer->value);
    if (!found) return found.error();
    schema = *found;
    document = *found;  // references of a shape lead into it
    rest = place.rest;
  }
  return make_error(
      "DynamicReplyUnexpected",
      "The shape of '" + question.parameter + "' nests more than " + std::to_string(nested_shapes_max) + " others.", {},
      "Type the value.");
}

Result<DynamicContent::Answer> DynamicContent::ask(const DynamicQuestion& question, const Target& target,
                                                   const DynamicCall& call, bool list) {
  const Operation* asked = target.connector->find_operation(call.operation_id);
  if (asked == nullptr) {
    return make_error("DynamicReplyUnexpected",
                      "The document names operation '" + call.operation_id + "' as the source, and has none such.", {},
                      "Type the value; correct the connector's document.");
  }
  const auto arguments = dynamic_arguments(*target.operation, call, question.parameters, question.selected);
  if (!arguments) return arguments.error();
  const std::string key = question_key(*target.connector, call, *arguments, list) + question.connection.name + "\n" +
                          std::to_string(target.generation);
  if (!question.refresh) {
    if (auto known = remembered(key)) return *known;
  }
  {
    const std::lock_guard lock(mutex_);
    if (asking_ >= limits_.asking_max) {
      return make_error("TooManyRequests", "Services are being asked for other choices just now.", {},
                        "Try again in a moment.");
    }
    ++asking_;
  }
  struct Leave {
    DynamicContent& self;
    ~Leave() {
      const std::lock_guard lock(self.mutex_);
      --self.asking_;
    }
  } leave{*this};

  Answer answer;
  json::ArrayBuilder items;
  std::size_t count = 0;
  std::set<std::string> links;
  std::string link;
  std::size_t bytes = 0;
  const Timestamp begun = clock_();
  for (std::size_t page = 0; page < limits_.pages_max; ++page) {
    if (page > 0 && clock_() - begun > limits_.timeout) {
      answer.more = true;  // what came in time is better than nothing
      break;
    }
    std::string next;
    const auto body = send(question, target, *asked, *arguments, link, next);
    if (!body) return body.error();
    bytes += json::write(*body).size();
    if (bytes > limits_.bytes_max) {
      return make_error(
          "DynamicReplyUnexpected",
          "Operation '" + asked->id + "' answered with more than " + std::to_string(limits_.bytes_max) + " bytes.", {},
          "Type the value.");
    }
    if (!list) {
      answer.value = *body;
      break;
    }
    auto found = items_of(*body, call.items_path);
    if (!found) {
      Error error = found.error();
      error.message = "Operation '" + asked->id + "': " + error.message;
      return error;
    }
    for (Value& item : *found) {
      answer.more = count >= limits_.items_max;
      if (answer.more) break;
      items.push(std::move(item));
      ++count;
    }
    if (answer.more || next.empty() || !links.insert(next).second) break;
    answer.more = page + 1 == limits_.pages_max;
    link = std::move(next);
  }
  if (list) answer.value = items.finish();
  answer.asked = clock_();
  answer.bytes = key.size() + json::write(answer.value).size();
  remember(key, answer);
  return answer;
}

Result<Value> DynamicContent::send(const DynamicQuestion& question, const Target& target, const Operation& operation,
                                   const Value& arguments, const std::string& link, std::string& next) {
  engine::Call call;
  call.kind = engine::Call::Kind::connector;
  call.timeout = limits_.timeout;
  call.workflow_headers = false;
  call.inputs = Value::object({{"host", Value::object({{"apiId", Value(target.connector->api_id())},
                                                       {"connectionName", Value(question.connection.name)},
                                                       {"operationId", Value(operation.id)}})},
                               {"parameters", arguments}});
  if (!link.empty()) {
    call.get_poll = true;
    call.poll_uri = link;
  }
  runtime::CallContext context;
  context.action = operation.id;
  runtime::CallId id;
  {
    const std::lock_guard lock(mutex_);
    if (stopping_) return make_error("ServerStopping", "The server is stopping.", {}, "Ask again later.");
    id.run = ++last_call_;
    calls_.insert(id.run);
  }
  auto promise = std::make_shared<std::promise<engine::AttemptFinished>>();
  auto answered = promise->get_future();
  effects_.send(id, call, context,
                [promise](engine::AttemptFinished outcome) { promise->set_value(std::move(outcome)); });
  // `stop` may have looked before the call was known to the effects.
  bool stopping = false;
  {
    const std::lock_guard lock(mutex_);
    stopping = stopping_;
  }
  if (stopping) effects_.cancel(id);
  const engine::AttemptFinished outcome = answered.get();
  {
    const std::lock_guard lock(mutex_);
    calls_.erase(id.run);
  }
  if (outcome.status_code == 0) return call_failed(operation, mask_secrets(outcome.fault.message, target.secrets));
  if (outcome.status_code < 200 || outcome.status_code > 299 || outcome.status_code == 202) {
    const ServiceMessage said = read_service_message(outcome.body);
    const std::string_view phrase = reason_phrase(outcome.status_code);
    std::string message = "the service answered " + std::to_string(outcome.status_code);
    if (!phrase.empty()) message += " (" + std::string(phrase) + ")";
    message += said.message.empty() ? "." : ": " + mask_secrets(said.message, target.secrets);
    return call_failed(operation, message);
  }
  // A native connector hands over what it has in one page.
  if (target.connector->native == nullptr) next = next_link_of(outcome.body, outcome);
  return outcome.body;
}

std::optional<DynamicContent::Answer> DynamicContent::remembered(const std::string& key) {
  const std::lock_guard lock(mutex_);
  const auto found = answers_.find(key);
  if (found == answers_.end() || clock_() - found->second.asked > limits_.age) return std::nullopt;
  uses_.splice(uses_.begin(), uses_, found->second.use);
  return found->second;
}

void DynamicContent::remember(const std::string& key, Answer answer) {
  if (answer.bytes > limits_.bytes_max / 4) return;  // one answer must not drive all others out
  const std::lock_guard lock(mutex_);
  if (const auto found = answers_.find(key); found != answers_.end()) {
    bytes_ -= found->second.bytes;
    uses_.erase(found->second.use);
    answers_.erase(found);
  }
  uses_.push_front(key);
  answer.use = uses_.begin();
  bytes_ += answer.bytes;
  answers_.emplace(key, std::move(answer));
  while (answers_.size() > limits_.answers_max || bytes_ > limits_.bytes_max) {
    const auto last = answers_.find(uses_.back());
    bytes_ -= last->second.bytes;
    answers_.erase(last);
    uses_.pop_back();
  }
}

}  // namespace flowmend::connector
