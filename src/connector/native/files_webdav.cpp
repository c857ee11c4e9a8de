// WebDAV (RFC 4918): files of Nextcloud, ownCloud, Apache, nginx and others, over HTTP.

#include <curl/curl.h>

#include "connector/content.h"
#include "connector/native/connectors.h"
#include "connector/native/files.h"
#include "connector/native/xml_reading.h"
#include "connector/service_message.h"
#include "connector/text.h"

namespace flowmend::connector {
namespace {

constexpr std::string_view properties_text =
    R"json({"properties": {"iconBrandColor": "#0082c9", "connectionParameters": {
  "serverAddress": {"type": "string", "uiDefinition": {"displayName": "Folder's address", "tooltip": "https://cloud.example.org/remote.php/dav/files/ann", "constraints": {"required": "true", "tabIndex": 1}}},
  "userName": {"type": "string", "uiDefinition": {"displayName": "User name", "constraints": {"required": "false", "tabIndex": 2}}},
  "password": {"type": "securestring", "uiDefinition": {"displayName": "Password", "constraints": {"required": "false", "tabIndex": 3}}}
}}})json";

constexpr std::string_view wanted_properties =
    R"(<?xml version="1.0"?><d:propfind xmlns:d="DAV:"><d:prop><d:resourcetype/><d:getcontentlength/><d:getlastmodified/><d:getetag/></d:prop></d:propfind>)";

class DavFiles final : public FileStore {
 public:
  DavFiles(http::Client& client, const Value& fields, Duration timeout)
      : client_(client), base_(trim(field_text(fields, "serverAddress"))), timeout_(timeout) {
    while (!base_.empty() && base_.back() == '/') base_.pop_back();
    const std::string user = field_text(fields, "userName");
    if (!user.empty()) authorization_ = "Basic " + base64_encode(user + ":" + field_text(fields, "password"));
    base_path_ = percent_decode(base_.substr(std::min(base_.size(), base_.find('/', base_.find("://") + 3))));
  }

  Failure list(const std::string& folder, std::vector<FileEntry>& entries) override {
    std::vector<FileEntry> found;
    if (auto failed = properties(folder, "1", found)) return failed;
    for (FileEntry& entry : found) {
      if (entry.path == folder) {
        if (!entry.is_folder) return native_error(400, "NotAFolder", "'" + folder + "' is no folder.");
        continue;
      }
      entries.push_back(std::move(entry));
    }
    return std::nullopt;
  }

  Failure find(const std::string& path, FileEntry& entry) override {
    std::vector<FileEntry> found;
    if (auto failed = properties(path, "0", found)) return failed;
    if (found.empty()) return file_not_found(path);
    entry = std::move(found.front());
    entry.path = path;
    return std::nullopt;
  }

  Failure read(const std::string& path, std::string& bytes) override {
    FileEntry entry;
    if (auto failed = find(path, entry)) return failed;
    if (entry.is_folder) return native_error(400, "IsFolder", "'" + path + "' is a folder.");
    http::Reply reply = send("GET", path, {}, {});
    if (auto failed = failure(reply, path)) return failed;
    bytes = std::move(reply.body);
    return std::nullopt;
  }

  Failure write(const std::string& path, std::string_view bytes) override {
    http::Reply reply = send("PUT", path, {{"Content-Type", "application/octet-stream"}}, bytes);
    const std::string folder = path.substr(0, path.rfind('/'));
    FileEntry there;
    // Servers say in different ways that the folder is missing: 404, 409, 500.
    if (reply.status >= 400 && reply.status != 401 && !folder.empty() && find(folder, there)) {
      if (auto failed = make_folders(folder)) return failed;
      reply = send("PUT", path, {{"Content-Type", "application/octet-stream"}}, bytes);
    }
    return failure(reply, path);
  }

  Failure remove(const std::string& path) override {
    FileEntry entry;
    if (auto failed = find(path, entry)) return failed;
    if (entry.is_folder) return native_error(400, "IsFolder", "'" + path + "' is a folder.");
    return failure(send("DELETE", path, {}, {}), path);
  }

 private:
  http::Reply send(std::string method, const std::string& path, http::Headers headers, std::string_view body) {
    http::Request request;
    request.method = std::move(method);
    request.url = base_;
    std::string_view rest = path;
    while (!rest.empty()) {
      rest.remove_prefix(1);
      const std::string_view part = rest.substr(0, rest.find('/'));
      request.url += "/" + percent_encode(part);
      rest.remove_prefix(part.size());
    }
    if (!authorization_.empty()) headers.push_back({"Authorization", authorization_});
    request.headers = std::move(headers);
    request.body = body;
    if (timeout_.ticks > 0) request.timeout = timeout_;
    return http::send_and_wait(client_, std::move(request));
  }

