// SPDX-License-Identifier: MIT
// A vicinal file begins with a header and a section table, as docs/format.md specifies them byte by byte.
#pragma once

#include <algorithm>    // for copy, any_of
#include <array>        // for array
#include <cstddef>      // for size_t, byte
#include <cstdint>      // for uint8_t, uint16_t, uint32_t, uint64_t
#include <optional>     // for optional
#include <span>         // for span
#include <string>       // for string, to_string
#include <string_view>  // for string_view
#include <vector>       // for vector

#include "vicinal/core/error.hpp"
#include "vicinal/io/bytes.hpp"
#include "vicinal/io/checked.hpp"
#include "vicinal/io/crc32c.hpp"

VICINAL_NAMESPACE_BEGIN

/// Says what wrote a file: an index, a key_map, or save_ids.
enum class index_kind : std::uint32_t { flat = 1, ivf = 2, hnsw = 3, keys = 4, ids = 5 };

/// Returns "flat", "ivf", "hnsw", "keys", "ids", or "unknown (7)".
[[nodiscard]] inline std::string to_string(index_kind kind) {
    switch (kind) {
        case index_kind::flat: return "flat";
        case index_kind::ivf: return "ivf";
        case index_kind::hnsw: return "hnsw";
        case index_kind::keys: return "keys";
        case index_kind::ids: return "ids";
    }
    return "unknown (" + std::to_string(static_cast<std::uint32_t>(kind)) + ")";
}

namespace detail {

// These bytes follow PNG's idea: 0x89 is no ASCII, CR LF and LF show a transfer in text mode, 0x1A ends a listing on
// DOS.
inline constexpr std::array<std::uint8_t, 8> file_magic = {0x89, 'V', 'I', 'C', 0x0D, 0x0A, 0x1A, 0x0A};
inline constexpr std::uint16_t format_major = 1;
inline constexpr std::uint16_t format_minor = 0;
inline constexpr std::size_t header_size = 128;
inline constexpr std::size_t section_entry_size = 32;
inline constexpr std::size_t name_size = 32;          // a metric's or codec's name, zero-padded, at least one zero
inline constexpr std::size_t section_alignment = 64;  // of every section's offset in the file, and in memory
inline constexpr std::size_t file_tail = 64;          // zeros at the end: a kernel may read so far past a row
inline constexpr std::uint32_t max_sections = 256;
inline constexpr std::uint32_t wide_ids = 1U << 8;    // incompatible: ids of 128 bits
inline constexpr std::uint32_t duplicates_apart = 1;  // incompatible: duplicates outside a graph
inline constexpr std::uint32_t metric_state = 2;      // incompatible: a metric that is more than its name
inline constexpr std::uint32_t known_incompat =
    wide_ids | duplicates_apart | metric_state;  // the incompatible features this library can read

/// Makes a type of four characters as they stand in the file: section_type("CODE").
[[nodiscard]] consteval std::uint32_t section_type(const char (&name)[5]) {
    std::uint32_t type = 0;
    for (std::size_t i = 4; i-- > 0;) {
        if (name[i] < 0x20 || name[i] > 0x7E) throw "a section type is four printable ASCII characters";
        type = type << 8 | static_cast<std::uint32_t>(name[i]);
    }
    return type;
}

[[nodiscard]] inline bool valid_section_type(std::uint32_t type) noexcept {
    for (int i = 0; i < 4; ++i, type >>= 8)
        if ((type & 0xFF) < 0x20 || (type & 0xFF) > 0x7E) return false;
    return true;
}

/// Returns the four characters of a valid type.
[[nodiscard]] inline std::string section_name(std::uint32_t type) {
    std::string name;
    for (int i = 0; i < 4; ++i, type >>= 8) name += static_cast<char>(type & 0xFF);
    return name;
}

/// Holds the header's fields. An index fills the first block; the writer computes the second.
struct file_header {
    index_kind kind = index_kind::flat;
    std::uint64_t dim = 0;
    std::uint64_t rows = 0;
    std::uint8_t id_bits = 64;
    bool id_signed = false;
    std::string metric;
    std::string codec;
    std::uint32_t compat = 0;    ///< features an older reader may ignore
    std::uint32_t incompat = 0;  ///< features a reader must know

