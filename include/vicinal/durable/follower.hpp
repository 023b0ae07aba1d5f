// SPDX-License-Identifier: MIT
// A follower reads what another process or object writes to the directory of a durable index.
#pragma once

#include <atomic>        // for atomic
#include <cstddef>       // for size_t
#include <cstdint>       // for uint64_t
#include <filesystem>    // for path
#include <functional>    // for function
#include <memory>        // for make_unique, shared_ptr, unique_ptr
#include <mutex>         // for mutex, lock_guard
#include <system_error>  // for error_code
#include <utility>       // for move

#include "vicinal/durable/log_directory.hpp"
#include "vicinal/durable/options.hpp"
#include "vicinal/durable/recovery.hpp"
#include "vicinal/durable/replay.hpp"
#include "vicinal/durable/snapshot.hpp"

VICINAL_NAMESPACE_BEGIN

/// How a durable_follower follows. Every member is optional.
template <identifier Id = std::uint64_t>
struct follow_options {
    /// Told what each refresh finds: a snapshot whenever one was loaded, and the changes behind it.
    std::function<void(const log_entry<Id>&)> on_change{};
    std::size_t threads = 1;  ///< of batches; 0 = all of the machine's
    executor_ref executor{};  ///< your thread pool, for these; it outlives the follower
};

/// A copy in memory of a durable index that another process, or another object of this one, writes to. It takes no lock
/// and changes nothing in the directory, which needs to be readable only.
///
///     vicinal::durable_follower<Index> replica("catalog");
///     replica.refresh();                                       // now and then: takes over what was written since
///     replica.index()->search(query, 10);
///
/// It knows a change as soon as it is in the file, which may be before it is on the disk: should the power fail in
/// between, writer and follower lose it alike. A change that was taken back, since the disk had refused it, makes the
/// next refresh begin with a snapshot again.
///
/// Threads: any may call index() and sequence() at any time, also while one refreshes.
template <class Index>
class durable_follower {
  public:
    using id_type = typename Index::id_type;
    using options = follow_options<id_type>;

    /// Loads the newest snapshot and what the log has behind it.
    /// throws  as refresh; error{io} if the directory holds no durable index
    explicit durable_follower(std::filesystem::path directory, options how = {})
        : directory_(std::move(directory)), how_(std::move(how)) {
        load_snapshot();
        follow();
    }

    /// Takes over what was written since. Returns how many changes that were; a snapshot that had to be loaded again,
    /// since the log had moved on without us, counts as those that it was ahead.
    /// throws  error: io, corrupt_file, wrong_type; what on_change throws. The follower then stays where it is
    std::uint64_t refresh() {
        const std::lock_guard one(refreshing_);
        const std::uint64_t before = sequence_;
        follow();
        return sequence_ > before ? sequence_ - before : 0;
    }

    /// The index as it is now, never null. It goes on changing as refresh() finds changes, as if they were made here.
    /// After a refresh that loaded a snapshot there is another one; who holds this one may search it on.
    [[nodiscard]] std::shared_ptr<const Index> index() const {
        const std::lock_guard lock(lock_);
        return index_;
    }
    /// The sequence of the last change that is in the index.
    [[nodiscard]] std::uint64_t sequence() const noexcept { return sequence_.load(); }

  private:
    using reader_type = detail::log_reader<id_type>;

