// SPDX-License-Identifier: MIT
// flat_index, for the soak.
#include "contract/subject.hpp"
#include "vicinal/flat.hpp"

namespace {
using namespace vicinal_test;
const registered<vicinal::flat_index, combination<l2, f32>, combination<l2, sq8>, combination<l2, sq8_then_f32>,
                 combination<l2, vicinal::rabitq<4>>>
    entered("flat");
}  // namespace
