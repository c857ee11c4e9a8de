#include "connector/connection_document.h"

#include "connector/text.h"

namespace flowmend::connector {

std::string connection_document_key(const ConnectionKey& key) { return key.api + "/" + key.name; }

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

FailedCall read_failure(const Value& value) {
  FailedCall call;
  call.time = time_of(value, "time");
  call.message = value.text_of("message");
  call.flow = value.text_of("flow");
  call.run = value.text_of("run");
  if (const Value* status = value.find("statusCode"); status != nullptr && status->is_integer())
    call.status_code = static_cast<int>(status->as_integer());
  return call;
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

}  // namespace flowmend::connector
