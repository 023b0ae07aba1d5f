// SPDX-License-Identifier: MIT
// flat_index with the combinations that every build tests.
#include "contract/subject.hpp"
#include "vicinal/flat.hpp"

namespace {
const vicinal_test::essential<vicinal::flat_index> entered("flat");
}
