// SPDX-License-Identifier: MIT
// hnsw_index with more combinations; not under sanitizers.
#include "contract/subject.hpp"
#include "vicinal/hnsw.hpp"

#if defined(VICINAL_TEST_ALL_TYPES)
namespace {
using namespace vicinal_test;
const with_every_codec<vicinal::hnsw_index, l2> with_l2("hnsw");
const with_every_codec<vicinal::hnsw_index, inner_product> with_inner_product("hnsw");
const with_every_codec<vicinal::hnsw_index, cosine> with_cosine("hnsw");
const with_every_codec<vicinal::hnsw_index, manhattan> with_manhattan("hnsw");
const with_every_codec<vicinal::hnsw_index, chebyshev> with_chebyshev("hnsw");
const registered<vicinal::hnsw_index, combination<hamming, bits>, combination<jaccard, bits>, combination<hamming, f32>>
    with_bits("hnsw");
const registered<vicinal::hnsw_index, combination<cosine, vicinal::pq>, combination<weighted_l2, f32>,
                 combination<l2, i8>>
    with_what_learns("hnsw");
}  // namespace
#elif !defined(VICINAL_TEST_REDUCED)
namespace {
using namespace vicinal_test;
const registered<vicinal::hnsw_index, combination<manhattan, bf16>, combination<l2, eighths>,
                 combination<inner_product, sq8_then_f32>, combination<cosine, sq8_then_f32>,
                 combination<cosine, vicinal::pq>, combination<hamming, bits>, combination<weighted_l2, f32>,
                 combination<l2, i8>>
    its_share("hnsw");
}  // namespace
#endif
