// What the indexes that keep their rows in one store share: flat and hnsw.
#pragma once

#include <algorithm>  // for max, min
#include <bit>        // for bit_cast
#include <cstddef>    // for size_t
#include <cstdint>    // for uint32_t
#include <mutex>      // for unique_lock
#include <span>       // for span
#include <string>     // for string
#include <vector>     // for vector

#include "vicinal/core/top_k.hpp"
#include "vicinal/index/detail/access.hpp"
#include "vicinal/index/detail/calls.hpp"
#include "vicinal/index/detail/sinks.hpp"
#include "vicinal/storage/admission.hpp"
#include "vicinal/storage/code_store.hpp"
#include "vicinal/storage/id_directory.hpp"
#include "vicinal/storage/scorer.hpp"

VICINAL_NAMESPACE_BEGIN

namespace detail {

/// Buffers of one search over rows in a store.
struct row_scratch {
    padded_vector query;
    padded_vector decoded;
    std::vector<neighbor<slot_t>> candidates;
    std::vector<slot_t> slots;

    [[nodiscard]] std::size_t memory() const noexcept {
        return (query.span().size() + decoded.span().size()) * sizeof(float) +
               candidates.capacity() * sizeof(neighbor<slot_t>) + slots.capacity() * sizeof(slot_t);
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

/// Teaches every untrained codec of `rows` from prepared sample rows. Works on copies, so a failure changes nothing.
template <class Store>
void train_codecs(Store& store, matrix_view<const float> prepared) {
    store.for_each_store([&](auto& codes) {
        using codec_type = std::remove_cvref_t<decltype(codes.coder())>;
        if constexpr (trainable_codec<codec_type>) {
            codec_type taught = codes.coder();
            taught.train(prepared);
            codes.coder() = std::move(taught);
        }
    });
}

inline constexpr std::size_t codec_training_rows = 65536;

/// Metric, rows, ids and the gate around them.
template <class Metric, class Codec, class Id, class Kernels, class Scratch = row_scratch>
struct rows_base {
    using store_type = row_store<Codec>;
    using scratch_type = Scratch;
    static constexpr bool two_levels = store_type::two_levels;
    using coarse_scorer_type = scorer<Metric, typename store_type::coarse_codec, Kernels>;
    using fine_scorer_type = scorer<Metric, typename store_type::fine_codec, Kernels>;

    rows_base(std::size_t dimension, row_spacing spacing) : dim(dimension), rows(dimension, spacing) {}

    std::size_t dim;
    [[no_unique_address]] Metric metric{};
    store_type rows;
    id_directory<Id> directory;
    bool read_only = false;
    mutable access_gate gate;
    mutable scratch_pool<Scratch> scratch;

    // ---- observers -------------------------------------------------------------------------------------------------

    [[nodiscard]] std::size_t size() const {
        const auto reading = gate.reading();
        return directory.live();
    }
    [[nodiscard]] bool contains(Id id) const {
        const auto reading = gate.reading();
        return directory.find(id) != no_slot;
    }
    [[nodiscard]] std::vector<float> get(Id id) const {
        std::vector<float> vector(dim);
        const auto reading = gate.reading();
        const slot_t slot = directory.find(id);
        if (slot == no_slot) fail_missing(id, "get");
        rows.fine().read(slot, vector);
        return vector;
    }
    [[nodiscard]] memory_report memory() const {
        const auto reading = gate.reading();
        memory_report report;
        rows.for_each_store([&](const auto& codes) { report.vectors += codes.rows().memory(); });
        report.ids = directory.memory();
        scratch.for_each_idle([&](const Scratch& s) { report.scratch += s.memory(); });
        report.total = report.vectors + report.ids + report.scratch + sizeof(*this);
        return report;
    }
    void check_directory(check_report& report) const {
        report.live = directory.live();
        report.retired = directory.retired();
        directory.for_each_live([&](slot_t slot) {
            if (directory.find(directory.id(slot)) != slot) ++report.duplicate;
        });
    }

    // ---- writing ---------------------------------------------------------------------------------------------------

    [[nodiscard]] std::unique_lock<std::mutex> begin_writing() {
        if (read_only) fail(errc::read_only, "the index is a view of a file and cannot be changed; load it instead");
        return gate.writing();
    }
    /// Puts the vector, as the metric wants it, into scratch.query.
    void admit_vector(Scratch& buffers, std::string_view what, std::span<const float> vector) const {
        buffers.query.resize(dim);
        admit<Codec>(metric, what, vector, buffers.query.span());
    }
    void require_trained(std::string_view call) const {
        if (needs_training(rows))
            fail(errc::not_trained, std::string(call) + ": codec " + store_type::name() +
                                        " learns its range from data; add a batch or call train first");
    }
    void train_if_needed(matrix_view<const float> vectors) {
        if (!needs_training(rows)) return;
        const auto sample = prepared_sample<Codec>(metric, vectors, codec_training_rows);
        const auto publishing = gate.publishing();
        train_codecs(rows, matrix_view<const float>(std::span<const float>(sample), dim));
    }
    void train(matrix_view<const float> vectors, const add_params&) {
        const auto writing = begin_writing();
        if (vectors.empty()) fail(errc::invalid_argument, "train: there are no sample rows");
        if (vectors.dim() != dim) fail_dimension("train: each row", vectors.dim(), dim);
        if (directory.live() + directory.retired() != 0)
            fail(errc::invalid_argument, "train: the index holds " + std::to_string(directory.live()) +
                                             " rows encoded with what was learned before; train before adding");
        const auto sample = prepared_sample<Codec>(metric, vectors, vectors.rows());
        const auto publishing = gate.publishing();
        train_codecs(rows, matrix_view<const float>(std::span<const float>(sample), dim));
    }
    void reserve_extra(std::size_t extra) {
        directory.reserve_extra(extra);
        rows.for_each_store([&](auto& codes) { codes.reserve(directory.high_water() + extra); });
    }
    /// Encodes a prepared vector into row `slot`.
    void write_row(slot_t slot, std::span<const float> prepared) {
        rows.for_each_store([&](auto& codes) { codes.write(slot, prepared); });
    }
    /// Encodes a checked batch into the rows its ids will get. Nobody reads them before that.
    void encode_upcoming(matrix_view<const float> vectors, executor_ref executor) {
        constexpr std::size_t block = 256;
        parallel_for(executor, (vectors.rows() + block - 1) / block, [&](std::size_t b) {
            auto lease = scratch.take();
            for (std::size_t r = b * block; r < std::min(vectors.rows(), (b + 1) * block); ++r) {
                admit_vector(*lease, "vector", vectors[r]);
                write_row(directory.upcoming(r), lease->query.span());
            }
        });
    }

    // ---- scoring ---------------------------------------------------------------------------------------------------

    /// Scorers of the admitted query in `buffers`.
    [[nodiscard]] coarse_scorer_type coarse_scorer(Scratch& buffers) const {
        return {metric, rows.coarse(), buffers.query.data(), buffers.decoded};
    }
    [[nodiscard]] fine_scorer_type fine_scorer(Scratch& buffers) const {
        return {metric, rows.fine(), buffers.query.data(), buffers.decoded};
    }
    template <class Scorer>
    [[nodiscard]] std::size_t rows_per_chunk(const Scorer&) const noexcept {
        if constexpr (std::same_as<Scorer, coarse_scorer_type>)
            return rows.coarse().rows().rows_per_chunk();
        else
            return rows.fine().rows().rows_per_chunk();
    }

    /// Scores the first `count` candidates again by the fine codec.
    template <class Sink>
    void rerank(Scratch& buffers, std::size_t count, Sink& sink, search_stats& stats) const {
        buffers.slots.clear();
        for (std::size_t i = 0; i < count; ++i) buffers.slots.push_back(buffers.candidates[i].id);
        stats.distances += count;
        stats.reranks += count;
        score_listed(fine_scorer(buffers), std::span<const slot_t>(buffers.slots), sink, [] {});
    }

    /// If the filter is a set of few ids, their rows into `slots`: scoring just these beats walking past the others.
    [[nodiscard]] bool list_few(const id_filter<Id>& filter, std::vector<slot_t>& slots) const {
        const id_set<Id>* const ids = filter.ids();
        if (ids == nullptr || ids->size() > directory.live() / 4) return false;
        slots.clear();
        for (const Id id : *ids)
            if (const slot_t slot = directory.find(id); slot != no_slot) slots.push_back(slot);
        return true;
    }
};

}  // namespace detail

VICINAL_NAMESPACE_END
