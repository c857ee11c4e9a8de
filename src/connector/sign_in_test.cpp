// Signing in and renewing against an authorization server on loopback that rotates refresh tokens and refuses used ones
// (the real one is tests/browser/oauth.test.mjs), and many runs on one connection that keeps expiring or breaks.

#include "connector/sign_in.h"

#include <atomic>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <future>
#include <set>

#include <gtest/gtest.h>

#include "connector/effects.h"
#include "connector/master_key.h"
#include "connector/text.h"
#include "http/listener.h"
#include "json/parse.h"
#include "store/sqlite/open.h"

namespace flowmend::connector {
namespace {

Value json_of(std::string_view text) {
  auto value = json::parse(text);
  EXPECT_TRUE(value) << text;
  return value ? *value : Value();
}

std::map<std::string, std::string> form_of(std::string_view body) {
  std::map<std::string, std::string> out;
  while (!body.empty()) {
    const auto pair = body.substr(0, body.find('&'));
    const auto equals = pair.find('=');
    out[http::percent_decode(pair.substr(0, equals), true)] = http::percent_decode(pair.substr(equals + 1), true);
    body.remove_prefix(std::min(body.size(), pair.size() + 1));
  }
  return out;
}

class SignInTest : public testing::Test {
 protected:
  void SetUp() override {
    std::string pattern = (std::filesystem::temp_directory_path() / "flowmend-signin-XXXXXX").string();
    ASSERT_NE(::mkdtemp(pattern.data()), nullptr);
    folder_ = pattern;
    sealer_ = open_master_key(folder_ + "/master.key").value();
    http::ListenerOptions options;
    options.port = 0;
    listener_ = std::make_unique<http::Listener>(
        options, [this](const http::IncomingRequest& request, const http::Responder& responder) {
          if (hold_calls_ && request.path == "/me") return held_call_.set_value(responder);
          responder.send(serve(request));
        });
    ASSERT_TRUE(listener_->start());
    open();
    const std::string host = "127.0.0.1:" + std::to_string(listener_->port());
    ASSERT_TRUE(registry_->install(
        json_of(R"({"swagger": "2.0", "info": {"title": "Mail"}, "host": ")" + host +
                R"(", "schemes": ["http"], "paths": {
          "/me": {"get": {"operationId": "WhoAmI"}}, "/send": {"post": {"operationId": "Send"}}}})"),
        json_of(R"({"properties": {"connectionParameters": {"region": {"type": "string",
          "uiDefinition": {"constraints": {"required": "false"}}}, "token": {"type": "oauthSetting", "oAuthSettings": {
          "identityProvider": "oauth2", "clientId": "{{ client id }}", "scopes": ["mail", "offline_access"],
          "customParameters": {"authorizationUrl": {"value": "http://)" +
                host + R"(/authorize?tenant=1"}, "tokenUrl": {"value": "http://)" + host + R"(/token"}}}}}}})")));
    ASSERT_TRUE(connections_->sign_ins().enter(
        "shared_mail",
        json_of(R"({"clientId": "flowmend", "clientSecret": "planted-client-secret", "deviceUrl": "http://)" + host +
                R"(/device"})")));
    ASSERT_TRUE(connections_->put_unverified(key_, "Mail", Value::empty_object(), "ada"));
  }
  void TearDown() override {
    close();
    listener_.reset();
    std::filesystem::remove_all(folder_);
  }

  void open() {
    store_ = store::sqlite::open({.folder = folder_}).value();
    client_ = std::make_unique<http::Client>();
    registry_ = std::make_unique<Registry>(*store_);
    connections_ = std::make_unique<Connections>(*store_, *sealer_, *registry_, *client_);
    ASSERT_TRUE(connections_->load());
    effects_ = std::make_unique<ConnectorEffects>(*client_, *connections_);
  }
  void close() {
    effects_.reset();
    client_.reset();
    connections_.reset();
    registry_.reset();
    store_.reset();
  }

  http::Response serve(const http::IncomingRequest& request) {
    const std::lock_guard lock(mutex_);
    const http::Headers json{{"Content-Type", "application/json"}};
    const auto answer = [&](int status, const std::string& body) { return http::Response{status, json, body}; };
    if (request.path == "/token") {
      auto form = form_of(request.body);
      ++token_requests_;
      if (down_) return answer(503, R"({"error": "temporarily_unavailable"})");
      if (basic_only_ && request.header("authorization").empty()) return answer(401, R"({"error": "invalid_client"})");
      if (form["grant_type"] == "authorization_code") {
        if (form["code"] != "good-code" || proof_key_challenge(form["code_verifier"]) != challenge_)
          return answer(400, R"({"error": "invalid_grant", "error_description": "The code is not good."})");
      } else if (form["grant_type"] == "refresh_token") {
        if (form["refresh_token"] != refresh_)
          return answer(400,
                        R"({"error": "invalid_grant", "error_description": "The refresh token was used or revoked."})");
        ++refreshes_;
        if (on_refresh_) on_refresh_();
      } else if (form["grant_type"].ends_with("device_code")) {
        if (!device_allowed_) return answer(400, R"({"error": "authorization_pending"})");
      }
      access_ = "access-" + std::to_string(++number_);
      refresh_ = "refresh-" + std::to_string(number_);
      return answer(200, R"({"access_token": ")" + access_ + R"(", "token_type": "Bearer", "expires_in": )" +
                             std::to_string(lifetime_) + R"(, "refresh_token": ")" + refresh_ + "\"}");
    }
    if (request.path == "/device")
      return answer(
          200,
          R"({"device_code": "planted-device-code", "user_code": "AB-CD", "verification_uri": "http://x.test/d", "interval": 1, "expires_in": 60})");
    ++calls_;
    last_authorization_ = request.header("authorization");
    if (last_authorization_ != "Bearer " + access_)
      return answer(401, R"({"error": {"code": "InvalidToken", "message": "The token is over."}})");
    return answer(200, R"({"ok": true})");
  }

  BegunSignIn begin(std::string_view grant) {
    std::promise<Result<BegunSignIn>> promise;
    connections_->sign_ins().begin(key_, grant, "http://here.test/oauth/callback",
                                   [&](Result<BegunSignIn> begun) { promise.set_value(std::move(begun)); });
    auto begun = promise.get_future().get();
    EXPECT_TRUE(begun) << begun.error().message;
    return begun ? *begun : BegunSignIn();
  }

  Result<ConnectionKey> end(const BegunSignIn& begun, const std::string& browser,
                            const std::map<std::string, std::string>& query) {
    std::promise<Result<ConnectionKey>> promise;
    connections_->sign_ins().end(begun.state, browser, query,
                                 [&](Result<ConnectionKey> ended) { promise.set_value(std::move(ended)); });
    return promise.get_future().get();
  }

  /// A whole sign-in by code.
  void sign_in() {
    const BegunSignIn begun = begin(grant_code);
    remember_challenge(begun.address);
    const auto ended = end(begun, begun.browser, {{"code", "good-code"}});
    ASSERT_TRUE(ended) << ended.error().message;
  }

  void remember_challenge(const std::string& address) {
    const std::lock_guard lock(mutex_);
    challenge_ = form_of(address.substr(address.find('?') + 1))["code_challenge"];
  }

  engine::Call call() {
    engine::Call call;
    call.kind = engine::Call::Kind::connector;
    call.inputs = json_of(
        R"({"host": {"connectionName": "mail-1", "operationId": "WhoAmI", "apiId": "/providers/Microsoft.PowerApps/apis/shared_mail"}})");
    call.timeout = Duration::seconds(60);
    return call;
  }

  /// Sends `count` calls at once and gives what came of each.
  std::vector<engine::AttemptFinished> send(int count, int at_once) {
    std::vector<engine::AttemptFinished> outcomes(static_cast<std::size_t>(count));
    std::atomic<int> next{0};
    std::atomic<int> ended{0};
    std::promise<void> all;
    std::function<void()> one = [&] {
      const int i = next++;
      if (i >= count) return;
      runtime::CallContext context;
      context.run = "run" + std::to_string(i);
      context.action = "Who";
      runtime::CallId id;
      id.run = i + 1;
      effects_->send(id, call(), context, [&, i](engine::AttemptFinished outcome) {
        outcomes[static_cast<std::size_t>(i)] = std::move(outcome);
        one();
        if (++ended == count) all.set_value();
      });
    };
    for (int i = 0; i < at_once; ++i) one();
    all.get_future().wait();
    return outcomes;
  }

  /// A renewal that is not begun by a call.
  Result<void> renew() {
    std::promise<Result<void>> promise;
    connections_->sign_ins().renew(key_, connections_->token_state(key_)->generation, true,
                                   [&](Result<void> result) { promise.set_value(std::move(result)); });
    return promise.get_future().get();
  }

  /// Makes the stored token one of an hour's life that ends in `left`.
  void let_expire_in(Duration left) {
    close();
    {
      const auto store = store::sqlite::open({.folder = folder_}).value();
      const auto document = store->document("connection", "shared_mail/mail-1");
      ASSERT_TRUE(document && *document);
      json::ObjectBuilder signed_in(*(*document)->value.find("signIn"));
      signed_in.set("expiresTime", Value(to_string(now_from_system_clock() + left)));
      json::ObjectBuilder changed((*document)->value);
      changed.set("signIn", signed_in.finish());
      ASSERT_TRUE(store->put_document("connection", "shared_mail/mail-1", changed.finish()));
    }
    open();
  }

  Value described() { return *connections_->describe(*connections_->find(key_)).find("properties")->find("flowmend"); }

  static int count_status(const std::vector<engine::AttemptFinished>& outcomes, int status) {
    return static_cast<int>(
        std::count_if(outcomes.begin(), outcomes.end(), [&](const auto& one) { return one.status_code == status; }));
  }

  const ConnectionKey key_{"shared_mail", "mail-1"};
  std::string folder_;
  std::unique_ptr<store::Store> store_;
  std::unique_ptr<MasterKeySealer> sealer_;
  std::unique_ptr<http::Client> client_;
  std::unique_ptr<Registry> registry_;
  std::unique_ptr<Connections> connections_;
  std::unique_ptr<ConnectorEffects> effects_;
  std::unique_ptr<http::Listener> listener_;
  std::mutex mutex_;
  std::string access_ = "none", refresh_ = "none", challenge_, last_authorization_;
  std::atomic<int> refreshes_{0};
  int lifetime_ = 3600, number_ = 0, token_requests_ = 0, calls_ = 0;
  std::function<void()> on_refresh_;  ///< while the authorization server makes up its mind
  std::atomic<bool> hold_calls_{false};
  std::promise<http::Responder> held_call_;
  bool down_ = false, basic_only_ = false, device_allowed_ = false;
};

