#include "server/demo/content.h"

#include <stdexcept>

#include "json/parse.h"

namespace flowmend::demo {
namespace {

using json::Value;

/// The texts below are part of the program: one that does not parse is a mistake of ours.
Value read(std::string text, const std::string& placeholder, const std::string& replacement) {
  for (std::size_t at = text.find(placeholder); at != std::string::npos;
       at = text.find(placeholder, at + replacement.size())) {
    text.replace(at, placeholder.size(), replacement);
  }
  auto value = json::parse(text);
  if (!value) throw std::logic_error("demo content: " + value.error().message);
  return *value;
}

constexpr const char* orders_connector = R"json({
  "swagger": "2.0",
  "info": {"title": "Orders", "version": "1.0", "description": "The tea shop's orders."},
  "host": "{{host}}", "basePath": "/", "schemes": ["http"], "consumes": ["application/json"], "produces": ["application/json"],
  "securityDefinitions": {"basic": {"type": "basic"}}, "security": [{"basic": []}],
  "x-ms-capabilities": {"testConnection": {"operationId": "WhoAmI"}},
  "paths": {
    "/orders/{id}": {"get": {"operationId": "GetOrder", "summary": "Get an order",
      "parameters": [{"name": "id", "in": "path", "required": true, "type": "string", "x-ms-summary": "Order", "x-ms-url-encoding": "single"}],
      "responses": {"200": {"description": "The order", "schema": {"$ref": "#/definitions/Order"}}}}},
    "/orders": {"post": {"operationId": "CreateOrder", "summary": "Create an order",
      "parameters": [{"name": "body", "in": "body", "required": true, "schema": {"$ref": "#/definitions/Order"}}],
      "responses": {"201": {"description": "The order", "schema": {"$ref": "#/definitions/Order"}}}}},
    "/me": {"get": {"operationId": "WhoAmI", "summary": "Who am I", "x-ms-visibility": "internal", "responses": {"200": {"description": "The user"}}}}
  },
  "definitions": {"Order": {"type": "object", "properties": {
    "id": {"type": "string"}, "total": {"type": "number"},
    "customer": {"type": "object", "properties": {"name": {"type": "string"}, "email": {"type": "string"}}},
    "lines": {"type": "array", "items": {"type": "object", "properties": {"sku": {"type": "string"}, "quantity": {"type": "integer"}, "price": {"type": "number"}}}}}}}
})json";

constexpr const char* orders_properties = R"json({"properties": {"iconBrandColor": "#0b6a0b", "connectionParameters": {
  "username": {"type": "string", "uiDefinition": {"displayName": "User name", "constraints": {"required": "true", "tabIndex": 1}}},
  "password": {"type": "securestring", "uiDefinition": {"displayName": "Password", "constraints": {"required": "true", "tabIndex": 2}}}}}})json";

constexpr const char* catalogue_connector = R"json({
  "swagger": "2.0",
  "info": {"title": "Catalogue", "version": "2.0", "description": "Products, prices and stock of the tea shop."},
  "host": "{{host}}", "basePath": "/v2", "schemes": ["http"], "consumes": ["application/json"], "produces": ["application/json"],
  "securityDefinitions": {"key": {"type": "apiKey", "in": "header", "name": "X-Api-Key"}}, "security": [{"key": []}],
  "x-ms-capabilities": {"testConnection": {"operationId": "ListProducts"}},
  "paths": {
    "/products": {"get": {"operationId": "ListProducts", "summary": "List products", "responses": {"200": {"description": "The products"}}}},
    "/products/{sku}": {"get": {"operationId": "GetProduct", "summary": "Get a product",
      "parameters": [{"name": "sku", "in": "path", "required": true, "type": "string", "x-ms-summary": "Product"}],
      "responses": {"200": {"description": "The product"}}}},
    "/products/{sku}/price": {"get": {"operationId": "GetPrice", "summary": "Get a price",
      "parameters": [{"name": "sku", "in": "path", "required": true, "type": "string", "x-ms-summary": "Product"},
                     {"name": "currency", "in": "query", "required": true, "type": "string", "x-ms-summary": "Currency", "description": "ISO 4217 code"}],
      "responses": {"200": {"description": "The price"}, "400": {"description": "Unknown currency"}}}},
    "/stock-orders": {"post": {"operationId": "OrderStock", "summary": "Order stock",
      "parameters": [{"name": "body", "in": "body", "required": true, "schema": {"type": "object", "required": ["sku", "quantity"],
                      "properties": {"sku": {"type": "string"}, "quantity": {"description": "How many pieces"}}}}],
      "responses": {"201": {"description": "The order"}}}}
  }
})json";

