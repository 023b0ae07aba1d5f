// SPDX-License-Identifier: MIT
// What a search should have found: naive loops in double precision, which share no code with the library.
#pragma once

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <set>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "support/catch.hpp"
#include "vicinal/core/types.hpp"

namespace vicinal_test {

using vicinal::neighbor;
using hits_t = std::vector<neighbor<>>;
using vector_t = std::vector<float>;
using vectors_t = std::map<std::uint64_t, vector_t>;  // what an index holds, decoded

/// A distance, and how far a correct implementation in single precision may be from it.
struct exact {
    double distance;
    double bound;
};

/// The weights of weighted_l2 in tests that compare with the reference.
inline float reference_weight(std::size_t i) { return static_cast<float>(1 + i % 3) / 2; }
inline std::vector<float> reference_weights(std::size_t dim) {
    std::vector<float> weights(std::min(dim, std::size_t{1} << 20));  // tests also ask for dimensions that cannot be
    for (std::size_t i = 0; i < weights.size(); ++i) weights[i] = reference_weight(i);
    return weights;
}

/// |computed - exact| <= (ceil(d/L) + log2 L + 3) * 2^-24 * S, S the sum of absolute terms, at most for L = 1. On top
/// of that comes the rounding of the query when cosine divides it by its norm, what is lost where products underflow,
/// and `wobble`: how far a component may be from what `get` says it is, where kernels decode with one rounding more or
/// less. `renormalise`: cosine divides decoded rows by their length again, where the codec did not keep it.
inline exact reference_distance(std::string_view metric, std::span<const float> query, std::span<const float> row,
                                double wobble = 0, bool renormalise = false) {
    const double epsilon = 0x1p-24;
    if (metric == "hamming" || metric == "jaccard") {
        double differing = 0;
        double together = 0;
        for (std::size_t i = 0; i < query.size(); ++i) {
            differing += (query[i] > 0) != (row[i] > 0) ? 1 : 0;
            together += query[i] > 0 || row[i] > 0 ? 1 : 0;
        }
        if (metric == "hamming") return {differing, 0};
        return {together == 0 ? 0 : differing / together, epsilon};
    }
    double norm = 1;
    if (metric == "cosine") {
        norm = 0;
        for (const float q : query) norm += double{q} * double{q};
        norm = std::sqrt(norm);
    }
    double length = 1;
    if (renormalise) {
        length = 0;
        for (const float x : row) length += double{x} * double{x};
        length = length > 0 ? std::sqrt(length) : 1;
    }
    double sum = 0;
    double terms = 0;
    double slack = 0;
    for (std::size_t i = 0; i < query.size(); ++i) {
        const double q = double{query[i]} / norm;
        const double x = double{row[i]} / length;
        double term = 0;
        if (metric == "l2") {
            term = (q - x) * (q - x);
            slack += (2 * std::abs(q - x) + wobble) * wobble;
        } else if (metric == "weighted_l2") {
            term = double{reference_weight(i)} * (q - x) * (q - x);
            slack += 2 * (2 * std::abs(q - x) + wobble) * wobble + epsilon * term;
        } else if (metric == "inner_product" || metric == "cosine") {
            term = q * x;
            slack += std::abs(q) * wobble;
        } else if (metric == "manhattan") {
            term = std::abs(q - x);
            slack += wobble;
        } else if (metric == "chebyshev") {
            sum = std::max(sum, std::abs(q - x));
            slack = wobble;
            continue;
        } else {
            throw std::logic_error("no reference for metric " + std::string(metric));
        }
        sum += term;
        terms += std::abs(term);
    }
    const double steps = static_cast<double>(query.size()) + 3;
    slack += steps * 0x1p-149;
    if (metric == "chebyshev") return {sum, slack + epsilon * sum};
    if (metric == "inner_product") return {-sum, slack + steps * epsilon * terms};
    if (metric == "cosine") return {std::clamp(1 - sum, 0.0, 2.0), slack + (steps + 3) * epsilon * terms + 2 * epsilon};
    return {sum, slack + steps * epsilon * terms};
}

/// Everything true of any search result: sorted, no id twice, every id held and admitted, every distance right.
struct expectation {
    std::string_view metric;
    double wobble;
    const vectors_t& rows;
    bool renormalise = false;
    std::function<bool(std::uint64_t)> admits = [](std::uint64_t) { return true; };

