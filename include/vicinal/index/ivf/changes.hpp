// An inverted file's rows: how lists are learned, and how rows come, change and go.
#pragma once

#include <algorithm>    // for clamp, copy_n, fill, max, min, sort
#include <atomic>       // for atomic
#include <cmath>        // for sqrt
#include <cstddef>      // for size_t, byte
#include <cstdint>      // for uint32_t
#include <new>          // for bad_alloc
#include <optional>     // for optional
#include <span>         // for span
#include <string>       // for string
#include <string_view>  // for string_view
#include <type_traits>  // for remove_cvref_t
#include <utility>      // for move, swap
#include <vector>       // for vector

#include "vicinal/index/common/calls.hpp"
#include "vicinal/index/common/rows.hpp"
#include "vicinal/index/ivf/lists/clustering.hpp"
#include "vicinal/index/ivf/lists/lists.hpp"

VICINAL_NAMESPACE_BEGIN

namespace detail {

struct ivf_scratch : row_scratch {
    std::vector<std::uint32_t> probes;      // lists, closest first
    std::vector<std::uint64_t> probe_keys;  // of a reservoir, beside that of candidates

    [[nodiscard]] std::size_t memory() const noexcept {
        return row_scratch::memory() + probes.capacity() * sizeof(std::uint32_t) +
               probe_keys.capacity() * sizeof(std::uint64_t);
    }
};

/// Rows whose coarse codes lie in lists. The base's coarse store holds no rows, only the codec; of two levels, the fine
/// store has a row for each slot.
template <class Metric, class Codec, class Id, class Isa>
struct ivf_changes : rows_base<Metric, Codec, Id, Isa, ivf_scratch> {
    using base = rows_base<Metric, Codec, Id, Isa, ivf_scratch>;
    using typename base::scratch_type;
    using coarse_codec = typename base::store_type::coarse_codec;
    using fine_codec = typename base::store_type::fine_codec;
    using coarse_word = code_word<coarse_codec>;
    static constexpr bool centered = residual_codec<coarse_codec>;
    using base::counted, base::dim, base::directory, base::locks, base::metric, base::rows, base::scratch;

    ivf_params asked;
    ivf_centroids centroids;
    ivf_lists lists;
    chunked_array<ivf_place> places;  ///< of each slot; in a file, found when first needed

    explicit ivf_changes(std::size_t dimension, const ivf_params& how = {})
        : base(dimension, row_spacing::dense),
          asked(how),
          centroids(dimension),
          lists(rows.coarse().rows().stride()) {}

    // ---- codes of a list -------------------------------------------------------------------------------------------

    /// Whether codes are relative to their list's centroid. In files written without CDRV they are to the codec's own
    /// point.
    [[nodiscard]] bool about_centroids() const noexcept { return !centroids.derived().empty(); }
    /// What the codes of a list are relative to, if anything.
    [[nodiscard]] static center_of<coarse_codec> center_of_list(const coarse_codec& coder, const ivf_centroids& all,
                                                                std::size_t list) noexcept {
        if constexpr (centered)
            if (!all.derived().empty()) return all.center(list);
        return own_center(coder);
    }
    [[nodiscard]] center_of<coarse_codec> center_of_list(std::size_t list) const noexcept {
        return center_of_list(rows.coarse().coder(), centroids, list);
    }
    /// Has a scorer of coarse codes take those of a list for what they are.
    template <class Scorer>
    void set_list(Scorer& scorer, std::size_t list) const noexcept {
        if constexpr (centered)
            if (about_centroids()) scorer.relative_to(centroids.center(list));
    }
    void decode_coarse(std::size_t list, const std::byte* code, std::span<float> vector) const {
        decode_coarse(rows.coarse().coder(), center_of_list(list), code, vector);
    }
    void decode_coarse(const coarse_codec& coder, [[maybe_unused]] const center_of<coarse_codec>& center,
                       const std::byte* code, std::span<float> vector) const {
        const std::span<const std::byte> used(code, rows.coarse().rows().row_bytes());
        if constexpr (centered)
            coder.decode_about(center, used, vector);
        else
            coder.decode(used, vector);
    }

