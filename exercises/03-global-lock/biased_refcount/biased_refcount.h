/* biased_refcount.h - counting references without a global lock: PEP 703, as in the free-threaded CPython.
 *
 *     a = []                   # one reference
 *     b = a                    # two
 *     sys.getrefcount(a)       # 3: the argument of the call is one too
 *
 * Every assignment in Python counts. Under the global lock a plain addition is enough. Without it each would have to be
 * atomic, which makes every program slower, also the one that has a single thread. But most objects are only ever used
 * by the thread that made them. So each object has two counts:
 *
 *   - the *owner's*: a plain number that only the thread uses that made the object, with no lock and no atomic
 *     addition;
 *   - the *shared* one: an atomic number for all other threads. It may be below 0, since a reference can be counted by
 *     one thread and given up by another.
 *
 * Their sum is the number of references. At some moment the two are *merged* into the shared one, and then the object
 * has no owner any more. That happens
 *
 *   - when the owner's count becomes 0;
 *   - when another thread gives up a reference and the shared count is 0, so that it cannot know whether that was the
 *     last one. It queues the object for its owner, who merges the two counts when he gets round to it
 *     (biased_refcount_merge). The reference goes to the queue, and keeps the object alive until then; so an object is
 *     queued once, and who gives up one after that counts down as ever, below 0 too. Where the owner has left, nobody
 *     uses his count any more, and the other thread merges them itself.
 *
 * It promises: no reference is lost or counted twice, and the object ends exactly once, when there is no reference
 * left: at once in the thread that gave up the last one, or when the owner merges. The owner's changes take no lock as
 * long as his count stays above 0, and neither do the others' on a merged object, or as long as the shared count is not
 * 0.
 *
 * Each `thread` is the calling thread's own. It may be handed on to another thread, and one thread may have several:
 * what it owns is its own all the same. Whoever calls with an object has a reference to it.
 */
#ifndef BIASED_REFCOUNT_H
#define BIASED_REFCOUNT_H

#include <stdbool.h>
#include <stdint.h>

struct biased_refcount_threads; /* all threads that share objects */
struct biased_refcount_thread;  /* one of them */
struct biased_refcount;         /* the counts of one object */

/* Makes an empty set of threads. Returns 0, or a positive errno value, and then nothing was made:
 *   ENOMEM  there is no memory
 *   other   what the pthread function returned that failed */
int biased_refcount_threads_create(struct biased_refcount_threads **threads);

/* Ends a set whose threads have all left and whose objects have all ended. NULL is fine. */
void biased_refcount_threads_destroy(struct biased_refcount_threads *threads);

/* The calling thread joins the set; `*thread` is its own until it leaves. Returns 0 or ENOMEM. */
int biased_refcount_join(struct biased_refcount_threads *threads, struct biased_refcount_thread **thread);

/* The calling thread leaves: merges what is queued for it, and ends `thread`. Objects that it owns and that others
 * still have references to live on without an owner's thread. */
void biased_refcount_leave(struct biased_refcount_thread *thread);

/* Makes the counts of an object that is owned by the calling thread, with one reference, the caller's. When the last
 * reference is given up `end(value)` is called, once, with no lock held: it may use any call of this header but leave,
 * for other objects, with the thread that it is called in. The counts themselves end after it. Returns 0 or ENOMEM. */
int biased_refcount_create(struct biased_refcount_thread *thread, void (*end)(void *value), void *value,
                           struct biased_refcount **object);

/* The value that the object was made with. */
void *biased_refcount_value(const struct biased_refcount *object);

/* Counts one more reference (Py_INCREF). It may be given to another thread. Does not block. */
void biased_refcount_incref(struct biased_refcount_thread *thread, struct biased_refcount *object);

/* Gives up one reference (Py_DECREF): the caller's own, whoever counted it. Does not wait for other threads, but for a
 * moment where it has to queue the object. */
void biased_refcount_decref(struct biased_refcount_thread *thread, struct biased_refcount *object);

/* Whether objects are queued for the calling thread: asked often, so it takes no lock. */
bool biased_refcount_merge_requested(struct biased_refcount_thread *thread);

/* Merges the counts of all objects that are queued for the calling thread, and ends those that nobody has a reference
 * to any more. A thread that owns objects calls it now and then; CPython does so where it answers the drop request. */
void biased_refcount_merge(struct biased_refcount_thread *thread);

/* How many references there are (sys.getrefcount, without the argument's own); one that waits in a queue counts. Only
 * while no other thread uses the object. */
int64_t biased_refcount_count(struct biased_refcount *object);

/* Whether the two counts were merged, so that the object has no owner. Any thread that has a reference. */
bool biased_refcount_is_merged(const struct biased_refcount *object);

#endif
