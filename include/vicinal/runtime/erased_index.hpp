// SPDX-License-Identifier: MIT
// One type of index behind the interface of all.
#pragma once

#include <cstddef>      // for byte, size_t
#include <filesystem>   // for path
#include <memory>       // for make_unique, unique_ptr
#include <optional>     // for optional
#include <ostream>      // for ostream
#include <span>         // for span
#include <string>       // for string, to_string
#include <string_view>  // for string_view
#include <utility>      // for move
#include <vector>       // for vector

#include "vicinal/index/common/calls.hpp"
#include "vicinal/io/index_io.hpp"
#include "vicinal/runtime/interface.hpp"

VICINAL_NAMESPACE_BEGIN

namespace detail {

/// What a list of types needs of an index beside its public calls. The indexes have it as a friend.
struct index_access {
    template <class Index>
    [[nodiscard]] static constexpr index_kind kind() noexcept {
        return static_cast<index_kind>(Index::state::kind);
    }
    /// The header of a file of such an index, without dimension and rows.
    template <class Index>
    [[nodiscard]] static file_header header() {
        return state_header<typename Index::state>(0);
    }
    template <class Index>
    [[nodiscard]] static Index load(file_bytes bytes, const load_limits& limits) {
        return Index(load_state<typename Index::state>(std::move(bytes), limits));
    }
    template <class Index>
    [[nodiscard]] static Index view(file_bytes bytes, const load_limits& limits) {
        return Index(view_state<typename Index::state>(std::move(bytes), limits));
    }
};

/// The name of a type as make_index takes it.
[[nodiscard]] inline std::string type_text(const file_header& header) {
    return to_string(header.kind) + "," + header.metric + "," + header.codec;
}

[[noreturn]] VICINAL_COLD inline void fail_foreign(std::string_view call, std::string_view option, std::uint64_t value,
                                                   index_kind kind) {
    fail(errc::invalid_argument, std::string(call) + ": ." + std::string(option) + " is " + std::to_string(value) +
                                     ", and " + (kind == index_kind::flat ? "a " : "an ") + to_string(kind) +
                                     " index has no such option");
}

/// An index made of those parameters that it has.
/// throws  error{invalid_argument} if there are others; as the constructor
template <class Index>
[[nodiscard]] Index construct_index(std::size_t dim, const any_params& params) {
    constexpr index_kind kind = index_access::kind<Index>();
    const auto refuse = [](std::string_view option, const auto& value) {
        if (value) fail_foreign("make_index", option, *value, kind);
    };
    if constexpr (kind != index_kind::ivf) refuse("lists", params.lists);
    if constexpr (kind == index_kind::flat) refuse("seed", params.seed);
    if constexpr (kind != index_kind::hnsw) {
        refuse("degree", params.degree);
        refuse("ef_construction", params.ef_construction);
    }
    if constexpr (kind == index_kind::hnsw) {
        hnsw_params made;
        made.degree = params.degree.value_or(made.degree);
        made.ef_construction = params.ef_construction.value_or(made.ef_construction);
        made.seed = params.seed.value_or(made.seed);
        return Index(dim, made);
    } else if constexpr (kind == index_kind::ivf) {
        ivf_params made;
        made.lists = params.lists.value_or(made.lists);
        made.seed = params.seed.value_or(made.seed);
        return Index(dim, made);
    } else {
        return Index(dim);
    }
}

/// An index of type Index, whose calls it passes on.
template <class Index>
class erased_index final : public index_interface<typename Index::id_type> {
    using Id = typename Index::id_type;
    using base = index_interface<Id>;
    using typename base::hits_type;
    using typename base::ids_type;
    using typename base::params_type;
    using typename base::pointer;
    static constexpr index_kind kind = index_access::kind<Index>();

  public:
    explicit erased_index(Index index) : index_(std::move(index)) {}

    const void* real(type_key key) const noexcept override { return key == key_of<Index>() ? &index_ : nullptr; }
    std::string type() const override { return type_text(index_access::header<Index>()); }
    any_params params() const override {
        any_params made;
        if constexpr (kind == index_kind::hnsw) {
            const hnsw_params& own = index_.params();
            made.degree = own.degree;
            made.ef_construction = own.ef_construction;
            made.seed = own.seed;
        }
        return made;
    }
    std::size_t lists() const override {
        if constexpr (kind == index_kind::ivf)
            return index_.lists();
        else
            return 0;
    }

