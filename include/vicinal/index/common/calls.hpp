// SPDX-License-Identifier: MIT
// The calls that every index has in the same words.
#pragma once

#include <algorithm>    // for min, remove_if
#include <concepts>     // for derived_from, same_as
#include <cstddef>      // for size_t
#include <ranges>       // for contiguous_range, range_value_t
#include <span>         // for span
#include <type_traits>  // for remove_cvref_t
#include <utility>      // for forward
#include <vector>       // for vector

#include "vicinal/core/rows_view.hpp"
#include "vicinal/core/vector_view.hpp"
#include "vicinal/index/common/changes.hpp"
#include "vicinal/index/common/metric_state.hpp"
#include "vicinal/index/common/reads.hpp"
#include "vicinal/index/common/refused_calls.hpp"
#include "vicinal/params.hpp"

VICINAL_NAMESPACE_BEGIN

namespace detail {

struct index_access;  // in runtime/erased_index.hpp: makes indexes of files whose type it found out

/// A range of ids of another type than an index has.
template <class R, class Id>
concept other_ids = std::ranges::contiguous_range<R> && identifier<std::ranges::range_value_t<R>> &&
    !std::same_as<std::ranges::range_value_t<R>, Id>;

/// Calls of flat_index, ivf_index and hnsw_index, which say what holds of all their calls. Where these are const, any
/// number of threads may make them beside each other and beside a change; of those that change the index, one runs at a
/// time, and searches go on. One that throws leaves the index as it was.
///
/// Index  the class that inherits them; its `state_` is what they work on
template <class Index, class Id>
class index_calls : public refused_calls<Index, Id> {
  public:
    using refused_calls<Index, Id>::load;
    /// Replaces the vector of `id`, or adds it if there is none, without a moment in between. Returns whether it was
    /// added. Costs an update or an add.
    /// throws  as update and add
    bool upsert(Id id, vector_view vector) { return upsert_vector(state(), id, vector); }
    /// Does that for rows[i] and ids[i], for every i: all of them or none. Returns how many were added. All rows are
    /// checked and encoded before the first is put in place, so memory for their codes is taken meanwhile; searches
    /// that run beside it see some rows in place and others not yet. Rows that are there as they are given stay
    /// untouched. The result is the same for every number of threads. params.stop, when triggered, throws
    /// error{cancelled}. params.progress may search the index, and not save or clone it.
    /// throws  as add of a batch: error{duplicate_id} if an id stands twice among `ids`; error{cancelled}
    std::size_t upsert(std::span<const Id> ids, rows_view rows, const add_params& params = {}) {
        return put_rows(state(), ids, rows, params, "upsert");
    }
    /// Removes those of `ids` that are there, and returns how many those were: an id that is not there, or stands there
    /// again, is passed over, as remove(id) returns false. Searches that run beside it see some gone and others not
    /// yet. Costs as much as so many single calls at most.
    /// throws  error{read_only}; bad_alloc with nothing removed
    std::size_t remove(std::span<const Id> ids) { return remove_rows(state(), ids); }

    /// The vector of `id` as stored: rounded by the codec, of unit length under cosine. O(dim()).
    /// throws  error{not_found}
    [[nodiscard]] std::vector<float> get(Id id) const {
        std::vector<float> vector(state().dim);
        read_vector(state(), id, vector);
        return vector;
    }
    /// The same into the caller's memory of dim() floats; nothing is allocated.
    /// throws  error{not_found}, error{dimension_mismatch}; `out` is unspecified then
    void get(Id id, std::span<float> out) const { read_vector(state(), id, out); }
    /// The vectors of many ids, one behind the other: out has ids.size() * dim() floats. All are of one moment.
    /// throws  error{not_found}, naming the first id that is not there; error{invalid_argument} if `out` has another
    ///         size; `out` is unspecified then
    void get(std::span<const Id> ids, std::span<float> out) const { read_vectors(state(), ids, out); }

    /// All ids, in ascending order, as they were at one moment of the call. O(size() * log(size())), of which changes
    /// wait for a copy of the ids.
    [[nodiscard]] std::vector<Id> ids() const { return list_ids(state()); }

    /// The distance from `query` to the vector of each id, into out[i] for ids[i]: what an exhaustive search reports,
    /// up to rounding. It is infinity where the index holds no such id. Returns how many it holds. Memory is kept for
    /// the next call, as by searches. O(ids.size() * dim()).
    /// throws  as search of the query; error{invalid_argument} if `out` is not as long as `ids`
    std::size_t distances(vector_view query, std::span<const Id> ids, std::span<float> out) const {
        return measure_ids(state(), query, ids, out);
    }

