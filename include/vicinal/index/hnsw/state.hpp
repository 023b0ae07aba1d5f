// What an hnsw_index holds, and how it changes. Searches are in hnsw_queries.hpp, files in hnsw_parts.hpp.
#pragma once

#include <algorithm>    // for copy_n, find, max, min
#include <array>        // for array
#include <cstddef>      // for size_t
#include <cstdint>      // for uint32_t, uint64_t
#include <memory>       // for unique_ptr
#include <new>          // for bad_alloc
#include <optional>     // for optional
#include <span>         // for span
#include <type_traits>  // for conditional_t
#include <utility>      // for exchange, move, pair, swap
#include <vector>       // for vector

#include "vicinal/index/common/calls.hpp"
#include "vicinal/index/common/rows.hpp"
#include "vicinal/index/hnsw/graph/build.hpp"
#include "vicinal/index/hnsw/graph/build_codes.hpp"
#include "vicinal/index/hnsw/graph/consolidate.hpp"
#include "vicinal/index/hnsw/graph/duplicates.hpp"
#include "vicinal/index/hnsw/graph/graph.hpp"
#include "vicinal/index/hnsw/graph/link_distances.hpp"
#include "vicinal/index/hnsw/graph/planned_changes.hpp"
#include "vicinal/params.hpp"

VICINAL_NAMESPACE_BEGIN

namespace detail {

inline hnsw_params checked(hnsw_params params) {
    if (params.build_beam != 0) params.ef_construction = std::exchange(params.build_beam, 0);
    require_range("degree", params.degree, 2, 1024);
    require_range("ef_construction", params.ef_construction, 1, std::size_t{1} << 20);
    return params;
}

template <class Metric, class Codec, class Id, class Isa>
struct hnsw_state : rows_base<Metric, Codec, Id, Isa> {
    using base = rows_base<Metric, Codec, Id, Isa>;
    using coarse_codec = typename base::store_type::coarse_codec;
    using fine_codec = typename base::store_type::fine_codec;
    using builder_type = hnsw_builder<Metric, fine_codec, Isa>;
    using build_codes_type = build_codes<Metric, coarse_codec>;
    using consolidator_type = hnsw_consolidator<Metric, fine_codec, Isa, id_map<Id>>;
    using known_type = known_codes<typename base::store_type>;
    using mean_type = std::conditional_t<has_free_origin<Metric>, shared_mean, no_shared_mean>;
    using base::counted, base::dim, base::directory, base::locks, base::metric, base::rows, base::scratch;

    hnsw_params params;
    hnsw_graph graph;
    retired_rows retired;
    row_duplicates copies;             ///< rows without links, behind those that have their codes
    known_type known{rows};        ///< live rows of the graph by their codes
    [[no_unique_address]] mean_type mean;  ///< of the rows, for choosing links
    mutable scratch_pool<walk_scratch> walks;

    explicit hnsw_state(std::size_t dimension, hnsw_params wanted = {})
        : base(dimension, row_spacing::lines),
          params(checked(wanted)),
          graph(params.degree) {}

    // ---- changes ---------------------------------------------------------------------------------------------------

    void add(Id id, std::span<const float> vector) {
        const auto writing = this->lock_for_writing();
        auto lease = scratch.take();
        this->validate_vector(*lease, "vector", vector);
        if (directory.find(id) != no_slot) fail_duplicate(id, " is in the index already; use update to change it");
        learning_step<hnsw_state> learning(*this, std::span(&id, 1), this->sample_of(*lease), {});
        this->require_decodable(*lease, lease->query.span());
        this->encode_query(*lease);
        make_room(1);
        upcoming_rows fresh(*this, std::span(&id, 1), lease->code);
        link(fresh, rows.coarse(), {}, [](const builder_type&) {});
        counted.add(1);
        learning.finish(1);
    }

