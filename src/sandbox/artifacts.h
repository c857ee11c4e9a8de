#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "store/store.h"

namespace flowmend::sandbox {

// Maps (XSLT) and schemas (XSD) that flows name: what an integration account holds in Logic Apps. Kept as documents
// `artifact` under `map/NAME` and `schema/NAME`; names compare as they are.

inline constexpr std::size_t artifact_bytes_max = 8u << 20;

struct Artifact {
  std::string kind;  ///< `map` or `schema`
  std::string name;
  std::string content;
};

/// `ArtifactInvalid` for another kind, a name that is empty, long or holds a slash, or content that is too large or no
/// UTF-8.
Result<void> put_artifact(store::Store& store, const Artifact& artifact);
/// `ArtifactNotFound`.
Result<void> remove_artifact(store::Store& store, std::string_view kind, std::string_view name);
/// `ArtifactNotFound`, naming what is there.
Result<Artifact> find_artifact(const store::Store& store, std::string_view kind, std::string_view name);
Result<std::vector<Artifact>> artifacts(const store::Store& store, std::string_view kind);

}  // namespace flowmend::sandbox
