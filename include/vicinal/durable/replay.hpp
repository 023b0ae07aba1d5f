// SPDX-License-Identifier: MIT
// Replay makes the calls again that a log recorded.
#pragma once

#include <algorithm>    // for any_of
#include <cstddef>      // for size_t
#include <cstdint>      // for uint64_t
#include <memory>       // for make_unique, unique_ptr
#include <span>         // for span
#include <string>       // for string, to_string
#include <string_view>  // for string_view
#include <vector>       // for vector

#include "vicinal/core/number_as.hpp"
#include "vicinal/durable/log_directory.hpp"
#include "vicinal/durable/log_reader.hpp"
#include "vicinal/durable/snapshot.hpp"
#include "vicinal/params.hpp"

VICINAL_NAMESPACE_BEGIN
namespace detail {

/// What replay needs of durable_options.
template <class Id>
struct replay_params {
    function_ref<void(const log_entry<Id>&)> told{};
    std::size_t threads = 1;
    executor_ref executor{};
    stop_token stop{};
    progress_ref progress{};
};

/// Makes the call that a record tells of.
/// throws  what it throws
template <class Index, class Id>
void make_call(Index& index, const log_record<Id>& record, const replay_params<Id>& how) {
    const add_params batch{.threads = how.threads, .executor = how.executor};
    const std::span<const Id> ids(record.ids);
    switch (record.kind) {
        case record_kind::add: index.add(ids[0], record.vectors[0]); break;
        case record_kind::update: index.update(ids[0], record.vectors[0]); break;
        case record_kind::upsert: index.upsert(ids[0], record.vectors[0]); break;
        case record_kind::remove: index.remove(ids[0]); break;
        case record_kind::add_rows: index.add(ids, record.vectors, batch); break;
        case record_kind::upsert_rows: index.upsert(ids, record.vectors, batch); break;
        case record_kind::remove_rows: index.remove(ids); break;
        case record_kind::clear: index.clear(); break;
        case record_kind::mark: break;
    }
}

[[noreturn]] VICINAL_COLD inline void fail_at(const std::string& file, std::uint64_t offset, const std::string& what) {
    fail_corrupt(file, "at offset " + std::to_string(offset) + ": " + what);
}

/// Refuses a segment of another index.
inline void require_same_index(const segment_header& segment, const file_header& index, const std::string& file) {
    const file_header& of = segment.index;
    if (of.kind != index.kind || of.dim != index.dim || of.id_bits != index.id_bits ||
        of.id_signed != index.id_signed || of.metric != index.metric || of.codec != index.codec)
        fail(errc::wrong_type, file + ": the log is of " + describe(of) + ", the snapshot of " + describe(index));
}

/// What a crash has left behind the last whole record.
struct torn_end {
    std::filesystem::path path;  ///< of the segment
    std::uint64_t begin = 0;     ///< where in it
    std::uint64_t bytes = 0;     ///< 0: there is none
};

/// Replays the segments of a directory over an index that was loaded from a snapshot.
template <class Index>
class log_replay {
    using id_type = typename Index::id_type;
    using reader_type = log_reader<id_type>;

  public:
    /// mark  what the snapshot says of itself
    log_replay(Index& index, const file_header& type, const snapshot_mark& mark, const replay_params<id_type>& how)
        : index_(index), type_(type), how_(how), sequence_(mark.sequence), identity_(mark.segment) {}

    /// Replays them all.
    /// throws  error{corrupt_file} naming file and offset; error: io, wrong_type, cancelled
    void run(const std::vector<numbered_file>& segments) {
        std::vector<numbered_file> left;
        for (const numbered_file& segment : segments)
            if (segment.sequence > sequence_) left.push_back(segment);
        for (const numbered_file& segment : left) total_ += file_bytes_of(segment.path);
        for (std::size_t i = 0; i < left.size(); ++i) replay_segment(left, i);
        if (reader_ == nullptr) fail_missing_segment();
        if (how_.progress) how_.progress(number_as<std::size_t>(total_), number_as<std::size_t>(total_));
    }

