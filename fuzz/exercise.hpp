// What is done with one index type: load and view bytes, use what came of them, and play calls against a naive model.
#pragma once

#include <fcntl.h>
#include <sys/mman.h>
#include <unistd.h>

#include <cmath>
#include <limits>
#include <map>
#include <optional>
#include <set>

#include "subjects.hpp"
#include "vicinal/vicinal.hpp"

namespace vicinal_fuzz {

using vicinal::errc;

template <class Index>
concept ivf_like = requires(const Index& index) {
    index.lists();
};
template <class Index>
concept graph_like = requires(typename Index::search_params params) {
    params.ef;
};

/// What makes every index exact.
template <class Index>
typename Index::search_params everything(const Index& index) {
    typename Index::search_params params;
    params.rerank = index.size() + 1;
    if constexpr (ivf_like<Index>) params.nprobe = index.lists() + 1;
    if constexpr (graph_like<Index>) params.ef = 4 * index.size() + 64;
    return params;
}

template <class Id>
void require_sound(std::span<const vicinal::neighbor<Id>> hits) {
    std::set<Id> seen;
    for (std::size_t i = 0; i < hits.size(); ++i) {
        require(std::isfinite(hits[i].distance), "distances are finite");
        require(i == 0 || vicinal::closer(hits[i - 1], hits[i]), "hits are in order");
        require(seen.insert(hits[i].id).second, "no id is returned twice");
    }
}

/// Every kind of question. sound = false: the index is a view of damaged contents, so only harm counts.
template <class Index>
void ask(const Index& index, bool sound) {
    using Id = typename Index::id_type;
    const std::size_t dim = index.dim();
    if (dim > 4096) return;  // the rest only costs time
    std::vector<float> query(2 * dim);
    for (std::size_t i = 0; i < query.size(); ++i) query[i] = static_cast<float>(i % 5) - 1.5F;
    const std::span<const float> one(query.data(), dim);
    const auto all = everything(index);
    const auto hits = index.search(one, 5, all);
    if (sound) {
        require_sound<Id>(hits);
        require(hits.size() == std::min<std::size_t>(5, index.size()), "a search of everything returns k hits");
        for (const auto& hit : hits) {
            require(index.contains(hit.id), "the index contains what it returns");
            require(index.get(hit.id).size() == dim, "get returns what search found");
        }
    }
    (void)index.search(one, 3);
    const auto table = index.search(vicinal::matrix_view<const float>(std::span<const float>(query), dim), 4, all);
    if (sound && !hits.empty())
        require(std::equal(table[0].begin(), table[0].end(), hits.begin()), "a batch equals its queries one by one");
    auto even = all;
    const auto is_even = [](Id id) { return id % 2 == 0; };
    even.filter = is_even;
    for (const auto& hit : index.search(one, 5, even)) require(hit.id % 2 == 0, "a filter is obeyed");
    const vicinal::id_set<Id> few{Id{1}, Id{2}, Id{7}};
    auto among = all;
    among.filter = few;
    for (const auto& hit : index.search(one, 5, among)) require(few.contains(hit.id), "a set of ids is obeyed");
    (void)index.search_within(one, 10.0F);
    std::size_t steps = 0;
    for (const auto& hit : index.nearest(one)) {
        if (sound) require(index.contains(hit.id), "the index contains what it streams");
        if (++steps == 40) break;
    }
    (void)index.contains(Id{3});
    const auto report = index.check();
    if (sound) require(report.ok(), "check finds no defect");
    (void)index.memory();
}

/// Runs a call that may be refused, in the library's words only. Returns the refusal.
template <class Call>
std::optional<errc> refusal(Call&& call) {
    try {
        call();
    } catch (const vicinal::error& e) {
        return e.code();
    }
    return std::nullopt;
}

template <class Index>
bytes_t saved(const Index& index) {
    bytes_t bytes;
    index.save(bytes);
    return bytes;
}

/// Whether a file holds nothing that a reader of this version ignores, so that loading and saving must give it back.
inline bool nothing_ignored(bytes_view file, bytes_view again) {
    using vicinal::detail::load_le;
    return load_le<std::uint16_t>(&file[10]) == load_le<std::uint16_t>(&again[10]) &&
           load_le<std::uint32_t>(&file[44]) == load_le<std::uint32_t>(&again[44]) &&
           load_le<std::uint32_t>(&file[48]) == 0;
}

template <class Index>
void load_and_use(bytes_view file) {
    using Id = typename Index::id_type;
    std::optional<Index> index;
    {
        const allocation_meter meter;
        const auto refused = refusal([&] { index.emplace(Index::load(file)); });
        require(meter.peak() <= 2 * file.size() + (std::size_t{1} << 20) + 16 * (std::size_t{1} << 20),
                "a load takes at most 2x the bytes, 1 MiB, and 16 bytes for each of up to 2^20 dimensions");
        if (refused) return;
    }
    const bytes_t again = saved(*index);
    require(saved(Index::load(bytes_view(again))) == again, "saving, loading and saving gives the same bytes");
    if (nothing_ignored(file, again))
        require(std::equal(file.begin(), file.end(), again.begin(), again.end()), "a file has one form only");
    ask(*index, true);

    // It must be usable, whatever state its writer left it in.
    const std::size_t before = index->size();
    std::vector<float> vector(index->dim(), 0.25F);
    const bool had = index->contains(Id{9});
    const auto added = refusal([&] { index->add(Id{9}, vector); });
    require(!added || *added == (had ? errc::duplicate_id : *added), "only an id that is there is a duplicate");
    if (!added) require(index->size() == before + 1, "an added row counts");
    if (index->contains(Id{9})) {
        vector[0] = -0.5F;
        (void)refusal([&] { index->update(Id{9}, vector); });
        require(index->remove(Id{9}), "what is there can be removed");
    }
    ask(*index, true);
}

/// A file in memory that has a path.
class memory_file {
  public:
    explicit memory_file(bytes_view bytes) : handle_(::memfd_create("vicinal", MFD_CLOEXEC)) {
        require(handle_ >= 0, "a memory file can be made");
        for (std::size_t done = 0; done < bytes.size();) {
            const auto n = ::write(handle_, bytes.data() + done, bytes.size() - done);
            require(n > 0, "a memory file can be written");
            done += static_cast<std::size_t>(n);
        }
    }
    memory_file(const memory_file&) = delete;
    memory_file& operator=(const memory_file&) = delete;
    ~memory_file() { ::close(handle_); }
    [[nodiscard]] std::string path() const { return "/proc/self/fd/" + std::to_string(handle_); }

