// What an hnsw_index holds, and how it changes. Searches are in hnsw_queries.hpp, files in hnsw_parts.hpp.
#pragma once

#include <algorithm>    // for max, min
#include <cstddef>      // for size_t
#include <cstdint>      // for uint32_t, uint64_t
#include <memory>       // for unique_ptr
#include <optional>     // for optional
#include <span>         // for span
#include <type_traits>  // for conditional_t
#include <vector>       // for vector

#include "vicinal/index/detail/calls.hpp"
#include "vicinal/index/detail/hnsw_build.hpp"
#include "vicinal/index/detail/hnsw_changes.hpp"
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
    using changes_type = graph_changes<codes_type>;
    using journal_type = graph_journal<codes_type>;
    using repairer_type = hnsw_repairer<Metric, fine_codec, Kernels, codes_type, id_directory<Id>>;
    using base::counted, base::dim, base::directory, base::gate, base::metric, base::rows, base::scratch;

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
        this->encode_query(*lease);
        reserve_rows(1);
        upcoming_rows fresh(*this, std::span(&id, 1), lease->code);
        link(fresh, rows.coarse(), {}, [](const builder_type&) {});
        counted.add(1);
    }

    std::size_t add(std::span<const Id> ids, matrix_view<const float> vectors, const add_params& how) {
        const auto writing = this->begin_writing();
        const call_executor executor(how.executor, how.threads, vectors.rows());
        check_batch<Codec>(metric, directory, dim, ids, vectors, executor);
        if (vectors.empty()) return 0;
        auto untaught = this->train_if_needed(vectors);
        journal_type journal(graph, codes, directory.high_water(), directory.upcoming_reused(vectors.rows()));
        std::vector<std::byte> row_codes;
        std::size_t done = 0;
        try {
            this->require_decodable(vectors, executor);
            reserve_rows(vectors.rows());
            auto guide = make_guide(vectors, executor);
            while (done < vectors.rows() && !how.stop.stop_requested()) {
                const std::size_t n = std::min(batch_rows, vectors.rows() - done);
                this->encode_batch(vectors.rows(done, n), row_codes, executor);
                upcoming_rows fresh(*this, ids.subspan(done, n), row_codes);
                const auto keep = [&](const builder_type& planned) {
                    planned.for_each_change([&](slot_t slot, std::size_t level) { journal.keep(slot, level); });
                };
                if (guide) {
                    guide->copy(
                        rows.coarse(), n, [&](std::size_t i) { return fresh.slots()[i]; }, executor);
                    if (2 * link(fresh, guide->codes(), executor, keep) > n) guide.reset();  // it costs more than it saves
                } else {
                    link(fresh, rows.coarse(), executor, keep);
                }
                done += n;
                if (how.progress) how.progress(done, vectors.rows());
            }
        } catch (...) {
            take_back(ids.first(done), journal, untaught);
            throw;
        }
        if (done == 0) take_back({}, journal, untaught);
        counted.add(done);
        return done;
    }

    void update(Id id, std::span<const float> vector) {
        const auto writing = this->begin_writing();
        auto lease = scratch.take();
        this->admit_vector(*lease, "vector", vector);
        const slot_t old = directory.find(id);
        if (old == no_slot) fail_missing(id, "update");
        this->require_decodable(*lease, lease->query.span());
        this->encode_query(*lease);
        reserve_rows(1);
        upcoming_rows fresh(*this, std::span(&id, 1), lease->code);
        builder_type builder = new_builder();
        plan(builder, fresh, rows.coarse(), {});
        changes_type changes(graph, codes);
        builder.move_to(changes);
        plan_removal(changes, old, fresh.slots().front());
        const auto publishing = gate.publishing();
        directory.retire(old);
        changes.publish();
        fresh.insert();
        finish_removal(old);
        counted.update();
    }

    bool remove(Id id) {
        const auto writing = this->begin_writing();
        const slot_t slot = directory.find(id);
        if (slot == no_slot) return false;
        changes_type changes(graph, codes);
        if (directory.live() > 1) plan_removal(changes, slot, no_slot);
        const auto publishing = gate.publishing();
        directory.retire(slot);
        changes.publish();
        finish_removal(slot);
        counted.remove();
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

    /// The next rows, with their codes, set up in the graph without links. Taken out of it again unless they were
    /// inserted, which makes them live.
    class upcoming_rows {
      public:
        /// row_codes  of all of them, as `encode_row` makes them
        upcoming_rows(hnsw_state& of, std::span<const Id> ids, std::span<const std::byte> row_codes)
            : of_(of), ids_(ids), slots_(ids.size()) {
            std::vector<std::size_t> levels(ids.size());
            std::size_t upper = 0;
            for (std::size_t i = 0; i < ids.size(); ++i) {
                slots_[i] = of.directory.upcoming(i);
                levels[i] = of.graph.draw_level(of.params.seed, static_cast<std::uint64_t>(ids[i]));
                upper += levels[i];
            }
            for (const std::size_t level : levels) of.graph.reserve_destroy(level, ids.size());
            const auto publishing = of.gate.publishing();
            of.graph.reserve(of.directory.high_water_after(ids.size()), upper);
            of.codes.reserve(of.directory.high_water_after(ids.size()));
            // Here, not later: readers check upper links against how many there are.
            for (std::size_t i = 0; i < ids.size(); ++i) of.graph.create(slots_[i], levels[i]);
            for (std::size_t i = 0; i < ids.size(); ++i)
                of.put_row(slots_[i], row_codes.data() + i * of.code_bytes());
        }
        upcoming_rows(const upcoming_rows&) = delete;
        upcoming_rows& operator=(const upcoming_rows&) = delete;
        ~upcoming_rows() {
            if (!inserted_) of_.forget(slots_);
        }
        [[nodiscard]] std::span<const slot_t> slots() const noexcept { return slots_; }
        /// Readers are out.
        void insert() noexcept {
            for (const slot_t slot : slots_) of_.graph.publish(slot);
            for (const Id id : ids_) of_.directory.insert(id);
            inserted_ = true;
        }

      private:
        hnsw_state& of_;
        std::span<const Id> ids_;
        std::vector<slot_t> slots_;
        bool inserted_ = false;
    };
    /// Takes rows that nothing links to out of the graph, the last first: their places are then given out again in the
    /// same order.
    void forget(std::span<const slot_t> slots) noexcept {
        for (std::size_t i = slots.size(); i-- > 0;) {
            graph.set_parent(slots[i], no_slot);
            graph.destroy(slots[i]);
        }
    }

    [[nodiscard]] builder_type new_builder() {
        return builder_type(metric, rows.fine(), graph, codes, std::max(params.build_beam, params.degree), walks);
    }
    template <class Walked>
    void plan(builder_type& builder, const upcoming_rows& fresh, const code_store<Walked>& walked,
              executor_ref executor) {
        builder.plan(
            fresh.slots(), walked, directory.high_water(), directory.retired() != 0,
            [this](slot_t slot) { return directory.is_live(slot); }, executor);
    }

    /// Links the rows and makes them live. before(builder) is told the plan while it can still be dropped.
    /// walked  by whose distances candidates are found
    /// returns  for how many rows that was in vain
    template <class Walked, class Before>
    std::size_t link(upcoming_rows& fresh, const code_store<Walked>& walked, executor_ref executor, const Before& before) {
        builder_type builder = new_builder();
        plan(builder, fresh, walked, executor);
        before(builder);
        const auto publishing = gate.publishing();
        builder.publish();
        fresh.insert();
        return builder.walked_in_vain();
    }

    /// Undoes a batch: rows added last, what their links replaced, and what was learned from them.
    void take_back(std::span<const Id> ids, journal_type& journal, std::optional<typename base::codecs_type>& untaught) noexcept {
        const auto publishing = gate.publishing();
        journal.restore();
        for (std::size_t i = ids.size(); i-- > 0;) {
            const slot_t slot = directory.find(ids[i]);
            forget(std::span(&slot, 1));
            directory.retire(slot);
            directory.release(slot);
        }
        this->forget_training(untaught);
    }

    /// What follows when row `leaving` is retired, in favour of `arriving` if that is a row: the tree, the entry, and a
    /// stretch of repairs.
    void plan_removal(changes_type& changes, slot_t leaving, slot_t arriving) {
        repairer_type repairer(metric, rows.fine(), changes, directory, leaving, arriving);
        repairer.hand_over_children();
        repairer.replace_entry();
        const auto [first, last] = retired.next_stretch(directory.high_water_after(arriving == no_slot ? 0 : 1));
        for (std::size_t row = first; row < last; ++row) repairer.repair(static_cast<slot_t>(row));
        changes.encode(rows.fine());
    }
    /// The rest of it, when `slot` has been retired and all that was planned is in place. Readers are out.
    void finish_removal(slot_t slot) noexcept {
        retired.add(slot);
        const auto release = [&](slot_t row) {
            graph.destroy(row);
            directory.release(row);
        };
        if (directory.live() != 0) return retired.advance(directory.high_water(), release);
        graph.set_parent(slot, no_slot);
        graph.set_entry(no_slot, 0);
        retired.release_all(release);
    }
};

}  // namespace detail

VICINAL_NAMESPACE_END
