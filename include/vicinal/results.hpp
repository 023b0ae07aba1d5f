// SPDX-License-Identifier: MIT
// What is done with lists of results: those of shards are merged, those of different searches are fused, and results
// that say the same are left out.
#pragma once

#include <algorithm>    // for clamp, max, min, partial_sort, sort, stable_sort, unique
#include <cstddef>      // for ptrdiff_t, size_t
#include <limits>       // for numeric_limits
#include <ranges>       // for contiguous_range, distance, forward_range, range_value_t, sized_range
#include <span>         // for span
#include <string>       // for string, to_string
#include <string_view>  // for string_view
#include <utility>      // for move
#include <vector>       // for vector

#include "vicinal/core/error.hpp"
#include "vicinal/core/math.hpp"
#include "vicinal/core/types.hpp"
#include "vicinal/core/vector_view.hpp"

VICINAL_NAMESPACE_BEGIN

namespace detail {

template <class T>
inline constexpr bool is_neighbor = false;
template <class Id>
inline constexpr bool is_neighbor<neighbor<Id>> = true;

}  // namespace detail

/// One list of results, as a search returns it: a std::vector or std::span of neighbors.
template <class R>
concept result_list = std::ranges::contiguous_range<R> && std::ranges::sized_range<R> &&
    detail::is_neighbor<std::ranges::range_value_t<R>>;

/// Several of them: a std::vector, std::array or other range of lists.
template <class R>
concept result_lists = std::ranges::forward_range<R> && result_list<std::ranges::range_value_t<R>>;

namespace detail {

template <class Lists>
using id_of_lists = decltype(std::ranges::range_value_t<std::ranges::range_value_t<Lists>>::id);

/// Calls f(list number, place in it, neighbor) for all results.
/// throws  error{invalid_argument} where a distance is no number, which no order has a place for
template <class Lists, class F>
void for_each_result(std::string_view call, const Lists& lists, const F& f) {
    std::size_t l = 0;
    for (const auto& list : lists) {
        std::size_t place = 0;
        for (const auto& hit : list) {
            if (!(has_finite_bits(hit.distance) || hit.distance == infinite() || hit.distance == -infinite()))
                fail(errc::invalid_argument, std::string(call) + ": result " + std::to_string(place) + " of list " +
                                                 std::to_string(l) + " has a distance that is not a number");
            f(l, place++, hit);
        }
        ++l;
    }
}

}  // namespace detail

// ---- shards ---------------------------------------------------------------------------------------------------------

/// The k closest of all lists, closest first, ties by lower id: what one index of all their rows returns if each list
/// has the k closest of its part. An id that is in several lists counts once, with its least distance. Lists may be in
/// any order and of any engine. It is associative: merging results of merges gives the same. O(n log n) for n results.
/// throws  error{invalid_argument} where a distance is not a number
template <result_lists Lists>
[[nodiscard]] auto merge_top_k(const Lists& lists, std::size_t k) {
    using id_type = detail::id_of_lists<Lists>;
    std::vector<neighbor<id_type>> all;
    detail::for_each_result("merge_top_k", lists,
                            [&](std::size_t, std::size_t, const auto& hit) { all.push_back(hit); });
    std::sort(all.begin(), all.end(),
              [](const auto& a, const auto& b) { return a.id != b.id ? a.id < b.id : a.distance < b.distance; });
    const auto same_id = [](const auto& a, const auto& b) { return a.id == b.id; };
    all.erase(std::unique(all.begin(), all.end(), same_id), all.end());
    const std::size_t kept = (std::min)(k, all.size());
    std::partial_sort(all.begin(), all.begin() + static_cast<std::ptrdiff_t>(kept), all.end(), closer<id_type>);
    all.resize(kept);
    return all;
}

// ---- searches of different kinds ------------------------------------------------------------------------------------

/// A result of several searches. More is better.
template <class Id = std::uint64_t>
struct fused_result {
    Id id;
    double score;

    friend constexpr bool operator==(const fused_result&, const fused_result&) = default;
};

/// Reciprocal rank fusion (Cormack, Clarke, Buettcher: "Reciprocal rank fusion outperforms Condorcet and individual
/// rank learning methods", 2009): a result at place r of a list, counted from 1, adds weight / (constant + r) to its
/// score. It asks nothing of distances, so lists of any kind go together, as those of vectors and of keywords.
struct rrf {
    double constant = 60;           ///< at least 0: the larger, the less the first places count
    std::vector<double> weights{};  ///< of each list, at least 0; all 1 if there are none
};

