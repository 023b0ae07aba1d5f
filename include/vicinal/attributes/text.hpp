// SPDX-License-Identifier: MIT
// Expressions are made from text, in the syntax that Redis gives the filters of vector sets.
#pragma once

#include <charconv>      // for from_chars
#include <cstddef>       // for size_t
#include <cstdint>       // for int64_t
#include <locale>        // for locale
#include <sstream>       // for istringstream
#include <string>        // for string, to_string
#include <string_view>   // for string_view
#include <system_error>  // for errc
#include <utility>       // for move
#include <variant>       // for get, get_if, variant
#include <vector>        // for vector

#include "vicinal/attributes/expression.hpp"

VICINAL_NAMESPACE_BEGIN

namespace detail {

/// Reads an expression by recursive descent. How deep it goes is bounded, as text may come from a stranger.
class expression_parser {
  public:
    expression_parser(std::string_view text, const column_list& columns) : text_(text), columns_(columns) {}

    /// throws  error{invalid_argument}, with the position, unless the whole text is an expression
    [[nodiscard]] attribute_expression parse() {
        attribute_expression all = condition_of(disjunction());
        skip_space();
        if (at_ != text_.size()) fail_expected("an operator, or the end");
        return all;
    }

  private:
    using part = std::variant<attribute_term, attribute_expression>;
    static constexpr std::size_t max_depth = 100;

    /// Counts how deep it is within parentheses and signs.
    struct level {
        explicit level(expression_parser& of) : of_(of) {
            if (++of_.depth_ > max_depth)
                of_.fail_at(of_.at_, "is nested more than " + std::to_string(max_depth) + " levels deep");
        }
        level(const level&) = delete;
        level& operator=(const level&) = delete;
        ~level() { --of_.depth_; }
        expression_parser& of_;
    };

    [[noreturn]] VICINAL_COLD void fail_at(std::size_t at, const std::string& what) const {
        fail(errc::invalid_argument,
             "attributes: expression \"" + std::string(text_) + "\" " + what + " at position " + std::to_string(at));
    }
    [[noreturn]] VICINAL_COLD void fail_expected(const std::string& what) {
        skip_space();
        std::size_t end = at_ + 1;
        while (end < text_.size() && in_name(text_[at_]) && in_name(text_[end])) ++end;
        const std::string found =
            at_ == text_.size() ? "its end" : "\"" + std::string(text_.substr(at_, end - at_)) + "\"";
        fail_at(at_, "has " + found + " where " + what + " was expected,");
    }
    /// Says of an error in what the types of terms allow where in the text it is.
    template <class F>
    auto placed(std::size_t at, const F& make) const {
        try {
            return make();
        } catch (const error& why) {
            const std::string_view said = why.what();
            fail(why.code(), std::string(said.substr(said.find(' ') + 1)) + " (at position " + std::to_string(at) +
                                 " of \"" + std::string(text_) + "\")");
        }
    }

    // ---- characters and words
    [[nodiscard]] static bool is_digit(char c) noexcept { return c >= '0' && c <= '9'; }
    [[nodiscard]] static bool in_name(char c) noexcept {
        return is_digit(c) || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_' ||
               static_cast<unsigned char>(c) >= 0x80;
    }
    void skip_space() noexcept {
        while (at_ < text_.size() && (text_[at_] == ' ' || (text_[at_] >= '\t' && text_[at_] <= '\r'))) ++at_;
    }
    [[nodiscard]] bool take(std::string_view sign) noexcept {
        skip_space();
        if (text_.substr(at_, sign.size()) != sign) return false;
        at_ += sign.size();
        return true;
    }
    [[nodiscard]] bool take_word(std::string_view word) noexcept {
        skip_space();
        if (text_.substr(at_, word.size()) != word) return false;
        if (at_ + word.size() < text_.size() && in_name(text_[at_ + word.size()])) return false;
        at_ += word.size();
        return true;
    }

