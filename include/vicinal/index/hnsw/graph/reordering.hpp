// SPDX-License-Identifier: MIT
// A reordering puts the rows of an hnsw_index in another order: it is made beside readers, and exchanged at once.
#pragma once

#include <algorithm>  // for copy_n, max
#include <array>      // for array
#include <cstddef>    // for size_t
#include <utility>    // for move, pair, swap
#include <vector>     // for vector

#include "vicinal/core/progress.hpp"
#include "vicinal/index/common/writing.hpp"
#include "vicinal/index/hnsw/graph/room.hpp"
#include "vicinal/index/hnsw/graph/row_order.hpp"
#include "vicinal/index/hnsw/state.hpp"
#include "vicinal/params.hpp"

VICINAL_NAMESPACE_BEGIN

namespace detail::hnsw {

/// Holds the index's rows in their new order, which leaves no gap between them. What a row is and how rows are linked
/// stays: only numbers change. Removed rows that links lead to get numbers, too, and wait as after a load.
template <class State>
class reordering {
  public:
    /// Makes all of it, for an index with rows. Beside readers.
    /// throws  error{cancelled}; what params.progress throws
    reordering(State& index, const reorder_params& params)
        : index_(index),
          bytes_(params.stop, params.progress, bytes_to_move(index)),
          order_(new_order()),
          room_((std::max)(index.directory.room_kept(), order_.rows.size())),
          graph_(index.graph.degree()) {
        move_rows();
        move_links();
        table_ = index.directory.renumbered_table(order_.numbers);
        known_ = index.known.renumbered_table(order_.numbers);
        duplicates_ = index.duplicates.renumbered(order_.rows, order_.numbers);
        gather_retired();
    }

    /// Exchanges it with what the index has, which goes with this object. Readers are out.
    void publish() noexcept {
        for (auto& [array, moved] : arrays_) std::swap(*array, moved);
        std::swap(index_.graph, graph_);
        std::swap(index_.duplicates, duplicates_);
        std::swap(index_.retired, retired_);
        index_.known.exchange(known_);
        index_.directory.exchange_table(table_);
        index_.directory.lower_high_water(order_.rows.size());
        ++index_.times_reordered;
    }

  private:
    [[nodiscard]] static std::size_t link_bytes(const State& index) noexcept {
        return index.graph.capacity(0) * sizeof(slot_t);
    }
    /// Links are read to find the order, then moved.
    [[nodiscard]] static std::size_t bytes_to_move(const State& index) {
        return stored_rows(index) * (code_bytes(index) + 2 * link_bytes(index));
    }
    [[nodiscard]] row_order new_order() {
        const auto placed = [this] { bytes_.moved(link_bytes(index_)); };
        depth_first_order order(index_.graph, index_.directory.high_water(), placed);
        order.walk_from(index_.graph.entry());
        for (std::size_t i = 0; i < index_.directory.high_water(); ++i)  // duplicates, and removed rows without links
            if (index_.directory.in_use(static_cast<slot_t>(i))) order.walk_from(static_cast<slot_t>(i));
        return order.take();
    }

    /// moved()  is called for each row
    template <class Moved>
    void move_array(chunked_rows& array, const Moved& moved) {
        chunked_rows own = array.owned(0);
        own.reserve(room_);
        own.touch(order_.rows.size());
        for (std::size_t i = 0; i < order_.rows.size(); ++i) {
            std::copy_n(array[order_.rows[i]], array.stride(), own[static_cast<slot_t>(i)]);
            moved();
        }
        arrays_.emplace_back(&array, std::move(own));
    }
    void move_rows() {
        index_.directory.for_each_array([&](chunked_rows& array, std::size_t) { move_array(array, [] {}); });
        index_.rows.for_each_store(
            [&](auto& codes) { move_array(codes.rows(), [&] { bytes_.moved(codes.rows().stride()); }); });
    }

    void make_room_for_links() {
        std::array<std::size_t, hnsw_graph::max_level + 1> levels{};
        std::size_t upper = 0;
        for (const slot_t row : order_.rows) {
            ++levels[index_.graph.level(row)];
            upper += index_.graph.level(row);
        }
        graph_.reserve(order_.rows.size(), upper);
        graph_.touch(order_.rows.size(), upper);
        for (std::size_t level = 1; level < levels.size(); ++level) graph_.reserve_destroy(level, levels[level]);
    }
    void move_links() {
        const hnsw_graph& from = index_.graph;
        make_room_for_links();
        std::vector<slot_t> links;
        for (std::size_t i = 0; i < order_.rows.size(); ++i) {
            const slot_t row = order_.rows[i];
            graph_.create(static_cast<slot_t>(i), from.level(row));
            for (std::size_t level = 0; level <= from.level(row); ++level) {
                links.clear();
                for (const slot_t link : from.links(row, level)) links.push_back(order_.number(link));
                graph_.set_links(static_cast<slot_t>(i), level, links);
            }
            bytes_.moved(link_bytes(index_));
        }
        for (std::size_t i = 0; i < order_.rows.size(); ++i)
            graph_.set_parent(static_cast<slot_t>(i), order_.number(from.parent(order_.rows[i])));
        graph_.publish(static_cast<slot_t>(order_.rows.size() - 1));
        graph_.set_entry(order_.number(from.entry()), from.top_level());
        reserve_links(graph_, index_.params.seed, order_.rows.size(), room_);
    }
    void gather_retired() {
        retired_.reserve(index_.directory.retired());
        for (std::size_t i = 0; i < order_.rows.size(); ++i)
            if (!index_.directory.is_live(order_.rows[i])) retired_.add(static_cast<slot_t>(i));
    }

    State& index_;
    byte_progress bytes_;
    row_order order_;
    std::size_t room_;
    std::vector<std::pair<chunked_rows*, chunked_rows>> arrays_;  // each of the index's, and what it will be
    hnsw_graph graph_;
    row_duplicates duplicates_;
    retired_rows retired_;
    std::vector<slot_t> known_;
    std::vector<slot_t> table_;
};

template <class State>
void reorder(State& index, const reorder_params& params) {
    const auto writing = lock_for_writing(index);
    if (index.directory.live() == 0) return;
    reordering<State> reordered(index, params);  // goes, with what it replaces, when readers are in again
    {
        const auto exclusive = index.locks.exclusive();
        reordered.publish();
    }
    index.directory.close_gaps();
}

}  // namespace detail::hnsw

VICINAL_NAMESPACE_END
