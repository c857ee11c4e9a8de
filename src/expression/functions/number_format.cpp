#include "expression/functions/number_format.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <cstdio>
#include <vector>

namespace flowmend::expression {

namespace {

bool is_digit(char c) { return c >= '0' && c <= '9'; }

/// A number as digits: 0.d1d2d3... * 10^scale. Zero has no digits.
struct Digits {
  bool negative = false;
  std::string digits;
  int scale = 0;

  bool is_zero() const { return digits.empty(); }
  char at(std::size_t place) const { return place < digits.size() ? digits[place] : '0'; }

  enum class Half : std::uint8_t { to_even, away };
  /// Keeps `count` digits; a count below 0 leaves nothing.
  void round(std::int64_t count, Half half) {
    if (count < 0) {
      digits.clear();
    } else if (static_cast<std::size_t>(count) < digits.size()) {
      const auto kept = static_cast<std::size_t>(count);
      const char next = digits[kept];
      const bool more = digits.find_first_not_of('0', kept + 1) != std::string::npos;
      const bool odd = kept > 0 && ((digits[kept - 1] - '0') % 2) != 0;
      const bool up = next > '5' || (next == '5' && (more || half == Half::away || odd));
      digits.resize(kept);
      if (up) increment();
    }
    while (!digits.empty() && digits.back() == '0') digits.pop_back();
    if (digits.empty()) {
      scale = 0;
      negative = false;  // no negative zero
    }
  }

