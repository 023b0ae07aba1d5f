// SPDX-License-Identifier: MIT
// An input_file is a file, pipe or device that is open for reading.
#pragma once

#include <algorithm>    // for min
#include <cerrno>       // for errno, EINTR, EWOULDBLOCK
#include <chrono>       // for milliseconds
#include <cstddef>      // for size_t, byte
#include <cstdint>      // for uint64_t
#include <filesystem>   // for path
#include <string_view>  // for string_view
#include <thread>       // for sleep_for

#include "vicinal/io/atomic_file.hpp"

#if defined(_WIN32)
#include <io.h>        // for _read, _close
#include <sys/stat.h>  // for _fstat64
#else
#include <fcntl.h>     // for open, fcntl
#include <sys/stat.h>  // for fstat
#include <unistd.h>    // for read, close
#endif

VICINAL_NAMESPACE_BEGIN
namespace detail {

/// Holds a file open for reading.
class input_file {
  public:
    /// Opens what there is: a file, a device, or a pipe, for whose writer it waits.
    /// throws  error{io}
    explicit input_file(const std::filesystem::path& path) : path_(path) {
#if defined(_WIN32)
        file_ = windows::open_to_read(path);
#else
        do file_ = ::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NOCTTY);
        while (file_ < 0 && errno == EINTR);
#endif
        if (file_ < 0) fail_io("open", path_, errno);
        learn();
    }
    /// Opens a regular file, and waits for nobody.
    /// operation  says in the message "cannot OPERATION the path" what was to be done, if it is something else
    /// throws     error{io}
    input_file(const std::filesystem::path& path, std::string_view operation) : path_(path) {
#if defined(_WIN32)
        file_ = windows::open_to_read(path);
        if (file_ < 0) fail_io("open", path_, errno);
#else
        open_at_once(operation);
#endif
        learn();
        if (!regular_) {
            close();
            fail_io(operation, path_, "it is not a regular file");
        }
    }
    input_file(const input_file&) = delete;
    input_file& operator=(const input_file&) = delete;
    ~input_file() { close(); }

    [[nodiscard]] bool regular() const noexcept { return regular_; }     ///< false for a pipe, a device, a directory
    [[nodiscard]] std::uint64_t size() const noexcept { return size_; }  ///< when it was opened; of a regular file
    [[nodiscard]] int handle() const noexcept { return file_; }

    /// Reads what comes next, fewer than `size` bytes only at the end.
    /// throws  error{io}
    std::size_t read(std::byte* to, std::size_t size) {
        std::size_t done = 0;
        while (done < size) {
            const std::size_t want = (std::min)(size - done, std::size_t{1} << 30);
#if defined(_WIN32)
            const auto n = _read(file_, to + done, static_cast<unsigned>(want));
#else
            const auto n = ::read(file_, to + done, want);
            if (n < 0 && errno == EINTR) continue;
#endif
            if (n < 0) fail_io("read", path_, errno);
            if (n == 0) break;
            done += static_cast<std::size_t>(n);
        }
        return done;
    }

  private:
    /// Learns what was opened.
    void learn() {
#if defined(_WIN32)
        struct _stat64 status {};
        const bool known = _fstat64(file_, &status) == 0;
        regular_ = known && (status.st_mode & _S_IFMT) == _S_IFREG;
#else
        struct ::stat status {};
        const bool known = ::fstat(file_, &status) == 0;
        regular_ = known && S_ISREG(status.st_mode);
#endif
        if (!known) {
            const int code = errno;
            close();
            fail_io("get the size of", path_, code);
        }
        size_ = static_cast<std::uint64_t>(status.st_size);
    }
#if !defined(_WIN32)
    /// What is no regular file need not be opened, which may do something to a device. Whoever puts a pipe there after
    /// that look finds it opened without waiting. Reading a regular file never waits in that way.
    void open_at_once(std::string_view operation) {
        struct ::stat found {};
        if (::stat(path_.c_str(), &found) == 0 && !S_ISREG(found.st_mode))
            fail_io(operation, path_, "it is not a regular file");
        for (;;) {
            file_ = ::open(path_.c_str(), O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
            if (file_ >= 0) break;
            if (errno == EWOULDBLOCK)  // another process has a lease on the file, which the kernel now takes back
                std::this_thread::sleep_for(std::chrono::milliseconds(1));
            else if (errno != EINTR)
                fail_io("open", path_, errno);
        }
        if (const int flags = ::fcntl(file_, F_GETFL); flags >= 0) ::fcntl(file_, F_SETFL, flags & ~O_NONBLOCK);
    }
#endif
    void close() noexcept {
#if defined(_WIN32)
        _close(file_);
#else
        ::close(file_);
#endif
    }

    std::filesystem::path path_;
    int file_ = -1;
    bool regular_ = false;
    std::uint64_t size_ = 0;
};

}  // namespace detail
VICINAL_NAMESPACE_END
