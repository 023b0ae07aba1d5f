// SPDX-License-Identifier: MIT
// hnsw_index when memory runs out.
#include "living/failing_allocations.hpp"
#include "vicinal/hnsw.hpp"

namespace {
#if defined(VICINAL_TEST_REDUCED)
const registered<vicinal::hnsw_index, combination<vicinal::inner_product, f32>, combination<l2, sq8_then_f32>> entered(
    "hnsw");
#else
const registered<vicinal::hnsw_index, combination<l2, f32>, combination<vicinal::inner_product, f32>,
                 combination<l2, sq8_then_f32>>
    entered("hnsw");
#endif
}  // namespace
