// SPDX-License-Identifier: MIT
// The types that a program has, as values: which of them a text or a file names, and how that is made.
#pragma once

#include <algorithm>    // for max, min
#include <cstddef>      // for size_t
#include <iterator>     // for size
#include <memory>       // for make_unique, unique_ptr
#include <span>         // for span
#include <string>       // for string, to_string
#include <string_view>  // for string_view
#include <utility>      // for move
#include <vector>       // for vector

#include "vicinal/any_index.hpp"
#include "vicinal/io/source.hpp"
#include "vicinal/runtime/erased_index.hpp"

VICINAL_NAMESPACE_BEGIN

namespace detail {

/// How one type of index is named and made.
template <identifier Id>
struct index_maker {
    using pointer = std::unique_ptr<index_interface<Id>>;
    file_header (*header)();  ///< of its files, without dimension and rows
    pointer (*make)(std::size_t dim, const any_params& params);
    pointer (*load)(file_bytes bytes, const load_limits& limits);
    pointer (*view)(file_bytes bytes, const load_limits& limits);
};

template <class Index>
[[nodiscard]] constexpr index_maker<typename Index::id_type> maker_of() noexcept {
    using erased = erased_index<Index>;
    using pointer = typename index_maker<typename Index::id_type>::pointer;
    return {&index_access::header<Index>,
            [](std::size_t dim, const any_params& params) -> pointer {
                return std::make_unique<erased>(construct_index<Index>(dim, params));
            },
            [](file_bytes bytes, const load_limits& limits) -> pointer {
                return std::make_unique<erased>(index_access::load<Index>(std::move(bytes), limits));
            },
            [](file_bytes bytes, const load_limits& limits) -> pointer {
                return std::make_unique<erased>(index_access::view<Index>(std::move(bytes), limits));
            }};
}

// ---- the text that names a type -------------------------------------------------------------------------------------

/// A part of a text between commas, and where it begins.
struct type_part {
    std::string text;      ///< without spaces, in small letters
    std::size_t position;  ///< of its first character that is no space, counted from 1
};

[[nodiscard]] inline std::string without_spaces(std::string_view text) {
    std::string kept;
    for (const char c : text) {
        if (c == ' ' || c == '\t' || c == '\r' || c == '\n') continue;
        kept += c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
    }
    return kept;
}

[[noreturn]] VICINAL_COLD inline void fail_text(std::string_view text, std::size_t position, const std::string& what) {
    fail(errc::invalid_argument,
         "make_index: \"" + std::string(text) + "\", character " + std::to_string(position) + ": " + what);
}

/// The parts of a text: kind, and perhaps metric, and codec.
/// throws  error{invalid_argument} if one is empty, the kind is none, or there are more
[[nodiscard]] inline std::vector<type_part> parts_of(std::string_view text) {
    static constexpr const char* expected[] = {"a kind of index: flat, ivf or hnsw", "a metric, as in \"hnsw,cosine\"",
                                               "a codec, as in \"hnsw,cosine,sq8+f32\""};
    std::vector<type_part> parts;
    for (std::size_t begin = 0;;) {
        const std::size_t end = (std::min)(text.find(',', begin), text.size());
        const std::size_t first = (std::min)(text.find_first_not_of(" \t\r\n", begin), end);
        if (parts.size() == std::size(expected))
            fail_text(text, begin, "expected the end, as kind, metric and codec are all");
        std::string part = without_spaces(text.substr(begin, end - begin));
        if (part.empty()) fail_text(text, first + 1, std::string("expected ") + expected[parts.size()]);
        parts.push_back({std::move(part), first + 1});
        if (end == text.size()) break;
        begin = end + 1;
    }
    const std::string& kind = parts.front().text;
    if (kind != "flat" && kind != "ivf" && kind != "hnsw")
        fail_text(text, parts.front().position, std::string("expected ") + expected[0]);
    return parts;
}

/// How many of the parts, from the first, are those of a type.
[[nodiscard]] inline std::size_t agreeing(const std::vector<type_part>& parts, const file_header& type) {
    const std::string names[] = {to_string(type.kind), without_spaces(type.metric), without_spaces(type.codec)};
    std::size_t n = 0;
    while (n < parts.size() && parts[n].text == names[n]) ++n;
    return n;
}

/// "flat,l2,f32; hnsw,cosine,sq8+f32".
template <identifier Id>
[[nodiscard]] std::string names_of(std::span<const index_maker<Id>> types) {
    std::string names;
    for (const auto& type : types) names += (names.empty() ? "" : "; ") + type_text(type.header());
    return names;
}

/// The first type of a list that a text names.
/// throws  error{invalid_argument} if it is no such text, error{wrong_type} if the list has none
template <identifier Id>
[[nodiscard]] const index_maker<Id>& find_type(std::span<const index_maker<Id>> types, std::string_view text) {
    const std::vector<type_part> parts = parts_of(text);
    std::size_t most = 0;
    for (const auto& type : types) {
        const std::size_t n = agreeing(parts, type.header());
        if (n == parts.size()) return type;
        most = (std::max)(most, n);
    }
    fail(errc::wrong_type, "make_index: \"" + std::string(text) + "\", character " +
                               std::to_string(parts[most].position) + ": the program has no such type; it has " +
                               names_of(types));
}

/// The type of a list that a file holds.
/// throws  error{wrong_type} if the list has none
template <identifier Id>
[[nodiscard]] const index_maker<Id>& find_type(std::span<const index_maker<Id>> types, const file_bytes& file) {
    const file_header& found = file.header();
    for (const auto& type : types) {
        const file_header asked = type.header();
        if (found.kind == asked.kind && found.metric == asked.metric && found.codec == asked.codec &&
            found.id_bits == asked.id_bits && found.id_signed == asked.id_signed)
            return type;
    }
    const file_header any = types.front().header();
    fail(errc::wrong_type, file.name() + ": the file holds " + describe(found) + "; the program has " +
                               names_of(types) + ", of " + std::to_string(any.id_bits) + "-bit " +
                               (any.id_signed ? "signed" : "unsigned") + " ids");
}

// ---- what a list does -----------------------------------------------------------------------------------------------

template <identifier Id>
[[nodiscard]] basic_any_index<Id> load_listed(std::span<const index_maker<Id>> types, file_bytes file,
                                              const load_limits& limits) {
    const auto& type = find_type(types, file);
    return basic_any_index<Id>(type.load(std::move(file), limits));
}
template <identifier Id>
[[nodiscard]] basic_any_index<Id> view_listed(std::span<const index_maker<Id>> types, file_bytes file,
                                              const load_limits& limits) {
    const auto& type = find_type(types, file);
    return basic_any_index<Id>(type.view(std::move(file), limits));
}
template <identifier Id>
[[nodiscard]] basic_any_index<Id> make_listed(std::span<const index_maker<Id>> types, std::string_view text,
                                              std::size_t dim, const any_params& params) {
    return basic_any_index<Id>(find_type(types, text).make(dim, params));
}

}  // namespace detail

VICINAL_NAMESPACE_END
