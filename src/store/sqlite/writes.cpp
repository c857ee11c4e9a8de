#include "store/sqlite/writes.h"

#include <zstd.h>

#include "json/write.h"
#include "store/sqlite/reads.h"

namespace flowmend::store::sqlite {

namespace {

Error version_conflict(std::string_view kind, std::string_view key) {
  return make_error(
      "VersionConflict",
      "'" + std::string(key) + "' (" + std::string(kind) + ") was changed by someone else in the meantime.", {},
      "Read it again and repeat the change.");
}

std::string text_of(const Value& value) { return value.is_null() ? std::string() : json::write(value); }

}  // namespace

void Writes::apply(const Batch& batch) {
  for (const auto& run : batch.runs) put_run(run);
  for (const auto& row : batch.journal) put_journal(row);
  for (const auto& timer : batch.timers_ended) {
    connection_.prepare("DELETE FROM timers WHERE run = ? AND action = ? AND frame = ? AND kind = ?")
        .bind(1, timer.run)
        .bind(2, timer.action)
        .bind(3, timer.frame)
        .bind(4, timer.kind)
        .run();
  }
  for (const auto& timer : batch.timers_set) {
    connection_.prepare("INSERT OR REPLACE INTO timers (run, action, frame, kind, due) VALUES (?,?,?,?,?)")
        .bind(1, timer.run)
        .bind(2, timer.action)
        .bind(3, timer.frame)
        .bind(4, timer.kind)
        .bind(5, timer.due.ticks)
        .run();
  }
  for (const auto& row : batch.histories) put_history(row);
  for (const auto& document : batch.documents) {
    if (document.value.is_null()) {
      static_cast<void>(erase_document(document.kind, document.key, any_version));
    } else {
      static_cast<void>(put_document(document.kind, document.key, document.value, any_version));
    }
  }
}

void Writes::put_run(const RunRow& run) {
  // What repair wrote outlives a later write of the row that does not know it; failed_code and title it writes alone.
  auto& statement = connection_.prepare(
      "INSERT INTO runs (number, name, flow, version, status, started, ended, wait_ended, trigger_name, history_name, "
      "code,"
      " error_code, error_message, failed_action, family, fingerprint, resubmit_of, client_tracking_id, started_by, "
      "needs_work)"
      " VALUES (?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?)"
      " ON CONFLICT (number) DO UPDATE SET status = excluded.status, ended = excluded.ended, wait_ended = "
      "excluded.wait_ended,"
      " version = excluded.version, code = excluded.code, error_code = excluded.error_code, error_message = "
      "excluded.error_message,"
      " failed_action = excluded.failed_action, family = coalesce(excluded.family, family),"
      " fingerprint = coalesce(excluded.fingerprint, fingerprint), client_tracking_id = excluded.client_tracking_id,"
      " needs_work = excluded.needs_work");
  const auto flow = name_id(run.flow);
  const auto version = name_id(run.version);
  const auto trigger = name_id(run.trigger);
  statement.bind(1, run.number)
      .bind_text(2, run.name)
      .bind(3, flow)
      .bind(4, version)
      .bind(5, static_cast<std::int64_t>(run.status))
      .bind(6, run.started.ticks)
      .bind_or_null(7, run.ended.ticks)
      .bind_or_null(8, run.wait_ended.ticks)
      .bind(9, trigger)
      .bind_text_or_null(10, run.history_name)
      .bind_text_or_null(11, run.code)
      .bind_text_or_null(12, run.error_code)
      .bind_text_or_null(13, run.error_message)
      .bind_text_or_null(14, run.failed_action)
      .bind_text_or_null(15, run.cause.family)
      .bind_text_or_null(16, run.cause.fingerprint)
      .bind_text_or_null(17, run.resubmit_of)
      .bind_text_or_null(
          18, run.client_tracking_id == run.name ? std::string_view() : std::string_view(run.client_tracking_id))
      .bind_text_or_null(19, run.started_by)
      .bind_or_null(20, run.needs_work ? 1 : 0)
      .run();
}

void Writes::put_journal(const JournalRow& row) {
  encoded_.clear();
  if (row.record.size() > compress_above_bytes) {
    encoded_.resize(1 + ZSTD_compressBound(row.record.size()));
    const auto size = ZSTD_compress(encoded_.data() + 1, encoded_.size() - 1, row.record.data(), row.record.size(), 1);
    if (ZSTD_isError(size) == 0 && size < row.record.size()) {
      encoded_.resize(1 + size);
      encoded_[0] = 1;
    } else {
      encoded_.clear();
    }
  }
  if (encoded_.empty()) {
    encoded_.push_back(0);
    encoded_.append(row.record);
  }
  connection_.prepare("INSERT OR REPLACE INTO journal (key, record) VALUES (?,?)")
      .bind(1, row.run << journal_sequence_bits | row.sequence)
      .bind_blob(2, encoded_)
      .run();
}

void Writes::put_history(const TriggerHistoryRow& row) {
  const auto outputs = text_of(row.outputs);
  connection_
      .prepare(
          "INSERT OR REPLACE INTO trigger_histories (flow, name, trigger_name, started, ended, scheduled, status, code,"
          " error_code, error_message, outputs) VALUES (?,?,?,?,?,?,?,?,?,?,?)")
      .bind(1, name_id(row.flow))
      .bind_text(2, row.name)
      .bind_text(3, row.trigger)
      .bind(4, row.started.ticks)
      .bind_or_null(5, row.ended.ticks)
      .bind_or_null(6, row.scheduled.ticks)
      .bind_text(7, row.status)
      .bind_text_or_null(8, row.code)
      .bind_text_or_null(9, row.error_code)
      .bind_text_or_null(10, row.error_message)
      .bind_text_or_null(11, outputs)
      .run();
}

std::int64_t Writes::name_id(std::string_view text) {
  std::string key(text);
  if (const auto known = names_.find(key); known != names_.end()) return known->second;
  std::int64_t id = 0;
  {
    Reading found(connection_.prepare("SELECT id FROM names WHERE text = ?"));
    if (found->bind_text(1, text).step()) id = found->integer(0);
  }
  if (id == 0) {
    Reading made(connection_.prepare("INSERT INTO names (text) VALUES (?) RETURNING id"));
    made->bind_text(1, text).step();
    id = made->integer(0);
  }
  if (names_.size() > 10'000) names_.clear();
  names_.emplace(std::move(key), id);
  return id;
}

std::optional<Document> Writes::document(std::string_view kind, std::string_view key) {
  return read_document(connection_, kind, key);
}
std::vector<Document> Writes::documents(const DocumentQuery& query) { return read_documents(connection_, query); }

Result<std::int64_t> Writes::put_document(std::string_view kind, std::string_view key, const Value& value,
                                          std::int64_t expected) {
  std::int64_t now = 0;
  {
    Reading found(connection_.prepare("SELECT version FROM documents WHERE kind = ? AND key = ?"));
    if (found->bind_text(1, kind).bind_text(2, key).step()) now = found->integer(0);
  }
  if (expected != any_version && expected != now) return version_conflict(kind, key);
  const auto text = json::write(value);
  connection_.prepare("INSERT OR REPLACE INTO documents (kind, key, version, updated, value) VALUES (?,?,?,?,?)")
      .bind_text(1, kind)
      .bind_text(2, key)
      .bind(3, now + 1)
      .bind(4, clock_().ticks)
      .bind_text(5, text)
      .run();
  return now + 1;
}

Result<bool> Writes::erase_document(std::string_view kind, std::string_view key, std::int64_t expected) {
  if (expected != any_version) {
    Reading found(connection_.prepare("SELECT version FROM documents WHERE kind = ? AND key = ?"));
    const std::int64_t now = found->bind_text(1, kind).bind_text(2, key).step() ? found->integer(0) : 0;
    if (now != expected) return version_conflict(kind, key);
  }
  connection_.prepare("DELETE FROM documents WHERE kind = ? AND key = ?").bind_text(1, kind).bind_text(2, key).run();
  return connection_.changes() > 0;
}

std::optional<FlowRow> Writes::flow(std::string_view id) { return read_flow(connection_, id); }

void Writes::put_flow(const FlowRow& flow) {
  const auto properties = text_of(flow.properties);
  connection_
      .prepare(
          "INSERT INTO flows (id, workflow_id, environment, display_name, state, version, dialect, created, changed,"
          " created_by, properties, primary_key, secondary_key) VALUES (?,?,?,?,?,?,?,?,?,?,?,?,?)"
          " ON CONFLICT (id) DO UPDATE SET workflow_id = excluded.workflow_id, environment = excluded.environment,"
          " display_name = excluded.display_name, state = excluded.state, version = excluded.version,"
          " dialect = excluded.dialect, created = excluded.created, changed = excluded.changed,"
          " created_by = excluded.created_by, properties = excluded.properties,"
          " primary_key = excluded.primary_key, secondary_key = excluded.secondary_key")
      .bind_text(1, flow.id)
      .bind_text(2, flow.workflow_id)
      .bind_text(3, flow.environment)
      .bind_text(4, flow.display_name)
      .bind(5, static_cast<std::int64_t>(flow.state))
      .bind_text(6, flow.version)
      .bind_text(7, flow.dialect)
      .bind(8, flow.created.ticks)
      .bind(9, flow.changed.ticks)
      .bind_text_or_null(10, flow.created_by)
      .bind_text_or_null(11, properties)
      .bind_text(12, flow.primary_key)
      .bind_text(13, flow.secondary_key)
      .run();
}

void Writes::put_flow_version(const FlowVersionRow& version) {
  const auto definition = json::write(version.definition);
  const auto references = text_of(version.connection_references);
  const auto parameters = text_of(version.parameter_values);
  connection_
      .prepare(
          "INSERT OR REPLACE INTO flow_versions (flow, version, saved, saved_by, definition, connection_references,"
          " parameter_values) VALUES (?,?,?,?,?,?,?)")
      .bind_text(1, version.flow)
      .bind_text(2, version.version)
      .bind(3, version.saved.ticks)
      .bind_text_or_null(4, version.saved_by)
      .bind_text(5, definition)
      .bind_text_or_null(6, references)
      .bind_text_or_null(7, parameters)
      .run();
}

void Writes::erase_flow(std::string_view id) {
  connection_.prepare("DELETE FROM flows WHERE id = ?").bind_text(1, id).run();
}

void Writes::set_cause(RunNumber run, const RunCause& cause) {
  connection_.prepare("UPDATE runs SET family = ?, fingerprint = ?, failed_code = ?, title = ? WHERE number = ?")
      .bind_text_or_null(1, cause.family)
      .bind_text_or_null(2, cause.fingerprint)
      .bind_text_or_null(3, cause.code)
      .bind_text_or_null(4, cause.title)
      .bind(5, run)
      .run();
}

void Writes::erase_runs(const std::vector<RunNumber>& runs) {
  for (const auto run : runs) {
    connection_.prepare("DELETE FROM journal WHERE key >= ? AND key < ?")
        .bind(1, run << journal_sequence_bits)
        .bind(2, (run + 1) << journal_sequence_bits)
        .run();
    connection_.prepare("DELETE FROM timers WHERE run = ?").bind(1, run).run();
    connection_.prepare("DELETE FROM runs WHERE number = ?").bind(1, run).run();
  }
}

std::size_t Writes::erase_trigger_histories(Timestamp before, std::size_t limit) {
  const auto behind = name_digits(before) + "~";
  std::size_t erased = 0;
  std::int64_t flow = -1;
  while (erased < limit) {
    {
      Reading next(connection_.prepare("SELECT flow FROM trigger_histories WHERE flow > ? ORDER BY flow LIMIT 1"));
      if (!next->bind(1, flow).step()) break;
      flow = next->integer(0);
    }
    connection_
        .prepare(
            "DELETE FROM trigger_histories WHERE flow = ?1 AND name IN"
            " (SELECT name FROM trigger_histories WHERE flow = ?1 AND name > ?2 ORDER BY name DESC LIMIT ?3)")
        .bind(1, flow)
        .bind_text(2, behind)
        .bind(3, static_cast<std::int64_t>(limit - erased))
        .run();
    erased += static_cast<std::size_t>(connection_.changes());
  }
  return erased;
}

}  // namespace flowmend::store::sqlite
