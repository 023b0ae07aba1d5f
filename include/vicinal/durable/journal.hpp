// SPDX-License-Identifier: MIT
// A journal keeps an index and its log in step: it makes changes in one order in both, and checkpoints.
#pragma once

#include <algorithm>           // for max
#include <atomic>              // for atomic
#include <condition_variable>  // for condition_variable
#include <cstddef>             // for byte, size_t
#include <cstdint>             // for uint64_t
#include <exception>           // for exception
#include <filesystem>          // for path
#include <memory>              // for make_unique, unique_ptr
#include <mutex>               // for mutex, lock_guard, unique_lock
#include <optional>            // for optional
#include <span>                // for span
#include <string>              // for string
#include <system_error>        // for error_code
#include <thread>              // for thread, this_thread
#include <utility>             // for move
#include <vector>              // for vector

#include "vicinal/durable/log_directory.hpp"
#include "vicinal/durable/log_writer.hpp"
#include "vicinal/durable/options.hpp"
#include "vicinal/durable/recovery.hpp"
#include "vicinal/durable/snapshot.hpp"

VICINAL_NAMESPACE_BEGIN
namespace detail {

/// The index in a directory, its log, and the threads that work in the background. durable.hpp says what its calls do.
///
/// Locks, in the order in which they are taken: `checkpoints_` for a checkpoint, a `turn` for a change, then those of
/// the index or of the log, of which neither is held while the other is taken. A thread that waits for the disk holds
/// none, but for a checkpoint that begins a segment: it has the turn.
template <class Index, class Calls>
class journal {
    using id_type = typename Index::id_type;
    using options_type = durable_options<id_type>;

    /// The right to change the index and append to the log, for one thread at a time.
    /// A checkpoint has the next turn, however many changes wait: those pass a gate that it closes meanwhile.
    class turn {
      public:
        explicit turn(journal& of, bool next = false) : of_(of) {
            if (of.owner_.load() == std::this_thread::get_id())
                fail(errc::reentrant_call,
                     "a callback of a change or a checkpoint of a durable index may search it, not change it");
            std::unique_lock gate(of.gate_);
            if (!next) gate.unlock();
            lock_ = std::unique_lock(of.turns_);
            of.owner_.store(std::this_thread::get_id());
            if (of.closed_) {
                of.owner_.store(std::thread::id());
                fail(errc::read_only, "the durable index is closed");
            }
        }
        turn(const turn&) = delete;
        turn& operator=(const turn&) = delete;
        ~turn() { of_.owner_.store(std::thread::id()); }

      private:
        journal& of_;
        std::unique_lock<std::mutex> lock_;
    };

  public:
    /// make  called if the directory holds no index yet; may be empty
    journal(std::filesystem::path directory, function_ref<Index()> make, options_type options)
        : directory_(std::move(directory)), options_(std::move(options)) {
        if (make) make_directory<Calls>(directory_);
        lock_.emplace(directory_);
        const log_directory found = list_directory(directory_);
        for (const auto& path : found.temporary) Calls::remove(path);
        if (!found.snapshots.empty())
            recover_from(found);
        else if (make)
            create(found, make);
        else
            fail(errc::io, "cannot open " + display(directory_) + ": it holds no durable index");
        options_.on_replay = {};
        options_.progress = {};
        set_due();
    }
    journal(const journal&) = delete;
    journal& operator=(const journal&) = delete;
    ~journal() {
        try {
            close();
        } catch (...) {  // who wants to know calls close()
        }
    }
    /// Starts the threads that work in the background.
    void start() {
        if (options_.sync == sync_policy::interval) threads_.emplace_back([this] { sync_now_and_then(); });
        if (options_.checkpoint_ratio > 0) threads_.emplace_back([this] { checkpoint_when_due(); });
    }

    [[nodiscard]] const Index& index() const noexcept { return *index_; }
    [[nodiscard]] const open_report& report() const noexcept { return report_; }
    [[nodiscard]] std::uint64_t last_sequence() const { return writer_.appended(); }

    /// Makes a change in the index by apply(index), which returns a count, and appends it to the log.
    /// Returns what apply() did.
    template <class Apply>
    std::size_t change(record_kind kind, std::span<const id_type> ids, rows_view rows,
                       std::span<const std::byte> payload, const Apply& apply) {
        const bool fits = !has_vectors(kind) || (rows.rows() == ids.size() && rows.dim() == index_->dim());
        record_list record;  // made before the change: nothing that can fail may come after it
        if (fits) record.push_back(encode_record(kind, index_->dim(), ids, rows, payload));
        std::uint64_t sequence = 0;
        std::size_t count = 0;
        {
            const turn here(*this);
            sequence = writer_.next_sequence();
            if (fits) writer_.seal(record.front(), sequence);
            count = static_cast<std::size_t>(apply(*index_));
            const bool removal = kind == record_kind::remove || kind == record_kind::remove_rows;
            if (!fits || (removal ? count == 0 : ids.empty() && kind != record_kind::clear)) return count;
            appended_bytes_ += record.front().size();
            writer_.append(record, sequence);
        }
        make_durable(sequence);
        if (log_bytes() >= due_at_.load()) ask_for_checkpoint();
        return count;
    }

