// SPDX-License-Identifier: MIT
// Calls in any order, and a naive model in double of what an index should hold and answer.
#pragma once

#include <limits>
#include <map>

#include "exercise.hpp"

namespace vicinal_fuzz {

/// What an index should hold, and what it should answer, by naive loops in double.
template <class Metric, class Codec, class Id>
struct model {
    std::map<Id, std::vector<float>> rows;  ///< as `get` gave them when they came in

    /// The distance, and how far single precision may be from it.
    static std::pair<double, double> distance(std::span<const float> query, std::span<const float> row) {
        double norm = 0;
        for (const float q : query) norm += double{q} * double{q};
        const bool cosine = Metric::name == "cosine";
        norm = cosine ? std::sqrt(norm) : 1;
        double sum = 0;
        double terms = 0;
        double largest = 0;
        for (std::size_t i = 0; i < query.size(); ++i) {
            const double q = double{query[i]} / norm;
            const double x = row[i];
            const double term = Metric::name == "l2" ? (q - x) * (q - x) : q * x;
            sum += term;
            terms += std::abs(term);
            largest = std::max({largest, std::abs(q), std::abs(x)});
        }
        const double n = static_cast<double>(query.size());
        const double bound = 0x1p-24 * ((n + 6) * terms + 8 * n * largest * largest) + 0x1p-22;
        if (cosine) return {std::clamp(1 - sum, 0.0, 2.0), bound};
        return {Metric::name == "l2" ? sum : -sum, bound};
    }

    template <class Admits>
    void require_closest(std::span<const float> query, std::size_t k, std::span<const vicinal::neighbor<Id>> hits,
                         const Admits& admits) const {
        require_sound<Id>(hits);
        std::size_t admitted = 0;
        for (const auto& [id, row] : rows) admitted += admits(id) ? 1 : 0;
        require(hits.size() == std::min(k, admitted), "a search of everything returns k of the rows admitted");
        double last = -std::numeric_limits<double>::infinity();
        std::set<Id> found;
        for (const auto& hit : hits) {
            const auto at = rows.find(hit.id);
            require(at != rows.end() && admits(hit.id), "only rows that are held and admitted are returned");
            const auto [want, bound] = distance(query, at->second);
            require(std::abs(want - double{hit.distance}) <= bound, "distances are right");
            last = std::max(last, want + bound);
            found.insert(hit.id);
        }
        if (hits.empty()) return;
        for (const auto& [id, row] : rows) {
            if (found.count(id) != 0 || !admits(id)) continue;
            const auto [missed, bound] = distance(query, row);
            require(missed + bound >= double{hits.back().distance}, "nothing closer is left out");
        }
    }
};

template <class Index, class Metric, class Codec>
class operations {
    using Id = typename Index::id_type;

  public:
    explicit operations(input& in) : in_(in), dim_(1 + in.below(6)), index_(make()) {}

    void run() {
        for (std::size_t steps = 0; !in_.empty() && steps < 20; ++steps) {
            step();
            require(index_.size() == model_.rows.size(), "size counts the rows");
        }
        compare_all();
    }

  private:
    Index make() {
        const std::uint8_t shape = in_.byte();
        if constexpr (graph_like<Index>)
            return Index(dim_, {std::size_t{2} + shape % 4, std::size_t{1} + shape / 4 % 16, shape});
        else if constexpr (ivf_like<Index>)
            return Index(dim_, {shape % 4U, shape});
        else
            return Index(dim_);
    }
    Id id() { return static_cast<Id>(in_.byte() % 64); }
    std::vector<float> vector() {
        std::vector<float> v(dim_);
        for (float& x : v) x = in_.quarter();
        if (Metric::name == "cosine" && std::all_of(v.begin(), v.end(), [](float x) { return x == 0; })) v[0] = 1;
        return v;
    }
    void took(Id id, std::span<const float> given) {
        auto stored = index_.get(id);
        if constexpr (std::is_same_v<Codec, vicinal::f32>)
            if (Metric::name != "cosine")
                require(std::equal(stored.begin(), stored.end(), given.begin()), "f32 stores what it was given");
        model_.rows[id] = std::move(stored);
        if constexpr (!std::is_same_v<Codec, vicinal::f32>)  // codecs of a small index learn on, and rows follow
            for (auto& [other, vector] : model_.rows) vector = index_.get(other);
    }