    /// The sequence of the last change that is in the index.
    [[nodiscard]] std::uint64_t sequence() const noexcept { return sequence_; }
    /// The last segment, as far as it was read.
    [[nodiscard]] reader_type& last() const noexcept { return *reader_; }
    [[nodiscard]] const std::filesystem::path& last_path() const noexcept { return last_path_; }
    [[nodiscard]] const torn_end& torn() const noexcept { return torn_; }
    [[nodiscard]] std::uint64_t replayed() const noexcept { return replayed_; }
    /// Empty segments that a failed attempt to begin one had left.
    [[nodiscard]] const std::vector<std::filesystem::path>& superfluous() const noexcept { return superfluous_; }
    /// Bytes of the segments.
    [[nodiscard]] std::uint64_t total_bytes() const noexcept { return total_; }

  private:
    [[nodiscard]] static std::uint64_t file_bytes_of(const std::filesystem::path& path) noexcept {
        std::error_code code;
        const auto bytes = std::filesystem::file_size(path, code);
        return code ? 0 : bytes;
    }
    [[noreturn]] void fail_missing_segment() const {
        fail(errc::corrupt_file, "the log is missing " + name_of(segment_prefix, sequence_ + 1, segment_suffix) +
                                     ": what was changed after sequence " + std::to_string(sequence_) +
                                     " cannot be known");
    }
    [[nodiscard]] static bool has_records(const numbered_file& segment) {
        reader_type reader(segment.path);
        log_record<id_type> record;
        return reader.next(record) != log_read::end;
    }
    void replay_segment(const std::vector<numbered_file>& segments, std::size_t i) {
        const numbered_file& segment = segments[i];
        if (segment.sequence <= sequence_ && !has_records(segment)) {
            superfluous_.push_back(segment.path);
            return;
        }
        if (segment.sequence != sequence_ + 1) fail_missing_segment();
        auto reader = std::make_unique<reader_type>(segment.path);
        require_same_index(reader->header(), type_, reader->name());
        if (reader->header().first != segment.sequence || reader->header().previous != identity_)
            fail_corrupt(reader->name(),
                         "it does not continue the files before it: it is from another directory, or "
                         "from another time of this one");
        const log_read end = replay_records(*reader);
        if (end == log_read::no_record) {
            // A segment that was begun when this one was complete, or that could not be begun, has none either.
            for (std::size_t j = i + 1; j < segments.size(); ++j)
                if (has_records(segments[j])) fail_damaged(*reader);
            if (reader->was_durable()) fail_damaged(*reader);
            torn_ = {segment.path, reader->offset(), reader->size() - reader->offset()};
        }
        identity_ = reader->header().identity;
        reader_ = std::move(reader);
        last_path_ = segment.path;
    }
    [[noreturn]] void fail_damaged(const reader_type& reader) const {
        fail_at(reader.name(), reader.offset(),
                "change " + std::to_string(sequence_ + 1) + " is damaged, and was on the disk before");
    }
    log_read replay_records(reader_type& reader) {
        for (;;) {
            throw_if_stopped(how_.stop);
            const std::uint64_t begin = reader.offset();
            const log_read found = reader.next(record_);
            if (found != log_read::record) return found;
            try {
                make_call(index_, record_, how_);
            } catch (const error& e) {
                fail_at(reader.name(), begin,
                        "change " + std::to_string(record_.sequence) + " cannot be made again: " + e.what());
            }
            sequence_ = record_.sequence;
            ++replayed_;
            if (how_.told) how_.told(record_.entry());
            tell(reader.offset() - begin);
        }
    }
    void tell(std::uint64_t bytes) {
        constexpr std::uint64_t stride = std::uint64_t{1} << 22;
        done_ += bytes;
        if (!how_.progress || done_ - told_ < stride || done_ >= total_) return;
        told_ = done_;
        how_.progress(number_as<std::size_t>(done_), number_as<std::size_t>(total_));
    }

    Index& index_;
    const file_header& type_;
    const replay_params<id_type>& how_;
    std::uint64_t sequence_;
    std::uint64_t identity_;
    std::unique_ptr<reader_type> reader_;
    std::filesystem::path last_path_;
    log_record<id_type> record_;
    std::vector<std::filesystem::path> superfluous_;
    torn_end torn_;
    std::uint64_t replayed_ = 0;
    std::uint64_t total_ = 0;
    std::uint64_t done_ = 0;
    std::uint64_t told_ = 0;
};

}  // namespace detail
VICINAL_NAMESPACE_END
