#include "definition/service_providers.h"

#include <array>

#include "definition/settings.h"
#include "definition/words.h"

namespace flowmend::definition {

namespace {

constexpr std::string_view files = "shared_filesystem";
constexpr std::string_view sftp = "shared_sftpwithssh";
constexpr std::string_view objects = "shared_amazons3";
constexpr std::string_view queue = "shared_amqp";
constexpr std::string_view rows = "shared_postgresql";
constexpr std::string_view mail = "shared_smtp";

constexpr std::string_view read_file = "path=:filePath inferContentType=:inferContentType";
constexpr std::string_view send_parameters =
    "body/routingKey=:entityName body/message=:message/contentData body/contentType=:message/contentType "
    "body/correlationId=:message/correlationId body/headers=:message/userProperties";

// provider, operation, api, operation there, parameters, reply, trigger.
constexpr std::array entries = {
    ServiceProviderOperation{"FileSystem", "getFileContent", files, "GetFileContentByPath", read_file, ""},
    ServiceProviderOperation{"FileSystem", "getFileContentV2", files, "GetFileContentByPath", read_file, ""},
    ServiceProviderOperation{"FileSystem", "createFile", files, "CreateFile",
                             "folderPath=folder:filePath name=name:filePath overwrite=is:false body=:body", ""},
    ServiceProviderOperation{"FileSystem", "updateFile", files, "UpdateFile", "id=:filePath body=:body", ""},
    ServiceProviderOperation{"FileSystem", "deleteFile", files, "DeleteFile", "id=:filePath !skipIfFileNotPresent", ""},
    ServiceProviderOperation{"FileSystem", "getFileMetadata", files, "GetFileMetadataByPath", "path=:filePath", ""},
    ServiceProviderOperation{"FileSystem", "copyFile", files, "CopyFile",
                             "source=:source destination=:destination overwrite=:overwrite", ""},
    ServiceProviderOperation{"FileSystem", "listFolder", files, "ListFolder", "id=:folderPath !enableRecursiveListing",
                             ""},
    ServiceProviderOperation{"FileSystem", "whenFilesAreAdded", files, "OnNewFile",
                             "folderId=:folderPath maxFileCount=:maxFileCount", "", true},
    ServiceProviderOperation{"FileSystem", "whenFilesAreAddedOrModified", files, "OnUpdatedFile",
                             "folderId=:folderPath maxFileCount=:maxFileCount", "", true},
    ServiceProviderOperation{"AzureFile", "getFileContentByPath", files, "GetFileContentByPath",
                             "path=:fileId inferContentType=:inferContentType", ""},
    ServiceProviderOperation{"AzureFile", "listFolder", files, "ListFolder", "id=:folderId", ""},
    ServiceProviderOperation{"Sftp", "getFileContent", sftp, "GetFileContentByPath", read_file, ""},
    ServiceProviderOperation{"Sftp", "getFileContentV2", sftp, "GetFileContentByPath", read_file, ""},
    ServiceProviderOperation{
        "Sftp", "uploadFileContent", sftp, "CreateFile",
        "folderPath=folder:filePath name=name:filePath overwrite=:overWriteFileIfExists body=:content", ""},
    ServiceProviderOperation{"Sftp", "deleteFile", sftp, "DeleteFile", "id=:filePath", ""},
    ServiceProviderOperation{"Sftp", "getMetadata", sftp, "GetFileMetadataByPath", "path=:fileOrFolderPath", ""},
    ServiceProviderOperation{"Sftp", "listFolder", sftp, "ListFolder", "id=:folderPath !filesOnly", ""},
    ServiceProviderOperation{"Sftp", "whenFilesAreAddedOrModified", sftp, "OnUpdatedFile",
                             "folderId=:folderPath maxFileCount=:maxFileCount !includeFileContent", "", true},
    ServiceProviderOperation{"Ftp", "getFtpFileContentV2", sftp, "GetFileContentByPath", read_file, ""},
    ServiceProviderOperation{"AzureBlob", "readBlob", objects, "GetObjectContent",
                             "bucketName=:containerName objectKey=:blobName", "content"},
    ServiceProviderOperation{"AzureBlob", "uploadBlob", objects, "CreateObject",
                             "bucketName=:containerName objectKey=:blobName body=:content", ""},
    ServiceProviderOperation{"AzureBlob", "deleteBlob", objects, "DeleteObject",
                             "bucketName=:containerName objectKey=:blobName", ""},
    ServiceProviderOperation{"sql", "executeQuery", rows, "ExecutePassThroughNativeQuery",
                             "query/query=:query query/parameters=list:queryParameters", "resultsets"},
    ServiceProviderOperation{"sql", "getRows", rows, "GetItems", "table=:tableName", "value"},
    ServiceProviderOperation{"serviceBus", "sendMessage", queue, "SendMessage", send_parameters, ""},
    ServiceProviderOperation{"serviceBus", "receiveQueueMessages", queue, "OnMessage",
                             "queue=:queueName maximum=:maxMessageBatchSize !isSessionsEnabled", "messages", true},
    ServiceProviderOperation{"rabbitmq", "receiveRabbitMQMessages", queue, "OnMessage", "queue=:queueName", "messages",
                             true},
    ServiceProviderOperation{"Smtp", "sendEmail", mail, "SendEmailV3",
                             "emailMessage/From=:from emailMessage/To=:to emailMessage/CC=:cc emailMessage/BCC=:bcc "
                             "emailMessage/Subject=:subject emailMessage/Body=:body",
                             ""},
};

/// Providers without any operation here, and what is nearest.
struct Nearest {
  std::string_view provider;
  std::string_view hint;
};
constexpr std::array nearest = {
    Nearest{"FileSystem", "the connector File System"},
    Nearest{"AzureFile", "the connector File System"},
    Nearest{"Sftp", "the connector SFTP - SSH"},
    Nearest{"Ftp", "the connector SFTP - SSH"},
    Nearest{"AzureBlob", "the connector Amazon S3 (any object storage)"},
    Nearest{"sql", "the connector PostgreSQL, MariaDB and MySQL, or SQLite"},
    Nearest{"Jdbc", "the connector PostgreSQL, MariaDB and MySQL, or SQLite"},
    Nearest{"DB2", "the connector PostgreSQL, MariaDB and MySQL, or SQLite"},
    Nearest{"azureTables", "the connector Tables"},
    Nearest{"serviceBus", "the connector AMQP (RabbitMQ)"},
    Nearest{"rabbitmq", "the connector AMQP (RabbitMQ)"},
    Nearest{"mq", "the connector AMQP (RabbitMQ) or MQTT"},
    Nearest{"azurequeues", "the connector AMQP (RabbitMQ)"},
    Nearest{"eventHub", "the connector MQTT or AMQP (RabbitMQ)"},
    Nearest{"confluentKafka", "the connector MQTT or AMQP (RabbitMQ)"},
    Nearest{"Smtp", "the connector SMTP"},
};

const Value& configuration_of(const Value& inputs) { return member_at(inputs, {"serviceProviderConfiguration"}); }

std::string text_at(const Value& holder, std::string_view name) {
  const Value& found = member_at(holder, {name});
  return found.is_string() ? std::string(found.as_string()) : std::string();
}

std::string provider_of(const Value& inputs) {
  const std::string id = text_at(configuration_of(inputs), "serviceProviderId");
  return id.substr(id.rfind('/') == std::string::npos ? 0 : id.rfind('/') + 1);
}

/// The value at `a/b`; null when there is none.
Value value_at(const Value& holder, std::string_view path) {
  const Value* at = &holder;
  while (true) {
    const auto part = path.substr(0, path.find('/'));
    at = at->find_ignoring_case(part);
    if (at == nullptr) return {};
    if (part.size() == path.size()) return *at;
    path.remove_prefix(part.size() + 1);
  }
}

bool is_true(const Value& value) {
  return (value.is_boolean() && value.as_boolean()) || (value.is_string() && same_word(value.as_string(), "true"));
}

/// What a parameter of the connector's operation is made of; nothing when the step does not give it.
Value made(std::string_view from, std::string_view path, const Value& parameters) {
  if (from == "is") return path == "false" ? Value(false) : Value(path);
  const Value given = value_at(parameters, path);
  if (from.empty() || given.is_null()) return given;
  if (from == "list") {
    if (!given.is_object()) return given;
    json::ArrayBuilder values;
    for (const json::Member& member : given.as_object()) values.push(member.value);
    return values.finish();
  }
  if (!given.is_string()) return given;
  const std::string text(given.as_string());
  const auto slash = text.rfind('/');
  if (from == "name") return Value(slash == std::string::npos ? text : text.substr(slash + 1));
  return Value(slash == std::string::npos || slash == 0 ? std::string("/") : text.substr(0, slash));
}

}  // namespace

const ServiceProviderOperation* find_service_provider(const Value& inputs, bool trigger) {
  const std::string provider = provider_of(inputs);
  const std::string operation = text_at(configuration_of(inputs), "operationId");
  for (const ServiceProviderOperation& entry : entries) {
    if (entry.trigger == trigger && same_word(entry.provider, provider) && same_word(entry.operation, operation))
      return &entry;
  }
  return nullptr;
}

std::string service_provider_missing(const Value& inputs, bool trigger) {
  const std::string provider = provider_of(inputs);
  const std::string operation = text_at(configuration_of(inputs), "operationId");
  std::string message = "Flowmend has no " + std::string(trigger ? "trigger" : "operation") + " that does what '" +
                        operation + "' of the built-in connector '" + provider + "' does";
  for (const Nearest& one : nearest) {
    if (same_word(one.provider, provider)) return message + "; nearest is " + std::string(one.hint) + ".";
  }
  return message + ".";
}

Result<Value> service_provider_call(const ServiceProviderOperation& operation, const Value& inputs,
                                    const Value& connection_references) {
  const std::string name = text_at(configuration_of(inputs), "connectionName");
  json::ObjectBuilder host;
  host.add("connectionName", Value(name));
  // A reference that names another connector with the same operations wins: a database, or WebDAV for files.
  const Value* reference = connection_references.find_ignoring_case(name);
  const auto named = reference == nullptr ? std::string_view() : reference->text_of("id");
  host.add("apiId", Value(named.empty() ? operation.api : named));
  host.add("operationId", Value(operation.as));
  const Value& given = member_at(inputs, {"parameters"});
  json::ObjectBuilder parameters;
  std::string_view rest = operation.parameters;
  while (!rest.empty()) {
    const auto rule = rest.substr(0, rest.find(' '));
    rest.remove_prefix(std::min(rest.size(), rule.size() + 1));
    if (rule.front() == '!') {
      const auto path = rule.substr(1);
      if (!is_true(value_at(given, path))) continue;
      return make_error(
          "InvalidServiceProviderInputs",
          "'" + std::string(path) + "' of '" + std::string(operation.operation) + "' can't be done by the operation " +
              std::string(operation.as) + " of " + std::string(operation.api) + ", which stands in for it.",
          "/inputs/parameters/" + std::string(path), "Set it to false, or use the connector's own operations.");
    }
    const auto equals = rule.find('=');
    const auto colon = rule.find(':', equals);
    Value value = made(rule.substr(equals + 1, colon - equals - 1), rule.substr(colon + 1), given);
    if (!value.is_null()) parameters.add(rule.substr(0, equals), std::move(value));
  }
  return Value::object({{"host", host.finish()}, {"parameters", parameters.finish()}});
}

Value service_provider_body(const ServiceProviderOperation& operation, const Value& body) {
  if (operation.reply == "content") return Value::object({{"content", body}});
  if (operation.reply == "value") {
    const Value* list = body.find("value");
    return list == nullptr ? body : *list;
  }
  if (operation.reply == "resultsets") {
    const Value* sets = body.find("resultsets");
    if (sets == nullptr || !sets->is_object()) return body;
    json::ArrayBuilder lists;
    for (const json::Member& set : sets->as_object()) lists.push(set.value);
    return lists.finish();
  }
  if (operation.reply == "messages" && body.is_array()) {
    json::ArrayBuilder messages;
    for (const Value& message : body.as_array()) {
      const Value* content = message.find("message");
      json::ObjectBuilder out(message);
      if (content != nullptr) out.set("contentData", *content);
      messages.push(out.finish());
    }
    return messages.finish();
  }
  return body;
}

}  // namespace flowmend::definition
