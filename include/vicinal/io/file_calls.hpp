// SPDX-License-Identifier: MIT
// All that saving asks of the operating system is in this one place: tests put a failing disk there instead.
#pragma once

#include <cerrno>        // for errno, EINTR, EEXIST
#include <cstddef>       // for size_t, byte
#include <cstdint>       // for uint64_t
#include <ctime>         // for time
#include <filesystem>    // for path
#include <limits>        // for numeric_limits
#include <string>        // for string
#include <string_view>   // for string_view
#include <system_error>  // for error_code
#include <vector>        // for vector

#include "vicinal/core/config.hpp"
#include "vicinal/core/number_as.hpp"
#include "vicinal/io/windows_calls.hpp"

#if defined(_WIN32)
#include <fcntl.h>     // for _O_CREAT
#include <io.h>        // for _wopen
#include <process.h>   // for _getpid
#include <sys/stat.h>  // for _S_IWRITE
#else
#include <dirent.h>     // for opendir, readdir
#include <fcntl.h>      // for open, fallocate
#include <sys/file.h>   // for flock
#include <sys/stat.h>   // for fstat, fchmod
#include <sys/types.h>  // for mode_t, uid_t, gid_t
#include <unistd.h>     // for write, fsync, close, unlink, gethostname

#include <cstdio>  // for rename
#if defined(__linux__)
#include <sys/xattr.h>  // for getxattr
#endif
#endif

VICINAL_NAMESPACE_BEGIN
namespace detail {

/// Describes the names of one path's temporary files.
struct temporary_names {
    std::string stem;        ///< what all of them begin with; it stands for the path's file name
    std::string host;        ///< what follows in those that this machine gave; others may not see its locks
    std::size_t length = 0;  ///< of a whole name
    static constexpr std::string_view suffix = ".tmp";

    [[nodiscard]] bool include(std::string_view name) const noexcept {
        return name.size() == length && name.starts_with(stem) && name.ends_with(suffix);
    }
    [[nodiscard]] bool of_this_host(std::string_view name) const noexcept {
        return name.substr(stem.size()).starts_with(host);
    }
};

#if defined(_WIN32)

/// Holds what is known of the file at a path before it is replaced.
struct file_rights {
    bool exists = false;
    bool regular = false;
    [[nodiscard]] int creation_mode() const noexcept { return _S_IREAD | _S_IWRITE; }
};

/// Does what atomic_file asks of the system; every call returns 0 or an errno.
struct file_calls {
    using handle = int;
    static int look_up(const std::filesystem::path& path, file_rights& out) noexcept {
        std::error_code code;
        const auto status = std::filesystem::status(path, code);
        out.exists = std::filesystem::exists(status);
        out.regular = std::filesystem::is_regular_file(status);
        return 0;
    }
    static int create(const std::filesystem::path& path, int mode, handle& out) noexcept {
        out = _wopen(path.c_str(), _O_WRONLY | _O_CREAT | _O_EXCL | _O_BINARY | _O_NOINHERIT, mode);
        return out < 0 ? errno : 0;
    }
    /// Makes another handle of the file, which create() made at `path`: nobody sweeps away what is open.
    static int hold(handle, const std::filesystem::path& path, handle& out) noexcept {
        out = windows::open_to_read(path);
        return out < 0 ? (errno == ENOENT ? EEXIST : errno) : 0;
    }
    /// Removes the temporary files in `directory` that nobody has open, on whatever machine.
    static void sweep(const std::filesystem::path& directory, const temporary_names& names, std::uint64_t) noexcept {
        try {
            std::error_code code;
            for (std::filesystem::directory_iterator entry(directory, code), end; !code && entry != end;
                 entry.increment(code)) {
                const auto name = entry->path().filename().u8string();
                if (names.include(std::string(name.begin(), name.end()))) remove_abandoned(entry->path());
            }
        } catch (...) {  // out of memory: the next saver sweeps
            return;
        }
    }
    static std::string host() { return {}; }
    static int give(handle, const file_rights&) noexcept { return 0; }  // it has what the directory gives it
    static int reserve(handle file, std::uint64_t bytes) noexcept {
        constexpr int file_allocation_information = 5;
        auto size = static_cast<long long>(bytes);
        if (windows::set_information(reinterpret_cast<void*>(_get_osfhandle(file)), file_allocation_information, &size,
                                     sizeof size))
            return 0;
        return windows::last_errno();
    }
    static int write(handle file, const std::byte* data, std::size_t size, std::size_t& written) noexcept {
        const int n = _write(file, data, static_cast<unsigned>(size));
        written = n < 0 ? 0 : static_cast<std::size_t>(n);
        return n < 0 ? errno : 0;
    }
    static int seek(handle file, std::uint64_t offset) noexcept {
        return _lseeki64(file, static_cast<long long>(offset), 0) < 0 ? errno : 0;
    }
    static int sync(handle file) noexcept { return _commit(file) != 0 ? errno : 0; }
    static int close(handle file) noexcept { return file >= 0 && _close(file) != 0 ? errno : 0; }  // -1: a directory
    /// Renames `from` to `to`, replacing it. EBUSY if somebody has `to` open and the file system cannot put another
    /// file in its place.
    static int replace(const std::filesystem::path& from, const std::filesystem::path& to) {
        constexpr windows::dword replace_existing_on_disk = 0x1 | 0x8;  // the latter is MOVEFILE_WRITE_THROUGH
        if (windows::MoveFileExW(from.c_str(), to.c_str(), replace_existing_on_disk) != 0) return 0;
        const int failed = windows::last_errno();
        if (failed != EACCES && failed != EBUSY) return failed;
        if (windows::rename_over_open(from, to) == 0) return 0;
        return windows::in_use(to) ? EBUSY : failed;
    }
    static int remove(const std::filesystem::path& path) noexcept { return _wunlink(path.c_str()) != 0 ? errno : 0; }
    static int open_directory(const std::filesystem::path&, handle& out) noexcept {
        out = -1;  // Windows has no such thing; NTFS journals the rename
        return 0;
    }
    static int sync_directory(handle) noexcept { return 0; }
    static std::uint64_t process() noexcept { return static_cast<std::uint64_t>(_getpid()); }

