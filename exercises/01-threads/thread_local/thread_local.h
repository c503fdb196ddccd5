/* thread_local.h - Python's threading.local: one name, and every thread sees a value of its own behind it.
 *
 * In Python:
 *
 *     local = threading.local()
 *     local.x = 1          # this thread's value; no other thread sees it
 *     local.x              # 1 here; AttributeError in a thread that has set none
 *     del local.x
 *
 * and when a thread ends, its values go with it. Here an object holds one value a thread, a pointer, and a destructor
 * says what becomes of a value that nobody holds any more.
 *
 * (thread_local is a name of C's own only where <threads.h> is included, and in C23. In C17 it is free for us.)
 */
#ifndef THREAD_LOCAL_H
#define THREAD_LOCAL_H

struct thread_local;

/* Makes an object in which no thread has a value yet, and stores it in `*local`, whatever stood there before. The
 * caller owns it and owes it one thread_local_destroy(). There may be as many objects as memory has room for: more,
 * too, than the 1024 keys that pthreads has for a whole process.
 *
 * `destructor` is called, once, with every value that is given up: replaced by another, deleted, left behind by a
 * thread that ends, or held by any thread when the object is destroyed. It is not called for NULL. It may be NULL: then
 * values are just forgotten. It is called by the thread that gives the value up, when the value is no longer there to
 * be got, and with no lock held: it may itself call every function here, on any object but one that is being destroyed.
 *
 * Returns 0, or, with `*local` left as it was:
 *   EINVAL  `local` is NULL
 *   ENOMEM  there is no memory (Python: MemoryError)
 *   EAGAIN  the process has no pthread key left, where one is needed, or whatever else pthread_key_create returned;
 *           where it has returned this once, it may do so ever after
 *
 * Does not block. May be called from any number of threads at the same time. */
int thread_local_create(struct thread_local **local, void (*destructor)(void *value));

/* Makes `value` the calling thread's value. NULL is a value like any other. The value it takes the place of goes to the
 * destructor, unless it is the same one again.
 *
 * Returns 0, or ENOMEM where there is no memory (Python: MemoryError): then the thread has the value it had, or none,
 * and `value` is still the caller's.
 *
 * Blocks no longer than the destructor takes. May be called from any number of threads at the same time. */
int thread_local_set(struct thread_local *local, void *value);

/* Stores the calling thread's value in `*value`. It still belongs to the object.
 *
 * Returns 0, or, with `*value` left as it was: ENOENT where this thread has none (Python: AttributeError), EINVAL where
 * `value` is NULL.
 *
 * Does not block. May be called from any number of threads at the same time. */
int thread_local_get(struct thread_local *local, void **value);

/* Gives up the calling thread's value: it goes to the destructor, and the thread has none.
 *
 * Returns 0, or ENOENT where this thread has none (Python: AttributeError).
 *
 * Blocks no longer than the destructor takes. May be called from any number of threads at the same time. */
int thread_local_delete(struct thread_local *local);

/* When a thread ends, by returning from its function or by pthread_exit, each value it has in any object goes to the
 * destructor, called by that thread before anybody's join of it returns; and what a destructor sets meanwhile goes the
 * same way, however long this goes on; what the destructor of a pthread key of the program's own sets, too, in the few
 * rounds that pthreads makes. Nothing of an ended thread is left, however long the objects live.
 *
 * thread_local_destroy gives up the values that threads still have in `local`, of whatever thread, and releases the
 * object. No thread may call a function on it at the same time or afterwards; but threads that have values in it may go
 * on, and may end at the same time. A destructor that such a thread is just running may still be running when destroy
 * returns. NULL is nothing.
 *
 * Blocks no longer than the destructors that it calls. */
void thread_local_destroy(struct thread_local *local);

#endif
