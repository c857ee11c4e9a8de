// Mail out, to a real mail server.

#include <gtest/gtest.h>

#include <fstream>
#include <sstream>

#include "connector/approvals.h"
#include "connector/native/connectors.h"
#include "connector/native/mail_message.h"
#include "connector/native/standin/standin.h"
#include "connector/text.h"
#include "harness.h"
#include "json/write.h"
#include "stores.h"

namespace flowmend::native_tests {
namespace {

using connector::NativeParts;

std::string text_of_file(const std::string& path) {
  std::ostringstream text;
  text << std::ifstream(path, std::ios::binary).rdbuf();
  return text.str();
}

class MailOutTest : public testing::Test {
 protected:
  void start(const std::string& mode) {
    std::vector<std::string> arguments{program("node"), FLOWMEND_SOURCE_DIR "/tests/native/smtp_server.mjs",
                                       std::to_string(port_), folder_.path()};
    if (!mode.empty()) {
      const Certificate made = make_certificate(folder_);
      http::ClientOptions options;
      options.certificate_authorities_file = made.certificate;
      client_ = std::make_unique<http::Client>(options);
      arguments.insert(arguments.end(), {mode, made.key, made.certificate});
    }
    server_ = std::make_unique<Server>(folder_, arguments);
    // First, so that a test without its server fails and does not crash.
    smtp_ = connector::make_smtp(NativeParts{store_.store(), *client_, {}});
    ASSERT_TRUE(server_->wait_for(port_)) << server_->log();
  }
  Session session(const std::string& more, const std::string& scheme = "") {
    return Session(*smtp_, R"({"serverAddress": ")" + scheme + R"(127.0.0.1", "port": ")" + std::to_string(port_) +
                               "\"" + more + "}");
  }
  json::Value envelope(int number) {
    return json_of(text_of_file(folder_.path() + "/" + std::to_string(number) + ".json"));
  }
  std::string mail(int number) { return text_of_file(folder_.path() + "/" + std::to_string(number) + ".eml"); }

  const TemporaryFolder folder_;
  const int port_ = free_port();
  TestStore store_;
  std::unique_ptr<http::Client> client_ = std::make_unique<http::Client>();
  std::unique_ptr<Server> server_;
  std::unique_ptr<connector::NativeConnector> smtp_;
};

constexpr const char* plain = R"(, "enableSSL": "false")";
constexpr const char* ann = R"(, "userName": "ann", "password": "spring")";

TEST_F(MailOutTest, SendsHtmlWithAttachmentsToEveryRecipientAndHidesTheBlindOnes) {
  start("");
  Session session = this->session(plain);
  const auto sent = session.run("SendEmailV3", R"j({
    "emailMessage/From": "Shöp <shop@example.org>", "emailMessage/To": "ann@example.org; \"Doe, John\" <john@example.org>",
    "emailMessage/CC": "ann@example.org", "emailMessage/BCC": "boss@example.org", "emailMessage/Subject": "Bestellung für Ä",
    "emailMessage/Body": "<p>Grüße</p>\n.\n<img src=\"cid:logo\">", "emailMessage/Importance": "High",
    "emailMessage/Attachments": [
      {"FileName": "Lieferschein ä.csv", "ContentType": "text/csv", "ContentData": "YTtiCjE7Mgo="},
      {"FileName": "logo.png", "ContentId": "logo", "ContentData": {"$content-type": "image/png", "$content": "iVBORw0KGgo="}}]})j");
  ASSERT_EQ(sent.status_code, 200) << message_of(sent) << server_->log();
  EXPECT_EQ(sent.body.find("recipients")->as_integer(), 3);
  EXPECT_EQ(
      json::write(envelope(1)),
      R"({"from":"shop@example.org","to":["ann@example.org","john@example.org","boss@example.org"],"secure":false,"user":""})");
  EXPECT_EQ(mail(1).find("boss@"), std::string::npos) << mail(1);
  const json::Value read = connector::parse_mail(mail(1), true);
  EXPECT_EQ(read.text_of("subject"), "Bestellung für Ä");
  EXPECT_EQ(read.text_of("from"), "Shöp <shop@example.org>");
  EXPECT_EQ(read.text_of("importance"), "high");
  EXPECT_NE(read.text_of("body").find("<p>Grüße</p>"), std::string::npos);
  EXPECT_NE(read.text_of("body").find("\n."), std::string::npos);
  const auto attachments = read.find("attachments")->as_array();
  ASSERT_EQ(attachments.size(), 2u) << json::write(read);
  const bool logo_first = attachments[0].text_of("name") == "logo.png";
  EXPECT_EQ(attachments[logo_first ? 1 : 0].text_of("name"), "Lieferschein ä.csv");
  EXPECT_EQ(attachments[logo_first ? 1 : 0].text_of("contentBytes"), "YTtiCjE7Mgo=");
  EXPECT_EQ(attachments[logo_first ? 0 : 1].text_of("contentId"), "logo");

