// What a flat_index holds and does.
#pragma once

#include <algorithm>  // for copy_n, min, sort, make_heap, pop_heap
#include <cstddef>    // for size_t
#include <cstdint>    // for uint32_t
#include <limits>     // for numeric_limits
#include <memory>     // for make_unique, make_shared
#include <optional>   // for optional
#include <span>       // for span
#include <vector>     // for vector

#include "vicinal/index/common/calls.hpp"
#include "vicinal/index/common/neighbor_stream.hpp"
#include "vicinal/index/common/rows.hpp"
#include "vicinal/index/flat/batch.hpp"
#include "vicinal/scoring/scan.hpp"

VICINAL_NAMESPACE_BEGIN

namespace detail {

template <class Metric, class Codec, class Id, class Isa>
struct flat_state : rows_base<Metric, Codec, Id, Isa> {
    using base = rows_base<Metric, Codec, Id, Isa>;
    using params_type = flat_search_params<Id>;
    using base::counted, base::dim, base::directory, base::locks, base::metric, base::rows, base::scratch;
    using typename base::scratch_type;

    explicit flat_state(std::size_t dimension) : base(dimension, row_spacing::dense) {}

    // ---- changes ---------------------------------------------------------------------------------------------------

    void add(Id id, std::span<const float> vector) {
        const auto writing = this->lock_for_writing();
        auto lease = scratch.take();
        this->validate_vector(*lease, "vector", vector);
        if (directory.find(id) != no_slot) fail_duplicate(id, " is in the index already; use update to change it");
        learning_step<flat_state> learning(*this, std::span(&id, 1), this->sample_of(*lease), {});
        this->require_decodable(*lease, lease->query.span());
        this->encode_query(*lease);
        make_room(1);
        this->touch_rows(1);
        const auto publishing = locks.exclusive();
        this->put_row(directory.upcoming(0), lease->code.data());
        directory.insert(id);
        counted.add(1);
        learning.keep(1);
    }

    std::size_t add(std::span<const Id> ids, matrix_view<const float> vectors, const add_params& params) {
        const auto writing = this->lock_for_writing();
        const call_executor executor(params.executor, params.threads, vectors.rows());
        check_batch<Codec>(metric, directory, dim, ids, vectors, executor);
        if (vectors.empty()) return 0;
        std::optional<learning_step<flat_state>> learning;
        constexpr std::size_t stretch = 16384;  // rows between two looks at stop and progress
        std::vector<std::byte> codes;
        std::size_t done = 0;
        try {
            learning.emplace(*this, ids, this->sample_of(vectors), executor);
            this->require_decodable(vectors, executor);
            make_room(vectors.rows());
            while (done < vectors.rows() && !params.stop.stop_requested()) {
                const std::size_t n = std::min(stretch, vectors.rows() - done);
                this->encode_batch(vectors.rows(done, n), codes, executor);
                publish(ids.subspan(done, n), codes);
                done += n;
                if (params.progress) params.progress(done, vectors.rows());
            }
        } catch (...) {
            take_back(ids.first(done));
            throw;
        }
        if (done < vectors.rows()) this->give_back(done == 0);
        counted.add(done);
        learning->finish(done);
        return done;
    }

    void update(Id id, std::span<const float> vector) {
        const auto writing = this->lock_for_writing();
        auto lease = scratch.take();
        this->validate_vector(*lease, "vector", vector);
        const slot_t slot = directory.find(id);
        if (slot == no_slot) fail_missing(id, "update");
        learning_step<flat_state> learning(*this, std::span(&id, 1), this->sample_of(*lease), {});
        this->require_decodable(*lease, lease->query.span());
        this->encode_query(*lease);
        const auto publishing = locks.exclusive();
        this->put_row(slot, lease->code.data());
        counted.update();
        learning.keep(1);
    }

    bool remove(Id id) {
        const auto writing = this->lock_for_writing();
        const slot_t slot = directory.find(id);
        if (slot == no_slot) return false;
        {
            const auto publishing = locks.exclusive();
            erase(slot);
        }
        this->give_back();
        counted.remove();
        return true;
    }

    // ---- searches --------------------------------------------------------------------------------------------------

    std::size_t search(std::span<const float> query, std::span<neighbor<Id>> out, const params_type& params) const {
        return this->search_closest(query, out, params,
                                    [&](const auto& scorer, auto& buffers, auto& collector, auto& stats) {
                                        scan(scorer, buffers, params, collector, stats);
                                    });
    }

    [[nodiscard]] search_table<Id> search(matrix_view<const float> queries, std::size_t k,
                                          const params_type& params) const {
        if constexpr (base::one_by_one)
            return run_batch<Id>(queries, dim, k, params,
                                 [this](std::span<const float> query, std::span<neighbor<Id>> room,
                                        const params_type& how) { return search(query, room, how); });
        constexpr std::size_t panel = simd::tile<typename Isa::isa>::queries;
        const std::size_t together = queries_a_task(queries.rows(), flat_batch_size(dim), panel, params);
        return run_batch<Id>(
            queries, dim, k, params, together,
            [this](matrix_view<const float> some, auto room, std::span<std::size_t> found, const params_type& how) {
                search_closest_together(
                    *this, some, room, found, how,
                    [&](const query_table& prepared, auto& collectors, scratch_type& buffers, search_stats& stats) {
                        scan_flat_together<Isa>(*this, prepared, how, collectors, buffers, stats);
                    });
            });
    }

