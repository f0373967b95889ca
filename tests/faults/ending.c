/* Preloaded: ends the process at the n-th call that changes a file.
 *
 * How: 0 before the call; 1 in the middle of it, where it writes; 2 like the loss of power: whatever was written and not
 * yet synced is taken back first; 3 the same, but every second of those writes had reached the disk. Names (a rename, a
 * new file, a removed one) are not taken back.
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <fcntl.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/types.h>
#include <unistd.h>

enum { WHOLE, TORN, LOST, SOME };

static long armed = -1, counted = 0;
static int how = WHOLE;

void ending_arm(long number, int chosen) { armed = number; how = chosen; counted = 0; }
long ending_counted(void) { return counted; }

#define REAL(type, name) static type (*real)() = 0; if (!real) real = dlsym(RTLD_NEXT, name)
#define TOLD(fd) ((fd) <= 2 || ((fd) >= 200 && (fd) < 300))

/* Files that were written, each with a descriptor of our own. It is never closed: that would let go of SQLite's locks. */
struct known { dev_t device; ino_t inode; int fd; };
static struct known files[256];
static int file_count = 0;

/* What stood there before each write that was not synced yet. */
struct before { int file; off_t offset, size; size_t length; char *bytes; int synced; };
static struct before *records = 0;
static size_t record_count = 0, record_room = 0;

static ssize_t really_pwrite(int fd, const void *buffer, size_t size, off_t offset) {
    REAL(ssize_t, "pwrite64");
    return real(fd, buffer, size, offset);
}
static int really_truncate(int fd, off_t size) { REAL(int, "ftruncate64"); return real(fd, size); }

static int known(int fd, int make) {
    struct stat state;
    if (fstat(fd, &state) || !S_ISREG(state.st_mode)) return -1;
    for (int i = 0; i < file_count; i++)
        if (files[i].device == state.st_dev && files[i].inode == state.st_ino) return i;
    if (!make || file_count == 256) return -1;
    char path[64];
    snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
    REAL(int, "open64");
    int own = real(path, O_RDWR | O_CLOEXEC), high = own < 0 ? -1 : fcntl(own, F_DUPFD_CLOEXEC, 300);
    if (high < 0) return -1;
    files[file_count] = (struct known){state.st_dev, state.st_ino, high};
    return file_count++; /* `own` stays open too, for the same reason */
}

static void remember(int fd, off_t offset, size_t length) {
    if (armed < 0 || how < LOST) return;
    int file = known(fd, 1);
    if (file < 0) return;
    struct stat state;
    fstat(fd, &state);
    if (record_count == record_room) {
        record_room = record_room ? record_room * 2 : 256;
        records = realloc(records, record_room * sizeof *records);
    }
    struct before *record = &records[record_count++];
    *record = (struct before){file, offset, state.st_size, 0, malloc(length ? length : 1), 0};
    ssize_t got = pread(files[file].fd, record->bytes, length, offset);
    record->length = got > 0 ? got : 0;
}

static void synced(int fd) {
    int file = known(fd, 0);
    for (size_t i = 0; file >= 0 && i < record_count; i++)
        if (records[i].file == file) records[i].synced = 1;
}

static void end(void) {
    if (how >= LOST) {
        long open = 0;
        for (size_t i = record_count; i-- > 0;) {
            struct before *record = &records[i];
            if (record->synced || (how == SOME && open++ % 2)) continue;
            int fd = files[record->file].fd;
            if (record->length) really_pwrite(fd, record->bytes, record->length, record->offset);
            if (how == LOST) really_truncate(fd, record->size);
        }
    }
    kill(getpid(), SIGKILL);
    for (;;) pause();
}

static int now(void) { return armed >= 0 && ++counted == armed; }

ssize_t write(int fd, const void *buffer, size_t size) {
    REAL(ssize_t, "write");
    if (TOLD(fd)) return real(fd, buffer, size);
    if (now()) { if (how == TORN) real(fd, buffer, size / 2); end(); }
    remember(fd, lseek(fd, 0, SEEK_CUR), size);
    return real(fd, buffer, size);
}
ssize_t pwrite64(int fd, const void *buffer, size_t size, off_t offset) {
    if (now()) { if (how == TORN) really_pwrite(fd, buffer, size / 2, offset); end(); }
    remember(fd, offset, size);
    return really_pwrite(fd, buffer, size, offset);
}
ssize_t pwrite(int fd, const void *buffer, size_t size, off_t offset) { return pwrite64(fd, buffer, size, offset); }
static int truncating(int fd, off_t size) {
    if (now()) end();
    struct stat state;
    if (!fstat(fd, &state) && state.st_size > size) remember(fd, size, state.st_size - size);
    else remember(fd, size, 0);
    return really_truncate(fd, size);
}
int ftruncate(int fd, off_t size) { return truncating(fd, size); }
int ftruncate64(int fd, off64_t size) { return truncating(fd, size); }
#define SYNCING(name) int name(int fd) { \
    REAL(int, #name); if (now()) end(); int done = real(fd); if (!done) synced(fd); return done; }
SYNCING(fsync)
SYNCING(fdatasync)
#define SIMPLE(name, declared, passed) int name declared { REAL(int, #name); if (now()) end(); return real passed; }
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
#define OPENING_AT(name) int name(int folder, const char *path, int flags, ...) { \
    REAL(int, #name); va_list list; va_start(list, flags); mode_t mode = va_arg(list, mode_t); va_end(list); \
    if ((flags & O_CREAT) && now()) end(); return real(folder, path, flags, mode); }
SIMPLE(renameat, (int from, const char *old, int to, const char *new), (from, old, to, new))
SIMPLE(unlinkat, (int folder, const char *path, int flags), (folder, path, flags))
SIMPLE(mkdirat, (int folder, const char *path, mode_t mode), (folder, path, mode))
SIMPLE(linkat, (int from, const char *old, int to, const char *new, int flags), (from, old, to, new, flags))
SIMPLE(symlinkat, (const char *to, int folder, const char *path), (to, folder, path))
SIMPLE(fchmod, (int fd, mode_t mode), (fd, mode))
SIMPLE(futimens, (int fd, const struct timespec times[2]), (fd, times))
SIMPLE(utimensat, (int folder, const char *path, const struct timespec times[2], int flags), (folder, path, times, flags))
OPENING_AT(openat)
OPENING_AT(openat64)
