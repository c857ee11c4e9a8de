#include "sandbox/effects.h"

#include "sandbox/artifacts.h"
#include "trigger/base64.h"

namespace flowmend::sandbox {
namespace {

engine::AttemptFinished outcome_of(const engine::Call& call, Timestamp started) {
  engine::AttemptFinished out;
  out.place = call.place;
  out.attempt = call.attempt;
  out.started = started;
  out.ended = now_from_system_clock();
  return out;
}

engine::AttemptFinished failed(const engine::Call& call, Timestamp started, const Error& error) {
  auto out = outcome_of(call, started);
  // The same job would end the same way: it is not tried again.
  out.fault = {error.code, error.message,
               Value::object({{"kind", Value("inputs")}, {"where", Value(error.where)}, {"cure", Value(error.cure)}})};
  return out;
}

/// XML comes as text, or as the object that `xml()` and the services give.
Result<std::string> text_of(const Value* content) {
  if (content != nullptr && content->is_string())
    return Result<std::string>(boost::system::in_place_value, content->as_string());
  const Value* encoded = content == nullptr ? nullptr : content->find("$content");
  if (encoded != nullptr && encoded->is_string()) {
    if (auto bytes = trigger::decode_base64(encoded->as_string()))
      return Result<std::string>(boost::system::in_place_value, std::move(*bytes));
  }
  return make_error("InvalidXml", "The content is no XML: it must be a text, or what xml() gives.", "/inputs/content",
                    "Give the content as a text.");
}

/// What names a map or schema: below `integrationAccount`, or beside `content` as newer definitions have it.
const Value* reference_in(const Value& inputs, std::string_view kind) {
  const Value* account = inputs.find_ignoring_case("integrationAccount");
  const Value* reference = account == nullptr ? nullptr : account->find_ignoring_case(kind);
  return reference != nullptr ? reference : inputs.find_ignoring_case(kind);
}

Value all_artifacts(const store::Store& store, std::string_view kind) {
  json::ObjectBuilder out;
  if (const auto all = artifacts(store, kind)) {
    for (const Artifact& artifact : *all) out.set(artifact.name, Value(artifact.content));
  }
  return out.finish();
}

bool has_option(std::string_view options, std::string_view name) {
  for (auto rest = options; !rest.empty();) {
    const auto comma = rest.find(',');
    auto word = rest.substr(0, comma);
    while (word.starts_with(' ')) word.remove_prefix(1);
    while (word.ends_with(' ')) word.remove_suffix(1);
    if (word == name) return true;
    rest = comma == std::string_view::npos ? std::string_view() : rest.substr(comma + 1);
  }
  return false;
}

/// The action's body: text when the map writes text, or when it is asked for; else XML as the services give it.
Value xslt_body(const Value& result, const Value& inputs) {
  const Value* plain = result.find("plain");
  const auto text = result.text_of("text");
  const bool as_text = (plain != nullptr && plain->is_boolean() && plain->as_boolean()) ||
                       has_option(inputs.text_of("transformOptions"), "GenerateTextOutput");
  if (as_text) return Value(text);
  return Value::object(
      {{"$content-type", Value("application/xml; charset=utf-8")}, {"$content", Value(trigger::encode_base64(text))}});
}

}  // namespace

Effects::Effects(runtime::Effects& others, const store::Store& store, const EffectsSettings& settings,
                 std::string program)
    : others_(others), store_(store), settings_(settings), sandbox_(std::move(program)) {}

Effects::~Effects() = default;

Result<Value> Effects::job_of(const engine::Call& call) const {
  const Value& inputs = call.inputs;
  if (call.job == "script") {
    const Value* context = call.sealed.find("context");
    return Value::object({{"kind", Value("script")},
                          {"code", Value(inputs.text_of("code"))},
                          {"context", context == nullptr ? Value::empty_object() : *context}});
  }
  const bool xslt = call.job == "xslt";
  const char* kind = xslt ? "map" : "schema";
  auto content = text_of(inputs.find_ignoring_case("content"));
  if (!content) return content.error();
  const Value* reference = reference_in(inputs, kind);
  const auto name = reference == nullptr ? std::string_view() : reference->text_of("name");
  std::string text(reference == nullptr ? std::string_view() : reference->text_of("content"));
  if (text.empty()) {
    if (name.empty()) {
      return make_error("ArtifactNotFound", std::string("The action names no ") + kind + ".",
                        std::string("/inputs/integrationAccount/") + kind,
                        "Give its 'name' as it is stored, or its 'content'.");
    }
    auto artifact = find_artifact(store_, kind, name);
    if (!artifact) {
      // Names of files are kept with and without their ending.
      const auto dot = name.rfind('.');
      auto without = dot == std::string_view::npos ? artifact : find_artifact(store_, kind, name.substr(0, dot));
      if (!without) return artifact.error();
      artifact = std::move(without);
    }
    text = artifact->content;
  }
  json::ObjectBuilder job;
  job.add("kind", Value(xslt ? "xslt" : "xmlValidation"));
  job.add("content", Value(*content));
  job.add(kind, Value(text));
  job.add(xslt ? "maps" : "schemas", all_artifacts(store_, kind));
  if (const Value* parameters = inputs.find_ignoring_case("xsltParameters")) job.add("parameters", *parameters);
  return job.finish();
}

void Effects::send(const runtime::CallId& id, const engine::Call& call, const runtime::CallContext& context,
                   std::function<void(engine::AttemptFinished)> done) {
  if (call.kind != engine::Call::Kind::sandbox) return others_.send(id, call, context, std::move(done));
  const auto started = now_from_system_clock();
  auto job = job_of(call);
  // A job that can't be made is told about like one that failed, from the sandbox's thread.
  const Value given = job ? *job : Value::object({{"kind", Value("none")}});
  const Bounds& bounds = call.job == "script" ? settings_.script : settings_.transform;
  sandbox_.run(given, bounds, [call, started, done = std::move(done), job](Result<Value> result) {
    if (!job) return done(failed(call, started, job.error()));
    if (!result) return done(failed(call, started, result.error()));
    auto out = outcome_of(call, started);
    out.status_code = 200;
    out.has_body = true;
    const Value* content = call.inputs.find_ignoring_case("content");
    out.body = call.job == "script" ? *result
               : call.job == "xslt" ? xslt_body(*result, call.inputs)
               : content != nullptr ? *content
                                    : Value();
    done(std::move(out));
  });
}

void Effects::cancel(const runtime::CallId& id) { others_.cancel(id); }

}  // namespace flowmend::sandbox