  Failure failure(const http::Reply& reply, const std::string& path) const {
    if (!reply.error_code.empty()) return reply;
    if (reply.status >= 200 && reply.status < 300) return std::nullopt;
    if (reply.status == 404) return file_not_found(path);
    const auto decoded = decode_body(reply.body, http::find_header(reply.headers, "Content-Type"));
    const ServiceMessage said = read_service_message(decoded.body);
    http::Reply out =
        native_error(reply.status >= 400 ? reply.status : 502, reply.status == 401 ? "Unauthorized" : "WebDavRefused",
                     "'" + origin_of(base_) + "' answered " + std::to_string(reply.status) + " for '" + path + "'" +
                         (said.message.empty() ? "." : ": " + said.message));
    if (const std::string_view wait = http::find_header(reply.headers, "Retry-After"); !wait.empty())
      out.headers.push_back({"Retry-After", std::string(wait)});
    return out;
  }

  /// The path below the root of an answer's href; nothing for one that lies elsewhere.
  std::optional<std::string> path_of(std::string href) const {
    if (const std::size_t scheme = href.find("://"); scheme != std::string::npos)
      href = href.substr(std::min(href.size(), href.find('/', scheme + 3)));
    std::string path = percent_decode(href);
    if (!path.starts_with(base_path_)) return std::nullopt;
    path.erase(0, base_path_.size());
    if (!path.empty() && path.front() != '/') return std::nullopt;
    return clean_path(path.empty() ? "/" : path);
  }

  Failure properties(const std::string& path, const char* depth, std::vector<FileEntry>& entries) {
    // A folder is asked for with its slash: some servers redirect otherwise.
    http::Reply reply = send("PROPFIND", path == "/" || depth[0] == '1' ? (path == "/" ? "/" : path + "/") : path,
                             {{"Depth", depth}, {"Content-Type", "application/xml"}}, wanted_properties);
    if (reply.status >= 300 && reply.status < 400)
      reply = send("PROPFIND", path + "/", {{"Depth", depth}, {"Content-Type", "application/xml"}}, wanted_properties);
    if (auto failed = failure(reply, path)) return failed;
    const XmlDocument document = read_xml(reply.body);
    const xmlNode* root = document ? xmlDocGetRootElement(document.get()) : nullptr;
    if (!is_named(root, "multistatus")) {
      return native_error(502, "WebDavUnreadable",
                          "'" + origin_of(base_) +
                              "' does not answer as WebDAV does. Is the connection's address that of a "
                              "WebDAV folder?");
    }
    for (const xmlNode* response : children(root, "response")) {
      const auto found = path_of(text_inside(child(response, "href")));
      if (!found) continue;
      FileEntry entry;
      entry.path = *found;
      for (const xmlNode* group : children(response, "propstat")) {
        const xmlNode* values = child(group, "prop");
        if (child(child(values, "resourcetype"), "collection") != nullptr) entry.is_folder = true;
        if (const std::string size = text_inside(child(values, "getcontentlength")); !size.empty())
          entry.size = std::strtoll(size.c_str(), nullptr, 10);
        if (const std::string date = text_inside(child(values, "getlastmodified")); !date.empty()) {
          if (const time_t seconds = curl_getdate(date.c_str(), nullptr); seconds > 0)
            entry.modified = Timestamp::from_unix_milliseconds(seconds * 1000LL);
        }
        if (const std::string etag = text_inside(child(values, "getetag")); !etag.empty()) entry.etag = etag;
      }
      entries.push_back(std::move(entry));
    }
    return std::nullopt;
  }

  Failure make_folders(const std::string& folder) {
    if (folder.empty() || folder == "/") return std::nullopt;
    FileEntry entry;
    if (!find(folder, entry)) return std::nullopt;
    if (auto failed = make_folders(folder.substr(0, folder.rfind('/')))) return failed;
    return failure(send("MKCOL", folder + "/", {}, {}), folder);
  }

  http::Client& client_;
  std::string base_;
  std::string base_path_;
  std::string authorization_;
  Duration timeout_;
};

class WebDav final : public FileConnector {
 public:
  explicit WebDav(const NativeParts& parts)
      : FileConnector("shared_webdav", "WebDAV", "Files of Nextcloud, ownCloud and other WebDAV servers.",
                      properties_text),
        client_(parts.client) {}

  std::string address(const Value& fields) const override { return origin_of(field_text(fields, "serverAddress")); }

 protected:
  Opened open(const Value& fields, Duration timeout, std::function<bool()>) override {
    const std::string address = lower_case(trim(field_text(fields, "serverAddress")));
    const bool is_http = address.starts_with("https://") || address.starts_with("http://");
    if (!is_http || address.find_first_of("?#@ ") != std::string::npos) {
      return {nullptr, native_error(400, "InvalidConnectionParameters",
                                    "The connection's address is none. Write it as https://host/path, without user, "
                                    "query or blanks.")};
    }
    return {std::make_unique<DavFiles>(client_, fields, timeout), {}};
  }

 private:
  http::Client& client_;
};

}  // namespace

std::unique_ptr<NativeConnector> make_webdav(const NativeParts& parts) { return std::make_unique<WebDav>(parts); }

}  // namespace flowmend::connector