    std::size_t add(std::span<const Id> ids, matrix_view<const float> vectors, const add_params& how) {
        const auto writing = this->lock_for_writing();
        const call_executor executor(how.executor, how.threads, vectors.rows());
        check_batch<Codec>(metric, directory, dim, ids, vectors, executor);
        if (vectors.empty()) return 0;
        mean_type mean_before = mean;
        std::optional<learning_step<hnsw_state>> learning;
        graph_journal journal(graph, directory.high_water(), directory.upcoming_reused(vectors.rows()));
        std::vector<std::byte> row_codes;
        std::size_t done = 0;
        try {
            learning.emplace(*this, ids, this->sample_of(vectors), executor);
            this->require_decodable(vectors, executor);
            make_room(vectors.rows());
            auto short_codes = make_build_codes(vectors, executor);
            while (done < vectors.rows() && !how.stop.stop_requested()) {
                const std::size_t n = std::min(batch_rows, vectors.rows() - done);
                this->encode_batch(vectors.rows(done, n), row_codes, executor);
                upcoming_rows fresh(*this, ids.subspan(done, n), row_codes);
                const auto keep = [&](const builder_type& planned) {
                    planned.for_each_change([&](slot_t slot, std::size_t level) { journal.keep(slot, level); });
                };
                if (short_codes) {
                    short_codes->copy(
                        rows.coarse(), fresh.nodes().size(), [&](std::size_t i) { return fresh.nodes()[i]; }, executor);
                    if (2 * link(fresh, short_codes->codes(), executor, keep) > n) short_codes.reset();  // it costs more than it saves
                } else {
                    link(fresh, rows.coarse(), executor, keep);
                }
                done += n;
                if (how.progress) how.progress(done, vectors.rows());
            }
        } catch (...) {
            take_back(done, journal, mean_before);
            throw;
        }
        if (done == 0) take_back(0, journal, mean_before);
        if (done < vectors.rows()) give_back();
        counted.add(done);
        learning->finish(done);
        return done;
    }

    void update(Id id, std::span<const float> vector) {
        const auto writing = this->lock_for_writing();
        auto lease = scratch.take();
        this->validate_vector(*lease, "vector", vector);
        const slot_t old = directory.find(id);
        if (old == no_slot) fail_missing(id, "update");
        learning_step<hnsw_state> learning(*this, std::span(&id, 1), this->sample_of(*lease), {});
        this->require_decodable(*lease, lease->query.span());
        this->encode_query(*lease);
        if (this->has_code(old, lease->code.data()) &&
            !tells_apart(this->learner.exact.kept(id), this->learner.exact.staged(id))) {
            learning.finish(1);
            return counted.update();
        }
        make_room(1);
        upcoming_rows fresh(*this, std::span(&id, 1), lease->code);
        mean_type mean_then = mean_after(fresh.slots(), directory.live());
        builder_type builder = new_builder(mean_then);
        plan(builder, fresh, rows.coarse(), {});
        graph_changes changes(graph);
        builder.move_to(changes);
        const slot_t spare = row_to_spare(old);
        plan_removal(changes, spare == no_slot ? old : no_slot,
                     fresh.nodes().empty() ? no_slot : fresh.nodes().front(), mean_then);
        retired.reserve(1);
        {
            const auto publishing = locks.exclusive();
            retire(old, spare);
            changes.publish();
            fresh.insert();
            std::swap(mean, mean_then);  // what it replaces is freed when readers are in again
            finish_removal(old, spare);
        }
        give_back();
        counted.update();
        learning.finish(1);
    }

    bool remove(Id id) {
        const auto writing = this->lock_for_writing();
        const slot_t slot = directory.find(id);
        if (slot == no_slot) return false;
        graph_changes changes(graph);
        const slot_t spare = row_to_spare(slot);
        mean_type mean_then = mean_after({}, directory.live() - 1);
        if (directory.live() > 1) plan_removal(changes, spare == no_slot ? slot : no_slot, no_slot, mean_then);
        retired.reserve(1);
        if (directory.live() == 1) {
            empty();
        } else {
            const auto publishing = locks.exclusive();
            retire(slot, spare);
            changes.publish();
            std::swap(mean, mean_then);  // what it replaces is freed when readers are in again
            finish_removal(slot, spare);
        }
        give_back();
        counted.remove();
        return true;
    }

