// Mail in, from a real mail server (dovecot).

#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <filesystem>

#include "connector/native/connectors.h"
#include "connector/native/standin/standin.h"
#include "harness.h"
#include "json/write.h"
#include "stores.h"

namespace flowmend::native_tests {
namespace {

class MailInTest : public testing::Test {
 protected:
  void SetUp() override {
    ASSERT_FALSE(program("dovecot").empty());
    const Certificate made = make_certificate(folder_);
    http::ClientOptions options;
    options.certificate_authorities_file = made.certificate;
    client_ = std::make_unique<http::Client>(options);
    const std::string& here = folder_.path();
    std::filesystem::permissions(here, std::filesystem::perms(0755));
    for (const char* part : {"/mail", "/mail/cur", "/mail/new", "/mail/tmp"})
      std::filesystem::create_directory(here + part);
    folder_.write("users", "ann:{PLAIN}spring::::::\n");
    const std::string user = ::geteuid() == 0 ? "nobody" : std::to_string(::geteuid());
    give_to_mail_user("-R", here + "/mail");
    const std::string configuration = folder_.write("dovecot.conf", R"(
base_dir = )" + here + R"(/run
state_dir = )" + here + R"(/state
log_path = )" + here + R"(/dovecot.log
protocols = imap
listen = 127.0.0.1
default_login_user = )" + std::string(::geteuid() == 0 ? "dovenull" : user) +
                                                                        R"(
default_internal_user = )" + std::string(::geteuid() == 0 ? "dovecot" : user) +
                                                                        R"(
ssl = required
ssl_cert = <)" + made.certificate + R"(
ssl_key = <)" + made.key + R"(
mail_location = maildir:)" + here + R"(/mail
mail_uid = nobody
mail_gid = nogroup
first_valid_uid = 1
passdb {
  driver = passwd-file
  args = scheme=PLAIN username_format=%u )" + here + R"(/users
}
userdb {
  driver = static
  args = uid=nobody gid=nogroup home=)" + here + R"(/mail
}
namespace inbox {
  inbox = yes
  mailbox Erledigt {
    auto = create
  }
  mailbox "Gäste & Co" {
    auto = create
  }
}
service imap-login {
  inet_listener imap {
    port = )" + std::to_string(port_) + R"(
  }
  inet_listener imaps {
    port = )" + std::to_string(tls_port_) + R"(
  }
}
service anvil {
  chroot =
}
)");
    server_ =
        std::make_unique<Server>(folder_, std::vector<std::string>{program("dovecot"), "-F", "-c", configuration});
    ASSERT_TRUE(server_->wait_for(port_)) << server_->log();
    imap_ = connector::make_imap({store_.store(), *client_, {}});
  }
  /// Dovecot hands no mail to root.
  static void give_to_mail_user(const char* option, const std::string& path) {
    if (::geteuid() != 0) return;
    ASSERT_EQ(native_tests::run({program("chown"), option, "nobody:nogroup", path}), 0);
  }
  Session session(const std::string& password = "spring", bool tls_first = true) {
    return Session(*imap_, std::string(R"({"serverAddress": ")") + (tls_first ? "imaps" : "imap") +
                               R"(://127.0.0.1", "port": ")" + std::to_string(tls_first ? tls_port_ : port_) +
                               R"(", "userName": "ann", "password": ")" + password + "\"}");
  }
  void deliver(const std::string& subject, const std::string& more = "") {
    const std::string name = std::to_string(1700000000 + ++mails_) + ".M1P1.test";
    folder_.write("mail/tmp/" + name, "From: Shop <shop@example.org>\r\nTo: ann@example.org\r\nSubject: " + subject +
                                          "\r\nMessage-ID: <" + std::to_string(mails_) +
                                          "@example.org>\r\nDate: Mon, 23 Nov 2026 10:00:00 +0100\r\n" +
                                          (more.empty() ? "\r\nHello " + subject + "\r\n" : more));
    give_to_mail_user("-c", folder_.path() + "/mail/tmp/" + name);
    std::filesystem::rename(folder_.path() + "/mail/tmp/" + name, folder_.path() + "/mail/new/" + name);
  }
  static constexpr const char* with_attachment =
      "MIME-Version: 1.0\r\nContent-Type: multipart/mixed; boundary=b1\r\n\r\n--b1\r\nContent-Type: text/html; "
      "charset=iso-8859-1\r\n"
      "Content-Transfer-Encoding: quoted-printable\r\n\r\n<p>Gr=FC=DFe</p>\r\n--b1\r\nContent-Type: text/csv; "
      "name=a.csv\r\n"
      "Content-Disposition: attachment; filename=a.csv\r\nContent-Transfer-Encoding: "
      "base64\r\n\r\nYTtiCg==\r\n--b1--\r\n";

