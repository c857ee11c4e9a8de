// Files: this machine's, over SFTP from sshd, and over WebDAV from nginx. What all three must do is one walk.

#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <sstream>

#include "connector/native/connectors.h"
#include "connector/text.h"
#include "harness.h"
#include "json/write.h"
#include "stores.h"

namespace flowmend::native_tests {
namespace {

using connector::make_files_local;
using connector::make_sftp;
using connector::make_webdav;
using connector::NativeParts;

class FilesTest : public testing::Test {
 protected:
  std::string root() const { return folder_.path() + "/root"; }
  void SetUp() override { std::filesystem::create_directory(root()); }
  void put(const std::string& name, const std::string& text) const { folder_.write("root/" + name, text); }
  std::string get(const std::string& name) const {
    std::ostringstream text;
    text << std::ifstream(root() + "/" + name, std::ios::binary).rdbuf();
    return text.str();
  }

  virtual std::string log() const { return {}; }
  /// What every file service does the same.
  void walk(Session& session) {
    ASSERT_EQ(session.verify().status, 200) << session.verify().body;
    EXPECT_EQ(session.run("ListRootFolder").body.size(), 0u);
    const auto created = session.run(
        "CreateFile", R"({"folderPath": "/orders/2026", "name": "Bestellung ä & 1.csv", "body": "a;b\n1;2\n"})");
    ASSERT_EQ(created.status_code, 200) << message_of(created) << log();
    EXPECT_EQ(created.body.text_of("Path"), "/orders/2026/Bestellung ä & 1.csv");
    EXPECT_EQ(created.body.text_of("MediaType"), "text/csv");
    EXPECT_EQ(created.body.find("Size")->as_integer(), 8);
    EXPECT_EQ(get("orders/2026/Bestellung ä & 1.csv"), "a;b\n1;2\n");
    const std::string id(created.body.text_of("Id"));

    const auto content = session.run("GetFileContent", R"({"id": ")" + id + "\"}");
    ASSERT_EQ(content.status_code, 200) << message_of(content);
    EXPECT_EQ(json::write(content.body), R"({"$content-type":"text/csv","$content":"YTtiCjE7Mgo="})");
    EXPECT_EQ(session.run("GetFileContentByPath", R"({"path": "orders//2026/./Bestellung ä & 1.csv"})").status_code,
              200);
    const std::string encoded = connector::base64_encode(id);
    EXPECT_EQ(session.run("GetFileMetadata", R"({"id": ")" + encoded + "\"}").body.text_of("Path"), id)
        << "an id as designers write it";

    const auto updated = session.run(
        "UpdateFile", R"({"id": ")" + id + R"(", "body": {"$content-type": "image/png", "$content": "AAEC"}})");
    ASSERT_EQ(updated.status_code, 200) << message_of(updated);
    EXPECT_EQ(get("orders/2026/Bestellung ä & 1.csv"), std::string("\0\1\2", 3));
    const auto copied = session.run("CopyFile", R"({"source": ")" + id + R"(", "destination": "/copy.png"})");
    ASSERT_EQ(copied.status_code, 200) << message_of(copied);
    EXPECT_EQ(get("copy.png"), std::string("\0\1\2", 3));
    put("other.png", "other");
    EXPECT_EQ(code_of(session.run("CopyFile", R"({"source": "/other.png", "destination": "/copy.png"})")),
              "FileExists");
    EXPECT_EQ(session.run("CopyFile", R"({"source": "/copy.png", "destination": "/copy.png"})").status_code, 200)
        << "done already";
    EXPECT_EQ(session.run("CopyFile", R"({"source": "/other.png", "destination": "/copy.png", "overwrite": true})")
                  .status_code,
              200);
    EXPECT_EQ(get("copy.png"), "other");

    const auto listed = session.run("ListRootFolder");
    ASSERT_EQ(listed.body.size(), 3u) << json::write(listed.body);
    EXPECT_EQ(listed.body.as_array()[0].text_of("Name"), "copy.png");
    EXPECT_TRUE(listed.body.as_array()[1].find("IsFolder")->as_boolean());
    EXPECT_EQ(session.run("ListFolder", R"({"id": "/orders"})").body.as_array()[0].text_of("Path"), "/orders/2026");
    EXPECT_EQ(session.run("DeleteFile", R"({"id": "/other.png"})").status_code, 200);
    EXPECT_EQ(session.run("DeleteFile", R"({"id": "/other.png"})").status_code, 404);
    EXPECT_NE(session.run("DeleteFile", R"({"id": "/orders"})").status_code, 200);
    EXPECT_TRUE(std::filesystem::exists(root() + "/orders"));

