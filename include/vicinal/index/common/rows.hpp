// What the indexes that keep their rows in one store share: flat and hnsw.
#pragma once

#include <algorithm>    // for clamp, copy_n, equal, fill, max, min
#include <array>        // for array
#include <atomic>       // for atomic
#include <bit>          // for bit_cast, has_single_bit
#include <cstddef>      // for size_t, byte
#include <cstdint>      // for uint8_t, uint16_t, uint32_t, uint64_t
#include <functional>   // for function
#include <limits>       // for numeric_limits
#include <memory>       // for shared_ptr
#include <optional>     // for optional
#include <span>         // for span
#include <string>       // for string
#include <string_view>  // for string_view
#include <type_traits>  // for conditional_t, remove_cvref_t
#include <utility>      // for move, pair
#include <vector>       // for vector

#include "vicinal/core/top_k.hpp"
#include "vicinal/index/common/calls.hpp"
#include "vicinal/index/common/learning.hpp"
#include "vicinal/index/common/locks.hpp"
#include "vicinal/index/common/scratch_pool.hpp"
#include "vicinal/scoring/bounds_pca8.hpp"
#include "vicinal/scoring/bounds_rabitq.hpp"
#include "vicinal/scoring/prefilter_pq.hpp"
#include "vicinal/scoring/prefilter_sq.hpp"
#include "vicinal/scoring/scan.hpp"
#include "vicinal/scoring/scorer.hpp"
#include "vicinal/storage/code_store.hpp"
#include "vicinal/storage/id_map.hpp"
#include "vicinal/storage/validation.hpp"

VICINAL_NAMESPACE_BEGIN

namespace detail {

/// Buffers of one search over rows in a store.
struct row_scratch {
    padded_vector query;
    padded_vector decoded;
    padded_vector integers;
    std::vector<float> bounds;
    std::vector<neighbor<slot_t>> candidates;
    std::vector<std::uint64_t> keys;  // of candidates' reservoir
    std::vector<slot_t> slots;
    std::vector<std::byte> code;
    search_counts done;  ///< by searches that leased these buffers

    [[nodiscard]] std::size_t memory() const noexcept {
        return (query.span().size() + decoded.span().size() + integers.span().size() + bounds.capacity()) *
                   sizeof(float) +
               candidates.capacity() * sizeof(neighbor<slot_t>) + keys.capacity() * sizeof(std::uint64_t) +
               slots.capacity() * sizeof(slot_t) + code.capacity();
    }
};

/// How many coarse results a two-level scan keeps for the rerank.
[[nodiscard]] inline std::size_t rerank_width(std::size_t asked, std::size_t k, std::size_t live) noexcept {
    const std::size_t width = asked != 0 ? asked : (k > max_slots / 8 ? k : 4 * k + 32);
    return std::min(std::max(width, k), live);
}

inline void require_radius(float radius) {
    if ((std::bit_cast<std::uint32_t>(radius) & 0x7FFFFFFFU) > 0x7F800000U)  // NaN, whatever -ffast-math believes
        fail(errc::invalid_argument, "search_within: radius is NaN, it must be a number");
}

/// The codecs of a store, apart from it: taught beside readers, then exchanged, and exchanged again to go back.
template <class Store>
class codecs_of {
  public:
    explicit codecs_of(const Store& store) : coarse_(store.coarse().coder()), fine_(store) {}

    /// Teaches those that learn from prepared sample rows.
    void train(matrix_view<const float> prepared) {
        teach(coarse_, prepared);
        if constexpr (Store::two_levels) teach(fine_.codec, prepared);
    }
    void exchange(Store& store) noexcept {
        exchange(coarse_, store.coarse().coder());
        if constexpr (Store::two_levels) exchange(fine_.codec, store.fine().coder());
    }

  private:
    template <class Codec>
    static void teach(Codec& codec, matrix_view<const float> prepared) {
        if constexpr (trainable_codec<Codec>) codec.train(prepared);
    }
    template <class Codec>
    static void exchange(Codec& a, Codec& b) noexcept {
        if constexpr (trainable_codec<Codec>) {
            Codec kept = std::move(a);
            a = std::move(b);
            b = std::move(kept);
        }
    }
    struct fine_of_two {
        explicit fine_of_two(const Store& store) : codec(store.fine().coder()) {}
        typename Store::fine_codec codec;
    };
    struct no_fine {
        explicit no_fine(const Store&) {}
    };

