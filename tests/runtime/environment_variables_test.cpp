#include "runtime/environment_variables.h"

#include "runtime_fixture.h"

namespace flowmend::runtime {
namespace {

class EnvironmentVariablesTest : public RuntimeTest {
 protected:
  Value definition(const char* parameters) const {
    return *json::parse(std::string(R"({"triggers":{"manual":{"type":"Request"}},"parameters":)") + parameters +
                        R"j(,"actions":{"Say":{"type":"Compose","inputs":"@parameters('Mail box')"}}})j");
  }
  FlowDraft draft(const char* parameters) const {
    FlowDraft out;
    out.display_name = "Say";
    out.definition = definition(parameters);
    out.connection_references = Value::empty_object();
    return out;
  }
  void set(std::string_view name, Value value) {
    EnvironmentVariable variable;
    variable.name = name;
    variable.value = std::move(value);
    ASSERT_TRUE(EnvironmentVariables(*store_).set(variable));
  }
  Value values_of(const store::FlowRow& row) const {
    return (**store_->flow_version(row.id, row.version)).parameter_values;
  }
};

constexpr const char* bound =
    R"({"Mail box":{"type":"String","defaultValue":"default","metadata":{"schemaName":"contoso_Mailbox"}}})";

TEST_F(EnvironmentVariablesTest, AFlowTakesTheValueWhenItIsSavedAndKeepsItInItsVersion) {
  auto& flows = runtime_->flows();
  const auto first = flows.create(draft(bound), "ada");
  ASSERT_TRUE(first && first->flow);
  EXPECT_TRUE(values_of(*first->flow).is_null()) << "the default holds";
  set("CONTOSO_mailbox", Value("orders"));
  const auto second = flows.update(first->flow->id, draft(bound), "ada");
  ASSERT_TRUE(second && second->flow);
  EXPECT_NE(second->flow->version, first->flow->version);
  EXPECT_EQ(json::write(values_of(*second->flow)), R"({"Mail box":{"value":"orders"}})");
  EXPECT_TRUE(values_of(*first->flow).is_null()) << "a version never changes";
  // The same once more changes nothing.
  const auto third = flows.update(first->flow->id, draft(bound), "ada");
  EXPECT_EQ(third->flow->version, second->flow->version);
  // A value that the caller gives, in another case of the name, does not win and is not there twice.
  FlowDraft given = draft(bound);
  given.parameter_values = *json::parse(R"({"MAIL BOX":{"value":"mine"}})");
  const auto fourth = flows.update(first->flow->id, given, "ada");
  ASSERT_TRUE(fourth && fourth->flow);
  EXPECT_EQ(json::write(values_of(*fourth->flow)), R"({"MAIL BOX":{"value":"orders"}})");
}

TEST_F(EnvironmentVariablesTest, AValueOfAnotherTypeIsRefusedAtSave) {
  set("contoso_Mailbox", Value(std::int64_t{7}));
  const auto saved = runtime_->flows().create(draft(bound), "ada");
  ASSERT_TRUE(saved);
  EXPECT_FALSE(saved->flow);
  ASSERT_FALSE(saved->diagnostics.empty());
  EXPECT_EQ(saved->diagnostics.front().code, "InvalidTemplate");
}

TEST_F(EnvironmentVariablesTest, ASecureParameterIsBoundToNone) {
  set("contoso_Mailbox", Value("plain"));
  const auto saved = runtime_->flows().create(
      draft(R"({"Mail box":{"type":"SecureString","defaultValue":"d","metadata":{"schemaName":"contoso_Mailbox"}}})"),
      "ada");
  ASSERT_TRUE(saved && saved->flow);
  EXPECT_TRUE(values_of(*saved->flow).is_null());
}

TEST_F(EnvironmentVariablesTest, ConnectionsAreBoundToNone) {
  set("contoso_Mailbox", *json::parse(R"({"x":{"connectionId":"/connections/of-somebody-else"}})"));
  const Value definition =
      *json::parse(R"({"parameters":{"$connections":{"type":"Object","metadata":{"schemaName":"contoso_Mailbox"}}}})");
  const auto values = with_variables(
      definition, Value(), [&](std::string_view key) { return store_->document(environment_variable_kind, key); });
  EXPECT_TRUE(values->is_null());
}

TEST_F(EnvironmentVariablesTest, RefusesWhatIsNoNameOrNoValue) {
  EnvironmentVariables variables(*store_);
  EnvironmentVariable variable;
  variable.value = Value("x");
  for (const std::string& name : {std::string(), std::string("a b"), std::string("a/b"), std::string(101, 'a')}) {
    variable.name = name;
    const auto set = variables.set(variable);
    ASSERT_FALSE(set) << name;
    EXPECT_EQ(set.error().code, "InvalidEnvironmentVariable");
    EXPECT_EQ(set.error().where, "/name");
  }
  variable.name = "fine";
  for (Value value : {Value(), Value(std::string(64 * 1024, 'x'))}) {
    variable.value = std::move(value);
    const auto set = variables.set(variable);
    ASSERT_FALSE(set);
    EXPECT_EQ(set.error().where, "/value");
  }
}

TEST_F(EnvironmentVariablesTest, ReadsAnyDefinition) {
  const VariableReader read = [](std::string_view) -> Result<std::optional<store::Document>> {
    return std::optional<store::Document>();
  };
  for (const char* text : {"null", "[]", "7", R"({"parameters":7})", R"({"parameters":{"a":7,"b":{"metadata":"x"}}})",
                           R"({"parameters":{"a":{"metadata":{"schemaName":7}}}})"})
    EXPECT_TRUE(with_variables(*json::parse(text), Value(), read)->is_null()) << text;
}

}  // namespace
}  // namespace flowmend::runtime
