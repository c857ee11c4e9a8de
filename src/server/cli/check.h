#pragma once

#include <iosfwd>
#include <string>
#include <vector>

namespace flowmend::server {

/// `flowmend check FILE...`: prints the findings of each definition for people. A file may hold a bare definition,
/// `{"definition": ...}`, a flow resource or an exported definition.json (`{"properties": {"definition": ...}}`), or an
/// ARM template (each of its workflows is checked). Returns 0 without errors, 1 with some, 2 when a file can't be read.
int run_check(const std::vector<std::string>& files, std::ostream& out);

/// `flowmend check --jsonl`: reads one `{"id","definition"}` a line, writes one `{"id","diagnostics":[...]}` a line, in
/// order. A line that can't be read gets a diagnostic of its own. Returns 0 at the end of the input.
int run_check_jsonl(std::istream& in, std::ostream& out);

}  // namespace flowmend::server
