#include "connector/native/inbox.h"

#include <fmt/format.h>
#include <sodium.h>

#include <algorithm>
#include <charconv>

namespace flowmend::connector {
namespace {

constexpr std::string_view kind = "inbox";
constexpr std::size_t page = 1000;

std::int64_t sequence_of(std::string_view key) {
  const auto slash = key.rfind('/');
  std::int64_t sequence = 0;
  std::from_chars(key.data() + slash + 1, key.data() + key.size(), sequence);
  return sequence;
}

}  // namespace

std::string Inbox::key(std::int64_t sequence) const { return fmt::format("{}/{:016}", name_, sequence); }

Result<void> Inbox::put(const std::vector<json::Value>& messages, std::int64_t after) {
  if (messages.empty()) return {};
  std::int64_t last = 0;
  const auto put = store_.write([&](store::Transaction& transaction) -> Result<void> {
    last = std::max(after, last_.value_or(0));
    // Read once: a broker hands its messages over one by one.
    store::DocumentQuery query{std::string(kind), name_ + "/", {}, page};
    while (!last_) {
      const auto stored = transaction.documents(query);
      if (!stored.empty()) last = std::max(last, sequence_of(stored.back().key));
      if (stored.size() < page) break;
      query.after = stored.back().key;
    }
    for (const json::Value& message : messages) {
      if (auto kept = transaction.put_document(kind, key(++last), message); !kept) return kept.error();
    }
    return {};
  });
  if (put) last_ = last;
  return put;
}

Result<std::vector<Inbox::Message>> Inbox::list(std::int64_t after, std::size_t limit) const {
  const auto stored = store_.documents({std::string(kind), name_ + "/", key(after), limit});
  if (!stored) return stored.error();
  std::vector<Message> messages;
  for (const store::Document& document : *stored) messages.push_back({sequence_of(document.key), document.value});
  return messages;
}

Result<void> Inbox::forget(std::int64_t sequence) {
  if (sequence <= 0) return {};
  const auto stored = store_.documents({std::string(kind), name_ + "/", {}, page});
  if (!stored) return stored.error();
  if (stored->empty() || sequence_of(stored->front().key) > sequence) return {};
  return store_.write([&](store::Transaction& transaction) -> Result<void> {
    for (const store::Document& document : *stored) {
      if (sequence_of(document.key) > sequence) break;
      if (auto erased = transaction.erase_document(kind, document.key); !erased) return erased.error();
    }
    return {};
  });
}

std::string inbox_name(std::string_view flow, std::string_view source) {
  unsigned char digest[8];
  crypto_generichash(digest, sizeof digest, reinterpret_cast<const unsigned char*>(source.data()), source.size(),
                     nullptr, 0);
  std::string name(flow);
  name += '-';
  for (const unsigned char byte : digest) name += fmt::format("{:02x}", byte);
  return name;
}

}  // namespace flowmend::connector
