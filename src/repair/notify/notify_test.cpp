#include <gtest/gtest.h>

#include "connector/text.h"
#include "repair/notify/message.h"
#include "repair/notify/outbox.h"
#include "repair/notify/settings.h"
#include "repair/notify/signature.h"
#include "repair/notify/web_push.h"
#include "repair/silence/finding.h"

namespace flowmend::repair::notify {
namespace {

std::string bytes(const char* base64) { return connector::base64_decode(base64).value_or("?"); }
Timestamp at(const char* text) { return *parse_timestamp(text); }

// RFC 8291, section 5 and appendix A.
TEST(WebPush, EncryptsAsTheExampleOfItsRfc) {
  const auto sender = KeyPair::from_raw(
      bytes("yfWPiYE-n46HLnH0KqZOF1fJJU3MYrct3AELtAQ-oRw"),
      bytes("BP4z9KsN6nGRTbVYI_c7VJSPQTBtkgcy27mlmlMoZIIgDll6e3vCYLocInmYWAmS6TlzAC8wEqKK6PBru3jl7A8"));
  ASSERT_TRUE(sender);
  const PushSubscription receiver{
      "https://push.example.net/push/JzLQ3raZJfFBR0aqvOMsLrt54w4rJUsV",
      bytes("BCVxsr7N_eNgVRqvHtD0zTZsEc6-VV-JvLexhqUzORcxaOzi6-AYWXvTBHm4bjyPjs7Vd8pZGH6SRpkNtoIAiw4"),
      bytes("BTBZMqHH6r4Tts7J_aSIgg")};
  const auto body =
      encrypt("When I grow up, I want to be a watermelon", receiver, *sender, bytes("DGv6ra1nlYgDCS1FRnbzlw"));
  ASSERT_TRUE(body);
  EXPECT_EQ(*body,
            bytes("DGv6ra1nlYgDCS1FRnbzlwAAEABBBP4z9KsN6nGRTbVYI_c7VJSPQTBtkgcy27mlmlMoZIIgDll6e3vCYLocInmYWAmS6Tlz"
                  "AC8wEqKK6PBru3jl7A_yl95bQpu6cVPTpK4Mqgkf1CXztLVBSt2Ks3oZwbuwXPXLWyouBWLVWGNWQexSgSxsj_Qulcy4a-fN"));
}

TEST(WebPush, AKeyThatIsNoPointIsRefused) {
  PushSubscription receiver{"https://push.example.net/x", "\x04" + std::string(64, 'x'), std::string(16, 'a')};
  EXPECT_EQ(encrypt("x", receiver).error().code, "PushKeyInvalid");
  const auto made = KeyPair::make();
  receiver.public_key = made->public_point();
  const Value good = to_value(receiver);
  EXPECT_TRUE(read_subscription(good));
  for (const char* endpoint : {"", "ftp://x/y", "http://example.com/x", "https://", "javascript:1"}) {
    json::ObjectBuilder bad(good);
    bad.set("endpoint", Value(endpoint));
    EXPECT_EQ(read_subscription(bad.finish()).error().code, "InvalidPushSubscription") << endpoint;
  }
  EXPECT_FALSE(read_subscription(Value()));
}

TEST(WebPush, AKeyPairSurvivesStorage) {
  const auto made = KeyPair::make();
  const auto read = KeyPair::from_secret(made->secret());
  ASSERT_TRUE(read);
  EXPECT_EQ(read->public_point(), made->public_point());
  EXPECT_FALSE(KeyPair::from_secret("rubbish"));
}

TEST(Signature, IsThatOfStandardWebhooks) {
  const auto key = signing_key("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw");
  ASSERT_TRUE(key);
  EXPECT_EQ(sign(*key, "msg_p5jXN8AQM9LWM0D4loKWxJek", 1614265330, R"({"test": 2432232314})"),
            "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=");
  EXPECT_FALSE(signing_key("whsec_c2hvcnQ="));
  EXPECT_FALSE(signing_key("MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"));
  EXPECT_TRUE(signing_key(make_signing_secret()));
}

TEST(Mail, AnAddressCanEndNoHeaderAndNoCommand) {
  for (const char* good : {"a@b", "ada.lovelace+x@mail.example.com"}) EXPECT_TRUE(is_mail_address(good)) << good;
  for (const char* bad : {"", "a", "@b", "a@", "a@b\r\nRCPT TO:<x@y>", "a b@c", "a@b>", "a@b,c@d", "a@b@c", "a@-b"})
    EXPECT_FALSE(is_mail_address(bad)) << bad;
}

TEST(Mail, ASubjectOfAnyTextStaysOneHeader) {
  EXPECT_EQ(encode_subject("Get order failed"), "Get order failed");
  EXPECT_EQ(encode_subject("a\r\nBcc: x@y"), "a  Bcc: x@y");
  const std::string long_one = encode_subject(std::string(100, 'a') + "\xc3\xa4\xc3\xa4\xc3\xa4");
  for (std::size_t at = long_one.find('\n'); at != std::string::npos; at = long_one.find('\n', at + 1))
    EXPECT_EQ(long_one[at + 1], ' ');
  EXPECT_TRUE(encode_subject("Gr\xc3\xbc\xc3\x9f").starts_with("=?utf-8?B?"));
}

TEST(Settings, QuietHoursReachOverMidnightInTheUsersZone) {
  const auto read = read_user_preferences(
      Value::object({{"email", Value("ada@example.com")},
                     {"timeZone", Value("Europe/Berlin")},
                     {"quietHours", Value::object({{"from", Value("22:00")}, {"until", Value("07:00")}})}}));
  ASSERT_TRUE(read);
  EXPECT_EQ(after_quiet_hours(*read, at("2026-11-25T20:59:00Z")), at("2026-11-25T20:59:00Z"));
  EXPECT_EQ(after_quiet_hours(*read, at("2026-11-25T21:00:00Z")), at("2026-11-26T06:00:00Z"));
  EXPECT_EQ(after_quiet_hours(*read, at("2026-11-26T05:59:59Z")), at("2026-11-26T06:00:00Z"));
  EXPECT_EQ(after_quiet_hours(*read, at("2026-11-26T06:00:00Z")), at("2026-11-26T06:00:00Z"));
  EXPECT_EQ(to_value(*read), to_value(*read_user_preferences(to_value(*read))));
}

TEST(Settings, ADigestIsDueAtItsTime) {
  UserPreferences preferences;
  preferences.email_pace = Pace::hourly;
  EXPECT_EQ(email_due(preferences, at("2026-11-25T10:15:00Z")), at("2026-11-25T11:00:00Z"));
  preferences.email_pace = Pace::daily;
  preferences.time_zone = "Asia/Tokyo";
  EXPECT_EQ(email_due(preferences, at("2026-11-25T10:15:00Z")), at("2026-11-25T23:00:00Z"));
  preferences.email_pace = Pace::off;
  EXPECT_FALSE(email_due(preferences, at("2026-11-25T10:15:00Z")).is_set());
}

TEST(Settings, WhatIsWrongIsSaid) {
  const auto message = [](const char* name, Value value) {
    const auto read = read_user_preferences(Value::object({{name, std::move(value)}}));
    return read ? std::string("accepted") : read.error().message;
  };
  EXPECT_NE(message("email", "a\r\nb").find("'email'"), std::string::npos);
  EXPECT_NE(message("emailPace", "now").find("'emailPace'"), std::string::npos);
  EXPECT_NE(message("digestTime", "24:00").find("'digestTime'"), std::string::npos);
  EXPECT_NE(message("timeZone", "Mars/Base").find("Mars/Base"), std::string::npos);
  EXPECT_NE(message("push", 1).find("'push'"), std::string::npos);
  EXPECT_NE(message("quietHours", Value::empty_object()).find("quietHours.from"), std::string::npos);
}

TEST(Settings, AFlowIsWatchedUnlessItsOwnerSaysSo) {
  EXPECT_TRUE(read_flow_preferences(Value::empty_object())->watch_silence);
  const auto quiet = read_flow_preferences(Value::object({{"watchSilence", Value(false)}}));
  ASSERT_TRUE(quiet);
  EXPECT_FALSE(quiet->watch_silence);
  EXPECT_TRUE(quiet->tell) << "its failures are another matter";
  EXPECT_FALSE(read_flow_preferences(to_value(*quiet))->watch_silence);
  const auto wrong = read_flow_preferences(Value::object({{"watchSilence", Value("no")}}));
  ASSERT_FALSE(wrong);
  EXPECT_NE(wrong.error().message.find("'watchSilence'"), std::string::npos);
}

TEST(Settings, AStoredPasswordGoesToNoOtherServer) {
  SmtpSettings before{"mail.example.com", 587, SmtpSecurity::starttls, "ada", "secret", "f@example.com"};
  const auto body = [](const char* host) {
    return Value::object({{"host", Value(host)}, {"userName", Value("ada")}, {"from", Value("f@example.com")}});
  };
  EXPECT_EQ(read_smtp(body("mail.example.com"), before)->password, "secret");
  EXPECT_EQ(read_smtp(body("evil.example.net"), before).error().code, "InvalidNotificationSettings");
  EXPECT_FALSE(read_smtp(body("mail.example.com/x"), before));
  WebhookSettings hook{"https://a.example/x", make_signing_secret()};
  EXPECT_EQ(read_webhook(Value::object({{"url", Value("https://a.example/y")}}), hook)->secret, hook.secret);
  EXPECT_NE(read_webhook(Value::object({{"url", Value("https://b.example/y")}}), hook)->secret, hook.secret);
}

TEST(Outbox, WaitsGrowToAnHour) {
  EXPECT_EQ(wait_after(1), Duration::seconds(15));
  EXPECT_EQ(wait_after(2), Duration::seconds(30));
  EXPECT_EQ(wait_after(9), Duration::hours(1));
  EXPECT_EQ(wait_after(1'000'000), Duration::hours(1));
}

Incident incident() {
  Finding finding;
  finding.run = "R1";
  finding.flow = "f1";
  finding.flow_display_name = "Orders <b>";
  finding.ended = at("2026-11-25T10:15:00Z");
  finding.title = "Get order was refused (401)";
  finding.message = "The service said <script>.";
  finding.how_to_fix = "Verify the password.\nThen resubmit.";
  finding.fingerprint = {"k", "rule"};
  Incident made;
  made.id = "00000000000000aa";
  fold(made, finding, finding.ended);
  fold(made, finding, finding.ended);
  return made;
}

TEST(Message, SaysWhatHowManyHowToFixAndWhere) {
  const Message message = message_for({incident()}, "https://flow.example");
  EXPECT_EQ(message.subject, "Orders <b>: Get order was refused (401) (2 runs)");
  for (const char* part : {"2 failed runs of Orders", "- Verify the password.", "- Then resubmit.",
                           "https://flow.example/incidents/00000000000000aa", "https://flow.example/flows/f1/runs/R1"})
    EXPECT_NE(message.text.find(part), std::string::npos) << part;
  EXPECT_EQ(message.html.find("<script>"), std::string::npos);
  EXPECT_EQ(message.html.find("<b>"), std::string::npos);
  EXPECT_EQ(message_for({incident(), incident()}, "x").subject, "Flowmend: 2 causes, 4 failed runs");
}

TEST(Message, OfASilenceSaysThatNoRunFailedAndLeadsToTheFlow) {
  Incident made;
  made.id = "00000000000000bb";
  const Timestamp now = at("2026-11-25T10:15:00Z");
  silence::fold(made, silence::Kind::schedule, "f1", "Orders",
                {"Its schedule did not fire", "It should have.", "Choose Run.", now, now, "", ""}, now);
  const Message message = message_for({made}, "https://flow.example");
  EXPECT_EQ(message.subject, "Orders: Its schedule did not fire");
  for (const char* part : {"No run failed: what should have happened did not.", "- Choose Run.",
                           "Open the flow: https://flow.example/flows/f1\n"})
    EXPECT_NE(message.text.find(part), std::string::npos) << part << message.text;
  EXPECT_EQ(message.text.find("/runs/"), std::string::npos);
}

TEST(Message, AnEntryOfTheOutboxSurvivesStorage) {
  Entry entry{"email:u:i",
              Channel::push,
              "u",
              "a@b",
              "s",
              {{"i", at("2026-11-25T10:15:00Z")}},
              at("2026-11-25T10:15:00Z"),
              at("2026-11-25T10:16:00Z"),
              3,
              "down",
              true};
  const auto read = entry_of({"notify-outbox", entry.key, to_document(entry), 1, {}});
  ASSERT_TRUE(read);
  EXPECT_EQ(to_document(*read), to_document(entry));
  EXPECT_FALSE(entry_of({"notify-outbox", "x", Value(), 1, {}}));
}

}  // namespace
}  // namespace flowmend::repair::notify
