// SPDX-License-Identifier: MIT
// The filters that filter_bench asks with, and what an exact search by them returns.
#pragma once

#include <algorithm>    // for min
#include <array>        // for array
#include <cmath>        // for round
#include <cstdint>      // for uint32_t, uint64_t
#include <memory>       // for shared_ptr, make_shared
#include <numeric>      // for iota
#include <string_view>  // for string_view
#include <vector>       // for vector

#include "../dataset/dataset.hpp"
#include "../dataset/generate.hpp"
#include "vicinal/filter.hpp"

namespace bench {

/// How the rows that a filter admits lie with respect to the query: anywhere, the closest of all, or the farthest. The
/// last two are the extremes; filters of applications lie between them.
enum class relation { random, correlated, anti };
constexpr std::array<std::string_view, 3> relation_names{"random", "correlated", "anti-correlated"};

/// How many rows a filter admits.
struct selectivity {
    std::string_view name;
    double share;       ///< of all rows
    std::size_t exact;  ///< this many rows, where share is negative
    [[nodiscard]] std::size_t matches(std::size_t rows) const {
        return share < 0 ? exact : static_cast<std::size_t>(std::round(share * static_cast<double>(rows)));
    }
    /// A search without any filter, which the others are compared with.
    [[nodiscard]] bool unfiltered() const { return share == 1; }
};
constexpr std::array<selectivity, 11> selectivities{{{"no filter", 1, 0},
                                                     {"90 %", 0.9, 0},
                                                     {"50 %", 0.5, 0},
                                                     {"10 %", 0.1, 0},
                                                     {"5 %", 0.05, 0},
                                                     {"2 %", 0.02, 0},
                                                     {"1 %", 0.01, 0},
                                                     {"0.1 %", 0.001, 0},
                                                     {"0.01 %", 0.0001, 0},
                                                     {"one row", -1, 1},
                                                     {"none", -1, 0}}};

/// Which rows one filter admits, in both forms that an index is given.
class row_filter {
  public:
    /// admitted  row numbers below rows
    row_filter(std::size_t rows, std::vector<std::uint64_t> admitted) : bits_((rows + 63) / 64), ids_(admitted) {
        for (const std::uint64_t row : admitted) bits_[row / 64] |= std::uint64_t{1} << (row % 64);
    }
    [[nodiscard]] bool operator()(std::uint64_t row) const noexcept {
        return ((bits_[row / 64] >> (row % 64)) & 1) != 0;
    }
    [[nodiscard]] const vicinal::id_set<std::uint64_t>& ids() const noexcept { return ids_; }

  private:
    std::vector<std::uint64_t> bits_;
    vicinal::id_set<std::uint64_t> ids_;
};

/// What a right answer to one query is.
struct right_answer {
    std::size_t count = 0;  ///< min(k, rows admitted)
    float farthest = 0;     ///< the distance of the last of these
};

/// One filter a query, the same for all where the rows admitted are random, and the right answers.
struct cell {
    relation kind;
    selectivity share;
    std::size_t matches = 0;
    std::vector<std::shared_ptr<const row_filter>> filters;  ///< empty where there is no filter
    std::vector<right_answer> answers;
};

/// All rows, ordered by their distance to each query, from which filters and right answers are taken.
class ranking {
  public:
    using order = std::vector<vicinal::neighbor<std::uint32_t>>;
    ranking(std::vector<order> orders, std::size_t k, std::uint64_t seed) : orders_(std::move(orders)), k_(k) {
        shuffled_.resize(orders_.at(0).size());
        std::iota(shuffled_.begin(), shuffled_.end(), 0U);
        detail::random_stream random(seed);
        for (std::size_t i = shuffled_.size(); i > 1; --i) std::swap(shuffled_[i - 1], shuffled_[random.next() % i]);
    }
    [[nodiscard]] std::size_t rows() const noexcept { return shuffled_.size(); }

    [[nodiscard]] cell make(relation kind, const selectivity& share) const {
        cell made{kind, share, share.matches(rows()), {}, {}};
        for (const order& all : orders_) {
            if (!share.unfiltered() && (made.filters.empty() || kind != relation::random))
                made.filters.push_back(std::make_shared<row_filter>(rows(), admitted(all, kind, made.matches)));
            else if (!share.unfiltered())
                made.filters.push_back(made.filters.front());
            made.answers.push_back(answer(all, share.unfiltered() ? nullptr : made.filters.back().get()));
        }
        return made;
    }

  private:
    [[nodiscard]] std::vector<std::uint64_t> admitted(const order& all, relation kind, std::size_t count) const {
        std::vector<std::uint64_t> rows(count);
        for (std::size_t i = 0; i < count; ++i)
            rows[i] = kind == relation::random       ? shuffled_[i]
                      : kind == relation::correlated ? all[i].id
                                                     : all[all.size() - 1 - i].id;
        return rows;
    }
    [[nodiscard]] right_answer answer(const order& all, const row_filter* filter) const {
        right_answer right;
        for (const auto& row : all) {
            if (right.count == k_) break;
            if (filter != nullptr && !(*filter)(row.id)) continue;
            ++right.count;
            right.farthest = row.distance;
        }
        return right;
    }

    std::vector<order> orders_;
    std::size_t k_;
    std::vector<std::uint32_t> shuffled_;
};

/// By an exact search over the rows as floats, squared Euclidean distances.
[[nodiscard]] ranking rank_rows(const matrix<float>& rows, const matrix<float>& queries, std::size_t k,
                                std::uint64_t seed);

}  // namespace bench