    [[nodiscard]] std::vector<neighbor<Id>> search_within(std::span<const float> query, float radius,
                                                          const params_type& params) const {
        require_radius(radius);
        std::vector<neighbor<Id>> hits = collect_within(query, radius, params);
        std::sort(hits.begin(), hits.end(), closer<Id>);
        return hits;
    }

    [[nodiscard]] neighbor_stream<Id> nearest(std::span<const float> query, const params_type& params) const {
        constexpr float everywhere = std::numeric_limits<float>::infinity();
        search_stats did;
        std::vector<neighbor<Id>> hits = collect_within(query, everywhere, params, &did);
        return neighbor_stream<Id>(std::make_unique<lazy>(*this, std::move(hits), did));
    }

    [[nodiscard]] check_report check() const {
        const auto reading = locks.shared();
        check_report report;
        this->check_directory(report);
        return report;
    }

    // ---- files -----------------------------------------------------------------------------------------------------

    static constexpr std::uint32_t kind = 1;
    template <class Parts>
    void write_parts(Parts& out) const {
        this->write_rows(out, std::make_shared<const std::vector<slot_t>>(this->slots_in_use()));
    }
    template <class Parts>
    void read_parts(const Parts& in) {
        this->read_rows(in);
        if (!in.thorough()) return;
        if (directory.retired() != 0) in.fail("a flat index has no retired rows");
        this->detach_from_file = [this] {
            this->copy_from_file(
                [this](const auto& copy) {
                    rows.for_each_store([&](auto& codes) { copy(codes.rows(), directory.high_water()); });
                },
                [] {});
        };
    }

  private:
    /// All rows were scored when the stream began; a heap yields them in order as they are asked for.
    class lazy final : public neighbor_stream<Id>::source {
      public:
        lazy(const flat_state& index, std::vector<neighbor<Id>> hits, const search_stats& did)
            : index_(index), hits_(std::move(hits)), did_(did) {
            std::make_heap(hits_.begin(), hits_.end(), farther);
        }
        bool next(neighbor<Id>& out) override {
            while (!hits_.empty()) {
                std::pop_heap(hits_.begin(), hits_.end(), farther);
                out = hits_.back();
                hits_.pop_back();
                if (index_.contains(out.id)) return true;
            }
            return false;
        }
        [[nodiscard]] search_stats stats() const override { return did_; }

      private:
        static bool farther(const neighbor<Id>& a, const neighbor<Id>& b) noexcept { return closer(b, a); }
        const flat_state& index_;
        std::vector<neighbor<Id>> hits_;
        search_stats did_;
    };

    [[nodiscard]] std::vector<neighbor<Id>> collect_within(std::span<const float> query, float radius,
                                                           const params_type& params,
                                                           search_stats* did = nullptr) const {
        auto lease = scratch.take();
        this->validate_vector(*lease, "query", query);
        const auto reading = locks.shared();
        call_stats stats(params.stats, lease->done);
        std::vector<neighbor<Id>> hits;
        const row_selector<Id> admits(directory, params.filter);
        radius_collector<Id> within(radius, hits, admits);
        if constexpr (base::two_levels || !base::scan_scorer_type::certain)
            scan(this->fine_scorer(*lease), *lease, params, within, stats.now);
        else
            scan(this->scorer_of_scan(*lease), *lease, params, within, stats.now);
        if (did != nullptr) *did = stats.now;
        return hits;
    }

    /// As reserve_extra, and what there was room for before is what there is room for if it throws.
    void make_room(std::size_t extra) {
        try {
            this->reserve_extra(extra);
        } catch (...) {
            this->give_back(true);
            throw;
        }
    }

    void publish(std::span<const Id> ids, const std::vector<std::byte>& codes) noexcept {
        const std::size_t together = this->rows_at_once();
        this->touch_rows(ids.size());
        for (std::size_t first = 0; first < ids.size(); first += together) {
            const auto publishing = locks.exclusive();
            for (std::size_t i = first; i < std::min(ids.size(), first + together); ++i) {
                this->put_row(directory.upcoming(0), codes.data() + i * this->code_bytes());
                directory.insert(ids[i]);
            }
        }
    }

    /// Takes out a batch's rows, added last; what was learned from it is then forgotten by its learning_step.
    void take_back(std::span<const Id> ids) noexcept {
        for (std::size_t left = ids.size(); left > 0;) {
            const auto publishing = locks.exclusive();
            for (std::size_t n = std::min(left, this->rows_at_once()); n > 0; --n) erase(directory.find(ids[--left]));
        }
        this->give_back(true);
    }
    /// The last row takes the place, so that searches look at live rows only.
    void erase(slot_t slot) noexcept {
        if (const slot_t moved = directory.remove_dense(slot); moved != no_slot)
            rows.for_each_store([&](auto& codes) {
                const std::byte* const from = codes.rows()[moved];
                std::copy_n(from, codes.rows().stride(), codes.rows()[slot]);
            });
    }

    template <class Scorer, class Collector>
    void scan(const Scorer& scorer, scratch_type& buffers, const params_type& params, Collector& collector,
              search_stats& stats) const {
        const auto check_stop = [&] { throw_if_stopped(params.stop); };
        if (this->list_few(params.filter, buffers.slots)) {
            stats.distances += buffers.slots.size();
            score_listed(scorer, std::span<const slot_t>(buffers.slots), collector, check_stop);
        } else {
            stats.distances += directory.high_water();
            scan_rows(scorer, scorer.rows(), directory.high_water(), collector, own_slot, buffers.bounds, check_stop);
        }
    }
};

}  // namespace detail

VICINAL_NAMESPACE_END
