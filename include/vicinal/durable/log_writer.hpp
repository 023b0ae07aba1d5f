// SPDX-License-Identifier: MIT
// A log writer appends records to the newest segment and makes them durable, those of many threads by one sync.
#pragma once

#include <algorithm>           // for copy, min
#include <chrono>              // for milliseconds, nanoseconds, steady_clock
#include <condition_variable>  // for condition_variable
#include <cstddef>             // for byte, size_t
#include <cstdint>             // for uint64_t
#include <filesystem>          // for path
#include <list>                // for list
#include <mutex>               // for mutex, unique_lock, lock_guard
#include <span>                // for span
#include <string>              // for string, to_string
#include <system_error>        // for error_code, generic_category
#include <utility>             // for move
#include <vector>              // for vector

#include "vicinal/durable/log_calls.hpp"
#include "vicinal/durable/log_format.hpp"
#include "vicinal/io/atomic_file.hpp"

VICINAL_NAMESPACE_BEGIN
namespace detail {

/// Records in the order of their sequences. A list, so that one that was made before a change was applied is appended
/// after it without any allocation that might fail.
using record_list = std::list<std::vector<std::byte>>;

/// Makes an empty segment at `path`: a file with a header and nothing else, which is on the disk when this returns.
template <class Calls>
void create_segment(const std::filesystem::path& path, segment_header& header) {
    basic_atomic_file<Calls> file(path, {});
    file.write(encode_segment_header(header));
    file.commit();
}

/// Appends records to a segment.
///
/// A thread that wants its record to be durable becomes the leader if there is none: it takes all records there are,
/// writes them and syncs the file, holding no lock meanwhile, and wakes those whose records it took. The records that
/// come in the meantime go with the next leader.
///
/// Once a write or a sync has failed nobody knows what the disk has, and a later sync that succeeds says nothing of
/// the bytes before (Linux forgets an error that it has told of). So the segment is cut to what was known to be on the
/// disk, and nothing is appended any more.
template <class Calls>
class log_writer {
  public:
    log_writer() = default;
    log_writer(const log_writer&) = delete;
    log_writer& operator=(const log_writer&) = delete;
    ~log_writer() {
        if (open_) Calls::close(file_);
    }

    /// Makes a segment at `path` and goes on in it. Every record there was must be durable.
    /// throws  error{io}; the writer then goes on where it was
    void begin_segment(const std::filesystem::path& path, segment_header header) {
        typename Calls::handle fresh{};
        try {
            create_segment<Calls>(path, header);
            if (const int failed = uninterrupted([&] { return Calls::open_to_append(path, fresh); }); failed != 0)
                fail_io("open", path, failed);
        } catch (...) {
            Calls::remove(path);  // should it stay, or come back after a loss of power, it is passed over as empty
            throw;
        }
        const std::lock_guard lock(mutex_);
        if (open_) Calls::close(file_);
        if (!open_) appended_ = synced_ = header.first - 1;
        open_ = true;
        file_ = fresh;
        path_ = path;
        header_ = std::move(header);
        bytes_ = header_size;
    }

    /// Waits until all records are durable and nobody writes, then calls begin() with nobody writing. No record may
    /// come meanwhile.
    template <class Begin>
    void between_segments(const Begin& begin) {
        std::unique_lock lock(mutex_);
        make_durable(lock, appended_);
        while (busy_) done_.wait(lock);
        throw_if_failed();
        busy_ = true;
        lock.unlock();
        try {
            begin();
        } catch (...) {
            leave(lock);
            throw;
        }
        leave(lock);
    }

    // The next three are for one thread at a time.

    /// The sequence of the next record.
    /// throws  error{io} if nothing can be appended any more
    [[nodiscard]] std::uint64_t next_sequence() {
        const std::lock_guard lock(mutex_);
        throw_if_failed();
        return appended_ + 1;
    }
    /// Completes a record that has that sequence.
    void seal(std::span<std::byte> record, std::uint64_t sequence) {
        seal_record(record, sequence, synced(), header_.crc);
    }
    /// Appends the one record of a list, whose sequence this is.
    void append(record_list& one, std::uint64_t sequence) noexcept {
        const std::lock_guard lock(mutex_);
        pending_bytes_ += one.front().size();
        pending_.splice(pending_.end(), one);
        appended_ = sequence;
        if (pending_.size() == company_) arrived_.notify_one();
    }

    /// Makes all records durable and says so in a last one, which shows a reader that none behind it was lost.
    /// throws  error{io} if they are not durable
    void close() {
        std::unique_lock lock(mutex_);
        make_durable(lock, appended_);
        while (busy_) done_.wait(lock);
        if (!open_ || failed_.operation != nullptr) return;
        if (appended_ >= header_.first) {
            pending_.push_back(encode_record<std::uint8_t>(record_kind::mark, 1, {}, {}, {}));
            seal_record(pending_.back(), appended_, appended_, header_.crc);
            lead(lock);
        }
        open_ = false;
        Calls::close(file_);
    }

    /// Returns when all records up to `sequence` are on the disk.
    /// throws  error{io} if they are not, and will not be
    void commit(std::uint64_t sequence) {
        std::unique_lock lock(mutex_);
        make_durable(lock, sequence);
    }
    void commit() {
        std::unique_lock lock(mutex_);
        make_durable(lock, appended_);
    }

