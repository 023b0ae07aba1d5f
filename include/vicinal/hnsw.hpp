// SPDX-License-Identifier: MIT
// hnsw_index: approximate search that walks a graph of near neighbours.
#pragma once

#include <algorithm>    // for min, max
#include <concepts>     // for same_as
#include <cstddef>      // for size_t
#include <cstdint>      // for uint64_t
#include <filesystem>   // for path
#include <memory>       // for unique_ptr
#include <span>         // for span
#include <type_traits>  // for conditional_t
#include <vector>       // for vector

#include "vicinal/codecs.hpp"
#include "vicinal/core/rows_view.hpp"
#include "vicinal/core/vector_view.hpp"
#include "vicinal/index/common/calls.hpp"
#include "vicinal/index/common/max_distance.hpp"
#include "vicinal/index/common/neighbor_stream.hpp"
#include "vicinal/index/common/observers.hpp"
#include "vicinal/index/common/own_filters.hpp"
#include "vicinal/index/hnsw/batch.hpp"
#include "vicinal/index/hnsw/changes.hpp"
#include "vicinal/index/hnsw/check.hpp"
#include "vicinal/index/hnsw/files.hpp"
#include "vicinal/index/hnsw/search.hpp"
#include "vicinal/index/hnsw/state.hpp"
#include "vicinal/index/hnsw/stream.hpp"
#include "vicinal/io/index_io.hpp"
#include "vicinal/metrics.hpp"

VICINAL_NAMESPACE_BEGIN

namespace detail {

/// Says whether 8-bit codes find what vectors find, and sooner. Those of products of rows as long as they come do not:
/// of a row much longer than all others, the closest to half of all queries, codes cut off what makes it so.
template <class Metric>
[[nodiscard]] constexpr bool is_walked_by_codes() noexcept {
    if constexpr (formed_metric<Metric>)
        return Metric::form == sum_form::squared_difference || preparing_metric<Metric>;
    else
        return false;
}

}  // namespace detail

/// What an hnsw_index keeps of a vector unless it is told. For l2 and cosine, and metrics of your own of a `form` that
/// is a squared difference or that have `prepare`: the vector itself, which decides, and an 8-bit code, by which
/// searches find candidates about twice as fast, for dim() bytes more a row. For hamming and jaccard, one bit a
/// component. For all others, the vector alone.
template <class Metric>
using default_codec =
    std::conditional_t<counting_metric<Metric>, bits,
                       std::conditional_t<detail::is_walked_by_codes<Metric>(), two_level<sq8, f32>, f32>>;

/// Approximate similarity search on a hierarchical navigable small-world graph (Malkov, Yashunin: "Efficient and robust
/// approximate nearest neighbor search using HNSW graphs", 2018). A search measures O(ef * degree) distances, nearly
/// independent of the number of rows. `.ef` trades time for recall, search by search.
///
/// Metric   l2, weighted_l2, inner_product, cosine, hamming, jaccard, or your own (concepts.hpp)
/// Codec    f32, f16, bf16, sq8, sq4, bits, two_level<Coarse, Fine>, or your own. By the default, distances are exact
///          and `get` returns vectors to the bit, as by f32, which takes dim() bytes a row less and searches longer
/// Id       any integer type, or an enum class; ids are chosen by the caller, all values are valid
/// Isa      the instruction set, as a type; needed only in programs that hold kernels of several
///
/// Codecs that learn do so from the rows as they come: anew at each doubling until about 4096 rows are in, and on for
/// as long as rows keep changing, of which exact copies are kept meanwhile (at most 32 MiB); later when rows leave what
/// was learned. All rows are then encoded again beside searches, so that an add costs O(dim) amortised for it, and one
/// of them O(rows * dim). A few wild rows change nothing for the others, and are clipped: `codec_report` counts that.
/// After `train` or a load only the latter goes on.
///
/// Threads: any number of threads may make const calls at once, while others add, update, upsert, remove, clear, merge,
/// train, reorder, reserve and shrink; of these, one runs at a time. Construction, assignment, move and destruction
/// must not overlap with any other call. A moved-from index may only be assigned to or destroyed. Filters and progress
/// callables may search the index on the thread they are called on; a call that would change it throws
/// error{reentrant_call}.
///
/// Exceptions: a call that throws leaves the index as it was. Every refusal is a vicinal::error.
template <class Metric = l2, class Codec = default_codec<Metric>, class Id = std::uint64_t,
          class Isa = simd::native_kernels>