  // The same step sent again carries the same id.
  ASSERT_EQ(session.run("SendEmailV3", R"({"emailMessage/From": "a@example.org", "emailMessage/To": "b@example.org"})")
                .status_code,
            200);
  ASSERT_EQ(session.run("SendEmailV3", R"({"emailMessage/From": "a@example.org", "emailMessage/To": "b@example.org"})")
                .status_code,
            200);
  EXPECT_EQ(connector::parse_mail(mail(2), false).text_of("internetMessageId"),
            connector::parse_mail(mail(3), false).text_of("internetMessageId"));
}

TEST_F(MailOutTest, OutlookMailsWithOptionsWaitForAnAnswer) {
  start("");
  const auto outlook =
      connector::make_outlook_standin(NativeParts{store_.store(), *client_, {}, "https://flows.example.org"});
  const auto fields = [&](const std::string& more) {
    return R"({"serverAddress": "127.0.0.1", "port": ")" + std::to_string(port_) + R"(", "enableSSL": "false")" + more +
           "}";
  };
  Session session(*outlook, fields(R"(, "senderAddress": "flows@example.org")"));
  const trigger::ActionTarget target{.workflow_id = "flow1", .run = "run1", .action = "Ask"};
  session.callback_url = "http://127.0.0.1" + trigger::make_action_address("", target, "a key");
  const char* question = R"({"optionsEmailSubscription/Message/To": "ann@example.org;bo@example.org",
    "optionsEmailSubscription/Message/Subject": "Delete the blob?", "optionsEmailSubscription/Message/Options": "Delete it, <Ignore>",
    "optionsEmailSubscription/Message/Body": "<p>Account 7</p>", "optionsEmailSubscription/Message/UseOnlyHTMLMessage": true})";
  const auto asked = session.run("SendMailWithOptions", question);
  ASSERT_EQ(asked.status_code, 201) << message_of(asked) << server_->log();
  EXPECT_EQ(json::write(*envelope(1).find("to")), R"(["ann@example.org"])");
  EXPECT_EQ(json::write(*envelope(2).find("to")), R"(["bo@example.org"])");
  const std::string body(connector::parse_mail(mail(2), false).text_of("body"));
  EXPECT_NE(body.find("<p>Account 7</p>"), std::string::npos) << body;
  EXPECT_NE(body.find("Delete it / &lt;Ignore&gt;"), std::string::npos) << body;
  const std::string begin = "https://flows.example.org/api/v1/approve/";
  const std::size_t at = body.find(begin);
  ASSERT_NE(at, std::string::npos) << body;
  const std::string id = body.substr(at + begin.size(), 36);
  const std::string secret = body.substr(at + begin.size() + 36 + 5, 64);
  connector::Approvals approvals(store_.store());
  EXPECT_EQ(approvals.person_of_link(id, secret).value(), "bo@example.org");
  EXPECT_EQ(approvals.due()->size(), 0u);
  // Sent again under its key it is the same question.
  ASSERT_EQ(session.run("SendMailWithOptions", question).status_code, 201);
  EXPECT_EQ(approvals.list()->size(), 1u);
  ASSERT_TRUE(approvals.respond(id, {.by = "bo@example.org", .response = "<Ignore>"}));
  const auto due = approvals.due();
  ASSERT_EQ(due->size(), 1u);
  EXPECT_EQ(json::write((*due)[0].body), R"({"SelectedOption":"<Ignore>","UserEmailAddress":"bo@example.org"})");
  EXPECT_EQ(session.run("SendMailWithOptions", question).status_code, 201) << "answered meanwhile: no further mail";
  EXPECT_FALSE(std::ifstream(folder_.path() + "/5.eml").good());

  EXPECT_EQ(code_of(session.run("SendApprovalMail", R"({"ApprovalEmailSubscription/Message/To": " "})")),
            "InvalidApproval");
  Session elsewhere(*outlook, fields(R"(, "senderAddress": "flows@example.org")"));
  EXPECT_EQ(
      code_of(elsewhere.run("SendApprovalMail", R"({"ApprovalEmailSubscription/Message/To": "ann@example.org"})")),
      "InvalidApproval")
      << "nobody waits";
}

