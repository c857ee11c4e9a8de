// SFTP: files of another machine over SSH (libssh2). The server's key is always compared with the connection's
// fingerprint: who does not know whom he talks to gives away the password.

#include <libssh2.h>
#include <libssh2_sftp.h>
#include <openssl/rand.h>

#include <algorithm>
#include <chrono>
#include <cstring>
#include <mutex>

#include "connector/content.h"
#include "connector/native/connectors.h"
#include "connector/native/files.h"
#include "connector/native/transfer.h"
#include "connector/text.h"

namespace flowmend::connector {
namespace {

constexpr std::string_view properties_text =
    R"json({"properties": {"iconBrandColor": "#2d7d46", "connectionParameters": {
  "hostName": {"type": "string", "uiDefinition": {"displayName": "Host server address", "constraints": {"required": "true", "tabIndex": 1}}},
  "portNumber": {"type": "int", "defaultValue": 22, "uiDefinition": {"displayName": "Port number", "constraints": {"required": "false", "tabIndex": 2}}},
  "userName": {"type": "string", "uiDefinition": {"displayName": "User name", "constraints": {"required": "true", "tabIndex": 3}}},
  "password": {"type": "securestring", "uiDefinition": {"displayName": "Password", "constraints": {"required": "false", "tabIndex": 4}}},
  "sshPrivateKey": {"type": "securestring", "uiDefinition": {"displayName": "SSH private key", "tooltip": "The whole text of the key file; line breaks may be missing", "constraints": {"required": "false", "tabIndex": 5}}},
  "sshPrivateKeyPassphrase": {"type": "securestring", "uiDefinition": {"displayName": "SSH private key passphrase", "constraints": {"required": "false", "tabIndex": 6}}},
  "sshHostKeyFingerprint": {"type": "string", "uiDefinition": {"displayName": "SSH host key fingerprint", "tooltip": "SHA256:... as ssh-keygen -l shows it", "constraints": {"required": "false", "tabIndex": 7}}},
  "acceptAnySshHostKey": {"type": "bool", "defaultValue": false, "uiDefinition": {"displayName": "Accept any SSH host key (unsafe)", "constraints": {"required": "false", "tabIndex": 8}}},
  "rootFolder": {"type": "string", "uiDefinition": {"displayName": "Root folder path", "tooltip": "Empty: the folder in which the server lets this user begin", "constraints": {"required": "false", "tabIndex": 9}}}
}}})json";

std::optional<std::string> host_of_fields(const Value& fields) {
  const std::string port = field_text(fields, "portNumber");
  return host_and_port(field_text(fields, "hostName"), port.empty() ? "22" : port);
}

/// A private key whose line breaks a form has swallowed, or written as `\n`, with its lines again.
std::string with_lines(std::string key) {
  for (std::size_t at = 0; (at = key.find("\\n", at)) != std::string::npos;) key.replace(at, 2, "\n");
  const std::size_t begin = key.find("-----BEGIN ");
  const std::size_t head_end = begin == std::string::npos ? begin : key.find("-----", begin + 11);
  const std::size_t tail = head_end == std::string::npos ? head_end : key.find("-----END ", head_end);
  if (tail == std::string::npos) return key;
  const std::string head = key.substr(begin, head_end + 5 - begin);
  std::string body = key.substr(head_end + 5, tail - head_end - 5);
  const std::string end = "-----END " + head.substr(11);
  if (body.find("Proc-Type") != std::string::npos) return key;  // its headers need the line breaks they have
  std::erase_if(body, [](char c) { return static_cast<unsigned char>(c) <= ' '; });
  std::string out = head + "\n";
  for (std::size_t at = 0; at < body.size(); at += 70) out += body.substr(at, 70) + "\n";
  return out + end + "\n";
}

