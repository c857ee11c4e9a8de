#pragma once

#include "engine/journal.h"
#include "runtime/flows.h"
#include "store/store.h"

namespace flowmend::repair {

/// Whether a repetition proves that what broke `first` is gone: the step that had failed went well in it (in the same
/// item of its loops, when it stands in some), and was done, not supplied, skipped or corrected by a person. A run that
/// went well with a definition that has no such step any more is a proof too. Where the record of either run can't be
/// read, or no step of `first` is known to have failed, that the repetition went well is all there is to go by.
///
/// Reads both journals. Threads: any.
bool passed_where_it_failed(const store::Store& store, const engine::Sealer& sealer, runtime::Flows& flows,
                            const store::RunRow& first, const store::RunRow& repetition);

}  // namespace flowmend::repair