    [[nodiscard]] std::size_t admitted() const {
        return static_cast<std::size_t>(
            std::count_if(rows.begin(), rows.end(), [&](const auto& row) { return admits(row.first); }));
    }
    [[nodiscard]] exact distance(std::span<const float> query, std::uint64_t id) const {
        return reference_distance(metric, query, rows.at(id), wobble, renormalise);
    }

    void require_sound(std::span<const float> query, std::span<const neighbor<>> hits) const {
        std::set<std::uint64_t> seen;
        for (std::size_t i = 0; i < hits.size(); ++i) {
            const auto [id, found] = hits[i];
            if (i > 0 && !vicinal::closer(hits[i - 1], hits[i]))
                FAIL("hit " << i << " (" << id << " at " << found << ") must not come after " << hits[i - 1].id
                            << " at " << hits[i - 1].distance);
            if (!seen.insert(id).second) FAIL("id " << id << " was returned twice");
            if (rows.count(id) == 0) FAIL("id " << id << " was returned, which the index does not hold");
            if (!admits(id)) FAIL("id " << id << " was returned, which the filter does not admit");
            const exact want = distance(query, id);
            if (!(std::abs(double{found} - want.distance) <= want.bound))
                FAIL("id " << id << " is at " << want.distance << " +- " << want.bound << ", was said to be at "
                           << found);
        }
        SUCCEED();
    }

    /// The k closest, up to ties within rounding: as many as there are, and nothing left out is closer than the last.
    void require_closest(std::span<const float> query, std::size_t k, std::span<const neighbor<>> hits) const {
        REQUIRE(hits.size() == std::min(k, admitted()));
        require_sound(query, hits);
        if (hits.empty()) return;
        const exact last = distance(query, hits.back().id);
        std::set<std::uint64_t> returned;
        for (const auto& hit : hits) returned.insert(hit.id);
        for (const auto& [id, row] : rows) {
            if (returned.count(id) != 0 || !admits(id)) continue;
            const exact missed = distance(query, id);
            if (!(missed.distance + missed.bound >= last.distance - last.bound))
                FAIL("id " << id << " at " << missed.distance << " was left out, id " << hits.back().id << " at "
                           << last.distance << " was returned");
        }
    }

    /// Every row within the radius, up to rounding.
    void require_within(std::span<const float> query, float radius, std::span<const neighbor<>> hits) const {
        require_within_only(query, radius, hits);
        std::set<std::uint64_t> returned;
        for (const auto& hit : hits) returned.insert(hit.id);
        for (const auto& [id, row] : rows) {
            if (returned.count(id) != 0 || !admits(id)) continue;
            const exact missed = distance(query, id);
            if (!(missed.distance + missed.bound >= double{radius}))
                FAIL("id " << id << " at " << missed.distance << " was left out, the radius is " << radius);
        }
    }
    /// Nothing but rows within the radius.
    void require_within_only(std::span<const float> query, float radius, std::span<const neighbor<>> hits) const {
        require_sound(query, hits);
        for (const auto& hit : hits) REQUIRE(hit.distance <= radius);
    }
};

/// The share of each true k closest that was found, ties at the k-th distance counting as found.
inline double recall(std::span<const neighbor<>> truth, std::span<const neighbor<>> hits) {
    if (truth.empty()) return 1;
    std::size_t found = 0;
    for (const auto& hit : hits) found += hit.distance <= truth.back().distance ? 1 : 0;
    return static_cast<double>(std::min(found, truth.size())) / static_cast<double>(truth.size());
}

}  // namespace vicinal_test