constexpr const char* catalogue_properties =
    R"json({"properties": {"iconBrandColor": "#8764b8", "connectionParameters": {
  "api_key": {"type": "securestring", "uiDefinition": {"displayName": "API key", "constraints": {"required": "true"}}}}}})json";

constexpr const char* mailbox_connector = R"json({
  "swagger": "2.0",
  "info": {"title": "Mailbox", "version": "1.0", "description": "Takes messages; the demo's mailbox page shows them."},
  "host": "{{host}}", "basePath": "/", "schemes": ["http"], "consumes": ["application/json"], "produces": ["application/json"],
  "x-ms-capabilities": {"testConnection": {"operationId": "ListMessages"}},
  "paths": {
    "/messages": {"post": {"operationId": "SendMessage", "summary": "Send a message",
      "parameters": [{"name": "message", "in": "body", "required": true, "schema": {"type": "object", "required": ["to", "subject"], "properties": {
        "to": {"type": "string", "x-ms-summary": "To"}, "subject": {"type": "string", "x-ms-summary": "Subject"}, "body": {"type": "string", "x-ms-summary": "Text"}}}}],
      "responses": {"201": {"description": "The message"}}}},
    "/mailbox/messages": {"get": {"operationId": "ListMessages", "summary": "List messages", "responses": {"200": {"description": "The messages"}}}}
  }
})json";

constexpr const char* references = R"json({
  "shared_orders": {"connectionName": "orders", "id": "/providers/Microsoft.PowerApps/apis/shared_orders", "source": "Embedded"},
  "shared_catalogue": {"connectionName": "catalogue", "id": "/providers/Microsoft.PowerApps/apis/shared_catalogue", "source": "Embedded"},
  "shared_mailbox": {"connectionName": "mailbox", "id": "/providers/Microsoft.PowerApps/apis/shared_mailbox", "source": "Embedded"}
})json";

/// What every definition begins with.
std::string definition(const std::string& triggers_and_actions) {
  return R"json({"$schema": "https://schema.management.azure.com/providers/Microsoft.Logic/schemas/2016-06-01/workflowdefinition.json#",
    "contentVersion": "1.0.0.0",
    "parameters": {"$connections": {"defaultValue": {}, "type": "Object"}, "$authentication": {"defaultValue": {}, "type": "SecureObject"}},)json" +
         triggers_and_actions + "}";
}

constexpr const char* confirm_order = R"json(
  "triggers": {"manual": {"type": "Request", "kind": "Http", "inputs": {"schema": {"type": "object", "properties": {"orderId": {"type": "string"}}}}}},
  "actions": {
    "Get_order": {"type": "OpenApiConnection", "runAfter": {}, "inputs": {
      "host": {"apiId": "/providers/Microsoft.PowerApps/apis/shared_orders", "connectionName": "shared_orders", "operationId": "GetOrder"},
      "parameters": {"id": "@triggerBody()?['orderId']"}, "authentication": "@parameters('$authentication')"}},
    "Compose_confirmation": {"type": "Compose", "runAfter": {"Get_order": ["Succeeded"]},
      "inputs": "Dear @{body('Get_order')?['customer']?['name']},\n\nthank you for your order @{body('Get_order')?['id']} of @{length(body('Get_order')?['lines'])} items. We charge @{body('Get_order')?['total']} EUR.\n\nThe tea shop"},
    "Send_confirmation": {"type": "OpenApiConnection", "runAfter": {"Compose_confirmation": ["Succeeded"]}, "inputs": {
      "host": {"apiId": "/providers/Microsoft.PowerApps/apis/shared_mailbox", "connectionName": "shared_mailbox", "operationId": "SendMessage"},
      "parameters": {"message/to": "@body('Get_order')?['customer']?['email']", "message/subject": "Your order @{body('Get_order')?['id']}", "message/body": "@outputs('Compose_confirmation')"},
      "authentication": "@parameters('$authentication')"}}
  })json";

