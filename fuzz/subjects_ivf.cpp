// The ivf indexes that are fuzzed: each codec and metric somewhere, ids of several widths.
#include "exercise.hpp"

namespace vicinal_fuzz {
namespace {

using namespace vicinal;
constexpr index_kind kind = index_kind::ivf;

}  // namespace

std::span<const subject> ivf_subjects() {
    static const subject all[] = {
        make_subject<ivf_index<l2>, l2, f32>("ivf_l2_f32", kind),
        make_subject<ivf_index<inner_product, two_level<sq8, f16>, std::int32_t>, inner_product, two_level<sq8, f16>>(
            "ivf_ip_sq8_f16", kind),
    };
    return all;
}

}  // namespace vicinal_fuzz
