// SPDX-License-Identifier: MIT
// A snapshot is a file of the index in whose note it says which changes are in it.
#pragma once

#include <algorithm>   // for copy
#include <array>       // for array
#include <cstddef>     // for byte, size_t
#include <cstdint>     // for uint32_t, uint64_t
#include <filesystem>  // for path
#include <memory>      // for make_unique, unique_ptr
#include <span>        // for span
#include <string>      // for string, to_string
#include <utility>     // for move
#include <vector>      // for vector

#include "vicinal/core/little_endian.hpp"
#include "vicinal/durable/log_directory.hpp"
#include "vicinal/io/atomic_file.hpp"
#include "vicinal/io/index_io.hpp"
#include "vicinal/params.hpp"

VICINAL_NAMESPACE_BEGIN
namespace detail {

/// What the note of a snapshot says before the application's own bytes.
struct snapshot_mark {
    std::uint64_t sequence = 0;  ///< of the last change in it
    std::uint64_t segment = 0;   ///< the identity of the segment that ended there; 0 if there was none
};
inline constexpr std::array<char, 8> snapshot_magic = {'d', 'u', 'r', 'a', 'b', 'l', 'e', '1'};
inline constexpr std::size_t snapshot_mark_size = 24;
inline constexpr std::size_t max_application_note = max_note - snapshot_mark_size;

/// throws  error{invalid_argument} if the application's note is too long
[[nodiscard]] inline std::vector<std::byte> encode_snapshot_note(const snapshot_mark& mark,
                                                                 std::span<const std::byte> note) {
    if (note.size() > max_application_note)
        fail(errc::invalid_argument, "checkpoint: the note has " + std::to_string(note.size()) + " bytes, at most " +
                                         std::to_string(max_application_note) + " can travel in a snapshot");
    std::vector<std::byte> out(snapshot_mark_size + note.size());
    for (std::size_t i = 0; i < snapshot_magic.size(); ++i) out[i] = static_cast<std::byte>(snapshot_magic[i]);
    store_le(&out[8], mark.sequence);
    store_le(&out[16], mark.segment);
    std::copy(note.begin(), note.end(), out.begin() + snapshot_mark_size);
    return out;
}
/// throws  error{corrupt_file} if the note is none of a snapshot
[[nodiscard]] inline snapshot_mark decode_snapshot_note(std::span<const std::byte> note,
                                                        const std::filesystem::path& file) {
    bool known = note.size() >= snapshot_mark_size;
    for (std::size_t i = 0; known && i < snapshot_magic.size(); ++i)
        known = note[i] == static_cast<std::byte>(snapshot_magic[i]);
    if (!known) fail_corrupt(display(file), "it is no snapshot of a durable index: its note is not one's");
    return {load_le<std::uint64_t>(&note[8]), load_le<std::uint64_t>(&note[16])};
}

/// An index that was loaded from a snapshot.
template <class Index>
struct loaded_snapshot {
    std::unique_ptr<Index> index;
    snapshot_mark mark;
    std::uint64_t bytes = 0;  ///< of the file

    [[nodiscard]] std::span<const std::byte> note() const { return index->note().subspan(snapshot_mark_size); }
};

/// throws  as Index::load; error{corrupt_file} if the note and the file's name disagree
template <class Index>
[[nodiscard]] loaded_snapshot<Index> load_snapshot(const numbered_file& file, const stop_token& stop) {
    loaded_snapshot<Index> loaded;
    loaded.index = std::make_unique<Index>(Index::load(file.path, {.stop = stop}));
    loaded.mark = decode_snapshot_note(loaded.index->note(), file.path);
    if (loaded.mark.sequence != file.sequence)
        fail_corrupt(display(file.path), "it holds changes up to " + std::to_string(loaded.mark.sequence) +
                                             ", its name says " + std::to_string(file.sequence));
    std::error_code code;
    loaded.bytes = std::filesystem::file_size(file.path, code);
    if (code) loaded.bytes = 0;
    return loaded;
}

/// Puts the bytes of a snapshot in place; they are on the disk when this returns.
/// throws  error{io}
template <class Calls>
void write_snapshot(const std::filesystem::path& path, std::span<const std::byte> bytes) {
    basic_atomic_file<Calls> file(path, {});
    file.reserve(bytes.size());
    file.write(bytes);
    file.commit();
}

/// Removes what a snapshot of that sequence has made superfluous: older snapshots, and segments that end there. What
/// cannot be removed is left for the next time.
template <class Calls>
void remove_obsolete(const log_directory& found, std::uint64_t sequence) noexcept {
    for (const numbered_file& snapshot : found.snapshots)
        if (snapshot.sequence < sequence) Calls::remove(snapshot.path);
    for (const numbered_file& segment : found.segments)
        if (segment.sequence <= sequence) Calls::remove(segment.path);
}

}  // namespace detail
VICINAL_NAMESPACE_END
