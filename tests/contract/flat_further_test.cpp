// SPDX-License-Identifier: MIT
// flat_index with more combinations; not under sanitizers.
#include "contract/subject.hpp"
#include "vicinal/codec/pca8/pca8.hpp"
#include "vicinal/flat.hpp"

#if defined(VICINAL_TEST_ALL_TYPES)
namespace {
using namespace vicinal_test;
using pca8_then_f32 = vicinal::two_level<vicinal::pca8, f32>;
const with_every_codec<vicinal::flat_index, l2> with_l2("flat");
const with_every_codec<vicinal::flat_index, inner_product> with_inner_product("flat");
const with_every_codec<vicinal::flat_index, cosine> with_cosine("flat");
const with_every_codec<vicinal::flat_index, manhattan> with_manhattan("flat");
const with_every_codec<vicinal::flat_index, chebyshev> with_chebyshev("flat");
const registered<vicinal::flat_index, combination<hamming, bits>, combination<jaccard, bits>, combination<hamming, f32>>
    with_bits("flat");
const registered<vicinal::flat_index, combination<cosine, rabitq1_then_f32>, combination<inner_product, pca8_then_f32>,
                 combination<manhattan, pca8_then_f32>, combination<l2, vicinal::rabitq<4>>,
                 combination<l2, vicinal::pq>, combination<inner_product, u8>>
    with_what_learns("flat");
}  // namespace
#elif !defined(VICINAL_TEST_REDUCED)
namespace {
using namespace vicinal_test;
using pca8_then_f32 = vicinal::two_level<vicinal::pca8, f32>;
const registered<vicinal::flat_index, combination<inner_product, f32>, combination<cosine, f16>, combination<l2, sq8>,
                 combination<manhattan, f32>, combination<manhattan, sq8>, combination<cosine, sq4>,
                 combination<inner_product, eighths>, combination<cosine, rabitq1_then_f32>,
                 combination<l2, vicinal::rabitq<4>>, combination<manhattan, pca8_then_f32>,
                 combination<l2, vicinal::pq>, combination<jaccard, bits>, combination<inner_product, u8>>
    its_share("flat");
}  // namespace
#endif
