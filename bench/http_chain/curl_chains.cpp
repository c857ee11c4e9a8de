#include "http_chain/curl_chains.h"

#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <memory>
#include <vector>

#include <curl/curl.h>

namespace flowmend::bench {
namespace {

struct Chain {
  CURL* easy = nullptr;
  std::size_t sent = 0;
  std::string received;
};

std::size_t keep(char* data, std::size_t, std::size_t size, void* chain) {
  static_cast<Chain*>(chain)->received.append(data, size);
  return size;
}

[[noreturn]] void fail(const char* what) {
  std::fprintf(stderr, "curl: %s\n", what);
  std::exit(1);
}

}  // namespace

double run_curl_chains(const std::string& address, std::size_t chains, std::size_t steps, std::size_t under_way) {
  curl_global_init(CURL_GLOBAL_DEFAULT);
  CURLM* multi = curl_multi_init();
  if (multi == nullptr) fail("no handle");
  std::vector<std::unique_ptr<Chain>> all;
  const auto begin = std::chrono::steady_clock::now();
  std::size_t started = 0;
  std::size_t ended = 0;
  const auto send = [&](Chain& chain) {
    ++chain.sent;
    if (curl_multi_add_handle(multi, chain.easy) != CURLM_OK) fail("can't add");
  };
  for (; started < chains && started < under_way; ++started) {
    auto& chain = *all.emplace_back(std::make_unique<Chain>());
    chain.easy = curl_easy_init();
    curl_easy_setopt(chain.easy, CURLOPT_URL, address.c_str());
    curl_easy_setopt(chain.easy, CURLOPT_PRIVATE, &chain);
    curl_easy_setopt(chain.easy, CURLOPT_WRITEFUNCTION, keep);
    curl_easy_setopt(chain.easy, CURLOPT_WRITEDATA, &chain);
    send(chain);
  }
  while (ended < chains) {
    int running = 0;
    if (curl_multi_perform(multi, &running) != CURLM_OK) fail("perform");
    int left = 0;
    while (CURLMsg* message = curl_multi_info_read(multi, &left)) {
      if (message->msg != CURLMSG_DONE) continue;
      if (message->data.result != CURLE_OK) fail(curl_easy_strerror(message->data.result));
      CURL* easy = message->easy_handle;
      Chain* chain = nullptr;
      curl_easy_getinfo(easy, CURLINFO_PRIVATE, &chain);
      curl_multi_remove_handle(multi, easy);
      if (chain->sent == steps) {
        ++ended;
        chain->sent = 0;
        chain->received.clear();
        if (started == chains) continue;
        ++started;
      }
      send(*chain);
    }
    if (ended < chains) curl_multi_poll(multi, nullptr, 0, 1'000, nullptr);
  }
  const std::chrono::duration<double> took = std::chrono::steady_clock::now() - begin;
  for (const auto& chain : all) curl_easy_cleanup(chain->easy);
  curl_multi_cleanup(multi);
  return took.count();
}

}  // namespace flowmend::bench
