// SPDX-License-Identifier: MIT
// Changes to an HNSW graph are planned beside readers and put in place at once; a journal is the way back from those
// already made.
#pragma once

#include <algorithm>      // for binary_search, copy, sort
#include <cstddef>        // for size_t
#include <cstdint>        // for uint64_t
#include <span>           // for span
#include <unordered_map>  // for unordered_map
#include <unordered_set>  // for unordered_set
#include <utility>        // for move, pair
#include <vector>         // for vector

#include "vicinal/core/math.hpp"
#include "vicinal/index/hnsw/graph/graph.hpp"

VICINAL_NAMESPACE_BEGIN

namespace detail {

/// Makes one key of a row and a level of it.
[[nodiscard]] inline std::uint64_t row_level(slot_t slot, std::size_t level) noexcept {
    return std::uint64_t{level} << 32 | slot;
}

/// Shows a graph as it will be: what was set here, and for the rest what the graph says. Nothing reaches the graph
/// before `publish`, so a plan that fails is dropped. A long plan is made in stages, each of which is published by
/// itself and leaves a sound graph.
class graph_changes {
  public:
    /// Holds the links of one row on one level.
    struct row_links {
        slot_t slot;
        std::size_t level;
        std::vector<slot_t> links;
    };

    explicit graph_changes(hnsw_graph& graph) : graph_(graph), entry_(graph.entry()), top_level_(graph.top_level()) {}

    [[nodiscard]] std::size_t capacity(std::size_t level) const noexcept { return graph_.capacity(level); }
    [[nodiscard]] std::size_t child_limit() const noexcept { return graph_.child_limit(); }
    [[nodiscard]] std::size_t level(slot_t slot) const noexcept { return graph_.level(slot); }
    [[nodiscard]] slot_t entry() const noexcept { return entry_; }
    [[nodiscard]] slot_t parent(slot_t slot) const {
        const auto found = parents_.find(slot);
        return found == parents_.end() ? graph_.parent(slot) : found->second;
    }
    [[nodiscard]] std::size_t children(slot_t slot) const {
        const auto found = children_.find(slot);
        return found == children_.end() ? graph_.children(slot) : found->second;
    }
    [[nodiscard]] bool is_tree_link(slot_t a, slot_t b) const { return parent(a) == b || parent(b) == a; }
    /// Returns the links as they will be; good until these links are set again.
    [[nodiscard]] std::span<const slot_t> links(slot_t slot, std::size_t level) const {
        const auto found = places_.find(row_level(slot, level));
        return found == places_.end() ? graph_.links(slot, level) : std::span<const slot_t>(rows_[found->second].links);
    }

    void set_entry(slot_t slot) noexcept {
        entry_ = slot;
        top_level_ = graph_.level(slot);
    }
    /// Makes an added row the entry if there is none or the row has a higher level.
    void rise_to(slot_t slot) noexcept {
        if (entry_ == no_slot || graph_.level(slot) > top_level_) set_entry(slot);
    }
    void set_parent(slot_t child, slot_t above) {
        if (const slot_t before = parent(child); before != no_slot) children_[before] = children(before) - 1;
        parents_[child] = above;
        new_parents_.push_back({child, above});
        if (above != no_slot) children_[above] = children(above) + 1;
    }
    void set_links(row_links made) {
        const auto [found, is_new] = places_.try_emplace(row_level(made.slot, made.level), rows_.size());
        if (!is_new && found->second >= stage_begin_) {
            rows_[found->second] = std::move(made);
        } else {
            found->second = rows_.size();
            rows_.push_back(std::move(made));
        }
    }
    /// Ends a stage: what is set from now on belongs to the next.
    void end_stage() {
        stages_.push_back({rows_.size(), new_parents_.size(), entry_, top_level_});
        stage_begin_ = rows_.size();
    }

    /// Puts the next stage in place; all, if no stage was ended. Readers are out.
    void publish() noexcept {
        const stage last{rows_.size(), new_parents_.size(), entry_, top_level_};
        const stage& next = published_ < stages_.size() ? stages_[published_++] : last;
        for (; done_.rows < next.rows; ++done_.rows) {
            const row_links& made = rows_[done_.rows];
            graph_.set_links(made.slot, made.level, made.links);
        }
        for (; done_.parents < next.parents; ++done_.parents)
            graph_.set_parent(new_parents_[done_.parents].first, new_parents_[done_.parents].second);
        graph_.set_entry(next.entry, next.top_level);
    }

