#pragma once

#include <map>
#include <set>
#include <string>
#include <string_view>

#include "json/value.h"

namespace flowmend::repair::capsule {

using json::Value;

/// Replaces recorded values by others of the same type and shape: letters by letters in their case, digits by digits,
/// everything between words stays, dates are moved by some days. The same word becomes the same word wherever it
/// stands, so what was equal stays equal. Which word becomes which depends on a random key that is forgotten: nobody
/// can compute the way back, not even by trying all names.
class Pseudonyms {
 public:
  /// With a fresh key.
  Pseudonyms();

  /// Words of the definition's texts stay as they are: conditions compare with them. E-mail addresses do not count.
  void keep_words_of(const Value& definition);
  /// Numbers stay as they are.
  void keep_numbers() { keep_numbers_ = true; }

  Value mask(const Value& value);
  std::string mask_text(std::string_view text);
  /// A message of an engine or a service: only words that stood for values before are replaced.
  std::string mask_message(std::string_view text) const;
  /// A definition: e-mail addresses in it, and what members with a secret's name hold.
  Value mask_definition(const Value& definition);

 private:
  std::string mask_word(std::string_view word);
  std::string random_for(std::string_view text) const;
  Value mask_number(const Value& number);
  std::string mask_addresses(std::string_view text);

  std::string key_;
  std::int64_t days_ = 0;
  bool keep_numbers_ = false;
  std::set<std::string> kept_;
  std::map<std::string, std::string> words_;  ///< replaced so far
};

/// Names of members that hold credentials: password, token, key ...
bool is_secret_name(std::string_view name);

}  // namespace flowmend::repair::capsule
