// SPDX-License-Identifier: MIT
#include "../make_subject.hpp"

vicinal_fuzz::subject vicinal_fuzz::flat_l2_f32() {
    using namespace vicinal;
    return make_subject<flat_index<l2>, l2, f32>("flat_l2_f32", index_kind::flat);
}
