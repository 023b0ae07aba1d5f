// What an hnsw_index holds, and how it changes. Searches are in hnsw_queries.hpp, files in hnsw_parts.hpp.
#pragma once

#include <algorithm>    // for max, min
#include <cstddef>      // for size_t
#include <cstdint>      // for uint32_t, uint64_t
#include <memory>       // for unique_ptr
#include <span>         // for span
#include <type_traits>  // for conditional_t
#include <vector>       // for vector

#include "vicinal/index/detail/calls.hpp"
#include "vicinal/index/detail/hnsw_build.hpp"
#include "vicinal/index/detail/hnsw_graph.hpp"
#include "vicinal/index/detail/hnsw_guide.hpp"
#include "vicinal/index/detail/hnsw_repair.hpp"
#include "vicinal/index/detail/neighbor_codes.hpp"
#include "vicinal/index/detail/rows_base.hpp"

VICINAL_NAMESPACE_BEGIN

/// How an hnsw_index is built. Fixed at construction, kept in the file.
struct hnsw_params {
    std::size_t degree = 16;       ///< links per row and level, twice that on level 0 ("M" in the paper); 2 to 1024
    std::size_t build_beam = 200;  ///< candidates considered per new row ("ef_construction"); at least degree is used
    std::uint64_t seed = 1;        ///< of the levels: same seed and same calls, same bytes
};

namespace detail {

inline hnsw_params checked(hnsw_params params) {
    require_range("degree", params.degree, 2, 1024);
    require_range("build_beam", params.build_beam, 1, std::size_t{1} << 20);
    return params;
}

template <class Metric, class Codec, class Id, class Kernels>
struct hnsw_state : rows_base<Metric, Codec, Id, Kernels> {
    using base = rows_base<Metric, Codec, Id, Kernels>;
    using coarse_codec = typename base::store_type::coarse_codec;
    using fine_codec = typename base::store_type::fine_codec;
    static constexpr bool is_packed = detail::is_packed<Codec>;
    using codes_type = std::conditional_t<is_packed, neighbor_codes<Metric, fine_codec, Kernels>, no_neighbor_codes>;
    using builder_type = hnsw_builder<Metric, fine_codec, Kernels, codes_type>;
    using guide_type = build_guide<Metric, coarse_codec>;
    using repairer_type = hnsw_repairer<Metric, fine_codec, Id, Kernels, codes_type>;
    using base::changes, base::dim, base::directory, base::gate, base::metric, base::rows, base::scratch;

    hnsw_params params;
    hnsw_graph graph;
    [[no_unique_address]] codes_type codes;  ///< of the links on level 0
    retired_rows retired;
    mutable scratch_pool<walk_scratch> walks;

    explicit hnsw_state(std::size_t dimension, hnsw_params wanted = {})
        : base(dimension, row_spacing::lines),
          params(checked(wanted)),
          graph(params.degree),
          codes(dimension, graph.capacity(0)) {}

    // ---- changes ---------------------------------------------------------------------------------------------------

    void add(Id id, std::span<const float> vector) {
        const auto writing = this->begin_writing();
        auto lease = scratch.take();
        this->admit_vector(*lease, "vector", vector);
        this->require_trained("add");
        if (directory.find(id) != no_slot) fail_duplicate(id, " is in the index already; use update to change it");
        this->require_decodable(*lease, lease->query.span());
        reserve_rows(1);
        this->write_row(directory.upcoming(0), lease->query.span());
        link(
            std::span(&id, 1), {}, nullptr, [] {}, [] {});
        changes.add(1);
    }

    std::size_t add(std::span<const Id> ids, matrix_view<const float> vectors, const add_params& how) {
        const auto writing = this->begin_writing();
        const call_executor executor(how.executor, how.threads);
        check_batch<Codec>(metric, directory, dim, ids, vectors, executor);
        if (vectors.empty()) return 0;
        const bool learned = this->train_if_needed(vectors);
        std::size_t done = 0;
        try {
            this->require_decodable(vectors, executor);
            reserve_rows(vectors.rows());
            const auto guide = make_guide(vectors, executor);
            while (done < vectors.rows() && !how.stop.stop_requested()) {
                const std::size_t n = std::min(batch_rows, vectors.rows() - done);
                this->encode_upcoming(vectors.rows(done, n), executor);
                if (guide)
                    guide->copy(
                        rows.coarse(), n, [this](std::size_t i) { return directory.upcoming(i); }, executor);
                link(
                    ids.subspan(done, n), executor, guide.get(), [] {}, [] {});
                done += n;
                if (how.progress) how.progress(done, vectors.rows());
            }
        } catch (...) {
            take_back(ids.first(done), learned);
            throw;
        }
        if (done == 0) take_back({}, learned);
        changes.add(done);
        return done;
    }

    void update(Id id, std::span<const float> vector) {
        const auto writing = this->begin_writing();
        auto lease = scratch.take();
        this->admit_vector(*lease, "vector", vector);
        const slot_t old = directory.find(id);
        if (old == no_slot) fail_missing(id, "update");
        this->require_decodable(*lease, lease->query.span());
        reserve_rows(1);
        this->write_row(directory.upcoming(0), lease->query.span());
        link(
            std::span(&id, 1), {}, nullptr, [&] { directory.retire(old); }, [&] { retire_links(old); });
        changes.update();
    }

    bool remove(Id id) {
        const auto writing = this->begin_writing();
        const slot_t slot = directory.find(id);
        if (slot == no_slot) return false;
        take_out(slot);
        changes.remove();
        return true;
    }

