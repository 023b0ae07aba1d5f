// What an ivf_index holds and does.
#pragma once

#include <algorithm>  // for sort
#include <cstddef>    // for size_t
#include <cstdint>    // for uint32_t
#include <memory>     // for make_unique
#include <span>       // for span
#include <string>     // for to_string
#include <vector>     // for vector

#include "vicinal/index/common/calls.hpp"
#include "vicinal/index/common/neighbor_stream.hpp"
#include "vicinal/index/ivf/batch.hpp"
#include "vicinal/index/ivf/changes.hpp"
#include "vicinal/index/ivf/files.hpp"
#include "vicinal/index/ivf/lists/lists.hpp"
#include "vicinal/index/ivf/lists/probes.hpp"
#include "vicinal/index/ivf/stream.hpp"
#include "vicinal/scoring/scan.hpp"

VICINAL_NAMESPACE_BEGIN

namespace detail {

template <class Metric, class Codec, class Id, class Isa>
struct ivf_state : ivf_changes<Metric, Codec, Id, Isa> {
    using base = ivf_changes<Metric, Codec, Id, Isa>;
    using params_type = ivf_search_params<Id>;
    using base::centroids, base::dim, base::directory, base::locks, base::lists, base::metric, base::places,
        base::read_only, base::rows, base::scratch;
    using typename base::coarse_scorer_type, typename base::scratch_type;

    using base::base;

    // ---- searches --------------------------------------------------------------------------------------------------

    std::size_t search(std::span<const float> query, std::span<neighbor<Id>> out, const params_type& params) const {
        return this->search_closest(query, out, params, [&](auto&& scorer, auto& buffers, auto& collector, auto& stats) {
            scan_closest(scorer, buffers, params, out.size(), collector, stats);
        });
    }

    [[nodiscard]] search_table<Id> search(matrix_view<const float> queries, std::size_t k,
                                          const params_type& params) const {
        if constexpr (base::one_by_one || has_tables<typename base::store_type::coarse_codec>)
            return run_batch<Id>(queries, dim, k, params,
                                 [this](std::span<const float> query, std::span<neighbor<Id>> room,
                                        const params_type& how) { return search(query, room, how); });
        constexpr std::size_t panel = simd::tile<typename Isa::isa>::queries;
        const std::size_t together = queries_a_task(queries.rows(), ivf_batch_size, panel, params);
        return run_batch<Id>(
            queries, dim, k, params, together,
            [&](matrix_view<const float> some, auto room, std::span<std::size_t> found, const params_type& how) {
                search_closest_together(
                    *this, some, room, found, how,
                    [&](const query_table& prepared, auto& collectors, scratch_type& buffers, search_stats& stats) {
                        scan_ivf_together<Isa>(*this, prepared, how, k, collectors, buffers, stats);
                    });
            });
    }

    [[nodiscard]] std::vector<neighbor<Id>> search_within(std::span<const float> query, float radius,
                                                          const params_type& params) const {
        require_radius(radius);
        auto lease = scratch.take();
        this->validate_vector(*lease, "query", query);
        const auto reading = locks.shared();
        call_stats stats(params.stats, lease->done);
        std::vector<neighbor<Id>> hits;
        const row_selector<Id> admits(directory, params.filter);
        radius_collector<Id> within(radius, hits, admits);
        const auto check_stop = [&] { throw_if_stopped(params.stop); };
        if (this->list_few(params.filter, lease->slots)) {
            score_exactly(*lease, lease->slots, within, check_stop, stats.now);
        } else {
            stats.now.lists += lists.size();
            for (std::size_t l = 0; l < lists.size(); ++l) scan_exactly(*lease, l, within, check_stop, stats.now);
        }
        std::sort(hits.begin(), hits.end(), closer<Id>);
        return hits;
    }

    [[nodiscard]] neighbor_stream<Id> nearest(std::span<const float> query, const params_type& params) const {
        return neighbor_stream<Id>(std::make_unique<ivf_stream<ivf_state>>(*this, query, params));
    }

