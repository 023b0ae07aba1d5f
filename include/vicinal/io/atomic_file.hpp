// SPDX-License-Identifier: MIT
// An atomic file is replaced as a whole: whoever opens the path finds all of the old bytes or all of the new ones.
#pragma once

#include <algorithm>     // for min
#include <cerrno>        // for EACCES, EBUSY, EEXIST, EINTR, EIO, ENOSPC, EPERM
#include <chrono>        // for steady_clock
#include <cstddef>       // for size_t, byte
#include <cstdint>       // for uint64_t, uintptr_t
#include <filesystem>    // for path, symlink_status
#include <span>          // for span
#include <string>        // for string
#include <string_view>   // for string_view
#include <system_error>  // for error_code, generic_category
#include <utility>       // for exchange, move

#include "vicinal/core/error.hpp"
#include "vicinal/core/number_as.hpp"
#include "vicinal/core/progress.hpp"
#include "vicinal/io/file_calls.hpp"
#include "vicinal/params.hpp"

VICINAL_NAMESPACE_BEGIN

namespace detail {

/// Returns `path` as UTF-8 text for a message.
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

/// Returns the file that `path` stands for: symbolic links are followed, also to a file that does not exist yet.
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

/// Writes a new version of the file at a path, invisible until commit(). Destroyed before that, it leaves nothing
/// behind.
///
/// The bytes go to a temporary file in the same directory, which replaces the old one by rename. It is created for its
/// owner alone, and takes the old file's owner, group, access list and permissions just before the rename, as far as
/// the process may (see file_calls::give); where there was no file, it has 0666 less the umask. A symbolic link stays;
/// what it points to is replaced. Every failure is an error{io} naming path, operation and cause. Until the rename the
/// old file is untouched; should the directory fail to sync after it, the new file is in place and the error says so.
///
/// A saver that is killed leaves its temporary file. Each saver holds a lock on its own, and the next one to the same
/// path removes those that nobody holds (file_calls::sweep).
template <class Calls = file_calls>
class basic_atomic_file {
  public:
    basic_atomic_file(const std::filesystem::path& path, save_options options)
        : basic_atomic_file(follow_links(path), options, delegated{}) {
        look_up(path);
        std::filesystem::path directory = target_.parent_path();
        if (directory.empty()) directory = ".";
        if (options.sync) {
            if (const int failed = retry([&] { return Calls::open_directory(directory, directory_); }); failed != 0)
                fail_io("open the directory", directory, failed);
            directory_open_ = true;
        }
        names_.stem = std::string(prefix) + hex_hash(display(target_.filename())) + "-";
        names_.host = hex_hash(Calls::host()) + "-";
        names_.length = (names_.stem + names_.host + hex(0)).size() + names_.suffix.size();
        Calls::sweep(directory, names_, random());
        create_in(directory);
    }
    basic_atomic_file(const basic_atomic_file&) = delete;
    basic_atomic_file& operator=(const basic_atomic_file&) = delete;
    ~basic_atomic_file() {
        if (file_open_) Calls::close(file_);
        if (temporary_exists_) Calls::remove(temporary_);
        unlock();
        if (directory_open_) Calls::close(directory_);
    }

    /// Sets aside room for a file of `bytes` bytes, all of which must then be written: a full disk is found at once,
    /// and writing takes a quarter less time. Every other obstacle is left for write() to find.
    void reserve(std::uint64_t bytes) {
        const int failed = retry([&] { return Calls::reserve(file_, bytes); });
        if (failed == ENOSPC) fail_io("make room for", temporary_for(), failed);
    }

