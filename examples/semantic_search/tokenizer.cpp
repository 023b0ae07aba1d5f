// SPDX-License-Identifier: MIT
#include "tokenizer.hpp"

#include <algorithm>      // for all_of, any_of
#include <array>          // for array
#include <cstddef>        // for size_t
#include <unordered_set>  // for unordered_set

namespace demo {
namespace {

// Words that carry no topic. The list is short: words in most documents weigh little anyway.
bool is_stop_word(const std::string& word) {
    static const std::unordered_set<std::string> words = {
        "about", "after", "all",  "also",  "an",   "and",   "any",   "are",   "as",    "at",    "be",    "because",
        "been",  "but",   "by",   "can",   "do",   "does",  "for",   "from",  "had",   "has",   "have",  "how",
        "if",    "in",    "into", "is",    "it",   "its",   "may",   "more",  "most",  "my",    "no",    "not",
        "of",    "on",    "one",  "only",  "or",   "other", "our",   "out",   "over",  "so",    "some",  "such",
        "than",  "that",  "the",  "their", "them", "then",  "there", "they",  "this",  "those", "these", "to",
        "up",    "via",   "was",  "we",    "were", "what",  "when",  "where", "which", "while", "who",   "will",
        "with",  "would", "you",  "your",  "etc",  "eg",    "ie",    "very",  "many",  "me",    "both",  "each"};
    return words.contains(word);
}

bool is_vowel(char c) { return c == 'a' || c == 'e' || c == 'i' || c == 'o' || c == 'u' || c == 'y'; }

bool is_word_byte(unsigned char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c >= 0x80;
}

char lower(char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; }

void drop_plural(std::string& word) {
    const std::size_t n = word.size();
    if (word.ends_with("ies") && n > 4)
        word.replace(n - 3, 3, "y");
    else if (word.ends_with("sses") || word.ends_with("xes") || word.ends_with("ches") || word.ends_with("shes"))
        word.resize(n - 2);
    else if (word.ends_with("s") && !word.ends_with("ss") && !word.ends_with("us") && !word.ends_with("is"))
        word.resize(n - 1);
}

struct suffix_rule {
    std::string_view suffix;
    std::size_t shortest_stem;
};

// Longest first: the first rule that leaves a long enough stem with a vowel in it is applied.
constexpr std::array suffix_rules = {suffix_rule{"ation", 4}, suffix_rule{"ating", 4}, suffix_rule{"ated", 4},
                                     suffix_rule{"ator", 4},  suffix_rule{"ment", 4},  suffix_rule{"ate", 4},
                                     suffix_rule{"ing", 3},   suffix_rule{"ion", 4},   suffix_rule{"ed", 3},
                                     suffix_rule{"er", 4},    suffix_rule{"or", 4},    suffix_rule{"ly", 4}};

bool drop_suffix(std::string& word) {
    for (const auto& [suffix, shortest_stem] : suffix_rules) {
        if (!word.ends_with(suffix) || word.size() < suffix.size() + shortest_stem) continue;
        const std::string_view rest = std::string_view(word).substr(0, word.size() - suffix.size());
        if (std::none_of(rest.begin(), rest.end(), is_vowel)) continue;  // string, spring
        if (suffix == "ed" && rest.ends_with('e')) continue;             // speed
        word.resize(rest.size());
        const std::size_t n = word.size();  // running -> runn -> run
        if (n > 3 && word[n - 1] == word[n - 2] && !is_vowel(word[n - 1]) && word[n - 1] != 's' && word[n - 1] != 'l')
            word.pop_back();
        return true;
    }
    return false;
}

}  // namespace

std::string stem(std::string word) {
    const auto is_plain = [](char c) { return c >= 'a' && c <= 'z'; };
    if (word.size() <= 3 || !std::all_of(word.begin(), word.end(), is_plain)) return word;
    drop_plural(word);
    if (drop_suffix(word)) drop_suffix(word);  // engineering -> engineer -> engin
    if (word.size() > 3 && word.ends_with('e')) word.pop_back();
    if (word.size() > 3 && word.ends_with('y')) word.back() = 'i';
    return word;
}

std::vector<std::string> tokenize(std::string_view text) {
    std::vector<std::string> terms;
    for (std::size_t i = 0; i < text.size();) {
        if (!is_word_byte(static_cast<unsigned char>(text[i]))) {
            ++i;
            continue;
        }
        std::string word;
        while (i < text.size() && is_word_byte(static_cast<unsigned char>(text[i]))) word += lower(text[i++]);
        if (text.substr(i).starts_with("++")) word += "++";
        if (text.substr(i).starts_with("#")) word += '#';
        const bool number = std::all_of(word.begin(), word.end(), [](char c) { return c >= '0' && c <= '9'; });
        if (word.size() < 2 || number || is_stop_word(word)) continue;
        terms.push_back(stem(std::move(word)));
    }
    return terms;
}

}  // namespace demo
