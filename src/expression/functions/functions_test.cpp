// The rules of expressions.md sections 4 to 7 that the shared cases leave open, as tables: expression, result.

#include <array>
#include <string>

#include <gtest/gtest.h>

#include "expression/testing.h"

namespace flowmend::expression {
namespace {

using testing::check;
using testing::evaluated;

TEST(TextOfValues, AsTheServicePrintsThem) {
  check({
      {"@{null}", R"("")"},
      {"@{true}", R"("True")"},
      {"@{5.0}", R"("5")"},
      {"@{3e1}", R"("30")"},
      {"@{0.1}", R"("0.1")"},
      {"@{1e15}", R"("1E+15")"},
      {"@{123456789012345.0}", R"("123456789012345")"},
      {"@{5e-324}", R"("5E-324")"},
      {"@{float('nan')}", R"("NaN")"},
      {"@{float('-1e400')}", R"("-Infinity")"},
      {"@{createArray(5.0, true, null, 'a\"b')}", R"("[5.0,true,null,\"a\\\"b\"]")"},
      {"@{decimal('5.0000')}", R"("5.0000")"},
  });
}

TEST(Logical, OrderAndEquality) {
  check({
      {"@equals(1, 1.0)", "true"},
      {"@equals(null, '')", "false"},
      {"@equals(null, null)", "true"},
      {"@equals(true, 'true')", "false"},
      {"@equals(0, false)", "true"},
      {"@equals('a', 'A')", "false"},
      {"@equals(1, 1, 1)", "true"},
      {"@equals(1, 1, 2)", "false"},
      {"@equals(decimal('1.0'), 1)", "true"},
      {"@equals(json('{\"a\":1,\"b\":2}'), json('{\"b\":2,\"a\":1}'))", "true"},
      {"@less('a', 'B')", "true"},
      {"@greater('b', 'A')", "true"},
      {"@greater(float('nan'), 1)", "false"},
      {"@lessOrEquals(float('nan'), 1)", "false"},
      {"@greater(9223372036854775807, 9223372036854775806)", "true"},
      {"@greater(1, 'a')",
       "error: expects two parameter of matching types. The function was invoked with values of type 'Integer' and "
       "'String' "
       "that do not match."},
      {"@less(true, false)", "error: Found invalid parameter types: 'Boolean,Boolean'."},
      {"@not(1)", "error: 'not' expects its parameter to be a boolean. The provided value is of type 'Integer'."},
      {"@isInt(' -1,000 ')", "true"},
      {"@isInt('1e3')", "true"},
      {"@isInt('9223372036854775808')", "false"},
      {"@isInt('nan')", "false"},
      {"@isFloat('1e5')", "true"},
      {"@isFloat('')", "false"},
      {"@isFloat('1', 'zz-nope-nope-nope')", "error: not valid"},
  });
}

TEST(Strings, CountUtf16Units) {
  check({
      {"@length('a😀b')", "4"},
      {"@substring('a😀b', 3)", R"("b")"},
      {"@substring('a😀b', 1, 2)", R"("😀")"},
      {"@substring('a😀b', 0, 2)", "\"a\xEF\xBF\xBD\""},
      {"@indexOf('ä😀b', 'B')", "3"},
      {"@lastIndexOf('äbÄB', 'äB')", "2"},
      {"@nthIndexOf('abABab', 'ab', -1)", "4"},
      {"@nthIndexOf('abABab', 'ab', -3)", "0"},
      {"@nthIndexOf('abABab', 'ab', -4)", "-1"},
      {"@nthIndexOf('a', 'a', 0)", "error: integer other than 0"},
      {"@first('😀x')", "\"\xEF\xBF\xBD\""},
      {"@chunk('ab😀cd', 3)", R"(["ab","😀c","d"])"},
      {"@slice('ab😀cd', -2)", R"("cd")"},
      {"@toUpper('straße ǆ')", R"("STRAßE Ǆ")"},
      {"@startsWith('Ärger', 'äR')", "true"},
      {"@endsWith('x', 'longer than x')", "false"},
      {"@trim('\u00A0\u2003x\u3000')", R"("x")"},
      {"@trim('')", R"("")"},
      {"@trim(1)", "error: The provided parameters for template language function 'trim' are not valid."},
      {"@replace('aaa', '', 'b')", "error: String cannot be of zero length"},
      {"@replace('abab', 'ab', 'aba')", R"("abaaba")"},
      {"@split('a||b', '||')", R"(["a","b"])"},
      {"@concat()", "error: expects at least one parameter"},
      {"@indexOf('abc', '')", "0"},
      {"@lastIndexOf('', 'a')", "-1"},
      {"@guid('Q')", "error: one of the formats"},
  });
}

TEST(Collections, KeepTheirRules) {
  check({
      {"@empty(json('{}'))", "true"},
      {"@empty(0)", "error: be an object, an array or a string"},
      {"@first(createArray())", "error: at least one parameter"},
      {"@last(json('[]'))", "null"},
      {"@skip(createArray(1, 2), 5)", "[]"},
      {"@take('😀', 2)", R"("😀")"},
      {"@skip(null, 1)", "error: 'skip' expects its first parameter to be an array or a string."},
      {"@contains(createArray(1, 2), 2.0)", "true"},
      {"@contains(json('{\"Key\":1}'), 'key')", "true"},
      {"@contains('abc', 1)", "error: second parameter to be of type string"},
      {"@join(createArray(null, true, 1.0, 'x'), '-')", R"("-True-1-x")"},
      {"@union(createArray(1, 1.0, '1'), createArray(2))", R"([1,"1",2])"},
      {"@union(json('{\"a\":1,\"b\":2}'), json('{\"a\":3,\"c\":4}'))", R"({"a":3,"b":2,"c":4})"},
      {"@intersection(json('{\"a\":1,\"b\":2}'), json('{\"a\":1,\"b\":3}'))", R"({"a":1})"},
      {"@sort(createArray('b', 'A', 'c'))", R"(["A","b","c"])"},
      {"@sort(createArray(3, 1.5, null, -2))", "[null,-2,1.5,3]"},
      {"@sort(createArray(1, 'a'))", "error: one type that can be compared"},
      {"@sort(createArray(json('{\"n\":2}'), json('{\"n\":1}')), 'n')", R"([{"n":1},{"n":2}])"},
      {"@reverse('abc')", "error: be of type array"},
      {"@range(5, 0)", "error: from 1 to 100000"},
      {"@range(0, 100001)", "error: from 1 to 100000"},
      {"@length(range(0, 100000))", "100000"},
      {"@range(2147483640, 7)", "[2147483640,2147483641,2147483642,2147483643,2147483644,2147483645,2147483646]"},
      {"@range(2147483647, 1)", "error: no larger than 2147483647"},
      {"@chunk(createArray(1), 0)", "error: less than 1"},
      {"@array(null)", "[null]"},
      {"@coalesce(null, null, 3, int('x'))", "3"},
  });
}

TEST(Math, KeepsTypesAndChecksRanges) {
  check({
      {"@add(9223372036854775807, 1)", "error: 'add' cannot be evaluated: the result is too large"},
      {"@add(9223372036854775807, 1.0)", "9.223372036854776E+18"},
      {"@sub(-9223372036854775808, 1)", "error: too large"},
      {"@mul(4294967296, 4294967296)", "error: too large"},
      {"@div(-7, 2)", "-3"},
      {"@div(7, -2)", "-3"},
      {"@div(-9223372036854775808, -1)", "error: too large"},
      {"@mod(-9223372036854775808, -1)", "0"},
      {"@mod(-7, 3)", "-1"},
      {"@mod(7.5, 2)", "1.5"},
      {"@div(1.5, 0)", "error: Attempt to divide an integral or decimal value by zero in function 'div'."},
      {"@div(1, 0.0)", "error: Attempt to divide"},
      {"@div(decimal('1'), decimal('0.00'))", "error: Attempt to divide"},
      {"@{mul(1e308, 10)}", R"("Infinity")"},
      {"@{div(decimal('1'), 3)}", R"("0.3333333333333333333333333333")"},
      {"@{div(decimal('2'), 3)}", R"("0.6666666666666666666666666667")"},
      {"@{div(decimal('10'), 4)}", R"("2.5")"},
      {"@{add(decimal('0.10'), decimal('0.200'))}", R"("0.300")"},
      {"@{sub(decimal('1.5'), 2)}", R"("-0.5")"},
      {"@{mul(decimal('1.10'), decimal('2.00'))}", R"("2.2000")"},
      {"@{mod(decimal('-5.5'), 2)}", R"("-1.5")"},
      {"@mul(decimal('79228162514264337593543950335'), 2)", "error: too large"},
      {"@{add(decimal('79228162514264337593543950334'), 1)}", R"("79228162514264337593543950335")"},
      {"@add(decimal('1'), 1e30)", "error: too large"},
      {"@max(1, 2.5)", "2.5"},
      {"@max(3, 2.5)", "3.0"},
      {"@min(createArray())", "error: at least one parameter"},
      {"@min(json('[]'))", "error: at least one number"},
      {"@min(1, 'a')", "error: expects its second parameter to be an integer, a float or a decimal number"},
      {"@rand(3, 3)", "error: to be less than"},
      {"@abs(1)", "error: The template function 'abs' is not defined or not valid."},
  });
}

TEST(Conversions, ReadAsTheHostDoes) {
  check({
      {"@int('1.0')", "1"},
      {"@int('1e3')", "1000"},
      {"@int(true)", "1"},
      {"@int('-1e300')", "-9223372036854775808"},
      {"@int('')", "error: cannot be converted to the target type"},
      {"@int(null)", "error: cannot be converted"},
      {"@int('(5)')", "error: cannot be converted"},
      {"@int(json('[1]'))", "error: cannot be converted"},
      {"@float('1,5')", "15.0"},
      {"@float('1,5', 'de-DE')", "1.5"},
      {"@float('1 234,5', 'fr-FR')", "1234.5"},
      {"@float(',5')", "error: not valid"},
      {"@float('1e')", "error: not valid"},
      {"@float('(5)')", "error: not valid"},
      {"@float('1', 'no-such-locale-at-all')", "error: not valid"},
      {"@bool('tRuE')", "true"},
      {"@bool('1')", "error: cannot be converted"},
      {"@{decimal('1e5')}", "error: not valid"},
      {"@{decimal(1e-30)}", R"("0")"},
      {"@{decimal(0.1)}", R"("0.1")"},
      {"@decimal(1e29)", "error: not valid"},
      {"@string(null)", R"("")"},
      {"@createArray('a', 1, true)", R"(["a",1,true])"},
  });
}

TEST(Conversions, JsonIsLenientAsNewtonsoft) {
  check({
      {"@json('{a: ''x'', /* c */ \"b\": [1, 2,], // end\n }')", R"({"a":"x","b":[1,2]})"},
      {"@json('{\"a\":1,\"b\":2,\"a\":3}')", R"({"b":2,"a":3})"},
      {"@json('{\"a\":1,\"A\":2}')", R"({"a":1,"A":2})"},
      {"@json('0x1F')", "31"},
      {"@json('010')", "8"},
      {"@json('1 2')", "1"},
      {"@json('\"\\u00e4\\ud83d\\ude00\"')", R"("ä😀")"},
      {"@json('\"\\ud83d\"')", "\"\xEF\xBF\xBD\""},
      {"@json('18446744073709551615')", "18446744073709551615.0"},
      {"@json('\"2020-01-01T00:00:00Z\"')", R"("2020-01-01T00:00:00Z")"},
      {"@json('hello')",
       "error: The template language function 'json' parameter is not valid. The provided value 'hello' cannot be "
       "parsed: "
       "'Unexpected character encountered while parsing value: h. Path '', line 0, position 0.'."},
      {"@json('')", "error: 'Unexpected end when reading token. Path ''.'"},
      {"@json('{\"a\":')", "error: Unexpected end when reading token. Path 'a'."},
      {"@json('[1 2]')",
       "error: After parsing a value an unexpected character was encountered: 2. Path '[0]', line 1, position 3."},
      {"@json('\"a')", "error: Unterminated string."},
      {"@json('{\"a\" 1}')", "error: Invalid character after parsing property name. Expected ':' but got: 1."},
      {"@json('1e')", "error: not a valid number"},
      {"@json(null)", "error: expects its parameter to be a string or an XML"},
  });
}

TEST(Objects, MatchKeysExactlyFirst) {
  check({
      {"@addProperty(json('{\"a\":1}'), 'B', null)", R"({"a":1,"B":null})"},
      {"@setProperty(json('{\"a\":1,\"b\":2}'), 'A', 3)", R"({"b":2,"a":3})"},
      {"@removeProperty(json('{\"a\":1}'), 'x')", R"({"a":1})"},
      {"@mergeObjects(json('{\"a\":1,\"b\":2}'), json('{\"b\":3,\"c\":4}'))", R"({"a":1,"b":3,"c":4})"},
      {"@mergeObjects(1, json('{}'))", "error: first parameter to be of type object"},
      {"@addProperty(json('{}'), 'a')", "error: expects three parameters"},
  });
}

TEST(Selecting, FollowsTheTable) {
  constexpr std::string_view context = R"({"variables": {"o": {"Name": "x", "n": null, "list": [1, 2, 3], "s": "text",
      "a": {"b/c": 1, "b": {"c": 2, "d": 3}}}}})";
  check(
      {
          {"@variables('o').NAME", R"("x")"},
          {"@variables('o').n", "null"},
          {"@variables('o')?['zz']", "null"},
          {"@variables('o').zz", "error: property 'zz' doesn't exist, available properties are 'Name, n, list, s, a'."},
          {"@variables('o').n.x", "error: property 'x' cannot be selected."},
          {"@variables('o').n?.x", "null"},
          {"@variables('o').s.x", "error: Property selection is not supported on values of type 'String'."},
          {"@variables('o').list.x", "error: Array elements can only be selected using an integer index."},
          {"@variables('o').list?['x']", "error: Array elements can only be selected using an integer index."},
          {"@variables('o').list[3]", "error: array index '3' is outside bounds (0, 2) of array."},
          {"@variables('o').list[-1]", "error: array index '-1' is outside bounds (0, 2) of array."},
          {"@variables('o').list?[-1]", "null"},
          {"@variables('o')[0]", "error: property '0' cannot be selected"},
          {"@variables('o')['a']['b/c']", "1"},
          {"@variables('o')['a/b/d']", "3"},
          {"@variables('o')?['a/x/d']", "null"},
          {"@variables('o')['a/x/d']", "error: property 'a/x/d' doesn't exist"},
          {"@variables('o')?['n/x']", "null"},
          {"@variables('o').list[sub(2, 1)]", "2"},
          {"@variables('zz')", "error: 'zz'"},
          {"@item()", "error: The template function 'item' is not expected at this location."},
          {"@triggerBody()", "null"},
      },
      context);
}

