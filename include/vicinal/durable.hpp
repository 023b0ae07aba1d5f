// SPDX-License-Identifier: MIT
// durable keeps an index in a directory, so that no change that was acknowledged is lost when the process dies.
#pragma once

#include <concepts>     // for convertible_to
#include <cstddef>      // for size_t
#include <cstdint>      // for uint64_t
#include <filesystem>   // for path
#include <memory>       // for make_unique, unique_ptr
#include <span>         // for span
#include <type_traits>  // for invoke_result_t
#include <utility>      // for move

#include "vicinal/core/rows_view.hpp"
#include "vicinal/core/vector_view.hpp"
#include "vicinal/durable/follower.hpp"
#include "vicinal/durable/journal.hpp"
#include "vicinal/durable/options.hpp"

VICINAL_NAMESPACE_BEGIN

/// An index whose changes are on the disk before they are acknowledged.
///
///     using Index = vicinal::hnsw_index<vicinal::cosine>;
///     auto catalog = vicinal::durable<Index>::open("catalog", [] { return Index(384); });
///     catalog.add(17, vector);                      // once it returns, 17 survives a crash and a loss of power
///     catalog.index().search(query, 10);            // searches are those of the index
///
/// The directory holds snapshots, which are files of the index, and a log of the changes behind them (docs/format.md).
/// `open` loads the newest snapshot and makes the calls of the log again. A checkpoint makes a new snapshot and begins
/// a new log; one is made in the background when the log has grown (durable_options).
///
/// Each call is made in the index first, whose checks refuse what cannot be; a call that the index refuses is in
/// neither. Then it goes to the log, and the call returns when the policy is met (sync_policy). Searches see a change
/// from the moment it is in the index, which is before it is on the disk.
///
/// Should the disk refuse a write or a sync, the call throws error{io}: its change is in memory, but not durable. All
/// further changes are refused, as nobody knows what the disk has; searches go on. What had been acknowledged before
/// is there when the directory is opened again.
///
/// Threads: any number may make all calls at once, but open, close, move and destruction. Changes are made one at a
/// time, as by the index itself; waiting for the disk, which is what takes the time, they share (docs/durability.md).
///
/// Index  flat_index, ivf_index or hnsw_index, of any metric, codec and id
/// Calls  what is asked of the system: tests put another in its place
template <class Index, class Calls = detail::log_calls>
class durable {
  public:
    using index_type = Index;
    using id_type = typename Index::id_type;
    using options = durable_options<id_type>;
    using entry = log_entry<id_type>;

    /// Opens the directory, and makes it what it must be if there is nothing yet: make() returns the index to begin
    /// with, empty or filled, trained or not, which becomes the first snapshot. It is not called if the directory holds
    /// an index. Takes a load of the snapshot, and the time of the changes in the log.
    /// throws  error{io} if the directory is open already, naming the process if it is known, or the system refuses;
    ///         error{corrupt_file} naming file and offset if the log is damaged where it was on the disk before, or
    ///         parts of it are missing: what can be read is then for load of Index to take from the newest snapshot;
    ///         error{wrong_type} if it is another type of index; error: unsupported_version, cancelled; what make and
    ///         on_replay throw
    template <class Make>
    requires std::convertible_to<std::invoke_result_t<Make&>, Index>
    [[nodiscard]] static durable open(std::filesystem::path directory, Make&& make, options how = {}) {
        return durable(std::move(directory), function_ref<Index()>(make), std::move(how));
    }
    /// The same of a directory that must hold an index.
    /// throws  as above; error{io} if there is none
    [[nodiscard]] static durable open(std::filesystem::path directory, options how = {}) {
        return durable(std::move(directory), {}, std::move(how));
    }

    // ---- changes: each does what that of the index does, and returns what that returns

