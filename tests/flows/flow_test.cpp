// Every file under tests/flows is a test: a flow, the world it meets, and what must come of it (README.md says the
// form). Each file runs twice: straight through, and crashed and replayed from its journal after every input.

#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <sstream>

#include "engine/history.h"
#include "json/parse.h"
#include "json/write.h"
#include "simulated_run.h"

namespace flowmend::flows {
namespace {

namespace fs = std::filesystem;

fs::path root() { return fs::path(FLOWMEND_SOURCE_DIR) / "tests" / "flows"; }

std::vector<std::string> all_files() {
  std::vector<std::string> files;
  for (const auto& entry : fs::recursive_directory_iterator(root())) {
    if (entry.path().extension() == ".json") files.push_back(fs::relative(entry.path(), root()).string());
  }
  std::sort(files.begin(), files.end());
  return files;
}

Value read_file(const std::string& name) {
  std::ifstream file(root() / name);
  std::stringstream text;
  text << file.rdbuf();
  const auto value = json::parse(text.str());
  EXPECT_TRUE(value.has_value()) << (value ? "" : value.error().message);
  return value ? *value : Value();
}

/// Compares what a file expects with what came: members that the file does not name are not looked at, but `exactly`
/// compares whole values. `{"contains": "text"}` looks for a part, `{"from": "PT5S", "to": "PT45S"}` for a length.
class Expectation {
 public:
  explicit Expectation(const engine::History& history) : history_(history) {}

  void exactly(const std::string& what, const Value& expected, const Value& actual) {
    if (expected != actual || (expected.is_object() && actual.is_null())) differ(what, expected, actual);
  }

  void text(const std::string& what, const Value& expected, std::string_view actual) {
    if (const Value* part = expected.find("contains")) {
      if (actual.find(part->as_string()) == std::string_view::npos) differ(what, expected, Value(actual));
      return;
    }
    exactly(what, expected, Value(actual));
  }

  void fault(const std::string& what, const Value& expected, const Value* actual) {
    if (expected.is_null()) {
      if (actual != nullptr) differ(what, expected, *actual);
      return;
    }
    if (actual == nullptr) return differ(what, expected, {});
    for (const json::Member& member : expected.as_object())
      text(what + "." + std::string(member.name()), member.value, actual->text_of(member.name()));
  }

  /// `expected`: a status alone, or an object of what is looked at.
  void action(const std::string& name, const std::string& repetition, const Value& expected,
              const engine::ActionRecord& record) {
    const std::string what = repetition.empty() ? name : name + "/" + repetition;
    if (expected.is_string()) return text(what + " status", expected, record.properties.text_of("status"));
    for (const json::Member& member : expected.as_object()) {
      const auto part = member.name();
      const std::string place = what + " " + std::string(part);
      if (part == "outputs" || part == "inputs") {
        const auto content = history_.content(name, repetition, part == "outputs");
        const bool secured = member.value.is_string() && member.value.as_string() == "secured";
        if (secured != content.secured) differ(place, member.value, Value(content.secured ? "secured" : "shown"));
        if (!secured) exactly(place, member.value, content.value);
      } else if (part == "error") {
        fault(place, member.value, record.properties.find("error"));
      } else if (part == "retries") {
        const Value* retries = record.properties.find("retryHistory");
        exactly(place, member.value, Value(static_cast<std::int64_t>(retries == nullptr ? 0 : retries->size())));
      } else if (part == "repetitions") {
        repetitions(name, member.value, history_.repetitions(name));
      } else if (part == "iterations") {
        repetitions(name, member.value, history_.scope_repetitions(name));
      } else {
        const Value* actual = record.properties.find(part);
        if (actual != nullptr && actual->is_string()) {
          text(place, member.value, actual->as_string());
        } else {
          exactly(place, member.value, actual == nullptr ? Value() : *actual);
        }
      }
    }
  }

