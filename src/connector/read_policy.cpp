#include "connector/read_policy.h"

#include "connector/text.h"

namespace flowmend::connector {
namespace {

class Reader {
 public:
  explicit Reader(const Value& instance) : parameters_(instance.find("parameters")) {
    policy_.operations = text_list(find("x-ms-apimTemplate-operationName"));
    policy_.exists_action = lower_case(text("existsAction"));
    id_ = lower_case(trim(instance.text_of("templateId")));
  }

  std::optional<Policy> read() {
    const Value* written = find("x-ms-apimTemplate-policySection");
    const std::string section = lower_case(written == nullptr ? std::string() : text_of_value(*written));
    if (section == "response") {
      policy_.section = Policy::Section::response;
    } else if (section == "failure") {
      policy_.section = Policy::Section::failure;
    } else if (!section.empty() && section != "request") {
      return std::nullopt;
    }
    const bool known = id_ == "setheader" ? read_pair(Policy::Kind::set_header) : read_request() || read_body();
    return known ? std::optional(std::move(policy_)) : std::nullopt;
  }

 private:
  const Value* find(std::string_view name) const {
    return parameters_ == nullptr ? nullptr : parameters_->find_ignoring_case(name);
  }
  std::string text(std::string_view name) const {
    const Value* value = find("x-ms-apimTemplateParameter." + std::string(name));
    return value == nullptr ? std::string() : text_of_value(*value);
  }
  bool flag(std::string_view name, bool otherwise) const {
    const std::string written = lower_case(trim(text(name)));
    return written.empty() ? otherwise : written == "true";
  }

  bool read_pair(Policy::Kind kind) {
    policy_.kind = kind;
    policy_.name = text("name");
    policy_.value = text("value");
    return !policy_.name.empty();
  }

  /// What has a meaning whatever the section says, or in that of requests alone.
  bool read_request() {
    using Kind = Policy::Kind;
    if (id_ == "updatenextlink") {
      policy_.kind = Kind::next_link;
      const auto parent = read_policy_path(text("nextLinkParentPropertyPath"));
      for (const auto& step : parent ? parent->steps : PolicySteps())
        if (const auto* name = std::get_if<std::string>(&step)) policy_.name += *name + ".";
      policy_.name += text("nextLinkPropertyName");
      return true;
    }
    if (id_ == "setconnectionstatustounauthenticated") {
      policy_.kind = Kind::unauthenticated_status;
      policy_.section = Policy::Section::request;
      policy_.value = trim(text("statusCode"));
      return true;
    }
    if (policy_.section != Policy::Section::request) return false;
    if (id_ == "setqueryparameter") return read_pair(Kind::set_query);
    if (id_ == "dynamichosturl" || id_ == "dynamicsubdomain") {
      policy_.kind = Kind::host_url;
      policy_.value = text("urlTemplate");
      return true;
    }
    policy_.method = text("httpMethod");
    if (contains_ignoring_case(policy_.method, "OriginalHTTPMethod")) policy_.method.clear();
    if (id_ == "routerequesttoendpoint") {
      policy_.kind = Kind::route;
      policy_.value = text("newPath");
      return true;
    }
    return id_ == "setvaluefromurl" && read_question();
  }

  /// `parameterTemplate` is `@headers('X')` or `@queryParameters('x')`: what the value becomes.
  bool read_question() {
    policy_.kind = Policy::Kind::value_from_url;
    policy_.value = text("parameterValueUrl");
    const std::string target = text("parameterTemplate");
    const std::size_t open = target.find_first_of("'\"");
    const std::size_t close = open == std::string::npos ? open : target.find_first_of("'\"", open + 1);
    if (close == std::string::npos || policy_.value.empty()) return false;
    policy_.name = target.substr(open + 1, close - open - 1);
    policy_.of_query = contains_ignoring_case(std::string_view(target).substr(0, open), "query");
    auto answer = read_policy_path(text("parameterValuePathTemplate"));
    if (!answer || policy_.name.empty()) return false;
    policy_.answer = std::move(answer->steps);
    return true;
  }

  /// `parent` and `sub` name the parameters; a parent that is not written is the body.
  bool read_place(std::string_view parent, std::string_view sub) {
    const std::string written = text(parent);
    auto path = trim(written).empty() ? std::optional(PolicyPath()) : read_policy_path(written);
    auto steps = read_policy_steps(text(sub));
    if (!path || path->of_item || !steps) return false;
    policy_.change.parent = std::move(*path);
    policy_.change.sub = std::move(*steps);
    return true;
  }

  bool read_target() {
    const std::string written = text("newPropertyPath");
    if (trim(written).empty()) return true;
    policy_.change.target = read_policy_path(written);
    return policy_.change.target.has_value();
  }

  bool read_body() {
    using Kind = Policy::Kind;
    BodyChange& change = policy_.change;
    if (id_ == "setproperty") {
      policy_.kind = Kind::set_property;
      change.text = text("propertyValuePathTemplate");
      return read_place("newPropertyParentPathTemplate", "newPropertySubPathTemplate");
    }
    if (id_ == "moveproperties") {
      policy_.kind = Kind::move_properties;
      change.only_children = flag("copyOnlySubProperties", false);
      if (!read_place("srcParentPath", "srcSubPath")) return false;
      const std::string parent = text("dstParentPath");
      auto target = trim(parent).empty() ? std::optional(PolicyPath()) : read_policy_path(parent);
      const auto sub = read_policy_steps(text("dstSubPath"));
      if (!target || !sub) return false;
      target->steps.insert(target->steps.end(), sub->begin(), sub->end());
      change.target_names_it = !sub->empty();
      change.target = std::move(target);
      return true;
    }
    if (id_ == "stringreplace") {
      policy_.kind = Kind::replace_text;
      change.search = text("sourceString");
      change.text = text("replacementString");
    } else if (id_ == "encodepropertyvalue") {
      policy_.kind = Kind::encode_text;
    } else if (id_ == "convertobjecttoarray") {
      policy_.kind = Kind::object_to_array;
      change.key = text("keyName").empty() ? "key" : text("keyName");
      change.value = text("valueName").empty() ? "value" : text("valueName");
    } else if (id_ == "convertarraytoobject") {
      policy_.kind = Kind::array_to_object;
      change.key = text("keyWithinCollectionPath");
      change.keeps_key = flag("retainKey", true);
    } else if (id_ == "stringtoarray") {
      policy_.kind = Kind::text_to_array;
      change.search = text("delimiterList");
      change.value = text("childPropertyName");
    } else {
      return false;
    }
    return read_place("propertyParentPath", "propertySubPath") && read_target();
  }

  const Value* parameters_;
  std::string id_;
  Policy policy_;
};

}  // namespace

std::optional<Policy> read_policy(const Value& instance) { return Reader(instance).read(); }

}  // namespace flowmend::connector