    /// Begins again with the newest snapshot. A checkpoint may remove it while we look: then there is a newer one.
    void load_snapshot() {
        for (int attempt = 0;; ++attempt) {
            const detail::log_directory found = detail::list_directory(directory_);
            if (found.snapshots.empty())
                detail::fail(errc::io, "cannot follow " + detail::display(directory_) + ": it holds no durable index");
            try {
                open_report report;
                auto loaded = detail::load_newest_snapshot<Index>(found, {}, report);
                auto first = open_segment(loaded.mark.sequence + 1);
                if (first == nullptr || first->header().previous != loaded.mark.segment)
                    detail::fail_corrupt(detail::display(directory_), "the log behind the snapshot is missing");
                begin(std::move(loaded), std::move(first));
                return;
            } catch (const error&) {
                const auto now = detail::list_directory(directory_);
                const bool moved_on =
                    !now.snapshots.empty() && now.snapshots.back().sequence > found.snapshots.back().sequence;
                if (!moved_on || attempt == 100) throw;
            }
        }
    }
    void begin(detail::loaded_snapshot<Index> loaded, std::unique_ptr<reader_type> first) {
        type_ = detail::type_of(*loaded.index);
        detail::require_same_index(first->header(), type_, first->name());
        if (how_.on_change) how_.on_change({change::snapshot, loaded.mark.sequence, {}, {}, loaded.note()});
        own_ = std::move(loaded.index);
        reader_ = std::move(first);
        sequence_ = loaded.mark.sequence;
        lost_ = false;
        const std::lock_guard lock(lock_);
        index_ = own_;
    }

    /// Reads on, from segment to segment, until there is nothing more.
    void follow() {
        if (lost_) load_snapshot();
        for (int loads = 0; loads < 100;) {
            read_segment();
            const next_step next = find_next();
            if (next == next_step::none) return;
            if (next == next_step::load) {
                load_snapshot();
                ++loads;
            }
        }
    }
    void read_segment() {
        while (reader_->next(record_) == detail::log_read::record) {
            lost_ = true;  // should the call fail, the index lacks it, and all begins again
            detail::make_call(*own_, record_, {{}, how_.threads, how_.executor, {}, {}});
            lost_ = false;
            sequence_ = record_.sequence;
            if (how_.on_change) how_.on_change(record_.entry());
        }
    }

    enum class next_step { none, read, load };
    /// Says how it goes on behind what was read of this segment.
    next_step find_next() {
        const std::uint64_t mine = reader_->header().first;
        const std::uint64_t identity = reader_->header().identity;
        const auto again = open_segment(mine);
        const bool replaced = again != nullptr && again->header().identity != identity;
        if (replaced) return sequence_ + 1 == mine ? reopen(mine) : next_step::load;
        const detail::log_directory found = detail::list_directory(directory_);
        for (const detail::numbered_file& segment : found.segments) {
            if (segment.sequence <= mine) continue;
            auto next = open_segment(segment.sequence);
            if (next == nullptr) return next_step::load;
            if (next->header().previous != identity) continue;
            // The segment before is complete now: what came between our last look and this one is read first.
            read_segment();
            if (sequence_ + 1 != segment.sequence) return next_step::load;
            reader_ = std::move(next);
            return next_step::read;
        }
        return again == nullptr ? next_step::load : next_step::none;
    }
    /// Goes on in the segment that has taken the place of an empty one.
    next_step reopen(std::uint64_t first) {
        auto other = open_segment(first);
        if (other == nullptr) return next_step::load;
        reader_ = std::move(other);
        return next_step::read;
    }
    /// Returns null if there is none.
    [[nodiscard]] std::unique_ptr<reader_type> open_segment(std::uint64_t first) const {
        const auto path = detail::segment_path(directory_, first);
        std::error_code code;
        if (!std::filesystem::exists(path, code)) return nullptr;
        try {
            return std::make_unique<reader_type>(path);
        } catch (const error& e) {
            if (e.code() == errc::io && !std::filesystem::exists(path, code)) return nullptr;
            throw;
        }
    }

    std::filesystem::path directory_;
    options how_;
    std::mutex refreshing_;
    std::shared_ptr<Index> own_;
    detail::file_header type_;
    std::unique_ptr<reader_type> reader_;
    detail::log_record<id_type> record_;
    bool lost_ = false;
    std::atomic<std::uint64_t> sequence_{0};
    mutable std::mutex lock_;
    std::shared_ptr<const Index> index_;
};

VICINAL_NAMESPACE_END