    // ---- training --------------------------------------------------------------------------------------------------

    [[nodiscard]] bool codecs_trained() const {
        bool any = false;
        rows.for_each_store([&](const auto& codes) {
            if constexpr (trainable_codec<std::remove_cvref_t<decltype(codes.coder())>>)
                any = any || codes.coder().trained();
        });
        return any;
    }

    void train(matrix_view<const float> vectors, const add_params& params) {
        const auto writing = this->lock_for_writing();
        const auto sample = this->training_sample(vectors);
        const matrix_view<const float> prepared(std::span<const float>(sample), dim);
        const call_executor executor(params.executor, params.threads, vectors.rows());
        const std::size_t count = lists_for(asked, prepared.rows());
        ivf_centroids learned = learn_centroids(metric, prepared, count, asked.seed, params, executor);
        derive(learned);
        ivf_lists fresh(lists.stride());
        fresh.reset(count);
        throw_if_stopped(params.stop);
        typename base::codecs_type taught(rows);
        taught.train(prepared);
        throw_if_stopped(params.stop);
        const auto publishing = locks.exclusive();
        taught.exchange(rows);
        this->learner.decided(vectors.rows());
        std::swap(centroids, learned);
        std::swap(lists, fresh);
    }

    // ---- learning on -----------------------------------------------------------------------------------------------

    /// What changes when codecs do: the codes in lists, what these are relative to, and of two levels the fine store.
    struct recoded_type : base::recoded_type {
        std::optional<ivf_lists> lists;  // if there are rows to encode again
        std::optional<ivf_centroids> centroids;  // if codes are relative to them
        explicit recoded_type(const ivf_changes& of) : base::recoded_type(of) {}
        void reserve([[maybe_unused]] std::size_t count) {
            if constexpr (base::two_levels && trainable_codec<fine_codec>) this->fine.store.reserve(count);
        }
    };
    template <class Source>
    [[nodiscard]] bool recode(recoded_type& fresh, const Source& source,
                              [[maybe_unused]] matrix_view<const float> to_come, executor_ref executor,
                              clip_counts* clipped) const {
        if constexpr (trainable_codec<coarse_codec>) fresh.lists = lists.owned();
        if constexpr (centered)
            if (about_centroids()) fresh.centroids = means_of_lists(source, to_come, executor);
        fresh.reserve(directory.high_water());
        if constexpr (base::two_levels && trainable_codec<fine_codec>)
            fresh.fine.store.rows().touch(directory.high_water());
        std::atomic<bool> good{true};
        source.for_each(executor, [&](slot_t slot, std::span<const float> row) {
            if (!recode_row(fresh, slot, row, clipped)) good = false;
        });
        return good;
    }
    /// Readers are out.
    void exchange(recoded_type& with) noexcept {
        base::exchange(with);
        if (with.lists) std::swap(lists, *with.lists);
        if (with.centroids) std::swap(centroids, *with.centroids);
    }
    void reserve_codes([[maybe_unused]] std::size_t extra) {
        if constexpr (base::two_levels) rows.fine().reserve(directory.high_water_after(extra));
    }
    void read_row(slot_t slot, std::span<float> out) const {
        if constexpr (base::two_levels)
            rows.fine().read(slot, out);
        else
            decode_coarse(places[slot].list, lists.code(places[slot]), out);
    }

    // ---- changes ---------------------------------------------------------------------------------------------------

