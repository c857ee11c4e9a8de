// S3: object storage of Amazon, MinIO, Ceph, Garage, Hetzner, Cloudflare and others. Requests are signed (SigV4),
// buckets stand in the path, which all of them understand.

#include "connector/content.h"
#include "connector/native/aws_signature.h"
#include "connector/native/connectors.h"
#include "connector/native/files.h"
#include "connector/native/seen.h"
#include "connector/native/transfer.h"
#include "connector/native/xml_reading.h"
#include "connector/text.h"

namespace flowmend::connector {
namespace {

constexpr std::string_view swagger_text = R"json({
  "swagger": "2.0",
  "info": {"title": "Amazon S3", "version": "1.0", "description": "Object storage of Amazon and of everything compatible: MinIO, Ceph, Garage and others."},
  "paths": {
    "/buckets": {"get": {
      "operationId": "ListBuckets", "summary": "List buckets",
      "responses": {"200": {"description": "Buckets", "schema": {"type": "object", "properties": {"value": {"type": "array", "items": {"type": "object", "properties": {"name": {"type": "string"}, "creationDate": {"type": "string"}}}}}}}}}},
    "/buckets/objects": {
      "get": {"operationId": "ListObjects", "summary": "List objects",
        "parameters": [
          {"name": "bucketName", "in": "query", "required": true, "type": "string", "x-ms-summary": "Bucket"},
          {"name": "prefix", "in": "query", "type": "string", "x-ms-summary": "Prefix"},
          {"name": "startAfterObjectKey", "in": "query", "type": "string", "x-ms-summary": "Start after", "x-ms-visibility": "advanced"},
          {"name": "maxObjectCount", "in": "query", "type": "integer", "default": 1000, "x-ms-summary": "At most", "description": "1 to 1000"}],
        "responses": {"200": {"description": "Objects", "schema": {"type": "object", "properties": {"value": {"type": "array", "items": {"$ref": "#/definitions/Object"}}, "isTruncated": {"type": "boolean"}}}}}},
      "delete": {"operationId": "DeleteObject", "summary": "Delete object",
        "parameters": [
          {"name": "bucketName", "in": "query", "required": true, "type": "string", "x-ms-summary": "Bucket"},
          {"name": "objectKey", "in": "query", "required": true, "type": "string", "x-ms-summary": "Key"}],
        "responses": {"200": {"description": "Deleted"}}},
      "put": {"operationId": "CreateObject", "summary": "Create or replace object",
        "parameters": [
          {"name": "bucketName", "in": "query", "required": true, "type": "string", "x-ms-summary": "Bucket"},
          {"name": "objectKey", "in": "query", "required": true, "type": "string", "x-ms-summary": "Key"},
          {"name": "contentType", "in": "query", "type": "string", "x-ms-summary": "Content type", "x-ms-visibility": "advanced"},
          {"name": "body", "in": "body", "required": true, "x-ms-summary": "Content", "schema": {"type": "string", "format": "binary"}}],
        "responses": {"200": {"description": "The object", "schema": {"$ref": "#/definitions/Object"}}}}},
    "/buckets/objects/metadata": {"get": {
      "operationId": "GetObjectMetadata", "summary": "Get object metadata",
      "parameters": [
        {"name": "bucketName", "in": "query", "required": true, "type": "string", "x-ms-summary": "Bucket"},
        {"name": "objectKey", "in": "query", "required": true, "type": "string", "x-ms-summary": "Key"}],
      "responses": {"200": {"description": "The object", "schema": {"$ref": "#/definitions/Object"}}}}},
    "/buckets/objects/content": {"get": {
      "operationId": "GetObjectContent", "summary": "Get object content",
      "parameters": [
        {"name": "bucketName", "in": "query", "required": true, "type": "string", "x-ms-summary": "Bucket"},
        {"name": "objectKey", "in": "query", "required": true, "type": "string", "x-ms-summary": "Key"}],
      "responses": {"200": {"description": "The content", "schema": {"type": "string", "format": "binary"}}}}},
    "/trigger/objects": {"get": {
      "operationId": "OnUpdatedObject", "summary": "When an object is added or modified", "x-ms-trigger": "batch",
      "parameters": [
        {"name": "bucketName", "in": "query", "required": true, "type": "string", "x-ms-summary": "Bucket"},
        {"name": "prefix", "in": "query", "type": "string", "x-ms-summary": "Prefix"}],
      "responses": {"200": {"description": "Objects", "schema": {"type": "object", "properties": {"value": {"type": "array", "items": {"$ref": "#/definitions/Object"}}}}}}}}
  },
  "definitions": {"Object": {"type": "object", "properties": {
    "key": {"type": "string"}, "lastModified": {"type": "string"}, "size": {"type": "integer"}, "etag": {"type": "string"},
    "contentType": {"type": "string"}, "storageClass": {"type": "string"}}}}
})json";