    void sync() { writer_.commit(); }

    /// Makes a snapshot of the index as it is now, if it is not that of the newest snapshot. Returns whether it did.
    bool checkpoint() {
        const std::lock_guard one(checkpoints_);
        try {
            const bool made = make_checkpoint();
            const std::lock_guard lock(stats_lock_);
            stats_.checkpoints += made ? 1 : 0;
            stats_.checkpoint_error.clear();
            set_due();
            return made;
        } catch (const std::exception& e) {
            const std::lock_guard lock(stats_lock_);
            ++stats_.checkpoint_failures;
            stats_.checkpoint_error = e.what();
            due_at_ = log_bytes() + log_bytes() / 4 + options_.checkpoint_bytes / 4 + 1;
            throw;
        }
    }

    /// Ends the threads and makes all changes durable.
    void close() {
        stop_threads();
        const std::lock_guard one(checkpoints_);
        {
            const std::lock_guard lock(turns_);
            if (closed_) return;
            closed_ = true;
        }
        struct unlock {
            std::optional<directory_lock<Calls>>& lock;
            ~unlock() { lock.reset(); }
        } const at_the_end{lock_};
        writer_.close();
    }

    [[nodiscard]] durable_stats stats() const {
        durable_stats now;
        {
            const std::lock_guard lock(stats_lock_);
            now = stats_;
        }
        now.last_sequence = writer_.appended();
        now.synced_sequence = writer_.synced();
        now.log_bytes = log_bytes();
        now.syncs = writer_.syncs();
        now.failure = writer_.failure();
        return now;
    }

  private:
    // ---- opening
    void begin_log(std::uint64_t sequence, std::uint64_t previous) {
        segment_header header;
        header.index = type_of(*index_);
        header.first = sequence + 1;
        header.identity = new_identity();
        header.previous = previous;
        writer_.begin_segment(segment_path(directory_, sequence + 1), std::move(header));
    }
    void recover_from(const log_directory& found) {
        const replay_params<id_type> how{options_.on_replay, options_.threads, options_.executor, options_.stop,
                                         options_.progress};
        auto made = recover<Index, Calls>(found, how);
        index_ = std::move(made.from.index);
        report_ = std::move(made.report);
        stats_.snapshot_sequence = made.from.mark.sequence;
        stats_.snapshot_bytes = made.from.bytes;
        appended_bytes_ = made.log_bytes;
        begin_log(made.sequence, made.last_segment);
    }
    void create(const log_directory& found, const function_ref<Index()>& make) {
        for (const numbered_file& segment : found.segments) {
            log_reader<id_type> reader(segment.path);
            log_record<id_type> record;
            if (reader.next(record) != log_read::end)
                fail_corrupt(display(segment.path), "there is a log, and no snapshot that it continues");
        }
        index_ = std::make_unique<Index>(make());
        begin_log(0, 0);
        save_snapshot({});
        report_.created = true;
        tell_of_creation();
    }
    void tell_of_creation() {
        if (options_.on_replay) options_.on_replay({vicinal::change::snapshot, 0, {}, {}, {}});
    }

    // ---- changes
    void make_durable(std::uint64_t sequence) {
        constexpr std::uint64_t most_waiting = std::uint64_t{64} << 20;
        if (options_.sync == sync_policy::each_write || writer_.pending_bytes() > most_waiting)
            writer_.commit(sequence);
    }
    [[nodiscard]] std::uint64_t log_bytes() const noexcept {
        return appended_bytes_.load() - bytes_in_snapshot_.load();
    }

