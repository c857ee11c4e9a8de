#include "store/sqlite/reads.h"

#include <algorithm>
#include <cstdio>

#include <sqlite3.h>
#include <zstd.h>

#include "json/parse.h"
#include "store/sqlite/writes.h"

namespace flowmend::store::sqlite {

namespace {

constexpr std::string_view run_columns =
    "number, name, (SELECT text FROM names WHERE id = runs.flow), (SELECT text FROM names WHERE id = runs.version), "
    "status, started,"
    " ended, wait_ended, (SELECT text FROM names WHERE id = runs.trigger_name), history_name, code, error_code, "
    "error_message,"
    " failed_action, family, fingerprint, resubmit_of, client_tracking_id, started_by, needs_work, failed_code,"
    " title";

constexpr std::string_view flow_columns =
    "id, workflow_id, environment, display_name, state, version, dialect, created, changed, created_by, properties, "
    "primary_key,"
    " secondary_key";

Value json_of(std::string_view text) {
  if (text.empty()) return nullptr;
  auto value = json::parse(text);
  // Written by this room from a value: unreadable text means that the file was damaged.
  if (!value) throw Failure{SQLITE_CORRUPT, "a stored JSON value is unreadable"};
  return std::move(*value);
}

RunRow run_of(const Statement& row) {
  RunRow run;
  run.number = row.integer(0);
  run.name = row.text(1);
  run.flow = row.text(2);
  run.version = row.text(3);
  run.status = static_cast<RunStatus>(row.integer(4));
  run.started.ticks = row.integer(5);
  run.ended.ticks = row.integer(6);
  run.wait_ended.ticks = row.integer(7);
  run.trigger = row.text(8);
  run.history_name = row.text(9);
  run.code = row.text(10);
  run.error_code = row.text(11);
  run.error_message = row.text(12);
  run.failed_action = row.text(13);
  run.cause.family = row.text(14);
  run.cause.fingerprint = row.text(15);
  run.resubmit_of = row.text(16);
  run.client_tracking_id = row.is_null(17) ? run.name : std::string(row.text(17));
  run.started_by = row.text(18);
  run.needs_work = row.integer(19) != 0;
  run.cause.code = row.text(20);
  run.cause.title = row.text(21);
  return run;
}

FlowRow flow_of(const Statement& row) {
  FlowRow flow;
  flow.id = row.text(0);
  flow.workflow_id = row.text(1);
  flow.environment = row.text(2);
  flow.display_name = row.text(3);
  flow.state = static_cast<FlowState>(row.integer(4));
  flow.version = row.text(5);
  flow.dialect = row.text(6);
  flow.created.ticks = row.integer(7);
  flow.changed.ticks = row.integer(8);
  flow.created_by = row.text(9);
  flow.properties = json_of(row.text(10));
  flow.primary_key = row.text(11);
  flow.secondary_key = row.text(12);
  return flow;
}

Document document_of(const Statement& row) {
  Document document;
  document.kind = row.text(0);
  document.key = row.text(1);
  document.version = row.integer(2);
  document.updated.ticks = row.integer(3);
  document.value = json_of(row.text(4));
  return document;
}

template <class Row, class Read>
std::vector<Row> all(Statement& statement, Read read) {
  Reading reading(statement);
  std::vector<Row> rows;
  while (reading->step()) rows.push_back(read(*reading));
  return rows;
}

template <class Row, class Read>
std::optional<Row> one(Statement& statement, Read read) {
  Reading reading(statement);
  if (!reading->step()) return std::nullopt;
  return read(*reading);
}

std::string sql(std::string_view head, std::string_view columns, std::string_view tail) {
  std::string text(head);
  text.append(columns);
  text.append(tail);
  return text;
}

std::int64_t name_id(Connection& connection, std::string_view text) {
  Reading found(connection.prepare("SELECT id FROM names WHERE text = ?"));
  return found->bind_text(1, text).step() ? found->integer(0) : 0;
}

std::optional<RunNumber> number_by_name(Connection& connection, const char* statement, std::string_view name) {
  Reading found(connection.prepare(statement));
  if (!found->bind_text(1, name).step()) return std::nullopt;
  return found->integer(0);
}

/// The newest run whose name sorts behind `name`. Names and numbers grow in the same order of time, so bounds on names
/// and times become bounds on numbers, and a page costs its rows alone.
std::optional<RunNumber> newest_behind(Connection& connection, std::string_view name) {
  return number_by_name(connection, "SELECT number FROM runs WHERE name > ? ORDER BY name LIMIT 1", name);
}

struct Bounds {
  RunNumber low = 0;
  RunNumber high = INT64_MAX;
  bool nothing = false;
};

Bounds bounds_of(Connection& connection, const RunQuery& query) {
  Bounds bounds;
  const auto limit_high = [&](const std::string& name) {
    const auto number = newest_behind(connection, name);
    if (number) {
      bounds.high = std::min(bounds.high, *number);
    } else {
      bounds.nothing = true;
    }
  };
  if (!query.after.empty()) limit_high(query.after);
  if (query.until.is_set()) limit_high(name_digits(query.until) + "~");
  if (query.from.is_set()) {
    const auto number = number_by_name(connection, "SELECT number FROM runs WHERE name < ? ORDER BY name DESC LIMIT 1",
                                       name_digits(query.from) + "~");
    if (number) {
      bounds.low = *number;
    } else {
      bounds.nothing = true;
    }
  }
  return bounds;
}

/// `head` + the WHERE of the query + `tail`, bound but for the limit, which is the last parameter.
Statement* runs_statement(Connection& connection, const RunQuery& query, std::string_view head, std::string_view tail,
                          std::size_t limit) {
  const auto bounds = bounds_of(connection, query);
  if (bounds.nothing) return nullptr;
  std::int64_t flow = 0;
  if (!query.flow.empty()) {
    flow = name_id(connection, query.flow);
    if (flow == 0) return nullptr;
  }
  std::int64_t trigger = 0;
  if (flow != 0 && !query.trigger.empty()) {
    trigger = name_id(connection, query.trigger);
    if (trigger == 0) return nullptr;
  }
  std::string text(head);
  text += " FROM runs";
  if (!query.fingerprint.empty()) {
    text += " INDEXED BY runs_fingerprint";
  } else if (flow != 0 && query.status) {
    text += " INDEXED BY runs_flow_status";
  } else if (flow != 0) {
    text += " INDEXED BY runs_flow";
  } else if (query.status) {
    text += " INDEXED BY runs_status";
  }
  text += " WHERE number >= ? AND number <= ?";
  if (flow != 0) text += " AND flow = ?";
  if (trigger != 0) text += " AND trigger_name = ?";
  if (query.status) text += " AND status = ?";
  if (!query.fingerprint.empty()) text += " AND fingerprint = ?";
  if (!query.failed_code.empty()) text += " AND instr(' ' || lower(failed_code) || ' ', ' ' || lower(?) || ' ') > 0";
  text += tail;
  auto& statement = connection.prepare(text);
  statement.bind(1, bounds.low).bind(2, bounds.high);
  int index = 2;
  if (flow != 0) statement.bind(++index, flow);
  if (trigger != 0) statement.bind(++index, trigger);
  if (query.status) statement.bind(++index, static_cast<std::int64_t>(*query.status));
  if (!query.fingerprint.empty()) statement.bind_text(++index, query.fingerprint);
  if (!query.failed_code.empty()) statement.bind_text(++index, query.failed_code);
  statement.bind(++index, static_cast<std::int64_t>(limit));
  return &statement;
}

/// The first text that sorts behind every text with this prefix; nothing when there is none.
std::optional<std::string> prefix_end(std::string_view prefix) {
  std::string end(prefix);
  while (!end.empty()) {
    if (static_cast<unsigned char>(end.back()) < 0xff) {
      end.back() = static_cast<char>(static_cast<unsigned char>(end.back()) + 1);
      return end;
    }
    end.pop_back();
  }
  return std::nullopt;
}

std::string decompressed(std::string_view stored) {
  if (stored.empty()) throw Failure{SQLITE_CORRUPT, "a journal record is empty"};
  const auto bytes = stored.substr(1);
  if (stored[0] == 0) return std::string(bytes);
  if (stored[0] != 1) throw Failure{SQLITE_CORRUPT, "a journal record has an unknown encoding"};
  const auto size = ZSTD_getFrameContentSize(bytes.data(), bytes.size());
  constexpr unsigned long long size_max = 2ULL << 30;
  if (size == ZSTD_CONTENTSIZE_ERROR || size == ZSTD_CONTENTSIZE_UNKNOWN || size > size_max) {
    throw Failure{SQLITE_CORRUPT, "a compressed journal record is damaged"};
  }
  std::string plain(size, '\0');
  const auto read = ZSTD_decompress(plain.data(), plain.size(), bytes.data(), bytes.size());
  if (ZSTD_isError(read) != 0 || read != size) throw Failure{SQLITE_CORRUPT, "a compressed journal record is damaged"};
  return plain;
}

TimerRow timer_of(const Statement& row) {
  TimerRow timer;
  timer.run = row.integer(0);
  timer.action = static_cast<std::uint32_t>(row.integer(1));
  timer.frame = static_cast<std::uint32_t>(row.integer(2));
  timer.kind = static_cast<std::uint8_t>(row.integer(3));
  timer.due.ticks = row.integer(4);
  return timer;
}

}  // namespace

std::string name_digits(Timestamp time) {
  char digits[24];
  std::snprintf(digits, sizeof digits, "%020lld", static_cast<long long>(INT64_MAX - time.ticks));
  return digits;
}

std::optional<Document> read_document(Connection& connection, std::string_view kind, std::string_view key) {
  auto& statement =
      connection.prepare("SELECT kind, key, version, updated, value FROM documents WHERE kind = ? AND key = ?");
  statement.bind_text(1, kind).bind_text(2, key);
  return one<Document>(statement, document_of);
}

std::vector<std::string> read_document_kinds(Connection& connection) {
  auto& statement = connection.prepare("SELECT DISTINCT kind FROM documents ORDER BY kind");
  return all<std::string>(statement, [](const Statement& row) { return std::string(row.text(0)); });
}

std::vector<Document> read_documents(Connection& connection, const DocumentQuery& query) {
  const auto end = prefix_end(query.prefix);
  auto& statement = connection.prepare(end ? "SELECT kind, key, version, updated, value FROM documents WHERE kind = ? "
                                             "AND key > ? AND key >= ? AND key < ?"
                                             " ORDER BY key LIMIT ?"
                                           : "SELECT kind, key, version, updated, value FROM documents WHERE kind = ? "
                                             "AND key > ? AND key >= ? AND ? IS NOT NULL"
                                             " ORDER BY key LIMIT ?");
  statement.bind_text(1, query.kind)
      .bind_text(2, query.after)
      .bind_text(3, query.prefix)
      .bind_text(4, end ? std::string_view(*end) : std::string_view())
      .bind(5, static_cast<std::int64_t>(query.limit));
  return all<Document>(statement, document_of);
}

std::optional<FlowRow> read_flow(Connection& connection, std::string_view id) {
  auto& statement = connection.prepare(sql("SELECT ", flow_columns, " FROM flows WHERE id = ?"));
  statement.bind_text(1, id);
  return one<FlowRow>(statement, flow_of);
}

std::optional<FlowRow> read_flow_by_workflow_id(Connection& connection, std::string_view workflow_id) {
  auto& statement = connection.prepare(sql("SELECT ", flow_columns, " FROM flows WHERE workflow_id = ?"));
  statement.bind_text(1, workflow_id);
  return one<FlowRow>(statement, flow_of);
}

std::vector<FlowRow> read_flows(Connection& connection) {
  return all<FlowRow>(
      connection.prepare(sql("SELECT ", flow_columns, " FROM flows ORDER BY display_name COLLATE NOCASE, id")),
      flow_of);
}

std::optional<FlowVersionRow> read_flow_version(Connection& connection, std::string_view flow,
                                                std::string_view version) {
  auto& statement = connection.prepare(
      "SELECT saved, saved_by, definition, connection_references, parameter_values FROM flow_versions WHERE flow = ? "
      "AND version = ?");
  statement.bind_text(1, flow).bind_text(2, version);
  return one<FlowVersionRow>(statement, [&](const Statement& row) {
    FlowVersionRow found;
    found.flow = flow;
    found.version = version;
    found.saved.ticks = row.integer(0);
    found.saved_by = row.text(1);
    found.definition = json_of(row.text(2));
    found.connection_references = row.is_null(3) ? Value::empty_object() : json_of(row.text(3));
    found.parameter_values = json_of(row.text(4));
    return found;
  });
}

std::vector<FlowVersionRow> read_flow_versions(Connection& connection, std::string_view flow) {
  auto& statement =
      connection.prepare("SELECT version, saved, saved_by FROM flow_versions WHERE flow = ? ORDER BY version");
  statement.bind_text(1, flow);
  return all<FlowVersionRow>(statement, [&](const Statement& row) {
    FlowVersionRow found;
    found.flow = flow;
    found.version = row.text(0);
    found.saved.ticks = row.integer(1);
    found.saved_by = row.text(2);
    return found;
  });
}

std::optional<RunRow> read_run(Connection& connection, std::string_view name) {
  auto& statement = connection.prepare(sql("SELECT ", run_columns, " FROM runs WHERE name = ?"));
  statement.bind_text(1, name);
  return one<RunRow>(statement, run_of);
}

std::optional<RunRow> read_run(Connection& connection, RunNumber number) {
  auto& statement = connection.prepare(sql("SELECT ", run_columns, " FROM runs WHERE number = ?"));
  statement.bind(1, number);
  return one<RunRow>(statement, run_of);
}

std::vector<RunRow> read_runs(Connection& connection, const RunQuery& query) {
  auto* statement = runs_statement(connection, query, sql("SELECT ", run_columns, ""), " ORDER BY number DESC LIMIT ?",
                                   std::clamp<std::size_t>(query.limit, 1, 1000));
  if (statement == nullptr) return {};
  return all<RunRow>(*statement, run_of);
}

std::size_t count_runs(Connection& connection, const RunQuery& query, std::size_t most) {
  auto* statement = runs_statement(connection, query, "SELECT count(*) FROM (SELECT 1", " LIMIT ?)", most);
  if (statement == nullptr) return 0;
  Reading reading(*statement);
  return reading->step() ? static_cast<std::size_t>(reading->integer(0)) : 0;
}

std::vector<RunRow> read_resubmits(Connection& connection, std::string_view run) {
  auto& statement = connection.prepare(
      sql("SELECT ", run_columns, " FROM runs WHERE resubmit_of = ? ORDER BY number DESC LIMIT 1000"));
  statement.bind_text(1, run);
  return all<RunRow>(statement, run_of);
}

std::optional<RunRow> read_last_run(Connection& connection) {
  return one<RunRow>(connection.prepare(sql("SELECT ", run_columns, " FROM runs ORDER BY number DESC LIMIT 1")),
                     run_of);
}

std::vector<RunRow> read_runs_to_resume(Connection& connection, RunNumber after, std::size_t limit) {
  auto& statement = connection.prepare(
      sql("SELECT ", run_columns,
          " FROM runs INDEXED BY runs_resume WHERE needs_work = 1 AND number > ? ORDER BY number LIMIT ?"));
  statement.bind(1, after).bind(2, static_cast<std::int64_t>(limit));
  return all<RunRow>(statement, run_of);
}

std::vector<RunNumber> read_ended_runs(Connection& connection, RunNumber after, Timestamp before, std::size_t limit) {
  const auto last = newest_behind(connection, name_digits(before) + "~");
  if (!last) return {};
  auto& statement = connection.prepare(
      "SELECT number FROM runs WHERE number > ? AND number <= ? AND status >= ? ORDER BY number LIMIT ?");
  statement.bind(1, after)
      .bind(2, *last)
      .bind(3, static_cast<std::int64_t>(RunStatus::succeeded))
      .bind(4, static_cast<std::int64_t>(limit));
  return all<RunNumber>(statement, [](const Statement& row) { return row.integer(0); });
}

std::vector<std::string> read_journal(Connection& connection, RunNumber run) {
  auto& statement = connection.prepare("SELECT record FROM journal WHERE key >= ? AND key < ? ORDER BY key");
  statement.bind(1, run << journal_sequence_bits).bind(2, (run + 1) << journal_sequence_bits);
  return all<std::string>(statement, [](const Statement& row) { return decompressed(row.text(0)); });
}

std::vector<TimerRow> read_timers(Connection& connection, Timestamp until, std::size_t limit) {
  auto& statement = connection.prepare(
      "SELECT run, action, frame, kind, due FROM timers INDEXED BY timers_due WHERE due < ? ORDER BY due LIMIT ?");
  statement.bind(1, until.ticks).bind(2, static_cast<std::int64_t>(limit));
  return all<TimerRow>(statement, timer_of);
}

std::vector<TimerRow> read_timers_of(Connection& connection, RunNumber run) {
  auto& statement = connection.prepare("SELECT run, action, frame, kind, due FROM timers WHERE run = ? ORDER BY due");
  statement.bind(1, run);
  return all<TimerRow>(statement, timer_of);
}

std::optional<Timestamp> read_next_timer(Connection& connection, Timestamp from) {
  auto& statement =
      connection.prepare("SELECT due FROM timers INDEXED BY timers_due WHERE due >= ? ORDER BY due LIMIT 1");
  statement.bind(1, from.ticks);
  return one<Timestamp>(statement, [](const Statement& row) { return Timestamp{row.integer(0)}; });
}

std::vector<TriggerHistoryRow> read_trigger_histories(Connection& connection, std::string_view flow,
                                                      std::string_view trigger, std::string_view after,
                                                      std::size_t limit) {
  limit = std::clamp<std::size_t>(limit, 1, 1000);
  const auto id = name_id(connection, flow);
  if (id == 0) return {};
  auto& statement = connection.prepare(
      "SELECT name, trigger_name, started, ended, scheduled, status, code, error_code, error_message, outputs FROM "
      "trigger_histories"
      " WHERE flow = ?1 AND name > ?2 AND (?3 = '' OR trigger_name = ?3) ORDER BY name LIMIT ?4");
  statement.bind(1, id).bind_text(2, after).bind_text(3, trigger).bind(4, static_cast<std::int64_t>(limit));
  auto rows = all<TriggerHistoryRow>(statement, [&](const Statement& row) {
    TriggerHistoryRow found;
    found.flow = flow;
    found.name = row.text(0);
    found.trigger = row.text(1);
    found.started.ticks = row.integer(2);
    found.ended.ticks = row.integer(3);
    found.scheduled.ticks = row.integer(4);
    found.status = row.text(5);
    found.code = row.text(6);
    found.error_code = row.text(7);
    found.error_message = row.text(8);
    found.outputs = json_of(row.text(9));
    return found;
  });
  RunQuery query;
  query.flow = flow;
  query.trigger = trigger;
  query.after = after;
  query.limit = limit;
  for (auto& run : read_runs(connection, query)) {
    TriggerHistoryRow fired;
    fired.flow = run.flow;
    fired.trigger = run.trigger;
    fired.name = run.history_name.empty() ? run.name : run.history_name;
    fired.started = run.started;
    fired.ended = run.started;
    fired.status = "Succeeded";
    fired.code = "OK";
    fired.fired = true;
    fired.run = run.name;
    rows.push_back(std::move(fired));
  }
  std::sort(rows.begin(), rows.end(), [](const auto& a, const auto& b) { return a.name < b.name; });
  if (rows.size() > limit) rows.resize(limit);
  return rows;
}

}  // namespace flowmend::store::sqlite
