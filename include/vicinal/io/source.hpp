// SPDX-License-Identifier: MIT
// A source gives a whole file as contiguous, 64-byte aligned bytes: read, mapped or borrowed.
#pragma once

#include <algorithm>    // for copy, max, min
#include <array>        // for array
#include <cerrno>       // for errno
#include <cstddef>      // for size_t, byte
#include <cstdint>      // for uint64_t, uintptr_t
#include <cstring>      // for memcpy
#include <filesystem>   // for path
#include <ios>          // for ios_base, streamsize
#include <istream>      // for istream
#include <limits>       // for numeric_limits
#include <new>          // for operator new, align_val_t
#include <span>         // for span
#include <string>       // for string, to_string
#include <string_view>  // for string_view
#include <utility>      // for exchange, move, swap
#include <variant>      // for variant
#include <vector>       // for vector

#include "vicinal/core/progress.hpp"
#include "vicinal/io/atomic_file.hpp"
#include "vicinal/io/format.hpp"
#include "vicinal/io/input_file.hpp"
#include "vicinal/params.hpp"

#if !defined(_WIN32)
#include <sys/mman.h>  // for mmap
#endif

VICINAL_NAMESPACE_BEGIN

namespace detail {

/// Says what may follow an index where it is read from.
enum class stream_end {
    required,  ///< nothing: bytes after the index are refused
    anything,  ///< whatever there is: no byte after the index is read
};

/// Refuses files that are too large for the caller.
/// throws  error{limit_exceeded} if the header announces more than the limits allow
inline void require_limits(const file_header& header, const load_limits& limits, std::string_view file) {
    const auto check = [&](const char* what, const char* field, std::uint64_t value, std::uint64_t limit) {
        if (value > limit)
            fail(errc::limit_exceeded, std::string(file) + ": " + what + " is " + std::to_string(value) +
                                           ", load_limits::" + field + " is " + std::to_string(limit));
    };
    check("the number of bytes", "max_bytes", header.length, limits.max_bytes);
    check("the number of rows", "max_rows", header.rows, limits.max_rows);
    check("the dimension", "max_dim", header.dim, limits.max_dim);
}

/// Holds uninitialised memory that begins at a multiple of 64.
class aligned_bytes {
  public:
    aligned_bytes() = default;
    explicit aligned_bytes(std::size_t size)
        : data_(static_cast<std::byte*>(::operator new (size, std::align_val_t{section_alignment}))), size_(size) {
#if defined(__linux__) && defined(MADV_HUGEPAGE)
        // Touching fresh small pages takes longer than reading a cached file into them.
        constexpr std::uintptr_t page = std::uintptr_t{1} << 21;
        const auto begin = (reinterpret_cast<std::uintptr_t>(data_) + page - 1) / page * page;
        const auto end = (reinterpret_cast<std::uintptr_t>(data_) + size) / page * page;
        if (begin < end) ::madvise(reinterpret_cast<void*>(begin), end - begin, MADV_HUGEPAGE);  // a wish, no more
#endif
    }
    aligned_bytes(aligned_bytes&& other) noexcept
        : data_(std::exchange(other.data_, nullptr)), size_(std::exchange(other.size_, 0)) {}
    aligned_bytes& operator=(aligned_bytes&& other) noexcept {
        std::swap(data_, other.data_);
        std::swap(size_, other.size_);
        return *this;
    }
    ~aligned_bytes() {
        if (data_ != nullptr) ::operator delete (data_, std::align_val_t{section_alignment});
    }
    [[nodiscard]] std::span<std::byte> bytes() noexcept { return {data_, size_}; }
    [[nodiscard]] std::span<const std::byte> bytes() const noexcept { return {data_, size_}; }