constexpr const char* publish_page = R"json(
  "triggers": {"manual": {"type": "Request", "kind": "Http", "inputs": {"schema": {"type": "object", "properties": {"sku": {"type": "string"}}}}}},
  "actions": {
    "Get_product": {"type": "Http", "runAfter": {}, "inputs": {"method": "GET", "uri": "{{services}}/products/@{triggerBody()?['sku']}"}},
    "Compose_page": {"type": "Compose", "runAfter": {"Get_product": ["Succeeded"]},
      "inputs": {"title": "@body('Get_product')?['name']", "path": "/shop/@{toLower(body('Get_product')?['sku'])}", "price": "@body('Get_product')?['priceEur']", "available": "@greater(body('Get_product')?['stock'], 0)"}},
    "Ask_for_review": {"type": "OpenApiConnection", "runAfter": {"Compose_page": ["Succeeded"]}, "inputs": {
      "host": {"apiId": "/providers/Microsoft.PowerApps/apis/shared_mailbox", "connectionName": "shared_mailbox", "operationId": "SendMessage"},
      "parameters": {"message/to": "editor@example.test", "message/subject": "New page: @{outputs('Compose_page')?['title']}", "message/body": "@{string(outputs('Compose_page'))}"},
      "authentication": "@parameters('$authentication')"}}
  })json";

constexpr const char* quote_price = R"json(
  "triggers": {"manual": {"type": "Request", "kind": "Http", "inputs": {"schema": {"type": "object", "properties": {"sku": {"type": "string"}, "email": {"type": "string"}}}}}},
  "actions": {
    "Get_price": {"type": "OpenApiConnection", "runAfter": {}, "inputs": {
      "host": {"apiId": "/providers/Microsoft.PowerApps/apis/shared_catalogue", "connectionName": "shared_catalogue", "operationId": "GetPrice"},
      "parameters": {"sku": "@triggerBody()?['sku']", "currency": "EURO"}, "authentication": "@parameters('$authentication')"}},
    "Compose_quote": {"type": "Compose", "runAfter": {"Get_price": ["Succeeded"]},
      "inputs": "We offer @{body('Get_price')?['name']} for @{body('Get_price')?['price']} @{body('Get_price')?['currency']}, valid for 14 days."},
    "Send_quote": {"type": "OpenApiConnection", "runAfter": {"Compose_quote": ["Succeeded"]}, "inputs": {
      "host": {"apiId": "/providers/Microsoft.PowerApps/apis/shared_mailbox", "connectionName": "shared_mailbox", "operationId": "SendMessage"},
      "parameters": {"message/to": "@triggerBody()?['email']", "message/subject": "Your quote", "message/body": "@outputs('Compose_quote')"},
      "authentication": "@parameters('$authentication')"}}
  })json";