    /// Appends all of `bytes`.
    void write(std::span<const std::byte> bytes) {
        while (!bytes.empty()) {
            std::size_t written = 0;
            const std::size_t size = (std::min)(bytes.size(), std::size_t{1} << 30);  // some systems stop at 2^31
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
        look_up(target_);  // again: much may have happened since
        if (old_.exists)
            if (const int failed = retry([&] { return Calls::give(file_, old_); }); failed != 0)
                fail_io("take the permissions of the old file for", temporary_for(), failed);
        if (options_.sync)
            if (const int failed = retry([&] { return Calls::sync(file_); }); failed != 0)
                fail_io("sync", temporary_for(), failed);
        file_open_ = false;
        if (const int failed = Calls::close(file_); failed != 0) fail_io("close", temporary_for(), failed);
        int refused = Calls::replace(temporary_, target_);
        if (refused == EACCES || refused == EPERM || refused == EBUSY) {  // some systems move nothing that is open
            unlock();
            refused = Calls::replace(temporary_, target_);
        }
        if (refused == EBUSY)
            fail_io("rename to", target_, "it is open, mapped or a mount point, and the system does not replace it so");
        if (refused != 0) fail_io("rename to", target_, refused);
        temporary_exists_ = false;
        if (!directory_open_) return;
        if (const int failed = retry([&] { return Calls::sync_directory(directory_); }); failed != 0)
            fail_io("sync the directory of", target_,
                    std::error_code(failed, std::generic_category()).message() +
                        "; the new file is in place, but a loss of power may undo that");
    }

  private:
    static constexpr const char* prefix = ".vicinal-";

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

    /// Learns whose the file at `path` is, if there is one. One that was there and has gone is remembered.
    void look_up(const std::filesystem::path& path) {
        file_rights found;
        if (const int failed = retry([&] { return Calls::look_up(path, found); }); failed != 0)
            fail_io("look at", path, failed);
        if (found.exists && !found.regular)
            fail_io("save to", path, "it is not a regular file; open it as a stream and save to that");
        if (found.exists) old_ = std::move(found);
    }

    /// Makes the temporary file and locks it. Where that is not possible it gets a name that nobody sweeps away.
    void create_in(const std::filesystem::path& directory) {
        bool locked = true;
        for (int attempt = 0;; ++attempt) {
            const std::string stem = locked ? names_.stem + names_.host : prefix;
            temporary_ = directory / (stem + hex(random()) + std::string(names_.suffix));
            int failed = retry([&] { return Calls::create(temporary_, old_.creation_mode(), file_); });
            if (failed == 0) {
                file_open_ = temporary_exists_ = true;
                if (!locked) return;
                failed = retry([&] { return Calls::hold(file_, temporary_, lock_); });
                lock_open_ = failed == 0;
                if (lock_open_) return;
                locked = failed == EEXIST;
                discard();
            } else if (failed != EEXIST) {
                fail_io("create a file to save to", target_, failed);
            }
            if (attempt == 100) fail_io("create a file to save to", target_, failed);
        }
    }
    void unlock() noexcept {
        if (std::exchange(lock_open_, false)) Calls::close(lock_);
    }
    void discard() noexcept {
        file_open_ = temporary_exists_ = false;
        Calls::close(file_);
        Calls::remove(temporary_);
    }

    /// Returns a number unique enough that a collision is a curiosity; O_EXCL makes it harmless.
    std::uint64_t random() noexcept {
        if (seed_ == 0)
            seed_ = Calls::process() * 0x9E3779B97F4A7C15U ^
                    static_cast<std::uint64_t>(std::chrono::steady_clock::now().time_since_epoch().count()) ^
                    number_as<std::uint64_t>(reinterpret_cast<std::uintptr_t>(this)) << 20;
        return seed_ = (seed_ ^ seed_ >> 31) * 0xBF58476D1CE4E5B9U + 1;
    }
    [[nodiscard]] static std::string hex(std::uint64_t value) {
        std::string text;
        for (int shift = 60; shift >= 0; shift -= 4) text += "0123456789abcdef"[(value >> shift) & 0xF];
        return text;
    }
    /// Hashes a file's name by FNV-1a: the name itself might leave no room for the rest of a temporary name in 255
    /// bytes.
    [[nodiscard]] static std::string hex_hash(std::string_view text) {
        std::uint64_t hash = 0xCBF29CE484222325U;
        for (const char c : text) hash = (hash ^ static_cast<unsigned char>(c)) * 0x100000001B3U;
        return hex(hash);
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
    temporary_names names_;
    file_rights old_;
    std::uint64_t seed_ = 0;
    typename Calls::handle file_{};
    typename Calls::handle lock_{};  // of the same file, which it keeps locked until the rename
    typename Calls::handle directory_{};
    bool file_open_ = false;
    bool lock_open_ = false;
    bool directory_open_ = false;
    bool temporary_exists_ = false;
};

using atomic_file = basic_atomic_file<>;

}  // namespace detail
VICINAL_NAMESPACE_END
