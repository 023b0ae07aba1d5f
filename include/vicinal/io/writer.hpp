// SPDX-License-Identifier: MIT
// A section_writer turns a header and a list of sections into a file: on disk, in a stream or in memory, the same bytes
// in each.
#pragma once

#include <algorithm>   // for any_of, copy, min
#include <array>       // for array
#include <cstddef>     // for size_t, byte
#include <cstdint>     // for uint32_t, uint64_t
#include <filesystem>  // for path
#include <functional>  // for function
#include <ios>         // for ios_base, streamsize
#include <ostream>     // for ostream
#include <span>        // for span, as_bytes
#include <string>      // for string, to_string
#include <utility>     // for move
#include <vector>      // for vector

#include "vicinal/core/error.hpp"
#include "vicinal/core/function_ref.hpp"
#include "vicinal/core/number_as.hpp"
#include "vicinal/io/atomic_file.hpp"
#include "vicinal/io/format.hpp"

VICINAL_NAMESPACE_BEGIN
namespace detail {

/// Takes a streamed section's elements, any number at a time.
template <file_element T>
class element_writer {
  public:
    explicit element_writer(function_ref<void(std::span<const std::byte>)> take) : take_(take) {}
    void operator()(std::span<const T> values) const { take_(std::as_bytes(values)); }

  private:
    function_ref<void(std::span<const std::byte>)> take_;
};

/// Collects sections and writes them as one file.
///
/// Everything added by reference must stay alive and unchanged until the last write; if it does change meanwhile, the
/// write fails rather than produce a file that cannot be read.
class section_writer {
  public:
    /// header  kind, dim, rows, id type, metric, codec and features; the writer fills in the rest
    /// throws  error{invalid_argument} if a name cannot stand in a header
    explicit section_writer(file_header header) : header_(std::move(header)) {
        for (const auto* name : {&header_.metric, &header_.codec})
            if (!valid_name(*name))
                fail(errc::invalid_argument, "the name \"" + *name + "\" must be 1 to 31 printable ASCII characters");
        require_range("dim", header_.dim, 1, ~std::uint64_t{0});
        header_.major = format_major;
        header_.minor = format_minor;
    }

    /// Adds `values`, by reference.
    template <file_element T>
    void add(std::uint32_t type, std::span<const T> values) {
        add_parts<T>(type, {values});
    }
    /// Adds the elements of `parts` one after the other, by reference.
    template <file_element T>
    void add_parts(std::uint32_t type, std::vector<std::span<const T>> parts) {
        std::uint64_t count = 0;
        for (const auto& part : parts) count += part.size();
        add_streamed<T>(type, count, [kept = std::move(parts)](const element_writer<T>& sink) {
            for (const auto& part : kept) sink(part);
        });
    }
    /// Adds a small section by value, such as a byte_writer's.
    void add_bytes(std::uint32_t type, std::vector<std::byte> bytes) {
        const std::uint64_t count = bytes.size();
        add_streamed<std::byte>(type, count,
                                [kept = std::move(bytes)](const element_writer<std::byte>& sink) { sink(kept); });
    }
    /// Adds `count` elements that `produce(sink)` hands over, in as many calls of sink(span) as it likes. It is called
    /// once or twice per write and must give the same elements each time.
    template <file_element T>
    void add_streamed(std::uint32_t type, std::uint64_t count, std::function<void(const element_writer<T>&)> produce) {
        require_range("the number of sections", entries_.size() + 1, 1, max_sections);
        const auto length = checked_mul(count, sizeof(T));
        if (!length || !valid_section_type(type) ||
            std::any_of(entries_.begin(), entries_.end(), [&](const auto& entry) { return entry.type == type; }))
            fail(errc::invalid_argument, "section '" + section_name(type) +
                                             "' is too long, has a type that is not "
                                             "printable, or was added before");
        entries_.push_back({type, sizeof(T), 0, *length, 0});
        producers_.push_back([give = std::move(produce)](byte_taker take) { give(element_writer<T>(take)); });
        const auto total = lay_out(entries_);
        if (!total) fail(errc::invalid_argument, "the sections are longer than 2^64 bytes");
        header_.length = *total;
    }

