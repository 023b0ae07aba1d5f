// SPDX-License-Identifier: MIT
// A file_image is the one way into a file: it checks header, table, lengths, padding and checksums, then gives bounded,
// typed sections.
#pragma once

#include <algorithm>  // for find_if, min
#include <cstddef>    // for size_t, byte
#include <cstdint>    // for uint32_t, uint64_t
#include <span>       // for span
#include <string>     // for string, to_string
#include <utility>    // for move
#include <vector>     // for vector

#include "vicinal/core/stop_token.hpp"
#include "vicinal/io/format.hpp"
#include "vicinal/io/source.hpp"

VICINAL_NAMESPACE_BEGIN
namespace detail {

/// Says when the sections' bytes are compared with their checksums.
enum class checksums {
    now,    ///< by the constructor: a load
    later,  ///< by verify(): a view, which must open without touching the vectors. Big-endian machines check now: they
            ///< copy
};

/// Holds a file whose structure has been checked: every section lies inside it at a multiple of 64 bytes, none overlap,
/// and at least 64 readable bytes follow each. What the sections mean is for the index to check.
///
/// threads  const members may be called from any number of threads
class file_image {
  public:
    /// throws  error{corrupt_file, unsupported_version, limit_exceeded}
    /// cost    O(bytes) with checksums::now, O(sections) without
    explicit file_image(file_bytes file, checksums when = checksums::now, const load_limits& limits = {})
        : file_(std::move(file)) {
        const auto bytes = file_.bytes();
        const std::string& name = file_.name();
        if (header().length != bytes.size())
            fail_corrupt(name, "there are " + std::to_string(bytes.size()) + " bytes, the header says " +
                                   std::to_string(header().length));
        require_limits(header(), limits, name);
        entries_ = decode_table(header(), bytes.subspan(header_size, table_size(header().section_count)), name);
        if constexpr (host_is_little_endian) {
            if (when == checksums::now) verify(limits.stop);
        } else {
            verify(limits.stop);
            const auto own = file_.own();
            for (const section_entry& entry : entries_)
                swap_elements(own.subspan(to_size(entry.offset), to_size(entry.length)), entry.width);
            swapped_ = true;
        }
    }

    [[nodiscard]] const file_header& header() const noexcept { return file_.header(); }
    [[nodiscard]] std::span<const section_entry> sections() const noexcept { return entries_; }
    [[nodiscard]] const std::string& name() const noexcept { return file_.name(); }
    [[nodiscard]] std::span<const std::byte> bytes() const noexcept { return file_.bytes(); }

    [[nodiscard]] bool has(std::uint32_t type) const noexcept { return find(type) != nullptr; }

    /// Returns all bytes of a section whose elements are bytes.
    /// throws  error{corrupt_file} if there is no such section
    [[nodiscard]] std::span<const std::byte> section(std::uint32_t type) const { return of_width(type, 1); }

    /// Returns all bytes of such a section, which must be exactly `length`.
    /// throws  error{corrupt_file} if the section is missing or has another length
    [[nodiscard]] std::span<const std::byte> section(std::uint32_t type, std::uint64_t length) const {
        return array<std::byte>(type, length);
    }

    /// Returns a cursor over a section of mixed contents.
    /// throws  error{corrupt_file} if there is no such section
    [[nodiscard]] byte_reader fields(std::uint32_t type) const {
        return {section(type), name() + ": " + describe(entry(type))};
    }

    /// Returns a section as `count` elements, in this machine's byte order, at a multiple of 64 bytes in memory.
    /// throws  error{corrupt_file} if the section is missing, has another element width or another length
    template <file_element T>
    [[nodiscard]] std::span<const T> array(std::uint32_t type, std::uint64_t count) const {
        const auto all = array<T>(type);
        if (all.size() != count)
            fail_corrupt(name(), describe(entry(type)) + " has " + std::to_string(all.size()) + " elements of " +
                                     std::to_string(sizeof(T)) + " bytes, expected " + std::to_string(count));
        return all;
    }

    /// Returns a section as however many elements it has.
    /// throws  error{corrupt_file} if the section is missing or has another element width
    template <file_element T>
    [[nodiscard]] std::span<const T> array(std::uint32_t type) const {
        const auto bytes = of_width(type, sizeof(T));
        return {reinterpret_cast<const T*>(bytes.data()), bytes.size() / sizeof(T)};
    }