  private:
    int handle_;
};

template <class Index>
void view_and_use(bytes_view file) {
    const memory_file on_disk(file);
    std::optional<Index> view;
    if (refusal([&] { view.emplace(Index::view(on_disk.path())); })) return;
    const bool intact = !refusal([&] { view->verify(); });
    const bool sound = intact && !refusal([&] { (void)Index::load(file); });
    (void)refusal([&] { ask(*view, sound); });
    std::optional<bytes_t> again;
    (void)refusal([&] { again = saved(*view); });
    if (sound && nothing_ignored(file, saved(Index::load(file))))
        require(again && std::equal(file.begin(), file.end(), again->begin(), again->end()),
                "a view is saved as it is");
    const std::vector<float> vector(view->dim(), 1.0F);
    using Id = typename Index::id_type;
    require(refusal([&] { view->add(Id{9}, vector); }) == errc::read_only, "a view refuses changes");
    require(refusal([&] { (void)view->remove(Id{9}); }) == errc::read_only, "a view refuses changes");
}

// ---- calls against a model -----------------------------------------------------------------------------------------

/// What an index should hold, and what it should answer, by naive loops in double.
template <class Metric, class Codec, class Id>
struct model {
    std::map<Id, std::vector<float>> rows;  ///< as `get` gave them when they came in
    bool trained = false;

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
    static constexpr bool learns = ivf_like<Index> || !std::is_same_v<Codec, vicinal::f32>;

  public:
    explicit operations(input& in) : in_(in), dim_(1 + in.below(9)), index_(make()) {}

    void run() {
        for (std::size_t steps = 0; !in_.empty() && steps < 64; ++steps) {
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
        else if (learns && !model_.trained && refused)
            require(refused == errc::not_trained, "an untrained index says so");
        else
            require(!refused, "a good vector is added");
        if (!refused) took(which, v);
    }
    void add_batch() {
        const std::size_t n = in_.below(12);
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
        else if (refused)
            require(ivf_like<Index> && !model_.trained && refused == errc::invalid_argument, "a good batch is added");
        if (refused) return;
        model_.trained = model_.trained || n != 0;
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
            model_.trained = true;
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

/// A small index with gaps in its ids, a removal and an update behind it, as a file.
template <class Index>
bytes_t sample_file(std::size_t rows) {
    using Id = typename Index::id_type;
    constexpr std::size_t dim = 3;
    const auto make = [] {
        if constexpr (graph_like<Index>)
            return Index(dim, {4, 10, 3});
        else if constexpr (ivf_like<Index>)
            return Index(dim, {3, 5});
        else
            return Index(dim);
    };
    Index index = make();
    if (rows == 0) return saved(index);
    std::vector<Id> ids;
    std::vector<float> values;
    for (std::size_t i = 0; i < rows; ++i) {
        ids.push_back(static_cast<Id>(3 * i + 1));
        for (std::size_t d = 0; d < dim; ++d)
            values.push_back(static_cast<float>((i * 7 + d * 5 + i * i * d) % 11) - 4.5F);
    }
    index.add(ids, vicinal::matrix_view<const float>(std::span<const float>(values), dim));
    index.remove(ids[rows / 2]);
    index.update(ids[0], std::vector<float>{1.0F, -2.0F, 0.5F});
    return saved(index);
}

template <class Index, class Metric, class Codec>
subject make_subject(const char* name, vicinal::index_kind kind) {
    vicinal::detail::file_header header;
    if constexpr (requires { typename Codec::coarse; })
        header = vicinal::detail::header_of<typename Index::id_type>(
            kind, Metric::name, std::string(Codec::coarse::name) + "+" + std::string(Codec::fine::name), 1);
    else
        header = vicinal::detail::header_of<typename Index::id_type>(kind, Metric::name, Codec::name, 1);
    return {name,
            header,
            load_and_use<Index>,
            view_and_use<Index>,
            [](input& in) { operations<Index, Metric, Codec>(in).run(); },
            sample_file<Index>};
}

}  // namespace vicinal_fuzz
