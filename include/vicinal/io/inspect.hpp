// SPDX-License-Identifier: MIT
// inspect says what is in a vicinal file, without loading it.
#pragma once

#include <array>       // for array
#include <cstddef>     // for size_t, byte
#include <cstdint>     // for uint8_t, uint16_t, uint32_t, uint64_t
#include <filesystem>  // for path
#include <span>        // for span
#include <string>      // for string, to_string
#include <vector>      // for vector

#include "vicinal/io/format.hpp"
#include "vicinal/io/source.hpp"

VICINAL_NAMESPACE_BEGIN

/// Describes one section of a file.
struct section_info {
    std::string name;           ///< four characters
    std::uint64_t offset = 0;   ///< of its first byte in the file
    std::uint64_t length = 0;   ///< in bytes
    std::uint32_t element = 1;  ///< bytes of one element
};

/// Holds what a file's header and section table say.
struct file_info {
    std::uint16_t format_major = 0;
    std::uint16_t format_minor = 0;
    index_kind kind = index_kind::flat;
    std::string metric;
    std::string codec;
    std::uint8_t id_bits = 0;
    bool id_signed = false;
    std::uint64_t dim = 0;
    std::uint64_t rows = 0;
    std::uint64_t length = 0;  ///< of the whole file, in bytes
    std::uint32_t compat_features = 0;
    std::uint32_t incompat_features = 0;
    std::vector<section_info> sections;
};

/// Describes the vicinal file at `path`, whatever its index type is. The contents of its sections are not read.
/// throws  error{io}; error{corrupt_file} if header, table or length are not those of a vicinal file;
///         error{unsupported_version}
/// cost    one read of at most 9 KiB
[[nodiscard]] inline file_info inspect(const std::filesystem::path& path) {
    using namespace detail;
    input_file file(path, "inspect");
    const std::string name = display(path);
    std::array<std::byte, header_size> head;
    if (const std::size_t n = file.read(head.data(), head.size()); n != head.size()) fail_short(name, n, header_size);
    const file_header header = decode_header(head, name);
    if (file.size() != header.length)
        fail_corrupt(
            name, "it has " + std::to_string(file.size()) + " bytes, its header says " + std::to_string(header.length));
    std::vector<std::byte> table(table_size(header.section_count));
    if (const std::size_t n = file.read(table.data(), table.size()); n != table.size())
        fail_short(name, header_size + n, header_size + table.size());

    file_info info{header.major,   header.minor,     header.kind, header.metric, header.codec,
                   header.id_bits, header.id_signed, header.dim,  header.rows,   header.length,
                   header.compat,  header.incompat,  {}};
    for (const section_entry& entry : decode_table(header, table, name))
        info.sections.push_back({section_name(entry.type), entry.offset, entry.length, entry.width});
    return info;
}

/// Returns `info` as text for people: several lines, the last of which ends in a newline.
///     hnsw index, metric cosine, codec sq8, 128000 rows of dimension 256, 64-bit unsigned ids
///     format 1.0, 57348416 bytes, 2 sections
///       CODE        256    32768000 bytes, elements of 1
[[nodiscard]] inline std::string to_string(const file_info& info) {
    const auto padded = [](const std::string& text, std::size_t width) {
        return std::string(text.size() < width ? width - text.size() : 0, ' ') + text;
    };
    const bool apart = info.kind == index_kind::keys || info.kind == index_kind::ids;
    const std::string what = apart ? " of an index, metric " : " index, metric ";
    std::string text = to_string(info.kind) + what + info.metric + ", codec " + info.codec + ", " +
                       std::to_string(info.rows) + " rows of dimension " + std::to_string(info.dim) + ", " +
                       std::to_string(info.id_bits) + "-bit " + (info.id_signed ? "signed" : "unsigned") + " ids\n" +
                       "format " + std::to_string(info.format_major) + "." + std::to_string(info.format_minor) + ", " +
                       std::to_string(info.length) + " bytes, " + std::to_string(info.sections.size()) + " sections\n";
    for (const section_info& section : info.sections)
        text += "  " + section.name + padded(std::to_string(section.offset), 13) +
                padded(std::to_string(section.length), 13) + " bytes, elements of " + std::to_string(section.element) +
                "\n";
    return text;
}

VICINAL_NAMESPACE_END
