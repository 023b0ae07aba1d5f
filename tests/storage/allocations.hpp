// SPDX-License-Identifier: MIT
// Every allocation of this test program, counted, and made to fail on demand. The operators are in
// allocations_test.cpp.
#pragma once

#include <atomic>
#include <cstddef>
#include <limits>

namespace vicinal_test {

inline std::atomic<std::size_t> allocations{0};
/// How many more allocations succeed.
inline std::atomic<std::size_t> allocations_left{std::numeric_limits<std::size_t>::max()};

/// While it lives, `after` allocations succeed and all later ones throw bad_alloc.
struct failing_allocations {
    explicit failing_allocations(std::size_t after) { allocations_left = after; }
    failing_allocations(const failing_allocations&) = delete;
    failing_allocations& operator=(const failing_allocations&) = delete;
    ~failing_allocations() { allocations_left = std::numeric_limits<std::size_t>::max(); }
};

}  // namespace vicinal_test
