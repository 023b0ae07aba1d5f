// SPDX-License-Identifier: MIT
#include "../make_subject.hpp"

vicinal_fuzz::subject vicinal_fuzz::hnsw_cosine_bf16() {
    using namespace vicinal;
    return make_subject<hnsw_index<cosine, bf16, std::int64_t>, cosine, bf16>("hnsw_cosine_bf16", index_kind::hnsw);
}
