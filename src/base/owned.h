#pragma once

#include <memory>

namespace flowmend {

/// Frees what a C library made by that library's own function.
template <auto free>
struct FreedBy {
  template <class T>
  void operator()(T* object) const {
    free(object);
  }
};

/// `Owned<EVP_PKEY, EVP_PKEY_free>`: owned as by any unique_ptr.
template <class T, auto free>
using Owned = std::unique_ptr<T, FreedBy<free>>;

}  // namespace flowmend