    /// The `count` closest lists to the query in `buffers`, into buffers.probes.
    void find_probes(scratch_type& buffers, std::size_t count) const {
        buffers.probes.resize(count);
        const scorer<Metric, f32, Isa> score(metric, centroids.store(), buffers.query.data(), buffers.decoded);
        buffers.probe_keys.resize(reservoir::room(count, centroids.size()));
        buffers.probes.resize(closest_lists(score, centroids.size(), buffers.probe_keys, buffers.probes));
    }
    /// Pushes the rows of a list by their fine codes.
    template <class Collector, class BeforeBlock>
    void scan_exactly(scratch_type& buffers, std::size_t number, Collector& collector, BeforeBlock before_block,
                      search_stats& stats) const {
        const ivf_rows list = lists[number];
        if constexpr (base::two_levels) {
            buffers.slots.clear();
            for (std::size_t i = 0; i < list.size; ++i)
                if (list.slots[i] < directory.high_water()) buffers.slots.push_back(list.slots[i]);
            score_exactly(buffers, buffers.slots, collector, before_block, stats);
        } else {
            stats.distances += list.size;
            auto scorer = this->fine_scorer(buffers);
            this->set_list(scorer, number);
            scan_list(scorer, list, lists.stride(), directory.high_water(), collector, buffers.bounds, before_block);
        }
    }
    /// Pushes these rows by their fine codes.
    template <class Collector, class BeforeBlock>
    void score_exactly(scratch_type& buffers, std::span<const slot_t> slots, Collector& collector, BeforeBlock before_block,
                       search_stats& stats) const {
        stats.distances += slots.size();
        if constexpr (base::two_levels)
            score_listed(this->fine_scorer(buffers), slots, collector, before_block);
        else
            score_in_lists(this->coarse_scorer(buffers), slots, collector, before_block);
    }

    /// Pushes these rows by their codes in the lists.
    template <class Collector, class BeforeBlock>
    void score_in_lists(coarse_scorer_type scorer, std::span<const slot_t> slots, Collector& collector,
                        BeforeBlock before_block) const {
        for (const slot_t slot : slots) {
            const ivf_place place = place_of(slot);
            if (place.list == no_list) continue;
            before_block();
            this->set_list(scorer, place.list);
            float distance;
            scorer.score_block(lists.code(place), lists.stride(), 1, &distance);
            push_all(collector, &distance, 1, [&](std::size_t) { return slot; });
        }
    }

    // ---- observers -------------------------------------------------------------------------------------------------

    [[nodiscard]] std::size_t list_count() const {
        const auto reading = locks.shared();
        return lists.size();
    }

    [[nodiscard]] std::vector<float> get(Id id) const {
        if constexpr (base::two_levels) {
            return base::get(id);
        } else {
            std::vector<float> vector(dim);
            const auto reading = locks.shared();
            const slot_t slot = this->find(id);
            if (slot == no_slot) fail_missing(id, "get");
            const ivf_place place = place_of(slot);
            if (place.list == no_list)
                fail(errc::corrupt_file, "get: no list of the mapped file holds id " + text_of(id));
            this->decode_coarse(place.list, lists.code(place), vector);
            return vector;
        }
    }

    [[nodiscard]] memory_report memory() const {
        memory_report report = base::memory();
        const auto reading = locks.shared();
        report.vectors += lists.code_memory();
        report.links = lists.slot_memory() + centroids.memory();
        std::size_t reserved = 0;
        if (!this->file || found_places_.is_made()) {
            report.links += places.rows().memory();
            reserved = places.rows().reserved();
        }
        report.total += lists.code_memory() + report.links;
        report.reserved += lists.code_memory(true) + lists.slot_memory(true) + reserved + centroids.memory();
        if (this->file_memory != 0)
            report.links += this->stored_rows() * sizeof(slot_t) + lists.size() * (sizeof(std::uint64_t) + 4 * dim);
        return report;
    }