    // ---- checkpoints
    bool make_checkpoint() {
        std::uint64_t bytes = 0;
        std::vector<std::byte> saved;
        snapshot_mark mark;
        {
            const turn here(*this, true);
            mark.sequence = writer_.appended();
            if (mark.sequence == newest_snapshot()) return false;
            if constexpr (requires { index_->reorder(); })
                if (options_.reorder_at_checkpoint) index_->reorder();
            mark.segment = end_segment(mark.sequence);
            bytes = appended_bytes_;
            saved = save_index(mark);
        }
        if (options_.checkpoint_in_memory) write_snapshot<Calls>(snapshot_path(directory_, mark.sequence), saved);
        note_snapshot(mark, bytes);
        remove_obsolete<Calls>(list_directory(directory_), mark.sequence);
        return true;
    }
    /// Has the next record begin a segment. Returns the identity of the one that ends.
    [[nodiscard]] std::uint64_t end_segment(std::uint64_t sequence) {
        const segment_header& now = writer_.header();
        if (now.first == sequence + 1) return now.previous;
        const std::uint64_t ended = now.identity;
        writer_.between_segments([&] { begin_log(sequence, ended); });
        return ended;
    }
    /// Saves the index to memory, or to its place if it is to be saved there.
    [[nodiscard]] std::vector<std::byte> save_index(const snapshot_mark& mark) {
        std::vector<std::byte> own;
        if (options_.note) own = options_.note(mark.sequence);
        const std::vector<std::byte> note = encode_snapshot_note(mark, own);
        std::vector<std::byte> bytes;
        if (options_.checkpoint_in_memory)
            index_->save(bytes, {.note = note});
        else
            index_->save(snapshot_path(directory_, mark.sequence), {.note = note});
        return bytes;
    }
    void save_snapshot(const snapshot_mark& mark) {
        const std::vector<std::byte> bytes = save_index(mark);
        if (options_.checkpoint_in_memory) write_snapshot<Calls>(snapshot_path(directory_, mark.sequence), bytes);
        note_snapshot(mark, 0);
    }
    void note_snapshot(const snapshot_mark& mark, std::uint64_t bytes) {
        std::error_code code;
        const auto size = std::filesystem::file_size(snapshot_path(directory_, mark.sequence), code);
        bytes_in_snapshot_ = bytes;
        const std::lock_guard lock(stats_lock_);
        stats_.snapshot_sequence = mark.sequence;
        stats_.snapshot_bytes = code ? 0 : size;
    }
    [[nodiscard]] std::uint64_t newest_snapshot() const {
        const std::lock_guard lock(stats_lock_);
        return stats_.snapshot_sequence;
    }
    void set_due() {
        const double bytes = options_.checkpoint_ratio * static_cast<double>(stats_.snapshot_bytes);
        due_at_ = (std::max)(options_.checkpoint_bytes, static_cast<std::uint64_t>((std::max)(bytes, 0.0)));
    }

    // ---- threads
    void ask_for_checkpoint() {
        if (asked_.exchange(true)) return;
        const std::lock_guard lock(threads_lock_);
        wake_.notify_all();
    }
    void checkpoint_when_due() {
        std::unique_lock lock(threads_lock_);
        for (;;) {
            asked_ = log_bytes() >= due_at_.load();
            wake_.wait(lock, [&] { return stopping_ || asked_.load(); });
            if (stopping_) return;
            lock.unlock();
            try {
                checkpoint();
            } catch (...) {  // stats() tells, and the log has it all
            }
            lock.lock();
        }
    }
    void sync_now_and_then() {
        std::unique_lock lock(threads_lock_);
        while (!wake_.wait_for(lock, options_.interval, [&] { return stopping_; })) {
            lock.unlock();
            try {
                writer_.commit();
            } catch (...) {  // the next change is refused for it, and stats() tells
            }
            lock.lock();
        }
    }
    void stop_threads() {
        {
            const std::lock_guard lock(threads_lock_);
            stopping_ = true;
        }
        wake_.notify_all();
        for (std::thread& thread : threads_)
            if (thread.joinable()) thread.join();
    }

    std::filesystem::path directory_;
    options_type options_;
    std::optional<directory_lock<Calls>> lock_;
    std::unique_ptr<Index> index_;
    open_report report_;
    log_writer<Calls> writer_;

    std::mutex checkpoints_;
    std::mutex gate_;
    std::mutex turns_;
    std::atomic<std::thread::id> owner_{};
    bool closed_ = false;
    std::atomic<std::uint64_t> appended_bytes_{0};     ///< of all records and of the segments found by open
    std::atomic<std::uint64_t> bytes_in_snapshot_{0};  ///< those of them that the newest snapshot has made superfluous
    std::atomic<std::uint64_t> due_at_{0};             ///< how many others make a checkpoint due

    mutable std::mutex stats_lock_;
    durable_stats stats_;

    std::mutex threads_lock_;
    std::condition_variable wake_;
    std::atomic<bool> asked_{false};
    bool stopping_ = false;
    std::vector<std::thread> threads_;
};

}  // namespace detail
VICINAL_NAMESPACE_END
