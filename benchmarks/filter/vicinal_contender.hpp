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
        if constexpr (requires(typename Index::search_params how) { how.filter_strategy; })
            return {"default", "plain", "two_hop", "exact"};
        else
            return {"default"};
    }
    [[nodiscard]] bool takes(form) const override { return true; }

    std::size_t search(std::span<const float> query, const row_filter* filter, form given, const std::string& strategy,
                       std::span<vicinal::neighbor<>> out, vicinal::search_stats& stats) override {
        typename Index::search_params how;
        how.stats = &stats;
        force(how, strategy);
        const auto admits = [filter](std::uint64_t id) { return (*filter)(id); };
        if (filter != nullptr && given == form::callable) how.filter = admits;
        if (filter != nullptr && given == form::set) how.filter = filter->ids();
        return index_.search(query, out, how);
    }

  private:
    template <class Params>
    static void force(Params& how, const std::string& strategy) {
        if constexpr (requires { how.filter_strategy; }) {
            using strategies = decltype(how.filter_strategy);
            if (strategy == "plain") how.filter_strategy = strategies::plain;
            if (strategy == "two_hop") how.filter_strategy = strategies::two_hop;
            if (strategy == "exact") how.filter_strategy = strategies::exact;
        }
    }

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
