// SPDX-License-Identifier: MIT
// Which lists the queries of a batch look into, and which queries look into a list.
#pragma once

#include <algorithm>  // for min
#include <cstddef>    // for size_t
#include <cstdint>    // for uint32_t, uint64_t
#include <span>       // for span
#include <vector>     // for vector

#include "vicinal/core/reservoir.hpp"
#include "vicinal/index/common/joint_scan.hpp"
#include "vicinal/index/ivf/lists/probes.hpp"
#include "vicinal/scoring/query_tiles.hpp"
#include "vicinal/scoring/scorer.hpp"
#include "vicinal/storage/code_store.hpp"

VICINAL_NAMESPACE_BEGIN

namespace detail::ivf {

/// Which lists each query of a batch looks into, closest first.
struct batch_probes {
    std::size_t wanted;
    std::vector<std::uint32_t> lists;  // `wanted` for each query
    std::vector<std::size_t> found;

    [[nodiscard]] std::span<const std::uint32_t> operator[](std::size_t query) const noexcept {
        return {lists.data() + query * wanted, found[query]};
    }
};

template <class Isa, class Metric>
[[nodiscard]] batch_probes find_probes_together(const Metric& metric, const code_store<f32>& centroids,
                                                const query_table& queries, std::size_t lists, std::size_t wanted,
                                                padded_vector& decoded) {
    batch_probes probes{wanted, std::vector<std::uint32_t>(queries.size() * wanted), {}};
    const std::size_t memory = reservoir::room(wanted, lists);
    std::vector<std::uint64_t> keys(queries.size() * memory);
    std::vector<list_collector> collectors;
    collectors.reserve(queries.size());
    for (std::size_t q = 0; q < queries.size(); ++q)
        collectors.emplace_back(std::span(keys).subspan(q * memory, memory), wanted);
    scan_rows_together<Isa>(metric, centroids, queries, lists, collectors, decoded, [] {});
    for (std::size_t q = 0; q < queries.size(); ++q)
        probes.found.push_back(collectors[q].finish(std::span(probes.lists).subspan(q * wanted, wanted)));
    return probes;
}

/// The queries of each list, of those pairs of query and list that were chosen.
class queries_of_lists {
  public:
    /// Takes of each query the probes [first, last) of those it has.
    void assign(const batch_probes& probes, std::size_t queries, std::size_t lists, std::size_t first,
                std::size_t last) {
        begins_.assign(lists + 1, 0);
        const auto each = [&](auto&& f) {
            for (std::size_t q = 0; q < queries; ++q)
                for (std::size_t i = first; i < (std::min)(last, probes[q].size()); ++i) f(q, i, probes[q][i]);
        };
        each([&](std::size_t, std::size_t, std::uint32_t list) { ++begins_[list + 1]; });
        for (std::size_t l = 0; l < lists; ++l) begins_[l + 1] += begins_[l];
        members_.resize(begins_[lists]);
        places_.resize(begins_[lists]);
        std::vector<std::size_t> next(begins_.begin(), begins_.end() - 1);
        each([&](std::size_t q, std::size_t i, std::uint32_t list) {
            places_[next[list]] = static_cast<std::uint32_t>(i);
            members_[next[list]++] = static_cast<std::uint32_t>(q);
        });
    }
    [[nodiscard]] std::span<const std::uint32_t> operator[](std::size_t list) const noexcept {
        return std::span(members_).subspan(begins_[list], begins_[list + 1] - begins_[list]);
    }
    /// The how manieth of each of those queries' probes the list is.
    [[nodiscard]] std::span<const std::uint32_t> places(std::size_t list) const noexcept {
        return std::span(places_).subspan(begins_[list], begins_[list + 1] - begins_[list]);
    }

  private:
    std::vector<std::size_t> begins_;
    std::vector<std::uint32_t> members_;
    std::vector<std::uint32_t> places_;
};

}  // namespace detail::ivf

VICINAL_NAMESPACE_END
