#include "runtime/schema_check.h"

#include <boost/json.hpp>
#include <valijson/adapters/boost_json_adapter.hpp>
#include <valijson/schema.hpp>
#include <valijson/schema_parser.hpp>
#include <valijson/validation_results.hpp>
#include <valijson/validator.hpp>

namespace flowmend::runtime {

namespace {

constexpr std::size_t findings_max = 20;

boost::json::value to_boost(const Value& value) {
  switch (value.type()) {
    case json::Type::null: return nullptr;
    case json::Type::boolean: return value.as_boolean();
    case json::Type::integer: return value.as_integer();
    case json::Type::floating: return value.as_floating();
    case json::Type::decimal: return value.to_double();
    case json::Type::string: return boost::json::string(value.as_string());
    case json::Type::array: {
      boost::json::array array;
      for (const auto& item : value.as_array()) array.push_back(to_boost(item));
      return array;
    }
    case json::Type::object: {
      boost::json::object object;
      for (const auto& member : value.as_object()) object.insert_or_assign(member.name(), to_boost(member.value));
      return object;
    }
  }
  return nullptr;
}

}  // namespace

std::vector<std::string> check_schema(const Value& schema, const Value& value) {
  std::vector<std::string> findings;
  try {
    const auto schema_json = to_boost(schema);
    const auto value_json = to_boost(value);
    valijson::Schema compiled;
    valijson::SchemaParser parser;
    parser.populateSchema(valijson::adapters::BoostJsonAdapter(schema_json), compiled);
    valijson::Validator validator;
    valijson::ValidationResults results;
    if (validator.validate(compiled, valijson::adapters::BoostJsonAdapter(value_json), &results)) return findings;
    valijson::ValidationResults::Error error;
    while (findings.size() < findings_max && results.popError(error)) {
      std::string place;
      for (const auto& step : error.context) place += step;
      findings.push_back(error.description + " Path '" + place + "'.");
    }
    if (findings.empty()) findings.emplace_back("The value does not match.");
  } catch (const std::exception& exception) {
    findings.emplace_back(std::string("The schema can't be used: ") + exception.what());
  }
  return findings;
}

}  // namespace flowmend::runtime
