#include "connector/chunks.h"

#include <algorithm>
#include <charconv>
#include <memory>
#include <optional>
#include <string>

#include "connector/http_call.h"
#include "connector/text.h"

namespace flowmend::connector {
namespace {

constexpr std::size_t chunks_max = 100'000;
constexpr int stalls_max = 3;

std::optional<std::uint64_t> number_of(std::string_view text) {
  std::uint64_t number = 0;
  const auto [end, problem] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (problem != std::errc() || end != text.data() + text.size() || text.empty()) return std::nullopt;
  return number;
}

/// `bytes 0-1023/10100`, also as chunk services write it: `bytes=0-1023/10100`, `bytes=0-1023`. A total of `*` is not
/// known.
struct ByteRange {
  std::uint64_t first = 0;
  std::uint64_t last = 0;
  std::optional<std::uint64_t> total;
};

std::optional<ByteRange> read_range(std::string_view field) {
  field = trim(field);
  if (!equals_ignoring_case(field.substr(0, 5), "bytes") || field.size() < 7) return std::nullopt;
  field.remove_prefix(6);
  const auto slash = field.find('/');
  const auto span = trim(field.substr(0, slash));
  const auto dash = span.find('-');
  if (dash == std::string_view::npos) return std::nullopt;
  const auto first = number_of(span.substr(0, dash));
  const auto last = number_of(span.substr(dash + 1));
  if (!first || !last || *last < *first) return std::nullopt;
  ByteRange range{*first, *last, std::nullopt};
  if (slash == std::string_view::npos) return range;
  const auto total = trim(field.substr(slash + 1));
  if (total == "*") return range;
  range.total = number_of(total);
  if (!range.total || *range.total <= *last) return std::nullopt;
  return range;
}

http::Reply failure(const http::Reply& last, std::string code, std::string message) {
  http::Reply reply;
  reply.started = last.started;
  reply.ended = last.ended;
  reply.error_code = std::move(code);
  reply.error_message = std::move(message);
  return reply;
}

void remove_header(http::Headers& headers, std::string_view name) {
  std::erase_if(headers, [&](const http::Header& header) { return http::same_name(header.name, name); });
}

/// What the transfers have in common: who is asked, who is told, since when.
class Transfer : public std::enable_shared_from_this<Transfer> {
 public:
  Transfer(const OutgoingRequest& request, const engine::Call& call, const MessageLimits& limits, SendOne send,
           std::function<void(http::Reply)> done)
      : request_(request), call_(call), limits_(limits), send_(std::move(send)), done_(std::move(done)) {}

  void begin() {
    if (uploads_in_chunks(call_, request_)) return begin_upload();
    http::Request first = to_http(request_, call_);
    first.reply_bytes_max = limits_.message_bytes_max;
    const bool may_read_on = first.method == "GET" && request_.header("Range") == nullptr;
    if (may_read_on && call_.chunked && call_.download_chunk_bytes > 0) {
      first.headers.push_back({"Range", "bytes=0-" + std::to_string(call_.download_chunk_bytes - 1)});
      first.decompress = false;  // a range counts bytes as they are sent
    }
    ask(std::move(first), [self = shared_from_this(), may_read_on](http::Reply reply) {
      if (!may_read_on || reply.status != 206) return self->end(std::move(reply));
      const auto range = read_range(http::find_header(reply.headers, "Content-Range"));
      const bool packed = http::has_header(reply.headers, "Content-Encoding");
      if (!range || range->first != 0 || packed || range->last + 1 != reply.body.size())
        return self->end(std::move(reply));
      self->whole_ = std::move(reply);
      self->length_known_ = range->total.has_value();
      self->read_on(*range);
    });
  }

 private:
  void ask(http::Request request, std::function<void(http::Reply)> then) {
    const bool sent = send_(std::move(request), [self = shared_from_this(), then](http::Reply reply) {
      if (!self->started_.is_set()) self->started_ = reply.started;
      then(std::move(reply));
    });
    if (!sent) {
      http::Reply reply;
      reply.started = reply.ended = now_from_system_clock();
      end(failure(reply, "Cancelled", "The request was given up."));
    }
  }

  void end(http::Reply reply) {
    if (started_.is_set()) reply.started = started_;
    done_(std::move(reply));
  }

  // --- down ---

  void read_on(const ByteRange& range) {
    const std::string place = "'" + host_of(request_.url) + "'";
    if (range.total && *range.total > limits_.chunked_bytes_max) {
      return end(failure(whole_, "ResponseTooLarge",
                         "The content of " + place + " is larger than the limit of " +
                             std::to_string(limits_.chunked_bytes_max) + " bytes."));
    }
    if (range.total && whole_.body.size() >= *range.total) {
      whole_.status = 200;
      remove_header(whole_.headers, "Content-Range");
      remove_header(whole_.headers, "Content-Length");
      whole_.headers.push_back({"Content-Length", std::to_string(whole_.body.size())});
      return end(std::move(whole_));
    }
    if (++requests_ > chunks_max || whole_.body.size() > limits_.chunked_bytes_max)
      return end(failure(whole_, "ResponseTooLarge", "The content of " + place + " comes in too many parts."));
    const std::uint64_t from = whole_.body.size();
    const std::uint64_t size =
        call_.download_chunk_bytes > 0 ? call_.download_chunk_bytes : range.last - range.first + 1;
    std::uint64_t to = from + size - 1;
    if (range.total) to = std::min(to, *range.total - 1);
    http::Request next = to_http(request_, call_);
    next.reply_bytes_max = limits_.message_bytes_max;
    next.decompress = false;
    next.headers.push_back({"Range", "bytes=" + std::to_string(from) + "-" + std::to_string(to)});
    ask(std::move(next), [self = shared_from_this(), from, place](http::Reply reply) {
      if (!reply.error_code.empty() || reply.status >= 400) {
        // The end of what has no known length is where nothing more can be had.
        if (reply.status == 416 && !self->length_known_) return self->read_on({0, 0, self->whole_.body.size()});
        return self->end(std::move(reply));
      }
      const auto part = read_range(http::find_header(reply.headers, "Content-Range"));
      const bool fits = reply.status == 206 && part && part->first == from && !reply.body.empty() &&
                        part->last - part->first + 1 == reply.body.size();
      const bool same = http::find_header(reply.headers, "ETag") == http::find_header(self->whole_.headers, "ETag");
      if (!fits || !same) {
        return self->end(failure(reply, "InvalidChunk",
                                 same ? "The service at " + place + " answered with another part than it was asked for."
                                      : "The content of " + place + " changed while it was read."));
      }
      self->whole_.body += reply.body;
      self->whole_.ended = reply.ended;
      self->length_known_ = part->total.has_value();
      self->read_on(*part);
    });
  }

