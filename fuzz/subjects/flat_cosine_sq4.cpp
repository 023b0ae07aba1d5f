// SPDX-License-Identifier: MIT
#include "../make_subject.hpp"

vicinal_fuzz::subject vicinal_fuzz::flat_cosine_sq4() {
    using namespace vicinal;
    return make_subject<flat_index<cosine, sq4, std::uint8_t>, cosine, sq4>("flat_cosine_sq4", index_kind::flat);
}