    void step() {
        switch (in_.below(14)) {
            case 0: return add_one();
            case 1: return add_batch();
            case 2: return update();
            case 3: {
                const Id which = id();
                require(index_.remove(which) == (model_.rows.erase(which) == 1), "remove says whether it was there");
                return;
            }
            case 4: return search();
            case 5: return within();
            case 6: return stream();
            case 7: return reload();
            case 8: return train();
            case 9: return refuse();
            case 10: return filtered();
            case 11: return batch();
            case 12: require(index_.check().ok(), "check finds no defect"); return;
            default: {
                const Id which = id();
                const auto at = model_.rows.find(which);
                require(index_.contains(which) == (at != model_.rows.end()), "contains says what is held");
                if (at != model_.rows.end()) require(index_.get(which) == at->second, "get returns what was stored");
            }
        }
    }

    void add_one() {
        const Id which = id();
        const auto v = vector();
        const auto refused = refusal([&] { index_.add(which, v); });
        if (model_.rows.count(which) != 0)
            require(refused == errc::duplicate_id, "a duplicate is refused");
        else
            require(!refused, "a good vector is added");
        if (!refused) took(which, v);
    }
    void add_batch() {
        const std::size_t n = in_.below(10);
        std::vector<Id> ids;
        std::vector<float> values;
        bool duplicate = false;
        for (std::size_t i = 0; i < n; ++i) {
            ids.push_back(id());
            duplicate =
                duplicate || model_.rows.count(ids.back()) != 0 || std::count(ids.begin(), ids.end(), ids.back()) != 1;
            const auto v = vector();
            values.insert(values.end(), v.begin(), v.end());
        }
        const vicinal::matrix_view<const float> rows(std::span<const float>(values), dim_);
        const auto refused = refusal([&] { index_.add(ids, rows); });
        if (duplicate)
            require(refused == errc::duplicate_id, "a duplicate in a batch is refused");
        else
            require(!refused, "a good batch is added");
        if (refused) return;
        for (std::size_t i = 0; i < n; ++i) took(ids[i], rows[i]);
    }
    void update() {
        const Id which = id();
        const auto v = vector();
        const auto refused = refusal([&] { index_.update(which, v); });
        if (model_.rows.count(which) == 0) return require(refused == errc::not_found, "an update needs a row");
        require(!refused, "a good update is made");
        took(which, v);
    }
    void search() {
        const auto query = vector();
        const std::size_t k = in_.below(20);
        model_.require_closest(query, k, index_.search(query, k, everything(index_)), [](Id) { return true; });
        const auto usual = index_.search(query, k);
        require_sound<Id>(usual);
        for (const auto& hit : usual) require(model_.rows.count(hit.id) == 1, "only rows that are held are returned");
    }
    void filtered() {
        const auto query = vector();
        const std::size_t k = in_.below(20);
        const std::uint8_t mask = in_.byte();
        auto params = everything(index_);
        const auto admits = [mask](Id id) { return (static_cast<unsigned>(id) & mask) == 0; };
        params.filter = admits;
        model_.require_closest(query, k, index_.search(query, k, params), admits);
        const vicinal::id_set<Id> few{id(), id(), id()};
        params.filter = few;
        model_.require_closest(query, k, index_.search(query, k, params), [&](Id id) { return few.contains(id); });
    }
    void within() {
        const auto query = vector();
        const float radius = in_.quarter() * 8;
        const auto hits = index_.search_within(query, radius, everything(index_));
        require_sound<Id>(hits);
        std::set<Id> found;
        for (const auto& hit : hits) {
            require(hit.distance <= radius, "nothing beyond the radius is returned");
            require(model_.rows.count(hit.id) == 1, "only rows that are held are returned");
            found.insert(hit.id);
        }
        if constexpr (!graph_like<Index>)  // a graph promises only what can be reached within the radius
            for (const auto& [id, row] : model_.rows) {
                const auto [at, bound] = model_.distance(query, row);
                require(found.count(id) == 1 || at + bound >= double{radius},
                        "everything within the radius is returned");
            }
    }
    void stream() {
        const auto query = vector();
        std::set<Id> found;
        for (const auto& hit : index_.nearest(query, everything(index_))) {
            require(model_.rows.count(hit.id) == 1, "only rows that are held are streamed");
            require(found.insert(hit.id).second, "no id is streamed twice");
        }
        require(found.size() == model_.rows.size(), "a stream comes to every row");
    }
    void batch() {
        std::vector<float> values;
        const std::size_t n = 1 + in_.below(5);
        for (std::size_t i = 0; i < n; ++i) {
            const auto v = vector();
            values.insert(values.end(), v.begin(), v.end());
        }
        const std::size_t k = in_.below(9);
        const vicinal::matrix_view<const float> rows(std::span<const float>(values), dim_);
        const auto table = index_.search(rows, k);
        for (std::size_t i = 0; i < n; ++i) {
            const auto one = index_.search(rows[i], k);
            require(std::equal(one.begin(), one.end(), table[i].begin(), table[i].end()),
                    "a batch equals its queries one by one, bit for bit");
        }
    }
    void reload() {
        const bytes_t file = saved(index_);
        Index copy = Index::load(bytes_view(file));
        require(saved(copy) == file, "loading and saving gives the same bytes");
        const memory_file on_disk(file);
        const Index view = Index::view(on_disk.path());
        const auto query = vector();
        const auto want = index_.search(query, 7);
        require(want == copy.search(query, 7) && want == view.search(query, 7), "copies and views answer the same");
        index_ = std::move(copy);
    }
    void train() {
        std::vector<float> values;
        const std::size_t n = in_.below(9);
        for (std::size_t i = 0; i < n; ++i) {
            const auto v = vector();
            values.insert(values.end(), v.begin(), v.end());
        }
        const bytes_t before = saved(index_);
        const auto refused =
            refusal([&] { index_.train(vicinal::matrix_view<const float>(std::span<const float>(values), dim_)); });
        if (refused) {
            require(refused == errc::invalid_argument, "training is refused for a stated reason");
            require(saved(index_) == before, "a refused call changes nothing");
        } else {
            require(n != 0 && model_.rows.empty(), "only an empty index is trained");
        }
    }
    /// Vectors no index takes.
    void refuse() {
        auto v = vector();
        const Id which = id();
        errc want = errc::non_finite;
        switch (in_.below(4)) {
            case 0: v[in_.below(dim_)] = std::numeric_limits<float>::quiet_NaN(); break;
            case 1: v[in_.below(dim_)] = -std::numeric_limits<float>::infinity(); break;
            case 2:
                v[in_.below(dim_)] = 2e19F;
                want = errc::magnitude;
                break;
            default: v.push_back(0); want = errc::dimension_mismatch;
        }
        const bytes_t before = saved(index_);
        require(refusal([&] { index_.add(which, v); }) == want, "a bad vector is refused");
        require(refusal([&] { index_.update(which, v); }).has_value(), "a bad update is refused");
        require(refusal([&] { (void)index_.search(v, 3); }) == want, "a bad query is refused");
        require(saved(index_) == before, "a refused call changes nothing");
    }
    void compare_all() {
        require(index_.check().ok(), "check finds no defect");
        for (const auto& [id, row] : model_.rows) require(index_.get(id) == row, "get returns what was stored");
        const auto query = vector();
        model_.require_closest(query, model_.rows.size() + 1,
                               index_.search(query, model_.rows.size() + 1, everything(index_)),
                               [](Id) { return true; });
    }

    input& in_;
    std::size_t dim_;
    Index index_;
    model<Metric, Codec, Id> model_;
};

}  // namespace vicinal_fuzz
