#pragma once

#include <memory>

#include "harness.h"
#include "store/sqlite/open.h"

namespace flowmend::native_tests {

/// A store in a folder of its own, for connectors that are handed one.
class TestStore {
 public:
  TestStore() : store_(store::sqlite::open({.folder = folder_.path()}).value()) {}
  store::Store& store() const { return *store_; }

 private:
  TemporaryFolder folder_;
  std::unique_ptr<store::Store> store_;
};

}  // namespace flowmend::native_tests
