// SPDX-License-Identifier: MIT
// flat_index when memory runs out.
#include "living/failing_allocations.hpp"
#include "vicinal/flat.hpp"

namespace {
#if defined(VICINAL_TEST_REDUCED)
const registered<vicinal::flat_index, combination<cosine, sq4_then_sq8>, combination<l2, rabitq1_then_f32>> entered(
    "flat");
#else
const registered<vicinal::flat_index, combination<l2, f32>, combination<cosine, sq4_then_sq8>,
                 combination<l2, rabitq1_then_f32>>
    entered("flat");
#endif
}  // namespace
