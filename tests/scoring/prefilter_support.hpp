// SPDX-License-Identifier: MIT
// What a scan that rules rows out must keep: every row that is as close as asked.
#pragma once

#include <algorithm>
#include <array>
#include <bit>
#include <cmath>
#include <limits>
#include <string>
#include <vector>

#include "support/catch.hpp"
#include "support/data.hpp"
#include "vicinal/metrics.hpp"
#include "vicinal/scoring/normalized_products.hpp"

namespace prefilter_test {

using namespace vicinal::detail;
using namespace vicinal_test;
using kernels = vicinal::simd::native_kernels;

inline dataset moved(dataset rows, float offset, float scale) {
    for (float& x : rows.values) x = offset + scale * x;
    return rows;
}
/// Components of unlike spread, so that each gets a range of its own.
inline dataset uneven(dataset rows) {
    for (std::size_t i = 0; i < rows.values.size(); ++i) rows.values[i] *= i % rows.dim % 8 == 0 ? 1.0F : 0.15F;
    return rows;
}

struct shape {
    const char* name;
    dataset rows;
    dataset queries;
};
inline std::vector<shape> shapes(std::size_t n, std::size_t dim) {
    std::vector<shape> all;
    all.push_back({"gaussian", gaussian(n, dim), gaussian(3, dim, 50)});
    all.push_back({"uneven", uneven(gaussian(n, dim)), uneven(gaussian(3, dim, 51))});
    all.push_back({"far off", moved(gaussian(n, dim), 1000, 1), moved(gaussian(3, dim, 52), 1000, 1)});
    all.push_back({"large", moved(gaussian(n, dim), 0, 1e15F), moved(gaussian(3, dim, 53), 0, 1e15F)});
    all.push_back({"tiny", moved(gaussian(n, dim), 0, 1e-21F), moved(gaussian(3, dim, 54), 0, 1e-21F)});
    all.push_back({"queries outside all ranges", uneven(gaussian(n, dim)), moved(gaussian(3, dim, 55), 40, 9)});
    all.push_back({"small queries", gaussian(n, dim), moved(gaussian(3, dim, 56), 0, 1e-15F)});
    all.push_back({"lattice", lattice(n, dim), lattice(3, dim, 3, 57)});
    all.push_back({"all equal", all_equal(n, dim), all_equal(3, dim)});
    return all;
}

template <class Metric, class Codec>
struct prefiltered {
    Metric metric{};
    code_store<Codec> store;
    dataset queries;

    explicit prefiltered(const shape& data) : store(data.rows.dim, row_spacing::dense), queries(data.queries) {
        dataset rows = data.rows;
        const std::size_t dim = rows.dim;
        if constexpr (vicinal::whole_codec<Codec>)
            for (float& x : rows.values)
                x = std::clamp(std::round(20 * x), static_cast<float>(Codec::least), static_cast<float>(Codec::most));
        if constexpr (vicinal::preparing_metric<Metric>) {
            for (std::size_t r = 0; r < rows.rows() && !keeps_as_given<Metric, Codec>; ++r)
                (void)metric.prepare(std::span(rows.values).subspan(r * dim, dim));
            for (std::size_t q = 0; q < queries.rows(); ++q)
                (void)metric.prepare(std::span(queries.values).subspan(q * dim, dim));
        }
        if constexpr (vicinal::trainable_codec<Codec>) store.coder().train(rows.view());
        store.reserve(rows.rows());
        for (std::size_t r = 0; r < rows.rows(); ++r) store.write(static_cast<slot_t>(r), rows[r]);
    }
};

/// Checks thresholds that each are the distance of some row, and one bit less. Returns how many rows are left, over how
/// many there are, of blocks asked for the closest row's distance.
template <class Metric, class Codec>
double check(const shape& data) {
    INFO(data.name << ", " << Metric::name << ", " << Codec::name << ", dim " << data.rows.dim);
    const prefiltered<Metric, Codec> s(data);
    const std::size_t n = data.rows.rows();
    double left = 0;
    for (std::size_t q = 0; q < s.queries.rows(); ++q) {
        padded_vector query, decoded, integers;
        query.resize(data.rows.dim);
        std::copy_n(s.queries[q].data(), data.rows.dim, query.data());
        const scan_scorer<Metric, Codec, kernels> scorer(s.metric, s.store, query.data(), decoded, integers);
        std::vector<float> distances(n);
        for (std::size_t r = 0; r < n; ++r) distances[r] = scorer.score(static_cast<slot_t>(r));
        std::vector<float> thresholds = distances;
        std::sort(thresholds.begin(), thresholds.end());
        const auto check_block = [&](std::size_t first, std::size_t count, float threshold) {
            const std::uint64_t close =
                scorer.close_rows(scorer.rows()[static_cast<slot_t>(first)], scorer.rows().stride, count, threshold);
            // All of 64, or none beyond the last.
            if (count < 64 && close != ~std::uint64_t{0}) REQUIRE(close >> count == 0);
            for (std::size_t i = 0; i < count; ++i)
                if (distances[first + i] <= threshold && (close >> i & 1U) == 0)
                    FAIL("query " << q << ": row " << first + i << " at " << distances[first + i]
                                  << " was ruled out for " << threshold);
            return std::popcount(close);
        };
        for (const std::size_t rank : {n - 1, n / 2, std::size_t{9}, std::size_t{1}, std::size_t{0}})
            for (const float threshold : {thresholds[rank], std::nextafter(thresholds[rank], -1e30F)})
                for (std::size_t first = 0; first < n; first += 64)
                    check_block(first, std::min<std::size_t>(64, n - first), threshold);
        for (const std::size_t count : std::array<std::size_t, 8>{1, 2, 3, 5, 7, 8, 9, 63})
            check_block(64, count, thresholds[n / 3]);
        check_block(0, 64, std::numeric_limits<float>::infinity());
        check_block(0, 64, std::numeric_limits<float>::max());
        check_block(0, 64, 0.0F);
        for (std::size_t first = 0; first + 64 <= n; first += 64) left += check_block(first, 64, thresholds[0]);
    }
    return left / static_cast<double>(n / 64 * 64 * s.queries.rows());
}

inline constexpr std::array<std::size_t, 11> dims{1, 2, 7, 31, 32, 33, 63, 65, 128, 200, 515};

template <class Codec>
void check_all() {
    for (const std::size_t dim : dims)
        for (const shape& data : shapes(260, dim)) {
            check<vicinal::l2, Codec>(data);
            check<vicinal::inner_product, Codec>(data);
            check<vicinal::cosine, Codec>(data);
        }
}

}  // namespace prefilter_test
