// SPDX-License-Identifier: MIT
// Macros of the names that <windows.h>, <rpcndr.h>, <dlgs.h>, <winsock2.h> and Microsoft's <math.h> make macros of and
// that somebody might give to a variable, a constant or a function. Each becomes what compiles nowhere, so that no
// header included behind this one can use the name. What vicinal includes of others is included here first.
#pragma once

// clang-format off
#include <algorithm>
#include <array>
#include <atomic>
#include <bit>
#include <cerrno>
#include <chrono>
#include <cmath>
#include <concepts>
#include <condition_variable>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <cstring>
#include <ctime>
#include <exception>
#include <filesystem>
#include <functional>
#include <initializer_list>
#include <ios>
#include <istream>
#include <iterator>
#include <limits>
#include <memory>
#include <mutex>
#include <new>
#include <numeric>
#include <optional>
#include <ostream>
#include <queue>
#include <random>
#include <ranges>
#include <set>
#include <shared_mutex>
#include <span>
#include <stdexcept>
#include <string>
#include <string_view>
#include <system_error>
#include <thread>
#include <type_traits>
#include <unordered_map>
#include <unordered_set>
#include <utility>
#include <variant>
#include <vector>
#include <version>
#include <Eigen/Core>
#include <xsimd/xsimd.hpp>
#if __has_include(<stop_token>)
#include <stop_token>
#endif
#if defined(__x86_64__) || defined(__i386__)
#include <immintrin.h>
#endif
#if __has_include(<unistd.h>)
#include <dirent.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <sys/types.h>
#include <unistd.h>
#endif
#if defined(__linux__)
#include <sys/auxv.h>
#include <sys/file.h>
#include <sys/mman.h>
#include <sys/xattr.h>
#endif

