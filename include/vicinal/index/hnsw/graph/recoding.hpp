// SPDX-License-Identifier: MIT
// An hnsw_index follows when its codecs learn: links stay, rows become known by other codes.
#pragma once

#include <algorithm>  // for copy_n
#include <cstddef>    // for size_t
#include <vector>     // for vector

#include "vicinal/index/common/training.hpp"
#include "vicinal/index/hnsw/state.hpp"

VICINAL_NAMESPACE_BEGIN

namespace detail::hnsw {

/// Says what changes when codecs do, for a learning_step: codes, and which rows are known by them. Links stay, chosen
/// by the codes of before.
template <class State>
struct graph_recoding : store_recoding<State> {
    using base = store_recoding<State>;
    struct recoded_type : base::recoded_type {
        using base::recoded_type::recoded_type;
        std::vector<slot_t> known;
    };

    template <class Source>
    [[nodiscard]] static bool recode(const State& index, recoded_type& fresh, const Source& source,
                                     matrix_view<const float> to_come, executor_ref executor, clip_counts* clipped) {
        if (!base::recode(index, fresh, source, to_come, executor, clipped)) return false;
        recode_duplicates(index, fresh);
        return true;
    }
    static void exchange(State& index, recoded_type& with) noexcept {
        base::exchange(index, with);
        index.known.exchange(with.known);
    }

  private:
    /// Gives duplicates the codes of their row in the graph, also where vectors are known that tell them apart by now.
    /// The table of known codes is then made of these.
    static void recode_duplicates(const State& index, recoded_type& fresh) {
        const auto& duplicates = index.duplicates;
        index.directory.for_each_live([&](slot_t slot) {
            if (!duplicates.is_duplicate(slot)) return;
            fresh.for_each([&](auto& store, std::size_t) {
                std::copy_n(store.rows()[duplicates.node_of(slot)], store.rows().stride(), store.rows()[slot]);
            });
        });
        const auto for_each_node = [&](const auto& enter) {
            index.directory.for_each_live([&](slot_t slot) {
                if (!duplicates.is_duplicate(slot)) enter(slot);
            });
        };
        fresh.known = index.known.made_of(recoded_rows{fresh, index.rows}, index.directory.live(), for_each_node);
    }
    /// Gives access to all rows by codes that are not in place yet.
    struct recoded_rows {
        const recoded_type& fresh;
        const typename State::store_type& now;
        template <class F>
        void for_each_store(F&& f) const {
            fresh.for_each_store(now, f);
        }
    };
};

}  // namespace detail::hnsw

VICINAL_NAMESPACE_END