  TemporaryFolder folder_;
  const int port_ = free_port();
  const int tls_port_ = free_port();
  TestStore store_;
  std::unique_ptr<http::Client> client_;
  std::unique_ptr<Server> server_;
  std::unique_ptr<connector::NativeConnector> imap_;
  int mails_ = 0;
};

TEST_F(MailInTest, TellsOfEachNewMailOnce) {
  deliver("old");
  Session session = this->session();
  const auto first = session.check("OnNewEmail");
  EXPECT_EQ(first.status_code, 202) << message_of(first);
  EXPECT_EQ(session.check("OnNewEmail").status_code, 202);
  deliver("one");
  deliver("=?utf-8?q?zw=C3=B6lf?=", with_attachment);
  const auto second = session.check("OnNewEmail", R"({"includeAttachments": true})");
  ASSERT_EQ(second.status_code, 200) << message_of(second);
  const auto mails = second.body.find("value")->as_array();
  ASSERT_EQ(mails.size(), 2u) << json::write(second.body);
  EXPECT_EQ(mails[0].text_of("subject"), "one");
  EXPECT_EQ(mails[0].text_of("body"), "Hello one\r\n");
  EXPECT_EQ(mails[0].text_of("from"), "Shop <shop@example.org>");
  EXPECT_EQ(mails[0].text_of("internetMessageId"), "<2@example.org>");
  EXPECT_FALSE(mails[0].find("isRead")->as_boolean());
  EXPECT_EQ(mails[1].text_of("subject"), "zwölf");
  EXPECT_EQ(mails[1].text_of("body"), "<p>Grüße</p>");
  EXPECT_TRUE(mails[1].find("isHtml")->as_boolean());
  EXPECT_EQ(mails[1].find("attachments")->as_array()[0].text_of("contentBytes"), "YTtiCg==");
  EXPECT_EQ(session.check("OnNewEmail").status_code, 202);

  deliver("other");
  EXPECT_EQ(session.check("OnNewEmail", R"({"subjectFilter": "invoice"})").status_code, 202);
  EXPECT_EQ(session.check("OnNewEmail").status_code, 202) << "what a filter left out is over";
}

TEST_F(MailInTest, FindsMarksMovesAndDeletes) {
  deliver("alpha");
  deliver("beta ä", with_attachment);
  deliver("gamma");
  Session session = this->session("spring", false);
  const auto all = session.run("GetEmails");
  ASSERT_EQ(all.status_code, 200) << message_of(all);
  ASSERT_EQ(all.body.find("value")->size(), 3u);
  const auto some = session.run("GetEmails", R"({"subjectFilter": "beta ä", "from": "shop@"})");
  ASSERT_EQ(some.status_code, 200) << message_of(some);
  ASSERT_EQ(some.body.find("value")->size(), 1u);
  const std::string id(some.body.find("value")->as_array()[0].text_of("id"));
  const std::string which = R"({"messageId": ")" + id + "\"";

  const auto attachment = session.run("GetAttachment", which + R"(, "attachmentId": "1"})");
  EXPECT_EQ(attachment.body.text_of("name"), "a.csv");
  EXPECT_EQ(session.run("GetAttachment", which + R"(, "attachmentId": "9"})").status_code, 404);
  EXPECT_FALSE(session.run("GetEmail", which + "}").body.find("isRead")->as_boolean()) << "looking does not mark";
  EXPECT_EQ(session.run("MarkAsRead", which + R"(, "isRead": true})").status_code, 200);
  EXPECT_EQ(session.run("Flag", which + R"(, "isFlagged": true})").status_code, 200);
  const auto marked = session.run("GetEmail", which + "}");
  EXPECT_TRUE(marked.body.find("isRead")->as_boolean());
  EXPECT_TRUE(marked.body.find("isFlagged")->as_boolean());
  EXPECT_EQ(session.run("GetEmails", R"({"fetchOnlyUnread": true})").body.find("value")->size(), 2u);

  EXPECT_EQ(session.run("MoveEmail", which + R"(, "destination": "Gäste & Co"})").status_code, 200);
  EXPECT_EQ(session.run("GetEmails", R"({"folderPath": "Gäste & Co"})").body.find("value")->size(), 1u);
  EXPECT_EQ(session.run("MoveEmail", which + R"(, "destination": "Erledigt"})").status_code, 404);
  const auto gamma = session.run("GetEmails", R"({"subjectFilter": "gamma"})");
  EXPECT_EQ(session
                .run("DeleteEmail",
                     R"({"messageId": ")" + std::string(gamma.body.find("value")->as_array()[0].text_of("id")) + "\"}")
                .status_code,
            200);
  EXPECT_EQ(session.run("GetEmails").body.find("value")->size(), 1u);
  const std::string folders = json::write(session.run("ListFolders").body);
  EXPECT_NE(folders.find("Gäste & Co"), std::string::npos) << folders;
}

