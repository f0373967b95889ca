/* Starts the bundled interpreter through the bundled loader, from wherever this folder lies.

   Needs nothing but the kernel: no C library, no /proc, no shell. Variables that steer loaders and interpreters are
   left out of the environment, since a machine that is examined may have them set by what is looked for. */

#define NULL ((void *)0)
#define AT_NULL 0
#define AT_EXECFN 31
#define LIMIT 4096
#define EXTRA 12

typedef unsigned long word;

static long call(long number, long first, long second, long third)
{
    long result;
    __asm__ volatile("syscall"
                     : "=a"(result)
                     : "a"(number), "D"(first), "S"(second), "d"(third)
                     : "rcx", "r11", "memory");
    return result;
}

static word length(const char *text)
{
    word count = 0;
    while (text[count])
        count++;
    return count;
}

static int begins(const char *text, const char *start)
{
    while (*start)
        if (*text++ != *start++)
            return 0;
    return 1;
}

static int steers(const char *variable)
{
    static const char *const names[] = {"LD_", "PYTHON", "GLIBC_TUNABLES=", "GCONV_PATH=", "LOCPATH=", "MALLOC_",
                                        "NLSPATH=", "RES_OPTIONS=", "HOSTALIASES=", "LOCALDOMAIN=", "OPENSSL_"};
    for (word index = 0; index < sizeof(names) / sizeof(names[0]); index++)
        if (begins(variable, names[index]))
            return 1;
    return 0;
}

static void fail(const char *what)
{
    call(1, 2, (long)"pratique: ", 10);
    call(1, 2, (long)what, (long)length(what));
    call(1, 2, (long)"\n", 1);
    call(60, 1, 0, 0);
}

/* Writes the folder of this program, with a slash at its end, and returns its length. */
static word folder(char *place, const char *started)
{
    long count = call(89, (long)"/proc/self/exe", (long)place, LIMIT - 1);
    if (count <= 0 || place[0] != '/') {
        count = started ? call(89, (long)started, (long)place, LIMIT - 1) : -1;
        if (count <= 0 || place[0] != '/') {
            count = 0;
            while (started && started[count] && count < LIMIT - 1) {
                place[count] = started[count];
                count++;
            }
        }
    }
    while (count > 0 && place[count - 1] != '/')
        count--;
    return (word)count;
}

static const char *below(char *room, const char *root, word size, const char *name)
{
    word at = 0;
    if (size + length(name) + 1 > LIMIT)
        fail("lies too deep in the file system");
    for (; at < size; at++)
        room[at] = root[at];
    while ((room[at] = *name++))
        at++;
    return room;
}

__attribute__((used)) static void start(word *stack)
{
    static char root[LIMIT], loader[LIMIT], libraries[LIMIT], program[LIMIT], script[LIMIT];
    word count = stack[0];
    char **arguments = (char **)(stack + 1);
    char **environment = arguments + count + 1;
    const char *started = NULL;
    char **from = environment, **to = environment;
    while (*from)
        from++;
    for (word *entry = (word *)(from + 1); entry[0] != AT_NULL; entry += 2)
        if (entry[0] == AT_EXECFN)
            started = (const char *)entry[1];
    for (from = environment; *from; from++)
        if (!steers(*from))
            *to++ = *from;
    *to = NULL;

    const char *line[count + EXTRA];
    word size = folder(root, started), at = 0;
    line[at++] = below(loader, root, size, "lib/ld-linux-x86-64.so.2");
    line[at++] = "--inhibit-cache";
    line[at++] = "--library-path";
    line[at++] = below(libraries, root, size, "lib");
    line[at++] = below(program, root, size, "python/bin/python3");
    line[at++] = "-I";
    line[at++] = "-S";
    line[at++] = "-B";
    line[at++] = below(script, root, size, "start.py");
    for (word index = 1; index < count; index++)
        line[at++] = arguments[index];
    line[at] = NULL;
    call(59, (long)loader, (long)line, (long)environment);
    fail("cannot start: the folder it came in is incomplete, or its file system forbids to run programs");
}

__asm__(".globl _start\n_start:\n  xor %rbp, %rbp\n  mov %rsp, %rdi\n  and $-16, %rsp\n  call start\n  hlt\n");
