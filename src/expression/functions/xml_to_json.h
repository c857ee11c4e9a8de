#pragma once

#include "expression/functions/function.h"

namespace flowmend::expression {

/// json() of XML content, by Newtonsoft's mapping (expressions.md section 9).
Outcome<Value> xml_to_json(Call& call, const Value& content);

}  // namespace flowmend::expression
