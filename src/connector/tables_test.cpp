// Tables in a real store, and the connector that flows use them through.

#include "connector/tables.h"

#include <cstdlib>
#include <filesystem>

#include <gtest/gtest.h>

#include "connector/document.h"
#include "connector/native/tables_connector.h"
#include "json/parse.h"
#include "json/write.h"
#include "store/sqlite/open.h"

namespace flowmend::connector {
namespace {

Value json_of(std::string_view text) {
  auto value = json::parse(text);
  EXPECT_TRUE(value) << text;
  return value ? *value : Value();
}

class TablesTest : public testing::Test {
 protected:
  void SetUp() override {
    std::string pattern = (std::filesystem::temp_directory_path() / "flowmend-tables-XXXXXX").string();
    ASSERT_NE(::mkdtemp(pattern.data()), nullptr);
    folder_ = pattern;
    store_ = store::sqlite::open({.folder = folder_}).value();
    tables_ = std::make_unique<Tables>(*store_);
    ASSERT_TRUE(tables_->create(json_of(R"({"name": "orders", "columns": [
      {"name": "title", "required": true}, {"name": "amount", "type": "number"}, {"name": "due", "type": "datetime"},
      {"name": "state", "type": "choice", "choices": ["open", "done"], "default": "open"}]})")));
  }
  void TearDown() override {
    store_.reset();
    std::filesystem::remove_all(folder_);
  }
  std::string titles(RowQuery query) {
    const auto page = tables_->rows("orders", query);
    if (!page) return page.error().code;
    std::string out;
    for (const Value& row : page->rows) out += std::string(row.text_of("title"));
    return out;
  }

