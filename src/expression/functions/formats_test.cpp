// The rules of expressions.md sections 8 and 9 that the shared cases leave open, as tables: expression, result. Numbers
// and dates that .NET's documentation prints are named so.

#include "expression/testing.h"

namespace flowmend::expression {
namespace {

using testing::check;

TEST(FormatNumber, StandardFormats) {
  check({
      {"@formatNumber(1234.5678, 'C')", R"("$1,234.57")"},
      {"@formatNumber(-1, 'C')", R"("-$1.00")"},
      {"@formatNumber(-0.001, 'C')", R"("$0.00")"},  // no negative zero
      {"@formatNumber(1234, 'D8')", R"("00001234")"},
      {"@formatNumber(-1234, 'd')", R"("-1234")"},
      {"@formatNumber(1.5, 'D')", "error: format string that is not valid"},
      {"@formatNumber(1052.0329112756, 'E2')", R"("1.05E+003")"},
      {"@formatNumber(-1052.0329112756, 'e')", R"("-1.052033e+003")"},
      {"@formatNumber(0, 'E1')", R"("0.0E+000")"},
      {"@formatNumber(2.5, 'F0')", R"("2")"},
      {"@formatNumber(3.5, 'F0')", R"("4")"},
      {"@formatNumber(999.999, 'F2')", R"("1000.00")"},
      {"@formatNumber(0.05, 'F1')", R"("0.1")"},
      {"@formatNumber(1234567890, 'N0')", R"("1,234,567,890")"},
      {"@formatNumber(-123.456, 'G')", R"("-123.456")"},
      {"@formatNumber(123.4546, 'G4')", R"("123.5")"},
      {"@formatNumber(1e20, 'G')", R"("1E+20")"},
      {"@formatNumber(0.00001, 'G')", R"("1E-05")"},
      {"@formatNumber(9223372036854775807, 'N0')", R"("9,223,372,036,854,775,807")"},
      {"@formatNumber(decimal('79228162514264337593543950335'), 'F0')", R"("79228162514264337593543950335")"},
      {"@formatNumber(0.39678, 'P')", R"("39.68%")"},
      {"@formatNumber(1, 'P0')", R"("100%")"},
      {"@formatNumber(255, 'X')", R"("FF")"},
      {"@formatNumber(255, 'x4')", R"("00ff")"},
      {"@formatNumber(-1, 'X')", R"("FFFFFFFFFFFFFFFF")"},
      {"@formatNumber(1, 'Q')", "error: format string that is not valid"},
      {"@formatNumber('1', 'N')", "error: expects its first parameter to be an integer, a float or a decimal number"},
      {"@formatNumber(1, 'N', 'xx-YY')", "error: locale that is not valid"},
  });
}

// As .NET's "Custom numeric format strings" prints them.
TEST(FormatNumber, CustomFormats) {
  check({
      {"@formatNumber(1234.5678, '00000')", R"("01235")"},
      {"@formatNumber(0.45678, '0.00')", R"("0.46")"},
      {"@formatNumber(1234.5678, '#####')", R"("1235")"},
      {"@formatNumber(0.45678, '#.##')", R"(".46")"},
      {"@formatNumber(2147483647, '##,#')", R"("2,147,483,647")"},
      {"@formatNumber(2147483647, '#,#,,')", R"("2,147")"},
      {"@formatNumber(0.3697, '%#0.00')", R"("%36.97")"},
      {"@formatNumber(0.3697, '##.0 %')", R"("37.0 %")"},
      {"@formatNumber(0.03697, '#0.00‰')", R"("36.97‰")"},
      {"@formatNumber(987654, '#0.0e0')", R"("98.8e4")"},
      {"@formatNumber(1503.92311, '0.0##e+00')", R"("1.504e+03")"},
      {"@formatNumber(1.8901385e-16, '0.0e+00')", R"("1.9e-16")"},
      {"@formatNumber(987654, '\\###00\\#')", R"("#987654#")"},
      {"@formatNumber(68, '# ''degrees''')", R"("68 degrees")"},
      {"@formatNumber(12.345, '#0.0#;(#0.0#);-0-')", R"("12.35")"},
      {"@formatNumber(0, '#0.0#;(#0.0#);-0-')", R"("-0-")"},
      {"@formatNumber(-12.345, '#0.0#;(#0.0#);-0-')", R"x("(12.35)")x"},
      {"@formatNumber(12.345, '#0.0#;(#0.0#)')", R"("12.35")"},
      {"@formatNumber(1234567890, '(###) ###-####')", R"x("(123) 456-7890")x"},
      {"@formatNumber(123.8, '#,##0.0K')", R"("123.8K")"},
      {"@formatNumber(-0.4, '0')", R"("0")"},
      {"@formatNumber(86000, '###E+0')", R"("860E+2")"},
      {"@formatNumber(0, '#,#')", R"("")"},
      {"@formatNumber(42, '')", R"("42")"},
  });
}

TEST(FormatNumber, Cultures) {
  check({
      {"@formatNumber(1234.5, 'C', 'de-DE')", R"("1.234,50 €")"},
      {"@formatNumber(-1234.5, 'C', 'de-de')", R"("-1.234,50 €")"},
      {"@formatNumber(0.256, 'P1', 'de-DE')", R"("25,6 %")"},
      {"@formatNumber(1234567.5, 'N1', 'fr-FR')", "\"1\u00a0234\u00a0567,5\""},
      {"@formatNumber(12345678, 'N0', 'en-IN')", R"("1,23,45,678")"},
      {"@formatNumber(1234, 'C', 'ja-JP')", R"("￥1,234")"},
      {"@formatNumber(1234.5, '#,##0.00', 'de-DE')", R"("1.234,50")"},
      {"@formatNumber(1234.5, 'N1', 'ar-EG')", "\"1,234.5\""},
  });
}

TEST(Dates, AreReadInManyWays) {
  check({
      {"@formatDateTime('3/5/2026 2:07 PM', 's')", R"("2026-03-05T14:07:00")"},
      {"@formatDateTime('3/5/2026 12:00 AM', 's')", R"("2026-03-05T00:00:00")"},
      {"@formatDateTime('Thu, 05 Mar 2026 14:07:09 GMT')", R"("2026-03-05T14:07:09.0000000Z")"},
      {"@formatDateTime('Fri, 05 Mar 2026 14:07:09 GMT')", "error: was not valid"},  // it was a Thursday
      {"@formatDateTime('March 5, 2026', 'd')", R"("3/5/2026")"},
      {"@formatDateTime('5 Mar 2026 14:07', 's')", R"("2026-03-05T14:07:00")"},
      {"@formatDateTime('2026/3/5', 's')", R"("2026-03-05T00:00:00")"},
      {"@formatDateTime('2026-3-5 7:08:09.5', 'o')", R"("2026-03-05T07:08:09.5000000")"},
      {"@formatDateTime('2026-03-05T14:07:09.12345678Z')", R"("2026-03-05T14:07:09.1234568Z")"},
      {"@formatDateTime('2018-12-15T05:00+13:00', 'dd-MMM')", R"("14-Dec")"},
      {"@formatDateTime('2018-12-15T05:00+1300')", R"("2018-12-14T16:00:00.0000000+00:00")"},
      {"@formatDateTime('1/2/49', 'yyyy')", R"("2049")"},
      {"@formatDateTime('1/2/50', 'yyyy')", R"("1950")"},
      {"@formatDateTime('13/1/2026')", "error: was not valid"},
      {"@formatDateTime('2/29/2026')", "error: was not valid"},
      {"@formatDateTime('5:00')", "error: was not valid"},
      {"@formatDateTime('')", "error: was not valid"},
      {"@formatDateTime(null)", "error: expects its first parameter to be of type string"},
      {"@addDays('3/31/2026', 1, 'd')", R"("4/1/2026")"},
  });
}

TEST(Dates, SpeakOtherLanguages) {
  check(
      {
          {"@formatDateTime('2026-03-05T14:07:09Z', 'MMM', 'de-DE')", R"("März")"},
          {"@formatDateTime('2026-01-05T14:07:09Z', 'MMM', 'de-DE')", R"("Jan.")"},
          {"@formatDateTime('2026-03-05T14:07:09Z', 'D', 'de-DE')", R"("Donnerstag, 5. März 2026")"},
          {"@formatDateTime('2026-03-05T14:07:09Z', 'd', 'en-GB')", R"("05/03/2026")"},
          {"@formatDateTime('2026-03-05T14:07:09Z', 'g', 'en-GB')", R"("05/03/2026 14:07")"},
          {"@formatDateTime('2026-03-05T14:07:09Z', 'dd/MM/yyyy', 'de-DE')", R"("05.03.2026")"},
          {"@formatDateTime('2026-03-05T14:07:09Z', 'd MMMM yyyy', 'ru-RU')", R"("5 марта 2026")"},
          {"@formatDateTime('2026-03-05T14:07:09Z', 'MMMM yyyy', 'ru-RU')", R"("март 2026")"},
          {"@formatDateTime('2026-03-05T14:07:09Z', 'r', 'fr-FR')", R"("Thu, 05 Mar 2026 14:07:09 GMT")"},
          {"@formatDateTime('2026-03-05T14:07:09Z', 'd', 'xx-YY')", "error: locale that is not valid"},
          {"@parseDateTime('5. März 2026', 'de-DE')", R"("2026-03-05T00:00:00.0000000")"},
          {"@parseDateTime('20 de octubre de 2020', 'es-ES')", R"("2020-10-20T00:00:00.0000000")"},
          {"@parseDateTime('05.03.2026 14:07', 'de-DE')", R"("2026-03-05T14:07:00.0000000")"},
          {"@parseDateTime('10/20/2014', 'fr-FR')", "error: was not valid"},
          {"@parseDateTime('10/20/2014')", R"("2014-10-20T00:00:00.0000000")"},
          {"@parseDateTime('2014-10-20T01:02:03Z', 'fr-FR')", R"("2014-10-20T01:02:03.0000000Z")"},
          {"@parseDateTime('05/03/2026 02:07 PM', 'en-US', 'dd/MM/yyyy hh:mm tt')", R"("2026-03-05T14:07:00.0000000")"},
          {"@parseDateTime('5-mar-26', 'en-US', 'd-MMM-yy')", R"("2026-03-05T00:00:00.0000000")"},
          {"@parseDateTime('2026-03-05T14:07:09+02:00', 'en-US', 'yyyy-MM-ddTHH:mm:sszzz')",
           R"("2026-03-05T12:07:09.0000000+00:00")"},
          {"@parseDateTime('2026-03-05 rest', 'en-US', 'yyyy-MM-dd')", "error: was not valid"},
          {"@parseDateTime('14:30', 'en-US', 'HH:mm')", R"("2026-11-20T14:30:00.0000000")"},
      },
      R"({"now": "2026-11-20T09:00:00Z"})");
}

TEST(Dates, MoveBetweenZones) {
  check({
      {"@convertFromUtc('2024-07-15T12:00:00Z', 'Europe/Berlin', 'HH:mm K')", R"("14:00 ")"},
      {"@convertFromUtc('2024-07-15T12:00:00', 'pacific standard time')", R"("2024-07-15T05:00:00.0000000")"},
      {"@convertFromUtc('2024-07-15T12:00:00+02:00', 'Pacific Standard Time')", R"("2024-07-15T03:00:00.0000000")"},
      {"@convertToUtc('2024-07-15T12:00:00Z', 'Pacific Standard Time')",
       "error: to be a time zone matching the time zone indicated by the timestamp"},
      {"@convertToUtc('2024-07-15T12:00:00Z', 'UTC')", R"("2024-07-15T12:00:00.0000000Z")"},
      {"@convertToUtc('2024-03-10T02:30:00', 'Pacific Standard Time')", "error: does not exist in the time zone"},
      {"@convertToUtc('2024-11-03T01:30:00', 'Pacific Standard Time')", R"("2024-11-03T09:30:00.0000000Z")"},
      {"@convertToUtc('2050-07-15T12:00:00', 'Romance Standard Time')", R"("2050-07-15T10:00:00.0000000Z")"},
      {"@convertTimeZone('2024-07-15T12:00:00', 'Pacific Standard Time', 'UTC')", R"("2024-07-15T19:00:00.0000000Z")"},
      {"@convertTimeZone('2024-07-15T12:00:00Z', 'Pacific Standard Time', 'Tokyo Standard Time')",
       R"("2024-07-15T21:00:00.0000000")"},
      {"@convertTimeZone('2024-07-15T12:00:00', 'UTC', 'Pacific Standard Time', 'hh:mm tt')", R"("05:00 AM")"},
      {"@convertFromUtc('0001-01-01T00:00:00Z', 'Pacific Standard Time')", "error: out of range"},
      {"@dateDifference('2026-01-15T13:30:45Z', '2026-01-15T12:00:00.5Z')", R"("-01:30:44.5000000")"},
      {"@formatTimeSpan('01:30:45', 'g')", R"("1:30:45")"},
      {"@formatTimeSpan('1.02:03:04.5', 'G', 'de-DE')", R"("1:02:03:04,5000000")"},
      {"@formatTimeSpan('1.02:03:04.5', 'hh\\:mm')", R"("02:03")"},
      {"@formatTimeSpan('01:30:45', 'hh:mm')", "error: format string that is not valid"},
      {"@formatTimeSpan('soon', 'c')", "error: cannot be converted"},
  });
}

TEST(Content, DataUris) {
  check({
      {"@dataUri(true)", R"("data:application/json;charset=utf-8;base64,VHJ1ZQ==")"},
      {"@dataUri(null)", "error: cannot be converted"},
      {"@dataUri(base64ToBinary('AAE='))", R"("data:application/octet-stream;base64,AAE=")"},
      {"@dataUriToString('data:;charset=utf-8,a%20b+c')", R"("a b c")"},
      {"@dataUriToString('hello')", "error: valid data URI"},
      {"@decodeDataUri('data:image/png;base64,AAE=')",
       R"({"$content-type":"image/png;charset=us-ascii","$content":"AAE="})"},
      {"@decodeDataUri('data:application/json,{broken')", "error: valid data URI"},
      {"@dataUriToBinary('data:a/b/c,x')", "error: valid data URI"},
  });
}

TEST(Content, Uris) {
  check({
      {"@uriHost('HTTPS://User:pw@Example.COM/a')", R"("example.com")"},
      {"@uriHost('http://[::1]:80/')", R"("[::1]")"},
      {"@uriPort('http://[::1]:81/')", "81"},
      {"@uriPort('urn:isbn:1')", "-1"},
      {"@uriPath('https://a.b?c=/d')", R"("/")"},
      {"@uriPath('https://a.b/x y')", R"("/x%20y")"},
      {"@uriQuery('https://a.b/#c?d')", R"("")"},
      {"@uriHost('no uri')", "error: well formed absolute URI"},
      {"@uriHost('http://')", "error: well formed absolute URI"},
      {"@uriPort('http://a:99999/')", "error: well formed absolute URI"},
  });
}

TEST(Content, XmlIsReadStrictlyAndBounded) {
  check({
      {"@{xml('<a b=''1''><![CDATA[x]]><![CDATA[y]]></a>')}", R"xml("<a b=\"1\"><![CDATA[x]]><![CDATA[y]]></a>")xml"},
      {"@{xml('<!-- ]]><![CDATA[ --><a/>')}", R"xml("<!-- ]]><![CDATA[ --><a />")xml"},
      {"@xml('<a>')", "error: cannot be converted to XML"},
      {"@xml('<p:a/>')", "error: cannot be converted to XML"},
      {R"(@xml('<!DOCTYPE a [<!ENTITY x SYSTEM "file:///etc/passwd">]><a>&x;</a>'))",
       "error: cannot be converted to XML"},
      {R"(@xml('<!DOCTYPE a [<!ENTITY x "xxxxxxxxxx"><!ENTITY y "&x;&x;&x;&x;">]><a>&y;</a>'))",
       "error: cannot be converted to XML"},
      {"@xpath(xml('<a><b>1</b></a>'), '/a/b[')", "error: can't be evaluated"},
      {"@xpath(xml('<a><b>1</b></a>'), '/c')", "[]"},
      {"@xpath(xml('<a b=\"2\"/>'), '/a/@b')", R"(["2"])"},
      {"@xpath('<a/>', '/a')", "error: expects its first parameter to be an XML object"},
      {"@json(xml('<a x=\"1\"><b>t</b><b/></a>'))", R"({"a":{"@x":"1","b":["t",null]}})"},
      {"@{xml(json('{\"a\":{\"@x\":1,\"b\":[true,null]}}'))}", R"xml("<a x=\"1\"><b>true</b><b /></a>")xml"},
      {"@encodeXmlName('1a')", R"("_x0031_a")"},
      {"@decodeXmlName('_x0031_a_x00zz_')", R"("1a_x00zz_")"},
      {"@decodeXmlValue('&lt;&#65;&amp;')", R"("<A&")"},
  });
}

TEST(Content, ThatIsBrokenHasNoText) {
  check({
      {"@{json('{\"$content-type\":\"text/plain\",\"$content\":\"*\"}')}", "error: cannot be decoded from base64"},
      {"@string(json('{\"$content-type\":\"text/plain;x\",\"$content\":\"\"}'))", "error: not a valid media type"},
  });
}

}  // namespace
}  // namespace flowmend::expression