  void actions(const Value& expected) {
    for (const json::Member& member : expected.as_object()) {
      const std::string name(member.name());
      const auto record = history_.action(name);
      if (!record) {
        if (!member.value.is_null()) differ(name, member.value, {});
      } else if (member.value.is_null()) {
        differ(name, member.value, record->properties);
      } else {
        action(name, "", member.value, *record);
      }
    }
  }

  static bool fits(const Value& expected, Duration actual) {
    if (expected.is_string()) return parse_duration(expected.as_string()) == actual;
    return *parse_duration(expected.text_of("from")) <= actual && actual <= *parse_duration(expected.text_of("to"));
  }

  void length(const std::string& what, const Value& expected, Duration actual) {
    if (!fits(expected, actual)) differ(what, expected, Value(to_string(actual)));
  }

  void requests(const Value& expected, const std::vector<SentRequest>& sent) {
    bool same = expected.size() == sent.size();
    for (std::size_t i = 0; same && i < sent.size(); ++i) {
      same = fits(expected.as_array()[i], sent[i].at);
    }
    if (same) return;
    json::ArrayBuilder times;
    for (const auto& request : sent) times.push(Value(request.key + " at " + to_string(request.at)));
    differ("requests_at", expected, times.finish());
  }

  void differ(const std::string& what, const Value& expected, const Value& actual) {
    ADD_FAILURE() << what << "\n  expected " << json::write(expected) << "\n  actual   " << json::write(actual);
  }

 private:
  /// A list: all of them, in order. An object: those that it names.
  void repetitions(const std::string& name, const Value& expected, const std::vector<engine::ActionRecord>& actual) {
    if (expected.is_integer()) {
      return exactly(name + " repetitions", expected, Value(static_cast<std::int64_t>(actual.size())));
    }
    if (expected.is_array()) {
      json::ArrayBuilder statuses;
      for (const auto& one : actual) statuses.push(Value(one.properties.text_of("status")));
      return exactly(name + " repetitions", expected, statuses.finish());
    }
    for (const json::Member& member : expected.as_object()) {
      const auto found =
          std::find_if(actual.begin(), actual.end(), [&](const auto& r) { return r.name == member.name(); });
      if (found == actual.end()) {
        differ(name + "/" + std::string(member.name()), member.value, {});
      } else {
        action(name, found->name, member.value, *found);
      }
    }
  }