class hnsw_index : public detail::index_calls<hnsw_index<Metric, Codec, Id, Isa>, Id> {
    using calls = detail::index_calls<hnsw_index, Id>;
    friend calls;
    friend struct detail::index_access;
    static_assert(detail::check_arguments<Metric, Codec>());
    static_assert(metric<Metric>,
                  "vicinal: Metric must model vicinal::metric: a name, and either accumulate and finish, or "
                  "operator() on two spans (see vicinal/concepts.hpp)");
    static_assert(index_codec<Codec>,
                  "vicinal: Codec must model vicinal::codec: a name, construction from the dimension, "
                  "code_size, encode and decode (see vicinal/concepts.hpp)");
    static_assert(!detail::bounds_coarse<Codec>,
                  "vicinal: pca8 passes over rows of scans; a graph meets rows one by one, use sq8 there");
    static_assert(identifier<Id>,
                  "vicinal: Id must be an integer type other than bool and char, or an enum class of one");

  public:
    using id_type = Id;
    using neighbor_type = neighbor<Id>;
    using search_params = hnsw_search_params<Id>;

    /// An empty index of vectors of `dim` components.
    /// throws  error{invalid_argument} unless 1 <= dim <= 2^20 and params are in their ranges
    explicit hnsw_index(std::size_t dim, const hnsw_params& params = {})
        : state_(std::make_unique<state>(detail::checked_dim(dim), params)) {
        detail::require_metric_fits(*state_);
    }
    /// The same for a metric with a state, which files keep: `hnsw_index<weighted_l2> index(3, {}, weighted_l2{w})`.
    /// It is a template since clang 14 instantiates other members of a class that is instantiated explicitly.
    /// throws  as above; what the metric's check throws
    template <stateful_metric M = Metric>
    requires std::same_as<M, Metric> hnsw_index(std::size_t dim, const hnsw_params& params, M metric)
        : state_(detail::with_metric(std::make_unique<state>(detail::checked_dim(dim), params), std::move(metric))) {}
    template <stateful_metric M = Metric>
    requires std::same_as<M, Metric> hnsw_index(std::size_t dim, M metric)
        : hnsw_index(dim, hnsw_params{}, std::move(metric)) {}
    /// Refuses what goes by mistake behind the dimension. Compilers show the line, with what is meant.
    template <class P, class... Q>
    hnsw_index(std::size_t, const P&, const Q&...) = delete;  // vicinal: write hnsw_index(dim, {.degree = 16})

    /// Adds one vector of dim() components under `id`. Costs about twice a search with ef = ef_construction: one to
    /// find candidates, and as much again to choose links among them.
    /// throws  error: dimension_mismatch, non_finite, magnitude, zero_norm, duplicate_id, capacity, read_only
    void add(Id id, vector_view vector) { detail::add_vector(*state_, id, vector); }
    /// Adds rows[i] under ids[i] for every i; an untrained codec learns from the rows first. All rows are checked
    /// before the first goes in. Returns how many were added: all of them, or a prefix of them if params.stop was
    /// triggered. Costs as much as that many single adds, or less where candidates are found by 8-bit copies of the
    /// batch's rows, dim() bytes a row while the call runs. The resulting index is the same for every number of
    /// threads.
    /// throws  as above; error{invalid_argument} if there are not as many ids as rows; what params.progress throws
    std::size_t add(std::span<const Id> ids, rows_view rows, const add_params& params = {}) {
        return detail::hnsw::add(*state_, ids, rows, params);
    }
    /// Trains the codec on sample rows, if it is one that learns; the index must be empty. A codec looks at a
    /// bounded number of rows; its header says at how many, and what that costs.
    /// throws  error{invalid_argument} if the index holds rows or there are no sample rows; as add refuses a row
    void train(rows_view rows, const add_params& params = {}) { detail::hnsw::train(*state_, rows, params); }
    /// Replaces the vector of `id`. Costs as much as an add and a remove.
    /// throws  error{not_found}, or as add
    void update(Id id, vector_view vector) { detail::update_vector(*state_, id, vector); }
    /// Removes `id` and returns whether it was there. Every other row stays reachable. Each removal repairs the links
    /// of 32 rows, and the slot is reusable after about size() / 32 further removals. Costs less than an add.
    /// throws  error{read_only}
    bool remove(Id id) { return detail::hnsw::remove(*state_, id); }
    using calls::add;
    using calls::remove;
    using calls::upsert;
    /// Puts the rows into an order in which near neighbours lie side by side in memory, for searches after a large
    /// build: on an index larger than the caches they take 2 to 18 % less time, most where memory comes in small pages,
    /// as that of a view of the saved file. Only places change: a search meets the same rows and returns the same
    /// results, up to which rows at one and the same distance it follows first. Rows that come later go to the end, or
    /// to places of removed rows; gaps that those left are closed. The order depends on the links alone. O(size() *
    /// (dim() + degree)) on one thread, about a hundredth of the time that adding the rows took; until it is over, rows
    /// and links are in memory twice. Searches go on beside it, a stream of nearest() walks anew to where it was.
    /// throws  error: read_only, cancelled; what params.progress throws; the index is then as before
    void reorder(const reorder_params& params = {}) { detail::hnsw::reorder(*state_, params); }
    /// Makes room for `rows` vectors in all and their links, so that adds up to then allocate nothing for them. What is
    /// made is address space, which a system gives memory for as rows come; only the tables from id and from codes to
    /// row take 10 to 22 bytes a row at once. The room is kept when vectors are removed, until shrink_to_fit; results
    /// and files do not depend on it. More vectors than that can be added as ever. O(rows), some nanoseconds each;
    /// searches go on beside it.
    /// throws  error{capacity} beyond 2^31 - 1 vectors or if the system has no memory for so many: the index is then as
    ///         before; error: read_only, reentrant_call
    void reserve(std::size_t rows) { detail::hnsw::reserve(*state_, rows); }
    /// Gives back memory that neither the vectors there are nor a running call needs: what `reserve` made, what removed
    /// vectors left behind the last row in use, and buffers kept for the next searches. First repairs all links that
    /// lead to removed vectors, O(size() * degree * dim()) if there are any, as further removals would. Gaps between
    /// rows in use stay for vectors to come, unless `reorder` closes them before. Searches go on beside it. Of a view
    /// or a loaded index that was not changed only the buffers, as it owns nothing else.
    /// throws  error{reentrant_call}; bad_alloc, when repairs were made in part: the vectors are as before
    void shrink_to_fit() { detail::hnsw::shrink_to_fit(*state_); }