    std::uint16_t major = format_major;
    std::uint16_t minor = format_minor;
    std::uint64_t length = 0;  ///< of the whole file
    std::uint32_t section_count = 0;
    std::uint32_t table_crc = 0;
};

/// Holds one line of the section table.
struct section_entry {
    std::uint32_t type = 0;
    std::uint32_t width = 1;  ///< bytes of one element: 1, 2, 4 or 8, 16 of wide ids
    std::uint64_t offset = 0;
    std::uint64_t length = 0;  ///< in bytes
    std::uint32_t crc = 0;
};

[[nodiscard]] inline std::string hex(std::uint32_t value) {
    std::string text = "0x";
    for (int shift = 28; shift >= 0; shift -= 4) text += "0123456789abcdef"[(value >> shift) & 0xF];
    return text;
}

[[noreturn]] VICINAL_COLD inline void fail_corrupt(std::string_view file, const std::string& message) {
    fail(errc::corrupt_file, std::string(file) + ": " + message);
}

/// Returns "section 'CODE' at offset 4096".
[[nodiscard]] inline std::string describe(const section_entry& entry) {
    return "section '" + section_name(entry.type) + "' at offset " + std::to_string(entry.offset);
}

/// Returns "an hnsw index of metric cosine, codec sq8, 64-bit unsigned ids, dimension 384".
[[nodiscard]] inline std::string describe(const file_header& header) {
    const std::string ids = std::to_string(header.id_bits) + "-bit " + (header.id_signed ? "signed" : "unsigned");
    if (header.kind == index_kind::keys) return "a key map of " + header.codec + " keys, " + ids + " ids";
    if (header.kind == index_kind::ids) return "a set of " + ids + " ids";
    return (header.kind == index_kind::flat ? "a " : "an ") + to_string(header.kind) + " index of metric " +
           header.metric + ", codec " + header.codec + ", " + ids + " ids, dimension " + std::to_string(header.dim);
}

/// Says whether `name` is 1 to 31 printable ASCII characters without space.
[[nodiscard]] inline bool valid_name(std::string_view name) noexcept {
    if (name.empty() || name.size() >= name_size) return false;
    for (const char c : name)
        if (c < 0x21 || c > 0x7E) return false;
    return true;
}

[[nodiscard]] inline std::array<std::byte, header_size> encode_header(const file_header& header) {
    std::array<std::byte, header_size> out{};
    const auto put_name = [&](std::size_t at, const std::string& name) {
        for (std::size_t i = 0; i < name.size(); ++i) out[at + i] = static_cast<std::byte>(name[i]);
    };
    for (std::size_t i = 0; i < file_magic.size(); ++i) out[i] = std::byte{file_magic[i]};
    store_le(&out[8], header.major);
    store_le(&out[10], header.minor);
    store_le(&out[12], static_cast<std::uint32_t>(header.kind));
    store_le(&out[16], header.length);
    store_le(&out[24], header.dim);
    store_le(&out[32], header.rows);
    out[40] = std::byte{header.id_bits};
    out[41] = header.id_signed ? std::byte{1} : std::byte{0};
    store_le(&out[44], header.section_count);
    store_le(&out[48], header.compat);
    store_le(&out[52], header.incompat);
    put_name(56, header.metric);
    put_name(88, header.codec);
    store_le(&out[120], header.table_crc);
    store_le(&out[124], crc32c(0, std::span(out).first(124)));
    return out;
}

/// Reads a header.
/// file    names it in messages
/// throws  error{corrupt_file} if the bytes are no header, error{unsupported_version} if they are one from the future
[[nodiscard]] inline file_header decode_header(std::span<const std::byte, header_size> bytes, std::string_view file) {
    const auto u8 = [&](std::size_t at) { return static_cast<unsigned>(bytes[at]); };
    for (std::size_t i = 0; i < file_magic.size(); ++i) {
        if (bytes[i] == std::byte{file_magic[i]}) continue;
        fail_corrupt(file, i < 4 ? "not a vicinal file: its first bytes are no vicinal header"
                                 : "damaged, as by a transfer in text mode: byte " + std::to_string(i) + " is " +
                                       std::to_string(u8(i)) + ", expected " + std::to_string(file_magic[i]));
    }
    const auto crc = load_le<std::uint32_t>(&bytes[124]);
    if (const auto found = crc32c(0, bytes.first(124)); found != crc)
        fail_corrupt(file, "the header's CRC-32C is " + hex(found) + ", expected " + hex(crc) + " (at offset 124)");

    file_header header;
    header.major = load_le<std::uint16_t>(&bytes[8]);
    header.minor = load_le<std::uint16_t>(&bytes[10]);
    header.incompat = load_le<std::uint32_t>(&bytes[52]);
    const auto version = [](std::uint16_t major, std::uint16_t minor) {
        return std::to_string(major) + "." + std::to_string(minor);
    };
    const std::string versions = std::string(file) + ": written in format " + version(header.major, header.minor) +
                                 ", this library reads format " + version(format_major, format_minor);
    if (header.major != format_major) fail(errc::unsupported_version, versions);
    if ((header.incompat & ~known_incompat) != 0)
        fail(errc::unsupported_version, versions + " and does not know the features " +
                                            hex(header.incompat & ~known_incompat) + " the file needs");

    const auto take_name = [&](std::size_t at, const char* what) {
        std::string name;
        std::size_t i = 0;
        for (; i < name_size && u8(at + i) != 0; ++i) name += static_cast<char>(u8(at + i));
        bool padded = true;
        for (; i < name_size; ++i) padded = padded && u8(at + i) == 0;
        if (!padded || !valid_name(name))
            fail_corrupt(file, std::string("the ") + what + "'s name at offset " + std::to_string(at) +
                                   " is not 1 to 31 printable characters and then zeros");
        return name;
    };
    header.kind = static_cast<index_kind>(load_le<std::uint32_t>(&bytes[12]));
    header.length = load_le<std::uint64_t>(&bytes[16]);
    header.dim = load_le<std::uint64_t>(&bytes[24]);
    header.rows = load_le<std::uint64_t>(&bytes[32]);
    header.id_bits = static_cast<std::uint8_t>(u8(40));
    header.id_signed = u8(41) == 1;
    header.section_count = load_le<std::uint32_t>(&bytes[44]);
    header.compat = load_le<std::uint32_t>(&bytes[48]);
    header.metric = take_name(56, "metric");
    header.codec = take_name(88, "codec");
    header.table_crc = load_le<std::uint32_t>(&bytes[120]);

    if (header.dim == 0) fail_corrupt(file, "the dimension at offset 24 is 0, expected at least 1");
    const bool wide = (header.incompat & wide_ids) != 0;
    if (const unsigned bits = u8(40); wide ? bits != 128 : bits != 8 && bits != 16 && bits != 32 && bits != 64)
        fail_corrupt(file, "the id width at offset 40 is " + std::to_string(bits) + " bits, expected " +
                               (wide ? "128" : "8, 16, 32 or 64"));
    if (u8(41) > 1) fail_corrupt(file, "the id sign at offset 41 is " + std::to_string(u8(41)) + ", expected 0 or 1");
    if (u8(42) != 0 || u8(43) != 0) fail_corrupt(file, "the reserved bytes at offset 42 are not zero");
    if (header.section_count > max_sections)
        fail_corrupt(file, "the section count at offset 44 is " + std::to_string(header.section_count) +
                               ", expected at most " + std::to_string(max_sections));
    if (const std::uint64_t least = header_size + header.section_count * section_entry_size + file_tail;
        header.length < least)
        fail_corrupt(file, "the file's length at offset 16 is " + std::to_string(header.length) + ", " +
                               std::to_string(header.section_count) + " sections need at least " +
                               std::to_string(least));
    return header;
}

/// Returns the bytes of the section table.
[[nodiscard]] constexpr std::size_t table_size(std::uint32_t section_count) noexcept {
    return section_entry_size * section_count;
}

[[nodiscard]] inline std::vector<std::byte> encode_table(std::span<const section_entry> entries) {
    std::vector<std::byte> out(table_size(static_cast<std::uint32_t>(entries.size())));
    std::byte* at = out.data();
    for (const section_entry& entry : entries) {
        store_le(at, entry.type);
        store_le(at + 4, entry.width);
        store_le(at + 8, entry.offset);
        store_le(at + 16, entry.length);
        store_le(at + 24, entry.crc);
        store_le(at + 28, std::uint32_t{0});
        at += section_entry_size;
    }
    return out;
}

/// Sets every offset from the types and lengths: sections follow the table in order, each at the next multiple of 64.
/// returns  the length of the whole file, or nothing if 64 bits do not hold it
[[nodiscard]] inline std::optional<std::uint64_t> lay_out(std::span<section_entry> entries) noexcept {
    std::optional<std::uint64_t> end = header_size + section_entry_size * std::uint64_t{entries.size()};
    for (section_entry& entry : entries) {
        end = checked_round_up(*end, section_alignment);
        if (!end) return end;
        entry.offset = *end;
        end = checked_add(*end, entry.length);
        if (!end) return end;
    }
    end = checked_round_up(*end, section_alignment);
    return end ? checked_add(*end, file_tail) : end;
}

/// Reads the section table of `header`; afterwards every section lies inside header.length bytes and no two overlap.
/// bytes  table_size(header.section_count) of them
/// throws  error{corrupt_file} unless it is exactly the table a writer makes for these types and lengths
[[nodiscard]] inline std::vector<section_entry> decode_table(const file_header& header,
                                                             std::span<const std::byte> bytes, std::string_view file) {
    if (const auto found = crc32c(0, bytes); found != header.table_crc)
        fail_corrupt(file, "the section table's CRC-32C is " + hex(found) + ", expected " + hex(header.table_crc) +
                               " (at offset 120)");
    std::vector<section_entry> entries(header.section_count);
    for (std::size_t i = 0; i < entries.size(); ++i) {
        const std::byte* at = bytes.data() + i * section_entry_size;
        section_entry& entry = entries[i];
        entry = {load_le<std::uint32_t>(at), load_le<std::uint32_t>(at + 4), load_le<std::uint64_t>(at + 8),
                 load_le<std::uint64_t>(at + 16), load_le<std::uint32_t>(at + 24)};
        const std::string where = "the table entry at offset " + std::to_string(header_size + i * section_entry_size);
        if (!valid_section_type(entry.type))
            fail_corrupt(file, where + " has type " + hex(entry.type) + ", expected four printable characters");
        if (entry.width != 1 && entry.width != 2 && entry.width != 4 && entry.width != 8 &&
            (entry.width != 16 || (header.incompat & wide_ids) == 0))
            fail_corrupt(file,
                         where + " has elements of " + std::to_string(entry.width) + " bytes, expected 1, 2, 4 or 8");
        if (entry.length % entry.width != 0)
            fail_corrupt(file, where + " has " + std::to_string(entry.length) +
                                   " bytes, no whole number of elements of " + std::to_string(entry.width));
        if (load_le<std::uint32_t>(at + 28) != 0)
            fail_corrupt(file, where + " ends in reserved bytes that are not zero");
        for (std::size_t j = 0; j < i; ++j)
            if (entries[j].type == entry.type)
                fail_corrupt(file, where + " repeats section '" + section_name(entry.type) + "'");
    }
    std::vector<section_entry> expected = entries;
    const auto length = lay_out(expected);
    for (std::size_t i = 0; i < entries.size() && length; ++i)
        if (entries[i].offset != expected[i].offset)
            fail_corrupt(file, "section '" + section_name(entries[i].type) + "' begins at offset " +
                                   std::to_string(entries[i].offset) + ", expected " +
                                   std::to_string(expected[i].offset));
    if (!length || *length != header.length)
        fail_corrupt(file, "the sections make a file of " + (length ? std::to_string(*length) : "more than 2^64") +
                               " bytes, the header says " + std::to_string(header.length));
    return entries;
}

}  // namespace detail
VICINAL_NAMESPACE_END
