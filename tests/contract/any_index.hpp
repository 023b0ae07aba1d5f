// SPDX-License-Identifier: MIT
// Every index type the contract is run over, as the library's any_index: a type is compiled once, in a file of its own
// group (contract/subject.hpp), and every promise is compiled once for all of them, without their headers.
#pragma once

#include <algorithm>
#include <cmath>
#include <filesystem>
#include <iosfwd>
#include <memory>
#include <string>
#include <vector>

#include "support/catch.hpp"
#include "support/data.hpp"
#include "support/reference.hpp"
#include "vicinal/any_index.hpp"

namespace vicinal_test {

using bytes_t = std::vector<std::byte>;

/// How a search is made, in words that all indexes share.
struct asking {
    bool everything = false;  ///< look everywhere: nprobe = lists, ef = rows, rerank = rows. False: the defaults
    std::size_t rerank = 0;   ///< where `everything` is false
    vicinal::id_filter<std::uint64_t> filter{};
    vicinal::stop_token stop{};
    vicinal::time_limit deadline{};
    vicinal::search_stats* stats = nullptr;
    std::size_t threads = 1;
};
/// What makes every index exact.
inline constexpr bool everywhere = true;

/// The whole numbers that a codec holds; from 0 to 0 if it holds others, too.
struct whole_numbers {
    float least = 0;
    float most = 0;
};

/// Rows as an index is given them: as they are, but for i8 and u8 the next whole numbers that these hold, and no zero
/// vectors where there were none. Rows that tests have refused, of very small or very large numbers, stay.
class given_rows {
  public:
    given_rows(matrix_view<const float> rows, whole_numbers whole) : view_(rows) {
        if (whole.most > 0) {
            for (std::size_t r = 0; r < rows.rows(); ++r) {
                values_.insert(values_.end(), rows[r].begin(), rows[r].end());
                round(std::span(values_).last(rows.dim()), whole);
            }
            if (!values_.empty()) view_ = {values_.data(), rows.rows(), rows.dim()};
        }
    }
    given_rows(std::span<const float> row, whole_numbers whole)
        : given_rows(matrix_view(row.data(), 1, row.size()), whole) {}
    [[nodiscard]] matrix_view<const float> rows() const { return view_; }
    [[nodiscard]] std::span<const float> row() const { return view_[0]; }

  private:
    static void round(std::span<float> row, whole_numbers whole) {
        const auto of_size = [&](auto holds) { return std::any_of(row.begin(), row.end(), holds); };
        if (!of_size([](float x) { return std::abs(x) > 1e-3F; })) return;
        if (of_size([](float x) { return !(std::abs(x) < 1e6F); })) return;
        for (float& x : row) x = std::clamp(std::round(x), whole.least, whole.most);
        if (!of_size([](float x) { return x != 0; })) row[0] = 1;
    }
    std::vector<float> values_;
    matrix_view<const float> view_;
};

/// An index of any kind, metric and codec whose ids are std::uint64_t: the library's own any_index, asked in the words
/// above.
class any_index {
  public:
    explicit any_index(vicinal::any_index index, whole_numbers whole = {})
        : index_(std::move(index)), kind_(index_.type().substr(0, 4)), whole_(whole) {}

