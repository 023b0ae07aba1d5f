// SPDX-License-Identifier: MIT
// The codecs of vicinal: f32, f16, bf16, i8, u8, sq8, sq4, pq, rabitq, bits, prefix, and two_level to join two of them.
// pca8 needs Eigen and is included apart, as vicinal/codec/pca8/pca8.hpp.
#pragma once

#include "vicinal/codec/bits.hpp"       // IWYU pragma: export
#include "vicinal/codec/byte.hpp"       // IWYU pragma: export
#include "vicinal/codec/f32.hpp"        // IWYU pragma: export
#include "vicinal/codec/half.hpp"       // IWYU pragma: export
#include "vicinal/codec/pq/pq.hpp"      // IWYU pragma: export
#include "vicinal/codec/prefix.hpp"     // IWYU pragma: export
#include "vicinal/codec/rabitq.hpp"     // IWYU pragma: export
#include "vicinal/codec/sq/sq4.hpp"     // IWYU pragma: export
#include "vicinal/codec/sq/sq8.hpp"     // IWYU pragma: export
#include "vicinal/codec/two_level.hpp"  // IWYU pragma: export