  private:
    /// Removes a file unless somebody has it open.
    static void remove_abandoned(const std::filesystem::path& path) noexcept {
        constexpr windows::dword share_nothing = 0;
        const windows::handle file = windows::open(path, windows::delete_access, share_nothing,
                                                   windows::delete_on_close | windows::open_reparse_point);
        if (windows::valid(file)) windows::CloseHandle(file);
    }
};

#else

/// Says who may read and write the file at a path, for the file that replaces it to get the same.
struct file_rights {
    bool exists = false;
    bool regular = false;
    ::mode_t mode = 0;  ///< permissions of owner, group and others, without set-id bits
    ::uid_t owner = 0;
    ::gid_t group = 0;
    std::vector<char> acl{};  ///< the POSIX access list as Linux keeps it; empty if there is none
    /// Returns the mode that the new file is created with: until give() widens it, nobody but its owner may use it.
    [[nodiscard]] ::mode_t creation_mode() const noexcept { return exists ? mode & 0600U : 0666U; }
};

/// Does what atomic_file asks of the system; every call returns 0 or an errno.
struct file_calls {
    using handle = int;

    /// Tells what is at `path`, with all links followed. That there is nothing is no failure.
    static int look_up(const std::filesystem::path& path, file_rights& out) {
        struct ::stat found {};
        if (::stat(path.c_str(), &found) != 0) return errno == ENOENT || errno == ENOTDIR ? 0 : errno;
        out.exists = true;
        out.regular = S_ISREG(found.st_mode);
        out.mode = found.st_mode & 0777U;
        out.owner = found.st_uid;
        out.group = found.st_gid;
        return read_acl(path, out.acl);
    }
    static int create(const std::filesystem::path& path, ::mode_t mode, handle& out) noexcept {
        out = ::open(path.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, mode);
        return out < 0 ? errno : 0;
    }
    /// Locks `file`, which create() made at `path`, until its last handle is closed, and makes another handle of it.
    /// EEXIST says that a sweep came first and removes the file; all else, that the file system has no locks.
    static int hold(handle file, const std::filesystem::path& path, handle& out) noexcept {
        // flock is used because locks of fcntl are the process's: another thread's sweep would take them, and end them.
        if (const int failed = uninterrupted([&] { return ::flock(file, LOCK_EX | LOCK_NB); }); failed != 0)
            return failed == EWOULDBLOCK ? EEXIST : failed;
        struct ::stat held {};
        struct ::stat named {};
        if (::fstat(file, &held) != 0 || ::lstat(path.c_str(), &named) != 0 || named.st_dev != held.st_dev ||
            named.st_ino != held.st_ino)
            return EEXIST;
        out = ::fcntl(file, F_DUPFD_CLOEXEC, 0);
        return out < 0 ? errno : 0;
    }
    /// Removes the temporary files in `directory` that nobody holds. A large directory takes longer to look through
    /// than a file to write, so that only one call in some does it; `draw`, any number, decides which.
    static void sweep(const std::filesystem::path& directory, const temporary_names& names,
                      std::uint64_t draw) noexcept {
        constexpr std::uint64_t short_work = std::uint64_t{1} << 16;  // bytes of a directory: some 1500 entries, 1 ms
        struct ::stat found {};
        if (::stat(directory.c_str(), &found) != 0) return;
        if (const auto share = static_cast<std::uint64_t>(found.st_size) / short_work; share > 1 && draw % share != 0)
            return;
        ::DIR* const entries = ::opendir(directory.c_str());
        if (entries == nullptr) return;
        while (const ::dirent* const entry = ::readdir(entries)) {
            const std::string_view name = entry->d_name;
            if (!names.include(name)) continue;
            remove_abandoned(::dirfd(entries), entry->d_name, names.of_this_host(name));
        }
        ::closedir(entries);
    }
    /// Returns the name of this machine, or of the container that has its own.
    static std::string host() {
        char name[256] = {};
        return ::gethostname(name, sizeof name - 1) == 0 ? name : "";
    }
    /// Gives `file` the owner, group, access list and permissions in `old`, as far as the process may; nobody gets more
    /// than with the old file. Who is in a group that could not be kept is now one of the others: these, and the new
    /// group, get what both had. If an access list could not be kept, or not be taken off, only the owner has access.
    static int give(handle file, const file_rights& old) noexcept {
        struct ::stat now {};
        if (::fstat(file, &now) != 0) return errno;
        if (now.st_uid != old.owner || now.st_gid != old.group) {
            const auto no_one = static_cast<::uid_t>(-1);
            if (uninterrupted([&] { return ::fchown(file, old.owner, old.group); }) != 0)
                static_cast<void>(uninterrupted([&] { return ::fchown(file, no_one, old.group); }));
            if (::fstat(file, &now) != 0) return errno;
        }
        const bool same_group = now.st_gid == old.group;
        ::mode_t mode = old.mode;
        if (!same_group) {
            const auto both = number_as<::mode_t>(mode & mode >> 3U & 07U);
            mode = number_as<::mode_t>((mode & 0700U) | both << 3U | both);
        }
        if (!give_acl(file, old, same_group)) mode &= 0700U;
        if (::fstat(file, &now) != 0) return errno;
        if ((now.st_mode & 07777U) == mode) return 0;
        const int failed = uninterrupted([&] { return ::fchmod(file, mode); });
        if (failed == 0 || ::fstat(file, &now) != 0) return failed;
        return (now.st_mode & 0777U & ~mode) == 0 ? 0 : failed;  // fewer, where the file system has no such thing
    }
    /// Sets room aside for an empty file to become `bytes` long, where the system can. The file's length may change.
    static int reserve([[maybe_unused]] handle file, [[maybe_unused]] std::uint64_t bytes) noexcept {
#if defined(__linux__)  // not posix_fallocate, which writes where the file system cannot
        if (static_cast<std::uint64_t>((std::numeric_limits<off_t>::max)()) < bytes || bytes == 0) return 0;
        return ::fallocate(file, 0, 0, static_cast<off_t>(bytes)) != 0 ? errno : 0;
#else
        return 0;
#endif
    }
    /// Makes one attempt to write, which may write less than `size`.
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

