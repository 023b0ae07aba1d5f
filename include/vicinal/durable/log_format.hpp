// SPDX-License-Identifier: MIT
// The bytes of a log: a header for each segment, and a record for each call (docs/format.md).
#pragma once

#include <algorithm>    // for all_of, copy
#include <array>        // for array
#include <cstddef>      // for byte, size_t
#include <cstdint>      // for uint8_t, uint16_t, uint32_t, uint64_t
#include <limits>       // for numeric_limits
#include <optional>     // for optional
#include <span>         // for span
#include <string>       // for string, to_string
#include <string_view>  // for string_view
#include <vector>       // for vector

#include "vicinal/core/error.hpp"
#include "vicinal/core/little_endian.hpp"
#include "vicinal/core/rows_view.hpp"
#include "vicinal/core/types.hpp"
#include "vicinal/durable/options.hpp"
#include "vicinal/io/bytes.hpp"
#include "vicinal/io/checked.hpp"
#include "vicinal/io/crc32c.hpp"
#include "vicinal/io/format.hpp"

VICINAL_NAMESPACE_BEGIN
namespace detail {

// ---- the header of a segment ---------------------------------------------------------------------------------------

inline constexpr std::array<std::uint8_t, 8> log_magic = {0x89, 'V', 'L', 'G', 0x0D, 0x0A, 0x1A, 0x0A};
inline constexpr std::uint16_t log_major = 1;
inline constexpr std::uint16_t log_minor = 0;

/// Holds the fields of a segment's header.
struct segment_header {
    file_header index;           ///< kind, dim, ids, metric and codec of the index whose changes these are
    std::uint64_t first = 1;     ///< the sequence of the segment's first record
    std::uint64_t identity = 0;  ///< a random number of this segment's own
    std::uint64_t previous = 0;  ///< that of the segment that ended before `first`; 0 of the first one of all
    std::uint32_t crc = 0;       ///< of the header's bytes, which every record's CRC continues
};

[[nodiscard]] inline std::array<std::byte, header_size> encode_segment_header(segment_header& header) {
    // The fields that both have lie where the header of an index has them.
    std::array<std::byte, header_size> out = encode_header(header.index);
    for (std::size_t i = 0; i < log_magic.size(); ++i) out[i] = std::byte{log_magic[i]};
    store_le(&out[8], log_major);
    store_le(&out[10], log_minor);
    store_le(&out[16], header.first);
    store_le(&out[32], header.identity);
    store_le(&out[44], std::uint32_t{0});
    store_le(&out[48], header.previous);
    store_le(&out[120], std::uint32_t{0});
    header.crc = crc32c(0, std::span(out).first(124));
    store_le(&out[124], header.crc);
    return out;
}

/// Returns the name at `at`, or nothing if it is not 1 to 31 printable characters and then zeros.
[[nodiscard]] inline std::string segment_name_field(std::span<const std::byte, header_size> bytes, std::size_t at) {
    const auto field = bytes.subspan(at, name_size);
    std::string name;
    for (const std::byte b : field) {
        if (b == std::byte{0}) break;
        name += static_cast<char>(b);
    }
    const auto rest = field.subspan(name.size());
    const bool padded = std::all_of(rest.begin(), rest.end(), [](std::byte b) { return b == std::byte{0}; });
    return padded && valid_name(name) ? name : std::string();
}

/// Reads the header of a segment.
/// throws  error{corrupt_file}, error{unsupported_version}
[[nodiscard]] inline segment_header decode_segment_header(std::span<const std::byte, header_size> bytes,
                                                          std::string_view file) {
    for (std::size_t i = 0; i < log_magic.size(); ++i)
        if (bytes[i] != std::byte{log_magic[i]}) fail_corrupt(file, "its first bytes are no header of a vicinal log");
    segment_header header;
    header.crc = load_le<std::uint32_t>(&bytes[124]);
    if (const auto found = crc32c(0, bytes.first(124)); found != header.crc)
        fail_corrupt(file,
                     "the header's CRC-32C is " + hex(found) + ", expected " + hex(header.crc) + " (at offset 124)");
    if (const auto major = load_le<std::uint16_t>(&bytes[8]); major != log_major)
        fail(errc::unsupported_version, std::string(file) + ": written in log format " + std::to_string(major) +
                                            ", this library reads " + std::to_string(log_major));
    header.index.kind = static_cast<index_kind>(load_le<std::uint32_t>(&bytes[12]));
    header.first = load_le<std::uint64_t>(&bytes[16]);
    header.index.dim = load_le<std::uint64_t>(&bytes[24]);
    header.identity = load_le<std::uint64_t>(&bytes[32]);
    header.index.id_bits = static_cast<std::uint8_t>(bytes[40]);
    header.index.id_signed = bytes[41] == std::byte{1};
    header.previous = load_le<std::uint64_t>(&bytes[48]);
    header.index.metric = segment_name_field(bytes, 56);
    header.index.codec = segment_name_field(bytes, 88);
    const bool possible = header.index.dim != 0 && header.first != 0 && bytes[41] <= std::byte{1} &&
                          !header.index.metric.empty() && !header.index.codec.empty() &&
                          load_le<std::uint16_t>(&bytes[42]) == 0 && load_le<std::uint32_t>(&bytes[44]) == 0 &&
                          load_le<std::uint32_t>(&bytes[120]) == 0;
    if (!possible) fail_corrupt(file, "its header has fields that no log has");
    return header;
}

// ---- records -------------------------------------------------------------------------------------------------------

/// What a record says was called. A call for one vector and a batch of one are different calls: graphs can tell.
enum class record_kind : std::uint8_t {
    mark = 0,  ///< nothing: all records up to its sequence, that of the record before, are on the disk
    add = 1,
    update = 2,
    upsert = 3,
    remove = 4,
    add_rows = 5,
    upsert_rows = 6,
    remove_rows = 7,
    clear = 8,
};
inline constexpr std::uint8_t last_record_kind = 8;

[[nodiscard]] constexpr bool has_vectors(record_kind kind) noexcept {
    return kind == record_kind::add || kind == record_kind::update || kind == record_kind::upsert ||
           kind == record_kind::add_rows || kind == record_kind::upsert_rows;
}
[[nodiscard]] constexpr bool has_one_row(record_kind kind) noexcept {
    return kind >= record_kind::add && kind <= record_kind::remove;
}
[[nodiscard]] constexpr bool has_no_rows(record_kind kind) noexcept {
    return kind == record_kind::mark || kind == record_kind::clear;
}
[[nodiscard]] constexpr change change_of(record_kind kind) noexcept {
    switch (kind) {
        case record_kind::add:
        case record_kind::add_rows: return change::add;
        case record_kind::update: return change::update;
        case record_kind::upsert:
        case record_kind::upsert_rows: return change::upsert;
        case record_kind::remove:
        case record_kind::remove_rows: return change::remove;
        case record_kind::clear: return change::clear;
        case record_kind::mark: break;
    }
    return change::snapshot;
}

inline constexpr std::size_t record_head_size = 40;
inline constexpr std::size_t record_alignment = 8;  // of every record in its segment, and of its parts in it

/// Holds the fields that every record begins with.
struct record_head {
    std::uint32_t crc = 0;  ///< of all bytes that follow it, continuing the segment header's
    std::uint8_t kind = 0;
    std::uint64_t length = 0;  ///< of the record, this head included
    std::uint64_t sequence = 0;
    std::uint64_t synced = 0;  ///< the sequence up to which all was known to be on the disk when this was written
    std::uint32_t rows = 0;
    std::uint32_t payload = 0;  ///< in bytes
};

[[nodiscard]] inline record_head decode_record_head(std::span<const std::byte, record_head_size> bytes) noexcept {
    return {load_le<std::uint32_t>(&bytes[0]),  static_cast<std::uint8_t>(bytes[4]), load_le<std::uint64_t>(&bytes[8]),
            load_le<std::uint64_t>(&bytes[16]), load_le<std::uint64_t>(&bytes[24]),  load_le<std::uint32_t>(&bytes[32]),
            load_le<std::uint32_t>(&bytes[36])};
}

/// Says where the parts of a record lie.
struct record_layout {
    std::uint64_t vectors = 0;  ///< offsets in the record; ids begin at record_head_size
    std::uint64_t payload = 0;
    std::uint64_t length = 0;
};

/// Returns that, or nothing if 64 bits do not hold it.
[[nodiscard]] inline std::optional<record_layout> lay_out_record(record_kind kind, std::uint64_t rows,
                                                                 std::uint64_t payload, std::uint64_t dim,
                                                                 std::uint64_t id_bytes) noexcept {
    const auto padded = [](std::optional<std::uint64_t> n) { return n ? checked_round_up(*n, record_alignment) : n; };
    const auto after = [](std::optional<std::uint64_t> at, std::optional<std::uint64_t> bytes) {
        return at && bytes ? checked_add(*at, *bytes) : std::nullopt;
    };
    const auto floats = has_vectors(kind) ? checked_mul(rows, dim) : std::uint64_t{0};
    const auto vectors = padded(after(record_head_size, checked_mul(rows, id_bytes)));
    const auto end = after(vectors, floats ? checked_mul(*floats, sizeof(float)) : floats);
    const auto length = padded(after(end, payload));
    if (!length) return std::nullopt;
    return record_layout{*vectors, *end, *length};
}

/// Says whether a head could be one of a log of such vectors and ids.
[[nodiscard]] inline bool is_possible(const record_head& head, std::uint64_t dim, std::uint64_t id_bytes) noexcept {
    if (head.kind > last_record_kind) return false;
    const auto kind = static_cast<record_kind>(head.kind);
    if (has_one_row(kind) && head.rows != 1) return false;
    if (has_no_rows(kind) && head.rows != 0) return false;
    if (kind == record_kind::mark ? head.synced != head.sequence : head.synced >= head.sequence) return false;
    const auto layout = lay_out_record(kind, head.rows, head.payload, dim, id_bytes);
    return layout && layout->length == head.length;
}

/// Makes a record of all but its sequence, which is not known yet.
/// rows  as many as ids if the kind has vectors, of `dim` components
/// throws  error{invalid_argument} if it is too large
template <class Id>
[[nodiscard]] std::vector<std::byte> encode_record(record_kind kind, std::size_t dim, std::span<const Id> ids,
                                                   rows_view rows, std::span<const std::byte> payload) {
    constexpr std::uint64_t most = (std::numeric_limits<std::uint32_t>::max)();
    const auto layout = lay_out_record(kind, ids.size(), payload.size(), dim, sizeof(Id));
    if (!layout || ids.size() > most || payload.size() > most || layout->length > std::vector<std::byte>().max_size())
        fail(errc::invalid_argument, "a change of " + std::to_string(ids.size()) + " rows with a payload of " +
                                         std::to_string(payload.size()) + " bytes does not fit into one record");
    std::vector<std::byte> out(static_cast<std::size_t>(layout->length));
    out[4] = static_cast<std::byte>(kind);
    store_le(&out[8], layout->length);
    store_le(&out[32], static_cast<std::uint32_t>(ids.size()));
    store_le(&out[36], static_cast<std::uint32_t>(payload.size()));
    std::byte* at = out.data() + record_head_size;
    for (const Id id : ids) {
        store_le(at, id);
        at += sizeof(Id);
    }
    at = out.data() + layout->vectors;
    if (has_vectors(kind))
        for (std::size_t i = 0; i < rows.rows(); ++i, at += dim * sizeof(float))
            rows[i].read(reinterpret_cast<float*>(at));
    if constexpr (!host_is_little_endian)
        swap_elements(std::span(out).subspan(static_cast<std::size_t>(layout->vectors),
                                             static_cast<std::size_t>(layout->payload - layout->vectors)),
                      sizeof(float));
    std::copy(payload.begin(), payload.end(), out.begin() + static_cast<std::ptrdiff_t>(layout->payload));
    return out;
}

/// Completes a record: what `encode_record` made gets its place in a segment.
inline void seal_record(std::span<std::byte> record, std::uint64_t sequence, std::uint64_t synced,
                        std::uint32_t header_crc) noexcept {
    store_le(&record[16], sequence);
    store_le(&record[24], synced);
    store_le(&record[0], crc32c(header_crc, record.subspan(4)));
}

}  // namespace detail
VICINAL_NAMESPACE_END
