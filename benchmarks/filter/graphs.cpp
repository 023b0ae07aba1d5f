// SPDX-License-Identifier: MIT
#include "vicinal/codecs.hpp"
#include "vicinal/hnsw.hpp"
#include "vicinal_contender.hpp"

namespace bench {

std::vector<contender_kind> graph_contenders() {
    using namespace vicinal;
    return {{"hnsw:f32", make_vicinal<hnsw_index<l2, f32>>},
            {"hnsw:sq8+f32", make_vicinal<hnsw_index<l2, two_level<sq8, f32>>>},
            {"hnsw:rabitq+f32", make_vicinal<hnsw_index<l2, two_level<rabitq<1>, f32>>>}};
}

}  // namespace bench
