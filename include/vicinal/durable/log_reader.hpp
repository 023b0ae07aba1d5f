// SPDX-License-Identifier: MIT
// A log reader reads the records of one segment, and tells a torn end from damage.
#pragma once

#include <algorithm>   // for equal, min
#include <array>       // for array
#include <cstddef>     // for byte, size_t
#include <cstdint>     // for uint64_t
#include <deque>       // for deque
#include <filesystem>  // for path
#include <span>        // for span
#include <string>      // for string, to_string
#include <vector>      // for vector

#include "vicinal/durable/log_calls.hpp"
#include "vicinal/durable/log_format.hpp"
#include "vicinal/io/input_file.hpp"

VICINAL_NAMESPACE_BEGIN
namespace detail {

/// One record as it was read. The bytes are its own.
template <class Id>
struct log_record {
    record_kind kind = record_kind::mark;
    std::uint64_t sequence = 0;
    std::vector<Id> ids;
    rows_view vectors;
    std::span<const std::byte> payload;
    std::vector<std::byte> bytes;

    [[nodiscard]] log_entry<Id> entry() const { return {change_of(kind), sequence, ids, vectors, payload}; }
};

/// What stands where a record may begin.
enum class log_read {
    record,    ///< a whole record
    end,       ///< nothing: the file ends
    no_record  ///< bytes that are no whole record, or not the next one
};

/// Reads a segment from front to back. The file may grow meanwhile, and may be removed.
template <class Id>
class log_reader {
  public:
    /// throws  error: io, corrupt_file, unsupported_version
    explicit log_reader(const std::filesystem::path& path) : name_(display(path)), file_(path, "read") {
        std::array<std::byte, header_size> bytes;
        if (const std::size_t n = file_.read(bytes.data(), bytes.size()); n != bytes.size()) fail_short(n, header_size);
        header_ = decode_segment_header(bytes, name_);
        if (header_.index.id_bits != 8 * sizeof(Id) || header_.index.id_signed != is_signed_id<Id>)
            fail(errc::wrong_type, name_ + ": its ids have " + std::to_string(header_.index.id_bits) + " bits, " +
                                       (header_.index.id_signed ? "signed" : "unsigned") + "; those asked for have " +
                                       std::to_string(8 * sizeof(Id)));
        sequence_ = header_.first - 1;
    }

    [[nodiscard]] const segment_header& header() const noexcept { return header_; }
    [[nodiscard]] const std::string& name() const noexcept { return name_; }
    /// The sequence of the last record that was read, or of the one before the segment.
    [[nodiscard]] std::uint64_t sequence() const noexcept { return sequence_; }
    /// Where the next record begins.
    [[nodiscard]] std::uint64_t offset() const noexcept { return offset_; }
    /// Where the records begin that nothing says to have been on the disk.
    [[nodiscard]] std::uint64_t doubtful_from() const noexcept {
        return doubtful_.empty() ? offset_ : doubtful_.front().offset;
    }
    /// Bytes of the file as it is now.
    [[nodiscard]] std::uint64_t size() const { return input_size(file_.handle()); }

    /// Reads the next record; passes over marks.
    /// throws  error{io}; bad_alloc
    [[nodiscard]] log_read next(log_record<Id>& out) {
        for (;;) {
            const log_read found = read_one(out);
            if (found != log_read::record || out.kind != record_kind::mark) return found;
        }
    }

    /// Says whether a record behind this place shows that the next one, which cannot be read, had been on the disk:
    /// each tells up to which sequence all was known to be there when it was written.
    [[nodiscard]] bool was_durable() {
        const std::uint64_t wanted = sequence_ + 1;
        const std::uint64_t end = size();
        std::vector<std::byte> window;
        std::uint64_t compared = 0;
        constexpr std::uint64_t step = std::uint64_t{1} << 20;
        for (std::uint64_t at = offset_; at + record_head_size <= end; at += step) {
            window.resize(static_cast<std::size_t>((std::min)(end - at, step + record_head_size)));
            window.resize(read_at(at, window));
            for (std::size_t i = 0; i + record_head_size <= window.size() && i < step; i += record_alignment) {
                const auto head =
                    decode_record_head(std::span<const std::byte, record_head_size>(&window[i], record_head_size));
                if (head.sequence < wanted || head.synced < wanted || head.length > end - at - i ||
                    head.sequence - wanted > (end - offset_) / record_head_size || !possible(head))
                    continue;
                compared += head.length;
                if (compared > 16 * (end - offset_)) return true;  // made to keep us busy: no crash leaves that
                if (is_whole(at + i, head)) return true;
            }
        }
        return false;
    }

