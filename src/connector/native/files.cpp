#include "connector/native/files.h"

#include <algorithm>
#include <array>

#include "connector/content.h"
#include "connector/native/seen.h"
#include "connector/native/transfer.h"
#include "connector/text.h"

namespace flowmend::connector {
namespace {

constexpr std::string_view swagger_text = R"json({
  "swagger": "2.0",
  "info": {"title": "@TITLE@", "version": "1.0", "description": "@DESCRIPTION@"},
  "paths": {
    "/datasets/default/triggers/batch/onnewfile": {"get": {
      "operationId": "OnNewFile", "summary": "When a file is created (properties only)", "x-ms-trigger": "batch",
      "parameters": [
        {"name": "folderId", "in": "query", "required": true, "type": "string", "x-ms-summary": "Folder"},
        {"name": "maxFileCount", "in": "query", "type": "integer", "default": 10, "x-ms-summary": "Number of files to return", "description": "In one check, 1 to 100."}],
      "responses": {"200": {"description": "New files", "schema": {"type": "array", "items": {"$ref": "#/definitions/BlobMetadata"}}}}}},
    "/datasets/default/triggers/batch/onupdatedfile": {"get": {
      "operationId": "OnUpdatedFile", "summary": "When a file is added or modified (properties only)", "x-ms-trigger": "batch",
      "parameters": [
        {"name": "folderId", "in": "query", "required": true, "type": "string", "x-ms-summary": "Folder"},
        {"name": "maxFileCount", "in": "query", "type": "integer", "default": 10, "x-ms-summary": "Number of files to return", "description": "In one check, 1 to 100."}],
      "responses": {"200": {"description": "New and changed files", "schema": {"type": "array", "items": {"$ref": "#/definitions/BlobMetadata"}}}}}},
    "/datasets/default/folders": {"get": {
      "operationId": "ListRootFolder", "summary": "List files in root folder",
      "responses": {"200": {"description": "Files", "schema": {"type": "array", "items": {"$ref": "#/definitions/BlobMetadata"}}}}}},
    "/datasets/default/folders/{id}": {"get": {
      "operationId": "ListFolder", "summary": "List files in folder",
      "parameters": [{"name": "id", "in": "path", "required": true, "type": "string", "x-ms-url-encoding": "double", "x-ms-summary": "Folder"}],
      "responses": {"200": {"description": "Files", "schema": {"type": "array", "items": {"$ref": "#/definitions/BlobMetadata"}}}}}},
    "/datasets/default/files/{id}": {
      "get": {"operationId": "GetFileMetadata", "summary": "Get file metadata",
        "parameters": [{"name": "id", "in": "path", "required": true, "type": "string", "x-ms-url-encoding": "double", "x-ms-summary": "File"}],
        "responses": {"200": {"description": "The file", "schema": {"$ref": "#/definitions/BlobMetadata"}}}},
      "put": {"operationId": "UpdateFile", "summary": "Update file",
        "parameters": [
          {"name": "id", "in": "path", "required": true, "type": "string", "x-ms-url-encoding": "double", "x-ms-summary": "File"},
          {"name": "body", "in": "body", "required": true, "x-ms-summary": "File content", "schema": {"type": "string", "format": "binary"}}],
        "responses": {"200": {"description": "The file", "schema": {"$ref": "#/definitions/BlobMetadata"}}}},
      "delete": {"operationId": "DeleteFile", "summary": "Delete file",
        "parameters": [{"name": "id", "in": "path", "required": true, "type": "string", "x-ms-url-encoding": "double", "x-ms-summary": "File"}],
        "responses": {"200": {"description": "Deleted"}}}},
    "/datasets/default/files/{id}/content": {"get": {
      "operationId": "GetFileContent", "summary": "Get file content",
      "parameters": [
        {"name": "id", "in": "path", "required": true, "type": "string", "x-ms-url-encoding": "double", "x-ms-summary": "File"},
        {"name": "inferContentType", "in": "query", "type": "boolean", "default": true, "x-ms-summary": "Infer content type", "x-ms-visibility": "advanced"}],
      "responses": {"200": {"description": "The content", "schema": {"type": "string", "format": "binary"}}}}},
    "/datasets/default/GetFileByPath": {"get": {
      "operationId": "GetFileMetadataByPath", "summary": "Get file metadata using path",
      "parameters": [{"name": "path", "in": "query", "required": true, "type": "string", "x-ms-summary": "File path"}],
      "responses": {"200": {"description": "The file", "schema": {"$ref": "#/definitions/BlobMetadata"}}}}},
    "/datasets/default/GetFileContentByPath": {"get": {
      "operationId": "GetFileContentByPath", "summary": "Get file content using path",
      "parameters": [
        {"name": "path", "in": "query", "required": true, "type": "string", "x-ms-summary": "File path"},
        {"name": "inferContentType", "in": "query", "type": "boolean", "default": true, "x-ms-summary": "Infer content type", "x-ms-visibility": "advanced"}],
      "responses": {"200": {"description": "The content", "schema": {"type": "string", "format": "binary"}}}}},
    "/datasets/default/files": {"post": {
      "operationId": "CreateFile", "summary": "Create file",
      "parameters": [
        {"name": "folderPath", "in": "query", "required": true, "type": "string", "x-ms-summary": "Folder path", "description": "Folders that are missing are made."},
        {"name": "name", "in": "query", "required": true, "type": "string", "x-ms-summary": "File name"},
        {"name": "overwrite", "in": "query", "type": "boolean", "default": true, "x-ms-summary": "Overwrite", "x-ms-visibility": "advanced"},
        {"name": "body", "in": "body", "required": true, "x-ms-summary": "File content", "schema": {"type": "string", "format": "binary"}}],
      "responses": {"200": {"description": "The file", "schema": {"$ref": "#/definitions/BlobMetadata"}}}}},
    "/datasets/default/copyFile": {"post": {
      "operationId": "CopyFile", "summary": "Copy file",
      "parameters": [
        {"name": "source", "in": "query", "required": true, "type": "string", "x-ms-summary": "Source file path"},
        {"name": "destination", "in": "query", "required": true, "type": "string", "x-ms-summary": "Destination file path"},
        {"name": "overwrite", "in": "query", "type": "boolean", "default": false, "x-ms-summary": "Overwrite"}],
      "responses": {"200": {"description": "The copy", "schema": {"$ref": "#/definitions/BlobMetadata"}}}}}
  },
  "definitions": {"BlobMetadata": {"type": "object", "properties": {
    "Id": {"type": "string"}, "Name": {"type": "string"}, "DisplayName": {"type": "string"}, "Path": {"type": "string"},
    "LastModified": {"type": "string", "format": "date-time"}, "Size": {"type": "integer"}, "MediaType": {"type": "string"},
    "IsFolder": {"type": "boolean"}, "ETag": {"type": "string"}}}}
})json";

