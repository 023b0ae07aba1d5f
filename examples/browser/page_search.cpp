// SPDX-License-Identifier: MIT
#include "page_search.hpp"

#include <algorithm>  // for lower_bound, max, min
#include <numeric>    // for inner_product
#include <stdexcept>  // for runtime_error
#include <utility>    // for move

#include "../semantic_search/files.hpp"
#include "../semantic_search/tokenizer.hpp"

namespace page {
namespace {

constexpr std::size_t beam = 100;  // wide enough that the graph finds what exact search finds

demo::vocabulary load_vocabulary(std::string_view bytes) {
    const std::string_view content = bytes.substr(0, bytes.size() - std::min(bytes.size(), sizeof(std::uint64_t)));
    demo::byte_reader in(bytes);
    std::vector<std::string> terms(in.count(sizeof(std::uint64_t)));
    for (auto& term : terms) term = in.text();
    auto idf = in.array<float>();
    if (in.value<std::uint64_t>() != demo::hash(content) || !in.at_end() || idf.size() != terms.size())
        throw std::runtime_error("the vocabulary is damaged");
    return {std::move(terms), std::move(idf)};
}

}  // namespace

std::string save_vocabulary(const demo::vocabulary& words) {
    demo::byte_writer out;
    out.value<std::uint64_t>(words.size());
    for (const auto& term : words.terms()) out.text(term);
    out.array(words.idf().data(), words.idf().size());
    out.value(demo::hash(out.bytes()));
    return out.bytes();
}

page_search::page_search(document_index documents, term_table terms, std::string_view vocabulary)
    : documents_(std::move(documents)), terms_(std::move(terms)), words_(load_vocabulary(vocabulary)) {
    // Opening a view checks no contents. These came over a network, so they are checked here, once.
    documents_.verify();
    terms_.verify();
    if (documents_.dim() != terms_.dim() || terms_.size() != words_.size())
        throw std::runtime_error("the documents, the terms and the vocabulary do not belong together");
}

answer page_search::ask(std::string_view text, std::size_t count) const {
    answer out;
    std::string known;
    const auto terms = demo::tokenize(text);
    for (std::size_t i = 0; i < terms.size(); ++i) {
        if (words_.knows(terms[i])) continue;
        const bool still_typed = i + 1 == terms.size() && !text.ends_with(' ');
        if (still_typed) out.completed = completion_of(terms[i]);
        if (!still_typed || out.completed.empty()) out.unknown += (out.unknown.empty() ? "" : " ") + terms[i];
    }
    const auto vector = embed(std::string(text) + " " + out.completed);
    if (!vector.empty()) out.hits = documents_.search(vector, count, {.ef = std::max(beam, count)});
    return out;
}

std::string page_search::completion_of(std::string_view beginning) const {
    const auto& terms = words_.terms();  // sorted
    const auto first = std::lower_bound(terms.begin(), terms.end(), beginning);
    auto best = terms.end();
    const auto idf = [&](auto term) { return words_.idf()[static_cast<std::size_t>(term - terms.begin())]; };
    for (auto term = first; term != terms.end() && term->starts_with(beginning); ++term) {
        if (best != terms.end() && idf(term) >= idf(best)) continue;
        if (demo::stem(*term) == *term) best = term;  // read as a word, it stays what it is
    }
    return best == terms.end() ? std::string() : *best;
}

std::vector<float> page_search::embed(const std::string& text) const {
    std::vector<float> sum;
    for (const auto& [term, weight] : words_.weigh({{}, text})) {
        const auto direction = terms_.get(term);
        sum.resize(direction.size());
        for (std::size_t i = 0; i < sum.size(); ++i) sum[i] += weight * direction[i];
    }
    // Any length will do, as cosine looks at directions only, but not none.
    const float squares = std::inner_product(sum.begin(), sum.end(), sum.begin(), 0.0F);
    return squares > 1e-12F ? sum : std::vector<float>();
}

}  // namespace page
