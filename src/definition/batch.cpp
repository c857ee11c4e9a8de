#include "definition/batch.h"

#include "definition/settings.h"
#include "definition/words.h"
#include "json/pointer.h"

namespace flowmend::definition {

namespace {

bool is_expression(const Value& value) {
  return value.is_string() && value.as_string().find('@') != std::string_view::npos;
}

class BatchReader {
 public:
  explicit BatchReader(Diagnostics& diagnostics) : diagnostics_(diagnostics) {}

  std::optional<std::int64_t> number(const Value& value, std::int64_t most, const std::string& at) {
    if (value.is_null() || is_expression(value)) return {};
    const auto number = whole_number(value);
    if (number && *number >= 1 && *number <= most) return number;
    error(at, "A batch's criterion must be a whole number from 1 to " + std::to_string(most) + ".",
          "Correct the number.");
    return {};
  }

  BatchConfiguration configuration(const json::Member& member, const std::string& at) {
    BatchConfiguration batch;
    batch.name = std::string(member.name());
    const Value& criteria = member_at(member.value, {"releaseCriteria"});
    const Value& count = member_at(criteria, {"messageCount"});
    const Value& bytes = member_at(criteria, {"batchSize"});
    batch.recurrence = member_at(criteria, {"recurrence"});
    batch.message_count = number(count, batch_messages_max, at + "/releaseCriteria/messageCount");
    batch.bytes = number(bytes, batch_bytes_max, at + "/releaseCriteria/batchSize");
    if (!batch.recurrence.is_null())
      check_recurrence(batch.recurrence, at + "/releaseCriteria/recurrence", diagnostics_);
    if (count.is_null() && bytes.is_null() && batch.recurrence.is_null()) {
      error(at + "/releaseCriteria", "Batch '" + batch.name + "' is never released: it has no criterion.",
            "Give it a 'messageCount', a 'batchSize' or a 'recurrence'.");
    }
    return batch;
  }

  void error(std::string pointer, std::string message, std::string cure) {
    diagnostics_.push_back(
        {std::move(pointer), Severity::error, "InvalidBatchConfiguration", std::move(message), std::move(cure), 0, 0});
  }
  void warn(std::string pointer, std::string message, std::string cure) {
    diagnostics_.push_back(
        {std::move(pointer), Severity::warning, "TriggerTypeUnavailable", std::move(message), std::move(cure), 0, 0});
  }

 private:
  Diagnostics& diagnostics_;
};

}  // namespace

std::vector<BatchConfiguration> read_batches(const Value& inputs, const std::string& pointer,
                                             Diagnostics& diagnostics) {
  BatchReader reader(diagnostics);
  std::vector<BatchConfiguration> batches;
  const Value& mode = member_at(inputs, {"mode"});
  if (mode.is_string() && same_word(mode.as_string(), "IntegrationAccount")) {
    reader.warn(pointer + "/mode",
                "The batches of this trigger stand in an integration account, which is not here: nothing starts it.",
                "Write the batches into 'configurations', with the mode 'Inline'.");
    return batches;
  }
  const Value& configurations = member_at(inputs, {"configurations"});
  if (is_expression(configurations)) return batches;
  if (!configurations.is_object() || configurations.size() == 0) {
    reader.error(pointer + "/configurations", "A Batch trigger needs at least one batch in 'configurations'.",
                 R"(Write {"NAME": {"releaseCriteria": {"messageCount": 10}}}.)");
    return batches;
  }
  for (const json::Member& member : configurations.as_object()) {
    batches.push_back(reader.configuration(member, json::join(pointer + "/configurations", member.name())));
  }
  return batches;
}

}  // namespace flowmend::definition