    void add(Id id, std::span<const float> vector) {
        const auto writing = this->lock_for_writing();
        auto lease = scratch.take();
        this->validate_vector(*lease, "vector", vector);
        if (directory.find(id) != no_slot) fail_duplicate(id, " is in the index already; use update to change it");
        if (lists.size() == 0 && asked.lists <= 1) {
            add_batch(std::span<const Id>(&id, 1), {vector.data(), 1, dim}, {}, {});
            return;
        }
        require_lists("add");
        learning_step<ivf_changes> learning(*this, std::span(&id, 1), this->sample_of(*lease), {});
        const std::uint32_t list = encode_query(*lease);
        const std::vector<std::byte> fine = encode_fine(lease->query.span());
        make_room(1);
        touch_rows(1);
        std::vector<made_list> made = lists_with_room(std::span(&list, 1));
        const auto publishing = locks.exclusive();
        put_lists(made);
        enter(id, list, lease->code.data(), fine.data());
        counted.add(1);
        learning.keep(1);
    }

    std::size_t add(std::span<const Id> ids, matrix_view<const float> vectors, const add_params& params) {
        const auto writing = this->lock_for_writing();
        const call_executor executor(params.executor, params.threads, vectors.rows());
        check_batch<Codec>(metric, directory, dim, ids, vectors, executor);
        return add_batch(ids, vectors, params, executor);
    }

  private:
    /// Of a checked batch.
    std::size_t add_batch(std::span<const Id> ids, matrix_view<const float> vectors, const add_params& params,
                          executor_ref executor) {
        if (vectors.empty()) return 0;
        const bool fresh = lists.size() == 0;
        std::optional<what_was_learned> before;
        if (fresh) {
            before = train_on_batch(vectors, params, executor);
            if (!before) return 0;
        }
        std::size_t done = 0;
        std::optional<learning_step<ivf_changes>> learning;
        try {
            learning.emplace(*this, ids, this->sample_of(vectors), executor);
            require_rows_decodable(vectors, executor);
            add_stretches(ids, vectors, params, executor, done);
        } catch (...) {
            take_back(ids.first(done), before);
            throw;
        }
        if (done == 0) take_back({}, before);
        if (done < vectors.rows()) give_back();
        counted.add(done);
        learning->finish(done);
        return done;
    }

  public:
    void update(Id id, std::span<const float> vector) {
        const auto writing = this->lock_for_writing();
        auto lease = scratch.take();
        this->validate_vector(*lease, "vector", vector);
        const slot_t slot = directory.find(id);
        if (slot == no_slot) fail_missing(id, "update");
        require_lists("update");
        learning_step<ivf_changes> learning(*this, std::span(&id, 1), this->sample_of(*lease), {});
        const std::uint32_t list = encode_query(*lease);
        const std::vector<std::byte> fine = encode_fine(lease->query.span());
        const std::uint32_t before = places[slot].list;
        std::vector<made_list> made;
        if (list != before) made = lists_with_room(std::span(&list, 1));
        {
            const auto publishing = locks.exclusive();
            put_lists(made);
            if (list == before) {
                lists.rewrite(places[slot], lease->code.data());
            } else {
                leave_list(slot);
                join_list(slot, list, lease->code.data());
            }
            put_fine(slot, fine.data());
        }
        give_back_list(before, false);
        counted.update();
        learning.finish(1);
    }

    bool remove(Id id) {
        const auto writing = this->lock_for_writing();
        const slot_t slot = directory.find(id);
        if (slot == no_slot) return false;
        const std::uint32_t list = places[slot].list;
        {
            const auto publishing = locks.exclusive();
            erase(slot);
        }
        give_back_list(list, false);
        give_back();
        counted.remove();
        return true;
    }