TEST_F(SignInTest, SignsInByCodeWithProofKey) {
  EXPECT_EQ(connections_->find(key_)->error_code, "SignInNeeded");
  const BegunSignIn begun = begin(grant_code);
  auto query = form_of(begun.address.substr(begun.address.find('?') + 1));
  EXPECT_EQ(query["tenant"], "1");
  EXPECT_EQ(query["response_type"], "code");
  EXPECT_EQ(query["client_id"], "flowmend");
  EXPECT_EQ(query["scope"], "mail offline_access");
  EXPECT_EQ(query["state"], begun.state);
  EXPECT_EQ(query["code_challenge_method"], "S256");
  EXPECT_EQ(begun.address.find("planted"), std::string::npos);
  remember_challenge(begun.address);
  // Another browser can't end it, and doesn't use it up.
  EXPECT_EQ(end(begun, "other", {{"code", "good-code"}}).error().code, "SignInUnknown");
  const auto ended = end(begun, begun.browser, {{"code", "good-code"}});
  ASSERT_TRUE(ended) << ended.error().message;
  EXPECT_EQ(end(begun, begun.browser, {{"code", "good-code"}}).error().code, "SignInUnknown");
  const auto view = connections_->find(key_);
  EXPECT_EQ(view->status, ConnectionStatus::connected);
  ASSERT_TRUE(view->signed_in);
  EXPECT_TRUE(view->signed_in->renewable);
  EXPECT_EQ(count_status(send(1, 1), 200), 1);
}

