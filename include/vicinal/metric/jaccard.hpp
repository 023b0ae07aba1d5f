// SPDX-License-Identifier: MIT
// Jaccard distance between sets, as vectors of zeros and ones.
#pragma once

#include <cstddef>      // for size_t
#include <span>         // for span
#include <string_view>  // for string_view

#include "vicinal/concepts.hpp"
#include "vicinal/metric/hamming.hpp"

VICINAL_NAMESPACE_BEGIN

/// One less the share of what two sets have in common in what they have together, in [0, 1]: 1 - |a & b| / |a | b|,
/// also called Tanimoto distance. Component i says whether i is in the set: it is if the component is above zero, as
/// under `hamming`. Two empty sets are equal, so their distance is 0. Use it with the codec `bits`, which counts 64 to
/// 512 bits at a time; rows of other codecs are decoded one by one.
struct jaccard {
    static constexpr std::string_view name = "jaccard";
    static constexpr bool counts_common = true;
    using clustering = l2;

    [[nodiscard]] float operator()(std::span<const float> q, std::span<const float> x) const noexcept {
        float differing = 0;
        float common = 0;
        for (std::size_t i = 0; i < q.size(); ++i) {
            differing += q[i] != x[i] ? 1.0F : 0.0F;
            common += q[i] * x[i];
        }
        return of_counts(differing, common);
    }
    [[nodiscard]] static bool prepare(std::span<float> row) noexcept {
        detail::binarize(row);
        return true;
    }
    [[nodiscard]] VICINAL_INLINE static float of_counts(float differing, float common) noexcept {
        return differing == 0.0F ? 0.0F : differing / (differing + common);
    }
};
static_assert(whole_metric<jaccard> && preparing_metric<jaccard> && counting_metric<jaccard>);

VICINAL_NAMESPACE_END