  private:
    std::byte* data_ = nullptr;
    std::size_t size_ = 0;
};

/// Maps a regular, non-empty file read-only, shared with every other process that maps it. Its pages are read when they
/// are first touched. Whoever shortens the file meanwhile makes a later touch raise SIGBUS (Windows lets nobody);
/// replacing it by rename, as `save` does, is harmless.
class mapped_file {
  public:
    /// throws  error{io} if the file cannot be mapped, error{corrupt_file} if it is empty
    explicit mapped_file(const std::filesystem::path& path) {
        const input_file file(path, "map");
        if (file.size() == 0) fail_corrupt(display(path), "the file is empty");
        size_ = to_size(file.size());
        data_ = map(file.handle(), size_);
        if (data_ == nullptr) fail_io("map", path, errno);
    }
    mapped_file(mapped_file&& other) noexcept
        : data_(std::exchange(other.data_, nullptr)), size_(std::exchange(other.size_, 0)) {}
    mapped_file& operator=(mapped_file&& other) noexcept {
        std::swap(data_, other.data_);
        std::swap(size_, other.size_);
        return *this;
    }
    ~mapped_file() {
        if (data_ != nullptr) unmap(data_, size_);
    }
    [[nodiscard]] std::span<const std::byte> bytes() const noexcept { return {data_, size_}; }

  private:
    /// Returns null, and sets errno, if the system cannot map the open file.
    static const std::byte* map(int file, std::size_t size) noexcept {
#if defined(_WIN32)
        return windows::map(file, size);
#else
        void* const at = ::mmap(nullptr, size, PROT_READ, MAP_SHARED, file, 0);
        return at == MAP_FAILED ? nullptr : static_cast<const std::byte*>(at);
#endif
    }
    static void unmap(const std::byte* data, [[maybe_unused]] std::size_t size) noexcept {
#if defined(_WIN32)
        windows::UnmapViewOfFile(data);
#else
        ::munmap(const_cast<std::byte*>(data), size);
#endif
    }

    const std::byte* data_ = nullptr;
    std::size_t size_ = 0;
};

[[noreturn]] VICINAL_COLD inline void fail_short(std::string_view file, std::uint64_t found, std::uint64_t expected) {
    fail_corrupt(file, "it ends after " + std::to_string(found) + " bytes, expected " + std::to_string(expected));
}

/// Holds the bytes of one vicinal file, wherever they came from, and its header. They begin at a multiple of 64 and
/// stay put when the object moves. Beyond the header nothing has been checked: that is file_image's part.
class file_bytes {
  public:
    /// header  of the file, decoded before so many bytes were read
    file_bytes(aligned_bytes bytes, std::string name, file_header header)
        : owner_(std::move(bytes)), name_(std::move(name)), header_(std::move(header)) {
        bytes_ = std::get<aligned_bytes>(owner_).bytes();
    }
    /// throws  error{corrupt_file, unsupported_version} if the bytes do not begin with a header
    file_bytes(mapped_file file, std::string name) : owner_(std::move(file)), name_(std::move(name)) {
        bytes_ = std::get<mapped_file>(owner_).bytes();
        header_ = header_of_bytes();
    }
    /// Refers to `bytes`, which outlive the object. They may begin anywhere until `own` is called.
    /// throws  as above
    file_bytes(std::span<const std::byte> bytes, std::string name) : bytes_(bytes), name_(std::move(name)) {
        header_ = header_of_bytes();
    }

    [[nodiscard]] const file_header& header() const noexcept { return header_; }
    [[nodiscard]] std::span<const std::byte> bytes() const noexcept { return bytes_; }
    /// Returns what messages call the file: the path, "the stream" or "the bytes".
    [[nodiscard]] const std::string& name() const noexcept { return name_; }
    /// Returns the same bytes in memory of our own, to be written to; copies them if they are elsewhere.
    [[nodiscard]] std::span<std::byte> own() {
        if (!std::holds_alternative<aligned_bytes>(owner_)) {
            aligned_bytes copy(bytes_.size());
            std::copy(bytes_.begin(), bytes_.end(), copy.bytes().begin());
            owner_ = std::move(copy);
            bytes_ = std::get<aligned_bytes>(owner_).bytes();
        }
        return std::get<aligned_bytes>(owner_).bytes();
    }