/// A result adds weight * (worst - distance) / (worst - best) to its score, worst and best being those of its list: 1
/// for the closest, 0 for the farthest and for those that are not in the list. For lists whose distances say how much
/// closer one is than another. Scores of a keyword search, where more is better, go in as their negatives.
struct weighted {
    std::vector<double> weights{};  ///< of each list, at least 0; all 1 if there are none
};

namespace detail {

inline constexpr std::size_t all_results = (std::numeric_limits<std::size_t>::max)();

/// A distance; the largest there is in place of infinity.
[[nodiscard]] inline double finite_distance(float distance) noexcept {
    constexpr float most = (std::numeric_limits<float>::max)();
    return double{std::clamp(distance, -most, most)};
}

/// What one list adds to the score of an id.
template <class Id>
struct contribution {
    Id id;
    std::size_t list;
    double score;
};

/// Says whether a weight is a number of at least 0, also under -ffast-math.
[[nodiscard]] inline bool is_weight(double w) noexcept {
    return w >= 0 && w <= double{(std::numeric_limits<float>::max)()};
}
inline void check_weights(const std::vector<double>& weights, std::size_t lists) {
    if (!weights.empty() && weights.size() != lists)
        fail(errc::invalid_argument,
             "fuse: there are " + std::to_string(weights.size()) + " weights for " + std::to_string(lists) + " lists");
    for (std::size_t i = 0; i < weights.size(); ++i)
        if (!is_weight(weights[i]))
            fail(errc::invalid_argument, "fuse: weight " + std::to_string(i) + " is " + std::to_string(weights[i]) +
                                             ", it must be a number of at least 0");
}
[[nodiscard]] inline double weight_of(const std::vector<double>& weights, std::size_t list) {
    return weights.empty() ? 1 : weights[list];
}

/// Sums the contributions to each id, of one list the first, in the order of the lists: equal lists give equal bits.
template <class Id>
[[nodiscard]] std::vector<fused_result<Id>> best_sums(std::vector<contribution<Id>> all, std::size_t k) {
    std::stable_sort(all.begin(), all.end(),
                     [](const auto& a, const auto& b) { return a.id != b.id ? a.id < b.id : a.list < b.list; });
    std::vector<fused_result<Id>> sums;
    for (std::size_t i = 0; i < all.size(); ++i) {
        if (i == 0 || all[i].id != all[i - 1].id)
            sums.push_back({all[i].id, all[i].score});
        else if (all[i].list != all[i - 1].list)
            sums.back().score += all[i].score;
    }
    const std::size_t kept = (std::min)(k, sums.size());
    std::partial_sort(
        sums.begin(), sums.begin() + static_cast<std::ptrdiff_t>(kept), sums.end(),
        [](const auto& a, const auto& b) { return a.score > b.score || (a.score == b.score && a.id < b.id); });
    sums.resize(kept);
    return sums;
}

}  // namespace detail

/// The k best of all that the lists have, best first, ties by lower id. An id that is twice in a list counts where it
/// is first. O(n log n) for n results.
///
///     auto found = fuse(std::array{index.search(query, 100), by_keywords}, rrf{}, 10);
///
/// throws  error{invalid_argument} where a distance is not a number, if `constant` is less than 0 or no number, if
/// there are not as many weights as lists, or if a weight is less than 0 or no number
template <result_lists Lists>
[[nodiscard]] auto fuse(const Lists& lists, const rrf& how = {}, std::size_t k = detail::all_results) {
    using id_type = detail::id_of_lists<Lists>;
    detail::check_weights(how.weights, static_cast<std::size_t>(std::ranges::distance(lists)));
    if (!detail::is_weight(how.constant))
        detail::fail(errc::invalid_argument,
                     "fuse: rrf's constant is " + std::to_string(how.constant) + ", it must be a number of at least 0");
    std::vector<detail::contribution<id_type>> all;
    detail::for_each_result("fuse", lists, [&](std::size_t list, std::size_t place, const auto& hit) {
        const double rank = static_cast<double>(place) + 1;
        all.push_back({hit.id, list, detail::weight_of(how.weights, list) / (how.constant + rank)});
    });
    return detail::best_sums(std::move(all), k);
}
template <result_lists Lists>
[[nodiscard]] auto fuse(const Lists& lists, const weighted& how, std::size_t k = detail::all_results) {
    using id_type = detail::id_of_lists<Lists>;
    detail::check_weights(how.weights, static_cast<std::size_t>(std::ranges::distance(lists)));
    struct range {
        double best = (std::numeric_limits<double>::max)();
        double worst = std::numeric_limits<double>::lowest();
    };
    std::vector<range> ranges(static_cast<std::size_t>(std::ranges::distance(lists)));
    detail::for_each_result("fuse", lists, [&](std::size_t list, std::size_t, const auto& hit) {
        range& of = ranges[list];
        of.best = (std::min)(of.best, detail::finite_distance(hit.distance));
        of.worst = (std::max)(of.worst, detail::finite_distance(hit.distance));
    });
    std::vector<detail::contribution<id_type>> all;
    detail::for_each_result("fuse", lists, [&](std::size_t list, std::size_t, const auto& hit) {
        const range& of = ranges[list];
        const double score =
            of.worst > of.best ? (of.worst - detail::finite_distance(hit.distance)) / (of.worst - of.best) : 1;
        all.push_back({hit.id, list, detail::weight_of(how.weights, list) * score});
    });
    return detail::best_sums(std::move(all), k);
}

