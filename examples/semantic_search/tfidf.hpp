// SPDX-License-Identifier: MIT
// How much each term says about each document.
#pragma once

#include <cstddef>        // for size_t
#include <cstdint>        // for uint32_t
#include <string>         // for string
#include <string_view>    // for string_view
#include <unordered_map>  // for unordered_map
#include <utility>        // for pair
#include <vector>         // for vector

#include "console.hpp"
#include "document.hpp"

namespace demo {

using term_weights = std::vector<std::pair<std::uint32_t, float>>;  // (term, weight), by ascending term

/// The terms that matter and their weights, learned from a corpus.
class vocabulary {
  public:
    vocabulary() = default;
    /// terms and idf belong together by position
    vocabulary(std::vector<std::string> terms, std::vector<float> idf);

    /// Learns the terms of `corpus`. Left out: terms of so few documents that they connect nothing, and terms of so
    /// many that they tell nothing apart.
    static vocabulary learn(const std::vector<document>& corpus, const progress_fn& progress);

    /// The document as a unit vector: (1 + log count) * idf for each known term of the text, and much more for each of
    /// the title, which says in a few words what the text is about. Empty if no term is known.
    [[nodiscard]] term_weights weigh(const document& doc) const;
    [[nodiscard]] bool knows(const std::string& term) const { return numbers_.contains(term); }

    [[nodiscard]] std::size_t size() const { return terms_.size(); }
    [[nodiscard]] const std::vector<std::string>& terms() const { return terms_; }
    [[nodiscard]] const std::vector<float>& idf() const { return idf_; }

  private:
    std::vector<std::string> terms_;
    std::vector<float> idf_;
    std::unordered_map<std::string, std::uint32_t> numbers_;
};

}  // namespace demo