    typename Store::coarse_codec coarse_;
    [[no_unique_address]] std::conditional_t<Store::two_levels, fine_of_two, no_fine> fine_;
};

/// The unsigned integer a codec's bytes are made of: what a big-endian machine swaps. Codecs say so by `word_size`.
template <class Codec>
struct code_word_of {
    static constexpr std::size_t size = [] {
        if constexpr (requires { Codec::word_size; })
            return std::size_t{Codec::word_size};
        else
            return std::size_t{1};
    }();
    static_assert(size == 1 || size == 2 || size == 4, "vicinal: a codec's word_size must be 1, 2 or 4");
    using type =
        std::conditional_t<size == 4, std::uint32_t, std::conditional_t<size == 2, std::uint16_t, std::uint8_t>>;
};
template <class Codec>
using code_word = typename code_word_of<Codec>::type;

/// Metric, rows, ids and the locks around them.
template <class Metric, class Codec, class Id, class Isa, class Scratch = row_scratch>
struct rows_base {
    using store_type = row_store<Codec>;
    using scratch_type = Scratch;
    static constexpr bool two_levels = store_type::two_levels;
    using coarse_scorer_type = scorer<Metric, typename store_type::coarse_codec, Isa>;
    using fine_scorer_type = scorer<Metric, typename store_type::fine_codec, Isa>;
    using scan_scorer_type = scan_scorer<Metric, typename store_type::coarse_codec, Isa>;

    rows_base(std::size_t dimension, row_spacing spacing)
        : dim(dimension), rows(dimension, spacing), learner(dimension), spacing_(spacing) {}

    std::size_t dim;
    [[no_unique_address]] Metric metric{};
    store_type rows;
    id_map<Id> directory;
    bool read_only = false;
    std::function<void()> verify_file;  ///< of a view: compares the whole file with its checksums
    std::shared_ptr<const void> file;   ///< what the rows lie in, of a view or until the first change after a load
    std::size_t file_memory = 0;        ///< bytes of it that are ours: none of a mapped one
    std::function<void()> detach_from_file;   ///< after a load: copies the rows into memory that can grow; strong guarantee
    mutable index_locks locks;
    mutable scratch_pool<Scratch> scratch;
    change_counts counted;
    mutable detail::learner<Id> learner;

    using id_type = Id;
    static constexpr std::size_t max_dimension = max_dim;
    [[nodiscard]] static std::string metric_name() { return std::string(std::string_view(Metric::name)); }
    [[nodiscard]] static std::string codec_name() { return store_type::name(); }

    // ---- observers -------------------------------------------------------------------------------------------------

    [[nodiscard]] std::size_t size() const {
        const auto reading = locks.shared();
        return directory.live();
    }
    [[nodiscard]] bool contains(Id id) const {
        const auto reading = locks.shared();
        return find(id) != no_slot;
    }
    /// The live row of `id`, or no_slot. While reading or writing.
    [[nodiscard]] slot_t find(Id id) const {
        if (read_only) table_.make([this] { const_cast<id_map<Id>&>(directory).build_table(); });
        return directory.find(id);
    }
    [[nodiscard]] std::vector<float> get(Id id) const {
        std::vector<float> vector(dim);
        const auto reading = locks.shared();
        const slot_t slot = find(id);
        if (slot == no_slot) fail_missing(id, "get");
        rows.fine().read(slot, vector);
        return vector;
    }
    [[nodiscard]] memory_report memory() const {
        const auto reading = locks.shared();
        memory_report report;
        rows.for_each_store([&](const auto& codes) {
            report.vectors += codes.rows().memory();
            report.reserved += codes.rows().reserved();
        });
        report.vectors += learner.exact_memory;
        report.reserved += learner.exact_memory;
        if (!read_only || table_.is_made()) {  // of a view, the table is all it owns
            report.ids = directory.memory();
            report.reserved += directory.reserved();
        }
        scratch.for_each_idle([&](const Scratch& s) { report.scratch += s.memory(); });
        report.total = file_memory + report.vectors + report.ids + report.scratch + sizeof(*this);
        report.reserved += file_memory + report.scratch + sizeof(*this);
        if (file_memory != 0) {
            rows.for_each_store([&](const auto& codes) { report.vectors += stored_rows() * codes.rows().stride(); });
            report.ids += stored_rows() * (sizeof(Id) + 1);
        }
        return report;
    }
    /// Searches count in the scratch they lease, so that none waits for another; those still running are not in yet.
    [[nodiscard]] index_counters counters() const {
        index_counters counters = counted.read();
        scratch.for_each_idle([&](const Scratch& s) {
            counters.searches += s.done.searches;
            counters.distances += s.done.stats.distances;
            counters.hops += s.done.stats.hops;
            counters.lists += s.done.stats.lists;
            counters.reranks += s.done.stats.reranks;
        });
        return counters;
    }
    [[nodiscard]] vicinal::codec_report codec_report() const {
        const auto reading = locks.shared();
        learning_report halves[2];
        std::size_t half = 0;
        rows.for_each_store([&](const auto& codes) {
            if constexpr (trainable_codec<std::remove_cvref_t<decltype(codes.coder())>>)
                halves[half] = learner.report(half, codes.coder().trained());
            else
                halves[half].trained = true;
            ++half;
        });
        return {halves[0], halves[two_levels ? 1 : 0]};
    }
    void check_directory(check_report& report) const {
        report.live = directory.live();
        report.retired = directory.retired();
        directory.for_each_live([&](slot_t slot) {
            if (find(directory.id(slot)) != slot) ++report.duplicate;
        });
    }

