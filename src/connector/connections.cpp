#include "connector/connections.h"

#include <algorithm>
#include <array>

#include "connector/content.h"
#include "connector/mask.h"
#include "connector/native/call.h"
#include "connector/reference.h"
#include "connector/service_message.h"
#include "connector/sign_in.h"
#include "connector/text.h"
#include "json/parse.h"
#include "json/pointer.h"
#include "json/write.h"

namespace flowmend::connector {
namespace {

constexpr std::string_view document_kind = "connection";
constexpr Duration test_timeout = Duration::seconds(30);
constexpr Duration success_written_every = Duration::seconds(60);
constexpr std::size_t affected_max = 10'000;
constexpr std::size_t name_bytes_max = 200;
constexpr Duration renewed_before = Duration::minutes(5);
/// After a renewal that failed in passing, while the old token still holds.
constexpr Duration renewal_pause = Duration::seconds(30);
/// Among the sealed values: what renews the sign-in. No field of a connector is called so.
constexpr std::string_view refresh_field = "$refresh";

std::string document_key(const ConnectionKey& key) { return key.api + "/" + key.name; }

bool is_name(std::string_view text) {
  return !text.empty() && text.size() <= name_bytes_max && std::all_of(text.begin(), text.end(), [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' || c == '_' ||
           c == '.';
  });
}

Timestamp time_of(const Value& value, std::string_view name) {
  return parse_timestamp(value.text_of(name)).value_or(Timestamp());
}

void add_time(json::ObjectBuilder& builder, std::string_view name, Timestamp time) {
  if (time.is_set()) builder.add(name, Value(to_string(time)));
}

Value failure_value(const FailedCall& call) {
  json::ObjectBuilder builder;
  builder.add("time", Value(to_string(call.time)));
  builder.add("statusCode", Value(call.status_code));
  builder.add("message", Value(call.message));
  if (!call.flow.empty()) builder.add("flow", Value(call.flow));
  if (!call.run.empty()) builder.add("run", Value(call.run));
  return builder.finish();
}

std::string refusal_text(int status, const ServiceMessage& said) {
  std::string text = "The service answered " + std::to_string(status);
  if (const std::string_view phrase = reason_phrase(status); !phrase.empty()) text += " (" + std::string(phrase) + ")";
  return said.message.empty() ? text + "." : text + ": " + said.message;
}

std::string error_code_of(int status) {
  if (status == 401) return "Unauthorized";
  if (status == 403) return "Forbidden";
  return status >= 500 || status == 408 || status == 429 ? "ServiceUnreachable" : "TestFailed";
}

const ConnectionParameter* sign_in_field(const Connector& connector) {
  for (const ConnectionParameter& parameter : connector.connection_parameters) {
    if (parameter.kind == ConnectionParameter::Kind::oauth) return &parameter;
  }
  return nullptr;
}

bool lacks_token(const Connector& connector, const Value& fields) {
  const ConnectionParameter* field = sign_in_field(connector);
  return field != nullptr && field->required && fields.text_of(field->name).empty();
}

constexpr std::string_view sign_in_needed = "Nobody has signed in with this connection yet.";

Value signed_in_value(const SignedIn& signed_in) {
  json::ObjectBuilder builder;
  builder.add("grant", Value(signed_in.grant));
  add_time(builder, "expiresTime", signed_in.expires);
  builder.add("lifetimeSeconds", Value(signed_in.lifetime.to_milliseconds() / 1000));
  add_time(builder, "signedInTime", signed_in.time);
  builder.add("renewable", Value(signed_in.renewable));
  if (signed_in.renewing) builder.add("renewing", Value(true));
  if (!signed_in.refusal.empty()) builder.add("refusal", Value(signed_in.refusal));
  return builder.finish();
}

SignedIn read_signed_in(const Value& value) {
  SignedIn out;
  const auto flag = [&](std::string_view name) {
    const Value* found = value.find(name);
    return found != nullptr && found->is_boolean() && found->as_boolean();
  };
  out.grant = value.text_of("grant");
  out.expires = time_of(value, "expiresTime");
  const Value* lifetime = value.find("lifetimeSeconds");
  out.lifetime = Duration::seconds(lifetime != nullptr && lifetime->is_integer() ? lifetime->as_integer() : 3600);
  out.time = time_of(value, "signedInTime");
  out.renewable = flag("renewable");
  out.renewing = flag("renewing");
  out.refusal = value.text_of("refusal");
  return out;
}

std::string_view sign_in_state(const ConnectionView& view) {
  if (!view.signed_in) return "None";
  if (view.signed_in->refusal.empty()) return "SignedIn";
  const bool holds = view.status == ConnectionStatus::connected && view.signed_in->expires > now_from_system_clock();
  return holds ? "Expiring" : "Expired";
}

/// What a service's answer to a test says about the credentials.
Verification judge_test(const http::Reply& reply, const std::vector<std::string>& secrets) {
  Verification answer;
  if (!reply.error_code.empty()) {
    answer.status = ConnectionStatus::error;
    answer.error_code = "ServiceUnreachable";
    answer.error_message = "The service could not be asked, so nothing is known about the credentials: " +
                           mask_secrets(reply.error_message, secrets);
    return answer;
  }
  const Decoded decoded = decode_body(reply.body, http::find_header(reply.headers, "Content-Type"));
  answer.service_status = reply.status;
  answer.service_body = mask_value(decoded.body, secrets);
  if (reply.status >= 200 && reply.status < 300) {
    answer.service_body = Value();
    return answer;
  }
  answer.status = ConnectionStatus::error;
  answer.error_code = error_code_of(reply.status);
  answer.error_message = refusal_text(reply.status, read_service_message(answer.service_body));
  return answer;
}

}  // namespace

std::string_view status_name(ConnectionStatus status) {
  return status == ConnectionStatus::connected ? "Connected" : "Error";
}

std::optional<ConnectionTest> connection_test(const Connector& connector) {
  if (connector.test_connection) {
    const Operation* operation = connector.find_operation(connector.test_connection->operation_id);
    if (operation != nullptr) return ConnectionTest{operation, connector.test_connection->parameters};
  }
  const auto needs_nothing = [](const Operation& operation) {
    return std::all_of(
        operation.parameters.begin(), operation.parameters.end(), [](const OperationParameter& parameter) {
          return !parameter.required || !parameter.default_value.is_null() || parameter.enumeration.size() == 1;
        });
  };
  const auto usable = [&](const Operation& operation) {
    return operation.unavailable.code.empty() && !operation.no_generic_test && !operation.trigger &&
           !operation.security_off && (operation.method == "GET" || operation.safe) && needs_nothing(operation);
  };
  for (const Operation& operation : connector.operations) {
    if (!usable(operation)) continue;
    for (const std::string_view word : {"testconnection", "test connection", "ping", "verify", "whoami", "getme",
                                        "current user", "currentuser", "myself"}) {
      if (contains_ignoring_case(operation.id, word) || contains_ignoring_case(operation.summary, word))
        return ConnectionTest{&operation, Value()};
    }
    if (operation.path.ends_with("/me")) return ConnectionTest{&operation, Value()};
  }
  for (const Operation& operation : connector.operations) {
    if (usable(operation)) return ConnectionTest{&operation, Value()};
  }
  return std::nullopt;
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
  query.kind = document_kind;
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
      if (const Value* fields = value.find("fields")) view.clear_fields = *fields;
      view.created_by = value.text_of("createdBy");
      view.created = time_of(value, "createdTime");
      view.modified = time_of(value, "lastModifiedTime");
      view.last_success = time_of(value, "lastSuccessTime");
      entry.written_success = view.last_success;
      if (const Value* failure = value.find("lastFailure")) {
        FailedCall call;
        call.time = time_of(*failure, "time");
        call.message = failure->text_of("message");
        call.flow = failure->text_of("flow");
        call.run = failure->text_of("run");
        if (const Value* status = failure->find("statusCode"); status != nullptr && status->is_integer())
          call.status_code = static_cast<int>(status->as_integer());
        view.last_failure = std::move(call);
      }
      if (const Value* affected = value.find("affectedRuns"); affected != nullptr && affected->is_array()) {
        for (const Value& run : affected->as_array()) {
          if (run.is_string()) entry.affected.emplace(run.as_string());
        }
      }
      view.affected_runs = entry.affected.size();
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
  if (view.signed_in) builder.add("signIn", signed_in_value(*view.signed_in));
  return builder.finish();
}

Result<void> Connections::store_entry(const ConnectionKey& key, const Entry& entry) {
  const auto stored = store_.put_document(document_kind, document_key(key), document_of(entry));
  if (!stored) return stored.error();
  return {};
}

/// For changes of state that a call brings: grouped with other commits, nobody waits.
void Connections::keep(const ConnectionKey& key, const Entry& entry, std::function<void()> done) {
  store::Batch batch;
  store::Document document;
  document.kind = document_kind;
  document.key = document_key(key);
  document.value = document_of(entry);
  batch.documents.push_back(std::move(document));
  store_.commit(std::move(batch), std::move(done));
}

void Connections::tell(const ConnectionView& view) {
  if (listener_) listener_(view);
}

Result<void> Connections::put_unverified(const ConnectionKey& key, const std::string& display_name, const Value& fields,
                                         const std::string& by) {
  const auto connector = registry_.find(key.api);
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

void Connections::put(const ConnectionKey& key, const std::string& display_name, const Value& fields,
                      const std::string& by, std::function<void(Result<Verification>)> done) {
  bool exists = false;
  bool works = false;
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
  const auto connector = registry_.find(key.api);
  const bool signs_in = connector && sign_in_field(*connector) != nullptr;
  // What a sign-in brought is never thrown away for a form that does not hold it.
  if (exists && (fields.size() == 0 || works || signs_in)) {
    verify(key, fields.size() == 0 ? Value() : fields, std::move(done));
    return;
  }
  if (auto stored = put_unverified(key, display_name, fields, by); !stored) {
    done(stored.error());
    return;
  }
  verify(key, Value(), std::move(done));
}

void Connections::verify(const ConnectionKey& key, const Value& credentials,
                         std::function<void(Result<Verification>)> done) {
  const bool given = credentials.is_object() && credentials.size() > 0;
  if (given || !token_is_due(key) || !token_is_renewable(key))
    return verify_now(key, credentials, true, std::move(done));
  const auto material_now = material(key);
  if (!material_now) return done(material_now.error());
  sign_ins_->renew(key, material_now->generation, true,
                   [this, key, done = std::move(done)](const Result<void>& renewed) {
                     if (renewed || token_still_holds(key)) return verify_now(key, Value(), false, done);
                     Verification answer;
                     answer.status = ConnectionStatus::error;
                     answer.error_code = renewed.error().code;
                     answer.error_message = renewed.error().message;
                     done(std::move(answer));
                   });
}

void Connections::verify_now(const ConnectionKey& key, const Value& credentials, bool may_renew,
                             std::function<void(Result<Verification>)> done) {
  std::optional<Entry> existing;
  {
    const std::lock_guard lock(mutex_);
    if (const auto found = entries_.find(key); found != entries_.end()) existing = found->second;
  }
  if (!existing) {
    done(make_error("ConnectionNotFound", "There is no connection '" + key.name + "' of '" + key.api + "'.", {},
                    "Make it first."));
    return;
  }
  const Entry& entry = *existing;
  const auto connector = registry_.find(key.api);
  if (!connector) {
    done(make_error("ApiNotFound", "The connector '" + key.api + "' is not installed.", {},
                    "Import the connector first."));
    return;
  }
  auto stored_fields = all_fields(entry);
  const bool given = credentials.is_object() && credentials.size() > 0;
  if (!stored_fields && !given) {
    done(stored_fields.error());
    return;
  }
  json::ObjectBuilder merged(stored_fields ? *stored_fields : Value::empty_object());
  if (given) {
    for (const json::Member& member : credentials.as_object()) merged.set(member.name(), member.value);
  }
  const Value fields = merged.finish();
  const auto parts = split(*connector, fields);
  if (!parts) {
    done(parts.error());
    return;
  }
  if (lacks_token(*connector, fields)) {
    Verification answer;
    answer.status = ConnectionStatus::error;
    answer.tested = false;
    answer.error_code = "SignInNeeded";
    answer.error_message = sign_in_needed;
    if (given) {
      // Nothing that works can be lost: there is no token yet. The other fields are kept for the sign-in.
      const std::lock_guard lock(mutex_);
      if (const auto found = entries_.find(key); found != entries_.end()) {
        found->second.view.clear_fields = parts->clear;
        found->second.sealed = seal(parts->secret);
        found->second.generation++;
        keep(key, found->second);
        answer.stored = true;
      }
    }
    done(std::move(answer));
    return;
  }
  // A token typed in by hand replaces a sign-in; other fields leave it.
  const ConnectionParameter* token_field = sign_in_field(*connector);
  const bool keeps_sign_in =
      given && token_field != nullptr && entry.view.signed_in && credentials.text_of(token_field->name).empty();
  Probe question;
  question.material = {connector, fields, entry.generation, entry.view.display_name};
  probe(std::move(question), [this, key, given, may_renew, keeps_sign_in,
                              token_field = token_field == nullptr ? std::string() : token_field->name, parts = *parts,
                              generation = entry.generation, done = std::move(done)](Verification result) {
    if (!given && may_renew && result.service_status == 401 && token_is_renewable(key)) {
      sign_ins_->renew(key, generation, true, [this, key, done](const Result<void>& renewed) {
        if (renewed) return verify_now(key, Value(), false, done);
        Verification answer;
        answer.status = ConnectionStatus::error;
        answer.error_code = renewed.error().code;
        answer.error_message = renewed.error().message;
        done(std::move(answer));
      });
      return;
    }
    // The client's thread: state first, then the store in the background, then the one who asked.
    const bool accepted = result.status == ConnectionStatus::connected;
    std::optional<ConnectionView> changed;
    {
      std::unique_lock lock(mutex_);
      const auto found = entries_.find(key);
      if (found == entries_.end()) {
        lock.unlock();
        done(make_error("ConnectionNotFound", "The connection '" + key.name + "' was deleted in the meantime."));
        return;
      }
      Entry& now = found->second;
      const ConnectionStatus before = now.view.status;
      // While this was asked somebody else may have stored other credentials: then only an accepted set counts.
      const bool current = now.generation == generation;
      const Timestamp time = now_from_system_clock();
      if (accepted && (given || current)) {
        if (given) {
          now.view.clear_fields = parts.clear;
          json::ObjectBuilder secrets(parts.secret);
          if (keeps_sign_in && now.view.signed_in) {
            // As they are now: they may have been renewed while this was asked.
            const auto kept = open_secrets(now);
            for (const std::string_view name : {std::string_view(token_field), refresh_field}) {
              if (const Value* value = kept ? kept->find(name) : nullptr) secrets.set(name, *value);
            }
          } else {
            now.view.signed_in.reset();
            now.pending.reset();
            now.sign_in++;
          }
          now.sealed = seal(secrets.finish());
          now.generation++;
          now.view.modified = time;
          result.stored = true;
        }
        now.view.status = ConnectionStatus::connected;
        now.view.error_code.clear();
        now.view.error_message.clear();
        if (result.tested) now.view.last_success = now.written_success = time;
        keep(key, now);
      } else if (!accepted && !given && current) {
        now.view.status = ConnectionStatus::error;
        now.view.error_code = result.error_code;
        now.view.error_message = result.error_message;
        FailedCall call;
        call.time = time;
        call.status_code = result.service_status;
        call.message = result.error_message;
        now.view.last_failure = std::move(call);
        keep(key, now);
      }
      result.affected_runs = now.affected.size();
      if (now.view.status != before) changed = now.view;
    }
    if (changed) tell(*changed);
    if (!result.stored) return done(std::move(result));
    // Who gave credentials hears that they are stored when they are: commits become durable in their order.
    store_.commit({}, [done, result = std::move(result)]() mutable { done(std::move(result)); });
  });
}

void Connections::probe(Probe question, std::function<void(Verification)> done) {
  const Connector& connector = *question.material.connector;
  if (connector.native != nullptr) {
    const Value fields = native_fields(connector, question.material.fields);
    natives_.verify(*connector.native, fields, test_timeout,
                    [secrets = secrets_of(connector, fields), done = std::move(done)](const http::Reply& reply) {
                      done(judge_test(reply, secrets));
                    });
    return;
  }
  const auto test = connection_test(connector);
  Verification result;
  if (!test) {
    result.tested = false;
    done(std::move(result));
    return;
  }
  auto built = build_request(connector, *test->operation, test->parameters, question.material.fields);
  if (!built) {
    result.status = ConnectionStatus::error;
    result.error_code = built.error().code;
    result.error_message = built.error().message;
    done(std::move(result));
    return;
  }
  http::Request request;
  request.method = built->method;
  request.url = built->url;
  for (auto& [name, value] : built->headers) request.headers.push_back({name, value});
  request.body = std::move(built->body);
  request.timeout = test_timeout;
  request.reply_bytes_max = 1u << 20;
  client_.send(std::move(request), [secrets = built->secrets, done = std::move(done)](const http::Reply& reply) {
    done(judge_test(reply, secrets));
  });
}

Result<bool> Connections::remove(const ConnectionKey& key) {
  const auto erased = store_.erase_document(document_kind, document_key(key));
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
  material.connector = registry_.find(key.api);
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

bool Connections::token_is_due(const ConnectionKey& key) const {
  const std::lock_guard lock(mutex_);
  const auto found = entries_.find(key);
  if (found == entries_.end() || !found->second.view.signed_in) return false;
  const SignedIn& signed_in = *found->second.view.signed_in;
  const Timestamp now = now_from_system_clock();
  if (signed_in.expires <= now) return true;
  const Duration quarter = Duration::milliseconds(signed_in.lifetime.to_milliseconds() / 4);
  return signed_in.expires < now + std::min(renewed_before, quarter) && found->second.renew_again <= now &&
         signed_in.refusal.empty();
}

bool Connections::token_still_holds(const ConnectionKey& key) const {
  const std::lock_guard lock(mutex_);
  const auto found = entries_.find(key);
  return found != entries_.end() && found->second.view.signed_in &&
         found->second.view.signed_in->expires > now_from_system_clock();
}

bool Connections::token_is_renewable(const ConnectionKey& key) const {
  const std::lock_guard lock(mutex_);
  const auto found = entries_.find(key);
  return found != entries_.end() && found->second.view.signed_in && found->second.view.signed_in->renewable;
}

Result<TokenState> Connections::token_state(const ConnectionKey& key) const {
  Entry entry;
  {
    const std::lock_guard lock(mutex_);
    const auto found = entries_.find(key);
    if (found == entries_.end())
      return make_error("ConnectionNotFound", "There is no connection '" + key.name + "' of '" + key.api + "'.", {},
                        "Make it first.");
    entry = found->second;
  }
  TokenState state;
  state.connector = registry_.find(key.api);
  if (!state.connector)
    return make_error("ApiNotFound", "The connector '" + key.api + "' is not installed.", {}, "Import the connector.");
  const auto secrets = open_secrets(entry);
  if (!secrets) return secrets.error();
  const auto fields = all_fields(entry);
  if (!fields) return fields.error();
  json::ObjectBuilder with_defaults(*fields);
  for (const ConnectionParameter& parameter : state.connector->connection_parameters) {
    if (fields->find(parameter.name) == nullptr && !parameter.default_value.is_null())
      with_defaults.add(parameter.name, parameter.default_value);
  }
  state.fields = with_defaults.finish();
  state.refresh_token = secrets->text_of(refresh_field);
  state.generation = entry.generation;
  state.sign_in = entry.sign_in;
  if (entry.view.signed_in) {
    state.grant = entry.view.signed_in->grant;
    state.refusal = entry.view.signed_in->refusal;
    state.renewing = entry.view.signed_in->renewing;
  }
  return state;
}

void Connections::keep_tokens(const ConnectionKey& key, const std::string& grant, const TokenSet& tokens,
                              std::function<void()> done) {
  const auto connector = registry_.find(key.api);
  const ConnectionParameter* field = connector ? sign_in_field(*connector) : nullptr;
  std::unique_lock lock(mutex_);
  const auto found = entries_.find(key);
  if (found == entries_.end() || field == nullptr) {
    lock.unlock();
    return done();  // deleted meanwhile: there is nothing to keep them for
  }
  PendingTokens pending;
  pending.field = field->name;
  pending.access = tokens.access_token;
  pending.refresh = tokens.refresh_token;
  pending.by_sign_in = true;
  pending.signed_in.grant = grant;
  pending.signed_in.time = now_from_system_clock();
  pending.signed_in.lifetime = tokens.lifetime;
  take_tokens(key, found->second, std::move(pending), std::move(done));
}

void Connections::keep_renewed_tokens(const ConnectionKey& key, std::uint64_t sign_in, const TokenSet& tokens,
                                      std::function<void()> done) {
  const auto connector = registry_.find(key.api);
  const ConnectionParameter* field = connector ? sign_in_field(*connector) : nullptr;
  std::unique_lock lock(mutex_);
  const auto found = entries_.find(key);
  if (found == entries_.end() || field == nullptr || !belongs_to(found->second, sign_in)) {
    lock.unlock();
    return done();  // of credentials that are the connection's no more
  }
  PendingTokens pending;
  pending.field = field->name;
  pending.access = tokens.access_token;
  pending.refresh = tokens.refresh_token;
  pending.signed_in = *found->second.view.signed_in;
  pending.signed_in.lifetime = tokens.lifetime;
  take_tokens(key, found->second, std::move(pending), std::move(done));
}

/// True when what came of a renewal of `sign_in` is still the connection's matter.
bool Connections::belongs_to(const Entry& entry, std::uint64_t sign_in) {
  return entry.sign_in == sign_in && entry.view.signed_in && !(entry.pending && entry.pending->by_sign_in);
}

/// Under the lock. Calls go on with the old token until the new one is durable.
void Connections::take_tokens(const ConnectionKey& key, Entry& entry, PendingTokens tokens,
                              std::function<void()> done) {
  tokens.number = ++last_pending_;
  tokens.signed_in.expires = now_from_system_clock() + tokens.signed_in.lifetime;
  tokens.signed_in.renewing = false;
  tokens.signed_in.refusal.clear();
  const std::uint64_t number = tokens.number;
  entry.pending = std::move(tokens);
  keep(key, entry, [this, key, number, done = std::move(done)] {
    std::optional<ConnectionView> mended;
    {
      const std::lock_guard locked(mutex_);
      const auto found = entries_.find(key);
      // Other credentials, or later tokens, may have taken their place.
      if (found != entries_.end() && found->second.pending && found->second.pending->number == number) {
        Entry& now = found->second;
        const bool was_broken = now.view.status == ConnectionStatus::error;
        if (now.pending->by_sign_in) now.sign_in++;
        now = with_tokens(now, *now.pending);
        now.pending.reset();
        now.generation++;
        if (was_broken) mended = now.view;
      }
    }
    if (mended) tell(*mended);
    done();
  });
}

Connections::Entry Connections::with_tokens(const Entry& entry, const PendingTokens& tokens) const {
  Entry next = entry;
  const auto before = open_secrets(next);
  json::ObjectBuilder secrets(before ? *before : Value::empty_object());
  secrets.set(tokens.field, Value(tokens.access));
  // Without a new one that of before stays good; but that of an earlier sign-in belongs to another account.
  if (!tokens.refresh.empty() || tokens.by_sign_in) secrets.set(refresh_field, Value(tokens.refresh));
  const Value all = secrets.finish();
  next.sealed = seal(all);
  next.view.signed_in = tokens.signed_in;
  next.view.signed_in->renewable = tokens.signed_in.grant == grant_client || !all.text_of(refresh_field).empty();
  if (tokens.by_sign_in) next.view.modified = tokens.signed_in.time;
  next.view.status = ConnectionStatus::connected;
  next.view.error_code.clear();
  next.view.error_message.clear();
  next.renew_again = {};
  return next;
}

void Connections::mark_renewing(const ConnectionKey& key, std::function<void()> done) {
  std::unique_lock lock(mutex_);
  const auto found = entries_.find(key);
  if (found == entries_.end() || !found->second.view.signed_in || found->second.view.signed_in->grant == grant_client) {
    lock.unlock();
    return done();  // a client's credentials are the same after any answer that was lost
  }
  found->second.view.signed_in->renewing = true;
  keep(key, found->second, std::move(done));
}

void Connections::renewal_failed(const ConnectionKey& key, std::uint64_t sign_in, bool lost) {
  const std::lock_guard lock(mutex_);
  const auto found = entries_.find(key);
  if (found == entries_.end() || !belongs_to(found->second, sign_in)) return;
  found->second.renew_again = now_from_system_clock() + renewal_pause;
  if (lost || !found->second.view.signed_in->renewing) return;
  found->second.view.signed_in->renewing = false;
  keep(key, found->second);
}

void Connections::refuse_tokens(const ConnectionKey& key, std::uint64_t sign_in, const std::string& message) {
  std::optional<ConnectionView> changed;
  {
    const std::lock_guard lock(mutex_);
    const auto found = entries_.find(key);
    if (found == entries_.end() || !belongs_to(found->second, sign_in)) return;
    Entry& entry = found->second;
    entry.view.signed_in->refusal = message;
    entry.view.signed_in->renewing = false;
    if (entry.view.signed_in->expires > now_from_system_clock()) return keep(key, entry);  // calls still go well
    const bool was_connected = entry.view.status == ConnectionStatus::connected;
    if (was_connected) {
      entry.affected.clear();
      entry.view.affected_runs = 0;
    }
    entry.view.status = ConnectionStatus::error;
    entry.view.error_code = "SignInExpired";
    entry.view.error_message = message;
    FailedCall call;
    call.time = now_from_system_clock();
    call.status_code = 401;
    call.message = message;
    entry.view.last_failure = std::move(call);
    keep(key, entry);
    if (was_connected) changed = entry.view;
  }
  if (changed) tell(*changed);
}

std::map<ConnectionKey, std::vector<Value>> Connections::flows_by_connection() const {
  std::map<ConnectionKey, std::vector<Value>> out;
  const auto flows = store_.flows();
  if (!flows) return out;
  for (const store::FlowRow& flow : *flows) {
    const auto version = store_.flow_version(flow.id, flow.version);
    if (!version || !version->has_value() || !(*version)->connection_references.is_object()) continue;
    std::set<ConnectionKey> seen;
    for (const json::Member& member : (*version)->connection_references.as_object()) {
      const Value host = Value::object({{"connectionName", member.key}});
      const auto reference = resolve_reference(host, (*version)->connection_references);
      if (!reference || !seen.insert({reference->api, reference->name}).second) continue;
      out[{reference->api, reference->name}].push_back(
          Value::object({{"flow", Value(flow.id)}, {"displayName", Value(flow.display_name)}}));
    }
  }
  return out;
}

Value Connections::describe(const ConnectionView& view) const { return describe_all({view}).front(); }

std::vector<Value> Connections::describe_all(const std::vector<ConnectionView>& views) const {
  const auto flows = flows_by_connection();
  std::vector<Value> out;
  for (const ConnectionView& view : views) {
    const auto found = flows.find(view.key);
    out.push_back(describe(view, found == flows.end() ? std::vector<Value>() : found->second));
  }
  return out;
}

Value Connections::describe(const ConnectionView& view, const std::vector<Value>& used_by) const {
  const std::string api_id = "/providers/Microsoft.PowerApps/apis/" + view.key.api;
  const auto connector = registry_.find(view.key.api);
  json::ObjectBuilder status;
  status.add("status", Value(status_name(view.status)));
  if (view.status == ConnectionStatus::error) {
    status.add("target",
               connector && kind_of(*connector) == ConnectionKind::bearer ? Value("token") : Value("credentials"));
    status.add("error", Value::object({{"code", Value(view.error_code)}, {"message", Value(view.error_message)}}));
  }

  json::ArrayBuilder fields;
  std::string account;
  if (connector) {
    for (const ConnectionParameter& parameter : connector->connection_parameters) {
      if (parameter.hidden) continue;
      json::ObjectBuilder field;
      field.add("name", Value(parameter.name));
      field.add("displayName", Value(parameter.display_name));
      field.add("secret", Value(is_secret(parameter)));
      field.add("required", Value(parameter.required));
      if (!is_secret(parameter)) {
        if (const Value* value = view.clear_fields.find(parameter.name)) {
          field.add("value", *value);
          if (account.empty() && equals_ignoring_case(parameter.name, "username")) account = text_of_value(*value);
        }
      }
      fields.push(field.finish());
    }
  }
  json::ObjectBuilder own;
  own.add("connectorDisplayName", Value(connector ? connector->title : view.key.api));
  own.add("kind", Value(connector ? kind_name(kind_of(*connector)) : "none"));
  own.add("fields", fields.finish());
  own.add("usedBy", Value::array(std::vector<Value>(used_by)));
  add_time(own, "lastSuccessTime", view.last_success);
  if (view.last_failure) own.add("lastFailure", failure_value(*view.last_failure));
  own.add("affectedRuns", Value(static_cast<std::int64_t>(view.affected_runs)));
  if (connector && sign_in_field(*connector) != nullptr) {
    json::ObjectBuilder sign_in;
    if (view.signed_in) sign_in = json::ObjectBuilder(signed_in_value(*view.signed_in));
    sign_in.add("state", Value(sign_in_state(view)));
    if (const auto registered = sign_ins_->registration(view.key.api); registered && registered->is_object())
      sign_in.add("missing", *registered->find("missing"));
    own.add("signIn", sign_in.finish());
  }

  json::ObjectBuilder properties;
  properties.add("apiId", Value(api_id));
  properties.add("displayName", Value(view.display_name));
  properties.add("statuses", Value::array({status.finish()}));
  if (!view.created_by.empty())
    properties.add("createdBy",
                   Value::object({{"id", Value(view.created_by)}, {"displayName", Value(view.created_by)}}));
  add_time(properties, "createdTime", view.created);
  add_time(properties, "lastModifiedTime", view.modified);
  if (!account.empty()) properties.add("accountName", Value(account));
  properties.add("connectionParameters", view.clear_fields.is_object() ? view.clear_fields : Value::empty_object());
  properties.add("flowmend", own.finish());

  return Value::object({{"name", Value(view.key.name)},
                        {"id", Value(api_id + "/connections/" + view.key.name)},
                        {"type", Value("Microsoft.PowerApps/apis/connections")},
                        {"properties", properties.finish()}});
}

}  // namespace flowmend::connector
