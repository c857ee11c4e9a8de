#include "definition/service_providers.h"

#include <gtest/gtest.h>

#include "definition/flow.h"
#include "json/parse.h"
#include "json/write.h"

namespace flowmend::definition {
namespace {

std::string inputs_of(const char* provider, const char* operation, const char* parameters) {
  return std::string(R"({"parameters": )") + parameters +
         R"(, "serviceProviderConfiguration": {"connectionName": "c", "operationId": ")" + operation +
         R"(", "serviceProviderId": "/serviceProviders/)" + provider + R"("}})";
}

std::string call_of(const char* provider, const char* operation, const char* parameters, bool trigger = false,
                    const char* references = "{}") {
  const Value inputs = *json::parse(inputs_of(provider, operation, parameters));
  const auto* found = find_service_provider(inputs, trigger);
  if (found == nullptr) return service_provider_missing(inputs, trigger);
  const auto call = service_provider_call(*found, inputs, *json::parse(references));
  return call ? json::write(*call) : call.error().where + " " + call.error().message;
}

TEST(ServiceProviders, BecomeTheStepOfAConnector) {
  EXPECT_EQ(call_of("filesystem", "CREATEFILE", R"({"filePath": "/a.txt", "body": {"n": 1}})"),
            R"({"host":{"connectionName":"c","apiId":"shared_filesystem","operationId":"CreateFile"},)"
            R"("parameters":{"folderPath":"/","name":"a.txt","overwrite":false,"body":{"n":1}}})");
  EXPECT_EQ(call_of("Sftp", "uploadFileContent", R"({"filePath": "in/x/a.txt", "overWriteFileIfExists": true})"),
            R"({"host":{"connectionName":"c","apiId":"shared_sftpwithssh","operationId":"CreateFile"},)"
            R"("parameters":{"folderPath":"in/x","name":"a.txt","overwrite":true}})");
  EXPECT_EQ(call_of("serviceBus", "sendMessage",
                    R"({"entityName": "q", "message": {"contentData": "hi", "userProperties": {"a": "b"}}})"),
            R"({"host":{"connectionName":"c","apiId":"shared_amqp","operationId":"SendMessage"},"parameters":)"
            R"({"body/routingKey":"q","body/message":"hi","body/headers":{"a":"b"}}})");
  EXPECT_EQ(
      call_of("rabbitmq", "receiveRabbitMQMessages", R"({"queueName": "q"})", true,
              R"({"c": {"connectionName": "x", "id": "/apis/shared_mqtt"}})"),
      R"({"host":{"connectionName":"c","apiId":"/apis/shared_mqtt","operationId":"OnMessage"},"parameters":{"queue":"q"}})");
  EXPECT_EQ(call_of("Sftp", "listFolder", R"({"folderPath": "/", "filesOnly": true})"),
            "/inputs/parameters/filesOnly 'filesOnly' of 'listFolder' can't be done by the operation ListFolder of "
            "shared_sftpwithssh, which stands in for it.");
}

TEST(ServiceProviders, SayWhatIsNotHereAndWhatIsNearest) {
  EXPECT_EQ(call_of("azureTables", "queryEntities", "{}"),
            "Flowmend has no operation that does what 'queryEntities' of the built-in connector 'azureTables' does; "
            "nearest is the connector Tables.");
  EXPECT_EQ(call_of("openai", "getChatCompletions", "{}"),
            "Flowmend has no operation that does what 'getChatCompletions' of the built-in connector 'openai' does.");
  // A trigger is no operation.
  EXPECT_NE(call_of("FileSystem", "whenFilesAreAdded", "{}").find("no operation"), std::string::npos);
  EXPECT_EQ(find_service_provider(Value(1), false), nullptr);
  EXPECT_EQ(find_service_provider(*json::parse(R"({"serviceProviderConfiguration": [1]})"), true), nullptr);
}

TEST(ServiceProviders, AreCheckedWhenAFlowIsSaved) {
  const auto findings = [](const std::string& trigger, const std::string& action) {
    CompileOptions options;
    options.dialect = Dialect::la;
    const auto compiled =
        compile(*json::parse(R"({"triggers": {"t": {"type": "ServiceProvider", "inputs": )" + trigger +
                             R"(}}, "actions": {"A": {"type": "ServiceProvider", "inputs": )" + action + "}}}"),
                options);
    std::string all;
    for (const auto& one : compiled.diagnostics) all += one.code + " " + one.pointer + "\n";
    if (compiled.flow) all += compiled.flow->trigger.source == TriggerSource::poll ? "polls" : "does not fire";
    return all;
  };
  EXPECT_EQ(findings(inputs_of("FileSystem", "whenFilesAreAdded", "{}"), inputs_of("Sftp", "getMetadata", "{}")),
            "polls");
  EXPECT_EQ(findings(inputs_of("eventHub", "receiveEvents", "{}"), inputs_of("keyVault", "getSecret", "{}")),
            "TriggerTypeUnavailable /triggers/t/inputs/serviceProviderConfiguration\n"
            "ActionTypeUnavailable /actions/A/inputs/serviceProviderConfiguration\ndoes not fire");
  EXPECT_EQ(findings(inputs_of("FileSystem", "whenFilesAreAdded", "{}"),
                     inputs_of("keyVault", "@parameters('$connections')['o']", "{}")),
            "polls");
}

}  // namespace
}  // namespace flowmend::definition
