// Replaces a file as a whole: whoever opens the path finds all of the old bytes or all of the new ones.
#pragma once

#include <algorithm>     // for min
#include <cerrno>        // for errno, EINTR, EEXIST, ENOSPC
#include <chrono>        // for steady_clock
#include <cstddef>       // for size_t, byte
#include <cstdint>       // for uint64_t, uintptr_t
#include <filesystem>    // for path, symlink_status
#include <limits>        // for numeric_limits
#include <span>          // for span
#include <stop_token>    // for stop_token
#include <string>        // for string
#include <string_view>   // for string_view
#include <system_error>  // for error_code, generic_category
#include <utility>       // for move

#include "vicinal/core/error.hpp"
#include "vicinal/core/watch.hpp"

#if defined(_WIN32)
#include <fcntl.h>     // for _O_CREAT
#include <io.h>        // for _wopen
#include <process.h>   // for _getpid
#include <sys/stat.h>  // for _S_IWRITE
#else
#include <fcntl.h>     // for open, fallocate
#include <sys/stat.h>  // for fstat, fchmod
#include <unistd.h>    // for write, fsync, close, unlink

#include <cstdio>  // for rename
#endif

VICINAL_NAMESPACE_BEGIN

/// How `save(path)` treats the disk.
struct save_options {
    /// Wait until file and directory entry are on the disk. Without it a crash of the program still leaves the old or
    /// the new file, a loss of power may leave neither.
    bool sync = true;
    std::stop_token stop{};    ///< when triggered, the call throws error{cancelled}; the old file is as it was
    progress_ref progress{};  ///< told how many bytes of all are written; it must not use the index
};

