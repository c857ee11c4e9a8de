// Each operation of the real connectors: arguments made from its schema, the request that is built from them, and that
// request read back and compared with the document as it is written. The reading knows nothing of how requests are
// built: it has its own look at the document, its own decoding, its own idea of the rules (connectors.md 2.2, 5).

#include <gtest/gtest.h>

#include <iostream>

#include "connector/conformity_document_test.h"
#include "connector/corpus_test.h"
#include "connector/notification.h"
#include "connector/request.h"

namespace flowmend::connector {
namespace {

class Check {
 public:
  Check(const Value& document, const Value& properties, const Connector& connector, const Operation& operation)
      : document_(document),
        connector_(connector),
        written_(written_at(document, operation)),
        policies_(policies_of(properties, operation.id)) {}

  Value arguments() {
    json::ObjectBuilder flat;
    for (const Value* parameter : written_.parameters) {
      const std::string name(parameter->text_of("name"));
      const std::string place = lower_case(parameter->text_of("in"));
      const Value* needed = parameter->find("required");
      const bool required = needed != nullptr && needed->is_boolean() && needed->as_boolean();
      // A body that only the designer fills is filled by it.
      if (is_internal(*parameter) && !(place == "body" && required)) continue;
      if (place == "body") {
        const Value* schema = parameter->find("schema");
        body_schema_ = schema == nullptr ? no_value : *schema;
        body_ = sample(document_, body_schema_, 0);
        flat.set(name.empty() ? "body" : name, body_);
        continue;
      }
      Value value = sample(document_, *parameter, 0);
      if (value.is_object()) value = "a b/ü&=+";
      const bool free_text = parameter->find("enum") == nullptr;
      if (place == "header" && free_text && value.is_string())
        value = equals_ignoring_case(name, "Content-Type") ? content_type(required) : "plain-text";
      if (policies_.address_parts.contains(lower_case(name))) value = "host.test";
      if (value.is_string() && value.as_string().empty()) continue;
      flat.set(name, value);
      given_[name] = value;
      declared_[name] = parameter;
    }
    // Names in the path that the document does not declare are texts.
    for (std::size_t open = written_.path.find('{'); open != std::string::npos;
         open = written_.path.find('{', open + 1)) {
      const std::size_t close = written_.path.find('}', open);
      if (close == std::string::npos) break;
      const std::string name = written_.path.substr(open + 1, close - open - 1);
      const bool known = std::any_of(written_.parameters.begin(), written_.parameters.end(),
                                     [&](const Value* one) { return one->text_of("name") == name; });
      if (known || name.empty()) continue;
      flat.set(name, Value("a b/ü&=+"));
      given_[name] = "a b/ü&=+";
    }
    return flat.finish();
  }

  /// Empty when the request is what the document asks for.
  std::string differs_from(const OutgoingRequest& request) {
    if (!policies_.route && lower_case(request.method) != written_.method) return "method";
    if (std::string found = check_url(request.url); !found.empty()) return found;
    if (std::string found = check_headers(request); !found.empty()) return found;
    return check_body(request);
  }

