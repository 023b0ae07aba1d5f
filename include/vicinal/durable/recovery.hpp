// SPDX-License-Identifier: MIT
// Recovery makes an index of what a directory holds: the newest snapshot that is whole, and the log behind it.
#pragma once

#include <algorithm>   // for min
#include <cerrno>      // for EIO
#include <cstddef>     // for byte, size_t
#include <cstdint>     // for uint64_t
#include <exception>   // for exception_ptr, current_exception, rethrow_exception
#include <filesystem>  // for path
#include <memory>      // for unique_ptr
#include <span>        // for span
#include <string>      // for string
#include <utility>     // for move
#include <vector>      // for vector

#include "vicinal/durable/log_directory.hpp"
#include "vicinal/durable/log_writer.hpp"
#include "vicinal/durable/options.hpp"
#include "vicinal/durable/replay.hpp"
#include "vicinal/durable/snapshot.hpp"
#include "vicinal/runtime/erased_index.hpp"

VICINAL_NAMESPACE_BEGIN
namespace detail {

/// Returns what the headers of files say of such an index.
template <class Index>
[[nodiscard]] file_header type_of(const Index& index) {
    file_header type = index_access::header<Index>();
    type.dim = index.dim();
    return type;
}

/// An index as a directory says it is, and where its log goes on.
template <class Index>
struct recovered_index {
    loaded_snapshot<Index> from;
    std::uint64_t sequence = 0;      ///< of the last change
    std::uint64_t log_bytes = 0;     ///< of the segments that were replayed
    std::uint64_t last_segment = 0;  ///< the identity of the segment that the next one continues
    open_report report;
};

/// Tells of a snapshot that was loaded.
template <class Index, class Id>
void tell_of_snapshot(const loaded_snapshot<Index>& loaded, const function_ref<void(const log_entry<Id>&)>& told) {
    if (told) told({change::snapshot, loaded.mark.sequence, {}, {}, loaded.note()});
}

/// Loads the newest snapshot that is whole and whose log is there.
/// throws  what was wrong with the newest one, if there is none
template <class Index>
[[nodiscard]] loaded_snapshot<Index> load_newest_snapshot(const log_directory& found, const stop_token& stop,
                                                          open_report& report) {
    std::exception_ptr first;
    for (std::size_t i = found.snapshots.size(); i-- > 0;) {
        const numbered_file& snapshot = found.snapshots[i];
        bool continued = first == nullptr;  // that the log behind the newest is missing is for replay to say
        for (const numbered_file& segment : found.segments)
            continued = continued || segment.sequence == snapshot.sequence + 1;
        if (!continued) continue;
        try {
            return load_snapshot<Index>(snapshot, stop);
        } catch (const error& e) {
            if (e.code() != errc::corrupt_file && e.code() != errc::io) throw;
            if (first == nullptr) first = std::current_exception();
            report.damaged.push_back(snapshot.path);
            report.damaged_because.emplace_back(e.what());
        }
    }
    std::rethrow_exception(first);
}

/// Cuts what a crash has left behind the last whole record of a segment.
/// throws  error{io}
template <class Calls>
void cut_torn_end(const std::filesystem::path& path, std::uint64_t bytes) {
    typename Calls::handle file{};
    int failed = uninterrupted([&] { return Calls::open_to_append(path, file); });
    if (failed != 0) fail_io("open", path, failed);
    failed = uninterrupted([&] { return Calls::truncate(file, bytes); });
    if (failed == 0) failed = uninterrupted([&] { return Calls::sync_data(file); });
    Calls::close(file);
    if (failed != 0) fail_io("cut the torn end of", path, failed);
}

/// Writes what was read of a segment, and may not be on the disk, over itself, and syncs it. A process that was told of
/// a failed sync may have died before it could cut the segment: the system then has bytes in memory that it takes for
/// written, and a sync alone would not write them.
/// throws  error{io}
template <class Calls, class Reader>
void write_again(const std::filesystem::path& path, Reader& segment) {
    typename Calls::handle file{};
    int failed = uninterrupted([&] { return Calls::open_to_overwrite(path, file); });
    if (failed != 0) fail_io("open", path, failed);
    std::vector<std::byte> piece(std::size_t{1} << 20);
    std::uint64_t at = segment.doubtful_from();
    failed = uninterrupted([&] { return Calls::seek(file, at); });
    while (failed == 0 && at < segment.offset()) {
        const auto left = (std::min)(segment.offset() - at, std::uint64_t{piece.size()});
        const auto part = std::span(piece).first(static_cast<std::size_t>(left));
        if (segment.read_at(at, part) != part.size()) failed = EIO;
        if (failed == 0) failed = write_all<Calls>(file, part);
        at += part.size();
    }
    if (failed == 0) failed = uninterrupted([&] { return Calls::sync_data(file); });
    Calls::close(file);
    if (failed != 0) fail_io("write again to", path, failed);
}

/// Recovers an index. The directory is locked. Nothing in it changes before all was read.
/// throws  error: corrupt_file, io, wrong_type, unsupported_version, cancelled; what params.told throws
template <class Index, class Calls>
[[nodiscard]] recovered_index<Index> recover(const log_directory& found,
                                             const replay_params<typename Index::id_type>& params) {
    recovered_index<Index> made;
    made.from = load_newest_snapshot<Index>(found, params.stop, made.report);
    tell_of_snapshot(made.from, params.told);
    const file_header type = type_of(*made.from.index);
    log_replay<Index> replay(*made.from.index, type, made.from.mark, params);
    replay.run(found.segments);
    made.sequence = replay.sequence();
    made.log_bytes = replay.total_bytes();
    made.report.snapshot_sequence = made.from.mark.sequence;
    made.report.replayed = replay.replayed();
    made.report.torn_bytes = replay.torn().bytes;
    const segment_header& last = replay.last().header();
    // An empty segment is replaced by the next one, so that nobody who read it before it was cut goes on reading.
    made.last_segment = last.first == made.sequence + 1 ? last.previous : last.identity;
    if (replay.torn().bytes != 0) cut_torn_end<Calls>(replay.torn().path, replay.torn().begin);
    if (replay.last().doubtful_from() != replay.last().offset()) write_again<Calls>(replay.last_path(), replay.last());
    for (const auto& path : replay.superfluous()) Calls::remove(path);
    if (made.report.damaged.empty()) remove_obsolete<Calls>(found, made.from.mark.sequence);
    return made;
}

}  // namespace detail
VICINAL_NAMESPACE_END
