// SPDX-License-Identifier: MIT
// Every public struct: how indexes are built, what calls take and return besides vectors.
#pragma once

#include <algorithm>  // for max
#include <cstddef>    // for ptrdiff_t, size_t
#include <cstdint>    // for uint64_t, uint8_t
#include <limits>     // for numeric_limits
#include <span>       // for span
#include <string>     // for to_string
#include <vector>     // for vector

#include "vicinal/core/executor.hpp"
#include "vicinal/core/progress.hpp"
#include "vicinal/core/stop_token.hpp"
#include "vicinal/core/time_limit.hpp"
#include "vicinal/core/types.hpp"
#include "vicinal/filter.hpp"

VICINAL_NAMESPACE_BEGIN

/// How an hnsw_index is built. Fixed at construction, kept in the file.
struct hnsw_params {
    std::size_t degree = 16;     ///< links per row and level, twice that on level 0 ("M" in the paper); 2 to 1024
    std::size_t build_beam = 0;  ///< the former name of ef_construction, which it replaces unless it is 0
    std::size_t ef_construction = 200;  ///< candidates considered per new row; at least degree is used
    std::uint64_t seed = 1;             ///< of the levels: same seed and same calls, same bytes
};

/// How an ivf_index divides its rows.
struct ivf_params {
    std::size_t lists = 0;   ///< how many lists there are once there are as many rows, at most 2^20; 0 = chosen by rows
    std::uint64_t seed = 1;  ///< of the random choices of training
};

/// What a search did; of a batch, what all its queries did.
struct search_stats {
    std::uint64_t distances = 0;  ///< rows scored, rerank included
    std::uint64_t hops = 0;       ///< graph nodes expanded (hnsw)
    std::uint64_t lists = 0;      ///< lists scanned (ivf)
    std::uint64_t reranks = 0;    ///< rows scored again by the fine codec (two_level)
    double seconds = 0;           ///< wall time of the call
    std::uint64_t partial = 0;    ///< queries that the deadline ended: what they found is the best so far

    // How queries with a filter were answered (hnsw; of flat and ivf, exact_scans): see filter_strategy.
    std::uint64_t plain_walks = 0;    ///< queries by a walk through all rows, of which it returns those admitted
    std::uint64_t two_hop_walks = 0;  ///< queries by a walk over admitted rows
    std::uint64_t exact_scans = 0;    ///< queries for which all admitted rows were listed and measured
    std::uint64_t turned_exact = 0;   ///< of these, queries that began with a walk

    search_stats& operator+=(const search_stats& more) noexcept {
        distances += more.distances;
        hops += more.hops;
        lists += more.lists;
        reranks += more.reranks;
        seconds += more.seconds;
        partial += more.partial;
        plain_walks += more.plain_walks;
        two_hop_walks += more.two_hop_walks;
        exact_scans += more.exact_scans;
        turned_exact += more.turned_exact;
        return *this;
    }
};

/// What an index did since it was constructed, loaded or viewed. Counters only grow, as monitoring systems expect.
struct index_counters {
    std::uint64_t searches = 0;   ///< queries, each of a batch, also those that were stopped or whose filter threw
    std::uint64_t distances = 0;  ///< rows scored by searches, rerank included
    std::uint64_t hops = 0;       ///< graph nodes expanded by searches (hnsw)
    std::uint64_t lists = 0;      ///< lists scanned by searches (ivf)
    std::uint64_t reranks = 0;    ///< rows scored again by the fine codec (two_level)
    std::uint64_t added = 0;      ///< vectors added
    std::uint64_t updated = 0;    ///< vectors replaced
    std::uint64_t removed = 0;    ///< vectors removed
};

// In these structs, numbers that exceed what there is (rows, lists, threads) mean all there is. A call uses what its
// parameters refer to until it returns, and not afterwards; a stream copies what it needs.

/// How `add` of a batch and `train` work. Every member is optional.
struct add_params {
    std::size_t threads = 1;  ///< how many threads work, at most one a row and thread_pool::max_threads; 0 = all of the
                              ///< machine's. The result does not depend on it
    executor_ref executor{};  ///< your thread pool, used instead of threads of vicinal's
    stop_token stop{};        ///< when triggered, add ends with a prefix of the rows added (with none while it still
                              ///< learns from them), and train throws error{cancelled} and changes nothing
    progress_ref progress{};  ///< told by add how many rows are in, by train how far it is. It may search the index;
                              ///< a call that would change the index throws error{reentrant_call}
};