    /// Returns the bytes of the whole file.
    [[nodiscard]] std::uint64_t length() const noexcept {
        return entries_.empty() ? header_size + file_tail : header_.length;
    }

    /// Writes to `out` from where it stands.
    /// throws  error{io} as soon as the stream fails, also if it is set to throw by itself; error{cancelled}. What was
    ///         written until then stays in the stream
    void write(std::ostream& out, const save_options& options = {}) const {
        if (!out) fail(errc::io, "cannot save to the stream: it had failed before");
        std::uint64_t done = 0;
        byte_progress told(options.stop, options.progress, to_size(length()));
        const auto check = [&](bool thrown) {
            if (thrown || !out)
                fail(errc::io, "cannot save to the stream: it failed within the " + std::to_string(length()) +
                                   " bytes of the file, after at least " + std::to_string(done));
        };
        const auto put = [&](std::span<const std::byte> bytes) {
            for (; !bytes.empty();) {
                const auto piece = bytes.first((std::min)(bytes.size(), std::size_t{1} << 30));
                bool thrown = false;
                try {
                    out.write(reinterpret_cast<const char*>(piece.data()), static_cast<std::streamsize>(piece.size()));
                } catch (const std::ios_base::failure&) {
                    thrown = true;
                }
                check(thrown);
                done += piece.size();
                bytes = bytes.subspan(piece.size());
                told.moved(piece.size());
            }
        };
        std::vector<section_entry> entries = entries_;
        for (std::size_t i = 0; i < entries.size(); ++i)
            entries[i].crc = produce(i, [&](auto) { throw_if_stopped(options.stop); });
        const auto front = front_of(entries);
        put(front);
        write_sections(entries, put, front.size(), true);
        bool thrown = false;
        try {
            out.flush();
        } catch (const std::ios_base::failure&) {
            thrown = true;
        }
        check(thrown);
    }

    /// Returns the file as bytes.
    /// throws  error{cancelled}
    [[nodiscard]] std::vector<std::byte> to_bytes(const save_options& options = {}) const {
        byte_progress told(options.stop, options.progress, to_size(length()));
        std::vector<std::byte> out;
        out.reserve(to_size(length()));
        std::vector<section_entry> entries = entries_;
        out.resize(header_size + table_size(static_cast<std::uint32_t>(entries.size())));
        told.moved(out.size());
        const auto put = [&](std::span<const std::byte> bytes) {
            out.insert(out.end(), bytes.begin(), bytes.end());
            told.moved(bytes.size());
        };
        write_sections(entries, put, out.size(), false);
        const auto front = front_of(entries);
        std::copy(front.begin(), front.end(), out.begin());
        return out;
    }

    /// Replaces the file at `path`, atomically and, unless options.sync is false, durably.
    /// throws  error{io} naming path, operation and cause, error{cancelled}; the old file is then untouched (see
    ///         basic_atomic_file)
    void save(const std::filesystem::path& path, const save_options& options = {}) const {
        save_with<file_calls>(path, options);
    }

    /// Does what save() does with other system calls, for tests.
    template <class Calls>
    void save_with(const std::filesystem::path& path, const save_options& options) const {
        byte_progress told(options.stop, options.progress, to_size(length()));
        basic_atomic_file<Calls> file(path, options);
        file.reserve(length());
        auto to_file = [&](std::span<const std::byte> bytes) {
            file.write(bytes);
            told.moved(bytes.size());
        };
        buffered out(to_file);
        std::vector<section_entry> entries = entries_;
        const std::vector<std::byte> blank(header_size + table_size(static_cast<std::uint32_t>(entries.size())));
        out(blank);
        write_sections(entries, out, blank.size(), false);
        out.flush();
        file.overwrite(0, front_of(entries));
        file.commit();
    }

  private:
    using byte_taker = function_ref<void(std::span<const std::byte>)>;

    /// Gathers small pieces; large ones pass through. One system call then moves at least 64 KiB.
    class buffered {
      public:
        explicit buffered(byte_taker to VICINAL_LIFETIMEBOUND) : to_(to) { held_.reserve(capacity); }
        void operator()(std::span<const std::byte> bytes) {
            if (bytes.size() >= capacity / 4 || bytes.size() > capacity - held_.size()) flush();
            if (bytes.size() >= capacity / 4) return to_(bytes);
            held_.insert(held_.end(), bytes.begin(), bytes.end());
        }
        void flush() {
            if (!held_.empty()) to_(held_);
            held_.clear();
        }