  private:
    /// Says how much there is when a stage ends.
    struct stage {
        std::size_t rows = 0;
        std::size_t parents = 0;
        slot_t entry = no_slot;
        std::size_t top_level = 0;
    };

    hnsw_graph& graph_;
    slot_t entry_;
    std::size_t top_level_;
    std::vector<row_links> rows_;
    std::vector<std::pair<slot_t, slot_t>> new_parents_;  // of children, in the order in which they were set
    std::vector<stage> stages_;
    stage done_;                                                         // so much is published
    std::size_t published_ = 0;                                          // stages
    std::size_t stage_begin_ = 0;                                        // in rows_
    std::unordered_map<std::uint64_t, std::size_t, plain_hash> places_;  // of a row and level in rows_
    std::unordered_map<slot_t, slot_t, plain_hash> parents_;
    std::unordered_map<slot_t, std::size_t, plain_hash> children_;
};

/// Keeps what a call that adds rows in several steps overwrites of the rows that were there before, so that all of it
/// can be taken back. Takes memory for those rows' links alone.
class graph_journal {
  public:
    /// rows    how many there are
    /// reused  which of them the call will use again, as new ones
    graph_journal(hnsw_graph& graph, std::size_t rows, std::vector<slot_t> reused)
        : graph_(graph),
          rows_(rows),
          reused_(std::move(reused)),
          entry_(graph.entry()),
          upper_rows_(graph.upper_rows()) {
        std::sort(reused_.begin(), reused_.end());
    }

    /// Keeps the links of `slot` on `level` unless they are kept already or the row is new. A call that throws has kept
    /// nothing.
    void keep(slot_t slot, std::size_t level) {
        if (slot >= rows_ || std::binary_search(reused_.begin(), reused_.end(), slot)) return;
        if (kept_.contains(row_level(slot, level))) return;
        const auto now = graph_.links(slot, level);
        entries_.reserve_more(1);
        links_.reserve_more(now.size());
        kept_.insert(row_level(slot, level));
        entries_.values.push_back({slot, level, now.size()});
        links_.append(now);
    }

    /// Returns the i-th row that the call added: those used again come first, the lowest first.
    [[nodiscard]] slot_t added(std::size_t i) const noexcept {
        return i < reused_.size() ? reused_[i] : static_cast<slot_t>(rows_ + (i - reused_.size()));
    }
    /// Returns where searches began before the call.
    [[nodiscard]] slot_t entry() const noexcept { return entry_; }

    /// Puts back some of what was kept; returns false if that was all. Readers are out.
    bool restore_some() noexcept {
        constexpr std::size_t at_once = 256;
        for (std::size_t n = 0; n < at_once && restored_ < entries_.values.size(); ++n, ++restored_) {
            const links_kept& was = entries_.values[restored_];
            graph_.set_links(was.slot, was.level,
                             std::span<const slot_t>(links_.values).subspan(links_restored_, was.links));
            links_restored_ += was.links;
        }
        return restored_ < entries_.values.size();
    }
    [[nodiscard]] std::size_t upper_rows() const noexcept { return upper_rows_; }

  private:
    struct links_kept {
        slot_t slot;
        std::size_t level;
        std::size_t links;
    };
    /// A growing vector makes room first and takes values then, at which it cannot fail.
    template <class T>
    struct growing {
        std::vector<T> values;
        void reserve_more(std::size_t count) {
            if (values.capacity() - values.size() < count)
                values.reserve((std::max)(2 * values.capacity(), values.size() + count));
        }
        void append(std::span<const T> more) noexcept { values.insert(values.end(), more.begin(), more.end()); }
    };

    hnsw_graph& graph_;
    std::size_t rows_;
    std::vector<slot_t> reused_;
    slot_t entry_;
    std::size_t upper_rows_;
    std::unordered_set<std::uint64_t, plain_hash> kept_;
    growing<links_kept> entries_;
    growing<slot_t> links_;
    std::size_t restored_ = 0;
    std::size_t links_restored_ = 0;
};

}  // namespace detail

VICINAL_NAMESPACE_END
