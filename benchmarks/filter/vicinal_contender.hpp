// SPDX-License-Identifier: MIT
// Any index of vicinal's as filter_bench asks it. Distances are squared Euclidean; rows and ids are the same numbers.
#pragma once

#include <numeric>  // for iota

#include "contender.hpp"
#include "vicinal/index_types.hpp"
#include "vicinal/metrics.hpp"

namespace bench {

template <class Index>
class vicinal_contender final : public contender {
  public:
    explicit vicinal_contender(Index index) : index_(std::move(index)) {}

    [[nodiscard]] std::vector<std::string> strategies() const override {
        if constexpr (chooses)
            return {"default", "plain", "two_hop", "exact"};
        else
            return {"default"};
    }
    [[nodiscard]] bool takes(form) const override { return true; }

    std::size_t search(std::span<const float> query, const row_filter* filter, form given, const std::string& strategy,
                       std::span<vicinal::neighbor<>> out, vicinal::search_stats& stats) override {
        typename Index::search_params how;
        how.stats = &stats;
        if constexpr (chooses) {
            using enum vicinal::filter_strategy;
            how.filter_strategy = strategy == "plain"     ? plain
                                  : strategy == "two_hop" ? two_hop
                                  : strategy == "exact"   ? exact
                                                          : automatic;
        }
        const auto admits = [filter](std::uint64_t id) { return (*filter)(id); };
        if (filter != nullptr && given == form::callable) how.filter = admits;
        if (filter != nullptr && given == form::set) how.filter = filter->ids();
        return index_.search(query, out, how);
    }

  private:
    static constexpr bool chooses = requires(typename Index::search_params how) { how.filter_strategy; };
    Index index_;
};

/// Loads the index from the file; if there is none, builds it of the rows and saves it.
template <class Index>
[[nodiscard]] std::unique_ptr<contender> make_vicinal(const matrix<float>& rows, const std::filesystem::path& file) {
    if (std::filesystem::exists(file)) return std::make_unique<vicinal_contender<Index>>(Index::load(file));
    Index index(rows.dim);
    std::vector<std::uint64_t> ids(rows.rows);
    std::iota(ids.begin(), ids.end(), std::uint64_t{0});
    index.add(ids, vicinal::matrix_view<const float>(rows.values.data(), rows.rows, rows.dim));
    if (!file.empty()) index.save(file, {.sync = false});
    return std::make_unique<vicinal_contender<Index>>(std::move(index));
}

}  // namespace bench
