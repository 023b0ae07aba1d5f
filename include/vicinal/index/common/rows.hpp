// The members by which hnsw still calls the functions beside this header. It goes when hnsw calls them itself.
#pragma once

#include <functional>  // for function

#include "vicinal/index/common/encoding.hpp"
#include "vicinal/index/common/files.hpp"
#include "vicinal/index/common/index_rows.hpp"
#include "vicinal/index/common/learning.hpp"
#include "vicinal/index/common/observers.hpp"
#include "vicinal/index/common/search.hpp"
#include "vicinal/index/common/training.hpp"
#include "vicinal/index/common/writing.hpp"

VICINAL_NAMESPACE_BEGIN

namespace detail {

template <class State>
struct member_recoding {
    using recoded_type = typename State::recoded_type;
    template <class Source>
    [[nodiscard]] static bool recode(const State& index, recoded_type& fresh, const Source& source,
                                     matrix_view<const float> to_come, executor_ref executor, clip_counts* clipped) {
        return index.recode(fresh, source, to_come, executor, clipped);
    }
    static void exchange(State& index, recoded_type& with) noexcept { index.exchange(with); }
    static void reserve(State& index, std::size_t extra) { index.reserve_codes(extra); }
    static void fit(State& index) noexcept { index.fit_codes(); }
    static void read_row(const State& index, slot_t slot, std::span<float> out) { index.read_row(slot, out); }
};

template <class Metric, class Codec, class Id, class Isa, class Scratch = row_scratch>
struct rows_base : index_rows<Metric, Codec, Id, Isa, Scratch> {
    using base_rows = index_rows<Metric, Codec, Id, Isa, Scratch>;
    using recoding = store_recoding<base_rows>;
    using recoded_type = typename recoding::recoded_type;
    using base_rows::base_rows;

    struct {
        const file_backing& of;
        operator bool() const noexcept { return of.viewed(); }
    } read_only{this->backing};
    struct {
        const file_backing& of;
        operator std::size_t() const noexcept { return of.memory(); }
    } file_memory{this->backing};
    std::function<void()> detach_from_file;

    std::size_t size() const { return live_rows(*this); }
    bool contains(Id id) const { return holds(*this, id); }
    slot_t find(Id id) const { return find_slot(static_cast<const base_rows&>(*this), id); }
    std::vector<float> get(Id id) const { return read_vector(*this, id); }
    memory_report memory() const { return memory_of_rows(*this); }
    index_counters counters() const { return read_counters(*this); }
    vicinal::codec_report codec_report() const { return report_codecs(*this); }
    void check_directory(check_report& report) const { detail::check_directory(*this, report); }
    index_locks::writer_lock lock_for_writing() {
        if (read_only) fail(errc::read_only, "the index is a view of a file and cannot be changed; load it instead");
        return this->locks.writer([this] {
            if (this->backing.loaded()) detach_from_file();
        });
    }
    template <class ForEach, class Place>
    void copy_from_file(const ForEach& for_each_array, const Place& place) {
        detail::copy_from_file(*this, for_each_array, place);
    }
    void validate_vector(Scratch& buffers, std::string_view what, std::span<const float> vector) const {
        detail::validate_vector(*this, buffers, what, vector);
    }
    void require_decodable(Scratch& buffers, std::span<const float> prepared) const {
        detail::require_decodable(*this, buffers, prepared);
    }
    void require_decodable(matrix_view<const float> vectors, executor_ref executor) const {
        detail::require_decodable(*this, vectors, executor);
    }
    void train(matrix_view<const float> vectors, const add_params& params) {
        const auto writing = lock_for_writing();
        train_codecs(*this, vectors, params);
    }
    template <class Source>
    bool recode(recoded_type& fresh, const Source& source, matrix_view<const float> to_come, executor_ref executor,
                clip_counts* clipped) const {
        return recoding::recode(*this, fresh, source, to_come, executor, clipped);
    }
    void exchange(recoded_type& with) noexcept { recoding::exchange(*this, with); }
    void reserve_codes(std::size_t extra) { recoding::reserve(*this, extra); }
    void fit_codes() noexcept { recoding::fit(*this); }
    void read_row(slot_t slot, std::span<float> out) const { recoding::read_row(*this, slot, out); }
    auto sample_of(matrix_view<const float> vectors) const { return detail::sample_of(*this, vectors); }
    auto sample_of(const Scratch& buffers) const { return detail::sample_of(buffers); }
    void reserve_extra(std::size_t extra) { detail::reserve_extra(*this, extra); }
    void touch_rows(std::size_t count) noexcept { detail::touch_rows(*this, count); }
    void give_back(bool at_once = false) noexcept { give_back_rows(*this, at_once); }
    std::size_t code_bytes() const noexcept { return detail::code_bytes(*this); }
    std::size_t rows_at_once() const noexcept { return rows_published_at_once(*this); }
    void encode_query(Scratch& buffers) const { detail::encode_query(*this, buffers); }
    void encode_batch(matrix_view<const float> vectors, std::vector<std::byte>& codes, executor_ref executor) const {
        detail::encode_batch(*this, vectors, codes, executor);
    }
    bool has_code(slot_t slot, const std::byte* code) const noexcept { return detail::has_code(*this, slot, code); }
    void put_row(slot_t slot, const std::byte* code) noexcept { detail::put_row(*this, slot, code); }
    auto coarse_scorer(Scratch& buffers) const { return make_coarse_scorer(*this, buffers); }
    auto walk_scorer_of_query(Scratch& buffers) const { return make_walk_scorer(*this, buffers); }
    auto fine_scorer(Scratch& buffers) const { return make_fine_scorer(*this, buffers); }
    template <class Collector>
    void rerank(Scratch& buffers, Collector& collector, search_stats& stats) const {
        detail::rerank(*this, buffers, collector, stats);
    }
    template <class Collector>
    void rerank_doubtful(Scratch& buffers, Collector& collector, search_stats& stats) const {
        detail::rerank_doubtful(*this, buffers, collector, stats);
    }
    bool list_few(const id_filter<Id>& filter, std::vector<slot_t>& slots) const {
        return detail::list_few(static_cast<const base_rows&>(*this), filter, slots);
    }
    std::size_t stored_rows() const noexcept { return detail::stored_rows(*this); }
    std::vector<slot_t> slots_in_use() const { return detail::slots_in_use(*this); }
    template <class Parts>
    void write_rows(Parts& out, std::shared_ptr<const std::vector<slot_t>> slots) const {
        detail::write_rows(*this, out, slots);
    }
    template <class T, class Sink, class Of>
    static void write_each(const std::vector<slot_t>& slots, const Sink& sink, Of of) {
        detail::write_each<T>(slots, sink, of);
    }
    template <class F>
    static void for_each_run(const std::vector<slot_t>& slots, F&& f) {
        detail::for_each_run(slots, f);
    }
    template <class Parts>
    void read_rows(const Parts& in) {
        detail::read_rows(*this, in);
    }
};

}  // namespace detail

VICINAL_NAMESPACE_END
