// SPDX-License-Identifier: MIT
// index_types: the types of index that a program has. With it, open and make_index of any_index.hpp choose one of them
// when the program runs. Include the headers of the indexes beside it.
#pragma once

#include <concepts>     // for derived_from, same_as
#include <cstddef>      // for byte, size_t
#include <filesystem>   // for path
#include <istream>      // for istream
#include <span>         // for span
#include <string>       // for string
#include <string_view>  // for string_view

#include "vicinal/any_index.hpp"  // IWYU pragma: export
#include "vicinal/runtime/type_list.hpp"

VICINAL_NAMESPACE_BEGIN

namespace detail {

/// A flat_index, ivf_index or hnsw_index.
template <class Index>
concept some_index = std::derived_from<Index, index_calls<Index, typename Index::id_type>>;

}  // namespace detail

/// A list of types of index, all with ids of one type:
///
///     using my_types = vicinal::index_types<vicinal::hnsw_index<vicinal::cosine>, vicinal::flat_index<>>;
///     vicinal::any_index index = vicinal::open<my_types>("catalog.vic");
///
/// Only these are compiled, all of their calls: each takes about as long as a program with that index. So a program
/// names the list in one source file, and others include any_index.hpp alone.
template <class First, class... More>
class index_types {
    static_assert(detail::some_index<First> && (... && detail::some_index<More>),
                  "vicinal: index_types is a list of flat_index, ivf_index and hnsw_index, each with its arguments");
    static_assert((std::same_as<typename First::id_type, typename More::id_type> && ...),
                  "vicinal: the indexes of one list have ids of one type; make a list for each type of ids");

  public:
    using id_type = typename First::id_type;
    using index_type = basic_any_index<id_type>;

    /// What the list has, as any_index::type says, with "; " between.
    [[nodiscard]] static std::string names() { return detail::names_of(list()); }

    // What open, open_view and make_index call, which say what these do.
    [[nodiscard]] static index_type load(const std::filesystem::path& path, const load_limits& limits = {}) {
        return detail::load_listed(list(), detail::read_path(path, limits), limits);
    }
    [[nodiscard]] static index_type load(std::istream& stream, const load_limits& limits = {}) {
        return detail::load_listed(list(), detail::read_stream(stream, limits), limits);
    }
    [[nodiscard]] static index_type load(std::span<const std::byte> bytes, const load_limits& limits = {}) {
        return detail::load_listed(list(), detail::read_span(bytes, limits), limits);
    }
    [[nodiscard]] static index_type view(const std::filesystem::path& path, const load_limits& limits = {}) {
        return detail::view_listed(list(), detail::map_path(path), limits);
    }
    [[nodiscard]] static index_type view(std::span<const std::byte> bytes, const load_limits& limits = {}) {
        return detail::view_listed(list(), detail::borrow_span(bytes, limits), limits);
    }
    [[nodiscard]] static index_type make(std::string_view text, std::size_t dim, const any_params& params = {}) {
        return detail::make_listed(list(), text, dim, params);
    }

  private:
    [[nodiscard]] static std::span<const detail::index_maker<id_type>> list() noexcept {
        static constexpr detail::index_maker<id_type> makers[] = {detail::maker_of<First>(),
                                                                  detail::maker_of<More>()...};
        return makers;
    }
};

VICINAL_NAMESPACE_END