  /// Mutants of a good request that this reading takes for good as well: it must have teeth.
  std::size_t unseen(const OutgoingRequest& good, std::size_t& mutants) {
    std::size_t unseen = 0;
    const auto expect_seen = [&](OutgoingRequest mutant) {
      ++mutants;
      unseen += differs_from(mutant).empty() ? 1 : 0;
    };
    const bool plain = !policies_.host && !policies_.route && !document_.text_of("host").empty() &&
                       document_.text_of("host").find('/') == std::string_view::npos;
    if (plain) {
      OutgoingRequest mutant = good;
      mutant.method = good.method == "GET" ? "PUT" : "GET";
      expect_seen(mutant);
      mutant = good;
      mutant.url.insert(std::min(good.url.find('?'), good.url.size()), "/more");
      expect_seen(mutant);
      mutant = good;
      mutant.url += (good.url.find('?') == std::string::npos ? "?" : "&") + std::string("not-declared=1");
      expect_seen(mutant);
    }
    for (const auto& [name, value] : given_) {
      const auto declared = declared_.find(name);
      if (declared == declared_.end() || !plain) continue;
      const std::string place = lower_case(declared->second->text_of("in"));
      OutgoingRequest mutant = good;
      if (place == "query" && !is_credential(name) && !policies_.query.contains(lower_case(name))) {
        const std::string begin = percent_encode(name) + "=";
        std::size_t at = good.url.find('?');
        while (at != std::string::npos && !std::string_view(good.url).substr(at + 1).starts_with(begin))
          at = good.url.find('&', at + 1);
        if (at == std::string::npos) continue;
        mutant.url.insert(at + 1 + begin.size(), "x");
        // Of a list that repeats its name only the number of items is looked at.
        if (value.is_array() && lower_case(declared->second->text_of("collectionFormat")) == "multi") continue;
        expect_seen(mutant);
      }
    }
    if (good.has_body && body_.size() > 0) {
      OutgoingRequest mutant = good;
      mutant.body = body_.is_array() ? "[]" : "{}";
      expect_seen(mutant);
    }
    return unseen;
  }

 private:
  /// One of `consumes` where the step has to say it.
  std::string content_type(bool required) const {
    if (!required) return "";
    return written_.consumes.empty() ? "application/json" : written_.consumes.front();
  }

  std::string check_url(const std::string& url) {
    const std::size_t query_at = std::min(url.find('?'), url.size());
    std::string_view path = std::string_view(url).substr(0, query_at);
    std::string pattern = written_.path.substr(0, written_.path.find('#'));
    std::string fixed;
    if (const std::size_t mark = pattern.find('?'); mark != std::string::npos) {
      fixed = pattern.substr(mark + 1);
      pattern.resize(mark);
    }
    if (!pattern.starts_with('/')) pattern.insert(0, "/");
    if (!policies_.host) {
      const std::string_view host = trim(document_.text_of("host"));
      const std::size_t begin = path.find("://");
      if (begin == std::string_view::npos) return "address: no scheme";
      path.remove_prefix(begin + 3);
      std::string_view base = trim(document_.text_of("basePath"));
      while (base.ends_with('/')) base.remove_suffix(1);
      const bool plain_host =
          !host.empty() && host.find("://") == std::string_view::npos && host.find('/') == std::string_view::npos;
      if (plain_host && !equals_ignoring_case(path.substr(0, path.find('/')), host)) return "address: other host";
      path.remove_prefix(std::min(path.find('/'), path.size()));
      if (plain_host && !base.empty()) {
        const std::string with_slash = base.starts_with('/') ? std::string(base) : "/" + std::string(base);
        if (!path.starts_with(with_slash)) return "address: without basePath";
        path.remove_prefix(with_slash.size());
      }
      if (!policies_.route && plain_host) {
        if (std::string found = path_differs(pattern, path, declared_, given_); !found.empty()) return found;
      }
    }
    auto sent = pairs_of(std::string_view(url).substr(std::min(query_at + 1, url.size())));
    for (const Value* parameter : written_.parameters) {
      const std::string name(parameter->text_of("name"));
      if (lower_case(parameter->text_of("in")) != "query" || !given_.contains(name)) continue;
      if (policies_.query.contains(lower_case(name)) || is_credential(name)) continue;
      const Value& value = given_[name];
      if (value.is_array() && lower_case(parameter->text_of("collectionFormat")) == "multi") {
        std::size_t count = 0;
        for (const auto& [key, text] : sent) count += key == name ? 1 : 0;
        if (count < value.size()) return "query: 'multi' not repeated";
        continue;
      }
      const auto found = std::find_if(sent.begin(), sent.end(), [&](const auto& pair) { return pair.first == name; });
      if (found == sent.end()) return "query: '" + name + "' not sent";
      if (decoded(*parameter, found->second) != expected_text(*parameter, value)) return "query: other value";
    }
    for (const auto& [name, text] : sent) {
      const bool declared =
          std::any_of(written_.parameters.begin(), written_.parameters.end(), [&name = name](const Value* one) {
            return one->text_of("name") == name && lower_case(one->text_of("in")) == "query";
          });
      const bool in_template = fixed.find(name) != std::string::npos;
      if (!declared && !in_template && !policies_.query.contains(lower_case(name)) && !is_credential(name) &&
          !policies_.route && !policies_.host)
        return "query: '" + name + "' sent, not in the document";
    }
    return {};
  }

