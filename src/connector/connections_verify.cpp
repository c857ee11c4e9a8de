// Asking services about credentials: with the connector's own test operation, before anything is stored.

#include <algorithm>
#include <array>

#include "connector/connection_document.h"
#include "connector/connections.h"
#include "connector/content.h"
#include "connector/mask.h"
#include "connector/native/call.h"
#include "connector/service_message.h"
#include "connector/sign_in.h"
#include "connector/text.h"

namespace flowmend::connector {
namespace {

constexpr Duration test_timeout = Duration::seconds(30);

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
  const auto connector = connector_of(entry.view);
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
      sign_ins_->renew(key, generation, true, [this, key, generation, done](const Result<void>& renewed) {
        if (renewed) return verify_now(key, Value(), false, done);
        if (renewed.error().code == "SignInExpired") {
          FailedCall call;
          call.time = now_from_system_clock();
          call.status_code = 401;
          call.message = renewed.error().message;
          report_refused(key, generation, std::move(call));
        }
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
  ask_service(std::move(question), *test, {}, std::move(done));
}

void Connections::ask_service(Probe question, const ConnectionTest& test, std::vector<std::string> asked,
                              std::function<void(Verification)> done) {
  auto built =
      build_request(*question.material.connector, *test.operation, test.parameters, question.material.fields, asked);
  const auto fail = [](const Error& error) {
    Verification result;
    result.status = ConnectionStatus::error;
    result.error_code = error.code;
    result.error_message = error.message;
    return result;
  };
  if (!built) return done(fail(built.error()));
  http::Request request;
  request.method = built->method;
  request.url = built->url;
  for (const auto& [name, value] : built->headers) request.headers.push_back({name, value});
  request.body = std::move(built->body);
  request.timeout = test_timeout;
  request.reply_bytes_max = 1u << 20;
  // What a policy asks for first must be known before the operation itself can be tried.
  client_.send(std::move(request),
               [this, fail, built = std::move(*built), question = std::move(question), test, asked = std::move(asked),
                done = std::move(done)](const http::Reply& reply) mutable {
                 if (!built.question || reply.status < 200 || reply.status > 299)
                   return done(judge_test(reply, built.secrets));
                 auto value = answered_value(built, reply.body);
                 if (!value) return done(fail(value.error()));
                 asked.push_back(std::move(*value));
                 ask_service(std::move(question), test, std::move(asked), std::move(done));
               });
}

}  // namespace flowmend::connector
