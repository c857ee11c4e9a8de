#include "store/sqlite/schema.h"

#include <array>
#include <string>

namespace flowmend::store::sqlite {

namespace {

// The stored layout. Rules that all of it follows:
// - A run's row, journal and timers are keyed by its number, so new data is appended at the end of few b-trees, and one
//   group commit writes few pages.
// - Repeated texts (flow and version ids, trigger names) stand once in `names`. Every index of `runs` ends in the run's
//   number by itself (it is the rowid), so "the latest N of a flow" reads N index entries from the end.
// - journal.key = run number << 20 | sequence. A record begins with its encoding: 0 plain, 1 zstd.
constexpr const char* migration_1 = R"sql(
CREATE TABLE names (id INTEGER PRIMARY KEY, text TEXT NOT NULL UNIQUE);

CREATE TABLE runs (
  number INTEGER PRIMARY KEY,
  name TEXT NOT NULL,
  flow INTEGER NOT NULL,
  version INTEGER NOT NULL,
  status INTEGER NOT NULL,
  started INTEGER NOT NULL,
  ended INTEGER,
  wait_ended INTEGER,
  trigger_name INTEGER NOT NULL,
  history_name TEXT,
  code TEXT,
  error_code TEXT,
  error_message TEXT,
  failed_action TEXT,
  family TEXT,
  fingerprint TEXT,
  resubmit_of TEXT,
  client_tracking_id TEXT,  -- NULL: the run's name
  started_by TEXT,
  needs_work INTEGER
);
CREATE UNIQUE INDEX runs_name ON runs (name);
CREATE INDEX runs_flow ON runs (flow);
CREATE INDEX runs_status ON runs (status);
CREATE INDEX runs_flow_status ON runs (flow, status);
CREATE INDEX runs_resume ON runs (number) WHERE needs_work = 1;
CREATE INDEX runs_resubmit ON runs (resubmit_of) WHERE resubmit_of IS NOT NULL;
CREATE INDEX runs_fingerprint ON runs (fingerprint) WHERE fingerprint IS NOT NULL;

CREATE TABLE journal (key INTEGER PRIMARY KEY, record BLOB NOT NULL);

CREATE TABLE timers (
  run INTEGER NOT NULL,
  action INTEGER NOT NULL,
  frame INTEGER NOT NULL,
  kind INTEGER NOT NULL,
  due INTEGER NOT NULL,
  PRIMARY KEY (run, action, frame, kind)
) WITHOUT ROWID;
CREATE INDEX timers_due ON timers (due);

CREATE TABLE trigger_histories (
  flow INTEGER NOT NULL,
  name TEXT NOT NULL,
  trigger_name TEXT NOT NULL,
  started INTEGER NOT NULL,
  ended INTEGER,
  scheduled INTEGER,
  status TEXT NOT NULL,
  code TEXT,
  error_code TEXT,
  error_message TEXT,
  outputs TEXT,
  PRIMARY KEY (flow, name)
) WITHOUT ROWID;

CREATE TABLE flows (
  id TEXT PRIMARY KEY,
  workflow_id TEXT NOT NULL UNIQUE,
  environment TEXT NOT NULL,
  display_name TEXT NOT NULL,
  state INTEGER NOT NULL,
  version TEXT NOT NULL,
  dialect TEXT NOT NULL,
  created INTEGER NOT NULL,
  changed INTEGER NOT NULL,
  created_by TEXT,
  properties TEXT,
  primary_key TEXT NOT NULL,
  secondary_key TEXT NOT NULL
);

CREATE TABLE flow_versions (
  flow TEXT NOT NULL,
  version TEXT NOT NULL,
  saved INTEGER NOT NULL,
  saved_by TEXT,
  definition TEXT NOT NULL,
  connection_references TEXT,
  parameter_values TEXT,
  PRIMARY KEY (flow, version)
);

CREATE TABLE documents (
  kind TEXT NOT NULL,
  key TEXT NOT NULL,
  version INTEGER NOT NULL,
  updated INTEGER NOT NULL,
  value TEXT NOT NULL,
  PRIMARY KEY (kind, key)
) WITHOUT ROWID;
)sql";

constexpr const char* migration_2 = R"sql(
ALTER TABLE runs ADD COLUMN failed_code TEXT;
ALTER TABLE runs ADD COLUMN title TEXT;
)sql";

// A released migration is never changed: add one.
constexpr std::array migrations{migration_1, migration_2};

std::int64_t pragma(Connection& connection, const char* sql) {
  Reading reading(connection.prepare(sql));
  return reading->step() ? reading->integer(0) : 0;
}

}  // namespace

void prepare_connection(Connection& connection, Connection::Mode mode) {
  if (mode == Connection::Mode::write) {
    connection.execute("PRAGMA page_size = 8192");
    connection.execute("PRAGMA auto_vacuum = NONE");
    connection.execute("PRAGMA journal_mode = WAL");
    connection.execute("PRAGMA synchronous = FULL");
    connection.execute("PRAGMA cache_size = -16384");
    connection.watch_log();  // see checkpointer.h
    connection.execute("PRAGMA journal_size_limit = 67108864");
  } else {
    connection.execute("PRAGMA cache_size = -2048");
    if (mode == Connection::Mode::read) connection.execute("PRAGMA query_only = 1");
  }
  connection.execute("PRAGMA temp_store = MEMORY");
}

Result<void> migrate(Connection& connection) {
  const std::int64_t owner = pragma(connection, "PRAGMA application_id");
  const std::int64_t seen = pragma(connection, "PRAGMA user_version");
  const std::int64_t tables = pragma(connection, "SELECT count(*) FROM sqlite_schema");
  if (owner != application_id && (owner != 0 || tables != 0)) {
    return make_error("StoreCorrupt", "The file flowmend.db in the data folder is not a Flowmend database.", {},
                      "Choose another data folder, or move the file away: a new database is made at the next start.");
  }
  if (seen > static_cast<std::int64_t>(migrations.size())) {
    return make_error("StoreIsNewer",
                      "The database was written by a newer Flowmend: its schema is number " + std::to_string(seen) +
                          ", this program knows up to " + std::to_string(migrations.size()) + ".",
                      {}, "Start the newer Flowmend again, or restore a backup that this version made.");
  }
  for (auto next = static_cast<std::size_t>(seen); next < migrations.size(); ++next) {
    connection.execute("BEGIN IMMEDIATE");
    connection.execute(migrations[next]);
    connection.execute(("PRAGMA application_id = " + std::to_string(application_id)).c_str());
    connection.execute(("PRAGMA user_version = " + std::to_string(next + 1)).c_str());
    connection.execute("COMMIT");
  }
  return {};
}

}  // namespace flowmend::store::sqlite
