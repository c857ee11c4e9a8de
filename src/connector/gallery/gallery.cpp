#include "connector/gallery/gallery.h"

#include <cstdio>

namespace flowmend::connector {
namespace {

constexpr std::string_view connector_kind = "connector";
constexpr std::string_view version_kind = "connector-version";
constexpr std::size_t name_bytes_max = 128;
constexpr std::size_t names_max = 200;  ///< of one list of a change: a document may hold thousands of operations

std::string version_key(const std::string& name, std::int64_t number) {
  char digits[24];
  std::snprintf(digits, sizeof digits, "%06lld", static_cast<long long>(number));
  return name + "/" + digits;
}

std::int64_t number_of(const store::Document& document) {
  const Value* number = document.value.find("number");
  return number != nullptr && number->is_integer() ? number->as_integer() : 0;
}

store::DocumentQuery versions_of(const std::string& name) {
  store::DocumentQuery query;
  query.kind = version_kind;
  query.prefix = name + "/";
  return query;
}

Value names_value(const std::vector<std::string>& names) {
  json::ArrayBuilder list;
  for (std::size_t i = 0; i < names.size() && i < names_max; ++i) list.push(Value(names[i]));
  return list.finish();
}

std::vector<std::string> names_of(const Value& change, std::string_view name) {
  std::vector<std::string> out;
  const Value* list = change.find(name);
  if (list == nullptr || !list->is_array()) return out;
  for (const Value& one : list->as_array()) {
    if (one.is_string()) out.emplace_back(one.as_string());
  }
  return out;
}

Value version_value(std::int64_t number, const Value& documents, std::size_t operations, const std::string& by,
                    const std::string& from, Timestamp time, const ConnectorChange& change) {
  json::ObjectBuilder value;
  value.add("number", Value(number));
  value.add("documents", documents);
  value.add("operations", Value(static_cast<std::int64_t>(operations)));
  if (!by.empty()) value.add("by", Value(by));
  if (!from.empty()) value.add("from", Value(from));
  if (time.is_set()) value.add("time", Value(to_string(time)));
  value.add("change", Value::object({{"added", names_value(change.added)},
                                     {"removed", names_value(change.removed)},
                                     {"changed", names_value(change.changed)},
                                     {"newlyRequired", names_value(change.newly_required)}}));
  return value.finish();
}

ConnectorVersion version_of(const Value& value) {
  ConnectorVersion version;
  const Value* number = value.find("number");
  version.number = number != nullptr && number->is_integer() ? number->as_integer() : 0;
  const Value* operations = value.find("operations");
  version.operations =
      operations != nullptr && operations->is_integer() ? static_cast<std::size_t>(operations->as_integer()) : 0;
  version.by = value.text_of("by");
  version.from = value.text_of("from");
  version.time = parse_timestamp(value.text_of("time")).value_or(Timestamp());
  if (const Value* change = value.find("change")) {
    version.change.added = names_of(*change, "added");
    version.change.removed = names_of(*change, "removed");
    version.change.changed = names_of(*change, "changed");
    version.change.newly_required = names_of(*change, "newlyRequired");
  }
  return version;
}

/// Names stand in addresses, in keys of the store and in flows.
bool is_name(std::string_view name) {
  return !name.empty() && name.size() <= name_bytes_max &&
         name.find_first_not_of("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_.-") ==
             std::string_view::npos;
}

Error no_connector(std::string_view api) {
  return make_error("ApiNotFound", "The connector '" + std::string(api) + "' is not installed.", {}, "Import it.");
}

}  // namespace

Result<Imported> Gallery::import(const Value& swagger, const Value& properties, const LoadOptions& options,
                                 const std::string& by, const std::string& from) {
  Imported imported;
  if (!options.name.empty() && !is_name(options.name)) {
    return make_error(
        "ConnectorNameInvalid", "'" + options.name.substr(0, 200) + "' can't be a connector's name.", {},
        "Use up to " + std::to_string(name_bytes_max) + " letters, digits, _, - and dots, as shared_orders.");
  }
  // Compared here, not in the transaction: every commit of the server would wait for it.
  const Loaded loaded = load_connector(swagger, properties, options);
  const auto before = loaded.connector ? registry_.find(loaded.connector->name) : nullptr;
  const ConnectorChange change = before ? compare_connectors(*before, *loaded.connector) : ConnectorChange();
  const auto keep = [&](store::Transaction& transaction, const Connector& next,
                        const Value& documents) -> Result<bool> {
    imported.made = false;
    const auto stored = transaction.document(connector_kind, next.name);
    auto kept = transaction.documents(versions_of(next.name));
    std::int64_t last = kept.empty() ? 0 : number_of(kept.back());
    if (stored && stored->value == documents) {
      imported.version = last;
      return false;
    }
    imported.changed = true;
    imported.made = !stored.has_value();
    // Installed before versions were kept: what it was must not be lost.
    if (stored && kept.empty()) {
      const Value former =
          version_value(++last, stored->value, before ? before->operations.size() : 0, {}, {}, Timestamp(), {});
      if (const auto put = transaction.put_document(version_kind, version_key(next.name, last), former); !put)
        return put.error();
    }
    if (stored) imported.change = change;
    imported.version = last + 1;
    const Value version = version_value(imported.version, documents, next.operations.size(), by, from,
                                        now_from_system_clock(), imported.change);
    if (const auto put = transaction.put_document(version_kind, version_key(next.name, imported.version), version);
        !put)
      return put.error();
    for (std::size_t i = 0; i + versions_max <= kept.size(); ++i) {
      if (const auto erased = transaction.erase_document(version_kind, kept[i].key); !erased) return erased.error();
    }
    return true;
  };
  auto installed = registry_.install(swagger, properties, options, keep);
  if (!installed) return installed.error();
  imported.findings = std::move(installed->diagnostics);
  imported.connector = installed->connector;
  return imported;
}

Result<std::vector<ConnectorVersion>> Gallery::versions(std::string_view api) const {
  const auto connector = registry_.find(api);
  if (!connector) return no_connector(api);
  const auto kept = store_.documents(versions_of(connector->name));
  if (!kept) return kept.error();
  std::vector<ConnectorVersion> out;
  for (auto one = kept->rbegin(); one != kept->rend(); ++one) {
    out.push_back(version_of(one->value));
    out.back().current = one == kept->rbegin();
  }
  if (out.empty() && connector->native == nullptr) {
    ConnectorVersion only;
    only.number = 1;
    only.operations = connector->operations.size();
    only.current = true;
    out.push_back(std::move(only));
  }
  return out;
}

Result<Imported> Gallery::restore(std::string_view api, std::int64_t number, const std::string& by) {
  const auto connector = registry_.find(api);
  if (!connector) return no_connector(api);
  const auto kept = store_.document(version_kind, version_key(connector->name, number));
  if (!kept) return kept.error();
  const Value* documents = kept->has_value() ? (*kept)->value.find("documents") : nullptr;
  const Value* swagger = documents == nullptr ? nullptr : documents->find("swagger");
  if (swagger == nullptr) {
    return make_error("ConnectorVersionNotFound",
                      "The connector '" + connector->name + "' has no version " + std::to_string(number) + ".", {},
                      "List its versions; the last " + std::to_string(versions_max) + " are kept.");
  }
  const Value* properties = documents->find("properties");
  const Value* script = documents->find("hasScript");
  LoadOptions options;
  options.name = connector->name;
  options.has_script = script != nullptr && script->is_boolean() && script->as_boolean();
  return import(*swagger, properties == nullptr ? Value() : *properties, options, by,
                "version " + std::to_string(number));
}

Result<bool> Gallery::remove(std::string_view api) {
  return registry_.remove(api, [](store::Transaction& transaction, const std::string& name) -> Result<void> {
    for (const store::Document& version : transaction.documents(versions_of(name))) {
      if (const auto erased = transaction.erase_document(version_kind, version.key); !erased) return erased.error();
    }
    return {};
  });
}

}  // namespace flowmend::connector