namespace detail {

/// `path` for a message.
[[nodiscard]] inline std::string display(const std::filesystem::path& path) {
    const auto text = path.u8string();
    return {text.begin(), text.end()};
}

[[noreturn]] VICINAL_COLD inline void fail_io(std::string_view operation, const std::filesystem::path& path,
                                              std::string_view reason) {
    fail(errc::io, "cannot " + std::string(operation) + " " + display(path) + ": " + std::string(reason));
}

[[noreturn]] VICINAL_COLD inline void fail_io(std::string_view operation, const std::filesystem::path& path, int code) {
    fail_io(operation, path, std::error_code(code, std::generic_category()).message());
}

#if defined(_WIN32)

/// What atomic_file asks of the system; every call returns 0 or an errno. Tests put a failing disk in its place.
struct file_calls {
    using handle = int;
    static int create(const std::filesystem::path& path, handle& out) noexcept {
        out = _wopen(path.c_str(), _O_WRONLY | _O_CREAT | _O_EXCL | _O_BINARY | _O_NOINHERIT, _S_IREAD | _S_IWRITE);
        return out < 0 ? errno : 0;
    }
    static int copy_mode(handle, const std::filesystem::path&) noexcept { return 0; }
    static int reserve(handle, std::uint64_t) noexcept { return 0; }
    static int write(handle file, const std::byte* data, std::size_t size, std::size_t& written) noexcept {
        const int n = _write(file, data, static_cast<unsigned>(size));
        written = n < 0 ? 0 : static_cast<std::size_t>(n);
        return n < 0 ? errno : 0;
    }
    static int seek(handle file, std::uint64_t offset) noexcept {
        return _lseeki64(file, static_cast<long long>(offset), 0) < 0 ? errno : 0;
    }
    static int sync(handle file) noexcept { return _commit(file) != 0 ? errno : 0; }
    static int close(handle file) noexcept { return _close(file) != 0 ? errno : 0; }
    static int replace(const std::filesystem::path& from, const std::filesystem::path& to) noexcept {
        std::error_code code;
        std::filesystem::rename(from, to, code);  // MoveFileEx with MOVEFILE_REPLACE_EXISTING
        return code ? code.default_error_condition().value() : 0;
    }
    static int remove(const std::filesystem::path& path) noexcept { return _wunlink(path.c_str()) != 0 ? errno : 0; }
    static int open_directory(const std::filesystem::path&, handle& out) noexcept {
        out = -1;  // Windows has no such thing; NTFS journals the rename
        return 0;
    }
    static int sync_directory(handle) noexcept { return 0; }
    static std::uint64_t process() noexcept { return static_cast<std::uint64_t>(_getpid()); }
};

#else

/// What atomic_file asks of the system; every call returns 0 or an errno. Tests put a failing disk in its place.
struct file_calls {
    using handle = int;
    static int create(const std::filesystem::path& path, handle& out) noexcept {
        out = ::open(path.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0666);
        return out < 0 ? errno : 0;
    }
    /// Gives `file` the permissions of the file at `path`, or fewer where the file system has no such thing.
    static int copy_mode(handle file, const std::filesystem::path& path) noexcept {
        struct ::stat old {};
        struct ::stat now {};
        if (::stat(path.c_str(), &old) != 0) return errno == ENOENT ? 0 : errno;
        if (::fchmod(file, old.st_mode & 0777) == 0) return 0;
        const int code = errno;
        return ::fstat(file, &now) == 0 && (now.st_mode & 0777 & ~old.st_mode) == 0 ? 0 : code;
    }
    /// Sets room aside for an empty file to become `bytes` long, where the system can. The file's length may change.
    static int reserve([[maybe_unused]] handle file, [[maybe_unused]] std::uint64_t bytes) noexcept {
#if defined(__linux__)  // not posix_fallocate, which writes where the file system cannot
        if (static_cast<std::uint64_t>(std::numeric_limits<off_t>::max()) < bytes || bytes == 0) return 0;
        return ::fallocate(file, 0, 0, static_cast<off_t>(bytes)) != 0 ? errno : 0;
#else
        return 0;
#endif
    }
    /// One attempt; may write less than `size`.
    static int write(handle file, const std::byte* data, std::size_t size, std::size_t& written) noexcept {
        const ssize_t n = ::write(file, data, size);
        written = n < 0 ? 0 : static_cast<std::size_t>(n);
        return n < 0 ? errno : 0;
    }
    static int seek(handle file, std::uint64_t offset) noexcept {
        return ::lseek(file, static_cast<off_t>(offset), SEEK_SET) < 0 ? errno : 0;
    }
    static int sync(handle file) noexcept {
#if defined(F_FULLFSYNC)
        if (::fcntl(file, F_FULLFSYNC) == 0) return 0;  // macOS: fsync alone stops at the drive's cache
#endif
        return ::fsync(file) != 0 ? errno : 0;
    }
    static int close(handle file) noexcept {
        // The descriptor is gone even when a signal interrupts close: never close twice.
        return ::close(file) != 0 && errno != EINTR ? errno : 0;
    }
    static int replace(const std::filesystem::path& from, const std::filesystem::path& to) noexcept {
        return std::rename(from.c_str(), to.c_str()) != 0 ? errno : 0;
    }
    static int remove(const std::filesystem::path& path) noexcept { return ::unlink(path.c_str()) != 0 ? errno : 0; }
    static int open_directory(const std::filesystem::path& path, handle& out) noexcept {
        out = ::open(path.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        return out < 0 ? errno : 0;
    }
    static int sync_directory(handle directory) noexcept {
        if (::fsync(directory) == 0) return 0;
        return errno == EINVAL || errno == ENOTSUP ? 0 : errno;  // some file systems have nothing to sync there
    }
    static std::uint64_t process() noexcept { return static_cast<std::uint64_t>(::getpid()); }
};

#endif

/// The file `path` stands for: symbolic links are followed, also to a file that does not exist yet.
[[nodiscard]] inline std::filesystem::path follow_links(const std::filesystem::path& path) {
    std::filesystem::path target = path;
    for (int hops = 0; hops < 40; ++hops) {
        std::error_code code;
        if (std::filesystem::symlink_status(target, code).type() != std::filesystem::file_type::symlink) return target;
        const auto next = std::filesystem::read_symlink(target, code);
        if (code) fail_io("follow the link", target, code.message());
        target = next.is_absolute() ? next : target.parent_path() / next;
    }
    fail_io("follow the link", path, "too many levels of symbolic links");
}

/// A new version of the file at a path, invisible until commit(). Destroyed before that, it leaves nothing behind.
///
/// The bytes go to a temporary file in the same directory, which takes the old file's permissions (else 0666 less the
/// umask) and replaces it by rename. A symbolic link stays; what it points to is replaced. Every failure is an
/// error{io} naming path, operation and cause. Until the rename the old file is untouched; should the directory fail to
/// sync after it, the new file is in place and the error says so.
template <class Calls = file_calls>
class basic_atomic_file {
  public:
    basic_atomic_file(const std::filesystem::path& path, save_options options)
        : basic_atomic_file(follow_links(path), options, delegated{}) {
        std::error_code code;
        const auto status = std::filesystem::status(target_, code);
        const bool exists = std::filesystem::exists(status);
        if (exists && !std::filesystem::is_regular_file(status))
            fail_io("save to", target_, "it is not a regular file; open it as a stream and save to that");
        std::filesystem::path directory = target_.parent_path();
        if (directory.empty()) directory = ".";
        if (options.sync) {
            if (const int failed = retry([&] { return Calls::open_directory(directory, directory_); }); failed != 0)
                fail_io("open the directory", directory, failed);
            directory_open_ = true;
        }
        create_in(directory);
        if (!exists) return;
        if (const int failed = retry([&] { return Calls::copy_mode(file_, target_); }); failed != 0)
            fail_io("take the permissions of the old file for", temporary_, failed);
    }
    basic_atomic_file(const basic_atomic_file&) = delete;
    basic_atomic_file& operator=(const basic_atomic_file&) = delete;
    ~basic_atomic_file() {
        if (file_open_) Calls::close(file_);
        if (directory_open_) Calls::close(directory_);
        if (temporary_exists_) Calls::remove(temporary_);
    }

