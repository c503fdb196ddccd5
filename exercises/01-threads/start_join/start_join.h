/* start_join.h - run a function in a thread of its own, and bring its result home.
 *
 * In Python:
 *
 *     class Call(threading.Thread):
 *         def __init__(self, work, argument):
 *             super().__init__()
 *             self.work, self.argument = work, argument
 *         def run(self):
 *             self.result = self.work(self.argument)
 *
 *     call = Call(work, argument)
 *     call.start()
 *     ...                      # both run
 *     call.join()
 *     print(call.result)
 *
 * Here a call is started by start_join_start() and ended, once, by start_join_join(). Any number of calls may be under
 * way at the same time.
 */
#ifndef START_JOIN_H
#define START_JOIN_H

struct start_join; /* one call that is under way */

/* Starts a new thread that calls work(argument), and returns without waiting for it. The handle of the call is stored
 * in `*call`, whatever stood there before; the caller owes it one start_join_join(), which also releases it.
 *
 * The new thread keeps what it needs: nothing that belongs to the caller has to stay in place, and each call has its
 * own argument and its own result.
 *
 * Returns 0, or a positive errno value with `*call` left as it was, nothing started and nothing kept:
 *   EINVAL  `call` or `work` is NULL (Python: TypeError)
 *   ENOMEM  there is no memory for the handle (Python: MemoryError)
 *   EAGAIN  the system has no thread to give (Python: RuntimeError, "can't start new thread"), or whatever else
 *           pthread_create returned
 *
 * Does not block. May be called from any number of threads at the same time, also from inside a `work`. */
int start_join_start(struct start_join **call, long (*work)(long argument), long argument);

/* Waits until the call's work has returned and its thread has ended, stores what the work returned in `*result`, and
 * releases the call. `result` may be NULL: then what the work returned is thrown away. Whatever the work wrote is
 * there for the caller to read.
 *
 * Returns 0, or EINVAL, with `*result` left as it was, where `call` is NULL.
 *
 * Blocks as long as the work runs. May be called from any thread but the one that does the work, once for each call;
 * nobody may use the call afterwards. */
int start_join_join(struct start_join *call, long *result);

#endif
