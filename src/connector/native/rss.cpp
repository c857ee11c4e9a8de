// RSS: what is new in a feed (RSS 2.0, RSS 1.0, Atom). A feed is asked for with the server's outgoing policy at every
// redirect.

#include <curl/curl.h>

#include <algorithm>

#include "connector/content.h"
#include "connector/native/connectors.h"
#include "connector/native/seen.h"
#include "connector/native/xml_reading.h"
#include "connector/text.h"

namespace flowmend::connector {
namespace {

constexpr std::string_view swagger_text = R"json({
  "swagger": "2.0",
  "info": {"title": "RSS", "version": "1.0", "description": "News of web sites, from their RSS and Atom feeds."},
  "paths": {
    "/OnNewFeed": {"get": {
      "operationId": "OnNewFeed", "summary": "When a feed item is published", "x-ms-trigger": "batch",
      "parameters": [
        {"name": "feedUrl", "in": "query", "required": true, "type": "string", "x-ms-summary": "The RSS feed URL"},
        {"name": "sinceProperty", "in": "query", "type": "string", "enum": ["PublishDate", "UpdatedOn"], "default": "PublishDate", "x-ms-summary": "Chosen property will be used to determine which items are new", "description": "UpdatedOn: an item that was changed is new again."}],
      "responses": {"200": {"description": "New items", "schema": {"type": "object", "properties": {"value": {"type": "array", "items": {"$ref": "#/definitions/FeedItem"}}}}}}}},
    "/ListFeedItems": {"get": {
      "operationId": "ListFeedItems", "summary": "List all RSS feed items",
      "parameters": [
        {"name": "feedUrl", "in": "query", "required": true, "type": "string", "x-ms-summary": "The RSS feed URL"},
        {"name": "since", "in": "query", "type": "string", "x-ms-summary": "Since", "description": "A time such as 2026-11-24T09:00:00Z."},
        {"name": "sinceProperty", "in": "query", "type": "string", "enum": ["PublishDate", "UpdatedOn"], "default": "PublishDate", "x-ms-summary": "Chosen property will be used to determine which items are new"}],
      "responses": {"200": {"description": "Items", "schema": {"type": "array", "items": {"$ref": "#/definitions/FeedItem"}}}}}}
  },
  "definitions": {"FeedItem": {"type": "object", "properties": {
    "id": {"type": "string"}, "title": {"type": "string"}, "primaryLink": {"type": "string"},
    "links": {"type": "array", "items": {"type": "string"}}, "updatedOn": {"type": "string"}, "publishDate": {"type": "string"},
    "summary": {"type": "string"}, "content": {"type": "string"}, "copyright": {"type": "string"}, "categories": {"type": "array", "items": {"type": "string"}}}}}
})json";

constexpr std::string_view properties_text =
    R"json({"properties": {"iconBrandColor": "#ff9900", "connectionParameters": {}}})json";

constexpr int redirects_max = 5;
constexpr std::size_t items_max = 2'000;
constexpr std::size_t feed_bytes_max = 10'485'760;

struct Item {
  std::string id, title, summary, content, copyright;
  std::vector<std::string> links, categories;
  Timestamp published, updated;
};

std::optional<Timestamp> time_of(std::string text) {
  if (text.empty()) return std::nullopt;
  if (text.size() > 10 && text[10] == ' ' && text[4] == '-') text[10] = 'T';  // `2026-11-24 09:00:00Z`
  if (const auto time = parse_timestamp(text)) return time;
  const time_t seconds = curl_getdate(text.c_str(), nullptr);
  if (seconds < 0) return std::nullopt;
  return Timestamp::from_unix_milliseconds(seconds * 1000LL);
}

/// The first that is there of several elements, by local name.
std::string first_text(const xmlNode* item, std::initializer_list<std::string_view> names) {
  for (const std::string_view name : names) {
    if (std::string text = text_inside(child(item, name)); !text.empty()) return text;
  }
  return {};
}

