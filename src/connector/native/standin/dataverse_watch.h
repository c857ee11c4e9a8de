#pragma once

#include "connector/native/native.h"
#include "connector/row_watch.h"

namespace flowmend::connector {

/// `SubscribeWebhookTrigger` (when a row is added, modified or deleted): begins to hear of rows, or, with a state, ends
/// what that subscription began.
http::Reply watch_rows(RowWatches& watches, const NativeCall& call);

}  // namespace flowmend::connector
