// SPDX-License-Identifier: MIT
// ivf_index with more combinations; not under sanitizers.
#include "contract/subject.hpp"
#include "vicinal/codec/pca8/pca8.hpp"
#include "vicinal/ivf.hpp"

#if defined(VICINAL_TEST_ALL_TYPES)
namespace {
using namespace vicinal_test;
using pca8_then_f32 = vicinal::two_level<vicinal::pca8, f32>;
const with_every_codec<vicinal::ivf_index, l2> with_l2("ivf");
const with_every_codec<vicinal::ivf_index, inner_product> with_inner_product("ivf");
const with_every_codec<vicinal::ivf_index, cosine> with_cosine("ivf");
const with_every_codec<vicinal::ivf_index, manhattan> with_manhattan("ivf");
const with_every_codec<vicinal::ivf_index, chebyshev> with_chebyshev("ivf");
const registered<vicinal::ivf_index, combination<hamming, bits>, combination<jaccard, bits>, combination<hamming, f32>>
    with_bits("ivf");
const registered<vicinal::ivf_index, combination<inner_product, vicinal::rabitq<3>>, combination<l2, pca8_then_f32>,
                 combination<inner_product, vicinal::pq>, combination<l2, pq_then_f32>,
                 combination<cosine, prefix_then_f32>, combination<cosine, i8>>
    with_what_learns("ivf");
}  // namespace
#elif !defined(VICINAL_TEST_REDUCED)
namespace {
using namespace vicinal_test;
using pca8_then_f32 = vicinal::two_level<vicinal::pca8, f32>;
const registered<vicinal::ivf_index, combination<cosine, f32>, combination<l2, bf16>, combination<inner_product, sq8>,
                 combination<cosine, eighths>, combination<inner_product, vicinal::rabitq<3>>,
                 combination<l2, pca8_then_f32>, combination<inner_product, vicinal::pq>, combination<hamming, bits>,
                 combination<cosine, prefix_then_f32>, combination<cosine, i8>>
    its_share("ivf");
}  // namespace
#endif
