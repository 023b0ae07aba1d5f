// SPDX-License-Identifier: MIT
// What a durable index is opened with, and what it reports.
#pragma once

#include <chrono>      // for milliseconds
#include <cstddef>     // for byte, size_t
#include <cstdint>     // for uint8_t, uint64_t
#include <filesystem>  // for path
#include <functional>  // for function
#include <span>        // for span
#include <string>      // for string
#include <vector>      // for vector

#include "vicinal/core/executor.hpp"
#include "vicinal/core/function_ref.hpp"
#include "vicinal/core/progress.hpp"
#include "vicinal/core/rows_view.hpp"
#include "vicinal/core/stop_token.hpp"
#include "vicinal/core/types.hpp"

VICINAL_NAMESPACE_BEGIN

/// When a change is on the disk. Whatever the policy, `sync()` waits until all changes made so far are.
enum class sync_policy : std::uint8_t {
    each_write,  ///< a change returns once it is on the disk; those that wait at the same time share one fsync
    interval,    ///< a change returns at once; every `interval` a thread writes and syncs what has come. A crash of the
                 ///< program or a loss of power loses the changes of that time and of the sync under way, no others
};

/// What an entry of a log did.
enum class change : std::uint8_t {
    snapshot,  ///< not a change: the index was loaded from a snapshot, whose note is the payload
    add,
    update,
    upsert,
    remove,
    clear,
};

/// One call that changed a durable index, as replay and followers tell of it. What it refers to lives until the
/// callable returns.
template <identifier Id = std::uint64_t>
struct log_entry {
    change kind = change::add;
    std::uint64_t sequence = 0;            ///< 1 of the first change there was, one more of each further one
    std::span<const Id> ids{};             ///< those that the call was given; of a snapshot and of clear none
    rows_view vectors{};                   ///< theirs, as the call was given them; of remove none
    std::span<const std::byte> payload{};  ///< what the call was given as `.payload`
};

/// How a durable index is opened. Every member is optional.
template <identifier Id = std::uint64_t>
struct durable_options {
    sync_policy sync = sync_policy::each_write;
    std::chrono::milliseconds interval{100};  ///< of sync_policy::interval

    /// A checkpoint is made in the background once the log has so many times the bytes of the newest snapshot, and
    /// `checkpoint_bytes` at least. 0: only by checkpoint().
    double checkpoint_ratio = 1.0;
    std::uint64_t checkpoint_bytes = std::uint64_t{64} << 20;
    /// Changes wait during a checkpoint while the index is copied to memory, which takes the bytes of a snapshot once
    /// more. False: they wait until it is on the disk, and no memory is taken. Searches never wait.
    bool checkpoint_in_memory = true;
    /// Calls reorder() of an hnsw_index before each checkpoint, which costs about a hundredth of what adding the rows
    /// did, while changes wait. Searches get faster, and an index that is opened again has, bit for bit, the graph that
    /// it had; without, that is so only if no row was removed or replaced before the snapshot was made.
    bool reorder_at_checkpoint = false;
    /// Called at each checkpoint, while no change is made, with the number of the last change in the snapshot. What it
    /// returns, at most 65512 bytes, travels in the snapshot and comes back as the payload of change::snapshot. It
    /// runs on the thread that makes the checkpoint, perhaps in the background; it may search the index, not change it.
    std::function<std::vector<std::byte>(std::uint64_t sequence)> note{};

    /// Told what open found: first the snapshot, then each change that is replayed, once it is made. Not used later.
    function_ref<void(const log_entry<Id>&)> on_replay{};
    std::size_t threads = 1;  ///< of the batches that are replayed; 0 = all of the machine's. The result is the same
    executor_ref executor{};  ///< your thread pool, for these
    stop_token stop{};        ///< when triggered, open throws error{cancelled}; the directory stays as it was
    progress_ref progress{};  ///< told how many bytes of the log are replayed
};

/// How one change is made. Every member is optional.
struct write_params {
    std::span<const std::byte> payload{};  ///< bytes of yours that travel in the log with the change, below 4 GiB
    std::size_t threads = 1;               ///< of a batch, as in add_params
    executor_ref executor{};               ///< of a batch, as in add_params
    progress_ref progress{};               ///< of a batch, as in add_params; it must not change the durable index
};

/// What open found in the directory.
struct open_report {
    bool created = false;                          ///< there was nothing: what `make` made is the first snapshot
    std::uint64_t snapshot_sequence = 0;           ///< the last change in the snapshot that was loaded
    std::uint64_t replayed = 0;                    ///< changes that the log added to it
    std::uint64_t torn_bytes = 0;                  ///< cut off the end of the log, where a crash had ended a write
    std::vector<std::filesystem::path> damaged{};  ///< newer snapshots that were passed over as damaged
    std::vector<std::string> damaged_because{};    ///< what was wrong with each
};

/// What a durable index has done since it was opened, and how it stands.
struct durable_stats {
    std::uint64_t last_sequence = 0;      ///< of the last change that was made
    std::uint64_t synced_sequence = 0;    ///< of the last one that is on the disk
    std::uint64_t snapshot_sequence = 0;  ///< of the last one in the newest snapshot
    std::uint64_t snapshot_bytes = 0;     ///< of that snapshot's file
    std::uint64_t log_bytes = 0;          ///< of the changes after it
    std::uint64_t syncs = 0;              ///< how often the log was synced
    std::uint64_t checkpoints = 0;        ///< made
    std::uint64_t checkpoint_failures = 0;
    std::string checkpoint_error{};  ///< why the last checkpoint failed; empty if it did not
    std::string failure{};           ///< why changes are refused; empty if they are not
};

VICINAL_NAMESPACE_END