    EXPECT_EQ(code_of(session.run("GetFileContent", R"({"id": "/nothing.txt"})")), "FileNotFound");
    EXPECT_EQ(code_of(session.run("ListFolder", R"({"id": "/nowhere"})")), "FileNotFound");
    EXPECT_EQ(session.run("GetFileContent", R"({"id": "/orders"})").status_code, 400);
    for (const char* bad : {"../etc/passwd", "/a/../../b", "/a\\nb", "/.."})
      EXPECT_EQ(code_of(session.run("GetFileContentByPath", R"({"path": ")" + std::string(bad) + "\"}")), "InvalidPath")
          << bad;
    EXPECT_EQ(code_of(session.run("CreateFile", R"({"folderPath": "/", "name": "a/b", "body": ""})")),
              "InvalidFileName");
  }

  void watch(Session& session) {
    put("in/old.txt", "old");
    const auto check = [&](const char* operation, const char* more = "") {
      return session.check(operation, std::string(R"({"folderId": "/in")") + more + "}");
    };
    EXPECT_EQ(check("OnNewFile").status_code, 202);
    EXPECT_EQ(check("OnNewFile").status_code, 202);
    put("in/a.txt", "1");
    put("in/b.txt", "2");
    put("in/old.txt", "changed");
    const auto first = check("OnNewFile", R"(, "maxFileCount": 1)");
    ASSERT_EQ(first.status_code, 200) << message_of(first);
    ASSERT_EQ(first.body.size(), 1u);
    EXPECT_EQ(first.headers.text_of("Retry-After"), "1") << "more is waiting";
    const auto second = check("OnNewFile");
    ASSERT_EQ(second.body.size(), 1u) << json::write(second.body);
    EXPECT_NE(first.body.as_array()[0].text_of("Name"), second.body.as_array()[0].text_of("Name"));
    EXPECT_EQ(check("OnNewFile").status_code, 202);

    session.begin_anew();
    EXPECT_EQ(check("OnUpdatedFile").status_code, 202);
    put("in/old.txt", "changed again");
    const auto changed = check("OnUpdatedFile");
    ASSERT_EQ(changed.status_code, 200) << message_of(changed);
    ASSERT_EQ(changed.body.size(), 1u);
    EXPECT_EQ(changed.body.as_array()[0].text_of("Name"), "old.txt");
    EXPECT_EQ(code_of(check("OnUpdatedFile", R"(, "maxFileCount": 0)")), "InvalidMaxFileCount");
  }

  TemporaryFolder folder_;
  TestStore store_;
  http::Client client_;
};

TEST_F(FilesTest, OfThisMachine) {
  const auto local = make_files_local({store_.store(), client_, {folder_.path()}});
  Session session(*local, R"({"rootFolder": ")" + root() + "\"}");
  walk(session);
}

TEST_F(FilesTest, OfThisMachineAreWatched) {
  const auto local = make_files_local({store_.store(), client_, {root() + "/"}});
  Session session(*local, R"({"rootFolder": ")" + root() + "\"}");
  watch(session);
}

