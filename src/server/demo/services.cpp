#include <algorithm>
#include <deque>
#include <map>
#include <mutex>
#include <vector>

#include "connector/text.h"
#include "http/listener.h"
#include "json/parse.h"
#include "json/write.h"
#include "server/demo/demo.h"
#include "server/demo/pages.h"

namespace flowmend::demo {
namespace {

using http::IncomingRequest;
using http::Response;
using json::Value;

constexpr std::size_t messages_max = 500;
constexpr std::string_view orders_user = "shop";
constexpr std::string_view catalogue_key = "demo-catalogue-key";

Response json_answer(int status, const Value& value, std::string_view type = "application/json") {
  return {status, {{"Content-Type", std::string(type)}, {"Cache-Control", "no-store"}}, json::write(value)};
}

Response refusal(int status, std::string_view code, const std::string& message) {
  return json_answer(status,
                     Value::object({{"error", Value::object({{"code", Value(code)}, {"message", Value(message)}})}}));
}

Response page(std::string html) {
  return {200,
          {{"Content-Type", "text/html; charset=utf-8"},
           {"Cache-Control", "no-store"},
           {"Content-Security-Policy", "default-src 'self' 'unsafe-inline'; frame-ancestors 'none'"}},
          std::move(html)};
}

std::string query_value(std::string_view query, std::string_view name) {
  while (!query.empty()) {
    const std::string_view pair = query.substr(0, query.find('&'));
    query.remove_prefix(std::min(query.size(), pair.size() + 1));
    const std::size_t equals = pair.find('=');
    if (equals != std::string_view::npos && http::percent_decode(pair.substr(0, equals), true) == name) {
      return http::percent_decode(pair.substr(equals + 1), true);
    }
  }
  return {};
}

struct Product {
  const char* name;
  double price_eur;
  int stock;
};

const std::map<std::string, Product, std::less<>> products = {{"TEA-100", {"Green tea, 100 g", 6.5, 140}},
                                                              {"TEA-200", {"Earl Grey, 200 g", 9.9, 82}},
                                                              {"POT-1", {"Teapot, cast iron", 48.0, 6}},
                                                              {"CUP-4", {"Four cups, porcelain", 24.0, 11}}};
const std::map<std::string, double, std::less<>> currencies = {{"EUR", 1.0}, {"GBP", 0.85}, {"USD", 1.08}};

Value product_value(const std::string& sku, const Product& product) {
  return Value::object({{"sku", Value(sku)},
                        {"name", Value(product.name)},
                        {"priceEur", Value(product.price_eur)},
                        {"stock", Value(product.stock)}});
}

class DemoServices final : public Services {
 public:
  explicit DemoServices(ServicesOptions options) : options_(std::move(options)), password_(options_.orders_password) {
    password_changed_ = options_.clock();
    delivery_down_ = options_.delivery_down_for.ticks > 0;
    delivery_back_ = options_.clock() + options_.delivery_down_for;
  }

  Result<void> start() {
    http::ListenerOptions listen;
    listen.port = options_.port;
    listen.body_bytes_max = 1u << 20;
    listener_ = std::make_unique<http::Listener>(
        listen,
        [this](const IncomingRequest& request, const http::Responder& responder) { responder.send(answer(request)); });
    return listener_->start();
  }

  std::uint16_t port() const override { return listener_->port(); }

 private:
  Response answer(const IncomingRequest& request) {
    const std::string path = http::percent_decode(request.path);
    const bool get = request.method == "GET" || request.method == "HEAD";
    const std::lock_guard lock(mutex_);
    if (path == "/" && get) return page(control_page(state()));
    if (path == "/control")
      return get ? json_answer(200, state()) : request.method == "POST" ? control(request) : not_allowed();
    if (path == "/mailbox" && get) return page(mailbox_page(messages()));
    if (path == "/mailbox/messages" && get) return json_answer(200, Value::object({{"value", messages()}}));
    if (path == "/messages") return request.method == "POST" ? take_message(request) : not_allowed();
    if (path == "/me" || path == "/orders" || path.starts_with("/orders/")) return orders(request, path);
    if (path.starts_with("/products/")) return moved(path);
    if (path.starts_with("/v2/")) return catalogue(request, path);
    if (path == "/parcels") return request.method == "POST" ? delivery(request) : not_allowed();
    return refusal(404, "NotFound", "There is nothing at '" + path + "'.");
  }

  static Response not_allowed() { return refusal(405, "MethodNotAllowed", "This address does not take that method."); }

