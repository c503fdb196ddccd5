/* gdb.c - see gdb.h. */
#include "gdb.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { WORDS_MAX = 256 };

/* What gdb is to read first lies in the sources, beside which build/ stands. */
static int find_script(const char *self, char *script, size_t size)
{
    char folder[PATH_MAX];
    snprintf(folder, sizeof folder, "%s", self);
    for (unsigned up = 0; up < 2; up++) {
        char *slash = strrchr(folder, '/');
        if (slash)
            *slash = '\0';
    }
    int length = snprintf(script, size, "%s/grader/explore/fibers.py", folder);
    if (length > 0 && (size_t)length < size && access(script, R_OK) == 0)
        return 0;
    fprintf(stderr, "interleave: --gdb needs grader/explore/fibers.py beside the folder of the program: %s\n",
            strerror(errno));
    return -1;
}

int gdb_become(int argc, char **argv)
{
    char self[PATH_MAX], script[PATH_MAX];
    char *words[WORDS_MAX] = {"gdb", "-q", "-iex", "set debuginfod enabled off", "-x", script, "--args", self};
    unsigned n = 8;
    ssize_t length = readlink("/proc/self/exe", self, sizeof self - 1);
    if (length < 0) {
        fprintf(stderr, "interleave: /proc/self/exe: %s\n", strerror(errno));
        return -1;
    }
    self[length] = '\0';
    if (find_script(self, script, sizeof script))
        return -1;
    for (int i = 1; i < argc && n < WORDS_MAX - 1; i++)
        if (strcmp(argv[i], "--gdb") != 0)
            words[n++] = argv[i];
    words[n] = NULL;
    execvp(words[0], words);
    fprintf(stderr, "interleave: gdb cannot be started: %s (apt install gdb)\n", strerror(errno));
    return -1;
}