TEST_F(FilesTest, OfThisMachineEndAtTheRoot) {
  const auto local = make_files_local({store_.store(), client_, {root()}});
  folder_.write("secret.txt", "secret");
  std::filesystem::create_symlink("../secret.txt", root() + "/link.txt");
  std::filesystem::create_directory_symlink("/etc", root() + "/etc");
  std::filesystem::create_symlink("inside.txt", root() + "/inner.txt");
  put("inside.txt", "inside");
  ASSERT_EQ(::mkfifo((root() + "/pipe").c_str(), 0600), 0);
  Session session(*local, R"({"rootFolder": ")" + root() + "\"}");
  EXPECT_EQ(code_of(session.run("GetFileContent", R"({"id": "/link.txt"})")), "PathNotAllowed");
  EXPECT_EQ(code_of(session.run("GetFileContent", R"({"id": "/etc/passwd"})")), "PathNotAllowed");
  EXPECT_EQ(code_of(session.run("CreateFile", R"({"folderPath": "/etc", "name": "flowmend-was-here", "body": "x"})")),
            "PathNotAllowed");
  EXPECT_EQ(session.run("GetFileContent", R"({"id": "/inner.txt"})").status_code, 200);
  EXPECT_EQ(code_of(session.run("GetFileContent", R"({"id": "/pipe"})")), "NotAFile");
  // A file written over a link replaces the link, not what it leads to.
  EXPECT_EQ(session.run("CreateFile", R"({"folderPath": "/", "name": "link.txt", "body": "mine"})").status_code, 200);
  std::ifstream secret(folder_.path() + "/secret.txt");
  EXPECT_EQ(std::string(std::istreambuf_iterator<char>(secret), {}), "secret");

  Session elsewhere(*local, R"({"rootFolder": "/etc"})");
  EXPECT_EQ(code_of(elsewhere.run("ListRootFolder")), "PathNotAllowed");
  Session beside(*local, R"({"rootFolder": ")" + root() + R"(/../root2"})");
  EXPECT_EQ(code_of(beside.run("ListRootFolder")), "PathNotAllowed");
  const auto none = make_files_local({store_.store(), client_, {}});
  Session off(*none, R"({"rootFolder": ")" + root() + "\"}");
  EXPECT_EQ(code_of(off.run("ListRootFolder")), "NoFileRoot");
}

class SftpTest : public FilesTest {
 protected:
  void SetUp() override {
    FilesTest::SetUp();
    ASSERT_FALSE(program("sshd").empty());
    const std::string& here = folder_.path();
    for (const char* name : {"host", "user"})
      ASSERT_EQ(native_tests::run({program("ssh-keygen"), "-q", "-t", "ed25519", "-N", "", "-f", here + "/" + name}),
                0);
    std::filesystem::copy_file(here + "/user.pub", here + "/authorized_keys");
    const std::string configuration = folder_.write("sshd_config", "Port " + std::to_string(port_) + R"(
ListenAddress 127.0.0.1
HostKey )" + here + R"(/host
AuthorizedKeysFile )" + here + R"(/authorized_keys
PidFile )" + here + R"(/pid
StrictModes no
UsePAM no
PasswordAuthentication yes
PermitRootLogin yes
Subsystem sftp internal-sftp
)");
    // Where sshd runs as root it wants this folder, empty.
    if (::geteuid() == 0) std::filesystem::create_directories("/run/sshd");
    server_ =
        std::make_unique<Server>(folder_, std::vector<std::string>{program("sshd"), "-D", "-e", "-f", configuration});
    ASSERT_TRUE(server_->wait_for(port_)) << server_->log();
    sftp_ = make_sftp({store_.store(), client_, {}});
  }
  std::string key() const {
    std::ifstream file(folder_.path() + "/user");
    std::string text(std::istreambuf_iterator<char>(file), {});
    for (char& c : text) c = c == '\n' ? ' ' : c;  // as a form hands it over
    return text;
  }
  std::string fields(const std::string& more) const {
    const char* user = ::getenv("USER");
    return R"({"hostName": "127.0.0.1", "portNumber": ")" + std::to_string(port_) + R"(", "userName": ")" +
           (::geteuid() == 0 || user == nullptr ? "root" : user) + R"(", "rootFolder": ")" + root() + "\"" + more + "}";
  }
  std::string fingerprint() {
    Session asking(*sftp_, fields(R"(, "sshPrivateKey": ")" + key() + "\""));
    const auto reply = asking.verify();
    EXPECT_EQ(reply.status, 403);
    const std::size_t at = reply.body.find("SHA256:");
    return at == std::string::npos ? reply.body : reply.body.substr(at, 50);
  }
  Session trusted() {
    return Session(
        *sftp_, fields(R"(, "sshPrivateKey": ")" + key() + R"(", "sshHostKeyFingerprint": ")" + fingerprint() + "\""));
  }

  const int port_ = free_port();
  std::unique_ptr<Server> server_;
  std::unique_ptr<connector::NativeConnector> sftp_;
};

TEST_F(SftpTest, WalksAlike) {
  Session session = trusted();
  walk(session);
}

TEST_F(SftpTest, IsWatchedAlike) {
  Session session = trusted();
  watch(session);
}