  private:
    [[nodiscard]] file_header header_of_bytes() const {
        if (bytes_.size() < header_size) fail_short(name_, bytes_.size(), header_size);
        return decode_header(bytes_.first<header_size>(), name_);
    }

    std::variant<std::monostate, aligned_bytes, mapped_file> owner_;
    std::span<const std::byte> bytes_;
    std::string name_;
    file_header header_;
};

/// Fills `to` through `read(to, size)`, piece by piece; returns how many bytes came before the end.
template <class Read>
std::size_t read_with_progress(Read&& read, std::span<std::byte> to, byte_progress& told) {
    std::size_t done = 0;
    while (done < to.size()) {
        const std::size_t want = (std::min)(to.size() - done, byte_progress::stride);
        const std::size_t n = read(to.data() + done, want);
        done += n;
        if (n != want) break;
        told.moved(n);
    }
    return done;
}

/// Reads a file of unknown length through `read(to, size)`, which returns fewer bytes only at the end. Header and
/// section table, which must agree, say how long the file claims to be; memory is taken for no more than twice what has
/// arrived and 1 MiB.
template <class Read>
[[nodiscard]] file_bytes read_growing(Read&& read, std::string name, const load_limits& limits, stream_end end) {
    std::array<std::byte, header_size> head;
    if (const std::size_t n = read(head.data(), head.size()); n != head.size()) fail_short(name, n, header_size);
    const file_header header = decode_header(head, name);
    require_limits(header, limits, name);
    const std::uint64_t length = header.length;
    std::vector<std::byte> front(header_size + table_size(header.section_count));
    std::copy(head.begin(), head.end(), front.begin());
    const auto table = std::span(front).subspan(header_size);
    if (const std::size_t n = read(table.data(), table.size()); n != table.size())
        fail_short(name, header_size + n, length);
    static_cast<void>(decode_table(header, table, name));

    byte_progress told(limits.stop, limits.progress, to_size(length));
    constexpr std::uint64_t first_piece = std::uint64_t{1} << 18;
    std::vector<aligned_bytes> pieces;
    std::uint64_t arrived = 0;
    while (arrived < length) {
        const std::uint64_t room = (std::max)(first_piece, arrived);
        auto& piece = pieces.emplace_back(to_size((std::min)(length - arrived, room)));
        const auto bytes = piece.bytes();
        std::size_t filled = 0;
        if (arrived == 0) {
            std::copy(front.begin(), front.end(), bytes.begin());
            filled = front.size();
            told.moved(filled);
        }
        filled += read_with_progress(read, bytes.subspan(filled), told);
        arrived += filled;
        if (filled != bytes.size()) fail_short(name, arrived, length);
    }
    if (std::byte extra{}; end == stream_end::required && read(&extra, std::size_t{1}) != 0)
        fail_corrupt(name, "bytes follow its end at offset " + std::to_string(length));
    if (pieces.size() == 1) return {std::move(pieces.front()), std::move(name), header};

    aligned_bytes whole(to_size(length));
    std::byte* at = whole.bytes().data();
    for (aligned_bytes& piece : pieces) {
        std::memcpy(at, piece.bytes().data(), piece.bytes().size());
        at += piece.bytes().size();
        piece = {};
    }
    return {std::move(whole), std::move(name), header};
}

/// Reads the file at `path` into memory. A pipe or device is read to its end; a pipe without a writer is waited for,
/// and `limits.stop` is looked at between the bytes that come.
/// throws  error{io, corrupt_file, unsupported_version, limit_exceeded}; the last three before more than the header has
///         been read
[[nodiscard]] inline file_bytes read_path(const std::filesystem::path& path, const load_limits& limits = {}) {
    input_file file(path);
    const auto read = [&](std::byte* to, std::size_t size) { return file.read(to, size); };
    std::string name = display(path);
    if (!file.regular()) return read_growing(read, std::move(name), limits, stream_end::required);

    std::array<std::byte, header_size> head;
    if (const std::size_t n = file.read(head.data(), head.size()); n != head.size()) fail_short(name, n, header_size);
    const file_header header = decode_header(head, name);
    if (file.size() != header.length)
        fail_corrupt(
            name, "it has " + std::to_string(file.size()) + " bytes, its header says " + std::to_string(header.length));
    require_limits(header, limits, name);
    aligned_bytes whole(to_size(header.length));
    const auto bytes = whole.bytes();
    std::copy(head.begin(), head.end(), bytes.begin());
    byte_progress told(limits.stop, limits.progress, bytes.size());
    told.moved(head.size());
    const std::size_t n = head.size() + read_with_progress(read, bytes.subspan(head.size()), told);
    if (n != bytes.size()) fail_short(name, n, bytes.size());
    return {std::move(whole), std::move(name), header};
}

/// Reads the file that begins where `in` stands, which need not be seekable. Exactly the file's bytes are taken from
/// it: it is left good, before whatever follows.
/// throws  as read_path; error{io} if the stream fails other than by ending
[[nodiscard]] inline file_bytes read_stream(std::istream& in, const load_limits& limits = {}) {
    if (!in) fail(errc::io, "cannot load from the stream: it had failed before");
    const auto read = [&](std::byte* to, std::size_t size) {
        std::size_t done = 0;
        while (done < size) {
            const std::size_t want = (std::min)(size - done, std::size_t{1} << 30);
            bool thrown = false;
            try {
                in.read(reinterpret_cast<char*>(to + done), static_cast<std::streamsize>(want));
            } catch (const std::ios_base::failure&) {
                thrown = true;  // the stream throws by itself, perhaps only because it ended
            }
            done += static_cast<std::size_t>(in.gcount());
            if (in.bad() || (thrown && !in.eof())) fail(errc::io, "cannot load from the stream: reading failed");
            if (static_cast<std::size_t>(in.gcount()) != want) break;
        }
        return done;
    };
    return read_growing(read, "the stream", limits, stream_end::anything);
}

/// Takes the file in `bytes`: refers to them if they begin at a multiple of 64, else copies them.
/// throws  error{corrupt_file, unsupported_version, limit_exceeded}
[[nodiscard]] inline file_bytes read_span(std::span<const std::byte> bytes, const load_limits& limits = {}) {
    file_bytes file(bytes, "the bytes");
    const file_header& header = file.header();
    if (bytes.size() != header.length)
        fail_corrupt(file.name(), "there are " + std::to_string(bytes.size()) + ", their header says " +
                                      std::to_string(header.length));
    require_limits(header, limits, file.name());
    if (reinterpret_cast<std::uintptr_t>(bytes.data()) % section_alignment != 0) static_cast<void>(file.own());
    return file;
}

/// Refers to the file in `bytes`, which must outlive the result and begin at a multiple of 64.
/// throws  error{invalid_argument} if they begin elsewhere; error{corrupt_file, unsupported_version, limit_exceeded}
[[nodiscard]] inline file_bytes borrow_span(std::span<const std::byte> bytes, const load_limits& limits = {}) {
    if (const auto over = reinterpret_cast<std::uintptr_t>(bytes.data()) % section_alignment; over != 0)
        fail(errc::invalid_argument, "the bytes begin " + std::to_string(over) +
                                         " bytes after a multiple of 64; a view works on them where they are");
    return read_span(bytes, limits);
}

/// Maps the file at `path`.
/// throws  error{io} if it cannot be mapped; error{corrupt_file, unsupported_version} if it does not begin with a
///         header
[[nodiscard]] inline file_bytes map_path(const std::filesystem::path& path) {
    return {mapped_file(path), display(path)};
}

}  // namespace detail
VICINAL_NAMESPACE_END