  private:
    /// One row cannot teach several lists.
    void require_lists(std::string_view call) const {
        if (lists.size() == 0)
            fail(errc::not_trained, std::string(call) + ": the index has not learned its " +
                                        std::to_string(asked.lists) + " lists yet; add a batch or call train first");
    }
    /// Which of prepared rows each list takes.
    [[nodiscard]] std::vector<std::vector<std::uint32_t>> by_lists(matrix_view<const float> prepared,
                                                                   executor_ref executor) const {
        std::vector<float> padded(prepared.data(), prepared.data() + prepared.rows() * dim);
        padded.resize(padded.size() + simd::over_read / sizeof(float));
        std::vector<std::uint32_t> list_of(prepared.rows());
        assign_lists<Metric, Isa>(centroids, matrix_view<const float>(padded.data(), prepared.rows(), dim), list_of,
                                      executor);
        std::vector<std::vector<std::uint32_t>> rows_of(lists.size());
        for (std::uint32_t r = 0; r < list_of.size(); ++r) rows_of[list_of[r]].push_back(r);
        return rows_of;
    }
    /// The centroids as they would be of the rows that are in their lists, or will be, of which at most 1024 evenly
    /// spaced ones count. Lists without any keep theirs.
    template <class Source>
    [[nodiscard]] ivf_centroids means_of_lists(const Source& source, matrix_view<const float> to_come,
                                               executor_ref executor) const {
        constexpr std::size_t most = 1024;
        const std::vector<std::vector<std::uint32_t>> arriving = by_lists(to_come, executor);
        const matrix_view<const float> now = centroids.matrix();
        std::vector<float> values(now.data(), now.data() + now.rows() * dim);
        parallel_for(executor, lists.size(), [&](std::size_t l) {
            const ivf_rows list = lists[l];
            const std::size_t all = list.size + arriving[l].size();
            const std::size_t count = std::min(all, most);
            if (count == 0) return;
            std::vector<float> members(count * dim);
            for (std::size_t i = 0; i < count; ++i) {
                const std::size_t member = i * all / count;
                const std::span<float> row = std::span(members).subspan(i * dim, dim);
                if (member < list.size)
                    source.read(list.slots[member], row);
                else
                    std::copy_n(to_come[arriving[l][member - list.size]].data(), dim, row.data());
            }
            const ordinary_rows ordinary(matrix_view<const float>(std::span<const float>(members), dim), 1);
            const std::span<float> centroid = std::span(values).subspan(l * dim, dim);
            const double spread = mean_and_spread(ordinary, centroid);
            finish_centroid(metric, centroid, spread);
        });
        ivf_centroids made = ivf_centroids::copy_of(values, dim);
        derive(made);
        return made;
    }
    /// A row of the index by the codecs in `fresh`, in the list it is in; returns whether it can be decoded.
    bool recode_row(recoded_type& fresh, slot_t slot, std::span<const float> row, clip_counts* clipped) const {
        bool good = true;
        if constexpr (trainable_codec<coarse_codec>) {
            std::vector<std::byte> code(lists.stride());
            const coarse_codec& coder = fresh.coarse.store.coder();
            const auto center = center_of_list(coder, fresh.centroids ? *fresh.centroids : centroids, places[slot].list);
            encode_coarse(coder, center, row, code.data());
            fresh.lists->rewrite(places[slot], code.data());
            std::vector<float> decoded(dim);
            decode_coarse(coder, center, code.data(), decoded);
            good = admissible_when_stored(sum_of_squares(decoded));
        }
        if constexpr (base::two_levels && trainable_codec<fine_codec>)
            good = write_decodable(fresh.fine.store, slot, row) && good;
        if (clipped != nullptr)
            fresh.for_each([&](auto& codes, std::size_t half) { clipped->count(codes.coder(), half, row); });
        return good;
    }

    struct what_was_learned {
        ivf_centroids centroids;
        ivf_lists lists;
    };
    /// Learns lists from a checked batch. Returns what this replaced; nothing, and changes
    /// nothing, if stopped.
    std::optional<what_was_learned> train_on_batch(matrix_view<const float> vectors, const add_params& params,
                                                   executor_ref executor) {
        add_params quiet = params;
        quiet.progress = {};  // the caller counts rows added, not iterations
        const std::size_t count = lists_for(asked, vectors.rows());
        ivf_centroids learned(dim);
        try {
            const auto sample =
                prepared_sample<Codec>(metric, vectors, std::max(codec_training_rows, count * training_rows_per_list));
            learned = learn_centroids(metric, matrix_view<const float>(std::span<const float>(sample), dim), count,
                                      asked.seed, quiet, executor);
        } catch (const error& e) {
            if (e.code() == errc::cancelled && params.stop.stop_requested()) return std::nullopt;
            throw;
        }
        derive(learned);
        what_was_learned both{std::move(learned), ivf_lists(lists.stride())};
        both.lists.reset(count);
        const auto publishing = locks.exclusive();
        std::swap(centroids, both.centroids);
        std::swap(lists, both.lists);
        return both;
    }

