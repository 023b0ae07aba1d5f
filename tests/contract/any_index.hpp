// SPDX-License-Identifier: MIT
// Every index type the contract is run over, behind one interface: a type is compiled once, in a file of its own group
// (contract/subject.hpp), and every promise is compiled once for all of them, without their headers.
#pragma once

#include <filesystem>
#include <iosfwd>
#include <memory>
#include <string>
#include <vector>

#include "support/catch.hpp"
#include "support/data.hpp"
#include "support/reference.hpp"
#include "vicinal/index/common/neighbor_stream.hpp"
#include "vicinal/params.hpp"

namespace vicinal_test {

using bytes_t = std::vector<std::byte>;

/// How a search is made, in words that all indexes share.
struct asking {
    bool everything = false;  ///< look everywhere: nprobe = lists, ef = rows, rerank = rows. False: the defaults
    std::size_t rerank = 0;   ///< where `everything` is false
    vicinal::id_filter<std::uint64_t> filter{};
    vicinal::stop_token stop{};
    vicinal::search_stats* stats = nullptr;
    std::size_t threads = 1;
};
/// What makes every index exact.
inline constexpr bool everywhere = true;

/// An index of any metric and codec whose ids are std::uint64_t.
class any_index {
  public:
    virtual ~any_index() = default;
    virtual std::size_t size() const = 0;
    virtual bool empty() const = 0;
    virtual std::size_t dim() const = 0;
    virtual void add(std::uint64_t id, std::span<const float> vector) = 0;
    virtual std::size_t add(std::span<const std::uint64_t> ids, matrix_view<const float> rows,
                            const vicinal::add_params& how = {}) = 0;
    virtual void train(matrix_view<const float> rows, const vicinal::add_params& how = {}) = 0;
    virtual void update(std::uint64_t id, std::span<const float> vector) = 0;
    virtual bool remove(std::uint64_t id) = 0;
    virtual void reserve(std::size_t rows) = 0;
    virtual void shrink_to_fit() = 0;
    virtual bool contains(std::uint64_t id) const = 0;
    virtual vector_t get(std::uint64_t id) const = 0;
    virtual hits_t search(std::span<const float> query, std::size_t k, const asking& how = {}) const = 0;
    virtual std::size_t search(std::span<const float> query, std::span<neighbor<>> out,
                               const asking& how = {}) const = 0;
    virtual vicinal::search_table<std::uint64_t> search(matrix_view<const float> queries, std::size_t k,
                                                        const asking& how = {}) const = 0;
    virtual hits_t search_within(std::span<const float> query, float radius, const asking& how = {}) const = 0;
    virtual vicinal::neighbor_stream<std::uint64_t> nearest(std::span<const float> query,
                                                            const asking& how = {}) const = 0;
    virtual vicinal::memory_report memory() const = 0;
    virtual vicinal::check_report check() const = 0;
    virtual void save(const std::filesystem::path& path) const = 0;
    virtual void save(std::ostream& stream) const = 0;
    virtual bytes_t save() const = 0;
    virtual void verify() const = 0;
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
