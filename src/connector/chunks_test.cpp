// Large messages in parts, against a service that is a function: what is asked, what becomes of the answers.

#include "connector/chunks.h"

#include <gtest/gtest.h>

namespace flowmend::connector {
namespace {

struct Conversation {
  std::vector<http::Request> asked;
  std::optional<http::Reply> outcome;
};

using Service = std::function<http::Reply(const http::Request&)>;

std::string header_of(const http::Request& request, std::string_view name) {
  return std::string(http::find_header(request.headers, name));
}

http::Reply reply(int status, http::Headers headers = {}, std::string body = {}) {
  http::Reply out;
  out.status = status;
  out.headers = std::move(headers);
  out.body = std::move(body);
  return out;
}

Conversation talk(const OutgoingRequest& request, const engine::Call& call, const Service& service,
                  const MessageLimits& limits = {}) {
  Conversation conversation;
  transfer(
      request, call, limits,
      [&](http::Request one, const std::function<void(http::Reply)>& then) {
        conversation.asked.push_back(one);
        EXPECT_LT(conversation.asked.size(), 1000U);
        then(conversation.asked.size() < 1000 ? service(one) : reply(500));
        return true;
      },
      [&](http::Reply outcome) {
        EXPECT_FALSE(conversation.outcome);
        conversation.outcome = std::move(outcome);
      });
  EXPECT_TRUE(conversation.outcome);
  return conversation;
}

OutgoingRequest request_of(std::string method, std::string body = {}) {
  OutgoingRequest request;
  request.method = std::move(method);
  request.url = "https://t.test/files/1";
  request.headers = {{"Content-Type", "text/plain"}, {"Authorization", "Basic abc"}};
  request.has_body = !body.empty();
  request.body = std::move(body);
  return request;
}

/// Keeps `content` and hands it out by ranges of at most `most` bytes.
Service file(std::string content, std::size_t most) {
  return [content = std::move(content), most](const http::Request& request) {
    std::size_t from = 0;
    std::size_t to = content.size() - 1;
    if (const auto range = header_of(request, "Range"); !range.empty()) {
      EXPECT_EQ(std::sscanf(range.c_str(), "bytes=%zu-%zu", &from, &to), 2);
    }
    to = std::min({to, content.size() - 1, from + most - 1});
    return reply(206,
                 {{"Content-Range",
                   "bytes " + std::to_string(from) + "-" + std::to_string(to) + "/" + std::to_string(content.size())},
                  {"ETag", "1"}},
                 content.substr(from, to - from + 1));
  };
}

TEST(Chunks, AReplyInPartsIsReadToItsEnd) {
  const auto told = talk(request_of("GET"), {}, file("abcdefghij", 4));
  EXPECT_EQ(told.outcome->status, 200);
  EXPECT_EQ(told.outcome->body, "abcdefghij");
  EXPECT_EQ(http::find_header(told.outcome->headers, "Content-Range"), "");
  ASSERT_EQ(told.asked.size(), 3U);
  EXPECT_EQ(header_of(told.asked[0], "Range"), "");
  EXPECT_EQ(header_of(told.asked[1], "Range"), "bytes=4-7");
  EXPECT_EQ(header_of(told.asked[2], "Range"), "bytes=8-9");
  EXPECT_EQ(header_of(told.asked[2], "Authorization"), "Basic abc");
}

TEST(Chunks, ADownloadSizeAsksForRangesFromTheStart) {
  engine::Call call;
  call.chunked = true;
  call.download_chunk_bytes = 3;
  const auto told = talk(request_of("GET"), call, file("abcdefg", 100));
  EXPECT_EQ(told.outcome->body, "abcdefg");
  EXPECT_EQ(header_of(told.asked[0], "Range"), "bytes=0-2");
  EXPECT_EQ(header_of(told.asked.back(), "Range"), "bytes=6-6");
}

TEST(Chunks, WhatTheFlowAsksForItselfIsAnsweredAsItIs) {
  auto request = request_of("GET");
  request.headers.emplace_back("Range", "bytes=0-3");
  const auto told = talk(request, {}, file("abcdefghij", 4));
  EXPECT_EQ(told.outcome->status, 206);
  EXPECT_EQ(told.outcome->body, "abcd");
}

TEST(Chunks, AContentThatChangesMeanwhileIsNoContent) {
  int turn = 0;
  const auto told = talk(request_of("GET"), {}, [&](const http::Request& request) {
    auto part = file("abcdefghij", 4)(request);
    part.headers.back().value = std::to_string(turn++);
    return part;
  });
  EXPECT_EQ(told.outcome->error_code, "InvalidChunk");
}

TEST(Chunks, ALengthThatNobodyKnowsEndsWhereNothingIsLeft) {
  const std::string content = "abcdef";
  const auto told = talk(request_of("GET"), {}, [&](const http::Request& request) {
    std::size_t from = 0;
    if (const auto range = header_of(request, "Range"); !range.empty()) {
      EXPECT_EQ(std::sscanf(range.c_str(), "bytes=%zu-", &from), 1);
    }
    if (from >= content.size()) return reply(416);
    const auto part = content.substr(from, 4);
    return reply(
        206, {{"Content-Range", "bytes " + std::to_string(from) + "-" + std::to_string(from + part.size() - 1) + "/*"}},
        part);
  });
  EXPECT_EQ(told.outcome->status, 200);
  EXPECT_EQ(told.outcome->body, content);
}

TEST(Chunks, TooLargeAContentIsRefusedBeforeItIsRead) {
  MessageLimits limits;
  limits.chunked_bytes_max = 9;
  EXPECT_EQ(talk(request_of("GET"), {}, file("abcdefghij", 4), limits).outcome->error_code, "ResponseTooLarge");
}

/// Takes chunks at /place; `keep` says how much of each one it keeps.
struct Upload {
  std::string received;
  std::size_t keep = 1000;
  http::Headers first = {{"Location", "/place"}};
  http::Reply operator()(const http::Request& request) {
    if (request.method != "PATCH") {
      EXPECT_EQ(request.body, "");
      EXPECT_EQ(header_of(request, "x-ms-transfer-mode"), "chunked");
      EXPECT_EQ(header_of(request, "x-ms-content-length"), "10");
      return reply(200, first);
    }
    EXPECT_EQ(request.url, "https://t.test/place");
    EXPECT_EQ(header_of(request, "Content-Type"), "text/plain");
    std::size_t from = 0, to = 0, total = 0;
    EXPECT_EQ(std::sscanf(header_of(request, "Content-Range").c_str(), "bytes=%zu-%zu/%zu", &from, &to, &total), 3);
    EXPECT_EQ(total, 10U);
    EXPECT_EQ(to - from + 1, request.body.size());
    received.resize(from);
    received += request.body.substr(0, keep);
    return reply(200, {{"Range", "bytes=0-" + std::to_string(received.empty() ? 0 : received.size() - 1)}}, "kept");
  }
};

engine::Call chunked(std::uint32_t size = 0) {
  engine::Call call;
  call.chunked = true;
  call.upload_chunk_bytes = size;
  return call;
}

TEST(Chunks, ABodyGoesUpInThePartsThatTheServiceWants) {
  Upload service;
  service.first.push_back({"x-ms-chunk-size", "4"});
  const auto told = talk(request_of("POST", "abcdefghij"), chunked(), std::ref(service));
  EXPECT_EQ(service.received, "abcdefghij");
  EXPECT_EQ(told.outcome->status, 200);
  EXPECT_EQ(told.outcome->body, "kept");
  ASSERT_EQ(told.asked.size(), 4U);
  EXPECT_EQ(header_of(told.asked[2], "Content-Range"), "bytes=4-7/10");
}

TEST(Chunks, WhatTheServiceDidNotKeepIsSentAgain) {
  Upload service;
  service.keep = 3;
  talk(request_of("PUT", "abcdefghij"), chunked(5), std::ref(service));
  EXPECT_EQ(service.received, "abcdefghij");
}

TEST(Chunks, AServiceThatKeepsNothingIsGivenUp) {
  Upload service;
  const auto told = talk(request_of("PUT", "abcdefghij"), chunked(5), [&](const http::Request& request) {
    if (request.method != "PATCH") return service(request);
    return reply(200, {{"Range", "bytes=0-0"}});
  });
  EXPECT_EQ(told.outcome->error_code, "ChunkedTransferStalled");
}

TEST(Chunks, WithoutAPlaceOrWithARefusalThereIsNoUpload) {
  EXPECT_EQ(talk(request_of("POST", "abc"), chunked(), [](const auto&) { return reply(200); }).outcome->error_code,
            "ChunkedTransferNotSupported");
  const auto refused = talk(request_of("POST", "abc"), chunked(), [](const auto&) { return reply(403, {}, "no"); });
  EXPECT_EQ(refused.outcome->status, 403);
  EXPECT_EQ(refused.asked.size(), 1U);
}

TEST(Chunks, WithoutTheSettingOneRequestTakesIt) {
  const auto told =
      talk(request_of("POST", "abc"), {}, [](const auto& request) { return reply(201, {}, request.body); });
  EXPECT_EQ(told.outcome->body, "abc");
  EXPECT_EQ(told.asked.size(), 1U);
}

}  // namespace
}  // namespace flowmend::connector