Item read_item(const xmlNode* node) {
  Item item;
  item.title = first_text(node, {"title"});
  item.summary = first_text(node, {"description", "summary"});
  item.content = first_text(node, {"encoded", "content"});
  if (item.summary.empty()) item.summary = item.content;
  item.copyright = first_text(node, {"rights", "copyright"});
  for (const xmlNode* link : children(node, "link")) {
    const std::string relation = attribute(link, "rel");
    std::string address = attribute(link, "href");
    if (address.empty()) address = text_inside(link);
    if (address.empty()) continue;
    const bool primary = relation.empty() || relation == "alternate";
    item.links.insert(primary ? item.links.begin() : item.links.end(), std::move(address));
  }
  for (const std::string_view name : {"category", "subject"}) {
    for (const xmlNode* category : children(node, name)) {
      std::string text = attribute(category, "term");
      if (text.empty()) text = text_inside(category);
      if (!text.empty()) item.categories.push_back(std::move(text));
    }
  }
  item.published = time_of(first_text(node, {"pubDate", "published", "date", "issued"})).value_or(Timestamp());
  item.updated = time_of(first_text(node, {"updated", "modified"})).value_or(item.published);
  if (!item.published.is_set()) item.published = item.updated;
  item.id = first_text(node, {"guid", "id"});
  if (item.id.empty()) item.id = attribute(node, "about");
  if (item.id.empty() && !item.links.empty()) item.id = item.links.front();
  if (item.id.empty()) item.id = item.title;
  return item;
}

Value value_of(const Item& item) {
  json::ArrayBuilder links, categories;
  for (const std::string& link : item.links) links.push(Value(link));
  for (const std::string& category : item.categories) categories.push(Value(category));
  json::ObjectBuilder out;
  out.add("id", Value(item.id));
  out.add("title", Value(item.title));
  out.add("primaryLink", Value(item.links.empty() ? std::string() : item.links.front()));
  out.add("links", links.finish());
  out.add("updatedOn", item.updated.is_set() ? Value(to_string(item.updated)) : Value());
  out.add("publishDate", item.published.is_set() ? Value(to_string(item.published)) : Value());
  out.add("summary", Value(item.summary));
  out.add("content", Value(item.content));
  out.add("copyright", Value(item.copyright));
  out.add("categories", categories.finish());
  return out.finish();
}

class Rss final : public NativeConnector {
 public:
  explicit Rss(const NativeParts& parts) : client_(parts.client) {}

  std::string_view name() const override { return "shared_rss"; }
  std::string_view swagger() const override { return swagger_text; }
  std::string_view properties() const override { return properties_text; }

  /// There is nothing to sign in to: each step names its feed.
  http::Reply verify(const Value&, Duration) override { return native_json(200, Value::empty_object()); }

  http::Reply call(const NativeCall& call) override {
    std::vector<Item> items;
    if (auto failed = fetch(call, items)) return *failed;
    const bool by_update = text_argument(call, "sinceProperty") == "UpdatedOn";
    return call.operation->id == "OnNewFeed" ? check(call, items, by_update) : list(call, items, by_update);
  }

 private:
  static http::Reply check(const NativeCall& call, const std::vector<Item>& items, bool by_update) {
    Seen seen(call.state);
    if (seen.size() + items.size() > Seen::items_max) seen = Seen();
    const bool first = call.state.empty();
    const Seen before(call.state);
    std::vector<const Item*> fresh;
    for (const Item& item : items) {
      const std::string key = by_update ? item.id + "\n" + std::to_string(item.updated.ticks) : item.id;
      if (!first && !before.has(key) && !seen.has(key)) fresh.push_back(&item);
      seen.add(key);
    }
    // The oldest first: runs then start in the order in which things were said.
    std::stable_sort(fresh.begin(), fresh.end(),
                     [](const Item* a, const Item* b) { return a->published < b->published; });
    json::ArrayBuilder list;
    for (const Item* item : fresh) list.push(value_of(*item));
    return with_state(native_json(fresh.empty() ? 202 : 200, Value::object({{"value", list.finish()}})), seen.text());
  }

