// Whatever a native connector connects with, it obeys the server's outgoing policy: nothing may reach a service on this
// machine when the policy does not allow loopback.

#include <arpa/inet.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <filesystem>
#include <map>
#include <set>

#include "connector/document.h"
#include "connector/http_call.h"
#include "connector/native/call.h"
#include "json/parse.h"
#include "store/sqlite/open.h"

namespace flowmend::connector {
namespace {

/// A port of loopback that takes connections and says nothing.
class Port {
 public:
  Port() {
    socket_ = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t size = sizeof address;
    EXPECT_EQ(::bind(socket_, reinterpret_cast<sockaddr*>(&address), size), 0);
    EXPECT_EQ(::getsockname(socket_, reinterpret_cast<sockaddr*>(&address), &size), 0);
    EXPECT_EQ(::listen(socket_, 16), 0);
    number_ = ntohs(address.sin_port);
  }
  ~Port() { ::close(socket_); }
  Port(const Port&) = delete;
  Port& operator=(const Port&) = delete;
  std::string number() const { return std::to_string(number_); }
  bool was_reached() const {
    pollfd waiting{socket_, POLLIN, 0};
    return ::poll(&waiting, 1, 0) == 1;
  }

 private:
  int socket_ = -1;
  int number_ = 0;
};

class NativePolicyTest : public ::testing::Test {
 protected:
  void SetUp() override {
    std::string pattern = (std::filesystem::temp_directory_path() / "flowmend-policy-XXXXXX").string();
    ASSERT_NE(::mkdtemp(pattern.data()), nullptr);
    folder_ = pattern;
    store_ = store::sqlite::open({.folder = folder_}).value();
    http::ClientOptions options;
    options.policy.allow_loopback = false;
    client_ = std::make_unique<http::Client>(options);
    natives_ = native_connectors({*store_, *client_, {}});
  }
  void TearDown() override {
    natives_.clear();
    client_.reset();
    store_.reset();
    std::filesystem::remove_all(folder_);
  }

  NativeConnector* find(std::string_view name) {
    for (const auto& native : natives_) {
      if (native->name() == name) return native.get();
    }
    return nullptr;
  }

  /// What `operation` answers, called as a run calls it; an empty one verifies.
  std::string code_of(NativeConnector& native, const std::string& fields_text, const std::string& operation,
                      const std::string& parameters) {
    const auto loaded = load_connector_text(native.swagger(), native.properties(),
                                            {.name = std::string(native.name()), .native = &native});
    const Value fields = native_fields(*loaded.connector, json::parse(fields_text).value());
    if (operation.empty()) {
      const http::Reply reply = native.verify(fields, Duration::seconds(5));
      return reply.error_code.empty() ? reply.body : reply.error_code;
    }
    engine::Call call;
    call.timeout = Duration::seconds(5);
    NativeCall prepared;
    const auto shown = build_native_call(call, *loaded.connector, *loaded.connector->find_operation(operation),
                                         json::parse(parameters).value(), fields, prepared);
    if (!shown) return shown.error().message;
    const http::Reply reply = native.call(prepared);
    return reply.error_code.empty() ? reply.body : reply.error_code;
  }

  std::string folder_;
  std::unique_ptr<store::Store> store_;
  std::unique_ptr<http::Client> client_;
  std::vector<std::unique_ptr<NativeConnector>> natives_;
};

/// How each is led to a host and port: `HOST` and `PORT` are put in.
struct Way {
  std::string fields;
  std::string operation;  ///< empty: verifying connects
  std::string parameters = "{}";
};

const std::map<std::string, Way>& ways() {
  static const std::map<std::string, Way> all = {
      {"shared_amqp", {R"({"host": "HOST", "port": "PORT", "username": "u", "password": "p"})", ""}},
      {"shared_mqtt", {R"({"host": "HOST", "port": "PORT"})", ""}},
      {"shared_postgresql",
       {R"({"server": "HOST", "port": "PORT", "database": "d", "username": "u", "password": "p"})", ""}},
      {"shared_mysql",
       {R"({"server": "HOST", "port": "PORT", "database": "d", "username": "u", "password": "p"})", ""}},
      {"shared_smtp", {R"({"serverAddress": "HOST", "port": "PORT", "userName": "u", "password": "p"})", ""}},
      {"shared_office365", {R"({"serverAddress": "HOST", "port": "PORT", "userName": "u", "password": "p"})", ""}},
      {"shared_teams",
       {R"({"webhookUrl": "http://HOST:PORT/hook"})", "PostMessageToConversation",
        R"({"poster": "Flow bot", "location": "Channel", "body": {"messageBody": "x"}})"}},
      {"shared_imap", {R"({"serverAddress": "HOST", "port": "PORT", "userName": "u", "password": "p"})", ""}},
      {"shared_sftpwithssh",
       {R"({"hostName": "HOST", "portNumber": "PORT", "userName": "u", "password": "p", "acceptAnySshHostKey": "true"})",
        ""}},
      {"shared_webdav", {R"({"serverAddress": "http://HOST:PORT/dav/", "userName": "u", "password": "p"})", ""}},
      {"shared_onedriveforbusiness", {R"({"filesAddress": "http://HOST:PORT/dav/"})", ""}},
      {"shared_sharepointonline", {R"({"filesAddress": "http://HOST:PORT/dav/"})", ""}},
      {"shared_amazons3",
       {R"({"endpoint": "http://HOST:PORT", "accessKeyId": "k", "secretAccessKey": "s", "region": "r"})", ""}},
      {"shared_rss", {"{}", "ListFeedItems", R"({"feedUrl": "http://HOST:PORT/feed"})"}},
      {"shared_chatwebhook",
       {R"({"service": "Slack", "webhookUrl": "http://HOST:PORT/hook"})", "PostMessage", R"({"body": {"text": "x"}})"}},
  };
  return all;
}

std::string put_in(std::string text, const std::string& host, const std::string& port) {
  for (const auto& [name, value] : {std::pair{std::string("HOST"), host}, std::pair{std::string("PORT"), port}}) {
    for (std::size_t at = 0; (at = text.find(name, at)) != std::string::npos; at += value.size())
      text.replace(at, name.size(), value);
  }
  return text;
}

TEST_F(NativePolicyTest, NothingReachesAnAddressThatIsNotAllowed) {
  for (const auto& [name, way] : ways()) {
    NativeConnector* native = find(name);
    ASSERT_NE(native, nullptr) << name;
    for (const std::string host : {"127.0.0.1", "localhost"}) {
      const Port port;
      EXPECT_EQ(code_of(*native, put_in(way.fields, host, port.number()), way.operation,
                        put_in(way.parameters, host, port.number())),
                "AddressNotAllowed")
          << name << " to " << host;
      EXPECT_FALSE(port.was_reached()) << name << " to " << host;
    }
  }
}

TEST_F(NativePolicyTest, EveryNativeIsKnownToConnectOutOrNot) {
  // Those that keep to this machine's own files and store. A new connector belongs into one of the two lists.
  const std::set<std::string> at_home = {"shared_approvals",
                                         "shared_azureloganalyticsdatacollector",
                                         "shared_filesystem",
                                         "shared_sqlite",
                                         "shared_tables",
                                         "shared_office365users",
                                         "shared_commondataservice",
                                         "shared_commondataserviceforapps"};
  for (const auto& native : natives_) {
    const std::string name(native->name());
    EXPECT_TRUE(ways().contains(name) || at_home.contains(name)) << name;
  }
}

}  // namespace
}  // namespace flowmend::connector
