// OneDrive for Business over the files of this machine, of an SFTP or of a WebDAV server.

#include "connector/native/standin/files.h"
#include "connector/native/standin/standin.h"

namespace flowmend::connector {
namespace {

constexpr std::string_view document =
    R"json({"swagger":"2.0","info":{"title":"OneDrive for Business (stand-in)","description":"Files of this machine, of an SFTP or of a WebDAV server.","version":"1.0"},
  "host":"onedrive.native","basePath":"/","schemes":["https"],"consumes":["application/json"],"produces":["application/json"],
  "parameters":{
    "id":{"name":"id","in":"path","required":true,"type":"string","x-ms-summary":"File","x-ms-url-encoding":"double"},
    "infer":{"name":"inferContentType","in":"query","type":"boolean","default":true,"x-ms-summary":"Infer content type","x-ms-visibility":"advanced"},
    "content":{"name":"body","in":"body","required":true,"x-ms-summary":"File content","schema":{"type":"string","format":"binary"}}},
  "paths":{
    "/datasets/default/files":{"post":{"operationId":"CreateFile","summary":"Create file","parameters":[
      {"name":"folderPath","in":"query","required":true,"type":"string","x-ms-summary":"Folder path"},
      {"name":"name","in":"query","required":true,"type":"string","x-ms-summary":"File name"},{"$ref":"#/parameters/content"}],"responses":{"200":{"description":"The file","schema":{"type":"object"}}}}},
    "/datasets/default/files/{id}":{"delete":{"operationId":"DeleteFile","summary":"Delete file","parameters":[{"$ref":"#/parameters/id"}],"responses":{"200":{"description":"Deleted"}}}},
    "/datasets/default/files/{id}/move":{"post":{"operationId":"MoveFile","summary":"Move or rename a file","parameters":[{"$ref":"#/parameters/id"},
      {"name":"destination","in":"query","required":true,"type":"string","x-ms-summary":"Destination file path"},
      {"name":"overwrite","in":"query","type":"boolean","default":false,"x-ms-summary":"Overwrite"}],"responses":{"200":{"description":"The file","schema":{"type":"object"}}}}},
    "/datasets/default/GetFileContentByPath":{"get":{"operationId":"GetFileContentByPath","summary":"Get file content using path","parameters":[
      {"name":"path","in":"query","required":true,"type":"string","x-ms-summary":"File path"},{"$ref":"#/parameters/infer"}],"responses":{"200":{"description":"The content","schema":{"type":"string","format":"binary"}}}}},
    "/datasets/default/folders":{"get":{"operationId":"ListRootFolder","summary":"List files in root folder","responses":{"200":{"description":"Files","schema":{"type":"array","items":{"type":"object"}}}}}}}})json";

using namespace std::string_literals;

const std::string connection =
    R"json({"properties":{"iconBrandColor":"#0078d4","capabilities":["actions"],"connectionParameters":{)json"s +
    std::string(standin_file_parameters) + R"json(}}})json";

class OneDrive final : public NativeConnector {
 public:
  explicit OneDrive(const NativeParts& parts) : files_(parts) {}
  std::string_view name() const override { return "shared_onedriveforbusiness"; }
  std::string_view swagger() const override { return document; }
  std::string_view properties() const override { return connection; }
  std::string address(const Value& fields) const override { return files_.address(fields); }
  http::Reply verify(const Value& fields, Duration timeout) override { return files_.verify(fields, timeout); }

  http::Reply call(const NativeCall& call) override {
    const std::string& operation = call.operation->id;
    return operation == "MoveFile" ? move(call) : files_.call(call, operation);
  }

 private:
  /// A copy and then a deletion: a file is never nowhere. Cut off between the two, it goes on when it is tried again.
  http::Reply move(const NativeCall& call) const {
    NativeCall copy = call;
    copy.arguments.values["source"] = argument(call, "id");
    copy.arguments.values.erase("id");
    const http::Reply found = files_.call(call, "GetFileMetadata");
    if (found.status != 200) return found;
    NativeCall there = call;
    there.arguments.values["id"] = argument(call, "destination");
    // Other names of the same file (`/a//b`, an id in base64) are told by where they lead.
    const http::Reply target = files_.call(there, "GetFileMetadata");
    if (target.status == 200 && target.body == found.body) return found;
    http::Reply copied = files_.call(copy, "CopyFile");
    if (copied.status != 200) return copied;
    const http::Reply removed = files_.call(call, "DeleteFile");
    return removed.status == 200 ? copied : removed;
  }

  StandinFiles files_;
};

}  // namespace

std::unique_ptr<NativeConnector> make_onedrive_standin(const NativeParts& parts) {
  return std::make_unique<OneDrive>(parts);
}

}  // namespace flowmend::connector