  const engine::History& history_;
};

void check(const Value& expect, const Outcome& outcome, const engine::History& history, const definition::Flow& flow) {
  Expectation is(history);
  for (const json::Member& member : expect.as_object()) {
    const auto part = member.name();
    if (part == "run") {
      is.text("run", member.value, engine::status_name(history.state().status));
    } else if (part == "code") {
      is.text("run code", member.value, history.run().text_of("code"));
    } else if (part == "error") {
      is.fault("run error", member.value, history.run().find("error"));
    } else if (part == "outputs") {
      const Value run = history.run();
      const Value* outputs = run.find("outputs");
      is.exactly("run outputs", member.value, outputs == nullptr ? Value() : *outputs);
    } else if (part == "culprit") {
      const auto culprit = history.culprit();
      is.text("culprit", member.value,
              !culprit ? "" : culprit->action + (culprit->repetition.empty() ? "" : "/" + culprit->repetition));
    } else if (part == "actions") {
      is.actions(member.value);
    } else if (part == "variables") {
      for (const json::Member& variable : member.value.as_object()) {
        const auto slot = flow.find_variable(variable.name());
        ASSERT_GE(slot, 0) << variable.name();
        is.exactly("variable " + std::string(variable.name()), variable.value,
                   history.state().variables[static_cast<std::size_t>(slot)].value());
      }
    } else if (part == "requests_at") {
      is.requests(member.value, outcome.requests);
    } else if (part == "requests") {
      json::ArrayBuilder keys;
      for (const auto& request : outcome.requests) keys.push(Value(request.key));
      is.exactly("requests", member.value, keys.finish());
    } else if (part == "ends_at") {
      is.length("ends_at", member.value, history.state().ended - history.state().start.time);
    } else if (part == "response") {
      if (member.value.is_null() || !outcome.response) {
        if (!member.value.is_null() || outcome.response)
          is.differ("response", member.value, outcome.response ? Value(outcome.response->status_code) : Value());
        continue;
      }
      for (const json::Member& of : member.value.as_object()) {
        if (of.name() == "status") is.exactly("response status", of.value, Value(outcome.response->status_code));
        if (of.name() == "headers") is.exactly("response headers", of.value, outcome.response->headers);
        if (of.name() == "body") is.exactly("response body", of.value, outcome.response->body);
      }
    } else {
      ADD_FAILURE() << "unknown expectation " << part;
    }
  }
}

/// The whole record of a run, as people read it.
std::string record_of(const engine::History& history) {
  std::string out = json::write(history.run());
  for (const auto& action : history.actions()) {
    out += "\n" + action.name + json::write(action.properties);
    for (const auto& one : history.repetitions(action.name)) out += "\n  " + one.name + json::write(one.properties);
    for (const auto& one : history.scope_repetitions(action.name))
      out += "\n  " + one.name + json::write(one.properties);
  }
  return out;
}

class FlowTest : public testing::TestWithParam<std::string> {};

TEST_P(FlowTest, DoesWhatTheFileSays) {
  const Value test = read_file(GetParam());
  ASSERT_FALSE(test.text_of("about").empty());
  for (const json::Member& member : test.as_object()) {
    constexpr const char* known[] = {
        "about",     "dialect",        "definition", "connectionReferences", "parameters",  "trigger", "replies",
        "cancel_at", "caller_gone_at", "hold",       "released_at",          "given_up_at", "slice",   "expect"};
    EXPECT_TRUE(std::find(std::begin(known), std::end(known), member.name()) != std::end(known)) << member.name();
  }
  definition::CompileOptions options;
  options.id = "11111111-2222-3333-4444-555555555555";
  options.workflow_id = "0123456789abcdef0123456789abcdef";
  options.display_name = "Test";
  options.dialect = test.text_of("dialect") == "la" ? definition::Dialect::la : definition::Dialect::pa;
  if (const Value* references = test.find("connectionReferences")) options.connection_references = *references;
  if (const Value* parameters = test.find("parameters")) options.parameter_values = *parameters;
  const auto compiled = definition::compile(*test.find("definition"), options);
  for (const auto& diagnostic : compiled.diagnostics) {
    if (!compiled.flow) ADD_FAILURE() << diagnostic.pointer << " " << diagnostic.code << " " << diagnostic.message;
  }
  ASSERT_NE(compiled.flow, nullptr);

  const Outcome straight = simulate(compiled.flow, test, Condition::straight);
  ASSERT_EQ(straight.trouble, "");
  ASSERT_TRUE(straight.ended);
  const engine::History history(compiled.flow, straight.events);
  ASSERT_EQ(history.state().broken, "");
  check(*test.find("expect"), straight, history, *compiled.flow);

  const Outcome crashed = simulate(compiled.flow, test, Condition::crashed_after_every_input);
  ASSERT_EQ(crashed.trouble, "");
  EXPECT_EQ(record_of(history), record_of(engine::History(compiled.flow, crashed.events)));
}

std::string test_name(const testing::TestParamInfo<std::string>& info) {
  std::string name = info.param.substr(0, info.param.size() - 5);
  std::replace_if(
      name.begin(), name.end(), [](char c) { return std::isalnum(static_cast<unsigned char>(c)) == 0; }, '_');
  return name;
}

INSTANTIATE_TEST_SUITE_P(Files, FlowTest, testing::ValuesIn(all_files()), test_name);

}  // namespace
}  // namespace flowmend::flows