    /// Whether the index holds `id`. O(1); of a view, the first call that looks for an id takes O(size()).
    [[nodiscard]] bool contains(Id id) const { return detail::holds(*state_, id); }
    using calls::get;

    /// The k rows closest to `query` among those that a beam of width max(params.ef, k) meets, closest first, ties by
    /// lower id: min(k, size()) of them, fewer only if the filter admits fewer. O(ef * degree * dim()),
    /// nearly independent of size(). With a filter the search walks, or measures every row that is admitted where that
    /// costs less: it takes at most about 1.5 times as long as asking the filter about all rows and measuring those it
    /// admits (docs/filters.md); of a set, which is not asked about other rows, as looking up its ids.
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
        const std::size_t found = detail::hnsw::search(*state_, query, out, params);
        return detail::count_within<Id>(out.first(found), params.max_distance);
    }
    /// A search for each row of `queries`, which has dim() columns. table[i] holds what a single search for row i would
    /// return, closest first. params.threads share the work, and each searches for a few queries in turns, which hides
    /// the latency of memory. Takes queries.rows() * k neighbours of memory.
    /// throws  as search; error{capacity} if so many results cannot be; no query has a result then
    [[nodiscard]] search_table<Id> search(rows_view queries, std::size_t k, const search_params& params = {}) const {
        detail::require_max_distance(params.max_distance);
        return detail::keep_within(detail::hnsw::search(*state_, queries, (std::min)(k, size()), params),
                                   params.max_distance);
    }
    /// Rows at distance <= radius, closest first: those that a beam of width params.ef finds, and those that links lead
    /// to from these through rows within the radius. Under l2 the radius is squared, as all distances are. Costs a
    /// search and O(degree * dim()) for each row found.
    /// throws  as search, and error{invalid_argument} if radius is NaN
    [[nodiscard]] std::vector<neighbor<Id>> search_within(vector_view query, float radius,
                                                          const search_params& params = {}) const {
        detail::require_no_filter_of("search_within", params);
        detail::require_max_distance(params.max_distance);
        return detail::hnsw::search_within(*state_, query, (std::min)(radius, params.max_distance), params);
    }
    /// All rows as an input range; the graph is walked as they are asked for. They come closest first as far as a
    /// window of params.ef rows ahead knows, so a row that the walk meets late comes late.
    /// A step costs about O(degree * dim()); with a filter, the call asks it about every row first, O(size()).
    /// neighbor_stream says what of the parameters it keeps, and that the index must outlive the range.
    /// throws  as search; a step, error{cancelled}
    [[nodiscard]] neighbor_stream<Id> nearest(vector_view query, const search_params& params = {}) const {
        detail::require_no_filter_of("nearest", params);
        detail::require_max_distance(params.max_distance);
        return detail::hnsw::nearest(*state_, query, params).within(params.max_distance);
    }
    using calls::search;

    /// How many vectors the index holds. Waits while a change is put in place, as every search does.
    [[nodiscard]] std::size_t size() const { return detail::live_rows(*state_); }
    [[nodiscard]] bool empty() const { return size() == 0; }
    /// How many components a vector has. Never waits.
    [[nodiscard]] std::size_t dim() const noexcept { return state_->dim; }
    [[nodiscard]] const hnsw_params& params() const noexcept { return state_->params; }
    /// Bytes of memory owned, by purpose. Waits as size() does; searches that run meanwhile hold scratch memory that is
    /// not in the report.
    [[nodiscard]] memory_report memory() const { return detail::hnsw::memory(*state_); }
    /// Foretells memory() of an index of `rows` vectors of `dim` components, no two of them alike, before there is one:
    /// within 2 % of memory().total, searches' scratch apart, from some thousands of rows on. O(dim).
    /// throws  error{invalid_argument} as the constructor, or if rows are more than an index numbers, 2^31 - 1
    [[nodiscard]] static memory_report estimate_memory(std::size_t rows, std::size_t dim,
                                                       const hnsw_params& params = {}) {
        return detail::hnsw::estimate_memory(state(detail::checked_dim(dim), params), rows);
    }
    /// What the index did so far. Takes a lock that no search holds for long. Searches that still run are not counted
    /// yet; the rows of a batch that failed and was taken back are never counted.
    [[nodiscard]] index_counters counters() const { return detail::read_counters(*state_); }
    /// What codecs learned and clipped. O(1).
    [[nodiscard]] vicinal::codec_report codec_report() const { return detail::report_codecs(*state_); }
    /// Looks for defects in the graph, such as rows that cannot be reached. O(size() * degree).
    [[nodiscard]] check_report check() const { return detail::hnsw::check(*state_); }

    /// An index of its own with the same rows and parameters, which learns on as this one does; of a view, one that can
    /// be changed. Changes wait as during a save, searches do not. Costs a save to memory and a load of it, and for the
    /// time of the call the memory of both.
    /// throws  error{corrupt_file} of a view whose contents are damaged
    [[nodiscard]] hnsw_index clone() const { return hnsw_index(detail::copy_state(*state_)); }

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
    [[nodiscard]] static hnsw_index load(const std::filesystem::path& path, const load_limits& limits = {}) {
        return hnsw_index(detail::load_state<state>(detail::read_path(path, limits), limits));
    }
    [[nodiscard]] static hnsw_index load(std::istream& stream, const load_limits& limits = {}) {
        return hnsw_index(detail::load_state<state>(detail::read_stream(stream, limits), limits));
    }
    /// The same from bytes in memory, which are copied: they may go away after the call.
    [[nodiscard]] static hnsw_index load(std::span<const std::byte> bytes, const load_limits& limits = {}) {
        return hnsw_index(detail::load_state<state>(detail::read_span(bytes, limits), limits));
    }
    /// Maps the file and searches it in place. A view opens at once whatever the file's size, shares its memory with
    /// other processes, and refuses changes (errc::read_only). The structure is checked at once, the contents only by
    /// verify(). Nobody may write to the file or shorten it while it is viewed; replacing it by save, which renames,
    /// is safe. A path that is no regular file is refused.
    /// throws  as load
    [[nodiscard]] static hnsw_index view(const std::filesystem::path& path, const load_limits& limits = {}) {
        return hnsw_index(detail::view_state<state>(detail::map_path(path), limits));
    }
    /// The same of bytes in memory, where they are: an embedded resource, shared memory, the memory of a WebAssembly
    /// module. They begin at a multiple of 64, stay unchanged, and outlive the index.
    /// throws  as load; error{invalid_argument} if they begin elsewhere
    [[nodiscard]] static hnsw_index view(std::span<const std::byte> bytes, const load_limits& limits = {}) {
        return hnsw_index(detail::view_state<state>(detail::borrow_span(bytes, limits), limits));
    }
    static hnsw_index view(std::vector<std::byte>&& bytes, const load_limits& limits = {}) = delete;  // would not last
    /// Compares the whole file of a view with its checksums, which takes as long as reading it does; does nothing for
    /// an index that is no view, as a load has checked it all. Searches go on beside it.
    /// throws  error{corrupt_file}
    void verify() const { detail::verify_view(*state_); }

    /// The note that was given to the save of the file this index comes from: `.note` of save_options. Empty if there
    /// was none. It stays as it is whatever changes, and goes with the index; of a view only verify() compares it with
    /// its checksum. clone() copies it.
    [[nodiscard]] std::span<const std::byte> note() const noexcept { return state_->note; }

  private:
    using state = detail::hnsw::state<Metric, Codec, Id, Isa>;
    explicit hnsw_index(std::unique_ptr<state> loaded) noexcept : state_(std::move(loaded)) {}
    std::unique_ptr<state> state_;
};

VICINAL_NAMESPACE_END
