// SPDX-License-Identifier: MIT
// The calls of all indexes as virtual functions: what any_index holds.
#pragma once

#include <cstddef>     // for byte, size_t
#include <filesystem>  // for path
#include <iosfwd>      // for ostream
#include <memory>      // for unique_ptr
#include <span>        // for span
#include <string>      // for string
#include <vector>      // for vector

#include "vicinal/core/rows_view.hpp"
#include "vicinal/core/vector_view.hpp"
#include "vicinal/index/common/neighbor_stream.hpp"
#include "vicinal/params.hpp"
#include "vicinal/runtime/any_params.hpp"

VICINAL_NAMESPACE_BEGIN

namespace detail {

/// Tells types of indexes apart, also in programs without RTTI: two are one type if their keys are equal. (A type in
/// two shared libraries with hidden symbols has two keys, so that it is refused, never mistaken.)
using type_key = const void*;
template <class T>
struct type_key_of {
    static inline char here = 0;  // not constant, as linkers may fold constants that are equal
};
template <class T>
[[nodiscard]] type_key key_of() noexcept {
    return &type_key_of<T>::here;
}

/// An index of ids of type Id, whatever its kind, metric and codec. basic_any_index says what each call does.
template <identifier Id>
class index_interface {
  public:
    using params_type = any_search_params<Id>;
    using ids_type = std::span<const Id>;
    using hits_type = std::vector<neighbor<Id>>;
    using pointer = std::unique_ptr<index_interface>;

    index_interface() = default;
    index_interface(const index_interface&) = delete;
    index_interface& operator=(const index_interface&) = delete;
    virtual ~index_interface() = default;

    /// The index itself, if it is of the type with this key, else null.
    [[nodiscard]] virtual const void* real(type_key key) const noexcept = 0;
    [[nodiscard]] virtual std::string type() const = 0;
    [[nodiscard]] virtual any_params params() const = 0;
    [[nodiscard]] virtual std::size_t lists() const = 0;

    virtual void add(Id id, vector_view vector) = 0;
    virtual std::size_t add(ids_type ids, rows_view rows, const add_params& params) = 0;
    virtual void train(rows_view rows, const add_params& params) = 0;
    virtual void update(Id id, vector_view vector) = 0;
    virtual bool upsert(Id id, vector_view vector) = 0;
    virtual std::size_t upsert(ids_type ids, rows_view rows, const add_params& params) = 0;
    virtual bool remove(Id id) = 0;
    virtual std::size_t remove(ids_type ids) = 0;
    virtual void clear() = 0;
    virtual std::size_t merge(const index_interface& other, const add_params& params) = 0;
    virtual void reorder(const reorder_params& params) = 0;
    virtual void reserve(std::size_t rows) = 0;
    virtual void shrink_to_fit() = 0;

    [[nodiscard]] virtual bool contains(Id id) const = 0;
    [[nodiscard]] virtual std::vector<float> get(Id id) const = 0;
    virtual void get(Id id, std::span<float> out) const = 0;
    virtual void get(ids_type ids, std::span<float> out) const = 0;
    [[nodiscard]] virtual std::vector<Id> ids() const = 0;
    virtual std::size_t distances(vector_view query, ids_type ids, std::span<float> out) const = 0;

    [[nodiscard]] virtual hits_type search(vector_view query, std::size_t k, const params_type& params) const = 0;
    virtual std::size_t search(vector_view query, std::span<neighbor<Id>> out, const params_type& params) const = 0;
    [[nodiscard]] virtual search_table<Id> search(rows_view queries, std::size_t k,
                                                  const params_type& params) const = 0;
    [[nodiscard]] virtual hits_type search_id(Id id, std::size_t k, const params_type& params) const = 0;
    [[nodiscard]] virtual hits_type search_within(vector_view query, float radius, const params_type& params) const = 0;
    [[nodiscard]] virtual neighbor_stream<Id> nearest(vector_view query, const params_type& params) const = 0;

    [[nodiscard]] virtual std::size_t size() const = 0;
    [[nodiscard]] virtual std::size_t dim() const noexcept = 0;
    [[nodiscard]] virtual memory_report memory() const = 0;
    [[nodiscard]] virtual index_counters counters() const = 0;
    [[nodiscard]] virtual vicinal::codec_report codec_report() const = 0;
    [[nodiscard]] virtual check_report check() const = 0;

    [[nodiscard]] virtual pointer clone() const = 0;
    virtual void save(const std::filesystem::path& path, const save_options& options) const = 0;
    virtual void save(std::ostream& stream, const save_options& options) const = 0;
    virtual void save(std::vector<std::byte>& bytes, const save_options& options) const = 0;
    virtual void verify() const = 0;
    [[nodiscard]] virtual std::span<const std::byte> note() const noexcept = 0;
};

}  // namespace detail

VICINAL_NAMESPACE_END