constexpr const char* book_delivery = R"json(
  "triggers": {"manual": {"type": "Request", "kind": "Http", "inputs": {"schema": {"type": "object", "properties": {"orderId": {"type": "string"}, "address": {"type": "object"}}}}}},
  "actions": {
    "Compose_parcel": {"type": "Compose", "runAfter": {}, "inputs": {"order": "@triggerBody()?['orderId']", "weightGrams": "@mul(triggerBody()?['items'], 350)", "to": "@triggerBody()?['address']"}},
    "Book_parcel": {"type": "Http", "runAfter": {"Compose_parcel": ["Succeeded"]}, "inputs": {"method": "POST", "uri": "{{services}}/parcels",
      "headers": {"Accept": "application/json"}, "body": "@outputs('Compose_parcel')", "retryPolicy": {"type": "fixed", "interval": "PT5S", "count": 2}}},
    "Tell_the_customer": {"type": "OpenApiConnection", "runAfter": {"Book_parcel": ["Succeeded"]}, "inputs": {
      "host": {"apiId": "/providers/Microsoft.PowerApps/apis/shared_mailbox", "connectionName": "shared_mailbox", "operationId": "SendMessage"},
      "parameters": {"message/to": "@triggerBody()?['email']", "message/subject": "Your parcel @{body('Book_parcel')?['parcel']}", "message/body": "It is picked up @{body('Book_parcel')?['pickup']}."},
      "authentication": "@parameters('$authentication')"}}
  })json";

constexpr const char* welcome_customer = R"json(
  "triggers": {"manual": {"type": "Request", "kind": "Http", "inputs": {"schema": {"type": "object", "properties": {"customer": {"type": "object"}}}}}},
  "actions": {
    "Compose_greeting": {"type": "Compose", "runAfter": {}, "inputs": "@concat('Dear ', toUpper(triggerBody()?['customer']?['lastName']), ', welcome to the tea shop!')"},
    "Compose_voucher": {"type": "Compose", "runAfter": {"Compose_greeting": ["Succeeded"]}, "inputs": "TEA-@{add(1000, length(outputs('Compose_greeting')))}"},
    "Send_welcome": {"type": "OpenApiConnection", "runAfter": {"Compose_voucher": ["Succeeded"]}, "inputs": {
      "host": {"apiId": "/providers/Microsoft.PowerApps/apis/shared_mailbox", "connectionName": "shared_mailbox", "operationId": "SendMessage"},
      "parameters": {"message/to": "@triggerBody()?['customer']?['email']", "message/subject": "Welcome", "message/body": "@{outputs('Compose_greeting')} Your voucher: @{outputs('Compose_voucher')}"},
      "authentication": "@parameters('$authentication')"}}
  })json";

constexpr const char* restock = R"json(
  "triggers": {"manual": {"type": "Request", "kind": "Http", "inputs": {"schema": {}}}},
  "actions": {
    "Items_to_order": {"type": "Compose", "runAfter": {}, "inputs": [
      {"sku": "TEA-100", "quantity": 40}, {"sku": "POT-1", "quantity": "twelve"}, {"sku": "CUP-4", "quantity": 20}]},
    "For_each_item": {"type": "Foreach", "runAfter": {"Items_to_order": ["Succeeded"]}, "foreach": "@outputs('Items_to_order')", "actions": {
      "Order_stock": {"type": "OpenApiConnection", "runAfter": {}, "inputs": {
        "host": {"apiId": "/providers/Microsoft.PowerApps/apis/shared_catalogue", "connectionName": "shared_catalogue", "operationId": "OrderStock"},
        "parameters": {"body/sku": "@items('For_each_item')?['sku']", "body/quantity": "@items('For_each_item')?['quantity']"},
        "authentication": "@parameters('$authentication')"}},
      "Note_the_order": {"type": "Compose", "runAfter": {"Order_stock": ["Succeeded"]}, "inputs": "@{body('Order_stock')?['id']}: @{items('For_each_item')?['sku']}"}}},
    "Send_summary": {"type": "OpenApiConnection", "runAfter": {"For_each_item": ["Succeeded"]}, "inputs": {
      "host": {"apiId": "/providers/Microsoft.PowerApps/apis/shared_mailbox", "connectionName": "shared_mailbox", "operationId": "SendMessage"},
      "parameters": {"message/to": "store@example.test", "message/subject": "Ordered", "message/body": "@{length(outputs('Items_to_order'))} items were ordered."},
      "authentication": "@parameters('$authentication')"}}
  })json";