    [[nodiscard]] memory_report memory() const {
        memory_report report = base::memory();
        const auto reading = locks.shared();
        report.links = graph.memory() + retired.memory() + copies.memory() + known.memory() + mean.memory();
        report.reserved +=
            graph.reserved() + retired.memory() + copies.reserved() + known.memory() + mean.memory();
        std::size_t walking = 0;
        walks.for_each_idle([&](const walk_scratch& walk) { walking += walk.memory(); });
        report.scratch += walking;
        report.total += report.links + walking;
        report.reserved += walking;
        if (this->file_memory != 0)
            report.links += this->stored_rows() * ((graph.capacity(0) + 2) * sizeof(slot_t) + 1);
        return report;
    }

    // ---- learning on -----------------------------------------------------------------------------------------------

    /// What changes when codecs do: codes, and which rows are known by them.
    struct recoded_type : base::recoded_type {
        using base::recoded_type::recoded_type;
        std::vector<slot_t> known;
    };
    template <class Source>
    [[nodiscard]] bool recode(recoded_type& fresh, const Source& source, matrix_view<const float> to_come,
                              executor_ref executor, clip_counts* clipped) const {
        if (!base::recode(fresh, source, to_come, executor, clipped)) return false;
        recode_duplicates(fresh);
        return true;
    }
    /// Links stay, chosen by the codes of before.
    void exchange(recoded_type& with) noexcept {
        base::exchange(with);
        known.exchange(with.known);
    }

  private:
    /// Copies have the codes of their row in the graph, also where vectors are known that tell them apart by now. What
    /// rows are known by is then made of these codes.
    void recode_duplicates(recoded_type& fresh) const {
        directory.for_each_live([&](slot_t slot) {
            if (!copies.is_duplicate(slot)) return;
            fresh.for_each([&](auto& store, std::size_t) {
                std::copy_n(store.rows()[copies.node_of(slot)], store.rows().stride(), store.rows()[slot]);
            });
        });
        fresh.known = known.made_of(recoded_rows{fresh, rows}, directory.live(), [&](const auto& enter) {
            directory.for_each_live([&](slot_t slot) {
                if (!copies.is_duplicate(slot)) enter(slot);
            });
        });
    }
    /// All rows by codes that are not in place yet.
    struct recoded_rows {
        const recoded_type& fresh;
        const typename base::store_type& now;
        template <class F>
        void for_each_store(F&& f) const {
            fresh.for_each_store(now, f);
        }
    };

    /// Rows that are planned together: enough to share the pruning of their targets, few enough that measuring each
    /// against those before it in the batch costs little beside its search.
    static constexpr std::size_t batch_rows = 256;
    static constexpr std::size_t build_codes_training_rows = 16384;

    /// Memory for `extra` rows beyond those in use, but for their links. Strong guarantee.
    void make_room(std::size_t extra) {
        try {
            this->reserve_extra(extra);
            directory.reserve_free(directory.high_water_after(extra));
            if (auto bigger = known.enlarged(directory.live() + extra); !bigger.empty()) {
                const auto publishing = locks.exclusive();
                known.take(bigger);
            }
        } catch (...) {
            give_back(true);
            throw;
        }
    }
    /// Gives back memory that rows no longer need: of free rows behind all that are in use. at_once  as of the base's.
    void give_back(bool at_once = false) noexcept {
        if (const std::size_t end = directory.used_end(); end < directory.high_water()) {
            const auto publishing = locks.exclusive();
            directory.lower_high_water(end);
            graph.lower(end);
        }
        graph.give_back(at_once);
        retired.give_back();
        forget_room_of_known();
        base::give_back(at_once);
    }
    /// Makes the table of known codes smaller, if that is worth it and there is the memory for a smaller one.
    void forget_room_of_known() noexcept {
        try {
            auto smaller = known.reduced(directory.live());
            if (smaller.empty()) return;
            const auto publishing = locks.exclusive();
            known.take(smaller);
        } catch (const std::bad_alloc&) {  // it stays as it is
        }
    }
    /// Forgets all rows and their links at once, as nobody can come by them any more.
    void empty() noexcept {
        std::vector<slot_t> table, known_table;  // freed, as the rest, when readers are in again
        row_duplicates no_duplicates;
        mean_type no_mean;
        {
            const auto publishing = locks.exclusive();
            directory.clear(table);
            graph.clear();
            std::swap(copies, no_duplicates);
            known.exchange(known_table);
            std::swap(mean, no_mean);
        }
        retired.clear();
        directory.forget_free();
        graph.drop_upper();
    }

