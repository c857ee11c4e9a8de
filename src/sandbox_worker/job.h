#pragma once

#include <cstdint>

#include "base/error.h"
#include "json/value.h"

namespace flowmend::sandbox_worker {

// One job each, run in this process and nowhere else: see main.cpp for what it may do.

/// `{code, context}`: the body of a function that sees `workflowContext`; what it returns (of a promise: what that
/// becomes), or null. `InlineCodeScriptRuntimeFailure` with line and reason; `SandboxTimeLimitExceeded`.
Result<Value> run_script(const Value& job, std::int64_t time_ms, std::uint64_t memory_bytes);

/// `{content, map, maps, parameters, options}`: an XSLT 1.0 map on an XML text. `InvalidXml`, `InvalidXslt`,
/// `XsltTransformationFailed`. `maps` are what it may import by name.
Result<Value> run_xslt(const Value& job);

/// `{content, schema, schemas}`: an XML text against an XML schema. `InvalidXml`, `InvalidXmlSchema`,
/// `ValidationFailed` with each finding.
Result<Value> run_xml_validation(const Value& job);

}  // namespace flowmend::sandbox_worker
