#include "runtime/trigger_key.h"

namespace flowmend::runtime {

std::string trigger_key(std::string_view flow, std::string_view trigger) {
  std::string key = trigger_keys_of(flow);
  key.append(trigger);
  return key;
}

std::string_view flow_of(std::string_view key) { return key.substr(0, key.find('/')); }

std::string_view trigger_of(std::string_view key) {
  const auto slash = key.find('/');
  return slash == std::string_view::npos ? std::string_view() : key.substr(slash + 1);
}

std::string trigger_keys_of(std::string_view flow) {
  std::string prefix(flow);
  prefix.push_back('/');
  return prefix;
}

Result<std::vector<store::Document>> read_documents(const store::Store& store, std::string_view kind,
                                                    std::string_view prefix) {
  store::DocumentQuery query;
  query.kind = std::string(kind);
  query.prefix = std::string(prefix);
  std::vector<store::Document> all;
  while (true) {
    auto page = store.documents(query);
    if (!page) return page.error();
    const bool last = page->size() < query.limit;
    std::move(page->begin(), page->end(), std::back_inserter(all));
    if (last) return all;
    query.after = all.back().key;
  }
}

Result<void> move_flow_states(store::Store& store, Flows& flows, std::string_view kind) {
  const auto documents = read_documents(store, kind);
  if (!documents) return documents.error();
  std::vector<store::Document> moved;
  for (const auto& document : *documents) {
    if (document.key.find('/') != std::string::npos) continue;
    const auto live = flows.find(document.key);
    if (!live && live.error().code == "StorageUnavailable") return live.error();
    store::Document to = document;
    to.key = trigger_key(document.key, live && (*live)->flow ? (*live)->flow->trigger.name : std::string());
    moved.push_back(std::move(to));
  }
  if (moved.empty()) return {};
  return store.write([&](store::Transaction& change) -> Result<void> {
    for (const auto& document : moved) {
      if (auto put = change.put_document(kind, document.key, document.value); !put) return put.error();
      if (auto erased = change.erase_document(kind, flow_of(document.key)); !erased) return erased.error();
    }
    return {};
  });
}

}  // namespace flowmend::runtime
