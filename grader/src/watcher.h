/* watcher.h - which exercises' files were saved: inotify on the folders, since editors replace files.
 *
 * A save is a file closed after writing, or renamed to NAME.c. Other files in the folders (swap files, backups) are
 * nobody's business. A folder that goes and comes back (git checkout) is taken up again; where the kernel lost events,
 * the files' own times and sizes tell. One thread; nothing blocks but watcher_settle.
 */
#ifndef GRADE_WATCHER_H
#define GRADE_WATCHER_H

#include "course.h"
#include "fault.h"

#include <stdbool.h>
#include <stddef.h>

struct watcher;

/* Watches every exercise's file (with `only`: that one's). Belongs to `context`, but for the descriptor:
 * watcher_close(). NULL with a fault where the system has no more watches to give. */
struct watcher *watcher_open(void *context, const struct course *course, const struct exercise *only,
                             struct fault *fault);

void watcher_close(struct watcher *watcher);

/* A descriptor that is readable when something happened. */
int watcher_fd(const struct watcher *watcher);

/* Takes what has happened, sets saved[i] for each course->exercises[i] that was saved, and returns how many saves it
 * was. Does not block. */
size_t watcher_take(struct watcher *watcher, bool *saved);

/* The same, again and again until nothing happens for 50 ms (or 500 ms are over): an editor may write more than once.
 */
void watcher_settle(struct watcher *watcher, bool *saved);

#endif