// ---- results that say the same --------------------------------------------------------------------------------------

/// How many results `mmr` chooses, and by what.
struct mmr_params {
    std::size_t k = 10;
    float lambda = 0.5F;  ///< 1: by the distance to the query alone; 0: by the distance to those chosen alone
};

namespace detail {

/// Reads a vector, if nobody has removed it.
template <class Index>
[[nodiscard]] bool get_if_held(const Index& index, typename Index::id_type id, std::span<float> out) {
    try {
        index.get(id, out);
        return true;
    } catch (const error& e) {
        if (e.code() != errc::not_found) throw;
        return false;
    }
}

}  // namespace detail

/// Chooses k of a search's results so that they differ (Carbonell, Goldstein: "The use of MMR, diversity-based
/// reranking for reordering documents and producing summaries", 1998): the closest to the query first, then each time
/// the one of least lambda * (distance to the query) - (1 - lambda) * (distance to the closest of those chosen), ties
/// by lower id. Give it some times k results of a search. Returns them in the order in which they were chosen, with
/// their distances to the query; fewer than k if `hits` has fewer ids that `index` holds.
/// index  any index of vicinal, an any_index too. Rows that are removed meanwhile are left out
/// O(hits.size() * (dim + k * dim)).
/// throws  error{invalid_argument} unless lambda is from 0 to 1; what `index.distances` throws
template <class Index>
[[nodiscard]] auto mmr(const Index& index, vector_view query, std::span<const neighbor<typename Index::id_type>> hits,
                       const mmr_params& params = {}) {
    using id_type = typename Index::id_type;
    if (!(params.lambda >= 0 && params.lambda <= 1) || !detail::has_finite_bits(params.lambda))
        detail::fail(errc::invalid_argument,
                     "mmr: lambda is " + std::to_string(params.lambda) + ", it must be from 0 to 1");
    std::vector<id_type> ids;
    for (const auto& hit : hits) ids.push_back(hit.id);
    std::sort(ids.begin(), ids.end());
    ids.erase(std::unique(ids.begin(), ids.end()), ids.end());
    std::vector<float> to_query(ids.size()), between(ids.size());
    index.distances(query, ids, to_query);
    std::vector<float> closest_chosen(ids.size(), detail::infinite());
    std::vector<bool> out(ids.size());
    for (std::size_t i = 0; i < ids.size(); ++i) out[i] = to_query[i] == detail::infinite();

    const double lambda = double{params.lambda};
    const auto cost = [&](std::size_t i, bool first) {
        return first ? double{to_query[i]} : lambda * double{to_query[i]} - (1 - lambda) * double{closest_chosen[i]};
    };
    std::vector<neighbor<id_type>> chosen;
    std::vector<float> vector(index.dim());
    while (chosen.size() < params.k) {
        std::size_t best = ids.size();
        for (std::size_t i = 0; i < ids.size(); ++i)
            if (!out[i] && (best == ids.size() || cost(i, chosen.empty()) < cost(best, chosen.empty()))) best = i;
        if (best == ids.size()) break;
        chosen.push_back({ids[best], to_query[best]});
        out[best] = true;
        if (chosen.size() == params.k || !detail::get_if_held(index, ids[best], vector)) continue;
        index.distances(vector, ids, between);
        for (std::size_t i = 0; i < ids.size(); ++i) {
            closest_chosen[i] = (std::min)(closest_chosen[i], between[i]);
            out[i] = out[i] || between[i] == detail::infinite();
        }
    }
    return chosen;
}

VICINAL_NAMESPACE_END
