/* model_named.c - what a process shares with itself: named semaphores, the lock of a stream, anonymous mappings. See
 * model.h.
 *
 * There is one process only, so that a name is known from its sem_open to its sem_unlink, and a mapping is a block of
 * the program's heap that begins at a page.
 */
#include "model.h"

#include "heap.h"
#include "record.h"
#include "shadow.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <semaphore.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>

enum { NAMED_MAX = 32, PAGE = 4096 };

static struct {
    unsigned n; /* in this run */
    struct named {
        char name[NAME_MAX + 1];
        bool unlinked;
        unsigned opened;
        sem_t *semaphore;
    } named[NAMED_MAX];
} model;

void model_named_reset(void)
{
    model.n = 0;
}

/* ---- semaphores -------------------------------------------------------------------------------------------------- */

static struct named *named_of(const char *name)
{
    for (unsigned i = 0; i < model.n; i++)
        if (!model.named[i].unlinked && strcmp(model.named[i].name, name) == 0)
            return &model.named[i];
    return NULL;
}

static sem_t *fail(int error)
{
    errno = error;
    return SEM_FAILED;
}

static sem_t *make(const char *name, unsigned value)
{
    if (value > SEM_VALUE_MAX)
        return fail(EINVAL);
    if (model.n >= NAMED_MAX)
        return fail(EMFILE);
    struct named *named = &model.named[model.n];
    *named = (struct named){.opened = 1, .semaphore = heap_take_hidden(sizeof(sem_t), 16)};
    if (!named->semaphore)
        return fail(ENOMEM);
    memcpy(named->name, name, strlen(name) + 1);
    model.n++;
    il_sem_init(named->semaphore, 1, value);
    return named->semaphore;
}

sem_t *il_sem_open(const char *name, int flags, ...)
{
    IL_ENTER();
    va_list list;
    va_start(list, flags);
    unsigned value = flags & O_CREAT ? (va_arg(list, unsigned), va_arg(list, unsigned)) : 0;
    va_end(list);
    if (name[0] != '/' || name[1] == '\0' || strchr(name + 1, '/'))
        return fail(EINVAL);
    if (strlen(name) > NAME_MAX)
        return fail(ENAMETOOLONG);
    il_wish(WISH_GO, NULL, NO_DEADLINE);
    il_event(il_sync(&model), true, 0);
    struct named *named = named_of(name);
    if (named && (flags & O_CREAT) && (flags & O_EXCL))
        return fail(EEXIST);
    if (!named)
        return flags & O_CREAT ? make(name, value) : fail(ENOENT);
    named->opened++;
    return named->semaphore;
}

int il_sem_close(sem_t *semaphore)
{
    IL_ENTER();
    for (unsigned i = 0; i < model.n; i++)
        if (model.named[i].semaphore == semaphore && model.named[i].opened) {
            model.named[i].opened--;
            return 0;
        }
    errno = EINVAL;
    return -1;
}

int il_sem_unlink(const char *name)
{
    IL_ENTER();
    il_wish(WISH_GO, NULL, NO_DEADLINE);
    il_event(il_sync(&model), true, 1);
    struct named *named = named_of(name);
    errno = named ? errno : strlen(name) > NAME_MAX ? ENAMETOOLONG : ENOENT;
    if (named)
        named->unlinked = true;
    return named ? 0 : -1;
}

/* ---- streams ----------------------------------------------------------------------------------------------------- */

/* Each call that prints is done whole here, so that the lock of a stream matters only between calls. It is a recursive
 * mutex; whoever is to be kept out must take it too. */
static pthread_mutex_t *lock_of(FILE *stream)
{
    struct sync *on = il_sync(stream);
    if (on->kind == SYNC_NEW) {
        on->kind = SYNC_MUTEX;
        on->type = PTHREAD_MUTEX_RECURSIVE;
    }
    return (pthread_mutex_t *)(void *)stream;
}

void il_flockfile(FILE *stream)
{
    IL_ENTER();
    il_pthread_mutex_lock(lock_of(stream));
}

int il_ftrylockfile(FILE *stream)
{
    IL_ENTER();
    return il_pthread_mutex_trylock(lock_of(stream));
}

void il_funlockfile(FILE *stream)
{
    IL_ENTER();
    il_pthread_mutex_unlock(lock_of(stream));
}

/* ---- mappings ---------------------------------------------------------------------------------------------------- */

void *il_mmap(void *at, size_t size, int protection, int flags, int file, off_t offset)
{
    IL_ENTER();
    (void)at;
    (void)offset;
    if (size == 0) {
        errno = EINVAL;
        return MAP_FAILED;
    }
    if (!(flags & MAP_ANONYMOUS) || (flags & MAP_FIXED) || file >= 0 || protection != (PROT_READ | PROT_WRITE))
        il_found(FIND_CANNOT, NULL,
                 "the program calls mmap() for more than anonymous memory, which the explorer cannot model");
    void *start = heap_take_hidden(size, PAGE); /* what is still mapped at the end is no leak */
    errno = start ? errno : ENOMEM;
    return start ? start : MAP_FAILED;
}

int il_munmap(void *start, size_t size)
{
    IL_ENTER();
    (void)size; /* a use after it is not seen: a mapping may be given back in parts */
    errno = (uintptr_t)start % PAGE ? EINVAL : errno;
    return (uintptr_t)start % PAGE ? -1 : 0;
}