    // ---- writing ---------------------------------------------------------------------------------------------------

    /// throws  error: read_only; reentrant_call where a callback of a call on this index runs
    [[nodiscard]] index_locks::writer_lock lock_for_writing() {
        if (read_only) fail(errc::read_only, "the index is a view of a file and cannot be changed; load it instead");
        return locks.writer([this] {
            if (detach_from_file) detach_from_file();
        });
    }
    /// What detach_from_file does for arrays that `for_each_array(f)` names to f(rows, count) one by one. place(): the rest
    /// of it, with readers out; must not throw.
    template <class ForEach, class Place>
    void copy_from_file(const ForEach& for_each_array, const Place& place) {
        std::vector<std::pair<chunked_rows*, chunked_rows>> copies;
        const auto copy = [&](chunked_rows& array, std::size_t count) {
            copies.emplace_back(&array, array.owned(count));
        };
        directory.for_each_array(copy);
        for_each_array(copy);
        // What was in use goes when readers are in again: to give a file's memory back takes as long as it is large.
        std::shared_ptr<const void> left;
        const auto publishing = locks.exclusive();
        for (auto& [array, own] : copies) *array = std::move(own);
        place();
        left.swap(file);
        file_memory = 0;
        detach_from_file = nullptr;
    }
    /// Puts the vector, as the metric wants it, into scratch.query.
    void validate_vector(Scratch& buffers, std::string_view what, std::span<const float> vector) const {
        buffers.query.resize(dim);
        validate_and_prepare<Codec>(metric, what, vector, buffers.query.span());
    }
    /// The same for a query of a batch, into `out`.
    void validate_query(std::span<const float> query, std::span<float> out) const {
        validate_and_prepare<Codec>(metric, "query", query, out);
    }
    /// Refuses a prepared vector of which a codec would make one so much longer that distances could overflow: coarse
    /// steps over a range near the limit of admission can. Codecs are trained.
    void require_decodable(Scratch& buffers, std::span<const float> prepared) const {
        require_resolvable<Codec>("vector", prepared);
        rows.for_each_store([&](const auto& codes) { require_decodable_by(codes, buffers, prepared); });
    }
    template <class Store>
    void require_decodable_by(const Store& codes, Scratch& buffers, std::span<const float> prepared) const {
        if (keeps_admissible(codes.coder())) return;
        buffers.code.resize(codes.rows().row_bytes());
        buffers.decoded.resize(dim);
        codes.coder().encode(prepared, buffers.code);
        codes.coder().decode(buffers.code, buffers.decoded.span());
        require_stored<std::remove_cvref_t<decltype(codes.coder())>>(buffers.decoded.span());
    }
    template <class C>
    static void require_stored(std::span<const float> decoded) {
        if (!admissible_when_stored(sum_of_squares(decoded)))
            fail(errc::magnitude, "vector: codec " + std::string(std::string_view(C::name)) +
                                      " would round it to a sum of squares of " +
                                      std::to_string(sum_of_squares(decoded)) + ", that must not exceed FLT_MAX/6, " +
                                      std::to_string(std::numeric_limits<float>::max() / 6));
    }
    /// The same for each row of a checked batch, naming the row.
    void require_decodable(matrix_view<const float> vectors, executor_ref executor) const {
        bool all = true;
        rows.for_each_store([&](const auto& codes) { all = all && keeps_admissible(codes.coder()); });
        if (all) return;
        for_each_prepared(vectors, executor,
                          [&](Scratch& buffers) { require_decodable(buffers, buffers.query.span()); });
    }
    /// Calls check(buffers) for each row of a checked batch, admitted into buffers.query; says of which row it threw.
    template <class Check>
    void for_each_prepared(matrix_view<const float> vectors, executor_ref executor, const Check& check) const {
        constexpr std::size_t block = 256;
        parallel_for(executor, (vectors.rows() + block - 1) / block, [&](std::size_t b) {
            auto lease = scratch.take();
            for (std::size_t r = b * block; r < std::min(vectors.rows(), (b + 1) * block); ++r) {
                validate_vector(*lease, "vector", vectors[r]);
                try {
                    check(*lease);
                } catch (const error& e) {
                    fail_in_batch(e, r);
                }
            }
        });
    }
    using codecs_type = codecs_of<store_type>;
    void train(matrix_view<const float> vectors, const add_params& params) {
        const auto writing = lock_for_writing();
        const auto sample = training_sample(vectors);
        throw_if_stopped(params.stop);
        codecs_type taught(rows);
        taught.train(matrix_view<const float>(std::span<const float>(sample), dim));
        if (params.progress) params.progress(vectors.rows(), vectors.rows());  // what it throws must change nothing
        const auto publishing = locks.exclusive();
        taught.exchange(rows);
        learner.decided(vectors.rows());
    }