    /// Reads bytes from a place; fewer only at the end.
    std::size_t read_at(std::uint64_t at, std::span<std::byte> to) {
        if (const int failed = log_calls::seek(file_.handle(), at); failed != 0) fail_io("seek in", name_, failed);
        return file_.read(to.data(), to.size());
    }

  private:
    [[noreturn]] void fail_short(std::uint64_t found, std::uint64_t expected) const {
        fail_corrupt(name_, "it ends after " + std::to_string(found) + " bytes, expected " + std::to_string(expected));
    }
    [[nodiscard]] static std::uint64_t input_size(int handle) {
        std::uint64_t bytes = 0;
        if (const int failed = log_calls::size(handle, bytes); failed != 0) fail(errc::io, "cannot get a log's size");
        return bytes;
    }
    [[nodiscard]] bool possible(const record_head& head) const noexcept {
        return is_possible(head, header_.index.dim, sizeof(Id));
    }
    [[nodiscard]] bool is_whole(std::uint64_t at, const record_head& head) {
        std::vector<std::byte> piece(static_cast<std::size_t>((std::min)(head.length, std::uint64_t{1} << 20)));
        std::uint32_t crc = header_.crc;
        for (std::uint64_t done = 4; done < head.length;) {  // behind the CRC itself
            const auto part = std::span(piece).first(
                static_cast<std::size_t>((std::min)(head.length - done, std::uint64_t{piece.size()})));
            if (read_at(at + done, part) != part.size()) return false;
            crc = crc32c(crc, part);
            done += part.size();
        }
        return crc == head.crc;
    }
    [[nodiscard]] log_read read_one(log_record<Id>& out) {
        std::array<std::byte, record_head_size> first;
        const std::size_t n = read_at(offset_, first);
        if (n == 0) return log_read::end;
        if (n != first.size()) return log_read::no_record;
        const record_head head = decode_record_head(first);
        const bool mark = head.kind == static_cast<std::uint8_t>(record_kind::mark);
        if (!possible(head) || head.sequence != sequence_ + (mark ? 0 : 1)) return log_read::no_record;
        if (const std::uint64_t end = size(); end < offset_ || head.length > end - offset_) return log_read::no_record;
        out.bytes.resize(static_cast<std::size_t>(head.length));
        if (read_at(offset_, out.bytes) != out.bytes.size() ||
            !std::equal(first.begin(), first.end(), out.bytes.begin()) ||
            crc32c(header_.crc, std::span<const std::byte>(out.bytes).subspan(4)) != head.crc)
            return log_read::no_record;
        take(out, head);
        note_doubt(head, mark);
        offset_ += head.length;
        sequence_ = head.sequence;
        return log_read::record;
    }
    void note_doubt(const record_head& head, bool mark) {
        if (!mark) doubtful_.push_back({head.sequence, offset_});
        while (!doubtful_.empty() && doubtful_.front().sequence <= head.synced) doubtful_.pop_front();
    }
    void take(log_record<Id>& out, const record_head& head) const {
        const std::size_t dim = static_cast<std::size_t>(header_.index.dim);
        out.kind = static_cast<record_kind>(head.kind);
        out.sequence = head.sequence;
        const auto layout = *lay_out_record(out.kind, head.rows, head.payload, dim, sizeof(Id));
        out.ids.resize(head.rows);
        const std::byte* at = out.bytes.data() + record_head_size;
        for (Id& id : out.ids) {
            id = load_le<Id>(at);
            at += sizeof(Id);
        }
        const std::size_t vectors = static_cast<std::size_t>(layout.vectors);
        const std::size_t payload = static_cast<std::size_t>(layout.payload);
        if constexpr (!host_is_little_endian)
            swap_elements(std::span(out.bytes).subspan(vectors, payload - vectors), sizeof(float));
        out.vectors = {};
        if (has_vectors(out.kind))
            out.vectors = rows_view(reinterpret_cast<const float*>(out.bytes.data() + vectors), out.ids.size(), dim);
        out.payload = std::span<const std::byte>(out.bytes).subspan(payload, head.payload);
    }

    std::string name_;
    input_file file_;
    segment_header header_;
    std::uint64_t offset_ = header_size;
    std::uint64_t sequence_ = 0;
    struct place {
        std::uint64_t sequence;
        std::uint64_t offset;
    };
    std::deque<place> doubtful_;
};

}  // namespace detail
VICINAL_NAMESPACE_END
