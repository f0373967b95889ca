/* Preloaded: ends the process at the n-th call that changes a file. With `torn`, half of that write is done first. */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <fcntl.h>
#include <signal.h>
#include <stdarg.h>
#include <sys/stat.h>
#include <sys/types.h>
#include <unistd.h>

static long armed = -1, counted = 0;
static int torn = 0;

void ending_arm(long number, int half) { armed = number; torn = half; counted = 0; }
long ending_counted(void) { return counted; }

static int now(void) {
    if (armed < 0) return 0;
    return ++counted == armed;
}
static void end(void) { kill(getpid(), SIGKILL); for (;;) pause(); }
#define REAL(type, name) static type (*real)() = 0; if (!real) real = dlsym(RTLD_NEXT, name)
#define TOLD(fd) ((fd) <= 2 || (fd) >= 200)

ssize_t write(int fd, const void *buffer, size_t size) {
    REAL(ssize_t, "write");
    if (!TOLD(fd) && now()) { if (torn) real(fd, buffer, size / 2); end(); }
    return real(fd, buffer, size);
}
ssize_t pwrite64(int fd, const void *buffer, size_t size, off_t offset) {
    REAL(ssize_t, "pwrite64");
    if (!TOLD(fd) && now()) { if (torn) real(fd, buffer, size / 2, offset); end(); }
    return real(fd, buffer, size, offset);
}
ssize_t pwrite(int fd, const void *buffer, size_t size, off_t offset) { return pwrite64(fd, buffer, size, offset); }
#define SIMPLE(name, declared, passed) int name declared { REAL(int, #name); if (now()) end(); return real passed; }
SIMPLE(fsync, (int fd), (fd))
SIMPLE(fdatasync, (int fd), (fd))
SIMPLE(ftruncate, (int fd, off_t size), (fd, size))
SIMPLE(ftruncate64, (int fd, off64_t size), (fd, size))
SIMPLE(rename, (const char *from, const char *to), (from, to))
SIMPLE(unlink, (const char *path), (path))
SIMPLE(rmdir, (const char *path), (path))
SIMPLE(mkdir, (const char *path, mode_t mode), (path, mode))
SIMPLE(link, (const char *from, const char *to), (from, to))
#define OPENING(name) int name(const char *path, int flags, ...) { \
    REAL(int, #name); va_list list; va_start(list, flags); mode_t mode = va_arg(list, mode_t); va_end(list); \
    if ((flags & O_CREAT) && now()) end(); return real(path, flags, mode); }
OPENING(open)
OPENING(open64)