    // ---- learning on (index/detail/learning.hpp) -------------------------------------------------------------------

    /// What changes when codecs do.
    struct recoded_type : recoded_store<store_type> {
        explicit recoded_type(const rows_base& of) : recoded_store<store_type>(of.rows, of.spacing_) {}
        void reserve(std::size_t count) {
            this->for_each([&](auto& codes, std::size_t) { codes.reserve(count); });
        }
    };
    /// All rows by the codecs in `fresh`, which counts what they clip of live ones. Returns whether all can be decoded.
    template <class Source>
    [[nodiscard]] bool recode(recoded_type& fresh, const Source& source, matrix_view<const float>, executor_ref executor,
                              clip_counts* clipped) const {
        fresh.reserve(directory.high_water());
        fresh.for_each([&](auto& codes, std::size_t) { codes.rows().touch(directory.high_water()); });
        std::atomic<bool> good{true};
        source.for_each(executor, [&](slot_t slot, std::span<const float> row) {
            fresh.for_each([&](auto& codes, std::size_t half) {
                if (!write_decodable(codes, slot, row)) good = false;
                if (clipped != nullptr && directory.is_live(slot)) clipped->count(codes.coder(), half, row);
            });
        });
        return good;
    }
    /// Readers are out.
    void exchange(recoded_type& with) noexcept { with.exchange(rows); }
    void reserve_codes(std::size_t extra) {
        rows.for_each_store([&](auto& codes) { codes.reserve(directory.high_water_after(extra)); });
    }
    /// Gives back what that made room for.
    void fit_codes() noexcept {
        rows.for_each_store([&](auto& codes) { codes.rows().fit(directory.high_water()); });
    }
    void read_row(slot_t slot, std::span<float> out) const { rows.fine().read(slot, out); }
    /// How a learning_step gets at rows of a batch, and at the one in scratch.
    [[nodiscard]] auto sample_of(matrix_view<const float> vectors) const {
        return [this, vectors](std::size_t most) { return prepared_sample<Codec>(metric, vectors, most); };
    }
    [[nodiscard]] auto sample_of(const Scratch& buffers) const {
        return [&buffers](std::size_t) {
            const std::span<const float> row = buffers.query.span();
            return std::vector<float>(row.begin(), row.end());
        };
    }
    void count_clipped(std::span<const float> prepared) const noexcept {
        std::size_t half = 0;
        rows.for_each_store([&](const auto& codes) { learner.pending.count(codes.coder(), half++, prepared); });
    }

    /// The rows given to a call of train, prepared, or why that call cannot be.
    [[nodiscard]] std::vector<float> training_sample(matrix_view<const float> vectors) const {
        if (vectors.empty()) fail(errc::invalid_argument, "train: there are no sample rows");
        if (vectors.dim() != dim) fail_dimension("train: each row", vectors.dim(), dim);
        if (directory.live() + directory.retired() != 0)
            fail(errc::invalid_argument, "train: the index holds " + std::to_string(directory.live()) +
                                             " rows encoded with what was learned before; train before adding");
        return prepared_sample<Codec>(metric, vectors, vectors.rows());
    }
    /// Room for `extra` more rows, made beside readers; what they look ids up in is then exchanged, if it must be larger.
    /// Strong guarantee, up to a segment that `give_back` drops.
    void reserve_extra(std::size_t extra) {
        auto table = directory.prepare_extra(extra);
        reserve_codes(extra);
        exchange_table(table);
    }
    void exchange_table(std::vector<slot_t>& table) noexcept {
        if (table.empty()) return;
        const auto publishing = locks.exclusive();
        directory.exchange_table(table);
    }
    /// Has the system give memory for the next `count` rows, which nobody reads yet, so that putting them in place does
    /// not wait for it.
    void touch_rows(std::size_t count) noexcept {
        directory.touch(count);
        rows.for_each_store([&](auto& codes) { codes.rows().touch(directory.high_water_after(count)); });
    }
    /// Gives back memory that rows no longer need, when no reader knows of these rows any more. at_once  all of it; else
    /// what is so much that rows which come and go do not have it dropped and made again. Beside readers.
    void give_back(bool at_once = false) noexcept {
        rows.for_each_store([&](auto& codes) {
            at_once ? codes.rows().fit(directory.high_water()) : codes.rows().give_back(directory.high_water());
        });
        directory.fit(at_once);
        auto table = directory.smaller_table(at_once);
        exchange_table(table);
    }
    // Isa read past the end of a row and throw away what they find, so not even the row after one that is read may
    // be written: codes are made apart, and put in place while readers are out.