/// How flat_index searches. Every member is optional.
template <identifier Id = std::uint64_t>
struct flat_search_params {
    std::size_t rerank = 0;  ///< two_level only: how many coarse results are scored again by the fine codec. 0:
                             ///< 4 k + 32; with a coarse rabitq, every row its bound cannot exclude. pca8
                             ///< ignores it
    id_filter<Id> filter{};  ///< which ids may be returned
    query_filters<Id>
        filter_of{};        ///< batch search: which ids each query may return, beside what `.filter` says of all:
                            ///< both must admit an id. A single search refuses it
    stop_token stop{};      ///< when triggered, the call throws error{cancelled}
    time_limit deadline{};  ///< when it has passed, the call returns the best it has found, perhaps fewer than k,
                            ///< and counts that in stats->partial: a time point, or a duration from now.
                            ///< nearest() ignores it
    search_stats* stats = nullptr;  ///< what the call did is added here before it returns
    std::size_t threads = 1;        ///< batch search: how many threads work; 0 = all of the machine's
    executor_ref executor{};        ///< batch search: your thread pool
};

/// How ivf_index searches. Every member is optional.
template <identifier Id = std::uint64_t>
struct ivf_search_params {
    std::size_t nprobe = 0;  ///< how many lists are scanned; 0 = 1/16 of them, at least 8
    std::size_t rerank = 0;  ///< as in flat_search_params
    id_filter<Id> filter{};  ///< which ids may be returned
    query_filters<Id>
        filter_of{};        ///< batch search: which ids each query may return, beside what `.filter` says of all:
                            ///< both must admit an id. A single search refuses it
    stop_token stop{};      ///< when triggered, the call throws error{cancelled}
    time_limit deadline{};  ///< when it has passed, the call returns the best it has found, perhaps fewer than k,
                            ///< and counts that in stats->partial: a time point, or a duration from now.
                            ///< nearest() ignores it
    search_stats* stats = nullptr;  ///< what the call did is added here before it returns
    std::size_t threads = 1;        ///< batch search: how many threads work; 0 = all of the machine's
    executor_ref executor{};        ///< batch search: your thread pool
};

/// How a search of an hnsw_index goes about a filter. Whatever is chosen, it finds min(k, admitted rows).
enum class filter_strategy : std::uint8_t {
    automatic,  ///< what costs least, as far as the rows near the query and a sample of all tell
    plain,      ///< a walk through all rows: cheap where most are admitted
    two_hop,    ///< a walk over admitted rows and their neighbours' neighbours
    exact,      ///< all admitted rows are measured: cheap where they are few
};

/// How hnsw_index searches. Every member is optional.
template <identifier Id = std::uint64_t>
struct hnsw_search_params {
    std::size_t ef = 0;      ///< width of the beam, at least k (with codes to walk by, 5/4 k): a wider one finds
                             ///< more and costs more; 0 = 64
    std::size_t rerank = 0;  ///< two_level only: how many of the beam are scored again, at least k; 0 = as many
                             ///< as could still be among the k closest, and where their order shows that the
                             ///< coarse codec cannot tell rows apart, the search is made again by the fine one
    id_filter<Id> filter{};  ///< which ids may be returned
    query_filters<Id>
        filter_of{};  ///< batch search: which ids each query may return, beside what `.filter` says of all:
                      ///< both must admit an id. A single search refuses it
    vicinal::filter_strategy filter_strategy{};  ///< how; it is chosen for each query unless you choose
    stop_token stop{};                           ///< when triggered, the call throws error{cancelled}
    time_limit deadline{};          ///< when it has passed, the call returns the best it has found, perhaps fewer than
                                    ///< k, and counts that in stats->partial: a time point, or a duration from now.
                                    ///< nearest() ignores it
    search_stats* stats = nullptr;  ///< what the call did is added here before it returns
    std::size_t threads = 1;        ///< batch search: how many threads work; 0 = all of the machine's
    executor_ref executor{};        ///< batch search: your thread pool
};

/// The results of a batch search: row i holds what query i found, closest first, at most k.
template <identifier Id = std::uint64_t>
class search_table {
  public:
    search_table() = default;
    /// throws  error{capacity} if that many results are more than an address space holds
    search_table(std::size_t queries, std::size_t k) : k_(k) {
        constexpr std::size_t most = (std::numeric_limits<std::ptrdiff_t>::max)() / sizeof(neighbor<Id>);
        if (queries > most / std::max<std::size_t>(k, 1))
            detail::fail(errc::capacity, "search: " + std::to_string(k) + " results for each of " +
                                             std::to_string(queries) + " queries are more than memory can hold");
        found_.resize(queries, 0);
        hits_.resize(queries * k);
    }

    [[nodiscard]] std::size_t size() const noexcept { return found_.size(); }
    [[nodiscard]] bool empty() const noexcept { return found_.empty(); }
    [[nodiscard]] std::span<const neighbor<Id>> operator[](std::size_t query) const noexcept {
        return {hits_.data() + query * k_, found_[query]};
    }