// Laws that hold for every input, on a few hundred drawn ones.
class Laws : public ::testing::Test {
 protected:
  Value draw(unsigned depth) {
    switch (random_.next() % (depth == 0 ? 6 : 8)) {
      case 0: return {};
      case 1: return Value(random_.next() % 2 == 0);
      case 2: return Value(static_cast<std::int64_t>(random_.next() >> (random_.next() % 64)));
      case 3: return Value(static_cast<double>(static_cast<std::int64_t>(random_.next())) / 1024.0);
      case 4: return Value("key" + std::to_string(random_.next() % 100));
      case 5: return Value(text());
      case 6: {
        std::vector<Value> elements(random_.next() % 5);
        for (Value& element : elements) element = draw(depth - 1);
        return Value::array(std::move(elements));
      }
      default: {
        json::ObjectBuilder builder;
        for (std::uint64_t i = random_.next() % 5; i > 0; --i) builder.add("k" + std::to_string(i), draw(depth - 1));
        return builder.finish();
      }
    }
  }
  std::string text() {
    static const std::array<std::string_view, 8> pieces = {"a", "\"", "\\", "ä", "😀", "\n", "<&>", "%20+/="};
    std::string out;
    for (std::uint64_t i = random_.next() % 12; i > 0; --i) out += pieces[random_.next() % pieces.size()];
    return out;
  }
  std::string item(std::string_view expression, const Value& value) {
    return evaluated(expression, json::write(Value::object({{"item", value}})));
  }

