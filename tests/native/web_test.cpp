// Feeds, object storage and chats. Feeds and chats come from a listener that the test scripts and that records what it
// is sent; storage is s3rver behind a door that checks every signature.

#include <gtest/gtest.h>
#include <unistd.h>

#include <filesystem>
#include <mutex>

#include "connector/native/aws_signature.h"
#include "connector/native/connectors.h"
#include "harness.h"
#include "http/listener.h"
#include "json/write.h"
#include "stores.h"

namespace flowmend::native_tests {
namespace {

class WebTest : public testing::Test {
 protected:
  void SetUp() override {
    http::ListenerOptions options;
    options.port = 0;
    listener_ = std::make_unique<http::Listener>(
        options, [this](http::IncomingRequest request, const http::Responder& responder) {
          const std::lock_guard lock(mutex_);
          last_ = request;
          responder.send(answer_);
        });
    ASSERT_TRUE(listener_->start());
  }
  void answer(int status, std::string body, http::Headers headers = {}) {
    const std::lock_guard lock(mutex_);
    answer_ = {status, std::move(headers), std::move(body)};
  }
  std::string url(const std::string& path) const {
    return "http://127.0.0.1:" + std::to_string(listener_->port()) + path;
  }
  json::Value sent() {
    const std::lock_guard lock(mutex_);
    return json_of(last_.body);
  }

