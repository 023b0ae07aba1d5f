// SPDX-License-Identifier: MIT
// What is done with one index type: load and view bytes, use what came of them, and play calls against a naive model.
#pragma once

#include <fcntl.h>
#include <sys/mman.h>
#include <unistd.h>

#include <cmath>
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

}  // namespace vicinal_fuzz
