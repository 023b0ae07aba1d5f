// SPDX-License-Identifier: MIT
// All that the targets do with one index type, as a subject.
#pragma once

#include "model.hpp"
#include "vicinal/import.hpp"

namespace vicinal_fuzz {

/// The dimension that the header of an hnswlib file implies, as far as it is small: its caller would know it.
inline std::size_t hnswlib_dim(bytes_view file) {
    using vicinal::detail::load_le;
    if (file.size() < 48) return 4;
    const std::uint64_t bytes = load_le<std::uint64_t>(&file[32]) - load_le<std::uint64_t>(&file[40]);
    return static_cast<std::size_t>(std::clamp<std::uint64_t>(bytes / 4, 1, 64));
}

/// A small index with gaps in its ids, a removal and an update behind it, as a file.
template <class Index>
bytes_t sample_file(std::size_t rows) {
    using Id = typename Index::id_type;
    constexpr std::size_t dim = 3;
    const auto make = [] {
        if constexpr (graph_like<Index>)
            return Index(dim, {.degree = 4, .ef_construction = 10, .seed = 3});
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

/// Takes a file of hnswlib's or faiss's over; what comes of it must be whole, and is saved and used as what was loaded.
template <class Index>
void import_and_use(bytes_view file) {
    std::optional<Index> index;
    {
        const allocation_meter meter;
        const auto refused = refusal([&] {
            if constexpr (graph_like<Index>)
                if (file.empty() || file[0] != std::byte{'I'}) {
                    index.emplace(vicinal::import_hnswlib<Index>(file, hnswlib_dim(file)));
                    return;
                }
            index.emplace(vicinal::import_faiss<Index>(file));
        });
        // A row of a graph takes some 32 bytes there and a dozen small vectors meanwhile.
        require(meter.peak() <= 32 * file.size() + (std::size_t{1} << 20),
                "an import takes at most 32x the bytes and 1 MiB");
        if (refused) return;
    }
    require(index->check().ok(), "what is imported is whole");
    load_and_use<Index>(saved(*index));
}

template <class Index>
constexpr auto importer() -> void (*)(bytes_view) {
    if constexpr (vicinal::detail::importable<Index>::value)
        return import_and_use<Index>;
    else
        return nullptr;
}

template <class Index, class Metric, class Codec>
subject make_subject(const char* name, vicinal::index_kind kind) {
    return {name,
            vicinal::detail::header_of<typename Index::id_type>(kind, Metric::name,
                                                                vicinal::detail::row_store<Codec>::name(), 1),
            load_and_use<Index>,
            view_and_use<Index>,
            [](input& in) { operations<Index, Metric, Codec>(in).run(); },
            sample_file<Index>,
            importer<Index>()};
}

}  // namespace vicinal_fuzz
