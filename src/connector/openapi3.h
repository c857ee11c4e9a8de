#pragma once

#include "base/diagnostic.h"
#include "json/value.h"

namespace flowmend::connector {

/// True for a document that says `"openapi": "3...."`.
bool is_openapi3(const Value& document);

/// An OpenAPI 3.0 or 3.1 document as the OpenAPI 2.0 document that says the same, x-ms extensions included, so that one
/// reader knows both. What 2.0 can't say (cookies, a choice of schemas, callbacks, a second server) is left out, each
/// with a warning at its place in the given document; `ConnectorConverted` says that the document was converted.
///
/// Rules: the specification's own correspondence of 2.0 and 3.x. Servers become scheme, host and base path, with the
/// defaults of their variables; style and explode become collectionFormat; a request body becomes a body parameter, or
/// form parameters where a form is all it accepts; `http` `bearer` becomes an API key in Authorization, to be entered
/// with its word `Bearer`. Total: any value converts. Linear in the document's size, but for form fields that many
/// operations share; those are bounded.
Value swagger_of_openapi3(const Value& document, Diagnostics& diagnostics);

}  // namespace flowmend::connector
