#pragma once

#include <memory>
#include <span>

#include "expression/functions/date_culture.h"
#include "expression/functions/function.h"
#include "expression/functions/moment.h"

namespace flowmend::expression {

// What the functions about dates share: arguments in, texts out, the errors of expressions.md section 11.

/// The timestamp in argument `at`, read as en-US writes dates.
Outcome<Moment> timestamp_argument(Call& call, std::span<const Value> arguments, std::size_t at);
/// `In function '<f>', the value provided for date time string '<v>' was not valid. ...`
ExpressionError bad_timestamp(Call& call, std::size_t argument, const Value& found);
/// The culture named by argument `at`; en-US when it is absent or null.
Outcome<std::shared_ptr<const DateCulture>> culture_argument(Call& call, std::span<const Value> arguments,
                                                             std::size_t at);
/// The text of a moment in the format of argument `at`; `o` when that is absent, null or empty.
Outcome<Value> print_moment(Call& call, const Moment& moment, std::span<const Value> arguments, std::size_t at,
                            const DateCulture& culture = default_date_culture());

}  // namespace flowmend::expression
