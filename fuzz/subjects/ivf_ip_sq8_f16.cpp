// SPDX-License-Identifier: MIT
#include "../make_subject.hpp"

vicinal_fuzz::subject vicinal_fuzz::ivf_ip_sq8_f16() {
    using namespace vicinal;
    return make_subject<ivf_index<inner_product, two_level<sq8, f16>, std::int32_t>, inner_product,
                        two_level<sq8, f16>>("ivf_ip_sq8_f16", index_kind::ivf);
}