  // Orders: behind a password that was changed.
  Response orders(const IncomingRequest& request, const std::string& path) {
    if (request.header("Authorization") !=
        "Basic " + connector::base64_encode(std::string(orders_user) + ":" + password_)) {
      Response response = refusal(401, "Unauthorized",
                                  "The password of user '" + std::string(orders_user) + "' was changed on " +
                                      to_string(password_changed_).substr(0, 10) + ". Sign in with the new one.");
      response.headers.push_back({"WWW-Authenticate", "Basic realm=\"orders\""});
      return response;
    }
    if (path == "/me") return json_answer(200, Value::object({{"user", Value(orders_user)}, {"shop", "The tea shop"}}));
    if (path == "/orders" && request.method == "POST") {
      const auto order = json::parse(request.body);
      if (!order || !order->is_object()) return refusal(400, "InvalidBody", "The body is not a JSON object.");
      json::ObjectBuilder made(*order);
      made.set("id", Value("O-" + std::to_string(next_order_++)));
      return json_answer(201, made.finish());
    }
    if (!path.starts_with("/orders/") || request.method != "GET") return not_allowed();
    const std::string id = path.substr(8);
    if (!id.starts_with("O-") || id.size() < 3 || id.size() > 12)
      return refusal(404, "OrderNotFound", "There is no order '" + id + "'.");
    return json_answer(
        200,
        Value::object({{"id", Value(id)},
                       {"customer", Value::object({{"name", "Ann Lee"}, {"email", "ann.lee@example.test"}})},
                       {"lines", Value::array({Value::object({{"sku", "TEA-200"}, {"quantity", 2}, {"price", 9.9}}),
                                               Value::object({{"sku", "CUP-4"}, {"quantity", 1}, {"price", 24.0}})})},
                       {"total", 43.8}}));
  }

  // Catalogue: its path was renamed, and it is strict about values.
  Response moved(const std::string& path) const {
    return refusal(404, "NotFound", "'" + path + "' is gone: products moved to '/v2" + path + "'.");
  }

  Response catalogue(const IncomingRequest& request, const std::string& path) {
    if (path == "/v2/stock-orders" && request.method == "POST") {
      if (request.header("X-Api-Key") != catalogue_key)
        return refusal(401, "Unauthorized", "The API key is missing or wrong.");
      return stock_order(request);
    }
    if (!path.starts_with("/v2/products") || request.method != "GET")
      return refusal(404, "NotFound", "There is nothing at '" + path + "'.");
    if (path == "/v2/products") {
      if (request.header("X-Api-Key") != catalogue_key)
        return refusal(401, "Unauthorized", "The API key is missing or wrong.");
      json::ArrayBuilder list;
      for (const auto& [sku, product] : products) list.push(product_value(sku, product));
      return json_answer(200, Value::object({{"value", list.finish()}}));
    }
    std::string sku = path.substr(std::string_view("/v2/products/").size());
    const bool price = sku.ends_with("/price");
    if (price) sku.resize(sku.size() - 6);
    const auto product = products.find(sku);
    if (product == products.end()) return refusal(404, "ProductNotFound", "There is no product '" + sku + "'.");
    if (!price) return json_answer(200, product_value(sku, product->second));
    if (request.header("X-Api-Key") != catalogue_key)
      return refusal(401, "Unauthorized", "The API key is missing or wrong.");
    const std::string currency = query_value(request.query, "currency");
    const auto rate = currencies.find(currency);
    if (rate == currencies.end()) {
      return json_answer(
          400,
          Value::object({{"type", "about:blank"},
                         {"title", "Unknown currency"},
                         {"status", 400},
                         {"detail", Value("currency '" + currency + "' is unknown; use one of EUR, GBP, USD")}}),
          "application/problem+json");
    }
    const double amount =
        static_cast<double>(static_cast<std::int64_t>(product->second.price_eur * rate->second * 100 + 0.5)) / 100;
    return json_answer(200, Value::object({{"sku", Value(sku)},
                                           {"name", Value(product->second.name)},
                                           {"currency", Value(currency)},
                                           {"price", Value(amount)}}));
  }

  Response stock_order(const IncomingRequest& request) {
    const auto order = json::parse(request.body);
    if (!order || !order->is_object()) return refusal(400, "InvalidBody", "The body is not a JSON object.");
    const std::string sku(order->text_of("sku"));
    if (!products.contains(sku)) return refusal(400, "InvalidValue", "sku '" + sku + "' is unknown");
    const Value* quantity = order->find("quantity");
    if (quantity == nullptr || !quantity->is_integer()) {
      const std::string shown = quantity == nullptr ? std::string() : connector::text_of_value(*quantity);
      return json_answer(
          400, Value::object({{"error", Value::object({{"code", "InvalidValue"},
                                                       {"message", Value("quantity '" + shown + "' is not a number")},
                                                       {"target", "quantity"}})}}));
    }
    return json_answer(201, Value::object({{"id", Value("S-" + std::to_string(next_stock_order_++))},
                                           {"sku", Value(sku)},
                                           {"quantity", *quantity}}));
  }

