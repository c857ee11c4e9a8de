#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "definition/flow.h"
#include "engine/event.h"

namespace flowmend::repair::search {

using json::Value;

// What of a run can be found. A value is cut into words: runs of letters and digits; everything else parts them, and
// ASCII letters count as small. So `SO-2026/4711` is three words, and a search for it finds that text wherever it
// stands, with whatever between the three.

/// A hash of one word, 32 bits.
std::uint32_t hash_of(std::string_view word);

/// Calls `word` for each word of `text`, in small letters.
void for_each_word(std::string_view text, const std::function<void(std::string_view)>& word);

/// Where in a run a value is recorded.
struct Source {
  std::string action;     ///< empty: the trigger or the run itself
  std::string_view side;  ///< inputs, outputs, error, request, response, trackedProperties, trackingId
};

/// Calls `text` for every text and number that the API shows of a run. What is hidden (secured inputs and outputs,
/// sealed credentials) is not among them, nor is binary content.
void for_each_text(const definition::Flow& flow, const engine::Events& events,
                   const std::function<void(std::string_view text, const Source& source)>& text);

/// A text to look for.
class Query {
 public:
  explicit Query(std::string_view text);
  bool empty() const { return words_.empty(); }
  const std::vector<std::uint32_t>& hashes() const { return hashes_; }
  /// All words of the query stand one behind the other in this text.
  bool is_in(std::string_view text) const;

 private:
  std::vector<std::string> words_;
  std::vector<std::uint32_t> hashes_;  ///< sorted, each once
};

}  // namespace flowmend::repair::search
