/* hints.h - an exercise's three hints, from its hints.md: the sections "## 1", "## 2", "## 3". */
#ifndef GRADE_HINTS_H
#define GRADE_HINTS_H

#include "course.h"
#include "fault.h"
#include "page.h"

enum { HINTS = 3 };

/* Reads them; each is Markdown without its heading, owned by `context`. A fault where the file or a section is missing.
 */
int hints_read(void *context, const struct exercise *exercise, const char *hints[HINTS], struct fault *fault);

/* Adds one to the page: paragraphs wrapped, list items hanging, fenced or indented code as it stands. */
void hints_print(struct page *page, const char *hint);

#endif