    /// Bytes of a row's code, by all codecs.
    [[nodiscard]] std::size_t code_bytes() const noexcept {
        std::size_t bytes = 0;
        rows.for_each_store([&](const auto& codes) { bytes += codes.rows().stride(); });
        return bytes;
    }
    /// A prepared vector's code, by all codecs.
    void encode_row(std::span<const float> prepared, std::byte* code) const {
        rows.for_each_store([&](const auto& codes) {
            const std::size_t used = codes.rows().row_bytes();
            codes.coder().encode(prepared, {code, used});
            std::fill(code + used, code + codes.rows().stride(), std::byte{0});
            code += codes.rows().stride();
        });
    }
    /// The code of the admitted vector in `buffers`, into buffers.code.
    void encode_query(Scratch& buffers) const {
        buffers.code.resize(code_bytes());
        encode_row(buffers.query.span(), buffers.code.data());
        count_clipped(buffers.query.span());
    }
    /// The codes of a checked batch.
    void encode_batch(matrix_view<const float> vectors, std::vector<std::byte>& codes, executor_ref executor) const {
        constexpr std::size_t block = 256;
        codes.resize(vectors.rows() * code_bytes());
        parallel_for(executor, (vectors.rows() + block - 1) / block, [&](std::size_t b) {
            auto lease = scratch.take();
            for (std::size_t r = b * block; r < std::min(vectors.rows(), (b + 1) * block); ++r) {
                validate_vector(*lease, "vector", vectors[r]);
                encode_row(lease->query.span(), codes.data() + r * code_bytes());
                count_clipped(lease->query.span());
            }
        });
    }
    /// Whether a row has that code.
    [[nodiscard]] bool has_code(slot_t slot, const std::byte* code) const noexcept {
        bool same = true;
        rows.for_each_store([&](const auto& codes) {
            same = same && std::equal(code, code + codes.rows().stride(), codes.rows()[slot]);
            code += codes.rows().stride();
        });
        return same;
    }
    /// Readers are out.
    void put_row(slot_t slot, const std::byte* code) noexcept {
        rows.for_each_store([&](auto& codes) {
            std::copy_n(code, codes.rows().stride(), codes.rows()[slot]);
            code += codes.rows().stride();
        });
    }

    /// Rows put in place at once, so that readers are out for a fraction of what a search takes.
    [[nodiscard]] std::size_t rows_at_once() const noexcept {
        constexpr std::size_t bytes = std::size_t{64} << 10;
        return std::clamp<std::size_t>(bytes / code_bytes(), 16, 1024);
    }

    // ---- scoring ---------------------------------------------------------------------------------------------------

