// SPDX-License-Identifier: MIT
// The rows of an inverted file one by one, closest first: lists are opened some way ahead of what is handed out.
#pragma once

#include <algorithm>  // for push_heap, pop_heap
#include <cstddef>    // for size_t
#include <cstdint>    // for uint32_t
#include <memory>     // for make_unique
#include <span>       // for span
#include <vector>     // for vector

#include "vicinal/core/math.hpp"
#include "vicinal/core/progress.hpp"
#include "vicinal/core/stop_token.hpp"
#include "vicinal/core/vector_view.hpp"
#include "vicinal/index/common/neighbor_stream.hpp"
#include "vicinal/index/common/stream.hpp"
#include "vicinal/index/ivf/lists/probes.hpp"
#include "vicinal/index/ivf/search.hpp"
#include "vicinal/index/ivf/state.hpp"

VICINAL_NAMESPACE_BEGIN

namespace detail::ivf {

/// A row is handed out once `ahead` lists from its own on were scanned, so that a closer row in one of those comes
/// before it; if these are all lists, the order is exact. Each step is a search of its own between which the index may
/// change: no id is handed out twice, and rows that an update moved into a list already scanned come last.
template <class State>
class stream final : public neighbor_stream<typename State::id_type>::source {
    using id_type = typename State::id_type;
    using params_type = typename State::params_type;

  public:
    stream(const State& index, vector_view query, const params_type& params)
        : index_(index), stop_(params.stop), buffers_(index.scratch.take()) {
        validate_query(index, *buffers_, query);
        const auto shared = index.locks.shared();
        const call_stats stats(params.stats, buffers_->done);
        begun_ = index.locks.publications();
        nprobe_ = params.nprobe;
        order_lists();
        swept_ = index.backing.viewed();
        answers_.ask(index.directory, params.filter);
        did_ = stats.now;
    }

    bool next(neighbor<id_type>& out) override {
        const auto shared = index_.locks.shared();
        call_stats stats(&did_, buffers_->done, 0);
        changed_ = index_.locks.publications() != begun_;
        if (index_.list_generation != generation_) order_lists();
        while (true) {
            while (opened_ < buffers_->probes.size() && (found_.empty() || opened_ < found_.front().opened + ahead_))
                open(stats.now);
            if (found_.empty() && !swept_) sweep(stats.now);
            if (found_.empty()) return false;
            std::pop_heap(found_.begin(), found_.end(), later);
            const hit next = found_.back();
            found_.pop_back();
            out = next.row;
            if (index_.backing.viewed() || find_slot(index_, out.id) != no_slot) return true;
        }
    }
    [[nodiscard]] search_stats stats() const override { return did_; }

  private:
    struct hit {
        neighbor<id_type> row;
        std::size_t opened;  ///< how many lists were scanned before its own
    };
    static bool later(const hit& a, const hit& b) noexcept { return closer(b.row, a.row); }

    /// Takes every row scored that was not taken before.
    struct taker {
        stream& of;
        [[nodiscard]] float threshold() const noexcept { return detail::infinite(); }
        void push(slot_t slot, float distance) { of.take(slot, distance); }
    };
    void take(slot_t slot, float distance) {
        if (!index_.directory.is_live(slot)) return;
        const id_type id = index_.directory.id(slot);
        if (seen_.find(id) != no_slot || !answers_.admits(slot, id, changed_)) return;
        seen_.reserve_extra(1);
        found_.push_back({{id, distance}, opened_});
        std::push_heap(found_.begin(), found_.end(), later);
        seen_.insert(id);
    }

    /// Begins with the first list; of lists learned anew, too, which do not hold the same rows as those of before.
    void order_lists() {
        generation_ = index_.list_generation;
        find_probes(index_, *buffers_, index_.lists.size());
        ahead_ = probe_count(nprobe_, index_.lists.size());
        opened_ = 0;
    }
    void open(search_stats& stats) {
        const std::uint32_t list = buffers_->probes[opened_];
        taker collector{*this};
        scan_exactly(
            index_, *buffers_, list, collector, [this] { throw_if_stopped(stop_); }, stats);
        ++stats.lists;
        ++opened_;
    }
    /// Once all lists were opened: the rows that changes brought into lists opened before.
    void sweep(search_stats& stats) {
        std::vector<slot_t> missed;
        index_.directory.for_each_live([&](slot_t slot) {
            if (seen_.find(index_.directory.id(slot)) == no_slot) missed.push_back(slot);
        });
        taker collector{*this};
        score_exactly(
            index_, *buffers_, missed, collector, [this] { throw_if_stopped(stop_); }, stats);
        swept_ = true;
    }

    const State& index_;
    stop_token stop_;
    search_stats did_;
    std::uint64_t begun_ = 0;  // what had been published of the index by then
    bool changed_ = false;     // whether anything was since
    filter_answers<id_type> answers_;
    typename scratch_pool<typename State::scratch_type>::lease
        buffers_;  // the query, and all lists in the order they are opened
    std::size_t nprobe_ = 0;
    std::uint64_t generation_ = 0;  // of the lists that these are
    std::size_t ahead_ = 0;
    std::size_t opened_ = 0;
    bool swept_ = false;
    std::vector<hit> found_;  // a heap
    id_map<id_type> seen_;    // taken; by id, as a row's number changes when another is removed
};

template <class State>
[[nodiscard]] neighbor_stream<typename State::id_type> nearest(const State& index, vector_view query,
                                                               const typename State::params_type& params) {
    return neighbor_stream<typename State::id_type>(std::make_unique<stream<State>>(index, query, params));
}

}  // namespace detail::ivf

VICINAL_NAMESPACE_END
