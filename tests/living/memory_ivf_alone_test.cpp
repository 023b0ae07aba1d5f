// SPDX-License-Identifier: MIT
// ivf_index when memory runs out.
#include "living/failing_allocations.hpp"
#include "vicinal/ivf.hpp"

namespace {
#if defined(VICINAL_TEST_REDUCED)
const registered<vicinal::ivf_index, combination<cosine, sq4_then_sq8>, combination<l2, rabitq1_then_f32>> entered(
    "ivf");
#else
const registered<vicinal::ivf_index, combination<l2, f32>, combination<cosine, sq4_then_sq8>,
                 combination<l2, rabitq1_then_f32>>
    entered("ivf");
#endif
}  // namespace