    /// Scorers of the admitted query in `buffers`.
    [[nodiscard]] coarse_scorer_type coarse_scorer(Scratch& buffers) const {
        return {metric, rows.coarse(), buffers.query.data(), buffers.decoded};
    }
    /// For scans of many rows.
    [[nodiscard]] scan_scorer_type scorer_of_scan(Scratch& buffers) const {
        return {metric, rows.coarse(), buffers.query.data(), buffers.decoded, buffers.integers};
    }
    /// What a graph is walked by; its distances are only near the coarse codec's where `approximate_walk`.
    using walk_scorer_type = walk_scorer<Metric, typename store_type::coarse_codec, Isa>;
    static constexpr bool approximate_walk = !std::same_as<walk_scorer_type, coarse_scorer_type>;
    [[nodiscard]] walk_scorer_type walk_scorer_of_query(Scratch& buffers) const {
        return {metric, rows.coarse(), buffers.query.data(), buffers.decoded};
    }
    [[nodiscard]] fine_scorer_type fine_scorer(Scratch& buffers) const {
        return {metric, rows.fine(), buffers.query.data(), buffers.decoded};
    }
    /// Whether coarse codes bound the distances by fine ones, so that searches pass rows over and still are exact.
    static constexpr bool prunes = two_levels && bounds_distances<typename store_type::coarse_codec>;
    [[nodiscard]] auto scorer_by_bounds(Scratch& buffers) const {
        return bounding_scorer<Metric, typename store_type::coarse_codec, typename store_type::fine_codec, Isa>(
            metric, rows.coarse(), fine_scorer(buffers), buffers.query.data(), buffers.integers);
    }
    /// Whether candidates for the fine codec are found by tables alone.
    static constexpr bool estimates = two_levels && is_tabled<Metric, typename store_type::coarse_codec>;
    /// Whether searches of a batch are the single searches one by one.
    static constexpr bool one_by_one = prunes || estimates || !scan_scorer_type::certain;
    /// Scores the rows in buffers.slots again by the fine codec.
    template <class Collector>
    void rerank(Scratch& buffers, Collector& collector, search_stats& stats) const {
        stats.distances += buffers.slots.size();
        stats.reranks += buffers.slots.size();
        score_listed(fine_scorer(buffers), std::span<const slot_t>(buffers.slots), collector, [] {});
    }
    /// Scores the candidates in the order of their coarse distances. Stops when even twice the largest correction seen
    /// so far could bring none of those left under the threshold.
    template <class Collector>
    void rerank_doubtful(Scratch& buffers, Collector& collector, search_stats& stats) const {
        constexpr std::size_t group = 16;
        const auto scorer = fine_scorer(buffers);
        const auto& candidates = buffers.candidates;
        slot_t slots[group];
        float distances[group];
        float closer_than_said = 0;
        for (std::size_t first = 0; first < candidates.size(); first += group) {
            if (candidates[first].distance - 2 * closer_than_said > collector.threshold()) break;
            const std::size_t n = std::min(group, candidates.size() - first);
            for (std::size_t i = 0; i < n; ++i) {
                slots[i] = candidates[first + i].id;
                directory.prefetch(slots[i]);
            }
            scorer.score(slots, n, distances);
            stats.distances += n;
            stats.reranks += n;
            for (std::size_t i = 0; i < n; ++i)
                closer_than_said = std::max(closer_than_said, candidates[first + i].distance - distances[i]);
            push_all(collector, distances, n, [&](std::size_t i) { return slots[i]; });
        }
    }

    /// One search: scan(scorer, buffers, collector, stats) pushes rows scored by the coarse codec, of two levels the best of
    /// them are scored again. Where coarse codes bound distances, all that could be close is scored by the fine codec.
    template <class Params, class Scan>
    std::size_t search_closest(std::span<const float> query, std::span<neighbor<Id>> out, const Params& params,
                               Scan scan) const {
        auto lease = scratch.take();
        validate_vector(*lease, "query", query);
        const auto reading = locks.shared();
        call_stats stats(params.stats, lease->done);
        const row_selector<Id> admits(directory, params.filter);
        closest_collector<Id> closest(out, admits);
        if (out.empty()) return 0;
        using coarse_codec = typename store_type::coarse_codec;
        if constexpr (prunes) {
            const auto scorer = scorer_by_bounds(*lease);
            scan(scorer, *lease, closest, stats.now);
            stats.now.distances += scorer.measured();
            stats.now.reranks += scorer.measured();
            return closest.finish();
        }
        if constexpr (two_levels && is_sketched<Metric, coarse_codec>)
            if (params.rerank == 0) {
                sketch_scorer<Metric, coarse_codec, typename store_type::fine_codec, Isa> scorer(
                    scorer_of_scan(*lease), fine_scorer(*lease));
                scan(scorer, *lease, closest, stats.now);
                stats.now.distances += scorer.measured();
                stats.now.reranks += scorer.measured();
                return closest.finish();
            }
        if constexpr (two_levels) {
            const std::size_t width = rerank_width(params.rerank, out.size(), directory.live());
            lease->keys.resize(reservoir::room(width, directory.high_water()));
            candidate_collector<Id> wide(lease->keys, width, admits);
            if constexpr (estimates)
                scan(estimating_scorer<Metric, coarse_codec, Isa>(metric, rows.coarse(), lease->query.data(),
                                                                      lease->decoded, lease->integers),
                     *lease, wide, stats.now);
            else
                scan(scorer_of_scan(*lease), *lease, wide, stats.now);
            wide.finish(lease->slots);
            rerank(*lease, closest, stats.now);
        } else {
            scan(scorer_of_scan(*lease), *lease, closest, stats.now);
        }
        return closest.finish();
    }