constexpr const char* sales_summary = R"json(
  "triggers": {"Every_day": {"type": "Recurrence", "recurrence": {"frequency": "Day", "interval": 1}}},
  "actions": {
    "Sales": {"type": "Compose", "runAfter": {}, "inputs": [{"sku": "TEA-100", "pieces": 31, "sum": 201.5}, {"sku": "TEA-200", "pieces": 12, "sum": 118.8}, {"sku": "POT-1", "pieces": 1, "sum": 48}]},
    "Large_sales": {"type": "Query", "runAfter": {"Sales": ["Succeeded"]}, "inputs": {"from": "@outputs('Sales')", "where": "@greater(item()?['sum'], 100)"}},
    "Lines": {"type": "Select", "runAfter": {"Large_sales": ["Succeeded"]}, "inputs": {"from": "@body('Large_sales')", "select": "@{item()?['pieces']} x @{item()?['sku']}: @{item()?['sum']} EUR"}},
    "Text": {"type": "Join", "runAfter": {"Lines": ["Succeeded"]}, "inputs": {"from": "@body('Lines')", "joinWith": "\n"}},
    "Send_summary": {"type": "OpenApiConnection", "runAfter": {"Text": ["Succeeded"]}, "inputs": {
      "host": {"apiId": "/providers/Microsoft.PowerApps/apis/shared_mailbox", "connectionName": "shared_mailbox", "operationId": "SendMessage"},
      "parameters": {"message/to": "owner@example.test", "message/subject": "Sales of the day", "message/body": "@body('Text')"},
      "authentication": "@parameters('$authentication')"}}
  })json";

}  // namespace

std::vector<DemoConnector> demo_connectors(const std::string& host) {
  const auto with_host = [&](const char* text) { return read(text, "{{host}}", host); };
  return {{"shared_orders", with_host(orders_connector), read(orders_properties, "{{}}", "")},
          {"shared_catalogue", with_host(catalogue_connector), read(catalogue_properties, "{{}}", "")},
          {"shared_mailbox", with_host(mailbox_connector), Value()}};
}

std::vector<DemoConnection> demo_connections() {
  return {{"shared_orders", "orders", "Orders", Value::object({{"username", "shop"}, {"password", "spring-2026"}})},
          {"shared_catalogue", "catalogue", "Catalogue", Value::object({{"api_key", "demo-catalogue-key"}})},
          {"shared_mailbox", "mailbox", "Mailbox", Value::empty_object()}};
}

std::vector<DemoFlow> demo_flows(const std::string& services) {
  const auto flow = [&](const char* name, const char* trigger, const char* body, const char* text,
                        std::initializer_list<std::string_view> uses) {
    DemoFlow out;
    out.display_name = name;
    out.trigger = trigger;
    out.definition = read(definition(text), "{{services}}", services);
    out.body = read(body, "{{}}", "");
    const Value all = read(references, "{{}}", "");
    json::ObjectBuilder used;
    for (const std::string_view key : uses) used.add(key, *all.find(key));
    out.connection_references = used.finish();
    return out;
  };
  return {
      flow("Daily sales summary", "", "null", sales_summary, {"shared_mailbox"}),
      flow("Confirm a new order", "manual", R"({"orderId": "O-1007"})", confirm_order,
           {"shared_orders", "shared_mailbox"}),
      flow("Publish a product page", "manual", R"({"sku": "TEA-200"})", publish_page, {"shared_mailbox"}),
      flow("Quote a price", "manual", R"({"sku": "POT-1", "email": "ann.lee@example.test"})", quote_price,
           {"shared_catalogue", "shared_mailbox"}),
      flow(
          "Book a delivery", "manual",
          R"({"orderId": "O-1007", "items": 3, "email": "ann.lee@example.test", "address": {"name": "Ann Lee", "street": "Mill Lane 4", "city": "Leeds"}})",
          book_delivery, {"shared_mailbox"}),
      flow("Welcome a customer", "manual", R"({"customer": {"firstName": "Ann", "email": "ann.lee@example.test"}})",
           welcome_customer, {"shared_mailbox"}),
      flow("Restock the shelves", "manual", "{}", restock, {"shared_catalogue", "shared_mailbox"}),
  };
}

}  // namespace flowmend::demo
