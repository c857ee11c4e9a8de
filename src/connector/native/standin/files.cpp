#include "connector/native/standin/files.h"

#include "connector/native/connectors.h"
#include "connector/text.h"

namespace flowmend::connector {
namespace {

http::Reply no_address() {
  return native_error(400, "InvalidConnectionParameters",
                      "The connection does not say where files are: set its field 'Files are at' to "
                      "file:///srv/files, sftp://files.example.org/folder or the https:// address of a WebDAV folder.");
}

}  // namespace

StandinFiles::StandinFiles(const NativeParts& parts)
    : local_(make_files_local(parts)), sftp_(make_sftp(parts)), webdav_(make_webdav(parts)) {
  document_ =
      load_connector_text(local_->swagger(), local_->properties(), {.name = std::string(local_->name())}).connector;
}

StandinFiles::Way StandinFiles::way_of(const Value& fields) const {
  const std::string address(trim(field_text(fields, "filesAddress")));
  const std::size_t scheme_end = address.find("://");
  if (scheme_end == std::string::npos) return {};
  const std::string scheme = lower_case(std::string_view(address).substr(0, scheme_end));
  const std::string rest = address.substr(scheme_end + 3);
  const Value user(field_text(fields, "userName"));
  const Value password(field_text(fields, "password"));
  if (scheme == "file" && rest.starts_with('/')) return {local_.get(), Value::object({{"rootFolder", Value(rest)}})};
  if (scheme == "https" || scheme == "http") {
    return {webdav_.get(),
            Value::object({{"serverAddress", Value(address)}, {"userName", user}, {"password", password}})};
  }
  if (scheme != "sftp") return {};
  const std::size_t path = rest.find('/');
  const std::string host = rest.substr(0, path);
  // A password in an address would stand in records.
  if (host.empty() || host.find('@') != std::string::npos) return {};
  json::ObjectBuilder out;
  const std::size_t colon = host.starts_with('[') ? host.find("]:") : host.find(':');
  const std::size_t port = colon == std::string::npos ? host.size() : host.find(':', colon);
  out.add("hostName", Value(host.substr(0, port)));
  out.add("portNumber", Value(port < host.size() ? host.substr(port + 1) : std::string("22")));
  out.add("userName", user);
  out.add("password", password);
  out.add("sshHostKeyFingerprint", Value(field_text(fields, "sshHostKeyFingerprint")));
  out.add("rootFolder", Value(path == std::string::npos ? std::string() : rest.substr(path)));
  return {sftp_.get(), out.finish()};
}

http::Reply StandinFiles::call(const NativeCall& call, const std::string& operation) const {
  const Way way = way_of(call.fields);
  if (way.to == nullptr) return no_address();
  NativeCall sent = call;
  sent.operation = document_->find_operation(operation);
  sent.fields = way.fields;
  return way.to->call(sent);
}

http::Reply StandinFiles::verify(const Value& fields, Duration timeout) const {
  const Way way = way_of(fields);
  return way.to == nullptr ? no_address() : way.to->verify(way.fields, timeout);
}

std::string StandinFiles::address(const Value& fields) const {
  const Way way = way_of(fields);
  return way.to == nullptr ? std::string() : way.to->address(way.fields);
}

}  // namespace flowmend::connector
