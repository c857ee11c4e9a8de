// Filters, orders and selections of OData, read and carried out on values.

#include "connector/native/odata.h"

#include <gtest/gtest.h>

#include "json/parse.h"

namespace flowmend::connector::odata {
namespace {

const char* const row_text = R"({"name": "Ada's", "amount": 120, "rate": 1.5, "open": true, "note": null,
  "due": "2026-03-01T10:00:00Z", "id": "0f8fad5b-d9cb-469f-a165-70867728950e", "city": "Oslo"})";

Value look_up(std::string_view name) {
  static const Value row = *json::parse(row_text);
  const Value* found = row.find(name);
  return found == nullptr ? Value() : *found;
}

struct FilterCase {
  const char* filter;
  bool passes;
};

TEST(OData, FiltersRows) {
  const FilterCase cases[] = {
      {"name eq 'Ada''s'", true},
      {"name ne 'Ada''s'", false},
      {"amount gt 100 and amount le 120", true},
      {"amount gt 100 and amount lt 120 or open", true},
      {"(amount gt 100 or open eq false) and rate ge 1.5", true},
      {"not (open eq true)", false},
      {"not contains(name, 'x')", true},
      {"contains(name, 'da')", true},
      {"startswith(city,'Os') and endswith(city,'lo')", true},
      {"substringof('sl', city) eq true", true},
      {"note eq null", true},
      {"note ne null", false},
      {"missing eq null", true},
      {"note gt 5", false},
      {"not (note gt 5)", true},
      {"due ge 2026-03-01", true},
      {"due lt datetime'2026-03-01T10:00:00Z'", false},
      {"due eq '2026-03-01T11:00:00+01:00'", true},
      {"id eq 0f8fad5b-d9cb-469f-a165-70867728950e", true},
      {"id eq guid'0f8fad5b-d9cb-469f-a165-70867728950e'", true},
      {"tolower(city) eq 'oslo'", true},
      {"city eq 'oslo'", false},
      {"length(city) eq 4", true},
      {"city in ('Rome', 'Oslo')", true},
      {"amount in (1, 2)", false},
      {"amount eq -120", false},
      {"120 eq amount", true},
      {"AMOUNT eq null", true},
      {"open", true},
      {"true", true},
      {"rate eq 1.50", true},
      {"amount EQ 120 AND open Eq TRUE", true},
  };
  for (const FilterCase& one : cases) {
    const auto filter = parse_filter(one.filter);
    ASSERT_TRUE(filter) << one.filter << ": " << filter.error().message;
    EXPECT_EQ(matches(*filter, look_up), one.passes) << one.filter;
  }
  EXPECT_TRUE(matches(*parse_filter("city eq 'oslo' and contains(city,'SL')"), look_up, Case::ignored));
}

TEST(OData, SaysWhereAFilterIsWrong) {
  const std::pair<const char*, const char*> cases[] = {
      {"", "expected"},
      {"name eq", "expected"},
      {"name eq 'x", "closing quote"},
      {"name eq x y", "position"},
      {"name like 'x'", "expected here"},
      {"(name eq 'x'", "')' is expected"},
      {"name eq 12x", "neither a number nor a date"},
      {"contains(name)", "takes 2"},
      {"foo(name) eq 1", "not supported"},
      {"Microsoft.Dynamics.CRM.LastXDays(PropertyName='a',PropertyValue=1)", "not supported"},
      {"amount add 1 eq 2", "not supported"},
      {"'x'", "no condition"},
      {"1 and 2", "no condition"},
      {"name in 'x'", "'('"},
      {"= 4", "expected"},
  };
  for (const auto& [text, words] : cases) {
    const auto filter = parse_filter(text);
    ASSERT_FALSE(filter) << text;
    EXPECT_EQ(filter.error().code, "InvalidFilter");
    EXPECT_NE(filter.error().message.find(words), std::string::npos) << text << ": " << filter.error().message;
  }
  EXPECT_FALSE(parse_filter(std::string(1000, '(')));
  EXPECT_FALSE(parse_filter(std::string(40'000, ' ')));
  std::string long_list = "a in (1";
  for (int i = 0; i < 3000; ++i) long_list += ",1";
  EXPECT_FALSE(parse_filter(long_list + ")"));
}

TEST(OData, ReadsOrdersAndSelections) {
  const auto order = parse_order_by("amount desc, name , created asc");
  ASSERT_TRUE(order);
  ASSERT_EQ(order->size(), 3U);
  EXPECT_TRUE((*order)[0].descending);
  EXPECT_EQ((*order)[1].property, "name");
  EXPECT_FALSE(parse_order_by("amount downwards"));
  EXPECT_FALSE(parse_order_by("1; drop"));
  EXPECT_EQ(parse_select("a, b,,c"), (std::vector<std::string>{"a", "b", "c"}));
  EXPECT_TRUE(parse_select("*").empty());
}

}  // namespace
}  // namespace flowmend::connector::odata
