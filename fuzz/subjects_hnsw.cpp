// The hnsw indexes that are fuzzed: each codec and metric somewhere, ids of several widths.
#include "exercise.hpp"

namespace vicinal_fuzz {
namespace {

using namespace vicinal;
constexpr index_kind kind = index_kind::hnsw;

}  // namespace

std::span<const subject> hnsw_subjects() {
    static const subject all[] = {
        make_subject<hnsw_index<l2>, l2, f32>("hnsw_l2_f32", kind),
        make_subject<hnsw_index<cosine, sq8, std::int64_t>, cosine, sq8>("hnsw_cosine_sq8", kind),
        make_subject<hnsw_index<inner_product, two_level<sq4, f32>, std::uint16_t>, inner_product, two_level<sq4, f32>>(
            "hnsw_ip_sq4_f32", kind),
    };
    return all;
}

}  // namespace vicinal_fuzz