    // ---- conditions
    [[nodiscard]] attribute_expression condition_of(part&& of, std::size_t at = 0) const {
        if (auto* ready = std::get_if<attribute_expression>(&of); ready != nullptr) return std::move(*ready);
        return placed(at, [&] { return attribute_expression(std::get<attribute_term>(of)); });
    }
    [[nodiscard]] attribute_term term_of(part&& of, std::size_t at) const {
        if (auto* ready = std::get_if<attribute_term>(&of); ready != nullptr) return std::move(*ready);
        fail_at(at, "has a condition where a value was expected,");
    }
    [[nodiscard]] part disjunction() {
        std::size_t at = at_;
        part left = conjunction();
        while (take_word("or") || take("||")) {
            attribute_expression a = condition_of(std::move(left), at);
            at = at_;
            left = placed(at, [&] { return std::move(a) || condition_of(conjunction(), at); });
        }
        return left;
    }
    [[nodiscard]] part conjunction() {
        std::size_t at = at_;
        part left = negation();
        while (take_word("and") || take("&&")) {
            attribute_expression a = condition_of(std::move(left), at);
            at = at_;
            attribute_expression b = condition_of(negation(), at);
            left = placed(at, [&] { return std::move(a) && b; });
        }
        return left;
    }
    [[nodiscard]] part negation() {
        const std::size_t at = at_;
        if (!take_word("not") && !(next_is_not_equal() ? false : take("!"))) return comparison_of();
        const level deeper(*this);
        return !condition_of(negation(), at);
    }
    [[nodiscard]] bool next_is_not_equal() noexcept {
        skip_space();
        return text_.substr(at_, 2) == "!=";
    }
    [[nodiscard]] part comparison_of() {
        skip_space();
        const std::size_t begin = at_;
        part first = sum();
        skip_space();
        const std::size_t at = at_;
        if (take_word("in")) return membership(term_of(std::move(first), begin), at);
        comparison op{};
        if (!take_comparison(op)) return first;
        attribute_term left = term_of(std::move(first), begin);
        skip_space();
        const std::size_t second = at_;
        const attribute_term right = term_of(sum(), second);
        part made = placed(at, [&] { return attribute_expression::compared(op, left, right); });
        if (comparison another{}; take_comparison(another)) fail_at(at_, "compares what was compared already, before");
        return made;
    }
    [[nodiscard]] bool take_comparison(comparison& op) noexcept {
        constexpr std::pair<std::string_view, comparison> signs[] = {
            {"==", comparison::equal},         {"!=", comparison::not_equal}, {"<=", comparison::less_equal},
            {">=", comparison::greater_equal}, {"<", comparison::less},       {">", comparison::greater}};
        for (const auto& [sign, means] : signs)
            if (take(sign)) {
                op = means;
                return true;
            }
        return false;
    }
    /// After `left in`: a list, or a column of tags.
    [[nodiscard]] part membership(const attribute_term& left, std::size_t at) {
        if (take("[")) {
            const std::vector<attribute_value> values = list();
            return placed(at, [&] { return left.one_of(values); });
        }
        skip_space();
        if (at_ == text_.size() || text_[at_] != '.') fail_expected("a list or a column of tags");
        const attribute_term tags = column();
        if (left.what() != attribute_term::kind::string)
            fail_at(at, "has " + left.described() + ", which is no string, before `in " +
                            std::string(describe((*columns_)[tags.column()])) + "`,");
        return placed(at, [&] { return tags.contains(left.text()); });
    }
    [[nodiscard]] std::vector<attribute_value> list() {
        std::vector<attribute_value> values;
        if (take("]")) return values;
        do {
            const bool minus = take("-");
            skip_space();
            if (take_word("true") || take_word("false"))
                values.emplace_back(text_[at_ - 2] == 'u');
            else if (at_ < text_.size() && (text_[at_] == '"' || text_[at_] == '\'') && !minus)
                values.emplace_back(string());
            else if (at_ < text_.size() && (is_digit(text_[at_]) || text_[at_] == '.'))
                values.push_back(number_value(minus));
            else
                fail_expected("a number, a string, true or false");
        } while (take(","));
        if (!take("]")) fail_expected("',' or ']'");
        return values;
    }