  std::mutex mutex_;
  http::Response answer_;
  http::IncomingRequest last_;
  TestStore store_;
  http::Client client_;
  std::unique_ptr<http::Listener> listener_;
};

std::string rss(const std::string& items) {
  return R"(<?xml version="1.0"?><rss version="2.0" xmlns:content="http://purl.org/rss/1.0/modules/content/"><channel><title>News</title>)" +
         items + "</channel></rss>";
}
std::string item(const std::string& id, const std::string& date) {
  return "<item><guid>" + id + "</guid><title>Title &lt;" + id + "&gt;</title><link>https://news.test/" + id +
         "</link><description><![CDATA[<p>ü " + id +
         "</p>]]></description><category>a</category><category>b</category><pubDate>" + date + "</pubDate></item>";
}

TEST_F(WebTest, AFeedTellsOfEachItemOnce) {
  const auto rss_connector = connector::make_rss({store_.store(), client_, {}});
  Session session(*rss_connector, "{}");
  const std::string feed = R"({"feedUrl": ")" + url("/feed") + "\"}";
  answer(200, rss(item("1", "Mon, 23 Nov 2026 10:00:00 GMT")));
  EXPECT_EQ(session.check("OnNewFeed", feed).status_code, 202);
  EXPECT_EQ(session.check("OnNewFeed", feed).status_code, 202);
  answer(200, rss(item("3", "Wed, 25 Nov 2026 10:00:00 +0100") + item("2", "Tue, 24 Nov 2026 10:00:00 GMT") +
                  item("1", "Mon, 23 Nov 2026 10:00:00 GMT")));
  const auto news = session.check("OnNewFeed", feed);
  ASSERT_EQ(news.status_code, 200) << message_of(news);
  const auto items = news.body.find("value")->as_array();
  ASSERT_EQ(items.size(), 2u);
  EXPECT_EQ(
      json::write(items[0]),
      R"({"id":"2","title":"Title <2>","primaryLink":"https://news.test/2","links":["https://news.test/2"],"updatedOn":"2026-11-24T10:00:00.0000000Z","publishDate":"2026-11-24T10:00:00.0000000Z","summary":"<p>ü 2</p>","content":"","copyright":"","categories":["a","b"]})");
  EXPECT_EQ(items[1].text_of("publishDate"), "2026-11-25T09:00:00.0000000Z");
  // A feed that is empty for once does not make everything new again.
  answer(200, rss(""));
  EXPECT_EQ(session.check("OnNewFeed", feed).status_code, 202);
  answer(200, rss(item("3", "Wed, 25 Nov 2026 10:00:00 +0100")));
  EXPECT_EQ(session.check("OnNewFeed", feed).status_code, 202);
}

TEST_F(WebTest, FeedsAreListedWhateverTheirKind) {
  const auto rss_connector = connector::make_rss({store_.store(), client_, {}});
  Session session(*rss_connector, "{}");
  const std::string feed = R"({"feedUrl": ")" + url("/feed") + "\"";
  answer(200, rss(item("1", "Mon, 23 Nov 2026 10:00:00 GMT") + item("2", "Tue, 24 Nov 2026 10:00:00 GMT")));
  EXPECT_EQ(session.run("ListFeedItems", feed + "}").body.size(), 2u);
  EXPECT_EQ(session.run("ListFeedItems", feed + R"(, "since": "2026-11-24 09:00:00Z"})").body.size(), 1u);
  answer(200, R"(<feed xmlns="http://www.w3.org/2005/Atom"><entry><id>urn:1</id><title>One</title>
    <link rel="self" href="https://news.test/self"/><link href="https://news.test/1"/><updated>2026-11-24T09:00:00Z</updated>
    <published>2026-11-23T09:00:00+01:00</published><summary>S</summary><category term="x"/></entry></feed>)");
  const auto atom = session.run("ListFeedItems", feed + "}");
  ASSERT_EQ(atom.body.size(), 1u) << message_of(atom);
  EXPECT_EQ(atom.body.as_array()[0].text_of("primaryLink"), "https://news.test/1");
  EXPECT_EQ(atom.body.as_array()[0].text_of("publishDate"), "2026-11-23T08:00:00.0000000Z");
  EXPECT_EQ(session.run("ListFeedItems", feed + R"(, "sinceProperty": "UpdatedOn", "since": "2026-11-24T00:00:00Z"})")
                .body.size(),
            1u);
  EXPECT_EQ(session.run("ListFeedItems", feed + R"(, "since": "2026-11-24T00:00:00Z"})").body.size(), 0u);
}

TEST_F(WebTest, AFeedThatIsNoneSaysSo) {
  const auto rss_connector = connector::make_rss({store_.store(), client_, {}});
  Session session(*rss_connector, "{}");
  const std::string feed = R"({"feedUrl": ")" + url("/feed") + "\"}";
  answer(200, "<html><body>news</body></html>");
  EXPECT_EQ(code_of(session.run("ListFeedItems", feed)), "FeedUnreadable");
  answer(200, "no xml");
  EXPECT_EQ(code_of(session.run("ListFeedItems", feed)), "FeedUnreadable");
  answer(
      200,
      R"(<!DOCTYPE r [<!ENTITY x SYSTEM "file:///etc/passwd">]><rss><channel><item><title>&x;</title></item></channel></rss>)");
  EXPECT_EQ(json::write(session.run("ListFeedItems", feed).body).find("root:"), std::string::npos);
  answer(302, "", {{"Location", "/feed"}});
  EXPECT_EQ(code_of(session.run("ListFeedItems", feed)), "TooManyRedirects");
  answer(302, "", {{"Location", "file:///etc/passwd"}});
  EXPECT_EQ(code_of(session.run("ListFeedItems", feed)), "InvalidFeedUrl");
  answer(503, "later", {{"Retry-After", "7"}});
  const auto later = session.run("ListFeedItems", feed);
  EXPECT_EQ(later.status_code, 503);
  EXPECT_EQ(later.headers.text_of("Retry-After"), "7");
  EXPECT_EQ(code_of(session.run("ListFeedItems", R"({"feedUrl": "file:///etc/passwd"})")), "InvalidFeedUrl");
  answer(200, rss(""));
  EXPECT_EQ(code_of(session.run("ListFeedItems", R"({"feedUrl": ")" + url("/") + R"(", "since": "yesterday"})")),
            "InvalidSince");
  // The metadata service of a cloud is no feed.
  EXPECT_EQ(session.run("ListFeedItems", R"({"feedUrl": "http://169.254.169.254/latest"})").fault.code,
            "AddressNotAllowed");
}

TEST_F(WebTest, ChatsGetMessagesInTheirOwnForm) {
  const auto chat = connector::make_chat({store_.store(), client_, {}});
  const auto session = [&](const std::string& service) {
    return Session(*chat, R"({"service": ")" + service + R"(", "webhookUrl": ")" + url("/hooks/secret-part") + "\"}");
  };
  const std::string message = R"({"body/text": "Order *7* @everyone", "body/title": "New", "body/userName": "Shop"})";
  answer(200, "ok");
  EXPECT_EQ(session("Slack").run("PostMessage", message).status_code, 200);
  EXPECT_EQ(json::write(sent()), R"({"text":"*New*\nOrder *7* @everyone","username":"Shop"})");
  EXPECT_EQ(session("mattermost").run("PostMessage", message).status_code, 200);
  EXPECT_EQ(json::write(sent()), R"({"text":"#### New\nOrder *7* @everyone","username":"Shop"})");
  EXPECT_EQ(session("Discord").run("PostMessage", message).status_code, 200);
  EXPECT_EQ(json::write(sent()),
            R"({"content":"**New**\nOrder *7* @everyone","allowed_mentions":{"parse":[]},"username":"Shop"})");
  EXPECT_EQ(session("Teams").run("PostMessage", message).status_code, 200);
  EXPECT_EQ(sent().find("attachments")->as_array()[0].find("content")->find("body")->as_array()[1].text_of("text"),
            "Order *7* @everyone");
  EXPECT_EQ(
      session("Teams").run("PostAdaptiveCard", R"({"body/card": {"type": "AdaptiveCard", "body": []}})").status_code,
      200);
  EXPECT_EQ(code_of(session("Teams").run("PostAdaptiveCard", R"({"body/card": {"type": "Card"}})")), "InvalidCard");
  EXPECT_EQ(code_of(session("Slack").run("PostAdaptiveCard", R"({"body/card": {"type": "AdaptiveCard"}})")),
            "CardUnsupported");
  EXPECT_EQ(code_of(session("Slack").run("PostMessage", R"({"body/text": " "})")), "MessageEmpty");
  EXPECT_EQ(code_of(session("Discord").run("PostMessage", R"({"body/text": ")" + std::string(2001, 'x') + "\"}")),
            "MessageTooLong");
  EXPECT_EQ(code_of(session("Telegram").run("PostMessage", message)), "InvalidConnectionParameters");
  Session nowhere(*chat, R"({"service": "Slack", "webhookUrl": "hooks.slack.com/x"})");
  EXPECT_EQ(nowhere.verify().status, 400);

  answer(404, "no_service");
  const auto gone = session("Slack").run("PostMessage", message);
  EXPECT_EQ(gone.status_code, 401) << "the webhook is the credential";
  EXPECT_NE(message_of(gone).find("no_service"), std::string::npos) << message_of(gone);
  EXPECT_EQ(json::write(gone.request).find("secret-part"), std::string::npos);
  EXPECT_EQ(session("Discord").verify().status, 401);
  answer(429, R"({"message": "slow down"})", {{"Content-Type", "application/json"}, {"Retry-After", "2"}});
  const auto slow = session("Discord").run("PostMessage", message);
  EXPECT_EQ(slow.status_code, 429);
  EXPECT_EQ(slow.headers.text_of("Retry-After"), "2");
}

// The example "GET bucket lifecycle" of Amazon's documentation of Signature Version 4.
TEST(AwsSignature, IsAmazonsOwnExample) {
  http::Request request;
  request.url = "https://examplebucket.s3.amazonaws.com/?lifecycle";
  connector::sign_aws(request, {"AKIAIOSFODNN7EXAMPLE", "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY", "us-east-1", "s3"},
                      *parse_timestamp("2013-05-24T00:00:00Z"));
  EXPECT_EQ(http::find_header(request.headers, "Authorization"),
            "AWS4-HMAC-SHA256 Credential=AKIAIOSFODNN7EXAMPLE/20130524/us-east-1/s3/aws4_request, "
            "SignedHeaders=host;x-amz-content-sha256;x-amz-date, "
            "Signature=fea454ca298b7da1c68078a5d1bdbfbbe0d65c699e0f91ac7a200a0136783543");
}

class StorageTest : public testing::Test {
 protected:
  void SetUp() override {
    const std::string script = FLOWMEND_SOURCE_DIR "/tests/native/s3_server.mjs";
    ASSERT_EQ(::access(FLOWMEND_SOURCE_DIR "/tests/native/node_modules/s3rver/package.json", R_OK), 0)
        << "npm install in tests/native has not been run; './dev test' does it";
    // s3rver's list tokens use a cipher that OpenSSL 3 counts as old.
    server_ = std::make_unique<Server>(
        folder_, std::vector<std::string>{program("node"), "--openssl-legacy-provider", script, std::to_string(port_),
                                          std::to_string(inner_port_), folder_.path() + "/data"});
    ASSERT_TRUE(server_->wait_for(port_)) << server_->log();
    s3_ = connector::make_s3({store_.store(), client_, {}});
  }
  Session session(const std::string& secret = "S3RVER", const std::string& key = "S3RVER") {
    return Session(*s3_, R"({"accessKeyId": ")" + key + R"(", "secretAccessKey": ")" + secret +
                             R"(", "endpoint": "http://127.0.0.1:)" + std::to_string(port_) + "\"}");
  }
  TemporaryFolder folder_;
  const int port_ = free_port();
  const int inner_port_ = free_port();
  TestStore store_;
  http::Client client_;
  std::unique_ptr<Server> server_;
  std::unique_ptr<connector::NativeConnector> s3_;
};

TEST_F(StorageTest, KeepsListsAndTellsOfObjects) {
  Session session = this->session();
  ASSERT_EQ(session.verify().status, 200) << session.verify().body;
  EXPECT_EQ(session.run("ListBuckets").body.find("value")->as_array()[0].text_of("name"), "orders");
  const std::string bucket = R"({"bucketName": "orders")";
  EXPECT_EQ(session.check("OnUpdatedObject", bucket + "}").status_code, 202);
  const std::string object = bucket + R"(, "objectKey": "2026/Bestellung ä+(1) & 2.csv")";
  const auto created =
      session.run("CreateObject", object + R"(, "body": {"$content-type": "text/csv", "$content": "YTtiCg=="}})");
  ASSERT_EQ(created.status_code, 200) << message_of(created) << server_->log();
  EXPECT_EQ(created.body.find("size")->as_integer(), 4);
  const auto content = session.run("GetObjectContent", object + "}");
  EXPECT_EQ(json::write(content.body), R"({"$content-type":"text/csv","$content":"YTtiCg=="})") << message_of(content);
  EXPECT_EQ(session.run("GetObjectMetadata", object + "}").body.text_of("contentType"), "text/csv");
  ASSERT_EQ(session.run("CreateObject", bucket + R"(, "objectKey": "other.txt", "body": "x"})").status_code, 200);
  const auto listed = session.run("ListObjects", bucket + R"(, "prefix": "2026/"})");
  ASSERT_EQ(listed.status_code, 200) << message_of(listed);
  ASSERT_EQ(listed.body.find("value")->size(), 1u) << json::write(listed.body);
  EXPECT_EQ(listed.body.find("value")->as_array()[0].text_of("key"), "2026/Bestellung ä+(1) & 2.csv");
  const auto page = session.run("ListObjects", bucket + R"(, "maxObjectCount": 1})");
  ASSERT_EQ(page.status_code, 200) << message_of(page) << server_->log();
  EXPECT_TRUE(page.body.find("isTruncated")->as_boolean());
  const auto news = session.check("OnUpdatedObject", bucket + "}");
  ASSERT_EQ(news.status_code, 200) << message_of(news);
  EXPECT_EQ(news.body.find("value")->size(), 2u);
  EXPECT_EQ(session.check("OnUpdatedObject", bucket + "}").status_code, 202);
  EXPECT_EQ(session.run("DeleteObject", object + "}").status_code, 200);
  EXPECT_EQ(code_of(session.run("GetObjectContent", object + "}")), "NoSuchKey");
  EXPECT_EQ(code_of(session.run("GetObjectMetadata", object + "}")), "NoSuchKey");
}

TEST_F(StorageTest, SaysWhatIsWrong) {
  EXPECT_EQ(session("wrong").verify().status, 401);
  EXPECT_EQ(session("S3RVER", "NOBODY").verify().status, 401);
  Session session = this->session();
  EXPECT_EQ(code_of(session.run("ListObjects", R"({"bucketName": "nowhere"})")), "NoSuchBucket");
  EXPECT_EQ(code_of(session.run("ListObjects", R"({"bucketName": "a/b"})")), "InvalidBucketName");
  EXPECT_EQ(code_of(session.run("GetObjectContent", R"({"bucketName": "orders", "objectKey": "../x"})")),
            "InvalidObjectKey");
  EXPECT_EQ(code_of(session.run("ListObjects", R"({"bucketName": "orders", "maxObjectCount": 0})")),
            "InvalidMaxObjectCount");
  server_.reset();
  EXPECT_EQ(session.run("ListBuckets").fault.code, "ConnectFailure");
}

}  // namespace
}  // namespace flowmend::native_tests