    /// What a large batch finds its candidates by, with all present rows in it; null where nothing is faster than the
    /// rows themselves.
    [[nodiscard]] std::unique_ptr<build_codes_type> make_build_codes(matrix_view<const float> vectors,
                                                         executor_ref executor) const {
        if constexpr (build_codes_type::possible) {
            if (!build_codes_type::pays(vectors.rows(), directory.high_water())) return nullptr;
            const auto sample = prepared_sample<Codec>(metric, vectors, build_codes_training_rows);
            auto short_codes =
                std::make_unique<build_codes_type>(dim, matrix_view<const float>(std::span<const float>(sample), dim));
            short_codes->reserve(directory.high_water_after(vectors.rows()));
            short_codes->copy(
                rows.coarse(), directory.high_water(), [](std::size_t i) { return static_cast<slot_t>(i); }, executor);
            return short_codes;
        } else {
            return nullptr;
        }
    }

    /// The next rows, with their codes, set up in the graph without links, but for those that are copies of others.
    /// Taken out of it again unless they were inserted, which makes them live.
    class upcoming_rows {
      public:
        /// row_codes  of all of them, as `encode_row` makes them
        upcoming_rows(hnsw_state& of, std::span<const Id> ids, std::span<const std::byte> row_codes)
            : upcoming_rows(of, ids) {
            set_up(row_codes);
            tell_duplicates();
        }
        upcoming_rows(const upcoming_rows&) = delete;
        upcoming_rows& operator=(const upcoming_rows&) = delete;
        ~upcoming_rows() {
            if (set_up_ && !inserted_) of_.forget(slots_);
        }
        /// Those that get links.
        [[nodiscard]] std::span<const slot_t> nodes() const noexcept { return nodes_; }
        /// All of the rows, copies among them.
        [[nodiscard]] std::span<const slot_t> slots() const noexcept { return slots_; }
        /// Readers are out.
        void insert() noexcept {
            for (const slot_t slot : slots_) of_.graph.publish(slot);
            for (const Id id : ids_) of_.directory.insert(id);
            for (const auto& [copy, node] : copies_) of_.copies.attach(copy, node);
            inserted_ = true;
        }

      private:
        /// Once this is done, the destructor undoes what follows.
        upcoming_rows(hnsw_state& of, std::span<const Id> ids)
            : of_(of), ids_(ids), slots_(of.directory.upcoming_rows(ids.size())) {}

        void set_up(std::span<const std::byte> row_codes) {
            std::vector<std::size_t> levels(ids_.size());
            std::size_t upper = 0;
            for (std::size_t i = 0; i < ids_.size(); ++i) {
                levels[i] = of_.graph.draw_level(of_.params.seed, slots_[i]);
                upper += levels[i];
            }
            make_room(levels, upper);
            for (std::size_t first = 0; first < ids_.size(); first += of_.rows_at_once()) {
                const auto publishing = of_.locks.exclusive();
                for (std::size_t i = first; i < std::min(ids_.size(), first + of_.rows_at_once()); ++i) {
                    // Here, not later: readers check upper links against how many there are.
                    of_.graph.create(slots_[i], levels[i]);
                    of_.put_row(slots_[i], row_codes.data() + i * of_.code_bytes());
                }
            }
            set_up_ = true;
        }
        /// Beside readers.
        void make_room(std::span<const std::size_t> levels, std::size_t upper) {
            const std::size_t rows = of_.directory.high_water_after(ids_.size());
            for (const std::size_t level : levels) of_.graph.reserve_destroy(level, ids_.size());
            of_.graph.reserve(rows, upper);
            of_.touch_rows(ids_.size());
            of_.graph.touch(rows, upper);
        }
        void tell_duplicates() {
            for (const slot_t slot : slots_) {
                const slot_t node =
                    of_.known.find_or_enter(slot, [&](slot_t other) { return is_duplicate_of(slot, other); });
                if (node == slot)
                    nodes_.push_back(slot);
                else
                    copies_.push_back({slot, node});
            }
            for (const auto& [copy, node] : copies_) of_.graph.destroy(copy);
            of_.make_room_for_duplicates(of_.directory.high_water_after(ids_.size()), !copies_.empty());
        }
        /// Whether a row with the same codes has the same vector. Where both vectors are known these decide, as codes
        /// may differ once codecs learn. A row whose id gets another vector is on its way out.
        [[nodiscard]] bool is_duplicate_of([[maybe_unused]] slot_t slot, [[maybe_unused]] slot_t other) const noexcept {
            if constexpr (!learns<typename base::store_type>) return true;
            const Id id = id_of(slot), other_id = id_of(other);
            const auto& exact = of_.learner.exact;
            return id != other_id && !tells_apart(exact.staged(id), exact.staged(other_id));
        }
        [[nodiscard]] Id id_of(slot_t slot) const noexcept {
            const auto fresh = std::find(slots_.begin(), slots_.end(), slot);
            if (fresh == slots_.end()) return of_.directory.id(slot);  // which knows nothing of the others yet
            return ids_[static_cast<std::size_t>(fresh - slots_.begin())];
        }

