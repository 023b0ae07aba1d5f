// SPDX-License-Identifier: MIT
// The one source of vicinal's version: CMake, the package files and the inline namespace all read it here.
#pragma once

#define VICINAL_VERSION_MAJOR 0
#define VICINAL_VERSION_MINOR 1
#define VICINAL_VERSION_PATCH 0

// Everything lives in an inline namespace named after the minor version, so that two objects built against
// incompatible releases fail to link instead of sharing one symbol for two layouts.
#define VICINAL_DETAIL_NS_2(major, minor) v##major##_##minor
#define VICINAL_DETAIL_NS_1(major, minor) VICINAL_DETAIL_NS_2(major, minor)
#define VICINAL_NAMESPACE_BEGIN \
    namespace vicinal {         \
    inline namespace VICINAL_DETAIL_NS_1(VICINAL_VERSION_MAJOR, VICINAL_VERSION_MINOR) {
#define VICINAL_NAMESPACE_END \
    }                         \
    }
