#include "json/value.h"

#include <gtest/gtest.h>

#include <limits>

#include "json/parse.h"
#include "json/pointer.h"
#include "json/write.h"

namespace flowmend::json {
namespace {

std::string round_trip(std::string_view text) {
  auto value = parse(text);
  return value ? write(*value) : "error: " + value.error().message;
}

TEST(Value, KeepsOrderAndKinds) {
  const std::string text = R"({"z":1,"a":[true,null,"x",2.5,{"deep":{}}],"long text beyond the small string":"ü€😀"})";
  EXPECT_EQ(round_trip(text), text);
}

TEST(Value, SmallStringsLiveInside) {
  for (std::size_t length : {0U, 1U, 13U, 14U, 15U, 200U}) {
    const std::string text(length, 'x');
    Value value(text);
    Value copy = value;
    value = Value(1);
    EXPECT_EQ(copy.as_string(), text);
    Value moved = std::move(copy);
    EXPECT_EQ(moved.as_string(), text);
  }
}

TEST(Value, FindsInLargeObjectsAndIgnoresCaseOnlyWhenAsked) {
  ObjectBuilder builder;
  for (int i = 0; i < 1000; ++i) builder.add("Key" + std::to_string(i), Value(i));
  const Value object = builder.finish();
  ASSERT_NE(object.find("Key999"), nullptr);
  EXPECT_EQ(object.find("Key999")->as_integer(), 999);
  EXPECT_EQ(object.find("key999"), nullptr);
  ASSERT_NE(object.find_ignoring_case("kEY7"), nullptr);
  EXPECT_EQ(object.find_ignoring_case("kEY7")->as_integer(), 7);
  EXPECT_EQ(object.find("absent"), nullptr);
}

TEST(Value, ExactCaseWins) {
  const auto value = parse(R"({"abc":1,"ABC":2})");
  EXPECT_EQ(value->find_ignoring_case("ABC")->as_integer(), 2);
  EXPECT_EQ(value->find_ignoring_case("Abc")->as_integer(), 1);
}

TEST(Value, EqualityIsByValue) {
  EXPECT_EQ(*parse("1"), *parse("1.0"));
  EXPECT_EQ(*parse(R"({"a":1,"b":[2]})"), *parse(R"({"b":[2],"a":1})"));
  EXPECT_FALSE(*parse("\"1\"") == *parse("1"));
  EXPECT_FALSE(*parse("null") == *parse("\"\""));
}

TEST(Value, KnowsItsDepth) {
  EXPECT_EQ(parse("1")->depth(), 0U);
  EXPECT_EQ(parse("[]")->depth(), 1U);
  EXPECT_EQ(parse(R"({"a":[[1]]})")->depth(), 3U);
}

TEST(Parse, LastDuplicateWinsAtItsPlace) {
  EXPECT_EQ(round_trip(R"({"a":1,"b":2,"a":3})"), R"({"b":2,"a":3})");
  std::string many = "{";
  for (int i = 0; i < 40; ++i) many += "\"k" + std::to_string(i % 20) + "\":" + std::to_string(i) + ",";
  many.back() = '}';
  const auto value = parse(many);
  EXPECT_EQ(value->size(), 20U);
  EXPECT_EQ(value->find("k0")->as_integer(), 20);
}

TEST(Parse, KeepsWideIntegers) {
  EXPECT_EQ(round_trip("9223372036854775807"), "9223372036854775807");
  EXPECT_TRUE(parse("18446744073709551615")->is_decimal());
  EXPECT_EQ(parse("79228162514264337593543950335")->as_decimal().to_string(), "79228162514264337593543950335");
  EXPECT_TRUE(parse("1e400")->is_floating() || parse("1e400").has_error());
}

TEST(Parse, RefusesBadTextWithItsPlace) {
  const auto trailing = parse("{} x");
  ASSERT_TRUE(trailing.has_error());
  EXPECT_NE(trailing.error().message.find("line 1, column 4"), std::string::npos);
  EXPECT_TRUE(parse("").has_error());
  EXPECT_TRUE(parse("\n {\"a\":}").has_error());
  EXPECT_TRUE(parse("\"\xff\"").has_error());
  EXPECT_TRUE(parse(std::string(2000, '[') + std::string(2000, ']')).has_error());
  EXPECT_TRUE(parse("[1,2", {}).has_error());
  EXPECT_TRUE(parse("[1,2]", {.bytes_max = 3}).has_error());
}

TEST(Write, PrintsDoublesAsDotNetDoes) {
  EXPECT_EQ(write(Value(5.0)), "5.0");
  EXPECT_EQ(write(Value(0.1)), "0.1");
  EXPECT_EQ(write(Value(1e20)), "1E+20");
  EXPECT_EQ(write(Value(1e-7)), "1E-07");
  EXPECT_EQ(write(Value(123456789012345.0)), "123456789012345.0");
  EXPECT_EQ(double_text(std::numeric_limits<double>::quiet_NaN()), "NaN");
  EXPECT_EQ(double_text(5e-324), "5E-324");
}

TEST(Write, EscapesControlCharacters) { EXPECT_EQ(write(Value("a\"\\\n\x01")), R"("a\"\\\n\u0001")"); }

TEST(Pointer, EscapesAndResolves) {
  EXPECT_EQ(join("/a", "b/c~d"), "/a/b~1c~0d");
  const auto value = parse(R"({"a":{"b/c~d":[10,20]}})");
  ASSERT_NE(resolve(*value, "/a/b~1c~0d/1"), nullptr);
  EXPECT_EQ(resolve(*value, "/a/b~1c~0d/1")->as_integer(), 20);
  EXPECT_EQ(resolve(*value, "/a/x"), nullptr);
  EXPECT_EQ(resolve(*value, "/a/b~1c~0d/2"), nullptr);
  EXPECT_EQ(resolve(*value, "a"), nullptr);
}

TEST(Decimal, KeepsDigitsAndCompares) {
  EXPECT_EQ(Decimal::parse("5.0000")->to_string(), "5.0000");
  EXPECT_EQ(Decimal::parse("-0.05")->to_string(), "-0.05");
  EXPECT_EQ(Decimal::compare(*Decimal::parse("5.0"), *Decimal::parse("5.00")), std::strong_ordering::equal);
  EXPECT_EQ(Decimal::compare(*Decimal::parse("-1"), *Decimal::parse("0.1")), std::strong_ordering::less);
  EXPECT_FALSE(Decimal::parse("79228162514264337593543950336"));
  EXPECT_FALSE(Decimal::parse("1.2.3"));
}

}  // namespace
}  // namespace flowmend::json