TEST_F(SignInTest, ARefusedSignInSaysWhyAndLeavesAGoodOne) {
  sign_in();
  BegunSignIn begun = begin(grant_code);
  auto ended = end(begun, begun.browser, {{"error", "access_denied"}, {"error_description", "Ada said no."}});
  EXPECT_EQ(ended.error().code, "SignInRefused");
  EXPECT_NE(ended.error().message.find("Ada said no."), std::string::npos);
  begun = begin(grant_code);
  remember_challenge(begun.address);
  ended = end(begun, begun.browser, {{"code", "planted-bad-code"}});
  EXPECT_EQ(ended.error().code, "SignInRefused");
  EXPECT_NE(ended.error().message.find("The code is not good."), std::string::npos);
  EXPECT_EQ(ended.error().message.find("planted"), std::string::npos);
  EXPECT_EQ(count_status(send(1, 1), 200), 1);
}

TEST_F(SignInTest, ClientCredentialsAndASecretInAHeader) {
  basic_only_ = true;
  EXPECT_TRUE(begin(grant_client).connected);
  EXPECT_EQ(token_requests_, 2);  // first in the body, then as the server wants it
  EXPECT_EQ(count_status(send(1, 1), 200), 1);
  access_ = "revoked";
  EXPECT_EQ(count_status(send(1, 1), 200), 1);  // asked for again, though there is no refresh token in use
}