    /// If the filter is a set of few ids, their rows into `slots`: scoring just these beats walking past the others.
    [[nodiscard]] bool list_few(const id_filter<Id>& filter, std::vector<slot_t>& slots) const {
        const id_set<Id>* const ids = filter.ids();
        if (ids == nullptr || ids->size() > directory.live() / 4) return false;
        slots.clear();
        for (const Id id : *ids)
            if (const slot_t slot = find(id); slot != no_slot) slots.push_back(slot);
        return true;
    }

    // ---- files -----------------------------------------------------------------------------------------------------

    /// The rows a file would hold: those in use, live or retired.
    [[nodiscard]] std::size_t stored_rows() const noexcept { return directory.live() + directory.retired(); }

    /// The rows in use, in order: row i of a file is slots_in_use()[i].
    [[nodiscard]] std::vector<slot_t> slots_in_use() const {
        std::vector<slot_t> slots;
        slots.reserve(stored_rows());
        for (std::size_t i = 0; i < directory.high_water(); ++i)
            if (directory.state(static_cast<slot_t>(i)) != row_state::free) slots.push_back(static_cast<slot_t>(i));
        return slots;
    }

    /// Names the parts every index of rows has: IDS_, STAT, LIVE, and for each store its codes and what its codec
    /// learned.
    template <class Parts>
    void write_rows(Parts& out, std::shared_ptr<const std::vector<slot_t>> slots) const {
        write_ids(out, slots);
        std::size_t which = 0;
        rows.for_each_store([&](const auto& codes) { write_store(out, codes, slots, which++); });
    }
    template <class Parts>
    void write_ids(Parts& out, std::shared_ptr<const std::vector<slot_t>> slots) const {
        const std::size_t n = slots->size();
        const std::uint64_t live = directory.live();
        out.numbers("LIVE", std::span(&live, 1));
        out.template stream<Id>("IDS_", n, [this, slots](const auto& sink) {
            write_each<Id>(*slots, sink, [this](slot_t slot) {
                return directory.is_live(slot) ? directory.id(slot) : Id{0};  // a retired row's id means nothing
            });
        });
        out.template stream<std::uint8_t>("STAT", n, [this, slots](const auto& sink) {
            write_each<std::uint8_t>(*slots, sink,
                                     [this](slot_t slot) { return static_cast<std::uint8_t>(directory.state(slot)); });
        });
    }
    /// The parts of one store, the `which`-th: COD0 and LRN0, or COD1 and LRN1.
    template <class Parts, class Store>
    void write_store(Parts& out, const Store& codes, std::shared_ptr<const std::vector<slot_t>> slots,
                     std::size_t which) const {
        using word = code_word<std::remove_cvref_t<decltype(codes.coder())>>;
        const std::size_t words = codes.rows().stride() / sizeof(word);
        out.template stream<word>(
            which == 0 ? "COD0" : "COD1", slots->size() * words, [&codes, slots, words](const auto& sink) {
                for_each_run(*slots, [&](slot_t first, std::size_t count) {
                    sink(std::span<const word>(reinterpret_cast<const word*>(codes.rows()[first]), count * words));
                });
            });
        write_learned(out, codes.coder(), which);
    }
    /// Gives `sink` of(slot) for each slot, many at a time.
    template <class T, class Sink, class Of>
    static void write_each(const std::vector<slot_t>& slots, const Sink& sink, Of of) {
        std::array<T, 1024> buffer;
        for (std::size_t first = 0; first < slots.size(); first += buffer.size()) {
            const std::size_t n = std::min(buffer.size(), slots.size() - first);
            for (std::size_t i = 0; i < n; ++i) buffer[i] = of(slots[first + i]);
            sink(std::span<const T>(buffer.data(), n));
        }
    }
    /// Calls f(first, count) for the longest runs of consecutive rows that lie in one piece of memory.
    template <class F>
    static void for_each_run(const std::vector<slot_t>& slots, F&& f) {
        const auto follows = [&](std::size_t i) {  // segments begin at powers of two
            return slots[i] == slots[i - 1] + 1 && !std::has_single_bit(slots[i]);
        };
        for (std::size_t i = 0, end = 0; i < slots.size(); i = end) {
            for (end = i + 1; end < slots.size() && follows(end);) ++end;
            f(slots[i], end - i);
        }
    }
    template <class Parts, class C>
    static void write_learned(Parts& out, const C& coder, std::size_t which) {
        if constexpr (trainable_codec<C>)
            out.bytes(which == 0 ? "LRN0" : "LRN1", coder.trained() ? coder.state() : std::vector<std::byte>());
    }

