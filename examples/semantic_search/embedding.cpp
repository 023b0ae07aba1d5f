// SPDX-License-Identifier: MIT
#include "embedding.hpp"

#include <algorithm>  // for max, min
#include <stdexcept>  // for runtime_error

#include "tokenizer.hpp"

namespace demo {
namespace {

/// Few documents cannot fill many directions: then every direction is one document and nothing is generalised.
Eigen::Index rank_for(Eigen::Index documents, std::size_t dims) {
    return std::min(std::max<Eigen::Index>(documents / 3, 32), static_cast<Eigen::Index>(dims));
}

}  // namespace

embedding::embedding(vocabulary words, row_matrix projection)
    : words_(std::move(words)), projection_(std::move(projection)) {
    if (static_cast<std::size_t>(projection_.rows()) != words_.size())
        throw std::runtime_error("the projection has " + std::to_string(projection_.rows()) + " rows for " +
                                 std::to_string(words_.size()) + " terms");
}

bool embedding::embed(const document& doc, std::span<float> out) const {
    Eigen::Map<Eigen::RowVectorXf> vector(out.data(), static_cast<Eigen::Index>(out.size()));
    vector.setZero();
    for (const auto& [term, weight] : words_.weigh(doc))
        vector += weight * projection_.row(static_cast<Eigen::Index>(term));
    const float norm = vector.norm();
    if (!(norm > 1e-6F)) {
        vector.setZero();
        return false;
    }
    vector /= norm;
    return true;
}

std::vector<std::string> embedding::unknown_words(std::string_view text) const {
    std::vector<std::string> out;
    for (auto& term : tokenize(text))
        if (!words_.knows(term)) out.push_back(std::move(term));
    return out;
}

void embedding::save(byte_writer& out) const {
    out.value<std::uint64_t>(words_.size());
    for (const auto& term : words_.terms()) out.text(term);
    out.array(words_.idf().data(), words_.idf().size());
    out.value<std::uint64_t>(dim());
    out.array(projection_.data(), static_cast<std::size_t>(projection_.size()));
}

embedding embedding::load(byte_reader& in) {
    std::vector<std::string> terms(in.count(sizeof(std::uint64_t)));
    for (auto& term : terms) term = in.text();
    auto idf = in.array<float>();
    const auto dim = in.value<std::uint64_t>();
    const auto numbers = in.array<float>();
    if (idf.size() != terms.size() || dim == 0 || numbers.size() / dim != terms.size() || numbers.size() % dim != 0)
        throw std::runtime_error("the sizes in the file disagree");
    const Eigen::Map<const row_matrix> projection(numbers.data(), static_cast<Eigen::Index>(terms.size()),
                                                  static_cast<Eigen::Index>(dim));
    return {vocabulary(std::move(terms), std::move(idf)), projection};
}

sparse_matrix weigh_all(const vocabulary& words, const std::vector<document>& corpus, const progress_fn& progress) {
    sparse_matrix out(static_cast<Eigen::Index>(corpus.size()), static_cast<Eigen::Index>(words.size()));
    for (std::size_t i = 0; i < corpus.size(); ++i) {
        const auto row = static_cast<Eigen::Index>(i);
        out.startVec(row);
        for (const auto& [term, weight] : words.weigh(corpus[i]))
            out.insertBack(row, static_cast<Eigen::Index>(term)) = weight;
        if (i % 256 == 0) progress(i, corpus.size());
    }
    out.finalize();
    return out;
}

row_matrix learn_projection(const sparse_matrix& weights, std::size_t dims, const progress_fn& progress) {
    svd_params params;
    params.rank = rank_for(weights.rows(), dims);
    row_matrix projection = randomized_svd(weights, params, progress).vectors;
    // Every term gets a vector of length one, so that idf alone says how much it counts. The plain projection shortens
    // rare terms: in "chess game" only "game" would be heard, in "watch films" only "watch".
    for (Eigen::Index i = 0; i < projection.rows(); ++i)
        if (const float norm = projection.row(i).norm(); norm > 1e-6F) projection.row(i) /= norm;
    return projection;
}

}  // namespace demo
