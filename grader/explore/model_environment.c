/* model_environment.c - the environment, and what else a program asks of the system around it. See model.h.
 *
 * The strings are the process's own until the program changes one; then they and the array lie in the program's heap,
 * and the next run begins with the process's again. POSIX says that changing the environment need not be safe beside
 * any look at it: so all of it counts as one byte that is read and written.
 */
#include "model.h"

#include "heap.h"
#include "shadow.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

static struct {
    char **first; /* as the process got it */
    char *mark;   /* what is read and written */
    uint32_t run; /* of the mark */
} model;

void model_environment_reset(void)
{
    if (!model.first)
        model.first = environ;
    environ = model.first;
    il.random_bytes = 0x9e3779b97f4a7c15ULL;
}

static void *take(size_t size)
{
    void *at = heap_take_hidden(size, 16);
    if (!at)
        il_found(FIND_CANNOT, NULL, "no memory is left for the environment");
    return at;
}

static void uses(bool is_write)
{
    if (model.run != il.run)
        model.mark = take(1);
    model.run = il.run;
    shadow_access(model.mark, 1, is_write, false);
}

static bool is_name(const char *name)
{
    return name && *name && !strchr(name, '=');
}

static size_t count(void)
{
    size_t n = 0;
    while (environ && environ[n])
        n++;
    return n;
}

/* Where `name` is, or would be. */
static size_t find(const char *name, size_t length)
{
    size_t i = 0;
    while (i < count() && !(strncmp(environ[i], name, length) == 0 && environ[i][length] == '='))
        i++;
    return i;
}

/* The array anew: with `text` at that place, or without what is there. */
static void change(size_t at, char *text)
{
    size_t n = count(), to = 0;
    char **now = take((n + 2) * sizeof *now);
    for (size_t i = 0; i < n; i++)
        if (i != at || text)
            now[to++] = i == at ? text : environ[i];
    if (at >= n && text)
        now[to++] = text;
    now[to] = NULL;
    environ = now;
}

char *il_getenv(const char *name)
{
    IL_ENTER();
    uses(false);
    size_t length = strlen(name), at = find(name, length);
    return at < count() ? environ[at] + length + 1 : NULL;
}

char *il_secure_getenv(const char *name)
{
    IL_ENTER();
    return il_getenv(name);
}

int il_setenv(const char *name, const char *value, int overwrites)
{
    IL_ENTER();
    if (!is_name(name)) {
        errno = EINVAL;
        return -1;
    }
    uses(true);
    size_t at = find(name, strlen(name)), size = strlen(name) + strlen(value) + 2;
    if (at < count() && !overwrites)
        return 0;
    char *text = take(size);
    snprintf(text, size, "%s=%s", name, value);
    change(at, text);
    return 0;
}

int il_unsetenv(const char *name)
{
    IL_ENTER();
    if (!is_name(name)) {
        errno = EINVAL;
        return -1;
    }
    uses(true);
    size_t at = find(name, strlen(name));
    if (at < count())
        change(at, NULL);
    return 0;
}

int il_putenv(char *text)
{
    IL_ENTER();
    const char *equals = strchr(text, '=');
    if (!equals)
        return il_unsetenv(text);
    uses(true);
    change(find(text, (size_t)(equals - text)), text);
    return 0;
}

int il_clearenv(void)
{
    IL_ENTER();
    uses(true);
    environ = NULL;
    return 0;
}

char *il_getcwd(char *to, size_t size)
{
    IL_ENTER();
    enum { PATH_SIZE = 4096 };
    char *made = to ? NULL : il_malloc(size ? size : PATH_SIZE);
    if (!to && !made)
        return NULL;
    return getcwd(to ? to : made, to || size ? size : PATH_SIZE);
}

/* ---- random bytes, the same in every run of an interleaving (xorshift) ------------------------------------------- */

ssize_t il_getrandom(void *to, size_t size, unsigned flags)
{
    IL_ENTER();
    (void)flags;
    shadow_access(to, size, true, false);
    for (size_t i = 0; i < size; i++) {
        il.random_bytes ^= il.random_bytes << 13;
        il.random_bytes ^= il.random_bytes >> 7;
        il.random_bytes ^= il.random_bytes << 17;
        ((unsigned char *)to)[i] = (unsigned char)(il.random_bytes >> 32);
    }
    return (ssize_t)size;
}

int il_getentropy(void *to, size_t size)
{
    IL_ENTER();
    enum { MOST = 256 };
    if (size > MOST) {
        errno = EIO;
        return -1;
    }
    il_getrandom(to, size, 0);
    return 0;
}