        hnsw_state& of_;
        std::span<const Id> ids_;
        std::vector<slot_t> slots_;
        std::vector<slot_t> nodes_;
        std::vector<std::pair<slot_t, slot_t>> copies_;  // each and its row in the graph
        bool set_up_ = false;
        bool inserted_ = false;
    };
    /// Takes rows that nothing links to out of the graph, the last first: their places are then given out again in the
    /// same order.
    void forget(std::span<const slot_t> slots) noexcept {
        for (std::size_t i = slots.size(); i-- > 0;) {
            known.erase(slots[i]);
            graph.set_parent(slots[i], no_slot);
            graph.destroy(slots[i]);
        }
    }
    /// Once there was a copy, lists are kept for all `stored` rows; to begin with they are made beside readers.
    void make_room_for_duplicates(std::size_t stored, bool needed) {
        if (!needed && !copies.kept()) return;
        row_duplicates first;
        if (!copies.kept()) first.reserve(stored);
        const auto publishing = locks.exclusive();
        if (copies.kept())
            copies.reserve(stored);
        else
            copies = std::move(first);
    }

    /// The mean by which links are chosen when rows `arriving`, whose codes are written, make `live` live ones; or one
    /// leaves, if there are none.
    [[nodiscard]] mean_type mean_after(std::span<const slot_t> arriving, std::size_t live) const {
        const std::size_t present = directory.high_water();
        const auto is_sample = [&](slot_t slot) {
            return (slot < present && directory.is_live(slot)) ||
                   std::find(arriving.begin(), arriving.end(), slot) != arriving.end();
        };
        return mean.after(std::max<std::size_t>(1, arriving.size()), directory.live() + directory.retired(), live,
                          rows.fine(), directory.high_water_after(arriving.size()), is_sample);
    }
    [[nodiscard]] builder_type new_builder(const mean_type& mean_then) {
        return builder_type(metric, rows.fine(), graph, std::max(params.ef_construction, params.degree), walks,
                            mean_then.point());
    }
    template <class Walked>
    void plan(builder_type& builder, const upcoming_rows& fresh, const code_store<Walked>& walked,
              executor_ref executor) {
        builder.plan(
            fresh.nodes(), walked, directory.high_water(), directory.retired() != 0,
            [this](slot_t slot) { return directory.is_live(slot); }, executor);
    }

    /// Links the rows and makes them live. before(builder) is told the plan while it can still be dropped.
    /// walked  by whose distances candidates are found
    /// returns  for how many rows that was in vain
    template <class Walked, class Before>
    std::size_t link(upcoming_rows& fresh, const code_store<Walked>& walked, executor_ref executor, const Before& before) {
        mean_type mean_then = mean_after(fresh.slots(), directory.live() + fresh.slots().size());
        builder_type builder = new_builder(mean_then);
        plan(builder, fresh, walked, executor);
        before(builder);
        const auto publishing = locks.exclusive();
        builder.publish();
        fresh.insert();
        std::swap(mean, mean_then);  // what it replaces is freed when readers are in again
        return builder.walked_in_vain();
    }

