// SPDX-License-Identifier: MIT
#include "tfidf.hpp"

#include <algorithm>  // for sort, unique
#include <cmath>      // for log, sqrt
#include <map>        // for map

#include "tokenizer.hpp"

namespace demo {
namespace {

constexpr float title_weight = 6;

/// A term must be in this many documents; in a small corpus every word counts.
std::size_t fewest_documents(std::size_t corpus_size) { return corpus_size < 2000 ? 1 : corpus_size < 20000 ? 2 : 3; }

/// A term may be in this many documents.
std::size_t most_documents(std::size_t corpus_size) {
    return corpus_size < 20 ? corpus_size : corpus_size < 2000 ? corpus_size / 2 : corpus_size / 4;
}

}  // namespace

vocabulary::vocabulary(std::vector<std::string> terms, std::vector<float> idf)
    : terms_(std::move(terms)), idf_(std::move(idf)) {
    numbers_.reserve(terms_.size());
    for (std::size_t i = 0; i < terms_.size(); ++i) numbers_.emplace(terms_[i], static_cast<std::uint32_t>(i));
}

vocabulary vocabulary::learn(const std::vector<document>& corpus, const progress_fn& progress) {
    std::unordered_map<std::string, std::size_t> document_counts;
    for (std::size_t i = 0; i < corpus.size(); ++i) {
        auto terms = tokenize(corpus[i].title + "\n" + corpus[i].text + "\n" + corpus[i].keywords);
        std::sort(terms.begin(), terms.end());
        terms.erase(std::unique(terms.begin(), terms.end()), terms.end());
        for (auto& term : terms) ++document_counts[std::move(term)];
        if (i % 256 == 0) progress(i, corpus.size());
    }
    // Sorted, so that the same corpus gives the same numbers with every standard library.
    const std::map<std::string, std::size_t> sorted(document_counts.begin(), document_counts.end());
    std::vector<std::string> terms;
    std::vector<float> idf;
    const auto n = static_cast<double>(corpus.size());
    for (const auto& [term, count] : sorted) {
        if (count < fewest_documents(corpus.size()) || count > most_documents(corpus.size())) continue;
        terms.push_back(term);
        idf.push_back(static_cast<float>(std::log((n + 1) / (static_cast<double>(count) + 0.5))));
    }
    return {std::move(terms), std::move(idf)};
}

term_weights vocabulary::weigh(const document& doc) const {
    struct uses {
        float in_text = 0;
        float in_title = 0;
    };
    std::map<std::uint32_t, uses> counts;
    const auto count = [&](const std::string& text, float uses::*where) {
        for (const auto& term : tokenize(text))
            if (const auto found = numbers_.find(term); found != numbers_.end()) counts[found->second].*where += 1;
    };
    count(doc.title, &uses::in_title);
    count(doc.text, &uses::in_text);
    count(doc.keywords, &uses::in_text);

    term_weights out;
    float squares = 0;
    for (const auto& [term, n] : counts) {
        const float in_text = n.in_text > 0 ? 1 + std::log(n.in_text) : 0;
        const float weight = (in_text + (n.in_title > 0 ? title_weight : 0)) * idf_[term];
        out.emplace_back(term, weight);
        squares += weight * weight;
    }
    for (auto& [term, weight] : out) weight /= std::sqrt(squares);
    return out;
}

}  // namespace demo
