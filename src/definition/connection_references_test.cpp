#include "definition/connection_references.h"

#include <gtest/gtest.h>

#include "definition/flow.h"
#include "json/parse.h"

namespace flowmend::definition {
namespace {

TEST(ConnectionReferences, WarnOfTheCallersConnectionInBothForms) {
  CompileOptions options;
  options.connection_references = *json::parse(R"j({
    "mine": {"connectionName": "a", "source": "Embedded"},
    "his/hers": {"connectionName": "b", "source": "Invoker"},
    "theirs": {"api": {"name": "shared_x"}, "runtimeSource": "invoker"},
    "unsaid": {"connectionName": "c"}})j");
  const Compiled compiled = compile(*json::parse(R"j({"triggers":{"t":{"type":"Request"}},"actions":{}})j"), options);
  ASSERT_NE(compiled.flow, nullptr) << "such a flow can be saved";
  ASSERT_EQ(compiled.diagnostics.size(), 2U);
  EXPECT_EQ(compiled.diagnostics[0].pointer, "/connectionReferences/his~1hers");
  EXPECT_EQ(compiled.diagnostics[1].pointer, "/connectionReferences/theirs");
  for (const Diagnostic& found : compiled.diagnostics) {
    EXPECT_EQ(found.code, "InvokerConnectionUnavailable");
    EXPECT_EQ(found.severity, Severity::warning);
  }
}

TEST(ConnectionReferences, TakeAnyValue) {
  Diagnostics found;
  for (const char* text : {"null", "[]", "7", R"({"a":7,"b":[],"c":{"source":7}})"})
    check_connection_references(*json::parse(text), found);
  EXPECT_TRUE(found.empty());
}

}  // namespace
}  // namespace flowmend::definition
