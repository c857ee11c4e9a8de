#include "trigger/request.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "json/parse.h"
#include "json/write.h"
#include "trigger/base64.h"

namespace flowmend::trigger {
namespace {

const Timestamp now = Timestamp::from_unix_milliseconds(1'700'000'000'000);
const std::string key_1(32, '\x01');
const std::string key_2(32, '\x02');

definition::Flow flow_of(const char* inputs) {
  definition::Flow flow;
  flow.workflow_id = "0123456789abcdef0123456789abcdef";
  flow.trigger.name = "When a call comes";
  flow.trigger.type_name = "Request";
  Diagnostics findings;
  class NoNames final : public expression::Names {
    std::int32_t action(std::string_view) const override { return -1; }
    std::int32_t variable(std::string_view) const override { return -1; }
    std::int32_t parameter(std::string_view) const override { return -1; }
  } names;
  flow.trigger.inputs = definition::Template::compile(*json::parse(inputs), names, "", findings);
  return flow;
}

CallbackTarget target_of(const std::string& url) {
  const auto path = url.find('/', 8);
  const auto query = url.find('?');
  return read_target(url.substr(path, query - path), url.substr(query + 1)).value();
}

TEST(CallbackAddress, IsAcceptedAsMade) {
  const auto flow = flow_of("{}");
  const auto address = make_address("http://127.0.0.1:8080", flow, key_1, {});
  EXPECT_EQ(address.sig.size(), 43u);
  EXPECT_EQ(address.sp, "/triggers/When a call comes/run");
  const auto target = target_of(address.value);
  EXPECT_EQ(target.workflow_id, flow.workflow_id);
  EXPECT_EQ(target.trigger, flow.trigger.name);
  EXPECT_TRUE(verify(target, {}, key_1, key_2, now));
  EXPECT_TRUE(verify(target, {}, key_2, key_1, now)) << "the secondary key opens too";
}

TEST(CallbackAddress, AnythingElseIsRefused) {
  const auto flow = flow_of("{}");
  const auto good = target_of(make_address("http://127.0.0.1:8080", flow, key_1, {}).value);
  const auto code = [&](const CallbackTarget& target, const Headers& headers = {}) {
    const auto verified = verify(target, headers, key_1, key_2, now);
    return verified ? std::string() : verified.error().code;
  };
  ASSERT_EQ(code(good), "");
  auto wrong = good;
  wrong.sig = "";
  EXPECT_EQ(code(wrong), "DirectApiAuthorizationRequired");
  EXPECT_EQ(code(good, {{"authorization", "Bearer x"}}), "DirectApiAuthorizationRequired");
  const std::string refused = "DirectApiInvalidAuthorizationSignature";
  wrong = good;
  wrong.sig[5] = wrong.sig[5] == 'A' ? 'B' : 'A';
  EXPECT_EQ(code(wrong), refused);
  wrong = good;
  wrong.sig.pop_back();
  EXPECT_EQ(code(wrong), refused);
  wrong = good;
  wrong.trigger = "Another";
  EXPECT_EQ(code(wrong), refused) << "sp must match the path";
  wrong.sp = "/triggers/Another/run";
  EXPECT_EQ(code(wrong), refused);
  wrong = good;
  wrong.workflow_id[0] = 'f';
  EXPECT_EQ(code(wrong), refused);
  wrong = good;
  wrong.version = "1";
  EXPECT_EQ(code(wrong), refused);
  wrong = good;
  wrong.se = "2999-01-01T00:00:00Z";
  EXPECT_EQ(code(wrong), refused) << "an expiry that was not signed";
  EXPECT_FALSE(verify(good, {}, key_2, key_2, now)) << "the key was regenerated";
}

TEST(CallbackAddress, Expires) {
  const auto flow = flow_of("{}");
  const auto target = target_of(make_address("http://x.test", flow, key_1, now + Duration::hours(1)).value);
  EXPECT_TRUE(verify(target, {}, key_1, key_2, now));
  EXPECT_FALSE(verify(target, {}, key_1, key_2, now + Duration::hours(1)));
}

TEST(CallbackAddress, OtherSpellingsOfThePath) {
  const std::string id = "0123456789abcdef0123456789abcdef";
  EXPECT_EQ(read_target("/workflows/" + id + "/triggers/a%20b/invoke", "")->trigger, "a b");
  EXPECT_EQ(
      read_target("/powerautomate/automations/direct/workflows/" + id + "/triggers/t/paths/invoke", "api-version=1")
          ->trigger,
      "t");
  EXPECT_EQ(read_target("/workflows/" + id + "/versions/08/triggers/t/paths/invoke/x/y", "")->relative_path, "x/y");
  for (const char* path :
       {"", "/", "/workflows", "/workflows/../triggers/t/invoke", "/workflows/x%/triggers/t/invoke",
        "/workflows//triggers/t/invoke", "/workflows/01/triggers/%ff/invoke", "/workflows/01/triggers/t"}) {
    EXPECT_EQ(read_target(path, "").error().code, "WorkflowNotFound") << path;
  }
  EXPECT_EQ(read_target("/workflows/01/triggers/t/invoke", "a=%zz").error().code, "InvalidQuery");
}

std::string outputs_of(const definition::Flow& flow, const CallbackTarget& target, const CallbackRequest& request) {
  const auto outputs = make_outputs(flow, target, request, {});
  return outputs ? json::write(*outputs) : outputs.error().code;
}

TEST(Outputs, HoldWhatTheCallBroughtAndNothingElse) {
  const auto flow = flow_of(R"({"method":"POST","relativePath":"/orders/{id}/lines"})");
  CallbackTarget target;
  target.relative_path = "orders/a%2Fb/lines";
  target.queries = {{"q", "1"}};
  CallbackRequest request{
      "POST", "", "", {{"Content-Type", "application/json"}, {"Authorization", "secret"}}, R"({"n":1})"};
  EXPECT_EQ(
      outputs_of(flow, target, request),
      R"({"headers":{"Content-Type":"application/json"},"queries":{"q":"1"},"relativePathParameters":{"id":"a/b"},"body":{"n":1}})");
  request.method = "GET";
  EXPECT_EQ(outputs_of(flow, target, request), "TriggerRequestMethodNotValid");
  request.method = "POST";
  target.relative_path = "orders/1";
  EXPECT_EQ(outputs_of(flow, target, request), "TriggerRelativePathNotValid");
  target.relative_path = "orders/1/LINES";
  EXPECT_EQ(outputs_of(flow, target, request), "TriggerRelativePathNotValid");
  EXPECT_EQ(outputs_of(flow_of("{}"), target, request), "TriggerRelativePathNotValid");
}

TEST(Outputs, TheSchemaIsCheckedWhenAsked) {
  auto flow = flow_of(R"({"schema":{"type":"object"}})");
  const SchemaCheck check = [](const Value&, const Value&) { return std::vector<std::string>{"one", "two"}; };
  EXPECT_TRUE(make_outputs(flow, {}, {"POST", "", "", {}, "x"}, check));
  flow.trigger.schema_validation = true;
  const auto refused = make_outputs(flow, {}, {"POST", "", "", {}, "x"}, check);
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().message,
            "The input body for trigger 'When a call comes' of type 'Request' did not match its schema definition. "
            "Error details: 'one,two'.");
}

std::string decoded(const char* type, std::string_view body) {
  const auto value = decode_body(type, body);
  if (!value) return value.error().code;
  return *value ? json::write(**value) : "nothing";
}

TEST(Body, IsDecodedByItsType) {
  EXPECT_EQ(decoded("application/json", ""), "nothing");
  EXPECT_EQ(decoded("application/json; charset=utf-8", "[1]"), "[1]");
  EXPECT_EQ(decoded("application/problem+json", "[1]"), "[1]");
  EXPECT_EQ(decoded("application/json", "{"), "InvalidJSON");
  EXPECT_EQ(decoded("text/plain", "hi"), R"("hi")");
  EXPECT_EQ(decoded("image/png", "\xff"), R"({"$content-type":"image/png","$content":"/w=="})");
  EXPECT_EQ(decoded("", "a"), R"({"$content-type":"application/octet-stream","$content":"YQ=="})");
  EXPECT_EQ(decoded("text/plain", "\xff"), R"({"$content-type":"text/plain","$content":"/w=="})")
      << "not UTF-8: no text";
}

TEST(Body, AFormKeepsOrderAndEmptyPairs) {
  EXPECT_EQ(
      decoded("application/x-www-form-urlencoded", "b=1+2&&a=%C3%A9&b"),
      R"({"$content-type":"application/x-www-form-urlencoded","$content":"Yj0xKzImJmE9JUMzJUE5JmI=","$formdata":[{"key":"b","value":"1 2"},{"key":"","value":""},{"key":"a","value":"é"},{"key":"b","value":""}]})");
}

TEST(Body, PartsOfAMultipart) {
  const char* body =
      "--B\r\nContent-Disposition: form-data; name=\"t\"\r\n\r\nhello\r\n--B\r\nContent-Type: "
      "image/png\r\n\r\n\x01\x02\r\n--B--\r\n";
  const auto value = decode_body("multipart/form-data; boundary=\"B\"", body);
  ASSERT_TRUE(value && *value);
  EXPECT_EQ(
      json::write(*(*value)->find("$multipart")),
      R"([{"headers":{"Content-Disposition":"form-data; name=\"t\""},"body":"hello"},{"headers":{"Content-Type":"image/png"},"body":{"$content-type":"image/png","$content":"AQI="}}])");
  EXPECT_EQ(decoded("multipart/form-data", body), "InvalidMultipartContent");
  EXPECT_EQ(decoded("multipart/form-data; boundary=C", body), "InvalidMultipartContent");
  EXPECT_EQ(decoded("multipart/form-data; boundary=B", "--B\r\n\r\nx"), "InvalidMultipartContent");
}

TEST(Base64, RoundTripsAndRefuses) {
  for (const std::string& bytes : {std::string(), std::string("a"), std::string("ab"), std::string("\0\xff\x10", 3)}) {
    EXPECT_EQ(decode_base64(encode_base64(bytes)), bytes);
  }
  EXPECT_EQ(decode_base64("YQ"), "a");
  EXPECT_FALSE(decode_base64("Y*=="));
}

}  // namespace
}  // namespace flowmend::trigger
