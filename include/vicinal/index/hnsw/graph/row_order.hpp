// SPDX-License-Identifier: MIT
// A row_order says which number each row of a graph gets, so that rows which searches meet together lie together.
#pragma once

#include <cstddef>  // for size_t
#include <cstdint>  // for uint32_t
#include <utility>  // for move
#include <vector>   // for vector

#include "vicinal/core/types.hpp"
#include "vicinal/index/hnsw/graph/graph.hpp"

VICINAL_NAMESPACE_BEGIN

namespace detail {

struct row_order {
    std::vector<slot_t> rows;     ///< by their new numbers
    std::vector<slot_t> numbers;  ///< the new ones, by the old; no_slot for rows that get none

    [[nodiscard]] slot_t number(slot_t row) const noexcept { return row == no_slot ? no_slot : numbers[row]; }
};

/// Numbers rows as they are met depth first along the links of level 0, the first of which is mostly the closest: a
/// chain of near neighbours, which turns back where all links of a row are numbered. The order depends on nothing but
/// the graph, and takes a look at each link.
/// Placed  placed() is called for each row
template <class Placed>
class depth_first_order {
  public:
    depth_first_order(const hnsw_graph& graph, std::size_t rows, const Placed& placed)
        : graph_(graph), placed_(placed) {
        order_.rows.reserve(rows);
        order_.numbers.assign(rows, no_slot);
    }
    /// Numbers all rows that links lead to from `start`, unless it has a number.
    void walk_from(slot_t start) {
        if (is_placed(start)) return;
        place(start);
        while (!path_.empty()) {
            step& last = path_.back();
            if (const slot_t next = next_link(last); next != no_slot)
                place(next);
            else
                path_.pop_back();
        }
    }
    [[nodiscard]] row_order take() noexcept { return std::move(order_); }

  private:
    struct step {
        slot_t row;
        std::uint32_t link;  ///< those before it were looked at
    };
    [[nodiscard]] bool is_placed(slot_t row) const noexcept { return order_.numbers[row] != no_slot; }
    /// Returns the next link without a number, or no_slot.
    [[nodiscard]] slot_t next_link(step& from) const noexcept {
        const slot_t* const links = graph_.first_link(from.row, 0);
        while (from.link < graph_.capacity(0) && links[from.link] != no_slot)
            if (const slot_t link = links[from.link++]; !is_placed(link)) return link;
        return no_slot;
    }
    void place(slot_t row) {
        order_.numbers[row] = static_cast<slot_t>(order_.rows.size());
        order_.rows.push_back(row);
        path_.push_back({row, 0});
        placed_();
    }

    const hnsw_graph& graph_;
    const Placed& placed_;
    row_order order_;
    std::vector<step> path_;
};

}  // namespace detail

VICINAL_NAMESPACE_END
