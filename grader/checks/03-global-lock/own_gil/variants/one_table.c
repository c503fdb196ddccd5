/* own_gil.c - another way: each interpreter has one table of names, by a hash, in which a text is interned, a variable,
 * or both.
 *
 * Theory of operation: everything is in the interpreter's struct and guarded by its lock, but for the number of those
 * inside, which is atomic.
 */
#include "own_gil.h"

#include <errno.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* region state */
/* A global variable, or an interned text: an entry of one of the two lists. */
struct entry {
    struct entry *next;
    bool is_variable, is_text;
    int64_t value; /* of a variable */
    char text[];   /* its name, or the text */
};

struct own_gil {
    struct gil *gil;
    atomic_long inside;        /* threads that have entered, or are about to */
    struct entry *buckets[64]; /* guarded by gil, as all below */
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

    for (int i = 0; i < 64; i++)
        entries_free(interpreter->buckets[i]);
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

/* The entry of this text, which is made where there is none and `make` is set; NULL where there is none, or no memory.
 */
static struct entry *entry_of(struct own_gil *interpreter, const char *text, bool make)
{
    unsigned hash = 5381;
    for (const char *at = text; *at != '\0'; at++)
        hash = hash * 33 + (unsigned char)*at;
    struct entry **bucket = &interpreter->buckets[hash % 64];
    for (struct entry *entry = *bucket; entry != NULL; entry = entry->next)
        if (strcmp(entry->text, text) == 0)
            return entry;
    struct entry *entry = make ? calloc(1, sizeof *entry + strlen(text) + 1) : NULL;
    if (entry != NULL) {
        memcpy(entry->text, text, strlen(text) + 1);
        entry->next = *bucket;
        *bucket = entry;
    }
    return entry;
}

/* region globals */
int own_gil_set(struct own_gil_thread *thread, const char *name, int64_t value)
{
    struct entry *entry = entry_of(thread->interpreter, name, true);
    if (entry == NULL)
        return ENOMEM;
    entry->is_variable = true;
    entry->value = value;
    return 0;
}

int own_gil_get(struct own_gil_thread *thread, const char *name, int64_t *value)
{
    const struct entry *entry = entry_of(thread->interpreter, name, false);

    if (entry == NULL || !entry->is_variable) {
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
    struct entry *entry = entry_of(thread->interpreter, text, true);
    if (entry == NULL)
        return NULL;
    thread->interpreter->text_count += !entry->is_text;
    entry->is_text = true;
    return entry->text;
}

size_t own_gil_interned(const struct own_gil_thread *thread)
{
    return thread->interpreter->text_count;
}
/* end intern */
