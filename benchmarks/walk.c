/* The physical limit of a walk: getdents64 and openat, nothing else.
 *
 *   walk FOLDER [--skip NAME[/NAME]...]...
 *
 * Prints "entries=N files=N folders=N links=N skipped=N errors=N". The folder itself is not counted. Links are not
 * followed. A folder whose path below FOLDER ends in the names of a --skip is counted as an entry and as skipped, and is
 * not opened.
 */
#define _GNU_SOURCE
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#define MAX_SKIPS 64
#define BUFFER (32 * 1024)

struct record {
    unsigned long long inode;
    long long offset;
    unsigned short length;
    unsigned char type;
    char name[];
};

static const char *skips[MAX_SKIPS];
static int skip_count;
static unsigned long long entries, files, folders, links_, skipped, errors;

/* The path of the folder being read, kept only when something is to be skipped. */
static char path[1 << 16];

static int is_skipped(size_t length) {
    for (int i = 0; i < skip_count; i++) {
        size_t size = strlen(skips[i]);
        if (length > size && path[length - size - 1] == '/' && memcmp(path + length - size, skips[i], size) == 0)
            return 1;
    }
    return 0;
}

static int is_dot(const char *name) {
    return name[0] == '.' && (name[1] == '\0' || (name[1] == '.' && name[2] == '\0'));
}

static void walk(int folder, size_t length) {
    char *buffer = malloc(BUFFER);
    if (buffer == NULL) {
        errors++;
        return;
    }
    for (;;) {
        long got = syscall(SYS_getdents64, folder, buffer, BUFFER);
        if (got < 0)
            errors++;
        if (got <= 0)
            break;
        for (long at = 0; at < got;) {
            struct record *entry = (struct record *)(buffer + at);
            at += entry->length;
            if (is_dot(entry->name))
                continue;
            unsigned char type = entry->type;
            if (type == DT_UNKNOWN) {
                struct stat status;
                if (fstatat(folder, entry->name, &status, AT_SYMLINK_NOFOLLOW) == 0)
                    type = S_ISDIR(status.st_mode) ? DT_DIR : S_ISLNK(status.st_mode) ? DT_LNK : DT_REG;
            }
            if (type == DT_DIR) {
                entries++;
                folders++;
                size_t below = length;
                if (skip_count) {
                    size_t size = strlen(entry->name);
                    if (length + size + 2 > sizeof path) {
                        errors++;
                        continue;
                    }
                    path[length] = '/';
                    memcpy(path + length + 1, entry->name, size);
                    below = length + 1 + size;
                    if (is_skipped(below)) {
                        skipped++;
                        continue;
                    }
                }
                int child = openat(folder, entry->name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
                if (child < 0) {
                    errors++;
                    continue;
                }
                walk(child, below);
                close(child);
            } else {
                entries++;
                if (type == DT_LNK)
                    links_++;
                else
                    files++;
            }
        }
    }
    free(buffer);
}

int main(int argc, char **argv) {
    const char *root = NULL;
    for (int i = 1; i < argc; i++) {
        if (strcmp(argv[i], "--skip") == 0 && i + 1 < argc && skip_count < MAX_SKIPS)
            skips[skip_count++] = argv[++i];
        else if (root == NULL)
            root = argv[i];
        else
            root = "";
    }
    if (root == NULL || *root == '\0') {
        fprintf(stderr, "usage: walk FOLDER [--skip NAME]...\n");
        return 2;
    }
    int folder = open(root, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (folder < 0) {
        fprintf(stderr, "walk: %s: %s\n", root, strerror(errno));
        return 2;
    }
    walk(folder, 0);
    printf("entries=%llu files=%llu folders=%llu links=%llu skipped=%llu errors=%llu\n", entries, files, folders, links_,
           skipped, errors);
    return errors ? 1 : 0;
}
