// Taking rows out of an HNSW graph.
//
// A removed row is retired: searches still pass through it, none returns it. Its children in the tree get new parents
// at once, so no live row depends on it. Then a hand goes round the rows, a few at each removal; every row it passes
// drops its links to retired rows and may take over theirs (the repair of FreshDiskANN, Singh et al. 2021, spread
// evenly). Once the hand has gone all the way round, nothing links to the rows that were retired before, and their
// places are free.
#pragma once

#include <algorithm>  // for sort, min, unique
#include <cstddef>    // for size_t
#include <span>       // for span
#include <vector>     // for vector

#include "vicinal/index/detail/hnsw_build.hpp"

VICINAL_NAMESPACE_BEGIN

namespace detail {

template <class Metric, class Codec, class Id, class Kernels, class Codes = no_neighbor_codes>
class hnsw_repairer {
  public:
    hnsw_repairer(const Metric& metric, const code_store<Codec>& store, hnsw_graph& graph, Codes& codes,
                  id_directory<Id>& directory)
        : store_(store),
          graph_(graph),
          codes_(codes),
          directory_(directory),
          own_(metric, store),
          between_(metric, store) {}

    /// Gives the children of `slot`, which is about to be retired, other parents.
    void hand_over_children(slot_t slot) {
        std::vector<slot_t> children;
        for (const slot_t link : graph_.links(slot, 0))
            if (graph_.parent(link) == slot) children.push_back(link);
        slot_t heir = graph_.parent(slot);
        std::size_t next = 0;
        if (heir == no_slot && !children.empty()) {  // the root's first child becomes the root
            heir = children[next++];
            graph_.set_parent(heir, no_slot);
        }
        graph_.set_parent(slot, no_slot);
        for (; next < children.size(); ++next) adopt(children[next], heir, slot);
    }

    /// The live row of the highest level, the lowest number among equals; no_slot if there is none.
    [[nodiscard]] slot_t find_entry() const {
        slot_t best = no_slot;
        directory_.for_each_live([&](slot_t slot) {
            if (best == no_slot || graph_.level(slot) > graph_.level(best)) best = slot;
        });
        return best;
    }

    /// Removes links to retired rows from all levels of `slot`, in favour of their links.
    void repair(slot_t slot) {
        if (directory_.state(slot) == row_state::free) return;
        for (std::size_t level = 0; level <= graph_.level(slot); ++level) repair(slot, level);
    }

  private:
    /// Makes `child` a child of `above` or of a row below it that has room.
    void adopt(slot_t child, slot_t above, slot_t retiring) {
        while (graph_.children(above) >= graph_.child_limit()) above = a_child(above);
        graph_.set_parent(child, above);
        ensure_link(above, child, retiring);
        ensure_link(child, above, retiring);
    }
    [[nodiscard]] slot_t a_child(slot_t slot) const noexcept {
        for (const slot_t link : graph_.links(slot, 0))
            if (graph_.parent(link) == slot) return link;
        return no_slot;  // not reached
    }

    /// Adds the level-0 link from -> to, in place of the retiring row, or of the farthest that the tree does not need.
    void ensure_link(slot_t from, slot_t to, slot_t retiring) {
        const auto now = graph_.links(from, 0);
        std::vector<slot_t> links(now.begin(), now.end());
        if (std::find(links.begin(), links.end(), to) != links.end()) return;
        if (const auto old = std::find(links.begin(), links.end(), retiring); old != links.end())
            *old = to;
        else if (links.size() < graph_.capacity(0))
            links.push_back(to);
        else
            links[farthest_spare(from, links)] = to;
        set_links(from, 0, links);
    }
    void set_links(slot_t slot, std::size_t level, std::span<const slot_t> links) {
        if constexpr (!std::is_same_v<Codes, no_neighbor_codes>) {
            if (level == 0) {
                typename Codes::row row;
                typename Codes::maker(codes_, store_).make(slot, links, graph_.links(slot, 0), row);
                codes_.set(slot, row);
            }
        }
        graph_.set_links(slot, level, links);
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

    void repair(slot_t slot, std::size_t level) {
        const auto now = graph_.links(slot, level);
        const auto is_retired = [&](slot_t link) { return !directory_.is_live(link); };
        if (std::none_of(now.begin(), now.end(), is_retired)) return;
        std::vector<slot_t> reach;
        for (const slot_t link : now) {
            if (!is_retired(link)) {
                reach.push_back(link);
            } else if (directory_.is_live(slot)) {
                for (const slot_t far : graph_.links(link, level))
                    if (far != slot && !is_retired(far)) reach.push_back(far);
            }
        }
        std::sort(reach.begin(), reach.end());
        reach.erase(std::unique(reach.begin(), reach.end()), reach.end());
        relink(slot, level, reach);
    }

    void relink(slot_t slot, std::size_t level, std::vector<slot_t>& reach) {
        std::vector<float> distances(reach.size());
        own_.from(slot).score(reach.data(), reach.size(), distances.data());
        std::vector<candidate> all;
        for (std::size_t i = 0; i < reach.size(); ++i) all.push_back({distances[i], reach[i]});
        std::sort(all.begin(), all.end());
        prune_links(graph_, store_, slot, level, all, between_);
        reach.clear();
        for (const candidate& c : all) reach.push_back(c.slot);
        set_links(slot, level, reach);
    }
    const code_store<Codec>& store_;
    hnsw_graph& graph_;
    Codes& codes_;
    id_directory<Id>& directory_;
    row_distances<Metric, Codec, Kernels> own_;
    row_distances<Metric, Codec, Kernels> between_;
};

/// Which retired rows wait for the hand, and where it stands.
class retired_rows {
  public:
    static constexpr std::size_t rows_per_removal = 32;

    void reserve(std::size_t rows) {
        waiting_.reserve(rows);
        closing_.reserve(rows);
    }
    void add(slot_t slot) noexcept { waiting_.push_back(slot); }

    /// Moves the hand over `budget` rows: pass(row) for each; release(row) for those now free of links.
    template <class Pass, class Release>
    void advance(std::size_t budget, std::size_t rows, Pass pass, Release release) {
        if (closing_.empty()) {
            closing_.swap(waiting_);
            hand_ = 0;
            end_ = rows;
        }
        for (; budget > 0 && hand_ < end_; --budget) pass(static_cast<slot_t>(hand_++));
        if (hand_ < end_) return;
        for (const slot_t slot : closing_) release(slot);
        closing_.clear();
    }
    /// All rows are retired: no links matter.
    template <class Release>
    void release_all(Release release) {
        for (auto* const list : {&closing_, &waiting_}) {
            for (const slot_t slot : *list) release(slot);
            list->clear();
        }
    }
    [[nodiscard]] std::size_t memory() const noexcept {
        return (waiting_.capacity() + closing_.capacity()) * sizeof(slot_t);
    }

  private:
    std::vector<slot_t> waiting_;
    std::vector<slot_t> closing_;
    std::size_t hand_ = 0;
    std::size_t end_ = 0;
};

}  // namespace detail

VICINAL_NAMESPACE_END
