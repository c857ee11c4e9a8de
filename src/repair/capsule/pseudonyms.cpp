#include "repair/capsule/pseudonyms.h"

#include <sodium.h>

#include <array>
#include <charconv>
#include <chrono>
#include <cstdio>
#include <optional>
#include <stdexcept>

#include "connector/mask.h"
#include "connector/text.h"
#include "json/parse.h"

namespace flowmend::repair::capsule {
namespace {

bool is_digit(char c) { return c >= '0' && c <= '9'; }
bool is_small(char c) { return c >= 'a' && c <= 'z'; }
bool is_big(char c) { return c >= 'A' && c <= 'Z'; }
bool is_word_byte(char c) { return is_digit(c) || is_small(c) || is_big(c) || static_cast<unsigned char>(c) >= 0x80; }

/// Calls `word` and `between` for the parts of `text`, in order.
template <class Word, class Between>
void split(std::string_view text, const Word& word, const Between& between) {
  for (std::size_t at = 0; at < text.size();) {
    std::size_t end = at;
    const bool inside = is_word_byte(text[at]);
    while (end < text.size() && is_word_byte(text[end]) == inside) ++end;
    inside ? word(text.substr(at, end - at)) : between(text.substr(at, end - at));
    at = end;
  }
}

/// Where an e-mail address around the `@` at `at` begins and ends; equal when there is none.
std::pair<std::size_t, std::size_t> address_around(std::string_view text, std::size_t at) {
  const auto belongs = [](char c) { return is_word_byte(c) || c == '.' || c == '-' || c == '_' || c == '+'; };
  std::size_t begin = at;
  std::size_t end = at + 1;
  while (begin > 0 && belongs(text[begin - 1])) --begin;
  while (end < text.size() && belongs(text[end])) ++end;
  const bool dotted = text.substr(at + 1, end - at - 1).find('.') != std::string_view::npos;
  return begin < at && end > at + 1 && dotted ? std::pair{begin, end} : std::pair{at, at};
}

/// Calls `address` and `rest` for the parts of `text`, in order.
template <class Address, class Rest>
void split_addresses(std::string_view text, const Address& address, const Rest& rest) {
  std::size_t done = 0;
  for (std::size_t at = text.find('@'); at != std::string_view::npos; at = text.find('@', at + 1)) {
    const auto [begin, end] = address_around(text, at);
    if (begin == end || begin < done) continue;
    rest(text.substr(done, begin - done));
    address(text.substr(begin, end - begin));
    done = end;
    at = end - 1;
  }
  rest(text.substr(done));
}

/// `2026-11-25` at the begin of a text, alone or before a time.
std::optional<std::chrono::sys_days> date_at_begin(std::string_view text) {
  if (text.size() < 10 || text[4] != '-' || text[7] != '-' || (text.size() > 10 && text[10] != 'T' && text[10] != ' '))
    return std::nullopt;
  const auto number = [&](std::size_t from, std::size_t count) {
    int value = -1;
    const auto [end, failure] = std::from_chars(text.data() + from, text.data() + from + count, value);
    return failure == std::errc{} && end == text.data() + from + count ? value : -1;
  };
  const std::chrono::year_month_day date{std::chrono::year(number(0, 4)),
                                         std::chrono::month(static_cast<unsigned>(number(5, 2))),
                                         std::chrono::day(static_cast<unsigned>(number(8, 2)))};
  if (!date.ok() || number(0, 4) < 1000) return std::nullopt;
  return std::chrono::sys_days(date);
}

}  // namespace

bool is_secret_name(std::string_view name) {
  static constexpr std::array<std::string_view, 12> parts{"password",   "passwd",  "secret",  "token",
                                                          "apikey",     "api_key", "api-key", "authorization",
                                                          "credential", "cookie",  "sig",     "pfx"};
  const std::string lower = connector::lower_case(name);
  for (const std::string_view part : parts) {
    if (part == "sig" ? lower == part : lower.find(part) != std::string::npos) return true;
  }
  return false;
}

Pseudonyms::Pseudonyms() : key_(32, '\0') {
  if (sodium_init() < 0) throw std::runtime_error("libsodium could not be initialised");
  randombytes_buf(key_.data(), key_.size());
  days_ = 1 + randombytes_uniform(3000);
  // Words without a person in them that formats and expressions live on.
  for (const char* word : {"true", "false", "null", "http", "https", "www", "com", "application", "json", "text", "utf",
                           "charset", "t", "z"})
    kept_.insert(word);
}

std::string Pseudonyms::random_for(std::string_view text) const {
  std::string out(64, '\0');
  crypto_generichash(reinterpret_cast<unsigned char*>(out.data()), out.size(),
                     reinterpret_cast<const unsigned char*>(text.data()), text.size(),
                     reinterpret_cast<const unsigned char*>(key_.data()), key_.size());
  return out;
}

void Pseudonyms::keep_words_of(const Value& value) {
  const auto keep = [this](std::string_view text) {
    split_addresses(
        text, [](std::string_view) {},
        [this](std::string_view rest) {
          split(
              rest, [this](std::string_view word) { kept_.insert(connector::lower_case(word)); },
              [](std::string_view) {});
        });
  };
  if (value.is_string()) return keep(value.as_string());
  if (value.is_number()) return keep(connector::text_of_value(value));
  if (value.is_array()) {
    for (const Value& one : value.as_array()) keep_words_of(one);
  } else if (value.is_object()) {
    for (const json::Member& member : value.as_object()) {
      keep(member.name());
      if (!is_secret_name(member.name())) keep_words_of(member.value);
    }
  }
}

std::string Pseudonyms::mask_word(std::string_view word) {
  const std::string lower = connector::lower_case(word);
  const bool all_digits = std::all_of(word.begin(), word.end(), is_digit);
  if (kept_.contains(lower) || (all_digits && (word.size() == 1 || keep_numbers_))) return std::string(word);
  // Hexadecimal texts (GUIDs, hashes) stay hexadecimal.
  const bool hex =
      word.size() >= 4 && std::any_of(word.begin(), word.end(), is_digit) &&
      std::all_of(lower.begin(), lower.end(), [](char c) { return is_digit(c) || (c >= 'a' && c <= 'f'); });
  std::string out;
  std::string random;
  for (std::size_t i = 0; i < word.size(); ++i) {
    if (i % 64 == 0) random = random_for(lower + "#" + std::to_string(i / 64));
    const auto drawn = static_cast<unsigned char>(random[i % 64]);
    const char c = word[i];
    if (is_digit(c)) {
      // A number keeps its count of digits.
      out += i == 0 && all_digits && c != '0' ? static_cast<char>('1' + drawn % 9)
             : c == '0' && i == 0             ? '0'
                                              : static_cast<char>('0' + drawn % 10);
    } else if (static_cast<unsigned char>(c) >= 0x80) {
      // One letter for each character beyond ASCII.
      if ((static_cast<unsigned char>(c) & 0xc0) != 0x80) out += static_cast<char>('a' + drawn % 26);
    } else {
      out += static_cast<char>((is_big(c) ? 'A' : 'a') + drawn % (hex ? 6 : 26));
    }
  }
  words_[std::string(word)] = out;
  return out;
}

std::string Pseudonyms::mask_text(std::string_view text) {
  std::string out;
  if (const auto date = date_at_begin(text)) {
    const std::chrono::year_month_day moved{*date - std::chrono::days(days_)};
    char buffer[16];
    std::snprintf(buffer, sizeof buffer, "%04d-%02u-%02u", static_cast<int>(moved.year()),
                  static_cast<unsigned>(moved.month()), static_cast<unsigned>(moved.day()));
    return buffer + std::string(text.substr(10));
  }
  split(
      text, [&](std::string_view word) { out += mask_word(word); }, [&](std::string_view between) { out += between; });
  return out;
}

std::string Pseudonyms::mask_message(std::string_view text) const {
  std::string out;
  split(
      text,
      [&](std::string_view word) {
        const auto known = words_.find(std::string(word));
        out += known == words_.end() ? std::string(word) : known->second;
      },
      [&](std::string_view between) { out += between; });
  return out;
}

Value Pseudonyms::mask_number(const Value& number) {
  if (keep_numbers_) return number;
  const std::string text = connector::text_of_value(number);
  if (kept_.contains(text) || text.find_first_of("eE") != std::string::npos) return number;
  std::string out;
  split(
      text, [&](std::string_view word) { out += mask_word(word); }, [&](std::string_view between) { out += between; });
  const auto parsed = json::parse(out);
  return parsed && parsed->type() == number.type() ? *parsed : number;
}

Value Pseudonyms::mask(const Value& value) {
  if (value.is_string()) return Value(mask_text(value.as_string()));
  if (value.is_number()) return mask_number(value);
  if (value.is_array()) {
    json::ArrayBuilder out;
    for (const Value& one : value.as_array()) out.push(mask(one));
    return out.finish();
  }
  if (!value.is_object()) return value;
  json::ObjectBuilder out;
  for (const json::Member& member : value.as_object()) {
    // A key that is itself a value: an address, a number that somebody bears.
    const bool personal =
        member.name().find('@') != std::string_view::npos && member.name().find("odata") == std::string_view::npos;
    const std::string name = personal ? mask_text(member.name()) : std::string(member.name());
    if (is_secret_name(member.name()) && member.value.is_string()) {
      out.add(name, Value(connector::masked_text));
    } else if (member.name() == "statusCode" || member.name() == "$content-type" ||
               connector::lower_case(member.name()) == "content-type") {
      out.add(name, member.value);
    } else {
      out.add(name, mask(member.value));
    }
  }
  return out.finish();
}

std::string Pseudonyms::mask_addresses(std::string_view text) {
  std::string out;
  split_addresses(
      text, [&](std::string_view address) { out += mask_text(address); }, [&](std::string_view rest) { out += rest; });
  return out;
}

Value Pseudonyms::mask_definition(const Value& value) {
  if (value.is_string()) {
    const auto text = value.as_string();
    const bool address = text.starts_with("http://") || text.starts_with("https://");
    return Value(mask_addresses(address && text.find("@{") == std::string_view::npos ? connector::mask_url(text, {})
                                                                                     : std::string(text)));
  }
  if (value.is_array()) {
    json::ArrayBuilder out;
    for (const Value& one : value.as_array()) out.push(mask_definition(one));
    return out.finish();
  }
  if (!value.is_object()) return value;
  const std::string type = connector::lower_case(value.text_of("type"));
  const bool secure = type == "securestring" || type == "secureobject";
  json::ObjectBuilder out;
  for (const json::Member& member : value.as_object()) {
    const bool hidden =
        (secure && connector::lower_case(member.name()) == "defaultvalue") ||
        (is_secret_name(member.name()) && member.value.is_string() && !member.value.as_string().starts_with("@"));
    if (!hidden) {
      out.add(mask_addresses(member.name()), mask_definition(member.value));
    } else if (type == "secureobject") {
      out.add(member.key, Value::empty_object());
    } else {
      out.add(member.key, Value(connector::masked_text));
    }
  }
  return out.finish();
}

}  // namespace flowmend::repair::capsule
