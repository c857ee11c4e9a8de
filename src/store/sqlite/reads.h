#pragma once

#include <optional>
#include <string>
#include <vector>

#include "store/sqlite/connection.h"
#include "store/store.h"

namespace flowmend::store::sqlite {

// Every statement that only reads; each throws Failure. A connection in, values out.

std::optional<Document> read_document(Connection& connection, std::string_view kind, std::string_view key);
std::vector<std::string> read_document_kinds(Connection& connection);
std::vector<Document> read_documents(Connection& connection, const DocumentQuery& query);

std::optional<FlowRow> read_flow(Connection& connection, std::string_view id);
std::optional<FlowRow> read_flow_by_workflow_id(Connection& connection, std::string_view workflow_id);
std::vector<FlowRow> read_flows(Connection& connection);
std::optional<FlowVersionRow> read_flow_version(Connection& connection, std::string_view flow,
                                                std::string_view version);
std::vector<FlowVersionRow> read_flow_versions(Connection& connection, std::string_view flow);

std::optional<RunRow> read_run(Connection& connection, std::string_view name);
std::optional<RunRow> read_run(Connection& connection, RunNumber number);
std::vector<RunRow> read_runs(Connection& connection, const RunQuery& query);
std::size_t count_runs(Connection& connection, const RunQuery& query, std::size_t most);
std::vector<RunRow> read_resubmits(Connection& connection, std::string_view run);
std::optional<RunRow> read_last_run(Connection& connection);
std::vector<RunRow> read_runs_to_resume(Connection& connection, RunNumber after, std::size_t limit);
/// Damaged bytes are left out of the answer and become a Failure.
/// The 20 digits that begin the name of a run (or of a check) started then. Names sort newest first: what was started
/// before `time` has a name behind these digits and a `~`.
std::string name_digits(Timestamp time);
std::vector<RunNumber> read_ended_runs(Connection& connection, RunNumber after, Timestamp before, std::size_t limit);
std::vector<std::string> read_journal(Connection& connection, RunNumber run);

std::vector<TimerRow> read_timers(Connection& connection, Timestamp until, std::size_t limit);
std::vector<TimerRow> read_timers_of(Connection& connection, RunNumber run);
std::optional<Timestamp> read_next_timer(Connection& connection, Timestamp from);

std::vector<TriggerHistoryRow> read_trigger_histories(Connection& connection, std::string_view flow,
                                                      std::string_view trigger, std::string_view after,
                                                      std::size_t limit);

}  // namespace flowmend::store::sqlite
