// SPDX-License-Identifier: MIT
// A graph_inspector says what is wrong with a graph, if anything: loads and check() ask it.
#pragma once

#include <algorithm>  // for find
#include <cstddef>    // for size_t
#include <vector>     // for vector

#include "vicinal/index/hnsw/graph/duplicates.hpp"
#include "vicinal/index/hnsw/graph/graph.hpp"
#include "vicinal/params.hpp"
#include "vicinal/storage/id_map.hpp"

VICINAL_NAMESPACE_BEGIN

namespace detail {

/// Counts what is wrong with a graph over rows [0, rows). The loader and check() both ask it.
template <class Directory>
class graph_inspector {
  public:
    graph_inspector(const hnsw_graph& graph, const Directory& directory, const row_duplicates& duplicates)
        : graph_(graph),
          directory_(directory),
          rows_(directory.high_water()),
          duplicates_(duplicates.find_nodes(rows_)),
          stamp_(rows_, no_slot) {}

    /// Looks at every row and link, and returns what it counted.
    /// by_tree  the caller sees to it that the tree is whole, which makes all rows reachable: no need to walk all links
    [[nodiscard]] check_report run(bool by_tree = false) {
        for (std::size_t i = 0; i < rows_; ++i) {
            const auto slot = static_cast<slot_t>(i);
            if (directory_.state(slot) == row_state::free) continue;
            for (std::size_t level = 0; level <= graph_.level(slot); ++level) inspect_links(slot, level);
            if (is_duplicate(slot))
                inspect_duplicate(slot);
            else
                inspect_tree(slot);
        }
        report_.misplaced += duplicates_.defects;
        inspect_entry();
        if (report_.dangling == 0 && !by_tree) count_unreachable();
        return report_;
    }

  private:
    void inspect_links(slot_t slot, std::size_t level) {
        if (graph_.first_link(slot, level) == nullptr) ++report_.misplaced;  // only in a damaged file
        const auto links = graph_.links(slot, level);
        const slot_t mark = static_cast<slot_t>(seen_++);
        for (const slot_t link : links) {
            ++report_.links;
            if (link >= rows_ || directory_.state(link) == row_state::free) {
                ++report_.dangling;
                continue;
            }
            if (link == slot || stamp_[link] == mark) ++report_.duplicate;
            stamp_[link] = mark;
            if (is_duplicate(link) || (level > 0 && graph_.level(link) < level)) ++report_.misplaced;
        }
    }

    [[nodiscard]] bool is_duplicate(slot_t slot) const noexcept { return duplicates_.is_duplicate(slot); }
    /// A duplicate is not in the graph; a live row that is in it stands for it.
    void inspect_duplicate(slot_t slot) {
        const slot_t node = duplicates_.nodes[slot];
        if (!directory_.stands(slot) || !directory_.stands(node) || graph_.level(slot) != 0 ||
            graph_.parent(slot) != no_slot || !graph_.links(slot, 0).empty())
            ++report_.misplaced;
    }

    [[nodiscard]] bool has_link(slot_t from, slot_t to) const {
        const auto links = graph_.links(from, 0);
        return std::find(links.begin(), links.end(), to) != links.end();
    }
    void inspect_tree(slot_t slot) {
        const slot_t parent = graph_.parent(slot);
        if (!directory_.stands(slot)) {
            if (parent != no_slot) ++report_.misplaced;
            return;
        }
        if (parent == no_slot) {
            ++roots_;
        } else if (parent >= rows_ || !directory_.stands(parent) || !has_link(slot, parent) ||
                   !has_link(parent, slot)) {
            ++report_.misplaced;
        }
    }
    void inspect_entry() {
        const slot_t entry = graph_.entry();
        if (directory_.live() == 0) {
            if (entry != no_slot || directory_.retired() != 0) ++report_.misplaced;
            return;
        }
        if (roots_ != 1) ++report_.misplaced;
        if (entry >= rows_ || !directory_.stands(entry) || is_duplicate(entry) ||
            graph_.level(entry) != graph_.top_level()) {
            ++report_.misplaced;
            return;
        }
        directory_.for_each_live([&](slot_t slot) {
            if (graph_.level(slot) > graph_.top_level()) ++report_.misplaced;
        });
    }

    /// Counts live rows that no walk over links of level 0 from the entry reaches. A duplicate is reached with its row
    /// of the graph.
    void count_unreachable() {
        std::vector<bool> reached(rows_, false);
        std::vector<slot_t> todo;
        const slot_t entry = graph_.entry();
        if (entry < rows_ && directory_.state(entry) != row_state::free) {  // nobody looked at a free row's links
            reached[entry] = true;
            todo.push_back(entry);
        }
        while (!todo.empty()) {
            const slot_t slot = todo.back();
            todo.pop_back();
            for (const slot_t link : graph_.links(slot, 0))
                if (!reached[link]) {
                    reached[link] = true;
                    todo.push_back(link);
                }
        }
        directory_.for_each_live([&](slot_t slot) {
            if (!reached[is_duplicate(slot) ? duplicates_.nodes[slot] : slot]) ++report_.unreachable;
        });
    }

    const hnsw_graph& graph_;
    const Directory& directory_;
    std::size_t rows_;
    row_duplicates::nodes_found duplicates_;
    std::vector<slot_t> stamp_;
    std::size_t seen_ = 0;
    std::size_t roots_ = 0;
    check_report report_;
};

/// Says whether every row's chain of parents ends at a row without one. Each row is passed once.
[[nodiscard]] inline bool tree_is_whole(const hnsw_graph& graph, std::size_t rows) {
    std::vector<slot_t> done(rows, no_slot);
    for (std::size_t i = 0; i < done.size(); ++i) {
        auto slot = static_cast<slot_t>(i);
        for (; slot != no_slot && done[slot] == no_slot; slot = graph.parent(slot)) done[slot] = static_cast<slot_t>(i);
        if (slot != no_slot && done[slot] == static_cast<slot_t>(i)) return false;
    }
    return true;
}

/// Counts duplicates in lists behind rows of other codes.
template <class Known>
[[nodiscard]] std::size_t false_duplicates(const row_duplicates& duplicates, const Known& known, std::size_t rows) {
    const auto nodes = duplicates.find_nodes(rows).nodes;
    std::size_t count = 0;
    for (std::size_t i = 0; i < nodes.size(); ++i)
        if (nodes[i] != no_slot && !known.same_codes(static_cast<slot_t>(i), nodes[i])) ++count;
    return count;
}

}  // namespace detail

VICINAL_NAMESPACE_END
