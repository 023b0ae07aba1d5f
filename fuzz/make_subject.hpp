// All that the targets do with one index type, as a subject.
#pragma once

#include "model.hpp"

namespace vicinal_fuzz {

/// A small index with gaps in its ids, a removal and an update behind it, as a file.
template <class Index>
bytes_t sample_file(std::size_t rows) {
    using Id = typename Index::id_type;
    constexpr std::size_t dim = 3;
    const auto make = [] {
        if constexpr (graph_like<Index>)
            return Index(dim, {4, 10, 3});
        else if constexpr (ivf_like<Index>)
            return Index(dim, {3, 5});
        else
            return Index(dim);
    };
    Index index = make();
    if (rows == 0) return saved(index);
    std::vector<Id> ids;
    std::vector<float> values;
    for (std::size_t i = 0; i < rows; ++i) {
        ids.push_back(static_cast<Id>(3 * i + 1));
        for (std::size_t d = 0; d < dim; ++d)
            values.push_back(static_cast<float>((i * 7 + d * 5 + i * i * d) % 11) - 4.5F);
    }
    index.add(ids, vicinal::matrix_view<const float>(std::span<const float>(values), dim));
    index.remove(ids[rows / 2]);
    index.update(ids[0], std::vector<float>{1.0F, -2.0F, 0.5F});
    return saved(index);
}

template <class Index, class Metric, class Codec>
subject make_subject(const char* name, vicinal::index_kind kind) {
    return {name,
            vicinal::detail::header_of<typename Index::id_type>(kind, Metric::name,
                                                                vicinal::detail::row_store<Codec>::name(), 1),
            load_and_use<Index>,
            view_and_use<Index>,
            [](input& in) { operations<Index, Metric, Codec>(in).run(); },
            sample_file<Index>};
}

}  // namespace vicinal_fuzz
