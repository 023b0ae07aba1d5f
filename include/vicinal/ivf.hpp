// ivf_index: search in the lists of rows closest to the query.
#pragma once

#include <algorithm>   // for min, max
#include <cstddef>     // for size_t
#include <cstdint>     // for uint64_t
#include <filesystem>  // for path
#include <memory>      // for unique_ptr
#include <span>        // for span
#include <vector>      // for vector

#include "vicinal/codecs.hpp"
#include "vicinal/core/vector_view.hpp"
#include "vicinal/index/detail/ivf_state.hpp"
#include "vicinal/index/neighbor_stream.hpp"
#include "vicinal/io/index_io.hpp"
#include "vicinal/metrics.hpp"

VICINAL_NAMESPACE_BEGIN

/// Similarity search in an inverted file: rows lie in lists around learned centroids, and a search scans only the lists
/// whose centroids are closest to the query. `.nprobe` trades recall for time; at lists() the search is exact. Cheap to
/// build, small, and fast for batches.
///
/// Metric   l2, inner_product, cosine, or your own (concepts.hpp)
/// Codec    f32, f16, bf16, sq8, sq4, pq, rabitq<Bits>, two_level<Coarse, Fine> (two_level<pca8, f32>: exact), or your own
/// Id       any integer type; ids are chosen by the caller, all values are valid
/// Kernels  the instruction set, a type; leave it alone unless one program carries several
///
/// The lists are learned once, by train or from the first batch added, and stay as rows come and go.
///
/// Threads: any number of searches and other const calls run at once, beside any number of add, update and remove
/// calls, which take turns. Construction, assignment, move and destruction need the index for themselves. A moved-from
/// index may only be assigned to or destroyed. Filters and progress listeners may search it on their own
/// thread, not change it (errc::reentrant_call). Exceptions: every refused call leaves the index as it was.
template <class Metric = l2, class Codec = f32, class Id = std::uint64_t, class Kernels = simd::native_kernels>
class ivf_index {
    static_assert(metric<Metric>,
                  "vicinal: Metric must model vicinal::metric: a name, and either accumulate and finish, or "
                  "operator() on two spans (see vicinal/concepts.hpp)");
    static_assert(index_codec<Codec>,
                  "vicinal: Codec must model vicinal::codec: a name, construction from the dimension, "
                  "code_size, encode and decode (see vicinal/concepts.hpp)");
    static_assert(!detail::is_packed<Codec>,
                  "vicinal: packed<Fine> keeps codes with the links of a graph; only hnsw_index has links, use Fine itself");
    static_assert(identifier<Id>, "vicinal: Id must be an integer type other than bool and char");

  public:
    using id_type = Id;
    using neighbor_type = neighbor<Id>;
    using search_params = ivf_search_params<Id>;

    /// An empty index of vectors of `dim` components.
    /// throws  error{invalid_argument} unless 1 <= dim <= 2^20 and params.lists <= 2^20
    explicit ivf_index(std::size_t dim, const ivf_params& params = {})
        : state_(std::make_unique<state>(detail::checked_dim(dim), detail::checked_lists(params))) {}

    /// Adds one vector of dim() components under `id`. O(lists() * dim).
    /// throws  error: dimension_mismatch, non_finite, magnitude, zero_norm, not_trained (neither train nor a batch came
    ///         before), duplicate_id, capacity, read_only
    void add(Id id, vector_view vector) { state_->add(id, vector); }
    /// Adds rows[i] under ids[i] for all i; an untrained index learns from the rows first. All rows are checked before
    /// any goes in. Returns how many were added: all of them, or a prefix if params.stop was triggered. throws  as
    /// above but for not_trained, and error{invalid_argument} if there are not as many ids as rows, or fewer
    ///         rows to train on than lists were asked for; what params.progress throws
    std::size_t add(std::span<const Id> ids, matrix_view<const float> rows, const add_params& params = {}) {
        return state_->add(ids, rows, params);
    }
    /// Learns the lists, and the codec where it learns, from sample rows; only while the index is empty.
    /// params.progress counts iterations.
    /// throws  error{invalid_argument} if the index holds rows, there are no sample rows or fewer than lists were asked
    ///         for; error{cancelled}; or as add refuses a row
    void train(matrix_view<const float> rows, const add_params& params = {}) { state_->train(rows, params); }
    /// Replaces the vector of `id`, which may change lists.  throws  error{not_found}, or as add
    void update(Id id, vector_view vector) { state_->update(id, vector); }
    /// Removes `id`; returns whether it was there. O(1).  throws  error{read_only}
    bool remove(Id id) { return state_->remove(id); }

    /// Whether the index holds `id`. O(1).
    [[nodiscard]] bool contains(Id id) const { return state_->contains(id); }
    /// The vector of `id` as stored: rounded by the codec, of unit length under cosine.  throws  error{not_found}
    [[nodiscard]] std::vector<float> get(Id id) const { return state_->get(id); }

