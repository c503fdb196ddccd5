/* report_channel.h - how a program of the harness tells the grader what it did (the lines are in harness/report.h).
 *
 * Theory: two memory files. The program inherits both: it appends its report to one and finds this run's key in the
 * other; the report's last line has to carry the key, so that a program that ends early, or writes lines of its own, is
 * not taken for one that came to its end. Nothing waits for anything: the grader reads while the program runs, or
 * after. The report is open for appending: a stray write may add to it, which then makes no sense, but take nothing
 * away. One process opens, reads and closes a channel.
 */
#ifndef GRADE_REPORT_CHANNEL_H
#define GRADE_REPORT_CHANNEL_H

#include "fault.h"

#include <jansson.h>
#include <stdbool.h>

enum { REPORT_KEY_BYTES = 16 };

struct report_channel {
    int report; /* -1 where it is closed */
    int key;
    char secret[2 * REPORT_KEY_BYTES + 1]; /* what `key` holds, in hexadecimal digits; new for each channel */
};

/* Makes both files and a key. On failure nothing is open. Does not block. */
int report_channel_open(struct report_channel *channel, struct fault *fault);
void report_channel_close(struct report_channel *channel);

/* All that has been reported, at most 4 MiB of it; belongs to `context`. Does not block. */
int report_channel_read(void *context, const struct report_channel *channel, char **text, struct fault *fault);

/* Whether this line carries the channel's key. */
bool report_channel_signed(const struct report_channel *channel, const json_t *line);

#endif
