/* screen_finding.h - one finding: what, where, why, and what was printed. */
#ifndef GRADE_SCREEN_FINDING_H
#define GRADE_SCREEN_FINDING_H

#include "page.h"

/* What a finding may take. */
struct finding_room {
    int what, why; /* lines; 0: any */
    int rest;      /* lines for places and detail together */
};

/* Adds the finding to the page. */
void screen_finding(struct page *page, const struct finding *finding, struct finding_room room);

/* "counter.c:31", clean; "" where unknown. */
char *finding_where(const struct page *page, const struct place *place);

#endif