    /// Takes them back, where they lie. If `in` is thorough every row is checked, else nothing is looked at that grows
    /// with the rows.
    template <class Parts>
    void read_rows(const Parts& in) {
        const std::size_t n = read_ids(in);
        std::size_t which = 0;
        rows.for_each_store([&](auto& codes) { read_store(in, codes, n, which++); });
    }
    /// Returns how many rows there are.
    template <class Parts>
    std::size_t read_ids(const Parts& in) {
        if (in.rows() > max_slots)
            in.fail("it has " + std::to_string(in.rows()) + " rows, at most " + std::to_string(max_slots) +
                    " are possible");
        const auto n = static_cast<std::size_t>(in.rows());
        const auto live = in.template elements<std::uint64_t>("LIVE", 1)[0];
        const auto ids = in.template elements<Id>("IDS_", n);
        const auto states = in.template elements<std::uint8_t>("STAT", n);
        if (live > n) in.fail(std::to_string(live) + " of its " + std::to_string(n) + " rows are said to be live");
        directory.borrow(reinterpret_cast<const std::byte*>(ids.data()),
                         reinterpret_cast<const std::byte*>(states.data()), n, static_cast<std::size_t>(live));
        if (!in.thorough()) return n;
        std::size_t found = 0;
        for (std::size_t i = 0; i < n; ++i) {
            if (states[i] == static_cast<std::uint8_t>(row_state::live))
                ++found;
            else if (states[i] != static_cast<std::uint8_t>(row_state::retired) || ids[i] != Id{0})
                in.fail("row " + std::to_string(i) + " has state " + std::to_string(states[i]) + " and id " +
                        text_of(ids[i]) + ", which do not go together");
        }
        if (found != live) in.fail(std::to_string(found) + " of its rows are live, it says " + std::to_string(live));
        if (!directory.build_table(in.bytes())) in.fail("two of its rows have the same id");
        return n;
    }

    template <class Parts, class Store>
    void read_store(const Parts& in, Store& codes, std::size_t n, std::size_t which) {
        using word = code_word<std::remove_cvref_t<decltype(codes.coder())>>;
        read_learned(in, codes.coder(), which, n != 0);
        const std::size_t words = codes.rows().stride() / sizeof(word);
        const auto source = in.template elements<word>(which == 0 ? "COD0" : "COD1", std::uint64_t{n} * words);
        codes.rows().borrow(reinterpret_cast<const std::byte*>(source.data()));
        if (!in.thorough()) return;
        std::vector<float> decoded(dim);
        for (std::size_t i = 0; i < n; ++i)
            check_code(in, codes, reinterpret_cast<const std::byte*>(source.data() + i * words), i, decoded,
                       [&](std::span<const std::byte> code) { codes.coder().decode(code, decoded); });
    }
    /// required  whether the codec must have learned something
    template <class Parts, class C>
    static void read_learned(const Parts& in, C& coder, std::size_t which, bool required) {
        if constexpr (trainable_codec<C>) {
            const auto bytes = in.template elements<std::byte>(which == 0 ? "LRN0" : "LRN1");
            if ((required || !bytes.empty()) && !coder.restore(bytes))
                in.fail("what codec " + std::string(std::string_view(C::name)) + " learned is not a state of it");
        }
    }
    /// Refuses a code of row `i` that no admitted vector has. decode(code) decodes into `decoded`.
    template <class Parts, class Store, class Decode>
    static void check_code(const Parts& in, const Store& codes, const std::byte* code, std::size_t i,
                           const std::vector<float>& decoded, const Decode& decode) {
        for (std::size_t b = codes.rows().row_bytes(); b < codes.rows().stride(); ++b)
            if (code[b] != std::byte{0}) in.fail("the padding of row " + std::to_string(i) + " is not zero");
        const std::span<const std::byte> used(code, codes.rows().row_bytes());
        if constexpr (requires { codes.coder().well_formed(used); })
            if (!codes.coder().well_formed(used)) in.fail("row " + std::to_string(i) + " is no code of its codec");
        if constexpr (requires { requires std::remove_cvref_t<decltype(codes.coder())>::any_code_decodes; }) return;
        decode(used);
        if (!admissible_when_decoded(sum_of_squares(decoded)))
            in.fail("the vector of row " + std::to_string(i) +
                    " is not finite, or its sum of squares exceeds FLT_MAX/5");
    }

  private:
    row_spacing spacing_;
    lazy_part table_;  ///< of a view, the directory's
};

}  // namespace detail

VICINAL_NAMESPACE_END
