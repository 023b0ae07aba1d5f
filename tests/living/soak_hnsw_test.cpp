// SPDX-License-Identifier: MIT
// hnsw_index, for the soak.
#include "contract/subject.hpp"
#include "vicinal/hnsw.hpp"

namespace {
using namespace vicinal_test;
#if defined(VICINAL_TEST_REDUCED)
const registered<vicinal::hnsw_index, combination<l2, f32>, combination<l2, sq8_then_f32>> entered("hnsw");
#else
const registered<vicinal::hnsw_index, combination<l2, f32>, combination<l2, sq8>, combination<l2, sq8_then_f32>>
    entered("hnsw");
#endif
}  // namespace