    std::size_t size() const { return index_.size(); }
    bool empty() const { return index_.empty(); }
    std::size_t dim() const { return index_.dim(); }
    void add(std::uint64_t id, std::span<const float> vector) { index_.add(id, given_rows(vector, whole_).row()); }
    std::size_t add(std::span<const std::uint64_t> ids, matrix_view<const float> rows,
                    const vicinal::add_params& how = {}) {
        return index_.add(ids, given_rows(rows, whole_).rows(), how);
    }
    void train(matrix_view<const float> rows, const vicinal::add_params& how = {}) {
        index_.train(given_rows(rows, whole_).rows(), how);
    }
    void update(std::uint64_t id, std::span<const float> vector) {
        index_.update(id, given_rows(vector, whole_).row());
    }
    bool upsert(std::uint64_t id, std::span<const float> vector) {
        return index_.upsert(id, given_rows(vector, whole_).row());
    }
    std::size_t upsert(std::span<const std::uint64_t> ids, matrix_view<const float> rows,
                       const vicinal::add_params& how = {}) {
        return index_.upsert(ids, given_rows(rows, whole_).rows(), how);
    }
    bool remove(std::uint64_t id) { return index_.remove(id); }
    std::size_t remove(std::span<const std::uint64_t> ids) { return index_.remove(ids); }
    void clear() { index_.clear(); }
    std::size_t merge(const any_index& other, const vicinal::add_params& how = {}) {
        return index_.merge(other.index_, how);
    }
    std::unique_ptr<any_index> clone() const { return std::make_unique<any_index>(index_.clone(), whole_); }
    void swap_with(any_index& other) { swap(index_, other.index_); }
    void reserve(std::size_t rows) { index_.reserve(rows); }
    void shrink_to_fit() { index_.shrink_to_fit(); }
    bool contains(std::uint64_t id) const { return index_.contains(id); }
    vector_t get(std::uint64_t id) const { return index_.get(id); }
    void get(std::uint64_t id, std::span<float> out) const { index_.get(id, out); }
    void get(std::span<const std::uint64_t> ids, std::span<float> out) const { index_.get(ids, out); }
    std::vector<std::uint64_t> ids() const { return index_.ids(); }
    std::size_t distances(std::span<const float> query, std::span<const std::uint64_t> ids,
                          std::span<float> out) const {
        return index_.distances(query, ids, out);
    }
    hits_t search_id(std::uint64_t id, std::size_t k, const asking& how = {}) const {
        return index_.search_id(id, k, params(how));
    }
    hits_t search(std::span<const float> query, std::size_t k, const asking& how = {}) const {
        return index_.search(query, k, params(how));
    }
    std::size_t search(std::span<const float> query, std::span<neighbor<>> out, const asking& how = {}) const {
        return index_.search(query, out, params(how));
    }
    vicinal::search_table<std::uint64_t> search(matrix_view<const float> queries, std::size_t k,
                                                const asking& how = {}) const {
        return index_.search(queries, k, params(how));
    }
    hits_t search_within(std::span<const float> query, float radius, const asking& how = {}) const {
        return index_.search_within(query, radius, params(how));
    }
    vicinal::neighbor_stream<std::uint64_t> nearest(std::span<const float> query, const asking& how = {}) const {
        return index_.nearest(query, params(how));
    }
    vicinal::memory_report memory() const { return index_.memory(); }
    vicinal::check_report check() const { return index_.check(); }
    void save(const std::filesystem::path& path) const { index_.save(path); }
    void save(std::ostream& stream) const { index_.save(stream); }
    bytes_t save(const vicinal::save_options& how = {}) const {
        bytes_t bytes;
        index_.save(bytes, how);
        return bytes;
    }
    std::span<const std::byte> note() const { return index_.note(); }
    void verify() const { index_.verify(); }

  private:
    [[nodiscard]] vicinal::any_search_params<> params(const asking& how) const {
        vicinal::any_search_params<> made;
        made.rerank = how.rerank;
        made.filter = how.filter;
        made.stop = how.stop;
        made.deadline = how.deadline;
        made.stats = how.stats;
        made.threads = how.threads;
        if (how.everything) {
            made.rerank = index_.size() + 1;
            if (kind_ == "ivf,") made.nprobe = index_.lists() + 1;
            if (kind_ == "hnsw") made.ef = 4 * index_.size() + 64;  // retired rows take places, too
        }
        return made;
    }

    vicinal::any_index index_;
    std::string kind_;
    whole_numbers whole_;
};
using index_ptr = std::unique_ptr<any_index>;

/// One index type.
class subject {
  public:
    std::string kind;    ///< flat, ivf or hnsw
    std::string metric;  ///< the metric's name
    std::string codec;   ///< the name of the codec whose distances are returned
    std::string coarse;  ///< of two levels, the name of the codec that is scanned
    bool two_level = false;
    bool learns = false;      ///< the index learns from rows, lists or ranges
    bool decodes = false;     ///< the codec's numbers are the result of arithmetic, which `get` may round differently
    float max_magnitude = 0;  ///< the codec's own limit on a component, if it has one

    [[nodiscard]] std::string name() const {
        return kind + "_index<" + metric + ", " + (two_level ? "two_level<" + coarse + ", " + codec + ">" : codec) +
               ">";
    }
    virtual ~subject() = default;
    [[nodiscard]] virtual index_ptr make(std::size_t dim) const = 0;
    [[nodiscard]] virtual index_ptr load(const std::filesystem::path& path) const = 0;
    [[nodiscard]] virtual index_ptr load(std::istream& stream) const = 0;
    [[nodiscard]] virtual index_ptr load(std::span<const std::byte> bytes) const = 0;
    [[nodiscard]] virtual index_ptr view(const std::filesystem::path& path) const = 0;
    [[nodiscard]] virtual index_ptr view(std::span<const std::byte> bytes) const = 0;
};

/// All of them, sorted by name.
std::vector<const subject*>& subjects();

}  // namespace vicinal_test