    /// Undoes a batch: its rows, added last and so the last of all and of their lists, and its lists; what codecs learned
    /// is then forgotten by its learning_step.
    void take_back(std::span<const Id> ids, std::optional<what_was_learned>& before) noexcept {
        for (std::size_t left = ids.size(); left > 0;) {
            const auto publishing = locks.exclusive();
            for (std::size_t n = std::min(left, this->rows_at_once()); n > 0; --n) erase(directory.find(ids[--left]));
        }
        if (before) {
            const auto publishing = locks.exclusive();
            std::swap(centroids, before->centroids);
            std::swap(lists, before->lists);
        }
        for (std::size_t l = 0; l < lists.size(); ++l) give_back_list(l, true);
        give_back(true);
    }

    /// Room for so many more rows everywhere but in the lists, made beside readers. Strong guarantee.
    void make_room(std::size_t extra) {
        try {
            auto table = directory.prepare_extra(extra);
            places.reserve(directory.high_water_after(extra));
            reserve_codes(extra);
            this->exchange_table(table);
        } catch (...) {
            give_back(true);
            throw;
        }
    }
    /// As touch_rows of every index of rows; lists are touched when they are made or known to grow.
    void touch_rows(std::size_t count) noexcept {
        directory.touch(count);
        places.touch(directory.high_water_after(count));
        if constexpr (base::two_levels) rows.fine().rows().touch(directory.high_water_after(count));
    }
    /// As give_back of every index of rows.
    void give_back(bool at_once = false) noexcept {
        at_once ? places.rows().fit(directory.high_water()) : places.rows().give_back(directory.high_water());
        base::give_back(at_once);
    }
    void give_back_list(std::size_t list, bool at_once) noexcept {
        if (!lists.has_slack(list, at_once)) return;
        try {
            ivf_lists::piece smaller = lists.without_slack(list);
            const auto publishing = locks.exclusive();
            lists.exchange(list, smaller);
        } catch (const std::bad_alloc&) {  // it is as good as before
        }
    }

    /// A list in memory of another size.
    struct made_list {
        std::uint32_t list;
        ivf_lists::piece rows;
    };
    /// Those lists made anew that have no room for the rows to come, each for one of `list_of`; all are touched.
    [[nodiscard]] std::vector<made_list> lists_with_room(std::span<const std::uint32_t> list_of) {
        std::vector<std::uint32_t> sorted(list_of.begin(), list_of.end());
        std::sort(sorted.begin(), sorted.end());
        std::vector<made_list> made;
        for (std::size_t first = 0, last = 0; first < sorted.size(); first = last) {
            const std::uint32_t list = sorted[first];
            while (last < sorted.size() && sorted[last] == list) ++last;
            const std::size_t wanted = lists[list].size + (last - first);
            if (lists.lacks_room(list, wanted)) {
                made.push_back({list, lists.grown(list, wanted)});
                lists.touch(made.back().rows, wanted);
            } else {
                lists.touch(list, wanted);
            }
        }
        return made;
    }
    /// Puts them in place. Readers are out.
    void put_lists(std::span<made_list> made) noexcept {
        for (made_list& each : made) lists.exchange(each.list, each.rows);
    }

    void derive(ivf_centroids& learned) const {
        if constexpr (centered) learned.derive(rows.coarse().coder());
    }

