// SPDX-License-Identifier: MIT
// ivf_index: approximate search that scans the lists of rows closest to the query.
#pragma once

#include <algorithm>   // for min, max
#include <concepts>    // for same_as
#include <cstddef>     // for size_t
#include <cstdint>     // for uint64_t
#include <filesystem>  // for path
#include <memory>      // for unique_ptr
#include <span>        // for span
#include <vector>      // for vector

#include "vicinal/codecs.hpp"
#include "vicinal/core/rows_view.hpp"
#include "vicinal/core/vector_view.hpp"
#include "vicinal/index/common/calls.hpp"
#include "vicinal/index/common/max_distance.hpp"
#include "vicinal/index/common/neighbor_stream.hpp"
#include "vicinal/index/common/own_filters.hpp"
#include "vicinal/index/ivf/batch.hpp"
#include "vicinal/index/ivf/changes.hpp"
#include "vicinal/index/ivf/check.hpp"
#include "vicinal/index/ivf/files.hpp"
#include "vicinal/index/ivf/search.hpp"
#include "vicinal/index/ivf/state.hpp"
#include "vicinal/index/ivf/stream.hpp"
#include "vicinal/io/index_io.hpp"
#include "vicinal/metrics.hpp"

VICINAL_NAMESPACE_BEGIN

/// Approximate similarity search in an inverted file (Jegou, Douze, Schmid: "Product quantization for nearest neighbor
/// search", 2011): every row is in the list of its closest centroid, and a search scans only the lists whose centroids
/// are closest to the query. The centroids are learned by k-means. `.nprobe` trades recall for time; at lists() the
/// search is exact. An ivf_index is cheap to build, small, and fast for batches of queries.
///
/// Metric   l2, weighted_l2, inner_product, cosine, hamming, jaccard, or your own (concepts.hpp)
/// Codec    f32, f16, bf16, sq8, sq4, pq, rabitq<Bits>, bits, two_level<Coarse, Fine> (<pca8, f32>: exact), or your
///          own
/// Id       any integer type, or an enum class; ids are chosen by the caller, all values are valid
/// Isa      the instruction set, as a type; needed only in programs that hold kernels of several
///
/// Who comes first does not decide. A first row begins with one list. Lists are learned anew from all rows, and these
/// moved into them beside searches, when there are so many that a ninth of the lists is missing, or twice as many as
/// lists were learned from, until that was 128 rows a list; and later when rows no longer fit, as they lie farther from
/// the centroids than others did or crowd into few lists, at most whenever a sixteenth as many have come (of plain
/// rabitq, a thirty-second). So `.lists` that were asked for are there as soon as there are as many rows; left open,
/// their number follows that of the rows. All of it makes 20 000 adds one by one about four times as costly as
/// training and one batch (twelve times with plain rabitq), and up to twelve times (twenty-five) if rows are unlike
/// those before them; benchmarks/RESULTS.md has a table. An add that has lists learned takes as long as `train` does
/// of as many rows, and memory for the lists twice. `train` decides once and for all: lists then stay. After a load,
/// an index goes on with its lists, and counts from then on which rows no longer fit, so that it may learn them at
/// other calls than the index that was saved; only plain rabitq keeps those of the file.
///
/// Codecs that learn do so from the rows as they come: anew at each doubling until about 4096 rows are in, and on for
/// as long as rows keep changing, of which exact copies are kept meanwhile (at most 32 MiB; by plain rabitq, whose
/// codes are about centroids, until lists are learned); and later when rows leave what was learned. All rows are then
/// encoded again beside searches, so that an add costs O(dim) amortised for it, and one of them O(rows * dim). A few
/// wild rows change nothing for the others, and are clipped: `codec_report` counts that. After `train` or a load only
/// the latter goes on.
///
/// Threads: any number of threads may make const calls at once, while others add, update, upsert, remove, clear, merge,
/// train, reserve and shrink; of these, one runs at a time. Construction, assignment, move and destruction must not
/// overlap with any other call. A moved-from index may only be assigned to or destroyed. Filters and progress callables
/// may search the index on the thread they are called on; a call that would change it throws error{reentrant_call}.
///
/// Exceptions: a call that throws leaves the index as it was. Every refusal is a vicinal::error.
template <class Metric = l2, class Codec = f32, class Id = std::uint64_t, class Isa = simd::native_kernels>
class ivf_index : public detail::index_calls<ivf_index<Metric, Codec, Id, Isa>, Id> {
    using calls = detail::index_calls<ivf_index, Id>;
    friend calls;
    friend struct detail::index_access;
    static_assert(detail::check_arguments<Metric, Codec>());
    static_assert(metric<Metric>,
                  "vicinal: Metric must model vicinal::metric: a name, and either accumulate and finish, or "
                  "operator() on two spans (see vicinal/concepts.hpp)");
    static_assert(index_codec<Codec>,
                  "vicinal: Codec must model vicinal::codec: a name, construction from the dimension, "
                  "code_size, encode and decode (see vicinal/concepts.hpp)");
    static_assert(identifier<Id>,
                  "vicinal: Id must be an integer type other than bool and char, or an enum class of one");

