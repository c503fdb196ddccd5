/* tiny.h - a total that many threads add to.
 *
 * In Python: a `Lock` around `self.value += amount`. This is the fixture of the grader's own tests: as small as an
 * exercise can be that has every part of one.
 */
#ifndef TINY_H
#define TINY_H

struct tiny;

/* Makes a total of 0. The caller owns it and gives it to tiny_destroy. Returns 0, or ENOMEM (MemoryError); on an error
 * `*tiny` is not touched and nothing is left to free. Does not block. */
int tiny_create(struct tiny **tiny);

/* Frees it. No thread may be using it. NULL is fine. */
void tiny_destroy(struct tiny *tiny);

/* Adds `amount`. Returns 0, or EINVAL (ValueError) for an amount of 0, which changes nothing. Blocks only while another
 * thread is adding. Any thread. */
int tiny_add(struct tiny *tiny, long amount);

/* The total. Blocks only while another thread is adding. Any thread. */
long tiny_value(struct tiny *tiny);

#endif
