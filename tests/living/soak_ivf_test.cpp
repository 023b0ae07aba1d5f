// SPDX-License-Identifier: MIT
// ivf_index, for the soak.
#include "contract/subject.hpp"
#include "vicinal/ivf.hpp"

namespace {
using namespace vicinal_test;
#if defined(VICINAL_TEST_REDUCED)
const registered<vicinal::ivf_index, combination<l2, f32>, combination<l2, sq8_then_f32>> entered("ivf");
#else
const registered<vicinal::ivf_index, combination<l2, f32>, combination<l2, sq8>, combination<l2, sq8_then_f32>,
                 combination<l2, vicinal::rabitq<4>>>
    entered("ivf");
#endif
}  // namespace