TEST_F(SignInTest, SignsInByDevice) {
  const BegunSignIn begun = begin(grant_device);
  EXPECT_EQ(begun.user_code, "AB-CD");
  const auto poll = [&] {
    std::promise<Result<SignInProgress>> promise;
    connections_->sign_ins().poll_device(begun.state,
                                         [&](Result<SignInProgress> got) { promise.set_value(std::move(got)); });
    return promise.get_future().get();
  };
  auto progress = poll();
  ASSERT_TRUE(progress);
  EXPECT_TRUE(progress->pending);
  const int asked = token_requests_;
  ASSERT_TRUE(poll());  // sooner than the server allows: it is not asked
  EXPECT_EQ(token_requests_, asked);
  device_allowed_ = true;
  do {
    progress = poll();
    ASSERT_TRUE(progress) << progress.error().message;
  } while (progress->pending);
  EXPECT_TRUE(progress->connected);
  EXPECT_EQ(count_status(send(1, 1), 200), 1);
}

TEST_F(SignInTest, RenewsAfterARestartAndWhenRefusedBeforeItsTime) {
  sign_in();
  close();
  open();
  ASSERT_TRUE(connections_->find(key_)->signed_in);
  access_ = "revoked";
  EXPECT_EQ(count_status(send(1, 1), 200), 1);
  EXPECT_EQ(refreshes_, 1);
  std::promise<Result<Verification>> promise;
  access_ = "revoked";
  connections_->verify(key_, Value(), [&](Result<Verification> got) { promise.set_value(std::move(got)); });
  const auto verified = promise.get_future().get();
  ASSERT_TRUE(verified);
  EXPECT_EQ(verified->status, ConnectionStatus::connected) << verified->error_message;
  EXPECT_EQ(refreshes_, 2);
}

TEST_F(SignInTest, AnAuthorizationServerThatIsDownBreaksNothing) {
  lifetime_ = 1;
  sign_in();
  down_ = true;
  while (connections_->token_still_holds(key_)) std::this_thread::sleep_for(std::chrono::milliseconds(20));
  const auto outcome = send(1, 1).front();
  EXPECT_EQ(outcome.fault.code, "TokenRenewalFailed");
  EXPECT_NE(connections_->find(key_)->error_code, "SignInExpired");
  down_ = false;
  EXPECT_EQ(count_status(send(1, 1), 200), 1);
}