  public:
    using id_type = Id;
    using neighbor_type = neighbor<Id>;
    using search_params = ivf_search_params<Id>;

    /// An empty index of vectors of `dim` components.
    /// throws  error{invalid_argument} unless 1 <= dim <= 2^20 and params.lists <= 2^20
    explicit ivf_index(std::size_t dim, const ivf_params& params = {})
        : state_(std::make_unique<state>(detail::checked_dim(dim), detail::checked_lists(params))) {
        detail::require_metric_fits(*state_);
    }
    /// The same for a metric with a state, which files keep: `ivf_index<weighted_l2> index(3, {}, weighted_l2{w})`.
    /// It is a template since clang 14 instantiates other members of a class that is instantiated explicitly.
    /// throws  as above; what the metric's check throws
    template <stateful_metric M = Metric>
    requires std::same_as<M, Metric> ivf_index(std::size_t dim, const ivf_params& params, M metric)
        : state_(detail::with_metric(std::make_unique<state>(detail::checked_dim(dim), detail::checked_lists(params)),
                                     std::move(metric))) {}
    template <stateful_metric M = Metric>
    requires std::same_as<M, Metric> ivf_index(std::size_t dim, M metric)
        : ivf_index(dim, ivf_params{}, std::move(metric)) {}
    /// Refuses what goes by mistake behind the dimension. Compilers show the line, with what is meant.
    template <class P, class... Q>
    ivf_index(std::size_t, const P&, const Q&...) = delete;  // vicinal: write ivf_index(dim, {.lists = 1024})

