// SPDX-License-Identifier: MIT
// Rows leave an HNSW graph in two steps: each is retired at once, and links to it go later, a few rows at a time.
//
// A removed row is retired: searches still pass through it, none returns it. Its children in the tree get new parents
// at once, so no live row depends on it. Then a sweep cursor goes round the rows, a few at each removal; every row it
// passes drops its links to retired rows and may take over theirs (the consolidation of FreshDiskANN, Singh et al.
// 2021, spread evenly). Once the cursor has gone all the way round, nothing links to the rows that were retired before,
// and at each further removal the places of some become free (retired_rows.hpp).
#pragma once

#include <algorithm>  // for binary_search, copy_if, find, remove, sort, unique
#include <cstddef>    // for size_t
#include <iterator>   // for back_inserter
#include <span>       // for span
#include <utility>    // for move
#include <vector>     // for vector

#include "vicinal/index/hnsw/graph/link_distances.hpp"
#include "vicinal/index/hnsw/graph/planned_changes.hpp"
#include "vicinal/index/hnsw/graph/select_neighbors.hpp"
#include "vicinal/index/hnsw/graph/tree.hpp"
#include "vicinal/storage/id_map.hpp"

VICINAL_NAMESPACE_BEGIN

namespace detail {

/// Plans, into graph_changes, how a row leaves the graph and what the sweep mends meanwhile.
/// Directory  says which rows are live; it need not say so yet of those that come and go by this change
template <class Metric, class Codec, class Isa, class Directory>
class hnsw_consolidator {
  public:
    /// leaving   the row that is about to be retired, or no_slot
    /// arriving  the row that takes its id over, or no_slot
    /// mean      what rows have in common, see link_distances.hpp; alive as long as the consolidator
    hnsw_consolidator(const Metric& metric, const code_store<Codec>& store, graph_changes& graph,
                      const Directory& directory, slot_t leaving, slot_t arriving, std::span<const float> mean)
        : graph_(graph),
          directory_(directory),
          leaving_(leaving),
          arriving_(arriving),
          own_(metric, store, mean),
          between_(metric, store, mean) {}

    /// Gives the children of the leaving row other parents.
    void hand_over_children() {
        std::vector<slot_t> children;
        for (const slot_t link : graph_.links(leaving_, 0))
            if (graph_.parent(link) == leaving_) children.push_back(link);
        slot_t heir = graph_.parent(leaving_);
        std::size_t next = 0;
        if (heir == no_slot && !children.empty()) {  // the root's first child becomes the root
            heir = children[next++];
            graph_.set_parent(heir, no_slot);
        }
        graph_.set_parent(leaving_, no_slot);
        for (; next < children.size(); ++next) adopt(children[next], heir);
    }

    /// Has searches begin elsewhere if they begin at the leaving row: at the live row of the highest level, the lowest
    /// number among equals.
    /// in_graph(row)  whether a live row has links
    template <class InGraph>
    void replace_entry(const InGraph& in_graph) {
        if (graph_.entry() != leaving_) return;
        slot_t best = no_slot;
        const auto consider = [&](slot_t slot) {
            if (best == no_slot || graph_.level(slot) > graph_.level(best) ||
                (graph_.level(slot) == graph_.level(best) && slot < best))
                best = slot;
        };
        directory_.for_each_live([&](slot_t slot) {
            if (slot != leaving_ && in_graph(slot)) consider(slot);
        });
        if (arriving_ != no_slot) consider(arriving_);
        graph_.set_entry(best);
    }

    /// Removes links to retired rows from all levels of `slot`, in favour of their links.
    void repair(slot_t slot) {
        if (slot != arriving_ && directory_.state(slot) == row_state::free) return;
        for (std::size_t level = 0; level <= graph_.level(slot); ++level) repair(slot, level);
    }

  private:
    [[nodiscard]] bool is_live(slot_t slot) const noexcept {
        return slot == arriving_ || (slot != leaving_ && directory_.is_live(slot));
    }

    /// Makes `child` a child of `above` or of a row below it that has room.
    void adopt(slot_t child, slot_t above) {
        above = find_room(graph_, above, child,
                          [this](slot_t row, std::size_t i) { return child_among_links(graph_, row, i); });
        graph_.set_parent(child, above);
        ensure_link(above, child);
        ensure_link(child, above);
    }

    /// Adds the level-0 link from -> to: in place of the link to the leaving row, else where there is room, else in
    /// place of the farthest link that the tree does not need.
    void ensure_link(slot_t from, slot_t to) {
        const auto now = graph_.links(from, 0);
        std::vector<slot_t> links(now.begin(), now.end());
        if (std::find(links.begin(), links.end(), to) != links.end()) return;
        if (const auto old = std::find(links.begin(), links.end(), leaving_); old != links.end())
            *old = to;
        else if (links.size() < graph_.capacity(0))
            links.push_back(to);
        else
            links[farthest_spare(from, links)] = to;
        graph_.set_links({from, 0, std::move(links)});
    }
    [[nodiscard]] std::size_t farthest_spare(slot_t from, std::span<const slot_t> links) {
        std::vector<float> distances(links.size());
        own_.from(from).score(links.data(), links.size(), distances.data());
        std::size_t worst = links.size();
        for (std::size_t i = 0; i < links.size(); ++i)
            if (!graph_.is_tree_link(from, links[i]) && (worst == links.size() || distances[i] > distances[worst]))
                worst = i;
        return worst;
    }

    /// Drops a row's links to rows that are not live. If it is live itself, it may take over some of those rows' links
    /// to live rows.
    void repair(slot_t slot, std::size_t level) {
        const auto now = graph_.links(slot, level);
        std::vector<slot_t> held;
        std::copy_if(now.begin(), now.end(), std::back_inserter(held), [&](slot_t link) { return is_live(link); });
        if (held.size() == now.size()) return;
        std::vector<slot_t> reach = held;
        if (is_live(slot))
            for (const slot_t link : now)
                if (!is_live(link)) add_live_links(link, level, reach);
        for (auto* const list : {&held, &reach}) std::sort(list->begin(), list->end());
        reach.erase(std::unique(reach.begin(), reach.end()), reach.end());
        reach.erase(std::remove(reach.begin(), reach.end(), slot), reach.end());
        relink(slot, level, held, reach);
    }
    void add_live_links(slot_t of, std::size_t level, std::vector<slot_t>& reach) const {
        for (const slot_t link : graph_.links(of, level))
            if (is_live(link)) reach.push_back(link);
    }

    void relink(slot_t slot, std::size_t level, std::span<const slot_t> held, std::span<const slot_t> reach) {
        std::vector<float> distances(reach.size());
        own_.from(slot).score(reach.data(), reach.size(), distances.data());
        std::vector<candidate> all;
        all.reserve(reach.size());
        for (std::size_t i = 0; i < reach.size(); ++i) all.push_back({distances[i], reach[i]});
        std::sort(all.begin(), all.end());
        prune_links(graph_, slot, level, all, between_,
                    [&](slot_t link) { return std::binary_search(held.begin(), held.end(), link); });
        std::vector<slot_t> links;
        links.reserve(all.size());
        for (const candidate& c : all) links.push_back(c.slot);
        graph_.set_links({slot, level, std::move(links)});
    }

    graph_changes& graph_;
    const Directory& directory_;
    slot_t leaving_;
    slot_t arriving_;
    row_distances<Metric, Codec, Isa> own_;
    row_distances<Metric, Codec, Isa> between_;
};

}  // namespace detail

VICINAL_NAMESPACE_END
