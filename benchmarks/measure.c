/* Runs one command and writes what it cost: a small process between the runner and the command, because the peak
 * memory that wait4 reports for a child includes what its parent held at the moment of the fork.
 *
 *   measure FILE COMMAND [ARGUMENT]...
 *
 * Writes "wall user system peak status": seconds, seconds, seconds, kilobytes of the largest process, exit status.
 */
#define _GNU_SOURCE
#include <fcntl.h>
#include <stdio.h>
#include <sys/resource.h>
#include <sys/time.h>
#include <sys/types.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

static double seconds(struct timeval value) {
    return (double)value.tv_sec + (double)value.tv_usec / 1e6;
}

int main(int argc, char **argv) {
    struct timespec before, after;
    struct rusage used;
    int status;
    if (argc < 3) {
        fprintf(stderr, "usage: measure FILE COMMAND [ARGUMENT]...\n");
        return 2;
    }
    clock_gettime(CLOCK_MONOTONIC, &before);
    pid_t child = fork();
    if (child < 0)
        return 2;
    if (child == 0) {
        execvp(argv[2], argv + 2);
        _exit(127);
    }
    if (wait4(child, &status, 0, &used) != child)
        return 2;
    clock_gettime(CLOCK_MONOTONIC, &after);
    double wall = (double)(after.tv_sec - before.tv_sec) + (double)(after.tv_nsec - before.tv_nsec) / 1e9;
    FILE *out = fopen(argv[1], "w");
    if (out == NULL)
        return 2;
    int code = WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
    fprintf(out, "%.6f %.6f %.6f %ld %d\n", wall, seconds(used.ru_utime), seconds(used.ru_stime), used.ru_maxrss, code);
    return fclose(out) == 0 ? 0 : 2;
}