    // ---- values
    template <class Make>
    void join(part& left, std::size_t begin, const part& right, std::size_t at, const Make& make) const {
        const attribute_term a = term_of(part(left), begin), b = term_of(part(right), at);
        left = placed(begin, [&] { return make(a, b); });
    }
    [[nodiscard]] part sum() {
        skip_space();
        const std::size_t begin = at_;
        part left = product();
        for (;;) {
            if (take("+"))
                join(left, begin, product(), begin, [](const auto& a, const auto& b) { return a + b; });
            else if (take("-"))
                join(left, begin, product(), begin, [](const auto& a, const auto& b) { return a - b; });
            else
                return left;
        }
    }
    [[nodiscard]] part product() {
        skip_space();
        const std::size_t begin = at_;
        part left = signed_power();
        for (;;) {
            if (next_is_power()) fail_expected("an operator other than a second **");
            if (take("*"))
                join(left, begin, signed_power(), begin, [](const auto& a, const auto& b) { return a * b; });
            else if (take("/"))
                join(left, begin, signed_power(), begin, [](const auto& a, const auto& b) { return a / b; });
            else if (take("%"))
                join(left, begin, signed_power(), begin, [](const auto& a, const auto& b) { return a % b; });
            else
                return left;
        }
    }
    [[nodiscard]] bool next_is_power() noexcept {
        skip_space();
        return text_.substr(at_, 2) == "**";
    }
    /// -a ** b is -(a ** b), and a ** b ** c is a ** (b ** c).
    [[nodiscard]] part signed_power() {
        const level deeper(*this);
        skip_space();
        const std::size_t begin = at_;
        if (take("-")) {
            skip_space();
            if (at_ < text_.size() && is_digit(text_[at_])) {  // so that -2^63 is a whole number
                const std::size_t digits = at_;
                const attribute_value value = number_value(true);
                if (!next_is_power()) return constant(value);
                at_ = digits;
            }
            const attribute_term term = term_of(signed_power(), begin);
            return placed(begin, [&] { return -term; });
        }
        part left = primary();
        if (take("**"))
            join(left, begin, signed_power(), begin, [](const auto& a, const auto& b) { return pow(a, b); });
        return left;
    }
    [[nodiscard]] part primary() {
        skip_space();
        if (take("(")) {
            part inner = disjunction();
            if (!take(")")) fail_expected("')'");
            return inner;
        }
        if (at_ < text_.size()) {
            const char c = text_[at_];
            if (c == '"' || c == '\'') return attribute_term(string());
            if (c == '.' && at_ + 1 < text_.size() && in_name(text_[at_ + 1]) && !is_digit(text_[at_ + 1]))
                return column();
            if (is_digit(c) || c == '.') return constant(number_value(false));
            if (take_word("true")) return attribute_term(true);
            if (take_word("false")) return attribute_term(false);
            if (take_word("null")) return attribute_term(nullptr);
        }
        fail_expected("a column such as .name, a number, a string, true, false, null, or '('");
    }
    [[nodiscard]] static attribute_term constant(const attribute_value& value) {
        if (const auto* whole = std::get_if<std::int64_t>(&value.get()); whole != nullptr) return {*whole};
        return {*std::get_if<double>(&value.get())};
    }
    [[nodiscard]] attribute_term column() {
        const std::size_t begin = at_++;
        while (at_ < text_.size() && in_name(text_[at_])) ++at_;
        return placed(begin, [&]() -> attribute_term {
            return {columns_, column_named(*columns_, text_.substr(begin + 1, at_ - begin - 1))};
        });
    }
    /// A string between two quotes of one kind; \n, \t and \r are what they are in C, and of \ and any other character
    /// only that character stays.
    [[nodiscard]] std::string string() {
        const std::size_t begin = at_;
        const char quote = text_[at_++];
        std::string value;
        for (; at_ < text_.size(); ++at_) {
            char c = text_[at_];
            if (c == quote) {
                ++at_;
                return value;
            }
            if (c == '\\' && at_ + 1 < text_.size()) {
                c = text_[++at_];
                c = c == 'n' ? '\n' : c == 't' ? '\t' : c == 'r' ? '\r' : c;
            }
            value += c;
        }
        fail_at(begin, "has a string without an end");
    }
    /// A whole number if it is written as one and 64 bits hold it, else a double.
    [[nodiscard]] attribute_value number_value(bool minus) {
        const std::size_t begin = at_;
        const auto skip_digits = [&] {
            while (at_ < text_.size() && is_digit(text_[at_])) ++at_;
        };
        skip_digits();
        bool whole = true;
        if (at_ < text_.size() && text_[at_] == '.') {
            whole = false;
            ++at_;
            skip_digits();
        }
        if (at_ < text_.size() && (text_[at_] == 'e' || text_[at_] == 'E')) {
            whole = false;
            ++at_;
            if (at_ < text_.size() && (text_[at_] == '-' || text_[at_] == '+')) ++at_;
            skip_digits();
        }
        const std::string written = (minus ? "-" : "") + std::string(text_.substr(begin, at_ - begin));
        if (at_ < text_.size() && (in_name(text_[at_]) || text_[at_] == '.')) fail_at(begin, "has a malformed number");
        std::int64_t integer = 0;
        const auto end = written.data() + written.size();
        if (const auto got = std::from_chars(written.data(), end, integer);
            whole && got.ec == std::errc() && got.ptr == end)
            return integer;
        return real_of(written, begin);
    }
    /// Reads a double as in C, whatever the program's locale is. (std::from_chars of doubles is missing from libc++.)
    [[nodiscard]] double real_of(const std::string& written, std::size_t begin) const {
        std::istringstream stream(written);
        stream.imbue(std::locale::classic());
        double value = 0;
        stream >> value;
        if (stream.fail() || stream.peek() != std::istringstream::traits_type::eof())
            fail_at(begin, "has a number that is malformed or beyond what a double holds");
        return value;
    }

    std::string_view text_;
    const column_list& columns_;
    std::size_t at_ = 0;
    std::size_t depth_ = 0;
};

/// The expression that `text` says of these columns.
[[nodiscard]] inline attribute_expression expression_of(std::string_view text, const column_list& columns) {
    return expression_parser(text, columns).parse();
}

}  // namespace detail

VICINAL_NAMESPACE_END