    /// The k rows closest to the vector of `id` as it is stored, without that one itself: what search returns for
    /// get(id), of the same moment. Costs a search for k + 1.
    /// throws  error{not_found}; as search
    template <class Of = Index, class Params = typename Of::search_params>
    [[nodiscard]] std::vector<neighbor<Id>> search_id(Id id, std::size_t k, const Params& params = {}) const {
        std::vector<float> vector(state().dim);
        const auto shared = state().locks.shared();
        if (find_slot(state(), id) == no_slot) fail_missing(id, "search_id");
        read_id(state(), id, vector);
        const std::size_t wanted = (std::min)(k, state().directory.live());
        auto hits = static_cast<const Index&>(*this).search(vector_view(vector), wanted + 1, params);
        hits.erase(std::remove_if(hits.begin(), hits.end(), [&](const auto& hit) { return hit.id == id; }), hits.end());
        if (hits.size() > wanted) hits.pop_back();
        return hits;
    }

    /// Removes all rows. What was learned from them, or by train, stays: codecs, and lists of an ivf_index. Memory is
    /// given back.
    /// throws  error{read_only}
    void clear() { remove_all(state()); }
    /// Adds all rows of `other`, of the same type and dimension, and returns how many these were. They are decoded and
    /// encoded again, by what the codec of this index learned. Takes size() * dim() floats of memory for those of
    /// `other`, and as long as an add of so many rows, which it is: params are those of add, but that a stop throws
    /// error{cancelled} and adds nothing.
    /// throws  error{duplicate_id}, naming an id that both have; error{dimension_mismatch}; error{invalid_argument} if
    ///         their metrics have other states, naming where they differ; as add
    std::size_t merge(const Index& other, const add_params& params = {}) {
        const auto& from = *other.state_;
        if (from.dim != state().dim) fail_dimension("merge: the other index", from.dim, state().dim);
        if constexpr (stateful_metric<std::remove_cvref_t<decltype(from.metric)>>)
            require_same_state(state().metric, from.metric, from.dim, errc::invalid_argument, "merge", "in this index",
                               "in the other");
        const auto rows = decode_all(from);
        return put_rows(state(), std::span<const Id>(rows.ids),
                        matrix_view<const float>(rows.vectors.data(), rows.ids.size(), from.dim), params, "merge");
    }

    /// The metric, with its state if it has one.
    [[nodiscard]] const auto& metric() const noexcept { return state().metric; }
    /// What load and view of Index do with `source` and `limits`, for a metric with a state: that in the file must be
    /// `metric`'s. Without one, an index takes what is in the file.
    /// throws  as those; error{wrong_type} naming where they differ
    template <class Source, stateful_metric Metric>
    [[nodiscard]] static Index load(Source&& source, const Metric& metric, const load_limits& limits = {}) {
        return require_metric(Index::load(std::forward<Source>(source), limits), metric, "load");
    }
    template <class Source, stateful_metric Metric>
    [[nodiscard]] static Index view(Source&& source, const Metric& metric, const load_limits& limits = {}) {
        return require_metric(Index::view(std::forward<Source>(source), limits), metric, "view");
    }

    /// Exchanges two indexes. O(1). As a move, it must not overlap with other calls.
    friend void swap(Index& a, Index& b) noexcept { exchange(a, b); }

    // What these are given by mistake is refused with a sentence.
    template <other_ids<Id> R>
    std::size_t upsert(const R&, rows_view, const add_params& = {}) {
        return refuse_ids<R>();
    }
    template <other_ids<Id> R>
    std::size_t remove(const R&) {
        return refuse_ids<R>();
    }
    template <other_ids<Id> R>
    void get(const R&, std::span<float>) const {
        refuse_ids<R>();
    }
    template <other_ids<Id> R>
    std::size_t distances(vector_view, const R&, std::span<float>) const {
        return refuse_ids<R>();
    }
    template <class Other>
    requires(!std::derived_from<Other, Index>) std::size_t merge(const Other&, const add_params& = {}) {
        static_assert(
            std::derived_from<Other, Index>,
            "vicinal: merge takes an index of the same type: the same kind, metric, codec and id; add the rows "
            "of another one by its ids() and get(ids, out)");
        return 0;
    }

  protected:
    index_calls() = default;

  private:
    template <class R>
    static std::size_t refuse_ids() {
        static_assert(!other_ids<R, Id>,
                      "vicinal: ids must be of the index's id type, std::uint64_t unless its third argument says "
                      "otherwise: a std::vector or span of exactly these");
        return 0;
    }
    template <class Metric>
    static Index require_metric(Index index, const Metric& metric, const char* call) {
        metric.check(index.dim());
        require_same_state(index.metric(), metric, index.dim(), errc::wrong_type, call, "in the file", "was given");
        return index;
    }
    static void exchange(Index& a, Index& b) noexcept { a.state_.swap(b.state_); }
    [[nodiscard]] auto& state() noexcept { return *static_cast<Index*>(this)->state_; }
    [[nodiscard]] const auto& state() const noexcept { return *static_cast<const Index*>(this)->state_; }
};

}  // namespace detail

VICINAL_NAMESPACE_END
