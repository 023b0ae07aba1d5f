// SPDX-License-Identifier: MIT
// ivf_index with the combinations that every build tests.
#include "contract/subject.hpp"
#include "vicinal/ivf.hpp"

namespace {
const vicinal_test::essential<vicinal::ivf_index> entered("ivf");
}
