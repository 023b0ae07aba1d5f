// SPDX-License-Identifier: MIT
// NumPy's .npy files, format versions 1 to 3: two-dimensional, C order, little-endian, numbers only.
#pragma once

#include <array>        // for array
#include <charconv>     // for from_chars
#include <optional>     // for optional
#include <string>       // for string
#include <string_view>  // for string_view
#include <utility>      // for pair
#include <vector>       // for vector

#include "element.hpp"

namespace bench {

struct npy_header {
    element type = element::f4;
    std::uint64_t rows = 0;
    std::uint64_t dim = 0;
};

namespace detail {

/// Reads the Python dictionary in the header: strings, True, False and a tuple of integers, no more.
class npy_header_parser {
  public:
    npy_header_parser(std::string_view text, const input_file& file) : rest_(text), file_(file) {}

    npy_header parse() {
        expect('{');
        while (!accept('}')) {
            const std::string_view key = string();
            expect(':');
            if (key == "descr")
                set(descr_, descr());
            else if (key == "fortran_order")
                set(fortran_order_, boolean());
            else if (key == "shape")
                set(shape_, tuple());
            else
                file_.refuse("npy header has an unknown key '" + std::string(key) + "'");
            if (!accept(',')) {
                expect('}');
                break;
            }
        }
        skip_spaces();
        if (!rest_.empty()) malformed();
        if (!descr_ || !fortran_order_ || !shape_) file_.refuse("npy header lacks descr, fortran_order or shape");
        return checked();
    }

  private:
    [[noreturn]] void malformed() const {
        file_.refuse("npy header is malformed before '" + std::string(rest_.substr(0, 20)) + "'");
    }

    npy_header checked() const {
        if (*fortran_order_) file_.refuse("npy array is in Fortran order; save it in C order");
        if (shape_->size() != 2)
            file_.refuse("npy array has " + std::to_string(shape_->size()) + " dimensions, it must have 2");
        return {element_of(*descr_), (*shape_)[0], (*shape_)[1]};
    }

    element element_of(std::string_view descr) const {
        constexpr std::array<std::pair<std::string_view, element>, 8> known{{{"<f4", element::f4},
                                                                             {"<f2", element::f2},
                                                                             {"|u1", element::u1},
                                                                             {"|i1", element::i1},
                                                                             {"<u4", element::u4},
                                                                             {"<i4", element::i4},
                                                                             {"<u8", element::u8},
                                                                             {"<i8", element::i8}}};
        for (const auto& [name, type] : known)
            if (name == descr) return type;
        if (descr.find('O') != std::string_view::npos)
            file_.refuse("npy array holds pickled Python objects, which are never read");
        file_.refuse("npy type is '" + std::string(descr) +
                     "', it must be little-endian <f4, <f2, |u1 or |i1 (row numbers: <u4, <i4, <u8 or <i8)");
    }

    template <class T>
    void set(std::optional<T>& field, T value) const {
        if (field) file_.refuse("npy header gives a key twice");
        field = std::move(value);
    }

    std::string_view descr() {
        skip_spaces();
        if (!rest_.empty() && rest_.front() == '[')
            file_.refuse("npy array has a structured type, it must hold plain numbers");
        return string();
    }

    std::string_view string() {
        skip_spaces();
        if (rest_.empty() || (rest_.front() != '\'' && rest_.front() != '"')) malformed();
        const std::size_t end = rest_.find(rest_.front(), 1);
        if (end == std::string_view::npos) malformed();
        const std::string_view value = rest_.substr(1, end - 1);
        rest_.remove_prefix(end + 1);
        return value;
    }

    bool boolean() {
        skip_spaces();
        for (const auto& [word, value] : {std::pair<std::string_view, bool>{"True", true}, {"False", false}}) {
            if (!rest_.starts_with(word)) continue;
            rest_.remove_prefix(word.size());
            return value;
        }
        malformed();
    }

    std::vector<std::uint64_t> tuple() {
        std::vector<std::uint64_t> values;
        expect('(');
        while (!accept(')')) {
            skip_spaces();
            std::uint64_t value = 0;
            const auto [end, failed] = std::from_chars(rest_.data(), rest_.data() + rest_.size(), value);
            if (failed != std::errc{}) malformed();
            rest_.remove_prefix(static_cast<std::size_t>(end - rest_.data()));
            values.push_back(value);
            if (!accept(',')) {
                expect(')');
                break;
            }
        }
        return values;
    }

    void skip_spaces() {
        const std::size_t first = rest_.find_first_not_of(" \n\t");
        rest_.remove_prefix(first == std::string_view::npos ? rest_.size() : first);
    }
    bool accept(char wanted) {
        skip_spaces();
        if (rest_.empty() || rest_.front() != wanted) return false;
        rest_.remove_prefix(1);
        return true;
    }
    void expect(char wanted) {
        if (!accept(wanted)) malformed();
    }

    std::string_view rest_;
    const input_file& file_;
    std::optional<std::string_view> descr_;
    std::optional<bool> fortran_order_;
    std::optional<std::vector<std::uint64_t>> shape_;
};

/// Reads magic, version and dictionary; the file then stands at the first value.
[[nodiscard]] inline npy_header read_npy_header(input_file& file) {
    constexpr std::size_t longest_header = 1U << 20;
    std::array<std::byte, 8> start{};
    file.read(start);
    constexpr std::array<unsigned, 6> magic{0x93, 'N', 'U', 'M', 'P', 'Y'};
    for (std::size_t i = 0; i < magic.size(); ++i)
        if (std::to_integer<unsigned>(start[i]) != magic[i]) file.refuse("is no npy file: its first bytes differ");
    const auto version = std::to_integer<unsigned>(start[6]);
    if (version < 1 || version > 3)
        file.refuse("npy format version is " + std::to_string(version) + ", it must be 1, 2 or 3");
    std::array<std::byte, 4> length_bytes{};
    file.read(std::span(length_bytes).first(version == 1 ? 2 : 4));
    const auto length = load_little<std::uint32_t>(length_bytes.data());
    if (length > longest_header || length > file.remaining())
        file.refuse("npy header announces " + std::to_string(length) + " bytes, " + std::to_string(file.remaining()) +
                    " are left");
    std::string text(length, '\0');
    file.read(std::as_writable_bytes(std::span(text)));
    return npy_header_parser(text, file).parse();
}

}  // namespace detail

/// A .npy array as vectors (T = float) or row numbers (T = std::uint32_t).
template <class T>
[[nodiscard]] matrix<T> read_npy(const std::filesystem::path& path) {
    input_file file(path);
    const npy_header header = detail::read_npy_header(file);
    if (!accepts<T>(header.type))
        file.refuse(std::same_as<T, float> ? "npy array holds wide integers, vectors must be <f4, <f2, |u1 or |i1"
                                           : "npy array holds components, row numbers must be <u4, <i4, <u8 or <i8");
    return read_matrix<T>(file, header.type, header.rows, header.dim);
}

}  // namespace bench
