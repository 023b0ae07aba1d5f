// hnsw_index whose links carry codes; the other indexes have no links.
#include "contract/subject.hpp"
#include "vicinal/hnsw.hpp"

namespace {
using namespace vicinal_test;
const registered<vicinal::hnsw_index, combination<l2, vicinal::packed<f32>>, combination<cosine, vicinal::packed<sq8>>,
                 combination<inner_product, vicinal::packed<f16>>>
    entered("hnsw");
}  // namespace