    [[nodiscard]] memory_report memory() const {
        memory_report report = base::memory();
        const auto reading = gate.reading();
        report.links = graph.memory() + codes.memory() + retired.memory();
        walks.for_each_idle([&](const walk_scratch& walk) { report.scratch += walk.memory(); });
        report.total += report.links + report.scratch;
        if (this->file_memory != 0)
            report.links += this->stored_rows() * ((graph.capacity(0) + 2) * sizeof(slot_t) + 1);
        return report;
    }

  private:
    /// Rows that are planned together: enough to share the pruning of their targets, few enough that measuring each
    /// against those before it in the batch costs little beside its search.
    static constexpr std::size_t batch_rows = 256;
    static constexpr std::size_t guide_training_rows = 16384;

    /// Memory for `extra` rows beyond those in use, and for retiring as many.
    void reserve_rows(std::size_t extra) {
        const auto publishing = gate.publishing();
        this->reserve_extra(extra);
        retired.reserve(directory.high_water_after(extra));
    }

    /// What a large batch finds its candidates by, with all present rows in it; null where nothing is faster than the
    /// rows themselves.
    [[nodiscard]] std::unique_ptr<guide_type> make_guide(matrix_view<const float> vectors,
                                                         executor_ref executor) const {
        if constexpr (guide_type::possible) {
            if (!guide_type::pays(vectors.rows(), directory.high_water())) return nullptr;
            const auto sample = prepared_sample<Codec>(metric, vectors, guide_training_rows);
            auto guide =
                std::make_unique<guide_type>(dim, matrix_view<const float>(std::span<const float>(sample), dim));
            guide->reserve(directory.high_water_after(vectors.rows()));
            guide->copy(
                rows.coarse(), directory.high_water(), [](std::size_t i) { return static_cast<slot_t>(i); }, executor);
            return guide;
        } else {
            return nullptr;
        }
    }

    /// Links the next ids.size() rows, whose codes are written, and makes them live; before_live() runs when readers
    /// are out.
    template <class BeforeLive, class AfterLive>
    void link(std::span<const Id> ids, executor_ref executor, const guide_type* guide, BeforeLive before_live,
              AfterLive after_live) {
        std::vector<slot_t> slots(ids.size());
        std::vector<std::size_t> levels(ids.size());
        std::size_t upper = 0;
        for (std::size_t i = 0; i < ids.size(); ++i) {
            slots[i] = directory.upcoming(i);
            levels[i] = graph.draw_level(params.seed, static_cast<std::uint64_t>(ids[i]));
            upper += levels[i];
        }
        {
            const auto publishing = gate.publishing();
            graph.reserve(directory.high_water_after(ids.size()), upper);
            codes.reserve(directory.high_water_after(ids.size()));
            for (const std::size_t level : levels) graph.reserve_destroy(level, ids.size());
            // Here, not later: readers check upper links against how many there are.
            for (std::size_t i = 0; i < ids.size(); ++i) graph.create(slots[i], levels[i]);
        }
        builder_type builder(metric, rows.fine(), graph, codes, std::max(params.build_beam, params.degree), walks);
        const auto plan = [&](const auto& walked) {
            builder.plan(
                slots, walked, directory.high_water(), directory.retired() != 0,
                [this](slot_t slot) { return directory.is_live(slot); }, executor);
        };
        try {
            if (guide != nullptr)
                plan(guide->codes());
            else
                plan(rows.coarse());
        } catch (...) {
            for (const slot_t slot : slots) graph.set_parent(slot, no_slot);
            for (const slot_t slot : slots) graph.destroy(slot);
            throw;
        }
        const auto publishing = gate.publishing();
        before_live();
        builder.publish();
        for (const Id id : ids) directory.insert(id);
        after_live();
    }

    /// Undoes a batch, so that a failed call changes nothing a user can see: its rows come out again, and what was
    /// learned from it is forgotten.
    void take_back(std::span<const Id> ids, bool learned) {
        for (std::size_t i = ids.size(); i-- > 0;) take_out(directory.find(ids[i]));
        if (!learned) return;
        const auto publishing = gate.publishing();
        this->forget_training();
    }

    /// One step for readers: none may meet, or save, a retired row that live ones still hang on.
    void take_out(slot_t slot) {
        const auto publishing = gate.publishing();
        directory.retire(slot);
        retire_links(slot);
    }

    /// What follows when `slot` has been retired: the tree, the entry, and a stretch of repairs. Readers are out.
    void retire_links(slot_t slot) {
        retired.add(slot);
        if (directory.live() == 0) return clear_graph();
        repairer_type repairer(metric, rows.fine(), graph, codes, directory);
        repairer.hand_over_children(slot);
        if (graph.entry() == slot) {
            const slot_t entry = repairer.find_entry();
            graph.set_entry(entry, graph.level(entry));
        }
        retired.advance(
            retired_rows::rows_per_removal, directory.high_water(), [&](slot_t row) { repairer.repair(row); },
            [&](slot_t row) { release(row); });
    }

    void release(slot_t slot) {
        graph.reserve_destroy(graph.level(slot), 1);
        graph.destroy(slot);
        directory.release(slot);
    }

    void clear_graph() {
        graph.set_entry(no_slot, 0);
        retired.release_all([&](slot_t row) { release(row); });
    }
};

}  // namespace detail

VICINAL_NAMESPACE_END