  std::string folder_;
  std::unique_ptr<store::Store> store_;
  std::unique_ptr<Tables> tables_;
};

TEST_F(TablesTest, KeepsRowsByTheirColumns) {
  const auto row = tables_->insert("orders", json_of(R"({"title": "A", "amount": "12.5", "due": "2026-03-01"})"));
  ASSERT_TRUE(row) << row.error().message;
  EXPECT_EQ(*row->find("id"), Value(1));
  EXPECT_EQ(*row->find("amount"), Value(12.5));
  EXPECT_EQ(row->text_of("due"), "2026-03-01T00:00:00.0000000Z");
  EXPECT_EQ(row->text_of("state"), "open");
  const std::pair<const char*, const char*> bad[] = {{R"({"amount": 1})", "/title"},
                                                     {R"({"title": "B", "amount": "much"})", "/amount"},
                                                     {R"({"title": "B", "due": "soon"})", "/due"},
                                                     {R"({"title": "B", "state": "lost"})", "/state"},
                                                     {R"({"title": "B", "colour": 1})", "/colour"},
                                                     {R"([1])", "/"}};
  for (const auto& [values, where] : bad) {
    const auto refused = tables_->insert("orders", json_of(values));
    ASSERT_FALSE(refused) << values;
    EXPECT_EQ(refused.error().code, "InvalidRow");
    EXPECT_EQ(refused.error().where, where);
  }
  EXPECT_EQ(tables_->find("ORDERS")->rows, 1);
  EXPECT_EQ(tables_->insert("nothing", Value::empty_object()).error().code, "TableNotFound");
  EXPECT_EQ(tables_->create(json_of(R"({"name": "Orders"})")).error().code, "TableAlreadyExists");
  EXPECT_EQ(tables_->create(json_of(R"({"name": "a/b"})")).error().code, "InvalidTable");
  EXPECT_EQ(tables_->create(json_of(R"({"name": "x", "columns": [{"name": "a", "type": "money"}]})")).error().where,
            "/columns/0/type");
}

TEST_F(TablesTest, AnEtagGuardsARow) {
  const auto row = tables_->insert("orders", json_of(R"({"title": "A"})"));
  const std::string first(row->text_of("@odata.etag"));
  ASSERT_TRUE(tables_->change("orders", "1", json_of(R"({"title": "B"})"), first));
  EXPECT_EQ(tables_->change("orders", "1", json_of(R"({"title": "C"})"), first).error().code, "RowChanged");
  EXPECT_EQ(tables_->erase("orders", "1", first).error().code, "RowChanged");
  EXPECT_TRUE(tables_->change("orders", "1", json_of(R"({"title": "C"})"), "*"));
  EXPECT_TRUE(*tables_->erase("orders", "1"));
  EXPECT_FALSE(*tables_->erase("orders", "1"));
  EXPECT_EQ(tables_->row("orders", "1").error().code, "RowNotFound");
}

TEST_F(TablesTest, AnInsertUnderOneKeyHappensOnce) {
  const auto first = tables_->insert("orders", json_of(R"({"title": "A"})"), "key-1");
  const auto again = tables_->insert("orders", json_of(R"({"title": "A"})"), "key-1");
  ASSERT_TRUE(first && again);
  EXPECT_EQ(*first->find("id"), *again->find("id"));
  EXPECT_EQ(tables_->find("orders")->rows, 1);
}

TEST_F(TablesTest, FiltersOrdersAndPages) {
  for (const char* row : {R"({"title": "a", "amount": 3})", R"({"title": "b", "amount": 1})",
                          R"({"title": "c", "amount": 2})", R"({"title": "d"})"})
    ASSERT_TRUE(tables_->insert("orders", json_of(row)));
  EXPECT_EQ(titles({}), "abcd");
  EXPECT_EQ(titles({.filter = "amount ge 2"}), "ac");
  EXPECT_EQ(titles({.order_by = "amount desc"}), "acbd");
  EXPECT_EQ(titles({.order_by = "amount", .top = 2, .skip = 1}), "bc");
  EXPECT_EQ(titles({.top = 2, .skip = 1}), "bc");
  EXPECT_EQ(titles({.filter = "TITLE eq 'A'", .text_case = odata::Case::ignored}), "a");
  EXPECT_EQ(titles({.filter = "amount is 2"}), "InvalidFilter");
  const auto page = tables_->rows("orders", {.filter = "id eq 2", .select = "amount"});
  ASSERT_EQ(page->rows.size(), 1U);
  EXPECT_EQ(page->rows[0].find("title"), nullptr);
  EXPECT_EQ(*page->rows[0].find("amount"), Value(1));
  // Hundreds of rows keep the order of their numbers, over the pages of the store too.
  for (int i = 0; i < 1'100; ++i) ASSERT_TRUE(tables_->insert("orders", json_of(R"({"title": "x"})")));
  EXPECT_EQ(tables_->rows("orders", {.top = 5'000})->matching, 1'104U);
  EXPECT_EQ(*tables_->rows("orders", {.skip = 1'103})->rows[0].find("id"), Value(1'104));
  ASSERT_TRUE(tables_->remove("orders"));
  ASSERT_TRUE(tables_->create(json_of(R"({"name": "orders"})")));
  EXPECT_EQ(tables_->rows("orders", {})->matching, 0U);
}

TEST_F(TablesTest, TriggersSeeEachChangeOnce) {
  const auto connector = make_tables_connector({.store = *store_, .client = *static_cast<http::Client*>(nullptr)});
  const auto loaded = load_connector_text(connector->swagger(), connector->properties(), {.name = "shared_tables"});
  ASSERT_TRUE(loaded.connector);
  EXPECT_TRUE(loaded.diagnostics.empty());
  EXPECT_EQ(loaded.connector->usable_operations(), loaded.connector->operations.size());
  NativeCall call;
  call.arguments.values["table"] = Value("orders");
  std::string state;
  const auto check = [&](const char* operation) {
    call.operation = loaded.connector->find_operation(operation);
    call.state = state;
    const http::Reply reply = connector->call(call);
    const std::string location(http::find_header(reply.headers, "Location"));
    EXPECT_TRUE(location.starts_with("state:")) << reply.body;
    state = location.substr(6);
    if (reply.status == 202) return std::string("-");
    std::string out;
    const Value body = json_of(reply.body);
    for (const Value& row : body.find("value")->as_array()) out += std::string(row.text_of("title"));
    return out;
  };
  ASSERT_TRUE(tables_->insert("orders", json_of(R"({"title": "old"})")));
  EXPECT_EQ(check("GetOnNewItems"), "-");
  ASSERT_TRUE(tables_->insert("orders", json_of(R"({"title": "a"})")));
  ASSERT_TRUE(tables_->insert("orders", json_of(R"({"title": "b"})")));
  ASSERT_TRUE(tables_->change("orders", "1", json_of(R"({"title": "OLD"})")));
  EXPECT_EQ(check("GetOnNewItems"), "ab");
  EXPECT_EQ(check("GetOnNewItems"), "-");
  ASSERT_TRUE(tables_->change("orders", "2", json_of(R"({"title": "A"})")));
  EXPECT_EQ(check("GetOnUpdatedItems"), "A");
  EXPECT_EQ(check("GetOnUpdatedItems"), "-");
  call.arguments.values["$top"] = Value(1);
  for (const char* row : {R"({"title": "c"})", R"({"title": "d"})"})
    ASSERT_TRUE(tables_->insert("orders", json_of(row)));
  EXPECT_EQ(check("GetOnNewItems"), "c");
  EXPECT_EQ(check("GetOnNewItems"), "d");
  call.arguments.values["table"] = Value("nothing");
  call.state.clear();
  EXPECT_EQ(connector->call(call).status, 404);
}

}  // namespace
}  // namespace flowmend::connector