  // --- up ---

  void begin_upload() {
    http::Request first = to_http(request_, call_);
    body_ = std::move(first.body);
    first.body.clear();
    remove_header(first.headers, "Content-Type");
    first.headers.push_back({"x-ms-transfer-mode", "chunked"});
    first.headers.push_back({"x-ms-content-length", std::to_string(body_.size())});
    ask(std::move(first), [self = shared_from_this()](http::Reply reply) {
      if (!reply.error_code.empty() || reply.status >= 300) return self->end(std::move(reply));
      const auto location = http::find_header(reply.headers, "Location");
      if (location.empty()) {
        return self->end(failure(reply, "ChunkedTransferNotSupported",
                                 "The service at '" + host_of(self->request_.url) +
                                     "' takes no content in chunks: its reply names no place for them. Switch the "
                                     "action's chunking off."));
      }
      self->place_ = location;
      self->take_chunk_size(reply);
      self->write_on(std::move(reply));
    });
  }

  void take_chunk_size(const http::Reply& reply) {
    const auto asked = number_of(trim(http::find_header(reply.headers, "x-ms-chunk-size")));
    const std::uint64_t own = call_.upload_chunk_bytes > 0 ? call_.upload_chunk_bytes : limits_.chunk_bytes_default;
    if (asked && *asked > 0) {
      chunk_bytes_ = call_.upload_chunk_bytes > 0 ? std::min(*asked, own) : *asked;
    } else if (chunk_bytes_ == 0) {
      chunk_bytes_ = own;
    }
  }

  void write_on(http::Reply last) {
    if (sent_ >= body_.size()) return end(std::move(last));
    if (++requests_ > chunks_max) {
      return end(failure(last, "ChunkedTransferNotSupported",
                         "The service at '" + host_of(request_.url) + "' wants the content in too many chunks."));
    }
    const std::uint64_t size = std::min<std::uint64_t>(chunk_bytes_, body_.size() - sent_);
    engine::Call place = call_;
    place.poll_uri = place_;
    place.poll_method = "PATCH";
    http::Request next = to_http(build_poll(place, request_), call_);
    next.body = body_.substr(sent_, size);
    next.headers.push_back({"Content-Range", "bytes=" + std::to_string(sent_) + "-" + std::to_string(sent_ + size - 1) +
                                                 "/" + std::to_string(body_.size())});
    const std::string* type = request_.header("Content-Type");
    next.headers.push_back({"Content-Type", type == nullptr ? "application/octet-stream" : *type});
    if (const std::string* key = request_.header("Idempotency-Key")) next.headers.push_back({"Idempotency-Key", *key});
    ask(std::move(next), [self = shared_from_this(), size](http::Reply reply) {
      if (!reply.error_code.empty() || reply.status >= 300) return self->end(std::move(reply));
      const auto range = read_range(http::find_header(reply.headers, "Range"));
      const std::uint64_t before = self->sent_;
      self->sent_ += size;
      // The service may have kept less than it was given; what it lacks is sent again.
      if (range && range->last + 1 < self->sent_) self->sent_ = range->last + 1;
      self->stalls_ = self->sent_ > before ? 0 : self->stalls_ + 1;
      if (self->stalls_ > stalls_max) {
        return self->end(failure(
            reply, "ChunkedTransferStalled",
            "The service at '" + host_of(self->request_.url) + "' keeps asking for the same part of the content."));
      }
      self->take_chunk_size(reply);
      self->write_on(std::move(reply));
    });
  }

  const OutgoingRequest request_;
  const engine::Call call_;
  const MessageLimits limits_;
  SendOne send_;
  std::function<void(http::Reply)> done_;
  Timestamp started_;
  std::size_t requests_ = 0;
  http::Reply whole_;
  bool length_known_ = true;
  std::string body_;
  std::string place_;
  std::uint64_t sent_ = 0;
  std::uint64_t chunk_bytes_ = 0;
  int stalls_ = 0;
};

}  // namespace

bool uploads_in_chunks(const engine::Call& call, const OutgoingRequest& request) {
  const bool writes = request.method == "POST" || request.method == "PUT" || request.method == "PATCH";
  return call.chunked && !call.get_poll && writes && !request.body.empty();
}

void transfer(const OutgoingRequest& request, const engine::Call& call, const MessageLimits& limits, SendOne send,
              std::function<void(http::Reply)> done) {
  std::make_shared<Transfer>(request, call, limits, std::move(send), std::move(done))->begin();
}

}  // namespace flowmend::connector
