// SPDX-License-Identifier: MIT
// ivf_index with more combinations; not under sanitizers.
#include "contract/subject.hpp"
#include "vicinal/codec/pca8/pca8.hpp"
#include "vicinal/ivf.hpp"

#if defined(VICINAL_TEST_FULL)
namespace {
using namespace vicinal_test;
const with_every_codec<vicinal::ivf_index, l2> with_l2("ivf");
const with_every_codec<vicinal::ivf_index, inner_product> with_inner_product("ivf");
const with_every_codec<vicinal::ivf_index, cosine> with_cosine("ivf");
const with_every_codec<vicinal::ivf_index, manhattan> with_manhattan("ivf");
const with_every_codec<vicinal::ivf_index, chebyshev> with_chebyshev("ivf");
}  // namespace
#elif !defined(VICINAL_TEST_REDUCED)
namespace {
using namespace vicinal_test;
using pca8_then_f32 = vicinal::two_level<vicinal::pca8, f32>;
const further<vicinal::ivf_index> entered("ivf");
const registered<vicinal::ivf_index, combination<l2, sq8_then_f32>, combination<inner_product, sq8>,
                 combination<cosine, bf16>, combination<manhattan, f16>, combination<chebyshev, f16>,
                 combination<chebyshev, sq8>, combination<inner_product, vicinal::rabitq<3>>,
                 combination<l2, pca8_then_f32>, combination<inner_product, vicinal::pq>, combination<l2, pq_then_f32>>
    its_share("ivf");
}  // namespace
#endif
