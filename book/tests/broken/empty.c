/* empty.c - a region without a line. */
/* region step */

/* end step */
extern int nothing;
