// SPDX-License-Identifier: MIT
// any_index: an index whose type is known when the program runs. This header has no index and compiles fast: what makes
// any_index of the types that a program names is in index_types.hpp.
#pragma once

#include <concepts>     // for same_as
#include <cstddef>      // for byte, size_t
#include <cstdint>      // for uint64_t
#include <filesystem>   // for path
#include <iosfwd>       // for istream, ostream
#include <memory>       // for make_unique, unique_ptr
#include <span>         // for span
#include <string>       // for string
#include <string_view>  // for string_view
#include <type_traits>  // for is_same_v
#include <utility>      // for move
#include <vector>       // for vector

#include "vicinal/runtime/any_params.hpp"
#include "vicinal/runtime/interface.hpp"

VICINAL_NAMESPACE_BEGIN

namespace detail {
template <class Index>
class erased_index;  // in runtime/erased_index.hpp, which index_types.hpp includes
}

/// An index of one of the types that a program names: what `open` makes of a file and `make_index` of a text. It has
/// the calls of flat_index, ivf_index and hnsw_index, which say what each does, costs and throws, and may run beside
/// which. The parameters are any_search_params: `.ef` and `.nprobe` in one, of which an index refuses what it does not
/// have. A call costs one virtual call more.
///
/// Id  the type of ids, one for all types of the list. any_index is that of std::uint64_t
///
/// A moved-from any_index may only be assigned to or destroyed.
template <identifier Id>
class basic_any_index {
    using index_type = detail::index_interface<Id>;

  public:
    using id_type = Id;
    using neighbor_type = neighbor<Id>;
    using search_params = any_search_params<Id>;

    /// Takes an index of a type that is known. Needs index_types.hpp.
    template <class Index>
    requires(!std::same_as<Index, basic_any_index>) explicit basic_any_index(Index index)
        : index_(std::make_unique<detail::erased_index<Index>>(std::move(index))) {
        static_assert(std::is_same_v<typename Index::id_type, Id>,
                      "vicinal: the index has ids of another type than the any_index, which is basic_any_index<Id> of "
                      "Id, and any_index of std::uint64_t");
    }

    /// What it is, as make_index takes it: kind, metric and codec, such as "hnsw,cosine,sq8+f32".
    [[nodiscard]] std::string type() const { return index_->type(); }
    /// What it was built with, which a file keeps: `degree`, `ef_construction` and `seed` of hnsw, nothing of others.
    [[nodiscard]] any_params params() const { return index_->params(); }
    /// How many lists an ivf index has; 0 of other kinds, and before training.
    [[nodiscard]] std::size_t lists() const { return index_->lists(); }
    /// The index as what it is: null if it is of another type. Its calls may be mixed with those of the any_index,
    /// which goes on owning it; it must not be moved from.
    template <class Index>
    [[nodiscard]] Index* get_if() noexcept {
        return static_cast<Index*>(const_cast<void*>(index_->real(detail::key_of<Index>())));
    }
    template <class Index>
    [[nodiscard]] const Index* get_if() const noexcept {
        return static_cast<const Index*>(index_->real(detail::key_of<Index>()));
    }

    void add(Id id, vector_view vector) { index_->add(id, vector); }
    std::size_t add(std::span<const Id> ids, rows_view rows, const add_params& params = {}) {
        return index_->add(ids, rows, params);
    }
    void train(rows_view rows, const add_params& params = {}) { index_->train(rows, params); }
    void update(Id id, vector_view vector) { index_->update(id, vector); }
    bool upsert(Id id, vector_view vector) { return index_->upsert(id, vector); }
    std::size_t upsert(std::span<const Id> ids, rows_view rows, const add_params& params = {}) {
        return index_->upsert(ids, rows, params);
    }
    bool remove(Id id) { return index_->remove(id); }
    std::size_t remove(std::span<const Id> ids) { return index_->remove(ids); }
    void clear() { index_->clear(); }
    /// throws  as the index; error{wrong_type} if `other` is of another type, naming both
    std::size_t merge(const basic_any_index& other, const add_params& params = {}) {
        return index_->merge(*other.index_, params);
    }
    /// throws  as hnsw_index; error{invalid_argument} of other kinds, which have no order to make
    void reorder(const reorder_params& params = {}) { index_->reorder(params); }
    void reserve(std::size_t rows) { index_->reserve(rows); }
    void shrink_to_fit() { index_->shrink_to_fit(); }

    [[nodiscard]] bool contains(Id id) const { return index_->contains(id); }
    [[nodiscard]] std::vector<float> get(Id id) const { return index_->get(id); }
    void get(Id id, std::span<float> out) const { index_->get(id, out); }
    void get(std::span<const Id> ids, std::span<float> out) const { index_->get(ids, out); }
    [[nodiscard]] std::vector<Id> ids() const { return index_->ids(); }
    std::size_t distances(vector_view query, std::span<const Id> ids, std::span<float> out) const {
        return index_->distances(query, ids, out);
    }