class SftpFiles final : public FileStore {
 public:
  SftpFiles(const http::Client& client, const std::string& host, Duration timeout, std::function<bool()> cancelled)
      : name_(host), transfer_(client, "http://" + host + "/", "http", timeout, std::move(cancelled)) {
    const std::int64_t wait = timeout.ticks > 0 ? timeout.to_milliseconds() : 120'000;
    timeout_ms_ = static_cast<long>(std::clamp<std::int64_t>(wait, 1, 3'600'000));
  }
  ~SftpFiles() override {
    if (sftp_ != nullptr) libssh2_sftp_shutdown(sftp_);
    if (session_ != nullptr) {
      libssh2_session_set_timeout(session_, 2'000);
      libssh2_session_disconnect(session_, "done");
      libssh2_session_free(session_);
    }
  }

  Failure open(const Value& fields) {
    static std::once_flag once;
    std::call_once(once, [] { libssh2_init(0); });
    transfer_.set(CURLOPT_CONNECT_ONLY, 1L);
    transfer_.set(CURLOPT_PROXY, "");
    if (const CURLcode code = transfer_.perform(); code != CURLE_OK) {
      if (auto failed = transfer_.connection_failure(code, name_)) return failed;
      return native_error(502, "SftpFailed", "'" + name_ + "' can't be reached: " + curl_easy_strerror(code) + ".");
    }
    curl_socket_t socket = CURL_SOCKET_BAD;
    curl_easy_getinfo(transfer_.easy(), CURLINFO_ACTIVESOCKET, &socket);
    session_ = libssh2_session_init();
    libssh2_session_set_blocking(session_, 1);
    libssh2_session_set_timeout(session_, timeout_ms_);
    if (libssh2_session_handshake(session_, socket) != 0)
      return native_error(502, "SshHandshakeFailed", "'" + name_ + "' does not speak SSH as expected: " + last_error());
    if (auto failed = check_host_key(fields)) return failed;
    if (auto failed = sign_in(fields)) return failed;
    sftp_ = libssh2_sftp_init(session_);
    if (sftp_ == nullptr)
      return native_error(502, "SftpUnavailable", "'" + name_ + "' offers no SFTP: " + last_error());
    root_ = field_text(fields, "rootFolder");
    while (root_.size() > 1 && root_.back() == '/') root_.pop_back();
    if (root_ == "/") root_.clear();
    if (field_text(fields, "rootFolder").empty()) root_ = ".";
    return std::nullopt;
  }

  Failure list(const std::string& folder, std::vector<FileEntry>& entries) override {
    LIBSSH2_SFTP_HANDLE* handle = libssh2_sftp_opendir(sftp_, remote(folder).c_str());
    if (handle == nullptr) return failure(folder);
    char name[4'096];
    LIBSSH2_SFTP_ATTRIBUTES attributes{};
    Failure failed;
    while (true) {
      const int length = libssh2_sftp_readdir(handle, name, sizeof name, &attributes);
      if (length == 0) break;
      if (length < 0) {
        failed = failure(folder);
        break;
      }
      const std::string text(name, static_cast<std::size_t>(length));
      if (text == "." || text == ".." || !is_utf8(text) || text.starts_with(temporary)) continue;
      entries.push_back(entry_of((folder == "/" ? "" : folder) + "/" + text, attributes));
      if (transfer_.cancelled() || entries.size() > 100'000) break;
    }
    libssh2_sftp_closedir(handle);
    return failed;
  }

  Failure find(const std::string& path, FileEntry& entry) override {
    LIBSSH2_SFTP_ATTRIBUTES attributes{};
    if (libssh2_sftp_stat(sftp_, remote(path).c_str(), &attributes) != 0) return failure(path);
    entry = entry_of(path, attributes);
    return std::nullopt;
  }

  Failure read(const std::string& path, std::string& bytes) override {
    FileEntry entry;
    if (auto failed = find(path, entry)) return failed;
    if (entry.is_folder) return native_error(400, "IsFolder", "'" + path + "' is a folder.");
    LIBSSH2_SFTP_HANDLE* handle = libssh2_sftp_open(sftp_, remote(path).c_str(), LIBSSH2_FXF_READ, 0);
    if (handle == nullptr) return failure(path);
    std::string part(262'144, '\0');
    Failure failed;
    while (true) {
      const ssize_t count = libssh2_sftp_read(handle, part.data(), part.size());
      if (count == 0) break;
      if (count < 0) {
        failed = failure(path);
        break;
      }
      bytes.append(part, 0, static_cast<std::size_t>(count));
      if (bytes.size() > native_bytes_max) {
        failed = native_error(413, "FileTooLarge",
                              "'" + path + "' is larger than " + std::to_string(native_bytes_max) + " bytes.");
        break;
      }
      if (transfer_.cancelled()) {
        failed = native_error(504, "Cancelled", "The call was given up.");
        break;
      }
    }
    libssh2_sftp_close(handle);
    return failed;
  }

  Failure write(const std::string& path, std::string_view bytes) override {
    const std::string folder = path.substr(0, std::max<std::size_t>(path.rfind('/'), 1));
    if (auto failed = make_folders(folder)) return failed;
    unsigned char random[8];
    RAND_bytes(random, sizeof random);
    std::string part = (folder == "/" ? "" : folder) + "/" + std::string(temporary);
    for (const unsigned char c : random) part += static_cast<char>('a' + c % 26);
    LIBSSH2_SFTP_HANDLE* handle =
        libssh2_sftp_open(sftp_, remote(part).c_str(), LIBSSH2_FXF_WRITE | LIBSSH2_FXF_CREAT | LIBSSH2_FXF_EXCL, 0640);
    if (handle == nullptr) return failure(path);
    Failure failed;
    while (!bytes.empty() && !failed) {
      const ssize_t count = libssh2_sftp_write(handle, bytes.data(), std::min<std::size_t>(bytes.size(), 1'000'000));
      if (count < 0)
        failed = failure(path);
      else
        bytes.remove_prefix(static_cast<std::size_t>(count));
      if (transfer_.cancelled()) failed = native_error(504, "Cancelled", "The call was given up.");
    }
    if (libssh2_sftp_close(handle) != 0 && !failed) failed = failure(path);
    if (!failed && !rename(part, path)) {
      // Most servers do not rename over a file that is there.
      libssh2_sftp_unlink(sftp_, remote(path).c_str());
      if (!rename(part, path)) failed = failure(path);
    }
    if (failed) libssh2_sftp_unlink(sftp_, remote(part).c_str());
    return failed;
  }

  Failure remove(const std::string& path) override {
    FileEntry entry;
    if (auto failed = find(path, entry)) return failed;
    if (entry.is_folder) return native_error(400, "IsFolder", "'" + path + "' is a folder.");
    if (libssh2_sftp_unlink(sftp_, remote(path).c_str()) != 0) return failure(path);
    return std::nullopt;
  }

 private:
  static constexpr std::string_view temporary = ".flowmend-";

  std::string remote(const std::string& path) const {
    return path == "/" ? (root_.empty() ? "/" : root_) : root_ + path;
  }

  bool rename(const std::string& from, const std::string& to) {
    return libssh2_sftp_rename(sftp_, remote(from).c_str(), remote(to).c_str()) == 0;
  }

  std::string last_error() const {
    char* text = nullptr;
    int length = 0;
    libssh2_session_last_error(session_, &text, &length, 0);
    return text == nullptr || length <= 0 ? std::string("unknown")
                                          : std::string(text, static_cast<std::size_t>(length));
  }

  static FileEntry entry_of(const std::string& path, const LIBSSH2_SFTP_ATTRIBUTES& attributes) {
    FileEntry entry;
    entry.path = path;
    entry.is_folder =
        (attributes.flags & LIBSSH2_SFTP_ATTR_PERMISSIONS) != 0 && LIBSSH2_SFTP_S_ISDIR(attributes.permissions);
    if ((attributes.flags & LIBSSH2_SFTP_ATTR_SIZE) != 0 && !entry.is_folder)
      entry.size = static_cast<std::int64_t>(attributes.filesize);
    if ((attributes.flags & LIBSSH2_SFTP_ATTR_ACMODTIME) != 0)
      entry.modified = Timestamp::from_unix_milliseconds(static_cast<std::int64_t>(attributes.mtime) * 1000);
    return entry;
  }

  http::Reply failure(const std::string& path) const {
    if (libssh2_session_last_errno(session_) == LIBSSH2_ERROR_TIMEOUT) {
      http::Reply reply;
      reply.error_code = "RequestTimeout";
      reply.error_message = "'" + name_ + "' did not answer in time.";
      return reply;
    }
    if (libssh2_session_last_errno(session_) != LIBSSH2_ERROR_SFTP_PROTOCOL)
      return native_error(502, "SftpFailed", "The connection to '" + name_ + "' broke: " + last_error());
    switch (libssh2_sftp_last_error(sftp_)) {
      case LIBSSH2_FX_NO_SUCH_FILE:
      case LIBSSH2_FX_NO_SUCH_PATH: return file_not_found(path);
      case LIBSSH2_FX_PERMISSION_DENIED:
      case LIBSSH2_FX_WRITE_PROTECT:
        return native_error(403, "AccessDenied", "The server does not allow that with '" + path + "'.");
      case LIBSSH2_FX_FILE_ALREADY_EXISTS:
        return native_error(409, "FileExists", "There is something at '" + path + "' already.");
      case LIBSSH2_FX_NO_SPACE_ON_FILESYSTEM:
      case LIBSSH2_FX_QUOTA_EXCEEDED:
        return native_error(503, "DiskFull", "The server has no room for '" + path + "'.");
      default:
        return native_error(400, "SftpRefused",
                            "The server refused that with '" + path + "' (SFTP status " +
                                std::to_string(libssh2_sftp_last_error(sftp_)) + "). Is its folder there?");
    }
  }

  Failure check_host_key(const Value& fields) {
    const char* hash = libssh2_hostkey_hash(session_, LIBSSH2_HOSTKEY_HASH_SHA256);
    if (hash == nullptr) return native_error(502, "SshHandshakeFailed", "'" + name_ + "' showed no host key.");
    std::string found = base64_encode(std::string_view(hash, 32));
    while (!found.empty() && found.back() == '=') found.pop_back();
    if (equals_ignoring_case(field_text(fields, "acceptAnySshHostKey"), "true")) return std::nullopt;
    std::string wanted(trim(field_text(fields, "sshHostKeyFingerprint")));
    if (lower_case(wanted).starts_with("sha256:")) wanted.erase(0, 7);
    while (!wanted.empty() && wanted.back() == '=') wanted.pop_back();
    if (wanted == found) return std::nullopt;
    if (wanted.empty()) {
      return native_error(403, "HostKeyUnknown",
                          "'" + name_ + "' shows the host key SHA256:" + found +
                              ". Compare it with what the server's operator says, and put it into 'SSH host key "
                              "fingerprint' of the connection.");
    }
    return native_error(
        403, "HostKeyChanged",
        "'" + name_ + "' shows the host key SHA256:" + found +
            ", not the one of the connection: it was changed, or another server stands between. Nothing "
            "was sent. Ask the server's operator before you change the fingerprint.");
  }

  Failure sign_in(const Value& fields) {
    const std::string user = field_text(fields, "userName");
    const std::string password = field_text(fields, "password");
    const std::string key = field_text(fields, "sshPrivateKey");
    const auto size = [](const std::string& text) { return static_cast<unsigned int>(text.size()); };
    int result = LIBSSH2_ERROR_AUTHENTICATION_FAILED;
    if (!key.empty()) {
      const std::string text = with_lines(key);
      const std::string passphrase = field_text(fields, "sshPrivateKeyPassphrase");
      result = libssh2_userauth_publickey_frommemory(session_, user.c_str(), user.size(), nullptr, 0, text.c_str(),
                                                     text.size(), passphrase.empty() ? nullptr : passphrase.c_str());
      if (result == LIBSSH2_ERROR_FILE && password.empty()) {
        return native_error(401, "InvalidPrivateKey",
                            "The SSH private key can't be read: it is no key in PEM or OpenSSH form, or the passphrase "
                            "is wrong.");
      }
    }
    if (result != 0 && !password.empty())
      result =
          libssh2_userauth_password_ex(session_, user.c_str(), size(user), password.c_str(), size(password), nullptr);
    if (result == 0) return std::nullopt;
    if (result == LIBSSH2_ERROR_TIMEOUT || result == LIBSSH2_ERROR_SOCKET_DISCONNECT ||
        result == LIBSSH2_ERROR_SOCKET_RECV)
      return native_error(502, "SftpFailed",
                          "The connection to '" + name_ + "' broke while signing in: " + last_error());
    return native_error(401, "Unauthorized",
                        "'" + name_ + "' refused the sign-in of '" + user + "': " + last_error() + ".");
  }

  Failure make_folders(const std::string& folder) {
    FileEntry entry;
    if (folder == "/" || folder.empty()) return std::nullopt;
    const auto missing = find(folder, entry);
    if (!missing) return std::nullopt;
    if (missing->status != 404) return missing;
    if (auto failed = make_folders(folder.substr(0, folder.rfind('/')))) return failed;
    if (libssh2_sftp_mkdir(sftp_, remote(folder).c_str(), 0750) != 0 && find(folder, entry)) return failure(folder);
    return std::nullopt;
  }

  std::string name_;
  Transfer transfer_;
  LIBSSH2_SESSION* session_ = nullptr;
  LIBSSH2_SFTP* sftp_ = nullptr;
  std::string root_;
  long timeout_ms_ = 0;
};

class Sftp final : public FileConnector {
 public:
  explicit Sftp(const NativeParts& parts)
      : FileConnector("shared_sftpwithssh", "SFTP - SSH", "Files of another machine over SSH.", properties_text),
        client_(parts.client) {}

  std::string address(const Value& fields) const override {
    const auto host = host_of_fields(fields);
    return host ? "sftp://" + *host : std::string();
  }

 protected:
  Opened open(const Value& fields, Duration timeout, std::function<bool()> cancelled) override {
    const auto host = host_of_fields(fields);
    if (!host) {
      return {nullptr, native_error(400, "InvalidConnectionParameters",
                                    "The connection's host or port is none. Give a host such as files.example.org.")};
    }
    auto store = std::make_unique<SftpFiles>(client_, *host, timeout, std::move(cancelled));
    if (auto failed = store->open(fields)) return {nullptr, std::move(*failed)};
    return {std::move(store), {}};
  }

 private:
  http::Client& client_;
};

}  // namespace

std::unique_ptr<NativeConnector> make_sftp(const NativeParts& parts) { return std::make_unique<Sftp>(parts); }

}  // namespace flowmend::connector