constexpr std::string_view properties_text =
    R"json({"properties": {"iconBrandColor": "#569a31", "connectionParameters": {
  "accessKeyId": {"type": "string", "uiDefinition": {"displayName": "Access key id", "constraints": {"required": "true", "tabIndex": 1}}},
  "secretAccessKey": {"type": "securestring", "uiDefinition": {"displayName": "Secret access key", "constraints": {"required": "true", "tabIndex": 2}}},
  "region": {"type": "string", "defaultValue": "us-east-1", "uiDefinition": {"displayName": "Region", "constraints": {"required": "false", "tabIndex": 3}}},
  "endpoint": {"type": "string", "uiDefinition": {"displayName": "Endpoint", "tooltip": "https://s3.example.org; empty: Amazon's of the region", "constraints": {"required": "false", "tabIndex": 4}}}
}}})json";

std::string endpoint_of(const Value& fields) {
  std::string endpoint(trim(field_text(fields, "endpoint")));
  while (!endpoint.empty() && endpoint.back() == '/') endpoint.pop_back();
  return endpoint.empty() ? "https://s3." + field_text(fields, "region") + ".amazonaws.com" : endpoint;
}

/// The path of a key, each part encoded.
std::string encoded_key(std::string_view key) {
  std::string out;
  while (true) {
    const std::size_t slash = key.find('/');
    out += percent_encode(key.substr(0, slash));
    if (slash == std::string_view::npos) return out;
    out += '/';
    key.remove_prefix(slash + 1);
  }
}

/// What stands between two marks, for errors: some services put keys into them that make them no XML.
std::string between(std::string_view text, std::string_view begin, std::string_view end) {
  const std::size_t from = text.find(begin);
  if (from == std::string_view::npos) return {};
  const std::string_view rest = text.substr(from + begin.size());
  const std::size_t to = rest.find(end);
  return to == std::string_view::npos || !is_utf8(rest.substr(0, to)) ? std::string() : std::string(rest.substr(0, to));
}

class S3 final : public NativeConnector {
 public:
  explicit S3(const NativeParts& parts) : client_(parts.client) {}

  std::string_view name() const override { return "shared_amazons3"; }
  std::string_view swagger() const override { return swagger_text; }
  std::string_view properties() const override { return properties_text; }
  std::string address(const Value& fields) const override { return origin_of(endpoint_of(fields)); }

  http::Reply verify(const Value& fields, Duration timeout) override {
    if (auto wrong = check_endpoint(fields)) return *wrong;
    const http::Reply reply = send(fields, timeout, "GET", "/", {}, {});
    // Keys of one bucket alone may not list all buckets; but a wrong key or signature is told apart from that.
    if (reply.status == 403 && reply.body.find("<Code>AccessDenied</Code>") != std::string::npos)
      return native_json(200, Value::empty_object());
    if (auto failed = failure(reply, fields)) return *failed;
    return native_json(200, Value::empty_object());
  }

  http::Reply call(const NativeCall& call) override {
    if (auto wrong = check_endpoint(call.fields)) return *wrong;
    const std::string& operation = call.operation->id;
    if (operation == "ListBuckets") return list_buckets(call);
    const std::string bucket = text_argument(call, "bucketName");
    if (bucket.empty() || bucket == "." || bucket == ".." || bucket.find('/') != std::string::npos)
      return native_error(400, "InvalidBucketName", "'" + bucket + "' is no name of a bucket.");
    if (operation == "ListObjects") return list_objects(call, bucket);
    if (operation == "OnUpdatedObject") return check(call, bucket);
    const std::string key = text_argument(call, "objectKey");
    // A path with dots would be shortened on its way and mean another object.
    if (key.empty() || key.size() > 1'024 || ("/" + key + "/").find("/../") != std::string::npos ||
        ("/" + key + "/").find("/./") != std::string::npos)
      return native_error(400, "InvalidObjectKey",
                          "'objectKey' is empty, longer than 1,024 bytes, or holds '.' or '..' as a part.");
    const std::string path = "/" + percent_encode(bucket) + "/" + encoded_key(key);
    if (operation == "CreateObject") return create(call, path, key);
    if (operation == "DeleteObject") {
      const http::Reply reply = send(call.fields, call.timeout, "DELETE", path, {}, {});
      if (auto failed = failure(reply, call.fields)) return *failed;
      return native_json(200, Value::empty_object());
    }
    if (operation == "GetObjectMetadata") {
      const http::Reply reply = send(call.fields, call.timeout, "HEAD", path, {}, {});
      if (reply.status == 404)
        return native_error(404, "NoSuchKey", "There is no object '" + key + "' in '" + bucket + "'.");
      if (auto failed = failure(reply, call.fields)) return *failed;
      return native_json(200, metadata(key, reply));
    }
    http::Reply reply = send(call.fields, call.timeout, "GET", path, {}, {});
    if (auto failed = failure(reply, call.fields)) return *failed;
    std::string type(http::find_header(reply.headers, "Content-Type"));
    return native_bytes(std::move(reply.body), type.empty() ? "application/octet-stream" : type);
  }

