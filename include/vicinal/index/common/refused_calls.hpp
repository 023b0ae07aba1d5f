// SPDX-License-Identifier: MIT
// What people who know other libraries write first and no index takes: the compiler refuses it with a sentence instead
// of a list of overloads. Nothing here is instantiated for a program that is right.
#pragma once

#include <concepts>     // for convertible_to, same_as
#include <cstddef>      // for size_t, byte
#include <span>         // for span
#include <string_view>  // for string_view
#include <vector>       // for vector

#include "vicinal/concepts.hpp"
#include "vicinal/core/rows_view.hpp"
#include "vicinal/core/types.hpp"
#include "vicinal/core/vector_view.hpp"
#include "vicinal/params.hpp"

VICINAL_NAMESPACE_BEGIN

namespace detail {

/// False, but known only once T is.
template <class T>
inline constexpr bool is_right = false;

template <class M>
concept has_name = requires {
    { M::name } -> std::convertible_to<std::string_view>;
};

/// Refuses template arguments of an index that cannot be meant, before its own checks do.
template <class Metric, class Codec>
consteval bool check_arguments() {
    if constexpr (!metric<Metric>) {
        static_assert(!(codec<Metric> && metric<Codec>),
                      "vicinal: the metric comes first, then the codec, as in flat_index<l2, f32>");
        static_assert(has_name<Metric>,
                      "vicinal: Metric has no name: it needs a static constexpr std::string_view name of at most 31 "
                      "characters, which files keep");
    }
    return true;
}

/// The overloads of flat_index, ivf_index and hnsw_index that refuse. All are templates, so that the calls that are
/// meant come first wherever arguments fit both.
template <class Index, class Id>
class refused_calls {
  public:
    // ---- vectors as other libraries take them

    template <class A, class T>
    void add(const A&, T* const&) {
        refuse_pointer<T>();
    }
    template <class T, class Of = Index>
    std::vector<neighbor<Id>> search(T* const&, std::size_t, const typename Of::search_params& = {}) const {
        refuse_pointer<T>();
        return {};
    }
    template <class N, class T, class D, class L>
    void search(const N&, T* const&, std::size_t, D* const&, L* const&) const {
        static_assert(
            is_right<T>,
            "vicinal: search returns its results: auto table = index.search(matrix_view(queries, n, dim), k), "
            "of which table[i] are the neighbors of query i");
    }
    template <class Lazy = void>
    void add(Id, std::span<const double>) {
        refuse_doubles<Lazy>();
    }
    template <class Lazy = void>
    std::vector<neighbor<Id>> search(std::span<const double>, std::size_t) const {
        refuse_doubles<Lazy>();
        return {};
    }

    // ---- many rows

    template <class T>
    void add(std::span<const Id>, const std::vector<std::vector<T>>&, const add_params& = {}) {
        refuse_nested<T>();
    }
    template <class T>
    std::vector<neighbor<Id>> search(const std::vector<std::vector<T>>&, std::size_t) const {
        refuse_nested<T>();
        return {};
    }
    template <class Lazy = void>
    void add(std::span<const Id>, vector_view, const add_params& = {}) {
        static_assert(is_right<Lazy>,
                      "vicinal: many rows are a matrix_view, which says how long each is: add(ids, matrix_view(values, "
                      "dim))");
    }
    template <class Other>
    requires(!std::same_as<Other, Id>) void add(const std::vector<Other>&, rows_view, const add_params& = {}) {
        static_assert(is_right<Other>,
                      "vicinal: ids must be of the index's id type, std::uint64_t unless its third argument says "
                      "otherwise: a std::vector or span of exactly these");
    }
    template <class Lazy = void>
    void add(vector_view) {
        refuse_no_ids<Lazy>();
    }
    template <class Lazy = void>
    void add(rows_view) {
        refuse_no_ids<Lazy>();
    }

    // ---- k and parameters

    template <class P, class Of = Index>
    requires(!std::convertible_to<const P&, typename Of::search_params>) std::vector<neighbor<Id>> search(vector_view,
                                                                                                          std::size_t,
                                                                                                          const P&)
    const {
        static_assert(
            is_right<P>,
            "vicinal: behind k come the parameters of this kind of index, by their names, as in search(query, "
            "10, {.ef = 64}): hnsw_search_params<Id>, ivf_search_params<Id> or flat_search_params<Id>");
        return {};
    }
    template <class Of = Index>
    std::vector<neighbor<Id>> search(vector_view, const typename Of::search_params&) const {
        refuse_no_k<Of>();
        return {};
    }
    template <class Lazy = void>
    std::vector<neighbor<Id>> search(vector_view) const {
        refuse_no_k<Lazy>();
        return {};
    }

    // ---- files

    template <class T>
    requires(!std::same_as<T, std::byte>) static Index load(const std::vector<T>&, const load_limits& = {}) {
        static_assert(
            is_right<T>,
            "vicinal: an index in memory is bytes: load(std::as_bytes(std::span(values))), or a path to load a "
            "file");
        return Index(1);
    }

  protected:
    refused_calls() = default;
    // What compilers show of a copy is these lines.
    refused_calls(const refused_calls&) = delete;             // vicinal: copy an index by clone(), or std::move it
    refused_calls& operator=(const refused_calls&) = delete;  // vicinal: copy an index by clone(), or std::move it
    refused_calls(refused_calls&&) noexcept = default;
    refused_calls& operator=(refused_calls&&) noexcept = default;
    ~refused_calls() = default;

  private:
    template <class T>
    static void refuse_pointer() {
        static_assert(is_right<T>,
                      "vicinal: a pointer does not say how many components follow: pass std::span(pointer, dim) as a "
                      "vector, matrix_view(pointer, rows, dim) as many");
    }
    template <class T>
    static void refuse_doubles() {
        static_assert(is_right<T>, "vicinal: doubles are not rounded unasked: make a std::vector<float> of them");
    }
    template <class T>
    static void refuse_nested() {
        static_assert(is_right<T>,
                      "vicinal: rows lie one behind the other in one piece of memory: put them into one "
                      "std::vector<float> values and pass matrix_view(values, dim)");
    }
    template <class T>
    static void refuse_no_ids() {
        static_assert(is_right<T>, "vicinal: vectors come with their ids: add(id, vector), or add(ids, rows) for many");
    }
    template <class T>
    static void refuse_no_k() {
        static_assert(is_right<T>,
                      "vicinal: say how many neighbors are wanted: search(query, k), or search(query, k, {...}) with "
                      "parameters");
    }
};

}  // namespace detail

VICINAL_NAMESPACE_END