    // Searches throw what the index throws, and error{invalid_argument} of an `.ef` or `.nprobe` that it does not have.
    [[nodiscard]] std::vector<neighbor<Id>> search(vector_view query, std::size_t k,
                                                   const search_params& params = {}) const {
        return index_->search(query, k, params);
    }
    std::size_t search(vector_view query, std::span<neighbor<Id>> out, const search_params& params = {}) const {
        return index_->search(query, out, params);
    }
    [[nodiscard]] search_table<Id> search(rows_view queries, std::size_t k, const search_params& params = {}) const {
        return index_->search(queries, k, params);
    }
    [[nodiscard]] std::vector<neighbor<Id>> search_id(Id id, std::size_t k, const search_params& params = {}) const {
        return index_->search_id(id, k, params);
    }
    [[nodiscard]] std::vector<neighbor<Id>> search_within(vector_view query, float radius,
                                                          const search_params& params = {}) const {
        return index_->search_within(query, radius, params);
    }
    [[nodiscard]] neighbor_stream<Id> nearest(vector_view query, const search_params& params = {}) const {
        return index_->nearest(query, params);
    }

    [[nodiscard]] std::size_t size() const { return index_->size(); }
    [[nodiscard]] bool empty() const { return size() == 0; }
    [[nodiscard]] std::size_t dim() const noexcept { return index_->dim(); }
    [[nodiscard]] memory_report memory() const { return index_->memory(); }
    [[nodiscard]] index_counters counters() const { return index_->counters(); }
    [[nodiscard]] vicinal::codec_report codec_report() const { return index_->codec_report(); }
    [[nodiscard]] check_report check() const { return index_->check(); }

    [[nodiscard]] basic_any_index clone() const { return basic_any_index(index_->clone()); }
    void save(const std::filesystem::path& path, const save_options& options = {}) const {
        index_->save(path, options);
    }
    void save(std::ostream& stream, const save_options& options = {}) const { index_->save(stream, options); }
    void save(std::vector<std::byte>& bytes, const save_options& options = {}) const { index_->save(bytes, options); }
    void verify() const { index_->verify(); }
    [[nodiscard]] std::span<const std::byte> note() const noexcept { return index_->note(); }

    /// Exchanges two, of whatever types they are. O(1). As a move, it must not overlap with other calls.
    friend void swap(basic_any_index& a, basic_any_index& b) noexcept { a.index_.swap(b.index_); }

    /// For those who make indexes by themselves, as index_types does.
    explicit basic_any_index(std::unique_ptr<index_type> index) noexcept : index_(std::move(index)) {}

  private:
    std::unique_ptr<index_type> index_;
};

using any_index = basic_any_index<std::uint64_t>;

// ---- making one: Types is an index_types<...> (index_types.hpp), or left out with compiled.hpp ----------------------

class compiled_types;  // in compiled.hpp

namespace detail {

template <class Types>
concept type_list = requires {
    typename Types::id_type;
    Types::names();
};

/// Calls make(), whose result is the basic_any_index that it returns; refuses what is no list, and says why.
template <class Types, class Make>
[[nodiscard]] auto made_of(const Make& make) {
    static_assert(type_list<Types>,
                  "vicinal: open, open_view and make_index choose one of the types that the program has: "
                  "open<index_types<...>>(path) with vicinal/index_types.hpp, or open(path) with vicinal/compiled.hpp");
    if constexpr (type_list<Types>) return make(static_cast<Types*>(nullptr));
}

}  // namespace detail

/// Reads a file that holds an index of one of the types of `Types`, and makes that, a basic_any_index of their ids.
/// Path, stream or bytes, limits and errors are those of `load` of an index.
/// throws  as load; error{wrong_type} if none of the types is that of the file, naming it and them
template <class Types = compiled_types>
[[nodiscard]] auto open(const std::filesystem::path& path, const load_limits& limits = {}) {
    return detail::made_of<Types>([&](auto* of) { return of->load(path, limits); });
}
template <class Types = compiled_types>
[[nodiscard]] auto open(std::istream& stream, const load_limits& limits = {}) {
    return detail::made_of<Types>([&](auto* of) { return of->load(stream, limits); });
}
template <class Types = compiled_types>
[[nodiscard]] auto open(std::span<const std::byte> bytes, const load_limits& limits = {}) {
    return detail::made_of<Types>([&](auto* of) { return of->load(bytes, limits); });
}

/// The same, mapped and searched in place: as `view` of an index.
template <class Types = compiled_types>
[[nodiscard]] auto open_view(const std::filesystem::path& path, const load_limits& limits = {}) {
    return detail::made_of<Types>([&](auto* of) { return of->view(path, limits); });
}
template <class Types = compiled_types>
[[nodiscard]] auto open_view(std::span<const std::byte> bytes, const load_limits& limits = {}) {
    return detail::made_of<Types>([&](auto* of) { return of->view(bytes, limits); });
}
template <class Types = compiled_types>
auto open_view(std::vector<std::byte>&&, const load_limits& = {}) = delete;  // would not last

/// Makes an empty index of vectors of `dim` components, of the type of `Types` that a text names:
///
///     text = kind [ "," metric [ "," codec ] ]
///
/// kind is flat, ivf or hnsw; metric and codec are called as in files, and as `type` says: "hnsw,cosine,sq8+f32" is
/// hnsw_index<cosine, two_level<sq8, f32>>. Capitals are as good as small letters, and spaces do not count. What is
/// left out is that of the first type in the list that has the rest.
/// throws  error{invalid_argument} if the text is none of that kind, saying where it fails and what could stand there,
///         if `params` has what such an index has not, or as the constructor of the index; error{wrong_type} if the
///         list has no such type, saying what it has
template <class Types = compiled_types>
[[nodiscard]] auto make_index(std::string_view text, std::size_t dim, const any_params& params = {}) {
    return detail::made_of<Types>([&](auto* of) { return of->make(text, dim, params); });
}

VICINAL_NAMESPACE_END
