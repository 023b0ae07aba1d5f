// SPDX-License-Identifier: MIT
// The kernels of level baseline: what every processor of the architecture has, or what the flags of the whole program allow. It takes no flags of its own.
#define VICINAL_DISPATCH_LEVEL baseline
#include "kernels.hpp"