    /// Undoes a batch: its first `count` rows, and what their links replaced; what was learned from it is then forgotten
    /// by its learning_step. In steps that each leave a sound graph: rows are retired, then nothing links to them, then
    /// their places are free.
    void take_back(std::size_t count, graph_journal& journal, mean_type& mean_before) noexcept {
        if (count != 0 && journal.entry() == no_slot) {
            empty();
        } else if (count != 0) {
            retire_added(count, journal);
            for (bool more = true; more;) {
                const auto publishing = locks.exclusive();
                more = journal.restore_some();
            }
            for_each_added(count, journal, [&](slot_t slot) {
                for (std::size_t level = 0; level <= graph.level(slot); ++level) graph.set_links(slot, level, {});
            });
            for_each_added(count, journal, [&](slot_t slot) {
                graph.destroy(slot);
                directory.release(slot);
            });
        }
        {
            const auto publishing = locks.exclusive();
            graph.lower_upper(journal.upper_rows());
            std::swap(mean, mean_before);
        }
        graph.drop_upper();
        give_back(true);
    }
    /// Retires the rows that a batch added, the last first: in the tree, rows come before those below them.
    void retire_added(std::size_t count, const graph_journal& journal) noexcept {
        std::array<slot_t, hnsw_graph::max_level + 2> entries;  // one after the other, while the rows were added
        std::size_t last = 0;
        entries[0] = journal.entry();
        for (std::size_t i = 0; i < count; ++i)
            if (graph.level(journal.added(i)) > graph.level(entries[last])) entries[++last] = journal.added(i);
        for_each_added(count, journal, [&](slot_t slot) {
            graph.set_parent(slot, no_slot);
            if (slot == entries[last]) {
                --last;
                graph.set_entry(entries[last], graph.level(entries[last]));
            }
            if (copies.is_duplicate(slot))
                copies.detach_first(copies.node_of(slot));  // the last that came
            else
                known.erase(slot);
            directory.retire(slot);
        });
    }
    /// Calls f(slot) for the first `count` rows that a batch added, the last first, with readers out for some at a time.
    template <class F>
    void for_each_added(std::size_t count, const graph_journal& journal, const F& f) noexcept {
        while (count > 0) {
            const auto publishing = locks.exclusive();
            for (std::size_t n = std::min(count, batch_rows); n > 0; --n) f(journal.added(--count));
        }
    }

    /// The row that is left over when the id of `leaving` goes: the first copy of its vector, or no_slot if there is
    /// none, so that the row itself has to leave the graph.
    [[nodiscard]] slot_t row_to_spare(slot_t leaving) const noexcept { return copies.next(copies.node_of(leaving)); }
    /// Takes the id of `leaving` away, and lets that of `spare` have its row. Readers are out.
    void retire(slot_t leaving, slot_t spare) noexcept {
        if (spare != no_slot) copies.detach_first(copies.node_of(spare));
        if (spare == no_slot || spare == leaving)
            directory.retire(leaving);
        else
            directory.retire_for(leaving, spare);
    }

    /// What follows when row `leaving` of the graph, unless that is no_slot, is retired, in favour of `arriving` if that
    /// is a row: the tree, the entry, and a stretch of repairs.
    void plan_removal(graph_changes& changes, slot_t leaving, slot_t arriving, const mean_type& mean_then) {
        if (leaving == no_slot && directory.retired() == 0) return;
        consolidator_type consolidator(metric, rows.fine(), changes, directory, leaving, arriving, mean_then.point());
        if (leaving != no_slot) {
            consolidator.hand_over_children();
            consolidator.replace_entry([this](slot_t slot) { return !copies.is_duplicate(slot); });
        }
        const auto [first, last] = retired.next_stretch(directory.high_water_after(arriving == no_slot ? 0 : 1));
        for (std::size_t row = first; row < last; ++row) consolidator.repair(static_cast<slot_t>(row));
    }
    /// The rest of it, when the id of `leaving` is gone and all that was planned is in place. Nothing links to `spare`,
    /// so its place is free at once. Readers are out.
    void finish_removal(slot_t leaving, slot_t spare) noexcept {
        const auto release = [&](slot_t row) {
            graph.destroy(row);
            directory.release(row);
        };
        if (spare == no_slot) {
            known.erase(leaving);
            retired.add(leaving);
        } else {
            release(spare);
        }
        if (directory.retired() != 0) retired.advance(directory.high_water(), release);
    }
};

}  // namespace detail

VICINAL_NAMESPACE_END
