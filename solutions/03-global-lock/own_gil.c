/* own_gil.c - several interpreters in one process, each with a lock of its own.
 *
 * Theory of operation: no threads of its own. Everything that an interpreter has is in its struct and guarded by its
 * lock, which a thread holds from own_gil_enter to own_gil_leave. There is not a single variable outside: that is the
 * whole point, and the proof that interpreters do not wait for each other, nor see each other.
 *
 * One thing is asked by threads that do not hold the lock: whether anybody is inside. So that is an atomic count.
 */
#include "own_gil.h"

#include <errno.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* region state */
/* A global variable, or an interned text: an entry of one of the two lists. */
struct entry {
    struct entry *next;
    int64_t value; /* of a variable */
    char text[];   /* its name, or the text */
};

struct own_gil {
    struct gil *gil;
    atomic_long inside;    /* threads that have entered, or are about to */
    struct entry *globals; /* guarded by gil, as all below */
    struct entry *texts;
    size_t text_count;
};

/* A thread inside an interpreter: that thread's alone. */
struct own_gil_thread {
    struct own_gil *interpreter;
    struct gil_thread *thread;
    char error[OWN_GIL_ERROR_MAX + 1];
};
/* end state */

/* region create */
int own_gil_create(struct own_gil **interpreter)
{
    struct own_gil *made = calloc(1, sizeof *made);
    if (made == NULL)
        return ENOMEM;

    int error = gil_create(&made->gil);
    if (error != 0) {
        free(made);
        return error;
    }
    atomic_init(&made->inside, 0);
    *interpreter = made;
    return 0;
}

static void entries_free(struct entry *entry)
{
    while (entry != NULL) {
        struct entry *next = entry->next;
        free(entry);
        entry = next;
    }
}

int own_gil_destroy(struct own_gil *interpreter)
{
    if (interpreter == NULL)
        return 0;
    if (atomic_load(&interpreter->inside) != 0)
        return EBUSY;

    entries_free(interpreter->globals);
    entries_free(interpreter->texts);
    gil_destroy(interpreter->gil);
    free(interpreter);
    return 0;
}
/* end create */

/* region enter */
int own_gil_enter(struct own_gil *interpreter, struct own_gil_thread **thread)
{
    struct own_gil_thread *made = calloc(1, sizeof *made);
    if (made == NULL)
        return ENOMEM;

    int error = gil_thread_create(interpreter->gil, &made->thread);
    if (error != 0) {
        free(made);
        return error;
    }
    made->interpreter = interpreter;
    atomic_fetch_add(&interpreter->inside, 1);
    gil_take(made->thread);
    *thread = made;
    return 0;
}

void own_gil_leave(struct own_gil_thread *thread)
{
    struct own_gil *interpreter = thread->interpreter;

    gil_drop(thread->thread);
    gil_thread_destroy(thread->thread);
    free(thread);
    atomic_fetch_sub(&interpreter->inside, 1); /* the last thing: after it somebody may end the interpreter */
}

void own_gil_checkpoint(struct own_gil_thread *thread)
{
    gil_checkpoint(thread->thread);
}
/* end enter */

/* region interval */
int own_gil_set_interval(struct own_gil *interpreter, int64_t interval_us)
{
    return gil_set_interval(interpreter->gil, interval_us);
}

int64_t own_gil_interval(struct own_gil *interpreter)
{
    return gil_interval(interpreter->gil);
}
/* end interval */

/* region entries */
/* The entry of this text in a list; NULL where there is none. */
static struct entry *entry_find(struct entry *entry, const char *text)
{
    while (entry != NULL && strcmp(entry->text, text) != 0)
        entry = entry->next;
    return entry;
}

/* Puts a new entry at the head of a list and returns it; NULL where there is no memory. */
static struct entry *entry_add(struct entry **list, const char *text)
{
    size_t size = strlen(text) + 1;
    struct entry *entry = malloc(sizeof *entry + size);
    if (entry == NULL)
        return NULL;

    memcpy(entry->text, text, size);
    entry->value = 0;
    entry->next = *list;
    *list = entry;
    return entry;
}
/* end entries */

/* region globals */
int own_gil_set(struct own_gil_thread *thread, const char *name, int64_t value)
{
    struct own_gil *interpreter = thread->interpreter;
    struct entry *entry = entry_find(interpreter->globals, name);

    if (entry == NULL)
        entry = entry_add(&interpreter->globals, name);
    if (entry == NULL)
        return ENOMEM;
    entry->value = value;
    return 0;
}

int own_gil_get(struct own_gil_thread *thread, const char *name, int64_t *value)
{
    const struct entry *entry = entry_find(thread->interpreter->globals, name);

    if (entry == NULL) {
        const int around = (int)strlen("name '' is not defined");
        snprintf(thread->error, sizeof thread->error, "name '%.*s' is not defined", OWN_GIL_ERROR_MAX - around, name);
        return ENOENT;
    }
    *value = entry->value;
    return 0;
}

const char *own_gil_error(const struct own_gil_thread *thread)
{
    return thread->error;
}
/* end globals */

/* region intern */
const char *own_gil_intern(struct own_gil_thread *thread, const char *text)
{
    struct own_gil *interpreter = thread->interpreter;
    const struct entry *entry = entry_find(interpreter->texts, text);

    if (entry != NULL)
        return entry->text;
    entry = entry_add(&interpreter->texts, text);
    if (entry == NULL)
        return NULL;
    interpreter->text_count++;
    return entry->text;
}

size_t own_gil_interned(const struct own_gil_thread *thread)
{
    return thread->interpreter->text_count;
}
/* end intern */
