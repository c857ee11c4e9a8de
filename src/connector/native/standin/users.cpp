// Office 365 Users over the table `users`: one row a person, with the columns that flows read.

#include <algorithm>

#include "connector/native/standin/standin.h"
#include "connector/native/tables_connector.h"
#include "connector/text.h"

namespace flowmend::connector {
namespace {

constexpr std::string_view document =
    R"json({"swagger":"2.0","info":{"title":"Office 365 Users (stand-in)","description":"People, kept in the table 'users' of this server.","version":"1.0"},
  "host":"users.native","basePath":"/","schemes":["https"],"consumes":["application/json"],"produces":["application/json"],
  "parameters":{
    "id":{"name":"id","in":"path","required":true,"type":"string","x-ms-summary":"User (UPN)"},
    "select":{"name":"$select","in":"query","type":"string","x-ms-summary":"Select fields"}},
  "paths":{
    "/codeless/v1.0/users/{id}":{"get":{"operationId":"UserProfile_V2","summary":"Get user profile (V2)","parameters":[{"$ref":"#/parameters/id"},{"$ref":"#/parameters/select"}],"responses":{"200":{"description":"A person"}}}},
    "/codeless/v1.0/me":{"get":{"operationId":"MyProfile_V2","summary":"Get my profile (V2)","parameters":[{"$ref":"#/parameters/select"}],"responses":{"200":{"description":"A person"}}}},
    "/codeless/v1.0/users/{id}/manager":{"get":{"operationId":"Manager_V2","summary":"Get manager (V2)","parameters":[{"$ref":"#/parameters/id"},{"$ref":"#/parameters/select"}],"responses":{"200":{"description":"A person"}}}},
    "/codeless/v1.0/users/{id}/directReports":{"get":{"operationId":"DirectReports_V2","summary":"Get direct reports (V2)","parameters":[{"$ref":"#/parameters/id"},{"$ref":"#/parameters/select"}],"responses":{"200":{"description":"People"}}}},
    "/v2/users":{"get":{"operationId":"SearchUserV2","summary":"Search for users (V2)","parameters":[{"name":"searchTerm","in":"query","type":"string"},{"name":"isSearchTermRequired","in":"query","type":"boolean"},{"name":"top","in":"query","type":"integer"}],"responses":{"200":{"description":"People"}}}}}})json";

constexpr std::string_view connection =
    R"json({"properties":{"iconBrandColor":"#eb3c00","capabilities":["actions"],"connectionParameters":{
  "me":{"type":"string","uiDefinition":{"displayName":"I am","description":"userPrincipalName or mail of the person that 'Get my profile' gives","constraints":{"required":"false","tabIndex":1}}}}}})json";

constexpr std::string_view table = "users";

class Users final : public NativeConnector {
 public:
  explicit Users(store::Store& store) : rows_(store) {}
  std::string_view name() const override { return "shared_office365users"; }
  std::string_view swagger() const override { return document; }
  std::string_view properties() const override { return connection; }
  http::Reply verify(const Value&, Duration) override {
    const auto found = rows_.tables().find(table);
    return found ? native_json(200, Value::empty_object()) : table_error(missing_table());
  }

  http::Reply call(const NativeCall& call) override {
    const auto page = rows_.tables().rows(table, {.top = table_rows_max});
    if (!page) return table_error(page.error().code == "TableNotFound" ? missing_table() : page.error());
    const std::string& operation = call.operation->id;
    const auto select = odata::parse_select(text_argument(call, "$select"));
    if (operation == "SearchUserV2") {
      const std::string term = text_argument(call, "searchTerm");
      const Value& top = argument(call, "top");
      const std::size_t most =
          top.is_integer() && top.as_integer() > 0 ? static_cast<std::size_t>(top.as_integer()) : 1'000;
      json::ArrayBuilder out;
      for (const Value& row : page->rows) {
        const bool fits = std::any_of(std::begin(names), std::end(names), [&](std::string_view column) {
          return contains_ignoring_case(text_of(row, column), term);
        });
        if ((term.empty() || fits) && out.size() < most) out.push(shown(row, {}));
      }
      return native_json(200, Value::object({{"value", out.finish()}}));
    }
    const std::string id = operation == "MyProfile_V2" ? field_text(call.fields, "me") : text_argument(call, "id");
    if (id.empty())
      return native_error(400, "InvalidUser", "The connection does not say who 'I' am: set its field 'I am'.");
    const Value* person = find(page->rows, id);
    if (person == nullptr)
      return native_error(404, "Request_ResourceNotFound", "The table 'users' has no person '" + id + "'.");
    if (operation == "UserProfile_V2" || operation == "MyProfile_V2") return native_json(200, shown(*person, select));
    if (operation == "Manager_V2") {
      const std::string manager = text_of(*person, "manager");
      const Value* found = manager.empty() ? nullptr : find(page->rows, manager);
      return found == nullptr
                 ? native_error(404, "Request_ResourceNotFound",
                                "No manager is known of '" + id + "': its column 'manager' is empty or names nobody.")
                 : native_json(200, shown(*found, select));
    }
    if (operation == "DirectReports_V2") {
      json::ArrayBuilder out;
      for (const Value& row : page->rows) {
        const std::string manager = text_of(row, "manager");
        if (!manager.empty() && find({&row, 1}, id) == nullptr && find({person, 1}, manager) != nullptr)
          out.push(shown(row, select));
      }
      return native_json(200, Value::object({{"value", out.finish()}}));
    }
    return not_stood_in("The operation '" + operation + "' is unknown.");
  }

 private:
  static constexpr std::string_view names[] = {"displayName", "mail", "userPrincipalName", "givenName", "surname"};

  static Error missing_table() {
    return make_error("TableNotFound", "People are kept in the table 'users', which is not there.", {},
                      "Make it on the page Tables with the columns userPrincipalName, mail, displayName, givenName, "
                      "surname, jobTitle, department, officeLocation, mobilePhone and manager.");
  }
  static std::string text_of(const Value& row, std::string_view column) {
    const Value* value = row.find_ignoring_case(column);
    return value == nullptr || value->is_null() ? std::string() : text_of_value(*value);
  }
  static const Value* find(std::span<const Value> rows, std::string_view id) {
    for (const Value& row : rows) {
      for (const std::string_view column : {"id", "userPrincipalName", "mail"}) {
        if (const std::string text = text_of(row, column); !text.empty() && equals_ignoring_case(text, id)) return &row;
      }
    }
    return nullptr;
  }
  static Value shown(const Value& row, const std::vector<std::string>& select) {
    json::ObjectBuilder out;
    for (const json::Member& member : row.as_object()) {
      const std::string_view name = member.name();
      if (name == "@odata.etag" || name == "created" || name == "modified") continue;
      const bool wanted = select.empty() || std::any_of(select.begin(), select.end(), [&](const std::string& one) {
                            return equals_ignoring_case(one, name);
                          });
      if (wanted) out.add(member.key, name == "id" ? Value(text_of_value(member.value)) : member.value);
    }
    return out.finish();
  }

  StandinRows rows_;
};

}  // namespace

std::unique_ptr<NativeConnector> make_users_standin(const NativeParts& parts) {
  return std::make_unique<Users>(parts.store);
}

}  // namespace flowmend::connector