TEST_F(MailOutTest, SignsInOverStartTls) {
  start("--starttls");
  Session good = session(ann);
  EXPECT_EQ(good.verify().status, 200);
  const auto sent =
      good.run("SendEmailV3", R"({"emailMessage/From": "a@example.org", "emailMessage/To": "b@example.org"})");
  ASSERT_EQ(sent.status_code, 200) << message_of(sent);
  EXPECT_EQ(envelope(1).find("secure")->as_boolean(), true);
  EXPECT_EQ(envelope(1).text_of("user"), "ann");

  Session bad = session(R"(, "userName": "ann", "password": "autumn-2026")");
  const http::Reply refused = bad.verify();
  EXPECT_EQ(refused.status, 401);
  EXPECT_NE(refused.body.find("The password of 'ann' was changed"), std::string::npos) << refused.body;
  EXPECT_EQ(bad.run("SendEmailV3", R"({"emailMessage/From": "a@example.org", "emailMessage/To": "b@example.org"})")
                .status_code,
            401);

  // Whose certificate is not known is not given a password.
  http::Client stranger;
  const auto smtp = connector::make_smtp(NativeParts{store_.store(), stranger, {}});
  Session untrusted(*smtp, R"({"serverAddress": "127.0.0.1", "port": ")" + std::to_string(port_) + "\"" + ann + "}");
  EXPECT_EQ(untrusted.verify().error_code, "TlsFailure");
}

TEST_F(MailOutTest, SpeaksTlsFromTheStart) {
  start("--tls");
  Session session = this->session(ann, "smtps://");
  const auto sent =
      session.run("SendEmailV3", R"({"emailMessage/From": "a@example.org", "emailMessage/To": "b@example.org"})");
  ASSERT_EQ(sent.status_code, 200) << message_of(sent);
  EXPECT_EQ(envelope(1).find("secure")->as_boolean(), true);
}

TEST_F(MailOutTest, RefusesToGoOnWithoutTheEncryptionItWasAskedFor) {
  start("");
  EXPECT_EQ(session(ann).verify().error_code, "TlsFailure");
}

TEST_F(MailOutTest, SaysWhatTheMailServerSaid) {
  start("");
  Session session = this->session(plain);
  const auto send = [&](const std::string& from, const std::string& to) {
    return session.run("SendEmailV3", R"({"emailMessage/From": ")" + from + R"(", "emailMessage/To": ")" + to + "\"}");
  };
  const auto unknown = send("a@example.org", "nobody@example.org");
  EXPECT_EQ(unknown.status_code, 400);
  EXPECT_EQ(code_of(unknown), "MailRefused");
  EXPECT_NE(message_of(unknown).find("There is no such mailbox"), std::string::npos) << message_of(unknown);
  EXPECT_EQ(send("a@example.org", "full@example.org").status_code, 503);
  EXPECT_NE(message_of(send("spam@example.org", "b@example.org")).find("This looks like spam"), std::string::npos);
  server_.reset();
  EXPECT_EQ(send("a@example.org", "b@example.org").fault.code, "ConnectFailure");
}

TEST_F(MailOutTest, RefusesBadInputWithPlaceAndCure) {
  start("");
  Session session = this->session(plain);
  const auto send = [&](const std::string& parameters) { return session.run("SendEmailV3", parameters); };
  EXPECT_EQ(code_of(send(R"({"emailMessage/From": "a@example.org"})")), "MailRecipientMissing");
  EXPECT_EQ(code_of(send(R"({"emailMessage/From": "not an address", "emailMessage/To": "b@example.org"})")),
            "InvalidMailAddress");
  EXPECT_EQ(
      code_of(send(
          R"({"emailMessage/From": "a@example.org", "emailMessage/To": "b@example.org\r\nRCPT TO:<c@example.org>"})")),
      "InvalidMailAddress");
  EXPECT_EQ(code_of(send(R"({"emailMessage/From": "a@example.org", "emailMessage/To": "b"})")), "InvalidMailAddress");
  EXPECT_EQ(
      code_of(send(
          R"({"emailMessage/From": "a@example.org", "emailMessage/To": "b@example.org", "emailMessage/Attachments": [{"FileName": "x", "ContentData": "not base64!"}]})")),
      "InvalidAttachments");
  EXPECT_EQ(
      code_of(send(
          R"({"emailMessage/From": "a@example.org", "emailMessage/To": "b@example.org", "emailMessage/Attachments": [7]})")),
      "InvalidAttachments");
  // A subject can't smuggle a header.
  ASSERT_EQ(
      send(
          R"({"emailMessage/From": "a@example.org", "emailMessage/To": "b@example.org", "emailMessage/Subject": "x\r\nBcc: c@example.org"})")
          .status_code,
      200);
  EXPECT_EQ(mail(1).find("\r\nBcc:"), std::string::npos);
  Session nowhere(*smtp_, R"({"serverAddress": "mail host/../", "port": "25"})");
  EXPECT_EQ(code_of(nowhere.run("SendEmailV3",
                                R"({"emailMessage/From": "a@example.org", "emailMessage/To": "b@example.org"})")),
            "InvalidConnectionParameters");
}

}  // namespace
}  // namespace flowmend::native_tests