/// Few are enough: what is no text by its type stays bytes anyway.
constexpr std::array<std::pair<std::string_view, std::string_view>, 26> media_types = {{
    {"txt", "text/plain"},
    {"log", "text/plain"},
    {"md", "text/markdown"},
    {"csv", "text/csv"},
    {"html", "text/html"},
    {"htm", "text/html"},
    {"xml", "application/xml"},
    {"json", "application/json"},
    {"pdf", "application/pdf"},
    {"png", "image/png"},
    {"jpg", "image/jpeg"},
    {"jpeg", "image/jpeg"},
    {"gif", "image/gif"},
    {"svg", "image/svg+xml"},
    {"webp", "image/webp"},
    {"zip", "application/zip"},
    {"gz", "application/gzip"},
    {"eml", "message/rfc822"},
    {"docx", "application/vnd.openxmlformats-officedocument.wordprocessingml.document"},
    {"xlsx", "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"},
    {"pptx", "application/vnd.openxmlformats-officedocument.presentationml.presentation"},
    {"doc", "application/msword"},
    {"xls", "application/vnd.ms-excel"},
    {"ppt", "application/vnd.ms-powerpoint"},
    {"mp3", "audio/mpeg"},
    {"mp4", "video/mp4"},
}};

std::string name_of(std::string_view path) { return std::string(path.substr(path.rfind('/') + 1)); }

std::string media_type_of(std::string_view path) {
  const std::string name = name_of(path);
  const std::size_t dot = name.rfind('.');
  if (dot == std::string::npos) return "application/octet-stream";
  const std::string extension = lower_case(std::string_view(name).substr(dot + 1));
  for (const auto& [known, type] : media_types) {
    if (known == extension) return std::string(type);
  }
  return "application/octet-stream";
}

std::string etag_of(const FileEntry& entry) {
  return entry.etag.empty() ? "\"" + std::to_string(entry.modified.ticks) + "-" + std::to_string(entry.size) + "\""
                            : entry.etag;
}