TEST_F(SignInTest, AFailureInPassingLeavesNoMarkOfARenewal) {
  sign_in();
  down_ = true;
  EXPECT_EQ(renew().error().code, "TokenRenewalFailed");
  EXPECT_FALSE(connections_->find(key_)->signed_in->renewing);
  EXPECT_EQ(described().find("signIn")->find("renewing"), nullptr);
  // Nor after a restart; and a later refusal is not told as the end of an interrupted renewal.
  close();
  open();
  EXPECT_FALSE(connections_->find(key_)->signed_in->renewing);
  down_ = false;
  EXPECT_TRUE(renew());
  refresh_ = "revoked";
  const auto refused = renew();
  EXPECT_EQ(refused.error().code, "SignInExpired");
  EXPECT_EQ(refused.error().message.find("was lost"), std::string::npos) << refused.error().message;
}

TEST_F(SignInTest, AnInterruptedRenewalIsNamedWhenTheNextIsRefused) {
  sign_in();
  std::promise<void> marked;
  connections_->mark_renewing(key_, [&] { marked.set_value(); });
  marked.get_future().wait();
  close();
  open();
  refresh_ = "revoked";  // what the lost answer did
  const auto refused = renew();
  EXPECT_EQ(refused.error().code, "SignInExpired");
  EXPECT_NE(refused.error().message.find("was lost"), std::string::npos) << refused.error().message;
}

TEST_F(SignInTest, ACheckThatFindsTheSignInRevokedBreaksTheConnection) {
  sign_in();
  access_ = "revoked";
  refresh_ = "revoked";
  std::promise<Result<Verification>> promise;
  connections_->verify(key_, Value(), [&](Result<Verification> got) { promise.set_value(std::move(got)); });
  const auto verified = promise.get_future().get();
  ASSERT_TRUE(verified);
  EXPECT_EQ(verified->status, ConnectionStatus::error);
  EXPECT_EQ(verified->error_code, "SignInExpired");
  // The token's time is not over, but the service takes it no more.
  const auto view = connections_->find(key_);
  EXPECT_EQ(view->status, ConnectionStatus::error);
  EXPECT_EQ(view->error_code, "SignInExpired");
  EXPECT_EQ(described().find("signIn")->text_of("state"), "Expired");
}

TEST_F(SignInTest, TheMarkOfARenewalStaysWhileItsAnswerIsLost) {
  sign_in();
  const std::uint64_t sign_in_number = connections_->token_state(key_)->sign_in;
  std::promise<void> marked;
  connections_->mark_renewing(key_, [&] { marked.set_value(); });
  marked.get_future().wait();
  connections_->renewal_failed(key_, sign_in_number + 1, false);  // of another sign-in
  EXPECT_TRUE(connections_->find(key_)->signed_in->renewing);
  connections_->renewal_failed(key_, sign_in_number, true);
  EXPECT_TRUE(connections_->find(key_)->signed_in->renewing);
  // It does not keep anybody from renewing, and a good answer takes it away.
  EXPECT_TRUE(renew());
  EXPECT_FALSE(connections_->find(key_)->signed_in->renewing);
}

TEST_F(SignInTest, ATokenThatStillHoldsIsUsedWhenTheServerIsDown) {
  sign_in();
  let_expire_in(Duration::seconds(120));
  ASSERT_TRUE(connections_->token_is_due(key_));
  down_ = true;
  EXPECT_EQ(count_status(send(20, 1), 200), 20);
  // Whoever is down is not asked again for each call.
  EXPECT_LE(token_requests_, 3);
  EXPECT_EQ(connections_->find(key_)->status, ConnectionStatus::connected);
  std::promise<Result<Verification>> promise;
  connections_->verify(key_, Value(), [&](Result<Verification> got) { promise.set_value(std::move(got)); });
  EXPECT_EQ(promise.get_future().get()->status, ConnectionStatus::connected);
  // Once it is over there is nothing to go on with.
  let_expire_in(Duration::seconds(-1));
  EXPECT_EQ(send(1, 1).front().fault.code, "TokenRenewalFailed");
  down_ = false;
  EXPECT_EQ(count_status(send(1, 1), 200), 1);
}

