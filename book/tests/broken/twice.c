/* region step */
int step;
/* end step */

/* region step */
int again;
/* end step */