// A function's name alone is no call of a macro with parameters: (std::min)(a, b).
#undef min
#undef max
#define min(a, b) ]a_macro_of_windows_h[
#define max(a, b) ]a_macro_of_windows_h[
#undef near
#define near ]a_macro_of_windows_h[
#undef far
#define far ]a_macro_of_windows_h[
#undef small
#define small ]a_macro_of_windows_h[
#undef hyper
#define hyper ]a_macro_of_windows_h[
#undef interface
#define interface ]a_macro_of_windows_h[
#undef pascal
#define pascal ]a_macro_of_windows_h[
#undef cdecl
#define cdecl ]a_macro_of_windows_h[
#undef environ
#define environ ]a_macro_of_windows_h[
#undef boolean_from_ndr
#define boolean_from_ndr ]a_macro_of_windows_h[
#undef uuid_t
#define uuid_t ]a_macro_of_windows_h[
#undef s_addr
#define s_addr ]a_macro_of_windows_h[
#undef s_net
#define s_net ]a_macro_of_windows_h[
#undef s_host
#define s_host ]a_macro_of_windows_h[
#undef s_lh
#define s_lh ]a_macro_of_windows_h[
#undef s_imp
#define s_imp ]a_macro_of_windows_h[
#undef s_impno
#define s_impno ]a_macro_of_windows_h[
#undef h_addr
#define h_addr ]a_macro_of_windows_h[
#undef h_errno
#define h_errno ]a_macro_of_windows_h[
#undef grp1
#define grp1 ]a_macro_of_windows_h[
#undef grp2
#define grp2 ]a_macro_of_windows_h[
#undef rad1
#define rad1 ]a_macro_of_windows_h[
#undef rad2
#define rad2 ]a_macro_of_windows_h[
#undef psh1
#define psh1 ]a_macro_of_windows_h[
#undef psh2
#define psh2 ]a_macro_of_windows_h[
#undef chx1
#define chx1 ]a_macro_of_windows_h[
#undef chx2
#define chx2 ]a_macro_of_windows_h[
#undef edt1
#define edt1 ]a_macro_of_windows_h[
#undef lst1
#define lst1 ]a_macro_of_windows_h[
#undef lst2
#define lst2 ]a_macro_of_windows_h[
#undef cmb1
#define cmb1 ]a_macro_of_windows_h[
#undef stc1
#define stc1 ]a_macro_of_windows_h[
#undef stc2
#define stc2 ]a_macro_of_windows_h[
#undef scr1
#define scr1 ]a_macro_of_windows_h[
#undef ico1
#define ico1 ]a_macro_of_windows_h[
#undef frm1
#define frm1 ]a_macro_of_windows_h[
#undef rct1
#define rct1 ]a_macro_of_windows_h[
#undef rct2
#define rct2 ]a_macro_of_windows_h[
#undef ctl1
#define ctl1 ]a_macro_of_windows_h[
#undef exception_code
#define exception_code ]a_macro_of_windows_h[
#undef exception_info
#define exception_info ]a_macro_of_windows_h[
#undef abnormal_termination
#define abnormal_termination ]a_macro_of_windows_h[
#undef NEAR
#define NEAR ]a_macro_of_windows_h[
#undef FAR
#define FAR ]a_macro_of_windows_h[
#undef IN
#define IN ]a_macro_of_windows_h[
#undef OUT
#define OUT ]a_macro_of_windows_h[
#undef OPTIONAL
#define OPTIONAL ]a_macro_of_windows_h[
#undef CONST
#define CONST ]a_macro_of_windows_h[
#undef VOID
#define VOID ]a_macro_of_windows_h[
#undef TRUE
#define TRUE ]a_macro_of_windows_h[
#undef FALSE
#define FALSE ]a_macro_of_windows_h[
#undef ERROR
#define ERROR ]a_macro_of_windows_h[
#undef DELETE
#define DELETE ]a_macro_of_windows_h[
#undef THIS
#define THIS ]a_macro_of_windows_h[
#undef PURE
#define PURE ]a_macro_of_windows_h[
#undef STRICT
#define STRICT ]a_macro_of_windows_h[
#undef ABSOLUTE
#define ABSOLUTE ]a_macro_of_windows_h[
#undef RELATIVE
#define RELATIVE ]a_macro_of_windows_h[
#undef OPAQUE
#define OPAQUE ]a_macro_of_windows_h[
#undef TRANSPARENT
#define TRANSPARENT ]a_macro_of_windows_h[
#undef WINDING
#define WINDING ]a_macro_of_windows_h[
#undef ALTERNATE
#define ALTERNATE ]a_macro_of_windows_h[
#undef DIFFERENCE
#define DIFFERENCE ]a_macro_of_windows_h[
#undef PLANES
#define PLANES ]a_macro_of_windows_h[
#undef TECHNOLOGY
#define TECHNOLOGY ]a_macro_of_windows_h[
#undef CALLBACK
#define CALLBACK ]a_macro_of_windows_h[
#undef APIENTRY
#define APIENTRY ]a_macro_of_windows_h[
#undef PASCAL
#define PASCAL ]a_macro_of_windows_h[
#undef CDECL
#define CDECL ]a_macro_of_windows_h[
#undef FASTCALL
#define FASTCALL ]a_macro_of_windows_h[
#undef FORCEINLINE
#define FORCEINLINE ]a_macro_of_windows_h[
#undef INFINITE
#define INFINITE ]a_macro_of_windows_h[
#undef IGNORE
#define IGNORE ]a_macro_of_windows_h[
#undef SYNCHRONIZE
#define SYNCHRONIZE ]a_macro_of_windows_h[
#undef REGISTERED
#define REGISTERED ]a_macro_of_windows_h[
#undef REGISTERING
#define REGISTERING ]a_macro_of_windows_h[
#undef DOMAIN
#define DOMAIN ]a_macro_of_windows_h[
#undef OVERFLOW
#define OVERFLOW ]a_macro_of_windows_h[
#undef UNDERFLOW
#define UNDERFLOW ]a_macro_of_windows_h[
#undef WHITENESS
#define WHITENESS ]a_macro_of_windows_h[
#undef BLACKNESS
#define BLACKNESS ]a_macro_of_windows_h[
#undef PASSTHROUGH
#define PASSTHROUGH ]a_macro_of_windows_h[
#undef DEVICEDATA
#define DEVICEDATA ]a_macro_of_windows_h[
#undef NOERROR
#define NOERROR ]a_macro_of_windows_h[
#undef MAXUINT
#define MAXUINT ]a_macro_of_windows_h[
#undef MAXLONG
#define MAXLONG ]a_macro_of_windows_h[
#undef MAXBYTE
#define MAXBYTE ]a_macro_of_windows_h[
#undef MAXWORD
#define MAXWORD ]a_macro_of_windows_h[
#undef MAXSHORT
#define MAXSHORT ]a_macro_of_windows_h[
#undef MAXCHAR
#define MAXCHAR ]a_macro_of_windows_h[
#undef Yield
#define Yield ]a_macro_of_windows_h[
#undef GetObject
#define GetObject ]a_macro_of_windows_h[
#undef GetMessage
#define GetMessage ]a_macro_of_windows_h[
#undef GetProp
#define GetProp ]a_macro_of_windows_h[
#undef SetProp
#define SetProp ]a_macro_of_windows_h[
#undef GetJob
#define GetJob ]a_macro_of_windows_h[
#undef SetJob
#define SetJob ]a_macro_of_windows_h[
#undef AddJob
#define AddJob ]a_macro_of_windows_h[
#undef AddForm
#define AddForm ]a_macro_of_windows_h[
#undef GetForm
#define GetForm ]a_macro_of_windows_h[
#undef SetForm
#define SetForm ]a_macro_of_windows_h[
#undef CreateFile
#define CreateFile ]a_macro_of_windows_h[
#undef CopyFile
#define CopyFile ]a_macro_of_windows_h[
#undef MoveFile
#define MoveFile ]a_macro_of_windows_h[
#undef DeleteFile
#define DeleteFile ]a_macro_of_windows_h[
#undef ReplaceFile
#define ReplaceFile ]a_macro_of_windows_h[
#undef CreateEvent
#define CreateEvent ]a_macro_of_windows_h[
#undef OpenEvent
#define OpenEvent ]a_macro_of_windows_h[
#undef CopyMemory
#define CopyMemory ]a_macro_of_windows_h[
#undef MoveMemory
#define MoveMemory ]a_macro_of_windows_h[
#undef FillMemory
#define FillMemory ]a_macro_of_windows_h[
#undef ZeroMemory
#define ZeroMemory ]a_macro_of_windows_h[
#undef SearchPath
#define SearchPath ]a_macro_of_windows_h[
#undef FindText
#define FindText ]a_macro_of_windows_h[
#undef ReplaceText
#define ReplaceText ]a_macro_of_windows_h[
#undef FindResource
#define FindResource ]a_macro_of_windows_h[
#undef LoadImage
#define LoadImage ]a_macro_of_windows_h[
#undef LoadString
#define LoadString ]a_macro_of_windows_h[
#undef DrawText
#define DrawText ]a_macro_of_windows_h[
#undef TextOut
#define TextOut ]a_macro_of_windows_h[
#undef PlaySound
#define PlaySound ]a_macro_of_windows_h[
#undef SendMessage
#define SendMessage ]a_macro_of_windows_h[
#undef PostMessage
#define PostMessage ]a_macro_of_windows_h[
#undef CompareString
#define CompareString ]a_macro_of_windows_h[
#undef MemoryBarrier
#define MemoryBarrier ]a_macro_of_windows_h[
#undef BitTest
#define BitTest ]a_macro_of_windows_h[
#undef MultiplyHigh
#define MultiplyHigh ]a_macro_of_windows_h[
#undef CreateProcess
#define CreateProcess ]a_macro_of_windows_h[
#undef CreateDirectory
#define CreateDirectory ]a_macro_of_windows_h[
#undef RemoveDirectory
#define RemoveDirectory ]a_macro_of_windows_h[
