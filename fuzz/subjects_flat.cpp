// The flat indexes that are fuzzed: each codec and metric somewhere, ids of several widths.
#include "exercise.hpp"

namespace vicinal_fuzz {
namespace {

using namespace vicinal;
constexpr index_kind kind = index_kind::flat;

}  // namespace

std::span<const subject> flat_subjects() {
    static const subject all[] = {
        make_subject<flat_index<l2>, l2, f32>("flat_l2_f32", kind),
        make_subject<flat_index<cosine, sq4, std::uint8_t>, cosine, sq4>("flat_cosine_sq4", kind),
        make_subject<flat_index<inner_product, bf16, std::int16_t>, inner_product, bf16>("flat_ip_bf16", kind),
    };
    return all;
}

}  // namespace vicinal_fuzz
