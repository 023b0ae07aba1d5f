// SPDX-License-Identifier: MIT
// What a log asks of the operating system, beside what saving asks, is in this one place: tests put a failing disk
// there instead.
#pragma once

#include <algorithm>   // for min
#include <cerrno>      // for errno, EINTR, EIO, EWOULDBLOCK
#include <cstddef>     // for byte, size_t
#include <cstdint>     // for uint64_t
#include <filesystem>  // for path
#include <span>        // for span
#include <string>      // for string, to_string

#include "vicinal/io/file_calls.hpp"

#if defined(_WIN32)
#include <share.h>  // for _SH_DENYRW
#else
#include <sys/file.h>  // for flock
#include <sys/stat.h>  // for fstat
#include <unistd.h>    // for ftruncate, fdatasync
#endif

VICINAL_NAMESPACE_BEGIN
namespace detail {

/// Makes a call of the system again while signals interrupt it. Returns what it returns then.
template <class Call>
[[nodiscard]] int uninterrupted(const Call& call) {
    int failed = EINTR;
    while (failed == EINTR) failed = call();
    return failed;
}

/// Writes all of `bytes`. Returns 0 or an errno.
template <class Calls>
[[nodiscard]] int write_all(typename Calls::handle file, std::span<const std::byte> bytes) {
    while (!bytes.empty()) {
        std::size_t n = 0;
        const std::size_t size = (std::min)(bytes.size(), std::size_t{1} << 30);  // some systems stop at 2^31
        if (const int failed = uninterrupted([&] { return Calls::write(file, bytes.data(), size, n); }); failed != 0)
            return failed;
        if (n == 0 || n > size) return EIO;
        bytes = bytes.subspan(n);
    }
    return 0;
}

/// Does what a log asks of the system; every call returns 0 or an errno.
struct log_calls : file_calls {
#if defined(_WIN32)
    static int size(handle file, std::uint64_t& bytes) noexcept {
        const auto end = _lseeki64(file, 0, 2);  // SEEK_END
        bytes = end < 0 ? 0 : static_cast<std::uint64_t>(end);
        return end < 0 ? errno : 0;
    }
    /// Opens a file that exists, to write at its end.
    static int open_to_append(const std::filesystem::path& path, handle& out) noexcept {
        out = _wopen(path.c_str(), _O_WRONLY | _O_APPEND | _O_BINARY | _O_NOINHERIT);
        return out < 0 ? errno : 0;
    }
    /// Opens a file that exists, to write over what it holds.
    static int open_to_overwrite(const std::filesystem::path& path, handle& out) noexcept {
        out = _wopen(path.c_str(), _O_WRONLY | _O_BINARY | _O_NOINHERIT);
        return out < 0 ? errno : 0;
    }
    static int truncate(handle file, std::uint64_t bytes) noexcept {
        return _chsize_s(file, static_cast<long long>(bytes));
    }
    /// Waits until the bytes of the file are on the disk, and what is needed to read them.
    static int sync_data(handle file) noexcept { return sync(file); }
    /// Makes and locks a file until the handle is closed. EWOULDBLOCK says that another process, or another handle of
    /// this one, holds it.
    static int lock(const std::filesystem::path& path, handle& out, std::string&) noexcept {
        constexpr int how = _O_RDWR | _O_CREAT | _O_BINARY | _O_NOINHERIT;
        const int failed = _wsopen_s(&out, path.c_str(), how, _SH_DENYRW, _S_IREAD | _S_IWRITE);
        return failed == EACCES ? EWOULDBLOCK : failed;
    }
#else
    static int size(handle file, std::uint64_t& bytes) noexcept {
        struct ::stat found {};
        if (::fstat(file, &found) != 0) return errno;
        bytes = static_cast<std::uint64_t>(found.st_size);
        return 0;
    }
    /// Opens a file that exists, to write at its end.
    static int open_to_append(const std::filesystem::path& path, handle& out) noexcept {
        out = ::open(path.c_str(), O_WRONLY | O_APPEND | O_CLOEXEC | O_NOFOLLOW);
        return out < 0 ? errno : 0;
    }
    /// Opens a file that exists, to write over what it holds.
    static int open_to_overwrite(const std::filesystem::path& path, handle& out) noexcept {
        out = ::open(path.c_str(), O_WRONLY | O_CLOEXEC | O_NOFOLLOW);
        return out < 0 ? errno : 0;
    }
    static int truncate(handle file, std::uint64_t bytes) noexcept {
        return ::ftruncate(file, static_cast<off_t>(bytes)) != 0 ? errno : 0;
    }
    /// Waits until the bytes of the file are on the disk, and what is needed to read them.
    static int sync_data(handle file) noexcept {
#if defined(__linux__)
        return ::fdatasync(file) != 0 ? errno : 0;
#else
        return sync(file);
#endif
    }
    /// Makes and locks a file until the handle is closed. EWOULDBLOCK says that another process, or another handle of
    /// this one, holds it; `holder` is then what that one wrote.
    static int lock(const std::filesystem::path& path, handle& out, std::string& holder) {
        out = ::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0666);
        if (out < 0) return errno;
        const int failed = detail::uninterrupted([&] { return ::flock(out, LOCK_EX | LOCK_NB) != 0 ? errno : 0; });
        if (failed == 0) return write_holder(out);
        if (failed == EWOULDBLOCK) holder = read_holder(out);
        ::close(out);
        return failed;
    }

  private:
    static constexpr std::size_t longest_holder = 200;
    static int write_holder(handle file) {
        const std::string text = "process " + std::to_string(process()) + " on " + host() + "\n";
        if (::ftruncate(file, 0) != 0 || ::pwrite(file, text.data(), text.size(), 0) < 0) {
            // It is held all the same: the text is for people.
        }
        return 0;
    }
    static std::string read_holder(handle file) {
        char text[longest_holder];
        const ssize_t size = ::pread(file, text, sizeof text, 0);
        std::string found;
        for (ssize_t i = 0; i < size && text[i] >= ' ' && text[i] <= '~'; ++i) found += text[i];
        return found;
    }
#endif
};

}  // namespace detail
VICINAL_NAMESPACE_END
