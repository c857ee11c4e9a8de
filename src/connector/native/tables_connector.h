#pragma once

#include <memory>

#include "connector/native/native.h"
#include "connector/tables.h"

namespace flowmend::connector {

/// `shared_tables`: rows of our own tables (connector/tables.h).
std::unique_ptr<NativeConnector> make_tables_connector(const NativeParts& parts);

/// The status that an error of Tables has towards callers, and the answer.
int table_status(std::string_view code);
http::Reply table_error(const Error& error);
/// `$filter`, `$orderby`, `$select`, `$top`, `$skip` of a call. `InvalidQuery`.
Result<RowQuery> row_query(const NativeCall& call);

}  // namespace flowmend::connector