    /// Compares every section with its checksum and looks for padding that is not zero.
    /// throws  error{corrupt_file}, error{cancelled}
    /// cost    O(bytes)
    void verify(const stop_token& stop = {}) const {
        if (swapped_) return;  // the constructor did it, before the elements were swapped
        const auto bytes = file_.bytes();
        std::size_t end = header_size + table_size(header().section_count);
        for (const section_entry& entry : entries_) {
            const auto at = static_cast<std::size_t>(entry.offset);
            require_zeros(end, at);
            const auto payload = bytes.subspan(at, static_cast<std::size_t>(entry.length));
            if (const auto found = checksum(payload, stop); found != entry.crc)
                fail_corrupt(name(), describe(entry) + " has CRC-32C " + hex(found) + ", expected " + hex(entry.crc));
            end = at + payload.size();
        }
        require_zeros(end, bytes.size());
    }

  private:
    [[nodiscard]] static std::uint32_t checksum(std::span<const std::byte> bytes, const stop_token& stop) {
        std::uint32_t crc = 0;
        while (!bytes.empty()) {
            throw_if_stopped(stop);
            const auto piece = bytes.first((std::min)(bytes.size(), byte_progress::stride));
            crc = crc32c(crc, piece);
            bytes = bytes.subspan(piece.size());
        }
        return crc;
    }

    [[nodiscard]] const section_entry* find(std::uint32_t type) const noexcept {
        const auto at = std::find_if(entries_.begin(), entries_.end(), [&](const auto& e) { return e.type == type; });
        return at == entries_.end() ? nullptr : &*at;
    }

    [[nodiscard]] const section_entry& entry(std::uint32_t type) const {
        const section_entry* found = find(type);
        if (found == nullptr) fail_corrupt(name(), "it has no section '" + section_name(type) + "'");
        return *found;
    }

    [[nodiscard]] std::span<const std::byte> of_width(std::uint32_t type, std::uint32_t width) const {
        const section_entry& found = entry(type);
        if (found.width != width)
            fail_corrupt(name(), describe(found) + " has elements of " + std::to_string(found.width) +
                                     " bytes, expected " + std::to_string(width));
        return file_.bytes().subspan(static_cast<std::size_t>(found.offset), static_cast<std::size_t>(found.length));
    }

    void require_zeros(std::size_t begin, std::size_t end) const {
        for (std::size_t i = begin; i < end; ++i)
            if (file_.bytes()[i] != std::byte{0})
                fail_corrupt(name(), "the padding byte at offset " + std::to_string(i) + " is " +
                                         std::to_string(static_cast<unsigned>(file_.bytes()[i])) + ", expected 0");
    }

    file_bytes file_;
    std::vector<section_entry> entries_;
    bool swapped_ = false;
};

/// Makes the header fields of an index of this type: what its files must hold, and what its writer begins with.
/// dim  0 = any
template <class Id>
[[nodiscard]] file_header header_of(index_kind kind, std::string_view metric, std::string_view codec,
                                    std::uint64_t dim = 0) {
    file_header header;
    header.kind = kind;
    header.metric = metric;
    header.codec = codec;
    header.id_bits = static_cast<std::uint8_t>(8 * sizeof(Id));
    header.id_signed = is_signed_id<Id>;
    if (sizeof(Id) > 8) header.incompat |= wide_ids;
    header.dim = dim;
    return header;
}

/// Refuses files of another type.
/// throws  error{wrong_type} naming both if a file of `found` is not what `asked` (see header_of) describes
inline void require_type(const file_header& found, const file_header& asked, std::string_view file) {
    if (found.kind == asked.kind && found.metric == asked.metric && found.codec == asked.codec &&
        found.id_bits == asked.id_bits && found.id_signed == asked.id_signed &&
        (asked.dim == 0 || found.dim == asked.dim))
        return;
    file_header shown = asked;
    if (shown.dim == 0) shown.dim = found.dim;
    fail(errc::wrong_type, std::string(file) + ": the file holds " + describe(found) + "; asked: " + describe(shown));
}

}  // namespace detail
VICINAL_NAMESPACE_END