TEST_F(MailInTest, OutlookReadsOverImap) {
  const auto outlook = connector::make_outlook_standin({store_.store(), *client_, {}});
  Session session(*outlook, R"({"serverAddress": "127.0.0.1", "inboxServer": "imaps://127.0.0.1", "inboxPort": ")" +
                                std::to_string(tls_port_) + R"(", "userName": "ann", "password": "spring"})");
  EXPECT_EQ(session.check("OnNewEmailV3", R"({"folderPath": "Inbox"})").status_code, 202);
  deliver("alpha", "Importance: high\r\n\r\nurgent\r\n");
  deliver("beta", with_attachment);
  const auto news = session.check(
      "OnNewEmailV3",
      R"({"folderPath": "Inbox", "to": "ann@", "importance": "Any", "fetchOnlyWithAttachment": true, "includeAttachments": true})");
  ASSERT_EQ(news.status_code, 200) << message_of(news);
  ASSERT_EQ(news.body.find("value")->size(), 1u);
  EXPECT_EQ(news.body.find("value")->as_array()[0].text_of("subject"), "beta");
  const auto subjects = [&](const std::string& parameters) {
    const auto got = session.run("GetEmailsV3", parameters);
    std::string out = got.status_code == 200 ? "" : code_of(got);
    if (const auto* value = got.body.find("value"))
      for (const auto& mail : value->as_array()) out += std::string(mail.text_of("subject")) + " ";
    return out;
  };
  EXPECT_EQ(subjects(R"({"folderPath": "Inbox"})"), "beta alpha ");
  EXPECT_EQ(subjects(R"({"importance": "High", "top": 1})"), "alpha ") << "what is left out takes no place";
  EXPECT_EQ(subjects(R"({"fetchOnlyWithAttachment": true})"), "beta ");
  EXPECT_EQ(subjects(R"({"to": "bob@example.org"})"), "");
  EXPECT_EQ(subjects(R"({"searchQuery": "received: today"})"), "StandInNotSupported");
  const std::string id(news.body.find("value")->as_array()[0].text_of("id"));
  const std::string which = R"({"messageId": ")" + id + "\"";
  EXPECT_EQ(session.run("GetAttachment_V2", which + R"(, "attachmentId": "1"})").body.text_of("name"), "a.csv");
  EXPECT_EQ(session.run("Flag_V2", which + R"(, "body/flag/flagStatus": "flagged"})").status_code, 200);
  const auto exported = session.run("ExportEmail_V2", which + "}");
  EXPECT_EQ(exported.status_code, 200) << message_of(exported);
  EXPECT_EQ(session.run("MoveV2", which + R"(, "folderPath": "Id::Erledigt"})").status_code, 200);
  EXPECT_EQ(subjects(R"({"folderPath": "Inbox"})"), "alpha ");
  const auto moved = session.run("GetEmailsV3", R"({"folderPath": "Erledigt"})");
  ASSERT_EQ(moved.body.find("value")->size(), 1u) << message_of(moved);
  EXPECT_TRUE(moved.body.find("value")->as_array()[0].find("isFlagged")->as_boolean());
  EXPECT_EQ(code_of(session.run("MoveV2", which + R"(, "folderPath": "Inbox"})")), "MessageNotFound");
  EXPECT_EQ(code_of(session.run("MoveV2", R"({"messageId": "AAMkAD", "folderPath": "Inbox"})")), "InvalidMessageId");
  Session sends(*outlook, R"({"serverAddress": "127.0.0.1", "userName": "ann", "password": "spring"})");
  EXPECT_EQ(code_of(sends.run("GetEmailsV3", "{}")), "InvalidConnectionParameters");
}

TEST_F(MailInTest, SaysWhatIsWrong) {
  EXPECT_EQ(session().verify().status, 200);
  const http::Reply refused = session("autumn-2026").verify();
  EXPECT_EQ(refused.status, 401);
  EXPECT_NE(refused.body.find("AUTHENTICATIONFAILED"), std::string::npos) << refused.body;
  EXPECT_EQ(refused.body.find("autumn"), std::string::npos);
  Session session = this->session();
  EXPECT_EQ(code_of(session.run("GetEmails", R"({"folderPath": "Nowhere"})")), "FolderNotFound");
  EXPECT_EQ(code_of(session.run("GetEmails", R"({"folderPath": "a\r\nb"})")), "FolderNotFound");
  EXPECT_EQ(code_of(session.run("GetEmail", R"({"messageId": "1 OR 1"})")), "InvalidMessageId");
  EXPECT_EQ(code_of(session.run("GetEmail", R"({"messageId": "1.1"})")), "MessageNotFound");
  EXPECT_EQ(code_of(session.run("GetEmails", R"({"top": 100000})")), "InvalidTop");
  EXPECT_EQ(session.run("GetEmails", R"({"subjectFilter": "x\" DELETED \""})").body.find("value")->size(), 0u);
}

}  // namespace
}  // namespace flowmend::native_tests