    [[nodiscard]] check_report check() const {
        const auto reading = locks.shared();
        check_report report;
        this->check_directory(report);
        std::vector<bool> listed(directory.high_water());
        for (std::uint32_t l = 0; l < lists.size(); ++l) {
            const ivf_rows list = lists[l];
            report.links += list.size;
            for (std::uint32_t i = 0; i < list.size; ++i) check_entry(list.slots[i], {l, i}, listed, report);
        }
        directory.for_each_live([&](slot_t slot) {
            if (!listed[slot]) ++report.unreachable;
        });
        return report;
    }

    // ---- files -----------------------------------------------------------------------------------------------------

    static constexpr std::uint32_t kind = 2;
    template <class Parts>
    void write_parts(Parts& out) const {
        write_ivf(*this, out);
    }
    template <class Parts>
    void read_parts(const Parts& in) {
        read_ivf(*this, in);
    }

    /// Where each row lies, which is not in a file.
    [[nodiscard]] chunked_array<ivf_place> places_in_lists() const {
        chunked_array<ivf_place> found;
        found.reserve(directory.high_water());
        found.touch(directory.high_water());
        for (std::size_t slot = 0; slot < directory.high_water(); ++slot)
            found[static_cast<slot_t>(slot)] = {no_list, 0};
        for (std::uint32_t l = 0; l < lists.size(); ++l)
            for (std::uint32_t i = 0; i < lists[l].size; ++i)
                if (const slot_t slot = lists[l].slots[i]; slot < directory.high_water()) found[slot] = {l, i};
        return found;
    }

  private:
    /// Where a row lies; list is no_list if a damaged mapped file has it in none.
    [[nodiscard]] ivf_place place_of(slot_t slot) const {
        if (this->file)  // found when first needed
            found_places_.make([this] { const_cast<ivf_state*>(this)->places = places_in_lists(); });
        return places[slot];
    }

    /// Pushes the rows of the closest lists, or those few that the filter names. Without a number of lists asked for,
    /// looks on while fewer than k were found.
    template <class Scorer, class Collector>
    void scan_closest(Scorer& scorer, scratch_type& buffers, const params_type& params, std::size_t k, Collector& collector,
                      search_stats& stats) const {
        const auto check_stop = [&] { throw_if_stopped(params.stop); };
        if (this->list_few(params.filter, buffers.slots)) {
            stats.distances += buffers.slots.size();
            if constexpr (requires { scorer.score_block(nullptr, 0, 0, nullptr); })
                score_in_lists(scorer, buffers.slots, collector, check_stop);
            else
                score_listed(scorer, std::span<const slot_t>(buffers.slots), collector, check_stop);
            return;
        }
        std::size_t scanned = 0;
        std::size_t wanted = probe_count(params.nprobe, lists.size());
        while (true) {
            find_probes(buffers, wanted);
            for (; scanned < buffers.probes.size(); ++scanned) {
                const ivf_rows list = lists[buffers.probes[scanned]];
                stats.distances += list.size;
                ++stats.lists;
                this->set_list(scorer, buffers.probes[scanned]);
                scan_list(scorer, list, lists.stride(), directory.high_water(), collector, buffers.bounds, check_stop);
            }
            if (params.nprobe != 0 || collector.size() >= k || wanted == lists.size()) return;
            wanted = lists.size();
        }
    }

    void check_entry(slot_t slot, ivf_place place, std::vector<bool>& listed, check_report& report) const {
        if (slot >= listed.size() || !directory.is_live(slot)) {
            ++report.dangling;
            return;
        }
        if (listed[slot]) ++report.duplicate;
        listed[slot] = true;
        if (place_of(slot) != place) ++report.misplaced;
    }

    lazy_part found_places_;  ///< of an index in a file, `places`
};

}  // namespace detail

VICINAL_NAMESPACE_END
