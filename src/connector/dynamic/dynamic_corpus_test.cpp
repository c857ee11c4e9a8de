// The dynamic sources of real connectors: nearly all name an operation that is there, with arguments that it takes.

#include <gtest/gtest.h>

#include <iostream>
#include <map>

#include "connector/arguments.h"
#include "connector/corpus_test.h"
#include "connector/dynamic/source.h"

namespace flowmend::connector {
namespace {

TEST(DynamicCorpus, SourcesNameOperationsThatTakeTheirArguments) {
  const std::string text = read_connector_corpus();
  if (text.empty()) GTEST_SKIP() << "the corpus is not part of the project";
  std::size_t sources = 0;
  std::size_t good = 0;
  std::map<std::string, std::pair<std::size_t, std::string>> reasons;
  visit_lines(text, [&](const Value& line) {
    const Value* swagger = line.find("swagger");
    const Value* properties = line.find("properties");
    const Loaded loaded =
        load_connector(swagger == nullptr ? Value() : *swagger, properties == nullptr ? Value() : *properties);
    if (!loaded.connector) return;
    const Connector& connector = *loaded.connector;
    const auto judge = [&](const Operation& operation, const DynamicSource& source) -> std::string {
      if (!source.unsupported.code.empty()) return source.unsupported.message;
      for (const DynamicCall* call : {&source.open, &source.browse}) {
        if (call->operation_id.empty()) continue;
        const Operation* target = connector.find_operation(call->operation_id);
        if (target == nullptr) return "names an operation that is not there";
        // What a step would have given: any value that the target may take.
        json::ObjectBuilder given;
        json::ObjectBuilder node;
        for (const DynamicArgument& argument : call->arguments) {
          const OperationParameter* parameter = target->find(argument.name);
          const Value value = parameter != nullptr && parameter->enumeration.size() > 0
                                  ? parameter->enumeration.as_array()[0]
                              : parameter != nullptr && parameter->type == "boolean" ? Value(true)
                                                                                     : Value(7);
          if (argument.from == DynamicArgument::From::parameter) given.set(argument.path, value);
          if (argument.from == DynamicArgument::From::selected) node.set(argument.path, value);
        }
        const auto arguments = dynamic_arguments(operation, *call, given.finish(), node.finish());
        if (!arguments) return arguments.error().code;
        const auto bound = bind_arguments(connector, *target, *arguments);
        if (!bound) return bound.error().code;
      }
      return {};
    };
    for (const Operation& operation : connector.operations) {
      std::vector<DynamicSource> all;
      for (const DynamicParameter& parameter : dynamic_parameters(connector, operation))
        all.push_back(parameter.source);
      if (auto shape = shape_at(connector.swagger, reply_schema(connector, operation)))
        all.push_back(std::move(*shape));
      for (const DynamicSource& source : all) {
        ++sources;
        const std::string reason = judge(operation, source);
        if (reason.empty()) {
          ++good;
          continue;
        }
        auto& row = reasons[reason];
        ++row.first;
        if (row.second.empty()) row.second = std::string(line.text_of("id")) + " " + operation.id;
      }
    }
  });
  std::cout << "sources " << sources << ", can be asked " << good << "\n";
  for (const auto& [reason, row] : reasons)
    std::cout << "  " << row.first << " " << reason << " (" << row.second << ")\n";
  EXPECT_GT(sources, 1000U);
  EXPECT_GE(good * 100, sources * 97);
}

}  // namespace
}  // namespace flowmend::connector