  private:
    static constexpr const char* acl_name = "system.posix_acl_access";

    /// Makes a call that returns -1 when it fails, again while signals interrupt it. Returns 0 or its errno.
    template <class Call>
    static int uninterrupted(Call&& call) noexcept {
        int failed = EINTR;
        while (failed == EINTR) failed = call() == 0 ? 0 : errno;
        return failed;
    }
    /// Removes a file unless somebody holds it; one of another host must be a day old, too. Its name is gone when its
    /// saver has renamed it and let go of it.
    static void remove_abandoned(int directory, const char* name, bool local) noexcept {
        constexpr int how = O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY;
        int file = ::openat(directory, name, O_RDWR | how);  // NFS locks only what may be written
        if (file < 0) file = ::openat(directory, name, O_RDONLY | how);
        if (file < 0) return;
        constexpr std::time_t day = 24 * 60 * 60;
        struct ::stat held {};
        const bool ripe =
            ::fstat(file, &held) == 0 && S_ISREG(held.st_mode) && (local || std::time(nullptr) - held.st_mtime > day);
        if (ripe && ::flock(file, LOCK_EX | LOCK_NB) == 0) ::unlinkat(directory, name, 0);
        ::close(file);
    }
    /// Puts the access list of the file at `path` into `acl`: nothing, if it has none.
    static int read_acl([[maybe_unused]] const std::filesystem::path& path, [[maybe_unused]] std::vector<char>& acl) {
#if defined(__linux__)
        for (;;) {  // until it has not grown between two calls
            const ssize_t size = ::getxattr(path.c_str(), acl_name, nullptr, 0);
            if (size <= 0) return size == 0 || errno == ENODATA || errno == ENOTSUP || errno == ENOENT ? 0 : errno;
            acl.resize(static_cast<std::size_t>(size));
            if (::getxattr(path.c_str(), acl_name, acl.data(), acl.size()) == size) return 0;
            acl.clear();
        }
#else
        return 0;
#endif
    }
    /// Gives `file` the access list in `old`, or none if that has none, and returns whether it has it now. A directory
    /// may give a list to new files, whose entries would come to life with the group's permissions.
    static bool give_acl([[maybe_unused]] handle file, [[maybe_unused]] const file_rights& old,
                         [[maybe_unused]] bool same_group) noexcept {
#if defined(__linux__)
        if (!old.acl.empty()) return same_group && ::fsetxattr(file, acl_name, old.acl.data(), old.acl.size(), 0) == 0;
        return ::fgetxattr(file, acl_name, nullptr, 0) < 0 || ::fremovexattr(file, acl_name) == 0;
#else
        return true;
#endif
    }
};

#endif

}  // namespace detail
VICINAL_NAMESPACE_END
