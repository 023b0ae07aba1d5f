// SPDX-License-Identifier: MIT
// How many types of index a test of many takes. By default each metric meets each family of codecs, and both meet each
// index, in as few types as that takes. VICINAL_TEST_ALL_TYPES (the CMake option of that name, the campaigns) asks for
// every product. VICINAL_TEST_REDUCED, where a sanitizer makes every type minutes of compiling, for those that reach
// all code paths.
#pragma once

#if !defined(VICINAL_TEST_ALL_TYPES)
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define VICINAL_TEST_REDUCED
#endif
#if defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer)
#define VICINAL_TEST_REDUCED
#endif
#endif
#endif
