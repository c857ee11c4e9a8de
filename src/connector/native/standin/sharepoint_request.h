#pragma once

#include <string>
#include <string_view>

#include "connector/native/standin/standin.h"

namespace flowmend::connector {

/// What a request to a SharePoint site (`HttpRequest`) asks of lists.
enum class SharePointAsk : std::uint8_t {
  none,  ///< anything else: not stood in for
  make_list,
  list,  ///< its properties
  make_field,
  fields,
  show_field,  ///< adds a column to a view
  items,
  make_item,
  item,
  change_item,
  delete_item,
};

struct SharePointRequest {
  SharePointAsk ask = SharePointAsk::none;
  std::string list;   ///< title
  std::string item;   ///< id of an item, or the name of a field to show
  std::string query;  ///< still percent-encoded, without `?`
};

/// Reads `_api/web/lists/getbytitle('Orders')/items(7)` and its kin. `method`: what is meant, so after X-HTTP-Method.
SharePointRequest read_sharepoint_request(std::string_view method, std::string_view uri);

/// Carries an HttpRequest step out on Tables, or says which request is not stood in for.
http::Reply send_to_lists(StandinRows& rows, const NativeCall& call);

/// A row as an item of a list.
Value sharepoint_item(const Value& row, const std::string& id_column);

}  // namespace flowmend::connector