  static http::Reply list(const NativeCall& call, const std::vector<Item>& items, bool by_update) {
    const std::string text = text_argument(call, "since");
    const auto since = time_of(text);
    if (!text.empty() && !since) {
      return native_error(
          400, "InvalidSince",
          "'since' is no time. Write it as 2026-11-24T09:00:00Z, for example with addDays(utcNow(), -7).");
    }
    json::ArrayBuilder list;
    for (const Item& item : items) {
      if (since && (by_update ? item.updated : item.published) < *since) continue;
      list.push(value_of(item));
    }
    return native_json(200, list.finish());
  }

  std::optional<http::Reply> fetch(const NativeCall& call, std::vector<Item>& items) {
    std::string url(trim(text_argument(call, "feedUrl")));
    http::Reply reply;
    for (int i = 0;; ++i) {
      const std::string begin = lower_case(url.substr(0, 8));
      if (!begin.starts_with("http://") && !begin.starts_with("https://"))
        return native_error(400, "InvalidFeedUrl", "'feedUrl' is no http or https address.");
      http::Request request;
      request.url = url;
      request.headers = {{"Accept", "application/rss+xml, application/atom+xml, application/xml, text/xml, */*;q=0.5"},
                         {"User-Agent", "Flowmend"}};
      if (call.timeout.ticks > 0) request.timeout = call.timeout;
      request.reply_bytes_max = feed_bytes_max;
      reply = http::send_and_wait(client_, std::move(request));
      if (!reply.error_code.empty()) return reply;
      const std::string location(http::find_header(reply.headers, "Location"));
      if (reply.status < 300 || reply.status >= 400 || location.empty()) break;
      if (i == redirects_max || (call.cancelled && call.cancelled()))
        return native_error(502, "TooManyRedirects", "The feed's address leads on and on.");
      url = resolved(url, location);
    }
    if (reply.status != 200) {
      http::Reply out =
          native_error(reply.status >= 400 ? reply.status : 502, "FeedRefused",
                       "'" + host_of(url) + "' answered " + std::to_string(reply.status) + " for the feed.");
      if (const std::string_view wait = http::find_header(reply.headers, "Retry-After"); !wait.empty())
        out.headers.push_back({"Retry-After", std::string(wait)});
      return out;
    }
    const XmlDocument document = read_xml(reply.body);
    const xmlNode* root = document ? xmlDocGetRootElement(document.get()) : nullptr;
    const xmlNode* parent = is_named(root, "rss") ? child(root, "channel") : root;
    if (!is_named(root, "rss") && !is_named(root, "RDF") && !is_named(root, "feed")) {
      return native_error(422, "FeedUnreadable",
                          "What '" + host_of(url) +
                              "' sent is neither an RSS nor an Atom feed. Is it the address of the feed "
                              "itself, not of the page about it?");
    }
    for (const xmlNode* node : children(parent, is_named(root, "feed") ? "entry" : "item")) {
      if (items.size() == items_max) break;
      items.push_back(read_item(node));
    }
    return std::nullopt;
  }

  /// `location` as seen from `base`.
  static std::string resolved(const std::string& base, const std::string& location) {
    CURLU* url = curl_url();
    char* text = nullptr;
    std::string out = location;
    if (curl_url_set(url, CURLUPART_URL, base.c_str(), 0) == CURLUE_OK &&
        curl_url_set(url, CURLUPART_URL, location.c_str(), 0) == CURLUE_OK &&
        curl_url_get(url, CURLUPART_URL, &text, 0) == CURLUE_OK) {
      out = text;
      curl_free(text);
    }
    curl_url_cleanup(url);
    return out;
  }

  http::Client& client_;
};

}  // namespace

std::unique_ptr<NativeConnector> make_rss(const NativeParts& parts) { return std::make_unique<Rss>(parts); }

}  // namespace flowmend::connector
