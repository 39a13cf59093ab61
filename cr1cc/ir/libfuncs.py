"""Functions that LLVM's passes know by name, even where the module defines them.

`TargetLibraryInfo` recognises a function by name and prototype, and loop idiom
recognition asks whether the function at hand is itself one (so that `memset` is
not made to call `memset`). The name of such a function is part of a fingerprint.
The table is the C standard library (ISO C11, clause 7), the POSIX functions that
TargetLibraryInfo holds, and prefixes for what is reserved to the implementation.
"""

from __future__ import annotations

# Reserved names (`__memcpy_chk`, `__cxa_…`, `__sinpi`), C++ operator new and delete,
# C++ names of Microsoft's ABI, names spelled by asm labels.
_PREFIXES = ("__", "_IO_", "_Zda", "_Zdl", "_Zna", "_Znw", "?", "\x01")

# Each stands for itself and for its variants for float (f) and long double (l).
_MATH = frozenset(
    """
    acos acosh asin asinh atan atan2 atanh cabs cbrt ceil copysign cos cosh cospi erf erfc exp
    exp10 exp2 expm1 fabs fdim floor fma fmax fmaximum_num fmin fminimum_num fmod frexp hypot
    ilogb ldexp lgamma llrint llround log log10 log1p log2 logb lrint lround modf nan nearbyint
    nextafter nexttoward pow remainder remquo rint round roundeven scalbln scalbn sin sincos
    sincospi sinh sinpi sqrt tan tanh tanpi tgamma trunc
    """.split()  # noqa: SIM905
)

_OTHERS = frozenset(
    """
    abort abs access aligned_alloc alloca atexit atof atoi atol atoll bcmp bcopy bsearch bzero
    calloc chmod chown closedir ctermid div exit fclose fdopen feof ferror fflush ffs ffsl ffsll
    fgetc fgetc_unlocked fgetpos fgets fgets_unlocked fileno fiprintf flockfile fls flsl flsll
    fopen fopen64 fork fprintf fputc fputc_unlocked fputs fputs_unlocked fread fread_unlocked
    free freopen fscanf fseek fseeko fseeko64 fsetpos fstat fstat64 fstatvfs fstatvfs64 ftell
    ftello ftello64 ftrylockfile funlockfile fwrite fwrite_unlocked getc getc_unlocked getchar
    getchar_unlocked getenv getitimer getlogin_r getpwnam gets gettimeofday htonl htons iprintf
    isalnum isalpha isascii isblank iscntrl isdigit isgraph islower isprint ispunct isspace
    isupper isxdigit labs lchown ldiv llabs lldiv longjmp lstat lstat64 malloc memalign memccpy
    memchr memcmp memcpy memmem memmove mempcpy memrchr memset memset_pattern16 memset_pattern4
    memset_pattern8 mkdir mktime ntohl ntohs open open64 opendir pclose perror popen
    posix_memalign pread printf putc putc_unlocked putchar putchar_unlocked puts pvalloc pwrite
    qsort raise rand rand_r random read readlink realloc reallocarray reallocf realpath remove
    rename rewind rmdir scanf setbuf setitimer setjmp setvbuf signal siprintf snprintf sprintf
    srand sscanf stat stat64 statvfs statvfs64 stpcpy stpncpy strcasecmp strcat strchr strchrnul
    strcmp strcoll strcpy strcspn strdup strerror strlcat strlcpy strlen strncasecmp strncat
    strncmp strncpy strndup strnlen strpbrk strrchr strsep strspn strstr strtod strtof strtok
    strtok_r strtol strtold strtoll strtoul strtoull strxfrm system time times tmpfile tmpfile64
    toascii tolower toupper uname ungetc unlink unsetenv utime utimes valloc vec_calloc vec_free
    vec_malloc vec_realloc vfprintf vfscanf vprintf vscanf vsnprintf vsprintf vsscanf wcslen
    wmemchr wmemcmp wmemcpy wmemmove wmemset write
    """.split()  # noqa: SIM905
)


def name_matters(name: str) -> bool:
    """Whether a pass may know the function by this name."""
    return (
        name in _OTHERS
        or name in _MATH
        or (name[-1:] in "fl" and name[:-1] in _MATH)
        or name.startswith(_PREFIXES)
    )