    /// Adds one vector of dim() components under `id`. O(lists() * dim).
    /// throws  error: dimension_mismatch, non_finite, magnitude, zero_norm, duplicate_id, capacity, read_only
    void add(Id id, vector_view vector) { detail::add_vector(*state_, id, vector); }
    /// Adds rows[i] under ids[i] for every i; the index learns from the rows first if it is time to, as it says above.
    /// All rows are checked before the first goes in. Returns how many were added: all of them, or a prefix of them if
    /// params.stop was triggered. O(rows * lists() * dim()).
    /// throws  as above; error{invalid_argument} if there are not as many ids as rows; what params.progress throws
    std::size_t add(std::span<const Id> ids, rows_view rows, const add_params& params = {}) {
        return detail::ivf::add(*state_, ids, rows, params);
    }
    /// Learns the centroids from sample rows, and trains the codec on them if it is one that learns; the index must be
    /// empty. The lists then stay as they are. At most 128 rows a list are looked at. params.progress counts iterations
    /// of k-means.
    /// throws  error{invalid_argument} if the index holds rows, there are no sample rows or fewer than lists were asked
    ///         for; error{cancelled}; as add refuses a row
    void train(rows_view rows, const add_params& params = {}) { detail::ivf::train(*state_, rows, params); }
    /// Replaces the vector of `id`, which may move it to another list. Costs as much as add.
    /// throws  error{not_found}, or as add
    void update(Id id, vector_view vector) { detail::update_vector(*state_, id, vector); }
    /// Removes `id`; returns whether it was there. Amortised O(dim): the last row of its list takes its place, and
    /// memory that rows no longer need goes back to the system.  throws  error{read_only}
    bool remove(Id id) { return detail::ivf::remove(*state_, id); }
    using calls::add;
    using calls::remove;
    using calls::upsert;
    /// Makes room for `rows` vectors in all, so that adds up to then allocate little for them and take as long each as
    /// any other. Each list gets as large a share of the room as it has of the vectors, which copies the list, and
    /// grows if more come to it; before training there are no lists to make larger. What is made is address space,
    /// which a system gives memory for as rows come; only the table from id to row takes 5 to 11 bytes a row at once.
    /// The room is kept when vectors are removed, until shrink_to_fit; results and files do not depend on it. More
    /// vectors than that can be added as ever. O(size() * dim()); searches go on beside it.
    /// throws  error{capacity} beyond 2^31 - 1 vectors or if the system has no memory for so many: the index is then as
    ///         before; error: read_only, reentrant_call
    void reserve(std::size_t rows) { detail::ivf::reserve(*state_, rows); }
    /// Gives back memory that neither the vectors there are nor a running call needs: what `reserve` made, what removed
    /// vectors left, room at the end of lists, and buffers kept for the next searches. Copies the lists one by one and
    /// the table from id to row, O(size() * dim()); searches go on beside it. Of a view or a loaded index that was not
    /// changed only the buffers, as it owns nothing else.
    /// throws  error{reentrant_call}
    void shrink_to_fit() { detail::ivf::shrink_to_fit(*state_); }

    /// Whether the index holds `id`. O(1); of a view, the first call that looks for an id takes O(size()).
    [[nodiscard]] bool contains(Id id) const { return detail::holds(*state_, id); }
    using calls::get;

    /// The k rows closest to `query` in the params.nprobe closest lists, closest first, ties by lower id. If nprobe is
    /// 0, further lists are scanned until k rows are found, or all that there are. O((lists() + rows in the scanned
    /// lists) * dim()). With a filter only admitted rows are scored, and lists are scanned until these are as many as
    /// without one and k were found, or all; where there are fewer than that, all of them are measured.
    /// throws  error: dimension_mismatch, non_finite, magnitude, zero_norm for the query, cancelled; what the filter
    ///         throws
    [[nodiscard]] std::vector<neighbor<Id>> search(vector_view query, std::size_t k,
                                                   const search_params& params = {}) const {
        std::vector<neighbor<Id>> hits((std::min)(k, size()));
        hits.resize(search(query, std::span(hits), params));
        return hits;
    }
    /// The same into the caller's memory, for k = out.size(): out[0] is the closest. Returns how many neighbours were
    /// written; the rest of `out` is unspecified. Memory that a search needs is kept for the next, so repeated searches
    /// allocate nothing.
    /// throws  as above; `out` is unspecified then
    std::size_t search(vector_view query, std::span<neighbor<Id>> out, const search_params& params = {}) const {
        detail::require_no_filter_of("search", params);
        detail::require_max_distance(params.max_distance);
        const std::size_t found = detail::ivf::search(*state_, query, out, params);
        return detail::count_within<Id>(out.first(found), params.max_distance);
    }
    /// A search for each row of `queries`, which has dim() columns. table[i] holds what a single search for row i would
    /// return, closest first. Costs as much as that many searches or, as each list meets all queries that want it,
    /// less; and queries.rows() * k neighbours of memory. params.threads share the work.
    /// throws  as search; error{capacity} if so many results cannot be; no query has a result then
    [[nodiscard]] search_table<Id> search(rows_view queries, std::size_t k, const search_params& params = {}) const {
        detail::require_max_distance(params.max_distance);
        return detail::keep_within(detail::ivf::search_batch(*state_, queries, (std::min)(k, size()), params),
                                   params.max_distance);
    }
    /// Every row at distance <= radius, closest first. All lists are scanned, whatever params.nprobe is, so the result
    /// is exact. Under l2 the radius is squared, as all distances are. O(size() * dim()).
    /// throws  as search, and error{invalid_argument} if radius is NaN
    [[nodiscard]] std::vector<neighbor<Id>> search_within(vector_view query, float radius,
                                                          const search_params& params = {}) const {
        detail::require_no_filter_of("search_within", params);
        detail::require_max_distance(params.max_distance);
        return detail::ivf::search_within(*state_, query, (std::min)(radius, params.max_distance), params);
    }
    /// All rows as an input range; lists are scanned as they are needed, the closest first. A row is returned when its
    /// own list and the next, params.nprobe in all, have been scanned: closest first among what is known by then, and
    /// exactly so if nprobe is lists(). Each step searches the index as it is at that time; all steps together cost
    /// O(size() * dim()). neighbor_stream says what of the parameters it keeps, and that the index must outlive the
    /// range.
    /// throws  as search; a step, error{cancelled}
    [[nodiscard]] neighbor_stream<Id> nearest(vector_view query, const search_params& params = {}) const {
        detail::require_no_filter_of("nearest", params);
        detail::require_max_distance(params.max_distance);
        return detail::ivf::nearest(*state_, query, params).within(params.max_distance);
    }
    using calls::search;