    [[nodiscard]] std::uint64_t appended() const {
        const std::lock_guard lock(mutex_);
        return appended_;
    }
    [[nodiscard]] std::uint64_t synced() const {
        const std::lock_guard lock(mutex_);
        return synced_;
    }
    /// Bytes of records that wait to be written.
    [[nodiscard]] std::uint64_t pending_bytes() const {
        const std::lock_guard lock(mutex_);
        return pending_bytes_;
    }
    [[nodiscard]] std::uint64_t syncs() const {
        const std::lock_guard lock(mutex_);
        return syncs_;
    }
    /// Why nothing can be appended; empty if it can.
    [[nodiscard]] std::string failure() const {
        const std::lock_guard lock(mutex_);
        return failed_.operation == nullptr ? std::string() : reason();
    }
    /// The header of the segment. For the threads that append, and in between_segments.
    [[nodiscard]] const segment_header& header() const noexcept { return header_; }

  private:
    struct failed_call {
        const char* operation = nullptr;  ///< null: none
        int code = 0;
    };

    [[nodiscard]] std::string reason() const {
        return std::string("cannot ") + failed_.operation + " " + display(path_) + ": " +
               std::error_code(failed_.code, std::generic_category()).message();
    }
    void throw_if_failed() const {
        if (failed_.operation != nullptr)
            fail(errc::io, "changes are refused: " + reason() +
                               "; what is in memory and not on the disk is lost when the index is opened again");
    }
    void leave(std::unique_lock<std::mutex>& lock) noexcept {
        lock.lock();
        busy_ = false;
        done_.notify_all();
    }

    void make_durable(std::unique_lock<std::mutex>& lock, std::uint64_t sequence) {
        while (synced_ < sequence) {
            if (failed_.operation != nullptr)
                fail(errc::io, "the change is made in memory, but is not durable (its sequence is " +
                                   std::to_string(sequence) + "): " + reason() +
                                   "; further changes are refused, open the index again");
            if (busy_)
                done_.wait(lock);
            else
                lead(lock);
        }
    }
    /// Waits for those that were there a moment ago, an eighth of a sync at most. Without, the threads that a sync has
    /// just woken come too late for the next one, always, and half of all threads share each.
    void wait_for_company(std::unique_lock<std::mutex>& lock) {
        constexpr std::chrono::nanoseconds longest = std::chrono::milliseconds(2);
        constexpr std::chrono::nanoseconds quick = std::chrono::microseconds(200);
        if (last_sync_ < quick) return;  // waiting takes as long
        company_ = last_group_ + came_meanwhile_;
        if (pending_.size() < company_)
            arrived_.wait_for(lock, (std::min)(longest, last_sync_ / 8), [&] { return pending_.size() >= company_; });
        company_ = 0;
    }
    /// Makes durable what there is. Others append meanwhile.
    void lead(std::unique_lock<std::mutex>& lock) {
        busy_ = true;
        wait_for_company(lock);
        record_list taken;
        taken.swap(pending_);
        pending_bytes_ = 0;
        const std::uint64_t last = appended_;
        lock.unlock();
        std::uint64_t written = 0;
        const auto begin = std::chrono::steady_clock::now();
        const failed_call failed = write_out(taken, written);
        if (failed.operation != nullptr) cut();
        const std::size_t count = taken.size();
        taken.clear();
        lock.lock();
        busy_ = false;
        last_sync_ = std::chrono::steady_clock::now() - begin;
        last_group_ = count;
        came_meanwhile_ = pending_.size();
        if (failed.operation != nullptr) {
            failed_ = failed;
        } else {
            synced_ = last;
            bytes_ += written;
            ++syncs_;
        }
        done_.notify_all();
    }
    /// Takes what may or may not be on the disk off the segment, so that nobody reads it as if it were.
    void cut() noexcept {
        if (uninterrupted([&] { return Calls::truncate(file_, bytes_); }) == 0)
            static_cast<void>(uninterrupted([&] { return Calls::sync_data(file_); }));
    }
    [[nodiscard]] failed_call write_out(const record_list& records, std::uint64_t& written) noexcept {
        std::size_t held = 0;
        int failed = 0;
        const auto flush = [&] {
            if (failed == 0) failed = write_all<Calls>(file_, {gathered_, held});
            held = 0;
        };
        for (const auto& record : records) {
            written += record.size();
            if (record.size() > sizeof gathered_ - held) flush();
            if (record.size() > sizeof gathered_) {
                if (failed == 0) failed = write_all<Calls>(file_, record);
                continue;
            }
            std::copy(record.begin(), record.end(), gathered_ + held);
            held += record.size();
        }
        if (held != 0) flush();
        if (failed != 0) return {"write to", failed};
        failed = uninterrupted([&] { return Calls::sync_data(file_); });
        return failed != 0 ? failed_call{"sync", failed} : failed_call{};
    }

    mutable std::mutex mutex_;
    std::condition_variable done_;
    record_list pending_;
    std::uint64_t pending_bytes_ = 0;
    std::uint64_t appended_ = 0;
    std::uint64_t synced_ = 0;
    std::uint64_t bytes_ = 0;  ///< of the segment that are on the disk
    std::uint64_t syncs_ = 0;
    std::condition_variable arrived_;
    std::size_t company_ = 0;  ///< how many records the leader waits for
    std::size_t last_group_ = 0;
    std::size_t came_meanwhile_ = 0;
    std::chrono::nanoseconds last_sync_{0};
    bool busy_ = false;  ///< somebody writes, or begins a segment
    bool open_ = false;
    failed_call failed_;
    typename Calls::handle file_{};
    std::filesystem::path path_;
    segment_header header_;
    std::byte gathered_[std::size_t{1} << 16];  // small records, written together
};

}  // namespace detail
VICINAL_NAMESPACE_END
