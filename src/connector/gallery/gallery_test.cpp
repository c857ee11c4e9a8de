// Connectors' documents from folders and packages, and their versions.

#include "connector/gallery/gallery.h"

#include <zip.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>

#include <gtest/gtest.h>

#include "connector/gallery/package.h"
#include "json/parse.h"
#include "store/sqlite/open.h"

namespace flowmend::connector {
namespace {

Value json_of(std::string_view text) {
  auto value = json::parse(text);
  EXPECT_TRUE(value) << text;
  return value ? *value : Value();
}

constexpr const char* orders =
    R"({"swagger": "2.0", "info": {"title": "Orders"}, "host": "orders.test", "definitions": {"Order": {"type": "object", "properties": {"id": {"type": "string"}}}},
  "paths": {"/orders/{id}": {"get": {"operationId": "GetOrder", "parameters": [{"name": "id", "in": "path", "required": true, "type": "string"}], "responses": {"200": {"description": "", "schema": {"$ref": "#/definitions/Order"}}}}},
            "/orders": {"get": {"operationId": "ListOrders", "responses": {"200": {"description": ""}}}}}})";
/// Order has one more property, ListOrders is gone, CreateOrder is new, GetOrder wants a region.
constexpr const char* orders_changed =
    R"({"swagger": "2.0", "info": {"title": "Orders"}, "host": "orders.test", "definitions": {"Order": {"type": "object", "properties": {"id": {"type": "string"}, "total": {"type": "number"}}}},
  "paths": {"/orders/{id}": {"get": {"operationId": "GetOrder", "parameters": [{"name": "id", "in": "path", "required": true, "type": "string"}, {"name": "region", "in": "query", "required": true, "type": "string"}], "responses": {"200": {"description": "", "schema": {"$ref": "#/definitions/Order"}}}}},
            "/orders": {"post": {"operationId": "CreateOrder", "responses": {"200": {"description": ""}}}}}})";

/// A zip made in memory; a text may be large, names are written as they are.
std::string make_zip(const std::vector<std::pair<std::string, std::string>>& files, bool encrypted = false) {
  zip_error_t failure;
  zip_error_init(&failure);
  zip_source_t* target = zip_source_buffer_create(nullptr, 0, 0, &failure);
  zip_source_keep(target);
  zip_t* archive = zip_open_from_source(target, ZIP_TRUNCATE, &failure);
  for (const auto& [name, text] : files) {
    zip_source_t* source = zip_source_buffer(archive, text.data(), text.size(), 0);
    const zip_int64_t index = zip_file_add(archive, name.c_str(), source, ZIP_FL_ENC_UTF_8);
    EXPECT_GE(index, 0) << name;
    if (encrypted) zip_file_set_encryption(archive, static_cast<zip_uint64_t>(index), ZIP_EM_AES_256, "secret");
  }
  EXPECT_EQ(zip_close(archive), 0);
  zip_stat_t about;
  zip_source_stat(target, &about);
  std::string bytes(about.size, '\0');
  zip_source_open(target);
  zip_source_read(target, bytes.data(), bytes.size());
  zip_source_close(target);
  zip_source_free(target);
  zip_error_fini(&failure);
  return bytes;
}

TEST(Package, FindsFoldersOfConnectorsAndTheirScripts) {
  const auto found = read_package(make_zip({{"a/apiDefinition.swagger.json", orders},
                                            {"a/apiProperties.json", R"({"properties": {}})"},
                                            {"a/script.csx", "//"},
                                            {"b/apiDefinition.swagger.json", orders_changed},
                                            {"readme.md", "hello"}}));
  ASSERT_TRUE(found) << found.error().message;
  ASSERT_EQ(found->size(), 2U);
  EXPECT_EQ((*found)[0].place, "a/apiDefinition.swagger.json");
  EXPECT_EQ((*found)[0].properties, R"({"properties": {}})");
  EXPECT_TRUE((*found)[0].has_script);
  EXPECT_FALSE((*found)[1].has_script);
}

TEST(Package, PutsASolutionsPartsTogetherAndTakesTheNameThatFlowsUse) {
  const auto found = read_package(make_zip(
      {{"customizations.xml",
        R"(<ImportExportXml><Connectors><Connector><connectorinternalid>shared_new-5forders</connectorinternalid>
           <openapidefinition>/Connector/new_orders_openapidefinition.json</openapidefinition></Connector></Connectors></ImportExportXml>)"},
       {"Connector/new_orders_openapidefinition.json", orders},
       {"Connector/new_orders_connectionparameters.json", R"({"token": {"type": "securestring"}})"},
       {"Connector/new_orders_policytemplateinstances.json", "[]"}}));
  ASSERT_TRUE(found) << found.error().message;
  ASSERT_EQ(found->size(), 1U);
  EXPECT_EQ((*found)[0].name, "shared_new-5forders");
  const Value properties = json_of((*found)[0].properties);
  EXPECT_EQ(properties.find("properties")->find("connectionParameters")->find("token")->text_of("type"),
            "securestring");
}