    /// How many vectors the index holds. Waits while a change is put in place, as every search does.
    [[nodiscard]] std::size_t size() const { return detail::live_rows(*state_); }
    [[nodiscard]] bool empty() const { return size() == 0; }
    /// How many components a vector has. Never waits.
    [[nodiscard]] std::size_t dim() const noexcept { return state_->dim; }
    /// How many lists there are; 0 before training.
    [[nodiscard]] std::size_t lists() const { return detail::ivf::list_count(*state_); }
    /// Bytes of memory owned, by purpose. Waits as size() does; searches that run meanwhile hold scratch memory that is
    /// not in the report.
    [[nodiscard]] memory_report memory() const { return detail::ivf::memory(*state_); }
    /// Foretells memory() of an index of `rows` vectors of `dim` components, of lists trained on all of them, before
    /// there is one: within 10 % of memory().total, searches' scratch apart, where lists are about as long as each
    /// other. O(dim).
    /// throws  error{invalid_argument} as the constructor, or if rows are more than an index numbers, 2^31 - 1
    [[nodiscard]] static memory_report estimate_memory(std::size_t rows, std::size_t dim,
                                                       const ivf_params& params = {}) {
        return detail::ivf::estimate_memory(state(detail::checked_dim(dim), params), rows);
    }
    /// What the index did so far. Takes a lock that no search holds for long. Searches that still run are not counted
    /// yet; the rows of a batch that failed and was taken back are never counted.
    [[nodiscard]] index_counters counters() const { return detail::read_counters(*state_); }
    /// What codecs learned and clipped. O(1).
    [[nodiscard]] vicinal::codec_report codec_report() const { return detail::report_codecs(*state_); }
    /// Looks for defects in the structure. O(rows).
    [[nodiscard]] check_report check() const { return detail::ivf::check(*state_); }

    /// An index of its own with the same rows and parameters, which learns on as this one does; of a view, one that can
    /// be changed. Changes wait as during a save, searches do not. Costs a save to memory and a load of it, and for the
    /// time of the call the memory of both.
    /// throws  error{corrupt_file} of a view whose contents are damaged
    [[nodiscard]] ivf_index clone() const { return ivf_index(detail::copy_state(*state_)); }

