#include "connector/native/standin/dataverse_names.h"

#include <algorithm>
#include <cctype>

#include "connector/text.h"

namespace flowmend::connector {

std::string dataverse_logical_name(std::string_view entity_set) {
  std::string name = lower_case(entity_set);
  if (name.ends_with("ies"))
    name.replace(name.size() - 3, 3, "y");
  else if (name.ends_with("sses") || name.ends_with("xes") || name.ends_with("ches") || name.ends_with("shes"))
    name.resize(name.size() - 2);
  else if (name.ends_with("s"))
    name.resize(name.size() - 1);
  return name;
}

Value dataverse_row(const Value& row) {
  json::ObjectBuilder out;
  for (const json::Member& member : row.as_object()) {
    // Files are given out when they are asked for.
    if (!member.name().starts_with(dataverse_file_prefix)) out.add(member.key, member.value);
  }
  for (const auto& [ours, theirs] : {std::pair{"created", "createdon"}, {"modified", "modifiedon"}}) {
    const Value* value = row.find(ours);
    if (value == nullptr) continue;
    if (row.find(theirs) == nullptr) out.add(theirs, *value);
    out.remove(ours);
  }
  return out.finish();
}

bool walks_relations(const odata::Node& node) {
  if (node.kind == odata::NodeKind::property && node.name.find('/') != std::string::npos) return true;
  return std::any_of(node.children.begin(), node.children.end(), walks_relations);
}

std::string dataverse_own_names(std::string text) {
  for (const auto& [theirs, ours] :
       {std::pair<std::string, std::string>{"createdon", "created"}, {"modifiedon", "modified"}}) {
    for (std::size_t at = 0; (at = text.find(theirs, at)) != std::string::npos; at += ours.size()) {
      const auto part_of_name = [](char c) {
        return std::isalnum(static_cast<unsigned char>(c)) != 0 || c == '_' || c == '\'';
      };
      const bool bare = (at == 0 || !part_of_name(text[at - 1])) &&
                        (at + theirs.size() >= text.size() || !part_of_name(text[at + theirs.size()]));
      if (bare)
        text.replace(at, theirs.size(), ours);
      else
        at += theirs.size() - ours.size();
    }
  }
  return text;
}

}  // namespace flowmend::connector
