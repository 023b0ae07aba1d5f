# SPDX-License-Identifier: MIT
"""Integer kernels of 512 bits: a machine without AVX-512 and VNNI leaves them out."""
GROUPS = {}
BUGS = [
    ("what lies behind a row counts in wide lists", "words", "simd/avx512/integer.hpp",
     "return _mm256_maskz_loadu_epi8(wanted, p);", "return load_256(p);"),
    ("the second weights of a wide register are the first", "words", "simd/avx512/integer.hpp",
     "load_256(p + 32), 1)", "load_256(p), 1)"),
    ("wide squares of half bytes stay times four", "words", "simd/avx512/integer.hpp",
     "_mm_srai_epi32(_mm_loadu_si128(at), 2)", "_mm_srai_epi32(_mm_loadu_si128(at), 0)"),
    ("upper halves of bytes are moved too far", "words", "simd/avx512/integer.hpp",
     "_mm512_setr_epi64(2, 2, 2, 2, 62, 62, 62, 62)", "_mm512_setr_epi64(2, 2, 2, 2, 61, 62, 62, 62)"),
    ("the half byte behind an odd dimension counts in a wide register", "words", "simd/avx512/integer.hpp",
     "(std::uint64_t{1} << count / 2) - 1", "(std::uint64_t{1} << (count + 1) / 2) - 1"),
    ("a second group meets the first one's query", "words", "simd/avx512/integer_scan.hpp",
     "load_twice(row + 32), q + components)", "load_twice(row + 32), q)"),
    ("sums at the limit are ruled out in wide scans", "words", "simd/avx512/integer_scan.hpp",
     "_mm512_cmple_epi32_mask(some, bound)", "_mm512_cmplt_epi32_mask(some, bound)"),
]