TEST_F(SignInTest, ATokenThatStillHoldsIsUsedWhenTheRenewalIsRefused) {
  sign_in();
  let_expire_in(Duration::seconds(120));
  refresh_ = "revoked";
  std::vector<bool> told;  // running out?
  std::mutex telling;
  connections_->on_status_change([&](const ConnectionView& view) {
    const std::lock_guard lock(telling);
    told.push_back(is_running_out(view));
  });
  EXPECT_EQ(count_status(send(20, 4), 200), 20);
  EXPECT_EQ(told, std::vector<bool>{true}) << "told once, while there is time";
  EXPECT_EQ(token_requests_, 2);  // the sign-in and one renewal
  // The connection works, and says until when.
  EXPECT_EQ(connections_->find(key_)->status, ConnectionStatus::connected);
  EXPECT_EQ(described().find("signIn")->text_of("state"), "Expiring");
  let_expire_in(Duration::seconds(-1));
  EXPECT_EQ(count_status(send(3, 1), 401), 3);
  const auto view = connections_->find(key_);
  EXPECT_EQ(view->status, ConnectionStatus::error);
  EXPECT_EQ(view->error_code, "SignInExpired");
  EXPECT_NE(view->error_message.find("used or revoked"), std::string::npos) << view->error_message;
  EXPECT_EQ(described().find("signIn")->text_of("state"), "Expired");
  connections_->on_status_change({});
}

TEST_F(SignInTest, ARenewalDoesNotUndoCredentialsThatWereStoredMeanwhile) {
  sign_in();
  on_refresh_ = [&] {
    ASSERT_TRUE(connections_->put_unverified(key_, "Mail", json_of(R"({"token": "by-hand"})"), "ada"));
  };
  ASSERT_TRUE(renew());
  EXPECT_EQ(connections_->material(key_)->fields.text_of("token"), "by-hand");
  EXPECT_FALSE(connections_->find(key_)->signed_in);
  close();
  open();
  EXPECT_EQ(connections_->material(key_)->fields.text_of("token"), "by-hand");
}

TEST_F(SignInTest, ARenewalKeepsOtherFieldsThatWereAcceptedMeanwhileAndTheyKeepIt) {
  sign_in();
  hold_calls_ = true;
  std::promise<Result<Verification>> promise;
  connections_->verify(key_, json_of(R"({"region": "north"})"),
                       [&](Result<Verification> got) { promise.set_value(std::move(got)); });
  const http::Responder held = held_call_.get_future().get();
  hold_calls_ = false;
  ASSERT_TRUE(renew());  // the token that the test was begun with is over now
  held.send({200, {{"Content-Type", "application/json"}}, "{}"});
  EXPECT_TRUE(promise.get_future().get()->stored);
  for (const bool restarted : {false, true}) {
    if (restarted) {
      close();
      open();
    }
    const auto state = connections_->token_state(key_);
    ASSERT_TRUE(state);
    EXPECT_EQ(state->fields.text_of("region"), "north");
    EXPECT_EQ(state->fields.text_of("token"), access_);
    EXPECT_EQ(state->refresh_token, refresh_);
  }
}

TEST_F(SignInTest, WhatIsStoredWhileTokensBecomeDurableDoesNotLoseThem) {
  sign_in();
  std::promise<void> begun;
  std::promise<void> release;
  std::thread disk;  // busy with something else
  on_refresh_ = [&] {
    disk = std::thread([&] {
      EXPECT_TRUE(store_->write([&](store::Transaction&) -> Result<void> {
        begun.set_value();
        release.get_future().wait();
        return {};
      }));
    });
    begun.get_future().wait();
  };
  std::promise<Result<void>> renewed;
  connections_->sign_ins().renew(key_, connections_->token_state(key_)->generation, true,
                                 [&](Result<void> result) { renewed.set_value(std::move(result)); });
  // By the time this is answered on the client's thread, the tokens were handed to the store.
  while (refreshes_ == 0) std::this_thread::sleep_for(std::chrono::milliseconds(5));
  http::Request request;
  request.url = "http://127.0.0.1:" + std::to_string(listener_->port()) + "/me";
  http::send_and_wait(*client_, request);
  FailedCall failed;
  failed.time = now_from_system_clock();
  failed.status_code = 403;
  failed.message = "Not this folder.";
  connections_->report_refused(key_, connections_->material(key_)->generation, failed);
  release.set_value();
  disk.join();
  ASSERT_TRUE(renewed.get_future().get());
  close();
  open();
  const auto state = connections_->token_state(key_);
  ASSERT_TRUE(state);
  EXPECT_EQ(state->refresh_token, refresh_);
  EXPECT_EQ(state->fields.text_of("token"), access_);
  EXPECT_EQ(connections_->find(key_)->last_failure->message, "Not this folder.");
}

