// SPDX-License-Identifier: MIT
// Makes lengths, offsets, padding and checksums agree, as a writer would have left them: past these a fuzzer that flips
// bits never gets by itself.
#pragma once

#include "support.hpp"
#include "vicinal/io/format.hpp"

namespace vicinal_fuzz {

/// `file` with header and table put right, where it is long enough to have them. Types, widths, lengths and contents of
/// sections stay as they are, unless sections would reach past 256 KiB.
[[nodiscard]] inline bytes_t repaired(bytes_view file) {
    using namespace vicinal::detail;
    bytes_t out(file.begin(), file.end());
    if (out.size() < header_size) return out;
    for (std::size_t i = 0; i < file_magic.size(); ++i) out[i] = std::byte{file_magic[i]};
    const auto count = std::min<std::uint32_t>(load_le<std::uint32_t>(&out[44]), 24);
    store_le(&out[44], count);
    const std::size_t table_end = header_size + table_size(count);
    if (out.size() < table_end) out.resize(table_end);

    std::vector<section_entry> entries(count);
    std::uint64_t sum = 0;
    for (std::size_t i = 0; i < count; ++i) {
        const std::byte* at = &out[header_size + i * section_entry_size];
        entries[i] = {load_le<std::uint32_t>(at), load_le<std::uint32_t>(at + 4), load_le<std::uint64_t>(at + 8),
                      load_le<std::uint64_t>(at + 16), 0};
        entries[i].length = std::min<std::uint64_t>(entries[i].length, (std::uint64_t{1} << 18) - sum);
        sum += entries[i].length;
    }
    std::vector<section_entry> placed = entries;
    const auto length = lay_out(placed);
    bytes_t laid(static_cast<std::size_t>(*length));
    std::copy_n(out.begin(), table_end, laid.begin());
    for (std::size_t i = 0; i < count; ++i) {
        const auto to = static_cast<std::size_t>(placed[i].offset);
        const auto n = static_cast<std::size_t>(placed[i].length);
        const std::uint64_t from = entries[i].offset;  // where the bytes were, if they were anywhere
        if (from < out.size())
            std::copy_n(out.begin() + static_cast<std::ptrdiff_t>(from),
                        std::min(n, out.size() - static_cast<std::size_t>(from)),
                        laid.begin() + static_cast<std::ptrdiff_t>(to));
        placed[i].crc = crc32c(0, bytes_view(laid).subspan(to, n));
    }
    const auto table = encode_table(placed);
    std::copy(table.begin(), table.end(), laid.begin() + header_size);
    store_le(&laid[16], *length);
    store_le(&laid[120], crc32c(0, table));
    store_le(&laid[124], crc32c(0, bytes_view(laid).first(124)));
    return laid;
}

}  // namespace vicinal_fuzz
