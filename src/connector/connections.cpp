#include "connector/connections.h"

#include <algorithm>
#include <future>

#include "connector/connection_document.h"
#include "connector/sign_in.h"
#include "connector/text.h"
#include "json/parse.h"
#include "json/pointer.h"
#include "json/write.h"

namespace flowmend::connector {
namespace {

constexpr Duration success_written_every = Duration::seconds(60);
constexpr std::size_t affected_max = 10'000;
constexpr std::size_t name_bytes_max = 200;

bool is_name(std::string_view text) {
  return !text.empty() && text.size() <= name_bytes_max && std::all_of(text.begin(), text.end(), [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' || c == '_' ||
           c == '.';
  });
}

}  // namespace

std::string_view status_name(ConnectionStatus status) {
  return status == ConnectionStatus::connected ? "Connected" : "Error";
}

Connections::Connections(store::Store& store, const engine::Sealer& sealer, const Registry& registry,
                         http::Client& client)
    : store_(store),
      sealer_(sealer),
      registry_(registry),
      client_(client),
      sign_ins_(std::make_unique<SignIns>(store, sealer, registry, client, *this)) {}

Connections::~Connections() = default;

Result<void> Connections::load() {
  store::DocumentQuery query;
  query.kind = connection_kind;
  std::map<ConnectionKey, Entry> entries;
  while (true) {
    const auto page = store_.documents(query);
    if (!page) return page.error();
    for (const store::Document& document : *page) {
      const std::size_t slash = document.key.find('/');
      if (slash == std::string::npos) continue;
      const Value& value = document.value;
      Entry entry;
      ConnectionView& view = entry.view;
      view.key = {document.key.substr(0, slash), document.key.substr(slash + 1)};
      view.display_name = value.text_of("displayName");
      view.status = value.text_of("status") == "Error" ? ConnectionStatus::error : ConnectionStatus::connected;
      if (const Value* error = value.find("error")) {
        view.error_code = error->text_of("code");
        view.error_message = error->text_of("message");
      }
      view.parameter_set = value.text_of("parameterSet");
      if (const Value* fields = value.find("fields")) view.clear_fields = *fields;
      view.created_by = value.text_of("createdBy");
      view.created = time_of(value, "createdTime");
      view.modified = time_of(value, "lastModifiedTime");
      view.last_success = time_of(value, "lastSuccessTime");
      entry.written_success = view.last_success;
      if (const Value* failure = value.find("lastFailure")) {
        view.last_failure = read_failure(*failure);
      }
      if (const Value* affected = value.find("affectedRuns"); affected != nullptr && affected->is_array()) {
        for (const Value& run : affected->as_array()) {
          if (run.is_string()) entry.affected.emplace(run.as_string());
        }
      }
      view.affected_runs = entry.affected.size();
      if (const Value* rate = value.find("requestsPerMinute"); rate != nullptr && rate->is_integer())
        view.requests_per_minute = std::clamp<std::int64_t>(rate->as_integer(), 0, rate_max);
      if (const Value* signed_in = value.find("signIn")) view.signed_in = read_signed_in(*signed_in);
      entry.sealed = base64_decode(value.text_of("sealed")).value_or("");
      entries.emplace(view.key, std::move(entry));
    }
    if (page->size() < query.limit) break;
    query.after = page->back().key;
  }
  const std::lock_guard lock(mutex_);
  entries_ = std::move(entries);
  return {};
}

std::vector<ConnectionView> Connections::list() const {
  const std::lock_guard lock(mutex_);
  std::vector<ConnectionView> out;
  for (const auto& [key, entry] : entries_) out.push_back(entry.view);
  return out;
}

std::optional<ConnectionView> Connections::find(const ConnectionKey& key) const {
  const std::lock_guard lock(mutex_);
  const auto found = entries_.find(key);
  return found == entries_.end() ? std::nullopt : std::optional(found->second.view);
}

std::optional<ConnectionKey> Connections::find_by_name(std::string_view name) const {
  const std::lock_guard lock(mutex_);
  std::optional<ConnectionKey> found;
  for (const auto& [key, entry] : entries_) {
    if (key.name != name) continue;
    if (found) return std::nullopt;
    found = key;
  }
  return found;
}

Result<Connections::Split> Connections::split(const Connector& connector, const Value& fields) const {
  json::ObjectBuilder clear;
  json::ObjectBuilder secret;
  if (!fields.is_null() && !fields.is_object()) {
    return make_error("InvalidConnectionParameters", "The connection's parameters are not an object.",
                      "/properties/connectionParameters");
  }
  for (const json::Member& member : fields.is_object() ? fields.as_object() : std::span<const json::Member>()) {
    const auto known =
        std::find_if(connector.connection_parameters.begin(), connector.connection_parameters.end(),
                     [&](const auto& parameter) { return equals_ignoring_case(parameter.name, member.name()); });
    const std::string where = json::join("/properties/connectionParameters", member.name());
    if (known == connector.connection_parameters.end()) {
      return make_error(
          "InvalidConnectionParameters",
          "The connector '" + connector.title + "' has no connection field '" + std::string(member.name()) + "'.",
          where, "Remove it, or correct its name.");
    }
    if (member.value.is_object() || member.value.is_array()) {
      return make_error("InvalidConnectionParameters", "The connection field '" + known->name + "' must be a text.",
                        where, "Give it a text.");
    }
    const std::string text = text_of_value(member.value);
    if (text.size() > 65'536 || text.find_first_of(std::string_view("\r\n\0", 3)) != std::string::npos) {
      return make_error("InvalidConnectionParameters",
                        "The connection field '" + known->name + "' holds a line break or is too long.", where,
                        "Paste it again without line breaks.");
    }
    (is_secret(*known) ? secret : clear).set(known->name, Value(text));
  }
  Split out{clear.finish(), secret.finish()};
  for (const ConnectionParameter& parameter : connector.connection_parameters) {
    if (!parameter.required || parameter.hidden || !parameter.default_value.is_null()) continue;
    if (parameter.kind == ConnectionParameter::Kind::oauth) continue;  // comes with signing in
    const Value* value = is_secret(parameter) ? out.secret.find(parameter.name) : out.clear.find(parameter.name);
    if (value == nullptr || value->as_string().empty()) {
      return make_error("InvalidConnectionParameters", "The connection needs '" + parameter.display_name + "'.",
                        json::join("/properties/connectionParameters", parameter.name),
                        "Fill in '" + parameter.display_name + "'.");
    }
  }
  return out;
}

Result<Value> Connections::open_secrets(const Entry& entry) const {
  if (entry.sealed.empty()) return Value::empty_object();
  const auto opened = sealer_.open(entry.sealed);
  if (!opened) return opened.error();
  const auto secrets = json::parse(*opened);
  return secrets && secrets->is_object() ? *secrets : Value::empty_object();
}

Result<Value> Connections::all_fields(const Entry& entry) const {
  json::ObjectBuilder builder;
  if (entry.view.clear_fields.is_object()) builder = json::ObjectBuilder(entry.view.clear_fields);
  const auto secrets = open_secrets(entry);
  if (!secrets) return secrets.error();
  for (const json::Member& member : secrets->as_object()) {
    if (!member.name().starts_with('$')) builder.set(member.name(), member.value);
  }
  return builder.finish();
}

std::string Connections::seal(const Value& secrets) const {
  return secrets.size() > 0 ? sealer_.seal(json::write(secrets)) : std::string();
}

Value Connections::document_of(const Entry& current) const {
  // Tokens that wait for their commit stand in everything that is written from now on.
  const Entry entry = current.pending ? with_tokens(current, *current.pending) : current;
  const ConnectionView& view = entry.view;
  json::ObjectBuilder builder;
  builder.add("displayName", Value(view.display_name));
  builder.add("status", Value(status_name(view.status)));
  if (view.status == ConnectionStatus::error)
    builder.add("error", Value::object({{"code", Value(view.error_code)}, {"message", Value(view.error_message)}}));
  if (!view.parameter_set.empty()) builder.add("parameterSet", Value(view.parameter_set));
  builder.add_if_set("fields", view.clear_fields);
  if (!entry.sealed.empty()) builder.add("sealed", Value(base64_encode(entry.sealed)));
  builder.add("createdBy", Value(view.created_by));
  add_time(builder, "createdTime", view.created);
  add_time(builder, "lastModifiedTime", view.modified);
  add_time(builder, "lastSuccessTime", view.last_success);
  if (view.last_failure) builder.add("lastFailure", failure_value(*view.last_failure));
  json::ArrayBuilder affected;
  for (const std::string& run : entry.affected) affected.push(Value(run));
  if (affected.size() > 0) builder.add("affectedRuns", affected.finish());
  if (view.requests_per_minute > 0) builder.add("requestsPerMinute", Value(view.requests_per_minute));
  if (view.signed_in) builder.add("signIn", signed_in_value(*view.signed_in));
  return builder.finish();
}

Result<void> Connections::store_entry(const ConnectionKey& key, const Entry& entry) {
  const auto stored = store_.put_document(connection_kind, connection_document_key(key), document_of(entry));
  if (!stored) return stored.error();
  return {};
}

/// For changes of state that a call brings: grouped with other commits, nobody waits.
void Connections::keep(const ConnectionKey& key, const Entry& entry, std::function<void()> done) {
  store::Batch batch;
  store::Document document;
  document.kind = connection_kind;
  document.key = connection_document_key(key);
  document.value = document_of(entry);
  batch.documents.push_back(std::move(document));
  store_.commit(std::move(batch), std::move(done));
}

void Connections::tell(const ConnectionView& view) {
  if (listener_) listener_(view);
}

std::shared_ptr<const Connector> Connections::connector_of(const ConnectionView& view) const {
  auto connector = registry_.find(view.key.api);
  return connector ? with_parameter_set(std::move(connector), view.parameter_set) : nullptr;
}

Result<void> Connections::put_unverified(const ConnectionKey& key, const std::string& display_name,
                                         const ConnectionValues& values, const std::string& by) {
  const Value& fields = values.fields;
  const auto base = registry_.find(key.api);
  const auto connector = base ? with_parameter_set(base, values.parameter_set) : nullptr;
  if (connector && !values.parameter_set.empty() && connector->parameter_set != values.parameter_set) {
    std::string known;
    for (const ParameterSet& set : base->parameter_sets) known += (known.empty() ? "'" : ", '") + set.name + "'";
    return make_error("InvalidConnectionParameterSet",
                      "The connector '" + base->title + "' has no kind of sign-in '" + values.parameter_set + "'.",
                      "/properties/connectionParametersSet/name",
                      known.empty() ? "Leave it out: there is one only." : "Use one of " + known + ".");
  }
  if (!connector)
    return make_error("ApiNotFound", "The connector '" + key.api + "' is not installed.", {},
                      "Import the connector first.");
  if (!is_name(key.name)) {
    return make_error("InvalidConnectionName", "'" + key.name + "' is no name for a connection.", {},
                      "Use letters, digits, '-', '_' and '.'.");
  }
  const auto parts = split(*connector, fields);
  if (!parts) return parts.error();
  Entry entry;
  entry.view.key = key;
  entry.view.parameter_set = connector->parameter_set;
  entry.view.display_name = display_name.empty() ? connector->title : display_name;
  entry.view.clear_fields = parts->clear;
  entry.view.created_by = by;
  entry.view.created = entry.view.modified = now_from_system_clock();
  entry.sealed = seal(parts->secret);
  if (lacks_token(*connector, fields.is_object() ? fields : Value::empty_object())) {
    entry.view.status = ConnectionStatus::error;
    entry.view.error_code = "SignInNeeded";
    entry.view.error_message = sign_in_needed;
  }
  if (const auto before = find(key)) entry.view.requests_per_minute = before->requests_per_minute;
  if (auto stored = store_entry(key, entry); !stored) return stored.error();
  const std::lock_guard lock(mutex_);
  const auto old = entries_.find(key);
  entry.generation = old == entries_.end() ? 1 : old->second.generation + 1;
  entry.sign_in = old == entries_.end() ? 1 : old->second.sign_in + 1;
  // A call's success may have been written for the old one in between.
  if (old != entries_.end()) keep(key, entry);
  entries_[key] = std::move(entry);
  return {};
}

void Connections::put(const ConnectionKey& key, const std::string& display_name, const ConnectionValues& values,
                      const std::string& by, std::function<void(Result<Verification>)> done) {
  const Value& fields = values.fields;
  bool exists = false;
  bool works = false;
  const auto before = find(key);
  if (before && !values.parameter_set.empty() && before->parameter_set != values.parameter_set) {
    return done(make_error("InvalidConnectionParameterSet",
                           "The connection '" + before->display_name + "' signs in by '" + before->parameter_set +
                               "', which can't be changed.",
                           "/properties/connectionParametersSet/name", "Make another connection for that kind."));
  }
  {
    const std::lock_guard lock(mutex_);
    const auto found = entries_.find(key);
    exists = found != entries_.end();
    works = exists && found->second.view.status == ConnectionStatus::connected;
    if (exists && !display_name.empty() && found->second.view.display_name != display_name) {
      found->second.view.display_name = display_name;
      found->second.view.modified = now_from_system_clock();
      keep(key, found->second);
    }
  }
  const auto connector = before ? connector_of(*before) : nullptr;
  const bool signs_in = connector && sign_in_field(*connector) != nullptr;
  // What a sign-in brought is never thrown away for a form that does not hold it.
  if (exists && (fields.size() == 0 || works || signs_in)) {
    verify(key, fields.size() == 0 ? Value() : fields, std::move(done));
    return;
  }
  if (auto stored = put_unverified(key, display_name, values, by); !stored) {
    done(stored.error());
    return;
  }
  verify(key, Value(), std::move(done));
}

Result<void> Connections::set_rate(const ConnectionKey& key, std::int64_t requests_per_minute) {
  if (requests_per_minute < 0 || requests_per_minute > rate_max) {
    return make_error("RateLimitInvalid", "'requestsPerMinute' must be a whole number from 0 to 60000.",
                      "/requestsPerMinute", "Give 0 for any number of requests.");
  }
  if (const auto working = store_.health(); !working) return working.error();
  std::promise<void> durable;
  {
    const std::lock_guard lock(mutex_);
    const auto found = entries_.find(key);
    if (found == entries_.end())
      return make_error("ConnectionNotFound", "There is no connection '" + key.name + "' of '" + key.api + "'.", {},
                        "Make it first.");
    found->second.view.requests_per_minute = requests_per_minute;
    keep(key, found->second, [&durable] { durable.set_value(); });
  }
  durable.get_future().wait();
  return {};
}

Result<bool> Connections::remove(const ConnectionKey& key) {
  const auto erased = store_.erase_document(connection_kind, connection_document_key(key));
  if (!erased) return erased.error();
  const std::lock_guard lock(mutex_);
  entries_.erase(key);
  return *erased;
}

Result<Material> Connections::material(const ConnectionKey& key) const {
  Entry entry;
  {
    const std::lock_guard lock(mutex_);
    const auto found = entries_.find(key);
    if (found == entries_.end()) {
      return make_error("ApiConnectionNotFound",
                        "The API connection '" + key.name + "' of '" + key.api + "' could not be found.", {},
                        "It was deleted or never made: choose another connection for this step, or make it again under "
                        "the same name.");
    }
    entry = found->second;
  }
  Material material;
  material.connector = connector_of(entry.view);
  if (!material.connector)
    return make_error("ApiNotFound", "The connector '" + key.api + "' is not installed.", {}, "Import the connector.");
  auto fields = all_fields(entry);
  if (!fields) return fields.error();
  json::ObjectBuilder with_defaults(*fields);
  for (const ConnectionParameter& parameter : material.connector->connection_parameters) {
    if (fields->find(parameter.name) == nullptr && !parameter.default_value.is_null())
      with_defaults.add(parameter.name, parameter.default_value);
  }
  material.fields = with_defaults.finish();
  material.generation = entry.generation;
  material.display_name = entry.view.display_name;
  material.requests_per_minute = entry.view.requests_per_minute;
  return material;
}

void Connections::report_success(const ConnectionKey& key, std::uint64_t generation) {
  std::optional<ConnectionView> changed;
  {
    const std::lock_guard lock(mutex_);
    const auto found = entries_.find(key);
    if (found == entries_.end() || found->second.generation != generation) return;
    Entry& entry = found->second;
    const Timestamp now = now_from_system_clock();
    entry.view.last_success = now;
    const bool mended = entry.view.status == ConnectionStatus::error;
    if (mended) {
      entry.view.status = ConnectionStatus::connected;
      entry.view.error_code.clear();
      entry.view.error_message.clear();
      changed = entry.view;
    }
    if (mended || now - entry.written_success > success_written_every) {
      entry.written_success = now;
      keep(key, entry);
    }
  }
  if (changed) tell(*changed);
}

void Connections::report_refused(const ConnectionKey& key, std::uint64_t generation, FailedCall call) {
  std::optional<ConnectionView> changed;
  {
    const std::lock_guard lock(mutex_);
    const auto found = entries_.find(key);
    if (found == entries_.end() || found->second.generation != generation) return;
    Entry& entry = found->second;
    const bool broken = call.status_code == 401;
    const bool was_connected = entry.view.status == ConnectionStatus::connected;
    if (broken) {
      if (was_connected) entry.affected.clear();
      if (!call.run.empty() && entry.affected.size() < affected_max) entry.affected.insert(call.run);
      entry.view.affected_runs = entry.affected.size();
      entry.view.status = ConnectionStatus::error;
      const bool over = entry.view.signed_in && !entry.view.signed_in->refusal.empty();
      entry.view.error_code = over ? "SignInExpired" : "Unauthorized";
      entry.view.error_message = over ? entry.view.signed_in->refusal : call.message;
    }
    entry.view.last_failure = std::move(call);
    keep(key, entry);
    if (broken && was_connected) changed = entry.view;
  }
  if (changed) tell(*changed);
}

}  // namespace flowmend::connector
