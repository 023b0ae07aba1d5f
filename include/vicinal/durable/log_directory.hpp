// SPDX-License-Identifier: MIT
// The directory of a durable index: snapshots, segments of the log, and a lock.
#pragma once

#include <algorithm>     // for sort
#include <cerrno>        // for EWOULDBLOCK
#include <chrono>        // for steady_clock
#include <cstddef>       // for size_t
#include <cstdint>       // for uint64_t, uintptr_t
#include <filesystem>    // for path, directory_iterator, create_directories
#include <optional>      // for optional
#include <random>        // for random_device
#include <string>        // for string
#include <string_view>   // for string_view
#include <system_error>  // for error_code
#include <vector>        // for vector

#include "vicinal/core/math.hpp"
#include "vicinal/core/number_as.hpp"
#include "vicinal/durable/log_calls.hpp"
#include "vicinal/io/atomic_file.hpp"

VICINAL_NAMESPACE_BEGIN
namespace detail {

/// A snapshot, by the last change in it, or a segment, by the first it can hold.
struct numbered_file {
    std::uint64_t sequence = 0;
    std::filesystem::path path;
};

/// What a directory holds, in the order of sequences.
struct log_directory {
    std::vector<numbered_file> snapshots;
    std::vector<numbered_file> segments;
    std::vector<std::filesystem::path> temporary;  ///< what killed savers left
};

inline constexpr std::string_view snapshot_prefix = "snapshot-";
inline constexpr std::string_view snapshot_suffix = ".vic";
inline constexpr std::string_view segment_prefix = "log-";
inline constexpr std::string_view segment_suffix = ".vlog";

[[nodiscard]] inline std::string name_of(std::string_view prefix, std::uint64_t sequence, std::string_view suffix) {
    std::string name(prefix);
    for (int shift = 60; shift >= 0; shift -= 4) name += "0123456789abcdef"[(sequence >> shift) & 0xF];
    return name.append(suffix);
}
[[nodiscard]] inline std::filesystem::path snapshot_path(const std::filesystem::path& directory,
                                                         std::uint64_t sequence) {
    return directory / name_of(snapshot_prefix, sequence, snapshot_suffix);
}
[[nodiscard]] inline std::filesystem::path segment_path(const std::filesystem::path& directory, std::uint64_t first) {
    return directory / name_of(segment_prefix, first, segment_suffix);
}
/// Returns the sequence in such a name, or nothing if it is another's.
[[nodiscard]] inline std::optional<std::uint64_t> sequence_in(std::string_view name, std::string_view prefix,
                                                              std::string_view suffix) {
    constexpr std::size_t digits = 16;
    if (name.size() != prefix.size() + digits + suffix.size() || !name.starts_with(prefix) || !name.ends_with(suffix))
        return std::nullopt;
    std::uint64_t sequence = 0;
    for (const char c : name.substr(prefix.size(), digits)) {
        const std::size_t digit = std::string_view("0123456789abcdef").find(c);
        if (digit == std::string_view::npos) return std::nullopt;
        sequence = sequence << 4U | digit;
    }
    return sequence;
}

/// Lists a directory; one that does not exist is empty.
/// throws  error{io}
[[nodiscard]] inline log_directory list_directory(const std::filesystem::path& directory) {
    log_directory found;
    std::error_code code;
    std::filesystem::directory_iterator entry(directory, code);
    if (code == std::errc::no_such_file_or_directory) return found;
    for (const std::filesystem::directory_iterator end; !code && entry != end; entry.increment(code)) {
        const std::string name = display(entry->path().filename());
        if (const auto snapshot = sequence_in(name, snapshot_prefix, snapshot_suffix))
            found.snapshots.push_back({*snapshot, entry->path()});
        else if (const auto segment = sequence_in(name, segment_prefix, segment_suffix))
            found.segments.push_back({*segment, entry->path()});
        else if (name.starts_with(".vicinal-") && name.ends_with(temporary_names::suffix))
            found.temporary.push_back(entry->path());
    }
    if (code) fail_io("list", directory, code.message());
    const auto earlier = [](const numbered_file& a, const numbered_file& b) { return a.sequence < b.sequence; };
    std::sort(found.snapshots.begin(), found.snapshots.end(), earlier);
    std::sort(found.segments.begin(), found.segments.end(), earlier);
    return found;
}

/// Makes a directory that is on the disk when this returns, unless it is there.
/// throws  error{io}
template <class Calls>
void make_directory(const std::filesystem::path& directory) {
    std::error_code code;
    if (!std::filesystem::create_directories(directory, code)) {
        if (code) fail_io("make the directory", directory, code.message());
        return;
    }
    std::filesystem::path above = std::filesystem::absolute(directory).parent_path();
    if (!directory.has_filename()) above = above.parent_path();
    typename Calls::handle handle{};
    int failed = uninterrupted([&] { return Calls::open_directory(above, handle); });
    if (failed != 0) fail_io("open", above, failed);
    failed = uninterrupted([&] { return Calls::sync_directory(handle); });
    Calls::close(handle);
    if (failed != 0) fail_io("sync", above, failed);
}

/// The lock that one object in one process has on a directory, until it is destroyed or the process ends.
template <class Calls>
class directory_lock {
  public:
    /// throws  error{io}, naming the holder if it is known
    explicit directory_lock(const std::filesystem::path& directory) {
        const std::filesystem::path path = directory / "lock";
        std::string holder;
        const int failed = Calls::lock(path, handle_, holder);
        if (failed == EWOULDBLOCK)
            fail(errc::io, "cannot open " + display(directory) + ": it is open already, by " +
                               (holder.empty() ? "another process" : holder) +
                               "; one object may write to a directory, any number may follow it");
        if (failed != 0) fail_io("lock", path, failed);
    }
    directory_lock(const directory_lock&) = delete;
    directory_lock& operator=(const directory_lock&) = delete;
    ~directory_lock() { Calls::close(handle_); }

  private:
    typename Calls::handle handle_{};
};

/// Returns a number that no other segment has.
[[nodiscard]] inline std::uint64_t new_identity() {
    std::random_device source;
    std::uint64_t identity = std::uint64_t{source()} << 32U | source();
    const int here = 0;  // in case the system's source always says the same
    identity ^= mix(static_cast<std::uint64_t>(std::chrono::system_clock::now().time_since_epoch().count()) ^
                    number_as<std::uint64_t>(reinterpret_cast<std::uintptr_t>(&here)));
    return identity == 0 ? 1 : identity;
}

}  // namespace detail
VICINAL_NAMESPACE_END