    /// The k rows closest to `query` in the params.nprobe closest lists, closest first, ties by lower id. If nprobe is
    /// 0, further lists are scanned while fewer than k were found: min(k, size()) of them, or those the filter admits.
    /// A filter by few ids has these scored, wherever they lie. throws  error: dimension_mismatch, non_finite,
    /// magnitude, zero_norm for the query, cancelled; what the filter throws
    [[nodiscard]] std::vector<neighbor<Id>> search(vector_view query, std::size_t k,
                                                   const search_params& params = {}) const {
        std::vector<neighbor<Id>> hits(std::min(k, size()));
        hits.resize(search(query, std::span(hits), params));
        return hits;
    }
    /// The same into the caller's memory: k is out.size(); returns how many were written. Allocates nothing once warm.
    std::size_t search(vector_view query, std::span<neighbor<Id>> out, const search_params& params = {}) const {
        return state_->search(query, out, params);
    }
    /// The same for each row of `queries`.
    [[nodiscard]] search_table<Id> search(matrix_view<const float> queries, std::size_t k,
                                          const search_params& params = {}) const {
        return state_->search(queries, std::min(k, size()), params);
    }
    /// Every row at distance <= radius, closest first; exact, params.nprobe does not matter. Under l2 the radius is
    /// squared, as all distances are.
    /// throws  as search, and error{invalid_argument} if radius is NaN
    [[nodiscard]] std::vector<neighbor<Id>> search_within(vector_view query, float radius,
                                                          const search_params& params = {}) const {
        return state_->search_within(query, radius, params);
    }
    /// All rows as an input range, scanning lists as they are needed. A row comes once params.nprobe lists from its own
    /// on were scanned: closest first as far as these lists know, and exactly so if they are all. Each step reads the
    /// index as it then is. params.stop and params.stats go on to be used, so the statistics must live as long as the
    /// range; the filter is asked about every row at once.
    [[nodiscard]] neighbor_stream<Id> nearest(vector_view query, const search_params& params = {}) const {
        return state_->nearest(query, params);
    }

    [[nodiscard]] std::size_t size() const { return state_->size(); }
    [[nodiscard]] bool empty() const { return size() == 0; }
    [[nodiscard]] std::size_t dim() const noexcept { return state_->dim; }
    /// How many lists were trained; 0 before.
    [[nodiscard]] std::size_t lists() const { return state_->list_count(); }
    /// Bytes of memory owned, by purpose.
    [[nodiscard]] memory_report memory() const { return state_->memory(); }
    /// What the index did so far. Costs a lock that no search holds for long; searches still running are not counted
    /// yet, nor is the rows of a batch that failed and was taken back.
    [[nodiscard]] index_counters counters() const { return state_->counters(); }
    /// Looks for defects in the structure. O(rows).
    [[nodiscard]] check_report check() const { return state_->check(); }

    /// Writes the index to `path`, atomically: at any crash the path holds the old file or the new one, whole. Searches
    /// go on meanwhile, changes wait. The new file keeps the old one's owner, group, access list and permissions where
    /// the process may give them, and is never open to anybody else; what killed saves to `path` left is removed
    /// (docs/reliability.md). Anything but a regular file is refused: open it as a stream.
    /// throws  error: io, cancelled; the old file and the index are then as before
    void save(const std::filesystem::path& path, const save_options& options = {}) const {
        detail::with_writer(*state_, [&](const auto& out) { out.save(path, options); });
    }
    /// Writes the same bytes to a binary stream.  throws  error{io}, cancelled: a part of them is in the stream then
    void save(std::ostream& stream, const save_options& options = {}) const {
        detail::with_writer(*state_, [&](const auto& out) { out.write(stream, options); });
    }
    /// Replaces `bytes` by the same bytes.
    void save(std::vector<std::byte>& bytes, const save_options& options = {}) const {
        detail::with_writer(*state_, [&](const auto& out) { bytes = out.to_bytes(options); });
    }
    /// Reads an index; every byte is checked before it is used, so the file may come from a stranger. A path may be a
    /// pipe's; its writer is waited for. Of a path or bytes the index must be all; of a stream no more is taken than the
    /// index, so that another one, or what the caller has put there, can be read next. The stream need not seek.
    /// throws  error: io, corrupt_file, unsupported_version, wrong_type (saying what the file holds and what was
    ///         asked), limit_exceeded
    [[nodiscard]] static ivf_index load(const std::filesystem::path& path, const load_limits& limits = {}) {
        return ivf_index(detail::load_state<state>(detail::read_path(path, limits), limits));
    }
    [[nodiscard]] static ivf_index load(std::istream& stream, const load_limits& limits = {}) {
        return ivf_index(detail::load_state<state>(detail::read_stream(stream, limits), limits));
    }
    [[nodiscard]] static ivf_index load(std::span<const std::byte> bytes, const load_limits& limits = {}) {
        return ivf_index(detail::load_state<state>(detail::read_span(bytes, limits), limits));
    }
    /// Maps the file and searches it in place: opens at once whatever its size, shares memory with other processes, and
    /// refuses changes (errc::read_only). Structure is checked at once, contents by verify(). The file must not be
    /// written to meanwhile; replacing it by save, which renames, is safe. Anything but a regular file is refused at
    /// once.  throws  as load
    [[nodiscard]] static ivf_index view(const std::filesystem::path& path, const load_limits& limits = {}) {
        return ivf_index(detail::view_state<state>(detail::map_path(path), limits));
    }
    /// Of a view: compares the whole file with its checksums. Else nothing.  throws  error{corrupt_file}
    void verify() const {
        if (state_->verify_file) state_->verify_file();
    }

  private:
    using state = detail::ivf_state<Metric, Codec, Id, Kernels>;
    explicit ivf_index(std::unique_ptr<state> loaded) noexcept : state_(std::move(loaded)) {}
    std::unique_ptr<state> state_;
};

VICINAL_NAMESPACE_END