    /// Sets aside room for a file of `bytes` bytes, all of which must then be written: a full disk is found at once, and
    /// writing takes a quarter less time. Every other obstacle is left for write() to find.
    void reserve(std::uint64_t bytes) {
        const int failed = retry([&] { return Calls::reserve(file_, bytes); });
        if (failed == ENOSPC) fail_io("make room for", temporary_for(), failed);
    }

    /// Appends all of `bytes`.
    void write(std::span<const std::byte> bytes) {
        while (!bytes.empty()) {
            std::size_t written = 0;
            const std::size_t size = std::min(bytes.size(), std::size_t{1} << 30);  // some systems stop at 2^31
            const int failed = Calls::write(file_, bytes.data(), size, written);
            if (failed == EINTR) continue;
            if (failed != 0) fail_io("write", temporary_for(), failed);
            if (written == 0 || written > size) fail_io("write", temporary_for(), EIO);
            bytes = bytes.subspan(written);
        }
    }

    /// Writes `bytes` over what was written at `offset`; nothing may be appended afterwards.
    void overwrite(std::uint64_t offset, std::span<const std::byte> bytes) {
        if (const int failed = Calls::seek(file_, offset); failed != 0) fail_io("seek in", temporary_for(), failed);
        write(bytes);
    }

    /// Puts the new bytes in place. Nothing but destruction may follow.
    void commit() {
        if (options_.sync)
            if (const int failed = retry([&] { return Calls::sync(file_); }); failed != 0)
                fail_io("sync", temporary_for(), failed);
        file_open_ = false;
        if (const int failed = Calls::close(file_); failed != 0) fail_io("close", temporary_for(), failed);
        if (const int failed = Calls::replace(temporary_, target_); failed != 0) fail_io("rename to", target_, failed);
        temporary_exists_ = false;
        if (!directory_open_) return;
        if (const int failed = retry([&] { return Calls::sync_directory(directory_); }); failed != 0)
            fail_io("sync the directory of", target_,
                    std::error_code(failed, std::generic_category()).message() +
                        "; the new file is in place, but a loss of power may undo that");
    }

  private:
    // A constructor that delegates has an object to destroy when the rest of it throws.
    struct delegated {};
    basic_atomic_file(std::filesystem::path target, save_options options, delegated)
        : target_(std::move(target)), options_(options) {}

    template <class Call>
    static int retry(Call&& call) {
        int failed = EINTR;
        while (failed == EINTR) failed = call();
        return failed;
    }

    void create_in(const std::filesystem::path& directory) {
        // Unique enough that a collision is a curiosity; O_EXCL makes it harmless.
        std::uint64_t seed = Calls::process() * 0x9E3779B97F4A7C15U ^
                             static_cast<std::uint64_t>(std::chrono::steady_clock::now().time_since_epoch().count()) ^
                             static_cast<std::uint64_t>(reinterpret_cast<std::uintptr_t>(this)) << 20;
        for (int attempt = 0;; ++attempt) {
            seed = (seed ^ seed >> 31) * 0xBF58476D1CE4E5B9U + 1;
            std::string name = ".vicinal-";
            for (int shift = 60; shift >= 0; shift -= 4) name += "0123456789abcdef"[(seed >> shift) & 0xF];
            temporary_ = directory / (name + ".tmp");
            const int failed = retry([&] { return Calls::create(temporary_, file_); });
            if (failed == 0) break;
            if (failed != EEXIST || attempt == 100) fail_io("create a file to save to", target_, failed);
        }
        file_open_ = temporary_exists_ = true;
    }

    [[nodiscard]] std::filesystem::path temporary_for() const {
        std::filesystem::path name = temporary_;
        name += " (to become ";
        name += target_;
        name += ")";
        return name;
    }

    std::filesystem::path target_;
    std::filesystem::path temporary_;
    save_options options_;
    typename Calls::handle file_{};
    typename Calls::handle directory_{};
    bool file_open_ = false;
    bool directory_open_ = false;
    bool temporary_exists_ = false;
};

using atomic_file = basic_atomic_file<>;

}  // namespace detail
VICINAL_NAMESPACE_END
