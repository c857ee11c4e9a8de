#pragma once

#include <string>
#include <vector>

#include "connector/document.h"

namespace flowmend::connector {

// What a person who writes a flow sees of an operation: the fields of its step and what it gives back. Both are flat,
// as steps name them. Internal parameters, what the service alone fills (readOnly) and addresses to be called at are
// left out. Pure, any thread.

/// One field of a step: a key of its `inputs.parameters`.
struct FormField {
  std::string name;   ///< in the flat map: `table`, `body/customer/name`
  std::string title;  ///< for people
  std::string about;
  std::string type = "string";  ///< string, integer, number, boolean, array, object, file
  std::string format;           ///< date-time, binary, html ...; empty = none
  bool required = false;        ///< it, and all that it stands in
  bool advanced = false;
  Value choices;        ///< array of the values that it takes; null = any
  Value default_value;  ///< null = none
};

/// The fields in the document's order, at most 500, bodies up to 8 levels deep: what is nested deeper is one field of
/// type object. Names are those that `bind_arguments` takes (arguments.h).
std::vector<FormField> form_of(const Connector& connector, const Operation& operation);

/// One value of an operation's reply.
struct ReplyField {
  std::vector<std::string> path;  ///< below the body: `customer`, `name`; empty = the body itself
  std::string title;
  std::string type;               ///< as above; empty = the document does not say
  std::vector<ReplyField> items;  ///< of an array: what each item holds, paths below the item
};

/// What the body of a good reply holds, in the document's order; objects are followed 4 levels deep, an array's items
/// once more; at most 200 in all. Empty when the document says nothing.
std::vector<ReplyField> reply_of(const Connector& connector, const Operation& operation);

}  // namespace flowmend::connector
