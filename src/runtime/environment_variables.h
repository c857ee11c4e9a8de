#pragma once

#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "store/store.h"

namespace flowmend::runtime {

using json::Value;

/// A value that several flows share, by name: an address, a mailbox, a limit. A flow's parameter takes it by
/// `metadata.schemaName`, as solutions of Power Automate declare it (definition::bound_parameters). The value becomes
/// part of the flow's version when the flow is saved, so a run that has begun never sees another one. It is no secret.
struct EnvironmentVariable {
  std::string name;  ///< `contoso_Mailbox`, spelled as it was set first; compares without regard to case
  Value value;       ///< any JSON but null
  std::string description;
  std::string changed_by;
  Timestamp changed;
};

inline constexpr std::string_view environment_variable_kind = "environmentVariable";

/// Reads a document of `environment_variable_kind`, outside of a transaction or within.
using VariableReader = std::function<Result<std::optional<store::Document>>(std::string_view key)>;

/// `values` (`{name: {value}}` or null) with what the variables give to the parameters that `definition` binds. A
/// variable that is not set leaves what is there, so the default holds. The variable wins over a value that was given.
/// A secure parameter is bound to none. Errors: the reader's.
Result<Value> with_variables(const Value& definition, const Value& values, const VariableReader& read);

/// The variables of a server. Threads: any.
class EnvironmentVariables {
 public:
  explicit EnvironmentVariables(store::Store& store) : store_(store) {}

  Result<std::vector<EnvironmentVariable>> list() const;
  Result<std::optional<EnvironmentVariable>> find(std::string_view name) const;
  /// Sets it; flows take it when they are saved next. `InvalidEnvironmentVariable`: a name of other characters than
  /// letters, digits, `_`, `-` and `.`, or of more than 100; null; more than 64 kB.
  Result<void> set(const EnvironmentVariable& variable);
  /// False: there was none.
  Result<bool> erase(std::string_view name);

 private:
  store::Store& store_;
};

}  // namespace flowmend::runtime
