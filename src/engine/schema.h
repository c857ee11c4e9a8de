#pragma once

#include "json/value.h"

namespace flowmend::engine {

/// Checks a value against a JSON schema (the draft-04 words that ParseJson schemas use: type, enum, required,
/// properties, additionalProperties, items, minimum, maximum, minLength, maxLength, minItems, maxItems, anyOf, allOf,
/// oneOf, not). Returns the findings as ParseJson prints them in its outputs (engine.md 3.5):
/// `{message, path, value?, schemaId, errorType, childErrors}`, in document order with `required` last in each object.
/// Own code because the messages are part of what users search for. Bounded: at most 1,000 findings.
Value check_json_schema(const Value& schema, const Value& value);

/// Whether the schema uses a word that the service refuses (`pattern`, `patternProperties`).
bool has_unsupported_schema_word(const Value& schema);

}  // namespace flowmend::engine
