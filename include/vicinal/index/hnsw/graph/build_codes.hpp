// SPDX-License-Identifier: MIT
// Build codes are 8-bit copies of an index's rows, made while a batch is added and dropped afterwards.
#pragma once

#include <cstddef>  // for size_t
#include <cstdint>  // for uint32_t
#include <memory>   // for unique_ptr
#include <span>     // for span
#include <vector>   // for vector

#include "vicinal/codec/sq/sq8.hpp"
#include "vicinal/core/executor.hpp"
#include "vicinal/scoring/scorer.hpp"

VICINAL_NAMESPACE_BEGIN

namespace detail {

/// Holds the codes by which a batch of new rows finds its candidates where the codec's own rows are slow to compare:
/// distances are computed in integers, on one byte a component. Candidates are then measured exactly, so that the links
/// are those of the codec's rows.
template <class Metric, class Codec>
class build_codes {
  public:
    /// Says whether 8-bit codes are faster to compare than the codec's own.
    static constexpr bool possible = formed_metric<Metric> && !affine_codec<Codec> && !counts_bits<Metric, Codec>;
    /// Says whether copying `rows` rows pays for adding `added` more: a copy costs about 1/100 of an insertion.
    [[nodiscard]] static bool pays(std::size_t added, std::size_t rows) noexcept {
        return possible && added >= 1024 && added >= rows / 64;
    }

    /// sample  prepared rows to learn the range from
    build_codes(std::size_t dim, matrix_view<const float> sample) : codes_(dim, row_spacing::lines) {
        codes_.coder().train(sample);
    }
    void reserve(std::size_t rows) { codes_.reserve(rows); }
    /// Copies rows `slot_of(0)` to `slot_of(count - 1)` of `store`.
    template <class SlotOf>
    void copy(const code_store<Codec>& store, std::size_t count, const SlotOf& slot_of, executor_ref executor) {
        constexpr std::size_t grain = 64;
        parallel_for(executor, (count + grain - 1) / grain, [&](std::size_t g) {
            row_as_query<Codec> decoded;
            for (std::size_t i = g * grain; i < count && i < (g + 1) * grain; ++i) {
                const slot_t slot = slot_of(i);
                codes_.write(slot, std::span(decoded(store, slot), store.dim()));
            }
        });
    }

    [[nodiscard]] const code_store<sq8>& codes() const noexcept { return codes_; }

  private:
    code_store<sq8> codes_;
};

}  // namespace detail

VICINAL_NAMESPACE_END