Value metadata(const FileEntry& entry) {
  json::ObjectBuilder out;
  out.add("Id", Value(entry.path));
  out.add("Name", Value(name_of(entry.path)));
  out.add("DisplayName", Value(name_of(entry.path)));
  out.add("Path", Value(entry.path));
  if (entry.modified.is_set()) out.add("LastModified", Value(to_string(entry.modified)));
  out.add("Size", Value(entry.size));
  out.add("MediaType", Value(entry.is_folder ? std::string() : media_type_of(entry.path)));
  out.add("IsFolder", Value(entry.is_folder));
  out.add("ETag", Value(etag_of(entry)));
  return out.finish();
}

Failure path_of(const NativeCall& call, std::string_view parameter, std::string& path) {
  const std::string text = text_argument(call, parameter);
  const auto clean = clean_path(text);
  if (!clean) {
    return native_error(400, "InvalidPath",
                        "'" + std::string(parameter) +
                            "' is no path below the connection's root folder. Write it as "
                            "/folder/file.txt, without '..'.");
  }
  path = *clean;
  return std::nullopt;
}

http::Reply answer_with(FileStore& store, const std::string& path) {
  FileEntry entry;
  if (auto failed = store.find(path, entry)) return *failed;
  return native_json(200, metadata(entry));
}

http::Reply listing(FileStore& store, const std::string& folder) {
  std::vector<FileEntry> entries;
  if (auto failed = store.list(folder, entries)) return *failed;
  std::sort(entries.begin(), entries.end(), [](const FileEntry& a, const FileEntry& b) { return a.path < b.path; });
  json::ArrayBuilder list;
  for (const FileEntry& entry : entries) list.push(metadata(entry));
  return native_json(200, list.finish());
}

http::Reply content(FileStore& store, const NativeCall& call, const std::string& path) {
  std::string bytes;
  if (auto failed = store.read(path, bytes)) return *failed;
  const bool infer = !equals_ignoring_case(text_argument(call, "inferContentType"), "false");
  return native_bytes(std::move(bytes), infer ? media_type_of(path) : "application/octet-stream");
}

/// True when a file stands there that must not be replaced, unless it is the very same: then a call before was cut off
/// after it had done its work.
Failure taken(FileStore& store, const std::string& path, std::string_view bytes) {
  FileEntry there;
  if (store.find(path, there)) return std::nullopt;
  std::string now;
  if (!there.is_folder && there.size == static_cast<std::int64_t>(bytes.size()) && !store.read(path, now) &&
      now == bytes)
    return std::nullopt;
  return native_error(409, "FileExists",
                      "There is something at '" + path + "' already. Use another name, or allow overwriting.");
}

/// New files, or new and changed ones: what differs from the set of those that were seen.
http::Reply check(FileStore& store, const NativeCall& call, const std::string& folder) {
  const Value& count = argument(call, "maxFileCount");
  const std::int64_t most = count.is_integer() ? count.as_integer() : 10;
  if (most < 1 || most > 100)
    return native_error(400, "InvalidMaxFileCount", "'maxFileCount' must be between 1 and 100.");
  std::vector<FileEntry> entries;
  if (auto failed = store.list(folder, entries)) return *failed;
  std::erase_if(entries, [](const FileEntry& entry) { return entry.is_folder; });
  if (entries.size() > Seen::items_max) {
    return native_error(400, "FolderTooLarge",
                        "The folder '" + folder + "' holds more than " + std::to_string(Seen::items_max) +
                            " files. Let the trigger watch a smaller folder, and move files away once they are done.");
  }
  const bool changes = call.operation->id == "OnUpdatedFile";
  const auto item = [&](const FileEntry& entry) { return changes ? entry.path + "\n" + etag_of(entry) : entry.path; };
  const bool first = call.state.empty();
  const Seen before(call.state);
  Seen after;
  std::vector<const FileEntry*> fresh;
  for (const FileEntry& entry : entries) {
    if (first || before.has(item(entry))) {
      after.add(item(entry));
    } else {
      fresh.push_back(&entry);
    }
  }
  std::sort(fresh.begin(), fresh.end(), [](const FileEntry* a, const FileEntry* b) {
    return std::pair(a->modified, a->path) < std::pair(b->modified, b->path);
  });
  const bool more = fresh.size() > static_cast<std::size_t>(most);
  if (more) fresh.resize(static_cast<std::size_t>(most));
  json::ArrayBuilder list;
  for (const FileEntry* entry : fresh) {
    after.add(item(*entry));
    list.push(metadata(*entry));
  }
  http::Reply reply = native_json(fresh.empty() ? 202 : 200, list.finish());
  if (more) reply.headers.push_back({"Retry-After", "1"});
  return with_state(std::move(reply), after.text());
}

}  // namespace

