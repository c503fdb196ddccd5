/* alone.h - waiting, in a scenario, until threads have ended, without telling the detectors.
 *
 * A join would order all that a thread did before all that comes after; here the threads have ended in fact, and to
 * helgrind and ThreadSanitizer nothing is ordered. So what a thread did last, and somebody else looks at without the
 * right lock, is a race in every run. The number of threads is the kernel's: they count until they are gone.
 */
#ifndef HARNESS_ALONE_H
#define HARNESS_ALONE_H

#ifdef INTERLEAVE /* the explorer knows its threads (grader/explore/model_harness.c) */

int alone_count(void);
void alone_wait(int count);

#else

#include <dirent.h>
#include <stddef.h>
#include <time.h>

/* How many threads this process has; 0 where that cannot be read. */
static inline int alone_count(void)
{
    DIR *tasks = opendir("/proc/self/task");
    int count = 0;

    if (tasks == NULL)
        return 0;
    for (struct dirent *entry = readdir(tasks); entry != NULL; entry = readdir(tasks)) // NOLINT(concurrency-mt-unsafe)
        count += entry->d_name[0] != '.' ? 1 : 0;
    closedir(tasks);
    return count;
}

/* Blocks until there are no more than `count` (what alone_count() said before). */
static inline void alone_wait(int count)
{
    const struct timespec pause = {0, 100 * 1000};

    while (alone_count() > count)
        nanosleep(&pause, NULL);
}

#endif
#endif
