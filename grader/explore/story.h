/* story.h - the teacher's sentence: which known mistake the recorded run shows, told with its threads, lines and
 * variables.
 *
 * Theory of operation. Each pattern is a function that looks for its facts (story_facts.h) in the rows and in where
 * everyone stands at the end, and tells the story only where every one of them is there; the first that does wins, the
 * most telling patterns being asked first. None sees the pattern in what merely looks like it: where a fact is missing
 * there is no story, and the plain trace stands for itself.
 */
#ifndef EXPLORE_STORY_H
#define EXPLORE_STORY_H

#include "record.h"

struct story {
    const char *pattern;                    /* "if-for-while", …: a stable name for programs */
    char happened[1200];                    /* one to four sentences */
    char advice[400];                       /* what to do */
    int from;                               /* the first row that it speaks of */
    unsigned threads[THREADS_MAX / 32 + 1]; /* bit by bit: who takes part */
};

/* Tells the story of the recorded run with il.finding. False where no pattern is seen, or where rows are missing. */
bool story_tell(struct story *story);

/* The pattern's names, in the order in which they are asked for; NULL after the last. */
const char *story_pattern(unsigned index);

/* For the patterns: appends to `happened`, as printf; the advice; a row or a thread that takes part. */
void story_say(struct story *story, const char *format, ...) __attribute__((format(printf, 2, 3)));
void story_advise(struct story *story, const char *format, ...) __attribute__((format(printf, 2, 3)));
void story_row(struct story *story, int row);
void story_thread(struct story *story, int thread);

/* Patterns of waiting (story_wait.c) */
bool story_if_for_while(struct story *story);
bool story_spurious(struct story *story);
bool story_tested_outside(struct story *story);
bool story_signalled_before(struct story *story);
bool story_wrong_waiter(struct story *story);
bool story_swallowed(struct story *story);
bool story_one_of_many(struct story *story);
bool story_never_signalled(struct story *story);

/* …of locks and of counting (story_lock.c) */
bool story_self_deadlock(struct story *story);
bool story_lock_order(struct story *story);
bool story_join_holding(struct story *story);
bool story_lock_kept(struct story *story);
bool story_barrier(struct story *story);
bool story_semaphore(struct story *story);
bool story_thread_forgotten(struct story *story);

/* …of memory (story_memory.c) */
bool story_notify_late(struct story *story);
bool story_freed(struct story *story);
bool story_destroyed(struct story *story);
bool story_relaxed(struct story *story);
bool story_double_checked(struct story *story);
bool story_sleep_orders(struct story *story);
bool story_lost_update(struct story *story);
bool story_check_then_act(struct story *story);
bool story_race(struct story *story);

#endif
