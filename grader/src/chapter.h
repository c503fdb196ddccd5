/* chapter.h - what the prose calls its chapters and sections, for screens that send a student there.
 *
 * Read from ROOT/chapters/CH.md each time (they are small and few). Nothing here is ever a fault: where the prose is
 * not there or has no such section, a plainer name comes back. All texts belong to `context`. `course` may be NULL.
 */
#ifndef GRADE_CHAPTER_H
#define GRADE_CHAPTER_H

#include "course.h"

/* "02 locks" of "02-locks". */
char *chapter_label(void *context, const char *chapter);

/* Where to read, in words: "chapter 02, “Two accounts”" of "02-locks#two-accounts". */
char *chapter_section(void *context, const struct course *course, const char *read);

/* Where to read, as a path from the root: "build/book/02-locks.html#two-accounts" where the book was made, else
 * "chapters/02-locks.md". */
char *chapter_path(void *context, const struct course *course, const char *read);

#endif
