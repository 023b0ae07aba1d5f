// SPDX-License-Identifier: MIT
// open and make_index over a list of common types that are compiled once, by the component vicinal::compiled. A file
// that includes this header and no index compiles in about a second (docs/any_index.md).
#pragma once

#include <cstddef>      // for byte, size_t
#include <cstdint>      // for uint64_t
#include <filesystem>   // for path
#include <iosfwd>       // for istream
#include <span>         // for span
#include <string>       // for string
#include <string_view>  // for string_view

#include "vicinal/any_index.hpp"  // IWYU pragma: export

VICINAL_NAMESPACE_BEGIN

/// The list that open, open_view and make_index choose from unless they are given another: flat_index, ivf_index and
/// hnsw_index of l2, cosine and inner_product, each with the codec that it has by default, and ids of std::uint64_t.
/// Its functions are in the library of the component (src/compiled), which is built in your tree by your compiler.
class compiled_types {
  public:
    using id_type = std::uint64_t;

    /// What the list has, as any_index::type says, with "; " between.
    [[nodiscard]] static std::string names();
    [[nodiscard]] static any_index load(const std::filesystem::path& path, const load_limits& limits = {});
    [[nodiscard]] static any_index load(std::istream& stream, const load_limits& limits = {});
    [[nodiscard]] static any_index load(std::span<const std::byte> bytes, const load_limits& limits = {});
    [[nodiscard]] static any_index view(const std::filesystem::path& path, const load_limits& limits = {});
    [[nodiscard]] static any_index view(std::span<const std::byte> bytes, const load_limits& limits = {});
    [[nodiscard]] static any_index make(std::string_view text, std::size_t dim, const any_params& params = {});
};

VICINAL_NAMESPACE_END
