#pragma once

#include <iosfwd>
#include <string>
#include <vector>

namespace flowmend::server {

/// `flowmend connector check FILE...`: prints for people what each connector's documents are worth here: the findings,
/// how many of its operations can run, and for every other one why not. A FILE is an apiDefinition.swagger.json (or an
/// OpenAPI 3 document), whose apiProperties.json and script.csx are looked for beside it, or a folder that holds them.
/// Returns 0 when all load, 1 when one does not, 2 when a file can't be read.
int run_connector_check(const std::vector<std::string>& files, std::ostream& out);

/// `flowmend connector check --jsonl`: reads one `{"id","swagger","properties"?,"script"?}` a line (each document as
/// JSON, or as the file's text; `script` is true when C# code lies beside them) and writes one
/// `{"id","diagnostics":[...],"operations":N,"usable":M,"unusable":[{"id","code","message"}]}` a line, in order. A line
/// that can't be read gets a diagnostic of its own. Returns 0 at the end of the input.
int run_connector_check_jsonl(std::istream& in, std::ostream& out);

}  // namespace flowmend::server
