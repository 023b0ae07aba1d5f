// SPDX-License-Identifier: MIT
// The one source of vicinal's version: CMake, the package files and the inline namespace all read it here.
#pragma once

#define VICINAL_VERSION_MAJOR 0
#define VICINAL_VERSION_MINOR 1
#define VICINAL_VERSION_PATCH 0