  std::string check_headers(const OutgoingRequest& request) {
    for (const Value* parameter : written_.parameters) {
      const std::string name(parameter->text_of("name"));
      const std::string lower = lower_case(name);
      if (lower_case(parameter->text_of("in")) != "header" || !given_.contains(name)) continue;
      if (policies_.headers.contains(lower) || is_credential(name) || lower == "content-type" || lower == "host" ||
          lower == "content-length" || lower == "connection" || lower == "transfer-encoding")
        continue;
      const std::string* sent = request.header(name);
      if (sent == nullptr) return "header: '" + name + "' not sent";
      if (*sent != expected_text(*parameter, given_[name])) return "header: other value";
    }
    if (request.header("Accept") == nullptr) return "header: no Accept";
    return {};
  }

  std::string check_body(const OutgoingRequest& request) {
    const std::string* type = request.header("Content-Type");
    bool form = false;
    for (const Value* parameter : written_.parameters)
      form = form || lower_case(parameter->text_of("in")) == "formdata";
    if (form) {
      if (type == nullptr) return "form: no Content-Type";
      const bool multipart = type->starts_with("multipart/");
      const auto sent = multipart ? std::vector<std::pair<std::string, std::string>>() : pairs_of(request.body);
      for (const Value* parameter : written_.parameters) {
        const std::string name(parameter->text_of("name"));
        if (lower_case(parameter->text_of("in")) != "formdata" || !given_.contains(name)) continue;
        const Value& value = given_[name];
        if (multipart) {
          if (request.body.find("name=\"" + name + "\"") == std::string::npos) return "form: part not sent";
          if (request.body.find("\r\n\r\n" + expected_text(*parameter, value) + "\r\n") == std::string::npos)
            return "form: part has another value";
          continue;
        }
        if (lower_case(parameter->text_of("type")) == "file") return "form: a file outside of multipart";
        if (value.is_array() && lower_case(parameter->text_of("collectionFormat")) == "multi") continue;
        const auto found = std::find_if(sent.begin(), sent.end(), [&](const auto& pair) { return pair.first == name; });
        if (found == sent.end()) return "form: '" + name + "' not sent";
        if (decoded(*parameter, found->second) != expected_text(*parameter, value)) return "form: other value";
      }
      return {};
    }
    const bool declares_body = std::any_of(written_.parameters.begin(), written_.parameters.end(),
                                           [](const Value* one) { return lower_case(one->text_of("in")) == "body"; });
    if (!declares_body) return request.has_body ? "body: sent, not in the document" : "";
    if (body_.is_null()) return {};  // an internal body: the document's own
    if (!request.has_body) return "body: not sent";
    if (type == nullptr) return "body: no Content-Type";
    const bool json = type->find("json") != std::string::npos;
    // A Content-Type that the document fixes as a header parameter counts more than `consumes`.
    const Value* fixed_type = nullptr;
    bool own_type = false;
    for (const Value* parameter : written_.parameters) {
      if (lower_case(parameter->text_of("in")) != "header" ||
          !equals_ignoring_case(parameter->text_of("name"), "Content-Type"))
        continue;
      const Value* value = parameter->find("default");
      const Value* required = parameter->find("required");
      const bool needed = required != nullptr && required->is_boolean() && required->as_boolean();
      own_type = value != nullptr || given_.contains(std::string(parameter->text_of("name"))) || needed;
      if (value != nullptr && value->is_string() && (needed || is_internal(*parameter)) &&
          !given_.contains(std::string(parameter->text_of("name"))))
        fixed_type = value;
    }
    if (fixed_type != nullptr &&
        type->substr(0, type->find(';')) != trim(fixed_type->as_string()).substr(0, fixed_type->as_string().find(';')))
      return "body: not the Content-Type that a header parameter fixes";
    if (!written_.consumes.empty() && !own_type) {
      const std::string media = lower_case(trim(type->substr(0, type->find(';'))));
      bool usable = false;
      bool listed = false;
      for (const std::string& one : written_.consumes) {
        const std::string other = lower_case(trim(one.substr(0, one.find(';'))));
        usable = usable || (other.find('/') != std::string::npos && other.find('*') == std::string::npos &&
                            (body_.is_object() || !other.ends_with("form-data")));
        listed = listed || other == media;
      }
      if (usable && !listed) return "body: Content-Type '" + media + "' not in consumes";
    }
    if (!json) {
      if (body_.is_object() && type->starts_with("multipart/form-data")) {
        for (const json::Member& member : body_.as_object()) {
          const std::string begin = "name=\"" + std::string(member.name()) + "\"";
          const std::size_t at = request.body.find(begin);
          if (at == std::string::npos) return "form: part not sent";
          const std::size_t text = request.body.find("\r\n\r\n", at);
          if (text == std::string::npos) return "form: broken part";
          const std::string_view rest = std::string_view(request.body).substr(text + 4);
          if (std::string found = member_differs(member, std::string(rest.substr(0, rest.find("\r\n--"))));
              !found.empty())
            return found;
        }
        return {};
      }
      if (body_.is_object() && type->starts_with("application/x-www-form-urlencoded")) {
        const auto sent = pairs_of(request.body);
        for (const json::Member& member : body_.as_object()) {
          const auto found =
              std::find_if(sent.begin(), sent.end(), [&](const auto& pair) { return pair.first == member.name(); });
          if (found == sent.end()) return "form: '" + std::string(member.name()) + "' not sent";
          if (std::string found_other = member_differs(member, percent_decode(found->second)); !found_other.empty())
            return found_other;
        }
        return {};
      }
      if (!body_.is_string()) return request.body.empty() ? "body: empty" : "";
      return request.body == body_.as_string() ? "" : "body: other text";
    }
    const Value& schema = followed(document_, body_schema_);
    const std::string format = lower_case(schema.text_of("format"));
    if (body_.is_string() && (format == "binary" || format == "byte" || type_of(schema) == "file"))
      return request.body == body_.as_string() ? "" : "body: other bytes";
    auto sent = json::parse(request.body);
    if (!sent) return "body: no JSON";
    if (!policies_.body.empty() && body_.is_object() && sent->is_object()) {
      // policy_test.cpp looks at what policies make of a body; here at all the rest.
      json::ObjectBuilder rest(body_);
      json::ObjectBuilder sent_rest(*sent);
      for (const std::string& name : policies_.body) {
        const Value* moved = body_.find(name);
        if (moved != nullptr && moved->is_object() && sent->find(name) == nullptr)
          for (const json::Member& member : moved->as_object()) sent_rest.remove(member.name());
        rest.remove(name);
        sent_rest.remove(name);
      }
      return differs(document_, body_schema_, rest.finish(), sent_rest.finish(), "body", 0);
    }
    return differs(document_, body_schema_, body_, *sent, "body", 0);
  }