    /// Writes the index to `path` atomically: after a crash at any moment the path holds the old file or the new one,
    /// whole. Searches run beside a save and never wait for it. A change waits until the save is over, which takes as
    /// long as the disk does: a save to memory is over sooner. Several saves may run at once. A call of save from a
    /// filter or a progress callable of this index works.
    /// The new file keeps the old one's owner, group, access list and permissions where the process may set them, and
    /// is never open to anybody else. What killed saves to `path` left behind is removed (docs/reliability.md). A path
    /// that is no regular file is refused: open it as a stream.
    /// throws  error: io, cancelled, of a view corrupt_file if its contents are damaged; the old file and the index are
    ///         then as before
    void save(const std::filesystem::path& path, const save_options& options = {}) const {
        detail::with_writer(*state_, options.note, [&](const auto& out) { out.save(path, options); });
    }
    /// Writes the same bytes to a binary stream.
    /// throws  error: io, cancelled; the stream then holds a part of the bytes
    void save(std::ostream& stream, const save_options& options = {}) const {
        detail::with_writer(*state_, options.note, [&](const auto& out) { out.write(stream, options); });
    }
    /// Replaces `bytes` by the same bytes; if it throws, `bytes` is as before. Needs memory for both.
    /// throws  error{cancelled}; bad_alloc
    void save(std::vector<std::byte>& bytes, const save_options& options = {}) const {
        detail::with_writer(*state_, options.note, [&](const auto& out) { bytes = out.to_bytes(options); });
    }
    using calls::load;  // comparing the metric's state with one that is given
    using calls::view;
    /// Reads an index. Every byte is checked before it is used, so the file may come from a stranger. Takes time linear
    /// in the size of the file and at most twice the file and 1 MiB of memory (load_limits says more). A path may name
    /// a pipe, whose writer is waited for. A file or bytes must hold one index and nothing else. From a stream no byte
    /// behind the index is taken, so that what follows, such as another index, can be read next; it need not seek.
    /// throws  error: io, corrupt_file, unsupported_version, wrong_type (says what the file holds and what was asked
    ///         for), limit_exceeded, cancelled
    [[nodiscard]] static ivf_index load(const std::filesystem::path& path, const load_limits& limits = {}) {
        return ivf_index(detail::load_state<state>(detail::read_path(path, limits), limits));
    }
    [[nodiscard]] static ivf_index load(std::istream& stream, const load_limits& limits = {}) {
        return ivf_index(detail::load_state<state>(detail::read_stream(stream, limits), limits));
    }
    /// The same from bytes in memory, which are copied: they may go away after the call.
    [[nodiscard]] static ivf_index load(std::span<const std::byte> bytes, const load_limits& limits = {}) {
        return ivf_index(detail::load_state<state>(detail::read_span(bytes, limits), limits));
    }
    /// Maps the file and searches it in place. A view opens at once whatever the file's size, shares its memory with
    /// other processes, and refuses changes (errc::read_only). The structure is checked at once, the contents only by
    /// verify(). Nobody may write to the file or shorten it while it is viewed; replacing it by save, which renames,
    /// is safe. A path that is no regular file is refused.
    /// throws  as load
    [[nodiscard]] static ivf_index view(const std::filesystem::path& path, const load_limits& limits = {}) {
        return ivf_index(detail::view_state<state>(detail::map_path(path), limits));
    }
    /// The same of bytes in memory, where they are: an embedded resource, shared memory, the memory of a WebAssembly
    /// module. They begin at a multiple of 64, stay unchanged, and outlive the index.
    /// throws  as load; error{invalid_argument} if they begin elsewhere
    [[nodiscard]] static ivf_index view(std::span<const std::byte> bytes, const load_limits& limits = {}) {
        return ivf_index(detail::view_state<state>(detail::borrow_span(bytes, limits), limits));
    }
    static ivf_index view(std::vector<std::byte>&& bytes, const load_limits& limits = {}) = delete;  // would not last
    /// Compares the whole file of a view with its checksums, which takes as long as reading it does; does nothing for
    /// an index that is no view, as a load has checked it all. Searches go on beside it.
    /// throws  error{corrupt_file}
    void verify() const { detail::verify_view(*state_); }

    /// The note that was given to the save of the file this index comes from: `.note` of save_options. Empty if there
    /// was none. It stays as it is whatever changes, and goes with the index; of a view only verify() compares it with
    /// its checksum. clone() copies it.
    [[nodiscard]] std::span<const std::byte> note() const noexcept { return state_->note; }

  private:
    using state = detail::ivf::state<Metric, Codec, Id, Isa>;
    explicit ivf_index(std::unique_ptr<state> loaded) noexcept : state_(std::move(loaded)) {}
    std::unique_ptr<state> state_;
};

VICINAL_NAMESPACE_END