    /// The code of the admitted vector in `buffers` into buffers.code; returns its list.
    /// throws  error{magnitude} if the vector cannot be decoded from its codes
    [[nodiscard]] std::uint32_t encode_query(scratch_type& buffers) const {
        const std::uint32_t list = assign_list<Metric, Isa>(centroids, buffers.query.data(), buffers.decoded);
        require_decodable_in(list, buffers);
        buffers.code.resize(lists.stride());
        encode_coarse(list, buffers.query.span(), buffers.code.data());
        this->count_clipped(buffers.query.span());
        return list;
    }
    /// As require_decodable of every index of rows, of the admitted vector in `buffers`.
    void require_decodable_in(std::uint32_t list, scratch_type& buffers) const {
        require_resolvable<Codec>("vector", buffers.query.span());
        if constexpr (centered) {
            if (about_centroids()) {
                if constexpr (base::two_levels) this->require_decodable_by(rows.fine(), buffers, buffers.query.span());
                if (keeps_admissible_about(centroids.matrix()[list])) return;
                buffers.code.resize(lists.stride());
                buffers.decoded.resize(dim);
                encode_coarse(list, buffers.query.span(), buffers.code.data());
                decode_coarse(list, buffers.code.data(), buffers.decoded.span());
                base::template require_stored<coarse_codec>(buffers.decoded.span());
                return;
            }
        }
        this->require_decodable(buffers, buffers.query.span());
    }
    [[nodiscard]] bool keeps_admissible_about(std::span<const float> centroid) const noexcept {
        const double length = std::sqrt(double{sum_of_squares(centroid)});
        return leaves_admissible(rows.coarse().coder().largest_squares_about(length));
    }
    /// The same for each row of a checked batch, naming the row.
    void require_rows_decodable(matrix_view<const float> vectors, executor_ref executor) const {
        bool all = true;
        if constexpr (centered) {
            if (about_centroids()) {
                if constexpr (base::two_levels) all = keeps_admissible(rows.fine().coder());
                for (std::size_t c = 0; c < centroids.size(); ++c)
                    all = all && keeps_admissible_about(centroids.matrix()[c]);
                if (all) return;
                this->for_each_prepared(vectors, executor, [&](scratch_type& buffers) {
                    require_decodable_in(assign_list<Metric, Isa>(centroids, buffers.query.data(), buffers.decoded),
                                         buffers);
                });
                return;
            }
        }
        this->require_decodable(vectors, executor);
    }
    /// The code in the fine store of two levels; else nothing.
    [[nodiscard]] std::vector<std::byte> encode_fine(std::span<const float> prepared) const {
        std::vector<std::byte> code;
        if constexpr (base::two_levels) {
            code.resize(fine_stride());
            encode_fine(prepared, code.data());
        }
        return code;
    }
    [[nodiscard]] std::size_t fine_stride() const noexcept {
        return base::two_levels ? rows.fine().rows().stride() : 0;
    }
    void encode_fine(std::span<const float> prepared, std::byte* code) const {
        const std::size_t used = rows.fine().rows().row_bytes();
        rows.fine().coder().encode(prepared, {code, used});
        std::fill(code + used, code + fine_stride(), std::byte{0});
    }
    /// Readers are out.
    void put_fine(slot_t slot, const std::byte* code) noexcept {
        if constexpr (base::two_levels) std::copy_n(code, fine_stride(), rows.fine().rows()[slot]);
    }
    void encode_coarse(std::size_t list, std::span<const float> prepared, std::byte* code) const {
        encode_coarse(rows.coarse().coder(), center_of_list(list), prepared, code);
    }
    void encode_coarse(const coarse_codec& coder, [[maybe_unused]] const center_of<coarse_codec>& center,
                       std::span<const float> prepared, std::byte* code) const {
        const std::size_t used = rows.coarse().rows().row_bytes();
        if constexpr (centered)
            coder.encode_residual(center, prepared, {code, used});
        else
            coder.encode(prepared, {code, used});
        std::fill(code + used, code + lists.stride(), std::byte{0});
    }

    /// Rows on their way into the index.
    struct stretch {
        std::vector<float> prepared;
        std::vector<std::byte> codes;
        std::vector<std::byte> fine;  // of two levels
        std::vector<std::uint32_t> list_of;
    };