  /// A member of an object body that goes as a form: as it was given, or JSON with what the document fixes inside.
  std::string member_differs(const json::Member& member, const std::string& sent) const {
    const std::string name(member.name());
    if (!member.value.is_object() && !member.value.is_array())
      return sent == expected_text(no_value, member.value) ? "" : "form: '" + name + "' has another value";
    const auto value = json::parse(sent);
    if (!value) return "form: '" + name + "' is no JSON";
    const Value* schema = nullptr;
    each_property(document_, body_schema_, 0, [&](std::string_view property, const Value& written) {
      if (schema == nullptr && property == name) schema = &written;
    });
    return differs(document_, schema == nullptr ? no_value : *schema, member.value, *value, name, 0);
  }

  bool is_credential(const std::string& name) const {
    for (const SecurityDefinition& definition : connector_.security_definitions) {
      if (equals_ignoring_case(definition.name, name)) return true;
    }
    return equals_ignoring_case(name, "Authorization");
  }

  const Value& document_;
  const Connector& connector_;
  Written written_;
  Policies policies_;
  std::map<std::string, Value> given_;
  std::map<std::string, const Value*> declared_;
  Value body_schema_;
  Value body_;
};

TEST(Conformity, RequestsOfRealOperationsAreWhatTheirDocumentsAskFor) {
  const std::string text = read_connector_corpus();
  if (text.empty()) GTEST_SKIP() << "the corpus is not part of the project";
  std::size_t operations = 0;
  std::size_t agreeing = 0;
  std::size_t mutants = 0;
  std::size_t unseen = 0;
  std::map<std::string, std::pair<std::size_t, std::string>> reasons;
  visit_lines(text, [&](const Value& line) {
    const Value* swagger = line.find("swagger");
    const Value* properties = line.find("properties");
    const Loaded loaded =
        load_connector(swagger == nullptr ? Value() : *swagger, properties == nullptr ? Value() : *properties);
    if (!loaded.connector) return;
    const Connector& connector = *loaded.connector;
    json::ObjectBuilder fields(Value::object({{"api_key", "k"}, {"username", "u"}, {"password", "p"}, {"token", "t"}}));
    for (const ConnectionParameter& parameter : connector.connection_parameters)
      fields.set(parameter.name, "host.test");
    const Value values = fields.finish();
    for (const Operation& operation : connector.operations) {
      if (!operation.unavailable.code.empty()) continue;
      ++operations;
      Check check(connector.swagger, properties == nullptr ? no_value : *properties, connector, operation);
      // As a trigger does it: the address that the service is to call stands where the document wants it.
      const Value arguments = with_callback(connector, operation, check.arguments(), "https://callback.test/x");
      auto request = build_request(connector, operation, arguments, values);
      for (std::vector<std::string> asked; request && request->question && asked.size() < 4;) {
        asked.emplace_back("asked");
        request = build_request(connector, operation, arguments, values, asked);
      }
      std::string reason =
          request ? check.differs_from(*request) : request.error().code + ": " + request.error().message.substr(0, 200);
      if (reason.empty()) {
        ++agreeing;
        unseen += check.unseen(*request, mutants);
        continue;
      }
      auto& row = reasons[reason.substr(0, 220)];
      ++row.first;
      if (row.second.empty()) row.second = std::string(line.text_of("id")) + " " + operation.id;
    }
  });
  std::vector<std::pair<std::size_t, std::string>> sorted;
  for (const auto& [reason, row] : reasons) sorted.emplace_back(row.first, reason + "   (" + row.second + ")");
  std::sort(sorted.rbegin(), sorted.rend());
  std::cout << "operations that can run " << operations << ", requests as their documents ask " << agreeing << " ("
            << static_cast<double>(agreeing * 10'000 / std::max<std::size_t>(operations, 1)) / 100 << " %)\n";
  std::cout << "wrong requests made of them " << mutants << ", not noticed " << unseen << "\n";
  for (std::size_t i = 0; i < sorted.size() && i < 30; ++i)
    std::cout << "  " << sorted[i].first << " " << sorted[i].second << "\n";
  EXPECT_GE(agreeing * 1000, operations * 999);
  EXPECT_GT(mutants, operations * 3);
  EXPECT_LE(unseen * 1000, mutants);
}

}  // namespace
}  // namespace flowmend::connector