    /// throws  as add of the index; error{io} if the change is not durable; error{read_only} after close()
    void add(id_type id, vector_view vector, const write_params& how = {}) {
        change(detail::record_kind::add, id, vector, how, [&](Index& to) { return to.add(id, vector), 1; });
    }
    /// Adds rows[i] under ids[i]: all of them or none. One record holds the batch, whose vectors are in memory once
    /// more, as floats, until they are on the disk.
    /// throws  as above
    std::size_t add(std::span<const id_type> ids, rows_view rows, const write_params& how = {}) {
        return change(detail::record_kind::add_rows, ids, rows, how,
                      [&](Index& to) { return to.add(ids, rows, batch(how)); });
    }
    /// throws  as update of the index; error{io}, error{read_only} as above
    void update(id_type id, vector_view vector, const write_params& how = {}) {
        change(detail::record_kind::update, id, vector, how, [&](Index& to) { return to.update(id, vector), 1; });
    }
    bool upsert(id_type id, vector_view vector, const write_params& how = {}) {
        return change(detail::record_kind::upsert, id, vector, how,
                      [&](Index& to) { return to.upsert(id, vector) ? 1 : 0; }) != 0;
    }
    std::size_t upsert(std::span<const id_type> ids, rows_view rows, const write_params& how = {}) {
        return change(detail::record_kind::upsert_rows, ids, rows, how,
                      [&](Index& to) { return to.upsert(ids, rows, batch(how)); });
    }
    /// An id that is not there leaves nothing in the log.
    bool remove(id_type id, const write_params& how = {}) {
        const std::span<const id_type> ids(&id, 1);
        return change(detail::record_kind::remove, ids, {}, how, [&](Index& to) { return to.remove(id) ? 1 : 0; }) != 0;
    }
    std::size_t remove(std::span<const id_type> ids, const write_params& how = {}) {
        return change(detail::record_kind::remove_rows, ids, {}, how, [&](Index& to) { return to.remove(ids); });
    }
    void clear(const write_params& how = {}) {
        change(detail::record_kind::clear, std::span<const id_type>(), {}, how,
               [](Index& to) { return to.clear(), 0; });
    }

    // ---- reading

    /// The index, for every call that does not change it: searches, get, size, save to elsewhere. It lives as long as
    /// this object.
    [[nodiscard]] const Index& index() const noexcept VICINAL_LIFETIMEBOUND { return journal_->index(); }
    [[nodiscard]] const Index* operator->() const noexcept VICINAL_LIFETIMEBOUND { return &journal_->index(); }
    /// The sequence of the last change that was made: 1 of the first there ever was in the directory.
    [[nodiscard]] std::uint64_t last_sequence() const { return journal_->last_sequence(); }
    /// What open found.
    [[nodiscard]] const open_report& opened() const noexcept VICINAL_LIFETIMEBOUND { return journal_->report(); }
    [[nodiscard]] durable_stats stats() const { return journal_->stats(); }

    // ---- the disk

    /// Waits until all changes made so far are on the disk.
    /// throws  error{io} if they are not
    void sync() { journal_->sync(); }
    /// Makes a snapshot of the index as it is now, and removes the log that it makes superfluous. Returns false if
    /// nothing has changed since the last one. Changes wait for two or three fsyncs and for as long as a save to memory
    /// takes (durable_options), searches do not. A crash at any moment leaves the old snapshot with its log, or the new
    /// one.
    /// throws  error: io, reentrant_call, read_only; bad_alloc; what the note's callable throws. The log then goes on
    bool checkpoint() { return journal_->checkpoint(); }
    /// Makes all changes durable, ends the threads and lets others open the directory. Further changes throw
    /// error{read_only}, searches go on. The destructor does the same, and says nothing if it fails.
    /// throws  error{io} if changes are not durable; all is ended then, too
    void close() { journal_->close(); }

  private:
    durable(std::filesystem::path directory, function_ref<Index()> make, options how)
        : journal_(std::make_unique<detail::journal<Index, Calls>>(std::move(directory), make, std::move(how))) {
        journal_->start();
    }

    [[nodiscard]] static add_params batch(const write_params& how) {
        return {.threads = how.threads, .executor = how.executor, .progress = how.progress};
    }
    template <class Apply>
    std::size_t change(detail::record_kind kind, std::span<const id_type> ids, rows_view rows, const write_params& how,
                       const Apply& apply) {
        return journal_->change(kind, ids, rows, how.payload, apply);
    }
    template <class Apply>
    std::size_t change(detail::record_kind kind, const id_type& id, const vector_view& vector, const write_params& how,
                       const Apply& apply) {
        return change(kind, std::span<const id_type>(&id, 1), rows_view(vector), how, apply);
    }

    std::unique_ptr<detail::journal<Index, Calls>> journal_;
};

VICINAL_NAMESPACE_END