 private:
  static std::optional<http::Reply> check_endpoint(const Value& fields) {
    const std::string endpoint = lower_case(endpoint_of(fields));
    const std::string region = field_text(fields, "region");
    const bool good = (endpoint.starts_with("https://") || endpoint.starts_with("http://")) &&
                      endpoint.find_first_of("?#@ ") == std::string::npos &&
                      region.find_first_of("/ \r\n") == std::string::npos;
    if (good) return std::nullopt;
    return native_error(400, "InvalidConnectionParameters",
                        "The connection's endpoint or region is none. Write the endpoint as https://host.");
  }

  http::Reply send(const Value& fields, Duration timeout, std::string method, const std::string& path,
                   http::Headers headers, std::string_view body) {
    http::Request request;
    request.method = std::move(method);
    request.url = endpoint_of(fields) + path;
    request.headers = std::move(headers);
    request.body = body;
    if (timeout.ticks > 0) request.timeout = timeout;
    sign_aws(
        request,
        {field_text(fields, "accessKeyId"), field_text(fields, "secretAccessKey"), field_text(fields, "region"), "s3"},
        now_from_system_clock());
    return http::send_and_wait(client_, std::move(request));
  }

  static std::optional<http::Reply> failure(const http::Reply& reply, const Value& fields) {
    if (!reply.error_code.empty()) return reply;
    if (reply.status >= 200 && reply.status < 300) return std::nullopt;
    const std::string code = between(reply.body, "<Code>", "</Code>");
    const std::string message = between(reply.body, "<Message>", "</Message>");
    // 403 is S3's answer to wrong keys too; they are what a connection must hear of.
    const bool credential = code == "InvalidAccessKeyId" || code == "SignatureDoesNotMatch" || code == "ExpiredToken";
    const int status = credential ? 401 : reply.status >= 400 ? reply.status : 502;
    std::string cure;
    if (reply.status >= 300 && reply.status < 400)
      cure = " Is the bucket in another region than that of the connection?";
    http::Reply out = native_error(
        status, code.empty() ? "StorageRefused" : code,
        (message.empty() ? "'" + origin_of(endpoint_of(fields)) + "' answered " + std::to_string(reply.status) + "."
                         : message) +
            cure);
    if (const std::string_view wait = http::find_header(reply.headers, "Retry-After"); !wait.empty())
      out.headers.push_back({"Retry-After", std::string(wait)});
    return out;
  }

  static Value metadata(const std::string& key, const http::Reply& reply) {
    json::ObjectBuilder out;
    out.add("key", Value(key));
    out.add("etag", Value(http::find_header(reply.headers, "ETag")));
    if (const std::string_view length = http::find_header(reply.headers, "Content-Length"); !length.empty())
      out.add("size", Value(static_cast<std::int64_t>(std::strtoll(std::string(length).c_str(), nullptr, 10))));
    if (const std::string_view time = http::find_header(reply.headers, "Last-Modified"); !time.empty())
      out.add("lastModified", Value(time));
    if (const std::string_view type = http::find_header(reply.headers, "Content-Type"); !type.empty())
      out.add("contentType", Value(type));
    return out.finish();
  }

  http::Reply list_buckets(const NativeCall& call) {
    const http::Reply reply = send(call.fields, call.timeout, "GET", "/", {}, {});
    if (auto failed = failure(reply, call.fields)) return *failed;
    const XmlDocument document = read_xml(reply.body);
    json::ArrayBuilder list;
    for (const xmlNode* bucket :
         children(child(document ? xmlDocGetRootElement(document.get()) : nullptr, "Buckets"), "Bucket")) {
      list.push(Value::object({{"name", Value(text_inside(child(bucket, "Name")))},
                               {"creationDate", Value(text_inside(child(bucket, "CreationDate")))}}));
    }
    return native_json(200, Value::object({{"value", list.finish()}}));
  }