    /// Counts the rows added in `done`, also when it throws.
    void add_stretches(std::span<const Id> ids, matrix_view<const float> vectors, const add_params& params,
                       executor_ref executor, std::size_t& done) {
        make_room(vectors.rows());
        // Rows between two looks at stop and progress: many enough for the matrix product, in a few MiB.
        const std::size_t most = std::clamp<std::size_t>((std::size_t{1} << 22) / dim, 1024, 16384);
        stretch ready;
        while (done < vectors.rows() && !params.stop.stop_requested()) {
            const std::size_t n = std::min(most, vectors.rows() - done);
            prepare(vectors.rows(done, n), ready, executor);
            for (const std::size_t end = done + n; done < end;) {
                const std::size_t some = std::min(this->rows_at_once(), end - done);
                publish(ids.subspan(done, some), ready, n - (end - done));
                done += some;
            }
            if (params.progress) params.progress(done, vectors.rows());
        }
    }
    void prepare(matrix_view<const float> vectors, stretch& ready, executor_ref executor) const {
        constexpr std::size_t block = 256;
        const std::size_t n = vectors.rows();
        ready.prepared.resize(n * dim + simd::over_read / sizeof(float));
        ready.codes.resize(n * lists.stride());
        ready.fine.resize(n * fine_stride());
        ready.list_of.resize(n);
        const auto for_each_row = [&](const auto& f) {
            parallel_for(executor, (n + block - 1) / block, [&](std::size_t b) {
                for (std::size_t r = b * block; r < std::min(n, (b + 1) * block); ++r)
                    f(r, std::span(ready.prepared).subspan(r * dim, dim));
            });
        };
        for_each_row([&](std::size_t r, std::span<float> row) { validate_and_prepare<Codec>(metric, "vector", vectors[r], row); });
        assign_lists<Metric, Isa>(centroids, matrix_view<const float>(ready.prepared.data(), n, dim), ready.list_of,
                                      executor);
        for_each_row([&](std::size_t r, std::span<const float> row) {
            encode_coarse(ready.list_of[r], row, ready.codes.data() + r * lists.stride());
            if constexpr (base::two_levels) encode_fine(row, ready.fine.data() + r * fine_stride());
            this->count_clipped(row);
        });
    }
    /// Puts those rows of a stretch in place that begin with row `first`.
    void publish(std::span<const Id> ids, const stretch& ready, std::size_t first) {
        touch_rows(ids.size());
        std::vector<made_list> made = lists_with_room(std::span(ready.list_of).subspan(first, ids.size()));
        const auto publishing = locks.exclusive();
        put_lists(made);
        for (std::size_t i = 0; i < ids.size(); ++i)
            enter(ids[i], ready.list_of[first + i], ready.codes.data() + (first + i) * lists.stride(),
                  ready.fine.data() + (first + i) * fine_stride());
    }

    /// code  by the codec of the lists
    /// fine  of two levels, by the other
    void enter(Id id, std::uint32_t list, const std::byte* code, const std::byte* fine) noexcept {
        const slot_t slot = directory.insert(id);
        put_fine(slot, fine);
        join_list(slot, list, code);
    }
    void join_list(slot_t slot, std::uint32_t list, const std::byte* code) noexcept {
        places[slot] = {list, lists.append(list, slot, code)};
    }
    void leave_list(slot_t slot) noexcept {
        if (const slot_t moved = lists.erase(places[slot]); moved != no_slot) places[moved] = places[slot];
    }
    /// The last row takes the number.
    void erase(slot_t slot) noexcept {
        leave_list(slot);
        const slot_t moved = directory.remove_dense(slot);
        if (moved == no_slot) return;
        places[slot] = places[moved];
        lists.renumber(places[slot], slot);
        if constexpr (base::two_levels) put_fine(slot, rows.fine().rows()[moved]);
    }
};

}  // namespace detail

VICINAL_NAMESPACE_END