  // Delivery: down for a while.
  Response delivery(const IncomingRequest& request) {
    if (is_delivery_down()) {
      return {502,
              {{"Content-Type", "text/html"}},
              "<html><head><title>502 Bad Gateway</title></head><body><h1>502 Bad Gateway</h1><p>The delivery service "
              "is being "
              "restarted. Try again in a few minutes.</p></body></html>"};
    }
    const auto parcel = json::parse(request.body);
    if (!parcel || !parcel->is_object()) return refusal(400, "InvalidBody", "The body is not a JSON object.");
    return json_answer(201, Value::object({{"parcel", Value("P-" + std::to_string(next_parcel_++))},
                                           {"order", Value(parcel->text_of("order"))},
                                           {"pickup", "tomorrow"}}));
  }

  bool is_delivery_down() {
    if (delivery_down_ && options_.clock() >= delivery_back_) delivery_down_ = false;
    return delivery_down_;
  }

  Response take_message(const IncomingRequest& request) {
    const auto message = json::parse(request.body);
    if (!message || !message->is_object()) return refusal(400, "InvalidBody", "The body is not a JSON object.");
    if (message->text_of("to").empty()) return refusal(400, "InvalidValue", "to '' is not an address");
    json::ObjectBuilder kept;
    kept.add("id", Value("M-" + std::to_string(next_message_++)));
    for (const std::string_view name : {"to", "subject", "body"}) {
      const Value* value = message->find(name);
      kept.add(name, Value(value == nullptr ? std::string() : connector::text_of_value(*value)));
    }
    kept.add("time", Value(to_string(options_.clock())));
    messages_.push_front(kept.finish());
    if (messages_.size() > messages_max) messages_.pop_back();
    return json_answer(201, messages_.front());
  }

  Value messages() const { return Value::array(std::vector<Value>(messages_.begin(), messages_.end())); }

  Value state() {
    const bool down = is_delivery_down();
    json::ObjectBuilder delivery;
    delivery.add("status", down ? Value("down") : Value("up"));
    if (down) delivery.add("until", Value(to_string(delivery_back_)));
    return Value::object(
        {{"orders", Value::object({{"user", Value(orders_user)}, {"password", Value(password_)}})},
         {"delivery", delivery.finish()},
         {"mailbox", Value::object({{"messages", Value(static_cast<std::int64_t>(messages_.size()))}})}});
  }

  Response control(const IncomingRequest& request) {
    // A page of another site can't send this type without asking first, and is never allowed to.
    if (!request.header("Content-Type").starts_with("application/json"))
      return refusal(415, "JsonWanted", "Send application/json.");
    const auto wanted = json::parse(request.body);
    if (!wanted || !wanted->is_object()) return refusal(400, "InvalidBody", "The body is not a JSON object.");
    const Value* password = wanted->find("ordersPassword");
    const Value* delivery_state = wanted->find("delivery");
    if (password != nullptr &&
        (!password->is_string() || password->as_string().empty() || password->as_string().size() > 200)) {
      return refusal(400, "InvalidValue", "ordersPassword must be a text of 1 to 200 characters.");
    }
    if (delivery_state != nullptr && *delivery_state != Value("up") && *delivery_state != Value("down")) {
      return refusal(400, "InvalidValue", "delivery must be \"up\" or \"down\".");
    }
    if (password != nullptr && password->as_string() != password_) {
      password_ = password->as_string();
      password_changed_ = options_.clock();
      options_.on_password_change(password_);
    }
    if (delivery_state != nullptr) {
      delivery_down_ = delivery_state->as_string() == "down";
      delivery_back_ = options_.clock() + Duration::minutes(5);
    }
    return json_answer(200, state());
  }

  ServicesOptions options_;
  std::mutex mutex_;
  std::string password_;
  Timestamp password_changed_;
  bool delivery_down_ = false;
  Timestamp delivery_back_;
  std::deque<Value> messages_;
  int next_order_ = 2001;
  int next_stock_order_ = 301;
  int next_parcel_ = 701;
  int next_message_ = 1;
  std::unique_ptr<http::Listener> listener_;
};

}  // namespace

Result<std::unique_ptr<Services>> start_services(ServicesOptions options) {
  auto services = std::make_unique<DemoServices>(std::move(options));
  if (auto started = services->start(); !started) return started.error();
  return std::unique_ptr<Services>(std::move(services));
}

}  // namespace flowmend::demo