TEST(Package, RefusesWhatUnpacksToMoreThanItMay) {
  PackageLimits limits;
  limits.file_bytes_max = 1u << 20;
  limits.all_bytes_max = 3u << 19;
  const std::string zeros(2u << 20, '0');
  const std::string bomb = make_zip({{"a/apiDefinition.swagger.json", zeros}});
  EXPECT_LT(bomb.size(), 10'000U);
  EXPECT_EQ(read_package(bomb, limits).error().code, "PackageTooLarge");
  // Each of them may be unpacked, both together may not.
  const std::string most(1u << 20, '0');
  const auto both =
      read_package(make_zip({{"a/apiDefinition.swagger.json", most}, {"b/apiDefinition.swagger.json", most}}), limits);
  EXPECT_EQ(both.error().code, "PackageTooLarge");
  // What is no connector's file is not unpacked at all.
  EXPECT_TRUE(read_package(make_zip({{"a/apiDefinition.swagger.json", orders}, {"big.bin", zeros}}), limits));
  limits.entries_max = 1;
  EXPECT_EQ(read_package(make_zip({{"a", ""}, {"b", ""}}), limits).error().code, "PackageTooLarge");
  limits.package_bytes_max = 10;
  EXPECT_EQ(read_package(bomb, limits).error().code, "PackageTooLarge");
}

TEST(Package, RefusesNamesThatLeadOut) {
  for (const char* name :
       {"../apiDefinition.swagger.json", "a/../../x.json", "/etc/passwd", "a\\..\\b.json", "C:/x", "a/.."}) {
    const auto found = read_package(make_zip({{"a/apiDefinition.swagger.json", orders}, {name, "x"}}));
    ASSERT_FALSE(found) << name;
    EXPECT_EQ(found.error().code, "PackageNameInvalid") << name;
  }
  EXPECT_TRUE(read_package(make_zip({{"a..b/apiDefinition.swagger.json", orders}})));
}

TEST(Package, SaysWhatIsWrongWithTheFile) {
  EXPECT_EQ(read_package("").error().code, "PackageInvalid");
  EXPECT_EQ(read_package("this is no zip at all").error().code, "PackageInvalid");
  const std::string good = make_zip({{"a/apiDefinition.swagger.json", orders}});
  for (std::size_t length = 0; length < good.size(); length += 7)
    EXPECT_FALSE(read_package(std::string_view(good).substr(0, length))) << length;
  std::string damaged = good;
  damaged[60] = static_cast<char>(damaged[60] ^ 0x5a);  // inside of the packed data
  EXPECT_EQ(read_package(damaged).error().code, "PackageInvalid");
  EXPECT_EQ(read_package(make_zip({{"a/apiDefinition.swagger.json", orders}}, true)).error().code, "PackageInvalid");
  EXPECT_EQ(read_package(make_zip({{"readme.md", "x"}})).error().code, "PackageHoldsNoConnector");
}

TEST(Package, RealPackagesOfFlowsHoldNoConnector) {
  const std::filesystem::path folder = std::string(FLOWMEND_SOURCE_DIR) + "/../shared/corpus/packages";
  if (!std::filesystem::exists(folder)) GTEST_SKIP() << "the corpus is not part of the project";
  std::size_t packages = 0;
  for (const auto& entry : std::filesystem::directory_iterator(folder)) {
    std::ifstream file(entry.path(), std::ios::binary);
    const std::string bytes{std::istreambuf_iterator<char>(file), {}};
    EXPECT_EQ(read_package(bytes).error().code, "PackageHoldsNoConnector") << entry.path();
    ++packages;
  }
  EXPECT_GE(packages, 10U);
}

class GalleryTest : public testing::Test {
 protected:
  void SetUp() override {
    std::string pattern = (std::filesystem::temp_directory_path() / "flowmend-gallery-XXXXXX").string();
    ASSERT_NE(::mkdtemp(pattern.data()), nullptr);
    folder_ = pattern;
    store_ = store::sqlite::open({.folder = folder_}).value();
    registry_ = std::make_unique<Registry>(*store_);
    gallery_ = std::make_unique<Gallery>(*store_, *registry_);
  }
  void TearDown() override {
    registry_.reset();
    store_.reset();
    std::filesystem::remove_all(folder_);
  }
  Imported import(const char* swagger, const std::string& from = "file.json") {
    const auto imported = gallery_->import(json_of(swagger), Value(), {}, "ada", from);
    EXPECT_TRUE(imported) << imported.error().message;
    return imported ? *imported : Imported();
  }

  std::string folder_;
  std::unique_ptr<store::Store> store_;
  std::unique_ptr<Registry> registry_;
  std::unique_ptr<Gallery> gallery_;
};

TEST_F(GalleryTest, ANewDocumentMakesAVersionThatSaysWhatChanged) {
  const Imported first = import(orders);
  EXPECT_TRUE(first.made);
  EXPECT_EQ(first.version, 1);
  const Imported second = import(orders_changed, "new.json");
  EXPECT_FALSE(second.made);
  EXPECT_TRUE(second.changed);
  EXPECT_EQ(second.version, 2);
  EXPECT_EQ(second.change.added, std::vector<std::string>{"CreateOrder"});
  EXPECT_EQ(second.change.removed, std::vector<std::string>{"ListOrders"});
  EXPECT_EQ(second.change.changed, std::vector<std::string>{"GetOrder"});
  EXPECT_EQ(second.change.newly_required, std::vector<std::string>{"GetOrder: region"});
  const auto versions = gallery_->versions("shared_orders");
  ASSERT_TRUE(versions);
  ASSERT_EQ(versions->size(), 2U);
  EXPECT_EQ((*versions)[0].number, 2);
  EXPECT_TRUE((*versions)[0].current);
  EXPECT_EQ((*versions)[0].by, "ada");
  EXPECT_EQ((*versions)[0].from, "new.json");
  EXPECT_TRUE((*versions)[0].time.is_set());
  EXPECT_EQ((*versions)[0].change.removed, std::vector<std::string>{"ListOrders"});
}

TEST_F(GalleryTest, TheSameDocumentChangesNothing) {
  import(orders);
  const Imported again = import(orders);
  EXPECT_FALSE(again.changed);
  EXPECT_EQ(again.version, 1);
  EXPECT_EQ(gallery_->versions("shared_orders")->size(), 1U);
}

TEST_F(GalleryTest, AFormerVersionComesBackAsANewOne) {
  import(orders);
  import(orders_changed);
  EXPECT_EQ(registry_->find("shared_orders")->find_operation("ListOrders"), nullptr);
  const auto restored = gallery_->restore("shared_orders", 1, "bob");
  ASSERT_TRUE(restored) << restored.error().message;
  EXPECT_EQ(restored->version, 3);
  EXPECT_EQ(restored->change.added, std::vector<std::string>{"ListOrders"});
  EXPECT_NE(registry_->find("shared_orders")->find_operation("ListOrders"), nullptr);
  EXPECT_EQ(gallery_->versions("shared_orders")->front().from, "version 1");
  EXPECT_EQ(gallery_->restore("shared_orders", 9, "bob").error().code, "ConnectorVersionNotFound");
  EXPECT_EQ(gallery_->restore("shared_none", 1, "bob").error().code, "ApiNotFound");
}

TEST_F(GalleryTest, WhatWasInstalledBeforeVersionsWereKeptIsTheFirst) {
  ASSERT_TRUE(registry_->install(json_of(orders), Value()));
  EXPECT_EQ(gallery_->versions("shared_orders")->size(), 1U);
  EXPECT_EQ(import(orders_changed).version, 2);
  ASSERT_TRUE(gallery_->restore("shared_orders", 1, "bob"));
  EXPECT_NE(registry_->find("shared_orders")->find_operation("ListOrders"), nullptr);
}

TEST_F(GalleryTest, KeepsTheLatestVersionsOnly) {
  for (int i = 0; i < 25; ++i) import(i % 2 == 0 ? orders : orders_changed);
  const auto versions = gallery_->versions("shared_orders");
  ASSERT_EQ(versions->size(), Gallery::versions_max);
  EXPECT_EQ(versions->front().number, 25);
  EXPECT_EQ(versions->back().number, 6);
}

TEST_F(GalleryTest, RemovingTakesTheVersionsAlong) {
  import(orders);
  import(orders_changed);
  EXPECT_TRUE(*gallery_->remove("shared_orders"));
  EXPECT_FALSE(*gallery_->remove("shared_orders"));
  EXPECT_EQ(gallery_->versions("shared_orders").error().code, "ApiNotFound");
  EXPECT_EQ(import(orders).version, 1);
}

TEST_F(GalleryTest, ANameThatWouldMixUpKeysAndAddressesIsRefused) {
  for (const char* name : {"a/b", "..%2f", "shared orders", "shared_\n", "sh\xC3\xA4red"}) {
    LoadOptions options;
    options.name = name;
    EXPECT_EQ(gallery_->import(json_of(orders), Value(), options, "ada", "").error().code, "ConnectorNameInvalid")
        << name;
  }
  LoadOptions options;
  options.name = "shared_new-5forders.v2";
  EXPECT_TRUE(gallery_->import(json_of(orders), Value(), options, "ada", ""));
}

TEST_F(GalleryTest, ARefusedDocumentLeavesEverythingAsItWas) {
  import(orders);
  EXPECT_FALSE(gallery_->import(json_of(R"({"swagger": "2.0", "info": {"title": "Orders"}, "paths": {}})"), Value(), {},
                                "ada", ""));
  EXPECT_EQ(gallery_->versions("shared_orders")->size(), 1U);
  EXPECT_NE(registry_->find("shared_orders"), nullptr);
}

}  // namespace
}  // namespace flowmend::connector
