// SPDX-License-Identifier: MIT
#include "../make_subject.hpp"

vicinal_fuzz::subject vicinal_fuzz::ivf_l2_f32() {
    using namespace vicinal;
    return make_subject<ivf_index<l2>, l2, f32>("ivf_l2_f32", index_kind::ivf);
}