TEST_F(SignInTest, ManyRunsOnOneExpiringConnection) {
  lifetime_ = 2;
  sign_in();
  const auto outcomes = send(10'000, 64);
  EXPECT_EQ(count_status(outcomes, 200), 10'000);
  // Each renewal brought one token, and none was asked for twice: a used refresh token would have been refused.
  EXPECT_EQ(token_requests_, refreshes_ + 1);
  EXPECT_EQ(number_, refreshes_ + 1);
  EXPECT_EQ(calls_, 10'000);  // no call was sent with a token that was over
  RecordProperty("renewals", refreshes_.load());
}

TEST_F(SignInTest, OneRenewalWhenATokenIsRevokedUnderLoad) {
  sign_in();
  {
    const std::lock_guard lock(mutex_);
    access_ = "revoked";
  }
  EXPECT_EQ(count_status(send(1000, 64), 200), 1000);
  EXPECT_EQ(refreshes_, 1);
}

TEST_F(SignInTest, BrokenUnderLoadEveryRunNamesItAndNothingIsLost) {
  sign_in();
  {
    const std::lock_guard lock(mutex_);
    access_ = "revoked";
    refresh_ = "revoked";
  }
  const auto outcomes = send(1000, 64);
  EXPECT_EQ(count_status(outcomes, 401), 1000);
  const int asked = token_requests_;
  EXPECT_EQ(asked, 2);  // the sign-in, and one renewal: who is refused does not ask again
  const auto view = connections_->find(key_);
  EXPECT_EQ(view->error_code, "SignInExpired");
  EXPECT_EQ(view->affected_runs, 1000u);
  EXPECT_NE(view->error_message.find("used or revoked"), std::string::npos);
  // The credentials are still there: a service that forgives finds them.
  const auto state = connections_->token_state(key_);
  ASSERT_TRUE(state);
  EXPECT_EQ(state->refresh_token, "refresh-1");
  sign_in();
  EXPECT_EQ(connections_->find(key_)->status, ConnectionStatus::connected);
  EXPECT_EQ(count_status(send(10, 4), 200), 10);
}

TEST_F(SignInTest, NoSecretStandsInTheStore) {
  sign_in();
  close();
  for (const auto& file : std::filesystem::recursive_directory_iterator(folder_)) {
    if (!file.is_regular_file()) continue;
    std::ifstream in(file.path(), std::ios::binary);
    const std::string bytes((std::istreambuf_iterator<char>(in)), std::istreambuf_iterator<char>());
    for (const char* secret : {"planted-client-secret", "access-1", "refresh-1"})
      EXPECT_EQ(bytes.find(secret), std::string::npos) << file.path() << " holds " << secret;
  }
  open();
}

TEST_F(SignInTest, HostileAnswersAreErrors) {
  http::Reply reply;
  for (const char* body : {"", "<html>", "[1,2]", R"({"access_token": 5})", R"({"access_token": ""})", "access_token",
                           R"({"error": [1]})", "\xff\xfe"}) {
    reply.status = 200;
    reply.body = body;
    EXPECT_FALSE(read_token_answer(reply, {}).tokens) << body;
    EXPECT_FALSE(read_token_answer(reply, {}).refusal.message.empty());
  }
  reply.body = "access_token=abc&expires_in=99999999999999999999&refresh_token=x%2By";
  const auto form = read_token_answer(reply, {});
  ASSERT_TRUE(form.tokens);
  EXPECT_EQ(form.tokens->refresh_token, "x+y");
  EXPECT_EQ(form.tokens->lifetime, Duration::seconds(3600));
  reply.status = 400;
  reply.body = R"({"error": "invalid_grant", "error_description": "planted-secret is not known"})";
  EXPECT_EQ(read_token_answer(reply, {"planted-secret"}).refusal.message.find("planted-secret"), std::string::npos);
}

}  // namespace
}  // namespace flowmend::connector