  Random random_{2026};
};

TEST_F(Laws, JsonOfStringIsTheValue) {
  for (int i = 0; i < 500; ++i) {
    const Value value = draw(4);
    if (!value.is_array() && !value.is_object()) continue;
    EXPECT_EQ(item("@equals(json(string(item())), item())", value), "true") << json::write(value);
  }
}

TEST_F(Laws, SortAndReverse) {
  for (int i = 0; i < 200; ++i) {
    std::vector<Value> numbers(random_.next() % 20);
    for (Value& number : numbers) number = Value(static_cast<std::int64_t>(random_.next() % 50));
    const Value list = Value::array(numbers);
    EXPECT_EQ(item("@equals(reverse(reverse(item())), item())", list), "true");
    EXPECT_EQ(item("@equals(sort(sort(item())), sort(reverse(item())))", list), "true");
    EXPECT_EQ(item("@equals(length(sort(item())), length(item()))", list), "true");
    if (!numbers.empty()) {
      EXPECT_EQ(item("@equals(first(sort(item())), min(item()))", list), "true");
      EXPECT_EQ(item("@equals(last(sort(item())), max(item()))", list), "true");
    }
  }
}

TEST_F(Laws, UnionAndIntersection) {
  for (int i = 0; i < 200; ++i) {
    std::vector<Value> values(1 + random_.next() % 10);
    for (Value& value : values) value = draw(2);
    const Value list = Value::array(values);
    EXPECT_EQ(item("@equals(union(item(), item()), union(item(), json('[]')))", list), "true");
    EXPECT_EQ(item("@equals(intersection(item(), item()), union(item(), item()))", list), "true");
    EXPECT_EQ(item("@intersection(item(), json('[]'))", list), "[]");
  }
}

TEST_F(Laws, SplitAndJoinAreInverse) {
  for (int i = 0; i < 300; ++i) {
    const Value value(text());
    EXPECT_EQ(item("@equals(join(split(item(), 'a'), 'a'), item())", value), "true");
    EXPECT_EQ(item("@equals(join(chunk(item(), 2), ''), item())", value), "true");
    EXPECT_EQ(item("@equals(concat(take(item(), 0), skip(item(), 0)), item())", value), "true");
  }
}

}  // namespace
}  // namespace flowmend::expression