      private:
        static constexpr std::size_t capacity = std::size_t{1} << 18;
        byte_taker to_;
        std::vector<std::byte> held_;
    };

    [[nodiscard]] std::vector<std::byte> front_of(std::span<const section_entry> entries) const {
        const auto table = encode_table(entries);
        file_header header = header_;
        header.length = length();
        header.section_count = static_cast<std::uint32_t>(entries.size());
        header.table_crc = crc32c(0, table);
        const auto head = encode_header(header);
        std::vector<std::byte> front(head.size() + table.size());
        std::copy(head.begin(), head.end(), front.begin());
        std::copy(table.begin(), table.end(), front.begin() + static_cast<std::ptrdiff_t>(head.size()));
        return front;
    }

    /// Gives section i to `put` in file order of bytes and returns its CRC. Small spans are gathered: a checksum of
    /// many bytes takes a third of the time of many checksums. Pieces are small enough to be still in the cache when
    /// they are used a second time.
    template <class Put>
    std::uint32_t produce(std::size_t i, Put&& put) const {
        constexpr std::size_t piece_size = std::size_t{1} << 18;
        constexpr std::size_t gathered = std::size_t{1} << 16;
        constexpr std::size_t short_piece = std::size_t{1} << 13;
        const section_entry& entry = entries_[i];
        std::uint32_t crc = 0;
        std::uint64_t left = entry.length;
        std::vector<std::byte> swapped;
        std::vector<std::byte> held;
        const auto pass_on = [&](std::span<const std::byte> piece) {
            if constexpr (!host_is_little_endian) {
                swapped.assign(piece.begin(), piece.end());
                swap_elements(swapped, entry.width);
                piece = swapped;
            }
            crc = crc32c(crc, piece);
            put(piece);
        };
        const auto flush = [&] {
            if (!held.empty()) pass_on(held);
            held.clear();
        };
        auto take = [&](std::span<const std::byte> bytes) {
            if (bytes.size() > left)
                fail(errc::io, "cannot save: section '" + section_name(entry.type) +
                                   "' grew while it was written, to more than " + std::to_string(entry.length) +
                                   " bytes");
            left -= bytes.size();
            if (bytes.size() <= short_piece) {
                if (held.capacity() == 0) held.reserve((std::min)(gathered, to_size(entry.length)));
                if (bytes.size() > gathered - held.size()) flush();
                held.insert(held.end(), bytes.begin(), bytes.end());
                return;
            }
            flush();
            while (!bytes.empty()) {
                const auto piece = bytes.first((std::min)(bytes.size(), piece_size));
                bytes = bytes.subspan(piece.size());
                pass_on(piece);
            }
        };
        producers_[i](take);
        flush();
        if (left != 0)
            fail(errc::io, "cannot save: section '" + section_name(entry.type) + "' shrank while it was written, by " +
                               std::to_string(left) + " bytes");
        return crc;
    }

    /// Writes padding and sections from file offset `at` to the end, setting (or, if `known`, comparing) their CRCs.
    template <class Put>
    void write_sections(std::vector<section_entry>& entries, Put&& put, std::uint64_t at, bool known) const {
        static constexpr std::array<std::byte, section_alignment + file_tail> zeros{};
        const auto pad_to = [&](std::uint64_t offset) {
            put(std::span(zeros).first(number_as<std::size_t>(offset - at)));
            at = offset;
        };
        for (std::size_t i = 0; i < entries.size(); ++i) {
            pad_to(entries[i].offset);
            const std::uint32_t crc = produce(i, put);
            if (known && crc != entries[i].crc)
                fail(errc::io,
                     "cannot save: section '" + section_name(entries[i].type) + "' changed while it was written");
            entries[i].crc = crc;
            at += entries[i].length;
        }
        pad_to(length());
    }

    file_header header_;
    std::vector<section_entry> entries_;
    std::vector<std::function<void(byte_taker)>> producers_;
};

}  // namespace detail
VICINAL_NAMESPACE_END