    void add(Id id, vector_view vector) override { index_.add(id, vector); }
    std::size_t add(ids_type ids, rows_view rows, const add_params& params) override {
        return index_.add(ids, rows, params);
    }
    void train(rows_view rows, const add_params& params) override { index_.train(rows, params); }
    void update(Id id, vector_view vector) override { index_.update(id, vector); }
    bool upsert(Id id, vector_view vector) override { return index_.upsert(id, vector); }
    std::size_t upsert(ids_type ids, rows_view rows, const add_params& params) override {
        return index_.upsert(ids, rows, params);
    }
    bool remove(Id id) override { return index_.remove(id); }
    std::size_t remove(ids_type ids) override { return index_.remove(ids); }
    void clear() override { index_.clear(); }
    std::size_t merge(const base& other, const add_params& params) override {
        const void* const same = other.real(key_of<Index>());
        if (same == nullptr)
            fail(errc::wrong_type, "merge: the other index is " + other.type() + ", this one is " + type() +
                                       "; both must be of one type");
        return index_.merge(*static_cast<const Index*>(same), params);
    }
    void reorder(const reorder_params& params) override {
        if constexpr (kind == index_kind::hnsw)
            index_.reorder(params);
        else
            fail(errc::invalid_argument, "reorder: only an hnsw index has an order to make, this one is " + type());
    }
    void reserve(std::size_t rows) override { index_.reserve(rows); }
    void shrink_to_fit() override { index_.shrink_to_fit(); }

    bool contains(Id id) const override { return index_.contains(id); }
    std::vector<float> get(Id id) const override { return index_.get(id); }
    void get(Id id, std::span<float> out) const override { index_.get(id, out); }
    void get(ids_type ids, std::span<float> out) const override { index_.get(ids, out); }
    std::vector<Id> ids() const override { return index_.ids(); }
    std::size_t distances(vector_view query, ids_type ids, std::span<float> out) const override {
        return index_.distances(query, ids, out);
    }

    hits_type search(vector_view query, std::size_t k, const params_type& params) const override {
        return index_.search(query, k, own("search", params));
    }
    std::size_t search(vector_view query, std::span<neighbor<Id>> out, const params_type& params) const override {
        return index_.search(query, out, own("search", params));
    }
    search_table<Id> search(rows_view queries, std::size_t k, const params_type& params) const override {
        return index_.search(queries, k, own("search", params));
    }
    hits_type search_id(Id id, std::size_t k, const params_type& params) const override {
        return index_.search_id(id, k, own("search_id", params));
    }
    hits_type search_within(vector_view query, float radius, const params_type& params) const override {
        return index_.search_within(query, radius, own("search_within", params));
    }
    neighbor_stream<Id> nearest(vector_view query, const params_type& params) const override {
        return index_.nearest(query, own("nearest", params));
    }

    std::size_t size() const override { return index_.size(); }
    std::size_t dim() const noexcept override { return index_.dim(); }
    memory_report memory() const override { return index_.memory(); }
    index_counters counters() const override { return index_.counters(); }
    vicinal::codec_report codec_report() const override { return index_.codec_report(); }
    check_report check() const override { return index_.check(); }

    pointer clone() const override { return std::make_unique<erased_index>(index_.clone()); }
    void save(const std::filesystem::path& path, const save_options& options) const override {
        index_.save(path, options);
    }
    void save(std::ostream& stream, const save_options& options) const override { index_.save(stream, options); }
    void save(std::vector<std::byte>& bytes, const save_options& options) const override {
        index_.save(bytes, options);
    }
    void verify() const override { index_.verify(); }
    std::span<const std::byte> note() const noexcept override { return index_.note(); }

  private:
    /// The parameters of this index's own type.
    /// throws  error{invalid_argument} if they name an option that it does not have
    [[nodiscard]] static typename Index::search_params own(std::string_view call, const params_type& params) {
        typename Index::search_params made;
        if constexpr (kind == index_kind::hnsw)
            made.ef = params.ef;
        else if (params.ef != 0)
            fail_foreign(call, "ef", params.ef, kind);
        if constexpr (kind == index_kind::ivf)
            made.nprobe = params.nprobe;
        else if (params.nprobe != 0)
            fail_foreign(call, "nprobe", params.nprobe, kind);
        if constexpr (kind == index_kind::hnsw)
            made.filter_strategy = params.filter_strategy;
        else if (params.filter_strategy != filter_strategy::automatic)
            fail_foreign(call, "filter_strategy", static_cast<std::size_t>(params.filter_strategy), kind);
        made.rerank = params.rerank;
        made.filter = params.filter;
        made.filter_of = params.filter_of;
        made.stop = params.stop;
        made.deadline = params.deadline;
        made.stats = params.stats;
        made.threads = params.threads;
        made.executor = params.executor;
        return made;
    }

    Index index_;
};

}  // namespace detail

VICINAL_NAMESPACE_END
