#include "sandbox/artifacts.h"

#include <algorithm>

namespace flowmend::sandbox {
namespace {

constexpr std::string_view document_kind = "artifact";
constexpr std::size_t name_bytes_max = 80;

Error invalid(std::string message, std::string cure) {
  return make_error("ArtifactInvalid", std::move(message), {}, std::move(cure));
}

bool is_kind(std::string_view kind) { return kind == "map" || kind == "schema"; }

std::string key_of(std::string_view kind, std::string_view name) { return std::string(kind) + "/" + std::string(name); }

}  // namespace

Result<void> put_artifact(store::Store& store, const Artifact& artifact) {
  if (!is_kind(artifact.kind)) return invalid("'" + artifact.kind + "' is no kind of artifact.", "Use map or schema.");
  const bool control =
      std::ranges::any_of(artifact.name, [](char c) { return static_cast<unsigned char>(c) < 0x20 || c == '/'; });
  if (artifact.name.empty() || artifact.name.size() > name_bytes_max || control)
    return invalid("The name of an artifact has 1 to 80 characters and no slash.", "Choose another name.");
  if (artifact.content.empty() || artifact.content.size() > artifact_bytes_max) {
    return invalid("The artifact '" + artifact.name + "' has " + std::to_string(artifact.content.size()) +
                       " bytes; 1 to " + std::to_string(artifact_bytes_max) + " are allowed.",
                   "Send the map or schema as the body of the request.");
  }
  const auto put =
      store.put_document(document_kind, key_of(artifact.kind, artifact.name),
                         Value::object({{"name", Value(artifact.name)}, {"content", Value(artifact.content)}}));
  if (!put) return put.error();
  return {};
}

Result<void> remove_artifact(store::Store& store, std::string_view kind, std::string_view name) {
  if (auto found = find_artifact(store, kind, name); !found) return found.error();
  const auto gone = store.erase_document(document_kind, key_of(kind, name));
  if (!gone) return gone.error();
  return {};
}

Result<Artifact> find_artifact(const store::Store& store, std::string_view kind, std::string_view name) {
  if (is_kind(kind)) {
    const auto found = store.document(document_kind, key_of(kind, name));
    if (!found) return found.error();
    if (*found) return Artifact{std::string(kind), std::string(name), std::string((*found)->value.text_of("content"))};
  }
  const auto all = artifacts(store, kind);
  std::string known;
  for (std::size_t i = 0; all && i < all->size() && i < 10; ++i) known += (i == 0 ? "" : ", ") + (*all)[i].name;
  return make_error("ArtifactNotFound",
                    "There is no " + std::string(kind) + " '" + std::string(name) + "'" +
                        (known.empty() ? "." : "; there are: " + known + "."),
                    {}, "Store it with PUT /api/v1/artifacts/" + std::string(kind) + "/NAME.");
}

Result<std::vector<Artifact>> artifacts(const store::Store& store, std::string_view kind) {
  store::DocumentQuery query;
  query.kind = document_kind;
  query.prefix = std::string(kind) + "/";
  const auto documents = store.documents(query);
  if (!documents) return documents.error();
  std::vector<Artifact> out;
  for (const auto& document : *documents) {
    out.push_back({std::string(kind), std::string(document.value.text_of("name")),
                   std::string(document.value.text_of("content"))});
  }
  return out;
}

}  // namespace flowmend::sandbox