std::optional<std::string> clean_path(std::string_view text) {
  if (text.size() > 8'192 || !is_utf8(text)) return std::nullopt;
  std::string written(text);
  if (text.find('/') == std::string_view::npos && text.size() >= 4) {
    // Designers hand over the base64 of a path as its id.
    if (const auto decoded = base64_decode(text); decoded && is_utf8(*decoded) && decoded->starts_with('/'))
      written = *decoded;
  }
  std::string out;
  std::string_view rest = written;
  while (!rest.empty()) {
    const std::string_view part = rest.substr(0, rest.find('/'));
    rest.remove_prefix(std::min(rest.size(), part.size() + 1));
    if (part.empty() || part == ".") continue;
    if (part == ".." || part.size() > 255) return std::nullopt;
    if (std::any_of(part.begin(), part.end(), [](char c) { return static_cast<unsigned char>(c) < 0x20 || c == 0x7F; }))
      return std::nullopt;
    out += "/" + std::string(part);
  }
  if (out.size() > 4'096) return std::nullopt;
  return out.empty() ? "/" : out;
}

http::Reply file_not_found(std::string_view path) {
  return native_error(404, "FileNotFound", "There is nothing at '" + std::string(path) + "'.");
}

FileConnector::FileConnector(std::string name, std::string title, std::string description, std::string_view properties)
    : name_(std::move(name)), swagger_(swagger_text), properties_(properties) {
  swagger_.replace(swagger_.find("@TITLE@"), 7, title);
  swagger_.replace(swagger_.find("@DESCRIPTION@"), 13, description);
}

http::Reply FileConnector::verify(const Value& fields, Duration timeout) {
  const Opened opened = open(fields, timeout, {});
  if (!opened.store) return opened.failure;
  std::vector<FileEntry> entries;
  if (auto failed = opened.store->list("/", entries)) return *failed;
  return native_json(200, Value::empty_object());
}

http::Reply FileConnector::call(const NativeCall& call) {
  const std::string& operation = call.operation->id;
  std::string path = "/";
  for (const std::string_view name : {"id", "path", "folderId", "source"}) {
    if (argument(call, name).is_null()) continue;
    if (auto wrong = path_of(call, name, path)) return *wrong;
  }
  std::string target;
  std::string bytes;
  if (operation == "CreateFile") {
    std::string folder;
    if (auto wrong = path_of(call, "folderPath", folder)) return *wrong;
    const std::string name = text_argument(call, "name");
    const auto clean = clean_path(folder + "/" + name);
    if (!clean || trim(name).empty() || name.find('/') != std::string::npos || *clean == folder)
      return native_error(400, "InvalidFileName", "'name' is no file name. Give one without '/'.");
    target = *clean;
  }
  if (operation == "CopyFile") {
    if (auto wrong = path_of(call, "destination", target)) return *wrong;
  }
  if (operation == "UpdateFile") target = path;
  if (operation == "CreateFile" || operation == "UpdateFile") {
    bytes = bytes_of(call.arguments.body);
    if (bytes.size() > native_bytes_max) {
      return native_error(413, "FileTooLarge",
                          "The content is larger than " + std::to_string(native_bytes_max) + " bytes.");
    }
  }

  const Opened opened = open(call.fields, call.timeout, call.cancelled);
  if (!opened.store) return opened.failure;
  FileStore& store = *opened.store;
  const bool overwrites = equals_ignoring_case(text_argument(call, "overwrite"), "true") ||
                          (operation == "CreateFile" && argument(call, "overwrite").is_null());
  if (operation == "OnNewFile" || operation == "OnUpdatedFile") return check(store, call, path);
  if (operation == "ListFolder" || operation == "ListRootFolder") return listing(store, path);
  if (operation == "GetFileMetadata" || operation == "GetFileMetadataByPath") return answer_with(store, path);
  if (operation == "GetFileContent" || operation == "GetFileContentByPath") return content(store, call, path);
  if (operation == "DeleteFile") {
    if (auto failed = store.remove(path)) return *failed;
    return native_json(200, Value::empty_object());
  }
  if (operation == "UpdateFile") {
    FileEntry there;
    if (auto failed = store.find(path, there)) return *failed;
  }
  if (operation == "CopyFile") {
    if (auto failed = store.read(path, bytes)) return *failed;
  }
  if (operation != "UpdateFile" && !overwrites) {
    if (auto failed = taken(store, target, bytes)) return *failed;
  }
  if (auto failed = store.write(target, bytes)) return *failed;
  return answer_with(store, target);
}

}  // namespace flowmend::connector