 private:
  void increment() {
    auto place = digits.size();
    while (place > 0 && digits[place - 1] == '9') digits[--place] = '0';
    if (place > 0) {
      ++digits[place - 1];
    } else {
      digits.insert(digits.begin(), '1');
      ++scale;
    }
  }
};

/// Of plain digits with an optional point and sign.
Digits digits_of_text(std::string_view text) {
  Digits out;
  if (text.starts_with('-')) {
    out.negative = true;
    text.remove_prefix(1);
  }
  const auto point = text.find('.');
  out.scale = static_cast<int>(point == std::string_view::npos ? text.size() : point);
  for (const char c : text) {
    if (is_digit(c)) out.digits += c;
  }
  const auto first = out.digits.find_first_not_of('0');
  out.scale -= static_cast<int>(first == std::string::npos ? 0 : first);
  out.digits.erase(0, first == std::string::npos ? out.digits.size() : first);
  while (!out.digits.empty() && out.digits.back() == '0') out.digits.pop_back();
  if (out.digits.empty()) out = {};
  return out;
}

/// `significant` digits of a finite double.
Digits digits_of_double(double number, int significant) {
  std::array<char, 40> text{};
  const int length = std::snprintf(text.data(), text.size(), "%.*e", significant - 1, number);
  const std::string_view view(text.data(), static_cast<std::size_t>(length));
  const auto e = view.find('e');
  int exponent = 0;
  auto power = view.substr(e + 1);
  if (power.starts_with('+')) power.remove_prefix(1);
  std::from_chars(power.data(), power.data() + power.size(), exponent);
  Digits out = digits_of_text(view.substr(0, e));
  if (!out.is_zero()) out.scale += exponent;
  return out;
}

Digits digits_of(const Value& number) {
  if (number.is_integer()) return digits_of_text(std::to_string(number.as_integer()));
  if (number.is_decimal()) return digits_of_text(number.as_decimal().to_string());
  constexpr int digits_of_a_double = 17;
  return digits_of_double(number.as_floating(), digits_of_a_double);
}

/// The shortest text that reads back as the number: G without a precision.
Digits shortest_digits(const Value& number) {
  if (!number.is_floating()) return digits_of(number);
  for (int significant = 15; significant <= 17; ++significant) {
    std::array<char, 40> text{};
    std::snprintf(text.data(), text.size(), "%.*e", significant - 1, number.as_floating());
    if (std::strtod(text.data(), nullptr) == number.as_floating())
      return digits_of_double(number.as_floating(), significant);
  }
  return digits_of(number);
}

/// The places (counted from the point) behind which a group separator stands.
std::vector<std::size_t> group_places(std::size_t whole_digits, const NumberCulture& culture) {
  std::vector<std::size_t> places;
  if (culture.group_size == 0) return places;
  for (std::size_t place = culture.group_size; place < whole_digits;
       place += std::max<std::size_t>(culture.later_group_size, 1)) {
    places.push_back(place);
  }
  return places;
}

std::string fixed(const Digits& number, std::size_t fraction_digits, const NumberCulture* grouped,
                  std::string_view group, std::string_view point) {
  std::string out;
  const auto whole = number.scale > 0 ? static_cast<std::size_t>(number.scale) : 0;
  std::vector<std::size_t> places;
  if (grouped != nullptr) places = group_places(whole, *grouped);
  if (whole == 0) out += '0';
  for (std::size_t i = 0; i < whole; ++i) {
    out += number.at(i);
    if (std::binary_search(places.begin(), places.end(), whole - i - 1)) out += group;
  }
  if (fraction_digits == 0) return out;
  out += point;
  for (std::size_t i = 0; i < fraction_digits; ++i) {
    const auto place = static_cast<std::int64_t>(number.scale) + static_cast<std::int64_t>(i);
    out += place < 0 ? '0' : number.at(static_cast<std::size_t>(place));
  }
  return out;
}

void append_exponent(std::string& out, char letter, int exponent, std::size_t digits_min, bool plus) {
  out += letter;
  if (exponent < 0) out += '-';
  if (exponent >= 0 && plus) out += '+';
  const std::string digits = std::to_string(std::abs(exponent));
  if (digits.size() < digits_min) out.append(digits_min - digits.size(), '0');
  out += digits;
}

std::string scientific(const Digits& number, char letter, std::size_t fraction_digits, std::string_view point) {
  std::string out(1, number.at(0));
  if (fraction_digits > 0) {
    out += point;
    for (std::size_t i = 1; i <= fraction_digits; ++i) out += number.at(i);
  }
  append_exponent(out, letter, number.is_zero() ? 0 : number.scale - 1, 3, true);
  return out;
}

std::string general(Digits number, std::optional<std::size_t> precision, char letter, std::string_view point,
                    std::size_t plain_max) {
  if (precision && *precision > 0) number.round(static_cast<std::int64_t>(*precision), Digits::Half::to_even);
  const auto limit = static_cast<int>(precision && *precision > 0 ? *precision : plain_max);
  std::string out = number.negative ? "-" : "";
  if (number.is_zero()) return "0";
  if (number.scale > limit || number.scale < -3) {
    out += number.at(0);
    if (number.digits.size() > 1) out += std::string(point) + number.digits.substr(1);
    append_exponent(out, letter == 'G' ? 'E' : 'e', number.scale - 1, 2, true);
    return out;
  }
  const auto fraction = static_cast<std::int64_t>(number.digits.size()) - number.scale;
  return out + fixed(number, fraction > 0 ? static_cast<std::size_t>(fraction) : 0, nullptr, {}, point);
}

/// A letter with at most three digits behind it.
struct Standard {
  char letter;
  std::optional<std::size_t> precision;
};

std::optional<Standard> read_standard(std::string_view format) {
  if (format.empty()) return Standard{'G', {}};
  const char c = format.front();
  if (!((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z')) || format.size() > 4) return std::nullopt;
  Standard standard{c, {}};
  for (const char digit : format.substr(1)) {
    if (!is_digit(digit)) return std::nullopt;
    standard.precision = standard.precision.value_or(0) * 10 + static_cast<std::size_t>(digit - '0');
  }
  return standard;
}

std::optional<std::string> format_standard(const Value& value, const Standard& standard, const NumberCulture& culture) {
  const char upper = standard.letter >= 'a' ? static_cast<char>(standard.letter - 32) : standard.letter;
  if (upper == 'D' || upper == 'X') {
    if (!value.is_integer()) return std::nullopt;
    const std::size_t width = standard.precision.value_or(0);
    std::array<char, 24> hex{};
    std::string digits;
    const std::int64_t number = value.as_integer();
    if (upper == 'X') {
      std::snprintf(hex.data(), hex.size(), standard.letter == 'X' ? "%llX" : "%llx",
                    static_cast<unsigned long long>(number));
      digits = hex.data();
    } else {
      digits = std::to_string(number);
      if (number < 0) digits.erase(0, 1);
    }
    if (digits.size() < width) digits.insert(0, width - digits.size(), '0');
    return (upper == 'D' && number < 0 ? "-" : "") + digits;
  }
  Digits number = digits_of(value);
  const auto at_point = [&](std::size_t fraction) {
    number.round(static_cast<std::int64_t>(number.scale) + static_cast<std::int64_t>(fraction), Digits::Half::to_even);
  };
  const auto sign = [&] { return std::string(number.negative ? "-" : ""); };
  switch (upper) {
    case 'C': {
      const std::size_t fraction = standard.precision.value_or(culture.currency_digits);
      at_point(fraction);
      return sign() + culture.currency_before +
             fixed(number, fraction, &culture, culture.currency_group, culture.currency_point) + culture.currency_after;
    }
    case 'E': {
      const std::size_t fraction = standard.precision.value_or(6);
      number.round(static_cast<std::int64_t>(fraction) + 1, Digits::Half::to_even);
      return sign() + scientific(number, standard.letter, fraction, culture.decimal_point);
    }
    case 'F':
    case 'N': {
      const std::size_t fraction = standard.precision.value_or(2);
      at_point(fraction);
      return sign() + fixed(number, fraction, upper == 'N' ? &culture : nullptr, culture.group, culture.decimal_point);
    }
    case 'P': {
      const std::size_t fraction = standard.precision.value_or(2);
      if (!number.is_zero()) number.scale += 2;
      at_point(fraction);
      return sign() + culture.percent_before + fixed(number, fraction, &culture, culture.group, culture.decimal_point) +
             culture.percent_after;
    }
    case 'R':
      if (!value.is_floating()) return std::nullopt;
      [[fallthrough]];
    case 'G': {
      const bool shortest = upper == 'R' || standard.precision.value_or(0) == 0;
      const std::size_t plain_max = value.is_floating() ? 15 : value.is_integer() ? 19 : 29;
      return general(shortest ? shortest_digits(value) : number, shortest ? std::nullopt : standard.precision,
                     standard.letter == 'g' ? 'g' : 'G', culture.decimal_point, plain_max);
    }
    default: return std::nullopt;
  }
}

constexpr std::string_view per_mille = "\xE2\x80\xB0";

/// The length of what stands at `at` and prints as it is: a quoted text, an escaped character; 0 for anything else.
std::size_t literal_length(std::string_view section, std::size_t at) {
  const char c = section[at];
  if (c == '\\') return std::min<std::size_t>(2, section.size() - at);
  if (c != '\'' && c != '"') return 0;
  const auto end = section.find(c, at + 1);
  return (end == std::string_view::npos ? section.size() : end + 1) - at;
}

std::vector<std::string_view> sections_of(std::string_view format) {
  std::vector<std::string_view> sections;
  std::size_t begin = 0;
  for (std::size_t at = 0; at < format.size();) {
    if (const auto length = literal_length(format, at); length != 0) {
      at += length;
      continue;
    }
    if (format[at] == ';') {
      sections.push_back(format.substr(begin, at - begin));
      begin = at + 1;
    }
    ++at;
  }
  sections.push_back(format.substr(begin));
  return sections;
}

/// How many characters of an exponent (`E0`, `E+00`) begin at `at`; 0 when none does.
std::size_t exponent_length(std::string_view section, std::size_t at) {
  std::size_t next = at + 1;
  if (next < section.size() && (section[next] == '+' || section[next] == '-')) ++next;
  if (next >= section.size() || section[next] != '0') return 0;
  while (next < section.size() && section[next] == '0') ++next;
  return next - at;
}

/// What a section of a custom format asks for, in .NET's terms.
struct Plan {
  int digit_count = 0;
  int decimal_pos = -1;
  int first_digit = INT32_MAX;
  int last_digit = 0;
  bool scientific = false;
  bool thousands = false;
  int scale_adjust = 0;
};

Plan plan_of(std::string_view section) {
  Plan plan;
  int thousand_pos = -1;
  int thousand_count = 0;
  for (std::size_t at = 0; at < section.size();) {
    if (const auto length = literal_length(section, at); length != 0) {
      at += length;
      continue;
    }
    if (section.substr(at).starts_with(per_mille)) {
      plan.scale_adjust += 3;
      at += per_mille.size();
      continue;
    }
    const char c = section[at];
    switch (c) {
      case '#': ++plan.digit_count; break;
      case '0':
        if (plan.first_digit == INT32_MAX) plan.first_digit = plan.digit_count;
        plan.last_digit = ++plan.digit_count;
        break;
      case '.':
        if (plan.decimal_pos < 0) plan.decimal_pos = plan.digit_count;
        break;
      case ',':
        if (plan.digit_count > 0 && plan.decimal_pos < 0) {
          if (thousand_pos >= 0) {
            if (thousand_pos == plan.digit_count) {
              ++thousand_count;
              break;
            }
            plan.thousands = true;
          }
          thousand_pos = plan.digit_count;
          thousand_count = 1;
        }
        break;
      case '%': plan.scale_adjust += 2; break;
      case 'E':
      case 'e':
        if (const auto length = exponent_length(section, at); length != 0) {
          plan.scientific = true;
          at += length - 1;
        }
        break;
      default: break;
    }
    ++at;
  }
  if (plan.decimal_pos < 0) plan.decimal_pos = plan.digit_count;
  if (thousand_pos >= 0) {
    if (thousand_pos == plan.decimal_pos) {
      plan.scale_adjust -= thousand_count * 3;
    } else {
      plan.thousands = true;
    }
  }
  return plan;
}

/// Writes a rounded number by one section of a custom format, without a sign.
std::string write_section(const Digits& number, std::string_view section, Plan plan, const NumberCulture& culture) {
  const int first = plan.first_digit < plan.decimal_pos ? plan.decimal_pos - plan.first_digit : 0;
  const int last = plan.last_digit > plan.decimal_pos ? plan.decimal_pos - plan.last_digit : 0;
  int place = plan.scientific ? plan.decimal_pos : std::max(number.scale, plan.decimal_pos);
  int adjust = plan.scientific ? 0 : number.scale - plan.decimal_pos;
  std::vector<std::size_t> groups;
  if (plan.thousands) {
    const int whole = std::max(first, place + std::min(adjust, 0));
    groups = group_places(static_cast<std::size_t>(std::max(whole, 0)), culture);
  }
  std::string out;
  std::size_t next = 0;
  bool point_written = false;
  bool exponent_left = plan.scientific;
  const auto group = [&] {
    if (place > 1 && std::binary_search(groups.begin(), groups.end(), static_cast<std::size_t>(place - 1)))
      out += culture.group;
  };
  for (std::size_t at = 0; at < section.size();) {
    if (const auto length = literal_length(section, at); length != 0) {
      const bool escaped = section[at] == '\\';
      const bool closed = !escaped && length > 1 && section[at + length - 1] == section[at];
      out += section.substr(at + 1, length - 1 - (closed ? 1 : 0));
      at += length;
      continue;
    }
    const char c = section[at];
    if (c == '#' || c == '0' || c == '.') {
      for (; adjust > 0; --adjust, --place) {
        out += next < number.digits.size() ? number.digits[next++] : '0';
        group();
      }
    }
    switch (c) {
      case '#':
      case '0': {
        char digit = '\0';
        if (adjust < 0) {
          ++adjust;
          digit = place <= first ? '0' : '\0';
        } else if (next < number.digits.size()) {
          digit = number.digits[next++];
        } else {
          digit = place > last ? '0' : '\0';
        }
        if (digit != '\0') {
          out += digit;
          group();
        }
        --place;
        break;
      }
      case '.':
        if (place != 0 || point_written) break;
        if (last < 0 || (plan.decimal_pos < plan.digit_count && next < number.digits.size())) {
          out += culture.decimal_point;
          point_written = true;
        }
        break;
      case ',': break;
      case 'E':
      case 'e': {
        const auto length = exponent_length(section, at);
        if (length == 0 || !exponent_left) {
          out += c;
          break;
        }
        const bool plus = section[at + 1] == '+';
        const std::size_t signs = plus || section[at + 1] == '-' ? 1 : 0;
        constexpr std::size_t exponent_digits_max = 10;
        append_exponent(out, c, number.is_zero() ? 0 : number.scale - plan.decimal_pos,
                        std::min(length - 1 - signs, exponent_digits_max), plus);
        exponent_left = false;
        at += length - 1;
        break;
      }
      default: out += c;
    }
    ++at;
  }
  return out;
}

std::string format_custom(const Value& value, std::string_view format, const NumberCulture& culture) {
  const auto sections = sections_of(format);
  const Digits given = digits_of(value);
  const auto section_for = [&](const Digits& number) -> std::size_t {
    if (number.is_zero()) return sections.size() > 2 && !sections[2].empty() ? 2 : 0;
    return number.negative && sections.size() > 1 && !sections[1].empty() ? 1 : 0;
  };
  std::size_t section = section_for(given);
  Digits number = given;
  Plan plan = plan_of(sections[section]);
  if (!number.is_zero()) {
    number.scale += plan.scale_adjust;
    number.round(plan.scientific ? plan.digit_count : number.scale + plan.digit_count - plan.decimal_pos,
                 Digits::Half::away);
    if (number.is_zero() && section_for(number) != section) {
      section = section_for(number);
      plan = plan_of(sections[section]);
    }
  }
  std::string text = write_section(number, sections[section], plan, culture);
  return number.negative && section == 0 ? "-" + text : text;
}

}  // namespace

std::optional<std::string> format_number(const Value& number, std::string_view format, const NumberCulture& culture) {
  if (number.is_floating() && !std::isfinite(number.as_floating())) {
    return std::isnan(number.as_floating()) ? "NaN" : number.as_floating() < 0 ? "-Infinity" : "Infinity";
  }
  if (const auto standard = read_standard(format)) return format_standard(number, *standard, culture);
  return format_custom(number, format, culture);
}

}  // namespace flowmend::expression