  /// One page of a bucket's objects.
  std::optional<http::Reply> page(const NativeCall& call, const std::string& bucket, std::int64_t most,
                                  const std::string& after, std::vector<Value>& objects, bool& more) {
    std::string query = "?list-type=2&max-keys=" + std::to_string(most);
    if (const std::string prefix = text_argument(call, "prefix"); !prefix.empty())
      query += "&prefix=" + percent_encode(prefix);
    if (!after.empty()) query += "&start-after=" + percent_encode(after);
    const http::Reply reply = send(call.fields, call.timeout, "GET", "/" + percent_encode(bucket) + query, {}, {});
    if (auto failed = failure(reply, call.fields)) return failed;
    const XmlDocument document = read_xml(reply.body);
    const xmlNode* root = document ? xmlDocGetRootElement(document.get()) : nullptr;
    if (!is_named(root, "ListBucketResult"))
      return native_error(502, "StorageUnreadable",
                          "'" + origin_of(endpoint_of(call.fields)) + "' does not answer as S3 does.");
    for (const xmlNode* one : children(root, "Contents")) {
      objects.push_back(Value::object({{"key", Value(text_inside(child(one, "Key")))},
                                       {"lastModified", Value(text_inside(child(one, "LastModified")))},
                                       {"size", Value(static_cast<std::int64_t>(std::strtoll(
                                                    text_inside(child(one, "Size")).c_str(), nullptr, 10)))},
                                       {"etag", Value(text_inside(child(one, "ETag")))},
                                       {"storageClass", Value(text_inside(child(one, "StorageClass")))}}));
    }
    more = text_inside(child(root, "IsTruncated")) == "true";
    return std::nullopt;
  }

  http::Reply list_objects(const NativeCall& call, const std::string& bucket) {
    const Value& count = argument(call, "maxObjectCount");
    const std::int64_t most = count.is_integer() ? count.as_integer() : 1000;
    if (most < 1 || most > 1000)
      return native_error(400, "InvalidMaxObjectCount", "'maxObjectCount' must be between 1 and 1000.");
    std::vector<Value> objects;
    bool more = false;
    if (auto failed = page(call, bucket, most, text_argument(call, "startAfterObjectKey"), objects, more))
      return *failed;
    return native_json(200, Value::object({{"value", Value::array(std::move(objects))}, {"isTruncated", Value(more)}}));
  }

  http::Reply check(const NativeCall& call, const std::string& bucket) {
    std::vector<Value> objects;
    bool more = true;
    while (more) {
      const std::string after(objects.empty() ? std::string_view() : objects.back().text_of("key"));
      const std::size_t before = objects.size();
      if (auto failed = page(call, bucket, 1000, after, objects, more)) return *failed;
      if (objects.size() == before) break;
      if (objects.size() > Seen::items_max) {
        return native_error(
            400, "BucketTooLarge",
            "The bucket holds more than " + std::to_string(Seen::items_max) + " objects there. Give a longer prefix.");
      }
      if (call.cancelled && call.cancelled()) return native_error(504, "Cancelled", "The call was given up.");
    }
    const Seen before(call.state);
    Seen after;
    json::ArrayBuilder fresh;
    for (const Value& object : objects) {
      const std::string key = std::string(object.text_of("key")) + "\n" + std::string(object.text_of("etag")) + "\n" +
                              std::string(object.text_of("lastModified"));
      if (!call.state.empty() && !before.has(key)) fresh.push(object);
      after.add(key);
    }
    const int status = fresh.size() == 0 ? 202 : 200;
    return with_state(native_json(status, Value::object({{"value", fresh.finish()}})), after.text());
  }

  http::Reply create(const NativeCall& call, const std::string& path, const std::string& key) {
    const Value& body = call.arguments.body;
    const std::string bytes = bytes_of(body);
    if (bytes.size() > native_bytes_max)
      return native_error(413, "ObjectTooLarge",
                          "The content is larger than " + std::to_string(native_bytes_max) + " bytes.");
    std::string type = text_argument(call, "contentType");
    if (type.empty() && body.is_object()) type = body.text_of("$content-type");
    if (type.empty()) type = body.is_string() ? "text/plain; charset=utf-8" : "application/octet-stream";
    const http::Reply reply = send(call.fields, call.timeout, "PUT", path, {{"Content-Type", type}}, bytes);
    if (auto failed = failure(reply, call.fields)) return *failed;
    return native_json(200, Value::object({{"key", Value(key)},
                                           {"etag", Value(http::find_header(reply.headers, "ETag"))},
                                           {"size", Value(static_cast<std::int64_t>(bytes.size()))},
                                           {"contentType", Value(type)}}));
  }

  http::Client& client_;
};

}  // namespace

std::unique_ptr<NativeConnector> make_s3(const NativeParts& parts) { return std::make_unique<S3>(parts); }

}  // namespace flowmend::connector
