// SPDX-License-Identifier: MIT
// Text to vectors: latent semantic analysis, learned from the corpus itself.
#pragma once

#include <Eigen/SparseCore>  // for SparseMatrix
#include <cstddef>           // for size_t
#include <span>              // for span
#include <string>            // for string
#include <string_view>       // for string_view
#include <vector>            // for vector

#include "console.hpp"
#include "files.hpp"
#include "randomized_svd.hpp"
#include "tfidf.hpp"

namespace demo {

using sparse_matrix = Eigen::SparseMatrix<float, Eigen::RowMajor>;  // a row per document, a column per term

/// A vocabulary and a projection of its terms to a few hundred directions. Words that keep the same company point the
/// same way, so a query finds documents that share its topic without sharing its words.
class embedding {
  public:
    embedding() = default;
    /// vocabulary and one row of the projection per term; see `learn`
    embedding(vocabulary words, row_matrix projection);

    [[nodiscard]] std::size_t dim() const { return static_cast<std::size_t>(projection_.cols()); }
    [[nodiscard]] const vocabulary& words() const { return words_; }
    /// A row for each term.
    [[nodiscard]] const row_matrix& projection() const { return projection_; }

    /// The vector of a document or query, of length dim().
    /// returns  false, and zeros, if it has no known term
    bool embed(const document& doc, std::span<float> out) const;

    /// The words of `text` that the corpus never taught us.
    [[nodiscard]] std::vector<std::string> unknown_words(std::string_view text) const;

    void save(byte_writer& out) const;
    /// throws  std::runtime_error if the bytes are not an embedding
    static embedding load(byte_reader& in);

  private:
    vocabulary words_;
    row_matrix projection_;  // terms x dim
};

/// The documents' weights as rows.
sparse_matrix weigh_all(const vocabulary& words, const std::vector<document>& corpus, const progress_fn& progress);

/// The projection of `weights` (a row per document) to at most `dims` directions.
row_matrix learn_projection(const sparse_matrix& weights, std::size_t dims, const progress_fn& progress);

}  // namespace demo
