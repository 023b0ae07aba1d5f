// SPDX-License-Identifier: MIT
// An index that filter_bench asks: one of vicinal's or hnswlib's.
#pragma once

#include <filesystem>  // for path
#include <functional>  // for function
#include <memory>      // for unique_ptr
#include <span>        // for span
#include <string>      // for string
#include <vector>      // for vector

#include "cells.hpp"
#include "vicinal/params.hpp"

namespace bench {

/// In which form a filter is given.
enum class form { callable, set };
constexpr std::array<std::string_view, 2> form_names{"callable", "id_set"};

class contender {
  public:
    virtual ~contender() = default;

    /// The ways in which it can be made to search; "default" is the first.
    [[nodiscard]] virtual std::vector<std::string> strategies() const = 0;
    /// Whether it takes filters in this form.
    [[nodiscard]] virtual bool takes(form given) const = 0;
    /// filter    null: no filter
    /// returns   how many were found, written to out from the front, closest first
    virtual std::size_t search(std::span<const float> query, const row_filter* filter, form given,
                               const std::string& strategy, std::span<vicinal::neighbor<>> out,
                               vicinal::search_stats& stats) = 0;
};

/// A kind of contender, and how one is made: loaded from the file, or built of the rows and saved to it.
struct contender_kind {
    std::string name;
    std::function<std::unique_ptr<contender>(const matrix<float>& rows, const std::filesystem::path& file)> make;
};

[[nodiscard]] std::vector<contender_kind> graph_contenders();
[[nodiscard]] std::vector<contender_kind> scan_contenders();
[[nodiscard]] std::vector<contender_kind> hnswlib_contenders();

}  // namespace bench
