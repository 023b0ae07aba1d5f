// SPDX-License-Identifier: MIT
// The calls of Windows that files need are declared here because <windows.h> would bring thousands of macros with it.
#pragma once

#if defined(_WIN32)

#include <io.h>  // for _get_osfhandle, _open_osfhandle

#include <cerrno>        // for EACCES and the others
#include <cstddef>       // for size_t, offsetof
#include <cstdint>       // for intptr_t
#include <cstring>       // for memcpy
#include <filesystem>    // for path, absolute
#include <string>        // for wstring
#include <system_error>  // for error_code
#include <vector>        // for vector

#include "vicinal/core/config.hpp"

// These names are in the global namespace, as <windows.h> has them: a program may include both, in any order.
struct _SECURITY_ATTRIBUTES;
struct HINSTANCE__;

VICINAL_NAMESPACE_BEGIN
namespace detail::windows {

using handle = void*;
using dword = unsigned long;
using procedure = std::intptr_t(__stdcall*)();
#if defined(_WIN64)
using size_type = unsigned long long;
#else
using size_type = unsigned long;
#endif

// These are the same functions as those of <windows.h>, as all C functions of one name are, in whatever namespace.
extern "C" {
__declspec(dllimport) handle
    __stdcall CreateFileW(const wchar_t*, dword, dword, ::_SECURITY_ATTRIBUTES*, dword, dword, handle);
__declspec(dllimport) handle
    __stdcall CreateFileMappingW(handle, ::_SECURITY_ATTRIBUTES*, dword, dword, dword, const wchar_t*);
__declspec(dllimport) void* __stdcall MapViewOfFile(handle, dword, dword, dword, size_type);
__declspec(dllimport) int __stdcall UnmapViewOfFile(const void*);
__declspec(dllimport) int __stdcall CloseHandle(handle);
__declspec(dllimport) int __stdcall MoveFileExW(const wchar_t*, const wchar_t*, dword);
__declspec(dllimport) dword __stdcall GetLastError();
__declspec(dllimport)::HINSTANCE__* __stdcall GetModuleHandleW(const wchar_t*);
__declspec(dllimport) procedure __stdcall GetProcAddress(::HINSTANCE__*, const char*);
}

// The values are those of <windows.h>, whose macros have other names.
inline constexpr dword generic_read = 0x80000000;
inline constexpr dword generic_write = 0x40000000;
inline constexpr dword delete_access = 0x00010000;
inline constexpr dword share_all = 0x1 | 0x2 | 0x4;  // FILE_SHARE_READ, _WRITE, _DELETE
inline constexpr dword open_existing = 3;
inline constexpr dword attribute_normal = 0x80;
inline constexpr dword write_through = 0x80000000;
inline constexpr dword delete_on_close = 0x04000000;
inline constexpr dword open_reparse_point = 0x00200000;

[[nodiscard]] inline bool valid(handle file) noexcept { return reinterpret_cast<std::intptr_t>(file) != -1; }

/// Returns the errno that stands for what GetLastError() said.
[[nodiscard]] inline int errno_of(dword code) noexcept {
    switch (code) {
        case 2:                         // ERROR_FILE_NOT_FOUND
        case 3:                         // ERROR_PATH_NOT_FOUND
        case 53:                        // ERROR_BAD_NETPATH
        case 123:                       // ERROR_INVALID_NAME
        case 161: return ENOENT;        // ERROR_BAD_PATHNAME
        case 4: return EMFILE;          // ERROR_TOO_MANY_OPEN_FILES
        case 5:                         // ERROR_ACCESS_DENIED
        case 19: return EACCES;         // ERROR_WRITE_PROTECT
        case 32:                        // ERROR_SHARING_VIOLATION
        case 33:                        // ERROR_LOCK_VIOLATION
        case 303:                       // ERROR_DELETE_PENDING
        case 1224: return EBUSY;        // ERROR_USER_MAPPED_FILE
        case 8:                         // ERROR_NOT_ENOUGH_MEMORY
        case 14:                        // ERROR_OUTOFMEMORY
        case 1455: return ENOMEM;       // ERROR_COMMITMENT_LIMIT
        case 17: return EXDEV;          // ERROR_NOT_SAME_DEVICE
        case 39:                        // ERROR_HANDLE_DISK_FULL
        case 112: return ENOSPC;        // ERROR_DISK_FULL
        case 80:                        // ERROR_FILE_EXISTS
        case 183: return EEXIST;        // ERROR_ALREADY_EXISTS
        case 206: return ENAMETOOLONG;  // ERROR_FILENAME_EXCED_RANGE
        default: return EIO;
    }
}
[[nodiscard]] inline int last_errno() noexcept { return errno_of(GetLastError()); }

/// Opens a handle of the file at `path`, which exists; others may meanwhile do with it what `share` says.
[[nodiscard]] inline handle open(const std::filesystem::path& path, dword access, dword share, dword flags) noexcept {
    return CreateFileW(path.c_str(), access, share, nullptr, open_existing, flags, nullptr);
}

/// Opens a descriptor for reading the file at `path`, which others may meanwhile write to, rename and replace. Returns
/// -1, and sets errno, if that fails.
[[nodiscard]] inline int open_to_read(const std::filesystem::path& path) noexcept {
    const handle file = open(path, generic_read, share_all, attribute_normal);
    if (!valid(file)) {
        errno = last_errno();
        return -1;
    }
    constexpr int binary_not_inherited = 0x8000 | 0x0080;  // _O_BINARY | _O_NOINHERIT
    const int descriptor = _open_osfhandle(reinterpret_cast<std::intptr_t>(file), binary_not_inherited);
    if (descriptor < 0) CloseHandle(file);
    return descriptor;
}

/// Says, of a file that could not be replaced, whether that is because somebody has it open, not for want of rights.
[[nodiscard]] inline bool in_use(const std::filesystem::path& path) noexcept {
    const handle file = open(path, generic_write | delete_access, share_all, attribute_normal);
    if (!valid(file)) return last_errno() == EBUSY;
    CloseHandle(file);
    return true;
}

/// Maps the first `size` bytes of an open file until UnmapViewOfFile; the descriptor may be closed. Returns null, and
/// sets errno, if that fails.
[[nodiscard]] inline const std::byte* map(int descriptor, std::size_t size) noexcept {
    constexpr dword page_readonly = 0x02;
    constexpr dword file_map_read = 0x0004;
    const auto file = reinterpret_cast<handle>(_get_osfhandle(descriptor));
    const handle mapping = CreateFileMappingW(file, nullptr, page_readonly, 0, 0, nullptr);
    const void* const at = mapping == nullptr ? nullptr : MapViewOfFile(mapping, file_map_read, 0, 0, size);
    if (at == nullptr) errno = last_errno();
    if (mapping != nullptr) CloseHandle(mapping);  // the view keeps it
    return static_cast<const std::byte*>(at);
}

/// Calls SetFileInformationByHandle, whose parameter is of an enumeration that only <windows.h> can declare.
inline bool set_information(handle file, int what, void* data, std::size_t size) noexcept {
    using function = int(__stdcall*)(handle, int, void*, dword);
    static const auto set = reinterpret_cast<function>(
        reinterpret_cast<void (*)()>(GetProcAddress(GetModuleHandleW(L"kernel32"), "SetFileInformationByHandle")));
    return set != nullptr && set(file, what, data, static_cast<dword>(size)) != 0;
}

/// Gives `from` the name of `to` as POSIX does it: a file of that name vanishes at once, also one that is open or
/// mapped, and stays whole for those who have it. NTFS can since Windows 10 1709. Returns 0 or an errno.
[[nodiscard]] inline int rename_over_open(const std::filesystem::path& from, const std::filesystem::path& to) {
    struct rename_information {  // FILE_RENAME_INFO
        dword flags;
        handle root;
        dword name_bytes;
        wchar_t name[1];
    };
    std::error_code code;
    const std::wstring name = std::filesystem::absolute(to, code).wstring();
    if (code) return EIO;
    std::vector<std::byte> room(sizeof(rename_information) + name.size() * sizeof(wchar_t));
    rename_information head{};
    head.flags = 0x1 | 0x2;  // FILE_RENAME_FLAG_REPLACE_IF_EXISTS, _POSIX_SEMANTICS
    head.name_bytes = static_cast<dword>(name.size() * sizeof(wchar_t));
    std::memcpy(room.data(), &head, sizeof head);
    std::memcpy(room.data() + offsetof(rename_information, name), name.c_str(), head.name_bytes);
    const handle file = open(from, delete_access, share_all, attribute_normal | write_through);
    if (!valid(file)) return last_errno();
    constexpr int file_rename_information_ex = 22;
    const int failed = set_information(file, file_rename_information_ex, room.data(), room.size()) ? 0 : last_errno();
    CloseHandle(file);
    return failed;
}

}  // namespace detail::windows
VICINAL_NAMESPACE_END

#endif