TEST_F(SftpTest, TellsNobodyThePasswordWhoseKeyIsNotKnown) {
  Session changed(
      *sftp_,
      fields(
          R"(, "password": "spring", "sshHostKeyFingerprint": "SHA256:47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU")"));
  const auto refused = changed.verify();
  EXPECT_EQ(refused.status, 403);
  EXPECT_NE(refused.body.find("HostKeyChanged"), std::string::npos) << refused.body;
  EXPECT_EQ(server_->log().find("Failed password"), std::string::npos);

  Session wrong(*sftp_, fields(R"(, "password": "autumn-2026", "acceptAnySshHostKey": "true")"));
  EXPECT_EQ(wrong.verify().status, 401);
  EXPECT_EQ(wrong.verify().body.find("autumn"), std::string::npos);
  Session no_key(*sftp_, fields(R"(, "sshPrivateKey": "-----BEGIN nonsense-----", "acceptAnySshHostKey": "true")"));
  EXPECT_EQ(no_key.verify().status, 401);
  server_.reset();
  EXPECT_EQ(wrong.verify().error_code, "ConnectFailure");
  Session nowhere(*sftp_, R"({"hostName": "host name", "userName": "x"})");
  EXPECT_EQ(nowhere.verify().status, 400);
}

class WebDavTest : public FilesTest {
 protected:
  void SetUp() override {
    FilesTest::SetUp();
    const std::string module = "/usr/lib/nginx/modules/ngx_http_dav_ext_module.so";
    ASSERT_FALSE(program("nginx").empty());
    ASSERT_EQ(::access(module.c_str(), R_OK), 0)
        << "libnginx-mod-http-dav-ext is not installed; './dev test' installs it";
    const std::string& here = folder_.path();
    folder_.write("passwords", "ann:{PLAIN}spring\n");
    const std::string configuration = folder_.write("nginx.conf", std::string(::geteuid() == 0 ? "user root;\n" : "") +
                                                                      "load_module " + module + R"(;
daemon off;
pid )" + here + R"(/pid;
error_log stderr;
events {}
http {
  access_log off;
  client_body_temp_path )" + here + R"(/body;
  client_max_body_size 10m;
  dav_ext_lock_zone zone=locks:1m;
  server {
    listen 127.0.0.1:)" + std::to_string(port_) + R"(;
    location /plain { return 200 "no dav"; }
    location /files {
      alias )" + root() + R"(;
      dav_methods PUT DELETE MKCOL COPY MOVE;
      dav_ext_methods PROPFIND OPTIONS;
      auth_basic "files";
      auth_basic_user_file )" + here + R"(/passwords;
    }
  }
}
)");
    server_ = std::make_unique<Server>(folder_,
                                       std::vector<std::string>{program("nginx"), "-e", "stderr", "-c", configuration});
    ASSERT_TRUE(server_->wait_for(port_)) << server_->log();
    webdav_ = make_webdav({store_.store(), client_, {}});
  }
  Session session(const std::string& password = "spring", const std::string& path = "/files/") {
    return Session(*webdav_, R"({"serverAddress": "http://127.0.0.1:)" + std::to_string(port_) + path +
                                 R"(", "userName": "ann", "password": ")" + password + "\"}");
  }

  const int port_ = free_port();
  std::unique_ptr<Server> server_;
  std::string log() const override { return server_->log(); }
  std::unique_ptr<connector::NativeConnector> webdav_;
};

TEST_F(WebDavTest, WalksAlike) {
  Session session = this->session();
  walk(session);
}

TEST_F(WebDavTest, IsWatchedAlike) {
  Session session = this->session();
  watch(session);
}

TEST_F(WebDavTest, SaysWhatIsWrong) {
  EXPECT_EQ(session("autumn").verify().status, 401);
  const auto plain = session("spring", "/plain").verify();
  EXPECT_NE(plain.body.find("WebDavUnreadable"), std::string::npos) << plain.body;
  Session nowhere(*webdav_, R"({"serverAddress": "ftp://example.org"})");
  EXPECT_EQ(nowhere.verify().status, 400);
  server_.reset();
  EXPECT_EQ(session().verify().error_code, "ConnectFailure");
}

}  // namespace
}  // namespace flowmend::native_tests