    /// For the index that fills the table: the memory for a query's hits, and how many it wrote for some queries.
    [[nodiscard]] std::span<neighbor<Id>> room(std::size_t query) noexcept { return {hits_.data() + query * k_, k_}; }
    [[nodiscard]] std::span<std::size_t> found(std::size_t query, std::size_t count) noexcept {
        return {found_.data() + query, count};
    }

  private:
    std::size_t k_ = 0;
    std::vector<std::size_t> found_;
    std::vector<neighbor<Id>> hits_;
};

/// Bytes of memory an index owns, by what for. Room for rows to come that nothing was written to yet does not count, as
/// a system gives no memory for it; memory in use counts in pages of 4 KiB, also where a system takes larger ones. So
/// `total` is what makes a process resident, and `reserved` what it asked the allocator for: as room doubles, up to
/// twice as much. `shrink_to_fit` gives back what rows that are gone have left.
struct memory_report {
    std::size_t vectors = 0;   ///< codes of the rows, and vectors kept to learn from
    std::size_t ids = 0;       ///< ids, the table from id to row, row states
    std::size_t links = 0;     ///< graph links (hnsw) or lists and centroids (ivf)
    std::size_t scratch = 0;   ///< buffers kept for the next searches
    std::size_t total = 0;     ///< all of the above
    std::size_t reserved = 0;  ///< the same with room for rows to come: bytes of address space
    std::size_t mapped = 0;    ///< of a view, the bytes of its file or of the caller's memory, which are in none of the
                               ///< above: the system has them in memory while it has room, and all views share them
};

/// What a codec learned, and what it had to clip.
struct learning_report {
    bool trained = false;                  ///< whether it can encode; always true of one that does not learn
    std::size_t learned_rows = 0;          ///< rows it learned from last; 0 of an index that was loaded or viewed
    std::size_t relearned = 0;             ///< how often it learned again, or widened, and all rows were encoded again
    std::uint64_t clipped_rows = 0;        ///< rows encoded so far with components outside what it learned
    std::uint64_t clipped_components = 0;  ///< and how many these were
};

/// The same of both halves of a two_level, and twice the same of a plain codec. Counts begin when the index is
/// constructed or loaded; while an index is small, learning again counts its rows anew.
struct codec_report {
    learning_report coarse;  ///< what searches travel by
    learning_report fine;    ///< what decides
};

/// What `check()` found. The first three members are plain counts; any other that is not 0 shows a defect of vicinal,
/// never a mistake of the caller.
struct check_report {
    std::size_t live = 0;         ///< rows that searches can return
    std::size_t retired = 0;      ///< removed rows whose slot is not free for reuse yet
    std::size_t links = 0;        ///< links (hnsw) or list entries (ivf) looked at
    std::size_t unreachable = 0;  ///< live rows that no search can reach
    std::size_t dangling = 0;     ///< links to rows that do not exist or whose slot is free
    std::size_t duplicate = 0;    ///< repeated links, self-links, rows in two lists, ids in two rows
    std::size_t misplaced = 0;    ///< rows that break an invariant of their level, list or tree
    [[nodiscard]] bool ok() const noexcept { return unreachable + dangling + duplicate + misplaced == 0; }
};

/// How `reorder` works.
struct reorder_params {
    stop_token stop{};        ///< when triggered, the call throws error{cancelled} and changes nothing
    progress_ref progress{};  ///< told how many of the bytes of rows and links are done. It may search the index; a
                              ///< call that would change the index throws error{reentrant_call}
};

/// How `save(path)` treats the disk.
struct save_options {
    /// Wait until file and directory entry are on the disk. Without it a crash of the program still leaves the old or
    /// the new file, a loss of power may leave neither.
    bool sync = true;
    stop_token stop{};        ///< when triggered, the call throws error{cancelled}; the old file is as it was
    progress_ref progress{};  ///< told how many bytes of all are written; it may search the index
    /// Bytes of yours that travel in the file, at most 65536: the position of a log, the version of a model. They are
    /// what note() returns of the index that is loaded. A save without them writes none, as an older note might be no
    /// longer true; only a view, which cannot change, then keeps that of its file.
    std::span<const std::byte> note{};
};

/// What a load accepts at most; anything larger is refused with errc::limit_exceeded before it is allocated. Whatever
/// the limits, a load allocates no more than twice the bytes it is given and 1 MiB, and 16 bytes for each dimension
/// where a codec has ranges (as sq8, i8) or rotates.
struct load_limits {
    std::uint64_t max_bytes = (std::numeric_limits<std::uint64_t>::max)();
    std::uint64_t max_rows = (std::numeric_limits<std::uint64_t>::max)();
    std::uint64_t max_dim = (std::numeric_limits<std::uint64_t>::max)();
    stop_token stop{};        ///< when triggered, the load throws error{cancelled}
    progress_ref progress{};  ///< told how many bytes of all are read; checking them takes about as long again
};

VICINAL_NAMESPACE_END
